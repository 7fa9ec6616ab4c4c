"""What was wrong in the Go library that this one re-creates; one test for each, so that none returns."""

from __future__ import annotations

import socket

import pytest

from protocol.core.clock import Ordering, VectorClock
from protocol.core.config import Config
from protocol.core.events import PeerLost
from protocol.core.identity import Address, Dot, NodeId
from protocol.core.messages import Rumor
from protocol.core.strategy import PRESETS, PeerSelection
from protocol.core.view import Descriptor
from protocol.errors import AddressError, PayloadSizeError, StateError
from protocol.net.node import Node
from protocol.sim import Simulation
from tests.protocol.core.wiring import CODEC, Stranger, Wiring, address, node_id, rumor
from tests.protocol.net.swarm import make_node, mesh, take

A, B, C = node_id("a"), node_id("b"), node_id("c")


def network(*names: str, config: Config | None = None) -> Wiring:
    """Machines that all know each other."""
    wiring = Wiring(names, config=config)
    for index, name in enumerate(names):
        wiring.join(name, *names[:index])
    wiring.run(2 * len(names))
    wiring.sent.clear()
    return wiring


def clocks(wiring: Wiring, name: str) -> list[dict[str, int]]:
    return [e.message.clock.by_name() for e in wiring.events[name] if hasattr(e, "message")]


# the clock


def test_counters_go_on_beyond_1() -> None:
    wiring = network("a", "b")
    for _ in range(5):
        wiring.send("a", "x")
    wiring.run(1)
    assert clocks(wiring, "b") == [{"a": count} for count in range(1, 6)]


def test_every_node_of_a_process_has_a_clock_of_its_own() -> None:
    wiring = Wiring(["a", "b"])
    wiring.send("a", "x")
    wiring.send("b", "x")
    wiring.settle()
    assert (clocks(wiring, "a"), clocks(wiring, "b")) == ([{"a": 1}], [{"b": 1}])


def test_a_smaller_value_that_comes_in_does_not_overwrite_a_larger_one() -> None:
    assert VectorClock({A: 5, B: 1}).merge(VectorClock({A: 2, B: 3})) == VectorClock({A: 5, B: 3})


def test_nobody_ticks_the_receivers_entry_not_even_for_sends_that_fail() -> None:
    wiring = network("a", "b", "c")
    wiring.passes = lambda _source, datagram: datagram.target != address(2)
    wiring.send("a", "x")
    wiring.send("a", "y")
    wiring.run(3)
    assert clocks(wiring, "b") == [{"a": 1}, {"a": 2}]


def test_merging_keeps_entries_that_only_one_side_has() -> None:
    assert VectorClock({A: 1}).merge(VectorClock({B: 1})) == VectorClock({A: 1, B: 1})


def test_disjoint_clocks_are_concurrent_and_not_equal() -> None:
    assert VectorClock({A: 1}).compare(VectorClock({B: 1})) is Ordering.CONCURRENT
    assert VectorClock({A: 1}) != VectorClock({B: 1})


def test_all_nodes_sort_concurrent_messages_alike() -> None:
    wiring = network("a", "b", "c")
    for name in "abc":
        wiring.send(name, f"from {name}")
    wiring.run(3)
    orders = set()
    for name in "abc":
        messages = [e.message for e in wiring.events[name] if hasattr(e, "message")]
        orders.add(tuple(m.text for m in sorted(messages, key=lambda message: message.order)))
    assert len(orders) == 1


def test_duplicates_tick_nothing() -> None:
    wiring = Wiring(["a"])
    author = Stranger(wiring, address(9), "author")
    for _ in range(5):
        author.say("a", rumor(author.id, 1))
    assert clocks(wiring, "a") == [{"author": 1}]
    wiring.send("a", "reply")
    wiring.settle()
    assert clocks(wiring, "a")[-1] == {"author": 1, "a": 1}


