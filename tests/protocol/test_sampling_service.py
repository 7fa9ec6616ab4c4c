"""``sample(k)`` of whole nodes: the same contract everywhere, and answers as good as random."""

from __future__ import annotations

from collections import Counter
from statistics import fmean

import pytest

from protocol.core.identity import NodeId
from protocol.errors import ConfigError, StateError
from protocol.net.node import Node
from protocol.sim import Simulation
from tests.protocol.net.swarm import make_node, mesh


async def test_a_node_samples_its_view_in_rounds() -> None:
    async with mesh("p1", "p2", "p3") as nodes:
        node = nodes[0]
        await node.wait_for_peers(2)
        pair = {descriptor.id for descriptor in (*node.sample(1), *node.sample(1))}
        assert pair == {other.id for other in nodes[1:]}
        assert len(node.sample(100)) == 2


async def test_a_node_that_runs_alone_has_nobody_to_give() -> None:
    async with make_node("p1") as node:
        assert node.sample(3) == ()
        with pytest.raises(ConfigError, match="k must be a whole number of at least 0, not -1"):
            node.sample(-1)


async def test_sampling_needs_a_started_node_and_gives_nobody_once_closed() -> None:
    node = Node()
    with pytest.raises(StateError, match="not started"):
        node.sample(1)
    async with mesh("p1", "p2") as (one, two):
        await one.leave()
        assert one.sample(1) == ()
        await two.close()
        assert two.sample(1) == ()


def test_a_simulated_node_samples_its_view_in_rounds() -> None:
    node = Simulation(8, seed=1).nodes[0]
    turns = [descriptor.id for _ in range(7) for descriptor in node.sample(1)]
    assert sorted(turns) == sorted(descriptor.id for descriptor in node.current_view())


def test_asking_uses_the_node_s_own_dice_so_that_a_seed_gives_the_same_answers_again() -> None:
    def answers() -> list[object]:
        simulation = Simulation(30, seed=5)
        simulation.run_cycles(3)
        return [node.sample(4) for node in simulation.nodes]

    assert answers() == answers()


NODES, SPACING, ROUNDS, CYCLES = 200, 20, 12, 40
Answers = list[list[NodeId]]
"""Whom each node was given, question by question."""


class Asked:
    """200 nodes of the default strategy, asked for one peer each: every 20 cycles, later in every cycle."""

    def __init__(self, seed: int) -> None:
        self.simulation = Simulation(
            NODES, seed=seed, timing="cycles", verify_sources=False, keep_events=False
        )
        self.spaced = self.ask(ROUNDS, SPACING)
        self.every_cycle = self.ask(CYCLES, 1)

    def ask(self, times: int, spacing: int) -> Answers:
        answers = []
        for _ in range(times):
            self.simulation.run_cycles(spacing)
            answers.append([node.sample(1)[0].id for node in self.simulation.nodes])
        return answers


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.slow)])
def asked(request: pytest.FixtureRequest) -> Asked:
    return Asked(request.param)


def repeats(answers: Answers, lag: int) -> float:
    """How often nodes were given whom they were given ``lag`` questions before, as a multiple of chance."""
    later = answers[lag:]
    pairs = [
        pair for row in zip(answers[: len(later)], later, strict=True) for pair in zip(*row, strict=True)
    ]
    return sum(before == after for before, after in pairs) * (NODES - 1) / len(pairs)


def test_every_node_is_given_as_often_as_any_other(asked: Asked) -> None:
    counts = Counter(peer for answers in asked.spaced for peer in answers)
    chi_square = sum((counts[node.id] - ROUNDS) ** 2 / ROUNDS for node in asked.simulation.nodes)
    assert chi_square / (NODES - 1) < 1.3


def test_nobody_is_given_twice_in_a_row_and_a_few_cycles_later_as_often_as_by_chance(asked: Asked) -> None:
    assert repeats(asked.every_cycle, 1) == 0
    assert 0.8 < fmean(repeats(asked.every_cycle, lag) for lag in range(5, 21)) < 1.2
