"""A few machines in any weather: after every step all of them are sound and nothing promised is broken.

The rules send, deliver, drop, double and delay datagrams, let time pass, crash and restart machines, forge,
part. At the end the weather clears, and everybody who lives has everything that the living retain.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from protocol.core.codec import DATAGRAM_LIMIT
from protocol.core.config import Config
from protocol.core.events import DatagramRejected, Delivered, Gap, IncarnationChanged
from protocol.core.identity import Address, Dot, NodeId
from protocol.core.machine import Machine
from protocol.core.messages import Goodbye, Message
from protocol.errors import BacklogError
from protocol.wire import WireCodec
from tests.protocol.core.wiring import EPOCH, Stranger, address, node_id, rumor

CONFIG = Config(
    view_size=3, strategy="(tail, push-pull, H=0, S=1)", fanout=2, backlog_limit=40, hold_back_limit=60
)
NAMES = ["a", "b", "c", "d"]
names = st.sampled_from(NAMES)


class Weather(RuleBasedStateMachine):
    """The network is a list of datagrams under way."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.starts = 0
        self.machines: dict[str, Machine] = {}
        self.under_way: list[tuple[Address, Address, Any]] = []
        self.delivered: dict[str, list[Message]] = {}
        self.clocks: dict[Dot, dict[NodeId, int]] = {}
        self.cut: set[str] = set()

    def start(self, name: str) -> None:
        self.starts += 1
        self.machines[name] = Machine(
            node_id(name, self.starts),
            address(NAMES.index(name)),
            CONFIG,
            WireCodec(),
            random.Random(f"{name} {self.starts}"),
            wall_offset=EPOCH,
        )
        self.delivered[name] = []
        self.machines[name].handle_deadline(self.now)

    @initialize()
    def begin(self) -> None:
        for name in NAMES:
            self.start(name)
        for name in NAMES[1:]:
            self.machines[name].join([address(0)], self.now)
        self.collect()

    # what people do

    @rule(name=names, size=st.integers(0, 5_000), seed=st.integers(0, 9))
    def send(self, name: str, size: int, seed: int) -> None:
        machine = self.machines[name]
        past: dict[NodeId, int] = {}
        for message in self.delivered[name]:
            for origin, sequence in message.clock.items():
                past[origin] = max(past.get(origin, 0), sequence)
        payload = bytes([seed]) * size
        if machine.unacknowledged == CONFIG.backlog_limit:
            with pytest.raises(BacklogError):
                machine.send_gossip(payload, self.now, EPOCH + self.now)
            return
        sent = machine.send_gossip(payload, self.now, EPOCH + self.now)
        past[sent.id.origin] = sent.id.sequence
        self.clocks[sent.id] = past
        self.collect()

    @rule(name=names, other=names)
    def join(self, name: str, other: str) -> None:
        self.machines[name].join([address(NAMES.index(other))], self.now)
        self.collect()

    @rule(name=names)
    def crash_and_restart(self, name: str) -> None:
        self.start(name)
        self.machines[name].join([address(index) for index in range(len(NAMES))], self.now)
        self.collect()

    @rule(name=names)
    def cut_off_or_connect(self, name: str) -> None:
        self.cut ^= {name}

    # what the network does

    @rule(index=st.integers(0, 1_000), twice=st.booleans())
    def deliver(self, index: int, twice: bool) -> None:
        if self.under_way:
            place = index % len(self.under_way)
            self.arrive(*(self.under_way[place] if twice else self.under_way.pop(place)))

    @rule(count=st.integers(1, 200))
    def deliver_many(self, count: int) -> None:
        for _ in range(min(count, len(self.under_way))):
            self.arrive(*self.under_way.pop(0))

    @rule(index=st.integers(0, 1_000))
    def drop(self, index: int) -> None:
        if self.under_way:
            self.under_way.pop(index % len(self.under_way))

    @rule(name=names, junk=st.binary(max_size=60), port=st.integers(0, 6))
    def throw_junk(self, name: str, junk: bytes, port: int) -> None:
        self.arrive(address(port), address(NAMES.index(name)), junk)

    @rule(name=names, other=names)
    def forge_a_goodbye(self, name: str, other: str) -> None:
        """From an address that is not the leaver's; nobody believes it."""
        forged = Goodbye(self.machines[other].id)
        before = self.machines[name].view()
        forger = Forger(self, address(7), forged.sender)
        forger.say(name, forged)
        assert self.machines[name].view() == before

    @rule(name=names, sequence=st.integers(2, 5_000))
    def forge_an_orphan(self, name: str, sequence: int) -> None:
        stranger = node_id("orphan")
        Forger(self, address(8), stranger).say(name, rumor(stranger, sequence, 3))

    # time

    @rule(seconds=st.floats(0.001, 3.0))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for machine in self.machines.values():
            if machine.deadline <= self.now:
                machine.handle_deadline(self.now)
        self.collect()

    @rule(name=names)
    def call_early(self, name: str) -> None:
        machine = self.machines[name]
        if machine.deadline > self.now:
            machine.handle_deadline(self.now)
            assert machine.datagrams_to_send() == []

    # judgement

    def arrive(self, source: Address, target: Address, data: Any) -> None:
        name = NAMES[index_of(target)]
        ends = {index_of(source), index_of(target)}
        if ends.isdisjoint(map(NAMES.index, self.cut)):
            self.machines[name].receive_datagram(data, source, self.now)
            self.collect(at_most_rejected=1)

    def collect(self, at_most_rejected: int = 0) -> None:
        rejected = 0
        for name, machine in self.machines.items():
            for event in machine.take_events():
                rejected += isinstance(event, DatagramRejected)
                assert not isinstance(event, Gap | IncarnationChanged), event
                if isinstance(event, Delivered):
                    self.judge(name, event.message)
                    self.delivered[name].append(event.message)
            for datagram in machine.datagrams_to_send():
                assert len(datagram.data) == datagram.size <= DATAGRAM_LIMIT
                if index_of(datagram.target) < len(NAMES):
                    self.under_way.append((machine_address(machine), datagram.target, datagram.data))
        assert rejected <= at_most_rejected

    def judge(self, name: str, message: Message) -> None:
        """Once, after its predecessor, after its past, with its true clock."""
        floors: dict[NodeId, int] = {}
        for earlier in self.delivered[name]:
            floors[earlier.id.origin] = max(floors.get(earlier.id.origin, 0), earlier.id.sequence)
        assert message.id.sequence == floors.get(message.id.origin, 0) + 1
        truth = self.clocks.get(message.id)
        if truth is not None:
            assert dict(message.clock) == truth
        for origin, sequence in message.clock.items():
            assert origin == message.id.origin or floors.get(origin, 0) >= sequence

    @invariant()
    def everybody_is_sound(self) -> None:
        for machine in self.machines.values():
            machine.check()
            view = machine.view()
            assert len(view) <= CONFIG.view_size
            assert all(d.id != machine.id and d.address != machine.address for d in view)
            assert len({d.address for d in view}) == len(view)

    def teardown(self) -> None:
        """Clear weather: in the end the living have the same messages."""
        if not self.machines:
            return
        self.cut.clear()
        for _ in range(400):
            self.deliver_many(10_000)
            if not self.under_way:
                self.pass_time(0.25)
            if self.now > 60 and len({machine_frontier(machine) for machine in self.machines.values()}) == 1:
                break
        assert len({machine_frontier(machine) for machine in self.machines.values()}) == 1
        sets = [sorted(map(str, (m.id for m in messages))) for messages in self.delivered.values()]
        assert all(one == sets[0] for one in sets)


class Forger(Stranger):
    """A stranger in this weather instead of in a wiring."""

    def __init__(self, weather: Weather, at: Address, identity: NodeId) -> None:
        self.weather = weather
        self.address = at
        self.id = identity
        self.cookie = 0
        self.bytes_sent = 0
        self.received = []

    def throw(self, name: str, data: bytes) -> list[Any]:
        self.weather.arrive(self.address, address(NAMES.index(name)), data)
        return []


def index_of(at: Address) -> int:
    return at.port - address(0).port


def machine_address(machine: Machine) -> Address:
    assert machine.address is not None
    return machine.address


def machine_frontier(machine: Machine) -> tuple[Dot, ...]:
    return tuple(sorted(machine.snapshot(0.0).frontier))


Weather.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
TestWeather = Weather.TestCase
