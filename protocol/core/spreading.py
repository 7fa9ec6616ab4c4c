"""Epidemic spreading: push on first sight, acknowledgement, and back-pressure on the origin.

A new message goes to ``fanout`` random peers of the view, never back to where it came from; whoever sees it
first does the same and then never again (infect-and-die). What that misses, repair and anti-entropy find. In
a tree it goes along lasting links, and to random peers only in place of those that are lacking. The origin
learns from acknowledgements that somebody has its messages, pushes again what nobody has, and refuses to make
more when too many are pending.
"""

from __future__ import annotations

import math

from ..errors import BacklogError, PayloadSizeError
from .backlog import Backlog
from .bounded import put
from .codec import DATAGRAM_LIMIT
from .context import Context
from .identity import Address, Key, key_of
from .log import Retained
from .messages import Acknowledge, KeyDot, Message, Rumor, forwarded
from .outbox import Outbox
from .sampling import Sampling
from .trees import Trees

__all__ = ["Spreading"]

ACKNOWLEDGE_DELAY = 0.05
"""Seconds that an acknowledgement waits for company: below what a person notices, and several messages long
where many come."""

ACKNOWLEDGE_ROOM = 200
"""Bytes that an unproven origin must have left for an acknowledgement to be worth trying."""

ACKNOWLEDGE_COUNT = 16
"""Messages of one origin after which it is acknowledged at once, so that a full pipe keeps moving."""

PUSH_AGAIN_LIMIT = 32
"""Unacknowledged messages pushed again at a time."""

PATIENCE_GROWTH = (1, 2, 4, 8)
"""How much longer the wait before another push gets with each push that nobody acknowledged."""

VERIFICATIONS = 64
"""Times peers are asked after a restart to show the first own message since. One answer does; where seven of
ten datagrams are lost, one in eleven comes."""

FORMER_LIMIT = 4
"""Former incarnations of this node whose acknowledgements are still heard."""

PEER_LIMIT = 4_096
"""Nodes whose acknowledgements are remembered."""


