"""What the strategies are good and bad at, against each other: whole nodes, overlays of a few hundred."""

from __future__ import annotations

import pytest

from protocol import Config, Strategy
from protocol.sim import Crash, CycleFigures, Experiment, Overlay, Selection, Simulation


def figures(experiment: Experiment, every: int = 10) -> dict[int, CycleFigures]:
    """What an experiment recorded, by cycle."""
    run = experiment.begin(every)
    while not run.is_done:
        run.advance()
    return {figure.cycle: figure for figure in run.figures}


def last(experiment: Experiment) -> CycleFigures:
    return figures(experiment, max(experiment.cycles, 1))[experiment.cycles]


@pytest.mark.parametrize("selection", ["blind", "healer", "swapper"])
def test_push_pull_makes_a_ring_random_sooner_than_push(selection: str) -> None:
    push, push_pull = (
        last(Experiment(nodes=200, start="lattice", strategy=f"(rand, {way}, {selection})", cycles=6))
        for way in ("push", "push-pull")
    )
    assert push_pull.path_length < 0.9 * push.path_length
    assert push_pull.clustering < 0.9 * push.clustering


@pytest.mark.parametrize(("selection", "cycles"), [("blind", 30), ("healer", 5), ("swapper", 5)])
def test_push_pull_forgets_the_dead_sooner_than_push(selection: str, cycles: int) -> None:
    push, push_pull = (
        last(
            Experiment(
                nodes=200,
                strategy=f"(rand, {way}, {selection})",
                cycles=20 + cycles,
                crashes=(Crash(0.5, 20),),
                selection=Selection.LIVE,
            )
        ).dead_links_of_crash
        for way in ("push", "push-pull")
    )
    assert push is not None
    assert push_pull is not None
    assert push_pull < 0.97 * push


def test_push_pull_forgets_the_star_it_grew_from_while_it_grows_and_push_does_not() -> None:
    push, push_pull = (
        last(Experiment(nodes=200, start="growing", strategy=f"(rand, {way}, blind)"))
        for way in ("push", "push-pull")
    )
    assert push.live_nodes == push_pull.live_nodes == 200
    assert push_pull.in_degree_max < 65
    assert push.in_degree_max > 80


@pytest.mark.slow
@pytest.mark.parametrize("selection", ["blind", "healer", "swapper"])
def test_fifty_cycles_after_it_grew_push_pull_has_forgotten_the_star_and_push_has_not(selection: str) -> None:
    push, push_pull = (
        figures(Experiment(start="growing", strategy=f"(rand, {way}, {selection})", cycles=200), every=50)
        for way in ("push", "push-pull")
    )
    assert push_pull[150].in_degree_max < 1.3 * push_pull[200].in_degree_max
    if selection != "healer":
        assert push[150].in_degree_max > 2 * push_pull[150].in_degree_max


def test_pull_collapses_into_a_star() -> None:
    assert last(Experiment(nodes=100, strategy="(rand, pull, healer)", cycles=60)).in_degree_max > 80


@pytest.mark.parametrize("selection", ["blind", "swapper"])
def test_peer_selection_head_clusters_more_than_rand_and_tail(selection: str) -> None:
    head, rand, tail = (
        last(Experiment(nodes=200, strategy=f"({peer}, push-pull, {selection})", cycles=30)).clustering
        for peer in ("head", "rand", "tail")
    )
    assert head > 1.05 * max(rand, tail)


def test_a_push_swapper_spreads_in_degrees_less_than_a_blind_push() -> None:
    swapper, blind = (
        last(Experiment(nodes=300, strategy=f"(rand, push, {selection})", cycles=30)).in_degree_std
        for selection in ("swapper", "blind")
    )
    assert swapper < 0.93 * blind


@pytest.mark.parametrize(
    ("selection", "is_taken_in"), [("tail", False), ("rand", True), ("head", True), ("H=1, S=4", True)]
)
def test_only_view_selection_tail_cannot_absorb_a_newcomer(selection: str, is_taken_in: bool) -> None:
    config = Config(view_size=10, strategy=f"(rand, push-pull, {selection})")
    simulation = Simulation(100, seed=1, config=config, timing="cycles", verify_sources=False)
    simulation.run_cycles(5)
    newcomer = simulation.add_node(join=[0])
    simulation.run_cycles(20)
    known = sum(newcomer.id in view for view in Overlay.of(simulation.nodes).views.values())
    assert (known > 2) == is_taken_in
    assert len(newcomer.current_view()) == 10, "it knows others, but they do not know it"


def parted(strategy: str, view_size: int) -> int:
    """How many of four overlays of 50 nodes, without any failure, are in parts after 100 cycles."""
    return sum(
        last(Experiment(nodes=50, view_size=view_size, strategy=strategy, cycles=100, seed=seed)).components
        > 1
        for seed in range(4)
    )


def test_a_healer_of_small_views_parts_by_itself_and_the_default_does_not() -> None:
    assert Strategy.parse("healer", 6).warnings(6)
    assert parted("healer", 6) >= 2
    assert parted("default", 8) == 0
