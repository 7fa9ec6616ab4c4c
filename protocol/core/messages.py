"""What travels between nodes: every item of a datagram.

Everything that travels is a ``NamedTuple`` of plain values; ``protocol.wire`` turns it into bytes and back.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from .dots import COUNT_LIMIT, HOPS_LIMIT, NO_HORIZON, DeepDot, Horizon, KeyDot, Range, passed_on
from .identity import Address, Key, NodeId, new_tuple
from .message import Message
from .view import Told

__all__ = [
    "COUNT_LIMIT",
    "HOPS_LIMIT",
    "NOTHING",
    "NO_HORIZON",
    "Absent",
    "Acknowledge",
    "Anchor",
    "Announcement",
    "BareRumor",
    "BaselinePage",
    "Chunk",
    "ChunkRequest",
    "DeepDot",
    "Digest",
    "Distance",
    "ExchangeAnswer",
    "ExchangeRequest",
    "FloorSums",
    "Floors",
    "FloorsDone",
    "Goodbye",
    "Graft",
    "Header",
    "HistoryDone",
    "HistoryRequest",
    "Holding",
    "Horizon",
    "IHave",
    "Item",
    "KeyDot",
    "Linkage",
    "Message",
    "Padding",
    "Parents",
    "Prune",
    "Range",
    "Rumor",
    "Stance",
    "SumsDiffer",
    "Want",
    "covers",
    "forwarded",
    "is_among",
    "passed_on",
]


class Header(NamedTuple):
    """What stands once at the front of every datagram."""

    cluster: int
    """32-bit hash of the cluster's name; other clusters are ignored."""
    sender: Key
    address: Address | None
    """Where third parties can reach the sender; None if it does not know (a wildcard bind)."""
    cookie: int = 0
    """The receiver's cookie for the sender's address, returned as proof; 0 for none."""
    offer: int = 0
    """The sender's cookie for the receiver's address, to be returned from now on; 0 for none."""


class Rumor(NamedTuple):
    """One message as it travels."""

    origin: NodeId
    sequence: int
    depth: int
    created_at: float
    """Unix seconds by the origin's clock."""
    parents: tuple[KeyDot, ...]
    """The maximal dots the origin had delivered; its own predecessor is implicit and not listed."""
    payload: bytes
    """In an announcement a ``Reference``, which only stands for it."""
    hops: int
    """How often the message was passed on before this copy was sent; the origin sends 0."""


def forwarded(rumor: Rumor) -> Rumor:
    """The copy that goes on from here; of every message a node makes one."""
    origin, sequence, depth, created_at, parents, payload, hops = rumor
    return new_tuple(Rumor, (origin, sequence, depth, created_at, parents, payload, passed_on(hops)))


class BareRumor(NamedTuple):
    """A message whose parents do not fit beside it; they come in ``Parents`` pages of the same sender."""

    rumor: Rumor
    """The message without its parents."""
    pages: int
    """How many pages of parents belong to it."""


class Parents(NamedTuple):
    """One page of the parents of a message that was sent bare."""

    dot: KeyDot
    page: int
    pages: int
    entries: tuple[KeyDot, ...]


class Digest(NamedTuple):
    """What a node has, in a few bytes; equal whole frontiers mean equal delivered sets."""

    frontier: tuple[KeyDot, ...] | None
    """The maximal dots delivered; some, other ones each time, where not all fit; None where none do."""
    depth: int
    """The largest depth delivered or announced."""
    delivered: int
    """Messages at or below the floors, baseline included."""
    evicted: int
    """How many of those are not retained any more."""


NOTHING = Digest((), 0, 0, 0)
"""The digest of a node that never heard of any message."""


class ExchangeRequest(NamedTuple):
    """The active half of a view exchange."""

    nonce: int
    sender: NodeId
    push: bool
    """Whether the receiver shall merge the sender's buffer (its own descriptor included)."""
    pull: bool
    """Whether the sender wants a buffer back."""
    descriptors: tuple[Told, ...]
    """The sender's buffer without its own descriptor, which header and ``sender`` make up."""
    digest: Digest


class ExchangeAnswer(NamedTuple):
    """The passive half of a view exchange; also proof that the answerer is reached at its address."""

    nonce: int
    sender: NodeId
    descriptors: tuple[Told, ...]
    digest: Digest


class Padding(NamedTuple):
    """Bytes without meaning, so that the answer to a first contact may be as large as it needs to be."""

    size: int


class Want(NamedTuple):
    """Please send these messages."""

    ranges: tuple[Range, ...]
    anchored: bool
    """Whether each shall come with its full clock, since the sender lacks a parent's."""


class Absent(NamedTuple):
    """These messages, which you asked for, are not here."""

    ranges: tuple[Range, ...]


class Anchor(NamedTuple):
    """The full clock of one message, in pages; goes with its rumor."""

    dot: KeyDot
    page: int
    pages: int
    entries: tuple[DeepDot, ...]


class Acknowledge(NamedTuple):
    """The sender has delivered all messages of this origin (the receiver) up to this sequence."""

    dot: KeyDot


class Floors(NamedTuple):
    """Up to where the sender has everything of each origin whose key is within ``low`` to ``high``.

    Delivered or held back; an origin not named has nothing there, or is forgotten if it lies below the
    horizon. The receiver sends what is above.
    """

    round: int
    low: Key
    high: Key
    floors: tuple[KeyDot, ...]
    buckets: bytes = b""
    """Only keys of these are meant: bit i of the 256, from the lowest of the first byte, stands for the keys
    that start with byte i; empty for all keys."""
    horizon: Horizon = NO_HORIZON
    """What the sender has forgotten."""


