"""A tree for messages, cut out of the links between neighbours: pushed along it, announced beside it.

A message new to a node is pushed to every neighbour whose link is eager and announced, by its dot, to the
others. Duplicates prune: the link that brought one becomes lazy at both ends. An announced message that does
not come grafts: whoever announced it sends it and its link becomes eager again at both ends. So the first
message cuts a tree out of all links, along the quickest paths, and the announcements hold it together.

Source: Leitão, Pereira, Rodrigues, *Epidemic Broadcast Trees*, SRDS 2007: "when a node receives a duplicate
[it] sends a PRUNE message to the sender, that moves the link to the lazy push set"; "upon receiving an IHAVE
message, the node simply marks the corresponding message as missing", starts a timer, and when it expires
sends a GRAFT "which triggers the transmission of the missing message payload" and "adds the corresponding
link to the broadcast tree"; the timer then starts again with a smaller value and the next announcement.

Differs from the paper:

- Pruning waits, and then goes by the duplicates of one message. If every duplicate pruned its link, the
  messages of several origins on their way at once would each cut another tree out, and what all of them leave
  over falls apart. Nodes that see the same messages choose the same one: of the lowest origin, its first.
- Only a duplicate whose first copy was pushed along an eager link prunes; a copy that was asked for, or came
  by chance, says nothing about paths.
- Of two neighbours the one with the lower key announces first, and the other only what it was not told: most
  links carry announcements one way.
- A message that later ones already wait for is not grafted: those came along the tree, so the tree is whole
  and only a datagram was lost, which ``repair`` asks for again. A graft is answered as a ``Want`` is, and
  what no announcer sends is left to repair and anti-entropy.
- The first time-out is repair's, from measured round trips; the next ones are no shorter, since an answer
  takes a round trip too.
- The optimisation by hop counts is left out. The quickest first copies make paths short, and a link that
  takes the place of a lost one is eager at first, so that a shorter path through it is found.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from .bounded import put
from .context import Context
from .identity import Address
from .links import Link
from .messages import Graft, IHave, KeyDot, Prune, Range, Want
from .neighbours import Neighbour, Neighbours
from .outbox import Outbox
from .repair import Repair, append_dot

__all__ = ["Trees"]

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
"""Dots looked at in one announcement; honest ones have no more than ``QUEUE_LIMIT``."""

MISSING_LIMIT = 1_024
"""Announced messages waited for at a time; of more, anti-entropy brings the rest."""

ANNOUNCER_LIMIT = 8
"""Neighbours remembered to have announced one message; nobody has more but by a large ``fanout``."""

GRAFT_LIMIT = 4
"""Grafts for one message. Some are lost with their answers; after that anti-entropy is quicker."""

FIRST_COPY_LIMIT = 1_024
"""Messages of which is remembered who pushed them first: seconds' worth, and duplicates are not later."""

JITTER = 0.5
"""Share by which the wait before a graft differs, so that of those a hole cuts off one grafts first, and the
others get the message from it."""

RANGES_PER_ITEM = 48
"""Ranges in one announcement or graft; they fit a datagram whatever their numbers."""


class Missing:
    """A message that was announced and did not come yet."""

    __slots__ = ("announcers", "due_at", "grafts")

    def __init__(self, announcer: Address, due_at: float) -> None:
        """Wait for it until ``due_at``."""
        self.announcers = [announcer]
        self.due_at = due_at
        self.grafts = 0


