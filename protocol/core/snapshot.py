"""One frozen picture of a node, for panes, logs and tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from .config import Dissemination
from .faults import NOTHING_DONE, FaultReport
from .identity import Address, Dot, NodeId
from .strategy import Strategy
from .view import Descriptor

__all__ = [
    "Counters",
    "Descriptor",
    "HeldMessage",
    "NeighbourRow",
    "NodeSnapshot",
    "PeerRow",
    "PeerState",
    "ToldView",
]


class PeerState(StrEnum):
    """Where a node this one has heard of stands now."""

    VIEW = "view"
    """In the partial view."""
    LOST = "lost"
    """It stopped answering and is dialled again now and then."""
    LEFT = "left"
    """It said goodbye."""
    AUTHOR = "author"
    """Known by its messages or from former views only."""


@dataclass(frozen=True, slots=True)
class PeerRow:
    """One node this one has heard of."""

    id: NodeId
    address: Address | None
    """None for an author that was never met."""
    state: PeerState
    age: int | None
    """Age of its descriptor in exchanges while it is in the view, else None."""
    round_trip: float | None
    """Smoothed seconds from request to answer; None before the first answer."""
    last_direction: str
    """How the last exchange went: ``"out"`` (this node asked), ``"in"`` (it asked), ``""`` (none yet)."""
    last_exchange_at: float | None
    """The moment of the last exchange, on the clock that drives the node; None before the first."""


@dataclass(frozen=True, slots=True)
class NeighbourRow:
    """One lasting link, along which messages go in a tree."""

    address: Address
    is_eager: bool
    """Whether messages are pushed along it; else they are announced."""


@dataclass(frozen=True, slots=True)
class HeldMessage:
    """A message that was received and waits in the hold-back queue for its past."""

    id: Dot
    text: str
    """The payload's first 2,048 bytes as text."""
    depth: int
    created_at: float
    """Unix seconds by the origin's clock."""
    received_at: float
    """Unix seconds by this node's clock."""
    waits_for: tuple[Dot, ...]
    """The missing dots, as far as their origins are known by name."""


class ToldView(NamedTuple):
    """What one peer told of its view in the last exchange with it: a part, and not the newest any more."""

    id: NodeId
    descriptors: tuple[Descriptor, ...]
    at: float
    """When it came, on the clock that drives the node."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Running totals since the node started."""

    datagrams_in: int = 0
    datagrams_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    delivered: int = 0
    """Messages delivered, own ones included."""
    sent: int = 0
    """Own messages made."""
    rumors_in: int = 0
    """Copies of messages received; an announcement of a large one counts as one."""
    duplicates: int = 0
    """Copies received of messages that were here already, or known and coming in."""
    repairs: int = 0
    """Messages first received because this node asked for them."""
    wants: int = 0
    """Requests sent for missing messages."""
    announcements: int = 0
    """Messages announced to neighbours instead of pushed, once for each neighbour."""
    prunes: int = 0
    """Links that this node took out of the tree."""
    grafts: int = 0
    """Requests for announced messages, which put a link into the tree."""
    exchanges_started: int = 0
    exchanges_answered: int = 0
    """View exchanges that this node started and a peer answered in time."""
    exchanges_served: int = 0
    """View exchanges that peers started here."""
    peers_lost: int = 0
    gaps: int = 0
    undeliverable: int = 0
    displaced: int = 0
    """Held messages that made room in a full hold-back queue for less deep ones; they come again."""
    chunks_in: int = 0
    """Chunks of large payloads that were asked for, came and fitted."""
    chunks_out: int = 0
    """Chunks served to others."""
    duplicate_chunks: int = 0
    """Chunks that came once more than needed."""
    chunk_requests: int = 0
    payloads_pulled: int = 0
    """Large payloads that came in whole."""
    payloads_dropped: int = 0
    """Large payloads given up for want of room or of holders; they may be pulled again later."""
    peers_forgotten: int = 0
    """Nodes once met and forgotten for want of room (``acquaintance_limit``)."""
    events_dropped: int = 0
    """Events nobody fetched in time."""


@dataclass(frozen=True, slots=True)
class NodeSnapshot:
    """Everything countable about a node at one moment."""

    id: NodeId
    address: Address
    cluster: str
    strategy: Strategy
    view_size: int
    fanout: int
    cycle: int
    """Cycles this node has begun."""
    view: tuple[Descriptor, ...]
    peers: tuple[PeerRow, ...]
    """Everyone heard of and not forgotten: view, lost, left, authors; sorted by name."""
    held: tuple[HeldMessage, ...]
    """The hold-back queue in display order, at most the first 256 of ``held_count``."""
    held_count: int
    retained_count: int
    retained_size: int
    """Bytes of retained messages."""
    evicted_count: int
    """Messages before the retained ones: delivered here and evicted, or before this node's time."""
    frontier: tuple[Dot, ...]
    """The maximal dots delivered."""
    depth: int
    """The largest depth delivered or announced."""
    unacknowledged: int
    """Own messages that no other node is known to have."""
    catching_up: bool
    """Whether a sponsor's history is coming in."""
    behind: int
    """Messages that are not here yet, by what the last peer that had more said, at most as many as this
    node retains; 0 when nobody has more."""
    caught_up: int
    """Messages received so far in the catch-up or comparison under way; 0 without one."""
    unanswered: int
    """Peers that stopped answering within the last 120 cycles and are not back, be they gone or cut off."""
    left: bool
    counters: Counters
    rejected: Mapping[str, int]
    """Datagrams and messages refused, by reason."""
    faults: FaultReport = NOTHING_DONE
    """Faults made on purpose between this node and its network, and what they did."""
    unsaved: str = ""
    """Why the state file can't be written; empty while it can, and without one."""
    unacknowledged_size: int = 0
    """Bytes of their payloads."""
    held_size: int = 0
    """Bytes of held messages, overhead estimated."""
    pulling_count: int = 0
    """Large messages that are announced and not whole yet."""
    pulling_size: int = 0
    """Bytes of them that are here."""
    now: float = 0.0
    """The moment of this picture, on the clock that drives the node; ``PeerRow`` has moments of the same."""
    dissemination: Dissemination | str = Dissemination.EAGER
    neighbours: tuple[NeighbourRow, ...] = ()
    """The lasting links, the oldest first."""
    told: tuple[ToldView, ...] = ()
    """What peers told of their views, the newest last; only where the picture was asked for with it."""
