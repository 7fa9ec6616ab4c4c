"""Anti-entropy: after every exchange of views both sides know whether one has what the other lacks.

A delivered set is down-closed, so equal frontiers mean equal sets, whatever is retained. Only if a peer's
frontier names something unknown do floors travel, and what is missing comes back in the peer's own delivery
order, so much at a time. This makes delivery certain while the overlay is connected.

Where there are more origins than fit one datagram, their floors are summed up in 256 buckets first, and only
those of buckets that differ travel. The sums are kept up to date with every delivery.
"""

from __future__ import annotations

import math
from operator import itemgetter
from typing import NamedTuple

from .bounded import put
from .catchup import CatchUp
from .codec import Packed
from .context import Context
from .identity import Address, Key
from .links import Link
from .memory import BUCKETS, SUM_SIZE
from .messages import Digest, Floors, FloorsDone, FloorSums, SumsDiffer, covers, is_among, passed_on
from .missing import missing_in_turn
from .outbox import Outbox
from .repair import REPLY_LIMIT

__all__ = ["Reconcile"]

FLOORS_SIZE_PER_PAGE = 1_240
"""Bytes of floors in one request, some 115, which fit a datagram even when all have grown meanwhile; more are
asked for page by page."""

FLOOR_SIZE = 10
"""Bytes of a floor below 128, and one for what it may grow by."""

LOOK_COST = 16
"""Bytes that a request for what is above some floors takes of its peer's budget for every origin known here,
each of which is looked at. Measured: about 0.4 us for each, so one peer can't cause more than some 10 % of a
core's work, however many origins there are."""

SUSPECT_LIMIT = 64
"""Peers remembered that seem to have more than this node."""

TRIES = 4
"""Requests without an answer, or answers without progress, before a peer is left alone until its next
exchange."""

ROUNDS_LIMIT = 512
"""Answers of one peer in a row: as many as the largest history takes by default, so that one who always has
one message more keeps nobody from the others for ever."""

LOWEST_KEY, HIGHEST_KEY = bytes(8), b"\xff" * 8


class Page(NamedTuple):
    """Some origins, and the keys that a request for what is above their floors covers."""

    low: Key
    high: Key
    buckets: bytes
    keys: tuple[Key, ...]


class Session:
    """One reconciliation under way with one peer."""

    __slots__ = ("deadline", "digest", "evicted", "pages", "peer", "progress", "round", "rounds", "tries")

    def __init__(self, peer: Address, digest: Digest, round_number: int, pages: list[Page] | None) -> None:
        """Go through ``pages``, last first, since ``digest`` names something unknown.

        None where the origins are so many that it shall be asked first in which buckets they differ.
        """
        self.peer = peer
        self.digest = digest
        self.round = round_number
        self.pages = pages
        self.deadline = math.inf
        self.tries = 0
        self.rounds = 0
        """Answers that came."""
        self.progress = -1
        """Messages received when it was last asked."""
        self.evicted = False


