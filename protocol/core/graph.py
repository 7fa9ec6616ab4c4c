"""Figures of undirected graphs, exact and quick in plain Python.

Rules of this file. Nodes are 0 to n - 1, a graph is the neighbours of each, without loops or twins. Integers
serve as bit sets where they fit into memory: one operation on two of them does the work of a thousand. Larger
graphs are counted by sets, and looked at from some of the nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import fsum

__all__ = ["Graph", "clustering", "components", "path_length", "undirected"]

Graph = Sequence[Sequence[int]]
"""For each node its neighbours."""

BIT_SET_LIMIT = 16_384
"""Nodes up to which bit sets are quicker than sets: measured; one for each node then takes 32 MiB."""

SOURCE_LIMIT = 4_096
"""Nodes from which distances are measured at the most; up to so many nodes path lengths are exact."""

REACH_LIMIT = 50_000_000
"""Pairs of a source and a node that distances are measured between, above that. Bit sets of so many bits in
all stay within a processor's cache, and a mean over so many pairs is known to a per mille."""

UNION_LIMIT = 60_000_000
"""Unions of sets that a path length may cost: some seconds."""

FEW_SOURCES = 32
"""Sources where bit sets would cost more: the graph is long, such as a ring, and much alike everywhere."""


def undirected(links: Graph) -> list[tuple[int, ...]]:
    """The neighbours of each node, whichever way the links between them go."""
    graph = [dict.fromkeys(targets) for targets in links]
    for source, targets in enumerate(links):
        for target in targets:
            graph[target][source] = None
    return [tuple(neighbours) for neighbours in graph]


def clustering(graph: Graph) -> float:
    """The clustering coefficient: the share of pairs of neighbours that are neighbours, mean over the nodes.

    A node with fewer than two neighbours counts as 0. Exact. Source: Watts and Strogatz, Nature 393, 1998.
    """
    if not graph:
        return 0.0
    triangles = triangles_by_bits(graph) if len(graph) <= BIT_SET_LIMIT else triangles_by_sets(graph)
    shares = (
        count / (degree * (degree - 1)) if (degree := len(neighbours)) > 1 else 0.0
        for count, neighbours in zip(triangles, graph, strict=True)
    )
    return fsum(shares) / len(graph)


def triangles_by_bits(graph: Graph) -> list[int]:
    """For each node twice the number of links between its neighbours."""
    bits = [1 << node for node in range(len(graph))]
    # Neighbours are different, so that adding their bits is the same as joining them, and sum() is quick.
    sets = [sum([bits[other] for other in neighbours]) for neighbours in graph]
    counts = [0] * len(graph)
    for node, neighbours in enumerate(graph):
        own = sets[node]
        for other in neighbours:
            if other < node:
                common = (sets[other] & own).bit_count()
                counts[node] += common
                counts[other] += common
    return counts


def triangles_by_sets(graph: Graph) -> list[int]:
    counts = [0] * len(graph)
    for node, neighbours in enumerate(graph):
        shared = set(neighbours).intersection
        for other in neighbours:
            if other < node:
                common = len(shared(graph[other]))
                counts[node] += common
                counts[other] += common
    return counts


def path_length(graph: Graph, sources: int | None = None) -> float:
    """The mean number of steps between two nodes, over all pairs that reach each other; 0 if none do.

    Exact up to 4,096 nodes; above, from some nodes, evenly spread in the given order, to everybody. Very long
    graphs (rings of thousands) are measured from a few only.

    Args:
        graph: The graph.
        sources: From how many nodes distances are measured, if not from as many as is quick.
    """
    if len(graph) < 2:
        return 0.0
    if sources is None:
        sources = min(SOURCE_LIMIT, max(REACH_LIMIT // len(graph), FEW_SOURCES))
    chosen = evenly_spread(len(graph), sources)
    steps = max(layer for layer, _ in enumerate(layers(graph, 0)))
    links = sum(map(len, graph))
    if steps * links <= UNION_LIMIT:
        total, pairs = distances_by_bits(graph, chosen)
    else:
        few = min(sources, FEW_SOURCES, max(UNION_LIMIT // links, 2))
        total, pairs = distances_by_layers(graph, evenly_spread(len(graph), few))
    return total / pairs if pairs else 0.0


def evenly_spread(count: int, wanted: int) -> Sequence[int]:
    """At most ``wanted`` of ``count`` nodes, evenly spread."""
    return range(count) if count <= wanted else [index * count // wanted for index in range(wanted)]


def distances_by_bits(graph: Graph, sources: Sequence[int]) -> tuple[int, int]:
    """The sum of the distances from the sources, and how many pairs it is over.

    Each node keeps the set of sources that reach it; in each step it takes over those of its neighbours.
    """
    everybody = (1 << len(sources)) - 1
    reached = [0] * len(graph)
    for bit, node in enumerate(sources):
        reached[node] = 1 << bit
    total = steps = 0
    count, before = len(sources), -1
    while count > before:
        following = []
        for own, neighbours in zip(reached, graph, strict=True):
            if own != everybody:
                for other in neighbours:
                    own |= reached[other]  # noqa: PLW2901 - the set grows
            following.append(own)
        reached = following
        before, count = count, sum([own.bit_count() for own in reached])
        steps += 1
        total += steps * (count - before)
    return total, count - len(sources)


def distances_by_layers(graph: Graph, sources: Sequence[int]) -> tuple[int, int]:
    total = pairs = 0
    for source in sources:
        for steps, layer in enumerate(layers(graph, source)):
            total += steps * len(layer)
            pairs += len(layer) if steps else 0
    return total, pairs


def layers(graph: Graph, source: int) -> Iterable[set[int]]:
    """The nodes at distance 0, 1, 2 ... of ``source``, as far as there are any."""
    seen, layer = {source}, {source}
    while layer:
        yield layer
        layer = set().union(*[graph[node] for node in layer]) - seen
        seen |= layer


def components(graph: Graph) -> list[int]:
    """How many nodes each connected component has, the largest first."""
    unseen = dict.fromkeys(range(len(graph)))
    sizes = []
    while unseen:
        size = 0
        for layer in layers(graph, next(iter(unseen))):
            size += len(layer)
            for node in layer:
                del unseen[node]
        sizes.append(size)
    return sorted(sizes, reverse=True)
