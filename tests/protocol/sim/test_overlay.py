"""Pictures of the overlay: who knows whom, who is dead, and what a broadcast would do."""

from __future__ import annotations

import math
import random
from collections.abc import Hashable
from itertools import pairwise

import pytest

from protocol.core.config import Config
from protocol.sim import InDegrees, Overlay, Simulation, autocorrelation, turnover


def complete(size: int) -> Overlay:
    """Everybody knows everybody."""
    return Overlay({node: [other for other in range(size) if other != node] for node in range(size)})


def directed_ring(size: int) -> Overlay:
    """Each node knows the next one only."""
    return Overlay({node: [(node + 1) % size] for node in range(size)})


def random_overlay(size: int, degree: int, seed: int) -> Overlay:
    rng = random.Random(seed)
    return Overlay({node: rng.sample([o for o in range(size) if o != node], degree) for node in range(size)})


# links


def test_in_degrees_count_the_live_nodes_that_know_a_node() -> None:
    assert Overlay({"a": ["b", "c"], "b": ["c"], "c": []}).in_degrees == [0, 1, 2]


def test_links_to_nodes_without_a_view_are_dead_and_count_nowhere_else() -> None:
    overlay = Overlay({"a": ["b", "dead"], "b": ["a", "dead", "gone"]})
    assert overlay.dead_link_count == 3
    assert overlay.dead_links == pytest.approx(3 / 5)
    assert overlay.in_degrees == [1, 1]
    assert overlay.components() == [2]
    assert overlay.path_length() == 1


def test_two_nodes_that_share_only_a_dead_one_are_not_connected() -> None:
    assert Overlay({"a": ["dead"], "b": ["dead"]}).components() == [1, 1]


def test_views_without_anybody_have_no_dead_links() -> None:
    assert Overlay({"a": [], "b": []}).dead_links == 0


def test_the_undirected_figures_take_links_of_either_direction() -> None:
    chain = Overlay({"a": ["b"], "b": [], "c": ["b"]})
    assert chain.components() == [3]
    assert chain.path_length() == pytest.approx(4 / 3)
    assert directed_ring(3).clustering() == 1


def test_a_picture_of_a_simulation_has_the_views_of_the_living() -> None:
    simulation = Simulation(12, seed=1, config=Config(view_size=4))
    simulation.run_for(3)
    simulation.crash(0, 5)
    simulation.nodes[7].leave()
    overlay = Overlay.of(simulation.nodes)
    assert len(overlay) == 9
    for node in simulation.nodes:
        if node.is_live:
            assert set(overlay.views[node.id]) == {descriptor.id for descriptor in node.current_view()}
    dead = {simulation.nodes[index].id for index in (0, 5, 7)}
    assert overlay.dead_link_count == sum(len(dead & set(view)) for view in overlay.views.values()) > 0


def test_a_picture_stays_when_the_network_goes_on() -> None:
    simulation = Simulation(10, seed=1, config=Config(view_size=4))
    overlay = Overlay.of(simulation.nodes)
    before = {node: list(view) for node, view in overlay.views.items()}
    simulation.run_for(5)
    assert {node: list(view) for node, view in overlay.views.items()} == before
    assert {node.id: node.machine.view_ids() for node in simulation.nodes} != before


# distributions


def test_a_distribution_of_in_degrees_has_mean_deviation_bounds_and_histogram() -> None:
    degrees = InDegrees.of([2, 4, 4, 4, 5, 5, 7, 9])
    assert (degrees.mean, degrees.std, degrees.min, degrees.max) == (5, 2, 2, 9)
    assert degrees.histogram == (0, 0, 1, 0, 3, 2, 0, 1, 0, 1)


def test_equal_in_degrees_do_not_deviate() -> None:
    assert InDegrees.of([3, 3, 3]).std == 0


# what remains, what changes


def test_without_a_share_of_its_nodes_an_overlay_keeps_the_views_of_the_others() -> None:
    overlay = random_overlay(50, 5, seed=1)
    rest = overlay.without(0.4, random.Random(1).random)
    assert len(rest) == 30
    assert all(rest.views[node] is overlay.views[node] for node in rest.views)
    assert rest.dead_link_count == sum(other not in rest.views for v in rest.views.values() for other in v)
    assert rest.views.keys() != overlay.without(0.4, random.Random(2).random).views.keys()