def test_a_delivered_message_keeps_the_clock_it_was_delivered_with() -> None:
    wiring = network("a", "b")
    wiring.send("a", "first")
    wiring.run(1)
    (message,) = [e.message for e in wiring.events["b"] if hasattr(e, "message")]
    before = dict(message.clock)
    for _ in range(10):
        wiring.send("b", "later")
    wiring.run(1)
    assert before == dict(message.clock) == {wiring["a"].id: 1}


def test_what_is_old_enough_is_forgotten() -> None:
    wiring = network("a", "b", config=Config(history_limit=10))
    for _ in range(50):
        wiring.send("a", "x")
        wiring.run(0.1)
    assert wiring["b"].snapshot(wiring.now).retained_count == 10
    assert len(wiring["a"].log) <= 11


# spreading


def test_what_every_push_missed_is_repaired() -> None:
    wiring = network("a", "b", "c")
    wiring.passes = lambda _s, d: not any(isinstance(item, Rumor) for item in CODEC.parse(d.data).items)
    wiring.send("a", "x")
    wiring.settle()
    wiring.passes = lambda _source, _datagram: True
    wiring.run(5)
    assert wiring.texts("b") == wiring.texts("c") == ["x"]


def test_one_silent_peer_blocks_nobody() -> None:
    wiring = network(*"abcdef")
    wiring.passes = lambda source, datagram: address(5) not in {source, datagram.target}
    for number in range(20):
        wiring.send("a", str(number))
        wiring.settle()
    for name in "bcde":
        assert len(wiring.texts(name)) == 20


def test_the_peers_of_one_push_are_all_different() -> None:
    wiring = network(*"abcdef", config=Config(fanout=5))
    wiring.passes = lambda _source, _datagram: False
    for number in range(20):
        wiring.sent.clear()
        wiring.send("a", str(number))
        wiring.settle()
        assert len({datagram.target for _, datagram in wiring.sent}) == 5


def test_dead_peers_in_the_view_do_not_stop_a_message() -> None:
    simulation = Simulation(20, seed=1, config=Config(view_size=8))
    simulation.run_for(5)
    simulation.crash(*range(10, 18))
    simulation.nodes[0].send_gossip("to the living")
    simulation.run_for(10)
    living = [node for node in simulation.nodes if node.is_up]
    assert all(len(node.delivered) == 1 for node in living)


def test_with_two_peers_in_view_nothing_is_dropped() -> None:
    wiring = network("a", "b", "c")
    for number in range(100):
        wiring.send("abc"[number % 3], str(number))
    wiring.run(3)
    assert {len(wiring.texts(name)) for name in "abc"} == {100}


def test_what_is_sent_with_an_empty_view_is_kept_for_the_first_peer() -> None:
    wiring = Wiring(["a", "b"])
    wiring.send("a", "kept")
    wiring.join("b", "a")
    wiring.run(3)
    assert wiring.texts("b") == ["kept"]


def test_equal_texts_are_as_many_messages_as_were_sent() -> None:
    wiring = network("a", "b")
    for name in "aab":
        wiring.send(name, "hello")
    wiring.run(2)
    assert wiring.texts("a") == wiring.texts("b") == ["hello"] * 3


def test_a_forged_copy_of_a_text_does_not_suppress_the_genuine_one() -> None:
    wiring = network("a", "b")
    Stranger(wiring, address(9), "forger").say("b", rumor(node_id("forger"), 1, text="hello"))
    wiring.send("a", "hello")
    wiring.run(2)
    assert wiring.texts("b") == ["hello", "hello"]


def test_the_author_arrives_with_the_message_over_any_number_of_hops() -> None:
    simulation = Simulation(30, seed=2, config=Config(view_size=4, fanout=2), start="lattice")
    message = simulation.nodes[0].send_gossip("x")
    simulation.run_for(15)
    assert {node.delivered[0].id for node in simulation.nodes} == {message.id}
    assert max(node.delivered[0].hops for node in simulation.nodes) > 1
    assert message.id == Dot(simulation.nodes[0].id, 1)


