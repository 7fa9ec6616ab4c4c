"""What happened where, and what happened before what: the graph under a space-time diagram.

Rules of this file. A happening is one event at one node: a message is sent, or delivered. Happenings are kept
in an order that extends happened-before, the newest last, so many and no more. Of an observed node every
delivery is known, so its lane is a chain. Of any other node only its messages are known: each tells that it
was sent, and which messages its author had delivered by then (its parents), but not when, nor in which order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from heapq import heapify, heappop, heappush

from gossip_tui.observed import Deliveries, Delivery
from protocol.core.identity import Dot, NodeId
from protocol.core.messages import Message

__all__ = ["HAPPENING_LIMIT", "Happening", "Happenings", "Kind", "Lane", "Relation"]

HAPPENING_LIMIT = 8_000
"""Happenings kept: minutes of a swarm that chats, and the past of any of them is found in milliseconds."""

CLOCK_LIMIT = 256
"""Clocks remembered that were worked out: those of some screens."""

LANE_LIMIT = 1_024
"""Lanes kept, as many as a clock has entries; the one that was silent for longest goes."""


class Kind(StrEnum):
    """What happened."""

    SEND = "send"
    DELIVERY = "delivery"
    TOLD = "told"
    """A delivery that nobody here saw: a later message of that node names it as a parent."""


class Relation(StrEnum):
    """How a happening stands to the one under the cursor."""

    SELF = "self"
    PAST = "past"
    FUTURE = "future"
    CONCURRENT = "concurrent"


class Happening:
    """A message was sent by a node, or delivered at it."""

    __slots__ = ("at", "causes", "dot", "effects", "kind", "message", "node", "number")

    def __init__(
        self,
        number: int,
        node: NodeId,
        kind: Kind,
        dot: Dot,
        message: Message | None,
        at: float,
        causes: tuple[Happening, ...],
    ) -> None:
        self.number = number
        """Its place in the order of all happenings."""
        self.node = node
        """Where it happened."""
        self.kind = kind
        self.dot = dot
        """The message it is about."""
        self.message = message
        """That message, as this node delivered it; None for a parent that was never seen here."""
        self.at = at
        """Unix seconds by the clock of this computer."""
        self.causes = causes
        """What happened immediately before, as far as it is kept; at its own node first."""
        self.effects: list[Happening] = []
        """What happened immediately after."""
        for cause in causes:
            cause.effects.append(self)

    @property
    def source(self) -> Happening | None:
        """Of a delivery: the sending of the message, if it is kept."""
        if self.kind is Kind.SEND:
            return None
        return next((cause for cause in self.causes if is_sending_of(cause, self.dot)), None)


class Lane:
    """One node of the diagram."""

    __slots__ = ("clock", "count", "heads", "is_exact", "is_observed", "last_number", "node", "sent")

    def __init__(self, node: NodeId, *, is_observed: bool, is_exact: bool) -> None:
        self.node = node
        self.is_observed = is_observed
        """Whether everything that happens there is known."""
        self.is_exact = is_exact
        """Whether nothing is missing in its clock: it was observed from its first message on, before which
        there was none, or it has sent one since."""
        self.clock: dict[NodeId, int] = {}
        """The last sequence of each origin that it is known to have delivered."""
        self.heads: tuple[Happening, ...] = ()
        """What a new happening there comes after."""
        self.sent: Happening | None = None
        """The last message it sent."""
        self.count = 0
        """Messages it sent that were seen."""
        self.last_number = 0

    def learn(self, message: Message) -> None:
        """Whoever has a message has everything that happened before it."""
        clock = self.clock
        for origin, sequence in message.clock.items():
            if sequence > clock.get(origin, 0):
                clock[origin] = sequence


class Happenings:
    """Keeps the newest happenings of all nodes, and tells past from future.

    Args:
        limit: Happenings kept.
    """

    def __init__(self, limit: int = HAPPENING_LIMIT) -> None:
        self.limit = limit
        self.kept: deque[Happening] = deque()
        """In an order that extends happened-before, newest last."""
        self.lanes: dict[NodeId, Lane] = {}
        self.sends: dict[Dot, Happening] = {}
        self._count = 0
        self._clocks: dict[int, tuple[Mapping[NodeId, int], bool]] = {}
        self._fresh: list[Happening] = []

    def add(self, deliveries: Deliveries) -> list[Happening]:
        """Take in what was observed; returns what is new, in order."""
        for node in deliveries.cursor:
            lane = self.lanes.get(node)
            if lane is None or not lane.is_observed:
                self._new_lane(node, is_observed=True, is_exact=node in deliveries.unbroken)
        for delivery in in_order(deliveries.rows):
            self._place(delivery)
        fresh, self._fresh = self._fresh, []
        self._trim()
        return fresh

    def clock_of(self, happening: Happening) -> tuple[Mapping[NodeId, int], bool]:
        """What a node had delivered once something had happened there, and whether that is all.

        Of a delivery it is worked out backwards from what the node has delivered by now: sequences are dense.
        """
        found = self._clocks.get(happening.number)
        if found is None:
            if len(self._clocks) >= CLOCK_LIMIT:
                self._clocks.clear()
            found = self._clocks[happening.number] = self._clock_of(happening)
        return found

    def _clock_of(self, happening: Happening) -> tuple[Mapping[NodeId, int], bool]:
        lane = self.lanes.get(happening.node)
        if happening.kind is not Kind.DELIVERY or lane is None:
            clock = happening.message.clock if happening.message is not None else {}
            return clock, happening.kind is Kind.SEND
        entries = dict(lane.clock)
        later = lane.heads[0] if lane.heads else None
        while later is not None and later is not happening:
            origin, sequence = later.dot
            entries[origin] = min(entries.get(origin, 0), sequence - 1)
            later = next((one for one in later.causes if one.node == later.node), None)
        return {origin: count for origin, count in entries.items() if count}, lane.is_exact

    def relations(self, happening: Happening) -> dict[int, Relation]:
        """The past and the future of a happening, by number; whatever else is kept is concurrent with it."""
        known = dict.fromkeys(reached(happening, lambda one: one.causes), Relation.PAST)
        known.update(dict.fromkeys(reached(happening, lambda one: one.effects), Relation.FUTURE))
        known[happening.number] = Relation.SELF
        return known

    def check(self) -> None:
        """Verify the invariants; for tests."""
        assert len(self.kept) <= self.limit
        numbers = [one.number for one in self.kept]
        assert numbers == sorted(set(numbers))
        for one in self.kept:
            assert all(cause.number < one.number for cause in one.causes)
            assert all(one in cause.effects for cause in one.causes if cause.number >= numbers[0])
        assert all(send.number >= numbers[0] for send in self.sends.values())

    def _place(self, delivery: Delivery) -> None:
        node, message = delivery
        origin = message.id.origin
        lane = self.lanes[node]
        at = message.delivered_at
        if node == origin:
            self._send(lane, message, at, lane.heads)
            return
        author = self.lanes.get(origin)
        if author is None or not author.is_observed:
            self._hear_of(message, at)
        send = self.sends.get(message.id)
        causes = (*lane.heads, send) if send is not None else lane.heads
        if not lane.last_number:
            lane.is_exact = lane.is_exact and len(message.clock) == message.id.sequence == 1
            lane.learn(message)
        lane.clock[origin] = max(message.id.sequence, lane.clock.get(origin, 0))
        self._happen(lane, Kind.DELIVERY, message.id, message, at, causes)

    def _hear_of(self, message: Message, at: float) -> None:
        """A message of a node that is not observed tells that it was sent, and what had come there before."""
        if message.id in self.sends:
            return
        lane = self.lanes.get(message.id.origin)
        if lane is None:
            lane = self._new_lane(message.id.origin, is_observed=False, is_exact=False)
        if lane.sent is not None and lane.sent.dot.sequence >= message.id.sequence:
            return
        for parent in message.parents:
            origin, sequence = parent
            if origin == lane.node or lane.clock.get(origin, 0) >= sequence:
                continue
            lane.clock[origin] = sequence
            sending = self.sends.get(parent)
            causes = tuple(one for one in (lane.sent, sending) if one is not None)
            known = sending.message if sending is not None else None
            lane.heads = (*lane.heads, self._happen(lane, Kind.TOLD, parent, known, at, causes))
        self._send(lane, message, at, lane.heads)

    def _send(self, lane: Lane, message: Message, at: float, causes: tuple[Happening, ...]) -> None:
        happening = self._happen(lane, Kind.SEND, message.id, message, at, causes)
        lane.sent = self.sends[message.id] = happening
        lane.heads = (happening,)
        lane.count += 1
        if lane.is_observed:
            lane.learn(message)
            lane.is_exact = True

    def _happen(
        self,
        lane: Lane,
        kind: Kind,
        dot: Dot,
        message: Message | None,
        at: float,
        causes: tuple[Happening, ...],
    ) -> Happening:
        self._count += 1
        happening = Happening(self._count, lane.node, kind, dot, message, at, causes)
        lane.last_number = self._count
        if kind is Kind.DELIVERY:
            lane.heads = (happening,)
        self.kept.append(happening)
        self._fresh.append(happening)
        return happening

    def _new_lane(self, node: NodeId, *, is_observed: bool, is_exact: bool) -> Lane:
        if len(self.lanes) >= LANE_LIMIT:
            silent = min((lane for lane in self.lanes.values()), key=lambda lane: lane.last_number)
            del self.lanes[silent.node]
        lane = self.lanes[node] = Lane(node, is_observed=is_observed, is_exact=is_exact)
        return lane

    def _trim(self) -> None:
        """Let the oldest go, and with them every way to reach what went before."""
        while len(self.kept) > self.limit:
            gone = self.kept.popleft()
            gone.causes = ()
            gone.effects = []
            if self.sends.get(gone.dot) is gone:
                del self.sends[gone.dot]
            lane = self.lanes.get(gone.node)
            if lane is not None and gone in lane.heads:
                lane.heads = tuple(head for head in lane.heads if head is not gone)
            if lane is not None and lane.sent is gone:
                lane.sent = None


def is_sending_of(happening: Happening, dot: Dot) -> bool:
    """Whether this is the sending of that message."""
    return happening.kind is Kind.SEND and happening.dot == dot


def reached(start: Happening, step: Callable[[Happening], Iterable[Happening]]) -> set[int]:
    """The numbers of everything that can be reached from a happening by steps, itself left out."""
    seen: set[int] = set()
    pending = list(step(start))
    while pending:
        one = pending.pop()
        if one.number not in seen:
            seen.add(one.number)
            pending += step(one)
    return seen


def in_order(rows: Iterable[Delivery]) -> Iterator[Delivery]:
    """Deliveries of several nodes by time, but none before what its node delivered before it or its sending.

    Clocks tell which of two happenings is drawn first only where neither caused the other.
    """
    queues: dict[NodeId, deque[Delivery]] = {}
    coming: set[Dot] = set()
    for row in rows:
        queues.setdefault(row.node, deque()).append(row)
        if row.node == row.message.id.origin:
            coming.add(row.message.id)
    turn = {node: number for number, node in enumerate(queues)}
    heap = [(queue[0].message.delivered_at, turn[node], node) for node, queue in queues.items()]
    heapify(heap)
    parked: dict[Dot, list[NodeId]] = {}
    while heap:
        _, _, node = heappop(heap)
        queue = queues[node]
        dot = queue[0].message.id
        if dot in coming and node != dot.origin:
            parked.setdefault(dot, []).append(node)
            continue
        yield queue.popleft()
        coming.discard(dot)
        waiting = parked.pop(dot, []) if node == dot.origin else []
        for one in (*waiting, *([node] if queue else [])):
            heappush(heap, (queues[one][0].message.delivered_at, turn[one], one))
    for queue in queues.values():
        yield from queue
