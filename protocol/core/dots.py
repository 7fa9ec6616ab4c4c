"""Dots as they travel, and what is made of them: single messages, ranges of them, and what is forgotten.

A dot travels as ``(key, sequence)``, since the name of an origin may not be known yet when its key is.
"""

from __future__ import annotations

from typing import NamedTuple

from .identity import Key

__all__ = [
    "COUNT_LIMIT",
    "HOPS_LIMIT",
    "NO_HORIZON",
    "DeepDot",
    "Horizon",
    "KeyDot",
    "Range",
    "passed_on",
]

HOPS_LIMIT = 127
"""Hops are counted up to here, one byte on the wire; nothing depends on them."""

COUNT_LIMIT = (1 << 64) - 1
"""Messages that one number can tell of. Forged baselines can add up to more; then this is what is told."""

KeyDot = tuple[Key, int]
"""A dot as it travels: the key of the origin and a sequence number (0 where a floor says "nothing yet")."""


DeepDot = tuple[Key, int, int]
"""A dot with the depth of its message."""


class Range(NamedTuple):
    """Messages ``low`` to ``high`` (both included) of one origin."""

    key: Key
    low: int
    high: int


class Horizon(NamedTuple):
    """What a node has forgotten: unknown origins that started no later, and their messages no deeper."""

    depth: int
    incarnation: int


NO_HORIZON = Horizon(0, 0)
"""Nothing is forgotten."""


def passed_on(hops: int) -> int:
    """The hops of a copy sent on by a node that received it with ``hops``."""
    return min(hops + 1, HOPS_LIMIT)
