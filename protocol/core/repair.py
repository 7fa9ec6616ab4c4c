"""Repair of single holes: ask for a missing predecessor or parent, first of whoever sent what needs it.

One verb serves holes and clocks: ``Want`` names ranges of an origin's messages and may ask for their full
clocks. "Not here" is answered at once, so that the next peer is asked without waiting.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain

from .bounded import put, trim
from .causal import CausalOrder
from .codec import Packed
from .context import Context
from .hold_back import Held
from .identity import Address, Key, NodeId
from .links import Link
from .messages import Absent, Anchor, DeepDot, KeyDot, Range, Want
from .outbox import Outbox
from .sampling import Sampling

__all__ = ["REPLY_LIMIT", "Repair", "anchor_of", "ranges_of"]

REPLY_LIMIT = 48 * 1024
"""Bytes of messages in one reply: about 35 datagrams, which the smallest default socket buffer holds."""

RANGES_PER_WANT = 56
"""Ranges in one request; they fit a datagram whatever their numbers."""

RANGES_PER_ORIGIN = 16
"""Holes of one origin asked for at a time."""

DOTS_PER_REPLY = 1_024
"""Dots looked up for one request."""

LONGEST_WAIT = 5.0
"""Seconds between two attempts at the most."""

EAGER_ATTEMPTS = 4
"""Attempts made in quick succession, since it may be the request or its answer that was lost; after them the
waits double, and "not here" no longer makes the next peer be asked at once."""

PEERS_TO_CHOOSE_FROM = 4
"""Peers drawn for a second attempt; one to whom this node's address is proven answers without a round trip
more."""

ENTRIES_PER_ANCHOR = 56
"""Clock entries on one page, which fit a datagram whatever their numbers."""

ANCHOR_LIMIT = 256
"""Anchors whose pages are being collected, or that came before their message."""

PAGES_PER_ANCHOR = 80
"""Pages of one clock at the most: 4,480 origins, and none may have more than 4,096. What claims more is not
collected."""

ENTRIES_HELD_LIMIT = 65_536
"""Clock entries in all the pages and early anchors together: some 10 MB at the worst."""


class Chase:
    """One search for something missing."""

    __slots__ = ("asked_to", "attempts", "due_at", "origin", "source", "target")

    def __init__(self, source: Address, due_at: float, origin: NodeId | None = None) -> None:
        """Begin to ask ``source`` at ``due_at``, and ``origin`` every other time."""
        self.source = source
        self.origin = origin
        self.target: Address | None = None
        """Who was asked last."""
        self.due_at = due_at
        self.attempts = 0
        self.asked_to = 0
        """The last sequence asked for so far; a hole above it is a new one."""

    def hasten(self, due_at: float) -> None:
        """Begin anew: there is a new hole, or an answer came and left some."""
        self.attempts = 0
        self.due_at = min(self.due_at, due_at)


class Repair:
    """What is missing here and who was asked, and the answers to others who miss something."""

    def __init__(self, context: Context, sampling: Sampling) -> None:
        """Miss nothing."""
        self.context = context
        self.sampling = sampling
        self.wants = 0
        self.is_paused = False
        """While a sponsor's history is coming in, nothing is asked for: it will come by itself."""
        self._holes: dict[Key, Chase] = {}
        self._clocks: dict[KeyDot, Chase] = {}
        self._pages: dict[tuple[Address, KeyDot], dict[int, tuple[DeepDot, ...]]] = {}
        self._early: dict[KeyDot, tuple[DeepDot, ...]] = {}
        self.deadline = math.inf

    # what is missing here

    def note_held(self, held: Held, now: float) -> None:
        """Chase what a held message waits for."""
        holding = self.context.causal.holding
        for dot in self.context.causal.missing_of(held):
            if dot in holding:
                continue
            key, sequence = dot
            chase = self._holes.get(key)
            if chase is None:
                self._holes[key] = self._chase(held.source, now)
            elif sequence > chase.asked_to:
                chase.source = held.source
                self._hasten(chase, now)

    def note_filled(self, key: Key, now: float) -> None:
        """A message that was asked for came in; whatever is still missing is asked for again soon."""
        chase = self._holes.get(key)
        if chase is not None:
            self._hasten(chase, now)

    def _hasten(self, chase: Chase, now: float) -> None:
        chase.hasten(now + self.context.grace_period())
        self.deadline = min(self.deadline, chase.due_at)

    def note_unanchored(self, now: float, out: Outbox) -> None:
        """Chase the clocks of messages that lack nothing else, unless they came early."""
        for dot, held in list(self.context.causal.unanchored.items()):
            early = self._early.pop(dot, None)
            if early is not None and self.context.causal.anchor(dot, early, now, out):
                continue
            if dot not in self._clocks:
                # Where the past of a message is evicted everywhere, its origin alone may know its clock.
                self._clocks[dot] = self._chase(held.source, now, held.rumor.origin)

    def is_expected(self, dot: KeyDot) -> bool:
        """Whether this message has been asked for: it lies below one that somebody waits for."""
        chase = self._holes.get(dot[0])
        return chase is not None and chase.attempts > 0 and self.is_chased(dot)

    def is_chased(self, dot: KeyDot) -> bool:
        """Whether this message is asked for, now or soon: somebody waits for it, or for a later one."""
        if dot[0] not in self._holes:
            return False
        origin = self.context.causal.origins.get(dot[0])
        return origin is not None and bool(origin.waiters) and dot[1] <= max(origin.waiters)

    def has_asked(self, dot: KeyDot, source: Address) -> bool:
        """Whether this peer was the last to be asked for the clock of this message."""
        chase = self._clocks.get(dot)
        return chase is not None and chase.target == source

    def _chase(self, source: Address, now: float, origin: NodeId | None = None) -> Chase:
        chase = Chase(source, now + self.context.grace_period(), origin)
        self.deadline = min(self.deadline, chase.due_at)
        return chase

    def on_deadline(self, now: float, out: Outbox) -> None:
        """Ask for what has been missing long enough."""
        if self.is_paused:
            self.deadline = now + self.context.grace_period()
            return
        holes: dict[Address, list[Range]] = {}
        for key, chase in list(self._holes.items()):
            origin = self.context.causal.origins.get(key)
            ranges = origin.missing_ranges(RANGES_PER_ORIGIN) if origin is not None else []
            if not ranges:
                del self._holes[key]
            elif chase.due_at <= now:
                chase.asked_to = max(chase.asked_to, ranges[-1].high)
                holes.setdefault(self._next_target(chase, now), []).extend(ranges)
        clocks: dict[Address, list[Range]] = {}
        for dot, chase in list(self._clocks.items()):
            if dot not in self.context.causal.unanchored:
                del self._clocks[dot]
            elif chase.due_at <= now:
                clocks.setdefault(self._next_target(chase, now), []).append(Range(*dot, dot[1]))
        self._ask(holes, now, out, anchored=False)
        self._ask(clocks, now, out, anchored=True)
        self._rearm()

    def _rearm(self) -> None:
        chases = (*self._holes.values(), *self._clocks.values())
        self.deadline = min((chase.due_at for chase in chases), default=math.inf)

    def _next_target(self, chase: Chase, now: float) -> Address:
        """Whom to ask now: the source first, then anybody in the view, less and less often."""
        target = chase.source
        origin = self.sampling.view.get(chase.origin) if chase.origin is not None else None
        if chase.attempts % 2 and origin is not None:
            target = self.sampling.route(origin, now)
        elif chase.attempts:
            peers = [
                self.sampling.route(peer, now) for peer in self.sampling.view.sample(PEERS_TO_CHOOSE_FROM)
            ]
            proven = [peer for peer in peers if self.context.links.is_proven(peer, now)]
            target = next(iter(proven or peers), target)
        chase.target = target
        wait = self.context.grace_period() * 2 ** min(max(chase.attempts - EAGER_ATTEMPTS, 0), 8)
        chase.attempts += 1
        chase.due_at = now + min(wait, LONGEST_WAIT)
        return target

    def _ask(self, wanted: dict[Address, list[Range]], now: float, out: Outbox, *, anchored: bool) -> None:
        for target, ranges in wanted.items():
            for start in range(0, len(ranges), RANGES_PER_WANT):
                packed = self.context.pack(Want(tuple(ranges[start : start + RANGES_PER_WANT]), anchored))
                if self.context.links.may_push(target, packed.size, now):
                    out.send(target, packed)
                    self.wants += 1

    def on_absent(self, absent: Absent, now: float) -> None:
        """Ask somebody else at once, unless many have said the same."""
        for key, low, _ in absent.ranges:
            for chase in (self._holes.get(key), self._clocks.get((key, low))):
                if chase is not None and 0 < chase.attempts <= EAGER_ATTEMPTS:
                    chase.due_at = now
                    self.deadline = now

    def on_challenge(self, source: Address, now: float) -> None:
        """The one that was asked wants proof before it answers: ask it again at once, now with its cookie."""
        for chase in (*self._holes.values(), *self._clocks.values()):
            if chase.target == source:
                chase.source = source
                chase.hasten(now)
                self.deadline = now

    def on_anchor(self, anchor: Anchor, link: Link, now: float, out: Outbox) -> None:
        """Collect the pages of a clock, and use it when it is whole."""
        if anchor.pages > PAGES_PER_ANCHOR:
            return
        place = (link.address, anchor.dot)
        pages = self._pages.get(place, {})
        pages[anchor.page] = anchor.entries
        put(self._pages, place, pages, ANCHOR_LIMIT)
        trim(self._pages, lambda held: sum(map(len, held.values())), ENTRIES_HELD_LIMIT)
        if len(pages) < anchor.pages:
            return
        del self._pages[place]
        entries = tuple(entry for page in sorted(pages) for entry in pages[page])
        if not self.context.causal.anchor(anchor.dot, entries, now, out):
            put(self._early, anchor.dot, entries, ANCHOR_LIMIT)
            trim(self._early, len, ENTRIES_HELD_LIMIT)

    # what others miss

    def on_want(self, want: Want, link: Link, now: float, out: Outbox) -> None:
        """Send what is here, say what is not; the rest of a long request is for another time."""
        absent: list[KeyDot] = []
        room = REPLY_LIMIT
        for key, sequence in dots_of(want.ranges):
            items = self._found((key, sequence), anchored=want.anchored)
            size = sum(item.size for item in items)
            if not items:
                absent.append((key, sequence))
            elif size > room or not self.context.links.may_reply(link, size, now):
                break
            else:
                room -= size
                out.send(link.address, *items)
        if absent:
            out.send(link.address, self.context.pack(Absent(ranges_of(absent)[:RANGES_PER_WANT])))

    def _found(self, dot: KeyDot, *, anchored: bool) -> list[Packed]:
        rumor = self.context.causal.find(dot)
        if rumor is None:
            return []
        items = self.context.pack_rumor(rumor)
        if anchored:
            items += map(self.context.pack, anchor_of(self.context.causal, dot))
        return items


