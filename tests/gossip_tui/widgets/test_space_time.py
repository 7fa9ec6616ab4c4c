from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot

from gossip_tui.drawing.moments import Mark
from gossip_tui.theme import ASCII, UNICODE, Glyphs
from gossip_tui.widgets.space_time import SpaceTimePane
from tests.gossip_tui.samples import node_id
from tests.gossip_tui.swarms import SwarmOf
from tests.gossip_tui.widgets.harness import PaneApp, shown

NEVER = 3_600.0


@asynccontextmanager
async def diagram(
    swarm: SwarmOf, size: tuple[int, int] = (60, 12), glyphs: Glyphs = UNICODE
) -> AsyncIterator[tuple[SpaceTimePane, Pilot[None]]]:
    pane = SpaceTimePane(swarm.deliveries, period=NEVER, glyphs=glyphs)
    async with shown(pane, size) as pilot:
        yield pane, pilot


def lines(pane: SpaceTimePane) -> list[str]:
    return [line.rstrip() for line in pane.visible_text if line.strip()]


def talking(count: int = 4, *names: str) -> SwarmOf:
    """A calm conversation, every event of which has its row."""
    swarm = SwarmOf(*(names or ("p1", "p2")))
    everybody = list(swarm.delivered)
    for number in range(count):
        swarm.tell(everybody[number % len(everybody)].name, f"text {number}")
        swarm.now += 10
    return swarm


async def test_before_anything_happened_the_pane_says_so() -> None:
    async with diagram(SwarmOf("p1")) as (pane, _):
        assert lines(pane)[0].startswith(" Nothing happened yet")
        assert str(pane.border_title) == "Space-time  seen from p1"


async def test_what_happens_is_drawn_at_the_next_look() -> None:
    swarm = SwarmOf("p1", "p2")
    async with diagram(swarm) as (pane, _):
        swarm.tell("p1", "hello")
        pane.look()
        assert lines(pane) == [
            "  p1  p2",
            "  ●─╮ │   p1#1 hello                                {p1:1}",
            "  │ ╰─►   p2 ← p1#1                                 {p1:1}",
        ]
        assert str(pane.border_title) == "Space-time  all 2 nodes"


async def test_in_ascii_only_ascii_is_drawn() -> None:
    async with diagram(talking(), glyphs=ASCII) as (pane, pilot):
        await pilot.press("up", "up")
        assert all(line.isascii() for line in lines(pane))


async def test_nothing_is_asked_and_nothing_drawn_while_nobody_sees_it() -> None:
    swarm = talking()
    async with diagram(swarm) as (pane, pilot):
        pane.display = False
        await pilot.pause()
        asked = swarm.asked
        swarm.tell("p1", "unseen")
        pane.look()
        assert swarm.asked == asked
        pane.display = True
        await pilot.pause()
        assert swarm.asked == asked + 1
        assert any("unseen" in line for line in lines(pane))


async def test_a_timer_looks_only_while_the_pane_can_be_seen() -> None:
    async with diagram(talking()) as (pane, pilot):
        timer = pane._timer
        assert timer is not None
        assert timer._active.is_set()
        pane.display = False
        await pilot.pause()
        assert not timer._active.is_set()


async def test_when_nothing_happened_nothing_is_drawn() -> None:
    async with diagram(talking()) as (pane, _):
        drawn = pane._drawn
        pane.look()
        assert pane._drawn is drawn


async def test_what_was_changed_is_drawn_at_the_next_look_once() -> None:
    swarm = talking(1)
    swarm.change("cut", "p2")
    async with diagram(swarm) as (pane, _):
        swarm.now += 1
        swarm.change("healed", "p1", "p2")
        pane.look()
        pane.look()
        swarm.tell("p2", "again")
        pane.look()
        rules = [line.split(maxsplit=2)[::2] for line in lines(pane) if "══" in line]
        assert rules == [["══╪═══■══", "cut"], ["══■═══■══", "healed"]]
        assert lines(pane)[-2].startswith("  │   ●─╮ p2#1 again")


async def test_the_cursor_on_a_change_marks_nothing_and_stays_on_it() -> None:
    swarm = talking(2)
    swarm.change("cut", "p2")
    async with diagram(swarm) as (pane, pilot):
        await pilot.press("up")
        assert pane.selected is None
        before = pane._diagram._row_under_cursor
        await pilot.press("enter", "c", "e")
        swarm.tell("p1", "on")
        pane.look()
        after = pane._diagram._row_under_cursor
        assert isinstance(before, Mark)
        assert isinstance(after, Mark)
        assert (before.change, pane.following) == (after.change, False)
        await pilot.press("up")
        assert pane.selected is not None


