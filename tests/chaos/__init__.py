"""Node processes on loopback that are killed, stopped, cut off and started again, and must agree at the end.

``python -m tests.chaos --help`` says how to run it.
"""
