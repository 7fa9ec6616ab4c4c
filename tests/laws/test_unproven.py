"""To an address that has proven nothing, never more bytes go than came from it."""

from __future__ import annotations

import random

import pytest

from protocol.core.codec import Datagram
from protocol.core.large.tree import Reference, Tree
from protocol.core.links import BLIND_PUSH_LIMIT
from protocol.core.messages import (
    Absent,
    Acknowledge,
    Announcement,
    Chunk,
    ChunkRequest,
    Digest,
    Distance,
    ExchangeAnswer,
    ExchangeRequest,
    Floors,
    FloorsDone,
    Goodbye,
    Graft,
    HistoryDone,
    HistoryRequest,
    Holding,
    IHave,
    Item,
    Linkage,
    Padding,
    Prune,
    Range,
    Rumor,
    Stance,
    Want,
)
from protocol.core.view import Descriptor
from tests.protocol.core.wiring import CODEC, Stranger, Wiring, address, node_id, rumor

VICTIM = address(99)
LARGE = Tree.of(b"large " * 1_500)


def busy() -> Wiring:
    """Three machines with a history and full views, of which "a" is attacked."""
    wiring = Wiring(["a", "b", "c"])
    wiring.join("b", "a")
    wiring.join("c", "a")
    for number in range(30):
        wiring.send("abc"[number % 3], f"{number} " * 20)
        wiring.settle()
    wiring.send("b", "large " * 1_500)
    wiring.run(5)
    return wiring


def unknown_dots(count: int) -> tuple[tuple[bytes, int], ...]:
    return tuple((bytes([number]) * 8, 5) for number in range(1, count + 1))


def spoofed(attacker: Stranger, wiring: Wiring, dice: random.Random) -> list[Item]:
    """Everything a forger can think of, in one datagram or the other."""
    key = wiring["b"].id.key
    number = int(dice.random() * (1 << 30)) + 1
    dots = unknown_dots(int(dice.random() * 60))
    choices: list[list[Item]] = [
        [attacker.request(number, frontier=dots)],
        [attacker.request(number, frontier=dots, push=False), Padding(int(dice.random() * 900) + 10)],
        [attacker.request(number + step, frontier=()) for step in range(20)],
        [ExchangeAnswer(number, attacker.id, (), Digest(dots, 5, 5, 0))],
        [Want((Range(key, 1, 10),), anchored=True)],
        [Want((Range(key, 1, 10), *(Range(k, 1, s) for k, s in dots)), anchored=False)],
        [Floors(number, bytes(8), b"\xff" * 8, ())],
        [HistoryRequest(number, 0)],
        [rumor(node_id(f"x{number}"), 1, 9, dots)],
        [rumor(attacker.id, number % 50 + 1, 9, dots)],
        [rumor(attacker.id, sequence) for sequence in range(1, 20)],
        [Acknowledge((wiring["a"].id.key, 1))],
        [Absent((Range(key, 1, 10),)), FloorsDone(number, more=True, evicted=True)],
        [HistoryDone(number, 0, more=True)],
        [Goodbye(attacker.id)],
        [
            Announcement(
                rumor(node_id(f"x{number}"), 1, 9)._replace(payload=Reference.to(9_999, bytes(16))), 0
            )
        ],
        [ChunkRequest((key, 1), LARGE.reference, tuple(range(9)))],
        [Holding(LARGE.reference, b"\xff"), Chunk(LARGE.reference, 0, b"", b"x")],
        [Linkage(stance) for stance in Stance],
        [IHave((Range(key, 1, number),)), Distance((key, 1), number % 128), Prune()],
        [Graft((Range(key, 1, 10),))],
        [],
    ]
    return choices[int(dice.random() * len(choices))]


def take_sent(wiring: Wiring, attacker: Stranger) -> None:
    """Count what "a" sent to the victim meanwhile; others only know the address from it, and ask there."""
    attacker.received += [d.data for s, d in wiring.sent if d.target == VICTIM and s == wiring.at("a")]
    wiring.sent.clear()


