"""What comes in: every item to its handler, and what the parts of a node owe each other after it.

Rules of this file. Nothing here raises for what came from the network: a handler returns the reason for a
refusal or None. Messages go to proven sources only; who asks without proof gets a cookie to ask again with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from .causal import NEW
from .context import Context
from .identity import Address, key_of
from .large.tree import Reference
from .links import Link
from .messages import (
    NOTHING,
    Absent,
    Acknowledge,
    Anchor,
    Announcement,
    BareRumor,
    BaselinePage,
    Chunk,
    ChunkRequest,
    Digest,
    Distance,
    ExchangeAnswer,
    ExchangeRequest,
    Floors,
    FloorsDone,
    FloorSums,
    Goodbye,
    Graft,
    Header,
    HistoryDone,
    HistoryRequest,
    Holding,
    IHave,
    Item,
    KeyDot,
    Linkage,
    Padding,
    Parents,
    Prune,
    Range,
    Rumor,
    Stance,
    SumsDiffer,
    Want,
    passed_on,
)
from .outbox import Outbox
from .parts import Parts
from .sampling import Sampling
from .trees import ANNOUNCED_LIMIT
from .wide import Assembly

__all__ = ["Arrival", "Intake"]

SAMPLING_KINDS = frozenset({ExchangeRequest, ExchangeAnswer, Padding, Goodbye, Linkage})
"""Items that say nothing of messages, but for the digest of an exchange."""

Handler = Callable[["Intake", Any, "Arrival"], str | None]
"""Takes one item; returns why it is refused, or None."""


class Arrival:
    """Where an item came from, for its handler."""

    __slots__ = ("announced_left", "header", "is_proven", "link", "now", "size")

    def __init__(self, header: Header, link: Link, size: int, now: float) -> None:
        """Describe one datagram."""
        self.header = header
        self.link = link
        self.size = size
        self.now = now
        self.is_proven = now <= link.proven_until
        """Whether the source is known to receive what is sent to it."""
        self.announced_left = ANNOUNCED_LIMIT
        """How many more dots of its announcements are looked at."""


class Intake(Parts):
    """Takes datagrams in, item by item."""

    __slots__ = ("_assembly",)

    def __init__(self, context: Context, out: Outbox, sampling: Sampling) -> None:
        """Make the parts that build on ``sampling``; effects go to ``out``."""
        super().__init__(context, out, sampling)
        self._assembly = Assembly()

    def take(self, header: Header, items: list[Item], source: Address, size: int, now: float) -> None:
        """Take a datagram in whose form is right."""
        if header.cluster != self.context.cluster:
            self.reject("cluster", source)
            return
        if header.sender == self.context.key:
            self.sampling.on_own(items)
            self.rejected["own"] += 1
            return
        links = self.context.links
        cookie = links.cookie_of(source) if not items else 0
        link = links.heard(source, header, size, now)
        if self.neighbours.at:
            self.neighbours.note_heard(source, now)
        if not items and link.cookie != cookie:
            self._on_challenge(source, now)
        introductions = self.sampling.introductions
        if introductions and source in introductions and now <= link.proven_until:
            self.sampling.complete_introduction(source, now, self.out)
        self._dispatch(items, Arrival(header, link, size, now))
        if not self.is_quiet:
            self.settle(now)

    def _dispatch(self, items: list[Any], arrival: Arrival) -> None:
        """Hand every item to its handler; the first refusal stands for the datagram."""
        handlers = self._HANDLERS
        first: str | None = None
        for item in items:
            kind = type(item)
            if kind not in SAMPLING_KINDS:
                self.end_silence()
            reason = handlers[kind](self, item, arrival)
            if reason is not None:
                first = first or reason
        if first is not None:
            self.reject(first, arrival.link.address)

    def _on_rumor(self, rumor: Rumor, arrival: Arrival) -> str | None:
        now, source, out = arrival.now, arrival.link.address, self.out
        self.rumor_count += 1
        key = key_of(rumor.origin)
        dot = (key, rumor.sequence)
        if key == self.context.key:
            self._check_own(rumor, now)
        is_announced = type(rumor.payload) is Reference
        if self._causal.is_known(dot) or (
            is_announced and self.fetching.note_holder(rumor, source, now, out)
        ):
            self._on_duplicate(rumor, dot, arrival)
            return None
        is_history = self.catchup.is_from_sponsor(source)
        is_missing = self.reconcile.is_from_session(source, now)
        is_whole = is_history or is_missing
        is_repair = is_whole or self.repair.is_expected(dot)
        if is_announced:
            reception = self.fetching.begin(
                rumor, arrival.header.sender, source, now, out, from_history=is_history, is_asked=is_repair
            )
        else:
            reception = self._causal.receive(rumor, source, now, out, from_history=is_history)
        if reception is not NEW:
            return reception.value
        if is_missing:
            self.reconcile.received += 1
            self.neighbours.ask(source, now, out)
            self.trees.announce_found(dot, source, now, out)
        if is_repair:
            self.repair_count += 1
            self.repair.note_filled(key, now)
        else:
            self.trees.on_pushed(dot, source, now)
        if not is_repair or (self.neighbours.seeks and not is_whole):
            self.spreading.push(rumor, arrival.header.sender, source, now, out)
        held = self._causal.holding.get(dot)
        if held is not None:
            self.repair.note_held(held, now)
        if is_history:
            self.catchup.on_progress(now)
        self.spreading.note_received(rumor, arrival.header.sender, source, now, out)
        return None

    def _on_duplicate(self, rumor: Rumor, dot: KeyDot, arrival: Arrival) -> None:
        """Note another copy of a message."""
        source, now, out = arrival.link.address, arrival.now, self.out
        self.duplicate_count += 1
        out.spare(dot, source)
        self.trees.on_duplicate(dot, source, now)
        self._show_namesake(rumor, dot, arrival)
        self.spreading.note_received(rumor, arrival.header.sender, source, now, out)

    def _on_part(
        self, collect: Callable[[Any, Address], Rumor | None], item: Any, arrival: Arrival
    ) -> str | None:
        """Collect a message that comes in several items."""
        rumor = collect(item, arrival.link.address)
        return self._on_rumor(rumor, arrival) if rumor is not None else None

    def _on_announcement(self, item: Announcement, arrival: Arrival) -> str | None:
        """A large message: its parents may come in pages, its payload is pulled."""
        if item.pages:
            return self._on_part(self._assembly.on_bare, item, arrival)
        return self._on_rumor(item.rumor, arrival)

    def _show_namesake(self, rumor: Rumor, dot: KeyDot, arrival: Arrival) -> None:
        """Show an origin what somebody else sent under its number, so that it takes a new incarnation.

        Two processes with copies of one state file else never hear of it while they send equally much: all
        others hold one of two messages under one dot, and their frontiers are equal.
        """
        if rumor.hops or dot[0] != arrival.header.sender or not arrival.is_proven:
            return
        entry = self._causal.log.find(dot)
        if entry is None or self._is_same(rumor, dot):
            return
        items = self.context.pack_rumor(entry.rumor(passed_on(entry.message.hops)))
        if self.context.links.may_reply(arrival.link, sum(item.size for item in items), arrival.now):
            self.out.send(arrival.link.address, *items)

    def _on_exchange_request(self, request: ExchangeRequest, arrival: Arrival) -> str | None:
        now, out = arrival.now, self.out
        if not self.sampling.on_exchange_request(
            request, arrival.header, arrival.link, arrival.size, now, out
        ):
            return None
        digest = request.digest
        if self._is_nothing(digest):
            return None
        self._causal.announce_depth(digest.depth)
        if arrival.is_proven:
            out.send(arrival.link.address, *self.context.acknowledgement(arrival.header.sender))
            if digest.frontier:
                self._note_frontier(digest.frontier, arrival)
        self.reconcile.on_digest(digest, arrival.link.address, now)
        return None

    def _on_exchange_answer(self, answer: ExchangeAnswer, arrival: Arrival) -> str | None:
        now, out = arrival.now, self.out
        if not self.sampling.on_exchange_answer(answer, arrival.header, arrival.link, now, out):
            return "unasked"
        digest, source = answer.digest, arrival.link.address
        if self._is_nothing(digest):
            return None
        self._causal.announce_depth(digest.depth)
        if digest.frontier:
            self._note_frontier(digest.frontier, arrival)
        self.catchup.on_answer(digest, source, now, out)
        self.reconcile.on_digest(digest, source, now)
        return None

    def _is_nothing(self, digest: Digest) -> bool:
        """Whether neither side ever heard of a message; if the peer has, the silence is over."""
        if digest is not NOTHING and digest != NOTHING:
            self.end_silence()
        return self.is_quiet

    def _note_frontier(self, frontier: Iterable[KeyDot], arrival: Arrival) -> None:
        """A frontier that names this node's own dots acknowledges them."""
        for dot in frontier:
            if self.spreading.is_own(dot[0]):
                self._acknowledged(dot, arrival)

    def _on_acknowledge(self, item: Acknowledge, arrival: Arrival) -> str | None:
        if arrival.is_proven:
            self._acknowledged(item.dot, arrival)
        return None

    def _acknowledged(self, dot: KeyDot, arrival: Arrival) -> None:
        if not self.spreading.on_acknowledge(dot, arrival.header.sender, arrival.now):
            self._take_new_incarnation(arrival.now)
        elif dot[0] == self.context.key and (doubtful := self.spreading.to_verify(dot[1])) is not None:
            want = Want((Range(doubtful[0], doubtful[1], doubtful[1]),), anchored=False)
            self.out.send(arrival.link.address, self.context.pack(want))

    def _on_request(
        self, answer: Callable[[Any, Link, float, Outbox], None], item: Any, arrival: Arrival
    ) -> str | None:
        """Answer with messages, but only to a source that has proven itself; others get a cookie to do so."""
        if arrival.is_proven:
            answer(item, arrival.link, arrival.now, self.out)
        else:
            self.out.offers.add(arrival.link.address)
            self.out.send(arrival.link.address)
        return None

    def _on_reply(
        self, take: Callable[[Any, Link, float, Outbox], None], item: Any, arrival: Arrival
    ) -> str | None:
        """Take what was asked for, from somebody who was asked."""
        if not arrival.is_proven:
            return "unproven"
        take(item, arrival.link, arrival.now, self.out)
        return None

    def _on_anchor(self, anchor: Anchor, arrival: Arrival) -> str | None:
        """Take a clock from the sponsor, or from the peer that was asked for it."""
        source = arrival.link.address
        if self.catchup.is_from_sponsor(source) or self.repair.has_asked(anchor.dot, source):
            return self._on_reply(self.repair.on_anchor, anchor, arrival)
        return "unasked"

    def _on_absent(self, absent: Absent, arrival: Arrival) -> str | None:
        if arrival.is_proven:
            self.repair.on_absent(absent, arrival.now)
        return None

    def _on_goodbye(self, goodbye: Goodbye, arrival: Arrival) -> str | None:
        if arrival.is_proven:
            self.sampling.on_goodbye(goodbye, arrival.link, arrival.now, self.out)
            self.neighbours.drop(arrival.link.address, arrival.now, self.out)
        return None

    def _on_linkage(self, linkage: Linkage, arrival: Arrival) -> str | None:
        """Hear of a link from a proven source; who asks for one without proof gets a cookie to do so."""
        now, source, out = arrival.now, arrival.link.address, self.out
        if arrival.is_proven:
            self.neighbours.on_linkage(linkage, source, arrival.header.sender, now, out)
        elif linkage.stance <= Stance.SPARE:
            out.offers.add(source)
            out.send(source)
        return None

    def _on_announce(self, announce: IHave, arrival: Arrival) -> str | None:
        if arrival.is_proven:
            source, left = arrival.link.address, arrival.announced_left
            arrival.announced_left = self.trees.on_announce(announce, source, arrival.now, left)
        return None

    def _on_distance(self, distance: Distance, arrival: Arrival) -> str | None:
        if arrival.is_proven:
            self.trees.on_distance(distance, arrival.link.address, arrival.now, self.out)
        return None

    def _on_prune(self, _prune: Prune, arrival: Arrival) -> str | None:
        if arrival.is_proven:
            self.trees.on_prune(arrival.link.address, arrival.now)
        return None

    def _on_challenge(self, source: Address, now: float) -> None:
        """A peer wants its cookie back before it answers: ask again, now with it."""
        self.repair.on_challenge(source, now)
        self.catchup.on_challenge(source, now)
        self.reconcile.on_challenge(source, now)
        self.fetching.on_challenge(source, now)
        self.neighbours.on_challenge(source, now, self.out)

    def _on_chunk(self, chunk: Chunk, arrival: Arrival) -> str | None:
        return self.fetching.on_chunk(chunk, arrival.link, arrival.now, self.out)

    def _on_holding(self, holding: Holding, arrival: Arrival) -> str | None:
        return self.fetching.on_holding(holding, arrival.link, arrival.now, self.out)

    _HANDLERS: ClassVar[dict[type, Handler]] = {
        Rumor: _on_rumor,
        BareRumor: lambda self, item, arrival: self._on_part(self._assembly.on_bare, item, arrival),
        Parents: lambda self, item, arrival: self._on_part(self._assembly.on_parents, item, arrival),
        ExchangeRequest: _on_exchange_request,
        ExchangeAnswer: _on_exchange_answer,
        Padding: lambda _self, _item, _arrival: None,
        Acknowledge: _on_acknowledge,
        Want: lambda self, item, arrival: self._on_request(self.repair.on_want, item, arrival),
        Floors: lambda self, item, arrival: self._on_request(self.reconcile.on_floors, item, arrival),
        FloorSums: lambda self, item, arrival: self._on_request(self.reconcile.on_sums, item, arrival),
        SumsDiffer: lambda self, item, arrival: self._on_reply(self.reconcile.on_sums_differ, item, arrival),
        HistoryRequest: lambda self, item, arrival: self._on_request(
            self.sponsor.on_history_request, item, arrival
        ),
        Absent: _on_absent,
        Anchor: _on_anchor,
        FloorsDone: lambda self, item, arrival: self._on_reply(self.reconcile.on_floors_done, item, arrival),
        BaselinePage: lambda self, item, arrival: self._on_reply(
            self.catchup.on_baseline_page, item, arrival
        ),
        HistoryDone: lambda self, item, arrival: self._on_reply(self.catchup.on_history_done, item, arrival),
        Goodbye: _on_goodbye,
        Announcement: _on_announcement,
        ChunkRequest: lambda self, item, arrival: self._on_request(
            self.serving.on_chunk_request, item, arrival
        ),
        Chunk: _on_chunk,
        Holding: _on_holding,
        Linkage: _on_linkage,
        IHave: _on_announce,
        Distance: _on_distance,
        Prune: _on_prune,
        Graft: lambda self, item, arrival: self._on_request(self.trees.on_graft, item, arrival),
    }
    """Who takes which item: one table for all nodes of a process, of whom a simulation has thousands."""
