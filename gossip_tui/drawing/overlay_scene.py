"""What an overlay shows: who is there, who knows whom, what is measured of that, and what is done to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gossip_tui.observed import NO_TROUBLE, NodeState, OverlayPicture, Trouble
from protocol.core.faults import Direction
from protocol.core.graph import clustering, path_length, undirected
from protocol.core.identity import Address, NodeId
from protocol.core.view import Descriptor

from .view_table import name_key

__all__ = ["Figures", "Scene", "scene_of"]


@dataclass(frozen=True)
class Scene:
    """Everybody known, who knows whom, and whose view stands out."""

    nodes: tuple[NodeId, ...]
    """In the order of the ring."""
    views: Mapping[NodeId, tuple[Descriptor, ...]]
    """What is known of who knows whom."""
    chosen: NodeId
    """The node whose view stands out."""
    seat: NodeId
    is_whole: bool
    """Whether these are all views of the network."""
    gone: Collection[NodeId] = ()
    troubles: Mapping[NodeId, Trouble] = field(default_factory=dict)
    """What is done on purpose to those nodes to which something is."""
    own_addresses: Mapping[NodeId, Address] = field(default_factory=dict)
    """The addresses of nodes that are known even if no view names them."""

    def fate(self, node: NodeId) -> NodeState:
        """Whether a node crashed, stands still, or neither."""
        return self.troubles.get(node, NO_TROUBLE).state

    def is_cut(self, one: NodeId, other: NodeId) -> bool:
        """Whether no datagram passes between two nodes."""
        return bool(self.troubles) and not self.passes(one, other) and not self.passes(other, one)

    def one_way(self, one: NodeId, other: NodeId) -> tuple[NodeId, NodeId] | None:
        """Sender and receiver, where datagrams pass between two nodes in that direction only."""
        if not self.troubles or self.passes(one, other) == self.passes(other, one):
            return None
        return (one, other) if self.passes(one, other) else (other, one)

    def passes(self, sender: NodeId, receiver: NodeId) -> bool:
        """Whether neither of two nodes stops the datagrams from one to the other."""
        return self._block(sender, receiver) not in {Direction.BOTH, Direction.OUT} and self._block(
            receiver, sender
        ) not in {Direction.BOTH, Direction.IN}

    def _block(self, node: NodeId, other: NodeId) -> Direction | None:
        """Which datagrams with another node a node stops, if any."""
        address = self.addresses.get(other)
        return self.troubles.get(node, NO_TROUBLE).blocked.get(address) if address is not None else None

    @cached_property
    def addresses(self) -> dict[NodeId, Address]:
        """The address of every node that is known: its own word counts for more than views of others."""
        named = {other.id: other.address for view in self.views.values() for other in view}
        return {**named, **self.own_addresses}

    @cached_property
    def beyond(self) -> frozenset[NodeId]:
        """Those with whom the node one sits on can exchange nothing."""
        return frozenset(node for node in self.nodes if self.is_cut(self.seat, node))

    @cached_property
    def unheard(self) -> frozenset[NodeId]:
        """Those from whom nothing comes to the node one sits on, though its datagrams get there."""
        return frozenset(node for node in self.nodes if self.one_way(self.seat, node) == (self.seat, node))

    @cached_property
    def unreached(self) -> frozenset[NodeId]:
        """Those to whom nothing gets from the node one sits on, though theirs come here."""
        return frozenset(node for node in self.nodes if self.one_way(self.seat, node) == (node, self.seat))

    @cached_property
    def cut_links(self) -> int:
        """Links that no datagram passes."""
        return sum(self.is_cut(node, other.id) for node, view in self.views.items() for other in view)

    @cached_property
    def one_way_links(self) -> int:
        """Links that datagrams pass in one direction only."""
        pairs = ((node, other.id) for node, view in self.views.items() for other in view)
        return sum(self.one_way(*pair) is not None for pair in pairs)

    @property
    def present(self) -> list[NodeId]:
        """Everybody who was heard of lately and did not crash."""
        return [
            node for node in self.nodes if node not in self.gone and self.fate(node) is not NodeState.CRASHED
        ]

    @cached_property
    def in_degrees(self) -> dict[NodeId, int]:
        """In how many of the known views each node is."""
        degrees = dict.fromkeys(self.nodes, 0)
        for view in self.views.values():
            for descriptor in view:
                if descriptor.id in degrees:
                    degrees[descriptor.id] += 1
        return degrees

    @cached_property
    def figures(self) -> Figures:
        """The figures of the whole graph."""
        place = {node: number for number, node in enumerate(self.views)}
        links = [[place[other.id] for other in view if other.id in place] for view in self.views.values()]
        graph = undirected(links)
        return Figures(sum(map(len, links)), clustering(graph), path_length(graph))


@dataclass(frozen=True, slots=True)
class Figures:
    """What is measured of a whole overlay."""

    links: int
    clustering: float
    path_length: float


def scene_of(picture: OverlayPicture, known: Collection[NodeId], chosen: NodeId | None) -> Scene:
    """A scene of everybody in a picture, and of those who were in former ones.

    Args:
        picture: Who knows whom.
        known: Nodes that keep their place even if they are not in the picture.
        chosen: Whose view stands out; None for the node one sits on.
    """
    troubles = {told.node: told.trouble for told in picture.views if told.trouble != NO_TROUBLE}
    crashed = {node for node, trouble in troubles.items() if trouble.state is NodeState.CRASHED}
    views = {told.node: told.view for told in picture.views if told.node not in crashed}
    named = {descriptor.id for view in views.values() for descriptor in view}
    here = {picture.seat, *crashed, *views, *named}
    nodes = tuple(sorted(here.union(known), key=name_key))
    gone = frozenset(node for node in nodes if node not in here)
    chosen = chosen if chosen in nodes else picture.seat
    own = {told.node: told.address for told in picture.views if told.address is not None}
    return Scene(nodes, views, chosen or picture.seat, picture.seat, picture.is_whole, gone, troubles, own)
