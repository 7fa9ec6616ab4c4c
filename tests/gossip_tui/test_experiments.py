"""What a person may do to nodes and to the network between them: by command, marked, and never hidden."""

from __future__ import annotations

from typing import Any

import pytest

from gossip_tui.completion import Vocabulary, complete
from gossip_tui.drawing.status_line import Status, status_line
from gossip_tui.experiments import NodeState
from gossip_tui.theme import ASCII
from protocol.core.config import Dissemination
from protocol.core.faults import Direction, FaultReport, Faults
from protocol.core.snapshot import PeerState
from protocol.core.strategy import Strategy
from tests.gossip_tui.driving import Driver, driven
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.memory import MemoryNode
from tests.gossip_tui.samples import address, node_id, peer_row, snapshot


def swarm(count: int = 4) -> list[MemoryNode]:
    return [MemoryNode(f"n{number:02}", number=number, peers=()) for number in range(1, count + 1)]


def blocked(node: MemoryNode) -> list[int]:
    return sorted(peer.port - 8_000 for peer in node.fault_report.blocked)


def states(driver: Driver) -> list[NodeState]:
    lab = driver.app.feed.experiments
    assert lab is not None
    return [member.state for member in lab.picture().members]


# Faults by command.


async def test_faults_are_set_said_and_ended() -> None:
    async with driven() as driver:
        await driver.enter("/fault loss=20 delay=50..200")
        assert driver.node.fault_report.faults == Faults(loss=0.2, latency=(0.05, 0.2))
        assert "≈ faults at this node: loss=20 delay=50..200" in driver.log
        assert "│ FAULTS: loss=20 delay=50..200 │" in driver.status
        await driver.enter("/fault duplicate=5")
        assert driver.node.fault_report.faults == Faults(duplication=0.05)
        await driver.enter("/fault")
        assert "faults at this node: duplicate=5, so far 0 dropped, 0 delayed, 0 " in driver.log
        await driver.enter("/fault off")
        assert not driver.node.fault_report.is_active
        assert "no faults at this node any more" in driver.log
        assert "FAULTS" not in driver.status


async def test_faults_towards_one_peer_by_name_or_address_and_off_for_all_ends_them_too() -> None:
    async with driven() as driver:
        await driver.enter("/fault p2 loss=50")
        await driver.enter("/fault 127.0.0.1:8005 delay=10")
        report = driver.node.fault_report
        assert report.by_peer == {address(2): Faults(loss=0.5), address(5): Faults(latency=(0.01, 0.01))}
        assert "faults at this node towards p2: loss=50" in driver.log
        assert "FAULTS: 2 peers with faults of their own" in driver.status
        await driver.enter("/fault loss=1")
        await driver.enter("/fault p2 off")
        assert driver.node.fault_report.by_peer[address(2)] == Faults()
        await driver.enter("/fault loss=0")
        await driver.enter("/fault 127.0.0.1:8005 delay=10")
        await driver.enter("/fault p2 off")
        assert list(driver.node.fault_report.by_peer) == [address(5)]
        await driver.enter("/fault off")
        assert not driver.node.fault_report.is_active


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("/fault loss=200", "loss must be a percentage from 0 to 100"),
        ("/fault magic=1", "a fault looks like loss=20"),
        ("/fault nobody loss=1", "no address is known of nobody"),
        ("/fault 127.0.0.1:99999 loss=1", "must be a number from 1 to 65535"),
        ("/fault swarm loss=1", "no address is known of swarm"),
        ("/partition", "/partition needs the peers to be cut off from"),
        ("/partition nobody", "no address is known of nobody"),
        ("/heal", "nothing is cut"),
        ("/crash p1", "there is no /crash"),
        ("/fanout many", "fan-out must be a whole number, not many"),
        ("/fanout 3 4", "fan-out must be a whole number, not 3 4"),
        ("/view-size ²", "view size must be a whole number"),
    ],
)
async def test_what_cannot_be_done_is_refused_and_nothing_happens(line: str, reason: str) -> None:
    async with driven() as driver:
        await driver.enter(line)
        assert reason in driver.hint
        assert not driver.node.fault_report.is_active


async def test_of_twins_the_address_has_to_be_said() -> None:
    twins = (2, peer_row(3, id=node_id("p2", 9)))
    async with driven(MemoryNode(peers=twins)) as driver:
        await driver.enter("/fault p2 loss=5")
        assert "several nodes are named p2: say which, of 127.0.0.1:8002, 127.0.0.1:8003" in driver.hint


