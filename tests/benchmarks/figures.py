"""What a benchmark reckons with: percentiles, the measured runs, the targets, the machine."""

from __future__ import annotations

import math
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

__all__ = [
    "Echo",
    "ExchangeRun",
    "NodeRun",
    "PaneRun",
    "ScreenRun",
    "Spread",
    "TripRun",
    "machine",
    "percentile",
]

MEBI = 1024 * 1024


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of the values do not exceed; NaN of nothing.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5)
    2.0
    """
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, over many times; seconds."""

    count: int
    median: float
    p99: float
    longest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Sum up measured values."""
        ordered = sorted(values)
        return cls(
            len(ordered), percentile(ordered, 0.5), percentile(ordered, 0.99), percentile(ordered, 1.0)
        )


@dataclass(frozen=True, slots=True)
class Echo:
    """The yardstick: two processes that do nothing but send datagrams to and fro."""

    round_trip: Spread
    """One datagram at a time; half of it is the quickest that one delivery can be."""
    datagrams_per_second: float
    """Both directions, with many on their way."""

    @property
    def one_way(self) -> float:
        """Median seconds from one process to the other."""
        return self.round_trip.median / 2


@dataclass(frozen=True, slots=True)
class NodeRun:
    """What a swarm of node processes did with one load."""

    nodes: int
    senders: int
    rate: float | None
    """Messages per second of all senders together; None: each as fast as its backlog of ``window`` allows."""
    window: int
    dissemination: str
    seconds: float
    """From the first message to the last delivery."""
    sent: int
    delivered: int
    """At nodes other than the sender."""
    delivery: Spread
    """From before ``send_gossip`` until a reader of another node's stream has the message."""
    datagrams: int
    bytes: int
    duplicates: int
    repairs: int
    cpu_seconds: float
    """Of all nodes together."""
    peak_memory: int
    """Bytes, of the largest node."""

    @property
    def wanted(self) -> int:
        """Deliveries that complete coverage takes."""
        return self.sent * (self.nodes - 1)

    @property
    def coverage(self) -> float:
        """Share of the deliveries wanted that were made."""
        return self.delivered / self.wanted if self.wanted else math.nan

    @property
    def deliveries_per_second(self) -> float:
        """From the first message to the last delivery, the tail included."""
        return self.delivered / self.seconds if self.seconds else math.nan

    def per_delivery(self, amount: float) -> float:
        """An amount shared out among the deliveries."""
        return amount / self.delivered if self.delivered else math.nan

    @property
    def label(self) -> str:
        """The load in words."""
        who = "all send" if self.senders == self.nodes else f"{self.senders} sends"
        load = "saturated" if self.rate is None else f"{self.rate:g} messages/s"
        return f"{self.nodes} nodes, {who}, {load}, {self.dissemination}"


@dataclass(frozen=True, slots=True)
class ScreenRun:
    """What the terminal application cost under one load."""

    load: str
    rate: float
    """Messages per second that reach it."""
    cpu_share: float
    """Of one core."""
    node_share: float | None
    """What a headless node beside it needed for the same traffic; None if there was none."""
    output_rate: float
    """Bytes written to the terminal per second."""
    key: Spread | None
    """From a key press to the read that brought its echo; None where no key was pressed."""
    limit: float | None = None
    """The share of a core that this load may cost, where it has a limit of its own."""


@dataclass(frozen=True, slots=True)
class TripRun:
    """How long a node with a screen takes to answer."""

    pane: str
    """What is in front."""
    beside: Spread
    """Round trips of view exchanges with the node that has a screen."""
    without: Spread
    """With one that has none, from the same node at the same time."""


@dataclass(frozen=True, slots=True)
class PaneRun:
    """What a pane of the application cost, with everything else in sight and without any node."""

    pane: str
    rate: float
    """Messages per second."""
    events: float
    """Events per second: each message at each node."""
    cpu_share: float
    """Of one core."""
    limit: float | None
    is_bare: bool = False
    """Whether the panes that were not in sight had been taken out of the screen."""

    @property
    def label(self) -> str:
        """The pane and its load in words."""
        return f"{self.pane}, {self.rate:g} messages/s"


@dataclass(frozen=True, slots=True)
class ExchangeRun:
    """How quickly the machines of one process exchanged views."""

    strategy: str
    nodes: int
    view_size: int
    exchanges: int
    median_rate: float
    """Exchanges, both halves each, per second of CPU: the median of the batches."""
    best_rate: float
    """The same of the quickest batch: what the machine can do while nothing else takes its caches."""
    shares: dict[str, float]
    """Which part of the program took which share of the time."""
    peak_memory: int
    """Bytes of the process so far."""

    @property
    def label(self) -> str:
        """The network in words."""
        return f"{self.strategy}, N={self.nodes:,}, c={self.view_size}"


def machine() -> dict[str, str | int]:
    """What this ran on, as far as it says itself."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
        model = found.group(1) if found else model
    return {
        "processor": model,
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
