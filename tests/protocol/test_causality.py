"""Causal delivery against the ground truth: under faults, late joiners, beyond retention, partitions."""

from __future__ import annotations

import random

import pytest

from protocol.core.config import Config
from protocol.core.events import Gap
from protocol.sim import Faults, SimulatedNode, Simulation
from tests.protocol.ground_truth import GroundTruth

FAULTS = {
    "none": Faults(),
    "slow": Faults(latency=(0.05, 0.4)),
    "lossy": Faults(loss=0.2, latency=(0.001, 0.1)),
    "all": Faults(loss=0.3, duplication=0.2, reordering=0.1, latency=(0.001, 0.2)),
}


def chat(truth: GroundTruth, count: int, dice: random.Random, pause: float = 0.1) -> None:
    """Let random nodes that are up say something, with random pauses."""
    nodes = truth.simulation.nodes
    for _ in range(count):
        up = [index for index, node in enumerate(nodes) if node.is_up]
        truth.send(up[int(dice.random() * len(up))])
        truth.simulation.run_for(pause * dice.random())


def complete(truth: GroundTruth, nodes: list[SimulatedNode] | None = None) -> bool:
    """Whether all nodes delivered everything."""
    return all(len(node.delivered) == len(truth.clocks) for node in nodes or truth.simulation.nodes)


def settle(truth: GroundTruth, limit: float) -> None:
    """Let time pass until everybody has everything."""
    end = truth.simulation.now + limit
    while not complete(truth):
        assert truth.simulation.now < end, f"incomplete after {limit} s: seed {truth.simulation.seed}"
        truth.simulation.run_for(0.25)


def assert_same_logs(nodes: list[SimulatedNode]) -> None:
    expected = [(message.id, message.clock) for message in nodes[0].log]
    for node in nodes[1:]:
        assert [(message.id, message.clock) for message in node.log] == expected


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_everybody_delivers_everything_once_in_causal_order(faults: Faults, seed: int) -> None:
    simulation = Simulation(12, seed=seed, faults=faults)
    truth = GroundTruth(simulation)
    chat(truth, 120, random.Random(seed))
    settle(truth, 60)
    truth.check()
    assert_same_logs(simulation.nodes)


def test_all_sending_at_one_instant_names_every_other_as_parent() -> None:
    simulation = Simulation(20, seed=3)
    truth = GroundTruth(simulation)
    for _ in range(5):
        for index in range(20):
            truth.send(index)
        simulation.run_for(0.5)
    settle(truth, 30)
    truth.check()
    assert max(len(message.parents) for message in simulation.nodes[0].delivered) == 20


def test_more_parents_than_fit_a_datagram_travel_beside_their_message() -> None:
    simulation = Simulation(130, seed=12, config=Config(view_size=10), faults=Faults(loss=0.05))
    truth = GroundTruth(simulation)
    for authors in (range(130), range(0, 130, 6)):
        for index in authors:
            truth.send(index)
        simulation.run_for(0.5)
    settle(truth, 30)
    assert max(len(message.parents) for message in simulation.nodes[0].delivered) == 130
    assert truth.violations(simulation.nodes[0]) == []
    assert_same_logs(simulation.nodes[:3])


def test_a_late_joiner_sees_the_whole_history_with_exact_clocks() -> None:
    simulation = Simulation(8, seed=4)
    truth = GroundTruth(simulation)
    chat(truth, 100, random.Random(4))
    simulation.run_for(5)
    joiner = simulation.add_node(join=[3])
    settle(truth, 10)
    truth.check()
    assert all(message.from_history for message in joiner.delivered)
    message = truth.send(8, "here I am")
    settle(truth, 10)
    truth.check()
    assert not simulation.nodes[0].delivered[-1].from_history
    assert len(message.clock) == len({m.id.origin for m in joiner.delivered})


def unequal(seed: int, limits: list[int]) -> tuple[GroundTruth, random.Random]:
    """A network that talks from its first moment on, each node with a retention of its own."""
    simulation = Simulation(
        len(limits),
        seed=seed,
        config=[Config(history_limit=limit, gap_timeout=10) for limit in limits],
        faults=Faults(latency=(0.001, 0.15)),
    )
    return GroundTruth(simulation), random.Random(seed)


@pytest.mark.parametrize("seed", range(3))
def test_late_joiners_of_peers_with_unequal_retention_miss_only_what_was_before_their_time(seed: int) -> None:
    truth, dice = unequal(seed, [60, 80, 130, 200, 45, 70, 300, 100, 55, 90])
    simulation = truth.simulation
    chat(truth, 150, dice)
    joined_after = []
    for _ in range(3):
        contact = int(dice.random() * 10)
        simulation.add_node(Config(history_limit=60), join=[contact])
        joined_after.append(len(truth.clocks))
        chat(truth, 60, dice)
    simulation.run_for(20)
    truth.check()
    sent = list(truth.clocks)
    for node in simulation.nodes[:10]:
        assert len(node.delivered) == len(sent)
    for node, start in zip(simulation.nodes[10:], joined_after, strict=True):
        delivered = {message.id for message in node.delivered}
        assert set(sent[start:]) <= delivered
        assert not any(isinstance(event, Gap) for event in node.events)


