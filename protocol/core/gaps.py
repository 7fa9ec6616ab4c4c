"""How long it takes until a gap is declared: who asks goes by that, and so does what waits meanwhile."""

from __future__ import annotations

from .config import Config

__all__ = ["HELD_PATIENCE", "PEERS_TO_ASK", "UNLEVEL_PATIENCE", "gap_period"]

PEERS_TO_ASK = 4
"""Different peers that must have been asked before a gap is declared, if there are so many; one a cycle."""

UNLEVEL_PATIENCE = 1.5
"""How much longer than usual a node asks before it declares a gap while those ahead of it differ: half a
time-out is many times what closing their own gaps takes. A choice."""

HELD_PATIENCE = 2
"""How many times the period of a gap a held message keeps its place in a full queue. What lies within a gap
is delivered late, so it must not be given up before; a choice, above ``UNLEVEL_PATIENCE``."""


def gap_period(config: Config) -> float:
    """Seconds of asking before a gap is declared, or more if it takes longer to ask so many peers."""
    return max(config.gap_timeout, PEERS_TO_ASK * config.cycle_period)
