"""Tables that forget: whatever the network can fill has a limit."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["put"]

K = TypeVar("K")
V = TypeVar("V")


def put(table: dict[K, V], key: K, value: V, limit: int) -> None:
    """Add or replace an entry as the newest; beyond ``limit`` entries the oldest is forgotten."""
    table.pop(key, None)
    table[key] = value
    if len(table) > limit:
        del table[next(iter(table))]