async def test_a_single_node_is_cut_off_from_those_named_and_healed() -> None:
    async with driven() as driver:
        await driver.enter("/partition p2 127.0.0.1:8005")
        assert blocked(driver.node) == [2, 5]
        assert "this node is cut off from p2, 127.0.0.1:8005; others still reach them" in driver.log
        assert "FAULTS: cut off from 2" in driver.status
        await driver.enter("/heal p2")
        assert blocked(driver.node) == [5]
        assert "healed: p2 can be reached again" in driver.log
        await driver.enter("/heal p2")
        assert "nothing is cut there" in driver.hint
        await driver.enter("/heal")
        assert blocked(driver.node) == []
        assert "healed: everybody can be reached again" in driver.log


# The swarm.


async def test_faults_of_the_swarm_are_those_of_every_node() -> None:
    nodes = swarm()
    async with driven(*nodes) as driver:
        await driver.enter("/fault swarm loss=5")
        assert [node.fault_report.faults.loss for node in nodes] == [0.05] * 4
        assert "faults in the whole swarm: loss=5" in driver.log
        await driver.enter("/fault off")
        assert [node.fault_report.faults.loss for node in nodes] == [0, 0.05, 0.05, 0.05]
        assert "FAULTS: 3 other nodes disturbed" in driver.status
        await driver.enter("/fault swarm n02 loss=100")
        assert all(address(2) in node.fault_report.by_peer for node in nodes)
        await driver.enter("/fault swarm off")
        assert not any(node.fault_report.is_active for node in nodes)


async def test_a_swarm_is_cut_in_halves_with_strangers_on_the_side_of_the_first_and_healed() -> None:
    nodes = swarm()
    nodes[3].now(peers=(peer_row(9, id=node_id("stranger")),))
    async with driven(*nodes) as driver:
        await driver.enter("/partition")
        assert [blocked(node) for node in nodes] == [[3, 4], [3, 4], [1, 2, 9], [1, 2, 9]]
        assert "the swarm is cut in two: n01, n02 | n03, n04" in driver.log
        assert "FAULTS: cut in two" in driver.status
        await driver.enter("/heal n03")
        assert "/heal alone heals it" in driver.hint
        await driver.enter("/heal")
        assert [blocked(node) for node in nodes] == [[]] * 4
        assert "FAULTS" not in driver.status


async def test_those_named_are_the_far_side_and_a_new_cut_replaces_the_old() -> None:
    nodes = swarm(5)
    async with driven(*nodes) as driver:
        await driver.enter("/partition n02")
        assert [blocked(node) for node in nodes] == [[2], [1, 3, 4, 5], [2], [2], [2]]
        await driver.enter("/partition n04 n05")
        assert [blocked(node) for node in nodes] == [[4, 5], [4, 5], [4, 5], [1, 2, 3], [1, 2, 3]]
        assert "n01 to n03 | n04, n05" in driver.log
        await driver.enter("/partition n01 n02 n03 n04 n05")
        assert "that is everybody" in driver.hint
        await driver.enter("/partition n99")
        assert "there is no node n99 here: n01 to n05" in driver.hint


async def test_a_node_comes_back_with_cuts_of_one_direction_as_they_were() -> None:
    nodes, back = swarm(), MemoryNode("n03", incarnation=7, number=3)
    cuts = {address(1): Direction.IN, address(2): Direction.OUT, address(4): Direction.BOTH}
    for peer, direction in cuts.items():
        nodes[2].block([peer], direction)
    async with driven(*nodes, successor=lambda _: back) as driver:
        await driver.enter("/restart n03")
    assert back.fault_report.blocked == cuts


async def test_a_node_crashes_and_comes_back_with_its_faults() -> None:
    nodes = swarm()
    successors: list[MemoryNode] = []

    def successor(before: Any) -> MemoryNode:
        successors.append(MemoryNode(before.id.name, incarnation=7, number=3))
        return successors[0]

    async with driven(*nodes, successor=successor) as driver:
        await driver.enter("/partition n03")
        await driver.enter("/fault swarm loss=5")
        await driver.enter("/crash n03")
        assert nodes[2].is_closed
        assert states(driver) == ["running", "running", "crashed", "running"]
        assert "n03 crashed" in driver.log
        assert "1 crashed" in driver.status
        await driver.enter("/crash n03")
        assert "n03 has ended already: /restart n03" in driver.hint
        await driver.enter("/stop n03")
        assert "n03 does not run: it is crashed" in driver.hint
        await driver.enter("/restart n03")
        (back,) = successors
        assert states(driver) == ["running"] * 4
        assert back.started == 1
        assert back.fault_report.faults == Faults(loss=0.05)
        assert blocked(back) == [1, 2, 4]
        assert "n03 is back as a new incarnation" in driver.log


