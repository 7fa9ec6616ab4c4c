"""What the options of a node stand for, once they are a node."""

from __future__ import annotations

import asyncio

import pytest

from gossip_tui.options import NodeOptions, leave, open_node, successor
from gossip_tui.ports import LOOPBACK
from protocol import Dissemination, Node
from protocol.errors import ConfigError

from .free_ports import free_range


async def test_nodes_of_one_range_are_named_by_their_ports_and_find_one_another() -> None:
    options = NodeOptions(ports=free_range(4), cycle=0.05)
    nodes = [await open_node(options) for _ in range(3)]
    assert [node.id.name for node in nodes] == ["p1", "p2", "p3"]
    await asyncio.gather(*(node.wait_for_peers(2) for node in nodes))
    await asyncio.gather(*(leave(node) for node in nodes))


async def test_a_node_that_is_alone_is_found_by_who_takes_the_first_port_anew() -> None:
    options = NodeOptions(ports=free_range(4), cycle=0.05)
    first, second = await open_node(options), await open_node(options)
    await second.wait_for_peers(1)
    await first.close()
    again = await open_node(options)
    assert again.id.name == "p1"
    await asyncio.gather(again.wait_for_peers(1), second.wait_for_peers(1))
    await asyncio.gather(leave(again), leave(second))


async def test_a_node_that_is_told_whom_to_join_does_not_look_around() -> None:
    ports = free_range(3)
    nobody = f"{LOOPBACK}:{ports.high}"
    assert NodeOptions(ports=ports).probes
    assert NodeOptions(ports=ports, bind=f"{LOOPBACK}:0").probes
    assert not NodeOptions(ports=ports, join=(nobody,)).probes
    assert not NodeOptions(ports=ports, bind="0.0.0.0:0").probes


async def test_the_options_reach_the_node() -> None:
    options = NodeOptions(
        name="ada", bind=f"{LOOPBACK}:0", cluster="c", view_size=9, fanout=3, cycle=0.5, strategy="swapper",
        dissemination="tree",
    )  # fmt: skip
    node = await open_node(options)
    config = node.config
    assert (node.id.name, config.cluster, config.view_size, config.fanout) == ("ada", "c", 9, 3)
    assert config.dissemination is Dissemination.TREE
    assert (config.cycle_period, str(config.strategy)) == (0.5, "(rand, push-pull, H=0, S=4)")
    await leave(node)


async def test_the_next_incarnation_has_name_place_and_settings_of_the_former() -> None:
    options = NodeOptions(ports=free_range(2), cycle=0.05, view_size=9)
    former = await open_node(options)
    address = former.bound_address
    await leave(former)
    node = successor(options, former)
    await node.start()
    assert (node.id.name, node.bound_address, node.config.view_size) == ("p1", address, 9)
    assert node.id > former.id
    await leave(node)


async def test_the_next_incarnation_looks_around_as_well() -> None:
    options = NodeOptions(ports=free_range(2), cycle=0.05)
    former = await open_node(options)
    await leave(former)
    node = successor(options, former)
    await node.start()
    async with Node(f"{LOOPBACK}:{options.ports.high}") as other:
        await other.wait_for_peers(1)
    await leave(node)


async def test_leaving_twice_is_no_error() -> None:
    node = await open_node(NodeOptions(ports=free_range(1)))
    await leave(node)
    await leave(node)


@pytest.mark.parametrize("contact", ["127.0.0.1:7000", "localhost:7000", "example.org:7000"])
def test_contacts_that_may_be_reached_from_loopback_are_taken(contact: str) -> None:
    assert NodeOptions(join=(contact,)).join == (contact,)


def test_a_contact_on_another_machine_needs_an_address_to_listen_on() -> None:
    with pytest.raises(ConfigError, match=r"192\.0\.2\.7:7117 is out of reach.*--bind"):
        NodeOptions(join=("192.0.2.7:7117",))
    assert NodeOptions(join=("192.0.2.7:7117",), bind="0.0.0.0:7117").join


def test_a_contact_of_the_other_family_needs_an_address_to_listen_on() -> None:
    with pytest.raises(ConfigError, match=r"\[::1\]:7117 is out of reach.*--bind"):
        NodeOptions(join=("[::1]:7117",))
    assert NodeOptions(join=("[::1]:7117",), bind="[::1]:0").join