@pytest.mark.parametrize("seed", range(6))
def test_a_source_never_heard_of_gets_no_more_bytes_than_it_sent(seed: int) -> None:
    wiring = busy()
    attacker, dice = Stranger(wiring, VICTIM), random.Random(seed)
    for _ in range(150):
        attacker.say("a", *spoofed(attacker, wiring, dice), offer=1 if dice.random() < 0.3 else 0)
        assert attacker.bytes_received <= attacker.bytes_sent
        before = wiring.now
        wiring.run(dice.random())
        assert wiring.now >= before
        take_sent(wiring, attacker)
        assert attacker.bytes_received <= attacker.bytes_sent
    wiring.check()


def is_own_accord(datagram: Datagram) -> bool:
    """Whether it holds what a node may send to an address that others named: a request, or a few rumors."""
    return any(isinstance(item, ExchangeRequest | Rumor | Want) for item in CODEC.parse(datagram.data).items)


def described(wiring: Wiring, attacker: Stranger) -> None:
    """Put the victim into "a"'s view, so that it is no stranger but an address dialled without an answer."""
    helper = Stranger(wiring, address(50), "helper")
    helper.prove("a")
    helper.say("a", helper.request(8, descriptors=[Descriptor(attacker.id, attacker.address, 0)]))
    wiring.run(8)
    sent = [d for s, d in wiring.sent if d.target == attacker.address and s == wiring.at("a")]
    assert sent
    assert all(map(is_own_accord, sent))
    wiring.sent.clear()


@pytest.mark.parametrize("seed", range(4))
def test_an_address_that_somebody_described_gets_no_more_than_it_sent_but_what_a_node_sends_by_itself(
    seed: int,
) -> None:
    wiring = busy()
    attacker, dice = Stranger(wiring, VICTIM), random.Random(seed)
    described(wiring, attacker)
    for _ in range(150):
        attacker.say("a", *spoofed(attacker, wiring, dice), offer=1 if dice.random() < 0.3 else 0)
        wiring.run(dice.random() / 4)
        unasked = BLIND_PUSH_LIMIT + 64 * 100
        take_sent(wiring, attacker)
        reaction = sum(len(data) for data in attacker.received if not is_request(data))
        assert reaction <= attacker.bytes_sent + unasked


def is_request(data: bytes) -> bool:
    return any(isinstance(item, ExchangeRequest) for item in CODEC.parse(data).items)


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([Want((), anchored=False)], id="small wants"),
        pytest.param([HistoryRequest(1, 0)], id="history requests"),
        pytest.param([Floors(1, bytes(8), bytes(8), ())], id="floors"),
    ],
)
def test_challenges_are_not_larger_than_what_they_challenge(items: list[Item]) -> None:
    wiring = busy()
    attacker = Stranger(wiring, VICTIM)
    described(wiring, attacker)
    for _ in range(200):
        attacker.say("a", *items)
    assert attacker.bytes_received <= attacker.bytes_sent + SLACK
    assert attacker.received


SLACK = 500
"""Bytes of room that the reckoning of own requests may leave: cookies and addresses which they did not
carry."""


def test_many_requests_in_one_datagram_get_no_more_than_one() -> None:
    wiring = busy()
    attacker = Stranger(wiring, VICTIM)
    described(wiring, attacker)
    attacker.say("a", *(attacker.request(nonce, push=False) for nonce in range(1, 33)), Padding(400))
    assert 0 < attacker.bytes_received <= attacker.bytes_sent + SLACK


def test_a_challenge_from_anybody_does_not_make_a_node_ask_a_third_party_again_and_again() -> None:
    wiring = busy()
    attacker = Stranger(wiring, VICTIM)
    described(wiring, attacker)
    attacker.say("a", rumor(attacker.id, 1, 9, unknown_dots(80)))
    wiring.run(1)
    other = Stranger(wiring, address(51), "other")
    for offer in range(1, 200):
        other.say("a", offer=offer)
        attacker.say("a", offer=offer)
        wiring.run(0.001)
    take_sent(wiring, attacker)
    assert attacker.bytes_received <= attacker.bytes_sent + BLIND_PUSH_LIMIT


def test_an_unproven_asker_is_not_asked_for_what_its_digest_names() -> None:
    wiring = busy()
    attacker = Stranger(wiring, VICTIM)
    described(wiring, attacker)
    for nonce in range(1, 20):
        attacker.say("a", attacker.request(nonce, frontier=unknown_dots(30)))
        wiring.run(0.5)
    take_sent(wiring, attacker)
    assert not any(isinstance(item, Floors) for data in attacker.received for item in CODEC.parse(data).items)
