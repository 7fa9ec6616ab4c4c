"""Whole nodes make the overlays of the reference: 1,000 of them, views of 20, and half of them crash.

One seed of the paper's model and of the default strategy; ``-m slow`` adds eviction for the others, more
seeds, and twice the time to converge.
"""

from __future__ import annotations

import pytest

from protocol.sim import CycleFigures, Selection

from .sampling_bands import DEAD_LINKS, OVERLAYS, RANDOM_GRAPH, healed, outside, run

CONVERGED = 50
"""Cycles after which the figures stay what they are."""

LONG = 100
SEED, *MORE_SEEDS = 2, 3, 4, 5
ROWS = [pytest.param(*row, id="-".join(row)) for row in DEAD_LINKS]
ESSENTIAL = [
    ("blind", Selection.LIVE),
    ("healer", Selection.LIVE),
    ("swapper", Selection.LIVE),
    ("default", Selection.EVICT),
]


def overlay(strategy: str, selection: Selection) -> dict[int, CycleFigures]:
    return run(strategy, selection, SEED, converged=CONVERGED)


@pytest.mark.parametrize(
    ("strategy", "selection"),
    [
        pytest.param(*row, id="-".join(row), marks=[] if row in ESSENTIAL else pytest.mark.slow)
        for row in DEAD_LINKS
    ],
)
def test_an_overlay_of_1000_is_that_of_the_reference(strategy: str, selection: Selection) -> None:
    figures = overlay(strategy, selection)
    assert outside(figures[0], RANDOM_GRAPH) == []
    assert outside(figures[CONVERGED], OVERLAYS[strategy]) == []
    assert outside(healed(figures, CONVERGED), DEAD_LINKS[strategy, selection]) == []
    assert_invariants(figures, CONVERGED)


@pytest.mark.slow
@pytest.mark.parametrize("seed", MORE_SEEDS)
@pytest.mark.parametrize(("strategy", "selection"), ROWS)
def test_an_overlay_of_1000_is_that_of_the_reference_for_other_seeds_too(
    strategy: str, selection: Selection, seed: int
) -> None:
    figures = run(strategy, selection, seed, converged=LONG)
    assert outside(figures[LONG], OVERLAYS[strategy]) == []
    assert outside(healed(figures, LONG), DEAD_LINKS[strategy, selection]) == []
    assert_invariants(figures, LONG)


def assert_invariants(figures: dict[int, CycleFigures], crashed: int) -> None:
    for cycle, figure in figures.items():
        assert figure.components == 1, f"parted at cycle {cycle}"
        if cycle <= crashed:
            assert figure.in_degree_mean == 20, "every view is full of live nodes"
            assert figure.dead_links == 0
        if 0 < cycle <= crashed:
            assert figure.incoming_mean == 1, "one incoming exchange per node and cycle"


@pytest.mark.slow
@pytest.mark.parametrize("seed", MORE_SEEDS)
def test_with_live_selection_too_swapper_forgets_the_dead_before_blind(seed: int) -> None:
    swapper, blind = (
        healed(run(name, Selection.LIVE, seed, converged=LONG), LONG) for name in ("swapper", "blind")
    )
    assert all(swapper[cycle] < blind[cycle] for cycle in (5, 10, 15, 20))


def test_the_bands_of_the_reference_are_far_enough_apart_to_show_its_orderings() -> None:
    """Healer >> blind > swapper in clustering, blind > healer > random > swapper in the spread of in-degrees,
    healer >> swapper > blind in forgetting the dead."""
    healer, blind, swapper = (OVERLAYS[name] for name in ("healer", "blind", "swapper"))
    assert healer["clustering"][0] > 2 * blind["clustering"][1]
    assert blind["clustering"][0] > 1.5 * swapper["clustering"][1]
    assert blind["in_degree_std"][0] > healer["in_degree_std"][1]
    assert healer["in_degree_std"][0] > RANDOM_GRAPH["in_degree_std"][1]
    assert RANDOM_GRAPH["in_degree_std"][0] > swapper["in_degree_std"][1]
    healing = {name: DEAD_LINKS[name, Selection.EVICT][20] for name in ("healer", "swapper", "blind")}
    assert healing["healer"][1] < healing["swapper"][0]
    assert healing["swapper"][1] <= healing["blind"][0]
