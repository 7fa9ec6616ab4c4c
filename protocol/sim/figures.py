"""What an experiment shows of one cycle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .overlay import Overlay, turnover

__all__ = ["CycleFigures", "InDegrees"]


@dataclass(frozen=True, slots=True)
class InDegrees:
    """How the in-degrees of a network are distributed."""

    mean: float
    std: float
    """Standard deviation of all of them."""
    min: int
    max: int
    histogram: tuple[int, ...]
    """At place d the number of nodes whose in-degree is d."""

    @classmethod
    def of(cls, degrees: Sequence[int]) -> InDegrees:
        """The distribution of the in-degrees of at least one node."""
        counts = [0] * (max(degrees) + 1)
        for degree in degrees:
            counts[degree] += 1
        mean = sum(degrees) / len(degrees)
        squares = math.fsum(count * (degree - mean) ** 2 for degree, count in enumerate(counts))
        return cls(mean, math.sqrt(squares / len(degrees)), min(degrees), max(degrees), tuple(counts))


@dataclass(frozen=True, slots=True)
class CycleFigures:
    """The overlay at the end of one cycle.

    Clustering and path length are those of the undirected graph of live nodes; in-degrees count links from
    live nodes to live nodes. The fields up to ``live_nodes`` are what travels as JSON: see ``json_fields``.
    """

    cycle: int
    """0 is the start, before anybody exchanged anything."""
    clustering: float
    """Mean local clustering coefficient."""
    path_length: float
    """Steps between two nodes, mean over the pairs that reach each other; exact up to 4,096 nodes."""
    in_degree_mean: float
    in_degree_std: float
    in_degree_min: int
    in_degree_max: int
    components: int
    """Connected components."""
    largest_component: int
    """Nodes in the largest of them."""
    dead_links: float
    """Share of all links of live nodes that lead to nodes that are not alive."""
    dead_links_of_crash: float | None
    """Dead links now as a share of those right after the latest crash; None before the first."""
    live_nodes: int
    in_degrees: tuple[int, ...]
    """At place d the number of live nodes whose in-degree is d."""
    incoming_mean: float
    """Exchanges that peers started with a node in this cycle, mean over the nodes that lived through it."""
    incoming_max: int
    turnover: float
    """Share of view entries that were not there a cycle ago."""

    def json_fields(self) -> dict[str, float | int | None]:
        """Cycle to live_nodes, in order."""
        return {name: getattr(self, name) for name in JSON_FIELDS}


JSON_FIELDS = (
    "cycle", "clustering", "path_length", "in_degree_mean", "in_degree_std", "in_degree_min", "in_degree_max",
    "components", "largest_component", "dead_links", "dead_links_of_crash", "live_nodes",
)  # fmt: skip


def figures_of(
    cycle: int,
    overlay: Overlay,
    before: Overlay | None,
    incoming: Sequence[int],
    dead_at_crash: int | None,
) -> CycleFigures:
    """Work the figures of one cycle out.

    Args:
        cycle: Which.
        overlay: The picture at its end, with at least one live node.
        before: The picture a cycle ago; None at the start.
        incoming: For each node that lived through the cycle the exchanges that came in.
        dead_at_crash: Dead links right after the latest crash; None before the first.
    """
    degrees = InDegrees.of(overlay.in_degrees)
    parts = overlay.components()
    return CycleFigures(
        cycle=cycle,
        clustering=overlay.clustering(),
        path_length=overlay.path_length(),
        in_degree_mean=degrees.mean,
        in_degree_std=degrees.std,
        in_degree_min=degrees.min,
        in_degree_max=degrees.max,
        components=len(parts),
        largest_component=parts[0],
        dead_links=overlay.dead_links,
        dead_links_of_crash=(
            None if dead_at_crash is None else overlay.dead_link_count / max(dead_at_crash, 1)
        ),
        live_nodes=len(overlay),
        in_degrees=degrees.histogram,
        incoming_mean=sum(incoming) / len(incoming) if incoming else 0.0,
        incoming_max=max(incoming, default=0),
        turnover=turnover(before, overlay) if before is not None else 0.0,
    )
