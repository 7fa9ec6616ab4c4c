"""Causal delivery: every message once, and after everything that happened before it.

Per origin one floor says what is delivered; what is above it and lacks its past waits in the hold-back queue
and knows what it waits for. A message is delivered when its predecessor and all its parents are. Bounded in
count, bytes and waiting time; nothing here sends anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum

from .config import Config
from .derived import DerivedClock
from .events import Delivered, Gap, Undeliverable
from .frontier import Frontier
from .hold_back import Held, HoldBack
from .identity import Address, Dot, Key, NodeId, key_of
from .log import Log, Retained, lookup
from .messages import KeyDot, Message, Rumor, passed_on
from .outbox import Outbox
from .saved import SavedClock, SavedMessage, SavedPrefix

__all__ = ["DEPTH_WINDOW", "SEQUENCE_WINDOW", "CausalOrder", "Reception"]

SEQUENCE_WINDOW = 4_096
"""Sequences above the floor that are held at all: what a busy origin sends while a hole is repaired. What is
further away comes through anti-entropy, which goes upwards from the floor."""

FRONTIER_LIMIT = 4_096
"""Messages concurrent with each other at the most. What comes from origins never heard of beyond that is
refused until anybody's message joins them: nobody can make a message carry more parents than can travel."""

LARGEST_DEPTH = 1 << 52
"""What no baseline may exceed: half of what travels, so that there is room above it."""

DEPTH_WINDOW = 1 << 20
"""How far above the own largest depth a message may be: a partition's worth, so that nobody can use the range
up."""


class Reception(StrEnum):
    """What became of a rumor."""

    NEW = "new"
    DUPLICATE = "duplicate"
    TOO_FAR = "too far ahead"
    TOO_WIDE = "too many concurrent"
    BAD_DEPTH = "depth"
    NO_ROOM = "hold-back full"
    NO_ASSEMBLY = "assemblies full"