class Trees:
    """Which links are eager, what is announced on the others, and what was announced and did not come."""

    def __init__(self, context: Context, neighbours: Neighbours, repair: Repair) -> None:
        """Know of no message."""
        self.context = context
        self.neighbours = neighbours
        self.repair = repair
        self.announcements = self.prunes = self.grafts = 0
        """Messages announced, links pruned and grafts sent by this node so far."""
        self._missing: dict[KeyDot, Missing] = {}
        self._first: dict[KeyDot, Address] = {}
        """Which neighbour pushed a message first."""
        self._measure: KeyDot | None = None
        """The message whose duplicates tell which links to prune."""
        self._measured_at = -math.inf
        """When it was first seen."""
        self._redundant: dict[Address, None] = {}
        """The neighbours that brought another copy of it."""
        self._prune_at = self._announce_at = self._graft_at = math.inf

    @property
    def deadline(self) -> float:
        """When to prune, announce or graft next."""
        return min(self._prune_at, self._announce_at, self._graft_at)

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

    def announce(self, dot: KeyDot, source: Address, now: float, out: Outbox) -> None:
        """Let the other neighbours know soon that a message is here."""
        self._measure_by(dot, now)
        for address, neighbour in self.neighbours.at.items():
            if neighbour.is_eager or address == source:
                continue
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
        packed = self.context.pack(Prune())
        for address in self._redundant:
            neighbour = self.neighbours.at.get(address)
            if neighbour is not None:
                neighbour.is_eager = False
                neighbour.pruned_at = now
                self.prunes += 1
                out.send(address, packed)
        self._redundant.clear()
        self._prune_at = math.inf

    # grafting

    def on_announce(self, announce: IHave, source: Address, now: float) -> None:
        """Expect what is new, and do not announce back what the neighbour has."""
        neighbour = self.neighbours.at.get(source)
        if neighbour is None:
            return
        is_here = self._is_here
        due_at = now + self.context.grace_period() * (1 + JITTER * self.context.random())
        left = ANNOUNCED_LIMIT
        for key, low, high in announce.ranges:
            for sequence in range(low, min(high + 1, low + left)):
                dot = (key, sequence)
                if is_here(dot):
                    neighbour.queue.pop(dot, None)
                else:
                    self._expect(dot, source, due_at)
            left -= min(high + 1 - low, left)

    def _is_here(self, dot: KeyDot) -> bool:
        """Whether it is delivered, held back, or large and being pulled."""
        return self.context.causal.is_known(dot) or self.context.causal.is_pulled(dot)

    def _expect(self, dot: KeyDot, source: Address, due_at: float) -> None:
        missing = self._missing.get(dot)
        if missing is not None:
            if source not in missing.announcers and len(missing.announcers) < ANNOUNCER_LIMIT:
                missing.announcers.append(source)
        elif len(self._missing) < MISSING_LIMIT:
            self._missing[dot] = Missing(source, due_at)
            self._graft_at = min(self._graft_at, due_at)

    def on_graft(self, graft: Graft, link: Link, now: float, out: Outbox) -> None:
        """Push to this neighbour again, beginning with what it misses; others just get what they ask for."""
        neighbour = self.neighbours.at.get(link.address)
        if neighbour is not None:
            neighbour.is_eager = True
        self.repair.on_want(Want(graft.ranges, anchored=False), link, now, out)

    def _graft(self, now: float, out: Outbox) -> None:
        """Ask for what was announced and did not come."""
        asked: dict[Address, list[KeyDot]] = {}
        self._graft_at = math.inf
        for dot, missing in list(self._missing.items()):
            if self._is_here(dot) or self.repair.is_chased(dot):
                del self._missing[dot]
                continue
            if missing.due_at <= now:
                announcer = self._announcer(missing, asked)
                if announcer is None or missing.grafts >= GRAFT_LIMIT:
                    del self._missing[dot]
                    continue
                asked.setdefault(announcer, []).append(dot)
                missing.grafts += 1
                missing.due_at = now + self.context.grace_period()
            self._graft_at = min(self._graft_at, missing.due_at)
        for address, dots in asked.items():
            self._send_grafts(address, dots, out)

    def _announcer(self, missing: Missing, asked: dict[Address, list[KeyDot]]) -> Address | None:
        """Whom to ask: somebody who is asked anyway, else each in turn, and those already eager first."""
        links = self.neighbours.at
        announcers = [address for address in missing.announcers if address in links]
        if not announcers:
            return None
        if not missing.grafts:
            for address in announcers:
                if address in asked or links[address].is_eager:
                    return address
        return announcers[missing.grafts % len(announcers)]

    def _send_grafts(self, address: Address, dots: list[KeyDot], out: Outbox) -> None:
        neighbour = self.neighbours.at[address]
        neighbour.is_eager = True
        ranges = ranges_of(dots)
        for start in range(0, len(ranges), RANGES_PER_ITEM):
            out.send(address, self.context.pack(Graft(ranges[start : start + RANGES_PER_ITEM])))
            self.grafts += 1

    # time

    def on_deadline(self, now: float, out: Outbox) -> None:
        """Do what is due."""
        if now >= self._prune_at:
            self._prune(now, out)
        if now >= self._announce_at:
            self._announce(now, out)
        if now >= self._graft_at:
            if self.repair.is_paused:
                self._graft_at = now + self.context.grace_period()
            else:
                self._graft(now, out)


def ranges_of(dots: Iterable[KeyDot]) -> tuple[Range, ...]:
    """Dots as ranges, one for each run of one origin's messages."""
    ranges: list[Range] = []
    for key, sequence in sorted(dots):
        append_dot(ranges, key, sequence)
    return tuple(ranges)
