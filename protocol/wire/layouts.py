"""Which fields each kind of item has: an item is a msgpack array of its kind, a small number, and its fields.

A kind's fields never change. What a later version needs is a new kind, which older nodes skip.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from msgpack import Packer

from ..core.identity import Address, NodeId, key_of, new_tuple
from ..core.large.limits import CHUNKS_LIMIT
from ..core.memory import BUCKETS, SUM_SIZE
from ..core.messages import (
    HOPS_LIMIT,
    NO_HORIZON,
    NOTHING,
    Absent,
    Acknowledge,
    Anchor,
    Announcement,
    BareRumor,
    BaselinePage,
    Chunk,
    ChunkRequest,
    Digest,
    Distance,
    ExchangeAnswer,
    ExchangeRequest,
    Floors,
    FloorsDone,
    FloorSums,
    Goodbye,
    Graft,
    HistoryDone,
    HistoryRequest,
    Holding,
    Horizon,
    IHave,
    Item,
    KeyDot,
    Linkage,
    Padding,
    Parents,
    Prune,
    Rumor,
    Stance,
    SumsDiffer,
    Want,
    covers,
)
from ..core.view import Descriptor, Told
from .fields import (
    ADDRESS,
    AGE_LIMIT,
    BOOLEAN,
    DEEP_DOTS,
    DEPTH_LIMIT,
    DOTS,
    FLOOR,
    FLOORS,
    KEY,
    NODE,
    ONE_DOT,
    PAGE_LIMIT,
    RANGES,
    SEQUENCE_LIMIT,
    TIME_LIMIT,
    WORD,
    Field,
    array_size,
    bin_of,
    bin_size,
    binary,
    listing,
    malformed,
    node_of,
    optional,
    pack_dots,
    pack_node,
    pack_varint,
    read_dots,
    read_varint,
    record,
    size_of_dots,
    size_of_node,
    size_of_unsigned,
    size_of_varint,
    unsigned,
)
from .large import BITMAP, CHUNK_DATA, CHUNK_PATH, INDEXES, REFERENCE, announcement_functions

__all__ = ["KINDS_WITH_SENDER", "LAYOUTS", "LAYOUT_OF", "PADDING_MINIMUM", "READERS", "Layout", "size_of"]

RUMOR, REQUEST, ANSWER, PADDING, WANT, ABSENT = range(1, 7)
ACKNOWLEDGE = 8
FLOORS_DONE, HISTORY_REQUEST = 10, 11
HISTORY_DONE, GOODBYE, BARE_RUMOR, PARENTS = range(13, 17)
FLOOR_SUMS, SUMS_DIFFER, FLOORS_OF = range(23, 26)
ANNOUNCEMENT, CHUNK_REQUEST, CHUNK, HOLDING = range(26, 30)
ANCHOR, BASELINE_PAGE = 30, 31
LINKAGE, ANNOUNCE, PRUNE, GRAFT, DISTANCE = range(17, 22)

KNOWN_PASTS = 2_048
"""Rumors whose origin and past are remembered as read: a node gets about ``fanout`` copies of each, soon
after one another."""

KNOWN_PAST_SIZE = 256
"""Bytes of a past that is still remembered, about 22 parents: so at the most 8 MB are, whatever comes."""


class Layout(NamedTuple):
    """How one kind of item travels."""

    kind: int
    type: type[Any]
    pack: Callable[[Any, Packer], bytes]
    size: Callable[[Any], int]
    read: Callable[[list[Any]], Any]
    """From the array, whose first element is the kind; raises as ``fields`` says."""


def record_layout(
    kind: int,
    make: type[Any],
    *fields: Field,
    check: Callable[[Any], bool] | None = None,
    size: Callable[[Any], int] | None = None,
) -> Layout:
    """An item whose array is its kind and its attributes in their order; ``check`` holds between them.

    ``size`` gives the same number as the fields together, only quicker.
    """
    body = record(make, *fields)

    def pack(item: Any, packer: Packer) -> bytes:
        return packer.pack([kind, *body.encode(item)])

    def size_of_fields(item: Any) -> int:
        return 1 + body.size(item)

    def read(elements: list[Any]) -> Item:
        item: Item = body.decode(elements[1:])
        if check is not None and not check(item):
            raise malformed("fields contradict each other")
        return item

    return Layout(kind, make, pack, size or size_of_fields, read)


PAGE = unsigned(PAGE_LIMIT - 1)
PAGES = unsigned(PAGE_LIMIT, low=1)

# -- rumors ----------------------------------------------------------------------------------------

PAST = struct.Struct(">d")
"""``created_at``; sequence and depth follow as varints, then the parents."""


def pack_past(rumor: Rumor) -> bytes:
    """Time, sequence number, depth and parents in one byte string: four msgpack headers less."""
    return b"".join(
        [
            PAST.pack(rumor.created_at),
            pack_varint(rumor.sequence),
            pack_varint(rumor.depth),
            pack_dots(rumor.parents),
        ]
    )


def pack_rumor(rumor: Rumor, packer: Packer) -> bytes:
    """Kind, hops, origin, past, payload: all but the third byte is the same on every node."""
    return packer.pack([RUMOR, *parts_of(rumor)])


def parts_of(rumor: Rumor) -> tuple[int, bytes, bytes, bytes]:
    """What a rumor and a bare one have in common."""
    hops = min(rumor.hops, HOPS_LIMIT)
    return hops, pack_node(rumor.origin), pack_past(rumor), rumor.payload


def size_of_rumor(rumor: Rumor) -> int:
    """Bytes of ``pack_rumor``."""
    numbers = size_of_varint(rumor.sequence) + size_of_varint(rumor.depth)
    past = PAST.size + numbers + size_of_dots(rumor.parents)
    return 3 + bin_size(len(pack_node(rumor.origin))) + bin_size(past) + bin_size(len(rumor.payload))


def read_past(node: bytes, past: bytes) -> tuple[NodeId, int, int, float, tuple[KeyDot, ...]]:
    """The first five attributes of a rumor."""
    origin = node_of(node)
    (created_at,) = PAST.unpack_from(past)
    sequence, at = read_varint(past, PAST.size)
    depth, at = read_varint(past, at)
    parents = read_dots(past, at)
    if not (1 <= sequence <= SEQUENCE_LIMIT and 1 <= depth <= DEPTH_LIMIT):
        raise malformed("the sequence number or depth of a rumor is out of range")
    if not (math.isfinite(created_at) and 0 <= created_at <= TIME_LIMIT):
        raise malformed("a rumor was made at no possible time")
    if key_of(origin) in dict(parents):
        raise malformed("a rumor lists its own origin as a parent")
    return origin, sequence, depth, created_at, parents


recall_past = lru_cache(maxsize=KNOWN_PASTS)(read_past)


def read_rumor(elements: list[Any]) -> Rumor:
    """What ``pack_rumor`` packed."""
    _, hops, node, past, payload = elements
    if type(hops) is not int or not 0 <= hops <= HOPS_LIMIT:
        raise malformed("hops are out of range")
    # Types first: what is remembered is found by its hash, which not everything has.
    if type(node) is not bytes or type(past) is not bytes or type(payload) is not bytes:
        raise malformed("a byte string is none")
    read = recall_past if len(past) <= KNOWN_PAST_SIZE else read_past
    return new_tuple(Rumor, (*read(node, past), payload, hops))


def pack_bare(bare: BareRumor, packer: Packer) -> bytes:
    """As a rumor without parents, with the number of pages they fill before the rest."""
    return packer.pack([BARE_RUMOR, bare.pages, *parts_of(bare.rumor)])


def size_of_bare(bare: BareRumor) -> int:
    """Bytes of ``pack_bare``."""
    return PAGES.size(bare.pages) + size_of_rumor(bare.rumor)


def read_bare(elements: list[Any]) -> BareRumor:
    """What ``pack_bare`` packed."""
    _, pages, *parts = elements
    rumor = read_rumor([RUMOR, *parts])
    if rumor.parents:
        raise malformed("a bare rumor has parents")
    return BareRumor(rumor, PAGES.decode(pages))


# -- padding ---------------------------------------------------------------------------------------

PADDING_HEADER = bytes([0x92, PADDING, 0xC5])
"""Array of two, kind, and always the 16-bit form of a byte string, so that every size can be made."""

PADDING_MINIMUM = 5
"""Bytes that padding takes at least; a smaller one takes these."""


def pack_padding(padding: Padding, packer: Packer) -> bytes:  # noqa: ARG001 - made without it
    """As many bytes as the item says, zeros after the first five."""
    length = size_of_padding(padding) - PADDING_MINIMUM
    return PADDING_HEADER + length.to_bytes(2) + bytes(length)


def size_of_padding(padding: Padding) -> int:
    """Bytes of ``pack_padding``."""
    return max(padding.size, PADDING_MINIMUM)


def read_padding(elements: list[Any]) -> Padding:
    """What ``pack_padding`` packed; zeros only, so that nobody starts to carry something there."""
    _, zeros = elements
    length = len(bin_of(zeros))
    if zeros.count(0) != length:
        raise malformed("padding carries something")
    return Padding(length + PADDING_MINIMUM)


# -- all kinds -------------------------------------------------------------------------------------

DEPTH = unsigned(DEPTH_LIMIT)
AGE = unsigned(AGE_LIMIT)
DESCRIPTOR = record(Descriptor, NODE, ADDRESS, AGE)

PLAIN_PLACE_SIZE = DESCRIPTOR.size((NodeId("", 0), Address("10.0.0.1", 1), 0))
"""Bytes of a descriptor with an IPv4 address and an age below 128, but for the name."""

EMPTY_NODE_SIZE = NODE.size(NodeId("", 0))

HOST_SIZES_APART = 12
"""Bytes that an IPv6 address has more than an IPv4 address."""


def size_of_descriptors(descriptors: Sequence[Told]) -> int:
    """Bytes of ``DESCRIPTORS``, quicker than field by field: half a view is sized in every exchange."""
    size = array_size(len(descriptors)) + PLAIN_PLACE_SIZE * len(descriptors)
    for node, address, age in descriptors:
        name = node[0]
        if name.isascii():
            size += len(name)
        else:
            size += size_of_node(node) - EMPTY_NODE_SIZE
        if ":" in address[0]:
            size += HOST_SIZES_APART
        if age >= 0x80:
            size += AGE.size(age) - 1
    return size


DESCRIPTORS = replace(listing(DESCRIPTOR), size=size_of_descriptors)
DIGEST = record(Digest, optional(DOTS), DEPTH, WORD, WORD)


def size_of_digest(digest: Digest) -> int:
    """Bytes of ``DIGEST``."""
    if digest is NOTHING:
        return SIZE_OF_NOTHING
    frontier, depth, delivered, evicted = digest
    dots = 1 if frontier is None else bin_size(size_of_dots(frontier))
    return 1 + dots + size_of_unsigned(depth) + size_of_unsigned(delivered) + size_of_unsigned(evicted)


SIZE_OF_NOTHING = DIGEST.size(NOTHING)
"""Bytes of the digest of a node that never heard of any message."""


def size_of_request(request: ExchangeRequest) -> int:
    """Bytes of a request: header and kind, nonce, sender, two truth values, descriptors, digest."""
    nonce, sender, _, _, descriptors, digest = request
    head = 4 + size_of_unsigned(nonce) + size_of_node(sender)
    return head + size_of_descriptors(descriptors) + size_of_digest(digest)


def size_of_answer(answer: ExchangeAnswer) -> int:
    """Bytes of an answer: as of a request, without the truth values."""
    nonce, sender, descriptors, digest = answer
    head = 2 + size_of_unsigned(nonce) + size_of_node(sender)
    return head + size_of_descriptors(descriptors) + size_of_digest(digest)


def triple(node: NodeId, sequence: int, depth: int) -> tuple[NodeId, int, int]:
    """A plain triple, as ``record`` wants it made."""
    return node, sequence, depth


def is_page(item: Anchor | Parents | BaselinePage) -> bool:
    """Whether the page number is one of the pages, counted from 0."""
    return item.page < item.pages


def is_page_of_baseline(item: BaselinePage) -> bool:
    """Whether the page number fits and no origin stands twice."""
    return is_page(item) and len({node for node, _, _ in item.entries}) == len(item.entries)


def is_within(item: Floors) -> bool:
    """Whether all floors belong to keys that the item claims to cover."""
    return item.low <= item.high and all(covers(item, key) for key, _ in item.floors)


HORIZON = record(Horizon, DEPTH, WORD)
BASELINE_ENTRIES = listing(record(triple, NODE, unsigned(SEQUENCE_LIMIT, low=1), DEPTH))

KNOWN_PAGES = 512
"""Pages of baselines whose origins are remembered as packed, some 12,000 of them in 2 MB: they are sent to
whoever asks, each time under a number of the asker's, and change little between two versions."""


