"""Anti-entropy: after every exchange of views both sides know whether one has what the other lacks.

A delivered set is down-closed, so equal frontiers mean equal sets, whatever is retained. Only if a peer's
frontier names something unknown do floors travel, and what is missing comes back in the peer's own delivery
order, so much at a time. This makes delivery certain while the overlay is connected.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator

from .catchup import CatchUp
from .context import Context
from .identity import Address, Key
from .links import Link
from .log import Log, Retained
from .messages import Digest, Floors, FloorsDone, KeyDot, passed_on
from .outbox import Outbox
from .repair import REPLY_LIMIT

__all__ = ["Reconcile"]

FLOORS_PER_PAGE = 84
"""Origins in one request, which fit a datagram; more are asked for page by page, by ranges of keys."""

SUSPECT_LIMIT = 64
"""Peers remembered that seem to have more than this node."""

TRIES = 4
"""Requests without an answer, or answers without progress, before a peer is left alone until its next
exchange."""

ROUNDS_LIMIT = 512
"""Answers of one peer in a row: as many as the largest history takes by default, so that one who always has
one message more keeps nobody from the others for ever."""

LOWEST_KEY, HIGHEST_KEY = bytes(8), b"\xff" * 8


class Session:
    """One reconciliation under way with one peer."""

    __slots__ = ("deadline", "digest", "evicted", "pages", "peer", "progress", "round", "rounds", "tries")

    def __init__(
        self, peer: Address, digest: Digest, round_number: int, pages: list[tuple[Key, Key]]
    ) -> None:
        """Go through the key ranges ``pages``, last first, since ``digest`` names something unknown."""
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
        self.announced = 0
        """Messages that the last peer with more than this node has in all; 0 when nobody has more."""
        self._received_before = 0

    @property
    def deadline(self) -> float:
        """When a suspicion has stood long enough, or an answer is overdue."""
        if self._session is not None:
            return self._session.deadline
        if not self._suspects:
            return math.inf
        return min(due_at for due_at, _ in self._suspects.values())

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
        if not self._is_ahead(digest):
            self.announced = 0
            self._suspects.pop(source, None)
            self.catchup.note_level(source)
        elif source in self._suspects or len(self._suspects) < SUSPECT_LIMIT:
            due_at = (
                self._suspects[source][0] if source in self._suspects else now + self.context.grace_period()
            )
            self._suspects[source] = (due_at, digest)
            self.announced = digest.delivered

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
            if self._is_ahead(digest) and not self.catchup.is_running:
                self._rounds += 1
                self._session = Session(source, digest, self._rounds, self._pages())
                self._received_before = self.received
                self._ask(self._session, now, out)
                return

    def on_challenge(self, source: Address, now: float) -> None:
        """The peer wants proof first: ask again with it."""
        if self._session is not None and self._session.peer == source and self._session.tries == 0:
            self._session.deadline = now

    def on_floors_done(self, done: FloorsDone, link: Link, now: float, out: Outbox) -> None:
        """Go on with the session: more of the same, the next page, or the end."""
        session = self._session
        if session is None or session.peer != link.address or session.round != done.round:
            return
        session.rounds += 1
        session.evicted = session.evicted or done.evicted
        is_stuck = done.more and session.progress == self.received
        session.tries = session.tries + 1 if is_stuck else 0
        if not done.more or session.tries >= TRIES or session.rounds >= ROUNDS_LIMIT:
            session.pages.pop()
            session.tries = 0
        if session.pages:
            self._ask(session, now, out)
            return
        self._session = None
        self._lingering = (link.address, now + self.context.grace_period())
        if session.evicted:
            self.catchup.note_evicted(link.address, session.digest.evicted, now, out)

    def on_floors(self, floors: Floors, link: Link, now: float, out: Outbox) -> None:
        """Send what a peer lacks in the order it was delivered here, as much as fits one reply."""
        context = self.context
        room = REPLY_LIMIT
        theirs = dict(floors.floors)
        more = False
        for entry in self._missing(theirs, floors.low, floors.high):
            items = context.pack_rumor(entry.rumor(passed_on(entry.message.hops)))
            size = sum(item.size for item in items)
            if size > room or not context.links.may_reply(link, size, now):
                more = True
                break
            room -= size
            out.send(link.address, *items)
        evicted = any(
            sequence > theirs.get(key, 0)
            for key, sequence in context.causal.log.evicted.items()
            if floors.low <= key <= floors.high
        )
        out.send(link.address, context.pack(FloorsDone(floors.round, more, evicted)))

    def _is_ahead(self, digest: Digest) -> bool:
        """Whether the peer has delivered something that this node has not."""
        causal = self.context.causal
        if digest.delivered > causal.delivered_count:
            return True
        return digest.frontier is not None and not all(map(causal.is_delivered, digest.frontier))

    def _pages(self) -> list[tuple[Key, Key]]:
        """Key ranges that together cover everything and hold few enough origins each, last first."""
        keys = sorted(key for key, _ in self.context.causal.received_floors())
        lows = [LOWEST_KEY, *keys[FLOORS_PER_PAGE::FLOORS_PER_PAGE]]
        highs = [before(low) for low in lows[1:]] + [HIGHEST_KEY]
        return list(zip(lows, highs, strict=True))[::-1]

    def _ask(self, session: Session, now: float, out: Outbox) -> None:
        low, high = session.pages[-1]
        floors = [dot for dot in self.context.causal.received_floors() if low <= dot[0] <= high]
        # Origins heard of since the pages were cut may be too many; what is left out is sent again, no more.
        page = Floors(session.round, low, high, tuple(floors[:FLOORS_PER_PAGE]))
        session.progress = self.received
        session.deadline = now + self.context.patience()
        out.send(session.peer, self.context.pack(page))

    def _missing(self, theirs: dict[Key, int], low: Key, high: Key) -> Iterator[Retained]:
        """What is retained here above the given floors, in this node's delivery order."""
        log = self.context.causal.log
        heads: list[tuple[int, KeyDot]] = []
        for key, floor in self.context.causal.floors():
            if low <= key <= high and floor > theirs.get(key, 0):
                push_next(heads, log, key, max(theirs.get(key, 0), log.evicted.get(key, 0)), floor)
        while heads:
            index, (key, sequence) = heapq.heappop(heads)
            yield log.at(index)
            push_next(heads, log, key, sequence, self.context.causal.floor(key))


def push_next(heads: list[tuple[int, KeyDot]], log: Log, key: Key, sequence: int, floor: int) -> None:
    """Put the origin's next message after ``sequence`` into the heap, if there is one up to ``floor``."""
    entry = log.find((key, sequence + 1)) if sequence < floor else None
    if entry is not None:
        heapq.heappush(heads, (entry.index, (key, sequence + 1)))


def before(key: Key) -> Key:
    """The largest key below ``key``."""
    return (int.from_bytes(key) - 1).to_bytes(8)
