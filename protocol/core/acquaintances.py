"""Everybody a node has heard of: who is in the view, was lost or left, and how the last exchange went."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .bounded import put
from .events import PeerLost, PeerSeen
from .identity import Address, NodeId
from .links import Links
from .outbox import Outbox
from .snapshot import PeerRow, PeerState
from .view import Descriptor, PartialView, Told

__all__ = ["Acquaintances"]

LEFT_LIMIT = 1_024
"""Leavers remembered, so that old descriptors do not bring them back."""

FAREWELL_LIMIT = 64
"""Nodes outside the view that hear a goodbye: the last met of those who exchanged lately, and so may hold
this node's descriptor."""


class Acquaintance:
    """What people may want to know of a node once met."""

    __slots__ = ("address", "direction", "exchanged_at", "state")

    def __init__(self, address: Address) -> None:
        """Meet a node in the view."""
        self.address = address
        self.state = PeerState.AUTHOR
        """Lost, left, or neither; whether it is in the view, the view knows."""
        self.direction = ""
        self.exchanged_at: float | None = None


class Acquaintances:
    """Nodes met in the view, newest meeting last, and leavers."""

    __slots__ = ("_limit", "_met", "forgotten", "is_nobody_kept", "left")

    def __init__(self, limit: int) -> None:
        """Know nobody, and at most ``limit`` nodes ever; with 0 nobody is noted and nothing told."""
        self._limit = limit
        self._met: dict[NodeId, Acquaintance] = {}
        self.is_nobody_kept = not limit
        """Whether no node is ever noted."""
        self.left: dict[NodeId, None] = {}
        """Incarnations that said goodbye, as many as are remembered."""
        self.forgotten = 0
        """Nodes forgotten for want of room."""

    def address_of(self, node: NodeId) -> Address | None:
        """Where the node was when it was last in the view."""
        met = self._met.get(node)
        return met.address if met is not None else None

    def meet(self, nodes: Iterable[NodeId], view: PartialView, out: Outbox) -> None:
        """Note that nodes came into the view; most of them are old acquaintances."""
        if not self._limit:
            return
        known = self._met
        for node in nodes:
            if node not in known or known[node].state is not PeerState.AUTHOR:
                self._greet(node, view, out)

    def _greet(self, node: NodeId, view: PartialView, out: Outbox) -> None:
        descriptor = view.get(node)
        if descriptor is None:
            return
        address = descriptor.address
        met = self._met.get(node)
        if met is None:
            met = Acquaintance(address)
            self.forgotten += len(self._met) >= self._limit
            put(self._met, node, met, self._limit)
        met.address = address
        met.state = PeerState.AUTHOR
        out.tell(PeerSeen(node, address))

    def lose(self, node: NodeId, address: Address, out: Outbox) -> None:
        """Note that a node stopped answering."""
        met = self._met.get(node)
        if met is not None:
            met.state = PeerState.LOST
        out.tell(PeerLost(node, address, left=False))

    def see_off(self, node: NodeId, out: Outbox) -> None:
        """Note that a node said goodbye; it will not be taken in again."""
        put(self.left, node, None, LEFT_LIMIT)
        met = self._met.get(node)
        if met is not None and met.state is not PeerState.LEFT:
            met.state = PeerState.LEFT
            out.tell(PeerLost(node, met.address, left=True))

    def disown(self, node: NodeId) -> None:
        """Never take in a former identity of this node itself."""
        put(self.left, node, None, LEFT_LIMIT)

    def note_exchange(self, peer: Told, direction: str, now: float) -> None:
        """Note how the last exchange with a node went, and where it was then."""
        node, address, _ = peer
        met = self._met.get(node) if self._met else None
        if met is not None:
            met.address = address
            met.direction = direction
            met.exchanged_at = now

    def recent(self, horizon: float) -> Iterator[Descriptor]:
        """Those who exchanged since ``horizon``, the last met of them, as many as shall hear a goodbye."""
        recent = [
            Descriptor(node, met.address, 0)
            for node, met in self._met.items()
            if met.exchanged_at is not None and met.exchanged_at >= horizon
        ]
        return iter(recent[-FAREWELL_LIMIT:])

    def rows(self, view: PartialView, links: Links, authors: Iterable[NodeId]) -> tuple[PeerRow, ...]:
        """One row for everybody met and for every author, sorted by name."""
        rows = [self._row(node, met, view, links) for node, met in self._met.items()]
        rows += [
            PeerRow(node, None, PeerState.AUTHOR, None, None, "", None)
            for node in authors
            if node not in self._met
        ]
        return tuple(sorted(rows, key=lambda row: row.id))

    def _row(self, node: NodeId, met: Acquaintance, view: PartialView, links: Links) -> PeerRow:
        descriptor = view.get(node)
        link = links.get(met.address)
        return PeerRow(
            id=node,
            address=met.address,
            state=met.state if descriptor is None else PeerState.VIEW,
            age=descriptor.age if descriptor is not None else None,
            round_trip=link.round_trip if link is not None else None,
            last_direction=met.direction,
            last_exchange_at=met.exchanged_at,
        )
