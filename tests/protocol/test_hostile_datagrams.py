"""Datagrams that somebody made by hand: each rule of the decoder, broken once."""

from __future__ import annotations

import math
import random
import struct
import tracemalloc
from typing import Any

import msgpack
import pytest

from protocol.core.codec import DATAGRAM_LIMIT, Parsed
from protocol.core.identity import NodeId
from protocol.core.messages import Rumor
from protocol.errors import WireError
from protocol.wire import DEPTH_LIMIT, PADDING_MINIMUM, REASONS, SEQUENCE_LIMIT, TIME_LIMIT, WireCodec
from protocol.wire.fields import pack_dots, pack_node, pack_varint

WIRE = WireCodec()
NODE = NodeId("p1", 7)
START = b"\xc1g\x01\x00"
FRONT = bytes(4) + NODE.key
ALONE = START + b"\x91\xc4\x0c" + FRONT
"""A datagram without items."""
KEY_A, KEY_B = b"a" * 8, b"b" * 8
NAME = pack_node(NODE)
IPV4 = b"\x7f\x00\x00\x01\x1f\x41"
DIGEST = [b"", 0, 0, 0]


def reason_of(data: bytes) -> str:
    with pytest.raises(WireError) as caught:
        WIRE.parse(data)
    assert caught.value.reason in REASONS
    return caught.value.reason


def datagram(*items: Any) -> bytes:
    return START + msgpack.Packer().pack([FRONT, *items])


def with_front(flags: int, front: bytes) -> bytes:
    return START[:3] + bytes([flags]) + msgpack.Packer().pack([front])


def parse(*items: Any) -> Parsed:
    return WIRE.parse(datagram(*items))


def past(created_at: float = 1.0, sequence: int = 1, depth: int = 1, parents: bytes = b"") -> bytes:
    return struct.pack(">d", created_at) + pack_varint(sequence) + pack_varint(depth) + parents


GOOD: dict[str, list[Any]] = {
    "rumor": [1, 0, NAME, past(), b"hi"],
    "request": [2, 5, NAME, True, True, [[NAME, IPV4, 3]], DIGEST],
    "answer": [3, 5, NAME, [[NAME, IPV4, 3]], DIGEST],
    "padding": [4, bytes(7)],
    "want": [5, KEY_A + b"\x01\x00", False],
    "absent": [6, KEY_A + b"\x01\x00"],
    "anchor": [30, KEY_A + b"\x01", 0, 1, KEY_B + b"\x02\x05"],
    "acknowledge": [8, KEY_A + b"\x01"],
    "floors": [25, 0, KEY_A, KEY_B, KEY_A + b"\x00", b"", [0, 0]],
    "floor sums": [23, 0, bytes(1_024)],
    "sums differ": [24, 0, bytes(32)],
    "floors done": [10, 0, False, True],
    "history request": [11, 0, 0],
    "baseline page": [31, 0, 0, 0, 1, 0, [0, 0], 0, [[NAME, 1, 1]], KEY_A + b"\x01"],
    "history done": [13, 0, 0, False],
    "goodbye": [14, NAME],
    "bare rumor": [15, 1, 0, NAME, past(), b"hi"],
    "parents": [16, KEY_A + b"\x01", 0, 1, KEY_B + b"\x02"],
}
"""One well-formed item of each kind, as msgpack values."""


def replaced(name: str, index: int, value: Any) -> list[Any]:
    item = list(GOOD[name])
    item[index] = value
    return item


@pytest.mark.parametrize("name", GOOD)
def test_a_hand_made_item_of_each_kind_is_read(name: str) -> None:
    assert len(parse(GOOD[name]).items) == 1


@pytest.mark.parametrize("name", GOOD)
def test_a_field_too_many_is_malformed(name: str) -> None:
    assert reason_of(datagram([*GOOD[name], 0])) == "malformed"


@pytest.mark.parametrize("name", GOOD)
def test_a_field_too_few_is_malformed(name: str) -> None:
    assert reason_of(datagram(GOOD[name][:-1])) == "malformed"


FIELDS = [(name, index) for name, item in GOOD.items() for index in range(1, len(item))]


@pytest.mark.parametrize(("name", "index"), FIELDS)
@pytest.mark.parametrize("value", [-1, 1.0, {}, [[]], math.nan, [None]], ids=repr)
def test_a_value_of_no_fitting_type_is_malformed(name: str, index: int, value: Any) -> None:
    assert reason_of(datagram(replaced(name, index, value))) == "malformed"


