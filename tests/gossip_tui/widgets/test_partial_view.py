from __future__ import annotations

import pytest
from textual.strip import Strip

from gossip_tui.drawing.view_history import MARK_PERIOD
from gossip_tui.drawing.view_table import Sorting
from gossip_tui.theme import ASCII
from gossip_tui.widgets.partial_view import PartialViewPane
from protocol.core.identity import Address, NodeId
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.samples import node_id, peer_row, snapshot
from tests.gossip_tui.widgets.harness import Clock, PaneApp, shown


def lines(pane: PartialViewPane) -> list[str]:
    drawn = [pane.render_line(y).text.rstrip() for y in range(pane.size.height)]
    return [line for line in drawn if line]


def names(pane: PartialViewPane) -> list[str]:
    return [row.label for row in pane.rows]


async def test_before_the_first_snapshot_the_pane_says_that_the_node_starts() -> None:
    pane = PartialViewPane()
    async with shown(pane):
        assert lines(pane) == [" The node is starting."]


async def test_an_empty_view_says_what_to_do() -> None:
    pane = PartialViewPane()
    async with shown(pane):
        pane.show(snapshot(()))
        assert lines(pane)[0].startswith(" No peer yet: run gossip-tui in another terminal")


async def test_rows_show_name_address_age_direction_and_round_trip() -> None:
    pane = PartialViewPane()
    async with shown(pane, (48, 12)):
        pane.show(snapshot((2, 10)))
        assert lines(pane) == [
            "  peer  address       age▼                 rtt",
            "  p2    127.0.0.1:8002   2 ━━━───────   2.0 ms",
            "  p10   127.0.0.1:8010  10 ━━━━━━──── ←  10 ms",
        ]
        assert str(pane.border_title) == "Partial view  c=20 tail/push-pull H=1 S=9"


