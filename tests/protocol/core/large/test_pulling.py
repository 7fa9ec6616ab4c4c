"""Large messages from end to end in the simulator: under loss, crashes, joins, and beside small ones."""

from __future__ import annotations

import random

import pytest

from protocol.core.config import Config
from protocol.core.events import Undeliverable
from protocol.core.large.serving import CHUNKS_PER_TURN
from protocol.core.messages import Chunk, Message
from protocol.sim import Faults, Simulation

from ..wiring import single_limit

LOSSY = Faults(loss=0.3, latency=(0.005, 0.02))
CALM = Faults(latency=(0.005, 0.02))


def content(size: int, seed: int = 0) -> bytes:
    return random.Random(f"{size} {seed}").randbytes(size)


def has_all(simulation: Simulation, messages: list[Message]) -> bool:
    """Whether every live node delivered all of them with the payloads they were sent with."""
    wanted = {message.id: message.payload for message in messages}
    return all(
        wanted.items() <= {message.id: message.payload for message in node.delivered}.items()
        for node in simulation.nodes
        if node.is_live
    )


def check(simulation: Simulation) -> None:
    for node in simulation.nodes:
        if node.is_live:
            node.machine.check()
            assert len({message.id for message in node.delivered}) == len(node.delivered)


def size_of(text: str, limit: int) -> int:
    """A size in words: a number, or what fits one datagram and a byte more."""
    return limit + text.count("+") if text.startswith("limit") else int(text)


@pytest.mark.parametrize("size", ["0", "1", "limit", "limit + 1", "10_000", "100_000"])
def test_every_size_of_payload_is_delivered_everywhere_although_every_third_datagram_is_lost(
    size: str,
) -> None:
    simulation = Simulation(8, seed=3, faults=LOSSY)
    simulation.run_cycles(3)
    limit = single_limit(simulation.nodes[0].machine)
    message = simulation.nodes[0].send_gossip(content(size_of(size, limit)))
    simulation.run_until(lambda: has_all(simulation, [message]), limit=60)
    assert (simulation.nodes[1].snapshot().counters.chunks_in > 0) == (len(message.payload) > limit)
    check(simulation)


def test_the_largest_payload_is_delivered_everywhere_although_every_third_datagram_is_lost() -> None:
    simulation = Simulation(6, seed=3, faults=LOSSY)
    simulation.run_cycles(3)
    message = simulation.nodes[0].send_gossip(content(1 << 20))
    simulation.run_until(lambda: has_all(simulation, [message]), limit=60)
    check(simulation)


def test_chunks_are_repaired_singly_and_not_sent_to_excess() -> None:
    simulation = Simulation(6, seed=4, faults=Faults(loss=0.1, latency=(0.005, 0.02)))
    simulation.run_cycles(3)
    message = simulation.nodes[0].send_gossip(content(300_000))
    simulation.run_until(lambda: has_all(simulation, [message]), limit=60)
    pictures = [node.snapshot().counters for node in simulation.nodes]
    needed = 5 * 293
    assert sum(one.chunks_in for one in pictures) == needed
    assert sum(one.chunks_out for one in pictures) < 1.35 * needed


def test_whoever_has_a_part_serves_it_so_the_origin_does_not_send_everything_to_everybody() -> None:
    simulation = Simulation(12, seed=5, faults=CALM)
    simulation.run_cycles(3)
    message = simulation.nodes[0].send_gossip(content(300_000))
    simulation.run_until(lambda: has_all(simulation, [message]), limit=60)
    served = [node.snapshot().counters.chunks_out for node in simulation.nodes]
    assert served[0] < 0.6 * sum(served)
    assert sum(count > 0 for count in served[1:]) >= 6


def test_a_large_message_is_quick_among_many_nodes_most_of_which_have_never_met() -> None:
    simulation = Simulation(30, seed=1, faults=CALM)
    simulation.run_cycles(5)
    message = simulation.nodes[0].send_gossip(content(100_000))
    simulation.run_until(lambda: has_all(simulation, [message]), limit=4)