async def test_a_reader_that_never_reads_blocks_nobody_and_learns_what_it_missed() -> None:
    async with mesh("p1", "p2", history_limit=20) as (one, two):
        slow, quick = two.messages(), two.messages()
        for number in range(100):
            one.send_gossip(str(number))
            assert (await take(quick, 1))[0].text == str(number)
        assert (await take(slow, 1))[0].text == "80"
        assert slow.missed == 80


# membership


def test_push_pull_keeps_the_view_that_was_pulled() -> None:
    wiring = network("a", "b")
    wiring.add("late", address(9))
    wiring.join("late", "a")
    wiring.run(1)
    assert {descriptor.id.name for descriptor in wiring["late"].view()} == {"a", "b"}


def test_push_evicts_nobody_who_answers() -> None:
    wiring = network("a", "b", "c", config=Config(strategy="(rand, push, rand)"))
    wiring.run(30)
    for name in "abc":
        assert wiring.told(name, PeerLost) == []
        assert len(wiring[name].view()) == 2


def test_head_and_tail_mean_age_and_not_address() -> None:
    wiring = Wiring(["a"])
    young, old = Address("10.9.9.9", 9), Address("10.0.0.2", 2)
    for youngest, oldest in ((young, old), (old, young)):
        wiring = Wiring(["a"])
        wiring["a"].introduce([Descriptor(B, youngest, 1), Descriptor(C, oldest, 5)])
        view = wiring["a"]._sampling.view
        head, tail = view.select_peer(PeerSelection.HEAD), view.select_peer(PeerSelection.TAIL)
        assert head is not None
        assert tail is not None
        assert (head.address, tail.address) == (youngest, oldest)


def test_the_own_address_never_gets_into_the_view() -> None:
    wiring = Wiring(["a"])
    liar = Stranger(wiring, address(9), "liar")
    own = [
        Descriptor(wiring["a"].id, Address("10.7.7.7", 7), 0),
        Descriptor(node_id("alias"), wiring.at("a"), 0),
    ]
    liar.prove("a")
    liar.say("a", liar.request(8, descriptors=own))
    assert [descriptor.id for descriptor in wiring["a"].view()] == [liar.id]


def test_a_peer_that_was_trimmed_can_come_back() -> None:
    wiring = Wiring(["a"], config=Config(view_size=2, strategy="blind"))
    others = [Stranger(wiring, address(20 + number), f"other{number}") for number in range(6)]
    for other in others:
        other.prove("a")
    seen_again = set()
    nonce = 10
    for _ in range(30):
        for other in others:
            nonce += 1
            before = {descriptor.id for descriptor in wiring["a"].view()}
            other.say("a", other.request(nonce))
            seen_again |= {d.id for d in wiring["a"].view()} - before
    assert {other.id for other in others} <= seen_again
    assert nonce == 190


def test_a_restarted_peer_is_in_the_view_once() -> None:
    wiring = network("a", "b")
    wiring.add("b", address(1), identity=NodeId("b", 2))
    wiring.join("b", "a")
    wiring.run(5)
    assert [descriptor.id for descriptor in wiring["a"].view()] == [NodeId("b", 2)]


@pytest.mark.parametrize("others", [0, 1, 2])
def test_small_views_and_excluded_peers_end_no_loop(others: int) -> None:
    wiring = network(*"abc"[: 1 + others], config=Config(view_size=2, fanout=8, strategy="blind"))
    wiring.send("a", "x")
    wiring.run(5)
    assert all(wiring.texts(name) == ["x"] for name in "abc"[: 1 + others])


def test_nodes_started_at_one_instant_spread_their_cycles_over_the_period() -> None:
    wiring = Wiring([f"n{number}" for number in range(40)])
    first = [machine.deadline for machine in wiring.machines.values()]
    assert max(first) - min(first) > 0.8
    assert all(0 <= moment <= 1 for moment in first)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_strategy_can_be_chosen(preset: str) -> None:
    wiring = Wiring(["a"], config=Config(strategy=preset))
    chosen = wiring["a"].snapshot(0.0).strategy
    assert chosen == Config(strategy=str(chosen)).sampling


