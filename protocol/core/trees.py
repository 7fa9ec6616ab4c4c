"""A tree for messages, cut out of the links between neighbours: pushed along it, announced beside it.

A message new to a node is pushed to every neighbour whose link is eager and announced, by its dot, to the
others. Duplicates prune: the link that brought one becomes lazy at both ends. An announced message that does
not come grafts (``grafting``): whoever announced it sends it and its link becomes eager again at both ends.
So the first message cuts a tree out of all links, along the quickest paths, and the announcements hold it
together.

Source: Leitão, Pereira, Rodrigues, *Epidemic Broadcast Trees*, SRDS 2007: "when a node receives a duplicate
[it] sends a PRUNE message to the sender, that moves the link to the lazy push set"; and, of its optimisation,
that a lazy link takes an eager one's place when an announcement shows a path to be shorter by a threshold.

Differs from the paper:

- Pruning waits, and then goes by the duplicates of one message. If every duplicate pruned its link, the
  messages of several origins on their way at once would each cut another tree out, and what all of them leave
  over falls apart. Nodes that see the same messages choose the same one: of the lowest origin, its first.
- Only a duplicate whose first copy was pushed along an eager link prunes; a copy that was asked for, or came
  by chance, says nothing about paths.
- Of two neighbours the one with the lower key announces first, and the other only what it was not told: most
  links carry announcements one way.
- Hops are not told of every announced message but of the one by which links are pruned, too. So nodes that
  change their paths at the same time go by one message, to neighbours nearer to its origin: no circle forms.
  Whoever is told and is itself nearer by the threshold says so, since its own announcements may not go that
  way.
- What an exchange brought is announced along eager links, too: it did not come along the tree, so the
  neighbours may well lack it.
"""

from __future__ import annotations

import math

from .bounded import put
from .context import Context
from .grafting import RANGES_PER_ITEM, Grafting
from .identity import Address
from .links import Link
from .messages import Distance, Graft, IHave, KeyDot, Prune, Want
from .neighbours import Neighbour, Neighbours
from .outbox import Outbox
from .repair import Repair, ranges_of

__all__ = ["ANNOUNCED_LIMIT", "Trees"]

ANNOUNCE_DELAY = 0.025
"""Seconds that the first announcement after a pause waits for company. A hole in the tree is noticed later by
as much."""

STEADY_DELAY = 0.06
"""The same while messages keep coming: at 200 a second a dozen share a datagram. Measured with ten nodes at
that rate: 1.3 datagrams a delivery, and 1.5 if nobody waited longer than ``ANNOUNCE_DELAY``."""

SECOND_FACTOR = 2
"""How much longer the end of a link waits that lets the other speak first."""

QUEUE_LIMIT = 96
"""Announcements that wait for one neighbour before they go at once; they fit a datagram, but for the largest
numbers."""

ANNOUNCED_LIMIT = 512
"""Dots looked at in the announcements of one datagram; honest ones have no more than ``QUEUE_LIMIT``."""

FIRST_COPY_LIMIT = 1_024
"""Messages of which is remembered who pushed them first: seconds' worth, and duplicates are not later."""

SHORTCUT = 3
"""Hops that a path must save to take another one's place. Measured with 100 nodes and rotating senders: over
200 rounds the last hop is 9 to 16 at 3 and 11 to 16 at 4, and without it 20 and growing; at 6 it is up to 17
after 120. A message changes 17 links at 3, 11 at 4, 25 at 2: fewer changes are fewer datagrams."""

CHANGES_PER_CYCLE = 4
"""Changes to a shorter path that a node makes in a cycle at the most. With one only, and rotating senders ten
times a second, 30 messages among 100 nodes take up to 17 hops on five seeds; with four, 14; with sixteen,
12."""


