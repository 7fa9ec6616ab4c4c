"""What holds for every machine: no input, no effect; same inputs, same bytes; time may come early or late."""

from __future__ import annotations

import math
import random

import pytest

from protocol.core.config import Config
from protocol.core.identity import Address, Dot
from protocol.core.machine import Machine
from protocol.wire import WireCodec
from tests.protocol.core.wiring import EPOCH, Wiring, address, node_id


def talk(seed: int) -> Wiring:
    """Four machines, losses, a late joiner: everything drawn from one seed."""
    wiring = Wiring(["a", "b", "c", "d"], seed=seed)
    dice = random.Random(seed)
    wiring.passes = lambda _source, _datagram: dice.random() > 0.2
    for name in "bcd":
        wiring.join(name, "a")
    for number in range(40):
        wiring.send("abcd"[int(dice.random() * 4)], f"message {number}")
        wiring.run(dice.random())
    wiring.add("late", address(9), seed=seed)
    wiring.join("late", "b")
    wiring.run(10)
    return wiring


def test_without_input_there_is_no_effect() -> None:
    machine = Machine(node_id("a"), address(0), Config(), WireCodec(), random.Random(1))
    assert machine.datagrams_to_send() == []
    assert machine.take_events() == []
    assert machine.view() == ()
    for step in range(100):
        machine.handle_deadline(step / 3)
    assert machine.datagrams_to_send() == []
    assert machine.take_events() == []


def test_what_was_handed_out_is_not_handed_out_again() -> None:
    wiring = Wiring(["a"])
    wiring["a"].join([address(5)], 0.0)
    assert len(wiring["a"].datagrams_to_send()) == 1
    assert wiring["a"].datagrams_to_send() == []
    wiring.send("a", "x")
    assert len(wiring["a"].take_events()) == 1
    assert wiring["a"].take_events() == []


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_and_inputs_give_the_same_bytes(seed: int) -> None:
    one, other = talk(seed), talk(seed)
    assert [(s, d.target, d.data) for s, d in one.sent] == [(s, d.target, d.data) for s, d in other.sent]
    assert {name: one.texts(name) for name in one.machines} == {n: other.texts(n) for n in other.machines}


@pytest.mark.parametrize("seed", [1, 2])
def test_everybody_is_complete_and_sound_in_the_end(seed: int) -> None:
    wiring = talk(seed)
    wiring.passes = lambda _source, _datagram: True
    wiring.run(20)
    wiring.check()
    logs = {name: sorted(wiring.texts(name)) for name in wiring.machines}
    assert set(map(tuple, logs.values())) == {tuple(sorted(f"message {number}" for number in range(40)))}


def test_a_deadline_called_early_again_and_again_sends_nothing_more() -> None:
    calm, restless = talk_of_two(0), talk_of_two(20)
    assert [(s, d.target, d.data) for s, d in calm.sent] == [(s, d.target, d.data) for s, d in restless.sent]


def talk_of_two(early_calls: int) -> Wiring:
    wiring = Wiring()
    wiring.join("b", "a")
    for number in range(10):
        wiring.send("ab"[number % 2], str(number))
        wiring.settle()
        for _ in range(early_calls):
            for machine in wiring.machines.values():
                if machine.deadline > wiring.now:
                    machine.handle_deadline(wiring.now)
        wiring.run(0.7)
    return wiring


def test_deadlines_called_late_lose_nothing() -> None:
    wiring = Wiring(["a", "b", "c"])
    wiring.join("b", "a")
    wiring.join("c", "a")
    dice = random.Random(3)
    for number in range(60):
        wiring.send("abc"[number % 3], str(number))
        wiring.now += 3 * dice.random()
        for name in sorted("abc", key=lambda _: dice.random()):
            wiring[name].handle_deadline(wiring.now)
        wiring.settle()
    wiring.run(30)
    assert {len(wiring.texts(name)) for name in "abc"} == {60}
    assert [len(wiring[name].view()) for name in "abc"] == [2, 2, 2]


def test_the_deadline_moves_on_when_it_was_handled() -> None:
    wiring = talk(3)
    for machine in wiring.machines.values():
        for _ in range(200):
            now = max(wiring.now, machine.deadline)
            machine.handle_deadline(now)
            machine.datagrams_to_send()
            assert machine.deadline > now
            wiring.now = now


def test_duplicates_and_reordering_change_nothing_that_is_promised() -> None:
    wiring = Wiring(["a", "b", "c"])
    wiring.join("b", "a")
    wiring.join("c", "a")
    wiring.run(5)
    dice = random.Random(4)
    waiting: list[tuple[str, bytes, Address]] = []
    for number in range(60):
        wiring.send("abc"[number % 3], str(number))
        for name, machine in wiring.machines.items():
            for datagram in machine.datagrams_to_send():
                copies = 1 + (dice.random() < 0.4)
                waiting += [(wiring.by_address[datagram.target], datagram.data, wiring.at(name))] * copies
        for _ in range(int(dice.random() * 6)):
            if waiting:
                target, data, source = waiting.pop(int(dice.random() * len(waiting)))
                wiring[target].receive_datagram(data, source, wiring.now)
    wiring.run(30)
    wiring.check()
    for name in "abc":
        delivered = [event.message.id for event in wiring.events[name] if hasattr(event, "message")]
        assert len(delivered) == len(set(delivered)) == 60
        assert [dot for dot in delivered if dot.origin.name == "a"] == [
            Dot(node_id("a"), sequence) for sequence in range(1, 21)
        ]


def test_after_leave_nothing_moves_and_no_deadline_is_left() -> None:
    wiring = talk(5)
    machine = wiring["a"]
    machine.leave(wiring.now)
    wiring.settle()
    assert machine.deadline == math.inf
    machine.handle_deadline(wiring.now + 100)
    machine.leave(wiring.now)
    machine.receive_datagram(b"junk", address(1), wiring.now)
    assert machine.datagrams_to_send() == []
    assert machine.take_events() == []
    assert machine.snapshot(wiring.now).left


def test_wall_time_shows_in_delivered_at_only() -> None:
    wiring = Wiring(["a"])
    wiring["a"].wall_offset = EPOCH + 7
    wiring.now = 3.0
    assert wiring.send("a", "x").delivered_at == EPOCH + 10
