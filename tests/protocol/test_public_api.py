"""The names that users of the library rely on, and the example in its docstring."""

from __future__ import annotations

import doctest
import inspect

import pytest

import protocol
from protocol import net
from protocol.net import naming

NODE_MEMBERS = {
    "add",
    "address",
    "block",
    "bound_address",
    "close",
    "config",
    "current_view",
    "delivered",
    "drain",
    "events",
    "fault_report",
    "faults",
    "freeze",
    "id",
    "is_frozen",
    "join",
    "leave",
    "messages",
    "payload_limit",
    "restored",
    "sample",
    "send_gossip",
    "set_faults",
    "set_dissemination",
    "set_fanout",
    "set_strategy",
    "set_view_size",
    "snapshot",
    "socket_counters",
    "start",
    "thaw",
    "unblock",
    "wait_acknowledged",
    "wait_for_peers",
}


@pytest.mark.parametrize("name", protocol.__all__)
def test_every_public_name_is_there_and_has_a_docstring(name: str) -> None:
    assert name in dir(protocol)
    value = getattr(protocol, name)
    assert value.__doc__ or not (inspect.isclass(value) or inspect.isfunction(value))


def test_the_public_names_are_sorted_and_listed_once() -> None:
    assert len(set(protocol.__all__)) == len(protocol.__all__)


def test_a_star_import_gives_exactly_the_public_names() -> None:
    found: dict[str, object] = {}
    exec("from protocol import *", found)
    assert set(found) - {"__builtins__"} == set(protocol.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nodes'"):
        _ = protocol.Nodes  # type: ignore[attr-defined]


def test_a_node_has_the_documented_members_and_no_other() -> None:
    members = {name for name in dir(protocol.Node) if not name.startswith("_")}
    assert members == NODE_MEMBERS


@pytest.mark.parametrize("name", sorted(NODE_MEMBERS))
def test_every_member_of_a_node_has_a_docstring(name: str) -> None:
    assert getattr(protocol.Node, name).__doc__


def test_the_constructor_of_a_node_takes_the_documented_arguments() -> None:
    assert list(inspect.signature(protocol.Node).parameters) == [
        "bind",
        "name",
        "advertise",
        "config",
        "seed",
        "state",
    ]


def test_every_error_is_a_gossip_error() -> None:
    errors = [getattr(protocol, name) for name in protocol.__all__ if name.endswith("Error")]
    assert all(issubclass(error, protocol.GossipError) for error in errors)


def test_every_event_is_public() -> None:
    assert {event.__name__ for event in protocol.Event.__args__} <= set(protocol.__all__)


def test_the_example_in_the_docstring_works() -> None:
    assert doctest.testmod(protocol).failed == 0
    assert doctest.testmod(protocol).attempted > 0


def test_the_examples_of_the_node_s_parts_work() -> None:
    assert doctest.testmod(naming).failed == 0
    assert net.__doc__
