"""What a node tells about itself, as frozen records; an application picks the ones it cares for."""

from __future__ import annotations

from dataclasses import dataclass

from .identity import Address, Dot, NodeId
from .messages import Message

__all__ = [
    "ContactUnresolved",
    "DatagramRejected",
    "Delivered",
    "Event",
    "Gap",
    "IncarnationChanged",
    "Lagged",
    "PeerLost",
    "PeerSeen",
    "Restored",
    "StateFailed",
    "StateRecovered",
    "Undeliverable",
    "ViewChanged",
]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message was delivered: once, and after everything that happened before it."""

    message: Message


@dataclass(frozen=True, slots=True)
class PeerSeen:
    """A node was heard of for the first time, or again after it had been lost."""

    id: NodeId
    address: Address


@dataclass(frozen=True, slots=True)
class PeerLost:
    """A node of the partial view stopped answering, or said goodbye."""

    id: NodeId
    address: Address
    left: bool
    """True for a goodbye, False for silence."""


@dataclass(frozen=True, slots=True)
class ViewChanged:
    """The set of nodes in the partial view is another one; ages alone do not count."""

    joined: tuple[NodeId, ...]
    parted: tuple[NodeId, ...]


@dataclass(frozen=True, slots=True)
class DatagramRejected:
    """A datagram, or part of one, could not be used; the node goes on as if it had not come."""

    source: Address
    reason: str
    """One of the few words that ``NodeSnapshot.rejected`` counts by, such as ``malformed`` or ``version``."""


@dataclass(frozen=True, slots=True)
class Lagged:
    """A reader was slower than retention: ``missed`` items were dropped before it read them."""

    missed: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages that no reachable node retains any more were given up; everything after them is exact."""

    size: int
    """How many messages are missing here for good."""


@dataclass(frozen=True, slots=True)
class Undeliverable:
    """A held-back message was dropped: its past can't be had, or there was no room to wait for it."""

    id: Dot
    waits_for: tuple[Dot, ...]
    """What was missing, as far as the origins are known by name."""


@dataclass(frozen=True, slots=True)
class ContactUnresolved:
    """The host name of a contact has no address now; it is tried again for as long as the node runs."""

    contact: Address
    reason: str


@dataclass(frozen=True, slots=True)
class IncarnationChanged:
    """This node took a new identity under its name; sequence numbers start again at 1."""

    before: NodeId
    after: NodeId
    was_silent: bool = False
    """True if it was silent while so many others spoke that they may have forgotten it; False if somebody
    else used its identity."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A node came up with the log of its state file."""

    messages: int
    """How many messages were there."""
    before: NodeId | None
    """The identity that wrote them, where it could not be taken up again: it had said goodbye, or not all it
    did could be saved. None if the node goes on under it."""


@dataclass(frozen=True, slots=True)
class StateFailed:
    """The state file can't be written; the node goes on in memory and tries again now and then."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class StateRecovered:
    """The state file could be written again, and holds everything."""

    path: str


Event = (
    Delivered
    | PeerSeen
    | PeerLost
    | ViewChanged
    | DatagramRejected
    | Lagged
    | Gap
    | Undeliverable
    | ContactUnresolved
    | IncarnationChanged
    | Restored
    | StateFailed
    | StateRecovered
)
"""Everything ``Node.events()`` can yield."""
