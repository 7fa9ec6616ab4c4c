"""The dials on the screen: keys turn them, commands come of it, and what came of that is shown."""

from __future__ import annotations

import pytest

from protocol.core.faults import Faults
from tests.gossip_tui.driving import SINGLE, STACKED, TINY, WIDE, Driver, driven
from tests.gossip_tui.memory import MemoryNode
from tests.gossip_tui.samples import address
from tests.gossip_tui.test_experiments import blocked, swarm


def line(driver: Driver, name: str) -> str:
    """The line of a dial."""
    return next(text for text in driver.app.main.faults.visible_text if text.startswith(f" {name} "))


async def turn(driver: Driver, dial: str, *keys: str) -> None:
    """Go to a dial and press keys there."""
    pane = driver.app.main.faults
    await driver.press("f6", "home")
    while pane.cursor_dial is not None and pane.cursor_dial.label != dial:
        await driver.press("down")
    await driver.press(*keys)


@pytest.mark.parametrize("size", [WIDE, STACKED, SINGLE, TINY])
async def test_f6_goes_to_the_dials_in_every_size_and_escape_back(size: tuple[int, int]) -> None:
    async with driven(size=size) as driver:
        await driver.press("f6")
        assert driver.focused == "faults"
        assert ("loss" if size == TINY else "so far here: 0 dropped") in driver.text
        await driver.press("escape")
        assert driver.focused == "composer-input"


async def test_arrows_turn_a_dial_and_some_steps_are_one_change() -> None:
    async with driven() as driver:
        await turn(driver, "loss", "right", "right", "right", "left")
        assert "10 %" in line(driver, "loss")
        assert not driver.node.fault_report.is_active
        await driver.press("enter")
        assert driver.node.fault_report.faults == Faults(loss=0.1)
        assert driver.log.count("faults at this node") == 0
        await driver.press("f3")
        assert driver.log.count("faults at this node: loss=10") == 1
        assert "FAULTS: loss=10" in driver.status


async def test_what_was_turned_takes_force_by_itself_after_a_moment() -> None:
    async with driven() as driver:
        driver.app.main.faults._settle_period = 0.01
        await turn(driver, "loss", "right")
        while not driver.node.fault_report.is_active:
            await driver.pilot.pause(0.01)
        assert driver.node.fault_report.faults == Faults(loss=0.05)


async def test_numbers_are_typed_and_taken_back_and_nought_resets() -> None:
    async with driven() as driver:
        await turn(driver, "delay", "1", "2", "0", "5", "backspace")
        assert "120_ ms" in line(driver, "delay")
        await driver.press("down")
        assert driver.node.fault_report.faults == Faults(latency=(0.12, 0.12))
        await driver.press("7", "escape")
        assert driver.node.fault_report.faults == Faults(latency=(0.12, 0.127))
        await turn(driver, "delay", "0", "enter")
        await turn(driver, "jitter", "0", "enter")
        assert not driver.node.fault_report.is_active


async def test_one_peer_is_chosen_disturbed_cut_off_and_reached_again() -> None:
    async with driven() as driver:
        await turn(driver, "towards", "right")
        assert "p2 127.0.0.1:8002" in line(driver, "towards")
        await turn(driver, "loss", "5", "0", "enter")
        assert driver.node.fault_report.by_peer == {address(2): Faults(loss=0.5)}
        await turn(driver, "network", "right", "enter")
        assert blocked(driver.node) == [2]
        assert "cut off" in line(driver, "network")
        await driver.press("0", "enter")
        assert blocked(driver.node) == []


async def test_in_the_demo_dials_are_for_one_node_or_for_all() -> None:
    nodes = swarm(3)
    async with driven(*nodes) as driver:
        await turn(driver, "fan-out", "right", "enter")
        assert [node.picture.fanout for node in nodes] == [5, 4, 4]
        await driver.press("a")
        await turn(driver, "fan-out", "right", "enter")
        assert [node.picture.fanout for node in nodes] == [6, 6, 6]
        await turn(driver, "strategy", "right", "enter")
        assert len({node.picture.strategy for node in nodes}) == 1
        assert "blind" in line(driver, "strategy")


async def test_in_the_demo_the_swarm_is_cut_and_nodes_stop_crash_and_come_back() -> None:
    nodes = swarm(4)
    async with driven(*nodes, successor=lambda _: MemoryNode("n03", incarnation=5, number=3)) as driver:
        await turn(driver, "network", "right", "enter")
        assert [blocked(node) for node in nodes] == [[3, 4], [3, 4], [1, 2], [1, 2]]
        await driver.press("left", "enter")
        assert [blocked(node) for node in nodes] == [[]] * 4
        await turn(driver, "n02", "right", "enter")
        assert nodes[1].is_frozen
        await turn(driver, "n03", "right", "right", "enter")
        assert nodes[2].is_closed
        assert not nodes[2].is_frozen
        assert "crashed" in line(driver, "n03")
        await turn(driver, "n03", "0", "enter")
        assert "running" in line(driver, "n03")
        await turn(driver, "n02", "0", "enter")
        assert not nodes[1].is_frozen


async def test_what_is_refused_leaves_the_dial_where_it_stood() -> None:
    async with driven() as driver:
        await driver.node.leave()
        await driver.look()
        await turn(driver, "fan-out", "right", "enter")
        assert "this node is left: /join comes back first" in driver.hint
        assert " 4  " in line(driver, "fan-out")


async def test_a_command_is_seen_at_the_dials_and_a_hidden_pane_asks_for_nothing() -> None:
    async with driven() as driver:
        asked = []
        pane = driver.app.main.faults
        before = pane._lab
        pane._lab = lambda: asked.append(1) or before()  # type: ignore[func-returns-value]
        await driver.enter("/fault loss=35")
        assert asked == []
        await driver.press("f6")
        assert "35 %" in line(driver, "loss")


async def test_a_frozen_pane_stands_still_and_catches_up() -> None:
    async with driven() as driver:
        await driver.press("f6", "f8")
        driver.node.set_faults(Faults(loss=0.4))
        await driver.look()
        assert " 0 %" in line(driver, "loss")
        await driver.press("f8")
        assert "40 %" in line(driver, "loss")
