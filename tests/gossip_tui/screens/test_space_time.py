"""The space-time diagram within the application: keys, tabs, and what is behind what."""

from __future__ import annotations

import time

import pytest

from gossip_tui.keys import Where
from gossip_tui.screens.help import HelpScreen
from gossip_tui.screens.message import MessageScreen
from tests.gossip_tui.driving import SINGLE, STACKED, TINY, WIDE, Driver, Hands, driven
from tests.gossip_tui.memory import MemoryNode


def shown(driver: Driver) -> set[str]:
    return {pane.id or "" for pane in driver.app.main.panes if pane.display and pane.region.area}


@pytest.mark.parametrize(
    ("size", "beside"), [(WIDE, {"view", "rates"}), (STACKED, {"view"}), (SINGLE, set()), (TINY, set())]
)
async def test_f4_brings_the_diagram_to_the_place_of_the_log_and_f3_the_log(
    size: tuple[int, int], beside: set[str]
) -> None:
    async with driven(size=size) as driver:
        await driver.press("f4")
        assert (shown(driver), driver.focused) == ({"space-time", *beside}, "space-time")
        await driver.press("f3")
        assert (shown(driver), driver.focused) == ({"log", *beside}, "log")


async def test_the_command_does_the_same_and_escape_comes_back_to_it() -> None:
    async with driven() as driver:
        await driver.enter("/spacetime")
        assert driver.focused == "space-time"
        await driver.press("escape")
        assert driver.focused == "composer-input"
        await driver.press("escape")
        assert driver.focused == "space-time"


async def test_titles_of_panes_behind_stand_beside_the_one_in_front() -> None:
    async with driven() as driver:
        assert "Causal log  seen from p1 │ Space-time" in driver.text
        await driver.press("f4")
        assert "Causal log │ Space-time  seen from p1" in driver.text


async def test_what_is_said_appears_and_enter_opens_it() -> None:
    async with driven() as driver:
        await driver.press("f4")
        driver.node.hear("p2", "hello")
        await driver.look()
        assert "p2#1 hello" in driver.text
        await driver.press("up", "enter")
        assert isinstance(driver.app.screen, MessageScreen)
        assert "hello" in driver.text


async def test_in_a_swarm_every_node_has_its_lane_and_the_seat_can_move() -> None:
    one, two = MemoryNode("n01"), MemoryNode("n02", number=2)
    async with driven(one, two) as driver:
        message = one.deliver(one.talk.say(one.id, "to all"))
        two.deliver(message)
        await driver.press("f4")
        assert "all 2 nodes" in driver.text
        assert "n02 ← n01#1" in driver.text
        await driver.press("f9")
        assert "n02 ← n01#1" in driver.text


async def test_page_up_in_the_composer_scrolls_what_is_in_front() -> None:
    async with driven(size=STACKED) as driver:
        for number in range(30):
            driver.node.hear("p2", f"text {number}", delivered_at=1_000.0 * number)
        await driver.press("f4", "escape", "pageup")
        assert driver.app.main.log_pane.following
        assert not driver.app.main.space_time.following
        assert driver.focused == "composer-input"


async def test_frozen_it_stands_still() -> None:
    async with driven() as driver:
        await driver.press("f4", "f8")
        driver.node.hear("p2", "unseen")
        await driver.look()
        assert "unseen" not in driver.text
        await driver.press("f8")
        assert "unseen" in driver.text


async def test_hidden_behind_the_log_it_asks_for_nothing() -> None:
    async with driven() as driver:
        asked: list[object] = []
        pane = driver.app.main.space_time
        observe = pane._observe
        pane._observe = lambda after: asked.append(after) or observe(after)  # type: ignore[func-returns-value]
        driver.node.hear("p2", "hello")
        await driver.look()
        assert asked == []
        await driver.press("f4")
        assert asked


async def test_f1_explains_the_pane_that_has_the_focus() -> None:
    async with driven() as driver:
        for key, about in (("f4", Where.SPACE_TIME), ("f5", Where.OVERLAY), ("f2", Where.VIEW)):
            await driver.press(key, "f1")
            assert isinstance(driver.app.screen, HelpScreen)
            assert driver.app.screen._about is about
            await driver.press("escape")


async def test_every_change_is_a_line_in_the_diagram_with_a_sign_on_whom_it_concerns() -> None:
    nodes = [MemoryNode(f"n{number:02}", number=number, peers=()) for number in range(1, 5)]
    async with driven(*nodes) as driver:
        await driver.press("f4")
        for line in (
            "/partition n03",
            "/heal",
            "/stop n02",
            "/continue n02",
            "/crash n04",
            "/fault loss=5",
            "/fault swarm off",
            "/strategy cyclon",
        ):
            await driver.enter(line)
        rules = [line.split(" ", 2) for line in driver.app.main.space_time.visible_text if "══" in line]
    assert [(rule, text.rstrip()) for rule, _, text in rules] == [
        ("══■═══■═══■═══■══", "the swarm is cut in two: n01, n02, n04 | n03"),
        ("══■═══■═══■═══■══", "healed: everybody can be reached again"),
        ("══╪═══■═══╪═══╪══", "n02 stands still: it hears, sends and notices nothing"),
        ("══╪═══■═══╪═══╪══", "n02 goes on where it stood still"),
        ("══╪═══╪═══╪═══■══", "n04 crashed: others will notice its silence"),
        ("══■═══╪═══╪══════", "faults at this node: loss=5"),
        ("══■═══■═══■══════", "no faults in the whole swarm any more"),
        ("══■═══╪═══╪══════", "strategy is now (tail, push-pull, H=0, S=10)"),
    ]


async def test_a_lane_ends_where_its_node_crashed_and_another_begins_where_it_came_back() -> None:
    nodes = [MemoryNode(f"n{number:02}", number=number, peers=()) for number in (1, 2)]
    successors = iter([MemoryNode("n02", number=2, incarnation=1, peers=())])
    async with driven(*nodes, successor=lambda _: next(successors)) as driver:
        nodes[1].deliver(nodes[0].hear("n01", "before"))
        await driver.press("f4")
        await driver.enter("/crash n02")
        nodes[0].hear("n01", "without it", delivered_at=time.time())
        await driver.look()
        assert signs_drawn(driver) == ["●│", "│►", "╪■", "●"]
        await driver.enter("/restart n02")
        nodes[0].hear("n01", "again", delivered_at=time.time())
        await driver.look()
        assert signs_drawn(driver) == ["●│", "│►", "╪■", "●", "╪■", "●│"]


def signs_drawn(driver: Hands) -> list[str]:
    """What is drawn on the lanes in every row, from the left, without the lines between them."""
    pane = driver.app.main.space_time
    width = pane._diagram.columns.width
    rows = ["".join(sign for sign in line[:width] if sign in "●►│■╪") for line in pane.visible_text[1:]]
    return [row for row in rows if row]


async def test_a_single_node_that_is_cut_off_has_signs_on_its_lane_and_those_of_its_peers() -> None:
    async with driven(MemoryNode(peers=(2, 5))) as driver:
        for name in ("p2", "p5", "p7"):
            driver.node.hear(name, "hello")
        await driver.press("f4")
        await driver.enter("/partition p2")
        (rule,) = [line.split(" ")[0] for line in driver.app.main.space_time.visible_text if "══" in line]
    assert rule.replace("═", "") == "■■╪╪"
