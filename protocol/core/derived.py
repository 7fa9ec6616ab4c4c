"""Vector clocks that are derived, not sent: the merge of the parents' clocks and the own dot.

A derived clock remembers where it comes from until somebody reads it, and forgets that then. Delivery only
links these cells; nobody pays for a clock that nobody looks at. Clocks share their entries with nobody who
writes.
"""

from __future__ import annotations

from collections.abc import Mapping

from .clock import VectorClock
from .identity import NodeId

__all__ = ["DerivedClock"]


class DerivedClock:
    """The clock of one message, worked out on first reading from the clocks of its past.

    Invariant: either ``known`` is there and ``sources`` is empty, or the other way round.
    """

    __slots__ = ("_origin", "_sequence", "known", "sources")

    def __init__(self, origin: NodeId, sequence: int, sources: tuple[DerivedClock, ...]) -> None:
        """Link the clock of ``origin``'s message ``sequence`` to those of its parents and predecessor."""
        self._origin = origin
        self._sequence = sequence
        self.sources = sources
        self.known: dict[NodeId, int] | None = None

    @classmethod
    def anchored(cls, origin: NodeId, sequence: int, entries: Mapping[NodeId, int]) -> DerivedClock:
        """A clock that is known as a whole."""
        derived = cls(origin, sequence, ())
        derived.known = {**entries, origin: sequence}
        return derived

    @property
    def is_resolved(self) -> bool:
        """Whether reading costs nothing and keeps no other clock alive."""
        return self.known is not None

    def clock(self) -> VectorClock:
        """The clock for people; shares its entries, which nobody changes any more."""
        return VectorClock.sharing(self.entries())

    def entries(self) -> dict[NodeId, int]:
        """The entries, to be read only; resolves the clock and what it depends on, without recursion."""
        if self.known is not None:
            return self.known
        pending = [self]
        while pending:
            cell = pending[-1]
            unresolved = [source for source in cell.sources if source.known is None]
            if cell.known is None and not unresolved:
                cell.resolve()
            if cell.known is not None:
                pending.pop()
            else:
                pending.extend(unresolved)
        assert self.known is not None
        return self.known

    def resolve(self) -> None:
        """Work the entries out from sources that have theirs."""
        known = [source.known for source in self.sources if source.known is not None]
        known.sort(key=len, reverse=True)
        merged = dict(known[0]) if known else {}
        for entries in known[1:]:
            for origin, sequence in entries.items():
                if sequence > merged.get(origin, 0):
                    merged[origin] = sequence
        merged[self._origin] = self._sequence
        self.known = merged
        self.sources = ()
