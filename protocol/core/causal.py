"""Causal delivery: every message once, and after everything that happened before it.

Per origin one floor says what is delivered; what is above it and lacks its past waits in the hold-back queue
and knows what it waits for. A message is delivered when its predecessor and all its parents are. Bounded in
count, bytes and waiting time; nothing here sends anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from .derived import DerivedClock
from .events import Delivered, Gap, Undeliverable
from .gaps import HELD_PATIENCE, gap_period
from .hold_back import Held, Origin
from .identity import Address, Dot, Key, NodeId, key_of
from .log import Retained, lookup
from .messages import NO_HORIZON, DeepDot, Horizon, KeyDot, Message, Rumor
from .outbox import Outbox
from .restored import RestoredSet

__all__ = ["DEPTH_WINDOW", "NEW", "SEQUENCE_WINDOW", "CausalOrder", "Reception"]

ITSELF = Address("", 0)
"""The source of what this node made."""

SEQUENCE_WINDOW = 4_096
"""Sequences above the floor that are held at all: what a busy origin sends while a hole is repaired. What is
further away comes through anti-entropy, which goes upwards from the floor."""

FRONTIER_LIMIT = 4_096
"""Messages concurrent with each other at the most. What comes from origins never heard of beyond that is
refused until anybody's message joins them: nobody can make a message carry more parents than can travel."""

LARGEST_DEPTH = 1 << 52
"""What no baseline may exceed: half of what travels, so that there is room above it."""

CLOCK_TOLERANCE = 86_400.0
"""Seconds that another node's clock may be ahead of this one's: an origin that starts later than that was
not forgotten by anybody. A choice: a day, so that a wrong time zone is no matter."""

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
    FLOOD = "too many announcements"
    FORGOTTEN = "forgotten origin"


NEW = Reception.NEW
"""Asked for with every message; Python 3.11 looks a member of an enumeration up by a function call."""