class Spreading:
    """Own messages until somebody has them, and everybody's on first sight."""

    def __init__(self, context: Context, sampling: Sampling, trees: Trees) -> None:
        """Nothing is sent or pending yet."""
        self.context = context
        self.sampling = sampling
        self.trees = trees
        self.sent = 0
        self.last_sequence = 0
        """Of the own messages under this incarnation."""
        self._acknowledged: dict[Key, int] = {}
        self._former: dict[Key, dict[Key, int]] = {}
        """The same for former incarnations."""
        self._covered = 0
        self._unverified = self._verifications = 0
        self.first_since_restart = 0
        """The first number used since a restart under this incarnation; 0 if there was none."""
        self._backlog = Backlog()
        self._push_again_at = math.inf
        self._pushed_again = 0
        self._due: dict[Key, tuple[Address, int]] = {}
        self._told: dict[Key, int] = {}
        self._acknowledge_at = math.inf

    @property
    def deadline(self) -> float:
        """When acknowledgements or another push are due."""
        return min(self._push_again_at, self._acknowledge_at)

    # the origin's side

    @property
    def unacknowledged(self) -> int:
        """Own messages that nobody else is known to have."""
        return self.context.causal.floor(self.context.key) - self._covered

    @property
    def unacknowledged_size(self) -> int:
        """Bytes of their payloads."""
        return self._backlog.size

    @property
    def has_room(self) -> bool:
        """Whether one message more may be made."""
        config = self.context.config
        return self.unacknowledged < config.backlog_limit and self._backlog.size < config.backlog_size_limit

    def is_own(self, key: Key) -> bool:
        """Whether it is the key of this node, now or in a former incarnation."""
        return key == self.context.key or key in self._former

    def acknowledged_by(self, key: Key, sequence: int) -> int:
        """How many other nodes are known to have delivered this own message; 0 for anybody else's."""
        table = self._acknowledged if key == self.context.key else self._former.get(key, {})
        return sum(covered >= sequence for covered in table.values())

    def send(self, payload: bytes, now: float, created_at: float, out: Outbox) -> Message:
        """Make, deliver and push an own message.

        Raises:
            PayloadSizeError: It is larger than the limit; nothing was made.
            BacklogError: Too many, or too many bytes, are pending; nothing was made.
        """
        config = self.context.config
        if len(payload) > config.payload_limit:
            raise PayloadSizeError(len(payload), config.payload_limit)
        if self.unacknowledged >= config.backlog_limit:
            raise BacklogError(self.unacknowledged, config.backlog_limit)
        if self._backlog.size >= config.backlog_size_limit:
            raise BacklogError(self._backlog.size, config.backlog_size_limit, "bytes")
        entry = self.context.causal.send(self.context.id, payload, now, created_at, out)
        self.sent += 1
        self.last_sequence = entry.message.id.sequence
        self._backlog.add(self.last_sequence, len(payload))
        self._pin()
        self._push_own(entry, now, out)
        if self._push_again_at == math.inf:
            self._push_again_at = now + self._patience()
        return entry.message

    def on_acknowledge(self, dot: KeyDot, sender: Key, now: float) -> bool:
        """Hear how far a peer has this node's messages; False if that is further than there are any."""
        key, sequence = dot
        if key in self._former:
            put(self._former[key], sender, max(sequence, self._former[key].get(sender, 0)), PEER_LIMIT)
        if key != self.context.key:
            return True
        if sequence > self.context.causal.floor(key):
            return False
        if sequence > self._acknowledged.get(sender, 0):
            put(self._acknowledged, sender, sequence, PEER_LIMIT)
            if sequence > self._covered:
                self._covered = sequence
                self._backlog.cover(sequence)
                self._pushed_again = 0
                self._pin()
                self._push_again_at = now + self._patience() if self.unacknowledged else math.inf
        return True

    def push_pending(self, now: float, out: Outbox) -> None:
        """Push what nobody has, oldest first: somebody appeared, or nobody answered."""
        causal, key = self.context.causal, self.context.key
        for sequence in range(self._covered + 1, causal.floor(key) + 1)[:PUSH_AGAIN_LIMIT]:
            entry = causal.log.find((key, sequence))
            if entry is not None:
                self._push_own(entry, now, out, is_again=True)

    def restart(self, former: Key) -> None:
        """Begin anew: the context has a new incarnation, and ``former`` was its key."""
        self.last_sequence = 0
        put(self._former, former, self._acknowledged, FORMER_LIMIT)
        self._acknowledged = {}
        self._covered = self._unverified = self.first_since_restart = 0
        self._backlog.clear()
        self._pushed_again = 0
        self._push_again_at = math.inf
        self._pin()

    def resume(self, covered: int, now: float) -> None:
        """Go on with own messages that were restored: those after ``covered`` nobody is known to have."""
        floor = self.context.causal.floor(self.context.key)
        self.last_sequence = floor
        self.first_since_restart = floor + 1
        self._unverified, self._verifications = floor + 1, VERIFICATIONS
        pending = self._retained_after(covered, floor)
        self._covered = floor - len(pending)
        for sequence, size in reversed(pending):
            self._backlog.add(sequence, size)
        if self.unacknowledged:
            self._push_again_at = now + self._patience()
        self._pin()

    def _retained_after(self, covered: int, floor: int) -> list[tuple[int, int]]:
        """Own messages from the last one down to ``covered`` that are still here, with their sizes.

        What nobody has is never evicted, so all of them are, unless somebody else wrote the file.
        """
        pending: list[tuple[int, int]] = []
        for sequence in range(floor, covered, -1):
            payload = self.context.causal.payload_of((self.context.key, sequence))
            if payload is None:
                break
            pending.append((sequence, len(payload)))
        return pending

    def to_verify(self, acknowledged: int) -> KeyDot | None:
        """The first own message since this node was restarted, to be shown by a peer that says it has it.

        It may be another one of the same number: a copy of the state file was at work meanwhile, or a backup
        is. No frontier tells the two apart.
        """
        if not 0 < self._unverified <= acknowledged or not self._verifications:
            return None
        self._verifications -= 1
        return (self.context.key, self._unverified)

    def verify(self, sequence: int) -> None:
        """A peer has shown an own message, and it was the same."""
        if sequence == self._unverified:
            self._unverified = 0

    @property
    def covered(self) -> int:
        """The last own message under this incarnation that another node is known to have."""
        return self._covered

    def on_deadline(self, now: float, out: Outbox) -> None:
        """Send acknowledgements that waited long enough; push again what nobody has."""
        if now >= self._acknowledge_at:
            self._acknowledge(now, out)
        if now >= self._push_again_at:
            self._push_again_at = math.inf
            if self.unacknowledged:
                self._pushed_again += 1
                self._push_again_at = now + self._patience()
                self.push_pending(now, out)

    # everybody's side

    def push(self, rumor: Rumor, sender: Key, source: Address, now: float, out: Outbox) -> None:
        """Pass a message on, seen here for the first time."""
        self._send_out(forwarded(rumor), sender, source, now, out)

    def note_received(self, rumor: Rumor, sender: Key, source: Address, now: float, out: Outbox) -> None:
        """Owe the origin an acknowledgement if the message came from the origin itself."""
        if rumor.hops:
            return
        key = key_of(rumor.origin)
        if key != sender:
            return
        if rumor.sequence <= self._told.get(key, 0):
            del self._told[key]  # it was told, and still sends this again: the acknowledgement was lost
        count = self._due.get(key, (source, 0))[1] + 1
        put(self._due, key, (source, count), PEER_LIMIT)
        if count >= ACKNOWLEDGE_COUNT:
            self._acknowledge_one(key, out)
        elif self._acknowledge_at == math.inf:
            self._acknowledge_at = now + ACKNOWLEDGE_DELAY

    def _acknowledge(self, now: float, out: Outbox) -> None:
        self._acknowledge_at = math.inf
        for key, (source, _) in list(self._due.items()):
            room = self.context.links.room_for(source, DATAGRAM_LIMIT)
            if self.context.links.is_proven(source, now) or room >= ACKNOWLEDGE_ROOM:
                self._acknowledge_one(key, out)
        self._due.clear()

    def _acknowledge_one(self, key: Key, out: Outbox) -> None:
        source, _ = self._due.pop(key)
        floor = self.context.causal.floor(key)
        if floor > self._told.get(key, 0):
            put(self._told, key, floor, PEER_LIMIT)
            out.send(source, self.context.pack(Acknowledge((key, floor))))

    def _push_own(self, entry: Retained, now: float, out: Outbox, *, is_again: bool = False) -> None:
        self._send_out(entry.rumor(0), self.context.key, Address("", 0), now, out, is_again=is_again)

    def _send_out(
        self, rumor: Rumor, sender: Key, source: Address, now: float, out: Outbox, *, is_again: bool = False
    ) -> None:
        items = self.context.pack_rumor(rumor)
        dot = (key_of(rumor.origin), rumor.sequence)
        targets = self.trees.targets(source)
        count = self.context.config.fanout if is_again else self.trees.random_count(len(targets))
        if count:
            size = sum(item.size for item in items)
            targets += self._random_targets(count, rumor, size, sender, source, now)
        self.trees.announce(dot, rumor.hops, source, now, out)
        if self.context.is_announced(rumor):
            out.offers.update(targets)  # so that their first requests prove their addresses
        if len(items) == 1:
            out.fan_out(dot, items[0], targets)
            return
        for item in items:
            out.send_to_all(targets, item)

    def _random_targets(
        self, count: int, rumor: Rumor, size: int, sender: Key, source: Address, now: float
    ) -> list[Address]:
        """``count`` random peers, none of whom is linked, wrote the message or sent it here.

        Two more are drawn than needed: without those two the rest is as random as before.
        """
        links, linked, origin = self.context.links, self.trees.neighbours.at, rumor.origin
        routes = links.has_routes
        targets: list[Address] = []
        for node, target in self.sampling.view.pick(count + 2 + len(linked)):
            if target == source or node == origin:
                continue
            if routes:
                key = key_of(node)
                if key == sender:
                    continue
                target = links.route(key, target, now)  # noqa: PLW2901 - where it is reached instead
            if target not in linked and links.may_push(target, size, now):
                targets.append(target)
                if len(targets) == count:
                    break
        return targets

    def _patience(self) -> float:
        """Seconds until an unacknowledged message is pushed again; longer the more often that failed."""
        timeout = self.context.config.answer_timeout
        return (
            max(timeout, 4 * self.context.links.typical_round_trip)
            * PATIENCE_GROWTH[min(self._pushed_again, 3)]
        )

    def _pin(self) -> None:
        """Keep what nobody else has out of eviction's reach."""
        key = self.context.key
        self.context.causal.pinned = (key, self._covered + 1) if self.unacknowledged else None
