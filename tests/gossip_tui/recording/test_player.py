"""Moving through a recording: time, speed, steps, jumps; and what the screen's feed gives meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest

from gossip_tui.command import CommandError
from gossip_tui.drawing.line import plain
from gossip_tui.drawing.scrub_bar import position_at, scrub_line
from gossip_tui.notices import Notice
from gossip_tui.recording.feed import ReplayFeed
from gossip_tui.recording.player import Player, Scrub, clock_text, moment_of_text
from gossip_tui.shown import Update
from gossip_tui.theme import ASCII, UNICODE
from protocol.core.events import PeerLost, PeerSeen
from protocol.errors import StateError
from tests.gossip_tui.memory import MemoryNode
from tests.gossip_tui.samples import address, many_messages, node_id, snapshot

from .tapes import story, taped


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def texts(update: Update | None) -> list[str]:
    return [] if update is None else [message.text for message in update.messages]


def test_it_plays_at_its_speed_and_pauses_at_the_end() -> None:
    clock = Clock()
    player = Player(10_000, clock)
    player.play()
    for _ in range(4):
        clock.now += 0.5
        player.advance()
    assert player.position == 2_000
    player.shift_speed(2)
    clock.now += 1.0
    player.advance()
    assert (player.position, player.speed) == (6_000, 4.0)
    clock.now += 1.0
    player.advance()
    clock.now += 1.0
    player.advance()
    assert (player.position, player.is_playing) == (10_000, False)


def test_a_computer_that_slept_does_not_skip_the_story() -> None:
    clock = Clock()
    player = Player(1_000_000, clock)
    player.play()
    clock.now += 3_600
    player.advance()
    assert player.position == 1_000


def test_playing_at_the_end_starts_again() -> None:
    player = Player(1_000, Clock())
    player.seek(5_000)
    player.play()
    assert (player.position, player.is_playing, player.went_back) == (0, True, True)


def test_its_clock_never_goes_back() -> None:
    player = Player(100_000, Clock())
    seen = []
    for position in (5_000, 90_000, 10_000, 10_000, 0):
        player.seek(position)
        seen.append(player.elapsed)
    assert seen == sorted(seen)
    assert seen[2] - seen[1] >= 60


def test_speed_stays_within_its_steps() -> None:
    player = Player(1, Clock())
    player.shift_speed(-99)
    assert player.speed == 0.25
    player.shift_speed(99)
    assert player.speed == 32.0


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2:05", 125_000),
        ("1:02:05", 3_725_000),
        ("7", 7_000),
        ("7.5", 7_500),
        ("+10", 40_000),
        ("-10", 20_000),
        ("50%", 100_000),
    ],
)
def test_moments_are_read(text: str, moment: int) -> None:
    assert moment_of_text(text, 30_000, 200_000) == moment


@pytest.mark.parametrize("text", ["", "soon", "1:2:3:4", "++1", "٣", "1e3", "9" * 30, "1:99", "1:60:00"])
def test_other_moments_are_refused(text: str) -> None:
    with pytest.raises(CommandError, match="a moment is minutes and seconds"):
        moment_of_text(text, 0, 1)


def test_times_are_told_as_people_read_them() -> None:
    assert [clock_text(at) for at in (0, 59_999, 60_000, 3_600_000)] == ["0:00", "0:59", "1:00", "1:00:00"]


# The scrub bar.

SCRUB = Scrub(30_000, 120_000, 2.0, True, marks=(60_000, 119_000))


def test_the_bar_shows_where_it_is_and_what_is_worth_a_jump() -> None:
    assert plain(scrub_line(SCRUB, 60, UNICODE)) == (
        " playing 0:30 / 2:00  x2  ━━━━━━━━●───────!──────────────!─"
    )


def test_the_bar_says_what_was_jumped_to() -> None:
    scrub = Scrub(60_000, 120_000, 0.5, False, what="p5 lost")
    assert plain(scrub_line(scrub, 60, ASCII)) == (
        " paused  1:00 / 2:00  x0.5  ##########O...........  p5 lost"
    )


def test_hostile_words_do_no_harm() -> None:
    line = plain(scrub_line(Scrub(0, 1, 1.0, False, what="\x1b[2J[/]"), 60, UNICODE))
    assert line.endswith("␛[2J[/]")


@pytest.mark.parametrize("width", range(70))
def test_it_is_never_wider_than_its_room(width: int) -> None:
    assert len(plain(scrub_line(SCRUB, width, UNICODE))) <= width


def test_a_click_on_the_bar_stands_for_a_position() -> None:
    line = plain(scrub_line(SCRUB, 60, UNICODE))
    start, end = line.index("━"), len(line) - 1
    assert [position_at(x, SCRUB, 60) for x in (start - 1, start, end, end + 1)] == [None, 0, 120_000, None]


# The feed.


async def test_it_gives_what_came_in_the_time_that_went_by(tmp_path: Path) -> None:
    clock = Clock()
    feed = ReplayFeed(await story(tmp_path / "a"), clock)
    await feed.open()
    first = feed.poll()
    assert first is not None
    assert (first.moved, first.snapshot.cycle, texts(first)) == (True, 412, [])
    assert feed.poll() is None
    clock.now += 0.5
    assert texts(feed.poll()) == ["hello"]
    for _ in range(4):
        clock.now += 1.0
        feed.poll()
    clock.now += 1.0
    last = feed.poll()
    assert last is not None
    assert (last.moved, last.snapshot.cycle, texts(last)) == (False, 415, ["the end"])


async def test_going_back_brings_the_log_up_to_there_anew(tmp_path: Path) -> None:
    feed = ReplayFeed(await story(tmp_path / "a"), Clock())
    feed.seek(5_000)
    assert texts(feed.poll()) == ["hello", "answer [/] \x1b[31m", "the end"]
    feed.seek(2_500)
    update = feed.poll()
    assert update is not None
    assert (update.moved, update.snapshot.cycle, texts(update)) == (
        True,
        414,
        ["hello", "answer [/] \x1b[31m"],
    )
    assert [notice.text for notice in update.notices] == ["p2 127.0.0.1:8002 heard of"]


async def test_a_lost_peer_that_comes_back_is_heard_of_again_before_and_after_a_jump(tmp_path: Path) -> None:
    feed = ReplayFeed(await story(tmp_path / "a"), Clock())
    seen = PeerSeen(node_id("p2"), address(2))
    track = feed.track
    track.notes[:] = [seen, PeerLost(node_id("p2"), address(2), left=False), seen]
    track.note_times[:] = [0, 1, 2]
    words = [
        "p2 127.0.0.1:8002 heard of",
        "p2 lost: no answer, dialled again now and then",
        "p2 heard of again",
    ]
    for place in (5_000, 2_500):
        feed.seek(place)
        update = feed.poll()
        assert update is not None
        assert [notice.text for notice in update.notices] == words


async def test_steps_go_from_one_recorded_moment_to_the_next(tmp_path: Path) -> None:
    feed = ReplayFeed(await story(tmp_path / "a"), Clock())
    seen = []
    for _ in range(5):
        feed.step(1)
        seen.append(feed.player.position)
    assert seen == [250, 1_000, 2_000, 3_000, 4_000]
    feed.step(1)
    feed.step(-1)
    assert feed.player.position == 4_000
    feed.seek(0)
    with pytest.raises(CommandError, match="its start"):
        feed.step(-1)


async def test_jumps_stop_where_something_went_wrong_and_say_what(tmp_path: Path) -> None:
    feed = ReplayFeed(await story(tmp_path / "a"), Clock())
    seen = []
    for _ in range(3):
        feed.jump(1)
        seen.append((feed.player.position, feed.scrub().what))
    assert seen == [
        (2_000, "p5#1 came late"),
        (3_000, "p5 lost and 1 more"),
        (4_000, "loss is 20 % from now on"),
    ]
    with pytest.raises(CommandError, match="nothing came late, got lost or went wrong behind 0:04"):
        feed.jump(1)
    feed.jump(-1)
    assert feed.player.position == 3_000


async def test_a_held_message_is_held_then(tmp_path: Path) -> None:
    feed = ReplayFeed(await story(tmp_path / "a"), Clock())
    feed.seek(2_100)
    assert feed.poll().snapshot.held == ()  # type: ignore[union-attr]
    feed.seek(1_999)
    assert [held.text for held in feed.poll().snapshot.held] == ["waits"]  # type: ignore[union-attr]


async def test_a_swarm_can_be_watched_from_each_of_its_nodes(tmp_path: Path) -> None:
    nodes = [MemoryNode(name, number=number) for number, name in enumerate(("n01", "n02"), 1)]
    async with taped(tmp_path / "a", *nodes) as tape:
        nodes[1].hear("p9", "only at the second")
        await tape.pass_time()
        feed = ReplayFeed(tape.finish(), Clock())
    assert feed.seats == ("n01", "n02")
    feed.seek(1_000)
    assert texts(feed.poll()) == []
    feed.move(1)
    update = feed.poll()
    assert (texts(update), update.moved if update else None) == (["only at the second"], True)
    with pytest.raises(IndexError):
        feed.move(2)


async def test_nothing_can_be_asked_of_a_recording(tmp_path: Path) -> None:
    feed = ReplayFeed(await story(tmp_path / "a"), Clock())
    for ask in (
        lambda: feed.send("x"),
        lambda: feed.add("a:1"),
    ):
        with pytest.raises(StateError, match="this is a recording"):
            ask()
    for wait in (feed.join("a:1"), feed.leave()):
        with pytest.raises(StateError, match="this is a recording"):
            await wait


async def test_a_picture_that_can_not_be_read_leaves_the_one_before(tmp_path: Path) -> None:
    recording = await story(tmp_path / "a")
    track = recording.tracks[0]
    track.frames[3] = track.frames[3]._replace(data=b"\xc1")
    feed = ReplayFeed(recording, Clock())
    feed.seek(1_999)
    before = feed.poll()
    feed.seek(5_000)
    after = feed.poll()
    assert before is not None
    assert after is not None
    assert after.snapshot == before.snapshot
    assert "can't be read" in feed.scrub().note


def test_messages_and_notices_come_in_order() -> None:
    first, second, third = many_messages(3)
    notice = Notice("gap", second.delivered_at)
    last = Notice("lost", third.delivered_at + 9)
    update = Update(snapshot(), (first, second, third), (notice, last))
    assert list(update.in_order()) == [(first, second), notice, (third,), last]
    assert list(Update(snapshot(), (), (notice,)).in_order()) == [notice]
    assert list(Update(snapshot(), (first,)).in_order()) == [(first,)]
