"""Whom a view chooses among its entries: any, the oldest or the youngest, ties by dice.

Rules of this file. A pool is a list of entries that the caller made for the purpose; what is taken leaves it.
Dice are ``rng.random`` of the caller, and one throw decides one thing.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

from .identity import Address, NodeId

__all__ = ["Entry", "draw", "edge", "take_first", "take_oldest"]

Entry = tuple[NodeId, Address, int]
"""A descriptor at rest: who, where, and the tick at which it was fresh (its stamp)."""

Dice = Callable[[], float]
"""Numbers from 0 to below 1."""

stamp_of = itemgetter(2)


def draw(pool: list[Entry], count: int, dice: Dice) -> list[Entry]:
    """Take up to ``count`` out of a pool at random, in random order."""
    pop, size = pool.pop, len(pool)
    return [pop(int(dice() * left)) for left in range(size, size - count if size > count else 0, -1)]


def edge(pool: list[Entry], dice: Dice, *, youngest: bool = False) -> int:
    """Where the oldest (or youngest) of a pool stands; of several any."""
    stamps = list(map(stamp_of, pool))
    best = max(stamps) if youngest else min(stamps)
    at, equals = stamps.index(best), stamps.count(best)
    if equals > 1:
        for _ in range(int(dice() * equals)):
            at = stamps.index(best, at + 1)
    return at


def take_oldest(pool: list[Entry], count: int, dice: Dice) -> list[Entry]:
    """Take the ``count`` oldest out of a pool: mostly it is one, for whom nothing need be sorted."""
    return [pool.pop(edge(pool, dice))] if count == 1 and pool else take_first(pool, count, dice)


def take_first(pool: list[Entry], count: int, dice: Dice, *, youngest: bool = False) -> list[Entry]:
    """Take the ``count`` oldest (or youngest) out of a pool; in no order, ties fall at random."""
    if not 0 < count < len(pool):
        taken = pool[:count]
        del pool[:count]
        return taken
    pool.sort(key=stamp_of, reverse=youngest)  # measured: quicker than any single pass written in Python
    best = pool[count][2]
    if pool[count - 1][2] != best:
        taken = pool[:count]
        del pool[:count]
        return taken
    start = end = count
    while start and pool[start - 1][2] == best:
        start -= 1
    while end < len(pool) and pool[end][2] == best:
        end += 1
    tied = pool[start:end]
    taken = pool[:start] + draw(tied, count - start, dice)
    pool[:] = pool[end:] + tied
    return taken
