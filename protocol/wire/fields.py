"""Single values on the wire: what msgpack carries for each, how many bytes that takes, and what is refused.

Only unsigned integers, booleans, nil, byte strings and arrays of these travel. A decoder raises
``WireError``, ``ValueError`` or ``IndexError`` for whatever no encoder makes; the codec makes each of them
``WireError("malformed")``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..core.identity import Address, Key, NodeId, node_id_of, packed_host, unpacked_host
from ..core.messages import DeepDot, KeyDot, Range
from ..errors import WireError

__all__ = [
    "ADDRESS",
    "AGE_LIMIT",
    "ARRAY_LIMIT",
    "BOOLEAN",
    "DEEP_DOTS",
    "DEPTH_LIMIT",
    "DOTS",
    "FLOOR",
    "FLOORS",
    "KEY",
    "NODE",
    "ONE_DOT",
    "PAGE_LIMIT",
    "RANGES",
    "SEQUENCE_LIMIT",
    "TIME_LIMIT",
    "WORD",
    "Field",
    "address_of",
    "array_size",
    "bin_of",
    "bin_size",
    "binary",
    "listing",
    "malformed",
    "node_of",
    "optional",
    "pack_address",
    "pack_dots",
    "pack_node",
    "pack_varint",
    "read_dots",
    "read_varint",
    "record",
    "size_of_dots",
    "size_of_node",
    "size_of_unsigned",
    "size_of_varint",
    "unsigned",
]

SEQUENCE_LIMIT = 1 << 48
"""A node that sends a million messages a second gets there in nine years; sums stay within 64 bits."""

DEPTH_LIMIT = 1 << 53
"""The largest whole number that every JSON reader keeps exact."""

TIME_LIMIT = 253_402_300_799.0
"""Unix seconds at the end of the year 9999, the last one that calendars can show."""

AGE_LIMIT = (1 << 32) - 1
"""Exchanges a descriptor can be old: at ten a second, more than ten years."""

PAGE_LIMIT = 4_096
"""Pages of one clock or baseline: at a hundred origins each, far beyond any network this is made for."""

ARRAY_LIMIT = 64
"""Elements of any array within an item: no datagram holds more of the smallest descriptor, 21 bytes, and
pages of a baseline stop earlier.

It bounds what nested array headers make msgpack allocate for a moment: 240 kB, in small blocks that Python
keeps at hand. Measured: 30 us for the worst datagram. At 350 elements it would be 1.3 MB and a millisecond.
"""

WORD_LIMIT = (1 << 64) - 1
KEY_SIZE = 8
INCARNATION_SIZE = 8
PORT_SIZE = 2
IPV4_SIZE = 4
VARINT_LIMIT = 63
"""Bits that a varint may be shifted by: beyond them no limit of this version allows a value."""


def malformed(detail: str) -> WireError:
    """The error for bytes that no encoder of this version makes."""
    return WireError("malformed", detail)


@dataclass(frozen=True, slots=True)
class Field:
    """How one value travels."""

    encode: Callable[[Any], Any]
    """From the value to what msgpack packs."""
    size: Callable[[Any], int]
    """Bytes that the packed value takes."""
    decode: Callable[[Any], Any]
    """From what msgpack unpacked, which may be anything, to the value; raises as the module says."""


# -- numbers ---------------------------------------------------------------------------------------


def size_of_unsigned(value: int) -> int:
    """Bytes of the shortest msgpack form of an unsigned integer."""
    if value < 0x80:
        return 1
    if value <= 0xFF:
        return 2
    if value <= 0xFFFF:
        return 3
    return 5 if value <= 0xFFFF_FFFF else 9


def unsigned(limit: int, low: int = 0) -> Field:
    """An integer from ``low`` to ``limit``; a boolean is none."""

    def decode(value: object) -> int:
        if type(value) is not int or not low <= value <= limit:
            raise malformed("a number is none, or out of range")
        return value

    return Field(int, size_of_unsigned, decode)


def decode_boolean(value: object) -> bool:
    """Exactly true or false; 0 and 1 are neither."""
    if type(value) is not bool:
        raise malformed("a truth value is none")
    return value


WORD = unsigned(WORD_LIMIT)
"""Any unsigned 64-bit integer."""

BOOLEAN = Field(bool, lambda _: 1, decode_boolean)

SHORT_VARINTS = tuple(bytes([value]) for value in range(0x80))


def pack_varint(value: int) -> bytes:
    """Unsigned LEB128: seven bits a byte, lowest first, the top bit set on all but the last."""
    if value < 0x80:
        return SHORT_VARINTS[value]
    packed = bytearray()
    while value >= 0x80:
        packed.append(value & 0x7F | 0x80)
        value >>= 7
    packed.append(value)
    return bytes(packed)


def size_of_varint(value: int) -> int:
    """Bytes of ``pack_varint(value)``."""
    return 1 if value < 0x80 else (value.bit_length() + 6) // 7


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The varint at ``at`` and where it ends; one that could be shorter is refused.

    Raises:
        IndexError: The data end within it.
    """
    byte = data[at]
    if byte < 0x80:
        return byte, at + 1
    value = shift = 0
    while byte >= 0x80:
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        byte = data[at]
        if shift > VARINT_LIMIT:
            raise malformed("a varint is too long")
    if not byte:
        raise malformed("a varint could be shorter")
    return value | byte << shift, at + 1