@pytest.mark.parametrize("line", ["/crash n99", "/restart n99", "/export pdf", "/stop n99"])
async def test_a_line_that_is_refused_only_after_a_while_is_back(line: str) -> None:
    async with driven(*swarm()) as driver:
        await driver.enter(line)
        assert (driver.composer, bool(driver.hint)) == (line, True)
        await driver.press("x")
        assert (driver.composer, driver.hint) == (line + "x", "")


async def test_a_refused_line_does_not_come_back_over_what_is_typed_meanwhile() -> None:
    async with driven(*swarm()) as driver:
        await driver.type("hel")
        driver.app.composer.give_back("/crash n99", "there is no node n99")
        assert (driver.composer, driver.hint) == ("hel", "there is no node n99")


async def test_a_node_stands_still_and_goes_on() -> None:
    nodes = swarm()
    async with driven(*nodes) as driver:
        await driver.enter("/stop n01")
        assert nodes[0].is_frozen
        assert "FAULTS: 1 stopped" in driver.status
        await driver.enter("/strategy healer")
        assert "this node is stopped: /continue n01" in driver.hint
        await driver.enter("/continue n01")
        assert not nodes[0].is_frozen
        assert "n01 goes on where it stood still" in driver.log
        await driver.enter("/continue n01")
        assert "n01 is running" in driver.hint


# How they sample and spread.


async def test_view_size_and_fanout_are_set_and_said() -> None:
    async with driven() as driver:
        await driver.enter("/view-size 8")
        await driver.enter("/fanout 3")
        assert (driver.node.picture.view_size, driver.node.picture.fanout) == (8, 3)
        assert "≈ view size is now 8" in driver.log
        assert "≈ fan-out is now 3" in driver.log
        await driver.enter("/fanout")
        assert "· fan-out 3" in driver.log


async def test_the_word_swarm_behind_them_asks_every_node_that_runs() -> None:
    nodes = swarm()
    async with driven(*nodes) as driver:
        await driver.enter("/stop n04")
        for line in (
            "/view-size 8 swarm",
            "/fanout 3 swarm",
            "/strategy cyclon swarm",
            "/dissemination tree swarm",
        ):
            await driver.enter(line)
        cyclon = Strategy.parse("cyclon", 8)
        assert [
            (node.picture.view_size, node.picture.fanout, node.picture.strategy, node.picture.dissemination)
            for node in nodes[:3]
        ] == [(8, 3, cyclon, Dissemination.TREE)] * 3
        assert nodes[3].picture.view_size == 20
        assert "fan-out is now 3 in the whole swarm" in driver.log


async def test_a_change_is_marked_at_those_who_were_asked() -> None:
    async with driven(*swarm()) as driver:
        await driver.enter("/crash n04")
        for line in ("/view-size 8", "/fanout 3", "/strategy cyclon", "/dissemination tree"):
            await driver.enter(f"{line} swarm")
        await driver.enter("/fanout 4")
        changes = driver.app.feed.deliveries({}).changes
        assert [sorted(change.nodes) for change in changes[1:]] == [["n01", "n02", "n03"]] * 4 + [["n01"]]


# What is never hidden.


def line(width: int, **fields: Any) -> str:
    faults = fields.pop("faults", FaultReport(Faults(loss=0.2)))
    return status_line(Status(snapshot(faults=faults), **fields), width).plain


