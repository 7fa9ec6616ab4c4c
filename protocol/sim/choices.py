"""What a simulation lets its caller choose, and the refusal of what is none of the choices."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, get_args

from ..errors import ConfigError

__all__ = ["Selection", "Start", "Timing"]

Start = Literal["random", "lattice", "growing", "star", "alone"]
"""Whom nodes know at the start: random others, their neighbours on a ring, node 0 (``growing``: they come a
hundredth a cycle, ``star``: all are there), or nobody."""

Timing = Literal["events", "cycles"]
"""How simulated time passes: by single events with latency, or by cycles of atomic exchanges."""


class Selection(StrEnum):
    """What nodes know of the death of others."""

    LIVE = "live"
    """The paper's model: only live peers are asked, and nobody is evicted."""
    EVICT = "evict"
    """As on real nodes: anybody may be asked, and who stays silent is evicted."""


def check_choices(nodes: int, codec: str, *, start: str, timing: str, selection: str) -> None:
    """Refuse a simulation that can't be.

    Raises:
        ConfigError: The number of nodes or one of the words is not possible.
    """
    if nodes < 1:
        raise ConfigError(f"a simulation needs at least 1 node, not {nodes}")
    for name, value, allowed in (
        ("codec", codec, ("objects", "bytes")),
        ("start", start, get_args(Start)),
        ("timing", timing, get_args(Timing)),
        ("selection", selection, tuple(Selection)),
    ):
        if value not in allowed:
            raise ConfigError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