# -- byte strings ----------------------------------------------------------------------------------


def bin_size(length: int) -> int:
    """Bytes of a msgpack byte string of this length, its own header included."""
    if length <= 0xFF:
        return length + 2
    return length + (3 if length <= 0xFFFF else 5)


def bin_of(value: object) -> bytes:
    """The value if it is a byte string."""
    if type(value) is not bytes:
        raise malformed("a byte string is none")
    return value


def binary(length: int, *, may_be_empty: bool = False) -> Field:
    """A byte string of exactly this length, or none at all if it may be empty."""

    def decode(value: object) -> bytes:
        content = bin_of(value)
        if len(content) != length and not (may_be_empty and not content):
            raise malformed(f"a byte string has not {length} bytes")
        return content

    return Field(bytes, lambda value: bin_size(len(value)), decode)


def decode_key(value: object) -> Key:
    """A key, which is any eight bytes."""
    key = bin_of(value)
    if len(key) != KEY_SIZE:
        raise malformed("a key has not 8 bytes")
    return key


KEY = Field(bytes, lambda _: bin_size(KEY_SIZE), decode_key)


@lru_cache(maxsize=16_384)
def pack_node(node: NodeId) -> bytes:
    """Incarnation (8 bytes, big-endian) and name (UTF-8): exactly what the node's key is the hash of."""
    return node.incarnation.to_bytes(INCARNATION_SIZE) + node.name.encode()


@lru_cache(maxsize=16_384)
def node_of(packed: bytes) -> NodeId:
    """The node id that ``pack_node`` packed; remembered, since the same few nodes speak all the time."""
    name = packed[INCARNATION_SIZE:].decode()
    return node_id_of(name, int.from_bytes(packed[:INCARNATION_SIZE]))


@lru_cache(maxsize=16_384)
def size_of_node(node: NodeId) -> int:
    """Bytes of a packed node as a msgpack byte string."""
    return bin_size(len(pack_node(node)))


NODE = Field(pack_node, size_of_node, lambda value: node_of(bin_of(value)))


def pack_address(address: Address) -> bytes:
    """The 4 or 16 bytes of the host, then the port (2 bytes, big-endian).

    Raises:
        ValueError: The host is a name; the core works with numeric addresses only.
    """
    host = packed_host(address.host)
    if host is None:
        raise ValueError(f"only numeric addresses travel, not {address.host!a}")
    return host + address.port.to_bytes(PORT_SIZE)


@lru_cache(maxsize=16_384)
def address_of(packed: bytes) -> Address:
    """The address that ``pack_address`` packed, if datagrams can be sent to it."""
    host, port = packed[:-PORT_SIZE], int.from_bytes(packed[-PORT_SIZE:])
    text = unpacked_host(host)
    if not port or not is_one_host(host):
        raise malformed("nobody can be reached at an address")
    return Address(text, port)


def is_one_host(host: bytes) -> bool:
    """Whether a packed host may be one host: not "this network", a wildcard, a group or a broadcast."""
    if len(host) == IPV4_SIZE:
        return host[0] != 0 and not 224 <= host[0] <= 239 and host != b"\xff\xff\xff\xff"
    if host.startswith(MAPPED_PREFIX):
        return is_one_host(host[-IPV4_SIZE:])
    return any(host) and host[0] != 0xFF


MAPPED_PREFIX = bytes(10) + b"\xff\xff"
"""Starts an IPv4 address written as IPv6; sockets that listen to both report such sources."""

ADDRESS = Field(
    pack_address, lambda a: bin_size(len(pack_address(a))), lambda value: address_of(bin_of(value))
)


# -- dots and ranges, many in one byte string ------------------------------------------------------


def pack_dots(dots: Iterable[KeyDot]) -> bytes:
    """Per dot the key and the sequence number as a varint: 11 bytes up to two million messages an origin."""
    return b"".join([key + pack_varint(sequence) for key, sequence in dots])


def size_of_dots(dots: Iterable[KeyDot]) -> int:
    """Bytes of ``pack_dots(dots)``."""
    return sum([KEY_SIZE + size_of_varint(sequence) for _, sequence in dots])


def read_dots(data: bytes, at: int = 0, low: int = 1) -> tuple[KeyDot, ...]:
    """All dots from ``at`` to the end; an origin may stand there once, with ``low`` or more.

    Raises:
        IndexError: The data end within a dot.
    """
    dots: dict[Key, int] = {}
    end = len(data)
    while at < end:
        key = data[at : at + KEY_SIZE]
        sequence, at = read_varint(data, at + KEY_SIZE)
        if key in dots or not low <= sequence <= SEQUENCE_LIMIT:
            raise malformed("an origin stands twice, or a sequence number is out of range")
        dots[key] = sequence
    return tuple(dots.items())


