"""``sample(k)`` of whole nodes: the same contract everywhere."""

from __future__ import annotations

import pytest

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
