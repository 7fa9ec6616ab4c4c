"""What a node hands to its application: a message as it was delivered, its clock given on demand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .clock import VectorClock
from .derived import DerivedClock
from .dots import KeyDot
from .identity import Dot, NodeId

__all__ = ["Message"]


class Message:
    """A message as it was delivered: once, and after everything that happened before it.

    Its clock is derived from its parents' clocks when it is first read.
    """

    __slots__ = (
        "_derived",
        "_named",
        "_parents",
        "created_at",
        "delivered_at",
        "depth",
        "from_history",
        "hops",
        "id",
        "late",
        "payload",
    )

    id: Dot
    payload: bytes
    depth: int
    """One more than the largest depth its origin knew (a Lamport number)."""
    created_at: float
    """Unix seconds by the origin's clock."""
    delivered_at: float
    """Unix seconds by this node's clock."""
    hops: int
    """How many nodes passed it on before it came here; 0 for what the origin sent itself, own messages
    included."""
    from_history: bool
    """Whether it came with the history that a sponsor sent on joining or after a gap."""
    late: bool
    """Whether it was delivered after a gap had been declared over its place: not in causal order."""

    def __init__(
        self,
        id: Dot,  # noqa: A002 - the public attribute's name
        payload: bytes,
        *,
        parents: tuple[KeyDot, ...] | tuple[Dot, ...],
        named: Callable[[Any], tuple[Dot, ...]] = tuple,
        depth: int,
        derived: DerivedClock,
        created_at: float,
        delivered_at: float,
        hops: int = 0,
        from_history: bool = False,
        late: bool = False,
    ) -> None:
        self.id = id
        self.payload = payload
        self._parents = parents
        self._named = named
        self.depth = depth
        self.created_at = created_at
        self.delivered_at = delivered_at
        self.hops = hops
        self.from_history = from_history
        self.late = late
        self._derived = derived

    @property
    def text(self) -> str:
        """The payload as UTF-8, U+FFFD where it is none; ``printable`` makes it safe for a terminal."""
        return self.payload.decode("utf-8", "replace")

    @property
    def parents(self) -> tuple[Dot, ...]:
        """The origin's previous message, if any, and the other maximal dots it had delivered by then."""
        named = self._named(self._parents)
        if len(named) == len(self._parents):
            return named
        return self._named_by_clock()

    def _named_by_clock(self) -> tuple[Dot, ...]:
        """The parents, where the node has forgotten an origin that the clock still names."""
        parents: list[Dot] = []
        for dot in self._parents:
            stamp = None if isinstance(dot, Dot) else self._derived.find(dot[0])
            if stamp is not None:
                parents.append(Dot(stamp[2], dot[1]))
            else:
                parents += self._named((dot,))
        return tuple(parents)

    @property
    def clock(self) -> VectorClock:
        """Every message that happened before this one, and itself: the last sequence of each origin.

        Of the ``clock_limit`` origins whose last message has the largest (depth, origin), the same on every
        node; an origin not in it is either unknown to this message or has been silent for long.
        """
        return self._derived.clock()

    @property
    def order(self) -> tuple[int, NodeId, int]:
        """Sorting by this gives the display order: it extends happened-before and is equal on all nodes."""
        return (self.depth, self.id.origin, self.id.sequence)

    def happened_before(self, other: Message) -> bool:
        """Whether the origin of ``other`` had delivered this message when it sent ``other``."""
        origin, sequence = self.id
        return self.id != other.id and other._derived.sequence_of(origin.key) >= sequence

    def is_concurrent_with(self, other: Message) -> bool:
        """Whether neither happened before the other; no message is concurrent with itself."""
        return self.id != other.id and not self.happened_before(other) and not other.happened_before(self)

    def __repr__(self) -> str:
        return f"<Message {self.id} {self.payload[:32]!r} depth {self.depth}>"
