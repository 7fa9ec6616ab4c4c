"""The hold-back queue: messages that were received and wait for their past.

Every origin knows who waits for which of its messages, so that a delivery sets free whoever waited for it and
nobody else is looked at.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from .config import Config
from .identity import Address, Key, NodeId, key_of
from .messages import KeyDot, Range, Rumor

__all__ = ["HELD_OVERHEAD_SIZE", "WAITER_LIMIT", "Held", "HoldBack", "Origin"]

WAITER_LIMIT = 65_536
"""Dependencies waited for at the most, over all held messages, some 250 bytes each. A hostile message may
name a hundred; where fifty nodes send at one instant an honest one names 49, and hundreds of them have to
fit while one of the first is lost again and again."""

STALE_SHARE = 2
STALE_SPARE = 64
"""The heap by depth is made anew when it is longer than this many times the queue and this many more: each
message that comes in pays for a few entries of it at the most. A choice."""

HELD_OVERHEAD_SIZE = 500
"""Bytes a held message is counted with beside its payload: a guess on the safe side."""


class Held:
    """A message that waits for its past, or for its clock."""

    __slots__ = ("anchor", "dot", "from_history", "key", "missing", "past", "received_at", "rumor", "source")

    def __init__(
        self, rumor: Rumor, key: Key, source: Address, received_at: float, from_history: bool
    ) -> None:
        """Wrap a rumor that came from ``source``."""
        self.rumor = rumor
        self.key = key
        self.dot: KeyDot = (key, rumor.sequence)
        """Its dot as it travels."""
        self.past = ((key, rumor.sequence - 1), *rumor.parents) if rumor.sequence > 1 else rumor.parents
        """Its predecessor and its parents."""
        self.source = source
        self.received_at = received_at
        self.from_history = from_history
        self.missing = 0
        """Dots it waits for."""
        self.anchor: dict[Key, tuple[int, int]] | None = None
        """Its full clock, sequence and depth by keys, if somebody sent it."""

    @property
    def size(self) -> int:
        """Bytes it is counted with."""
        return HELD_OVERHEAD_SIZE + len(self.rumor.payload)


class Origin:
    """What is known of one origin's messages."""

    __slots__ = ("depth", "floor", "held", "id", "is_recalled", "key", "pulled", "waiters")

    def __init__(self, key: Key) -> None:
        """Know nothing but the key."""
        self.key = key
        self.id: NodeId | None = None
        """None while only its key was named; known once anything of it was received or is below the floor."""
        self.floor = 0
        """Everything up to this sequence is delivered, or below the baseline."""
        self.depth = 0
        """Of the message at the floor."""
        self.is_recalled = False
        """Whether the origin was forgotten and the floor is only what was counted as had since: more may
        have been delivered."""
        self.held: dict[int, Held] = {}
        self.pulled: dict[int, Rumor] = {}
        """Messages whose payloads are coming in: nobody needs to send them once more."""
        self.waiters: dict[int, dict[Held, None]] = {}
        """Who waits for which of this origin's messages; any one of many leaves at once."""

    @property
    def is_blank(self) -> bool:
        """Whether forgetting it loses nothing."""
        return not (self.floor or self.held or self.pulled or self.waiters)

    def rank(self) -> tuple[int, NodeId | None]:
        """Origins are forgotten in this order."""
        return self.depth, self.id

    def missing_ranges(self, limit: int) -> list[Range]:
        """The holes up to the last message somebody waits for, lowest first, at most ``limit`` ranges."""
        if not self.waiters:
            return []
        ranges: list[Range] = []
        low = self.floor + 1
        last = max(self.waiters)
        here = sorted(s for s in {*self.held, *self.pulled} if low <= s <= last)
        for sequence in [*here, last + 1]:
            if low < sequence:
                ranges.append(Range(self.key, low, sequence - 1))
                if len(ranges) == limit:
                    break
            low = sequence + 1
        return ranges

    @property
    def received_floor(self) -> int:
        """Up to here nothing of this origin is asked for: it is delivered, coming in, or waits for others.

        A message whose clock alone is missing ends it: if nobody knows that clock any more, it lies within a
        gap.
        """
        floor, pulled = self.floor, self.pulled
        while ((held := self.held.get(floor + 1)) is not None and held.missing) or floor + 1 in pulled:
            floor += 1
        return floor