@pytest.mark.parametrize(("name", "index"), FIELDS)
def test_text_where_bytes_or_numbers_belong_is_malformed(name: str, index: int) -> None:
    assert reason_of(datagram(replaced(name, index, "12345678"))) == "malformed"


@pytest.mark.parametrize(
    ("name", "index"), [(name, i) for name, i in FIELDS if isinstance(GOOD[name][i], bool)]
)
def test_a_number_is_no_truth_value(name: str, index: int) -> None:
    assert reason_of(datagram(replaced(name, index, 1))) == "malformed"


@pytest.mark.parametrize(("name", "index"), [(name, i) for name, i in FIELDS if type(GOOD[name][i]) is int])
def test_a_truth_value_is_no_number(name: str, index: int) -> None:
    assert reason_of(datagram(replaced(name, index, True))) == "malformed"


REFUSED: dict[str, list[Any]] = {
    "hops above one byte": replaced("rumor", 1, 128),
    "sequence 0": replaced("rumor", 3, past(sequence=0)),
    "sequence above the limit": replaced("rumor", 3, past(sequence=SEQUENCE_LIMIT + 1)),
    "depth 0": replaced("rumor", 3, past(depth=0)),
    "depth above the limit": replaced("rumor", 3, past(depth=DEPTH_LIMIT + 1)),
    "made at no time": replaced("rumor", 3, past(math.nan)),
    "made at infinity": replaced("rumor", 3, past(math.inf)),
    "made before 1970": replaced("rumor", 3, past(-1.0)),
    "made after the year 9999": replaced("rumor", 3, past(TIME_LIMIT + 1)),
    "past cut in the time": replaced("rumor", 3, bytes(7)),
    "past without depth": replaced("rumor", 3, past()[:-1]),
    "past cut in a parent": replaced("rumor", 3, past(parents=KEY_A)),
    "past cut in a parent's number": replaced("rumor", 3, past(parents=KEY_A + b"\x80")),
    "a parent twice": replaced("rumor", 3, past(parents=KEY_A + b"\x01" + KEY_A + b"\x01")),
    "two parents of one origin": replaced("rumor", 3, past(parents=KEY_A + b"\x01" + KEY_A + b"\x02")),
    "a parent with sequence 0": replaced("rumor", 3, past(parents=KEY_A + b"\x00")),
    "the own origin as parent": replaced("rumor", 3, past(parents=NODE.key + b"\x01")),
    "a varint that could be shorter": replaced("rumor", 3, past(parents=KEY_A + b"\x81\x00")),
    "a varint without end": replaced("rumor", 3, past(parents=KEY_A + b"\x81" * 12)),
    "a varint above 64 bits": replaced("rumor", 3, past(parents=KEY_A + b"\xff" * 10 + b"\x01")),
    "a name of no characters": replaced("rumor", 2, bytes(8)),
    "an incarnation cut short": replaced("rumor", 2, bytes(7)),
    "a name with a space": replaced("rumor", 2, bytes(8) + b"p 1"),
    "a name with an escape": replaced("rumor", 2, bytes(8) + b"\x1b[2J"),
    "a name turned around": replaced("rumor", 2, bytes(8) + "a\u202eb".encode()),
    "a name that is not UTF-8": replaced("rumor", 2, bytes(8) + b"\xff"),
    "a name with half a surrogate pair": replaced("rumor", 2, bytes(8) + b"\xed\xa0\x80"),
    "a name of 65 characters": replaced("rumor", 2, bytes(8) + b"x" * 65),
    "a port of 0": replaced("request", 5, [[NAME, b"\x7f\x00\x00\x01\x00\x00", 0]]),
    "a host of 5 bytes": replaced("request", 5, [[NAME, bytes(5) + b"\x00\x01", 0]]),
    "no address": replaced("request", 5, [[NAME, None, 0]]),
    "an empty address": replaced("request", 5, [[NAME, b"", 0]]),
    "an age above the limit": replaced("request", 5, [[NAME, IPV4, 1 << 32]]),
    "a descriptor too long": replaced("request", 5, [[NAME, IPV4, 0, 0]]),
    "a digest too short": replaced("request", 6, [b"", 0, 0]),
    "a frontier with a floor": replaced("request", 6, [KEY_A + b"\x00", 0, 0, 0]),
    "a depth above 2^53": replaced("request", 6, [b"", DEPTH_LIMIT + 1, 0, 0]),
    "a bare rumor with a parent": replaced("bare rumor", 4, past(parents=KEY_A + b"\x01")),
    "a bare rumor of no pages": replaced("bare rumor", 1, 0),
    "a bare rumor of more pages than the limit": replaced("bare rumor", 1, 4_097),
    "a page of parents beyond the last": replaced("parents", 2, 1),
    "a page of parents with a floor": replaced("parents", 4, KEY_B + b"\x00"),
    "padding with content": [4, b"\x00\x01"],
    "a range from 0": [5, KEY_A + b"\x00\x01", False],
    "a range beyond the limit": [6, KEY_A + pack_varint(SEQUENCE_LIMIT) + b"\x01"],
    "a range without an end": [6, KEY_A + b"\x01"],
    "two dots for one": [8, pack_dots([(KEY_A, 1), (KEY_B, 1)])],
    "no dot for one": [8, b""],
    "a page beyond the last": replaced("anchor", 2, 1),
    "an anchor of no pages": replaced("anchor", 3, 0),
    "more pages than the limit": replaced("anchor", 3, 4_097),
    "an anchor that is 0": replaced("anchor", 1, KEY_A + b"\x00"),
    "an anchor without depths": replaced("anchor", 4, KEY_B + b"\x02"),
    "an origin twice in a clock": replaced("anchor", 4, 2 * (KEY_B + b"\x02\x05")),
    "a clock entry of 0": replaced("anchor", 4, KEY_B + b"\x00\x05"),
    "a clock entry of no possible depth": replaced("anchor", 4, KEY_B + b"\x02" + 7 * b"\xff" + b"\x7f"),
    "a key of 7 bytes": replaced("floors", 2, bytes(7)),
    "floors of no range": replaced("floors", 3, bytes(8)),
    "a floor outside its buckets": replaced("floors", 5, bytes(32)),
    "buckets of 31 bytes": replaced("floors", 5, b"\xff" * 31),
    "a horizon of one number": replaced("floors", 6, [0]),
    "sums of 255 buckets": replaced("floor sums", 2, bytes(1_020)),
    "no buckets that differ": replaced("sums differ", 2, b""),
    "a floor outside its range": replaced("floors", 4, b"c" * 8 + b"\x00"),
    "an origin twice in a baseline": replaced("baseline page", 8, [[NAME, 1, 1], [NAME, 2, 2]]),
    "a baseline entry of 0": replaced("baseline page", 8, [[NAME, 0, 0]]),
    "an item without a kind": [],
    "a kind that is text": ["1"],
    "a kind below 0": [-1],
    "a kind that is a truth value": [True, 0],
    "a kind that is an array": [[1]],
    "an extension in an unknown item": [99, msgpack.ExtType(5, b"")],
    "a timestamp in an unknown item": [99, msgpack.Timestamp(1, 0)],
    "an empty map in an unknown item": [99, {}],
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_item_that_breaks_one_rule_is_malformed(name: str) -> None:
    assert reason_of(datagram(REFUSED[name])) == "malformed"


@pytest.mark.parametrize(
    "host",
    [
        b"\x00\x00\x00\x00",
        b"\x00\x01\x02\x03",
        b"\xe0\x00\x00\x01",
        b"\xef\xff\xff\xff",
        b"\xff\xff\xff\xff",
        bytes(16),
        b"\xff\x02" + bytes(13) + b"\x01",
        bytes(10) + b"\xff\xff" + bytes(4),
        bytes(10) + b"\xff\xff\xe0\x00\x00\x01",
    ],
    ids=bytes.hex,
)
def test_an_address_that_is_not_one_host_is_malformed(host: bytes) -> None:
    descriptor = [NAME, host + b"\x1f\x41", 0]
    assert reason_of(datagram(replaced("request", 5, [descriptor]))) == "malformed"
    flags = 4 if len(host) == 4 else 8
    assert reason_of(with_front(flags, FRONT + host + b"\x1f\x41")) == "malformed"


def test_an_ipv4_address_in_ipv6_dress_is_taken() -> None:
    host = bytes(10) + b"\xff\xff\x7f\x00\x00\x01"
    assert parse(replaced("request", 5, [[NAME, host + b"\x1f\x41", 0]])).items


@pytest.mark.parametrize("name", ["request", "answer", "goodbye"])
def test_nobody_speaks_in_the_name_of_another(name: str) -> None:
    index = 1 if name == "goodbye" else 2
    assert reason_of(datagram(replaced(name, index, pack_node(NodeId("p2", 7))))) == "key"
    assert reason_of(datagram(replaced(name, index, pack_node(NodeId("p1", 8))))) == "key"


def test_an_unknown_kind_is_skipped_and_the_rest_is_kept() -> None:
    unknown = [99, [1, [2, b"x"]], None, 1.5, -3]
    parsed = parse(unknown, GOOD["rumor"], [98])
    assert parsed.items == [Rumor(NODE, 1, 1, 1.0, (), b"hi", 0)]
    assert parsed.skipped == 2


def test_one_bad_item_refuses_the_whole_datagram() -> None:
    assert reason_of(datagram(GOOD["rumor"], REFUSED["sequence 0"])) == "malformed"


def test_350_items_are_malformed_even_where_larger_datagrams_are_read() -> None:
    assert len(WIRE.parse(datagram(*[[11, 0, 0]] * 349), 9_000).items) == 349
    with pytest.raises(WireError, match="malformed"):
        WIRE.parse(datagram(*[[11, 0, 0]] * 350), 9_000)


@pytest.mark.parametrize("count", [63, 64, 65, 300])
def test_many_items_are_as_many_as_announced(count: int) -> None:
    data = datagram(*[[11, 0, 0]] * count)
    assert len(WIRE.parse(data).items) == count
    for wrong in (data[:-1], data[:-4], data + b"\x00", data + b"\x93\x0b\x00\x00", data + b"\x93"):
        assert reason_of(wrong) == "malformed"


def test_the_limits_within_items_hold_among_many_items_too() -> None:
    strange: list[object] = [[0] * 65, "x", {}, msgpack.Timestamp(1, 0)]
    for bad in strange:
        assert reason_of(datagram(*[[11, 0, 0]] * 80, [99, bad])) == "malformed"
    assert WIRE.parse(datagram(*[[11, 0, 0]] * 80, [99, [0] * 64])).skipped == 1


def test_65_descriptors_are_malformed_even_where_larger_datagrams_are_read() -> None:
    def sized(count: int) -> bytes:
        return datagram(replaced("request", 5, [[bytes(8) + b"a", IPV4, 0]] * count))

    assert WIRE.parse(sized(64), 9_000).items
    with pytest.raises(WireError, match="malformed"):
        WIRE.parse(sized(65), 9_000)


@pytest.mark.parametrize(
    "body", [b"", b"\xc0", b"\x80", b"\xc1", b"\x90", b"\x91", b"\x91\xc0", b"\x90\x90", b"\xa0", b"\xc4\x0c"]
)
def test_a_body_that_is_not_one_array_with_a_front_is_malformed(body: bytes) -> None:
    assert reason_of(START + body) == "malformed"
    assert reason_of(START + body + FRONT) == "malformed"


@pytest.mark.parametrize(
    "front", [None, True, 0, [], {}, [FRONT], "x" * 12, b"", FRONT[:-1], FRONT + b"\x00"]
)
def test_a_front_that_is_not_what_the_flags_say_is_malformed(front: Any) -> None:
    assert reason_of(START + msgpack.Packer().pack([front])) == "malformed"


@pytest.mark.parametrize("element", [None, True, 0, b"", FRONT])
def test_what_follows_the_front_is_arrays(element: Any) -> None:
    assert reason_of(datagram(element)) == "malformed"


def test_the_long_forms_of_msgpack_are_read() -> None:
    front = b"\xc6\x00\x00\x00\x0c" + FRONT
    for array in (b"\xdc\x00\x01", b"\xdd\x00\x00\x00\x01"):
        assert WIRE.parse(START + array + front) == WIRE.parse(ALONE)


@pytest.mark.parametrize(
    "extension",
    [b"\xd4\xff\x00", b"\xd6\xff" + bytes(4), b"\xd7\xff" + bytes(8), b"\xc7\x00\xff", b"\xc7\x00\x05"],
)
def test_no_extension_type_is_read(extension: bytes) -> None:
    assert reason_of(START + b"\x92" + ALONE[5:] + b"\x92\x63" + extension) == "malformed"


def test_a_datagram_without_items_is_read() -> None:
    assert WIRE.parse(ALONE).items == []


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\xc2g\x01\x00", b"null", b"\x00" * 100, b"GET / HTTP/1.1\r\n"]
)
def test_what_is_not_ours_is_told_by_its_first_bytes(data: bytes) -> None:
    assert reason_of(data) == "magic"


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_told_before_anything_else_is_read(version: int) -> None:
    assert reason_of(b"\xc1g" + bytes([version])) == "version"


