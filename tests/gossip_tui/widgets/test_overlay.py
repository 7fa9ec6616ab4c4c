from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot

from gossip_tui.drawing.waves import HOP_PERIOD
from gossip_tui.theme import ASCII, UNICODE, Glyphs
from gossip_tui.widgets.overlay import GONE_PERIOD, OverlayPane
from tests.gossip_tui.samples import node_id
from tests.gossip_tui.swarms import SwarmOf
from tests.gossip_tui.widgets.harness import Clock, PaneApp, shown

NEVER = 3_600.0


def four() -> SwarmOf:
    """Four nodes, each of which knows two others."""
    swarm = SwarmOf("p1", "p2", "p3", "p4")
    for who, whom in (("p1", "p2 p3"), ("p2", "p3 p4"), ("p3", "p4 p1"), ("p4", "p1 p2")):
        swarm.know(who, *whom.split())
    return swarm


@asynccontextmanager
async def overlay(
    swarm: SwarmOf, size: tuple[int, int] = (80, 20), glyphs: Glyphs = UNICODE
) -> AsyncIterator[tuple[OverlayPane, Pilot[None], Clock]]:
    clock = Clock()
    pane = OverlayPane(
        swarm.overlay, swarm.deliveries, period=NEVER, frame_period=NEVER, clock=clock, glyphs=glyphs
    )
    async with shown(pane, size) as pilot:
        yield pane, pilot, clock


def text(pane: OverlayPane) -> str:
    return "\n".join(pane.visible_text)


def lit(pane: OverlayPane) -> int:
    return sum(sign in "●◉" for sign in text(pane))


def is_animating(pane: OverlayPane) -> bool:
    return pane._ticks[1]._active.is_set()


async def test_a_node_that_knows_nobody_says_what_to_do() -> None:
    async with overlay(SwarmOf("p1")) as (pane, _, _):
        assert "Nobody is known yet" in text(pane)


async def test_everybody_stands_on_the_ring_and_the_figures_beside_it() -> None:
    async with overlay(four()) as (pane, _, _):
        assert all(f"p{number}█2" in text(pane) for number in (1, 2, 3, 4))
        assert "links 8" in text(pane)
        assert "path length 1.00" in text(pane)
        assert str(pane.border_title) == "Overlay  all 4 views"


async def test_where_there_is_no_room_beside_it_figures_stand_below() -> None:
    async with overlay(four(), (50, 14)) as (pane, _, _):
        assert "in-degree 2 to 2  clustering 1.00" in pane.visible_text[-1]


async def test_a_real_node_says_whose_picture_it_is() -> None:
    swarm = SwarmOf("p1")
    swarm.know("p1", "p2", "p3")
    async with overlay(swarm) as (pane, _, _):
        assert str(pane.border_title) == "Overlay  seen from p1"
        assert "own view, 0 peers told" in text(pane)


async def test_a_message_is_a_wave_that_is_drawn_hop_by_hop() -> None:
    swarm = four()
    async with overlay(swarm) as (pane, _, clock):
        message = swarm.say("p1", "hello")
        swarm.reach(message, "p2", "p3", after=0.01, hops=0)
        swarm.reach(message, "p4", after=0.02, hops=1)
        pane.look()
        counts = [lit(pane)]
        for _ in range(2):
            clock.now += HOP_PERIOD * 1.05
            pane.advance()
            counts.append(lit(pane))
        assert counts == [1, 3, 4]
        assert "reached 4/4 in 20 ms" in text(pane)


async def test_frames_are_drawn_only_while_a_wave_moves() -> None:
    swarm = four()
    async with overlay(swarm) as (pane, _, clock):
        assert not is_animating(pane)
        swarm.tell("p1", "hello")
        pane.look()
        assert is_animating(pane)
        clock.now += 10
        pane.advance()
        assert not is_animating(pane)


