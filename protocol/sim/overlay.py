"""The overlay that all views make together, which no node ever sees: a frozen picture, and its figures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from ..core import graph
from .node import SimulatedNode

__all__ = ["Broadcast", "Overlay", "autocorrelation", "turnover"]

ORIGIN_COUNT = 20
"""Nodes that a broadcast is tried from: its coverage is then known to some per mille."""

DEAD = -1
"""Stands for a node that is not alive among the targets of links."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What infect-and-die over frozen views does, mean over the origins."""

    fanout: int
    """Random members of its view, dead ones included, that each node sends one copy to, once."""
    coverage: float
    """Share of the live nodes that are reached, the origin included."""
    redundancy: float
    """Copies that arrive for each node reached, less the one it takes; 0 is perfect.

    Source: relative message redundancy, Leitao et al., *Epidemic Broadcast Trees*, SRDS 2007.
    """
    last_hop: float
    """Hops until the last node is reached."""


class Overlay:
    """The directed graph of the views of all live nodes at one moment.

    >>> triangle = Overlay({"a": ["b"], "b": ["c"], "c": ["a"]})
    >>> triangle.clustering(), triangle.path_length(), triangle.in_degrees
    (1.0, 1.0, [1, 1, 1])
    """

    def __init__(self, views: Mapping[Hashable, Collection[Hashable]]) -> None:
        """Take the views of all who are alive.

        Args:
            views: For each live node whom it knows. Who is not among the keys is dead.
        """
        self.views = views
        index = {node: number for number, node in enumerate(views)}
        self._targets = [[index.get(other, DEAD) for other in view] for view in views.values()]
        """By number, as the other lists here."""

    @classmethod
    def of(cls, nodes: Iterable[SimulatedNode]) -> Self:
        """A picture of simulated nodes as they are now; who crashed or left is dead."""
        return cls({node.id: node.machine.view_ids() for node in nodes if node.is_live})

    def __len__(self) -> int:
        return len(self.views)

    # directed

    @cached_property
    def links(self) -> list[list[int]]:
        """For each node the numbers of the live nodes in its view; a number is a place among ``views``."""
        return [[target for target in targets if target != DEAD] for targets in self._targets]

    @property
    def dead_link_count(self) -> int:
        """Links to nodes that are not alive."""
        return sum([targets.count(DEAD) for targets in self._targets])

    @property
    def dead_links(self) -> float:
        """The share of all links that lead to nodes that are not alive."""
        count = sum(map(len, self._targets))
        return self.dead_link_count / count if count else 0.0

    @cached_property
    def in_degrees(self) -> list[int]:
        """How many live nodes know each node."""
        degrees = [0] * len(self)
        for targets in self.links:
            for target in targets:
                degrees[target] += 1
        return degrees

    # undirected

    @cached_property
    def neighbours(self) -> graph.Graph:
        """Whom each node is linked with, whichever way, by number."""
        return graph.undirected(self.links)

    def clustering(self) -> float:
        """The mean clustering coefficient; see ``graph.clustering``."""
        return graph.clustering(self.neighbours)

    def path_length(self, sources: int | None = None) -> float:
        """The mean path length; exact up to 4,096 nodes, else from some sources: see ``graph``."""
        return graph.path_length(self.neighbours, sources)

    def components(self) -> list[int]:
        """The sizes of the connected components, the largest first."""
        return graph.components(self.neighbours)

    # what if

    def without(self, share: float, dice: Callable[[], float]) -> Overlay:
        """The overlay that is left when a share of its nodes, drawn at random, are dead."""
        names = list(self.views)
        for gone in drawn(range(len(names)), int(share * len(names) + 0.5), dice):
            names[gone] = None
        return Overlay({name: self.views[name] for name in names if name is not None})

    def broadcast(
        self, fanout: int, dice: Callable[[], float], *, loss: float = 0.0, origins: int = ORIGIN_COUNT
    ) -> Broadcast:
        """Spread a message from several origins, one after the other, by infect-and-die; views stay frozen.

        Args:
            fanout: Members of its view that a node sends the message to when it first sees it.
            dice: Evenly spread numbers from 0 to below 1.
            loss: Share of copies that vanish.
            origins: How many nodes to try it from, drawn at random.
        """
        chosen = drawn(range(len(self)), origins, dice)
        runs = [self._infect(origin, fanout, dice, loss) for origin in chosen]
        reached, copies, hops = (sum(column) / len(runs) for column in zip(*runs, strict=True))
        redundancy = copies / (reached - 1) - 1 if reached > 1 else 0.0
        return Broadcast(fanout, reached / len(self), redundancy, hops)

    def _infect(
        self, origin: int, fanout: int, dice: Callable[[], float], loss: float
    ) -> tuple[int, int, int]:
        """How many nodes are reached, how many copies arrive, and the last hop that reaches anybody."""
        targets = self._targets
        is_new = bytearray(b"\1") * len(targets)
        is_new[origin] = False
        layer, reached, copies, hop = [origin], 1, 0, -1
        while layer:
            hop += 1
            following = []
            for node in layer:
                for target in drawn(targets[node], fanout, dice):
                    if target == DEAD or (loss and dice() < loss):
                        continue
                    copies += 1
                    if is_new[target]:
                        is_new[target] = False
                        following.append(target)
            layer = following
            reached += len(layer)
        return reached, copies, hop


def drawn(pool: Sequence[int], count: int, dice: Callable[[], float]) -> list[int]:
    """Up to ``count`` different ones of a pool at random."""
    rest = list(pool)
    size = len(rest)
    return [rest.pop(int(dice() * left)) for left in range(size, max(size - count, 0), -1)]


def turnover(before: Overlay, after: Overlay) -> float:
    """The share of view entries that are new, over the nodes that live in both pictures."""
    fresh = count = 0
    for node, view in after.views.items():
        known = before.views.get(node)
        if known is not None:
            fresh += len(set(view).difference(known))
            count += len(view)
    return fresh / count if count else 0.0


def autocorrelation(series: Sequence[float], lag: int) -> float:
    """How much a series, such as the in-degree of one node over the cycles, is like itself ``lag`` later.

    1 at lag 0; about 0 where the past is forgotten, within 2.6 / sqrt(length) at 99 % confidence; 0 for a
    series that never changes.

    Source: Jelasity et al., TOCS 2007, the section on the time behaviour of degrees.
    """
    mean = sum(series) / len(series)
    off = [value - mean for value in series]
    variance = sum(value * value for value in off)
    if not variance:
        return 0.0
    return sum(one * other for one, other in zip(off, off[lag:], strict=False)) / variance
