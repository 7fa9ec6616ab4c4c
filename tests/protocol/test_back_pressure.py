"""What is full: it harms nobody else, it is counted and visible, and it ends when there is room again."""

from __future__ import annotations

import asyncio
import contextlib
import random

from protocol.core.config import Config
from protocol.core.events import Gap, Lagged, Undeliverable
from protocol.core.large.tree import Tree
from protocol.core.messages import Announcement, Chunk
from protocol.errors import BacklogError
from protocol.sim import Faults, Simulation
from tests.reliability.judge import judge
from tests.reliability.scenarios import SCENARIOS, run

from .core.wiring import Stranger, Wiring, address, node_id, rumor
from .net.swarm import mesh, take, until


async def test_a_reader_that_stops_reading_harms_no_one_and_learns_what_it_missed() -> None:
    async with mesh("p1", "p2", history_limit=50, history_size_limit=1 << 20) as (one, two):
        stopped, events = two.messages(), two.events()
        reading = asyncio.ensure_future(take(two.messages(), 600))
        largest = 0
        for number in range(600):
            await one.drain()
            one.send_gossip(f"{number:05}" * 200)
            if number % 20 == 0:
                await one.wait_acknowledged(one.snapshot().frontier[0])
                largest = max(largest, two.snapshot().retained_size)
        assert [message.text[:5] for message in await reading] == [f"{n:05}" for n in range(600)]
        assert largest <= 1 << 20
        rest = await take(stopped, 50)
        assert stopped.missed == 550
        assert [message.text[:5] for message in rest] == [f"{n:05}" for n in range(550, 600)]
        assert await until(events, Lagged) == Lagged(550)


