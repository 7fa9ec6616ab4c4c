"""What can be observed of the nodes in this process beside the one that one sits on, as frozen records.

A feed hands them out only when it is asked, so what nobody looks at costs nothing. A real node observes
itself; in a swarm there are all its members; a recording gives what was recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from protocol.core.identity import NodeId
from protocol.core.messages import Message
from protocol.core.view import Descriptor

__all__ = ["Deliveries", "Delivery", "KnownView", "OverlayPicture"]


class Delivery(NamedTuple):
    """A message at a node: delivered there, or made there if the node is its origin."""

    node: NodeId
    message: Message
    """As that node delivered it: moment and hops are of this delivery."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What the observed nodes delivered since somebody asked before."""

    rows: tuple[Delivery, ...]
    """Those of each node in its own order of delivery."""
    cursor: Mapping[NodeId, int]
    """To be given back when asking again; its keys are the observed nodes."""
    unbroken: frozenset[NodeId]
    """Nodes of which nothing is missing: between this and the former answer, or from the very beginning."""
    seat: NodeId
    """The node one sits on."""


class KnownView(NamedTuple):
    """Whom a node knows, as far as that is known here."""

    node: NodeId
    view: tuple[Descriptor, ...]


@dataclass(frozen=True, slots=True)
class OverlayPicture:
    """Who knows whom."""

    seat: NodeId
    """The node one sits on."""
    views: tuple[KnownView, ...]
    """In no particular order; on a real node its own view, and what its peers told of theirs."""
    is_whole: bool
    """Whether these are the views of all nodes of the network, as they are now."""

    @classmethod
    def of_swarm(cls, seat: NodeId, views: Sequence[KnownView]) -> Self:
        """The picture of several nodes; it is whole if it is more than one and their views name nobody else.

        A node that has left knows nobody and is known by nobody: it is no part of the picture.
        """
        named = {descriptor.id for view in views for descriptor in view.view}
        present = tuple(view for view in views if view.view or view.node in named)
        return cls(seat, present, is_whole=len(views) > 1 and named <= {view.node for view in views})
