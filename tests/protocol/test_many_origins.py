"""Networks that hear of more origins than anybody remembers: clocks are cut, origins forgotten, no more."""

from __future__ import annotations

import random

import pytest

from protocol.core.config import Config
from protocol.core.dials import LOST_LIMIT
from protocol.core.spreading import PEER_LIMIT
from protocol.sim import Faults, SimulatedNode, Simulation
from tests.benchmarks.census import census
from tests.benchmarks.memory import day, retained
from tests.benchmarks.soak import growing

from .ground_truth import GroundTruth


def settle(truth: GroundTruth, limit: float = 60) -> None:
    """Let time pass until every node that is up has the same frontier and holds nothing back."""
    end = truth.simulation.now + limit
    while True:
        truth.simulation.run_for(0.5)
        pictures = [node.machine.snapshot(truth.simulation.now) for node in live(truth.simulation)]
        if len({frozenset(picture.frontier) for picture in pictures}) == 1 and not any(
            picture.held_count for picture in pictures
        ):
            return
        assert truth.simulation.now < end, f"not level after {limit} s: seed {truth.simulation.seed}"


def live(simulation: Simulation) -> list[SimulatedNode]:
    return [node for node in simulation.nodes if node.is_live]


@pytest.mark.parametrize("limit", [2, 5])
def test_cut_clocks_are_exact_and_the_same_on_every_node(limit: int) -> None:
    simulation = Simulation(12, seed=limit, config=Config(clock_limit=limit), faults=Faults(loss=0.2))
    truth = GroundTruth(simulation)
    dice = random.Random(limit)
    for _ in range(100):
        truth.send(int(dice.random() * 12))
        simulation.run_for(0.2 * dice.random())
    settle(truth)
    truth.check()
    logs = [{message.id: message.clock for message in node.log} for node in simulation.nodes]
    assert all(log == logs[0] for log in logs)
    assert set(logs[0]) == truth.everything()
    assert max(map(len, logs[0].values())) == limit


def entries(node: SimulatedNode) -> dict[str, int]:
    """How many entries a node's tables of origins have."""
    causal = node.machine._causal
    return {
        "origins": len(causal.origins),
        "evicted": len(causal.log.evicted),
        "frontier": len(causal.frontier.dots),
        "evicted frontier": len(causal.log.evicted_frontier.dots),
        "pinned clocks": len(causal.clocks.pinned),
    }


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_incarnations_come_and_go_and_nobody_remembers_more_than_is_configured(seed: int) -> None:
    config = Config(clock_limit=4, history_limit=20)
    simulation = Simulation(8, seed=seed, config=config, faults=Faults(loss=0.1))
    truth = GroundTruth(simulation)
    dice = random.Random(seed)
    for number in range(110):
        settled = live(simulation)
        for _ in range(2):
            truth.send(simulation.nodes.index(settled[int(dice.random() * len(settled))]))
            simulation.run_for(0.5)
        if number % 2:
            simulation.crash(settled[int(dice.random() * len(settled))])
            simulation.add_node(join=live(simulation)[:3])
        simulation.run_for(1)
    settle(truth)
    assert len(simulation.nodes) == 63
    for node in live(simulation):
        node.machine.check()
        assert truth.violations(node) == []
        assert max(len(message.clock) for message in node.log) == 4
        assert all(count <= 16 + 64 + 20 for count in entries(node).values()), entries(node)
    assert simulation.nodes[-1].machine._causal.memory.forgotten_count


@pytest.mark.slow
def test_a_day_of_comings_and_goings_leaves_a_node_as_large_as_it_was() -> None:
    """Twelve nodes, one of them new every ten minutes; one cycle is a minute."""
    config = Config(clock_limit=4, history_limit=50, acquaintance_limit=32, cycle_period=60.0)
    simulation = Simulation(12, seed=4, config=config)
    survivor, dice = simulation.nodes[0], random.Random(4)
    samples = []
    for _ in range(144):
        present = live(simulation)
        for node in (present[int(dice.random() * len(present))] for _ in range(3)):
            node.send_gossip(f"at {simulation.now:.0f}")
            simulation.run_for(150)
        gone = present[1 + int(dice.random() * (len(present) - 1))]
        simulation.crash(gone)
        simulation.add_node(join=[survivor, present[-1] if present[-1] is not gone else present[1]])
        simulation.run_for(150)
        samples.append(census(survivor.machine))
    assert len(simulation.nodes) == 156
    assert len(survivor.delivered) > 400
    bounded = {"Dials.lost": LOST_LIMIT, "Spreading._told": PEER_LIMIT}  # not full yet after a day like this
    assert growing(samples).keys() <= bounded.keys()
    assert all(samples[-1][name] <= limit for name, limit in bounded.items())
    middle, last = (max(sum(sample.values()) for sample in samples[at : at + 48]) for at in (48, 96))
    assert last <= 1.1 * middle


def test_bytes_are_flat_while_thousands_of_incarnations_come_and_go() -> None:
    samples = list(day(900, Config(clock_limit=8, history_limit=30), samples=18))
    middle, last = samples[6:12], samples[12:]
    assert sum(sample.size for sample in last) <= 1.05 * sum(sample.size for sample in middle)
    assert sum(sample.entries for sample in last) <= 1.05 * sum(sample.entries for sample in middle)


def test_a_log_of_a_thousand_origins_costs_what_is_promised_and_its_clocks_are_exact() -> None:
    found = retained(1_500, 1_000, lag=8, every=10)
    assert (found.compared, found.wrong) == (150, 0)
    assert found.size_read < 1_500 * 2_000  # as 100,000 messages in 200 MB
