"""Requests for an exchange of views: those under way, those given up, and how they are cut to size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from .bounded import put
from .codec import Packed
from .context import Context
from .identity import Address, NodeId
from .messages import Digest, ExchangeAnswer, ExchangeRequest, KeyDot, Padding
from .view import Told

__all__ = ["Exchange", "Requests", "fit", "padding", "size_of"]

LATE_LIMIT = 256
"""Exchanges given up whose late answer is still recognised."""

ANSWERED_LIMIT = 16
"""Nonces remembered whose answer came: a second answer is seconds behind, and a cycle begins one exchange."""

SMALLEST_PADDING = 8
"""Bytes below which padding is not worth its own head."""

SMALL_FRONTIER = 40
"""Dots of a frontier that descriptors make room for; of a larger one some travel, other ones each time."""


class Exchange(NamedTuple):
    """A request under way."""

    target: Address
    id: NodeId | None
    """Who is asked; None for an address whose node is not known yet."""
    push: bool
    pull: bool
    sent: tuple[Told, ...]
    started_at: float
    deadline: float
    was_known: bool
    """Whether this node could prove its own address to the target when it asked."""
    again_at: float
    """When the request is sent once more, should it be lost; never to an unknown node."""
    items: tuple[Packed, ...]
    is_repeated: bool = False
    """It was sent again, so that nobody can say how long the answer took (Karn's rule)."""


class Requests:
    """The requests of one node by nonce, bounded: pending, given up, and answered."""

    __slots__ = ("_answered", "_late", "pending")

    def __init__(self) -> None:
        """Have asked nobody."""
        self.pending: dict[int, Exchange] = {}
        """Whose answer has time yet."""
        self._late: dict[int, Exchange] = {}
        self._answered: dict[int, Address] = {}
        """Nonces whose answer came, so that a second one, to a request sent twice, is no surprise."""

    @property
    def deadline(self) -> float:
        """When one is to be sent again or given up; ``math.inf`` when none is."""
        due_at = math.inf
        for exchange in self.pending.values():
            due_at = min(due_at, exchange.again_at, exchange.deadline)
        return due_at

    def is_answered(self, nonce: int, source: Address) -> bool:
        """Whether the answer from there came already."""
        return self._answered.get(nonce) == source

    def close(self, nonce: int, source: Address) -> tuple[Exchange, bool] | None:
        """An answer came: what was asked, and whether it is late; None if nothing was asked of ``source``."""
        exchange = self.pending.get(nonce)
        is_late = exchange is None
        if exchange is None:
            exchange = self._late.get(nonce)
        if exchange is None or exchange.target != source:
            return None
        del (self._late if is_late else self.pending)[nonce]
        put(self._answered, nonce, source, ANSWERED_LIMIT)
        return exchange, is_late

    def give_up(self, nonce: int) -> None:
        """The time of an answer is over; a late one is still recognised."""
        put(self._late, nonce, self.pending.pop(nonce), LATE_LIMIT)

    def postpone(self, deadline: float) -> None:
        """Give every answer time until ``deadline`` at the least."""
        for nonce, exchange in self.pending.items():
            if exchange.deadline < deadline:
                self.pending[nonce] = exchange._replace(deadline=deadline, again_at=math.inf)


def fit(
    context: Context,
    make: Callable[[tuple[Told, ...], Digest], ExchangeRequest | ExchangeAnswer],
    buffer: tuple[Told, ...],
    limit: int,
) -> tuple[Packed, tuple[Told, ...]] | None:
    """Pack an exchange with as much of buffer and frontier as fits; None if not even the rest does.

    A prefix of the buffer is as random as all of it: a trimmed exchange is a smaller sample, no other.
    """
    digest = context.digest()
    packed = context.pack(make(buffer, digest))
    if packed.size <= limit:
        return packed, buffer
    frontier = digest.frontier or ()
    some = digest._replace(frontier=some_of(frontier, SMALL_FRONTIER, context.random))
    tries = [(len(buffer) * quarters // 4, some) for quarters in (4, 3, 2, 1, 0)]
    for count, told in [*tries, (0, digest._replace(frontier=None))]:
        packed = context.pack(make(buffer[:count], told))
        if packed.size <= limit:
            return packed, buffer[:count]
    return None


def some_of(frontier: tuple[KeyDot, ...], count: int, dice: Callable[[], float]) -> tuple[KeyDot, ...]:
    """At most ``count`` dots of a frontier, other ones each time, in a row from a random place."""
    if len(frontier) <= count:
        return frontier
    start = int(dice() * len(frontier))
    return (frontier[start:] + frontier[:start])[:count]


def padding(context: Context, size: int, limit: int) -> tuple[Packed, ...]:
    """What makes a request as large as a full answer, which may not be larger than the request."""
    frontier = context.causal.frontier.dots
    full = 160 + 40 * (context.config.view_size // 2) + 12 * len(frontier)
    missing = min(full, limit) - size
    return (context.pack(Padding(missing)),) if missing >= SMALLEST_PADDING else ()


def size_of(items: Iterable[Packed]) -> int:
    """Bytes of items together."""
    return sum([item.size for item in items])
