"""The pump: one flush a batch, one timer, a machine that fails is reported and goes on."""

from __future__ import annotations

import asyncio
import random
import socket
from typing import Any

import pytest

from protocol.core.identity import Address, NodeId
from protocol.core.machine import Machine
from protocol.net import driver
from protocol.net.udp import DRAIN_LIMIT, address_of, open_socket
from protocol.wire import WireCodec
from tests.protocol.net.swarm import QUICK, make_node, mesh, take


class HandDriven:
    """A machine with a socket and no driver: it does what the test says, when the test says so."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.loop = asyncio.get_running_loop()
        self.address = address_of(sock.getsockname())
        self.machine = Machine(NodeId("p2", 1), self.address, QUICK, WireCodec(), random.Random(2))

    async def receive(self) -> None:
        data, source = await self.loop.sock_recvfrom(self.sock, 2_000)
        self.machine.receive_datagram(data, address_of(source), self.loop.time())

    def send(self) -> int:
        datagrams = self.machine.datagrams_to_send()
        for target, data, _ in datagrams:
            self.sock.sendto(data, target)
        return len(datagrams)


class Reports:
    """Collects what is reported to the loop's exception handler."""

    def __init__(self) -> None:
        self.exceptions: list[Any] = []
        self.came = asyncio.Event()
        asyncio.get_running_loop().set_exception_handler(self)

    def __call__(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.exceptions.append(context["exception"])
        self.came.set()


def fail_once(real: Any, reason: str) -> Any:
    failed = False

    def method(*arguments: Any) -> Any:
        nonlocal failed
        if not failed:
            failed = True
            raise RuntimeError(reason)
        return real(*arguments)

    return method


def is_asking(machine: Machine) -> bool:
    """Whether an exchange waits for its answer."""
    counters = machine.snapshot(0.0).counters
    return counters.exchanges_started > counters.exchanges_answered


async def test_after_a_stop_what_came_meanwhile_is_read_before_peers_are_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Late by less than the answer time-out: after longer stops the machine gives everybody more time."""
    loop = asyncio.get_running_loop()
    real, offset = loop.time, 0.0
    monkeypatch.setattr(loop, "time", lambda: real() + offset)
    with open_socket(Address("127.0.0.1", 0)) as sock:
        peer = HandDriven(sock)
        async with make_node("p1", cycle_period=1.0, answer_timeout=0.8) as node:
            node.join(peer.address)
            machine = node._started.machine
            while not node.current_view() or machine.deadline <= loop.time() or is_asking(machine):
                await peer.receive()
                peer.send()
                await node._started.wait_until(lambda: not is_asking(machine))
            offset += machine.deadline - loop.time()
            while not is_asking(machine):
                await peer.receive()
            for _ in range(3 * DRAIN_LIMIT):
                sock.sendto(b"junk", node.address)
            assert peer.send()
            offset += machine.deadline + 0.5 - loop.time()
            cycle = node.snapshot().cycle
            await node._started.wait_until(lambda: node.snapshot().cycle > cycle)
            assert node.snapshot().counters.peers_lost == 0
            assert [descriptor.id for descriptor in node.current_view()] == [peer.machine.id]


async def test_a_datagram_the_machine_chokes_on_is_reported_and_the_others_are_handled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with mesh("p1", "p2") as (one, two):
        reports = Reports()
        monkeypatch.setattr(Machine, "receive_datagram", fail_once_method("receive_datagram", "a bug"))
        two.send_gossip("all the same")
        assert (await take(one.messages(), 1))[0].text == "all the same"
        assert [str(error) for error in reports.exceptions] == ["a bug"]


async def test_a_deadline_that_fails_is_reported_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "FAILED_RETRY_PERIOD", 0.01)
    async with make_node("p1") as node:
        reports = Reports()
        monkeypatch.setattr(Machine, "handle_deadline", fail_once_method("handle_deadline", "a bug"))
        await reports.came.wait()
        cycle = node.snapshot().cycle
        await node._started.wait_until(lambda: node.snapshot().cycle > cycle)
        assert len(reports.exceptions) == 1


def fail_once_method(name: str, reason: str) -> Any:
    return fail_once(getattr(Machine, name), reason)


async def test_messages_of_one_turn_share_datagrams() -> None:
    async with mesh("p1", "p2", cycle_period=30.0) as (one, two):
        before = one.snapshot().counters.datagrams_out
        for number in range(10):
            one.send_gossip(str(number))
        await take(two.messages(), 10)
        assert one.snapshot().counters.datagrams_out - before <= 2


async def test_receiving_sets_no_timer_per_datagram(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    async with mesh("p1", "p2", cycle_period=30.0) as (one, two):
        timers = 0
        real = loop.call_at

        def counted(*arguments: Any, **keywords: Any) -> asyncio.TimerHandle:
            nonlocal timers
            timers += 1
            return real(*arguments, **keywords)

        monkeypatch.setattr(loop, "call_at", counted)
        stream = two.messages()
        for number in range(100):
            one.send_gossip(str(number))
            await take(stream, 1)
        assert timers < 50
