"""The port range: its text, its names, and how a free port of it is found."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from gossip_tui.ports import PortRange, PortsTakenError, is_loopback, start_on_free_port
from protocol import Node
from protocol.core.identity import Address
from protocol.errors import ConfigError

from .free_ports import bound_run, free_range


@pytest.fixture
def taken() -> Iterator[tuple[PortRange, list[socket.socket]]]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(one) for one in bound_run(3)]
        low = sockets[0].getsockname()[1]
        yield PortRange(low, low + 2), sockets


@pytest.mark.parametrize("text", ["7117-7148", "1-1", "65535-65535"])
def test_a_range_prints_as_it_was_written(text: str) -> None:
    assert str(PortRange.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "-", "7117", "7117-", "9-8", "0-9", "1-65536", "a-b", "1-2-3", "\u0661-\u0662", "1-65535"]
)
def test_a_range_that_is_none_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ConfigError, match="port range"):
        PortRange.parse(text)


def test_names_count_from_the_first_port_of_the_range() -> None:
    ports = PortRange(7117, 7148)
    assert ports.name_of(Address("127.0.0.1", 7117)) == "p1"
    assert ports.name_of(Address("::1", 7148)) == "p32"
    assert ports.name_of(Address("127.0.0.1", 7149)) is None
    assert ports.name_of(Address("192.0.2.7", 7117)) is None


def test_the_others_are_all_ports_but_the_own_one() -> None:
    here = Address("127.0.0.1", 11)
    assert PortRange(10, 12).others(here) == (Address("127.0.0.1", 10), Address("127.0.0.1", 12))


@pytest.mark.parametrize(
    ("host", "answer"), [("127.8.9.1", True), ("::1", True), ("10.0.0.1", False), ("localhost", False)]
)
def test_loopback_is_told_by_number(host: str, answer: bool) -> None:
    assert is_loopback(host) is answer


async def test_the_first_free_port_is_taken(taken: tuple[PortRange, list[socket.socket]]) -> None:
    ports, sockets = taken
    sockets[1].close()
    node = await start_on_free_port(Node, ports)
    assert node.address.port == ports.low + 1
    await node.close()


async def test_every_port_taken_is_said_with_range_and_way_out(
    taken: tuple[PortRange, list[socket.socket]],
) -> None:
    ports, _ = taken
    with pytest.raises(PortsTakenError, match=f"every port of {ports} on 127.0.0.1 is taken.*--bind"):
        await start_on_free_port(Node, ports)


async def test_ports_of_contacts_that_are_not_up_yet_are_left_to_them() -> None:
    ports = free_range(2)
    node = await start_on_free_port(Node, ports, avoid=[Address("127.0.0.1", ports.low)])
    assert node.address.port == ports.low + 1
    await node.close()


async def test_two_nodes_started_at_one_moment_take_different_ports() -> None:
    ports = free_range(4)
    nodes = await asyncio.gather(*(start_on_free_port(Node, ports) for _ in range(4)))
    assert {node.address.port for node in nodes} == set(ports)
    await asyncio.gather(*(node.close() for node in nodes))