def is_among(buckets: bytes, key: Key) -> bool:
    """Whether the bucket of a key is among ``buckets``; no buckets at all stand for all of them."""
    return not buckets or bool(buckets[key[0] >> 3] >> (key[0] & 7) & 1)


def covers(floors: Floors, key: Key) -> bool:
    """Whether a request for floors is about this origin."""
    return floors.low <= key <= floors.high and is_among(floors.buckets, key)


class FloorSums(NamedTuple):
    """The sender's floors by buckets: keys that start with the same byte.

    Of each of the 256 the first four bytes of the 64-bit sum of key x floor over its origins.
    """

    round: int
    sums: bytes


class SumsDiffer(NamedTuple):
    """The answer to ``FloorSums``: in these buckets the floors of the answerer are others."""

    round: int
    buckets: bytes
    """As in ``Floors``, but never empty."""


class FloorsDone(NamedTuple):
    """The answer to ``Floors`` ends here."""

    round: int
    more: bool
    """More is missing than fitted the budget: ask again."""
    evicted: bool
    """Some of what is missing is not retained here any more."""


class HistoryRequest(NamedTuple):
    """Please send what you retain, in your delivery order."""

    round: int
    cursor: int
    """Where the last answer ended, in the sponsor's count of deliveries; 0 asks for the baseline and the
    start."""


class BaselinePage(NamedTuple):
    """A part of the down-closed prefix that the sponsor does not retain any more."""

    round: int
    version: int
    """Grows with every change of the prefix; pages of one version belong together."""
    page: int
    pages: int
    depth: int
    """The largest depth in the prefix."""
    horizon: Horizon
    """Below it are origins of the prefix that the sponsor has forgotten."""
    forgotten: int
    """How many messages of the prefix are theirs."""
    entries: tuple[tuple[NodeId, int, int], ...]
    """Origins with the last sequence of each in the prefix, and the depth of that message."""
    frontier: tuple[KeyDot, ...]
    """Those of this page's dots that are maximal in the prefix."""


class HistoryDone(NamedTuple):
    """The answer to ``HistoryRequest`` ends here."""

    round: int
    cursor: int
    """What to ask for next."""
    more: bool


class Goodbye(NamedTuple):
    """The sender leaves for good; this incarnation will not come back."""

    sender: NodeId


class Announcement(NamedTuple):
    """A message whose payload does not fit beside it and is pulled in chunks."""

    rumor: Rumor
    """The message with a ``Reference`` to its payload for a payload."""
    pages: int
    """How many pages of parents belong to it, as with a bare rumor; 0 if its parents are listed."""


class ChunkRequest(NamedTuple):
    """Please send these chunks of a payload."""

    dot: KeyDot
    """A message that has it."""
    reference: bytes
    indexes: tuple[int, ...]
    """Ascending, counted from 0."""


class Chunk(NamedTuple):
    """One chunk of a payload, with the hashes that prove it."""

    reference: bytes
    place: int
    """Counted from 0."""
    path: bytes
    """The siblings on the way from the leaf to the top of the hash tree."""
    data: bytes


class Holding(NamedTuple):
    """Which chunks of a payload the sender has, since it lacks some that it was asked for."""

    reference: bytes
    bitmap: bytes
    """Chunk 0 is the lowest bit of the first byte; empty if there is nothing here."""


class Stance(IntEnum):
    """What a node says of its link with the receiver, as neighbours along which messages are pushed."""

    ASK = 0
    """Be my neighbour, if you have room; messages go both ways along the link at once."""
    URGE = 1
    """The same from a node that has no neighbour: make room."""
    SPARE = 2
    """The same from a node that has enough: messages are announced along the link at first."""
    ACCEPT = 3
    """Yes."""
    REFUSE = 4
    """No room."""
    HOLD = 5
    """You are my neighbour; said once a cycle."""
    PART = 6
    """You are not, or not any more."""


class Linkage(NamedTuple):
    """Makes, keeps and ends the link between two neighbours."""

    stance: int
    """A ``Stance``."""


class IHave(NamedTuple):
    """These messages are here; they are not pushed to you, since you seem to get them from others."""

    ranges: tuple[Range, ...]


class Distance(NamedTuple):
    """So many hops from its origin is this message here."""

    dot: KeyDot
    hops: int
    """How often it had been passed on when it came, and once more; 0 at its origin."""


class Prune(NamedTuple):
    """What you push comes from others sooner: announce it to me from now on."""


class Graft(NamedTuple):
    """Please send these messages, which you announced, and push the next ones to me."""

    ranges: tuple[Range, ...]


Item = (
    Rumor
    | BareRumor
    | Parents
    | ExchangeRequest
    | ExchangeAnswer
    | Padding
    | Want
    | Absent
    | Anchor
    | Acknowledge
    | Floors
    | FloorsDone
    | FloorSums
    | SumsDiffer
    | HistoryRequest
    | BaselinePage
    | HistoryDone
    | Goodbye
    | Announcement
    | ChunkRequest
    | Chunk
    | Holding
    | Linkage
    | IHave
    | Distance
    | Prune
    | Graft
)
"""Everything that can stand in a datagram."""
