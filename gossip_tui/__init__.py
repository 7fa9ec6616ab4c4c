"""A terminal application that shows gossip: partial view, causal log, vector clocks."""
