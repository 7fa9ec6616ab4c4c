"""Laws of the wire format, for everything that can travel."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocol.core.codec import DATAGRAM_LIMIT
from protocol.core.identity import NodeId
from protocol.core.messages import (
    Absent,
    BaselinePage,
    FloorsDone,
    Header,
    HistoryRequest,
    Item,
    Padding,
    Rumor,
    Want,
)
from protocol.errors import WireError
from protocol.sim.object_codec import ObjectCodec
from protocol.wire import PADDING_MINIMUM, REASONS, WireCodec, size_of_datagram
from protocol.wire.fields import pack_varint, read_varint
from protocol.wire.layouts import READERS, Layout, with_known_pages

from . import generators as make

WIRE = WireCodec()
OBJECTS = ObjectCodec()
NO_LIMIT = 65_535


def assemble(header: Header, items: list[Item]) -> bytes:
    return WIRE.assemble(header, [WIRE.pack(item) for item in items])


@given(make.conversations)
def test_what_was_packed_is_parsed_to_the_same(conversation: tuple[Header, list[Item]]) -> None:
    header, items = conversation
    assert WIRE.parse(assemble(header, items), NO_LIMIT) == (header, items, 0)


@given(make.conversations)
def test_a_parsed_datagram_packs_to_the_same_bytes(conversation: tuple[Header, list[Item]]) -> None:
    data = assemble(*conversation)
    parsed = WIRE.parse(data, NO_LIMIT)
    assert assemble(parsed.header, parsed.items) == data


@given(make.items)
def test_the_size_of_an_item_is_the_length_of_its_bytes(item: Item) -> None:
    packed = WIRE.pack(item)
    assert WIRE.size_of(item) == packed.size == len(packed.content)


@given(make.items)
def test_every_item_is_one_value_to_any_msgpack_reader(item: Item) -> None:
    kind, *_ = msgpack.unpackb(WIRE.pack(item).content)
    assert kind in READERS


@given(make.conversations)
def test_a_datagram_is_one_list_to_any_msgpack_reader(conversation: tuple[Header, list[Item]]) -> None:
    header, items = conversation
    front, *rest = msgpack.unpackb(assemble(header, items)[4:])
    assert front[4:12] == header.sender
    assert [msgpack.Packer().pack(item) for item in rest if item[0] != 4] == [
        WIRE.pack(item).content for item in items if not isinstance(item, Padding)
    ]


@given(make.headers, st.lists(make.other_items, max_size=20))
def test_a_datagram_is_never_larger_than_its_parts(header: Header, items: list[Item]) -> None:
    packed = [WIRE.pack(item) for item in items]
    size = len(WIRE.assemble(header, packed))
    assert size == size_of_datagram(header, packed)
    assert size <= WIRE.header_size(header) + sum(item.size for item in packed)


@given(make.conversations)
def test_the_object_codec_gives_the_sizes_and_items_of_the_wire(
    conversation: tuple[Header, list[Item]],
) -> None:
    header, items = conversation
    packed = [OBJECTS.pack(item) for item in items]
    assert [item.size for item in packed] == [WIRE.pack(item).size for item in items]
    assert OBJECTS.header_size(header) == WIRE.header_size(header)
    data = OBJECTS.assemble(header, packed)
    assert len(data) == len(assemble(header, items))
    assert OBJECTS.parse(data, NO_LIMIT) == WIRE.parse(assemble(header, items), NO_LIMIT)


LARGE = 1 << 21
"""Sequence numbers below this take three bytes."""

usual_names = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz-0123456789"), min_size=1, max_size=16)
usual_dots = st.lists(
    st.tuples(make.keys, st.integers(1, LARGE - 1)), max_size=110, unique_by=lambda dot: dot[0]
).map(tuple)
usual_rumors = st.builds(
    Rumor,
    st.builds(NodeId, usual_names, make.words),
    st.integers(1, LARGE - 1),
    st.integers(1, (1 << 28) - 1),
    make.times,
    usual_dots,
    st.binary(max_size=400),
    make.hops,
)
LARGEST = Rumor(
    NodeId("n" * 16, (1 << 64) - 1),
    LARGE - 1,
    (1 << 28) - 1,
    1.7e9,
    tuple((bytes([i]) * 8, LARGE - 1) for i in range(30)),
    bytes(300),
    127,
)


@given(usual_rumors)
@example(LARGEST)
def test_a_rumor_costs_at_most_50_bytes_and_11_a_parent(rumor: Rumor) -> None:
    assert WIRE.size_of(rumor) - len(rumor.payload) <= 50 + 11 * len(rumor.parents)


@given(usual_rumors, make.headers)
@example(LARGEST, Header(7, bytes(8), None, cookie=1))
def test_a_rumor_alone_costs_at_most_95_bytes_and_11_a_parent(rumor: Rumor, header: Header) -> None:
    data = assemble(header._replace(offer=0), [rumor])
    assert len(data) - len(rumor.payload) <= 95 + 11 * len(rumor.parents)


@given(st.integers(PADDING_MINIMUM, DATAGRAM_LIMIT))
def test_padding_takes_exactly_the_bytes_it_says(size: int) -> None:
    assert WIRE.pack(Padding(size)).size == size


@given(st.integers(-10, PADDING_MINIMUM))
def test_padding_takes_no_less_than_its_own_header(size: int) -> None:
    assert WIRE.pack(Padding(size)).size == WIRE.size_of(Padding(size)) == PADDING_MINIMUM


@given(make.words)
def test_a_varint_is_read_back_and_ends_where_it_ended(value: int) -> None:
    packed = pack_varint(value)
    assert read_varint(b"\xff" + packed + b"\xff", 1) == (value, 1 + len(packed))


@given(make.rumors, make.hops)
def test_only_the_third_byte_of_a_rumor_changes_with_its_hops(rumor: Rumor, hops: int) -> None:
    one, other = WIRE.pack(rumor).content, WIRE.pack(rumor._replace(hops=hops)).content
    assert one[:2] == other[:2]
    assert one[3:] == other[3:]


def refusal_of(data: bytes) -> str | None:
    """Why a datagram is refused, None if it is read."""
    try:
        WIRE.parse(data, NO_LIMIT)
    except WireError as error:
        return error.reason
    return None


def assert_refused_or_read(data: bytes) -> None:
    """The one sentence of the fuzz tests: a ``WireError`` with a known reason, or nothing."""
    assert refusal_of(data) in {None, *REASONS}


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    assert_refused_or_read(data)


START = b"\xc1g\x01\x00"
FRONT = bytes(12)


@given(st.binary(max_size=200))
def test_any_bytes_after_a_good_front_are_refused_or_read(data: bytes) -> None:
    assert_refused_or_read(START + data)
    assert_refused_or_read(START + b"\x92\xc4\x0c" + FRONT + data)


strange_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 63), (1 << 64) - 1),
    st.floats(),
    st.binary(max_size=40),
    st.text(max_size=4),
    st.lists(st.integers(0, 255) | st.binary(max_size=9), max_size=4),
    st.dictionaries(st.integers(0, 9), st.none(), max_size=1),
)


@given(make.items, strange_values, st.data())
def test_an_item_with_a_strange_value_somewhere_is_refused_or_read(
    item: Item, value: object, data: st.DataObject
) -> None:
    target: list[Any] = msgpack.unpackb(WIRE.pack(item).content)
    elements = [FRONT, target]
    index = data.draw(st.integers(0, len(target) - 1))
    while target[index] and isinstance(target[index], list):
        target = target[index]
        index = data.draw(st.integers(0, len(target) - 1))
    target[index] = value
    assert_refused_or_read(START + msgpack.Packer().pack(elements))


@given(make.conversations, st.data())
def test_a_datagram_cut_short_is_malformed(
    conversation: tuple[Header, list[Item]], data: st.DataObject
) -> None:
    whole = assemble(*conversation)
    part = whole[: data.draw(st.integers(4, len(whole) - 1))]
    assert refusal_of(part) == "malformed"


@given(make.conversations, st.data())
def test_a_datagram_with_a_flipped_bit_is_refused_or_read(
    conversation: tuple[Header, list[Item]], data: st.DataObject
) -> None:
    flipped = bytearray(assemble(*conversation))
    flipped[data.draw(st.integers(0, len(flipped) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert_refused_or_read(bytes(flipped))


@given(make.conversations, st.binary(min_size=1, max_size=8))
def test_bytes_after_the_end_are_malformed(conversation: tuple[Header, list[Item]], rest: bytes) -> None:
    assert refusal_of(assemble(*conversation) + rest) == "malformed"


def test_a_datagram_full_of_the_smallest_items_is_sent_and_read() -> None:
    header = Header(1, bytes(8), None)
    smallest = HistoryRequest(0, 0)
    count = (DATAGRAM_LIMIT - WIRE.header_size(header)) // WIRE.size_of(smallest)
    assert all(WIRE.size_of(item) >= 4 for item in (Want((), True), Absent(()), FloorsDone(0, True, True)))
    assert len(WIRE.parse(assemble(header, [smallest] * count)).items) == count


@given(make.rumors, st.integers(128, 1 << 70))
def test_more_hops_than_travel_are_sent_as_the_most(rumor: Rumor, hops: int) -> None:
    assert WIRE.pack(rumor._replace(hops=hops)) == WIRE.pack(rumor._replace(hops=127))


def test_pages_whose_packed_origins_are_kept_have_them_at_their_end() -> None:
    other = Layout(31, BaselinePage, lambda *_: b"another end", len, tuple)
    with pytest.raises(AssertionError):
        with_known_pages(other)
