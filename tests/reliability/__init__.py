"""Reliability under faults, in the simulator: scenarios, the judge of what came of them, and a table."""
