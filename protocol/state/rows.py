"""What a state file holds, as bytes and rows and back; reading believes nothing.

Small things are parts, each one value of msgpack under a name. Messages are rows, added at one end and taken
away at the other and never changed, so that a large payload is written once.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from msgpack import Packer, unpackb

from protocol.core.identity import Address, Key, NodeId, node_id_of
from protocol.core.large.limits import PAYLOAD_MAXIMUM
from protocol.core.messages import COUNT_LIMIT, HOPS_LIMIT, Horizon, KeyDot
from protocol.core.saved import Entries, SavedClock, SavedMessage, SavedPeer, SavedPin, SavedPrefix, Standing
from protocol.wire import DEPTH_LIMIT, SEQUENCE_LIMIT, TIME_LIMIT
from protocol.wire.fields import KEY_SIZE

__all__ = [
    "SCHEMA",
    "Row",
    "clock_of",
    "clock_row",
    "identity_of",
    "message_of",
    "message_row",
    "pack_identity",
    "pack_peers",
    "pack_prefix",
    "peers_of",
    "prefix_of",
    "sealed",
    "unsealed",
]

SCHEMA = (
    """CREATE TABLE parts (name TEXT PRIMARY KEY, value BLOB NOT NULL,
    checksum INTEGER NOT NULL) WITHOUT ROWID""",
    """CREATE TABLE messages (position INTEGER PRIMARY KEY, origin TEXT NOT NULL, sequence INTEGER NOT NULL,
    depth INTEGER NOT NULL, created_at REAL NOT NULL, delivered_at REAL NOT NULL, hops INTEGER NOT NULL,
    flags INTEGER NOT NULL, parents BLOB NOT NULL, payload BLOB NOT NULL, checksum INTEGER NOT NULL)""",
    """CREATE TABLE clocks (position INTEGER PRIMARY KEY, entries BLOB NOT NULL,
    checksum INTEGER NOT NULL)""",
)
"""The tables of a state file."""

Row = tuple[Any, ...]

packb = Packer().pack

FROM_HISTORY, LATE, INEXACT = 1, 2, 4
"""Flags of a message."""


def sealed(row: Row) -> Row:
    """A row with the checksum that stands behind it in its table."""
    *head, last = row
    return (*row, zlib.crc32(last, zlib.crc32(packb(head))))


def unsealed(row: Row) -> Row:
    """A row without its checksum.

    Raises:
        ValueError: It is not what was written.
    """
    plain = row[:-1]
    if not isinstance(plain[-1], bytes) or sealed(plain) != row:
        raise ValueError(f"the row {row[0]!a} is not what was written")
    return plain


def message_row(message: SavedMessage) -> Row:
    """A message as a row of ``messages``."""
    flags = FROM_HISTORY * message.from_history | LATE * message.late | INEXACT * (not message.is_exact)
    return (
        message.position, str(message.origin), message.sequence, message.depth, float(message.created_at),
        float(message.delivered_at), message.hops, flags, packb(message.parents), message.payload,
    )  # fmt: skip


def message_of(row: Row) -> SavedMessage:
    """The message of a row, within the bounds that it had when it came from the network.

    Raises:
        ValueError: It is none.
    """
    position, origin, sequence, depth, created_at, delivered_at, hops, flags, parents, payload = row
    if len(bytes_of(payload)) > PAYLOAD_MAXIMUM:
        raise ValueError(f"a payload of {len(payload)} bytes")
    return SavedMessage(
        natural(position), origin_of(text_of(origin)), natural(sequence, SEQUENCE_LIMIT, 1),
        natural(depth, DEPTH_LIMIT, 1), time_of(created_at), time_of(delivered_at),
        natural(hops, HOPS_LIMIT), bool(flags & FROM_HISTORY), bool(flags & LATE),
        not flags & INEXACT, dots_of(unpackb(parents)), payload,
    )  # fmt: skip


def clock_row(clock: SavedClock) -> Row:
    """A clock as a row of ``clocks``."""
    return clock.position, packb(plain(clock.entries))


def clock_of(row: Row) -> SavedClock:
    """The clock of a row.

    Raises:
        ValueError: It is none.
    """
    return SavedClock(natural(row[0]), entries_of(unpackb(row[1])))


def pack_prefix(prefix: SavedPrefix) -> bytes:
    """What is not retained, as one value."""
    pins = [(*pin.origin, pin.sequence, plain(pin.entries)) for pin in prefix.pins]
    forgotten = (*prefix.horizon, prefix.forgotten)
    return packb((prefix.first, plain(prefix.floors), prefix.frontier, prefix.depth, pins, forgotten))


def prefix_of(data: bytes) -> SavedPrefix:
    """What ``pack_prefix`` packed.

    Raises:
        ValueError: It did not.
    """
    first, floors, frontier, depth, pins, (below, until, forgotten) = unpackb(data)
    return SavedPrefix(
        natural(first),
        entries_of(floors),
        dots_of(frontier),
        natural(depth, DEPTH_LIMIT),
        tuple(
            SavedPin(node_of(name, incarnation), natural(sequence, SEQUENCE_LIMIT), entries_of(entries))
            for name, incarnation, sequence, entries in pins
        ),
        Horizon(natural(below, DEPTH_LIMIT), natural(until)),
        natural(forgotten),
    )


def pack_identity(standing: Standing, *, has_left: bool) -> bytes:
    """Who the node is and where it stands, all but its peers."""
    return packb((*standing.id, standing.is_newcomer, standing.covered, has_left))


def identity_of(data: bytes) -> tuple[NodeId, bool, int, bool]:
    """What ``pack_identity`` packed.

    Raises:
        ValueError: It did not.
    """
    name, incarnation, is_newcomer, covered, has_left = unpackb(data)
    return node_of(name, incarnation), bool(is_newcomer), natural(covered), bool(has_left)


def pack_peers(own: Address | None, peers: Iterable[SavedPeer]) -> bytes:
    """Where the node was bound, and whom it knew."""
    known = [(*(peer.id or ("", 0)), *peer.address, peer.is_proven) for peer in peers]
    return packb((own or ("", 0), known))


def peers_of(data: bytes) -> tuple[Address | None, tuple[SavedPeer, ...]]:
    """What ``pack_peers`` packed.

    Raises:
        ValueError: It did not.
    """
    (host, port), known = unpackb(data)
    peers = tuple(
        SavedPeer(
            node_of(name, incarnation) if name else None, Address(text_of(at), natural(on)), bool(proven)
        )
        for name, incarnation, at, on, proven in known
    )
    return (Address(text_of(host), natural(port)) if host else None), peers


@lru_cache(maxsize=4_096)
def origin_of(text: str) -> NodeId:
    """The origin that a row names."""
    return NodeId.parse(text)


def plain(entries: Entries) -> list[tuple[str, int, int, int]]:
    """Entries without nesting, which is shorter."""
    return [(name, incarnation, sequence, depth) for (name, incarnation), sequence, depth in entries]


def entries_of(value: Any) -> Entries:
    """What ``plain`` gave, unpacked."""
    return tuple(
        (node_of(name, incarnation), natural(sequence, SEQUENCE_LIMIT), natural(depth, DEPTH_LIMIT))
        for name, incarnation, sequence, depth in value
    )


def dots_of(value: Any) -> tuple[KeyDot, ...]:
    """Dots as they travel, of different origins."""
    dots = {key_of(key): natural(sequence, SEQUENCE_LIMIT, 1) for key, sequence in value}
    if len(dots) < len(value):
        raise ValueError("two dots of one origin")
    return tuple(dots.items())


def node_of(name: Any, incarnation: Any) -> NodeId:
    """A checked identity."""
    return node_id_of(text_of(name), natural(incarnation))


def natural(value: Any, highest: int = COUNT_LIMIT, lowest: int = 0) -> int:
    """A whole number from ``lowest`` to ``highest``."""
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise ValueError(f"not a count: {value!a}")
    return value


def time_of(value: Any) -> float:
    """Unix seconds that calendars can show."""
    seconds = float(value)
    if not (math.isfinite(seconds) and 0 <= seconds <= TIME_LIMIT):
        raise ValueError(f"not a time: {value!a}")
    return seconds


def key_of(value: Any) -> Key:
    """A key of a node."""
    if len(bytes_of(value)) != KEY_SIZE:
        raise ValueError(f"not a key: {value!a}")
    return bytes(value)


def text_of(value: Any) -> str:
    """Text."""
    if not isinstance(value, str):
        raise ValueError(f"not text: {value!a}")  # noqa: TRY004 - one kind of error for whatever is wrong
    return value


def bytes_of(value: Any) -> bytes:
    """Bytes."""
    if not isinstance(value, bytes):
        raise ValueError(f"not bytes: {value!a}")  # noqa: TRY004 - as above
    return value
