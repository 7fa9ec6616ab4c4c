"""The overlay that bare views make shows the figures of the reference simulation.

Bands for N=1000, c=20 are ten-seed means plus or minus five standard deviations; views have converged after
50 cycles.
"""

from __future__ import annotations

from statistics import fmean

import pytest

from .overlay import Figures, Overlay

Band = tuple[float, float]

SEED = 1
BANDS: dict[str, tuple[Band, Band, Band]] = {
    "blind": ((0.065, 0.082), (2.15, 2.23), (11.5, 15.5)),
    "healer": ((0.205, 0.235), (2.43, 2.53), (6.6, 8.2)),
    "swapper": ((0.036, 0.042), (2.15, 2.20), (3.0, 3.8)),
    "default": ((0.040, 0.044), (2.16, 2.20), (3.7, 4.7)),
}
"""Clustering coefficient, average path length, in-degree standard deviation."""

DEAD_LINKS: dict[str, dict[int, Band]] = {
    "blind": {5: (0.85, 0.97), 20: (0.60, 0.83)},
    "healer": {5: (0.0, 0.02), 20: (0.0, 0.0)},
    "swapper": {5: (0.77, 0.91), 20: (0.42, 0.70)},
    "default": {5: (0.66, 0.75), 10: (0.33, 0.42), 20: (0.0, 0.0)},
}
"""The share of dead links left so many cycles after half of the nodes crash. Only ``default`` evicts, the
others select live peers."""


class Run:
    """One overlay of 1,000 nodes, converged, and what it showed before and after half of them crashed."""

    def __init__(self, strategy: str) -> None:
        overlay = Overlay(1000, 20, strategy, SEED, evicts=strategy == "default")
        overlay.start_at_random()
        overlay.run(50)
        overlay.check()
        self.in_degrees = overlay.in_degrees()
        self.figures: Figures = overlay.figures()
        self.dead_links = self.crash(overlay)
        self.one_cluster_survives = overlay.is_one_cluster()
        overlay.check()

    @staticmethod
    def crash(overlay: Overlay) -> dict[int, float]:
        """The share of dead links that is left 5, 10 and 20 cycles after half of the nodes crashed."""
        overlay.crash(500)
        at_first = overlay.dead_links()
        shares = {}
        for cycle, cycles in ((5, 5), (10, 5), (20, 10)):
            overlay.run(cycles)
            shares[cycle] = overlay.dead_links() / at_first
        return shares


class Runs(dict[str, Run]):
    """Each run is made when the first test asks for it."""

    def __missing__(self, strategy: str) -> Run:
        self[strategy] = run = Run(strategy)
        return run


@pytest.fixture(scope="module")
def runs() -> Runs:
    return Runs()


@pytest.mark.parametrize("strategy", BANDS)
def test_an_overlay_of_1000_has_the_figures_of_the_reference(runs: Runs, strategy: str) -> None:
    for name, figure, (low, high) in zip(
        Figures._fields, runs[strategy].figures, BANDS[strategy], strict=True
    ):
        assert low <= figure <= high, name


@pytest.mark.parametrize("strategy", DEAD_LINKS)
def test_dead_links_fade_as_in_the_reference(runs: Runs, strategy: str) -> None:
    for cycle, (low, high) in DEAD_LINKS[strategy].items():
        assert low <= runs[strategy].dead_links[cycle] <= high, cycle


@pytest.mark.parametrize("strategy", BANDS)
def test_the_survivors_of_a_crash_of_half_stay_one_cluster(runs: Runs, strategy: str) -> None:
    assert runs[strategy].one_cluster_survives


@pytest.mark.parametrize("strategy", BANDS)
def test_the_mean_in_degree_is_the_view_size(runs: Runs, strategy: str) -> None:
    assert fmean(runs[strategy].in_degrees) == 20


def test_healer_clusters_more_than_blind_and_blind_more_than_swapper(runs: Runs) -> None:
    healer, blind, swapper = (runs[name].figures.clustering for name in ("healer", "blind", "swapper"))
    assert healer > 2 * blind > 3 * swapper


def test_in_degrees_spread_most_in_blind_views_and_least_in_swapping_ones(runs: Runs) -> None:
    random_graph = 4.4
    blind, healer, swapper = (
        runs[name].figures.in_degree_deviation for name in ("blind", "healer", "swapper")
    )
    assert blind > healer > random_graph > swapper


def test_healer_forgets_the_dead_before_swapper_and_swapper_before_blind(runs: Runs) -> None:
    healer, swapper, blind = (runs[name].dead_links[20] for name in ("healer", "swapper", "blind"))
    assert 3 * healer < swapper < blind


def small(strategy: str, kind: type[Overlay] = Overlay, size: int = 200, cycles: int = 30) -> Overlay:
    overlay = kind(size, 20, strategy, SEED)
    overlay.start_at_random()
    overlay.run(cycles)
    return overlay


