"""How a node ends, and what does not end it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from typing import Any

import pytest

from protocol.core.config import Config
from protocol.core.events import Delivered, PeerLost
from protocol.core.identity import Address
from protocol.errors import ConfigError, StateError
from protocol.net.node import Node
from protocol.net.udp import open_socket
from protocol.wire import MAGIC
from tests.protocol.net.swarm import QUICK, make_node, mesh, take, until


@pytest.mark.parametrize("ending", ["leave", "close"])
async def test_streams_end_after_their_last_item(ending: str) -> None:
    node = make_node("p1")
    await node.start()
    messages, events = node.messages(), node.events()
    node.send_gossip("last words")
    await getattr(node, ending)()
    assert [message.text async for message in messages] == ["last words"]
    assert [event.message.text async for event in events if isinstance(event, Delivered)] == ["last words"]
    assert [message.text async for message in node.messages()] == ["last words"]


@pytest.mark.parametrize("ending", ["leave", "close"])
async def test_after_the_end_reading_works_and_acting_does_not(ending: str) -> None:
    node = make_node("p1")
    await node.start()
    node.send_gossip("x")
    await getattr(node, ending)()
    assert node.snapshot().counters.sent == 1
    assert node.snapshot().left is (ending == "leave")
    assert node.current_view() == ()
    assert node.id.name == "p1"
    for act in (lambda: node.send_gossip("y"), node.join, node.add, lambda: node.set_strategy("healer")):
        with pytest.raises(StateError):
            act()
    with pytest.raises(StateError):
        await node.start()


async def test_ending_any_number_of_times_is_once() -> None:
    node = make_node("p1")
    await node.start()
    await node.leave()
    await asyncio.gather(node.leave(), node.close(), node.close())


async def test_a_node_that_was_never_started_can_be_closed() -> None:
    node = make_node("p1")
    await node.close()
    await node.leave()
    with pytest.raises(StateError):
        await node.start()


async def test_closing_gives_the_port_back_at_once() -> None:
    async with make_node("p1") as node:
        address = node.address
    open_socket(address).close()


async def test_a_goodbye_is_believed_at_once() -> None:
    async with mesh("p1", "p2") as (one, two):
        events = two.events()
        await one.leave()
        assert await until(events, PeerLost) == PeerLost(one.id, one.address, left=True)
        assert two.current_view() == ()


async def test_a_silent_end_is_noticed_by_silence() -> None:
    async with mesh("p1", "p2", answer_timeout=0.1) as (one, two):
        events = two.events()
        await one.close()
        assert await until(events, PeerLost) == PeerLost(one.id, one.address, left=False)


async def test_what_was_sent_just_before_the_end_is_on_its_way() -> None:
    async with mesh("p1", "p2") as (one, two):
        stream = two.messages()
        one.send_gossip("parting words")
        await one.leave()
        assert (await take(stream, 1))[0].text == "parting words"


async def test_any_bytes_at_all_harm_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with mesh("p1", "p2") as (one, two):
        with open_socket(Address("127.0.0.1", 0)) as stranger, caplog.at_level(logging.WARNING, "protocol"):
            for junk in (b"", b"\0", MAGIC + bytes(50), bytes(2_000), b"x" * 100, b"x" * 100):
                stranger.sendto(junk, one.address)
            two.send_gossip("still here")
            assert (await take(one.messages(), 1))[0].text == "still here"
        assert one.snapshot().rejected == {"magic": 4, "version": 1, "oversized": 1}
        assert len(caplog.records) == len(one.snapshot().rejected)


class Faulty:
    """A node's socket whose next calls fail as scripted."""

    def __init__(self, node: Node) -> None:
        assert node._endpoint is not None
        self.real: Any = node._endpoint._socket
        self.on_receive: list[OSError] = []
        self.on_send: list[OSError] = []
        node._endpoint._socket = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def recvfrom(self, size: int, /) -> tuple[bytes, Any]:
        if self.on_receive:
            raise self.on_receive.pop()
        received: tuple[bytes, Any] = self.real.recvfrom(size)
        return received

    def sendto(self, data: bytes, address: Any, /) -> int:
        if self.on_send:
            raise self.on_send.pop()
        return int(self.real.sendto(data, address))


async def test_a_connection_reset_on_the_socket_harms_nothing() -> None:
    async with mesh("p1", "p2") as (one, two):
        reset = ConnectionResetError(10054, "forcibly closed by the remote host")
        Faulty(one).on_receive = [reset] * 3
        two.send_gossip("after the resets")
        assert (await take(one.messages(), 1))[0].text == "after the resets"
        assert one.socket_counters.receive_errors == 3


async def test_a_goodbye_waits_for_a_kernel_that_is_full() -> None:
    async with mesh("p1", "p2") as (one, two):
        events = two.events()
        Faulty(one).on_send = [BlockingIOError()] * 5
        await one.leave()
        assert await until(events, PeerLost) == PeerLost(one.id, one.address, left=True)


async def test_nodes_talk_on_a_loop_that_can_not_watch_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_reader", missing)
    monkeypatch.setattr(asyncio.SelectorEventLoop, "remove_reader", missing)
    async with mesh("p1", "p2") as (one, two):
        one.send_gossip("by thread")
        assert (await take(two.messages(), 1))[0].text == "by thread"


async def test_the_strategy_can_be_changed_while_running() -> None:
    async with mesh("p1", "p2") as (one, two):
        one.set_strategy("healer")
        with pytest.raises(ConfigError):
            one.set_strategy("nonsense")
        assert str(one.snapshot().strategy) == "(rand, push-pull, H=10, S=0)"
        assert two.snapshot().strategy == QUICK.sampling


async def test_a_strategy_set_before_the_start_is_the_one_used() -> None:
    node = make_node("p1")
    node.set_strategy("blind")
    async with node:
        assert node.snapshot().strategy == Config(strategy="blind").sampling


async def test_ten_nodes_deliver_everything_in_one_display_order() -> None:
    async with AsyncExitStack() as stack:
        nodes = await stack.enter_async_context(mesh(*[f"p{number}" for number in range(10)]))
        for node in nodes:
            for number in range(5):
                node.send_gossip(f"{node.id.name} {number}")
        logs = [await take(node.messages(), 50) for node in nodes]
        orders = {tuple(message.id for message in sorted(log, key=lambda m: m.order)) for log in logs}
        assert len(orders) == 1
        clocks = [{message.id: message.clock for message in log} for log in logs]
        assert all(one == clocks[0] for one in clocks)
