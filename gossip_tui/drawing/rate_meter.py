"""Rates from running totals: what a node did per second, lately and over the last minutes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from protocol.core.identity import NodeId
from protocol.core.snapshot import Counters, NodeSnapshot

__all__ = ["RateMeter", "Rates"]

BUCKET_PERIOD = 1.0
"""Seconds that one bar of a sparkline stands for: a choice, what changes visibly and can still be read."""

BUCKET_LIMIT = 600
"""Bars remembered: ten minutes, wider than any screen."""

RECENT_PERIOD = 5.0
"""Seconds over which the numbers are averaged, so that they do not flicker: a choice."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What a node did lately; per second where the name does not say otherwise."""

    datagrams_in: float = 0.0
    datagrams_out: float = 0.0
    bytes_in: float = 0.0
    bytes_out: float = 0.0
    delivered: float = 0.0
    duplicate_share: float | None = None
    """Of the payload copies received lately, how many were here already, 0 to 1; None if none came."""
    repairs: int = 0
    """Messages got by asking, since the node started."""
    rejects: int = 0
    """Datagrams refused, since the node started."""
    incoming: tuple[float, ...] = ()
    """Datagrams received per second, a number a second, newest last."""
    outgoing: tuple[float, ...] = ()
    marks: tuple[bool, ...] = ()
    """For each of those seconds, whether something was changed on purpose in it."""


class Reading(NamedTuple):
    """The totals of one moment."""

    at: float
    counters: Counters
    rejects: int


def totals(reading: Reading) -> tuple[int, ...]:
    """All that rates are made of."""
    of = reading.counters
    return (
        of.datagrams_in, of.datagrams_out, of.bytes_in, of.bytes_out,
        of.delivered, of.rumors_in, of.duplicates,
    )  # fmt: skip


Settings = tuple[object, ...]
"""What a person can change about a node while it runs."""


def settings_of(snapshot: NodeSnapshot) -> Settings:
    """The faults in force, and how the node samples and spreads."""
    faults = snapshot.faults
    return (
        faults.faults,
        faults.by_peer,
        faults.blocked,
        snapshot.strategy,
        snapshot.view_size,
        snapshot.fanout,
        snapshot.dissemination,
    )


class RateMeter:
    """Works out rates from successive snapshots of one node; starts over when the node is another one."""

    def __init__(self) -> None:
        self._node: NodeId | None = None
        self._readings: deque[Reading] = deque()
        self._bars: deque[tuple[float, float]] = deque(maxlen=BUCKET_LIMIT)
        self._bucket: Reading | None = None
        self._settings: Settings | None = None
        self._marks: deque[bool] = deque(maxlen=BUCKET_LIMIT)
        self._is_marked = False

    def mark(self) -> None:
        """Something was changed now that no picture of this node shows."""
        self._is_marked = True

    def observe(self, snapshot: NodeSnapshot, now: float) -> None:
        """Take in the next snapshot; where ``now`` goes back, as in a replay, all starts over."""
        reading = Reading(now, snapshot.counters, sum(snapshot.rejected.values()))
        if snapshot.id != self._node or self._is_reset(reading):
            self._node = snapshot.id
            self._readings.clear()
            self._bars.clear()
            self._marks.clear()
            self._settings = None
            self._bucket = reading
        settings = settings_of(snapshot)
        if self._settings is not None and settings != self._settings:
            self.mark()
        self._settings = settings
        self._readings.append(reading)
        while len(self._readings) > 2 and self._readings[1].at <= now - RECENT_PERIOD:
            self._readings.popleft()
        self._fill_buckets(reading)

    def rates(self) -> Rates:
        """The rates as of the last snapshot."""
        if not self._readings:
            return Rates()
        first, last = self._readings[0], self._readings[-1]
        span = last.at - first.at
        received = last.counters.rumors_in - first.counters.rumors_in
        duplicates = last.counters.duplicates - first.counters.duplicates

        def per_second(total: Callable[[Counters], int]) -> float:
            return (total(last.counters) - total(first.counters)) / span if span > 0 else 0.0

        return Rates(
            datagrams_in=per_second(lambda counters: counters.datagrams_in),
            datagrams_out=per_second(lambda counters: counters.datagrams_out),
            bytes_in=per_second(lambda counters: counters.bytes_in),
            bytes_out=per_second(lambda counters: counters.bytes_out),
            delivered=per_second(lambda counters: counters.delivered),
            duplicate_share=duplicates / received if received > 0 else None,
            repairs=last.counters.repairs,
            rejects=last.rejects,
            incoming=tuple(incoming for incoming, _ in self._bars),
            outgoing=tuple(outgoing for _, outgoing in self._bars),
            marks=tuple(self._marks),
        )

    def _is_reset(self, reading: Reading) -> bool:
        """Whether time or a total went back: a replay jumped, or a node began again under its old id."""
        if not self._readings:
            return False
        last = self._readings[-1]
        went_back = any(new < old for new, old in zip(totals(reading), totals(last), strict=True))
        return reading.at < last.at or went_back

    def _fill_buckets(self, reading: Reading) -> None:
        """Spread what happened since the last full bar evenly over the seconds that are over."""
        bucket = self._bucket
        assert bucket is not None
        whole = int((reading.at - bucket.at) / BUCKET_PERIOD)
        if whole < 1:
            return
        span = reading.at - bucket.at
        incoming = (reading.counters.datagrams_in - bucket.counters.datagrams_in) / span
        outgoing = (reading.counters.datagrams_out - bucket.counters.datagrams_out) / span
        self._bars.extend([(incoming, outgoing)] * min(whole, BUCKET_LIMIT))
        self._marks.extend([False] * min(whole - 1, BUCKET_LIMIT) + [self._is_marked])
        self._is_marked = False
        self._bucket = reading