class RecordingPane(PartialViewPane):
    """Remembers which lines it was asked to draw."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.drawn.append(y)
        return super().render_line(y)


async def test_only_rows_that_changed_are_drawn_again() -> None:
    pane = RecordingPane()
    drawn = pane.drawn
    async with shown(pane) as pilot:
        pane.show(snapshot([peer_row(2, age=1), peer_row(3, age=2), peer_row(4, age=3)]))
        await pilot.pause()
        drawn.clear()
        pane.show(snapshot([peer_row(2, age=1), peer_row(3, age=2), peer_row(4, age=4)]))
        await pilot.pause()
        assert drawn == [3]
        drawn.clear()
        pane.show(snapshot([peer_row(2, age=1), peer_row(3, age=2), peer_row(4, age=4)], cycle=413))
        await pilot.pause()
        assert drawn == []


async def test_rows_that_came_or_left_are_marked_until_a_moment_later() -> None:
    clock = Clock()
    pane = PartialViewPane(clock=clock)
    async with shown(pane):
        pane.show(snapshot((2, 3)))
        pane.show(snapshot((3, 4)))
        assert [line[0] for line in lines(pane)[1:]] == [" ", "+", "−"]
        clock.now += MARK_PERIOD
        pane._fade()
        assert names(pane) == ["p3", "p4"]
        assert [line[0] for line in lines(pane)[1:]] == [" ", " "]


async def test_s_sorts_by_name_and_back_by_age() -> None:
    pane = PartialViewPane()
    async with shown(pane) as pilot:
        pane.show(snapshot([peer_row(9, age=1), peer_row(10, age=0)]))
        assert names(pane) == ["p10", "p9"]
        await pilot.press("s")
        assert names(pane) == ["p9", "p10"]
        assert pane.sorting is Sorting.NAME
        pane.toggle_sort()
        assert names(pane) == ["p10", "p9"]


async def test_the_cursor_stays_with_its_peer_when_rows_move() -> None:
    pane = PartialViewPane()
    async with shown(pane) as pilot:
        pane.show(snapshot([peer_row(2, age=1), peer_row(3, age=2), peer_row(4, age=3)]))
        await pilot.press("down")
        pane.show(snapshot([peer_row(2, age=1), peer_row(3, age=20), peer_row(4, age=3)]))
        assert pane.cursor_row is not None
        assert pane.cursor_row.label == "p3"
        assert pane.cursor_index == 2


async def test_enter_chooses_the_peer_under_the_cursor() -> None:
    pane = PartialViewPane()
    async with shown(pane) as pilot:
        pane.show(snapshot((2, 3, 4)))
        await pilot.press("end", "up", "enter")
        await pilot.pause()
        assert isinstance(pilot.app, PaneApp)
        (event,) = pilot.app.posted
        assert isinstance(event, PartialViewPane.PeerChosen)
        assert event.row.id == node_id("p3")


async def test_enter_in_an_empty_view_does_nothing() -> None:
    pane = PartialViewPane()
    async with shown(pane) as pilot:
        pane.show(snapshot(()))
        await pilot.press("enter", "up", "down", "end")
        assert isinstance(pilot.app, PaneApp)
        assert pilot.app.posted == []


async def test_a_click_moves_the_cursor_and_a_double_click_chooses() -> None:
    pane = PartialViewPane()
    async with shown(pane) as pilot:
        pane.show(snapshot((2, 3, 4)))
        await pilot.pause()
        await pilot.click(pane, offset=(5, 3))
        assert pane.cursor_index == 1
        await pilot.click(pane, offset=(5, 4), times=2)
        await pilot.pause()
        assert isinstance(pilot.app, PaneApp)
        assert [
            event.row.id.name for event in pilot.app.posted if isinstance(event, PartialViewPane.PeerChosen)
        ] == ["p4"]


async def test_a_long_view_scrolls_below_its_column_titles() -> None:
    pane = PartialViewPane()
    async with shown(pane, (60, 8)) as pilot:
        pane.show(snapshot(range(2, 22)))
        await pilot.pause()
        await pilot.press("end")
        await pilot.pause()
        drawn = lines(pane)
        assert drawn[0].startswith("  peer")
        assert drawn[-1].startswith("  p21")
        await pilot.press("home")
        assert lines(pane)[1].startswith("  p2 ")


async def test_a_frozen_view_shows_the_last_picture_when_it_thaws() -> None:
    pane = PartialViewPane()
    async with shown(pane):
        pane.show(snapshot((2,)))
        pane.frozen = True
        pane.show(snapshot((2, 3)))
        pane.show(snapshot((2, 3, 4)))
        assert names(pane) == ["p2"]
        assert str(pane.border_subtitle) == "frozen"
        pane.frozen = False
        assert names(pane) == ["p2", "p3", "p4"]
        assert str(pane.border_subtitle) == ""


async def test_moving_to_another_node_marks_nobody() -> None:
    pane = PartialViewPane()
    async with shown(pane):
        pane.show(snapshot((2, 3)))
        pane.show(snapshot((4, 5), id=node_id("p9")))
        assert names(pane) == ["p4", "p5"]
        assert [line[0] for line in lines(pane)[1:]] == [" ", " "]


async def test_every_size_draws() -> None:
    pane = PartialViewPane()
    async with shown(pane) as pilot:
        pane.show(snapshot(range(2, 12)))
        for size in ((20, 5), (3, 3), (1, 1), (200, 60), (60, 12)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
        assert lines(pane)[1].startswith("  p2 ")


async def test_an_ascii_view_is_ascii() -> None:
    pane = PartialViewPane(glyphs=ASCII)
    async with shown(pane, (60, 8)) as pilot:
        pane.show(snapshot(range(2, 32)))
        pane.show(snapshot(range(3, 33)))
        await pilot.pause()
        for line in pilot.app.screen._compositor.render_strips():
            assert "".join(segment.text for segment in line).isascii()


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
async def test_nothing_hostile_reaches_the_screen(text: str) -> None:
    pane = PartialViewPane()
    async with shown(pane, (90, 8)) as pilot:
        pane.show(snapshot([peer_row(2, id=NodeId(text or "x", 1), address=Address(text, 7))]))
        await pilot.pause()
        for line in pilot.app.screen._compositor.render_strips():
            for segment in line:
                assert_harmless(segment.text)
                assert segment.style is None or "@click" not in segment.style.meta
