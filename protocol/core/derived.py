"""Vector clocks that are derived, not sent: the merge of the parents' clocks and the own dot.

A derived clock remembers where it comes from until somebody reads it, and forgets that then. Delivery only
links these cells; nobody pays for a clock that nobody looks at. One that was worked out shares with its
neighbours whatever it does not have of its own.

A clock has at most ``limit`` origins: those whose last message has the largest (depth, origin). That is a
function of the message alone, the same on every node: an origin that is among the first ``limit`` of the
whole past is among them in the past of every parent that has the same last message of it, since a smaller
past has fewer that go before it. So cutting parents first loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from .clock import VectorClock
from .identity import Key, NodeId
from .stamps import NO_STAMPS, Stamp, Stamps, stamps_of

__all__ = ["CLOCK_LIMIT", "DerivedClock"]

CLOCK_LIMIT = 1_024
"""Origins in a clock at the most, unless a node is configured otherwise."""


class DerivedClock:
    """The clock of one message, worked out on first reading from the clocks of its past.

    Invariant: either ``stamps`` are there and ``sources`` is empty, or the other way round.
    """

    __slots__ = ("_limit", "sources", "stamp", "stamps")

    def __init__(
        self,
        origin: NodeId,
        sequence: int,
        sources: tuple[DerivedClock, ...],
        *,
        depth: int = 0,
        limit: int = CLOCK_LIMIT,
    ) -> None:
        """Link the clock of ``origin``'s message ``sequence`` to those of its parents and predecessor.

        Args:
            origin: Who wrote the message.
            sequence: Its number.
            sources: The clocks of its past.
            depth: Its depth, which decides how long its origin stays in later clocks.
            limit: Origins in this clock at the most.
        """
        self.stamp: Stamp = (sequence, depth, origin)
        """Its own message."""
        self._limit = limit
        self.sources = sources
        self.stamps: Stamps | None = None

    @classmethod
    def anchored(
        cls,
        origin: NodeId,
        sequence: int,
        entries: Iterable[Stamp],
        *,
        depth: int = 0,
        limit: int = CLOCK_LIMIT,
    ) -> DerivedClock:
        """A clock that is known as a whole; its own message may be among ``entries`` or not."""
        derived = cls(origin, sequence, (), depth=depth, limit=limit)
        derived._finish(stamps_of(entries))
        return derived

    @property
    def is_resolved(self) -> bool:
        """Whether reading costs nothing and keeps no other clock alive."""
        return self.stamps is not None

    def clock(self) -> VectorClock:
        """The clock for people."""
        return VectorClock.sharing(self.entries())

    def entries(self) -> dict[NodeId, int]:
        """All entries, in a mapping of their own."""
        return {stamp[2]: stamp[0] for _, stamp in self.resolve()}

    def find(self, key: Key) -> Stamp | None:
        """The entry of one origin."""
        return self.resolve().get(key)

    def sequence_of(self, key: Key) -> int:
        """The last message of one origin, 0 for none."""
        stamp = self.resolve().get(key)
        return stamp[0] if stamp is not None else 0

    def resolve(self) -> Stamps:
        """Work the clock out, and first what it still depends on, without recursion."""
        if self.stamps is not None:
            return self.stamps
        pending = [self]
        while pending:
            cell = pending[-1]
            unresolved = [source for source in cell.sources if source.stamps is None]
            if unresolved:
                pending.extend(unresolved)
                continue
            pending.pop()
            if cell.stamps is None:
                cell.merge_sources()
        assert self.stamps is not None
        return self.stamps

    def merge_sources(self) -> None:
        """Merge sources that are worked out.

        The predecessor, which comes last, has nothing that the others lack if its message is in the past of
        one of them. It mostly is, and being old it would differ from them nearly everywhere.
        """
        known = [source.stamps or NO_STAMPS for source in self.sources]
        if len(known) > 1:
            sequence, _, origin = self.sources[-1].stamp
            key = origin.key
            if any((stamp := other.get(key)) is not None and stamp[0] >= sequence for other in known[:-1]):
                known.pop()
        first, *others = known or (NO_STAMPS,)
        self._finish(first.merge(*others))

    def _finish(self, past: Stamps) -> None:
        """Add the own message to its past; its origin goes last of all, since nothing there is deeper."""
        self.stamps = past.put(self.stamp[2].key, self.stamp).cut(self._limit)
        self.sources = ()