async def test_a_change_that_is_undone_by_going_back_in_time_goes() -> None:
    swarm = talking(2)
    swarm.change("cut", "p2")
    async with diagram(swarm) as (pane, _):
        assert any("cut" in line for line in lines(pane))
        swarm.changes.clear()
        pane.look()
        assert not any("cut" in line for line in lines(pane))


async def test_the_newest_event_is_in_sight_until_somebody_moves_up() -> None:
    swarm = talking(20)
    async with diagram(swarm) as (pane, pilot):
        assert "p1 ← p2#10" in lines(pane)[-1]
        await pilot.press("up", "up", "up")
        before = lines(pane)[1:-1]
        swarm.tell("p1", "new")
        pane.look()
        assert lines(pane)[1:-1] == before
        assert lines(pane)[-1] == " ▼ 2 new below, End to follow"
        await pilot.press("end")
        assert "p2 ← p1#11" in lines(pane)[-1]
        assert pane.selected is None


async def test_the_cursor_marks_past_and_future_of_its_event() -> None:
    async with diagram(talking(2)) as (pane, pilot):
        await pilot.press("up", "up")
        assert pane.selected is not None
        assert [line[:9].rstrip() for line in lines(pane)] == [
            "  p1  p2",
            "  ▲─╮ │",
            "  │ ╰─△",
            "  │   ◉─╮",
            "  ▽───┼─╯",
        ]
        assert lines(pane)[0].endswith("▲ past ▼ future ◆ concurrent")


async def test_what_happens_later_is_marked_too_while_the_cursor_stays() -> None:
    swarm = talking(1)
    async with diagram(swarm) as (pane, pilot):
        await pilot.press("up", "up")
        aside = swarm.say("p3", "aside")
        swarm.reach(aside, "p1")
        swarm.now += 10
        swarm.tell("p2", "after it")
        pane.look()
        assert [line[:14].rstrip() for line in lines(pane)[1:]] == [
            "  ◉─╮ │   ┊",
            "  │ ╰─▽   ┊",
            "  │   │   ◆─╮",
            "  ▽───┼───┼─╯",
            "  │   ▼─╮ ┊",
            "  ▽───┼─╯ ┊",
        ]


async def test_left_and_right_choose_among_the_events_of_a_row() -> None:
    swarm = SwarmOf("p1", "p2", "p3")
    for number in range(12):
        swarm.tell("p2", f"text {number}")
        swarm.now += 0.5
    async with diagram(swarm) as (pane, pilot):
        await pilot.press("up")
        assert pane.selected is not None
        assert pane.selected.node == node_id("p2")
        await pilot.press("right")
        assert pane.selected.node == node_id("p3")
        await pilot.press("left", "left")
        assert pane.selected.node == node_id("p1")


async def test_enter_opens_the_event() -> None:
    async with diagram(talking(2)) as (_, pilot):
        await pilot.press("up", "up", "enter")
        app = pilot.app
        assert isinstance(app, PaneApp)
        (event,) = app.posted
        assert isinstance(event, SpaceTimePane.EventChosen)
        assert event.message.text == "text 1"


async def test_pages_and_ends() -> None:
    async with diagram(talking(40)) as (pane, pilot):
        await pilot.press("pageup")
        top = lines(pane)[1]
        await pilot.press("home")
        assert "p1#1 text 0" in lines(pane)[1]
        await pilot.press(*["pagedown"] * 12)
        assert pane.following
        assert top != lines(pane)[1]


async def test_the_wheel_scrolls_and_comes_back_to_the_newest() -> None:
    def wheel(kind: type[MouseScrollUp]) -> MouseScrollUp:
        return kind(None, 1, 1, 0, 0, 0, False, False, False)

    async with diagram(talking(20)) as (pane, pilot):
        newest = lines(pane)
        pane._on_mouse_scroll_up(wheel(MouseScrollUp))
        assert lines(pane) != newest
        assert not pane.following
        pane._on_mouse_scroll_down(wheel(MouseScrollDown))  # type: ignore[arg-type]
        assert pane.following
        await pilot.pause()
        assert lines(pane) == newest