def grown(strategy: str) -> Overlay:
    """200 nodes that came ten a cycle, each knowing only the first, and 10 cycles more."""
    overlay = Overlay(200, 20, strategy, SEED, evicts=True)
    overlay.alive = {0}
    for first in range(1, 200, 10):
        newcomers = range(first, min(first + 10, 200))
        for index in newcomers:
            overlay.views[index].add(overlay.own[0])
        overlay.alive.update(newcomers)
        overlay.run(1)
    overlay.run(10)
    return overlay


def test_push_pull_forgets_the_star_it_grew_from_long_before_push() -> None:
    assert max(grown("(rand, push-pull, blind)").in_degrees()) < 80
    assert max(grown("(rand, push, blind)").in_degrees()) > 120


def test_pull_collapses_into_a_star() -> None:
    assert max(small("(rand, pull, healer)", cycles=60).in_degrees()) > 150


@pytest.mark.parametrize("selection", ["blind", "swapper"])
def test_peer_selection_head_clusters_more_than_rand_and_tail(selection: str) -> None:
    head, rand, tail = (
        small(f"({peer_selection}, push-pull, {selection})").figures().clustering
        for peer_selection in ("head", "rand", "tail")
    )
    assert head > 1.05 * max(rand, tail)


def test_a_push_swapper_spreads_in_degrees_less_than_a_blind_push() -> None:
    swapper, blind = (small(f"(rand, push, {name})", size=300).figures() for name in ("swapper", "blind"))
    assert swapper.in_degree_deviation < 0.93 * blind.in_degree_deviation


@pytest.mark.parametrize(("selection", "is_taken_in"), [("tail", False), ("rand", True), ("head", True)])
def test_only_view_selection_tail_cannot_absorb_a_newcomer(selection: str, is_taken_in: bool) -> None:
    overlay = Overlay(100, 10, f"(rand, push-pull, {selection})", SEED)
    newcomer = 99
    overlay.alive.remove(newcomer)
    for index, view in enumerate(overlay.views):
        for step in range(1, 11):
            view.add(overlay.own[(index + step * 7) % 99])
    overlay.run(20)
    overlay.alive.add(newcomer)
    overlay.run(10)
    known = sum(overlay.own[newcomer].id in view for view in overlay.views)
    assert (known > 2) == is_taken_in


def test_a_healer_of_small_views_parts_by_itself_and_the_default_does_not() -> None:
    def parts(strategy: str, seed: int) -> bool:
        overlay = Overlay(50, 6, strategy, seed)
        overlay.start_at_random()
        overlay.run(100)
        return not overlay.is_one_cluster()

    assert sum(parts("healer", seed) for seed in range(4)) >= 2
    assert not any(parts("(tail, push-pull, H=1, S=2)", seed) for seed in range(4))


def test_the_same_seed_makes_the_same_overlay() -> None:
    def views() -> list[object]:
        return [view.descriptors() for view in small("default", size=60, cycles=10).views]

    assert views() == views()


# Slips in the exchange, so that the figures are known to notice them.


class LateReply(Overlay):
    """The passive half answers from the view it has merged already."""

    def exchange(self, asker: int, asked: int) -> None:
        view, other, rule = self.views[asker], self.views[asked], self.strategy.view_selection
        pushed = view.buffer(self.buffer_size, self.heal)
        other.merge((self.own[asker], *pushed), (), rule)
        pulled = other.buffer(self.buffer_size, self.heal)
        other.increase_age()
        view.merge((self.own[asked], *pulled), pushed, rule)


class Anonymous(Overlay):
    """Nobody sends its own descriptor."""

    def exchange(self, asker: int, asked: int) -> None:
        view, other, rule = self.views[asker], self.views[asked], self.strategy.view_selection
        pushed, pulled = (each.buffer(self.buffer_size, self.heal) for each in (view, other))
        other.merge(pushed, pulled, rule)
        other.increase_age()
        view.merge(pulled, pushed, rule)


class Ageless(Overlay):
    """Ages stand still: every cycle all descriptors are fresh again."""

    def active_half(self, index: int) -> None:
        for descriptor in self.views[index]:
            self.views[index].add(descriptor._replace(age=0))
        super().active_half(index)


def test_a_reply_built_after_merging_spreads_the_in_degrees_of_swapper() -> None:
    right, wrong = small("swapper").figures(), small("swapper", LateReply).figures()
    assert wrong.in_degree_deviation > 1.5 * right.in_degree_deviation


def test_without_own_descriptors_a_healer_knows_a_few_nodes_only() -> None:
    right, wrong = small("healer").figures(), small("healer", Anonymous).figures()
    assert wrong.in_degree_deviation > 3 * right.in_degree_deviation


def test_without_ages_a_healer_clusters_like_a_blind_overlay() -> None:
    healer, ageless, blind = small("healer"), small("healer", Ageless), small("blind")
    assert ageless.figures().clustering < (healer.figures().clustering + blind.figures().clustering) / 2