def pack_deep_dots(dots: Iterable[DeepDot]) -> bytes:
    """Per dot the key, and the sequence number and the depth as varints."""
    return b"".join([key + pack_varint(sequence) + pack_varint(depth) for key, sequence, depth in dots])


def size_of_deep_dots(dots: Iterable[DeepDot]) -> int:
    """Bytes of the msgpack byte string that ``pack_deep_dots(dots)`` becomes."""
    return bin_size(
        sum([KEY_SIZE + size_of_varint(sequence) + size_of_varint(depth) for _, sequence, depth in dots])
    )


def decode_deep_dots(value: object) -> tuple[DeepDot, ...]:
    """What ``pack_deep_dots`` packed; every origin once."""
    data = bin_of(value)
    at, end = 0, len(data)
    dots: dict[Key, DeepDot] = {}
    while at < end:
        key = data[at : at + KEY_SIZE]
        sequence, at = read_varint(data, at + KEY_SIZE)
        depth, at = read_varint(data, at)
        if key in dots or not 1 <= sequence <= SEQUENCE_LIMIT or depth > DEPTH_LIMIT:
            raise malformed("an origin stands twice, or a number is out of range")
        dots[key] = (key, sequence, depth)
    return tuple(dots.values())


DEEP_DOTS = Field(pack_deep_dots, size_of_deep_dots, decode_deep_dots)


def dots_from(low: int) -> Field:
    """Any number of dots of different origins, whose sequence numbers are at least ``low``."""
    return Field(
        pack_dots, lambda dots: bin_size(size_of_dots(dots)), lambda value: read_dots(bin_of(value), low=low)
    )


def one_dot_from(low: int) -> Field:
    """A single dot."""

    def decode(value: object) -> KeyDot:
        (dot,) = read_dots(bin_of(value), low=low)
        return dot

    return Field(lambda dot: pack_dots((dot,)), lambda dot: bin_size(size_of_dots((dot,))), decode)


DOTS = dots_from(1)
FLOORS = dots_from(0)
ONE_DOT = one_dot_from(1)
FLOOR = one_dot_from(0)


def pack_ranges(ranges: Iterable[Range]) -> bytes:
    """Per range the key, the lowest number and how much higher the highest is, both as varints."""
    return b"".join([key + pack_varint(low) + pack_varint(high - low) for key, low, high in ranges])


def size_of_ranges(ranges: Iterable[Range]) -> int:
    """Bytes of the msgpack byte string that ``pack_ranges(ranges)`` becomes."""
    return bin_size(
        sum([KEY_SIZE + size_of_varint(low) + size_of_varint(high - low) for _, low, high in ranges])
    )


def decode_ranges(value: object) -> tuple[Range, ...]:
    """What ``pack_ranges`` packed; one origin may have several ranges."""
    data = bin_of(value)
    at, end = 0, len(data)
    ranges: list[Range] = []
    while at < end:
        key = data[at : at + KEY_SIZE]
        low, at = read_varint(data, at + KEY_SIZE)
        more, at = read_varint(data, at)
        if not low or low + more > SEQUENCE_LIMIT:
            raise malformed("a range is out of range")
        ranges.append(Range(key, low, low + more))
    return tuple(ranges)


RANGES = Field(pack_ranges, size_of_ranges, decode_ranges)


# -- fields made of fields -------------------------------------------------------------------------


def array_size(length: int) -> int:
    """Bytes of the header of a msgpack array with so many elements, at most 65,535."""
    return 1 if length <= 15 else 3


def list_of(value: object) -> list[Any]:
    """The value if it is an array."""
    if type(value) is not list:
        raise malformed("an array is none")
    return value


def optional(field: Field) -> Field:
    """``field``, or nil for None."""
    return Field(
        lambda value: None if value is None else field.encode(value),
        lambda value: 1 if value is None else field.size(value),
        lambda value: None if value is None else field.decode(value),
    )


def record(make: Callable[..., Any], *fields: Field) -> Field:
    """An array with exactly these fields, at most 15, from and to a tuple that ``make`` makes of them."""

    def decode(value: object) -> Any:
        return make(*[field.decode(element) for field, element in zip(fields, list_of(value), strict=True)])

    return Field(
        lambda values: [field.encode(value) for field, value in zip(fields, values, strict=True)],
        lambda values: 1 + sum([field.size(value) for field, value in zip(fields, values, strict=True)]),
        decode,
    )


def listing(field: Field) -> Field:
    """An array of any number of ``field``, from and to a tuple; msgpack's ``max_array_len`` bounds it."""
    return Field(
        lambda values: [field.encode(value) for value in values],
        lambda values: array_size(len(values)) + sum([field.size(value) for value in values]),
        lambda value: tuple([field.decode(element) for element in list_of(value)]),
    )
