"""Figures of graphs: known answers for small ones, brute force for random ones."""

from __future__ import annotations

import random
from itertools import combinations
from statistics import fmean

import pytest

from protocol.core import graph as figures
from protocol.core.graph import Graph, clustering, components, path_length, undirected

TRIANGLE: Graph = [(1, 2), (0, 2), (0, 1)]
STAR: Graph = [(1, 2, 3, 4), (0,), (0,), (0,), (0,)]
RING: Graph = [(5, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 0)]
TWO_TRIANGLES: Graph = [(1, 2), (0, 2), (0, 1), (4, 5), (3, 5), (3, 4)]
TRIANGLE_WITH_TAIL: Graph = [(1, 2), (0, 2), (0, 1, 3), (2,)]
LONERS: Graph = [(), (), ()]


def random_graph(seed: int, nodes: int = 40, links: float = 2.5) -> Graph:
    """Sparse enough that some nodes are alone or in parts of their own."""
    rng = random.Random(seed)
    return undirected(
        [
            [other for other in range(nodes) if other != node and rng.random() < links / 2 / nodes]
            for node in range(nodes)
        ]
    )


def distances(graph: Graph, source: int) -> dict[int, int]:
    """How far everybody is who can be reached, one step at a time."""
    found = {source: 0}
    queue = [source]
    for node in queue:
        for other in graph[node]:
            if other not in found:
                found[other] = found[node] + 1
                queue.append(other)
    return found


def brute_clustering(graph: Graph) -> float:
    shares = []
    for neighbours in graph:
        pairs = list(combinations(neighbours, 2))
        shares.append(fmean(b in graph[a] for a, b in pairs) if pairs else 0.0)
    return fmean(shares)


def brute_path_length(graph: Graph) -> float:
    steps = [
        far for node in range(len(graph)) for other, far in distances(graph, node).items() if other != node
    ]
    return fmean(steps) if steps else 0.0


def brute_components(graph: Graph) -> list[int]:
    parts = {frozenset(distances(graph, node)) for node in range(len(graph))}
    return sorted(map(len, parts), reverse=True)


def test_links_of_either_direction_make_neighbours_once() -> None:
    assert undirected([[1, 2], [0], []]) == [(1, 2), (0,), (0,)]


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (TRIANGLE, 1.0),
        (STAR, 0.0),
        (RING, 0.0),
        (TWO_TRIANGLES, 1.0),
        (TRIANGLE_WITH_TAIL, (1 + 1 + 1 / 3 + 0) / 4),
        (LONERS, 0.0),
        ([], 0.0),
    ],
)
def test_the_clustering_coefficient_of_small_graphs(graph: Graph, expected: float) -> None:
    assert clustering(graph) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        (TRIANGLE, 1.0),
        (STAR, (8 * 1 + 12 * 2) / 20),
        (RING, (1 + 1 + 2 + 2 + 3) / 5),
        (TWO_TRIANGLES, 1.0),
        (TRIANGLE_WITH_TAIL, (8 * 1 + 4 * 2) / 12),
        (LONERS, 0.0),
        ([], 0.0),
        ([()], 0.0),
    ],
)
def test_the_path_length_of_small_graphs_counts_the_pairs_that_reach_each_other(
    graph: Graph, expected: float
) -> None:
    assert path_length(graph) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("graph", "expected"),
    [(TRIANGLE, [3]), (STAR, [5]), (TWO_TRIANGLES, [3, 3]), (LONERS, [1, 1, 1]), ([(1,), (0,), ()], [2, 1])],
)
def test_the_components_of_small_graphs(graph: Graph, expected: list[int]) -> None:
    assert components(graph) == expected


@pytest.mark.parametrize("seed", range(8))
def test_all_figures_of_random_graphs_agree_with_brute_force(seed: int) -> None:
    graph = random_graph(seed, links=1.0 + seed)
    assert clustering(graph) == pytest.approx(brute_clustering(graph))
    assert path_length(graph) == pytest.approx(brute_path_length(graph))
    assert components(graph) == brute_components(graph)


@pytest.mark.parametrize("seed", range(4))
def test_graphs_too_large_for_bit_sets_have_the_same_clustering(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = random_graph(seed, links=8)
    expected = clustering(graph)
    monkeypatch.setattr(figures, "BIT_SET_LIMIT", 0)
    assert clustering(graph) == expected > 0


@pytest.mark.parametrize("seed", range(4))
def test_distances_are_the_same_by_bit_sets_and_step_by_step(seed: int) -> None:
    graph = random_graph(seed, links=3)
    expected = [far for node in range(5, 25) for far in distances(graph, node).values()]
    by_bits = figures.distances_by_bits(graph, range(5, 25))
    assert by_bits == figures.distances_by_layers(graph, range(5, 25))
    assert by_bits == (sum(expected), len(expected) - 20)


def test_some_sources_measure_a_path_length_close_to_the_exact_one() -> None:
    graph = random_graph(1, nodes=400, links=10)
    assert path_length(graph, 50) != path_length(graph)
    assert path_length(graph, 50) == pytest.approx(path_length(graph), rel=0.02)


def test_a_ring_of_thousands_is_measured_from_a_few_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "distances_by_bits", None)
    size = 8_000
    ring = [((node - 1) % size, (node + 1) % size) for node in range(size)]
    assert path_length(ring) == pytest.approx(size / 4, rel=0.001)
