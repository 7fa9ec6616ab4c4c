"""How a node says that it stands: who fell silent, and how far it is behind."""

from __future__ import annotations

from protocol.core.config import Config
from protocol.sim import Simulation

HALF = 6


def cut_in_two(seed: int) -> Simulation:
    """Twelve nodes, of which each half has long lost the other, and one half went on talking."""
    simulation = Simulation(2 * HALF, seed=seed, config=Config(view_size=8))
    simulation.run_cycles(5)
    simulation.partition(range(HALF))
    for count in range(60):
        simulation.nodes[0].send_gossip(f"{count}")
        simulation.run_for(0.5)
    return simulation


def test_the_silence_of_half_the_network_is_counted_and_ends_with_it() -> None:
    simulation = cut_in_two(seed=1)
    for node in simulation.nodes:
        picture = node.snapshot()
        assert picture.unanswered >= 2
        assert picture.unanswered <= HALF
    simulation.heal()
    simulation.run_until(lambda: all(not node.snapshot().unanswered for node in simulation.nodes), limit=120)


def test_what_is_known_to_be_missing_after_a_partition_falls_to_nothing() -> None:
    simulation = cut_in_two(seed=2)
    late = simulation.nodes[HALF:]
    assert all(node.snapshot().behind == 0 for node in late)
    simulation.heal()
    simulation.run_until(lambda: any(node.snapshot().behind >= 16 for node in late), limit=120)
    simulation.run_until(lambda: all(len(node.delivered) == 60 for node in late), limit=120)
    simulation.run_cycles(10)
    assert all((node.snapshot().behind, node.snapshot().caught_up) == (0, 0) for node in late)