def test_large_messages_spread_along_trees_too() -> None:
    config = Config(dissemination="tree")
    simulation = Simulation(12, seed=2, faults=Faults(loss=0.1, latency=(0.005, 0.02)), config=config)
    simulation.run_cycles(5)
    sent = [simulation.nodes[number].send_gossip(content(30_000, number)) for number in range(3)]
    sent += [node.send_gossip("small") for node in simulation.nodes]
    simulation.run_until(lambda: has_all(simulation, sent), limit=20)
    check(simulation)


def test_several_large_messages_of_several_origins_arrive_at_once_in_causal_order() -> None:
    simulation = Simulation(8, seed=6, faults=Faults(loss=0.1, latency=(0.005, 0.02)))
    simulation.run_cycles(3)
    large = [simulation.nodes[n].send_gossip(content(60_000, n)) for n in range(5)]
    same = [simulation.nodes[n].send_gossip(content(50_000)) for n in (5, 6)]
    simulation.run_until(lambda: has_all(simulation, [*large, *same]), limit=60)
    reply = simulation.nodes[7].send_gossip("seen them all")
    assert len(reply.parents) == 7
    simulation.run_until(lambda: has_all(simulation, [reply]), limit=20)
    check(simulation)


def test_what_depends_on_a_large_message_waits_for_it_and_what_does_not_overtakes_it() -> None:
    simulation = Simulation(4, seed=7, faults=CALM)
    simulation.run_cycles(3)
    first, second, *_ = simulation.nodes
    large = first.send_gossip(content(1 << 20))
    behind = first.send_gossip("behind it")
    beside = second.send_gossip("beside it")
    simulation.run_for(0.3)
    for node in simulation.nodes[2:]:
        assert [message.id for message in node.delivered] == [beside.id]
        assert [held.id for held in node.snapshot().held] == [behind.id]
        assert node.snapshot().pulling_count == 1
        assert 0 < node.snapshot().pulling_size < 1 << 20
    simulation.run_until(lambda: has_all(simulation, [large, behind, beside]), limit=20)
    assert simulation.nodes[3].snapshot().pulling_count == 0
    order = [message.id for message in simulation.nodes[3].delivered]
    assert order.index(large.id) < order.index(behind.id)


def test_small_messages_are_as_quick_beside_a_large_one_as_alone() -> None:
    def slowest(size: int) -> float:
        simulation = Simulation(8, seed=8, faults=CALM)
        simulation.run_cycles(3)
        if size:
            simulation.nodes[0].send_gossip(content(size))
        took = []
        for number in range(1, 6):
            began = simulation.now
            message = simulation.nodes[number].send_gossip("quick")
            simulation.run_until(lambda message=message: has_all(simulation, [message]), limit=10)  # type: ignore[misc]
            took.append(simulation.now - began)
        if size:
            assert any(node.snapshot().pulling_count for node in simulation.nodes), "it was over too soon"
        return max(took)

    assert slowest(1 << 20) <= slowest(0) + 0.03


def test_no_node_sends_more_than_a_few_chunks_at_once() -> None:
    simulation = Simulation(8, seed=9, faults=CALM)
    simulation.run_cycles(3)
    machine = simulation.nodes[0].machine
    largest = 0
    make = machine.datagrams_to_send

    def watch() -> list[object]:
        nonlocal largest
        datagrams = make()
        chunks = [item for one in datagrams for item in one.data.items if type(item) is Chunk]
        largest = max(largest, len(chunks))
        return list(datagrams)

    machine.datagrams_to_send = watch  # type: ignore[method-assign, assignment]
    message = simulation.nodes[0].send_gossip(content(500_000))
    simulation.run_until(lambda: has_all(simulation, [message]), limit=20)
    assert 0 < largest <= CHUNKS_PER_TURN


def test_a_transfer_goes_on_when_its_origin_crashes_as_long_as_all_chunks_are_somewhere() -> None:
    simulation = Simulation(8, seed=10, faults=Faults(loss=0.1, latency=(0.005, 0.02)))
    simulation.run_cycles(5)
    message = simulation.nodes[0].send_gossip(content(400_000))
    simulation.run_until(lambda: any(node.delivered for node in simulation.nodes[1:]), limit=60)
    simulation.crash(0)
    assert not has_all(simulation, [message])
    simulation.run_until(lambda: has_all(simulation, [message]), limit=60)
    check(simulation)


