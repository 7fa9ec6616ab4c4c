"""What a node retains: a suffix of its own delivery order.

Whatever is evicted is therefore a down-closed prefix, which one number per origin and one frontier describe.
Readers, repair and late joiners are all served from here; positions are a running count of deliveries that
starts at 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .derived import DerivedClock
from .frontier import Frontier
from .identity import Dot, Key
from .messages import DeepDot, KeyDot, Message, Rumor

__all__ = ["OVERHEAD_SIZE", "Log", "Retained"]

OVERHEAD_SIZE = 700
"""Bytes that a retained message costs beside its payload: objects and index entries, measured with
tracemalloc."""


class Retained:
    """One message with what repair needs to know of it."""

    __slots__ = ("derived", "dot", "index", "is_exact", "key", "message", "past")

    def __init__(
        self, index: int, key: Key, past: tuple[KeyDot, ...], message: Message, derived: DerivedClock
    ) -> None:
        """Tie a delivered message to its place, to its predecessor and parents, and to its clock."""
        self.index = index
        self.key = key
        self.dot: KeyDot = (key, message.id.sequence)
        """The same for everybody who refers to it: a message comes with copies of its own."""
        self.past = past
        """As they travel: its predecessor, if it has one, and its parents."""
        self.message = message
        self.derived = derived
        self.is_exact = True
        """Whether the clock is exact; False for a message delivered late, whose past was not here."""

    @property
    def parents(self) -> tuple[KeyDot, ...]:
        """Its parents as they travel, without its predecessor."""
        return self.past[1:] if self.message.id.sequence > 1 else self.past

    @property
    def size(self) -> int:
        """Bytes it is counted with."""
        return OVERHEAD_SIZE + len(self.message.payload)

    def rumor(self, hops: int) -> Rumor:
        """The message as it travels on from here."""
        message = self.message
        origin, sequence = message.id
        return Rumor(origin, sequence, message.depth, message.created_at, self.parents, message.payload, hops)


class Log:
    """Retained messages by position and by dot, and the prefix that is not retained."""

    def __init__(self, count_limit: int, size_limit: int) -> None:
        """Retain at most so many messages and bytes; the newest one always stays."""
        self.count_limit = count_limit
        self.size_limit = size_limit
        self.first = 1
        """Position of the oldest retained message."""
        self.next = 1
        """Position that the next delivery will get; ``first`` to ``next - 1`` are retained."""
        self.size = 0
        """Bytes retained."""
        self.evicted: dict[Key, int] = {}
        """The last sequence of each origin in the prefix that is not retained (or was before this node's
        time), but for origins that are forgotten."""
        self.evicted_depths: dict[Key, int] = {}
        """The depths of those messages."""
        self.evicted_frontier = Frontier()
        self.evicted_depth = 0
        self.evicted_count = 0
        """Messages in that prefix: the sum of ``evicted``, and those of forgotten origins."""
        self.forgotten_count = 0
        """Messages of forgotten origins."""
        self.adoptions = 0
        """How often a sponsor's prefix was taken over."""
        self.version = 0
        """Grows with every change of the prefix or of what is known of it."""
        self._retained_of: dict[Key, int] = {}
        """How many messages of each origin are retained."""
        self._entries: dict[int, Retained] = {}
        self._by_dot: dict[KeyDot, Retained] = {}

    def __len__(self) -> int:
        return self.next - self.first

    def append(self, key: Key, past: tuple[KeyDot, ...], message: Message, derived: DerivedClock) -> Retained:
        """Take the newest delivery in; eviction is a step of its own."""
        entry = Retained(self.next, key, past, message, derived)
        self._entries[self.next] = entry
        self._by_dot[entry.dot] = entry
        self._retained_of[key] = self._retained_of.get(key, 0) + 1
        self.next += 1
        self.size += entry.size
        return entry

    def retains_any_of(self, key: Key) -> bool:
        """Whether a message of this origin is retained."""
        return key in self._retained_of

    def find(self, dot: KeyDot) -> Retained | None:
        """The retained message of this dot."""
        return self._by_dot.get(dot)

    def at(self, index: int) -> Retained:
        """The retained message at a position.

        Raises:
            KeyError: Nothing is retained there.
        """
        return self._entries[index]

    def message(self, index: int) -> Message:
        """The message at a position from ``first`` to ``next - 1``.

        Raises:
            KeyError: It is not retained there.
        """
        return self._entries[index].message

    def page(self, start: int, limit: int) -> tuple[int, list[Message]]:
        """The newest ``limit`` messages from position ``start`` on, and the position of the first of them."""
        first = max(start, self.first, self.next - limit)
        entries = self._entries
        return first, [entries[index].message for index in range(first, self.next)]

    def index_of(self, dot: Dot) -> int | None:
        """The position of a message, None if it is not retained."""
        entry = self._by_dot.get((dot.origin.key, dot.sequence))
        return entry.index if entry is not None else None

    @property
    def is_too_large(self) -> bool:
        """Whether the oldest message has to go."""
        count = self.next - self.first
        return (count > self.count_limit or self.size > self.size_limit) and count > 1

    def evict(self) -> Retained:
        """Drop the oldest message into the prefix and return it."""
        entry = self._entries.pop(self.first)
        self.first += 1
        self.version += 1
        self.size -= entry.size
        key, sequence = entry.key, entry.message.id.sequence
        del self._by_dot[(key, sequence)]
        left = self._retained_of.pop(key) - 1
        if left:
            self._retained_of[key] = left
        if sequence > self.evicted.get(key, 0):
            self.evicted_count += sequence - self.evicted.get(key, 0)
            self.evicted[key] = sequence
            self.evicted_depths[key] = entry.message.depth
            self.evicted_frontier.advance(key, sequence, entry.parents)
            self.evicted_depth = max(self.evicted_depth, entry.message.depth)
        return entry

    def adopt(
        self, entries: Iterable[DeepDot], frontier: Iterable[KeyDot], depth: int, forgotten_count: int = 0
    ) -> None:
        """Take over a sponsor's prefix: what is in it is not delivered here and can't be had from here."""
        self.adoptions += 1
        depths = {key: (sequence, depth) for key, sequence, depth in entries}
        theirs = {key: sequence for key, (sequence, _) in depths.items()}
        mine = self.evicted
        self.version += 1
        self.evicted_frontier.unite(frontier, lookup(mine), lookup(theirs))
        for key, sequence in theirs.items():
            if sequence > mine.get(key, 0):
                self.evicted_count += sequence - mine.get(key, 0)
                mine[key] = sequence
                self.evicted_depths[key] = depths[key][1]
        more = max(0, forgotten_count - self.forgotten_count)
        self.forgotten_count += more
        self.evicted_count += more
        self.evicted_depth = max(self.evicted_depth, depth)

    def restore(
        self, first: int, floors: Iterable[DeepDot], frontier: Iterable[KeyDot], depth: int, forgotten: int
    ) -> None:
        """Stand behind a prefix that was saved; the messages after it come by ``append``."""
        self.first = self.next = first
        for key, sequence, deepest in floors:
            self.evicted[key] = sequence
            self.evicted_depths[key] = deepest
        self.evicted_frontier = Frontier(frontier)
        self.evicted_depth = depth
        self.forgotten_count = forgotten
        self.evicted_count = sum(self.evicted.values()) + forgotten

    def forget(self, key: Key) -> None:
        """Forget an origin of which nothing is retained."""
        self.version += 1
        self.forgotten_count += self.evicted.pop(key, 0)
        self.evicted_depths.pop(key, None)

    def recall(self, key: Key, sequence: int, depth: int) -> None:
        """Know again of a forgotten origin that everything up to ``sequence`` is in the prefix."""
        self.version += 1
        self.forgotten_count -= sequence - self.evicted.get(key, 0)
        self.evicted[key] = sequence
        self.evicted_depths[key] = depth

    def check(self) -> None:
        """Verify every invariant; for tests."""
        assert list(self._entries) == list(range(self.first, self.next))
        assert self.size == sum(entry.size for entry in self._entries.values())
        assert len(self._by_dot) == len(self._entries)
        assert self.evicted_count == sum(self.evicted.values()) + self.forgotten_count
        assert self.evicted.keys() == self.evicted_depths.keys()
        assert sum(self._retained_of.values()) == len(self._entries)
        assert all(self.evicted.get(key, 0) >= seq for key, seq in self.evicted_frontier.dots.items())


def lookup(floors: dict[Key, int]) -> Callable[[Key], int]:
    """``floors`` as a function that gives 0 for unknown origins."""
    get = floors.get
    return lambda key: get(key, 0)