def test_turnover_is_the_share_of_entries_that_were_not_there_before() -> None:
    before = Overlay({"a": ["b", "c"], "b": ["a", "c"], "c": ["a"]})
    after = Overlay({"a": ["c", "d"], "b": ["c", "a"], "d": ["a"]})
    assert turnover(before, after) == pytest.approx(1 / 4)
    assert turnover(before, before) == 0


def test_a_series_is_like_itself_at_lag_0_and_unlike_itself_half_a_period_later() -> None:
    wave = [math.sin(2 * math.pi * step / 20) for step in range(400)]
    assert autocorrelation(wave, 0) == pytest.approx(1)
    assert autocorrelation(wave, 20) > 0.9
    assert autocorrelation(wave, 10) < -0.9


def test_dice_have_no_memory_and_a_constant_series_nothing_to_compare() -> None:
    rng = random.Random(1)
    noise = [rng.random() for _ in range(2_000)]
    assert all(abs(autocorrelation(noise, lag)) < 2.6 / math.sqrt(len(noise)) for lag in range(1, 10))
    assert autocorrelation([3, 3, 3], 1) == 0


# broadcast


def test_a_broadcast_to_all_of_a_complete_view_reaches_everybody_at_the_first_hop() -> None:
    result = complete(10).broadcast(9, random.Random(1).random)
    assert (result.fanout, result.coverage, result.last_hop) == (9, 1, 1)
    assert result.redundancy == pytest.approx(10 * 9 / 9 - 1)


def test_along_a_ring_a_broadcast_goes_round_and_comes_back_once() -> None:
    result = directed_ring(8).broadcast(4, random.Random(1).random)
    assert (result.coverage, result.last_hop) == (1, 7)
    assert result.redundancy == pytest.approx(8 / 7 - 1)


def test_a_broadcast_stays_in_its_component_and_nothing_arrives_at_the_dead() -> None:
    overlay = Overlay({"a": ["b", "dead"], "b": ["a", "dead"], "c": ["d"], "d": ["c"]})
    result = overlay.broadcast(5, random.Random(1).random)
    assert (result.coverage, result.last_hop) == (0.5, 1)


def test_a_lone_node_reaches_itself() -> None:
    result = Overlay({"a": []}).broadcast(3, random.Random(1).random)
    assert (result.coverage, result.redundancy, result.last_hop) == (1, 0, 0)


@pytest.mark.parametrize(("fanout", "expected"), [(2, 0.797), (3, 0.941), (4, 0.980), (5, 0.993)])
def test_a_broadcast_covers_of_a_random_graph_what_theory_says(fanout: int, expected: float) -> None:
    result = random_overlay(2_000, 20, seed=fanout).broadcast(fanout, random.Random(1).random)
    assert result.coverage == pytest.approx(expected, abs=0.01)
    assert result.redundancy == pytest.approx(fanout - 1, abs=0.01)


def test_loss_thins_a_broadcast_or_ends_it_at_once_as_theory_says() -> None:
    overlay = random_overlay(1_000, 20, seed=1)
    half = overlay.broadcast(4, random.Random(1).random, loss=0.5, origins=200)
    dies_out, reached = 0.0, 1.0
    for _ in range(100):
        dies_out, reached = ((1 + dies_out) / 2) ** 4, 1 - math.exp(-2 * reached)
    assert half.coverage == pytest.approx(reached * (1 - dies_out), abs=0.02)
    assert overlay.broadcast(4, random.Random(1).random, loss=1.0).coverage == 1 / 1_000


def test_fewer_members_than_the_fanout_are_all_sent_to_and_none_twice() -> None:
    hub: dict[Hashable, list[Hashable]] = {"hub": list(range(6)), **{leaf: [] for leaf in range(6)}}
    origins = 7
    result = Overlay(hub).broadcast(50, random.Random(1).random, origins=origins)
    assert result.coverage == pytest.approx((7 + 6 * 1) / 7 / 7)


def test_more_loss_never_helps() -> None:
    overlay = random_overlay(500, 15, seed=3)
    coverage = [
        overlay.broadcast(3, random.Random(1).random, loss=loss).coverage for loss in (0, 0.2, 0.4, 0.6)
    ]
    assert all(one > other for one, other in pairwise(coverage))
