"""Tables that forget: whatever the network can fill has a limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

__all__ = ["put", "trim"]

K = TypeVar("K")
V = TypeVar("V")


def put(table: dict[K, V], key: K, value: V, limit: int) -> None:
    """Add or replace an entry as the newest; beyond ``limit`` entries the oldest is forgotten."""
    table.pop(key, None)
    table[key] = value
    if len(table) > limit:
        del table[next(iter(table))]


def trim(table: dict[K, V], weigh: Callable[[V], int], limit: int) -> None:
    """Forget the oldest entries until all together weigh at most ``limit``; the newest stays in any case."""
    weight = sum(map(weigh, table.values()))
    while weight > limit and len(table) > 1:
        weight -= weigh(table.pop(next(iter(table))))
