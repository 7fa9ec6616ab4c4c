"""The guided tour: when a step is done, what the panel says, who leads through it, and what is remembered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gossip_tui import tour_memory
from gossip_tui.drawing.line import plain, width_of
from gossip_tui.drawing.tour_panel import choice_at, tour_lines, waiting_line
from gossip_tui.theme import ASCII, UNICODE
from gossip_tui.tour import STEPS, Sight, Tour
from gossip_tui.tour_memory import remember_tour, state_folder, tour_is_remembered
from tests.gossip_tui.driving import STACKED, WIDE, Driver, driven
from tests.gossip_tui.memory import MemoryNode

START = Sight(sent=4, watched=2, opened=1, strategy="a")
DONE = (
    {"sent": 5},
    {"sent": 6, "watched": 6},
    {"is_cut": True, "sent_before_cut": 6, "sent": 7, "watched": 7},
    {"is_cut": False},
    {"opened": 2},
    {"strategy": "b"},
)
"""What is to be seen once each step is done, after those before it."""


@pytest.fixture(autouse=True)
def own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "gossip-tui"


# The steps.


def test_six_steps_follow_one_another_as_they_are_done() -> None:
    tour, sight, titles = Tour(START), START, []
    assert not tour.observe(sight)
    for change in DONE:
        assert tour.step is not None
        titles.append(tour.step.title)
        assert not tour.observe(sight)
        sight = replace(sight, **change)
        assert tour.observe(sight)
    assert titles == [step.title for step in STEPS]
    assert len(titles) == 6
    assert tour.step is None
    assert not tour.observe(sight)


@pytest.mark.parametrize("number", range(6))
def test_what_other_steps_ask_for_does_not_do_a_step(number: int) -> None:
    then = replace(START, is_cut=number == 3)
    others: dict[str, object] = {"sent": 9, "watched": 4, "opened": 9, "strategy": "z"}
    tour = Tour(then, STEPS[number:])
    for field in others.keys() - DONE[number].keys():
        assert not tour.observe(replace(then, **{field: others[field]}))  # type: ignore[arg-type]


def test_a_step_that_was_left_counts_from_where_the_next_one_began() -> None:
    tour = Tour(START)
    tour.go_on(replace(START, sent=7))
    assert (tour.number, tour.count) == (2, 6)
    assert not tour.observe(replace(START, sent=8, watched=7))
    assert tour.observe(replace(START, sent=8, watched=8))


@pytest.mark.parametrize(("watched", "is_done"), [(5, False), (6, False), (7, True)])
def test_a_cut_is_seen_by_a_wave_that_began_after_it(watched: int, is_done: bool) -> None:
    tour = Tour(START, STEPS[2:])
    cut = replace(START, sent=7, sent_before_cut=6, is_cut=True)
    assert tour.observe(replace(cut, watched=watched)) is is_done


def test_a_cut_that_is_made_late_can_still_be_healed() -> None:
    tour = Tour(START, STEPS[3:])
    assert not tour.observe(START)
    assert not tour.observe(replace(START, is_cut=True))
    assert tour.observe(START)


# What the panel says.


def said(number: int, width: int, *, ascii_only: bool = False) -> list[str]:
    glyphs = ASCII if ascii_only else UNICODE
    lines = tour_lines(STEPS[number - 1], number, 6, "Causal log (F3)", width, glyphs)
    assert all(width_of(line) <= width for line in lines)
    return [plain(line) for line in lines]


def test_in_a_wide_terminal_the_keys_stand_beside_the_title() -> None:
    assert said(4, 90) == [
        " Tour 4/6  Heal it  ► Causal log (F3)                    ^n Next  ^t Skip  ^o Never again ",
        " Both halves talk on, and neither hears the other. After some seconds type /heal: what",
        " was said over there comes late, marked », and is inserted where it belongs.",
    ]


def test_in_a_narrow_terminal_they_have_a_line_of_their_own() -> None:
    assert said(5, 60, ascii_only=True) == [
        " Tour 5/6  Find two concurrent messages  > Causal log (F3)",
        " | marks a message that is concurrent with the one above:",
        " neither author knew of the other's. Press F3, go to one",
        " with Up, and open it with Enter.",
        " ^n Next  ^t Skip  ^o Never again ",
    ]


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("width", [60, 80, 140])
def test_a_step_takes_five_lines_at_the_most_and_plain_signs_if_told(number: int, width: int) -> None:
    assert len(said(number, width)) <= 5
    assert all(line.isascii() for line in said(number, width, ascii_only=True))


def test_without_room_one_line_says_how_much_it_needs() -> None:
    assert plain(waiting_line(50, 60, 18, UNICODE)) == " The tour needs 60 x 18 cells  ^t Skip"
    assert plain(waiting_line(20, 60, 18, ASCII)) == " The tour needs 60 ~"


def test_a_click_finds_the_key_that_is_written_there() -> None:
    line = " ^n Next  ^t Skip  ^o Never again "
    found = [choice.action if (choice := choice_at(line, x)) else "" for x in (0, 1, 7, 8, 10, 19, 40)]
    assert found == ["", "next", "next", "", "skip", "never", ""]


# Through the application.


class Clock:
    """Seconds that a test lets go by."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def swarm() -> tuple[MemoryNode, ...]:
    nodes = [MemoryNode(f"n{number:02d}", number=number) for number in range(1, 5)]
    return tuple(nodes)