async def test_sending_faster_than_the_network_takes_is_refused_and_memory_stays_flat() -> None:
    limit, size = 400_000, 40_000
    settings = {"backlog_size_limit": limit, "history_size_limit": 1 << 20}
    async with mesh("p1", "p2", **settings) as (one, two):
        received = asyncio.ensure_future(take(two.messages(), 60))
        refused = []
        for number in range(60):
            while True:
                try:
                    one.send_gossip(number.to_bytes(2) * (size // 2))
                    break
                except BacklogError as error:
                    refused.append(error.unit)
                    await one.drain()
            picture = one.snapshot()
            assert picture.unacknowledged_size < limit + size
            assert picture.retained_size <= 2 << 20
        assert set(refused) == {"bytes"}
        assert [int.from_bytes(message.payload[:2]) for message in await received] == list(range(60))
        await one.drain()


def test_with_nobody_there_what_is_kept_is_bounded_in_bytes() -> None:
    simulation = Simulation(1, seed=1, start="alone", config=Config(backlog_size_limit=300_000))
    node = simulation.nodes[0]
    made = 0
    with contextlib.suppress(BacklogError):
        while made < 1_000:
            node.send_gossip(bytes(50_000))
            made += 1
    assert made == 6
    assert node.snapshot().unacknowledged_size == 300_000
    other = simulation.add_node(join=[0])
    simulation.run_for(10)
    assert len(other.delivered) == 6
    assert node.snapshot().unacknowledged_size == 0
    node.send_gossip("there is room again")


def test_when_the_hold_back_queue_is_full_newcomers_are_refused_counted_and_come_again() -> None:
    config = Config(hold_back_size_limit=20_000)
    wiring = Wiring(["a"], config=config)
    peer = Stranger(wiring, address(50), "peer")
    peer.prove("a")
    author = node_id("author")
    for sequence in range(2, 40):
        peer.say("a", rumor(author, sequence, sequence, text="x" * 1_000))
    picture = wiring["a"].snapshot(wiring.now)
    assert (picture.held_count, picture.held_size) == (13, 13 * 1_500)
    assert picture.rejected["hold-back full"] == 25
    for sequence in range(1, 40):
        peer.say("a", rumor(author, sequence, sequence, text="x" * 1_000))
    assert wiring["a"].snapshot(wiring.now).counters.delivered == 39
    assert wiring["a"].snapshot(wiring.now).held_size == 0


def test_what_has_waited_too_long_makes_room_in_a_full_hold_back_queue_and_is_told() -> None:
    wiring = Wiring(["a"], config=Config(hold_back_limit=3, gap_timeout=5.0))
    peer = Stranger(wiring, address(50), "peer")
    peer.prove("a")
    for number in range(3):
        peer.say("a", rumor(node_id(f"orphan-{number}"), 2, 2))
    wiring.now += 9
    peer.say("a", rumor(node_id("newcomer"), 2, 2))
    assert wiring.told("a", Undeliverable) == []
    wiring.now += 2
    peer.say("a", rumor(node_id("newcomer"), 2, 2))
    told = wiring.told("a", Undeliverable)
    assert [event.id.origin.name for event in told if isinstance(event, Undeliverable)] == ["orphan-0"]
    assert wiring["a"].snapshot(wiring.now).counters.undeliverable == 1


def test_a_hold_back_queue_that_is_much_too_small_costs_time_and_no_message() -> None:
    config = Config(hold_back_limit=20, gap_timeout=10.0)
    course = run(SCENARIOS["rough, with churn"], "all", 12, 3, config)
    verdict = judge(course)
    assert verdict.wrong == ()
    pictures = [node.snapshot() for node in course.live()]
    assert max(picture.counters.displaced for picture in pictures) > 5
    assert max(picture.rejected.get("hold-back full", 0) for picture in pictures) > 5


def three_of_which_one_is_cut_off(config: Config) -> Simulation:
    simulation = Simulation(3, seed=2, config=config, faults=Faults(latency=(0.005, 0.02)))
    simulation.run_for(3)
    simulation.partition([2])
    return simulation


def test_a_full_store_lets_the_oldest_go_and_who_lacks_them_is_told_of_one_gap() -> None:
    config = Config(history_limit=20, gap_timeout=3.0)
    simulation = three_of_which_one_is_cut_off(config)
    for number in range(60):
        simulation.nodes[number % 2].send_gossip(str(number))
        simulation.run_for(0.1)
    picture = simulation.nodes[0].snapshot()
    assert (picture.retained_count, picture.evicted_count) == (20, 40)
    simulation.heal()
    simulation.run_for(40)
    gaps = [event.size for event in simulation.nodes[2].events if isinstance(event, Gap)]
    assert gaps == [40]
    assert simulation.nodes[2].snapshot().counters.gaps == 1
    assert len(simulation.nodes[2].delivered) == 20


def test_what_waits_in_a_full_hold_back_queue_is_delivered_late_when_a_gap_is_closed() -> None:
    config = Config(history_limit=20, hold_back_limit=5, gap_timeout=4.0)
    simulation = three_of_which_one_is_cut_off(config)
    for number in range(120):
        simulation.nodes[number % 2].send_gossip(str(number))
        simulation.run_for(0.1)
        if number == 60:
            simulation.heal()
    simulation.run_for(40)
    node = simulation.nodes[2]
    assert [event for event in node.events if isinstance(event, Undeliverable)] == []
    assert sum(message.late for message in node.delivered) == 5
    gaps = [event.size for event in node.events if isinstance(event, Gap)]
    assert len(gaps) == 1
    assert gaps[0] + len(node.delivered) == 120


def test_when_the_list_of_peers_is_full_the_oldest_are_forgotten_counted_and_nothing_is_lost() -> None:
    config = Config(view_size=4, acquaintance_limit=6)
    simulation = Simulation(30, seed=3, config=config, faults=Faults(latency=(0.005, 0.02)))
    simulation.run_for(30)
    message = simulation.nodes[0].send_gossip("to all")
    simulation.run_for(5)
    for node in simulation.nodes:
        picture = node.snapshot()
        assert len(picture.peers) <= 6 + 1, "met, and the author"
        assert len(picture.view) <= 4
        assert picture.counters.peers_forgotten > 0
        assert [one.id for one in node.delivered] == [message.id]


def test_when_nothing_can_make_room_a_large_message_is_refused_counted_and_pulled_later() -> None:
    wiring = Wiring(["a"], config=Config(assembly_limit=4))
    holder = Stranger(wiring, address(50), "holder")
    holder.prove("a")

    def announce(number: int) -> None:
        payload = random.Random(number).randbytes(20_000)
        message = rumor(node_id(f"author-{number}"), 1)._replace(payload=Tree.of(payload).reference)
        holder.say("a", Announcement(message, 0))

    def send(number: int, places: range) -> None:
        payload = random.Random(number).randbytes(20_000)
        tree = Tree.of(payload)
        for place in places:
            chunk = payload[place * 1_024 : (place + 1) * 1_024]
            holder.say("a", Chunk(tree.reference, place, tree.path(place), chunk))

    for number in range(4):
        announce(number)
        send(number, range(10))
    announce(4)
    picture = wiring["a"].snapshot(wiring.now)
    assert picture.rejected == {"assemblies full": 1}
    assert (picture.pulling_count, picture.pulling_size) == (4, 40 * 1_024)
    send(0, range(10, 20))
    announce(4)
    send(4, range(20))
    picture = wiring["a"].snapshot(wiring.now)
    assert (picture.counters.delivered, picture.counters.payloads_pulled, picture.pulling_count) == (2, 2, 3)
    wiring.check()
