"""Whole datagrams: a fixed header, then one msgpack array of items.

Reading believes nothing. Whatever the bytes are, ``WireCodec.parse`` returns what an encoder could have meant
or raises ``WireError`` with one of the reasons below, in bounded time and memory.

The header is fixed binary and stands outside msgpack: only so a lone rumor stays within 95 bytes of overhead
with IPv6 and a cookie, and a later version can authenticate it before anything else is read.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NoReturn

from msgpack import Packer, unpackb

from ..core.codec import DATAGRAM_LIMIT, Packed, Parsed
from ..core.identity import key_of
from ..core.messages import Header, Item
from ..errors import WireError
from .fields import ARRAY_LIMIT, address_of, malformed, pack_address
from .layouts import KINDS_WITH_SENDER, LAYOUT_OF, READERS, size_of

__all__ = ["MAGIC", "REASONS", "VERSION", "WireCodec", "size_of_datagram"]

MAGIC: Final = b"\xc1g"
"""First two bytes. 0xC1 starts neither UTF-8 text nor msgpack, STUN or DTLS: strays are told at once."""

VERSION: Final = 1
"""Third byte. Another version is another format; within one, new kinds of items may come, no new fields."""

REASONS: Final = ("oversized", "magic", "version", "flags", "malformed", "key")
"""Why a datagram is refused: too large; not ours; of another version; with unknown flags; not as an
encoder makes it; from a sender whose name and incarnation do not hash to the key in the header."""

FRONT = struct.Struct(">2sBBI8s")
"""Magic, version, flags, cluster, key of the sender."""
COOKIE, OFFER, IPV4, IPV6 = 1, 2, 4, 8
"""Flags: which parts follow the front, in this order."""
PART_SIZES = {COOKIE: 8, OFFER: 8, IPV4: 6, IPV6: 18}
COOKIE_SIZE = 8
SHORT_ARRAY_LIMIT = 15
"""Items whose count takes one byte instead of three."""
ARRAY_HEADER_SIZE = 3


def header_size_of(flags: int) -> int:
    """Bytes before the items of a datagram with these flags; 0 if no such datagram exists."""
    if flags >= 2 * IPV6 or (flags & IPV4 and flags & IPV6):
        return 0
    return FRONT.size + sum(size for flag, size in PART_SIZES.items() if flags & flag)


HEADER_SIZES = tuple(header_size_of(flags) for flags in range(256))


@lru_cache(maxsize=4_096)
def pack_header(header: Header) -> bytes:
    """All bytes before the items; remembered, since they change for a peer only when a cookie does."""
    cluster, sender, address, cookie, offer = header
    host = b"" if address is None else pack_address(address)
    flags = (COOKIE if cookie else 0) | (OFFER if offer else 0)
    if host:
        flags |= IPV4 if len(host) == PART_SIZES[IPV4] else IPV6
    parts = [FRONT.pack(MAGIC, VERSION, flags, cluster, sender)]
    parts.extend(number.to_bytes(COOKIE_SIZE) for number in (cookie, offer) if number)
    return b"".join([*parts, host])


@lru_cache(maxsize=4_096)
def read_header(data: bytes) -> Header:
    """What ``pack_header`` packed, of exactly the size that its flags ask for."""
    _, _, flags, cluster, sender = FRONT.unpack_from(data)
    at = FRONT.size
    numbers = []
    for flag in (COOKIE, OFFER):
        number = 0
        if flags & flag:
            number = int.from_bytes(data[at : at + COOKIE_SIZE])
            at += COOKIE_SIZE
            if not number:
                raise malformed("a cookie of 0 is not left out")
        numbers.append(number)
    cookie, offer = numbers
    return Header(cluster, sender, address_of(data[at:]) if at < len(data) else None, cookie, offer)


def size_of_datagram(header: Header, items: Sequence[Packed]) -> int:
    """Bytes that ``WireCodec.assemble`` would give."""
    array = 1 if len(items) <= SHORT_ARRAY_LIMIT else ARRAY_HEADER_SIZE
    return len(pack_header(header)) + array + sum([item.size for item in items])


def refuse_map(_content: dict[Any, Any]) -> NoReturn:
    """Called by msgpack for an empty map; others are refused by their size."""
    raise malformed("maps do not travel")


def refuse_extension(_code: int, _content: bytes) -> NoReturn:
    """Called by msgpack for an empty extension; others are refused by their size."""
    raise malformed("extension types do not travel")


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
        return len(pack_header(header)) + ARRAY_HEADER_SIZE

    def assemble(self, header: Header, items: Sequence[Packed]) -> bytes:
        """Put a header and items together.

        Raises:
            ValueError: There are more items than a reader accepts, more than fit ``DATAGRAM_LIMIT`` bytes.
        """
        count = len(items)
        if count > ARRAY_LIMIT:
            raise ValueError(f"a datagram carries at most {ARRAY_LIMIT} items, not {count}")
        array = bytes([0x90 | count]) if count <= SHORT_ARRAY_LIMIT else b"\xdc" + count.to_bytes(2)
        return b"".join([pack_header(header), array, *[item.content for item in items]])

    def parse(self, data: bytes, size_limit: int = DATAGRAM_LIMIT) -> Parsed:
        """Take a datagram apart, believing nothing.

        Items of a kind unknown here are counted and left out. Anything wrong in an item of a known kind
        refuses the whole datagram: its sender is broken or hostile.

        Raises:
            WireError: It is not one of ours, or not well-formed; the reason is one of ``REASONS``.
        """
        if len(data) > size_limit:
            raise WireError("oversized", f"{len(data)} bytes, at most {size_limit} are read")
        try:
            header_size = size_of_header(data)
            header = read_header(data[:header_size])
            return read_items(header, unpack(data[header_size:], size_limit))
        except (ValueError, IndexError, struct.error) as error:
            raise malformed(str(error)) from error


def size_of_header(data: bytes) -> int:
    """Where the items begin, by the first four bytes."""
    if data[:2] != MAGIC:
        raise WireError("magic")
    if data[2] != VERSION:
        raise WireError("version", f"version {data[2]}, known is {VERSION}")
    size = HEADER_SIZES[data[3]]
    if not size:
        raise WireError("flags", f"flags {data[3]:#04x}")
    if len(data) < size:
        raise malformed("the header is cut off")
    return size


def unpack(data: bytes, size_limit: int) -> list[Any]:
    """The array of items as msgpack gives it: numbers, booleans, nil, bytes and arrays of them, unchecked."""
    try:
        items = unpackb(
            data,
            max_bin_len=size_limit,
            max_array_len=ARRAY_LIMIT,
            max_str_len=0,
            max_map_len=0,
            max_ext_len=0,
            object_hook=refuse_map,
            ext_hook=refuse_extension,
        )
    except Exception as error:  # msgpack raises more than it documents
        raise malformed(str(error)) from error
    if type(items) is not list:
        raise malformed("the items are no array")
    return items


def read_items(header: Header, elements: list[Any]) -> Parsed:
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