async def test_a_node_can_leave_and_close() -> None:
    node = make_node("p1")
    await node.start()
    await node.leave()
    await node.close()
    await node.close()
    with pytest.raises(StateError):
        node.send_gossip("too late")


async def test_a_port_that_is_taken_is_told() -> None:
    async with make_node("p1") as one:
        with pytest.raises(OSError, match="cannot bind"):
            await Node(one.address).start()


async def test_adding_the_own_current_view_returns() -> None:
    async with mesh("p1", "p2") as (one, two):
        one.add(*(descriptor.address for descriptor in one.current_view()))
        one.add(one.address)
        one.send_gossip("still here")
        assert (await take(two.messages(), 1))[0].text == "still here"


# the wire


@pytest.mark.parametrize("junk", [b"\x00", b"x", b"\xc0", b"null", b"[]", b"{}", b'""'])
def test_a_stray_byte_or_null_is_counted_and_becomes_no_message(junk: bytes) -> None:
    wiring = network("a", "b")
    Stranger(wiring, address(9)).throw("a", junk)
    wiring.run(3)
    assert wiring.reasons("a") == ["magic"]
    assert wiring.texts("a") == wiring.texts("b") == []
    wiring.send("a", "alive")
    wiring.run(1)
    assert wiring.texts("b") == ["alive"]


def test_a_sender_cannot_describe_the_receivers_own_identity() -> None:
    wiring = network("a", "b")
    before = wiring["a"].id
    liar = Stranger(wiring, address(9), "liar")
    liar.say("a", liar.request(descriptors=[Descriptor(before, Address("10.7.7.7", 7), 0)]))
    assert wiring["a"].id == before
    assert wiring["a"].address == address(0)
    assert before not in {descriptor.id for descriptor in wiring["a"].view()}


def test_an_unverified_source_gets_no_more_than_it_sent() -> None:
    wiring = network(*"abcdef")
    stranger = Stranger(wiring, address(99))
    for nonce in range(1, 50):
        stranger.say("a", stranger.request(nonce, push=False))
        assert stranger.bytes_received <= stranger.bytes_sent


def test_a_payload_too_large_is_refused_with_its_numbers_and_evicts_nobody() -> None:
    wiring = network("a", "b", "c")
    for size in ((1 << 20) + 1, 1 << 24):
        with pytest.raises(PayloadSizeError, match=f"payload of {size} bytes"):
            wiring.send("a", "x" * size)
    wiring.run(5)
    assert {descriptor.id.name for descriptor in wiring["a"].view()} == {"b", "c"}
    assert wiring.texts("a") == []


async def test_nodes_talk_over_ipv6() -> None:
    if not socket.has_ipv6:
        pytest.skip("this system has no IPv6")
    async with make_node("p1", "[::1]:0") as one, make_node("p2", "[::1]:0") as two:
        two.join(one.address)
        one.send_gossip("six")
        assert (await take(two.messages(), 1))[0].text == "six"


async def test_only_the_interface_that_was_named_is_bound() -> None:
    async with make_node("p1", "127.0.0.1:0") as node:
        assert node.bound_address.host == "127.0.0.1"


@pytest.mark.parametrize("host", ["tcp.example.org", "0x.example", "p.t.c", "udp-host"])
def test_host_names_are_kept_letter_by_letter(host: str) -> None:
    assert Address.parse(f"{host}:7117") == Address(host, 7117)


def test_what_is_no_address_is_refused_in_words() -> None:
    with pytest.raises(AddressError, match="host:port"):
        Address.parse("nonsense")


def test_the_library_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    wiring = network("a", "b")
    Stranger(wiring, address(9)).throw("a", b"junk")
    wiring.send("a", "quiet")
    wiring.run(5)
    wiring["a"].leave(wiring.now)
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")
