"""Faults on real nodes: between machine and socket, both ways, bounded, and gone when the node is."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from protocol import AddressError, ConfigError, Faults, Node, ViewChanged
from protocol.core.faults import FaultInjector
from protocol.core.identity import Address
from protocol.net import fault_gate
from protocol.net.fault_gate import FaultGate
from protocol.net.udp import Batch
from tests.protocol.net.swarm import make_node, mesh, take, until

PEER = Address("192.0.2.1", 7_001)


class Ends:
    """What a gate lets out and in, noted with the time of the loop."""

    def __init__(self, faults: Faults) -> None:
        self.loop = asyncio.get_running_loop()
        self.sent: list[tuple[bytes, float]] = []
        self.received: list[tuple[bytes, float]] = []
        self.injector = FaultInjector(random.Random(1).random)
        self.injector.faults = faults
        self.gate = FaultGate(self.injector, self.send, self.receive)
        self.came = asyncio.Event()

    def send(self, data: bytes, target: Address) -> None:
        assert target == PEER
        self.sent.append((data, self.loop.time()))
        self.came.set()

    def receive(self, batch: Batch) -> None:
        self.received += [(data, self.loop.time()) for data, _ in batch]
        self.came.set()

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.came.clear()
                await self.came.wait()


async def test_what_is_late_waits_and_comes_in_the_order_of_its_delays() -> None:
    ends = Ends(Faults(latency=(0.01, 0.05)))
    began_at = ends.loop.time()
    for number in range(20):
        ends.gate.send(bytes([number]), PEER)
    assert ends.gate.admit([(b"in", PEER)]) == []
    assert (ends.sent, ends.gate.pending) == ([], 20)
    await ends.wait_for(lambda: len(ends.sent) == 20 and len(ends.received) == 1)
    order = [data[0] for data, _ in ends.sent]
    assert sorted(order) == list(range(20))
    assert order != list(range(20))
    assert min(at for _, at in ends.sent) >= began_at + 0.01
    assert ends.gate.pending == ends.gate.report().waiting == 0


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_gate, "WAITING_LIMIT", 5)
    ends = Ends(Faults(latency=(60, 60)))
    for _ in range(7):
        ends.gate.send(b"out", PEER)
    assert ends.gate.admit([(b"in", PEER)] * 2) == []
    report = ends.gate.report()
    assert (report.waiting, report.overflowed, report.dropped) == (5, 4, 4)
    ends.gate.close()


async def test_what_waits_is_gone_when_the_gate_closes() -> None:
    ends = Ends(Faults(latency=(0.001, 0.001)))
    ends.gate.send(b"out", PEER)
    ends.gate.admit([(b"in", PEER)])
    ends.gate.close()
    await asyncio.sleep(0.005)
    assert (ends.sent, ends.received, ends.gate.report().waiting) == ([], [], 0)


async def test_what_was_delayed_still_comes_after_the_faults_are_over() -> None:
    ends = Ends(Faults(latency=(0.001, 0.001)))
    ends.gate.send(b"out", PEER)
    ends.injector.faults = Faults()
    assert not ends.gate.is_active
    await ends.wait_for(lambda: len(ends.sent) == 1)


async def test_a_lossy_slow_doubling_network_delivers_each_message_once_in_order() -> None:
    faults = Faults(loss=0.3, duplication=0.3, reordering=0.2, latency=(0.0, 0.02), reordering_delay=0.05)
    async with mesh("p1", "p2", "p3") as nodes:
        for node in nodes:
            node.faults = faults
        stream = nodes[2].messages()
        for number in range(30):
            nodes[0].send_gossip(str(number))
        async with asyncio.timeout(30):
            assert [message.text for message in await take(stream, 30)] == [str(n) for n in range(30)]
        report = nodes[0].snapshot().faults
        assert report.faults == nodes[0].faults == faults
        assert min(report.lost, report.duplicated, report.delayed) > 0


async def test_a_blocked_peer_is_lost_and_comes_back_after_the_block() -> None:
    async with mesh("p1", "p2", answer_timeout=0.05) as (one, two):
        events = one.events()
        one.block([str(two.address)])
        async with asyncio.timeout(10):
            while one.current_view():
                await until(events, ViewChanged)
            assert one.snapshot().faults.blocked == {two.address: "both"}
            assert one.snapshot().faults.stopped > 0
            one.unblock()
            await one.wait_for_peers(1)
            message = one.send_gossip("again")
            await one.wait_acknowledged(message)


async def test_faults_towards_one_peer_leave_the_others_alone() -> None:
    async with mesh("p1", "p2", "p3") as (one, two, three):
        one.set_faults(Faults(loss=1.0), two.address)
        one.send_gossip("hello")
        async with asyncio.timeout(10):
            await take(three.messages(), 1)
            await take(two.messages(), 1)  # by way of p3
        assert one.snapshot().faults.by_peer == {two.address: Faults(loss=1.0)}


async def test_without_faults_no_datagram_passes_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("nobody asked for faults")

    monkeypatch.setattr(FaultGate, "send", refuse)
    monkeypatch.setattr(FaultGate, "admit", refuse)
    async with mesh("p1", "p2") as (one, two):
        one.send_gossip("hello")
        async with asyncio.timeout(10):
            assert [message.text for message in await take(two.messages(), 1)] == ["hello"]
        assert not one.snapshot().faults.is_active


async def test_a_goodbye_is_delayed_and_still_said() -> None:
    async with mesh("p1", "p2") as (one, two):
        events = two.events()
        one.faults = Faults(latency=(0.02, 0.02))
        await one.leave()
        async with asyncio.timeout(10):
            while two.current_view():
                await until(events, ViewChanged)
        assert [peer.state for peer in two.snapshot().peers] == ["left"]


def test_the_same_seed_gives_the_same_faults() -> None:
    def delays(seed: int) -> list[list[float]]:
        node = Node(seed=seed)
        node.faults = Faults(loss=0.5, latency=(0, 1))
        return [list(node._injector.delays(PEER, outbound=True)) for _ in range(20)]

    assert delays(1) == delays(1) != delays(2)


def test_faults_can_be_set_before_the_start_and_by_address_only() -> None:
    node = make_node("p1")
    node.faults = Faults(loss=0.5)
    assert node.faults == Faults(loss=0.5)
    with pytest.raises(AddressError, match="is a name"):
        node.set_faults(Faults(), "peer.example:7117")
    with pytest.raises(AddressError):
        node.block(["192.0.2.1:7117", "nonsense"])
    with pytest.raises(ConfigError, match="direction"):
        node.block(["192.0.2.1:7117"], "sideways")
