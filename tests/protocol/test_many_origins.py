"""Networks that hear of more origins than anybody remembers: clocks are cut, origins forgotten, no more."""

from __future__ import annotations

import random

import pytest

from protocol.core.config import Config
from protocol.sim import Faults, SimulatedNode, Simulation

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