@lru_cache(maxsize=KNOWN_PAGES)
def pack_origins(
    entries: tuple[tuple[NodeId, int, int], ...], frontier: tuple[KeyDot, ...], packer: Packer
) -> bytes:
    """The last two fields of a page of a baseline, which are most of it."""
    packed: bytes = packer.pack(BASELINE_ENTRIES.encode(entries)) + packer.pack(DOTS.encode(frontier))
    return packed


def with_known_pages(layout: Layout) -> Layout:
    """The layout of pages of a baseline, packed the same, only quicker."""

    def pack(page: BaselinePage, packer: Packer) -> bytes:
        plain = layout.pack(page._replace(entries=(), frontier=()), packer)
        return plain[: -len(PACKED_NOTHING)] + pack_origins(page.entries, page.frontier, packer)

    assert layout.pack(EMPTY_PAGE, Packer()).endswith(PACKED_NOTHING)
    return layout._replace(pack=pack)


PACKED_NOTHING = b"\x90\xc4\x00"
"""An empty array and an empty byte string: the end of a page that names no origin."""

EMPTY_PAGE = BaselinePage(0, 0, 0, 1, 0, NO_HORIZON, 0, (), ())

LAYOUTS = (
    Layout(RUMOR, Rumor, pack_rumor, size_of_rumor, read_rumor),
    record_layout(
        REQUEST,
        ExchangeRequest,
        WORD,
        NODE,
        BOOLEAN,
        BOOLEAN,
        DESCRIPTORS,
        DIGEST,
        size=size_of_request,
    ),
    record_layout(ANSWER, ExchangeAnswer, WORD, NODE, DESCRIPTORS, DIGEST, size=size_of_answer),
    Layout(PADDING, Padding, pack_padding, size_of_padding, read_padding),
    record_layout(WANT, Want, RANGES, BOOLEAN),
    record_layout(ABSENT, Absent, RANGES),
    record_layout(ANCHOR, Anchor, ONE_DOT, PAGE, PAGES, DEEP_DOTS, check=is_page),
    record_layout(ACKNOWLEDGE, Acknowledge, FLOOR),
    record_layout(FLOOR_SUMS, FloorSums, WORD, binary(BUCKETS * SUM_SIZE)),
    record_layout(SUMS_DIFFER, SumsDiffer, WORD, binary(BUCKETS // 8)),
    record_layout(
        FLOORS_OF,
        Floors,
        WORD,
        KEY,
        KEY,
        FLOORS,
        binary(BUCKETS // 8, may_be_empty=True),
        HORIZON,
        check=is_within,
    ),
    record_layout(FLOORS_DONE, FloorsDone, WORD, BOOLEAN, BOOLEAN),
    record_layout(HISTORY_REQUEST, HistoryRequest, WORD, WORD),
    with_known_pages(
        record_layout(
            BASELINE_PAGE,
            BaselinePage,
            WORD,
            WORD,
            PAGE,
            PAGES,
            DEPTH,
            HORIZON,
            WORD,
            BASELINE_ENTRIES,
            DOTS,
            check=is_page_of_baseline,
        )
    ),
    record_layout(HISTORY_DONE, HistoryDone, WORD, WORD, BOOLEAN),
    record_layout(GOODBYE, Goodbye, NODE),
    Layout(BARE_RUMOR, BareRumor, pack_bare, size_of_bare, read_bare),
    record_layout(PARENTS, Parents, ONE_DOT, PAGE, PAGES, DOTS, check=is_page),
    Layout(
        ANNOUNCEMENT,
        Announcement,
        *announcement_functions(ANNOUNCEMENT, unsigned(PAGE_LIMIT), parts_of, size_of_rumor, read_rumor),
    ),
    record_layout(CHUNK_REQUEST, ChunkRequest, ONE_DOT, REFERENCE, INDEXES),
    record_layout(CHUNK, Chunk, REFERENCE, unsigned(CHUNKS_LIMIT - 1), CHUNK_PATH, CHUNK_DATA),
    record_layout(HOLDING, Holding, REFERENCE, BITMAP),
    record_layout(LINKAGE, Linkage, unsigned(max(Stance))),
    record_layout(ANNOUNCE, IHave, RANGES),
    record_layout(PRUNE, Prune),
    record_layout(GRAFT, Graft, RANGES),
    record_layout(DISTANCE, Distance, ONE_DOT, unsigned(HOPS_LIMIT)),
)
"""Every kind of version 1, by its number."""

LAYOUT_OF = {layout.type: layout for layout in LAYOUTS}
READERS = {layout.kind: layout.read for layout in LAYOUTS}

KINDS_WITH_SENDER = frozenset({REQUEST, ANSWER, GOODBYE})
"""Items whose ``sender`` must be the one whose key stands in the header."""


def size_of(item: Item) -> int:
    """Bytes that the item takes in a datagram, by arithmetic."""
    return LAYOUT_OF[type(item)].size(item)