class Trees:
    """Which links are eager, what is announced on the others, and what was announced and did not come."""

    def __init__(self, context: Context, neighbours: Neighbours, repair: Repair) -> None:
        """Know of no message."""
        self.context = context
        self.neighbours = neighbours
        self.repair = repair
        self.grafting = Grafting(context, neighbours, repair)
        self.announcements = self.prunes = 0
        """Messages announced and links pruned by this node so far."""
        self._first: dict[KeyDot, Address] = {}
        """Which neighbour pushed a message first."""
        self._hops: dict[KeyDot, int] = {}
        """How far from their origins messages are here."""
        self._measure: KeyDot | None = None
        """The message whose duplicates tell which links to prune."""
        self._measured_at = -math.inf
        """When it was first seen."""
        self._redundant: dict[Address, None] = {}
        """The neighbours that brought another copy of it."""
        self._shortened_at = -math.inf
        """When this node last changed to a shorter path."""
        self._prune_at = self._announce_at = math.inf

    @property
    def deadline(self) -> float:
        """When to prune, announce or graft next."""
        return min(self._prune_at, self._announce_at, self.grafting.deadline)

    # pushing

    def targets(self, source: Address) -> list[Address]:
        """The neighbours that a message from ``source`` is pushed to."""
        return [
            address
            for address, neighbour in self.neighbours.at.items()
            if neighbour.is_eager and address != source
        ]

    def random_count(self, pushed: int) -> int:
        """How many random peers get a message too, if it is pushed to so many neighbours.

        In a tree as many as neighbours are lacking; else as many as make ``fanout`` targets.
        """
        neighbours = self.neighbours
        return neighbours.lacking if neighbours.seeks else max(0, self.context.config.fanout - pushed)

    def announce(self, dot: KeyDot, hops: int, source: Address, now: float, out: Outbox) -> None:
        """Let the neighbours know soon to which a message is not pushed, so many hops from its origin."""
        if not self.neighbours.at:
            return
        self._measure_by(dot, now)
        put(self._hops, dot, hops, FIRST_COPY_LIMIT)
        for address, neighbour in self.neighbours.at.items():
            if not neighbour.is_eager and address != source:
                self._queue(dot, neighbour, now, out)

    def announce_found(self, dot: KeyDot, source: Address, now: float, out: Outbox) -> None:
        """Let all neighbours know soon of a message that came in an exchange, and is not pushed."""
        if self.neighbours.seeks:
            for address, neighbour in self.neighbours.at.items():
                if address != source:
                    self._queue(dot, neighbour, now, out)

    def _queue(self, dot: KeyDot, neighbour: Neighbour, now: float, out: Outbox) -> None:
        queue = neighbour.queue
        if not queue:
            neighbour.announce_at = now + self._delay(neighbour, now)
            self._announce_at = min(self._announce_at, neighbour.announce_at)
        queue[dot] = None
        if len(queue) >= QUEUE_LIMIT:
            self._send_announcements(neighbour, now, out)

    def on_pushed(self, dot: KeyDot, source: Address, now: float) -> None:
        """A message came that nobody had asked for: its path is the quickest."""
        neighbour = self.neighbours.at.get(source)
        if neighbour is None:
            return
        put(self._first, dot, source, FIRST_COPY_LIMIT)
        if not neighbour.is_eager and now > neighbour.pruned_at + self._settling_period():
            neighbour.is_eager = True

    def _delay(self, neighbour: Neighbour, now: float) -> float:
        is_steady = now < neighbour.announced_at + STEADY_DELAY
        delay = STEADY_DELAY if is_steady else ANNOUNCE_DELAY
        return delay if self.context.key < neighbour.key else SECOND_FACTOR * delay

    def _send_announcements(self, neighbour: Neighbour, now: float, out: Outbox) -> None:
        measure = self._measure
        if measure is not None and measure in neighbour.queue and measure in self._hops:
            out.send(neighbour.address, self.context.pack(Distance(measure, self._hops[measure])))
        ranges = ranges_of(neighbour.queue)
        self.announcements += len(neighbour.queue)
        neighbour.queue.clear()
        neighbour.announced_at = now
        for start in range(0, len(ranges), RANGES_PER_ITEM):
            out.send(neighbour.address, self.context.pack(IHave(ranges[start : start + RANGES_PER_ITEM])))

    def _announce(self, now: float, out: Outbox) -> None:
        """Send the announcements that waited long enough."""
        self._announce_at = math.inf
        for neighbour in self.neighbours.at.values():
            if not neighbour.queue:
                continue
            if neighbour.announce_at <= now:
                self._send_announcements(neighbour, now, out)
            else:
                self._announce_at = min(self._announce_at, neighbour.announce_at)

    # pruning

    def on_duplicate(self, dot: KeyDot, source: Address, now: float) -> None:
        """Another copy came: its link is one too many, if the first copy came along the tree."""
        links = self.neighbours.at
        neighbour = links.get(source)
        first = links.get(self._first.get(dot, source))
        if neighbour is None or first is None or first is neighbour or not first.is_eager:
            return
        if not self.neighbours.seeks or now <= neighbour.pruned_at + self._settling_period():
            return
        self._measure_by(dot, now)
        if dot == self._measure:
            self._redundant[source] = None
            self._prune_at = min(self._prune_at, now + self._settling_period())

    def _measure_by(self, dot: KeyDot, now: float) -> None:
        """Go by the duplicates of this message, if it is the lowest of those lately seen."""
        measure = self._measure
        if measure is None or dot < measure or now > self._measured_at + 2 * self._settling_period():
            self._measure = dot
            self._measured_at = now
            self._redundant.clear()
            self._prune_at = math.inf

    def on_prune(self, source: Address, now: float) -> None:
        """A neighbour gets messages from others sooner."""
        neighbour = self.neighbours.at.get(source)
        if neighbour is not None:
            neighbour.is_eager = False
            neighbour.pruned_at = now

    def _settling_period(self) -> float:
        """Seconds in which a message has come along all links, and a prune has taken effect."""
        return 2 * self.context.grace_period()

    def _prune(self, now: float, out: Outbox) -> None:
        """Make the links lazy that brought the measuring message again."""
        for address in self._redundant:
            neighbour = self.neighbours.at.get(address)
            if neighbour is not None:
                self._make_lazy(neighbour, now, out)
        self._redundant.clear()
        self._prune_at = math.inf

    def _make_lazy(self, neighbour: Neighbour, now: float, out: Outbox) -> None:
        neighbour.is_eager = False
        neighbour.pruned_at = now
        self.prunes += 1
        out.send(neighbour.address, self.context.pack(Prune()))

    # shortening

    def on_distance(self, distance: Distance, source: Address, now: float, out: Outbox) -> None:
        """Hear how far a message was where it was announced: one of the two may know a much shorter path."""
        dot, far = distance
        neighbour, near = self.neighbours.at.get(source), self._hops.get(dot)
        if neighbour is None or neighbour.is_eager or near is None:
            return
        if far - near > SHORTCUT:
            out.send(source, self.context.pack(Distance(dot, near)))
        elif near - far > SHORTCUT:
            self._shorten(dot, neighbour, now, out)

    def _shorten(self, dot: KeyDot, neighbour: Neighbour, now: float, out: Outbox) -> None:
        """Get messages from this neighbour from now on, not from whoever pushed this one.

        A few times a cycle at the most, so that somebody whose hops are lies, or change all the time, does
        not upset the tree.
        """
        former = self.neighbours.at.get(self._first.get(dot, neighbour.address))
        is_due = now >= self._shortened_at + self.context.config.cycle_period / CHANGES_PER_CYCLE
        if former is None or not former.is_eager or not is_due or not self.neighbours.seeks:
            return
        self._shortened_at = now
        neighbour.is_eager = True
        out.send(neighbour.address, self.context.pack(Graft(())))
        self._make_lazy(former, now, out)

    # announced

    def on_announce(self, announce: IHave, source: Address, now: float, limit: int) -> int:
        """Expect what is new, and do not announce back what the neighbour has.

        Args:
            announce: What it has.
            source: Which neighbour.
            now: The moment.
            limit: How many dots may be looked at.

        Returns:
            How many more may be, of what came with this; none once there is no room for what is new.
        """
        neighbour = self.neighbours.at.get(source)
        if neighbour is None or not limit:
            return 0
        is_here = self.grafting.is_here
        due_at = self.grafting.first_due(now)
        left = limit
        for key, low, high in announce.ranges:
            for sequence in range(low, min(high + 1, low + left)):
                dot = (key, sequence)
                if is_here(dot):
                    neighbour.queue.pop(dot, None)
                elif not self.grafting.expect(dot, source, due_at):
                    return 0
            left -= min(high + 1 - low, left)
        return left

    def on_graft(self, graft: Graft, link: Link, now: float, out: Outbox) -> None:
        """Push to this neighbour again, beginning with what it misses; others just get what they ask for."""
        neighbour = self.neighbours.at.get(link.address)
        if neighbour is not None:
            neighbour.is_eager = True
        self.repair.on_want(Want(graft.ranges, anchored=False), link, now, out)

    # time

    def on_deadline(self, now: float, out: Outbox) -> None:
        """Do what is due."""
        if now >= self._prune_at:
            self._prune(now, out)
        if now >= self._announce_at:
            self._announce(now, out)
        if now >= self.grafting.deadline:
            self.grafting.on_deadline(now, out)
