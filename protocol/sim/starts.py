"""Whom nodes know at the start of a simulation."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["batch_of_growth", "neighbours", "others"]

GROWTH_CYCLES = 100
"""Cycles until a growing network is complete. Source: Jelasity et al., TOCS 2007, the growing scenario."""


def others(index: int, size: int, count: int, dice: Callable[[], float]) -> list[int]:
    """``size`` different ones of ``count`` nodes at random, none of them ``index``."""
    chosen: dict[int, None] = {}
    while len(chosen) < size:
        other = int(dice() * count)
        if other != index:
            chosen[other] = None
    return list(chosen)


def neighbours(index: int, size: int, count: int) -> list[int]:
    """The ``size`` nearest nodes on a ring, alternating sides."""
    steps = [step * sign for step in range(1, size + 1) for sign in (1, -1)]
    return list(dict.fromkeys((index + step) % count for step in steps))[:size]


def batch_of_growth(count: int) -> int:
    """How many nodes come each cycle where ``count`` are there in the end: a hundredth, rounded up."""
    return -(-count // GROWTH_CYCLES)
