"""The clocks of delivered messages: linked to those of their past, or as somebody sent them."""

from __future__ import annotations

from collections.abc import Mapping

from .derived import DerivedClock
from .hold_back import Held, Origin
from .identity import Key
from .log import Log, Retained
from .messages import KeyDot
from .saved import Entries, SavedPin
from .stamps import Stamp

__all__ = ["Clocks"]


class Clocks:
    """Whose clock is known here, and the clock of whatever is delivered next."""

    def __init__(self, log: Log, origins: dict[Key, Origin], limit: int) -> None:
        """Read ``log`` and ``origins``; clocks have ``limit`` origins at the most."""
        self._log = log
        self._origins = origins
        self._limit = limit
        self.pinned: dict[KeyDot, DerivedClock] = {}
        """Of evicted messages that are maximal still: the next messages will need them."""

    def of(self, dot: KeyDot) -> DerivedClock | None:
        """The clock of a delivered message while it is known here, and known to be exact."""
        entry = self._log.find(dot)
        if entry is None:
            return self.pinned.get(dot)
        return entry.derived if entry.is_exact else None

    def derive(self, held: Held) -> DerivedClock | None:
        """The clock, linked to those of the past or as it was sent; None if it can't be known yet."""
        return self.linked(held) or self.anchored(held)

    def of_everything(self, held: Held) -> DerivedClock:
        """The clock of an own message, whose past is all that is delivered here."""
        return self.derive(held) or self._known_as(
            held, [(o.floor, o.depth, o.id) for o in self._origins.values() if o.floor and o.id is not None]
        )

    def of_late(self, held: Held) -> DerivedClock:
        """What can be known of the clock of a message whose place is within a gap."""
        known = [clock for dot in held.past if (clock := self.of(dot)) is not None]
        return self._over(held, tuple(known))

    def anchored(self, held: Held) -> DerivedClock | None:
        """The clock that came with the message, if every dot of it is delivered or below the baseline."""
        if held.anchor is None:
            return None
        stamps: list[Stamp] = []
        for key, (sequence, depth) in held.anchor.items():
            origin = self._origins.get(key)
            if origin is None or origin.id is None or (sequence > origin.floor and key != held.key):
                held.anchor = None
                return None
            stamps.append((sequence, depth, origin.id))
        return self._known_as(held, stamps)

    def linked(self, held: Held) -> DerivedClock | None:
        """The clock linked to those of parents and predecessor; None if one is not known here any more."""
        sequence = held.rumor.sequence
        sources = []
        for dot in held.rumor.parents:
            derived = self.of(dot)
            if derived is None:
                return None
            sources.append(derived)
        if sequence > 1:
            predecessor = self.of((held.key, sequence - 1))
            if predecessor is not None:
                sources.append(predecessor)
            elif not any(source.sequence_of(held.key) >= sequence - 1 for source in sources):
                return None
        return self._over(held, tuple(sources))

    def _over(self, held: Held, sources: tuple[DerivedClock, ...]) -> DerivedClock:
        rumor = held.rumor
        return DerivedClock(rumor.origin, rumor.sequence, sources, depth=rumor.depth, limit=self._limit)

    def _known_as(self, held: Held, stamps: list[Stamp]) -> DerivedClock:
        rumor = held.rumor
        return DerivedClock.anchored(
            rumor.origin, rumor.sequence, stamps, depth=rumor.depth, limit=self._limit
        )

    def restored(self, held: Held, entries: Entries | None) -> DerivedClock | None:
        """The clock of a message that was saved: as it was saved, or as it follows from those before it."""
        if entries:
            return self._known_as(held, [(sequence, depth, node) for node, sequence, depth in entries])
        return self.linked(held)

    def restore_pin(self, pin: SavedPin, depth: int) -> None:
        """Know a clock again that the next messages will need."""
        stamps = [(sequence, deepest, node) for node, sequence, deepest in pin.entries]
        self.pinned[(pin.origin.key, pin.sequence)] = DerivedClock.anchored(
            pin.origin, pin.sequence, stamps, depth=depth, limit=self._limit
        )

    def retain_pins(self, maximal: Mapping[Key, int]) -> None:
        """Drop the pinned clocks of messages that are maximal no more."""
        for dot in [dot for dot in self.pinned if maximal.get(dot[0]) != dot[1]]:
            del self.pinned[dot]

    def note_delivered(self, held: Held) -> None:
        """What the message followed is maximal no more, and its clock needed no more."""
        if self.pinned:
            for dot in held.past:
                self.pinned.pop(dot, None)

    def note_evicted(self, entry: Retained, *, is_maximal: bool) -> None:
        """Keep the clock of a message that goes, if the next messages will need it.

        It is worked out first: whoever links to it keeps one clock alive and no chain.
        """
        entry.derived.resolve()
        if entry.is_exact and is_maximal:
            self.pinned[(entry.key, entry.message.id.sequence)] = entry.derived
