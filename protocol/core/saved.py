"""What outlives a node: its log as it was delivered, the prefix that is not retained, and whom it knew.

Rules of this file. Nothing but frozen values, so that a file, a test or a simulation can keep them as they
like; times are Unix seconds, since no other clock outlives a process. What is here always describes a
down-closed set of messages: a prefix, and what was delivered after it, in order.
"""

from __future__ import annotations

from typing import NamedTuple

from .identity import Address, NodeId
from .messages import Horizon, KeyDot

__all__ = ["Saved", "SavedClock", "SavedMessage", "SavedPeer", "SavedPin", "SavedPrefix", "Standing"]

Entries = tuple[tuple[NodeId, int, int], ...]
"""A clock, or floors: the last sequence of each origin, and the depth of that message."""


class SavedMessage(NamedTuple):
    """One delivered message, all but its clock."""

    position: int
    """In the order of delivery, counted from 1."""
    origin: NodeId
    sequence: int
    depth: int
    created_at: float
    delivered_at: float
    hops: int
    from_history: bool
    late: bool
    is_exact: bool
    """Whether its clock is exact; False for a message delivered within a gap."""
    parents: tuple[KeyDot, ...]
    payload: bytes


class SavedClock(NamedTuple):
    """The clock of a saved message that can't be worked out from the messages saved before it."""

    position: int
    entries: Entries


class SavedPin(NamedTuple):
    """The clock of a maximal message within the prefix: the next messages will build on it."""

    origin: NodeId
    sequence: int
    entries: Entries


class SavedPrefix(NamedTuple):
    """What is delivered, or given up, and not retained."""

    first: int
    """Position of the first message behind it."""
    floors: Entries
    frontier: tuple[KeyDot, ...]
    """Its maximal dots."""
    depth: int
    pins: tuple[SavedPin, ...]
    horizon: Horizon
    """Below it are origins that the node has forgotten."""
    forgotten: int
    """How many messages are theirs."""


class SavedPeer(NamedTuple):
    """An address to try after a restart."""

    id: NodeId | None
    """Who was there; None for a contact, which is dialled for ever."""
    address: Address
    is_proven: bool
    """Whether somebody ever answered there."""


class Standing(NamedTuple):
    """A node's place in the network."""

    id: NodeId
    is_newcomer: bool
    """It has not compared its history with anybody's yet."""
    covered: int
    """The last own message that another node is known to have."""
    peers: tuple[SavedPeer, ...]
    """Best first."""


class Saved(NamedTuple):
    """Everything a node needs to go on where it stopped, or what of it is new."""

    standing: Standing
    prefix: SavedPrefix | None
    """None where the one saved before still holds."""
    messages: tuple[SavedMessage, ...]
    clocks: tuple[SavedClock, ...]
    """Of these messages; with a prefix also of older ones that build on what went into it."""

    @property
    def next(self) -> int:
        """The position that the next delivery gets."""
        if self.messages:
            return self.messages[-1].position + 1
        return self.prefix.first if self.prefix is not None else 1