class CausalOrder(RestoredSet):
    """Delivers into the set whatever may be delivered, and holds back the rest."""

    # inputs

    def shrink(self) -> None:
        """Evict what retention does not cover, after ``restore`` and once it is known what is pinned."""
        self._evict()

    def receive(
        self, rumor: Rumor, source: Address, now: float, out: Outbox, *, from_history: bool = False
    ) -> Reception:
        """Take a rumor in: deliver it and all it sets free, hold it back, or say why not."""
        key = key_of(rumor.origin)
        refusal = self.refusal(rumor, key, from_history=from_history)
        if refusal is not None:
            if refusal is Reception.FORGOTTEN:
                self._recall(rumor, now, out)
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
        return NEW

    def refusal(self, rumor: Rumor, key: Key, *, from_history: bool = False) -> Reception | None:
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
        if not is_certain(origin) and self.memory.is_forgotten(
            sequence, rumor.depth, rumor.origin, from_history=from_history
        ):
            return Reception.FORGOTTEN
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
        held = Held(rumor, key, ITSELF, now, from_history=False)
        entry = self._deliver(held, self.clocks.of_everything(held), now, out)
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

    def anchor(self, dot: KeyDot, entries: Iterable[DeepDot], now: float, out: Outbox) -> bool:
        """Take the full clock of a held message; False if it does not fit what is known."""
        held = self.holding.get(dot)
        if held is None:
            return False
        clock = {key: (sequence, depth) for key, sequence, depth in entries}
        is_cut = len(clock) >= self.config.clock_limit
        if any(clock.get(key, (sequence if is_cut else 0, 0))[0] < sequence for key, sequence in held.past):
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
        entries: Iterable[tuple[NodeId, int, int]],
        frontier: Iterable[KeyDot],
        depth: int,
        now: float,
        out: Outbox,
        *,
        is_gap: bool,
        horizon: Horizon = NO_HORIZON,
        forgotten: int = 0,
    ) -> int:
        """Take over a sponsor's down-closed prefix: its messages count as delivered from now on.

        Held messages within it are delivered marked late, since their past is not here; what is missing for
        good is one ``Gap`` if this node was a member before.

        Args:
            entries: The origins of the prefix with the last sequence of each, and its depth.
            frontier: The maximal dots of the prefix.
            depth: The largest depth in it.
            now: The moment.
            out: Where effects go.
            is_gap: Whether what is given up shall be told.
            horizon: What the sponsor has forgotten of the prefix.
            forgotten: How many messages that was.

        Returns:
            How many messages were given up.
        """
        told = tuple(entries)
        # What was forgotten here was delivered here.
        named = [entry for entry in told if not self._leave_out(*entry)]
        prefix = {key_of(node): sequence for node, sequence, _ in named}
        within = lookup(prefix)
        maximal = tuple(dot for dot in frontier if dot[1] == within(dot[0]))
        late = [held for held in self.holding.values() if held.rumor.sequence <= within(held.key)]
        self.frontier.unite(maximal, self.floor, within)
        self.clocks.retain_pins(self.frontier.dots)
        deep = [(key_of(node), sequence, deepest) for node, sequence, deepest in named]
        youngest = int((now + self.wall_offset + CLOCK_TOLERANCE) * 1_000) << 16
        believed = self.memory.adopt(horizon, forgotten, [deepest for _, _, deepest in told], youngest)
        self.log.adopt(deep, maximal, depth, believed)
        self._delivered_depth = max(self._delivered_depth, min(depth, LARGEST_DEPTH))
        self.depth = max(self.depth, self._delivered_depth)
        raise_floor, name = self.memory.raise_floor, self.queue.name
        raised = sum(raise_floor(name(node), sequence, deepest) for node, sequence, deepest in named)
        for held in late:
            self.queue.drop(held)
        for held in sorted(late, key=lambda h: (h.rumor.depth, h.rumor.origin, h.rumor.sequence)):
            self._deliver_late(held, now, out)
        given_up = raised - len(late)
        if is_gap and given_up:
            out.tell(Gap(given_up))
        self._release(list(self.origins.values()), now, out)
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
        """Make room for a message, or say that there is none.

        What is deepest goes for what is less deep, which it may wait for, and comes again when its past is
        here. So whatever else is held, what lies next above the floors is taken in. Where nothing is deeper,
        what waits longest is given up if that is hopeless by now: any gap it lay in would be closed.
        """
        queue, config = self.queue, self.config
        while queue.is_full_for(held, waits, config):
            deepest = queue.deepest()
            if deepest is None:
                return False
            if deepest.rumor.depth > held.rumor.depth:
                queue.drop(deepest)
                self.displaced_count += 1
                continue
            oldest = next(iter(self.holding.values()))
            if self.is_catching_up or now - oldest.received_at < HELD_PATIENCE * gap_period(config):
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
        reception = NEW
        first = ready[0]
        while ready:
            held = ready.pop()
            derived = self.clocks.derive(held)
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
        """Whether the depth is above that of every parent still known, and known to be what others know."""
        find, depth = self.log.find, held.rumor.depth
        for dot in held.past:
            entry = find(dot)
            if entry is not None and entry.is_exact and entry.message.depth >= depth:
                return False
        return True

    def _deliver(self, held: Held, derived: DerivedClock, now: float, out: Outbox) -> Retained:
        rumor, key, sequence = held.rumor, held.key, held.rumor.sequence
        origin = self.origins.get(key) or self.queue.name(rumor.origin)
        self.memory.raise_floor(origin, sequence, rumor.depth)
        self.depth = max(self.depth, rumor.depth)
        self._delivered_depth = max(self._delivered_depth, rumor.depth)
        entry = self._append(held, derived, now, out, late=False)
        self.frontier.advance(key, sequence, rumor.parents)
        self.clocks.note_delivered(held)
        self._evict()
        if self.memory.is_sweep_due:
            self._sweep()
        return entry

    def _append(self, held: Held, derived: DerivedClock, now: float, out: Outbox, *, late: bool) -> Retained:
        rumor, find = held.rumor, self.log.find
        past = tuple([known.dot if (known := find(dot)) is not None else dot for dot in held.past])
        delivered_at = now + self.wall_offset
        if held.source is ITSELF:
            # Both moments are read off one clock, apart: none is delivered before it was made.
            delivered_at = max(delivered_at, rumor.created_at)
        message = Message(
            Dot(rumor.origin, rumor.sequence),
            rumor.payload,
            parents=past,
            named=self._named,
            depth=rumor.depth,
            derived=derived,
            created_at=rumor.created_at,
            delivered_at=delivered_at,
            hops=rumor.hops,
            from_history=held.from_history,
            late=late,
        )
        out.tell(Delivered(message))
        return self.log.append(held.key, past, message, derived)

    def _evict(self) -> None:
        """Drop what retention does not cover, keeping the clocks that the next messages will need."""
        log = self.log
        while log.is_too_large and not self._is_pinned_at(log.first):
            entry = log.evict()
            is_maximal = self.frontier.dots.get(entry.key) == entry.message.id.sequence
            self.clocks.note_evicted(entry, is_maximal=is_maximal)

    def _is_pinned_at(self, index: int) -> bool:
        """Whether the oldest message is an own one nobody else has, within twice the limits."""
        entry, pinned, log = self.log.at(index), self.pinned, self.log
        if pinned is None or entry.key != pinned[0] or entry.message.id.sequence < pinned[1]:
            return False
        return len(log) <= 2 * log.count_limit + self.config.backlog_limit and log.size <= 2 * log.size_limit

    # forgetting

    def _sweep(self) -> None:
        for origin in self.memory.sweep(self._is_needed):
            self.log.forget(origin.key)

    def _is_needed(self, origin: Origin) -> bool:
        """Whether an origin may not be forgotten: the node's own, and any of which something is here."""
        key = origin.key
        return (
            bool(origin.held or origin.waiters or origin.pulled)
            or key == self.own_key
            or key in self.frontier.dots
            or key in self.log.evicted_frontier.dots
            or self.log.retains_any_of(key)
        )

    def _recall(self, rumor: Rumor, now: float, out: Outbox) -> None:
        """Count a message that is refused as had, and set free whoever waited for it."""
        origin = self.queue.name(rumor.origin)
        if self._count_as_had(origin, rumor.sequence, rumor.depth):
            self._release([origin], now, out)
        self.queue.forget_if_blank(origin.key)

    # baselines

    def _leave_out(self, node: NodeId, sequence: int, depth: int) -> bool:
        """Leave out of a prefix what was forgotten here, and count it as had if anything waits for it.

        Returns whether it is left out.
        """
        origin = self.origins.get(key_of(node))
        if is_certain(origin) or not self.memory.is_forgotten(sequence, depth, node, from_history=True):
            return False
        if origin is None or not origin.waiters or min(origin.waiters) > sequence:
            return True
        if origin.held and min(origin.held) <= sequence:
            return False
        return self._count_as_had(self.queue.name(node), sequence, depth)

    def _deliver_late(self, held: Held, now: float, out: Outbox) -> None:
        """Deliver a message whose place is within a gap; its clock is what can be known of it."""
        self.queue.name(held.rumor.origin)
        anchored = self.clocks.anchored(held)
        entry = self._append(held, anchored or self.clocks.of_late(held), now, out, late=True)
        entry.is_exact = anchored is not None
        self._evict()

    def _release(self, origins: list[Origin], now: float, out: Outbox) -> None:
        """Set free whatever waited for something that the floors of these origins now cover."""
        ready: list[Held] = []
        for origin in origins:
            for sequence in sorted(s for s in origin.waiters if s <= origin.floor):
                ready.extend(self.queue.set_free(origin, sequence))
        if ready:
            ready.sort(key=lambda held: held.rumor.depth, reverse=True)
            self._deliver_all(ready, now, out)

    def check(self) -> None:
        """Verify every invariant; for tests."""
        self.log.check()
        self.queue.check()
        self.memory.check()
        for key, sequence in self.frontier.dots.items():
            assert self.floor(key) >= sequence
        assert self.pins.keys() <= set(self.frontier.dots.items())


def is_certain(origin: Origin | None) -> bool:
    """Whether an origin's floor says all that was ever delivered of it here: it was never forgotten."""
    return origin is not None and origin.floor > 0 and not origin.is_recalled
