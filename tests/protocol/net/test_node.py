"""Nodes on loopback: two talk, a third comes late, one leaves, one was never started."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from contextlib import AsyncExitStack

import pytest

from protocol.core.config import Config
from protocol.core.events import ContactUnresolved, Delivered, Event, Lagged, PeerLost, PeerSeen
from protocol.core.identity import Address, Dot, NodeId
from protocol.errors import AddressError, BacklogError, ConfigError, PayloadSizeError, StateError
from protocol.net import resolver
from protocol.net.node import Node
from protocol.net.streams import EventStream
from protocol.net.udp import open_socket
from tests.protocol.net.swarm import QUICK, make_node, mesh, take


async def until(stream: EventStream, kind: type[Event]) -> Event:
    async for event in stream:
        if isinstance(event, kind):
            return event
    raise AssertionError(f"the stream ended without {kind.__name__}")


# Talking


async def test_two_nodes_talk_and_see_each_other() -> None:
    async with mesh("p1", "p2") as (one, two):
        sent = one.send_gossip("some data")
        (received,) = await take(two.messages(), 1)
        assert (received.id, received.text, received.clock) == (sent.id, "some data", sent.clock)
        assert [descriptor.id for descriptor in two.current_view()] == [one.id]


async def test_own_messages_are_delivered_too_in_causal_order() -> None:
    async with mesh("p1", "p2") as (one, two):
        one.send_gossip("question")
        stream = two.messages()
        await take(stream, 1)
        two.send_gossip("answer")
        for node in (one, two):
            messages = await take(node.messages(), 2)
            assert [message.text for message in messages] == ["question", "answer"]
            assert messages[0].happened_before(messages[1])


async def test_bytes_arrive_as_they_were_sent() -> None:
    payload = bytes(range(256))
    async with mesh("p1", "p2") as (one, two):
        one.send_gossip(payload)
        (received,) = await take(two.messages(), 1)
        assert received.payload == payload


async def test_bytes_that_python_carried_in_a_string_arrive_as_bytes() -> None:
    async with make_node("p1") as node:
        assert node.send_gossip(b"caf\xe9".decode("utf-8", "surrogateescape")).payload == b"caf\xe9"


async def test_a_number_is_not_a_payload() -> None:
    async with make_node("p1") as node:
        with pytest.raises(TypeError):
            node.send_gossip(5)  # type: ignore[arg-type]


async def test_equal_texts_are_two_messages() -> None:
    async with mesh("p1", "p2") as (one, two):
        one.send_gossip("again")
        one.send_gossip("again")
        assert len({message.id for message in await take(two.messages(), 2)}) == 2


async def test_what_is_sent_before_anybody_is_there_goes_out_when_a_peer_appears() -> None:
    async with make_node("p1") as one, make_node("p2") as two:
        one.send_gossip("early")
        two.join(one.address)
        (received,) = await take(two.messages(), 1)
        assert received.text == "early"


async def test_a_late_joiner_sees_the_history_in_order() -> None:
    async with mesh("p1", "p2") as (one, two):
        texts = [str(number) for number in range(50)]
        for text in texts:
            one.send_gossip(text)
        await take(two.messages(), 50)
        async with make_node("p3") as late:
            late.join(two.address)
            assert [message.text for message in await take(late.messages(), 50)] == texts


async def test_a_burst_larger_than_a_drain_arrives_whole_and_in_order() -> None:
    async with mesh("p1", "p2", "p3") as (one, two, three):
        for number in range(500):
            one.send_gossip(str(number))
        for node in (two, three):
            texts = [message.text for message in await take(node.messages(), 500)]
            assert texts == [str(number) for number in range(500)]


async def test_nodes_of_different_clusters_ignore_each_other() -> None:
    async with make_node("p1", cluster="a") as one, make_node("p2", cluster="b") as two:
        two.join(one.address)
        one.join(two.address)
        await one._started.wait_until(lambda: one.snapshot().counters.datagrams_in >= 2)
        assert one.current_view() == ()


async def test_nodes_talk_over_ipv6_where_the_machine_has_it() -> None:
    try:
        open_socket(Address("::1", 0)).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with make_node("p1", "[::1]:0") as one, make_node("p2", "[::1]:0") as two:
        two.join(str(one.address))
        one.send_gossip("over six")
        (received,) = await take(two.messages(), 1)
        assert received.text == "over six"


# Starting


async def test_a_taken_port_raises_at_start_and_says_which() -> None:
    async with make_node("p1") as one:
        second = Node(one.address)
        with pytest.raises(OSError, match=f"cannot bind {one.address}: ") as caught:
            await second.start()
        assert caught.value.errno == errno.EADDRINUSE


async def test_a_node_that_could_not_bind_can_be_started_later() -> None:
    async with make_node("p1") as one:
        second = Node(one.address)
        with pytest.raises(OSError, match="cannot bind"):
            await second.start()
    await second.start()
    await second.close()


async def test_starting_twice_is_once() -> None:
    node = make_node("p1")
    await asyncio.gather(node.start(), node.start())
    address = node.address
    await node.start()
    assert node.address == address
    await node.close()


async def test_the_system_chooses_a_port_for_zero() -> None:
    async with Node("127.0.0.1:0") as node:
        assert node.address.port > 0
        assert node.id.name == f"127.0.0.1-{node.address.port}"


async def test_a_host_name_may_be_bound() -> None:
    async with Node("localhost:0") as node:
        assert node.address.is_numeric


async def test_an_unknown_host_can_not_be_bound_and_the_error_says_which(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(OSError, match="cannot bind nosuch:7117: Name or service not known"):
        await Node("nosuch:7117").start()


async def test_a_wildcard_bind_has_its_bound_address_and_the_name_of_the_machine() -> None:
    async with Node("0.0.0.0:0") as node:
        assert node.address == node.bound_address
        assert node.address.is_wildcard
        assert node.snapshot().address == node.address
        assert node.id.name.endswith(f"-{node.address.port}")


async def test_nodes_bound_to_every_interface_find_each_other() -> None:
    async with make_node("p1", "0.0.0.0:0") as one, make_node("p2", "0.0.0.0:0") as two:
        two.join(Address("127.0.0.1", one.address.port))
        one.send_gossip("hello")
        assert (await take(two.messages(), 1))[0].text == "hello"


@pytest.mark.parametrize(
    ("given", "told"), [("192.0.2.7:9", "192.0.2.7:9"), ("192.0.2.7", "192.0.2.7:{port}")]
)
async def test_an_advertised_address_is_the_node_s_address(given: str, told: str) -> None:
    async with Node("0.0.0.0:0", advertise=given) as node:
        assert str(node.address) == told.format(port=node.bound_address.port)


async def test_an_advertised_name_is_resolved() -> None:
    async with Node("0.0.0.0:0", advertise="localhost") as node:
        assert node.address.host == "127.0.0.1"


async def test_an_advertised_address_of_the_other_family_is_refused() -> None:
    with pytest.raises(AddressError, match="is IPv6"):
        await Node("127.0.0.1:0", advertise="[2001:db8::1]:9").start()


@pytest.mark.parametrize(
    "bind", ["nonsense", "127.0.0.1", "127.0.0.1:99999", "::1:7117", "[::1]", "a b:1", ""]
)
def test_a_malformed_address_is_refused_at_once(bind: str) -> None:
    with pytest.raises(AddressError):
        Node(bind)


def test_a_wildcard_can_not_be_advertised() -> None:
    with pytest.raises(AddressError, match="every interface"):
        Node(advertise="0.0.0.0:7117")


@pytest.mark.parametrize("name", ["", "x" * 65, "two words", "bell\x07"])
def test_an_impossible_name_is_refused_at_once(name: str) -> None:
    with pytest.raises(ConfigError, match="name must have"):
        Node(name=name)


async def test_before_the_start_nothing_is_known_and_nothing_can_be_read() -> None:
    node = Node()
    for ask in (
        node.snapshot,
        node.messages,
        node.events,
        node.current_view,
        lambda: node.id,
        lambda: node.address,
    ):
        with pytest.raises(StateError, match="not started"):
            ask()
    with pytest.raises(StateError, match="not started"):
        node.send_gossip("too early")


# Joining


async def test_contacts_given_before_the_start_are_dialled_after_it() -> None:
    async with make_node("p1") as one:
        two = make_node("p2")
        two.join(str(one.address))
        async with two:
            await two.wait_for_peers(1)


async def test_an_unreachable_contact_is_dialled_again_until_it_is_there() -> None:
    async with make_node("p1") as first:
        address = first.address
    async with make_node("p2", answer_timeout=0.05) as waiting:
        events = waiting.events()
        waiting.join(address)
        async with make_node("p1", str(address)):
            await until(events, PeerSeen)


async def test_the_own_address_as_contact_is_ignored() -> None:
    async with mesh("p1", "p2") as (one, two):
        one.join(one.address, two.address)
        one.add(one.address)
        await one.wait_for_peers(1)
        assert [descriptor.id for descriptor in one.current_view()] == [two.id]


@pytest.mark.parametrize("contact", ["nonsense", "127.0.0.1:0", "0.0.0.0:7117", "[::1]:7117"])
async def test_a_contact_that_can_not_be_is_refused_and_nothing_is_done(contact: str) -> None:
    async with make_node("p1") as one, make_node("p2") as two:
        with pytest.raises(AddressError):
            two.join(str(one.address), contact)
        with pytest.raises(AddressError):
            two.add(contact)
        await asyncio.sleep(0)
        assert two.snapshot().counters.datagrams_out == 0


async def test_joining_nobody_is_legal() -> None:
    async with make_node("p1") as node:
        node.join()
        assert node.current_view() == ()


async def test_a_host_name_is_a_contact() -> None:
    async with make_node("p1") as one, make_node("p2") as two:
        two.join(f"localhost:{one.address.port}")
        await two.wait_for_peers(1)


def unknown(*_: object, **__: object) -> list[object]:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


async def test_an_unknown_contact_is_an_event_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    monkeypatch.setattr(resolver, "RETRY_PERIOD", 0.001)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    async with make_node("p1") as one, make_node("p2") as two:
        events = two.events()
        contact = Address("localhost", one.address.port)
        two.join(contact)
        assert await until(events, ContactUnresolved) == ContactUnresolved(
            contact, "Name or service not known"
        )
        monkeypatch.setattr(socket, "getaddrinfo", real)
        await two.wait_for_peers(1)


# Waiting


async def test_waiting_for_peers_ends_when_they_are_in_the_view() -> None:
    async with mesh("p1", "p2", "p3") as nodes:
        for node in nodes:
            await node.wait_for_peers(2)
            assert len(node.current_view()) == 2


async def test_waiting_for_more_peers_than_the_view_holds_is_refused() -> None:
    async with make_node("p1", view_size=4, strategy="blind") as node:
        with pytest.raises(ConfigError, match="at most 4"):
            await node.wait_for_peers(5)


async def test_a_message_is_acknowledged_when_others_have_it() -> None:
    async with mesh("p1", "p2", "p3") as (one, two, three):
        message = one.send_gossip("for all")
        await one.wait_acknowledged(message, peers=2)
        for node in (two, three):
            assert (await take(node.messages(), 1))[0].id == message.id


async def test_waiting_can_be_given_up() -> None:
    async with make_node("p1") as node:
        message = node.send_gossip("nobody is there")
        waits = [node.wait_acknowledged(message), node.wait_for_peers(1)]
        for wait in waits:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await wait


async def test_a_message_of_another_node_is_not_waited_for() -> None:
    async with make_node("p1") as node:
        with pytest.raises(ValueError, match="not a message of this node"):
            await node.wait_acknowledged(Dot(NodeId("p2", 1), 1))


@pytest.mark.parametrize("ending", ["leave", "close"])
async def test_whoever_waits_is_told_when_the_node_ends(ending: str) -> None:
    async with make_node("p1", backlog_limit=1) as node:
        message = node.send_gossip("x")
        waits = [node.wait_acknowledged(message), node.wait_for_peers(1), node.drain()]
        waiting = [asyncio.ensure_future(wait) for wait in waits]
        await asyncio.sleep(0)
        await getattr(node, ending)()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [StateError] * 3


# Back-pressure and limits


async def test_too_many_unacknowledged_messages_are_refused_and_no_number_is_used() -> None:
    async with make_node("p1", backlog_limit=3) as node:
        for _ in range(3):
            node.send_gossip("x")
        with pytest.raises(BacklogError) as caught:
            node.send_gossip("one too many")
        assert (caught.value.pending, caught.value.limit) == (3, 3)
        assert len(node.snapshot().frontier) == 1
        assert node.snapshot().frontier[0].sequence == 3


async def test_draining_waits_for_room_and_nothing_is_lost() -> None:
    async with mesh("p1", "p2", backlog_limit=8) as (one, two):
        for number in range(100):
            await one.drain()
            one.send_gossip(str(number))
        texts = [message.text for message in await take(two.messages(), 100)]
        assert texts == [str(number) for number in range(100)]


async def test_draining_with_room_returns_at_once() -> None:
    async with make_node("p1") as node:
        await node.drain()


async def test_a_payload_that_fits_goes_and_one_byte_more_is_refused() -> None:
    async with mesh("p1", "p2") as (one, two):
        limit = one.payload_limit
        with pytest.raises(PayloadSizeError) as caught:
            one.send_gossip(bytes(limit + 1))
        assert (caught.value.size, caught.value.limit) == (limit + 1, limit)
        one.send_gossip(bytes(limit))
        assert len((await take(two.messages(), 1))[0].payload) == limit


async def test_a_slow_reader_loses_only_to_retention_and_is_told() -> None:
    async with mesh("p1", "p2", history_limit=5) as (one, two):
        stream, events = two.messages(), two.events()
        for number in range(20):
            one.send_gossip(str(number))
        await two._started.wait_until(lambda: two.snapshot().counters.delivered == 20)
        assert [message.text for message in await take(stream, 5)] == ["15", "16", "17", "18", "19"]
        assert stream.missed == 15
        assert await until(events, Lagged) == Lagged(15)


async def test_a_reader_may_go_on_behind_the_last_message_it_saw() -> None:
    async with make_node("p1") as node:
        for number in range(4):
            node.send_gossip(str(number))
        seen = (await take(node.messages(), 2))[-1]
        assert [message.text for message in await take(node.messages(after=seen.id), 2)] == ["2", "3"]


# Ending


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


# Robustness


async def test_any_bytes_at_all_harm_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with mesh("p1", "p2") as (one, two):
        with open_socket(Address("127.0.0.1", 0)) as stranger, caplog.at_level(logging.WARNING, "protocol"):
            for junk in (b"", b"\0", b"GT" + bytes(50), bytes(2_000), b"x" * 100, b"x" * 100):
                stranger.sendto(junk, one.address)
            two.send_gossip("still here")
            assert (await take(one.messages(), 1))[0].text == "still here"
        assert sum(one.snapshot().rejected.values()) == 6
        assert len(caplog.records) == len(one.snapshot().rejected)


async def test_a_connection_reset_on_the_socket_harms_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async with mesh("p1", "p2") as (one, two):
        assert one._endpoint is not None
        real = one._endpoint._socket

        class Resetting:
            resets = 3

            def __getattr__(self, name: str) -> object:
                return getattr(real, name)

            def recvfrom(self, size: int) -> object:
                if self.resets:
                    self.resets -= 1
                    raise ConnectionResetError(10054, "forcibly closed by the remote host")
                return real.recvfrom(size)

        monkeypatch.setattr(one._endpoint, "_socket", Resetting())
        two.send_gossip("after the resets")
        assert (await take(one.messages(), 1))[0].text == "after the resets"
        assert one.socket_counters.receive_errors == 3


async def test_the_strategy_can_be_changed_while_running() -> None:
    async with mesh("p1", "p2") as (one, two):
        one.set_strategy("healer")
        assert one.snapshot().strategy == one.config.sampling
        assert (
            str(one.config.sampling) == "(rand, push-pull, H=10, S=0)"
            or one.config.sampling != QUICK.sampling
        )
        with pytest.raises(ConfigError):
            one.set_strategy("nonsense")
        assert two.current_view()


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