@pytest.mark.parametrize("flags", [16, 32, 64, 128, 12, 15, 255])
def test_unknown_flags_are_told(flags: int) -> None:
    assert reason_of(b"\xc1g\x01" + bytes([flags]) + bytes(60)) == "flags"


@pytest.mark.parametrize("size", range(2, 19))
def test_a_start_or_front_cut_short_is_malformed(size: int) -> None:
    assert reason_of(ALONE[:size]) == "malformed"


@pytest.mark.parametrize("flags", [1, 2])
def test_a_cookie_of_0_is_malformed(flags: int) -> None:
    assert reason_of(with_front(flags, FRONT + bytes(8))) == "malformed"


@pytest.mark.parametrize("size", [DATAGRAM_LIMIT + 1, 9_000, 65_535])
def test_more_than_the_limit_is_oversized_whatever_it_is(size: int) -> None:
    assert reason_of(bytes(size)) == "oversized"
    assert reason_of(ALONE + bytes(size - len(ALONE))) == "oversized"


def test_exactly_the_limit_is_read() -> None:
    data = datagram([4, bytes(DATAGRAM_LIMIT - len(ALONE) - PADDING_MINIMUM)])
    assert len(data) == DATAGRAM_LIMIT
    assert WIRE.parse(data).items


NESTED = {
    "arrays of one": b"\x91",
    "arrays of 64": b"\xdc\x00\x40",
    "arrays of 350": b"\xdc\x01\x5e",
    "arrays of 4 billion": b"\xdd\xff\xff\xff\xff",
    "maps": b"\x81\x00",
    "a byte string of 4 billion": b"\x91\xc6\xff\xff\xff\xff",
}