def panel(driver: Driver) -> str:
    return driver.app.main.tour_panel.text if driver.app.main.tour_panel.display else ""


def pointed(driver: Driver) -> list[str | None]:
    return [pane.id for pane in driver.app.main.panes if pane.has_class("-pointed")]


@pytest.mark.parametrize("size", [WIDE, STACKED])
async def test_a_person_does_all_six_steps(size: tuple[int, int], own_state_folder: Path) -> None:
    clock = Clock()
    async with driven(*swarm(), size=size, tour=True, clock=clock) as driver:
        assert "Tour 1/6  Say something  ► Causal log (F3)" in driver.text
        assert pointed(driver) == ["log"]
        await driver.type("hello")
        await driver.press("enter")
        assert "Tour 2/6" in panel(driver)
        assert (pointed(driver), driver.focused) == (["overlay"], "composer-input")
        assert "► Overlay" in driver.text
        clock.now += 10.0
        await driver.look()
        assert "Tour 2/6" in panel(driver), "what was said before is not what the step asks for"
        await driver.enter("once more")
        assert "Tour 2/6" in panel(driver), "the wave has just begun"
        clock.now += 10.0
        await driver.look()
        assert "Tour 3/6" in panel(driver)
        await driver.enter("said before the cut")
        await driver.enter("/partition")
        clock.now += 10.0
        await driver.look()
        assert "Tour 3/6" in panel(driver), "nothing was said after the cut"
        await driver.enter("to one half")
        assert "Tour 3/6" in panel(driver), "the wave has just begun"
        clock.now += 10.0
        await driver.look()
        assert "Tour 4/6" in panel(driver)
        assert pointed(driver) == ["log"]
        mine = driver.node.told[-1]
        driver.node.deliver(driver.node.talk.say("n04", "over here"))
        await driver.enter("/heal")
        assert "Tour 5/6" in panel(driver)
        assert driver.node.told[-1].clock.compare(mine.clock).name == "CONCURRENT"
        await driver.press("f3", "home", "enter", "escape")
        assert "Tour 6/6" in panel(driver)
        assert pointed(driver) == ["view"]
        await driver.enter("/strategy cyclon")
        assert (panel(driver), pointed(driver)) == ("", [])
        assert "that was the tour: F1 explains" in driver.log
    assert tour_is_remembered()
    assert (own_state_folder / "tour-seen").read_bytes() == b""


async def test_without_being_asked_there_is_no_tour_and_its_keys_do_nothing() -> None:
    async with driven(*swarm()) as driver:
        before = driver.text
        await driver.press("ctrl+n", "ctrl+t", "ctrl+o")
        assert driver.text == before
        await driver.enter("/tour next")
        assert driver.hint == "there is no tour now: /tour begins it"
    assert not tour_is_remembered()


async def test_a_key_goes_on_without_the_step_being_done_and_typing_is_never_disturbed() -> None:
    async with driven(*swarm(), tour=True) as driver:
        await driver.type("half a li")
        await driver.press("ctrl+n")
        await driver.type("ne")
        assert "Tour 2/6" in panel(driver)
        assert (driver.composer, driver.focused) == ("half a line", "composer-input")
        for _ in range(4):
            await driver.press("ctrl+n")
        assert "Tour 6/6" in panel(driver)
        await driver.press("ctrl+n")
        assert panel(driver) == ""
    assert tour_is_remembered()


