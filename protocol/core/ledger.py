"""What of a node is not saved yet: the deliveries since, and now and then a new prefix.

What was saved stays as it is: messages are added at one end and, a quarter of the log at a time, taken away
at the other. Whoever saves asks for the news, writes them as one, and confirms.
"""

from __future__ import annotations

from collections.abc import Iterable

from .causal import CausalOrder
from .derived import DerivedClock
from .log import OVERHEAD_SIZE, Retained
from .messages import COUNT_LIMIT
from .saved import Entries, Saved, SavedClock, SavedMessage, SavedPin, SavedPrefix

__all__ = ["Ledger", "News"]

SURPLUS_SHARE = 4
"""What is evicted may stay saved until it is one part in so many of what is retained: each new prefix costs a
look at all retained messages, which should be rare."""

SURPLUS_SIZE = 64 * 1024
"""The same in bytes for short logs, which would have a new prefix with every message else."""


class News:
    """Deliveries to be saved, and a prefix that replaces the one saved before, if any."""

    __slots__ = ("adoptions", "clocks", "messages", "next", "prefix", "size")

    def __init__(self) -> None:
        """Begin with nothing."""
        self.messages: list[SavedMessage] = []
        self.clocks: list[SavedClock] = []
        self.prefix: SavedPrefix | None = None
        self.next = 1
        self.size = 0
        self.adoptions = 0


class Ledger:
    """How far one node's log is saved."""

    def __init__(self, causal: CausalOrder) -> None:
        """Nothing of ``causal`` is saved."""
        self._causal = causal
        self._next = 0
        """The first position that is not saved; 0 as long as there is not even a prefix."""
        self._size = 0
        """Bytes of the messages that are saved, those evicted since included."""
        self._adoptions = 0
        self._with_clock: set[int] = set()
        """Positions whose clocks are saved."""

    def resume(self, saved: Saved) -> None:
        """Take it that all this is saved already: the node was restored from it."""
        self._next = saved.next
        self._size = sum(OVERHEAD_SIZE + len(message.payload) for message in saved.messages)
        self._adoptions = self._causal.log.adoptions
        self._with_clock = {clock.position for clock in saved.clocks}

    @property
    def is_behind(self) -> bool:
        """Whether anything was delivered or given up since the last confirmation."""
        log = self._causal.log
        return log.next != self._next or log.adoptions != self._adoptions

    def news(self) -> News:
        """What is to be saved now; the same again until it is confirmed."""
        log, news = self._causal.log, News()
        start = max(self._next, log.first)
        news.next, news.adoptions = log.next, log.adoptions
        news.size = self._size + sum(log.at(position).size for position in range(start, log.next))
        surplus = news.size - log.size
        is_due = surplus > max(SURPLUS_SIZE, log.size // SURPLUS_SHARE)
        if is_due or not self._next or self._next < log.first or log.adoptions != self._adoptions:
            news.prefix = self._prefix()
            news.size = log.size
            news.clocks = self._clocks(log.at(position) for position in range(log.first, start))
        fresh = [log.at(position) for position in range(start, log.next)]
        news.messages = [saved_message(entry) for entry in fresh]
        news.clocks += self._clocks(fresh)
        return news

    def confirm(self, news: News) -> None:
        """Take it that ``news``, the newest there were, are saved."""
        self._next = news.next
        self._size = news.size
        self._adoptions = news.adoptions
        self._with_clock.update(clock.position for clock in news.clocks)
        if news.prefix is not None:
            first = news.prefix.first
            self._with_clock = {position for position in self._with_clock if position >= first}

    def _prefix(self) -> SavedPrefix:
        causal, log = self._causal, self._causal.log
        known = [
            (origin, (origin.id, log.evicted[key], log.evicted_depths[key]))
            for key, origin in causal.origins.items()
            if origin.id is not None and log.evicted.get(key)
        ]
        named = [floor for origin, floor in known if not origin.is_recalled]
        recalled = sum(sequence for origin, (_, sequence, _) in known if origin.is_recalled)
        pins = []
        for (key, sequence), derived in causal.pins.items():
            node = causal.origins[key].id
            if node is not None:
                pins.append(SavedPin(node, sequence, entries_of(derived)))
        frontier = tuple(log.evicted_frontier.dots.items())
        return SavedPrefix(
            log.first,
            tuple(named),
            frontier,
            log.evicted_depth,
            tuple(pins),
            causal.memory.horizon,
            min(log.forgotten_count + recalled, COUNT_LIMIT),
        )

    def _clocks(self, entries: Iterable[Retained]) -> list[SavedClock]:
        """The clocks that can't be worked out from what is saved, and are not saved themselves."""
        causal, known = self._causal, self._with_clock
        return [
            SavedClock(entry.index, entries_of(entry.derived))
            for entry in entries
            if entry.index not in known and not causal.is_derivable(entry)
        ]


def saved_message(entry: Retained) -> SavedMessage:
    """A retained message as it is saved."""
    message = entry.message
    origin, sequence = message.id
    return SavedMessage(
        entry.index, origin, sequence, message.depth, message.created_at, message.delivered_at,
        message.hops, message.from_history, message.late, entry.is_exact, entry.parents, message.payload,
    )  # fmt: skip


def entries_of(derived: DerivedClock) -> Entries:
    """A clock as it is saved."""
    return tuple([(node, sequence, depth) for _, (sequence, depth, node) in derived.resolve()])
