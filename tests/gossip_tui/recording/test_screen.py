"""Recording and replaying on the screen: keys, commands, the scrub bar, and what is refused in words."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from gossip_tui.observed import NodeState
from gossip_tui.recording.feed import ReplayFeed
from gossip_tui.recording.reader import load
from gossip_tui.recording.taping import TapeOptions, Taping
from gossip_tui.screens.help import HelpScreen
from protocol.core.faults import Faults
from protocol.core.snapshot import ToldView
from protocol.core.view import Descriptor
from tests.gossip_tui.driving import NEVER, WIDE, CountingApp, Hands, driven
from tests.gossip_tui.memory import MemoryNode, settle
from tests.gossip_tui.samples import NOON, address, node_id
from tests.gossip_tui.screens.test_dialogs import drawn
from tests.gossip_tui.screens.test_space_time import signs_drawn

from .tapes import files_in, story, taped
from .test_player import Clock


class ReplayHands(Hands):
    """Drives a recording by a clock of its own."""

    def __init__(self, app: CountingApp, pilot: object, clock: Clock) -> None:
        super().__init__(app, pilot)  # type: ignore[arg-type]
        self.clock = clock

    async def wait(self, seconds: float) -> None:
        """Time goes by, in looks of half a second."""
        for _ in range(int(seconds * 2)):
            self.clock.now += 0.5
            await self.look()

    @property
    def scrub(self) -> str:
        assert self.app.main.scrub_bar is not None
        return self.app.main.scrub_bar.text


@asynccontextmanager
async def replayed(path: Path, size: tuple[int, int] = WIDE) -> AsyncIterator[ReplayHands]:
    clock = Clock()
    app = CountingApp(ReplayFeed(load(path), clock), tick_period=NEVER)
    async with app.run_test(size=size) as pilot:
        hands = ReplayHands(app, pilot, clock)
        await hands.look()
        yield hands


@pytest.fixture
async def tape(tmp_path: Path) -> Path:
    await story(tmp_path / "tape")
    return tmp_path / "tape"


# Recording.


async def test_f7_records_and_the_status_bar_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with driven() as driver:
        driver.node.hear("p2", "before it began")
        await driver.look()
        assert "REC" not in driver.status
        await driver.press("f7")
        assert "REC" in driver.status
        assert "recording to p1-" in driver.log
        driver.node.hear("p2", "while it ran")
        await driver.look()
        await driver.press("f7")
        assert "REC" not in driver.status
        assert "gossip-tui replay shows it" in driver.log
        driver.node.hear("p2", "afterwards")
        await driver.look()
    (path,) = files_in(tmp_path)
    recording = load(path)
    assert [message.text for message in recording.tracks[0].messages] == ["before it began", "while it ran"]
    assert recording.is_complete


async def test_a_frozen_screen_goes_on_being_recorded(tmp_path: Path) -> None:
    async with driven() as driver:
        await driver.enter(f"/record {tmp_path / 'a'}")
        await driver.press("f8")
        driver.node.hear("p2", "behind the ice")
        driver.node.now(cycle=999)
        await driver.look()
        assert "behind the ice" not in driver.log
        assert "REC" in driver.status
        assert "FROZEN" in driver.status
    track = load(tmp_path / "a").tracks[0]
    assert [message.text for message in track.messages] == ["behind the ice"]
    assert track.picture(len(track.frames) - 1, load(tmp_path / "a").nodes).cycle == 999


async def test_an_existing_file_is_refused_in_the_composer(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    async with driven() as driver:
        await driver.enter(f"/record {tmp_path / 'mine'}")
        assert "mine exists already and is kept" in driver.hint
        assert "REC" not in driver.status


async def test_a_recording_that_ends_by_itself_is_said_and_the_node_goes_on(tmp_path: Path) -> None:
    taping = Taping("run", TapeOptions(tmp_path / "a", limit=4_096))
    async with driven(taping=taping) as driver:
        assert "REC" in driver.status
        driver.node.hear("p2", Random(7).randbytes(5_000))
        await driver.look()
        recorder = taping._recorder
        assert recorder is not None
        recorder.tick()
        recorder.file._thread.join(30)
        await settle()
        await driver.look()
        assert "recording has ended: it reached its limit of 4,096 bytes" in driver.log
        assert "REC" not in driver.status
        await driver.enter("still here")
        assert driver.node.told[-1].text == "still here"


async def test_what_the_application_says_is_recorded(tmp_path: Path) -> None:
    async with driven() as driver:
        await driver.enter(f"/record {tmp_path / 'a'}")
        await driver.enter("/strategy cyclon")
    notes = load(tmp_path / "a").tracks[0].notes
    assert any("strategy is now" in str(note) for note in notes)


# Replaying.


async def test_a_recording_plays_in_the_same_panes(tape: Path) -> None:
    async with replayed(tape) as hands:
        assert "playing 0:00 / 0:05" in hands.scrub
        assert "hello" not in hands.log
        await hands.wait(2.5)
        assert "hello" in hands.log
        assert "p2" in hands.text
        assert "cycle 414" in hands.status
        await hands.wait(3.0)
        assert "the end" in hands.log
        assert "paused  0:05 / 0:05" in hands.scrub


async def test_the_status_bar_says_when_that_was_and_suggests_nothing(tmp_path: Path) -> None:
    node = MemoryNode(peers=(), view=())
    async with taped(tmp_path / "a", node) as tape:
        node.now(cycle=9)
        await tape.pass_time()
        node.now(left=True)
        await tape.pass_time()
        tape.finish()
    async with replayed(tmp_path / "a") as hands:
        assert "RECORDED 2025-06-1" in hands.status
        assert "No peer was in the view at this moment." in hands.text
        assert "No message had come by this moment." in hands.text
        await hands.enter("/seek 100%")
        assert hands.status.rstrip().endswith("left the network")
        assert "/join" not in hands.text


async def test_hostile_text_in_a_recording_does_no_harm(tape: Path) -> None:
    async with replayed(tape) as hands:
        await hands.enter("/seek 100%")
        assert "answer [/] ␛[31m" in hands.log


async def test_keys_pause_step_and_jump(tape: Path) -> None:
    async with replayed(tape) as hands:
        await hands.press("space")
        assert "paused" in hands.scrub
        await hands.press(*["right_square_bracket"] * 3)
        assert "0:02 / 0:05" in hands.scrub
        assert "answer" in hands.log
        await hands.press("left_square_bracket")
        assert "answer" not in hands.log
        await hands.press("right_curly_bracket", "right_curly_bracket")
        assert "p5 lost and 1 more" in hands.scrub
        await hands.press("left_curly_bracket")
        assert "p5#1 came late" in hands.scrub
        await hands.press("plus")
        assert "x2" in hands.scrub
        await hands.press("minus", "minus")
        assert "x0.5" in hands.scrub


async def test_keys_of_the_player_work_in_the_composer_as_long_as_it_is_empty(tape: Path) -> None:
    async with replayed(tape) as hands:
        await hands.enter("/seek 1")
        assert hands.focused == "composer-input"
        await hands.press(" ", "]")
        assert "paused  0:02 / 0:05" in hands.scrub
        await hands.press("[", "+", "}")
        assert "x2" in hands.scrub
        assert "p5#1 came late" in hands.scrub
        assert (hands.composer, hands.hint) == ("", "")
        assert "Space Play" in hands.rows[-1]
        await hands.type("/seek 0")
        assert "Space Play" not in hands.rows[-1]
        await hands.press(" ", "]")
        assert hands.composer == "/seek 0 ]"
        assert "p5#1 came late" in hands.scrub


async def test_a_command_begun_in_a_pane_of_a_recording_loses_no_letter(tape: Path) -> None:
    async with replayed(tape) as hands:
        await hands.press("space")
        assert hands.focused == "log"
        await hands.type("/order")
        assert hands.composer == "/order"


async def test_going_back_takes_lines_away_again(tape: Path) -> None:
    async with replayed(tape) as hands:
        await hands.enter("/seek 100%")
        assert "the end" in hands.log
        assert "3 messages are missing here for good" in hands.log
        await hands.enter("/seek 1")
        assert "the end" not in hands.log
        assert "missing here" not in hands.log
        assert "hello" in hands.log


async def test_notices_stand_where_they_came(tape: Path) -> None:
    async with replayed(tape) as hands:
        await hands.enter("/seek 100%")
        log = hands.log
        assert log.index("hello") < log.index("p5 lost") < log.index("the end")


async def test_a_click_on_the_bar_goes_there(tape: Path) -> None:
    async with replayed(tape) as hands:
        bar = hands.app.main.scrub_bar
        assert bar is not None
        await hands.pilot.click(bar, offset=(bar.size.width - 2, 0))
        await hands.look()
        assert "0:05 / 0:05" in hands.scrub


async def test_a_recording_says_that_it_is_one_and_refuses_gossip(tape: Path) -> None:
    async with replayed(tape) as hands:
        assert hands.focused == "log"
        assert "this is a recording" in hands.text
        await hands.enter("hello?")
        assert hands.hint == "this is a recording: nothing can be sent or changed in it"


@pytest.mark.parametrize(
    "line",
    ["/join 127.0.0.1:1", "/add 127.0.0.1:1", "/leave", "/strategy cyclon", "/dissemination tree", "/record"],
)
async def test_what_needs_a_live_node_is_refused_in_words(tape: Path, line: str) -> None:
    async with replayed(tape) as hands:
        await hands.enter(line)
        assert hands.hint.endswith("needs a live node, and this is a recording")


async def test_what_is_not_there_has_no_key_and_stands_in_no_help(tape: Path) -> None:
    async with replayed(tape) as hands:
        shown = hands.rows[-1]
        assert "Record" not in shown
        assert "Space Play" in shown
        await hands.press("f7")
        assert not hands.app.taping.is_running
        await hands.enter("/help")
        assert isinstance(hands.app.screen, HelpScreen)
        text = drawn(hands.app.screen.body())
        assert "/seek" in text
        assert "/join" not in text
    async with driven() as driver:
        assert "Play" not in driver.rows[-1]


async def test_commands_of_the_panes_work_in_a_recording(tape: Path) -> None:
    async with replayed(tape) as hands:
        await hands.enter("/seek 100%")
        await hands.enter("/filter from:p5")
        assert "answer" in hands.log
        assert "hello" not in hands.log
        await hands.enter("/sort name")
        await hands.press("f10")
        await hands.enter("/quit")
        assert not hands.app.is_running or hands.app._exit


async def test_a_recorded_swarm_is_watched_from_another_seat(tmp_path: Path) -> None:
    nodes = [MemoryNode(name, number=number) for number, name in enumerate(("n01", "n02"), 1)]
    async with taped(tmp_path / "a", *nodes) as tape:
        nodes[1].hear("p9", "only at the second")
        await tape.pass_time()
        tape.finish()
    async with replayed(tmp_path / "a") as hands:
        await hands.enter("/seek 100%")
        assert "only at" not in hands.log
        await hands.press("escape", "f9")
        assert "only at" in hands.log
        assert hands.status.startswith(" n02 ")


async def test_the_space_time_diagram_follows_both_ways(tape: Path) -> None:
    async with replayed(tape) as hands:
        await hands.press("space", "f4")
        await hands.enter("/seek 100%")
        assert hands.app.main.space_time.visible_text[0].split() == ["p1", "p2", "p5"]
        assert "p1 ← p2#2" in hands.text
        await hands.enter("/seek 1")
        assert "p1 ← p2#2" not in hands.text
        assert "p1 ← p2#1" in hands.text
        assert hands.app.main.space_time.visible_text[0].split() == ["p1", "p2"]


async def test_rates_stand_still_while_it_is_paused(tape: Path) -> None:
    async with replayed(tape) as hands:
        await hands.press("space")
        for _ in range(50):
            await hands.look()
        assert len(hands.app._recent._samples) == 1


async def test_the_diagram_of_a_recorded_swarm_shows_all_its_nodes_up_to_the_moment(tmp_path: Path) -> None:
    nodes = [MemoryNode(name, number=number, view=()) for number, name in enumerate(("n01", "n02"), 1)]
    for node, other in (nodes, nodes[::-1]):
        node.now(view=(Descriptor(other.id, address(9), 4),))
    async with taped(tmp_path / "a", *nodes) as tape:
        await tape.pass_time(1.0)
        nodes[1].deliver(nodes[0].hear("n01", "first", delivered_at=NOON + tape.now))
        await tape.pass_time(1.0)
        nodes[1].deliver(nodes[0].hear("n01", "second", delivered_at=NOON + tape.now))
        await tape.pass_time(1.0)
        tape.finish()
    async with replayed(tmp_path / "a") as hands:
        await hands.enter("/seek 100%")
        await hands.press("f4")
        assert "all 2 nodes" in hands.text
        assert "n01#1 first" in hands.text
        assert "n01#2 second" in hands.text
        assert "n02 ← n01#1" in hands.text
        await hands.enter("/seek 0:01.5")
        await hands.look()
        assert "n01#1 first" in hands.text
        assert "n01#2 second" not in hands.text
        await hands.press("f5")
        assert "all 2 views" in hands.text
        assert "links 2" in hands.text


async def test_what_was_changed_is_marked_in_the_replayed_diagram_at_its_time(tmp_path: Path) -> None:
    one, two = MemoryNode("n01", peers=()), MemoryNode("n02", number=2, peers=())
    async with taped(tmp_path / "a", one, two) as tape:
        first = one.deliver(one.talk.say(one.id, "before", delivered_at=NOON))
        two.deliver(first)
        await tape.pass_time(2.0)
        tape.recorder.word("n02 crashed", "change", ["n02"])
        await tape.pass_time(2.0)
        one.deliver(one.talk.say(one.id, "after", first, delivered_at=NOON + tape.now))
        await tape.pass_time(2.0)
        tape.finish()
    async with replayed(tmp_path / "a") as hands:
        await hands.press("f4")
        assert not any("═" in line for line in hands.app.main.space_time.visible_text)
        await hands.wait(5)
        lines = [line.rstrip() for line in hands.app.main.space_time.visible_text]
        assert [line[:9].rstrip() for line in lines[1:5]] == ["  ●─╮ │", "  │ ╰─►", "══╪═══■══", "  ●   │"]
        assert lines[3].endswith("n02 crashed")
        hands.app.seek(1_000)
        await hands.look()
        assert [line[:9].rstrip() for line in hands.app.main.space_time.visible_text[1:4]] == [
            "  ●─╮ │",
            "  │ ╰─►",
            "",
        ]


async def test_a_replay_names_the_faults_of_all_recorded_nodes(tmp_path: Path) -> None:
    nodes = [MemoryNode(f"n{number:02}", number=number, peers=()) for number in (1, 2, 3)]
    fates = [NodeState.RUNNING] * 3
    async with taped(tmp_path / "a", *nodes, fates=fates) as tape:
        for number in range(4):
            if number == 1:
                nodes[1].set_faults(Faults(loss=0.2))
            elif number == 2:
                fates[2] = NodeState.CRASHED
            elif number == 3:
                nodes[0].block([address(3)])
            for _ in range(8):
                await tape.pass_time()
        tape.finish()
    async with replayed(tmp_path / "a") as hands:
        seen = []
        await hands.wait(1.5)
        for _ in range(4):
            found = re.search("FAULTS: (.*?) │", hands.status)
            seen.append(found[1] if found else "")
            await hands.wait(2.0)
    assert seen == [
        "",
        "1 other node disturbed",
        "1 crashed, 1 other node disturbed",
        "cut in two, 1 crashed, 1 other node disturbed",
    ]


async def test_a_replayed_lane_ends_with_its_node_and_another_begins_with_the_next(
    tmp_path: Path,
) -> None:
    one, two = MemoryNode("n01", peers=()), MemoryNode("n02", number=2, peers=())
    fates = [NodeState.RUNNING] * 2
    async with taped(tmp_path / "a", one, two, fates=fates) as tape:

        async def tell(text: str) -> None:
            two.deliver(one.deliver(one.talk.say(one.id, text, delivered_at=NOON + tape.now)))
            await tape.pass_time(2.0)

        await tell("both")
        fates[1] = NodeState.CRASHED
        tape.recorder.word("n02 crashed", "change", ["n02"])
        await tape.pass_time(2.0)
        one.deliver(one.talk.say(one.id, "alone", delivered_at=NOON + tape.now))
        await tape.pass_time(2.0)
        two = tape.nodes[1] = MemoryNode("n02", number=2, incarnation=1, peers=())
        fates[1] = NodeState.RUNNING
        tape.recorder.word("n02 is back", "change", ["n02"])
        await tape.pass_time(2.0)
        await tell("again")
        tape.finish()
    async with replayed(tmp_path / "a") as hands:
        await hands.press("f4")
        await hands.enter("/seek 100%")
        assert signs_drawn(hands) == ["●│", "│►", "╪■", "●", "╪■", "●│", "│►"]


async def test_the_replayed_overlay_shows_cuts_and_crashes_of_its_time(tmp_path: Path) -> None:
    nodes = [MemoryNode(f"n{number:02}", number=number, peers=()) for number in (1, 2, 3)]
    fates = [NodeState.RUNNING] * 3
    for node in nodes:
        node.now(view=tuple(Descriptor(one.id, one.picture.address, 1) for one in nodes if one is not node))
    async with taped(tmp_path / "a", *nodes, fates=fates) as tape:
        for _ in range(4):
            await tape.pass_time(0.5)
        nodes[0].block([address(2)])
        fates[2] = NodeState.CRASHED
        tape.recorder.word("n03 crashed", "change", ["n03"])
        for _ in range(8):
            await tape.pass_time(0.5)
        tape.finish()
    async with replayed(tmp_path / "a") as hands:
        await hands.press("f5")
        assert not any(sign in hands.text for sign in "□╱×")
        await hands.wait(4)
        assert "□ cut: 2 here, 1 beyond" in hands.text
        assert "× crashed: n03" in hands.text
        hands.app.feed.move(2)
        await hands.look()
        assert "│ ! crashed" in hands.app.main.status_bar.text
        hands.app.seek(1_000)
        await hands.look()
        assert "live" in hands.app.main.status_bar.text


@pytest.mark.parametrize("pane", ["f2", "f3", "f4"])
async def test_in_a_recording_letters_go_to_the_composer_and_keys_of_the_player_do_not(
    tape: Path, pane: str
) -> None:
    async with replayed(tape) as hands:
        await hands.press(pane)
        await hands.press("space", "]", "+")
        assert (hands.composer, hands.focused) == ("", hands.app.main.active_pane.id)
        await hands.type("What? x7")
        assert (hands.composer, hands.focused) == ("What? x7", "composer-input")
        await hands.press("enter")
        assert hands.app.screen is hands.app.main
        assert hands.hint == "this is a recording: nothing can be sent or changed in it"


async def test_the_replayed_overlay_of_a_single_node_shows_what_its_peers_told(tmp_path: Path) -> None:
    def told(number: int) -> tuple[ToldView, ...]:
        return (ToldView(node_id("p2"), (Descriptor(node_id(f"p{number}"), address(number), 3),), 1.0),)

    node = MemoryNode(told=told(98))
    async with taped(tmp_path / "a", node) as tape:
        await tape.pass_time(2.0)
        node.now(told=told(99))
        await tape.pass_time(2.0)
        tape.finish()
    async with replayed(tmp_path / "a") as hands:
        await hands.press("f5")
        assert ("p98" in hands.text, "p99" in hands.text) == (True, False)
        assert "own view, 1 peers told" in hands.text
        await hands.wait(3)
        assert "p99" in hands.text
