"""Nodes on loopback that talk: order, history, back-pressure, waiting."""

from __future__ import annotations

import asyncio

import pytest

from protocol import Node
from protocol.core.events import Delivered, Lagged, PeerLost
from protocol.core.faults import Faults
from protocol.core.identity import Address, Dot, NodeId
from protocol.core.strategy import Strategy
from protocol.errors import BacklogError, ConfigError, PayloadSizeError, StateError
from protocol.net.udp import open_socket
from tests.protocol.net.swarm import eventually, make_node, mesh, take, until


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


async def test_what_was_delivered_can_be_looked_up_without_waiting_also_after_the_end() -> None:
    async with make_node("p1") as node:
        for number in range(5):
            node.send_gossip(str(number))
        first, messages = node.delivered(limit=3)
        assert (first, [message.text for message in messages]) == (3, ["2", "3", "4"])
    assert node.delivered(5)[0] == 5
    with pytest.raises(StateError):
        Node("127.0.0.1:0").delivered()


async def test_a_frozen_node_hears_sends_and_notices_nothing_and_goes_on_as_itself() -> None:
    async with mesh("one", "two", answer_timeout=30.0) as (one, two):
        events = two.events()
        two.freeze()
        assert two.is_frozen
        cycle = two.snapshot().cycle
        message = one.send_gossip("said while two stood still")
        heard = one.snapshot().cycle
        await eventually(lambda: one.snapshot().cycle >= heard + 5)
        assert (two.snapshot().cycle, two.snapshot().counters.delivered) == (cycle, 0)
        for act in (lambda: two.send_gossip("x"), lambda: two.set_fanout(3), two.join):
            with pytest.raises(StateError, match="frozen"):
                act()
        two.thaw()
        assert not two.is_frozen
        await one.wait_acknowledged(message)
        assert isinstance(await until(events, Delivered), Delivered)
        assert [descriptor.id for descriptor in two.current_view()] == [one.id]


async def test_what_faults_held_up_for_a_frozen_node_arrives_when_it_thaws() -> None:
    async with mesh("one", "two", answer_timeout=30.0) as (one, two):
        two.faults = Faults(latency=(0.05, 0.05))
        message = one.send_gossip("late")
        await eventually(lambda: bool(two.fault_report.waiting))
        two.freeze()
        await eventually(lambda: not two.fault_report.waiting)
        assert two.snapshot().counters.delivered == 0
        two.thaw()
        await one.wait_acknowledged(message)


async def test_a_frozen_node_thaws_to_say_goodbye() -> None:
    async with mesh("one", "two") as (one, two):
        events = one.events()
        two.freeze()
        await two.leave()
        lost = await until(events, PeerLost)
        assert isinstance(lost, PeerLost)
        assert lost.left


async def test_view_size_and_fanout_change_before_the_start_and_while_it_runs() -> None:
    node = make_node("one")
    node.set_view_size(8)
    node.set_fanout(2)
    with pytest.raises(ConfigError, match="view_size"):
        node.set_view_size(1)
    async with node:
        assert (node.snapshot().view_size, node.snapshot().fanout) == (8, 2)
        assert node.snapshot().strategy == Strategy.parse("default", 8)
        node.set_view_size(10)
        node.set_fanout(5)
        assert (node.snapshot().view_size, node.snapshot().fanout) == (10, 5)
    with pytest.raises(StateError):
        node.set_view_size(12)