class HoldBack:
    """Origins with their floors, and the messages above the floors that wait."""

    def __init__(self) -> None:
        """Know no origin and hold nothing."""
        self.origins: dict[Key, Origin] = {}
        self.holding: dict[KeyDot, Held] = {}
        """All held messages, longest waiting first."""
        self.unanchored: dict[KeyDot, Held] = {}
        """Those whose past is delivered but whose parents' clocks are not known here any more."""
        self.size = 0
        """Bytes held."""
        self.waiter_count = 0
        self._by_depth: list[tuple[int, KeyDot]] = []
        """A heap of all held messages, the deepest first, and of some that left the queue since."""

    def missing_of(self, held: Held) -> list[KeyDot]:
        """What a message still waits for."""
        origins = self.origins
        missing = []
        for dot in held.past:
            origin = origins.get(dot[0])
            if origin is None or dot[1] > origin.floor:
                missing.append(dot)
        return missing

    def name(self, node: NodeId) -> Origin:
        """The origin of this name, known by it from now on."""
        origin = self.origin(key_of(node))
        origin.id = node
        return origin

    def origin(self, key: Key) -> Origin:
        """The origin with this key, a blank one if it was not known."""
        origin = self.origins.get(key)
        if origin is None:
            origin = self.origins[key] = Origin(key)
        return origin

    def is_full_for(self, held: Held, waits: int, config: Config) -> bool:
        """Whether one more message that waits for so many others would be too much."""
        return (
            len(self.holding) >= config.hold_back_limit
            or self.size + held.size > config.hold_back_size_limit
            or self.waiter_count + waits > WAITER_LIMIT
        )

    def hold(self, held: Held, missing: list[KeyDot]) -> None:
        """Put a message into the queue until what is missing was delivered."""
        self.name(held.rumor.origin).held[held.rumor.sequence] = held
        self.holding[held.dot] = held
        self.size += held.size
        held.missing = len(missing)
        self.waiter_count += len(missing)
        for key, sequence in missing:
            self.origin(key).waiters.setdefault(sequence, {})[held] = None
        heappush(self._by_depth, (-held.rumor.depth, held.dot))
        if len(self._by_depth) > STALE_SHARE * len(self.holding) + STALE_SPARE:
            self._by_depth = [(-one.rumor.depth, dot) for dot, one in self.holding.items()]
            heapify(self._by_depth)

    def deepest(self) -> Held | None:
        """The deepest held message, for which no other one waits; None if nothing is held."""
        by_depth = self._by_depth
        while by_depth:
            depth, dot = by_depth[0]
            held = self.holding.get(dot)
            if held is not None and held.rumor.depth == -depth:
                return held
            heappop(by_depth)
        return None

    def release(self, held: Held) -> None:
        """Take a message that waits for nothing more out of the queue."""
        if self.holding.pop(held.dot, None) is None:
            return
        self.size -= held.size
        self.unanchored.pop(held.dot, None)
        self.origins[held.key].held.pop(held.rumor.sequence, None)
        if not self.holding:
            self._by_depth.clear()

    def drop(self, held: Held) -> None:
        """Take a message out of the queue and out of the lists of those it waits for."""
        for key, sequence in held.past:
            origin = self.origins.get(key)
            waiting = origin.waiters.get(sequence) if origin is not None else None
            if origin is None or waiting is None or held not in waiting:
                continue
            del waiting[held]
            self.waiter_count -= 1
            if not waiting:
                del origin.waiters[sequence]
                self.forget_if_blank(key)
        self.release(held)
        self.forget_if_blank(held.key)

    def forget_if_blank(self, key: Key) -> None:
        """Forget an origin of which there is nothing."""
        origin = self.origins.get(key)
        if origin is not None and origin.is_blank:
            del self.origins[key]

    def set_free(self, origin: Origin, sequence: int) -> list[Held]:
        """Those that waited for this message and now wait for nothing; they are still in the queue."""
        freed = []
        waiting = origin.waiters.pop(sequence, ())
        self.waiter_count -= len(waiting)
        for held in waiting:
            held.missing -= 1
            if not held.missing:
                freed.append(held)
        return freed

    def check(self) -> None:
        """Verify every invariant; for tests."""
        assert self.size == sum(held.size for held in self.holding.values())
        assert self.waiter_count == sum(len(w) for o in self.origins.values() for w in o.waiters.values())
        assert len(self.holding) == sum(len(origin.held) for origin in self.origins.values())
        assert set(self.unanchored) <= set(self.holding)
        for origin in self.origins.values():
            assert not origin.is_blank
            assert origin.id is not None or not origin.floor
            assert all(sequence > origin.floor for sequence in (*origin.held, *origin.waiters))
        for held in self.holding.values():
            assert held.missing == len(self.missing_of(held))
            assert held.missing or held.dot in self.unanchored
        by_depth = self._by_depth
        assert {(-held.rumor.depth, dot) for dot, held in self.holding.items()} <= set(by_depth)
        assert self.holding or not by_depth
