"""Dials: what there is to turn, how it looks, and the command that turning it is."""

from __future__ import annotations

from typing import Any

import pytest

from gossip_tui.command_line import parse_line
from gossip_tui.drawing.dial_board import Turning, dial_line, is_unusual, totals_lines
from gossip_tui.drawing.dials import (
    Bench,
    Dial,
    Kind,
    Value,
    command_for,
    dials_of,
    reset,
    targets_of,
    turned,
    typed,
)
from gossip_tui.drawing.line import plain, width_of
from gossip_tui.experiments import Lab, Member, NodeState
from gossip_tui.theme import ASCII, UNICODE
from protocol.core.faults import Direction, FaultReport, Faults
from protocol.core.strategy import Strategy
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.samples import address, node_id, peer_row, snapshot

DISTURBED = FaultReport(
    Faults.parse("loss=20 delay=50..200"), {address(2): Faults.parse("loss=50")}, lost=12, delayed=30
)


def lab(*states: NodeState, is_cut: bool = False, total: FaultReport | None = None) -> Lab:
    members = [Member(f"n{number:02}", state, 0) for number, state in enumerate(states, 1)]
    return Lab(tuple(members), is_cut, total or FaultReport())


def bench(report: FaultReport | None = None, **fields: Any) -> Bench:
    return Bench(
        snapshot(faults=report or FaultReport()), fields.pop("lab", lab(NodeState.RUNNING)), **fields
    )


def demo(**fields: Any) -> Bench:
    states = (NodeState.RUNNING, NodeState.STOPPED, NodeState.CRASHED)
    return bench(lab=fields.pop("lab", lab(*states)), **fields)


def dial(which: Bench, kind: Kind, name: str = "") -> Dial:
    return next(one for one in dials_of(which) if one.key == (kind, name))


def board(which: Bench, width: int = 50, glyphs: Any = UNICODE) -> list[str]:
    return [plain(dial_line(one, None, width, glyphs)).rstrip() for one in dials_of(which)]


def test_the_dials_of_a_single_node() -> None:
    assert board(bench(DISTURBED)) == [
        " towards    everybody",
        " loss            20 %  ━━━━━───────────────────",
        " delay           50 ms ━───────────────────────",
        " jitter         150 ms ━━━━────────────────────",
        " tail             0 %  ────────────────────────",
        " duplicate        0 %  ────────────────────────",
        " reorder          0 %  ────────────────────────",
        " late          2000 ms ━━━━━━━━━━━━────────────",
        " network    reached",
        " fan-out          4    ━━━━━───────────────────",
        " view size       20    ━━━━━━━━────────────────",
        " strategy   default",
        " spreading  eager",
    ]


def test_in_the_demo_there_are_scope_cut_and_nodes_too() -> None:
    lines = board(demo(swarm=True))
    assert lines[0] == " applies to the whole swarm"
    assert " network    whole" in lines
    assert lines[-3:] == [" n01        running", " n02        stopped", " n03        crashed"]


def test_towards_one_peer_the_dials_are_about_that_one() -> None:
    one = bench(DISTURBED, target=address(2))
    assert board(one)[:2] == [
        " towards    p2 127.0.0.1:8002",
        " loss            50 %  ━━━━━━━━━━━━────────────",
    ]
    assert board(bench(DISTURBED, target=address(5)))[1].startswith(" loss            20 %")


@pytest.mark.parametrize("width", [0, 1, 5, 12, 18, 24, 30, 40, 200])
def test_every_width_draws_within_itself_and_ascii_is_ascii(width: int) -> None:
    for one in dials_of(demo()):
        for turning in (None, Turning(one.value), Turning(one.value, "12")):
            assert plain(dial_line(one, turning, width, ASCII)).isascii()
            if width >= 24:
                assert width_of(dial_line(one, turning, width, UNICODE)) <= width


@pytest.mark.parametrize(
    ("way", "whole", "towards"),
    [
        (Direction.BOTH, "cut off from 1", "cut off"),
        (Direction.IN, "nothing comes from 1", "nothing comes in"),
        (Direction.OUT, "nothing goes to 1", "nothing goes out"),
    ],
)
def test_a_cut_says_in_which_direction_it_is(way: Direction, whole: str, towards: str) -> None:
    report = FaultReport(blocked={address(2): way})
    assert dial(bench(report), Kind.CUT).value == whole
    one = dial(bench(report, target=address(2)), Kind.CUT)
    assert one.value == towards
    assert is_unusual(one, one.value)
    assert command_for(bench(report, target=address(2)), one, str(turned(one, 1))) == "/heal 127.0.0.1:8002"


def test_what_is_turned_and_typed_is_marked_until_it_is_in_force() -> None:
    loss = dial(bench(), Kind.LOSS)
    assert plain(dial_line(loss, Turning(15.0), 38, UNICODE)).startswith(" loss            15 %  ━━─")
    assert plain(dial_line(loss, Turning(15.0), 38, UNICODE)).endswith(" ≈")
    assert plain(dial_line(loss, Turning(12.0, "12"), 30, UNICODE)).startswith(" loss           12_ %")