@pytest.mark.parametrize("name", NESTED)
@pytest.mark.parametrize(
    "count", [b"\x92", b"\xdc\x01\x5e"], ids=["in one item", "in the first of 349 items"]
)
def test_what_claims_to_be_huge_costs_little_memory(name: str, count: bytes) -> None:
    data = (START + count + ALONE[5:] + NESTED[name] * DATAGRAM_LIMIT)[:DATAGRAM_LIMIT]
    tracemalloc.start()
    try:
        assert reason_of(data) == "malformed"
        assert tracemalloc.get_traced_memory()[1] < 400_000
    finally:
        tracemalloc.stop()


def test_ten_thousand_random_datagrams_are_refused_or_read() -> None:
    dice = random.Random(1)
    for _ in range(10_000):
        front = dice.choice([b"", START, ALONE, START + b"\x92" + ALONE[5:] + b"\x91"])
        data = front + dice.randbytes(dice.randrange(120))
        try:
            WIRE.parse(data)
        except WireError as error:
            if error.reason not in REASONS:
                raise


def test_every_single_byte_changed_in_every_item_is_refused_or_read() -> None:
    data = bytearray(datagram(*GOOD.values()))
    for position in range(len(data)):
        original = data[position]
        for value in {0, 1, 0x7F, 0x80, 0xC1, 0xFF, original ^ 1}:
            data[position] = value
            try:
                WIRE.parse(bytes(data), 9_000)
            except WireError as error:
                if error.reason not in REASONS:
                    raise
        data[position] = original
    assert len(WIRE.parse(bytes(data), 9_000).items) == len(GOOD)


def test_a_datagram_of_parents_only_is_read_as_it_is() -> None:
    parents = tuple((index.to_bytes(8), 1) for index in range(145))
    rumor = Rumor(NODE, 1, 2, 1.0, parents, b"", 0)
    assert WIRE.parse(WIRE.assemble(WIRE.parse(ALONE).header, [WIRE.pack(rumor)])).items == [rumor]
