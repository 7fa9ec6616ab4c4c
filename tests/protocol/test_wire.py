"""The wire codec by example, and the golden vectors of version 1."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from protocol.core.codec import Codec
from protocol.core.identity import Address, NodeId
from protocol.core.messages import Header, HistoryRequest, Padding, Rumor
from protocol.errors import WireError
from protocol.sim.object_codec import ObjectCodec
from protocol.wire import WireCodec
from protocol.wire.layouts import READERS

WIRE = WireCodec()
NODE = NodeId("p1", 7)
HEADER = Header(1, NODE.key, None)
RUMOR = Rumor(NODE, 1, 1, 0.0, (), b"hi", 0)
VECTORS = Path(__file__).parent / "vectors"


class Vector(NamedTuple):
    """One golden datagram."""

    name: str
    why: str
    data: bytes
    meaning: str


def read_vectors(path: Path) -> list[Vector]:
    """The vectors of a file; the file itself says how it is written."""
    vectors = []
    for block in path.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if lines:
            fields = dict(line.split(": ", 1) for line in lines if not line.startswith(" "))
            digits = "".join(line.split("|")[0] for line in lines if line.startswith(" "))
            vectors.append(Vector(fields["name"], fields["why"], bytes.fromhex(digits), fields["means"]))
    return vectors


READ = read_vectors(VECTORS / "read.txt")
REFUSED = read_vectors(VECTORS / "refused.txt")


@pytest.mark.parametrize("vector", READ, ids=lambda vector: vector.name)
def test_a_golden_datagram_means_what_it_says(vector: Vector) -> None:
    assert str(WIRE.parse(vector.data)) == vector.meaning


@pytest.mark.parametrize("vector", READ, ids=lambda vector: vector.name)
def test_a_golden_datagram_is_made_again_byte_for_byte(vector: Vector) -> None:
    parsed = WIRE.parse(vector.data)
    if not parsed.skipped:
        assert WIRE.assemble(parsed.header, [WIRE.pack(item) for item in parsed.items]) == vector.data


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector.name)
def test_a_golden_datagram_is_refused_for_its_reason(vector: Vector) -> None:
    with pytest.raises(WireError) as caught:
        WIRE.parse(vector.data)
    assert caught.value.reason == vector.meaning


def test_every_kind_of_item_has_a_golden_datagram() -> None:
    kinds = {type(item).__name__ for vector in READ for item in WIRE.parse(vector.data).items}
    assert len(kinds) == len(READERS)


def test_the_codecs_are_codecs() -> None:
    codecs: list[Codec] = [WIRE, ObjectCodec()]
    assert [codec.parse(codec.assemble(HEADER, [codec.pack(RUMOR)])).items for codec in codecs] == [
        [RUMOR]
    ] * 2


def test_a_packed_item_stands_in_many_datagrams() -> None:
    packed = WIRE.pack(RUMOR)
    one, two = WIRE.assemble(HEADER, [packed]), WIRE.assemble(HEADER._replace(cookie=5), [packed, packed])
    assert WIRE.parse(one).items == [RUMOR]
    assert WIRE.parse(two).items == [RUMOR, RUMOR]


def test_a_fifteenth_item_takes_the_longer_count() -> None:
    packed = WIRE.pack(RUMOR)
    sizes = [len(WIRE.assemble(HEADER, [packed] * count)) for count in (13, 14, 15, 16)]
    assert [later - sooner for sooner, later in pairwise(sizes)] == [
        packed.size,
        packed.size + 2,
        packed.size,
    ]
    assert sizes[-1] == WIRE.header_size(HEADER) + 16 * packed.size


@pytest.mark.parametrize("count", [0, 1, 14, 15, 62, 63, 64, 65, 255, 256, 349])
def test_any_number_of_items_comes_through(count: int) -> None:
    items = [HistoryRequest(0, index % 128) for index in range(count)]
    data = WIRE.assemble(HEADER, [WIRE.pack(item) for item in items])
    assert WIRE.parse(data, 1_500).items == items


def test_more_items_than_a_reader_takes_are_not_sent() -> None:
    codecs: list[Codec] = [WIRE, ObjectCodec()]
    for codec in codecs:
        with pytest.raises(ValueError, match="at most 349 items, not 350"):
            codec.assemble(HEADER, [codec.pack(RUMOR)] * 350)


def test_an_address_with_a_host_name_is_not_sent() -> None:
    with pytest.raises(ValueError, match=r"only numeric addresses travel, not 'example\.org'"):
        WIRE.assemble(HEADER._replace(address=Address("example.org", 1)), [])


def test_the_rumor_a_parser_returns_does_not_depend_on_what_it_remembers() -> None:
    data = WIRE.assemble(HEADER, [WIRE.pack(RUMOR)])
    passed_on = WIRE.assemble(HEADER, [WIRE.pack(RUMOR._replace(hops=3, payload=b"ho"))])
    assert WIRE.parse(data).items == [RUMOR]
    assert WIRE.parse(passed_on).items == [RUMOR._replace(hops=3, payload=b"ho")]
    assert WIRE.parse(data).items == [RUMOR]


def test_a_packer_that_failed_once_packs_the_next_item_whole() -> None:
    codec = WireCodec()
    with pytest.raises(OverflowError):
        codec.pack(HistoryRequest(1, 1 << 64))
    assert codec.pack(RUMOR) == WIRE.pack(RUMOR)


def test_the_object_codec_refuses_what_is_too_large_for_the_wire() -> None:
    objects = ObjectCodec()
    data = objects.assemble(HEADER, [objects.pack(Padding(1_400))])
    with pytest.raises(WireError) as caught:
        objects.parse(data)
    assert caught.value.reason == "oversized"


def test_the_object_codec_gives_every_receiver_a_list_of_its_own() -> None:
    objects = ObjectCodec()
    data = objects.assemble(HEADER, [objects.pack(RUMOR)])
    objects.parse(data).items.clear()
    assert objects.parse(data).items == [RUMOR]
