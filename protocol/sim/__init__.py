"""The deterministic simulator: many machines, one clock, injected faults."""
