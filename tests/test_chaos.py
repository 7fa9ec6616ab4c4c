"""The parts of the chaos runs: what they judge by, the stories they draw, and the relay between the nodes."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from tests.chaos.__main__ import options, report
from tests.chaos.plan import ABSENCES, CALM_SHARE, Kill, Stop, plan
from tests.chaos.relay import LOOPBACK, Relay
from tests.chaos.run import Outcome, Settings
from tests.chaos.verdict import Life, differences, is_complete, lost


def record(origin: str, sequence: int, *parents: str, **fields: Any) -> dict[str, Any]:
    """A line of ``tail --json`` about a message."""
    return {
        "type": "message",
        "id": f"{origin}#{sequence}",
        "origin": origin,
        "origin_id": f"{origin}~tag",
        "seq": sequence,
        "text": f"{origin} says {sequence}",
        "clock": {origin: sequence},
        "parents": list(parents),
        "depth": sequence,
        "late": False,
        **fields,
    }


def life(node: str, *records: dict[str, Any]) -> Life:
    """A process that told this."""
    told = Life(node)
    for one in records:
        told.take(one)
    return told


FIRST, SECOND = record("a", 1), record("b", 2, "a#1")


# the verdict


def test_processes_that_tell_the_same_are_as_promised() -> None:
    lives = [life("a", FIRST, SECOND), life("b", FIRST, SECOND)]
    assert is_complete(lives)
    assert differences(lives) == []


def test_a_message_that_somebody_lacks_is_told() -> None:
    lives = [life("a", FIRST, SECOND), life("b", FIRST)]
    assert not is_complete(lives)
    assert differences(lives) == ["b lacks b~tag#2"]


def test_silence_all_over_is_no_success() -> None:
    assert differences([life("a"), life("b")]) == ["nobody told of any message"]


def test_a_message_delivered_twice_is_told() -> None:
    assert differences([life("a", FIRST, FIRST)]) == ["a delivered a~tag#1 twice"]


def test_a_message_delivered_before_its_parent_is_told() -> None:
    assert differences([life("a", SECOND, FIRST)]) == ["a delivered b~tag#2 before a#1"]


@pytest.mark.parametrize("field", [{"clock": {"a": 7}}, {"depth": 9}, {"text": "other"}])
def test_a_message_told_otherwise_is_told(field: dict[str, Any]) -> None:
    (found,) = differences([life("a", FIRST), life("b", {**FIRST, **field})])
    assert "tells otherwise of a~tag#1" in found


@pytest.mark.parametrize("kind", ["gap", "lagged", "undeliverable"])
def test_what_a_node_gave_up_is_told(kind: str) -> None:
    (found,) = differences([life("a", FIRST, {"type": kind})])
    assert kind in found


def test_an_own_message_that_died_with_its_process_is_told() -> None:
    assert lost([life("a", FIRST)], [life("b")]) == [
        "a was killed after it had told of a~tag#1, which nobody has"
    ]


def test_what_others_said_may_die_with_a_process() -> None:
    assert lost([life("b", FIRST)], [life("b")]) == []


def test_a_report_names_the_seed_and_counts_what_it_does_not_show() -> None:
    outcome = Outcome(Settings(seed=7), [f"problem {n}" for n in range(50)], 1, 2, 3, 4, 5, 6.0)
    assert report(outcome).splitlines()[-2:] == ["and 10 more", "50 problems with seed 7"]


def test_words_behind_two_dashes_go_to_every_node() -> None:
    settings, is_loud = options(["--nodes", "5", "--quiet", "--", "--cycle", "0.2"])
    assert (settings.nodes, settings.words, is_loud) == (5, ("--cycle", "0.2"), False)


# stories


def test_a_seed_has_one_story() -> None:
    assert plan(12, 60, 3) == plan(12, 60, 3) != plan(12, 60, 4)


@pytest.mark.parametrize("seed", range(20))
def test_a_story_leaves_half_of_the_nodes_running_and_is_over_when_the_calm_begins(seed: int) -> None:
    story = plan(10, 60, seed)
    away = [(at, at + deed.seconds, deed.node) for at, deed in story if isinstance(deed, Kill | Stop)]
    assert all(at + deed.seconds <= 60 * (1 - CALM_SHARE) + 1e-9 for at, deed in story)
    for at, _, _ in away:
        absent = [node for begin, end, node in away if begin <= at < end]
        assert len(absent) == len(set(absent)) <= 5


def test_stories_have_every_kind_of_deed() -> None:
    kinds = {type(deed).__name__ for seed in range(5) for _, deed in plan(10, 60, seed)}
    assert kinds == {"Kill", "Stop", "Cut", "Weather"}
    assert ABSENCES[0] > 0


# the relay


class Behind:
    """A bare socket behind a front."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((LOOPBACK, 0))
        self.socket.setblocking(False)
        self.port: int = self.socket.getsockname()[1]

    def send(self, data: bytes, front: str) -> None:
        host, _, port = front.partition(":")
        self.socket.sendto(data, (host, int(port)))

    async def receive(self) -> tuple[bytes, str]:
        data, (host, port) = await asyncio.get_running_loop().sock_recvfrom(self.socket, 2_000)
        return data, f"{host}:{port}"


async def test_a_relay_passes_a_datagram_on_from_the_front_of_its_sender() -> None:
    a, b = Behind(), Behind()
    relay = Relay([a.port, b.port], seed=1)
    try:
        a.send(b"hello", relay.address(1))
        assert await b.receive() == (b"hello", relay.address(0))
    finally:
        relay.close()
        a.socket.close()
        b.socket.close()


async def test_a_cut_one_way_lets_the_other_pass() -> None:
    a, b = Behind(), Behind()
    relay = Relay([a.port, b.port], seed=1)
    try:
        relay.cut([0], [1], both_ways=False)
        a.send(b"lost", relay.address(1))
        b.send(b"passed", relay.address(0))
        assert await a.receive() == (b"passed", relay.address(1))
        relay.cuts.clear()
        a.send(b"again", relay.address(1))
        assert (await b.receive())[0] == b"again"
        assert relay.dropped == 1
    finally:
        relay.close()
        a.socket.close()
        b.socket.close()


@pytest.mark.parametrize("words", [("--nodes", "0"), ("--rate", "nan"), ("--rate", "0"), ("--seconds", "-5")])
def test_settings_that_make_no_run_are_refused_with_their_value(
    words: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        options(words)
    assert f"{words[0]} must be" in (said := capsys.readouterr().err)
    assert f"not {words[1]}" in said