@pytest.mark.parametrize("width", range(8, 140, 3))
def test_the_status_bar_says_faults_however_narrow_and_whatever_else_there_is(width: int) -> None:
    shown = line(width, frozen=True, recording=True, failures=3, failure="x" * 200, seat="3/24")
    assert "FAULTS" in shown or width < 8
    assert "REC" in shown or width < 26
    assert shown.startswith(" FAULTS" if width < 68 else " p1 127.0.0.1:8001 (3/24) │ FAULTS")
    assert "! internal e" in shown or width < 41


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (96, " p1 127.0.0.1:8001 │ FAULTS: loss=20 delay=50..200, 1 crashed +1 │ REC │ ● live  cycle 412"),
        (80, " p1 127.0.0.1:8001 │ FAULTS: loss=20 delay=50..200 +2 │ REC │ ● live  cycle 412"),
        (70, " p1 127.0.0.1:8001 │ FAULTS: loss=20 +3 │ REC │ ● live  cycle 412"),
        (55, " p1 127.0.0.1:8001 │ FAULTS │ REC │ ● live  cycle 412"),
        (50, " p1 127.0.0.1:8001 │ FAULTS: loss=20 +3 │ REC"),
        (34, " p1 127.0.0.1:8001 │ FAULTS │ REC"),
        (30, " FAULTS │ REC │ p1 127.0.0.1:…"),
        (20, " FAULTS │ REC │ p1 …"),
    ],
)
def test_what_is_disturbed_is_shortened_before_it_hides_anything_that_matters(width: int, shown: str) -> None:
    report = FaultReport(Faults.parse("loss=20 delay=50..200"))
    assert line(width, faults=report, recording=True, experiments="1 crashed, 1 stopped") == shown


@pytest.mark.parametrize("width", [60, 80, 100])
def test_long_faults_hide_neither_that_the_node_left_nor_that_this_is_a_recording(width: int) -> None:
    many = "cut in two, 3 crashed, 2 stopped, 12 other nodes disturbed"
    left = status_line(
        Status(snapshot(faults=FaultReport(Faults(loss=0.2)), left=True), experiments=many), width
    )
    assert "FAULTS" in left.plain
    assert "left" in left.plain
    recorded = line(width, experiments=many, recorded="2025-06-16 12:00:05")
    assert "RECORDED" in recorded
    assert "12:00:05" in recorded or width < 100


def test_the_status_bar_counts_peers_apart_and_cut_off() -> None:
    report = FaultReport(by_peer={address(2): Faults(loss=1)}, blocked={address(3): Direction.BOTH})
    assert "FAULTS: 1 peer with faults of its own, cut off from 1 │" in line(120, faults=report)
    assert "FAULTS: 1 peer with faults of its own, cut in two, 1 crashed" in line(
        120, faults=report, experiments="cut in two, 1 crashed"
    )


async def test_a_cut_in_one_direction_is_never_called_a_whole_one() -> None:
    async with driven() as driver:
        driver.node.block([address(2), address(3)], Direction.OUT)
        await driver.enter("/fault")
        assert "faults at this node: off, nothing goes to 2, so far" in driver.log
        assert "FAULTS: nothing goes to 2 │" in driver.status
        driver.node.block([address(4)])
        driver.node.block([address(5)], Direction.IN)
        await driver.look()
        assert "FAULTS: cut off from 1, nothing comes from 1, nothing goes to 2 │" in driver.status


async def test_a_change_is_a_mark_in_the_rates_and_so_is_a_crash_elsewhere() -> None:
    now = [100.0]
    async with driven(*swarm(2), clock=lambda: now[0]) as driver:
        for line in ("", "/fault loss=20", "", "/crash n02", "", ""):
            if line:
                await driver.enter(line)
            now[0] += 1.0
            driver.node.now(cycle=driver.node.picture.cycle + 1)
            await driver.look()
        drawn = [driver.app.main.rates.render_line(y).text.rstrip() for y in range(2)]
        assert [text[-6:].count("│") for text in drawn] == [2, 2]


async def test_hostile_names_do_no_harm_in_refusals_and_notices() -> None:
    async with driven(ascii=True) as driver:
        for name in HOSTILE:
            rows = (peer_row(2, id=node_id(name), state=PeerState.VIEW),)
            driver.node.now(peers=rows)
            for line in (f"/fault {name} loss=5", f"/partition {name}", "/fault 127.0.0.1:8002 loss=5"):
                await driver.enter(line)
                assert_harmless((driver.hint + driver.log + driver.status).replace("\n", ""))
        assert f"{ASCII.changed} faults at this node towards 127.0.0.1:8002" in driver.log


def test_tab_knows_peers_nodes_and_faults() -> None:
    words = Vocabulary(names=("p2",), nodes=("n01", "n02"))
    assert complete("/fault lo", 9, words).line == "/fault loss=20 "
    assert complete("/fault sw", 9, words).line == "/fault swarm "
    assert complete("/fault p", 8, words).line == "/fault p2 "
    assert complete("/crash n0", 9, words).choices == ("n01", "n02")
    assert complete("/fanout 3 s", 11, words).line == "/fanout 3 swarm "
    assert complete("/fault sw", 9, Vocabulary(names=("p2",))).line == "/fault sw"
