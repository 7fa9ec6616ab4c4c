"""Which transfers may go on: bounded in count and bytes, and fair between those who announce."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from ..config import Config
from ..identity import Address
from .limits import CHUNK_SIZE, TRIAL_CHUNKS
from .transfer import Transfer

__all__ = ["Pool"]

Drop = Callable[[Transfer], None]
"""Forgets a transfer."""


class Pool:
    """All transfers of one node, and the room they share."""

    def __init__(self, config: Config) -> None:
        """Hold nothing."""
        self.config = config
        self.transfers: dict[bytes, Transfer] = {}
        self.completed = self.dropped = 0
        """Payloads that came in whole, and that were given up."""

    @property
    def size(self) -> int:
        """Bytes that are here of payloads not delivered yet."""
        return sum(transfer.size for transfer in self.transfers.values())

    @property
    def announced_count(self) -> int:
        """Messages that wait for their payload."""
        return sum(len(transfer.announced) for transfer in self.transfers.values())

    def has_room(self, source: Address, depth: int, drop: Drop, *, is_asked: bool) -> bool:
        """Whether one more message of this depth that ``source`` announces may be waited for.

        Messages of which nothing came yet make room: the oldest of whoever announced most of them. So a flood
        drives out itself and nobody else. Without being asked, one source fills a quarter at the most. Where
        something came of all of them, the deepest makes room for what was asked for and is less deep: it may
        wait for just that.
        """
        limit = self.config.assembly_limit
        idle = self._idle()
        counts = Counter(one.source for t in idle for one in t.announced.values())
        if not is_asked and counts[source] >= max(1, limit // 4):
            drop(next(t for t in idle if any(one.source == source for one in t.announced.values())))
        elif self.announced_count >= limit:
            if not idle:
                return is_asked and self._makes_room_for(depth, drop)
            most = max(counts, key=lambda one: counts[one])
            drop(next(t for t in idle if any(one.source == most for one in t.announced.values())))
        return True

    def _makes_room_for(self, depth: int, drop: Drop) -> bool:
        """Whether something deeper than this went."""
        deepest = max(self.transfers.values(), key=lambda one: one.depth)
        if deepest.depth <= depth:
            return False
        drop(deepest)
        return True

    def _idle(self) -> list[Transfer]:
        """Transfers that nothing came of, oldest first."""
        return [transfer for transfer in self.transfers.values() if not transfer.chunks]

    def start_waiting(self, drop: Drop) -> None:
        """Reserve room for transfers that have shown to be real, those others wait for first.

        If nothing at all can go on, what is deepest makes room: the others can't need it.
        """
        while True:
            waiting = [t for t in self.transfers.values() if t.chunks and not (t.is_started or t.is_whole)]
            if not waiting:
                return
            used = self._reserved()
            for transfer in sorted(waiting, key=lambda one: one.depth):
                more = transfer.tree.size - transfer.size
                if used + more <= self.config.assembly_size_limit:
                    transfer.is_started = True
                    used += more
            stuck = [t for t in self.transfers.values() if t.chunks]
            if any(t.is_started and not t.is_whole for t in stuck) or len(stuck) < 2:
                return
            drop(max(stuck, key=lambda one: one.depth))

    def _reserved(self) -> int:
        """Bytes that are here or have been promised room."""
        return sum(t.tree.size if t.is_started else t.size for t in self.transfers.values())

    def park(self, transfer: Transfer) -> None:
        """Take back the room of a transfer that does not get on, if others wait for it."""
        if transfer.is_started and any(
            t.chunks and not (t.is_started or t.is_whole) for t in self.transfers.values()
        ):
            transfer.is_started = False
            self.transfers[transfer.reference] = self.transfers.pop(transfer.reference)

    def check(self) -> None:
        """Verify every invariant; for tests."""
        assert self.announced_count <= self.config.assembly_limit
        trial = TRIAL_CHUNKS * CHUNK_SIZE * len(self.transfers)
        assert self._reserved() <= self.config.assembly_size_limit + trial
