"""The top line: what it says, what it leaves out when it is narrow, and what it costs."""

from __future__ import annotations

from typing import Any

import pytest

from gossip_tui.drawing.status_line import Recent, Status, problem_of, status_line
from gossip_tui.observed import NodeState
from protocol.core.snapshot import Counters, NodeSnapshot, PeerState
from tests.gossip_tui.driving import driven
from tests.gossip_tui.samples import node_id, peer_row, snapshot


def line(width: int = 120, *, ascii_only: bool = False, **fields: Any) -> str:
    status = {name: fields.pop(name) for name in list(fields) if name in Status.__dataclass_fields__}
    picture: NodeSnapshot = fields.pop("picture", None) or snapshot(**fields)
    return status_line(Status(picture, **status), width, ascii_only=ascii_only).plain


def test_all_is_well() -> None:
    assert line(rate_in=31.4, rate_out=29.0) == (
        " p1 127.0.0.1:8001 │ ● live  cycle 412 │ view 3/20 │ in 31/s out 29/s │ held 0"
    )


def test_in_ascii_nothing_else_is_used() -> None:
    assert (
        line(ascii_only=True)
        == " p1 127.0.0.1:8001 | * live  cycle 412 | view 3/20 | in 0/s out 0/s | held 0"
    )


def test_what_is_held_back_and_not_yet_heard_is_counted() -> None:
    assert line(held_count=1_002, unacknowledged=3).endswith("│ held 1,002 │ unheard 3")


def test_in_a_swarm_the_seat_is_named() -> None:
    assert line(seat="3/24").startswith(" p1 127.0.0.1:8001 (3/24) │")


def test_catching_up_is_said() -> None:
    assert "◐ catching up" in line(catching_up=True)


def test_catching_up_shows_how_far_it_is_of_what_is_known_to_be_missing() -> None:
    assert "◐ catching up 1,200/3,400" in line(catching_up=True, caught_up=1_200, behind=2_200)


def test_a_few_messages_on_their_way_are_no_catching_up() -> None:
    assert "● live" in line(behind=15)
    assert "◐ catching up 0/16" in line(behind=16)


def test_many_silent_peers_are_named_with_what_is_done_about_them() -> None:
    assert "no answer from 5 of 8 peers: gone or cut off, dialled again" in line(unanswered=5)


@pytest.mark.parametrize("silent", [0, 1])
def test_one_peer_that_was_killed_is_no_cut_network(silent: int) -> None:
    assert "no answer" not in line(unanswered=silent)


def test_a_frozen_screen_says_how_to_go_on() -> None:
    assert "FROZEN: F8 goes on" in line(frozen=True)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"peers": ()}, "no peer answers yet: run gossip-tui in another terminal, or /join HOST:PORT"),
        (
            {"peers": (peer_row(2, age=None, state=PeerState.LOST),)},
            "! no peer answers: 1 lost, dialled again now and then, or /join HOST:PORT",
        ),
        ({"fate": NodeState.CRASHED}, "! crashed: /restart p1 brings it back"),
        ({"fate": NodeState.CRASHED, "recorded": "noon"}, " RECORDED noon  │ ! crashed"),
        ({"fate": NodeState.STOPPED}, "stands still: /continue p1"),
        ({"fate": NodeState.STOPPED, "recorded": "noon"}, " RECORDED noon  │ stands still"),
        ({"left": True, "recorded": "noon"}, " RECORDED noon  │ left the network"),
        ({"left": True}, "left the network: /join comes back, ^q quits"),
        (
            {"rejects": {"version": 7, "magic": 1}},
            "! 8 datagrams refused in 10 s: a peer runs another version: update one of them",
        ),
        ({"rejects": {"un\x1bknown": 9}}, "! 9 datagrams refused in 10 s: un␛known"),
        ({"failures": 1, "failure": "ValueError: x"}, "! internal error: ValueError: x"),
        ({"failures": 2, "failure": "ValueError: x"}, "! internal error, 2 times: ValueError: x"),
    ],
)
def test_problems_are_said_in_words_with_what_to_do(fields: dict[str, Any], text: str) -> None:
    assert line(**fields) == f" p1 127.0.0.1:8001 │ {text}"


def test_an_empty_view_is_no_problem_before_anybody_could_have_answered() -> None:
    assert problem_of(Status(snapshot((), cycle=1))) is None
    assert "○ looking for peers" in line(peers=(), cycle=1)


