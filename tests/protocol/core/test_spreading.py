"""Pushing on first sight, acknowledgements, and what holds an origin back."""

from __future__ import annotations

import pytest

from protocol.core.codec import DATAGRAM_LIMIT
from protocol.core.config import Config
from protocol.core.identity import Address
from protocol.core.machine import cluster_tag
from protocol.core.messages import Acknowledge, BareRumor, Header, Parents, Rumor
from protocol.core.view import Descriptor
from protocol.core.wide import PAGES_HELD_LIMIT, Assembly
from protocol.errors import BacklogError, PayloadSizeError
from protocol.sim import Faults, Simulation

from .wiring import CODEC, Stranger, Wiring, address, node_id, rumor, single_limit


def mesh(*names: str, config: Config | None = None) -> Wiring:
    """Machines that all know and have proven each other."""
    wiring = Wiring(names, config=config)
    for index, name in enumerate(names):
        wiring.join(name, *names[:index])
    wiring.run(3 * len(names))
    wiring.sent.clear()
    return wiring


def rumors_sent(wiring: Wiring, sender: str) -> list[Address]:
    """Whom a machine sent messages to."""
    return [
        datagram.target
        for source, datagram in wiring.sent
        if source == wiring.at(sender)
        for item in CODEC.parse(datagram.data).items
        if isinstance(item, Rumor)
    ]


# pushing


def test_a_new_message_goes_to_fanout_different_peers() -> None:
    wiring = mesh(*"abcdefgh", config=Config(fanout=3, dissemination="eager"))
    wiring.passes = lambda _source, _datagram: False
    wiring.send("a", "hello")
    wiring.settle()
    targets = rumors_sent(wiring, "a")
    assert len(targets) == len(set(targets)) == 3


def test_a_fanout_larger_than_the_view_reaches_all_of_it_once() -> None:
    wiring = mesh("a", "b", "c", config=Config(fanout=10))
    wiring.passes = lambda _source, _datagram: False
    wiring.send("a", "hello")
    wiring.settle()
    assert sorted(rumors_sent(wiring, "a")) == [address(1), address(2)]


def test_a_message_is_passed_on_at_first_sight_only_and_never_back() -> None:
    wiring = mesh("a", "b", "c")
    origin = Stranger(wiring, address(9), "origin")
    origin.say("a", rumor(origin.id, 1), rumor(origin.id, 1))
    wiring.settle()
    assert sorted(rumors_sent(wiring, "a")) == [address(1), address(2)]
    wiring.sent.clear()
    origin.say("a", rumor(origin.id, 1))
    wiring.settle()
    assert rumors_sent(wiring, "a") == []


def test_a_message_is_passed_on_when_first_seen_though_its_past_is_missing() -> None:
    wiring = mesh("a", "b")
    origin = Stranger(wiring, address(9), "origin")
    origin.say("a", rumor(origin.id, 2, 2))
    wiring.settle()
    assert wiring.texts("a") == []
    assert rumors_sent(wiring, "a") == [address(1)]


def test_what_is_refused_is_not_passed_on() -> None:
    wiring = mesh("a", "b")
    origin = Stranger(wiring, address(9), "origin")
    origin.say("a", rumor(origin.id, 9_999, 2))
    origin.say("a", rumor(origin.id, 1, 1 << 40))
    wiring.settle()
    assert rumors_sent(wiring, "a") == []
    assert wiring.reasons("a") == ["too far ahead", "depth"]


def test_hops_count_how_often_a_message_was_passed_on() -> None:
    wiring = Wiring(["a", "b", "c"])
    wiring["b"].introduce([Descriptor(wiring["c"].id, wiring.at("c"), 0)])
    wiring.join("a", "b")
    wiring.passes = lambda source, datagram: {source, datagram.target} != {address(0), address(2)}
    wiring.send("a", "hello")
    wiring.run(3)
    hops = [event.message.hops for event in wiring.events["c"] if hasattr(event, "message")]
    assert hops == [1]


# nobody there


@pytest.mark.parametrize("count", [1, 5, 40])
def test_what_is_sent_with_an_empty_view_goes_out_when_a_peer_appears(count: int) -> None:
    wiring = Wiring()
    for number in range(count):
        wiring.send("a", str(number))
    wiring.run(30)
    assert wiring.sent == []
    wiring.join("b", "a")
    wiring.run(5)
    assert wiring.texts("b") == [str(number) for number in range(count)]
    assert wiring["a"].unacknowledged == 0


