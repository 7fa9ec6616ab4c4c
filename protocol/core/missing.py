"""What a peer lacks, fairly: one message of every origin in turn, and none before its past.

A reply is bounded, so its order decides who waits. In the order of delivery alone, an origin of which a peer
lacks thousands of messages would keep all others waiting that spoke after them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from .identity import Key
from .log import Log, Retained
from .messages import Horizon, KeyDot

__all__ = ["missing_in_turn"]


class Turns:
    """The chains of messages that a peer lacks, and whose turn it is."""

    def __init__(self, log: Log, theirs: Mapping[Key, int], horizon: Horizon) -> None:
        """Serve from ``log`` a peer that has ``theirs`` and has forgotten what lies below ``horizon``."""
        self._log = log
        self._theirs = theirs
        self._horizon = horizon
        self._given: dict[Key, int] = {}
        """Of each chain, up to where the peer has it or will have it with what was chosen."""
        self._ready: deque[Retained] = deque()
        self._waiting: dict[Key, list[tuple[int, Retained]]] = {}
        """Messages that follow one that is to be chosen first: its key and sequence, and they."""

    def begin(self, floors: Iterable[KeyDot]) -> None:
        """Begin a chain for every origin that is further here than there."""
        log, theirs = self._log, self._theirs
        heads = []
        for key, floor in floors:
            start = theirs.get(key, 0)
            if floor <= start:
                continue
            start = max(start, log.evicted.get(key, 0))
            head = log.find((key, start + 1))
            while head is not None and key not in theirs and self._is_forgotten(head):
                start += 1
                head = log.find((key, start + 1))
            if head is not None:
                self._given[key] = start
                heads.append(head)
        heads.sort(key=lambda head: head.index)
        self._ready.extend(heads)

    def __iter__(self) -> Iterator[Retained]:
        while self._ready:
            entry = self._ready.popleft()
            awaited = self._awaited(entry)
            if awaited is not None:
                key, sequence = awaited
                self._waiting.setdefault(key, []).append((sequence, entry))
            else:
                yield entry
                self._advance(entry)
            if not self._ready and self._waiting:
                # What they wait for is not in a chain that can be sent: the peer has to find it elsewhere.
                self._ready.extend(self._release())

    def _release(self) -> list[Retained]:
        stuck = [entry for waiting in self._waiting.values() for _, entry in waiting]
        self._waiting.clear()
        self._given = {entry.key: self._given[entry.key] for entry in stuck}
        for entry in stuck:
            for key, _ in entry.parents:
                self._given.pop(key, None)
        return sorted(stuck, key=lambda entry: entry.index)

    def _awaited(self, entry: Retained) -> KeyDot | None:
        """A parent that is to be chosen before this message."""
        given = self._given
        for key, sequence in entry.parents:
            if sequence > given.get(key, sequence):
                return key, sequence
        return None

    def _advance(self, entry: Retained) -> None:
        """Go on in the chain of a message that was chosen, and with those that waited for it."""
        key, sequence = entry.key, entry.message.id.sequence
        self._given[key] = sequence
        following = self._log.find((key, sequence + 1))
        if following is not None:
            self._ready.append(following)
        waiting = self._waiting.pop(key, None)
        if waiting:
            self._ready.extend([one for number, one in waiting if number <= sequence])
            rest = [(number, one) for number, one in waiting if number > sequence]
            if rest:
                self._waiting[key] = rest

    def _is_forgotten(self, entry: Retained) -> bool:
        message, horizon = entry.message, self._horizon
        return message.depth <= horizon.depth and message.id.origin.incarnation <= horizon.incarnation


def missing_in_turn(
    log: Log, floors: Iterable[KeyDot], theirs: Mapping[Key, int], horizon: Horizon
) -> Iterator[Retained]:
    """What is retained above a peer's floors, each message after all of its past that is missing too.

    Args:
        log: What is retained.
        floors: Up to where each origin is delivered here.
        theirs: The same there; an origin not in it has nothing there, or is forgotten.
        horizon: What the peer has forgotten, and would take for a replay.
    """
    turns = Turns(log, theirs, horizon)
    turns.begin(floors)
    return iter(turns)