def anchor_of(causal: CausalOrder, dot: KeyDot) -> list[Anchor]:
    """The full clock of a delivered message, in pages; nothing if it is not known here."""
    derived = causal.clock_of(dot)
    if derived is None:
        return []
    entries = sorted([(key, sequence, depth) for key, (sequence, depth, _) in derived.resolve()])
    starts = range(0, len(entries), ENTRIES_PER_ANCHOR)
    return [
        Anchor(dot, page, len(starts), tuple(entries[start : start + ENTRIES_PER_ANCHOR]))
        for page, start in enumerate(starts)
    ]


def dots_of(ranges: Iterable[Range]) -> Iterator[KeyDot]:
    """The dots in ``ranges``, as many as one reply may look up: one of every origin in turn, lowest first."""
    by_key: dict[Key, list[range]] = {}
    for key, low, high in ranges:
        by_key.setdefault(key, []).append(range(low, high + 1))
    turns = deque((key, chain.from_iterable(runs)) for key, runs in by_key.items())
    for _ in range(DOTS_PER_REPLY):
        while turns:
            key, sequences = turns.popleft()
            sequence = next(sequences, None)
            if sequence is not None:
                turns.append((key, sequences))
                yield key, sequence
                break


def ranges_of(dots: Iterable[KeyDot]) -> tuple[Range, ...]:
    """The dots as ranges, sorted."""
    ranges: list[Range] = []
    key, low, high = b"", 1, 0
    for other, sequence in sorted(dots):
        if sequence == high + 1 and other == key:
            high = sequence
            continue
        if low <= high:
            ranges.append(Range(key, low, high))
        key, low, high = other, sequence, sequence
    if low <= high:
        ranges.append(Range(key, low, high))
    return tuple(ranges)
