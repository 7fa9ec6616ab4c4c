"""One node without I/O: sampling, spreading, repair and causal order, joined.

Rules of this file. Time is an argument, in seconds of any monotonic clock; there is one deadline, and being
called early or late is harmless. Nothing that comes from the network raises. Datagrams and events are
collected and fetched by whoever drives: asyncio, the simulator, a test.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from ..errors import StateError, WireError
from .catchup import CatchUp
from .causal import Reception
from .codec import DATAGRAM_LIMIT, Codec, Datagram, Packed
from .config import Config
from .context import Context
from .events import DatagramRejected, Delivered, Event, Gap, IncarnationChanged, Undeliverable
from .identity import Address, Dot, NodeId, key_of
from .links import Link
from .log import Log
from .messages import (
    Absent,
    Acknowledge,
    Anchor,
    BareRumor,
    BaselinePage,
    ExchangeAnswer,
    ExchangeRequest,
    Floors,
    FloorsDone,
    Goodbye,
    Header,
    HistoryDone,
    HistoryRequest,
    KeyDot,
    Message,
    Padding,
    Parents,
    Rumor,
    Want,
)
from .outbox import Outbox
from .reconcile import Reconcile
from .repair import Repair
from .sampling import Sampling
from .snapshot import Counters, HeldMessage, NodeSnapshot
from .spreading import Spreading
from .strategy import Strategy
from .view import Descriptor, PartialView
from .wide import Assembly

if TYPE_CHECKING:
    import random

__all__ = ["Machine", "cluster_tag"]

HELD_SHOWN = 256
"""Held messages that a snapshot describes; the rest is a number."""


class Arrival:
    """Where an item came from, for its handler."""

    __slots__ = ("header", "link", "now", "size")

    def __init__(self, header: Header, link: Link, size: int, now: float) -> None:
        """Describe one datagram."""
        self.header = header
        self.link = link
        self.size = size
        self.now = now

    @property
    def is_proven(self) -> bool:
        """Whether the source is known to receive what is sent to it."""
        return self.now <= self.link.proven_until


class Machine:
    """A gossip node as a pure state machine."""

    def __init__(
        self,
        identity: NodeId,
        address: Address | None,
        config: Config,
        codec: Codec,
        rng: random.Random,
        *,
        wall_offset: float = 0.0,
    ) -> None:
        """Make a node that knows nobody.

        Args:
            identity: Name and incarnation.
            address: What third parties are told; None with a wildcard bind and nothing to advertise.
            config: The settings.
            codec: Packs and parses datagrams.
            rng: Dice; only ``random()`` is used.
            wall_offset: Unix time minus ``now``.
        """
        self.context = Context(identity, address, config, codec, rng, cluster_tag(config.cluster))
        view = PartialView(identity, address, config.view_size, rng)
        self._causal = self.context.causal
        self._causal.wall_offset = wall_offset
        self._sampling = Sampling(self.context, view)
        self._spreading = Spreading(self.context, self._sampling)
        self._repair = Repair(self.context, self._sampling)
        self._catchup = CatchUp(self.context, self._sampling)
        self._reconcile = Reconcile(self.context, self._catchup)
        self._assembly = Assembly()
        self._out = Outbox()
        self._now = -math.inf
        self._has_left = False
        self._had_view = False
        self._traffic: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter()
        self._handlers: dict[type, Callable[[Any, Arrival], str | None]] = {
            Rumor: self._on_rumor,
            BareRumor: partial(self._on_part, self._assembly.on_bare),
            Parents: partial(self._on_part, self._assembly.on_parents),
            ExchangeRequest: self._on_exchange_request,
            ExchangeAnswer: self._on_exchange_answer,
            Padding: lambda _item, _arrival: None,
            Acknowledge: self._on_acknowledge,
            Want: partial(self._on_request, self._repair.on_want),
            Floors: partial(self._on_request, self._reconcile.on_floors),
            HistoryRequest: partial(self._on_request, self._catchup.on_history_request),
            Absent: self._on_absent,
            Anchor: partial(self._on_reply, self._repair.on_anchor),
            FloorsDone: partial(self._on_reply, self._reconcile.on_floors_done),
            BaselinePage: partial(self._on_reply, self._catchup.on_baseline_page),
            HistoryDone: partial(self._on_reply, self._catchup.on_history_done),
            Goodbye: self._on_goodbye,
        }

    # identity and settings

    @property
    def id(self) -> NodeId:
        """Who this node is; another incarnation after an ``IncarnationChanged`` event."""
        return self.context.id

    @property
    def address(self) -> Address | None:
        """Where third parties are told to reach it."""
        return self.context.address

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self.context.config

    @property
    def wall_offset(self) -> float:
        """Unix time minus ``now``, in seconds; the driver keeps it true."""
        return self._causal.wall_offset

    @wall_offset.setter
    def wall_offset(self, seconds: float) -> None:
        self._causal.wall_offset = seconds

    def set_strategy(self, strategy: Strategy | str) -> None:
        """Sample by another strategy from now on; the view stays.

        Raises:
            ConfigError: It is not possible with this view size; nothing was changed.
        """
        self.context.config = replace(self.context.config, strategy=strategy)

    # inputs

    def join(self, contacts: Iterable[Address], now: float) -> None:
        """Dial contacts at once, and again for ever whenever they are not in the view."""
        self._require_member()
        self._now = now
        self._sampling.join(contacts, now, self._out, is_kept=True)

    def add(self, peers: Iterable[Address], now: float) -> None:
        """Dial addresses a few times; they are not kept."""
        self._require_member()
        self._now = now
        self._sampling.join(peers, now, self._out, is_kept=False)

    def introduce(self, descriptors: Iterable[Descriptor]) -> None:
        """Fill the view from outside, as experiments do; no event, nothing sent."""
        self._sampling.introduce(descriptors)

    def send_gossip(self, payload: bytes, now: float, created_at: float) -> Message:
        """Make the next own message, deliver it here and push it.

        Raises:
            PayloadSizeError: It does not fit one datagram; nothing was made.
            BacklogError: Too many own messages are unacknowledged; nothing was made.
            StateError: The node has left.
        """
        self._require_member()
        self._now = now
        return self._spreading.send(payload, now, created_at, self._out)

    def receive_datagram(self, data: Any, source: Address, now: float) -> None:
        """Take a datagram in, whatever it is; at most one ``DatagramRejected`` event comes of it."""
        if self._has_left:
            return
        self._now = now
        self._traffic["datagrams_in"] += 1
        self._traffic["bytes_in"] += len(data)
        try:
            header, items, skipped = self.context.codec.parse(data)
        except WireError as error:
            self._reject(error.reason, source)
            return
        if header.cluster != self.context.cluster:
            self._reject("cluster", source)
            return
        if header.sender == self.context.key:
            self._sampling.on_own(items)
            self._reject("own", source)
            return
        if skipped:
            self._rejected["kind"] += skipped
        links = self.context.links
        cookie = links.cookie_of(source) if not items else 0
        link = links.heard(source, header, len(data), now)
        if not items and link.cookie != cookie:
            self._on_challenge(source, now)
        self._dispatch(items, Arrival(header, link, len(data), now))
        self._settle(now)

    def handle_deadline(self, now: float) -> None:
        """Do what is due; harmless if nothing is."""
        if self._has_left:
            return
        due_at = self.deadline
        self._now = now
        if due_at > -math.inf and now - due_at > self.config.answer_timeout:
            self._sampling.postpone(now)
        self._sampling.on_deadline(now, self._out)
        self._catchup.on_deadline(now, self._out)
        self._reconcile.on_deadline(now, self._out)
        if now >= self._repair.deadline:
            self._repair.on_deadline(now, self._out)
        self._spreading.on_deadline(now, self._out)
        self._causal.on_deadline(now, self._out)
        self._settle(now)

    def leave(self, now: float) -> None:
        """Push what nobody has once more, say goodbye, and be deaf from now on."""
        if self._has_left:
            return
        self._now = now
        self._spreading.push_pending(now, self._out)
        goodbye = self.context.pack(Goodbye(self.context.id))
        for target in self._sampling.farewell_targets(now):
            if self.context.links.may_push(target, goodbye.size, now):
                self._out.send(target, goodbye)
        self._has_left = True

    # outputs

    @property
    def deadline(self) -> float:
        """When ``handle_deadline`` is due next, on the clock of ``now``; ``math.inf`` when nothing is."""
        if self._has_left:
            return math.inf
        return min(
            self._sampling.deadline,
            self._catchup.deadline,
            self._reconcile.deadline,
            self._repair.deadline,
            self._spreading.deadline,
            self._causal.deadline,
        )

    def datagrams_to_send(self) -> list[Datagram]:
        """What to put on the wire now; each is handed out once."""
        waiting, self._out.waiting = self._out.waiting, {}
        datagrams: list[Datagram] = []
        for target, items in waiting.items():
            self._assemble(target, items, datagrams)
        self._out.offers.clear()
        self._traffic["datagrams_out"] += len(datagrams)
        self._traffic["bytes_out"] += sum(datagram.size for datagram in datagrams)
        return datagrams

    def take_events(self) -> list[Event]:
        """What happened since the last call."""
        events, self._out.events = self._out.events, []
        for event in events:
            self._traffic[type(event).__name__] += 1
        return events

    # questions

    @property
    def log(self) -> Log:
        """The retained messages in this node's delivery order."""
        return self._causal.log

    @property
    def payload_limit(self) -> int:
        """Bytes that fit one message now."""
        return self._spreading.payload_limit

    @property
    def unacknowledged(self) -> int:
        """Own messages that no other node is known to have."""
        return self._spreading.unacknowledged

    def acknowledged_by(self, dot: Dot) -> int:
        """How many other nodes are known to have delivered this own message; 0 for anybody else's."""
        return self._spreading.acknowledged_by(dot.sequence) if dot.origin == self.context.id else 0

    def view(self) -> tuple[Descriptor, ...]:
        """The partial view, youngest first."""
        return self._sampling.view.descriptors()

    def snapshot(self, now: float) -> NodeSnapshot:
        """One frozen picture of everything countable."""
        context, causal, sampling = self.context, self._causal, self._sampling
        authors = [
            origin.id
            for origin in causal.origins.values()
            if origin.id is not None and origin.id != context.id
        ]
        return NodeSnapshot(
            id=context.id,
            address=context.address or Address("", 0),
            cluster=context.config.cluster,
            strategy=context.config.sampling,
            view_size=context.config.view_size,
            fanout=context.config.fanout,
            cycle=sampling.cycle,
            view=sampling.view.descriptors(),
            peers=sampling.acquaintances.rows(sampling.view, context.links, authors),
            held=self._held_messages(),
            held_count=len(causal.holding),
            retained_count=len(causal.log),
            retained_size=causal.log.size,
            evicted_count=causal.log.evicted_count,
            frontier=causal.public_dots(causal.frontier.dots.items()),
            depth=causal.depth,
            unacknowledged=self.unacknowledged,
            catching_up=self._catchup.is_running,
            left=self._has_left,
            counters=self._counters(),
            rejected=dict(self._rejected),
            now=now,
        )

    def check(self) -> None:
        """Verify every invariant; for tests."""
        self._causal.check()
        self._sampling.view.check()

    def _held_messages(self) -> tuple[HeldMessage, ...]:
        held = sorted(
            self._causal.holding.values(), key=lambda h: (h.rumor.depth, h.rumor.origin, h.rumor.sequence)
        )
        offset = self._causal.wall_offset
        return tuple(
            HeldMessage(
                id=Dot(one.rumor.origin, one.rumor.sequence),
                text=one.rumor.payload.decode("utf-8", "replace"),
                depth=one.rumor.depth,
                created_at=one.rumor.created_at,
                received_at=one.received_at + offset,
                waits_for=self._causal.public_dots(self._causal.missing_of(one)),
            )
            for one in held[:HELD_SHOWN]
        )

    def _counters(self) -> Counters:
        count, sampling = self._traffic, self._sampling
        return Counters(
            datagrams_in=count["datagrams_in"],
            datagrams_out=count["datagrams_out"],
            bytes_in=count["bytes_in"],
            bytes_out=count["bytes_out"],
            delivered=count[Delivered.__name__],
            sent=self._spreading.sent,
            rumors_in=count["rumors_in"],
            duplicates=count["duplicates"],
            repairs=count["repairs"],
            wants=self._repair.wants,
            exchanges_started=sampling.started,
            exchanges_answered=sampling.answered,
            exchanges_served=sampling.served,
            peers_lost=sampling.lost_count,
            gaps=count[Gap.__name__],
            undeliverable=count[Undeliverable.__name__],
            events_dropped=self._out.dropped,
        )

    # datagrams in

    def _dispatch(self, items: list[Any], arrival: Arrival) -> None:
        """Hand every item to its handler; the first refusal stands for the datagram."""
        handlers = self._handlers
        first: str | None = None
        for item in items:
            reason = handlers[type(item)](item, arrival)
            if reason is not None:
                first = first or reason
        if first is not None:
            self._reject(first, arrival.link.address)

    def _reject(self, reason: str, source: Address) -> None:
        self._rejected[reason] += 1
        self._out.tell(DatagramRejected(source, reason))

    def _on_rumor(self, rumor: Rumor, arrival: Arrival) -> str | None:
        now, source, out = arrival.now, arrival.link.address, self._out
        self._traffic["rumors_in"] += 1
        key = key_of(rumor.origin)
        dot = (key, rumor.sequence)
        if key == self.context.key and not self._is_own(rumor):
            self._take_new_incarnation(now)
        if self._causal.is_known(dot):
            self._traffic["duplicates"] += 1
            self._spreading.note_received(rumor, arrival.header.sender, source, now, out)
            return None
        is_history = self._catchup.is_from_sponsor(source)
        is_repair = (
            is_history or self._reconcile.is_from_session(source, now) or self._repair.is_expected(dot)
        )
        reception = self._causal.receive(rumor, source, now, out, from_history=is_history)
        if reception is not Reception.NEW:
            return reception.value
        self._reconcile.received += 1
        if is_repair:
            self._traffic["repairs"] += 1
            self._repair.note_filled(key, now)
        else:
            self._spreading.push(rumor, arrival.header.sender, source, now, out)
        held = self._causal.holding.get(dot)
        if held is not None:
            self._repair.note_held(held, now)
        if is_history:
            self._catchup.on_progress(now)
        self._spreading.note_received(rumor, arrival.header.sender, source, now, out)
        return None

    def _on_part(
        self, collect: Callable[[Any, Address], Rumor | None], item: Any, arrival: Arrival
    ) -> str | None:
        """Collect a message that comes in several items."""
        rumor = collect(item, arrival.link.address)
        return self._on_rumor(rumor, arrival) if rumor is not None else None

    def _is_own(self, rumor: Rumor) -> bool:
        """Whether a rumor under this node's identity is one that it made."""
        if rumor.sequence > self._causal.floor(self.context.key):
            return False
        entry = self._causal.log.find((self.context.key, rumor.sequence))
        return entry is None or (entry.message.payload, entry.message.depth) == (rumor.payload, rumor.depth)

    def _on_exchange_request(self, request: ExchangeRequest, arrival: Arrival) -> str | None:
        now, out = arrival.now, self._out
        if not self._sampling.on_exchange_request(
            request, arrival.header, arrival.link, arrival.size, now, out
        ):
            return None
        digest = request.digest
        self._causal.announce_depth(digest.depth)
        if arrival.is_proven:
            out.send(arrival.link.address, *self.context.acknowledgement(arrival.header.sender))
            self._note_frontier(digest.frontier or (), arrival)
        self._reconcile.on_digest(digest, arrival.link.address, now)
        return None

    def _on_exchange_answer(self, answer: ExchangeAnswer, arrival: Arrival) -> str | None:
        now, out = arrival.now, self._out
        if not self._sampling.on_exchange_answer(answer, arrival.header, arrival.link, now, out):
            return "unasked"
        digest, source = answer.digest, arrival.link.address
        self._causal.announce_depth(digest.depth, trusted=self._catchup.is_newcomer)
        self._note_frontier(digest.frontier or (), arrival)
        self._catchup.on_answer(digest, source, now, out)
        self._reconcile.on_digest(digest, source, now)
        return None

    def _note_frontier(self, frontier: Iterable[KeyDot], arrival: Arrival) -> None:
        """A frontier that names this node's own dots acknowledges them."""
        for dot in frontier:
            if dot[0] == self.context.key:
                self._acknowledged(dot, arrival)

    def _on_acknowledge(self, item: Acknowledge, arrival: Arrival) -> str | None:
        if arrival.is_proven:
            self._acknowledged(item.dot, arrival)
        return None

    def _acknowledged(self, dot: KeyDot, arrival: Arrival) -> None:
        if not self._spreading.on_acknowledge(dot, arrival.header.sender, arrival.now):
            self._take_new_incarnation(arrival.now)

    def _on_request(
        self, answer: Callable[[Any, Link, float, Outbox], None], item: Any, arrival: Arrival
    ) -> str | None:
        """Answer with messages, but only to a source that has proven itself; others get a cookie to do so."""
        if arrival.is_proven:
            answer(item, arrival.link, arrival.now, self._out)
        else:
            self._out.offers.add(arrival.link.address)
            self._out.send(arrival.link.address)
        return None

    def _on_reply(
        self, take: Callable[[Any, Link, float, Outbox], None], item: Any, arrival: Arrival
    ) -> str | None:
        """Take what was asked for, from somebody who was asked."""
        if not arrival.is_proven:
            return "unproven"
        take(item, arrival.link, arrival.now, self._out)
        return None

    def _on_absent(self, absent: Absent, arrival: Arrival) -> str | None:
        if arrival.is_proven:
            self._repair.on_absent(absent, arrival.now)
        return None

    def _on_goodbye(self, goodbye: Goodbye, arrival: Arrival) -> str | None:
        if arrival.is_proven:
            self._sampling.on_goodbye(goodbye, arrival.link, arrival.now, self._out)
        return None

    def _on_challenge(self, source: Address, now: float) -> None:
        """A peer wants its cookie back before it answers: ask again, now with it."""
        self._repair.on_challenge(source, now)
        self._catchup.on_challenge(source, now)
        self._reconcile.on_challenge(source, now)

    # after every input

    def _settle(self, now: float) -> None:
        """Let the parts see what the last input changed for them."""
        self._repair.is_paused = self._catchup.is_running
        if self._causal.unanchored:
            self._repair.note_unanchored(now, self._out)
        has_view = len(self._sampling.view) > 0
        if has_view and not self._had_view:
            self._spreading.push_pending(now, self._out)
            if self._catchup.is_newcomer:
                self._sampling.hurry(now)
        self._had_view = has_view

    def _take_new_incarnation(self, now: float) -> None:
        """Somebody else speaks under this node's identity: leave it to them."""
        context, before = self.context, self.context.id
        milliseconds = max(0, int((now + self._causal.wall_offset) * 1000))
        fresh = milliseconds << 16 | int(context.random() * 65_536)
        context.id = NodeId(before.name, max(fresh, before.incarnation + 1) % (1 << 64))
        context.key = context.id.key
        self._sampling.rename(before)
        self._spreading.restart()
        self._out.tell(IncarnationChanged(before, context.id))

    def _require_member(self) -> None:
        if self._has_left:
            raise StateError("the node has left")

    # datagrams out

    def _assemble(self, target: Address, items: list[Packed], datagrams: list[Datagram]) -> None:
        """Share out items for one target among as few datagrams as the limit allows, in order."""
        context = self.context
        link = context.links.dial(target, self._now)
        offer = context.links.cookie_for(target, self._now) if target in self._out.offers else 0
        header = context.header(link.cookie, offer)
        room = DATAGRAM_LIMIT - context.codec.header_size(header)
        start = size = 0
        for index, item in enumerate(items):
            if size + item.size > room and index > start:
                self._emit(target, header, items[start:index], datagrams)
                start, size = index, 0
            size += item.size
        self._emit(target, header, items[start:], datagrams)

    def _emit(self, target: Address, header: Header, items: list[Packed], datagrams: list[Datagram]) -> None:
        data = self.context.codec.assemble(header, items)
        size = len(data)
        if size <= DATAGRAM_LIMIT and self.context.links.admit(target, size, self._now) is not None:
            datagrams.append(Datagram(target, data, size))


def cluster_tag(name: str) -> int:
    """The 32-bit number that stands for a cluster in every datagram."""
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest())
