"""What can be observed of the nodes in this process beside the one that one sits on, as frozen records.

A feed hands them out only when it is asked, so what nobody looks at costs nothing. A real node observes
itself; in a swarm there are all its members; a recording gives what was recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from protocol.core.identity import NodeId
from protocol.core.messages import Message

__all__ = ["Deliveries", "Delivery"]


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