async def test_what_is_skipped_comes_again_and_what_is_forgone_does_not() -> None:
    async with driven(*swarm(), tour=True) as driver:
        await driver.press("ctrl+t")
        assert (panel(driver), pointed(driver)) == ("", [])
        assert "tour skipped: /tour shows it again" in driver.log
        assert not tour_is_remembered()
        await driver.enter("/tour")
        assert "Tour 1/6" in panel(driver)
        await driver.press("ctrl+o")
        assert panel(driver) == ""
        assert "no demo begins with the tour any more" in driver.log
    assert tour_is_remembered()


async def test_a_click_on_a_key_does_the_same() -> None:
    async with driven(*swarm(), tour=True) as driver:
        tour = driver.app.main.tour_panel
        x = tour.text.split("\n")[0].index("^n")
        await driver.pilot.click("#tour", offset=(x, 0))
        await driver.look()
        assert "Tour 2/6" in panel(driver)
        await driver.pilot.click("#tour", offset=(1, 1))
        await driver.look()
        assert "Tour 2/6" in panel(driver)


async def test_what_the_node_says_by_itself_and_moving_to_another_are_no_steps() -> None:
    nodes = swarm()
    nodes[1].send_gossip("said long ago")
    async with driven(*nodes, tour=True) as driver:
        driver.node.send_gossip("the swarm chats")
        await driver.look()
        assert "the swarm chats" in driver.log
        assert "Tour 1/6" in panel(driver)
        await driver.press("f9")
        assert "said long ago" in driver.log
        assert "Tour 1/6" in panel(driver)


@pytest.mark.parametrize(("size", "frames"), [((80, 24), 1), ((60, 18), 1), ((140, 40), 1)])
async def test_the_panel_covers_no_pane(size: tuple[int, int], frames: int) -> None:
    async with driven(*swarm(), tour=True, size=size) as driver:
        for number in range(1, 7):
            assert f"Tour {number}/6" in panel(driver)
            main = driver.app.main
            (pane,) = [one for one in main.panes if one.has_class("-pointed")]
            assert pane.region.height >= 4
            others = [main.tour_panel, main.composer, main.status_bar]
            assert not any(pane.region.overlaps(one.region) for one in others)
            assert driver.text.count("► ") == 2 * frames, driver.text
            assert [line in driver.text for line in panel(driver).split("\n")]
            await driver.press("ctrl+n")


@pytest.mark.parametrize("size", [(59, 18), (60, 17), (30, 10)])
async def test_a_small_terminal_leaves_it_out_and_a_larger_one_shows_it_again(size: tuple[int, int]) -> None:
    async with driven(*swarm(), tour=True, size=size) as driver:
        assert panel(driver).startswith(" The tour needs 60 x 18")
        assert driver.app.main.tour_panel.region.height == 1
        await driver.pilot.resize_terminal(80, 24)
        await driver.look()
        assert "Tour 1/6" in driver.text


async def test_with_plain_signs_the_frame_says_it_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with driven(*swarm(), tour=True, ascii=True, size=STACKED) as driver:
        assert "> Causal log" in driver.text
        assert all(line.isascii() for line in driver.rows)


async def test_the_focus_is_not_left_in_a_pane_that_is_hidden() -> None:
    async with driven(*swarm(), tour=True) as driver:
        await driver.press("f3", "ctrl+n")
        assert driver.focused == "overlay"


async def test_one_node_alone_and_a_recording_have_no_tour() -> None:
    async with driven() as driver:
        await driver.enter("/tour")
        assert driver.hint.startswith("there is no /tour")


# What is remembered.


def test_it_is_remembered_in_the_state_folder_of_the_person(own_state_folder: Path) -> None:
    assert not tour_is_remembered()
    remember_tour()
    assert tour_is_remembered()
    assert (own_state_folder / "tour-seen").stat().st_mode & 0o777 == 0o600
    remember_tour()


def test_where_nothing_can_be_written_it_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    remember_tour()
    assert not tour_is_remembered()


def test_without_a_home_it_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(tour_memory, "state_folder", homeless)
    remember_tour()
    assert not tour_is_remembered()


@pytest.mark.parametrize(
    ("environment", "platform", "folder"),
    [
        ({"XDG_STATE_HOME": "/state"}, "linux", "/state/gossip-tui"),
        ({"XDG_STATE_HOME": "relative"}, "linux", "/home/ada/.local/state/gossip-tui"),
        ({}, "linux", "/home/ada/.local/state/gossip-tui"),
        ({}, "darwin", "/home/ada/Library/Application Support/gossip-tui"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/gossip-tui"),
    ],
)
def test_each_system_has_its_own_place(environment: dict[str, str], platform: str, folder: str) -> None:
    assert state_folder(environment, platform, Path("/home/ada")) == Path(folder)