class Reconcile:
    """Who seems to have more, the one session under way, and the answers to others."""

    def __init__(self, context: Context, catchup: CatchUp) -> None:
        """Suspect nobody."""
        self.context = context
        self.catchup = catchup
        self._suspects: dict[Address, tuple[float, Digest]] = {}
        self._session: Session | None = None
        self._rounds = 0
        self._lingering: tuple[Address, float] | None = None
        """The peer of the last session, and until when the network may still bring in what it sent."""
        self.received = 0
        """Messages first received from the peer of a session, to see whether it makes progress."""
        self.looks = 0
        """How often all origins were gone through for a peer."""
        self.announced = 0
        """Messages that the last peer with more than this node has in all; 0 when nobody has more."""
        self._received_before = 0
        self._surplus: dict[Address, int] = {}
        """By how many messages peers had more that could not be had from them: this node refuses what it has
        forgotten, they do not count it as delivered twice."""

    @property
    def deadline(self) -> float:
        """When a suspicion has stood long enough, or an answer is overdue."""
        if self._session is not None:
            return self._session.deadline
        if not self._suspects:
            return math.inf
        return min(due_at for due_at, _ in self._suspects.values())

    @property
    def behind(self) -> int:
        """Messages that are still to come, by what the last peer that had more said.

        Nobody can prove how much it has, so no more is believed than this node could retain: what goes beyond
        is either evicted there and comes as a baseline, or is not true.
        """
        lacking = self.announced - self.context.causal.delivered_count
        return max(0, min(lacking, self.context.config.history_limit))

    @property
    def progress(self) -> int:
        """Messages received in the session under way."""
        return self.received - self._received_before if self._session is not None else 0

    def is_from_session(self, source: Address, now: float) -> bool:
        """Whether messages from there come because this node asked."""
        if self._session is not None and self._session.peer == source:
            return True
        return self._lingering is not None and self._lingering[0] == source and now < self._lingering[1]

    def on_digest(self, digest: Digest, source: Address, now: float) -> None:
        """Compare a peer's frontier; what is unknown may still be on its way for a while."""
        if not self._is_ahead(digest, source):
            self.announced = 0
            self._suspects.pop(source, None)
            self.catchup.note_level(source)
        elif source in self._suspects or len(self._suspects) < SUSPECT_LIMIT:
            due_at = (
                self._suspects[source][0] if source in self._suspects else now + self.context.grace_period()
            )
            self._suspects[source] = (due_at, digest)
            self.announced = digest.delivered - self._surplus.get(source, 0)

    def on_deadline(self, now: float, out: Outbox) -> None:
        """Ask again, give a silent peer up, or begin with a suspect."""
        session = self._session
        if session is not None:
            if now < session.deadline:
                return
            session.tries += 1
            if session.tries < TRIES:
                self._ask(session, now, out)
                return
            self._session = None
        for source, (due_at, digest) in list(self._suspects.items()):
            if due_at > now:
                continue
            del self._suspects[source]
            if not self.context.links.is_proven(source, now):
                continue
            if self._is_ahead(digest, source) and not self.catchup.is_running:
                self._rounds += 1
                pages = self._pages(b"")
                self._session = Session(source, digest, self._rounds, pages if len(pages) == 1 else None)
                self._received_before = self.received
                self._ask(self._session, now, out)
                return

    def on_challenge(self, source: Address, now: float) -> None:
        """The peer wants proof first: ask again with it."""
        if self._session is not None and self._session.peer == source and self._session.tries == 0:
            self._session.deadline = now

    def on_floors_done(self, done: FloorsDone, link: Link, now: float, out: Outbox) -> None:
        """Go on with the session: more of the same, the next page, or the end."""
        session = self._session_with(link, done.round)
        if session is None or not session.pages:
            return
        session.rounds += 1
        session.evicted = session.evicted or done.evicted
        is_stuck = done.more and session.progress == self.received
        session.tries = session.tries + 1 if is_stuck else 0
        if not done.more or session.tries >= TRIES or session.rounds >= ROUNDS_LIMIT:
            session.pages.pop()
            session.tries = 0
        self._go_on(session, now, out)

    def on_floors(self, floors: Floors, link: Link, now: float, out: Outbox) -> None:
        """Send what a peer lacks, as much as fits one reply: fairly chosen, in the order of delivery here.

        A peer that has used up its budget gets no answer; it asks again after a while.
        """
        context, causal = self.context, self.context.causal
        if not context.links.may_ask(link, LOOK_COST * len(causal.origins), now):
            return
        self.looks += 1
        theirs, room, more = dict(floors.floors), REPLY_LIMIT, False
        chosen: list[tuple[int, list[Packed]]] = []
        mine = [dot for dot in causal.floors() if covers(floors, dot[0])]
        for entry in missing_in_turn(causal.log, mine, theirs, floors.horizon):
            items = context.pack_rumor(entry.rumor(passed_on(entry.message.hops)))
            size = sum(item.size for item in items)
            if size > room or not context.links.may_ask(link, size, now):
                more = True
                break
            room -= size
            chosen.append((entry.index, items))
        for _, items in sorted(chosen, key=itemgetter(0)):
            out.send(link.address, *items)
        evicted = any(self._is_lost(key, theirs, floors) for key in causal.log.evicted)
        out.send(link.address, context.pack(FloorsDone(floors.round, more, evicted)))

    def _is_lost(self, key: Key, theirs: dict[Key, int], floors: Floors) -> bool:
        """Whether a peer lacks something of this origin that is not retained here any more."""
        if not covers(floors, key):
            return False
        log, horizon = self.context.causal.log, floors.horizon
        if key in theirs:
            return log.evicted[key] > theirs[key]
        node = self.context.causal.origins[key].id
        is_forgotten = node is not None and node.incarnation <= horizon.incarnation
        return not (is_forgotten and log.evicted_depths[key] <= horizon.depth)

    def on_sums(self, sums: FloorSums, link: Link, now: float, out: Outbox) -> None:  # noqa: ARG002 - a handler
        """Say in which buckets the floors here are others."""
        mine = self.context.causal.memory.packed_sums()
        bits = 0
        for bucket in range(BUCKETS):
            at = slice(bucket * SUM_SIZE, (bucket + 1) * SUM_SIZE)
            if mine[at] != sums.sums[at]:
                bits |= 1 << bucket
        differ = SumsDiffer(sums.round, bits.to_bytes(BUCKETS // 8, "little"))
        out.send(link.address, self.context.pack(differ))

    def on_sums_differ(self, differ: SumsDiffer, link: Link, now: float, out: Outbox) -> None:
        """Go on with the floors of the buckets that differ, or end if none does."""
        session = self._session_with(link, differ.round)
        if session is None or session.pages is not None:
            return
        session.tries = 0
        session.pages = self._pages(differ.buckets) if any(differ.buckets) else []
        self._go_on(session, now, out)

    def _is_ahead(self, digest: Digest, source: Address) -> bool:
        """Whether the peer has delivered something that this node has not."""
        causal = self.context.causal
        if digest.delivered > causal.delivered_count + self._surplus.get(source, 0):
            return True
        return digest.frontier is not None and not all(map(causal.is_delivered, digest.frontier))

    def _pages(self, buckets: bytes) -> list[Page]:
        """The origins of these buckets, shared out to ranges of keys that fit a request each, last first.

        Together the ranges cover all keys, so that origins unknown here are covered too.
        """
        pages: list[Page] = []
        size, keys, low = 0, list[Key](), LOWEST_KEY
        for key, floor in sorted(
            dot for dot in self.context.causal.received_floors() if is_among(buckets, dot[0])
        ):
            floor_size = FLOOR_SIZE + floor.bit_length() // 7
            if size + floor_size > FLOORS_SIZE_PER_PAGE:
                pages.append(Page(low, before(key), buckets, tuple(keys)))
                size, keys, low = 0, [], key
            size += floor_size
            keys.append(key)
        pages.append(Page(low, HIGHEST_KEY, buckets, tuple(keys)))
        return pages[::-1]

    def _ask(self, session: Session, now: float, out: Outbox) -> None:
        causal = self.context.causal
        session.progress = self.received
        session.deadline = now + self.context.patience()
        if session.pages is None:
            out.send(session.peer, self.context.pack(FloorSums(session.round, causal.memory.packed_sums())))
            return
        low, high, buckets, keys = session.pages[-1]
        # Origins heard of since the pages were cut are left out: what is new of them is sent again, no more.
        floors = tuple([(key, causal.received_floor(key)) for key in keys])
        request = Floors(session.round, low, high, floors, buckets, causal.memory.horizon)
        out.send(session.peer, self.context.pack(request))

    def _session_with(self, link: Link, round_number: int) -> Session | None:
        """The session that an answer of this round belongs to."""
        session = self._session
        if session is None or session.peer != link.address or session.round != round_number:
            return None
        return session

    def _go_on(self, session: Session, now: float, out: Outbox) -> None:
        """Ask for the next page, or end if there is none."""
        if session.pages:
            self._ask(session, now, out)
            return
        self._session = None
        self._lingering = (session.peer, now + self.context.grace_period())
        surplus = session.digest.delivered - self.context.causal.delivered_count
        if session.evicted:
            self.catchup.note_evicted(session.peer, session.digest, now, out)
        elif surplus > 0 and not (self.received - self._received_before):
            put(self._surplus, session.peer, surplus, SUSPECT_LIMIT)


def before(key: Key) -> Key:
    """The largest key below ``key``."""
    return (int.from_bytes(key) - 1).to_bytes(8)
