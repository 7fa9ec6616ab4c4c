"""What is recorded is what is read; a file may be cut anywhere, be anybody's, and fill the disk."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import zlib
from pathlib import Path

import pytest
from msgpack import Packer, Unpacker

from gossip_tui.observed import NodeState
from gossip_tui.recording.file import RecordingFile, size_of_text
from gossip_tui.recording.limits import FRAME_LIMIT, MARK, NODES_LIMIT, VERSION, Kind, RecordingError
from gossip_tui.recording.pictures import apply_change, change_between, flatten, picture_of
from gossip_tui.recording.reader import load
from gossip_tui.recording.recording import Recording, Word
from gossip_tui.recording.taping import SUFFIX, TapeOptions, Taping
from protocol.core.config import Dissemination
from protocol.core.events import (
    ContactUnresolved,
    DatagramRejected,
    Event,
    Gap,
    IncarnationChanged,
    Lagged,
    PeerLost,
    PeerSeen,
    Restored,
    StateFailed,
    StateRecovered,
    Undeliverable,
    ViewChanged,
)
from protocol.core.faults import Direction, FaultReport, Faults
from protocol.core.identity import Address, Dot, NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import Counters, NeighbourRow, NodeSnapshot, ToldView
from protocol.core.view import Descriptor
from tests.gossip_tui.memory import MemoryNode, settle
from tests.gossip_tui.samples import NOON, Talk, address, held, node_id, peer_row, snapshot

from .tapes import files_in, story, taped

FIELDS = (
    "id",
    "payload",
    "parents",
    "clock",
    "depth",
    "created_at",
    "delivered_at",
    "hops",
    "late",
    "from_history",
)


def content(message: Message) -> tuple[object, ...]:
    return tuple(getattr(message, name) for name in FIELDS)


def pictures(recording: Recording) -> list[NodeSnapshot]:
    track = recording.tracks[0]
    return [track.picture(index, recording.nodes) for index in range(len(track.frames))]


# What goes in comes out.


@pytest.mark.parametrize(
    "picture",
    [
        snapshot(),
        snapshot(peers=()),
        snapshot(
            peers=(
                2,
                peer_row(3, state="lost", age=None),
                peer_row(4, address=None, round_trip=None, age=None),
            ),
            held=(held("p5", 3, "late \x1b[0m", Dot(node_id("p5"), 2)),),
            frontier=(Dot(node_id("p2"), 7), Dot(node_id("p1"), 1)),
            counters=Counters(datagrams_in=5, gaps=1),
            rejected={"malformed": 3},
            faults=FaultReport(
                Faults.parse("loss=20 delay=50..200"),
                {address(2): Faults.parse("off")},
                {address(3): Direction.IN},
                lost=5,
            ),
            unsaved="disk full",
            behind=(1 << 64) - 1,
            dissemination=Dissemination.TREE,
            neighbours=(NeighbourRow(address(2), is_eager=True), NeighbourRow(address(3), is_eager=False)),
            cluster="[/]",
            left=True,
            now=12.5,
            told=(
                ToldView(node_id("p3"), (Descriptor(node_id("p1"), address(1), 2),), 7.5),
                ToldView(node_id("p2"), (), 8.0),
            ),
        ),
        snapshot(address=Address("", 0), id=NodeId("[bold]", (1 << 64) - 1)),
        snapshot(address=Address("::1", 9)),
    ],
)
def test_a_picture_survives(picture: NodeSnapshot) -> None:
    nodes: list[NodeId] = []

    def number_of(node: NodeId) -> int:
        if node not in nodes:
            nodes.append(node)
        return nodes.index(node)

    assert picture_of(flatten(picture, number_of), nodes) == dataclasses.replace(
        picture, peers=tuple(sorted(picture.peers, key=lambda row: row.id))
    )


def test_every_field_of_a_picture_is_recorded() -> None:
    """A field that is added to pictures must come back, or be listed here with a reason."""
    flat = flatten(snapshot(), lambda _: 0)
    assert {field.name for field in dataclasses.fields(NodeSnapshot)} <= set(flat)
    assert {field.name for field in dataclasses.fields(Counters)} == set(flat["counters"])


def test_a_change_holds_only_what_is_different() -> None:
    before = flatten(
        snapshot(peers=(2, 5), counters=Counters(datagrams_in=5)), lambda node: int(node.name[1:])
    )
    after = flatten(
        snapshot(peers=(peer_row(2, round_trip=0.5),), counters=Counters(datagrams_in=6), cycle=413),
        lambda node: int(node.name[1:]),
    )
    change = change_between(before, after)
    assert set(change) == {"view", "ages", "peers", "counters", "cycle"}
    assert (change["counters"], change["peers"][5]) == ({"datagrams_in": 6}, None)
    assert apply_change(before, change) == after


def told(name: str, *whom: int, at: float = 1.0) -> ToldView:
    return ToldView(node_id(name), tuple(Descriptor(node_id(f"p{n}"), address(n), 1) for n in whom), at)


def test_of_what_peers_told_only_what_is_new_is_written() -> None:
    before, after = (
        flatten(snapshot(told=views), lambda node: int(node.name[1:]))
        for views in ((told("p2", 3), told("p5", 4)), (told("p5", 4), told("p2", 3, 9, at=2.0)))
    )
    change = change_between(before, after)
    assert set(change) == {"told"}
    assert set(change["told"]) == {2}
    assert apply_change(before, change) == after


def test_no_more_is_recorded_of_what_peers_told_than_is_read() -> None:
    nodes = [node_id(f"p{number}") for number in range(200)]
    views = tuple(told(f"p{number}", *range(1, 100), at=float(number)) for number in range(100))
    flat = flatten(snapshot(id=nodes[0], peers=(), told=views), nodes.index)
    kept = picture_of(flat, nodes).told
    assert [one.id.name for one in kept] == [f"p{number}" for number in range(36, 100)]
    assert {len(one.descriptors) for one in kept} == {64}
    assert len(Packer().pack(flat)) < FRAME_LIMIT / 4


def test_a_picture_of_an_older_version_has_nothing_that_peers_told() -> None:
    flat = flatten(snapshot(peers=()), lambda _: 0)
    del flat["told"]
    assert picture_of(flat, [node_id("p1")]).told == ()


async def test_what_peers_told_is_recorded_of_a_single_node_and_of_no_swarm(tmp_path: Path) -> None:
    for names, expected in ((("p1",), (told("p2", 9),)), (("p1", "p3"), ())):
        nodes = [MemoryNode(name, number=n, told=(told("p2", 9),)) for n, name in enumerate(names, 1)]
        async with taped(tmp_path / str(len(names)), *nodes) as tape:
            await tape.pass_time()
            recording = tape.finish()
        assert {picture.told for picture in pictures(recording)} == {expected}


def test_time_alone_is_no_change() -> None:
    before, after = (flatten(snapshot(now=now), lambda _: 0) for now in (1.0, 2.0))
    assert change_between(before, after) == {}


async def test_messages_pictures_and_events_come_back_in_time(tmp_path: Path) -> None:
    node = MemoryNode()
    async with taped(tmp_path / "a", node) as tape:
        first = node.hear("p2", "hello", hops=3)
        second = node.hear("p3", b"\xff\x00", from_history=True)
        await tape.pass_time(1.0)
        node.now(cycle=500, counters=Counters(delivered=2))
        await tape.pass_time(1.0)
        recording = tape.finish()
    (track,) = recording.tracks
    assert [content(message) for message in track.messages] == [content(first), content(second)]
    assert track.message_times == [0, 0]
    assert [
        (picture.cycle, frame.at) for picture, frame in zip(pictures(recording), track.frames, strict=True)
    ] == [
        (412, 0),
        (500, 1000),
    ]
    assert recording.about == ("run", "1.2.3", NOON)
    assert (recording.duration, recording.is_complete, recording.note) == (1000, True, "")


async def test_a_message_that_many_nodes_deliver_has_its_content_once(tmp_path: Path) -> None:
    sizes = []
    for count in (1, 8):
        nodes = [MemoryNode(f"n{number}", number=number) for number in range(count)]
        payload = random.Random(7).randbytes(4_000)
        async with taped(tmp_path / str(count), *nodes) as tape:
            message = nodes[0].talk.say("p9", payload)
            for node in nodes:
                node.deliver(message)
            await tape.pass_time()
            recording = tape.finish()
        assert [len(track.messages) for track in recording.tracks] == [1] * count
        sizes.append(tape.recorder.file.size)
    assert sizes[1] < sizes[0] + 4_000


async def test_a_clock_whose_past_is_not_in_the_file_is_written_out(tmp_path: Path) -> None:
    node, talk = MemoryNode(), Talk()
    past = [talk.say(name, "before") for name in ("p2", "p3", "p4")]
    heard = talk.say("p2", "after", *past)
    async with taped(tmp_path / "a", node) as tape:
        node.deliver(heard)
        follower = node.deliver(talk.say("p3", "and on", heard))
        await tape.pass_time()
        track = tape.finish().tracks[0]
    assert [message.clock for message in track.messages] == [heard.clock, follower.clock]


async def test_the_descendants_of_a_late_message_have_exact_clocks(tmp_path: Path) -> None:
    node = MemoryNode()
    async with taped(tmp_path / "a", node) as tape:
        said = [node.hear("p2", "one"), node.hear("p3", "two", late=True), node.hear("p4", "three")]
        await tape.pass_time()
        track = tape.finish().tracks[0]
    assert [message.clock for message in track.messages] == [message.clock for message in said]


EVENTS: tuple[Event, ...] = (
    PeerSeen(node_id("p2"), address(2)),
    PeerLost(node_id("p2"), address(2), left=True),
    Gap(7),
    Lagged(9),
    Undeliverable(Dot(node_id("p3"), 4), (Dot(node_id("p2"), 1),)),
    ContactUnresolved(Address("nowhere.example", 7117), "no such host"),
    IncarnationChanged(node_id("p1"), node_id("p1", 5)),
    IncarnationChanged(node_id("p1", 5), node_id("p1", 6), was_silent=True),
    Restored(7, node_id("p1")),
    Restored(7, None),
    StateFailed("/var/p1", "disk full"),
    StateRecovered("/var/p1"),
)


async def test_events_come_back_and_those_that_pictures_count_are_left_out(tmp_path: Path) -> None:
    node = MemoryNode()
    async with taped(tmp_path / "a", node) as tape:
        node.happen(*EVENTS, DatagramRejected(address(9), "magic"), ViewChanged((), ()))
        await tape.pass_time()
        assert tape.finish().tracks[0].notes == list(EVENTS)


async def test_what_went_wrong_can_be_jumped_to(tmp_path: Path) -> None:
    recording = await story(tmp_path / "a")
    assert recording.tracks[0].moments == [
        (2000, "p5#1 came late"),
        (3000, "p5 lost"),
        (3000, "gap of 3"),
        (4000, "loss is 20 % from now on"),
    ]


async def test_a_change_of_faults_can_be_jumped_to_and_is_no_line_of_the_log(tmp_path: Path) -> None:
    node = MemoryNode()
    async with taped(tmp_path / "a", node) as tape:
        await tape.pass_time(1.0)
        node.now(faults=FaultReport(Faults.parse("loss=20"), blocked={address(3): Direction.BOTH}))
        await tape.pass_time(1.0)
        node.now(faults=FaultReport(lost=7))
        await tape.pass_time(1.0)
        track = tape.finish().tracks[0]
    assert track.moments == [(1000, "faults loss=20, 1 peers blocked"), (2000, "faults off")]
    assert track.notes == []


async def test_what_no_file_can_hold_is_recorded_as_near_as_it_can(tmp_path: Path) -> None:
    node = MemoryNode(evicted_count=1 << 70, unsaved="no room in \udcff")
    async with taped(tmp_path / "a", node) as tape:
        node.happen(StateFailed("/var/\udcff", "disk full"))
        await tape.pass_time()
        recording = tape.finish()
    picture = pictures(recording)[0]
    assert (picture.evicted_count, picture.unsaved) == ((1 << 64) - 1, "no room in ?")
    assert recording.tracks[0].notes == [StateFailed("/var/?", "disk full")]


async def test_an_error_while_recording_ends_it_and_is_told(tmp_path: Path) -> None:
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    node = MemoryNode()
    async with taped(tmp_path / "a", node) as tape:
        node.hear("p2", "fine")
        await tape.pass_time()
        broken = node.hear("p2", "broken")
        broken.payload = object()  # type: ignore[assignment]
        await settle()
        assert not tape.recorder.is_running
    assert tape.ended == ["an internal error"]
    assert [type(error) for error in told] == [TypeError]
    assert [message.text for message in load(tape.path).tracks[0].messages] == ["fine"]


async def test_a_change_that_the_application_tells_of_is_one_moment_here_and_a_mark_elsewhere(
    tmp_path: Path,
) -> None:
    nodes = MemoryNode(), MemoryNode("p2", number=2)
    async with taped(tmp_path / "a", *nodes) as tape:
        for node in nodes:
            node.set_faults(Faults(loss=0.2))
        tape.recorder.word("faults in the whole swarm: loss=20", "change")
        for _ in range(4):
            await tape.pass_time()
        here, there = tape.finish().tracks
    assert [what for _, what in here.moments] == ["faults in the whole swarm: loss=20"]
    assert here.notes == [Word("change", "faults in the whole swarm: loss=20")]
    assert [what for _, what in there.moments] == ["faults loss=20"]


async def test_what_was_done_to_nodes_is_known_at_every_moment(tmp_path: Path) -> None:
    fates = [NodeState.CRASHED, NodeState.RUNNING]
    async with taped(tmp_path / "a", MemoryNode(), MemoryNode("p2", number=2), fates=fates) as tape:
        await tape.pass_time(1.0)
        await tape.pass_time(1.0)
        fates[:] = NodeState.RUNNING, NodeState.STOPPED
        tape.recorder.word("p1 is back", "change")
        await tape.pass_time(1.0)
        here, there = tape.finish().tracks
    assert here.fates == [(0, NodeState.CRASHED), (2000, NodeState.RUNNING)]
    assert there.fates == [(2000, NodeState.STOPPED)]
    assert [here.fate(at) for at in (0, 1999, 2000)] == ["crashed", "crashed", "running"]
    assert [there.fate(at) for at in (0, 2000, 3000)] == ["running", "stopped", "stopped"]


async def test_a_fate_that_only_a_later_version_knows_counts_as_none(tmp_path: Path) -> None:
    await story(tmp_path / "whole")
    records = unfolded((tmp_path / "whole").read_bytes())
    (tmp_path / "f").write_bytes(tape_of(records + Packer().pack([Kind.FATE, 9_000, 0, "enchanted", 7])))
    recording = load(tmp_path / "f")
    assert (recording.tracks[0].fates, recording.note) == ([(9_000, NodeState.RUNNING)], "")


async def test_a_recording_that_would_name_too_many_nodes_ends_before_and_can_be_read(tmp_path: Path) -> None:
    node, talk = MemoryNode(peers=()), Talk()
    crowd = [talk.say(f"n{number}", "hello") for number in range(NODES_LIMIT + 100)]
    async with taped(tmp_path / "a", node) as tape:
        node.hear("p2", "before")
        await tape.pass_time()
        for message in crowd:
            tape.recorder._take_message(0, message)
        tape.recorder.word("afterwards", "info")
        await tape.pass_time()
        assert not tape.recorder.is_running
    recording = load(tape.path)
    assert tape.ended == ["more nodes were heard of than a recording names"]
    assert (len(recording.nodes), recording.is_complete, recording.note) == (NODES_LIMIT, True, "")
    assert len(recording.tracks[0].messages) == NODES_LIMIT - 1
    assert recording.tracks[0].notes == []


async def test_words_of_the_application_are_recorded_where_a_person_sat(tmp_path: Path) -> None:
    async with taped(tmp_path / "a", MemoryNode(), MemoryNode("p2", number=2)) as tape:
        tape.recorder.word("strategy is now cyclon \ud800", "info")
        recording = tape.finish()
    assert [track.notes for track in recording.tracks] == [[Word("info", "strategy is now cyclon ?")], []]


async def test_a_node_that_comes_back_goes_on_in_its_place(tmp_path: Path) -> None:
    async with taped(tmp_path / "a", MemoryNode()) as tape:
        again = MemoryNode(incarnation=9)
        tape.nodes[0] = again
        await tape.pass_time()
        again.hear("p2", "the second life")
        await tape.pass_time()
        recording = tape.finish()
    (track,) = recording.tracks
    assert [node.incarnation for node in track.nodes] == [node_id("p1").incarnation, again.id.incarnation]
    assert pictures(recording)[-1].id == again.id
    assert [message.text for message in track.messages] == ["the second life"]


async def test_whole_pictures_come_now_and_then_and_seeking_finds_any(tmp_path: Path) -> None:
    node = MemoryNode()
    async with taped(tmp_path / "a", node) as tape:
        for cycle in range(100):
            node.now(cycle=cycle)
            await tape.pass_time(0.5)
        recording = tape.finish()
    (track,) = recording.tracks
    wholes = [frame.at for frame in track.frames if frame.is_whole]
    assert wholes == [0, 20_000, 40_000]
    for at in (49_000, 500, 20_500, 20_000, 33_250):
        assert track.picture(track.frame_index(at), recording.nodes).cycle == at // 500


# Files that end somewhere, or are none.


async def test_a_file_cut_at_any_byte_replays_up_to_there(tmp_path: Path) -> None:
    whole_recording = await story(tmp_path / "whole")
    data = (tmp_path / "whole").read_bytes()
    texts = [message.text for message in whole_recording.tracks[0].messages]
    furthest, opened, refused_last, durations = 0, 0, 0, set()
    for length in range(len(data)):
        path = tmp_path / "cut"
        path.write_bytes(data[:length])
        try:
            recording = load(path)
        except RecordingError:
            refused_last = length
            continue
        opened = opened or length
        assert not recording.is_complete
        assert "cut off: it may still be being written, or its program was killed" in recording.note
        assert recording.duration >= furthest
        furthest = recording.duration
        durations.add(furthest)
        found = [message.text for message in recording.tracks[0].messages]
        assert found == texts[: len(found)]
        pictures(recording)
    assert refused_last < opened
    assert furthest == whole_recording.duration
    assert durations == {0, 250, 1000, 2000, 3000, 4000, 5000}


async def test_any_change_of_a_file_is_replayed_or_refused_and_nothing_else(tmp_path: Path) -> None:
    await story(tmp_path / "whole")
    data = (tmp_path / "whole").read_bytes()
    rng = random.Random(7)
    for _ in range(300):
        changed = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        examine(tmp_path / "changed", bytes(changed))


async def test_any_change_of_its_records_is_replayed_or_refused_and_nothing_else(tmp_path: Path) -> None:
    await story(tmp_path / "whole")
    records = unfolded((tmp_path / "whole").read_bytes())
    rng = random.Random(8)
    for _ in range(600):
        changed = bytearray(records)
        for _ in range(rng.randint(1, 6)):
            changed[rng.randrange(len(changed))] = rng.choice((rng.randrange(256), 0xC0, 0xFF, 0xDD, 0x90))
        examine(tmp_path / "changed", tape_of(bytes(changed)))


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_no_recording(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "noise"
    path.write_bytes(random.Random(seed).randbytes(500))
    with pytest.raises(RecordingError, match="noise is no recording of gossip-tui"):
        load(path)


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ([MARK, VERSION + 1, 7], "is a recording of format 2, and this program reads format 1"),
        ([MARK, VERSION, {"source": 7}], "is a recording whose head is damaged"),
        ([MARK, VERSION, {"source": "run", "program": "1", "started_at": float("nan")}], "head is damaged"),
        (["another", VERSION, {}], "is no recording"),
        ({}, "is no recording"),
    ],
)
def test_what_is_not_read_is_said(tmp_path: Path, head: object, why: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(Packer().pack(head))
    with pytest.raises(RecordingError, match=why):
        load(path)


def test_an_empty_file_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"")
    with pytest.raises(RecordingError, match="is no recording"):
        load(path)


async def test_a_recording_without_a_picture_has_nothing_to_show(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(tape_of(b""))
    with pytest.raises(RecordingError, match="has nothing to show"):
        load(path)


async def test_records_of_unknown_kinds_and_longer_ones_are_skipped(tmp_path: Path) -> None:
    await story(tmp_path / "whole")
    records = unfolded((tmp_path / "whole").read_bytes())
    pack = Packer().pack
    path = tmp_path / "f"
    longer = pack([Kind.WORD, 0, 0, "info", "hi", ["p2"], "more"])
    path.write_bytes(tape_of(records + pack([99, 0, "later"]) + longer))
    recording = load(path)
    assert recording.tracks[0].notes[-1] == Word("info", "hi", ("p2",))
    assert recording.note == ""


@pytest.mark.parametrize(
    ("record", "what"),
    [
        ([Kind.DELIVERY, 0, 0, 0, 91, 1.0, 1, 0], "the message {}#91 is spoken of and not there"),
        ([Kind.DELIVERY, 0, 0, 0, "x", 1.0, 1, 0], "a number is out of range"),
        ([Kind.MESSAGE, 0], "its bytes make no sense"),
    ],
)
async def test_what_is_damaged_is_said_in_words(tmp_path: Path, record: list[object], what: str) -> None:
    await story(tmp_path / "whole")
    records = unfolded((tmp_path / "whole").read_bytes())
    (tmp_path / "f").write_bytes(tape_of(records + Packer().pack(record)))
    recording = load(tmp_path / "f")
    assert recording.note == f"damaged after 5.0 s: {what.format(recording.nodes[0].name)}"


async def test_words_of_older_recordings_name_no_nodes(tmp_path: Path) -> None:
    await story(tmp_path / "whole")
    records = unfolded((tmp_path / "whole").read_bytes())
    (tmp_path / "f").write_bytes(tape_of(records + Packer().pack([Kind.WORD, 0, 0, "change", "cut"])))
    assert load(tmp_path / "f").tracks[0].notes[-1] == Word("change", "cut")


def test_a_block_that_unfolds_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(tape_of(b"\xc0" * (8 << 20)))
    assert path.stat().st_size < 20_000
    with pytest.raises(RecordingError, match="unfolds without end"):
        load(path)


def test_what_follows_the_end_of_what_is_folded_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "more"
    folded = tape_of(Packer().pack([Kind.NODE, 0, "n", 1])).removesuffix(Packer().pack([""]))
    path.write_bytes(folded + Packer().pack(b"x"))
    with pytest.raises(RecordingError, match="something follows the end of what is folded"):
        load(path)


def test_endless_names_are_refused(tmp_path: Path) -> None:
    pack = Packer().pack
    path = tmp_path / "f"
    path.write_bytes(tape_of(b"".join(pack([Kind.NODE, 0, f"n{n}", n]) for n in range(NODES_LIMIT + 1))))
    with pytest.raises(RecordingError, match="too many nodes"):
        load(path)


def examine(path: Path, data: bytes) -> None:
    """Read whatever this is, and look at everything in it."""
    path.write_bytes(data)
    try:
        recording = load(path)
    except RecordingError:
        return
    for track in recording.tracks:
        for index in range(len(track.frames)):
            try:
                track.picture(index, recording.nodes)
            except RecordingError:
                continue
        assert all(message.clock for message in track.messages)


def unfolded(data: bytes) -> bytes:
    """All records of a recording."""
    source = Unpacker()
    source.feed(data)
    unfolding = zlib.decompressobj()
    return b"".join(unfolding.decompress(value) for value in source if isinstance(value, bytes))


def tape_of(records: bytes) -> bytes:
    """A recording in one block."""
    pack = Packer().pack
    head = [MARK, VERSION, {"source": "run", "program": "1", "started_at": NOON}]
    return pack(head) + pack(zlib.compress(records)) + pack([""])


# Files and their room.


async def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_text("precious")
    with pytest.raises(RecordingError, match="mine exists already and is kept: record to another name"):
        Taping("run", TapeOptions(path))
    assert path.read_text() == "precious"


def test_a_file_that_can_not_even_begin_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_fd: int, _data: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.write", full)
        with pytest.raises(RecordingError, match="a can't be written: No space left on device"):
            RecordingFile(tmp_path / "a", b"head")
    assert files_in(tmp_path) == []


async def test_a_recording_ends_in_order_at_its_limit_and_says_so(tmp_path: Path) -> None:
    node, rng = MemoryNode(), random.Random(7)
    async with taped(tmp_path / "a", node, limit=16_000) as tape:
        tape.recorder.file.when_failed(lambda: None)
        for _ in range(100):
            node.hear("p2", rng.randbytes(500))
            await tape.pass_time()
        tape.recorder.stop()
        tape.recorder.file.wait()
    assert tape.recorder.file.failure == "it reached its limit of 16,000 bytes"
    recording = load(tape.path)
    assert recording.is_complete
    assert tape.path.stat().st_size <= 16_000
    assert 20 <= len(recording.tracks[0].messages) < 100


@pytest.mark.parametrize(
    ("text", "size"), [("4096", 4096), ("10M", 10 << 20), ("500k", 500 << 10), ("1G", 1 << 30)]
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert size_of_text(text) == size


@pytest.mark.parametrize("text", ["", "M", "10X", "-1", "1.5M", "4095", "0", "²k"])
def test_other_sizes_are_refused(text: str) -> None:
    with pytest.raises(RecordingError):
        size_of_text(text)


class Seats:
    """What a taping records in these tests."""

    def __init__(self, *nodes: MemoryNode) -> None:
        self.recordable = nodes
        self.seats = tuple(node.id.name for node in nodes)
        self.seat = 0
        self.fates = (NodeState.RUNNING,) * len(nodes)


async def test_a_recording_without_a_name_gets_one_that_says_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    taping = Taping("run", wall_clock=lambda: NOON)
    taping.begin(Seats(MemoryNode("../p1")))
    names = []
    for _ in range(2):
        assert taping.toggle().startswith("recording to p1-2025")
        names.append(taping.path)
        taping.toggle()
    taping.close()
    await settle()
    assert all(name is not None and name.suffix == SUFFIX for name in names)
    assert len(set(names)) == 2
    assert sorted(path.name for path in files_in(tmp_path)) == sorted(str(name) for name in names)


async def test_a_second_name_while_recording_is_refused(tmp_path: Path) -> None:
    taping = Taping("run")
    taping.begin(Seats(MemoryNode()))
    taping.toggle(str(tmp_path / "a"))
    with pytest.raises(RecordingError, match="already: /record stops it"):
        taping.toggle(str(tmp_path / "b"))
    taping.close()
    assert [path.name for path in files_in(tmp_path)] == ["a"]


def test_a_file_that_was_never_recorded_to_is_removed(tmp_path: Path) -> None:
    Taping("run", TapeOptions(tmp_path / "a")).close()
    assert list(tmp_path.iterdir()) == []
