"""The reference figures of peer sampling, and how a run of whole nodes is held against them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from protocol.sim import Crash, CycleFigures, Experiment, Selection

__all__ = ["DEAD_LINKS", "OVERLAYS", "RANDOM_GRAPH", "Band", "healed", "outside", "run"]

Band = tuple[float, float]
"""The lowest and the highest value that is still right."""

OVERLAYS: Mapping[str, Mapping[str, Band]] = {
    "blind": {"clustering": (0.065, 0.082), "path_length": (2.15, 2.23), "in_degree_std": (11.5, 15.5)},
    "healer": {"clustering": (0.205, 0.235), "path_length": (2.43, 2.53), "in_degree_std": (6.6, 8.2)},
    "swapper": {"clustering": (0.036, 0.042), "path_length": (2.15, 2.20), "in_degree_std": (3.0, 3.8)},
    "default": {"clustering": (0.040, 0.044), "path_length": (2.16, 2.20), "in_degree_std": (3.7, 4.7)},
}
"""1,000 nodes, views of 20, random start, converged.

Source: reference simulation, the mean of ten seeds plus and minus five standard deviations, widened for what
an implementation is free to choose.
"""

RANDOM_GRAPH: Mapping[str, Band] = {
    "clustering": (0.0375, 0.0415),
    "path_length": (2.15, 2.17),
    "in_degree_std": (4.0, 4.8),
}
"""The start. Source: reference simulation (0.038, 2.16, 4.4); the bands are five standard deviations."""

DEAD_LINKS: Mapping[tuple[str, Selection], Mapping[int, Band]] = {
    ("blind", Selection.LIVE): {5: (0.85, 0.97), 20: (0.60, 0.83)},
    ("healer", Selection.LIVE): {5: (0.0, 0.02), 20: (0.0, 0.0)},
    ("swapper", Selection.LIVE): {5: (0.77, 0.91), 20: (0.42, 0.70)},
    ("blind", Selection.EVICT): {10: (0.60, 0.76), 20: (0.35, 0.53)},
    ("healer", Selection.EVICT): {10: (0.0, 0.01), 20: (0.0, 0.0)},
    ("swapper", Selection.EVICT): {10: (0.50, 0.63), 20: (0.24, 0.35)},
    ("default", Selection.EVICT): {5: (0.66, 0.75), 10: (0.33, 0.42), 20: (0.0, 0.0)},
}
"""What is left of the dead links so many cycles after half of the nodes crashed.

Source: reference simulation.
"""

RECOVERY = 20
"""Cycles watched after the crash."""


@cache
def run(
    strategy: str, selection: Selection, seed: int, *, converged: int, nodes: int = 1000
) -> dict[int, CycleFigures]:
    """The figures of an overlay by cycle, every fifth; half of the nodes crash after cycle ``converged``."""
    experiment = Experiment(
        nodes=nodes,
        strategy=strategy,
        cycles=converged + RECOVERY,
        crashes=(Crash(0.5, converged),),
        selection=selection,
        seed=seed,
    )
    begun = experiment.begin(every=5)
    while not begun.is_done:
        begun.advance()
    return {figures.cycle: figures for figures in begun.figures}


def healed(figures: Mapping[int, CycleFigures], converged: int) -> dict[int, float]:
    """The share of dead links left, by the number of cycles since the crash."""
    return {
        cycle - converged: figure.dead_links_of_crash
        for cycle, figure in figures.items()
        if figure.dead_links_of_crash is not None
    }


def outside(measured: object, bands: Mapping[str, Band] | Mapping[int, Band]) -> list[str]:
    """What is not within its band, in words; empty if all is well.

    Args:
        measured: The values, as a mapping or as attributes of the names in ``bands``.
        bands: What is right.
    """
    found = []
    for name, (low, high) in bands.items():
        value = measured[name] if isinstance(measured, Mapping) else getattr(measured, str(name))
        if not low <= value <= high:
            found.append(f"{name} is {value:.4g}, not within {low} to {high}")
    return found
