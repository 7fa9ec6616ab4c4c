"""A cycle-driven overlay of bare partial views, and the graph figures that the paper judges it by.

No machine, no messages: each cycle every live node runs one active half against the passive half of its peer,
exactly as the paper has them. It is an oracle for the view alone.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from statistics import fmean, pstdev
from typing import NamedTuple

from protocol.core.identity import Address, NodeId
from protocol.core.strategy import HealSwap, Strategy
from protocol.core.view import Descriptor, PartialView


class Figures(NamedTuple):
    clustering: float
    path_length: float
    in_degree_deviation: float


class Overlay:
    """``size`` nodes with views of ``view_size``, started from a random graph.

    With ``evicts`` a node drops a dead peer it has asked, as real nodes do on time-out; without, it asks live
    ones only, as in the paper's model.
    """

    def __init__(self, size: int, view_size: int, strategy: str, seed: int, *, evicts: bool = False) -> None:
        self.rng = random.Random(seed)
        self.strategy = Strategy.parse(strategy, view_size)
        self.evicts = evicts
        self.own = [
            Descriptor(NodeId(f"n{index}", index + 1), Address(f"10.0.{index >> 8}.{index & 255}", 7117), 0)
            for index in range(size)
        ]
        self.index = {descriptor.id: index for index, descriptor in enumerate(self.own)}
        self.views = [PartialView(own.id, own.address, view_size, self.rng) for own in self.own]
        self.alive = set(range(size))
        self.buffer_size = view_size // 2 - 1
        self.last_pushed: list[tuple[Descriptor, ...]] = [()] * size
        selection = self.strategy.view_selection
        self.heal = selection.heal if isinstance(selection, HealSwap) else 0

    def start_at_random(self) -> None:
        for index, view in enumerate(self.views):
            others = self.rng.sample(range(len(self.views) - 1), view.view_size)
            for other in others:
                view.add(self.own[other + (other >= index)])

    def run(self, cycles: int) -> None:
        for _ in range(cycles):
            order = sorted(self.alive)
            self.rng.shuffle(order)
            for index in order:
                self.active_half(index)

    def active_half(self, index: int) -> None:
        view = self.views[index]
        peer = self.peer_of(view)
        if peer is not None:
            self.exchange(index, peer)
        view.increase_age()

    def peer_of(self, view: PartialView) -> int | None:
        if not self.evicts and len(self.alive) < len(self.views):
            return self.live_peer_of(view)
        chosen = view.select_peer(self.strategy.peer_selection)
        if chosen is None:
            return None
        peer = self.index[chosen.id]
        if peer not in self.alive:
            view.remove(chosen.id)
            return None
        return peer

    def live_peer_of(self, view: PartialView) -> int | None:
        live = PartialView(view.own_id, view.own_address, view.view_size, self.rng)
        for descriptor in view:
            if self.index[descriptor.id] in self.alive:
                live.add(descriptor)
        chosen = live.select_peer(self.strategy.peer_selection)
        return None if chosen is None else self.index[chosen.id]

    def exchange(self, asker: int, asked: int) -> None:
        """Both halves of one exchange; the passive one ages its own view.

        Where nothing is pulled, the head of the passive view is what its node pushed last.
        """
        view, other = self.views[asker], self.views[asked]
        propagation, selection = self.strategy.propagation, self.strategy.view_selection
        pushed = view.buffer(self.buffer_size, self.heal) if propagation.pushes else ()
        pulled = other.buffer(self.buffer_size, self.heal) if propagation.pulls else self.last_pushed[asked]
        if propagation.pushes:
            self.last_pushed[asker] = pushed
            other.merge((self.own[asker], *pushed), pulled, selection)
        other.increase_age()
        if propagation.pulls:
            view.merge((self.own[asked], *pulled), pushed, selection)

    def crash(self, count: int) -> None:
        self.alive -= set(self.rng.sample(sorted(self.alive), count))

    def dead_links(self) -> int:
        return sum(self.index[d.id] not in self.alive for index in self.alive for d in self.views[index])

    def in_degrees(self) -> list[int]:
        degrees = dict.fromkeys(self.alive, 0)
        for index in self.alive:
            for descriptor in self.views[index]:
                peer = self.index[descriptor.id]
                if peer in degrees:
                    degrees[peer] += 1
        return list(degrees.values())

    def neighbours(self) -> dict[int, int]:
        """The undirected graph of live nodes, each with the bits of its neighbours set."""
        graph = dict.fromkeys(self.alive, 0)
        for index in self.alive:
            for descriptor in self.views[index]:
                peer = self.index[descriptor.id]
                if peer in graph:
                    graph[index] |= 1 << peer
                    graph[peer] |= 1 << index
        return graph

    def figures(self) -> Figures:
        graph = self.neighbours()
        return Figures(clustering_of(graph), path_length_of(graph), pstdev(self.in_degrees()))

    def is_one_cluster(self) -> bool:
        graph = self.neighbours()
        first = next(iter(graph))
        return distances_from(first, graph)[1] == len(graph) - 1

    def check(self) -> None:
        for view in self.views:
            view.check()


def bits_of(number: int) -> Iterable[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def clustering_of(graph: dict[int, int]) -> float:
    """Mean over the nodes of the share of pairs of neighbours that are neighbours themselves."""
    shares = []
    for mask in graph.values():
        degree = mask.bit_count()
        links = sum((graph[other] & mask).bit_count() for other in bits_of(mask))
        shares.append(links / (degree * (degree - 1)) if degree > 1 else 0.0)
    return fmean(shares)


def distances_from(start: int, graph: dict[int, int]) -> tuple[int, int]:
    """The sum of the distances to every node that is reached, and how many are reached."""
    seen = frontier = 1 << start
    total = steps = 0
    while frontier:
        reached = 0
        for index in bits_of(frontier):
            reached |= graph[index]
        frontier = reached & ~seen
        seen |= frontier
        steps += 1
        total += steps * frontier.bit_count()
    return total, seen.bit_count() - 1


def path_length_of(graph: dict[int, int], sources: int = 150) -> float:
    """The mean distance from some nodes to all others; infinite if one is out of reach."""
    starts = list(graph)[:: max(1, len(graph) // sources)]
    total = 0
    for start in starts:
        distance, reached = distances_from(start, graph)
        if reached < len(graph) - 1:
            return math.inf
        total += distance
    return total / len(starts) / (len(graph) - 1)
