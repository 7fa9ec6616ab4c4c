"""Vector clocks: which messages of which origin had been delivered when a message was made.

Sources: Fidge, *Timestamps in Message-Passing Systems That Preserve the Partial Ordering*, 1988; Mattern,
*Virtual Time and Global States of Distributed Systems*, 1989. Only the origin ticks its own entry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import TypeVar, overload

from .identity import NodeId

__all__ = ["Ordering", "VectorClock"]

T = TypeVar("T")


class Ordering(StrEnum):
    """How two clocks stand to each other under happened-before."""

    BEFORE = "before"
    AFTER = "after"
    EQUAL = "equal"
    CONCURRENT = "concurrent"


class VectorClock(Mapping[NodeId, int]):
    """An immutable mapping of origin to the last sequence number known; an absent origin counts as 0.

    ``clock["p1"]`` works while one origin of that name is in it.

    >>> a, b = NodeId("a", 1), NodeId("b", 2)
    >>> VectorClock({a: 1}).compare(VectorClock({a: 1, b: 1}))
    <Ordering.BEFORE: 'before'>
    >>> VectorClock({a: 1}).merge(VectorClock({b: 4})).by_name()
    {'a': 1, 'b': 4}
    """

    __slots__ = ("_entries",)

    def __init__(self, entries: Mapping[NodeId, int] | None = None) -> None:
        """Take a copy of ``entries``, which map origins to sequence numbers of at least 1.

        Raises:
            ValueError: A sequence number is below 1.
        """
        self._entries: dict[NodeId, int] = dict(entries or {})
        if any(sequence < 1 for sequence in self._entries.values()):
            raise ValueError("the sequence numbers of a clock start at 1; leave an origin out instead of 0")

    @classmethod
    def sharing(cls, entries: dict[NodeId, int]) -> VectorClock:
        """A clock over ``entries`` themselves, unchecked; the caller promises never to change them."""
        clock = cls.__new__(cls)
        clock._entries = entries  # noqa: SLF001 - a constructor of its own class
        return clock

    def __getitem__(self, origin: NodeId | str) -> int:
        if isinstance(origin, NodeId):
            return self._entries[origin]
        found = [sequence for node, sequence in self._entries.items() if node.name == origin]
        if len(found) != 1:
            raise KeyError(f"{len(found)} origins of this clock are named {origin!r}")
        return found[0]

    @overload
    def get(self, origin: NodeId | str, /) -> int | None: ...
    @overload
    def get(self, origin: NodeId | str, /, default: T) -> int | T: ...
    def get(self, origin: NodeId | str, /, default: T | None = None) -> int | T | None:
        """The sequence number of an origin, by id or by a name that is unique here; else ``default``."""
        try:
            return self[origin]
        except KeyError:
            return default

    def __iter__(self) -> Iterator[NodeId]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, origin: object) -> bool:
        if isinstance(origin, NodeId):
            return origin in self._entries
        return isinstance(origin, str) and sum(node.name == origin for node in self._entries) == 1

    def __eq__(self, other: object) -> bool:
        return self._entries == other._entries if isinstance(other, VectorClock) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._entries.items()))

    def __repr__(self) -> str:
        return f"VectorClock({self})"

    def __str__(self) -> str:
        return "{" + " ".join(f"{label}:{sequence}" for label, sequence in self.by_name().items()) + "}"

    def merge(self, other: VectorClock) -> VectorClock:
        """The least clock that dominates both: the larger number of every origin in either."""
        merged = dict(self._entries)
        for origin, sequence in other._entries.items():
            if sequence > merged.get(origin, 0):
                merged[origin] = sequence
        return VectorClock(merged)

    def advance(self, origin: NodeId) -> VectorClock:
        """This clock with the entry of ``origin`` one higher."""
        return VectorClock({**self._entries, origin: self._entries.get(origin, 0) + 1})

    def dominates(self, other: VectorClock) -> bool:
        """Whether every entry is at least as large as in ``other``; a clock dominates itself."""
        entries = self._entries
        return all(entries.get(origin, 0) >= sequence for origin, sequence in other._entries.items())

    def compare(self, other: VectorClock) -> Ordering:
        """BEFORE if ``other`` has seen all of this and more, AFTER the other way round, or neither."""
        above, below = self.dominates(other), other.dominates(self)
        if above and below:
            return Ordering.EQUAL
        if above:
            return Ordering.AFTER
        return Ordering.BEFORE if below else Ordering.CONCURRENT

    def by_name(self) -> dict[str, int]:
        """The clock for people, sorted by label, the same text on every node.

        An origin is labelled with its bare name, or with ``name~tag`` where two of that name are in this
        clock.
        """
        labels = self.labels()
        return dict(sorted((labels[origin], sequence) for origin, sequence in self._entries.items()))

    def labels(self) -> dict[NodeId, str]:
        """The label that ``by_name`` gives to each origin; no two share one."""
        named = Counter(origin.name for origin in self._entries)
        labels = {
            origin: origin.name if named[origin.name] == 1 else origin.label for origin in self._entries
        }
        if len(set(labels.values())) < len(labels):
            return {origin: str(origin) for origin in self._entries}
        return labels