def test_what_faults_did_is_counted_with_its_reasons() -> None:
    report = FaultReport(lost=12, stopped=3, overflowed=1, delayed=1_030, duplicated=4, waiting=2)
    one = bench(report)
    assert [plain(line) for line in totals_lines(one, 80, UNICODE)] == [
        " so far here: 16 dropped (12 lost, 3 cut off, 1 for want of room)",
        " 1,030 delayed · 4 doubled · 2 waiting now",
    ]
    whole = demo(swarm=True, lab=lab(NodeState.RUNNING, NodeState.RUNNING, total=report))
    assert plain(totals_lines(whole, 80, UNICODE)[0]).startswith(" so far in the swarm: 16 dropped")


@pytest.mark.parametrize(
    ("kind", "start", "steps", "end"),
    [
        (Kind.LOSS, 0.0, 1, 5.0),
        (Kind.LOSS, 0.0, -1, 0.0),
        (Kind.LOSS, 12.5, 1, 15.0),
        (Kind.LOSS, 12.5, -1, 10.0),
        (Kind.LOSS, 100.0, 1, 100.0),
        (Kind.DELAY, 25.0, 1, 50.0),
        (Kind.VIEW_SIZE, 2.0, -1, 2.0),
        (Kind.STRATEGY, "default", 1, "blind"),
        (Kind.STRATEGY, "default", -1, "lpbcast"),
        (Kind.SPREADING, "eager", 1, "tree"),
        (Kind.SPREADING, "eager", -1, None),
        (Kind.CUT, "reached", 1, "cut off"),
        (Kind.SCOPE, "this node", 1, None),
    ],
)
def test_turning_goes_in_steps_and_ends_at_the_ends(
    kind: Kind, start: Value, steps: int, end: Value | None
) -> None:
    one = dial(demo() if kind is Kind.SCOPE else bench(), kind)
    assert turned(one._replace(value=start), steps) == end


def test_resetting_and_typing_stay_within_what_is_possible() -> None:
    one = bench(DISTURBED)
    assert [reset(dial(one, kind)) for kind in (Kind.LOSS, Kind.LATE, Kind.FANOUT, Kind.STRATEGY)] == [
        0,
        2_000,
        4,
        "default",
    ]
    assert typed(dial(one, Kind.LOSS), "250") == 100
    assert typed(dial(one, Kind.LOSS), "12.5") == 12.5
    assert typed(dial(one, Kind.LOSS), "1.2.3") is None
    assert typed(dial(one, Kind.STRATEGY), "7") is None


@pytest.mark.parametrize(
    ("which", "kind", "name", "value", "line"),
    [
        (bench(DISTURBED), Kind.LOSS, "", 25.0, "/fault loss=25 delay=50..200"),
        (bench(DISTURBED), Kind.LOSS, "", 20.0, ""),
        (bench(DISTURBED), Kind.DELAY, "", 100.0, "/fault loss=20 delay=100..250"),
        (bench(DISTURBED), Kind.JITTER, "", 0.0, "/fault loss=20 delay=50"),
        (bench(DISTURBED, target=address(2)), Kind.LOSS, "", 0.0, "/fault 127.0.0.1:8002 off"),
        (demo(swarm=True), Kind.REORDER, "", 5.0, "/fault swarm reorder=5"),
        (demo(swarm=True), Kind.FANOUT, "", 6.0, "/fanout 6 swarm"),
        (bench(swarm=True), Kind.VIEW_SIZE, "", 21.0, "/view-size 21"),
        (demo(swarm=True), Kind.STRATEGY, "", "cyclon", "/strategy cyclon swarm"),
        (bench(), Kind.SPREADING, "", "tree", "/dissemination tree"),
        (bench(target=address(2)), Kind.CUT, "", "cut off", "/partition 127.0.0.1:8002"),
        (demo(target=address(2)), Kind.CUT, "", "cut", "/partition"),
        (demo(lab=lab(*[NodeState.RUNNING] * 2, is_cut=True)), Kind.CUT, "", "whole", "/heal"),
        (demo(), Kind.NODE, "n01", "stopped", "/stop n01"),
        (demo(), Kind.NODE, "n02", "running", "/continue n02"),
        (demo(), Kind.NODE, "n02", "crashed", "/crash n02"),
        (demo(), Kind.NODE, "n03", "running", "/restart n03"),
    ],
)
def test_a_turned_dial_is_a_command_as_a_person_would_type_it(
    which: Bench, kind: Kind, name: str, value: Value, line: str
) -> None:
    assert command_for(which, dial(which, kind, name), value) == line
    if line:
        assert parse_line(line, demo=which.is_demo)


def test_everybody_in_the_view_and_everybody_disturbed_can_be_chosen() -> None:
    report = FaultReport(by_peer={address(9): Faults()}, blocked={address(8): Direction.BOTH})
    assert targets_of(bench(report)) == [None, *map(address, (8, 9, 2, 5, 7))]


def test_a_strategy_that_is_no_preset_is_shown_in_full_and_can_be_left() -> None:
    own = snapshot(strategy=Strategy.parse("(rand, pull, H=2, S=3)", 20))
    one = dial(Bench(own), Kind.STRATEGY)
    assert one.value == "(rand, pull, H=2, S=3)"
    assert turned(one, 1) == "default"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_of_peers_and_nodes_do_no_harm(name: str) -> None:
    picture = snapshot((peer_row(2, id=node_id(name)),))
    members = tuple(Member(one, NodeState.RUNNING, 0) for one in (name, "n02"))
    for one in dials_of(Bench(picture, Lab(members, False, FaultReport()), target=address(2))):
        assert_harmless(plain(dial_line(one, None, 60, UNICODE)))