def test_what_was_sent_to_nobody_goes_out_though_the_first_push_is_lost() -> None:
    wiring = Wiring()
    for number in range(5):
        wiring.send("a", str(number))
    lost: list[int] = []

    def lose_first_push(_source: Address, datagram: object) -> bool:
        items = CODEC.parse(getattr(datagram, "data", b"")).items
        if any(isinstance(item, Rumor) for item in items) and not lost:
            lost.append(1)
            return False
        return True

    wiring.passes = lose_first_push
    wiring.join("b", "a")
    wiring.run(5)
    assert lost
    assert wiring.texts("b") == ["0", "1", "2", "3", "4"]


# acknowledgements


def test_an_acknowledgement_counts_every_node_once() -> None:
    wiring = mesh("a", "b", "c")
    message = wiring.send("a", "hello")
    assert (wiring["a"].unacknowledged, wiring["a"].acknowledged_by(message.id)) == (1, 0)
    wiring.run(5)
    assert (wiring["a"].unacknowledged, wiring["a"].acknowledged_by(message.id)) == (0, 2)
    assert wiring["b"].acknowledged_by(message.id) == 0


def test_a_message_pushed_again_is_acknowledged_again_since_the_first_word_of_it_was_lost() -> None:
    wiring = mesh("a", "b", config=Config(cycle_period=60, answer_timeout=0.5))
    wiring.send("a", "hello")
    wiring.passes = lambda source, _datagram: source == address(0)
    wiring.run(0.3)
    assert wiring.texts("b")[-1:] == ["hello"]
    assert wiring["a"].unacknowledged == 1
    wiring.passes = lambda _source, _datagram: True
    wiring.run(2)
    assert wiring["a"].unacknowledged == 0


def test_a_forged_acknowledgement_from_an_unproven_source_is_not_believed() -> None:
    wiring = Wiring(["a"])
    message = wiring.send("a", "hello")
    forger = Stranger(wiring, address(9))
    forger.say("a", Acknowledge((wiring["a"].id.key, 1)))
    assert wiring["a"].acknowledged_by(message.id) == 0
    forger.prove("a")
    forger.say("a", Acknowledge((wiring["a"].id.key, 1)))
    assert wiring["a"].acknowledged_by(message.id) == 1


# back-pressure and size


def test_too_many_unacknowledged_messages_are_refused_with_the_numbers_and_nothing_is_made() -> None:
    wiring = Wiring(["a"], config=Config(backlog_limit=3))
    for number in range(3):
        wiring.send("a", str(number))
    with pytest.raises(BacklogError, match="3 own messages") as caught:
        wiring.send("a", "one too many")
    assert (caught.value.pending, caught.value.limit) == (3, 3)
    wiring.settle()
    assert wiring.texts("a") == ["0", "1", "2"]
    wiring.add("b", address(1))
    wiring.join("b", "a")
    wiring.run(3)
    assert wiring.send("a", "now there is room").id.sequence == 4


def test_a_payload_of_exactly_the_limit_goes_out_and_one_byte_more_is_refused() -> None:
    wiring = mesh("a", "b")
    limit = wiring["a"].payload_limit
    with pytest.raises(PayloadSizeError) as caught:
        wiring.send("a", "x" * (limit + 1))
    assert (caught.value.size, caught.value.limit) == (limit + 1, limit)
    assert wiring.send("a", "x" * limit).id.sequence == 1
    wiring.run(1)
    assert [len(text) for text in wiring.texts("b")] == [limit]


def test_an_empty_payload_is_a_message() -> None:
    wiring = mesh("a", "b")
    wiring.send("a", "")
    wiring.run(1)
    assert wiring.texts("b") == [""]


def test_more_unacknowledged_bytes_than_configured_are_refused_until_somebody_has_them() -> None:
    wiring = Wiring(["a"], config=Config(backlog_size_limit=100_000))
    for _ in range(3):
        wiring.send("a", "x" * 40_000)
    assert not wiring["a"].has_room
    with pytest.raises(BacklogError, match="120000 bytes of own messages are unacknowledged") as caught:
        wiring.send("a", "")
    assert (caught.value.pending, caught.value.limit, caught.value.unit) == (120_000, 100_000, "bytes")
    assert wiring["a"].snapshot(wiring.now).unacknowledged_size == 120_000
    wiring.add("b", address(1))
    wiring.join("b", "a")
    wiring.run(3)
    assert wiring["a"].has_room
    assert wiring["a"].snapshot(wiring.now).unacknowledged_size == 0
    assert wiring.send("a", "now there is room").id.sequence == 4


# more parents than fit a datagram


