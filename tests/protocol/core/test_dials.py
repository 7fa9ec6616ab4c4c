"""When addresses outside the view are tried: in turn, not all at once, and for ever."""

from __future__ import annotations

from itertools import pairwise

import pytest

from protocol.core.dials import LONGEST_REDIAL, Dials
from protocol.core.identity import Address
from protocol.sim import Simulation

from .wiring import address, node_id


def test_peers_lost_together_are_dialled_in_turn_and_each_as_often_as_promised() -> None:
    dials = Dials()
    for number in range(6):
        dials.add_lost(node_id(f"lost{number}"), address(number), 0.0, 1.0, is_proven=True)
    dialled: dict[Address, list[int]] = {}
    for cycle in range(400):
        for _, dial in dials.due(float(cycle), 1.0, lambda _: False, peers=20):
            dialled.setdefault(dial.address, []).append(cycle)
    moments = sorted({cycle for cycles in dialled.values() for cycle in cycles if cycle > 100})
    assert max(later - earlier for earlier, later in pairwise(moments)) <= LONGEST_REDIAL * 2 // 3
    assert len(moments) > 40
    for cycles in dialled.values():
        waits = [later - earlier for earlier, later in pairwise(cycles)]
        assert (cycles[0], waits[:2]) == (2, [2, 4])
        assert all(LONGEST_REDIAL / 2 <= wait <= LONGEST_REDIAL + 1 for wait in waits[5:])


@pytest.mark.parametrize("seconds", [40, 100, 400])
def test_however_long_a_partition_lasts_it_heals_within_a_few_cycles(seconds: int) -> None:
    simulation = Simulation(9, seed=seconds)
    simulation.run_for(5)
    simulation.partition([0, 1, 2, 3])
    simulation.run_for(seconds)
    simulation.heal()
    simulation.nodes[0].send_gossip("to the other half")
    simulation.run_until(lambda: all(node.delivered for node in simulation.nodes), limit=12)


@pytest.mark.parametrize("seconds", [60, 70, 80, 90])
def test_two_that_found_only_each_other_while_the_network_was_parted_soon_find_the_rest(seconds: int) -> None:
    simulation = Simulation(8, seed=1)
    simulation.run_for(5)
    simulation.partition([0, 1, 2, 3], [4, 5, 6, 7])  # whoever comes now is of neither
    first = simulation.add_node(join=[0])
    second = simulation.add_node(join=[first])
    simulation.run_for(seconds)
    assert {peer.id for peer in second.current_view()} == {first.id}
    simulation.heal()
    simulation.nodes[0].send_gossip("to everybody")
    simulation.run_until(lambda: bool(first.delivered and second.delivered), limit=12)