def test_a_few_stray_packets_are_no_problem() -> None:
    assert problem_of(Status(snapshot(), rejects={"magic": 4})) is None


@pytest.mark.parametrize("width", range(1, 100))
def test_the_line_never_exceeds_the_width(width: int) -> None:
    assert status_line(Status(snapshot()), width).cell_length <= max(2, width)
    assert status_line(Status(snapshot(())), width).cell_length <= max(2, width)


def test_in_a_narrow_terminal_identity_and_address_stay_longest() -> None:
    assert [line(width) for width in (60, 42, 21)] == [
        " p1 127.0.0.1:8001 │ ● live  cycle 412 │ view 3/20",
        " p1 127.0.0.1:8001 │ ● live  cycle 412",
        " p1 127.0.0.1:8001",
    ]


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (94, "no peer answers: 2 lost, dialled again now and then, or /join HOST:PORT"),
        (92, "no peer answers: 2 lost, dialled again, or /join HOST:PORT"),
        (80, "no peer answers: 2 lost, /join HOST:PORT"),
        (50, "no peer: /join HOST:PORT"),
    ],
)
def test_what_to_do_about_lost_peers_is_read_in_every_width(width: int, shown: str) -> None:
    lost = tuple(peer_row(number, age=None, state=PeerState.LOST) for number in (2, 3))
    assert line(width, peers=lost) == f" p1 127.0.0.1:8001 │ ! {shown}"


@pytest.mark.parametrize(
    ("width", "shown"), [(80, "left the network: /join comes back, ^q quits"), (50, "left: /join comes back")]
)
def test_after_leaving_the_way_back_is_read_in_every_width(width: int, shown: str) -> None:
    assert line(width, left=True) == f" p1 127.0.0.1:8001 │ {shown}"


@pytest.mark.parametrize("width", range(1, 120, 3))
def test_a_cut_line_in_ascii_is_ascii(width: int) -> None:
    failing = {"failures": 1, "failure": "x" * 200}
    for fields in (
        {},
        {"id": node_id("n" * 64)},
        {"peers": ()},
        failing,
        {"seat": "3/24", "recording": True},
    ):
        assert line(width, ascii_only=True, **fields).isascii()


def test_names_are_safe_and_never_markup() -> None:
    text = line(id=node_id("[bold]\x1b[2J"))
    assert text.startswith(" [bold]␛[2J 127.0.0.1:8001 │")


def counted(number: int, **rejected: int) -> NodeSnapshot:
    return snapshot(counters=Counters(datagrams_in=number, datagrams_out=2 * number), rejected=rejected)


def test_rates_are_those_of_the_last_two_seconds() -> None:
    recent = Recent()
    for at, number in ((0.0, 0), (1.0, 1_000), (2.0, 1_010), (3.0, 1_020), (4.0, 1_030)):
        recent.observe(counted(number), at)
    assert recent.rates() == (10.0, 20.0)


def test_one_picture_has_no_rate() -> None:
    recent = Recent()
    assert recent.rates() == (0.0, 0.0)
    recent.observe(counted(100), 1.0)
    assert recent.rates() == (0.0, 0.0)


def test_two_pictures_of_one_moment_have_no_rate() -> None:
    recent = Recent()
    recent.observe(counted(1), 1.0)
    recent.observe(counted(2), 1.0)
    assert recent.rates() == (0.0, 0.0)


def test_refusals_are_those_of_the_last_ten_seconds() -> None:
    recent = Recent()
    for at, count in ((0.0, 3), (5.0, 4), (12.0, 9)):
        recent.observe(counted(0, magic=count), at)
    assert recent.rejects() == {"magic": 5}


def test_when_nothing_happens_any_more_the_figures_settle() -> None:
    recent = Recent()
    settled = []
    for at, number in ((0.0, 0), (1.0, 5), (2.0, 5), (3.5, 5)):
        recent.observe(counted(number), at)
        settled.append(recent.settled)
    assert settled == [True, False, False, True]


def test_another_node_starts_from_nothing() -> None:
    recent = Recent()
    recent.observe(counted(1_000), 0.0)
    recent.observe(snapshot(id=node_id("p2")), 1.0)
    assert recent.rates() == (0.0, 0.0)


async def test_the_bar_is_cut_anew_when_the_terminal_is_resized() -> None:
    async with driven() as driver:
        await driver.pilot.resize_terminal(30, 20)
        await driver.calm()
        assert driver.status == " p1 127.0.0.1:8001"