def test_when_more_nodes_send_at_one_instant_than_a_datagram_can_name_everything_still_arrives() -> None:
    simulation = Simulation(130, seed=1, faults=Faults(latency=(0.01, 0.02)))
    for node in simulation.nodes:
        node.send_gossip("at once")
    simulation.run_for(3)
    limit = single_limit(simulation.nodes[0].machine)
    last = simulation.nodes[0].send_gossip("x" * limit)
    assert len(last.parents) == 130
    simulation.run_for(3)
    assert all(len(node.delivered) == 131 for node in simulation.nodes)


def test_a_large_message_may_have_more_parents_than_a_datagram_can_name() -> None:
    simulation = Simulation(130, seed=1, faults=Faults(latency=(0.01, 0.02)))
    for node in simulation.nodes:
        node.send_gossip("at once")
    simulation.run_for(3)
    last = simulation.nodes[0].send_gossip("x" * 3_000)
    assert len(last.parents) == 130
    simulation.run_for(3)
    assert {node.delivered[-1].payload for node in simulation.nodes} == {last.payload}


def wide(count: int) -> tuple[BareRumor, list[Parents]]:
    parents = [(number.to_bytes(8), 1) for number in range(1, count + 1)]
    bare = rumor(node_id("a"), 1, 2)
    pages = [
        Parents((bare.origin.key, 1), page, 2, tuple(parents[page * count // 2 : (page + 1) * count // 2]))
        for page in range(2)
    ]
    return BareRumor(bare, 2), pages


def test_the_parts_of_a_wide_message_may_come_in_any_order() -> None:
    bare, pages = wide(20)
    for bare_first in (True, False):
        assembly = Assembly()
        assert assembly.on_parents(pages[1], address(1)) is None
        if bare_first:
            assert assembly.on_bare(bare, address(1)) is None
            whole = assembly.on_parents(pages[0], address(1))
        else:
            assert assembly.on_parents(pages[0], address(1)) is None
            whole = assembly.on_bare(bare, address(1))
        assert whole is not None
        assert whole.parents == (*pages[0].entries, *pages[1].entries)


def test_a_wide_message_that_names_an_origin_twice_or_its_own_is_never_whole() -> None:
    bare, pages = wide(20)
    for bad in ((pages[0].entries[0][0], 2), (bare.rumor.origin.key, 7)):
        assembly = Assembly()
        assembly.on_bare(bare, address(1))
        assembly.on_parents(pages[0], address(1))
        assert assembly.on_parents(pages[1]._replace(entries=(*pages[1].entries, bad)), address(1)) is None


def test_parts_of_wide_messages_are_bounded_however_many_are_begun() -> None:
    assembly = Assembly()
    for number in range(200):
        for page in range(60):
            assembly.on_parents(Parents((number.to_bytes(8), 1), page, 64, ((bytes(8), 1),)), address(1))
    assert sum(len(parts.pages) for parts in assembly._parts.values()) <= PAGES_HELD_LIMIT


def test_no_datagram_is_larger_than_the_limit_whatever_is_sent() -> None:
    wiring = mesh("a", "b", "c", "d")
    for number in range(100):
        name = "abcd"[number % 4]
        wiring.send(name, "x" * (number * 37 % (wiring[name].payload_limit + 1)))
        wiring.run(0.05)
    wiring.run(3)
    assert max(datagram.size for _, datagram in wiring.sent) <= DATAGRAM_LIMIT
    assert {len(wiring.texts(name)) for name in "abcd"} == {100}


def test_whoever_sends_a_message_before_it_is_passed_on_is_spared_the_copy() -> None:
    wiring = Wiring(["a"])
    peers = [Stranger(wiring, address(number), f"peer-{number}") for number in range(8, 12)]
    for peer in peers:
        peer.prove("a")
        peer.say("a", peer.request(8, pull=False))
    machine = wiring["a"]
    for peer in peers[:2]:
        header = Header(cluster_tag(""), peer.key, None, peer.cookie, 0)
        data = CODEC.assemble(header, [CODEC.pack(rumor(node_id("author"), 1))])
        machine.receive_datagram(data, peer.address, wiring.now)
    sent = {datagram.target for datagram in machine.datagrams_to_send()}
    assert sent == {peer.address for peer in peers[2:]}


def test_a_node_that_is_alone_for_hours_goes_on_pushing_what_nobody_has() -> None:
    simulation = Simulation(2, seed=3, config=Config(cycle_period=30.0, answer_timeout=5.0), start="alone")
    first, second = simulation.nodes
    message = first.send_gossip("anybody?")
    simulation.run_for(4 * 3600 * 5)
    second.join(first.address)
    simulation.run_for(120)
    assert [delivered.id for delivered in second.delivered] == [message.id]