async def test_no_frame_is_drawn_while_the_terminal_has_lost_the_focus() -> None:
    swarm = four()
    async with overlay(swarm) as (pane, pilot, _):
        pilot.app.app_focus = False
        swarm.tell("p1", "hello")
        pane.look()
        assert not is_animating(pane)


async def test_frozen_it_stands_still_and_thawed_it_catches_up() -> None:
    swarm = four()
    async with overlay(swarm) as (pane, _, clock):
        swarm.tell("p1", "hello")
        pane.look()
        pane.frozen = True
        before = text(pane)
        clock.now += 10
        pane.advance()
        pane.look()
        assert text(pane) == before
        assert not is_animating(pane)
        pane.frozen = False
        assert lit(pane) == 4


async def test_hidden_it_asks_for_nothing() -> None:
    swarm = four()
    async with overlay(swarm) as (pane, pilot, _):
        pane.display = False
        await pilot.pause()
        asked = swarm.asked
        pane.look()
        pane.advance()
        assert swarm.asked == asked
        assert not any(timer._active.is_set() for timer in pane._ticks)


async def test_when_nothing_changed_no_line_is_another() -> None:
    async with overlay(four()) as (pane, _, _):
        board, drawn = pane._board, pane._drawn
        pane.look()
        assert pane._board is board
        assert pane._drawn == drawn


async def test_other_views_stand_out_one_after_the_other() -> None:
    async with overlay(four()) as (pane, pilot, _):
        await pilot.press("right")
        assert pane.scene is not None
        assert pane.scene.chosen == node_id("p2")
        assert str(pane.border_title) == "Overlay  all 4 views, that of p2 drawn through"
        await pilot.press("left", "left")
        assert pane.scene.chosen == node_id("p4")
        await pilot.press("home")
        assert pane.scene.chosen == node_id("p1")


async def test_enter_opens_the_node_whose_view_stands_out() -> None:
    async with overlay(four()) as (_, pilot, _):
        await pilot.press("right", "enter")
        assert isinstance(pilot.app, PaneApp)
        (event,) = pilot.app.posted
        assert isinstance(event, OverlayPane.NodeChosen)
        assert event.node == node_id("p2")


async def test_a_click_on_a_node_lets_its_view_stand_out() -> None:
    async with overlay(four()) as (pane, pilot, _):
        assert pane._board is not None
        x, y = pane._board.cells[node_id("p3")]
        await pilot.click(pane, offset=(x + 2, y + 1))
        assert pane.scene is not None
        assert pane.scene.chosen == node_id("p3")


async def test_r_shows_the_last_wave_once_more() -> None:
    swarm = four()
    async with overlay(swarm) as (pane, pilot, clock):
        swarm.tell("p1", "hello")
        pane.look()
        clock.now += 10
        pane.advance()
        assert lit(pane) == 4
        await pilot.press("r")
        assert lit(pane) == 1
        assert is_animating(pane)


async def test_nobody_moves_when_a_node_is_not_heard_of_for_a_moment() -> None:
    swarm = four()
    async with overlay(swarm) as (pane, _, clock):
        assert pane._board is not None
        before = dict(pane._board.cells)
        for who, whom in (("p1", "p3"), ("p2", ""), ("p3", "p4 p1"), ("p4", "p1")):
            swarm.know(who, *whom.split())
        pane.look()
        assert pane._board.cells == before
        clock.now += GONE_PERIOD + 1
        swarm.know("p1", "p3", "p4")
        pane.look()
        assert node_id("p2") not in pane._board.cells


@pytest.mark.parametrize("size", [(3, 3), (12, 5), (40, 10), (200, 60)])
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
async def test_any_size_can_be_drawn(size: tuple[int, int], glyphs: Glyphs) -> None:
    swarm = four()
    async with overlay(swarm, size, glyphs) as (pane, _, clock):
        swarm.tell("p1", "hello")
        pane.look()
        clock.now += 10
        pane.advance()
        assert {len(line) for line in pane.visible_text} == {max(0, size[0] - 2)}
        assert glyphs is UNICODE or text(pane).isascii()
