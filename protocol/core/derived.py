"""Vector clocks that are derived, not sent: the merge of the parents' clocks and the own dot.

A derived clock remembers where it comes from until somebody reads it, and forgets that then. Delivery only
links these cells; nobody pays for a clock that nobody looks at. One that was worked out is a large mapping
that it shares with its neighbours and a small one of what is newer: half the bytes of whole copies with 100
origins that write in random order.
"""

from __future__ import annotations

from collections.abc import Mapping

from .clock import VectorClock
from .identity import NodeId

__all__ = ["DerivedClock"]

Entries = dict[NodeId, int]

OVERLAY_LIMIT = 16
"""Newer entries kept beside a shared mapping before both become one; the least memory as measured."""


class DerivedClock:
    """The clock of one message, worked out on first reading from the clocks of its past.

    Invariant: either ``overlay`` is there and ``sources`` is empty, or the other way round. Neither mapping
    is ever changed once it is there, since others share it.
    """

    __slots__ = ("_origin", "_sequence", "base", "overlay", "sources")

    def __init__(self, origin: NodeId, sequence: int, sources: tuple[DerivedClock, ...]) -> None:
        """Link the clock of ``origin``'s message ``sequence`` to those of its parents and predecessor."""
        self._origin = origin
        self._sequence = sequence
        self.sources = sources
        self.base: Entries = {}
        """Entries shared with other clocks; those in ``overlay`` are newer."""
        self.overlay: Entries | None = None

    @classmethod
    def anchored(cls, origin: NodeId, sequence: int, entries: Mapping[NodeId, int]) -> DerivedClock:
        """A clock that is known as a whole."""
        derived = cls(origin, sequence, ())
        derived.base = {**entries, origin: sequence}
        derived.overlay = {}
        return derived

    @property
    def is_resolved(self) -> bool:
        """Whether reading costs nothing and keeps no other clock alive."""
        return self.overlay is not None

    def clock(self) -> VectorClock:
        """The clock for people."""
        return VectorClock.sharing(self.entries())

    def entries(self) -> Entries:
        """All entries, in a mapping of their own."""
        self.resolve()
        return {**self.base, **(self.overlay or {})}

    def sequence_of(self, origin: NodeId) -> int:
        """The entry of one origin, 0 for none."""
        self.resolve()
        found = (self.overlay or {}).get(origin)
        return self.base.get(origin, 0) if found is None else found

    def resolve(self) -> None:
        """Work the clock out, and first what it still depends on, without recursion."""
        if self.overlay is not None:
            return
        pending = [self]
        while pending:
            cell = pending[-1]
            unresolved = [source for source in cell.sources if source.overlay is None]
            if unresolved:
                pending.extend(unresolved)
                continue
            pending.pop()
            if cell.overlay is None:
                cell.merge_sources()

    def merge_sources(self) -> None:
        """Merge sources that are worked out, starting from the one with the most entries."""
        sources = sorted(self.sources, key=DerivedClock.width, reverse=True)
        base = sources[0].base if sources else {}
        overlay = dict(sources[0].overlay or {}) if sources else {}
        for source in sources[1:]:
            parts = (source.overlay,) if source.base is base else (source.base, source.overlay)
            for entries in parts:
                for origin, sequence in (entries or {}).items():
                    if sequence > overlay.get(origin, 0) and sequence > base.get(origin, 0):
                        overlay[origin] = sequence
        overlay[self._origin] = self._sequence
        if len(overlay) > OVERLAY_LIMIT:
            base, overlay = {**base, **overlay}, {}
        self.base, self.overlay, self.sources = base, overlay, ()

    def width(self) -> int:
        """About how many entries there are."""
        return len(self.base) + len(self.overlay or ())
