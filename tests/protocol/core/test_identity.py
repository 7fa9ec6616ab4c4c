from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.core.identity import (
    NAME_LIMIT,
    Address,
    Dot,
    NodeId,
    check_name,
    key_of,
    node_id_of,
    packed_host,
    unpacked_host,
)
from protocol.errors import AddressError, ConfigError
from protocol.text import printable

NAMES = st.text("abcXYZ019-_.~#:@äß日", min_size=1, max_size=NAME_LIMIT)
INCARNATIONS = st.integers(0, (1 << 64) - 1)
NODE_IDS = st.builds(NodeId, NAMES, INCARNATIONS)
PORTS = st.integers(1, 65_535)
NUMERIC_HOSTS = st.ip_addresses().map(str)


# Names


@given(st.text(st.characters(exclude_categories=()), max_size=NAME_LIMIT + 6))
def test_a_name_is_visible_and_short_or_refused(name: str) -> None:
    try:
        assert check_name(name) == name
    except ConfigError:
        return
    assert 1 <= len(name) <= NAME_LIMIT
    assert printable(name) == name
    assert name.isprintable()
    assert not any(character.isspace() for character in name)


@pytest.mark.parametrize("name", ["p1", "a" * NAME_LIMIT, "p~1#2", "日本", "é", "127.0.0.1:7117"])
def test_a_visible_name_is_taken(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["a b", "a\tb", "a\n", "\x1b[2J", "a\u200b", "\u202ea", "\u3164", "a\u00a0", "\ud800"]
)
def test_a_name_that_does_not_show_is_refused_without_printing_it(name: str) -> None:
    with pytest.raises(ConfigError, match="visible characters") as caught:
        check_name(name)
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("length", [0, NAME_LIMIT + 1])
def test_a_name_of_the_wrong_length_is_refused_with_the_number(length: int) -> None:
    with pytest.raises(ConfigError, match=f"1 to 64 characters, not {length}"):
        check_name("x" * length)


# Node ids


@given(NODE_IDS)
def test_a_node_id_prints_and_parses_back(node_id: NodeId) -> None:
    assert NodeId.parse(str(node_id)) == node_id


@given(NODE_IDS)
def test_a_label_ends_in_the_last_six_characters_of_the_tag(node_id: NodeId) -> None:
    name, _, short = node_id.label.rpartition("~")
    assert name == node_id.name
    assert len(short) == 6
    assert str(node_id).endswith(short)


@pytest.mark.parametrize(
    "text", ["", "p1", "p1~", "~0000001", "p1~ilou", "p1~A", "a b~0000001", "p1~" + "z" * 14]
)
def test_a_text_that_is_no_node_id_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        NodeId.parse(text)


@given(NODE_IDS, NODE_IDS)
def test_different_nodes_have_different_keys(one: NodeId, other: NodeId) -> None:
    assert (one.key == other.key) == (one == other)


def test_the_key_of_a_node_is_what_it_always_was() -> None:
    assert NodeId("p1", 1).key == key_of(NodeId("p1", 1)) == bytes.fromhex("fa8d88669e0bb214")


def test_a_name_from_the_wire_is_checked_and_shared() -> None:
    assert node_id_of("p1", 5) is node_id_of("p1", 5)
    with pytest.raises(ConfigError):
        node_id_of("p 1", 5)


# Dots


@given(NODE_IDS, st.integers(1, 1 << 60))
def test_a_dot_prints_and_parses_back(origin: NodeId, sequence: int) -> None:
    dot = Dot(origin, sequence)
    assert Dot.parse(str(dot)) == dot


@pytest.mark.parametrize(
    "text", ["", "p1~0000001", "p1~0000001#", "p1~0000001#0", "p1~0000001#-1", "p1~0000001#²", "p1#1"]
)
def test_a_text_that_is_no_dot_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        Dot.parse(text)


# Addresses


@given(NUMERIC_HOSTS, PORTS)
def test_a_numeric_address_prints_and_parses_back(host: str, port: int) -> None:
    address = Address(host, port)
    assert Address.parse(str(address)) == address
    assert address.is_numeric


@given(NUMERIC_HOSTS)
def test_a_host_packs_and_unpacks(host: str) -> None:
    packed = packed_host(host)
    assert packed is not None
    assert unpacked_host(packed) == host


@given(st.ip_addresses(v=6), PORTS)
def test_every_spelling_of_an_ipv6_host_is_one_address(host: ipaddress.IPv6Address, port: int) -> None:
    assert Address.parse(f"[{host.exploded.upper()}]:{port}") == Address(str(host), port)


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_an_address_error(text: str) -> None:
    try:
        address = Address.parse(text)
    except AddressError:
        return
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    "text", ["localhost:7117", "node-1.example.org:1", "my_host:65535", "1.2.3.4.example:80"]
)
def test_a_host_name_is_kept_for_the_resolver(text: str) -> None:
    address = Address.parse(text)
    assert str(address) == text
    assert not address.is_numeric


@pytest.mark.parametrize(
    "text",
    [
        "",
        "localhost",
        ":7117",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:-1",
        "localhost:７１１７",
        "localhost:" + "9" * 5000,
        "::1:7117",
        "[::1]",
        "[::1",
        "[nonsense]:7117",
        "[127.0.0.1]:7117",
        "256.1.1.1:7117",
        "1.2.3:7117",
        "-bad:7117",
        "a..b:7117",
        "a b:7117",
        "a\x1bb:7117",
        "x" * 64 + ":7117",
        "http://host:7117",
    ],
)
def test_a_malformed_address_is_refused_in_one_printable_line(text: str) -> None:
    with pytest.raises(AddressError) as caught:
        Address.parse(text)
    assert str(caught.value).isprintable()


def test_port_zero_is_taken_where_one_may_be_chosen() -> None:
    assert Address.parse("127.0.0.1:0", allow_port_zero=True) == Address("127.0.0.1", 0)


@pytest.mark.parametrize(
    ("host", "is_wildcard"), [("0.0.0.0", True), ("::", True), ("127.0.0.1", False), ("host", False)]
)
def test_a_wildcard_is_an_address_where_nobody_can_be_reached(host: str, is_wildcard: bool) -> None:
    assert Address(host, 1).is_wildcard == is_wildcard


@pytest.mark.parametrize("size", [0, 3, 5, 15, 17])
def test_a_host_has_four_or_sixteen_bytes(size: int) -> None:
    with pytest.raises(ValueError, match=str(size)):
        unpacked_host(bytes(size))
