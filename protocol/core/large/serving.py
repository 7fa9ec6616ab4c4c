"""Serving chunks of large payloads: to whoever asked and has proven itself, paced, everybody in turn.

Nothing is sent that was not asked for, and not more to one source than its budget of replies. A few chunks
leave in one turn of the loop; so a small message never waits behind more than those.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..codec import DATAGRAM_LIMIT
from ..context import Context
from ..identity import Address
from ..links import Link
from ..messages import Chunk, ChunkRequest, Holding, KeyDot
from ..outbox import Outbox
from .fetching import Fetching
from .limits import CHUNK_SIZE
from .tree import Tree

__all__ = ["CHUNKS_PER_TURN", "Serving"]

CHUNKS_PER_TURN = 16
"""Chunks that leave at once: 20 kB, which take 2 ms on a line of 100 Mbit/s."""

CHUNK_RATE = 8_000
"""Chunks a second to all together: what a line of 100 Mbit/s carries and a busy loop keeps up with."""

QUEUE_PER_SOURCE = 128
"""Chunks that one source may wait for: all that it may have under way."""

QUEUE_LIMIT = 4_096
"""Chunks that all together may wait for; some hundred bytes each."""

BUDGET_PAUSE = 0.02
"""Seconds until a source that has used its budget up is looked at again."""


class Wanted(NamedTuple):
    """One chunk to be sent."""

    dot: KeyDot
    reference: bytes
    place: int


class Stock(NamedTuple):
    """What is here of a payload."""

    tree: Tree
    payload: bytes
    """Empty while it is not whole."""
    chunks: dict[int, bytes]
    """The chunks while it is not whole."""

    def chunk(self, index: int) -> bytes:
        """One chunk; empty if it is not here."""
        if self.payload:
            return self.payload[index * CHUNK_SIZE : (index + 1) * CHUNK_SIZE]
        return self.chunks.get(index, b"")


class Serving:
    """The chunks that others have asked for and wait for."""

    def __init__(self, context: Context, fetching: Fetching) -> None:
        """Owe nothing; payloads that ``fetching`` has a part of are served as far as they are here."""
        self.context = context
        self.fetching = fetching
        self.deadline = math.inf
        self.chunks = 0
        """Chunks sent."""
        self.waiting_count = 0
        self._waiting: dict[Address, dict[Wanted, None]] = {}
        self._tokens = float(CHUNKS_PER_TURN)
        self._filled_at = 0.0

    def on_chunk_request(self, request: ChunkRequest, link: Link, now: float, out: Outbox) -> None:
        """Queue the chunks that are here; say what there is if some are not."""
        stock = self._stock(request.dot, request.reference)
        if stock is None:
            out.send(link.address, self.context.pack(Holding(request.reference, b"")))
            return
        is_missing = False
        queue = self._waiting.setdefault(link.address, {})
        for index in request.indexes:
            wanted = Wanted(request.dot, request.reference, index)
            if not stock.chunk(index):
                is_missing = True
            elif wanted in queue:
                continue
            elif len(queue) < QUEUE_PER_SOURCE and self.waiting_count < QUEUE_LIMIT:
                queue[wanted] = None
                self.waiting_count += 1
        if not queue:
            del self._waiting[link.address]
        transfer = self.fetching.find(request.reference)
        if is_missing and transfer is not None:
            out.send(link.address, self.context.pack(Holding(request.reference, transfer.bitmap)))
        self._serve(now, out)

    def on_deadline(self, now: float, out: Outbox) -> None:
        """Send what may go now."""
        if now >= self.deadline:
            self._serve(now, out)

    def _serve(self, now: float, out: Outbox) -> None:
        """Send one chunk to each source in turn, until this turn's share is used up."""
        self._tokens = min(CHUNKS_PER_TURN, self._tokens + (now - self._filled_at) * CHUNK_RATE)
        self._filled_at = now
        refused = 0
        while self._waiting and self._tokens >= 1 and refused < len(self._waiting):
            target = next(iter(self._waiting))
            queue = self._waiting.pop(target)
            link = self.context.links.get(target)
            if link is None or now > link.proven_until:
                self.waiting_count -= len(queue)
                continue
            if self.context.links.may_reply(link, DATAGRAM_LIMIT, now):
                refused = 0
                wanted = next(iter(queue))
                del queue[wanted]
                self.waiting_count -= 1
                self._send(wanted, target, out)
            else:
                refused += 1
            if queue:
                self._waiting[target] = queue
        self._rearm(now, is_refused=refused > 0)

    def _send(self, wanted: Wanted, target: Address, out: Outbox) -> None:
        """Send one chunk, if it is still here."""
        stock = self._stock(wanted.dot, wanted.reference)
        data = stock.chunk(wanted.place) if stock is not None else b""
        if stock is not None and data:
            path = stock.tree.path(wanted.place)
            out.send(target, self.context.pack(Chunk(wanted.reference, wanted.place, path, data)))
            self.chunks += 1
            self._tokens -= 1

    def _rearm(self, now: float, *, is_refused: bool) -> None:
        if not self._waiting:
            self.deadline = math.inf
        elif is_refused:
            self.deadline = now + BUDGET_PAUSE
        else:
            self.deadline = now + CHUNKS_PER_TURN / 2 / CHUNK_RATE

    def _stock(self, dot: KeyDot, reference: bytes) -> Stock | None:
        """What is here of a payload, which this message should have."""
        transfer = self.fetching.find(reference)
        if transfer is not None:
            return Stock(transfer.tree, b"", transfer.chunks)
        contents = self.context.contents
        payload = self.fetching.payload_of(reference, dot)
        if payload is None:
            return None
        return Stock(contents.of(contents.dot_of(reference) or dot, payload), payload, {})