class CausalOrder:
    """The delivered set, its frontier, the retained log and the hold-back queue of one node."""

    def __init__(self, config: Config) -> None:
        """Start with nothing delivered."""
        self.config = config
        self.log = Log(config.history_limit, config.history_size_limit)
        self.frontier = Frontier()
        self.queue = HoldBack()
        self.origins = self.queue.origins
        self.depth = 0
        """The largest depth delivered, or announced by a peer."""
        self.delivered_count = 0
        """Messages at or below the floors, those before this node's time included."""
        self.holding = self.queue.holding
        self.unanchored = self.queue.unanchored
        self.wall_offset = 0.0
        """Unix time minus ``now``."""
        self.pinned: KeyDot | None = None
        """An own message that must not be evicted yet, since nobody else has it."""
        self._pinned_clocks: dict[KeyDot, DerivedClock] = {}
        self._named = self.public_dots
        self._delivered_depth = 0
        """The largest depth delivered. Announcements may go beyond it by half a window only, so that nobody
        can talk a node into depths that others refuse."""

    # questions

    def floor(self, key: Key) -> int:
        """The last sequence of this origin that is delivered or below the baseline; 0 for none."""
        origin = self.origins.get(key)
        return origin.floor if origin is not None else 0

    def is_delivered(self, dot: KeyDot) -> bool:
        """Whether the message is delivered, or below the baseline."""
        origin = self.origins.get(dot[0])
        return origin is not None and dot[1] <= origin.floor

    def is_known(self, dot: KeyDot) -> bool:
        """Whether the message is delivered, below the baseline, or held back."""
        origin = self.origins.get(dot[0])
        return origin is not None and (dot[1] <= origin.floor or dot[1] in origin.held)

    def floors(self) -> Iterator[KeyDot]:
        """The floors of all origins that have one."""
        return ((key, origin.floor) for key, origin in self.origins.items() if origin.floor)

    def received_floors(self) -> Iterator[KeyDot]:
        """Up to where everything of an origin is here, for all origins of which there is anything."""
        for key, origin in self.origins.items():
            floor = origin.received_floor if origin.held or origin.pulled else origin.floor
            if floor:
                yield key, floor

    def public_dot(self, dot: KeyDot) -> Dot | None:
        """The dot with its origin's name, None while the name is not known."""
        origin = self.origins.get(dot[0])
        return Dot(origin.id, dot[1]) if origin is not None and origin.id is not None else None

    def public_dots(self, dots: Iterable[KeyDot]) -> tuple[Dot, ...]:
        """Those of the dots whose origin is known by name."""
        return tuple(public for dot in dots if (public := self.public_dot(dot)) is not None)

    def missing_of(self, held: Held) -> list[KeyDot]:
        """What a message still waits for."""
        return self.queue.missing_of(held)

    def find(self, dot: KeyDot) -> Rumor | None:
        """The message as it travels on, from the log or from the hold-back queue."""
        entry = self.log.find(dot)
        if entry is not None:
            return entry.rumor(passed_on(entry.message.hops))
        held = self.holding.get(dot)
        if held is not None:
            return held.rumor._replace(hops=passed_on(held.rumor.hops))
        origin = self.origins.get(dot[0])
        pulled = origin.pulled.get(dot[1]) if origin is not None else None
        return pulled._replace(hops=passed_on(pulled.hops)) if pulled is not None else None

    def payload_of(self, dot: KeyDot) -> bytes | None:
        """The payload of a message in the log or in the hold-back queue."""
        entry = self.log.find(dot)
        if entry is not None:
            return entry.message.payload
        held = self.holding.get(dot)
        return held.rumor.payload if held is not None else None

    def clock_of(self, dot: KeyDot) -> DerivedClock | None:
        """The clock of a delivered message while it is known here, and known to be exact."""
        entry = self.log.find(dot)
        if entry is None:
            return self._pinned_clocks.get(dot)
        return entry.derived if entry.is_exact else None

    @property
    def deadline(self) -> float:
        """When the longest waiting message has waited too long."""
        for held in self.holding.values():
            return held.received_at + self.config.orphan_timeout
        return float("inf")

    @property
    def pins(self) -> dict[KeyDot, DerivedClock]:
        """The clocks of maximal messages that are not retained."""
        return self._pinned_clocks

    def is_derivable(self, entry: Retained) -> bool:
        """Whether a retained message's clock follows from those of others that are retained or pinned."""
        find, message = self.log.find, entry.message
        sequence = message.id.sequence
        if not entry.is_exact:
            return False
        has_predecessor = sequence == 1 or find((entry.key, sequence - 1)) is not None
        if has_predecessor and all(find(dot) is not None for dot in entry.parents):
            past = (*entry.parents, *([(entry.key, sequence - 1)] if sequence > 1 else ()))
            return all(self.clock_of(dot) is not None for dot in past)
        held = Held(entry.rumor(0), entry.key, Address("", 0), 0.0, from_history=False)
        return self._linked(held) is not None

    # inputs

    def restore(
        self, prefix: SavedPrefix, messages: Iterable[SavedMessage], clocks: Iterable[SavedClock]
    ) -> None:
        """Stand where a node stood that saved this: nothing is told, and nothing was delivered here yet."""
        floors = {node.key: sequence for node, sequence in prefix.floors}
        for node, sequence in prefix.floors:
            self._raise_floor(node, sequence)
        self.log.restore(prefix.first, floors, prefix.frontier, prefix.depth)
        self.frontier = Frontier(prefix.frontier)
        for node, sequence, entries in prefix.pins:
            derived = DerivedClock.anchored(node, sequence, dict(entries))
            self._pinned_clocks[(node.key, sequence)] = derived
        known = {position: dict(entries) for position, entries in clocks}
        self._delivered_depth = prefix.depth
        for saved in messages:
            self._restore_message(saved, known.get(saved.position), lookup(floors))
        self.depth = self._delivered_depth
        self.delivered_count = sum(origin.floor for origin in self.origins.values())
        for dot in [dot for dot in self._pinned_clocks if self.frontier.dots.get(dot[0]) != dot[1]]:
            del self._pinned_clocks[dot]
        self._evict()

    def receive(
        self, rumor: Rumor, source: Address, now: float, out: Outbox, *, from_history: bool = False
    ) -> Reception:
        """Take a rumor in: deliver it and all it sets free, hold it back, or say why not."""
        key = key_of(rumor.origin)
        refusal = self.refusal(rumor, key)
        if refusal is not None:
            return refusal
        held = Held(rumor, key, source, now, from_history)
        missing = self.queue.missing_of(held)
        if not missing:
            self.queue.name(rumor.origin)
            reception = self._deliver_all([held], now, out)
            self.queue.forget_if_blank(key)
            return reception
        if not self._has_room(held, len(missing), now, out):
            return Reception.NO_ROOM
        self.queue.hold(held, missing)
        return Reception.NEW

    def refusal(self, rumor: Rumor, key: Key) -> Reception | None:
        """Why a rumor of the origin ``key`` is not taken in, whatever its past; None if it is."""
        sequence = rumor.sequence
        origin = self.origins.get(key)
        floor = 0
        if origin is not None:
            floor = origin.floor
            if sequence <= floor or sequence in origin.held:
                return Reception.DUPLICATE
        elif len(self.frontier.dots) >= FRONTIER_LIMIT:
            return Reception.TOO_WIDE
        if sequence > floor + SEQUENCE_WINDOW:
            return Reception.TOO_FAR
        return Reception.BAD_DEPTH if rumor.depth > self.depth + DEPTH_WINDOW else None

    def send(self, author: NodeId, payload: bytes, now: float, created_at: float, out: Outbox) -> Retained:
        """Make the author's next message, whose past is all that is delivered here, and deliver it."""
        key = key_of(author)
        origin = self.queue.name(author)
        sequence = origin.floor + 1
        parents = self.frontier.parents_of(key)
        rumor = Rumor(author, sequence, self.depth + 1, created_at, parents, payload, 0)
        held = Held(rumor, key, Address("", 0), now, from_history=False)
        derived = self._derive(held)
        if derived is None:
            entries = {o.id: o.floor for o in self.origins.values() if o.floor and o.id is not None}
            derived = DerivedClock.anchored(author, sequence, entries)
        entry = self._deliver(held, derived, now, out)
        freed = self.queue.set_free(origin, sequence)
        if freed:  # somebody named this message before it was made: a forgery, but held back like any other
            self._deliver_all(freed, now, out)
        return entry

    def begin_pull(self, rumor: Rumor) -> None:
        """The payload of an announced message has begun to come in: the message is not missing any more."""
        self.queue.origin(key_of(rumor.origin)).pulled[rumor.sequence] = rumor

    def is_pulled(self, dot: KeyDot) -> bool:
        """Whether the payload of this message is coming in."""
        origin = self.origins.get(dot[0])
        return origin is not None and dot[1] in origin.pulled

    def end_pull(self, dot: KeyDot) -> None:
        """It is here, or it does not come for the moment."""
        origin = self.origins.get(dot[0])
        if origin is not None and origin.pulled.pop(dot[1], None) is not None:
            self.queue.forget_if_blank(dot[0])

    def anchor(self, dot: KeyDot, entries: Iterable[KeyDot], now: float, out: Outbox) -> bool:
        """Take the full clock of a held message; False if it does not fit what is known."""
        held = self.holding.get(dot)
        if held is None:
            return False
        clock = dict(entries)
        if any(clock.get(key, 0) < sequence for key, sequence in held.past):
            return False
        held.anchor = clock
        if held.missing:
            return True
        self.queue.release(held)
        self._deliver_all([held], now, out)
        return dot not in self.holding

    def announce_depth(self, depth: int) -> None:
        """Hear of a depth in use elsewhere; what is further off than a message may be is not believed."""
        if self.depth < depth <= self._delivered_depth + DEPTH_WINDOW // 2:
            self.depth = depth

    def adopt_baseline(
        self,
        entries: Iterable[tuple[NodeId, int]],
        frontier: Iterable[KeyDot],
        depth: int,
        now: float,
        out: Outbox,
        *,
        is_gap: bool,
    ) -> int:
        """Take over a sponsor's down-closed prefix: its messages count as delivered from now on.

        Held messages within it are delivered marked late, since their past is not here; what is missing for
        good is one ``Gap`` if this node was a member before.

        Returns:
            How many messages were given up.
        """
        named = dict(entries)
        prefix = {key_of(node): sequence for node, sequence in named.items()}
        within = lookup(prefix)
        maximal = tuple(dot for dot in frontier if dot[1] == within(dot[0]))
        late = [held for held in self.holding.values() if held.rumor.sequence <= within(held.key)]
        self.frontier.unite(maximal, self.floor, within)
        self.log.adopt(prefix.items(), maximal, depth)
        self._delivered_depth = max(self._delivered_depth, min(depth, LARGEST_DEPTH))
        self.depth = max(self.depth, self._delivered_depth)
        raised = sum(self._raise_floor(node, sequence) for node, sequence in named.items())
        self.delivered_count += raised
        for held in late:
            self.queue.drop(held)
        for held in sorted(late, key=lambda h: (h.rumor.depth, h.rumor.origin, h.rumor.sequence)):
            self._deliver_late(held, now, out)
        given_up = raised - len(late)
        if is_gap and given_up:
            out.tell(Gap(given_up))
        self._release_all(now, out)
        return given_up

    def on_deadline(self, now: float, out: Outbox) -> int:
        """Give up messages whose past did not come in time; returns how many."""
        count = 0
        while self.deadline <= now:
            self._give_up(next(iter(self.holding.values())), out)
            count += 1
        return count

    # holding back

    def _has_room(self, held: Held, waits: int, now: float, out: Outbox) -> bool:
        """Make room by giving up what waits longest, if that is hopeless by now."""
        while self.queue.is_full_for(held, waits, self.config):
            oldest = next(iter(self.holding.values()), None)
            if oldest is None or now - oldest.received_at < self.config.gap_timeout:
                return False
            self._give_up(oldest, out)
        return True

    def _give_up(self, held: Held, out: Outbox) -> None:
        waits_for = self.public_dots(self.queue.missing_of(held))
        self.queue.drop(held)
        out.tell(Undeliverable(Dot(held.rumor.origin, held.rumor.sequence), waits_for))

    # delivering

    def _deliver_all(self, ready: list[Held], now: float, out: Outbox) -> Reception:
        """Deliver messages that wait for nothing, and what they set free; says what became of the first."""
        reception = Reception.NEW
        first = ready[0]
        while ready:
            held = ready.pop()
            derived = self._derive(held)
            if derived is None:
                if not self._park(held, now, out):
                    reception = Reception.NO_ROOM
            elif not self._is_deep_enough(held):
                self.queue.release(held)
                self.queue.forget_if_blank(held.key)
                reception = Reception.BAD_DEPTH if held is first else reception
            else:
                self.queue.release(held)
                self._deliver(held, derived, now, out)
                ready.extend(self.queue.set_free(self.origins[held.key], held.rumor.sequence))
        return reception

    def _park(self, held: Held, now: float, out: Outbox) -> bool:
        """Keep a message until its clock is known; False if there is no room for it."""
        if held.dot not in self.holding:
            if not self._has_room(held, 0, now, out):
                return False
            self.queue.hold(held, [])
        self.unanchored[held.dot] = held
        return True

    def _is_deep_enough(self, held: Held) -> bool:
        """Whether the depth is above that of every parent still known."""
        find, depth = self.log.find, held.rumor.depth
        for dot in held.past:
            entry = find(dot)
            if entry is not None and entry.message.depth >= depth:
                return False
        return True

    def _derive(self, held: Held) -> DerivedClock | None:
        """The clock, linked to those of the past or as it was sent; None if it can't be known yet."""
        return self._linked(held) or self._anchored(held)

    def _anchored(self, held: Held) -> DerivedClock | None:
        """The clock that came with the message, if every dot of it is delivered or below the baseline."""
        if held.anchor is None:
            return None
        named: dict[NodeId, int] = {}
        for key, sequence in held.anchor.items():
            origin = self.origins.get(key)
            if origin is None or origin.id is None or (sequence > origin.floor and key != held.key):
                held.anchor = None
                return None
            named[origin.id] = sequence
        return DerivedClock.anchored(held.rumor.origin, held.rumor.sequence, named)

    def _linked(self, held: Held) -> DerivedClock | None:
        """The clock linked to those of parents and predecessor; None if one is not known here any more."""
        origin, sequence = held.rumor.origin, held.rumor.sequence
        sources = []
        for dot in held.rumor.parents:
            derived = self.clock_of(dot)
            if derived is None:
                return None
            sources.append(derived)
        if sequence > 1:
            predecessor = self.clock_of((held.key, sequence - 1))
            if predecessor is not None:
                sources.append(predecessor)
            elif not any(source.sequence_of(origin) >= sequence - 1 for source in sources):
                return None
        return DerivedClock(origin, sequence, tuple(sources))

    def _deliver(self, held: Held, derived: DerivedClock, now: float, out: Outbox) -> Retained:
        rumor, key, sequence = held.rumor, held.key, held.rumor.sequence
        origin = self.origins.get(key) or self.queue.name(rumor.origin)
        origin.floor = sequence
        self.delivered_count += 1
        self.depth = max(self.depth, rumor.depth)
        self._delivered_depth = max(self._delivered_depth, rumor.depth)
        entry = self._append(held, derived, now, out, late=False)
        self.frontier.advance(key, sequence, rumor.parents)
        if self._pinned_clocks:
            for dot in held.past:
                self._pinned_clocks.pop(dot, None)
        self._evict()
        return entry

    def _append(self, held: Held, derived: DerivedClock, now: float, out: Outbox, *, late: bool) -> Retained:
        rumor = held.rumor
        message = Message(
            Dot(rumor.origin, rumor.sequence),
            rumor.payload,
            parents=held.past,
            named=self._named,
            depth=rumor.depth,
            derived=derived,
            created_at=rumor.created_at,
            delivered_at=now + self.wall_offset,
            hops=rumor.hops,
            from_history=held.from_history,
            late=late,
        )
        out.tell(Delivered(message))
        return self.log.append(held.key, rumor.parents, message, derived)

    def _evict(self) -> None:
        """Drop what retention does not cover, keeping the clocks that the next messages will need.

        The clock of what goes is resolved first: whoever links to it keeps one clock alive and no chain.
        """
        log = self.log
        while log.is_too_large and not self._is_pinned_at(log.first):
            entry = log.evict()
            entry.derived.resolve()
            sequence = entry.message.id.sequence
            if entry.is_exact and self.frontier.dots.get(entry.key) == sequence:
                self._pinned_clocks[(entry.key, sequence)] = entry.derived

    def _is_pinned_at(self, index: int) -> bool:
        """Whether the oldest message is an own one nobody else has, within twice the limits."""
        entry, pinned, log = self.log.at(index), self.pinned, self.log
        if pinned is None or entry.key != pinned[0] or entry.message.id.sequence < pinned[1]:
            return False
        return len(log) <= 2 * log.count_limit + self.config.backlog_limit and log.size <= 2 * log.size_limit

    # baselines, and what was saved

    def _restore_message(
        self, saved: SavedMessage, entries: dict[NodeId, int] | None, prefix: Callable[[Key], int]
    ) -> None:
        origin, sequence, key = saved.origin, saved.sequence, saved.origin.key
        rumor = Rumor(
            origin, sequence, saved.depth, saved.created_at, saved.parents, saved.payload, saved.hops
        )
        held = Held(rumor, key, Address("", 0), 0.0, saved.from_history)
        derived = DerivedClock.anchored(origin, sequence, entries) if entries else self._linked(held)
        message = Message(
            Dot(origin, sequence),
            saved.payload,
            parents=held.past,
            named=self._named,
            depth=saved.depth,
            derived=derived or DerivedClock(origin, sequence, ()),
            created_at=saved.created_at,
            delivered_at=saved.delivered_at,
            hops=saved.hops,
            from_history=saved.from_history,
            late=saved.late,
        )
        entry = self.log.append(key, saved.parents, message, derived or DerivedClock(origin, sequence, ()))
        entry.is_exact = saved.is_exact and derived is not None
        self._raise_floor(origin, sequence)
        self._delivered_depth = max(self._delivered_depth, saved.depth)
        if sequence > prefix(key):
            self.frontier.advance(key, sequence, saved.parents)

    def _raise_floor(self, node: NodeId, sequence: int) -> int:
        origin = self.queue.name(node)
        raised = max(0, sequence - origin.floor)
        origin.floor += raised
        return raised

    def _deliver_late(self, held: Held, now: float, out: Outbox) -> None:
        """Deliver a message whose place is within a gap; its clock is what can be known of it."""
        self.queue.name(held.rumor.origin)
        known = [clock for dot in held.past if (clock := self.clock_of(dot)) is not None]
        anchored = self._anchored(held)
        derived = anchored or DerivedClock(held.rumor.origin, held.rumor.sequence, tuple(known))
        entry = self._append(held, derived, now, out, late=True)
        entry.is_exact = anchored is not None
        self._evict()

    def _release_all(self, now: float, out: Outbox) -> None:
        """Set free whatever waited for something that the floors now cover."""
        ready: list[Held] = []
        for origin in list(self.origins.values()):
            for sequence in sorted(s for s in origin.waiters if s <= origin.floor):
                ready.extend(self.queue.set_free(origin, sequence))
        if ready:
            ready.sort(key=lambda held: held.rumor.depth, reverse=True)
            self._deliver_all(ready, now, out)

    def check(self) -> None:
        """Verify every invariant; for tests."""
        self.log.check()
        self.queue.check()
        assert self.delivered_count == sum(origin.floor for origin in self.origins.values())
        for key, sequence in self.frontier.dots.items():
            assert self.floor(key) >= sequence