async def test_a_click_selects_the_event_under_it() -> None:
    async with diagram(talking(2)) as (pane, pilot):
        await pilot.click(pane, offset=(7, 4))
        assert pane.selected is not None
        assert pane.selected.node == node_id("p2")
        assert pane.selected.dot.sequence == 1


async def test_lanes_are_moved_hidden_collapsed_and_shown_again() -> None:
    async with diagram(talking(3, "p1", "p2", "p3")) as (pane, pilot):

        def heads() -> str:
            return lines(pane)[0].split("▲")[0].strip()

        await pilot.press("up")
        assert heads() == "p1  p2  p3"
        await pilot.press("less_than_sign")
        assert heads() == "p2  p1  p3"
        await pilot.press("greater_than_sign", "c")
        assert heads() == "p1 ⋮  p3"
        await pilot.press("c", "h")
        assert heads() == "p1  p3"
        assert "1 lane hidden" in str(pane.border_subtitle)
        await pilot.press("u", "b")
        assert heads() == "p1  p2  p3"


async def test_lanes_out_of_sight_are_reached_by_moving_there() -> None:
    names = [f"n{number:02d}" for number in range(1, 31)]
    async with diagram(talking(30, *names)) as (pane, pilot):
        assert "more ►" in lines(pane)[0]
        assert "n30" not in lines(pane)[0]
        await pilot.press("up", *["right"] * 29)
        assert "n30" in lines(pane)[0]
        await pilot.press(*["left"] * 29)
        assert "n01" in lines(pane)[0]


async def test_where_there_is_no_room_for_all_the_busiest_come_first() -> None:
    names = [f"n{number:02d}" for number in range(1, 31)]
    swarm = SwarmOf(*names)
    for _ in range(3):
        swarm.tell("n17", "busy")
    async with diagram(swarm) as (pane, _):
        assert lines(pane)[0].split()[:2] == ["n01", "n17"]


async def test_at_hundreds_of_events_a_second_the_pane_thins_and_says_so() -> None:
    swarm = SwarmOf("p1", "p2", "p3")
    for number in range(500):
        swarm.tell(f"p{1 + number % 3}", f"text {number}")
        swarm.now += 0.01
    async with diagram(swarm, (80, 20)) as (pane, pilot):
        assert str(pane.border_subtitle) == " thinned from 300 events/s, e for all".strip()
        await pilot.press("e")
        assert str(pane.border_subtitle) == "every event, e thins"


async def test_a_frozen_pane_catches_up() -> None:
    swarm = talking(2)
    async with diagram(swarm) as (pane, _):
        pane.frozen = True
        swarm.tell("p1", "unseen")
        pane.look()
        assert not any("unseen" in line for line in lines(pane))
        assert str(pane.border_subtitle) == "frozen"
        pane.frozen = False
        assert any("unseen" in line for line in lines(pane))


async def test_what_was_missed_between_two_looks_starts_the_picture_over() -> None:
    swarm = talking(4)
    async with diagram(swarm) as (pane, _):
        lost = swarm.deliveries

        def broken(after: dict[object, int]) -> object:
            answer = lost(after)  # type: ignore[arg-type]
            return type(answer)(
                answer.rows, answer.cursor, frozenset() if after else answer.unbroken, answer.seat
            )

        pane._observe = broken  # type: ignore[assignment]
        swarm.tell("p1", "after the gap")
        pane.look()
        assert pane._diagram.happenings.kept[0].number == 1
        assert len(pane._diagram.happenings.kept) == 10
        assert any("after the gap" in line for line in lines(pane))


@pytest.mark.parametrize("size", [(3, 3), (12, 4), (30, 6), (200, 60)])
async def test_any_size_can_be_drawn(size: tuple[int, int]) -> None:
    async with diagram(talking(6), size) as (pane, pilot):
        await pilot.press("up", "left", "c", "h", "u", "end")
        assert {len(line) for line in pane.visible_text} == {max(0, size[0] - 2)}


async def test_a_hundred_thousand_messages_leave_a_bounded_window() -> None:
    swarm = SwarmOf("p1")
    async with diagram(swarm, (60, 20)) as (pane, _):
        for _ in range(100):
            for _ in range(100):
                swarm.now += 0.001
                swarm.tell("p1", "text")
            pane.look()
        assert len(pane._diagram.happenings.kept) <= pane._diagram.happenings.limit
        assert len(pane._diagram.moments.rows) <= pane._diagram.happenings.limit
        assert len(pane._diagram._lines) <= 512
