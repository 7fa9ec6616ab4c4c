"""One large payload on its way in: which chunks are here, which are asked of whom, who may have more."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from ..bounded import put
from ..identity import Address, Key
from ..messages import KeyDot, Rumor
from .limits import CHUNK_SIZE
from .tree import Reference, Tree, chunk_count

__all__ = ["Announced", "Asked", "Holder", "Transfer"]

HOLDER_LIMIT = 8
"""Addresses that one payload is pulled from; more bring nothing, since the chunks under way are bounded."""

CULPRIT_LIMIT = 64
"""Addresses remembered that sent a wrong chunk."""

CULPRIT_PERIOD = 10.0
"""Seconds that nothing is pulled from such an address. Not for ever: the source of a datagram can be forged,
and a forger shall not keep an honest holder out."""

FIRST_REST = 0.05
"""Seconds until a holder that had nothing new is asked again; doubled each time."""

LONGEST_REST = 1.0
"""Seconds of that at the most while the transfer gets on: a swarm's chunks spread in less."""

IDLE_PERIOD = 5.0
"""Seconds without a chunk after which it does not get on."""

IDLE_REST = 30.0
"""Seconds a holder is left alone at the most if it does not: who announces what does not exist shall not make
others ask for ever. A new announcement ends the rest."""


class Announced(NamedTuple):
    """A message that waits for its payload."""

    rumor: Rumor
    """With a ``Reference`` for a payload."""
    sender: Key
    source: Address
    """Who announced it first."""
    from_history: bool


class Asked(NamedTuple):
    """One chunk that was asked for."""

    holder: Address
    at: float
    due_at: float
    is_first: bool
    """Whether it was never asked for before, so that its answer tells the round trip (Karn's rule)."""


class Holder:
    """What one address is believed to have of the payload."""

    __slots__ = ("has", "rest", "rests_until")

    def __init__(self) -> None:
        """Believe that it has everything: it says if not."""
        self.has = -1
        """A bit for every chunk, chunk 0 the lowest."""
        self.rest = FIRST_REST
        self.rests_until = -math.inf

    def wake(self, now: float) -> None:
        """It says that it has the message: rest no longer."""
        self.rests_until = min(self.rests_until, now)

    @property
    def is_doubtful(self) -> bool:
        """Whether it had nothing when it was asked last."""
        return self.has == -1 and self.rest > FIRST_REST


class Transfer:
    """The chunks of one payload, verified as they come, and every message that announced it."""

    def __init__(self, reference: Reference, random: Callable[[], float], now: float) -> None:
        """Have nothing of the payload; chunks will be asked for in an order of this node's own."""
        self.tree = Tree(reference.size, reference.root)
        self.chunks: dict[int, bytes] = {}
        self.asked: dict[int, Asked] = {}
        self.holders: dict[Address, Holder] = {}
        self.announced: dict[KeyDot, Announced] = {}
        """The messages with this payload, in the order they were heard of."""
        self.is_started = False
        """Whether room is reserved for all of it; until then a few chunks are asked for, as a trial."""
        self.began_at = self.progress_at = now
        self.search_at = now
        self.searches = 0
        self._culprits: dict[Address, float] = {}
        self._lost: set[int] = set()
        """Chunks asked for more than once."""
        todo = list(range(chunk_count(reference.size)))
        for last in range(len(todo) - 1, 0, -1):
            other = int(random() * (last + 1))
            todo[last], todo[other] = todo[other], todo[last]
        self.todo = todo
        """Chunks that are neither here nor asked for; the last one is next. Nodes that pull in different
        orders soon have something for each other."""

    @property
    def reference(self) -> Reference:
        """What the payload is known by."""
        return self.tree.reference

    @property
    def size(self) -> int:
        """Bytes that are here, about."""
        return len(self.chunks) * CHUNK_SIZE

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return len(self.chunks) == chunk_count(self.tree.size)

    @property
    def depth(self) -> int:
        """The depth of the first message that waits for it: what is less deep is needed sooner."""
        return min((one.rumor.depth for one in self.announced.values()), default=0)

    def payload(self) -> bytes:
        """All chunks put together, once it is whole."""
        return b"".join([self.chunks[index] for index in range(len(self.chunks))])

    @property
    def bitmap(self) -> bytes:
        """A bit for every chunk that is here, chunk 0 the lowest bit of the first byte."""
        bits = 0
        for index in self.chunks:
            bits |= 1 << index
        return bits.to_bytes((bits.bit_length() + 7) // 8, "little")

    def add_holder(self, address: Address, now: float) -> bool:
        """Pull from there too, or again; False if it sent a wrong chunk lately, or there are enough."""
        if now < self._culprits.get(address, -math.inf):
            return False
        if address in self.holders:
            self.holders[address].wake(now)
            return True
        if len(self.holders) >= HOLDER_LIMIT:
            idle = max(self.holders, key=lambda one: self.holders[one].rest)
            if self.holders[idle].rest == FIRST_REST:
                return False
            del self.holders[idle]
        self.holders[address] = Holder()
        return True

    def accuse(self, address: Address, now: float) -> None:
        """Do not ask there for a while."""
        self.holders.pop(address, None)
        put(self._culprits, address, now + CULPRIT_PERIOD, CULPRIT_LIMIT)

    def leave_alone(self, address: Address, now: float) -> None:
        """It does not answer: ask there no more for a while, but take what comes late."""
        holder = self.holders.get(address)
        if holder is not None:
            holder.has = -1
            holder.rest = IDLE_REST
            holder.rests_until = now + IDLE_REST

    def pick(self, holder: Holder, count: int) -> list[int]:
        """Up to ``count`` chunks to ask that holder for, taken out of ``todo``."""
        if holder.has == -1:
            picked = self.todo[-count:][::-1]
            del self.todo[-count:]
            return picked
        picked = []
        for index in reversed(self.todo):
            if holder.has >> index & 1:
                picked.append(index)
                if len(picked) == count:
                    break
        if picked:
            gone = set(picked)
            self.todo = [index for index in self.todo if index not in gone]
        return picked

    def note_asked(self, indexes: list[int], holder: Address, now: float, due_at: float) -> None:
        """The chunks are under way from that holder."""
        for index in indexes:
            self.asked[index] = Asked(holder, now, due_at, index not in self._lost)

    def give_back(self, index: int) -> Asked:
        """A chunk did not come: ask for it again, of whoever is next."""
        asked = self.asked.pop(index)
        self._lost.add(index)
        self.todo.append(index)
        return asked

    def admit(self, index: int, chunk: bytes, path: bytes, now: float) -> bool:
        """Take a chunk in that is missing, if it belongs there."""
        if not self.tree.admit(index, chunk, path):
            return False
        self.chunks[index] = chunk
        if self.asked.pop(index, None) is None:
            self.todo.remove(index)
        self._lost.discard(index)
        self.progress_at = now
        self.searches = 0
        return True

    def let_rest(self, holder: Holder, now: float) -> None:
        """It has nothing that is missing here: ask again in a while, as if it had everything."""
        holder.has = -1
        holder.rests_until = now + holder.rest
        longest = LONGEST_REST if now - self.progress_at < IDLE_PERIOD else IDLE_REST
        holder.rest = min(holder.rest * 2, longest)
