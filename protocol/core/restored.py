"""Standing again where a node stood that was saved: the prefix, the messages after it, and their clocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .delivered import DeliveredSet
from .frontier import Frontier
from .hold_back import Held, Origin
from .identity import Address, Dot, Key
from .log import lookup
from .messages import Message, Rumor
from .saved import Entries, SavedClock, SavedMessage, SavedPrefix

__all__ = ["RestoredSet"]


class RestoredSet(DeliveredSet):
    """A delivered set that may begin with what was saved of another."""

    def restore(
        self, prefix: SavedPrefix, messages: Iterable[SavedMessage], clocks: Iterable[SavedClock]
    ) -> None:
        """Stand where a node stood that saved this: nothing is told, and nothing was delivered here yet."""
        for node, sequence, depth in prefix.floors:
            self.memory.raise_floor(self.queue.name(node), sequence, depth)
        self.memory.restore(prefix.horizon, prefix.forgotten)
        deep = [(node.key, sequence, depth) for node, sequence, depth in prefix.floors]
        self.log.restore(prefix.first, deep, prefix.frontier, prefix.depth, prefix.forgotten)
        self.frontier = Frontier(prefix.frontier)
        depths = {key: depth for key, _, depth in deep}
        for pin in prefix.pins:
            self.clocks.restore_pin(pin, depths.get(pin.origin.key, 0))
        known = dict(clocks)
        self._delivered_depth = prefix.depth
        within = lookup({key: sequence for key, sequence, _ in deep})
        for saved in messages:
            self._restore_message(saved, known.get(saved.position), within)
        self.depth = self._delivered_depth
        self.clocks.retain_pins(self.frontier.dots)

    def disown(self, key: Key, first: int) -> None:
        """Own messages from a number on are others elsewhere: they were said under numbers already used.

        What others say of these dots is of those others: their clocks come from elsewhere, their depths count
        for nothing here, and what they followed is maximal again in their place.
        """
        dots, floor = self.frontier.dots, self.memory.floor
        if dots.get(key, 0) >= first:
            del dots[key]
            if first > 1:
                dots[key] = first - 1
        for sequence in range(max(first, self.log.evicted.get(key, 0) + 1), floor(key) + 1):
            entry = self.log.find((key, sequence))
            if entry is None:
                continue
            entry.is_exact = False
            dots.update(dot for dot in entry.parents if floor(dot[0]) == dot[1])
        self.clocks.retain_pins(dots)

    def _restore_message(
        self, saved: SavedMessage, entries: Entries | None, prefix: Callable[[Key], int]
    ) -> None:
        origin, sequence, key = saved.origin, saved.sequence, saved.origin.key
        rumor = Rumor(
            origin, sequence, saved.depth, saved.created_at, saved.parents, saved.payload, saved.hops
        )
        held = Held(rumor, key, Address("", 0), 0.0, saved.from_history)
        known = self.clocks.restored(held, entries)
        derived = known or self.clocks.of_late(held)
        message = Message(
            Dot(origin, sequence),
            saved.payload,
            parents=held.past,
            named=self._named,
            depth=saved.depth,
            derived=derived,
            created_at=saved.created_at,
            delivered_at=saved.delivered_at,
            hops=saved.hops,
            from_history=saved.from_history,
            late=saved.late,
        )
        entry = self.log.append(key, held.past, message, derived)
        entry.is_exact = saved.is_exact and known is not None
        known_origin = self.queue.name(origin)
        if sequence > known_origin.floor + 1:  # forgotten when the prefix was saved, and recalled since
            self._count_as_had(known_origin, sequence - 1, saved.depth)
        self.memory.raise_floor(known_origin, sequence, saved.depth)
        self._delivered_depth = max(self._delivered_depth, saved.depth)
        if sequence > prefix(key):
            self.frontier.advance(key, sequence, saved.parents)

    def _count_as_had(self, origin: Origin, sequence: int, depth: int) -> bool:
        is_evicted = origin.floor == self.log.evicted.get(origin.key, 0)
        if not is_evicted or not self.memory.recall(origin, sequence, depth):
            return False
        self.log.recall(origin.key, sequence, depth)
        return True
