"""The overlay within the application: keys, what it is fed with, and where Enter leads."""

from __future__ import annotations

import pytest

from gossip_tui.screens.peers import PeersScreen
from protocol.core.snapshot import ToldView
from protocol.core.view import Descriptor
from tests.gossip_tui.driving import SINGLE, STACKED, WIDE, Driver, driven
from tests.gossip_tui.memory import MemoryNode
from tests.gossip_tui.samples import address, node_id


def shown(driver: Driver) -> set[str]:
    return {pane.id or "" for pane in driver.app.main.panes if pane.display and pane.region.area}


@pytest.mark.parametrize(
    ("size", "beside"), [(WIDE, {"view", "rates"}), (STACKED, {"view"}), (SINGLE, set())]
)
async def test_f5_brings_the_overlay_to_the_place_of_the_log(size: tuple[int, int], beside: set[str]) -> None:
    async with driven(size=size) as driver:
        await driver.press("f5")
        assert (shown(driver), driver.focused) == ({"overlay", *beside}, "overlay")
        await driver.press("f4")
        assert (shown(driver), driver.focused) == ({"space-time", *beside}, "space-time")


async def test_the_command_does_the_same() -> None:
    async with driven() as driver:
        await driver.enter("/overlay")
        assert driver.focused == "overlay"
        assert "Causal log │ Space-time │ Overlay  seen from p1" in driver.text


async def test_a_real_node_draws_what_its_peers_told() -> None:
    told = ToldView(node_id("p2"), (Descriptor(node_id("p99"), address(99), 3),), 1.0)
    async with driven(MemoryNode(told=(told,))) as driver:
        await driver.press("f5")
        assert "p99" in driver.text
        assert "own view, 1 peers told" in driver.text


async def test_enter_opens_the_list_of_peers_and_in_a_swarm_moves_there() -> None:
    async with driven() as driver:
        await driver.press("f5", "enter")
        assert isinstance(driver.app.screen, PeersScreen)
    swarm = [MemoryNode(name, number=number) for number, name in enumerate(("n01", "n02"), 1)]
    for node, other in (swarm, swarm[::-1]):
        node.now(view=(Descriptor(other.id, address(1), 1),))
    async with driven(*swarm) as driver:
        await driver.press("f5", "right", "enter")
        assert driver.app.feed.seat == 1
        assert "all 2 views" in driver.text


async def test_frozen_it_stands_still() -> None:
    async with driven() as driver:
        await driver.press("f5", "f8")
        driver.node.hear("p2", "unseen", hops=2)
        await driver.look()
        assert "p2#1" not in driver.text
        await driver.press("f8")
        assert "p2#1" in driver.text


async def test_page_up_in_the_composer_moves_nothing_in_it() -> None:
    async with driven() as driver:
        await driver.press("f5", "escape")
        before = driver.text
        await driver.press("pageup", "pagedown")
        assert driver.text == before


def square() -> list[MemoryNode]:
    """Four nodes that all know each other."""
    nodes = [MemoryNode(f"n{number:02}", number=number, peers=()) for number in range(1, 5)]
    for node in nodes:
        node.now(view=tuple(Descriptor(one.id, one.picture.address, 1) for one in nodes if one is not node))
    return nodes


async def test_a_cut_a_crash_and_a_stop_are_seen_in_the_graph_and_named_beside_it() -> None:
    async with driven(*square()) as driver:
        await driver.press("f5")
        assert not any(sign in driver.text for sign in "□╱×‖")
        await driver.enter("/partition n03 n04")
        assert "□ cut: 2 here, 2 beyond" in driver.text
        assert "╱ 8 links cut" in driver.text
        assert driver.text.count("□") == 3
        await driver.enter("/stop n02")
        await driver.enter("/crash n04")
        assert [driver.text.count(sign) for sign in "□×‖"] == [2, 2, 2]
        assert "× crashed: n04" in driver.text
        await driver.enter("/fault swarm loss=20")
        assert "≈ faults here: loss=20" in driver.text
        assert "≈ faults at 3 other nodes" in driver.text
        await driver.enter("/heal")
        await driver.enter("/continue n02")
        await driver.enter("/fault swarm off")
        assert not any(sign in driver.text for sign in "□╱‖")
        assert "faults" not in driver.app.main.overlay.visible_text


async def test_a_real_node_marks_the_peers_that_it_is_cut_off_from() -> None:
    async with driven(MemoryNode(peers=(2, 5))) as driver:
        await driver.press("f5")
        await driver.enter("/partition p2")
        assert "□ cut off from 1" in driver.text
        assert "╱ 1 link cut" in driver.text


async def test_a_node_that_crashed_or_stands_still_does_not_say_that_it_lives() -> None:
    async with driven(*square()) as driver:
        await driver.enter("/stop n01")
        assert "stands still: /continue n01" in driver.status
        await driver.enter("/continue n01")
        assert "● live" in driver.status
        await driver.enter("/crash n01")
        assert "! crashed: /restart n01 brings it back" in driver.status
        assert "live" not in driver.status
        await driver.press("f9")
        assert "● live" in driver.status
