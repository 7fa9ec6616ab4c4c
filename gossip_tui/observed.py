"""What can be observed of the nodes in this process beside the one that one sits on, as frozen records.

A feed hands them out only when it is asked, so what nobody looks at costs nothing. A real node observes
itself; in a swarm there are all its members; a recording gives what was recorded.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Self

from protocol.core.faults import NO_FAULTS, Direction, FaultReport
from protocol.core.identity import Address, NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import NodeSnapshot
from protocol.core.view import Descriptor

__all__ = [
    "CHANGES_LIMIT",
    "NO_TROUBLE",
    "Absence",
    "Change",
    "Deliveries",
    "Delivery",
    "KnownView",
    "NodeState",
    "OverlayPicture",
    "Trouble",
    "cuts_in_words",
    "disturbance_of",
    "told_views",
]

CHANGES_LIMIT = 256
"""Changes kept for diagrams: more than a person makes while what came of them can still be seen."""


class NodeState(StrEnum):
    """What has become of a node of this process."""

    RUNNING = "running"
    STOPPED = "stopped"
    """It stands still, as a process does that was stopped."""
    CRASHED = "crashed"
    """It ended without a word."""
    LEFT = "left"
    """It said goodbye."""


class Change(NamedTuple):
    """Something that a person changed on purpose: faults, a cut, a crash, how nodes work."""

    at: float
    """Unix seconds by the clock of this computer."""
    text: str
    nodes: frozenset[str] = frozenset()
    """Names of the nodes it concerns; none where that is not known."""


class Absence(NamedTuple):
    """When a node was not there, in Unix seconds: it had not begun yet, or it had ended."""

    start: float = -math.inf
    end: float = math.inf

    def covers(self, at: float) -> bool:
        """Whether the node was absent at a moment; at both ends it was there."""
        return self.start < at < self.end


class Trouble(NamedTuple):
    """What is done to one node on purpose."""

    state: NodeState = NodeState.RUNNING
    faults: str = ""
    """Those for everybody, as a person writes them; empty for none."""
    apart: int = 0
    """Peers towards whom there are others."""
    blocked: Mapping[Address, Direction] = MappingProxyType({})
    """From whom it is cut off, and which datagrams that stops, seen from this node."""

    @classmethod
    def of(cls, report: FaultReport, state: NodeState = NodeState.RUNNING) -> Self:
        """What is in force of a report."""
        faults = str(report.faults) if report.faults != NO_FAULTS else ""
        return cls(state, faults, len(report.by_peer), report.blocked)


NO_TROUBLE = Trouble()
"""A node to which nothing is done."""


class Delivery(NamedTuple):
    """A message at a node: delivered there, or made there if the node is its origin."""

    node: NodeId
    message: Message
    """As that node delivered it: moment and hops are of this delivery."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What the observed nodes delivered since somebody asked before."""

    rows: tuple[Delivery, ...]
    """Those of each node in its own order of delivery."""
    cursor: Mapping[NodeId, int]
    """To be given back when asking again; its keys are the observed nodes."""
    unbroken: frozenset[NodeId]
    """Nodes of which nothing is missing: between this and the former answer, or from the very beginning."""
    seat: NodeId
    """The node one sits on."""
    changes: tuple[Change, ...] = ()
    """What was changed on purpose, by time: not what is new, but all that is kept."""
    absences: Mapping[NodeId, Sequence[Absence]] = field(default_factory=dict)
    """When nodes were not there, of those that crashed or came back."""

    @property
    def count(self) -> int:
        """Deliveries of these nodes since each began, retained or not."""
        return sum(self.cursor.values()) - len(self.cursor)


class KnownView(NamedTuple):
    """Whom a node knows, as far as that is known here."""

    node: NodeId
    view: tuple[Descriptor, ...]
    trouble: Trouble = NO_TROUBLE
    """What is done to it on purpose."""
    address: Address | None = None
    """Where it can be reached, as far as that is known without anybody's view."""


@dataclass(frozen=True, slots=True)
class OverlayPicture:
    """Who knows whom."""

    seat: NodeId
    """The node one sits on."""
    views: tuple[KnownView, ...]
    """In no particular order; on a real node its own view, and what its peers told of theirs."""
    is_whole: bool
    """Whether these are the views of all nodes of the network, as they are now."""

    @classmethod
    def of_swarm(cls, seat: NodeId, views: Sequence[KnownView]) -> Self:
        """The picture of several nodes; it is whole if it is more than one and their views name nobody else.

        A node that has left knows nobody and is known by nobody: it is no part of the picture.
        """
        named = {descriptor.id for view in views for descriptor in view.view}
        present = tuple(view for view in views if view.view or view.node in named)
        return cls(seat, present, is_whole=len(views) > 1 and named <= {view.node for view in views})


CUTS = {
    Direction.BOTH: "cut off from",
    Direction.IN: "nothing comes from",
    Direction.OUT: "nothing goes to",
}
"""What a cut does, before the number of those towards whom it does it."""


def cuts_in_words(blocked: Mapping[Address, Direction]) -> str:
    """From how many a node is cut off, in both directions or in which one; empty if from nobody."""
    counts = Counter(blocked.values())
    return ", ".join(f"{words} {counts[way]}" for way, words in CUTS.items() if counts[way])


def disturbance_of(troubles: Sequence[Trouble], seat: int, *, is_cut: bool) -> str:
    """What is out of order but the faults of the node one sits on, in a few words; empty for nothing.

    Args:
        troubles: What is done to each node.
        seat: Which of them one sits on.
        is_cut: Whether they are cut in two.
    """
    crashed = sum(trouble.state is NodeState.CRASHED for trouble in troubles)
    stopped = sum(trouble.state is NodeState.STOPPED for trouble in troubles)
    others = [*troubles[:seat], *troubles[seat + 1 :]]
    faulty = sum(bool(trouble.faults or trouble.apart) for trouble in others)
    parts = [
        "cut in two" if is_cut else "",
        f"{crashed} crashed" if crashed else "",
        f"{stopped} stopped" if stopped else "",
        f"{faulty} other nodes disturbed" if faulty > 1 else "1 other node disturbed" if faulty else "",
    ]
    return ", ".join(part for part in parts if part)


def told_views(snapshot: NodeSnapshot) -> list[KnownView]:
    """The views that peers told a node of, as it has them in a snapshot; with addresses of those it knows."""
    addresses = {row.id: row.address for row in snapshot.peers}
    return [KnownView(one.id, one.descriptors, address=addresses.get(one.id)) for one in snapshot.told]
