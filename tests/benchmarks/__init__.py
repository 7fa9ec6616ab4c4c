"""How fast nodes and screen are, measured on real processes and never asserted.

``python -m tests.benchmarks`` prints tables, with ``--json`` the same figures for programs.
"""