@pytest.mark.parametrize("seed", range(2))
def test_with_hardly_any_retention_causality_holds_and_nobody_stays_stuck(seed: int) -> None:
    truth, dice = unequal(seed, [5, 8, 13, 20, 40, 60, 25, 10, 33, 50])
    simulation = truth.simulation
    for _ in range(3):
        chat(truth, 80, dice)
        simulation.add_node(Config(history_limit=30, gap_timeout=10), join=[int(dice.random() * 10)])
        chat(truth, 30, dice)
    simulation.run_for(60)
    last = truth.send(0, "the last word").id
    simulation.run_for(40)
    truth.check()
    for node in simulation.nodes:
        assert last in {message.id for message in node.delivered}, node.id
        assert node.snapshot().held == ()


def test_a_partition_heals_by_itself_and_both_sides_learn_everything() -> None:
    simulation = Simulation(16, seed=5)
    truth = GroundTruth(simulation)
    dice = random.Random(5)
    simulation.run_for(10)
    simulation.partition(range(8))
    for _ in range(40):
        chat(truth, 4, dice)
        simulation.run_for(0.8)
    simulation.heal()
    settle(truth, 90)
    truth.check()
    assert_same_logs(simulation.nodes)


@pytest.mark.parametrize("seed", range(3))
def test_beyond_retention_a_partition_leaves_exactly_one_gap_each(seed: int) -> None:
    config = Config(history_limit=30, gap_timeout=10)
    simulation = Simulation(12, seed=seed, config=config)
    truth = GroundTruth(simulation)
    dice = random.Random(seed)
    simulation.run_for(5)
    simulation.partition(range(6))
    chat(truth, 200, dice)
    simulation.run_for(20)
    simulation.heal()
    simulation.run_for(120)
    chat(truth, 60, dice, pause=0.5)
    simulation.run_for(10)
    truth.check()
    everything = truth.everything()
    for node in simulation.nodes:
        gaps = [event for event in node.events if isinstance(event, Gap)]
        delivered = {message.id for message in node.delivered}
        assert len(gaps) == 1, node.id
        assert sum(gap.size for gap in gaps) == len(everything - delivered)
        assert node.snapshot().held == ()


def test_a_frozen_node_catches_up_on_everything() -> None:
    simulation = Simulation(10, seed=6)
    truth = GroundTruth(simulation)
    dice = random.Random(6)
    simulation.run_for(5)
    simulation.freeze(4)
    for _ in range(30):
        chat(truth, 10, dice)
        simulation.run_for(0.5)
    assert all(4 not in {simulation.nodes.index(n) for n in simulation.nodes if n.id == d.id}
               for other in simulation.nodes if other.is_up for d in other.current_view())  # fmt: skip
    simulation.thaw(4)
    settle(truth, 60)
    truth.check()


def test_a_node_that_stood_still_in_the_middle_of_an_exchange_does_not_take_that_for_a_slow_network() -> None:
    simulation = Simulation(3, seed=1)
    simulation.run_for(5)
    node = simulation.nodes[2]
    started = node.machine.snapshot(simulation.now).counters.exchanges_started
    simulation.run_until(
        lambda: node.machine.snapshot(simulation.now).counters.exchanges_started > started, limit=2
    )
    simulation.freeze(2, 60)
    for number in range(30):
        simulation.nodes[number % 2].send_gossip(str(number))
        simulation.run_for(2)
    simulation.run_for(1)
    assert len(node.delivered) == 30


def test_a_message_whose_author_crashed_before_anybody_got_its_past_stays_held_and_harms_nobody() -> None:
    config = Config(orphan_timeout=20, gap_timeout=5)
    simulation = Simulation(8, seed=7, config=config)
    truth = GroundTruth(simulation)
    simulation.run_for(5)
    simulation.partition([0])
    lost = truth.send(0, "nobody hears this")
    simulation.run_for(0.1)
    simulation.heal()
    orphan = truth.send(0, "everybody waits for its past")
    simulation.run_for(0.01)
    simulation.crash(0)
    others = simulation.nodes[1:]
    assert any(node.snapshot().held_count for node in others)
    chat_count = len(truth.clocks)
    dice = random.Random(7)
    chat(truth, 50, dice)
    simulation.run_for(60)
    wanted = truth.everything() - {lost.id, orphan.id}
    for node in others:
        assert {message.id for message in node.delivered} == wanted
        assert node.snapshot().held == ()
    assert chat_count == 2
    assert sum(node.snapshot().counters.undeliverable for node in others) > 0