def test_a_payload_that_died_with_its_origin_ends_undeliverable_and_is_forgotten() -> None:
    simulation = Simulation(4, seed=11, faults=CALM, config=Config(orphan_timeout=20.0))
    simulation.run_cycles(3)
    message = simulation.nodes[0].send_gossip(content(1 << 20))
    simulation.run_for(0.1)
    simulation.crash(0)
    simulation.run_for(1)
    assert all(node.snapshot().pulling_count == 1 for node in simulation.nodes[1:])
    simulation.run_for(60)
    for node in simulation.nodes[1:]:
        assert [event.id for event in node.events if isinstance(event, Undeliverable)] == [message.id]
        picture = node.snapshot()
        assert (picture.pulling_count, picture.pulling_size, picture.counters.payloads_dropped) == (0, 0, 1)
        node.machine.check()
    late = simulation.nodes[1].send_gossip("life goes on")
    simulation.run_until(lambda: has_all(simulation, [late]), limit=20)


def test_a_partition_that_cuts_a_transfer_off_heals_and_the_rest_is_pulled() -> None:
    simulation = Simulation(8, seed=12, faults=CALM)
    simulation.run_cycles(3)
    message = simulation.nodes[0].send_gossip(content(1 << 20))
    simulation.run_for(0.4)
    simulation.partition(range(4))
    simulation.run_for(15)
    assert not has_all(simulation, [message])
    before = simulation.nodes[7].snapshot().counters.chunks_in
    assert before > 100
    simulation.heal()
    simulation.run_until(lambda: has_all(simulation, [message]), limit=60)
    assert simulation.nodes[7].snapshot().counters.chunks_in == 1_024
    check(simulation)


def test_who_joins_late_gets_large_messages_with_the_history_in_order() -> None:
    simulation = Simulation(4, seed=13, faults=CALM)
    simulation.run_cycles(3)
    sent = []
    for number in range(40):
        size = 60_000 if number % 8 == 3 else 5
        sent.append(simulation.nodes[number % 4].send_gossip(content(size, number)))
        simulation.run_for(0.1)
    simulation.run_until(lambda: has_all(simulation, sent), limit=30)
    newcomer = simulation.add_node(join=[1])
    simulation.run_until(lambda: has_all(simulation, sent), limit=30)
    assert sum(message.from_history for message in newcomer.delivered) == 40
    assert [len(message.clock) for message in newcomer.delivered if message.id == sent[-1].id] == [4]
    check(simulation)


def test_a_history_longer_than_one_answer_waits_for_the_large_messages_it_builds_on() -> None:
    config = Config(hold_back_limit=400)
    simulation = Simulation(3, seed=14, faults=CALM, config=config)
    simulation.run_cycles(3)
    sent = [simulation.nodes[0].send_gossip(content(400_000))]
    simulation.run_for(3)
    sent.extend(simulation.nodes[0].send_gossip(str(number) * 100) for number in range(900))
    simulation.run_for(1)
    simulation.run_for(5)
    newcomer = simulation.add_node(join=[0])
    simulation.run_for(10)
    assert has_all(simulation, sent)
    assert newcomer.snapshot().rejected.get("hold-back full", 0) == 0


def test_both_codecs_run_a_transfer_alike() -> None:
    def run(codec: str) -> list[object]:
        simulation = Simulation(5, seed=15, faults=LOSSY, codec=codec)  # type: ignore[arg-type]
        simulation.run_cycles(3)
        simulation.nodes[0].send_gossip(content(20_000))
        simulation.run_for(5)
        return [node.snapshot().counters for node in simulation.nodes]

    assert run("objects") == run("bytes")


def test_large_messages_that_wait_for_older_ones_do_not_keep_these_out() -> None:
    config = Config(assembly_limit=4, hold_back_limit=4)
    simulation = Simulation(3, seed=14, config=config, faults=CALM)
    simulation.run_cycles(3)
    simulation.partition([2])
    sent = []
    for number in range(12):
        sent.append(simulation.nodes[number % 2].send_gossip(content(2_000, number)))
        simulation.run_for(0.5)
    simulation.heal()
    for number in range(12, 60):
        sent.append(simulation.nodes[number % 2].send_gossip(content(2_000, number)))
        simulation.run_for(0.2)
    simulation.run_until(lambda: has_all(simulation, sent), limit=20)
    check(simulation)
