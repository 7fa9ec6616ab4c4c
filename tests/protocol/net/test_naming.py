"""Names of nodes nobody named, and incarnations."""

from __future__ import annotations

import random

import pytest

from protocol.core.identity import NAME_LIMIT, Address, check_name
from protocol.net.naming import default_name, new_identity


@pytest.mark.parametrize(
    ("bound", "name"),
    [
        ("127.0.0.1:7117", "p1"),
        ("127.0.0.1:7118", "p2"),
        ("127.0.0.1:7148", "p32"),
        ("[::1]:7117", "p1"),
        ("127.0.0.1:7149", "127.0.0.1-7149"),
        ("192.0.2.7:7117", "192.0.2.7-7117"),
        ("[2001:db8::1]:7117", "2001:db8::1-7117"),
    ],
)
def test_a_node_is_named_after_its_port_on_loopback_and_after_its_address_elsewhere(
    bound: str, name: str
) -> None:
    assert default_name(Address.parse(bound)) == name


def test_a_node_bound_to_every_interface_is_named_after_its_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "kitchen")
    assert default_name(Address("0.0.0.0", 7117)) == "kitchen-7117"


def test_a_node_with_an_advertised_address_is_named_after_that() -> None:
    assert default_name(Address("0.0.0.0", 7117), Address("gossip.example", 9)) == "gossip.example-9"


@pytest.mark.parametrize("host", ["x" * 300, "ki\u200btch en", "\x1b[31m", ""])
def test_whatever_a_machine_calls_itself_the_name_is_legal(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: host)
    name = default_name(Address("0.0.0.0", 65535))
    assert check_name(name).endswith("-65535")
    assert len(name) <= NAME_LIMIT


def test_two_starts_of_one_name_are_two_nodes() -> None:
    assert new_identity("p1", None) != new_identity("p1", None)


def test_a_later_start_has_the_larger_incarnation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)
    earlier = new_identity("p1", None)
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.002)
    assert new_identity("p1", None).incarnation > earlier.incarnation


def test_a_seed_repeats_the_random_bits() -> None:
    first, second = (new_identity("p1", random.Random(7)).incarnation & 0xFFFF for _ in range(2))
    assert first == second
