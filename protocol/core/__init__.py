"""The machine without I/O: sampling, spreading, repair and causal order."""
