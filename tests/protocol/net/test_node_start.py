"""How a node comes to life and into a network: binding, names, contacts, and what is refused."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from protocol.core.config import Config
from protocol.core.events import ContactUnresolved, PeerSeen
from protocol.core.identity import Address
from protocol.core.strategy import Strategy
from protocol.errors import AddressError, ConfigError, StateError
from protocol.net import resolver
from protocol.net.node import Node
from tests.protocol.net.swarm import make_node, mesh, take, until


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


async def test_a_dangerous_strategy_is_warned_of_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING", "protocol"):
        async with Node("127.0.0.1:0", config=Config(view_size=8, strategy="healer")):
            pass
    dangers = Strategy.parse("healer", 8).warnings(8)
    assert dangers
    assert all(any(danger in text for text in caplog.messages) for danger in dangers)
