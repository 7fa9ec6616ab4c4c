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
