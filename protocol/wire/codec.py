"""Whole datagrams: four bytes, then one msgpack array of the front and the items.

Reading believes nothing. Whatever the bytes are, ``WireCodec.parse`` returns what an encoder could have meant
or raises ``WireError`` with one of the reasons below, in bounded time and memory.

The front, which carries the header, is one byte string: only so a lone rumor stays within 95 bytes of
overhead with IPv6 and a cookie, and both sides can remember it whole.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NoReturn

from msgpack import Packer, Unpacker, unpackb

from ..core.codec import DATAGRAM_LIMIT, Packed, Parsed
from ..core.identity import key_of
from ..core.messages import Header, Item
from ..errors import WireError
from .fields import ARRAY_LIMIT, address_of, bin_of, malformed, pack_address
from .layouts import KINDS_WITH_SENDER, LAYOUT_OF, READERS, size_of

__all__ = ["ITEM_LIMIT", "MAGIC", "REASONS", "VERSION", "WireCodec", "size_of_datagram"]

MAGIC: Final = b"\xc1g"
"""First two bytes. 0xC1 starts neither UTF-8 text nor msgpack, STUN or DTLS: strays are told at once."""

VERSION: Final = 1
"""Third byte. Another version is another format; within one, new kinds of items may come, no new fields."""

REASONS: Final = ("oversized", "magic", "version", "flags", "malformed", "key")
"""Why a datagram is refused: too large; not ours; of another version; with unknown flags; not as an
encoder makes it; from a sender whose name and incarnation do not hash to the key in the header."""

START_SIZE = 4
"""Bytes before the array: magic, version, flags."""

COOKIE, OFFER, IPV4, IPV6 = 1, 2, 4, 8
"""Flags: which parts the front has, in this order."""

PART_SIZES = {COOKIE: 8, OFFER: 8, IPV4: 6, IPV6: 18}
NUMBER_SIZE = 8
"""Bytes of a cookie, which an offer is too."""

FRONT = struct.Struct(">I8s")
"""Starts the front: cluster, key of the sender."""

ITEM_LIMIT = 349
"""Items of a datagram: more of the smallest, 4 bytes, do not fit. With the front they are an array of 350."""

SHORT_ARRAY_LIMIT = 15
"""Elements whose count takes one byte instead of three."""

ARRAY16 = 0xDC
BIN8 = 0xC4


def pack_count(elements: int) -> bytes:
    """The msgpack header of an array."""
    if elements <= SHORT_ARRAY_LIMIT:
        return bytes([0x90 | elements])
    return bytes([ARRAY16]) + elements.to_bytes(2)


COUNTS = tuple(pack_count(1 + items) for items in range(ITEM_LIMIT + 1))
"""The header of the array of a datagram, by its number of items."""


def front_size_of(flags: int) -> int:
    """Bytes in the front of a datagram with these flags; 0 if no such datagram exists."""
    if flags >= 2 * IPV6 or (flags & IPV4 and flags & IPV6):
        return 0
    return FRONT.size + sum(size for flag, size in PART_SIZES.items() if flags & flag)


def pack_start(flags: int) -> bytes:
    """The bytes before the array."""
    return MAGIC + bytes([VERSION, flags])


FRONT_SIZES = {pack_start(flags): size for flags in range(256) if (size := front_size_of(flags))}
"""Bytes in the front, by the start of a datagram; every other start is refused."""


@lru_cache(maxsize=4_096)
def pack_header(header: Header) -> tuple[bytes, bytes]:
    """Start and packed front; remembered, since they change for a peer only when a cookie does."""
    cluster, sender, address, cookie, offer = header
    host = b"" if address is None else pack_address(address)
    flags = (COOKIE if cookie else 0) | (OFFER if offer else 0)
    if host:
        flags |= IPV4 if len(host) == PART_SIZES[IPV4] else IPV6
    numbers = [number.to_bytes(NUMBER_SIZE) for number in (cookie, offer) if number]
    front = b"".join([FRONT.pack(cluster, sender), *numbers, host])
    return pack_start(flags), bytes([BIN8, len(front)]) + front


@lru_cache(maxsize=4_096)
def read_header(start: bytes, front: bytes) -> Header:
    """The header that ``pack_header`` packed; remembered by all its bytes."""
    if len(front) != FRONT_SIZES[start]:
        raise malformed("the front is not as long as the flags say")
    cluster, sender = FRONT.unpack_from(front)
    at = FRONT.size
    numbers = []
    for flag in (COOKIE, OFFER):
        number = 0
        if start[-1] & flag:
            number = int.from_bytes(front[at : at + NUMBER_SIZE])
            at += NUMBER_SIZE
            if not number:
                raise malformed("a cookie of 0 is not left out")
        numbers.append(number)
    cookie, offer = numbers
    return Header(cluster, sender, address_of(front[at:]) if at < len(front) else None, cookie, offer)


def count_of(items: Sequence[Packed]) -> bytes:
    """The header of the array that holds the front and these items.

    Raises:
        ValueError: There are more items than a reader accepts, more than fit ``DATAGRAM_LIMIT`` bytes.
    """
    if len(items) > ITEM_LIMIT:
        raise ValueError(f"a datagram carries at most {ITEM_LIMIT} items, not {len(items)}")
    return COUNTS[len(items)]


def size_of_datagram(header: Header, items: Sequence[Packed]) -> int:
    """Bytes that ``WireCodec.assemble`` gives, which raises for the same items.

    The front is reckoned: in a simulation there are too many headers to remember what they pack to.
    """
    _, _, address, cookie, offer = header
    size = BARE_FRONT_SIZE + len(count_of(items))
    if cookie:
        size += NUMBER_SIZE
    if offer:
        size += NUMBER_SIZE
    if address is not None:
        size += PART_SIZES[IPV6 if ":" in address[0] else IPV4]
    for item_size, _ in items:
        size += item_size
    return size


BARE_FRONT_SIZE = START_SIZE + 2 + FRONT.size
"""Bytes of start and front where nothing is added to them."""


def refuse_map(_content: dict[Any, Any]) -> NoReturn:
    """Called by msgpack for an empty map; others are refused by their size."""
    raise malformed("maps do not travel")


def refuse_extension(_code: int, _content: bytes) -> NoReturn:
    """Called by msgpack for an empty extension; others are refused by their size."""
    raise malformed("extension types do not travel")


LIMITS: Final[dict[str, Any]] = {
    "max_array_len": ARRAY_LIMIT,
    "max_str_len": 0,
    "max_map_len": 0,
    "max_ext_len": 0,
    "object_hook": refuse_map,
    "ext_hook": refuse_extension,
}
"""What msgpack may make of a datagram; byte strings are as long as the datagram at the most."""


class WireCodec:
    """Packs items to msgpack and reads datagrams; one codec serves any number of nodes of one thread."""

    __slots__ = ("_packer",)

    def __init__(self) -> None:
        self._packer = Packer()

    def pack(self, item: Item) -> Packed:
        """Pack one item once; it may then stand in many datagrams."""
        content = LAYOUT_OF[type(item)].pack(item, self._packer)
        return Packed(len(content), content)

    def size_of(self, item: Item) -> int:
        """Bytes that ``pack`` would give, without packing."""
        return size_of(item)

    def header_size(self, header: Header) -> int:
        """Bytes of a datagram with this header and no items, with room for the count of any number."""
        _, front = pack_header(header)
        return START_SIZE + len(COUNTS[ITEM_LIMIT]) + len(front)

    def assemble(self, header: Header, items: Sequence[Packed]) -> bytes:
        """Put a header and items together.

        Raises:
            ValueError: There are more items than a reader accepts, more than fit ``DATAGRAM_LIMIT`` bytes.
        """
        start, front = pack_header(header)
        return b"".join([start, count_of(items), front, *[item.content for item in items]])

    def parse(self, data: bytes, size_limit: int = DATAGRAM_LIMIT) -> Parsed:
        """Take a datagram apart, believing nothing.

        Items of a kind unknown here are counted and left out. Anything wrong in an item of a known kind
        refuses the whole datagram: its sender is broken or hostile.

        Raises:
            WireError: It is not one of ours, or not well-formed; the reason is one of ``REASONS``.
        """
        if len(data) > size_limit:
            raise WireError("oversized", f"{len(data)} bytes, at most {size_limit} are read")
        start = data[:START_SIZE]
        if start not in FRONT_SIZES:
            raise refusal_of(start)
        try:
            elements = iter(unpack(data))
            header = read_header(start, bin_of(next(elements, None)))
            return read_items(header, elements)
        except (ValueError, IndexError, struct.error) as error:
            raise malformed(str(error)) from error


def refusal_of(start: bytes) -> WireError:
    """Why no datagram of this version starts so."""
    if start[:2] != MAGIC:
        return WireError("magic")
    if len(start) > 2 and start[2] != VERSION:
        return WireError("version", f"version {start[2]}, known is {VERSION}")
    if len(start) < START_SIZE:
        return malformed("cut off before the flags")
    return WireError("flags", f"flags {start[3]:#04x}")


def unpack(data: bytes) -> list[Any]:
    """Front and items as msgpack gives them: numbers, booleans, nil, bytes and arrays of them, unchecked."""
    try:
        if data[START_SIZE] == ARRAY16 and (count := int.from_bytes(data[5:7])) > ARRAY_LIMIT:
            return unpack_many(data[7:], count)
        elements = unpackb(data[START_SIZE:], **LIMITS)
    except Exception as error:  # msgpack raises more than it documents
        raise malformed(str(error)) from error
    if type(elements) is not list:
        raise malformed("front and items are no array")
    return elements


def unpack_many(data: bytes, count: int) -> list[Any]:
    """The elements of an array too long for ``ARRAY_LIMIT``, which holds within each of them all the same."""
    unpacker = Unpacker(read_size=len(data), max_buffer_size=len(data), **LIMITS)
    unpacker.feed(data)
    elements = list(islice(unpacker, count))
    if count > 1 + ITEM_LIMIT or len(elements) != count or unpacker.tell() != len(data):
        raise malformed("there are more items than may be, or not as many as announced")
    return elements


def read_items(header: Header, elements: Iterator[Any]) -> Parsed:
    """The items of known kinds, and how many there are of others."""
    items: list[Item] = []
    skipped = 0
    for element in elements:
        if type(element) is not list or not element or type(element[0]) is not int or element[0] < 0:
            raise malformed("an item is no array that starts with its kind")
        read = READERS.get(element[0])
        if read is None:
            skipped += 1
            continue
        item = read(element)
        if element[0] in KINDS_WITH_SENDER and key_of(item.sender) != header.sender:
            raise WireError("key", "name and incarnation of the sender do not hash to its key")
        items.append(item)
    return Parsed(header, items, skipped)
