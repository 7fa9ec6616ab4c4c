"""The same run by objects and by bytes: simulations may leave the packing out and mean the real thing."""

from __future__ import annotations

from functools import cache
from typing import Literal

import pytest

from protocol.core.config import Config
from protocol.core.snapshot import Counters
from protocol.sim import Faults
from protocol.sim.simulation import Simulation

FAULTS = Faults(loss=0.2, duplication=0.1, reordering=0.3)
SEEDS = (1, 2, 3)


@cache
def run(codec: Literal["objects", "bytes"], seed: int) -> Simulation:
    """Twelve nodes that talk through loss, a partition, a crash, a freeze and a burst; a late one joins."""
    config = Config(view_size=6)
    simulation = Simulation(12, seed=seed, config=config, start="star", faults=FAULTS, codec=codec)
    for step in range(24):
        simulation.run_for(0.3)
        disturb(simulation, step)
        for index, node in enumerate(simulation.nodes[:10]):
            if index != 3:
                for number in range(30 if step == 15 else 1):
                    node.send_gossip(f"{step}.{number} " * (1 + step))
    simulation.add_node(join=[0])
    simulation.run_for(30)
    return simulation


def disturb(simulation: Simulation, step: int) -> None:
    """What goes wrong besides lost datagrams, and where it ends."""
    if step == 6:
        simulation.partition(range(5))
    elif step == 8:
        simulation.freeze(3)
    elif step == 10:
        simulation.crash(11)
    elif step == 16:
        simulation.heal()
    elif step == 18:
        simulation.thaw(3)


@pytest.mark.parametrize("seed", SEEDS)
def test_objects_and_bytes_deliver_the_same_at_the_same_times(seed: int) -> None:
    deliveries = [
        [
            [
                (m.id, m.payload, m.depth, m.hops, m.created_at, m.delivered_at, m.from_history)
                for m in n.delivered
            ]
            for n in simulation.nodes
        ]
        for simulation in (run("objects", seed), run("bytes", seed))
    ]
    assert deliveries[0] == deliveries[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_objects_and_bytes_give_the_same_clocks(seed: int) -> None:
    for one, other in zip(run("objects", seed).nodes, run("bytes", seed).nodes, strict=True):
        assert [message.clock for message in one.delivered] == [message.clock for message in other.delivered]


@pytest.mark.parametrize("seed", SEEDS)
def test_objects_and_bytes_take_the_same_datagrams(seed: int) -> None:
    assert run("objects", seed).datagram_count == run("bytes", seed).datagram_count


@pytest.mark.parametrize("seed", SEEDS)
def test_objects_and_bytes_end_in_the_same_snapshots_byte_counts_included(seed: int) -> None:
    for one, other in zip(run("objects", seed).nodes, run("bytes", seed).nodes, strict=True):
        assert one.snapshot() == other.snapshot()


@pytest.mark.parametrize("seed", SEEDS)
def test_objects_and_bytes_tell_the_same_events(seed: int) -> None:
    for one, other in zip(run("objects", seed).nodes, run("bytes", seed).nodes, strict=True):
        assert one.events == other.events


@pytest.mark.parametrize("seed", SEEDS)
def test_the_runs_that_are_compared_are_eventful(seed: int) -> None:
    counters: list[Counters] = [node.snapshot().counters for node in run("bytes", seed).nodes]
    assert min(one.delivered for one in counters[:11]) > 450
    assert all(one.duplicates and one.repairs and one.wants and one.peers_lost for one in counters[1:3])
    assert any(message.from_history for message in run("bytes", seed).nodes[12].delivered)
