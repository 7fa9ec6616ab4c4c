"""How far each origin's messages are delivered, in bounded memory.

Rules of this file. A node knows the floor of every origin of which it retains, holds or awaits anything, and
of the ``limit`` others whose last message has the largest (depth, origin); the rest is forgotten. What is
forgotten lies below the *horizon*: messages of an origin that is not known here are refused there, since this
node may have delivered them before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import nlargest

from .hold_back import Origin
from .identity import Key, NodeId
from .messages import NO_HORIZON, Horizon

__all__ = ["BUCKETS", "FORGOTTEN_LIMIT", "SUM_SIZE", "Memory"]

BUCKETS = 256
"""Parts that the origins are shared out to, by the first byte of their keys; their sums fit a datagram."""

SUM_LIMIT = 1 << 64

SUM_SIZE = 4
"""Bytes of a sum that travel: of different floors one in four billion pairs seems equal, for as long as
nothing of these origins is delivered."""

SWEEP_PERIOD = 64
"""Deliveries between two sweeps at the least: a sweep looks at every origin."""

SPACING_DIVISOR = 8
"""One part in so many of the limit is forgotten beyond what is too much, so that sweeps are few; a choice."""

FORGOTTEN_LIMIT = 1 << 40
"""Forgotten messages that a sponsor is believed at the most, so that no lie makes counts of messages useless:
a million a second for twelve days."""


class Memory:
    """Floors of all origins known, their sums, and the horizon of what is forgotten."""

    def __init__(self, origins: dict[Key, Origin], limit: int) -> None:
        """Keep ``origins``; beyond ``limit`` those that nothing needs are forgotten."""
        self._origins = origins
        self._limit = limit
        self._fewest_kept = limit - limit // SPACING_DIVISOR
        """Origins that nothing needs, and that are known all the same after some were forgotten."""
        self.delivered_count = 0
        """Messages at or below the floors, those of forgotten origins and from before this node's time
        included."""
        self.forgotten_count = 0
        """How many of those are of origins that are forgotten."""
        self.largest_forgotten = 0
        """What no floor that was ever forgotten exceeds; nothing takes it back."""
        self.horizon = NO_HORIZON
        self.own_horizon = NO_HORIZON
        """The part of it that this node's own forgetting made: what a sponsor retains may lie below the
        sponsor's horizon, and is no replay for that."""
        self.sums = [0] * BUCKETS
        """Per bucket the sum over its origins of key x floor: equal floors have equal sums."""
        self._sweep_in = SWEEP_PERIOD
        self._kept_until = 0
        """Deliveries up to which the node's own last message can't be outranked."""

    def floor(self, key: Key) -> int:
        """The last sequence of this origin that is delivered or below the baseline; 0 for none."""
        origin = self._origins.get(key)
        return origin.floor if origin is not None else 0

    def packed_sums(self) -> bytes:
        """The sums as they travel: the upper half of each."""
        return b"".join([total.to_bytes(8)[:SUM_SIZE] for total in self.sums])

    def raise_floor(self, origin: Origin, sequence: int, depth: int) -> int:
        """Everything of an origin up to a message of this depth is delivered; returns how much that adds."""
        step = sequence - origin.floor
        if step <= 0:
            return 0
        origin.floor = sequence
        origin.depth = depth
        origin.is_recalled = False
        self.delivered_count += step
        self._add(origin.key, step)
        self._sweep_in -= 1
        return step

    def is_forgotten(self, sequence: int, depth: int, origin: NodeId, *, from_history: bool = False) -> bool:
        """Whether a message of an origin unknown here, or recalled, may have been delivered before.

        Not one of an origin that started later than all that are forgotten, whatever its depth: the first
        message of a newcomer has depth 1. Nor one with a larger number than any that is forgotten.
        """
        if sequence > self.largest_forgotten:
            return False
        horizon = self.own_horizon if from_history else self.horizon
        return depth <= horizon.depth and origin.incarnation <= horizon.incarnation

    @property
    def is_sweep_due(self) -> bool:
        """Whether it is time to look for origins to forget."""
        return self._sweep_in <= 0

    def sweep(self, is_needed: Callable[[Origin], bool]) -> list[Origin]:
        """Forget what is too much, lowest (depth, origin) first, and return it.

        Some more than necessary goes at once, so that sweeps are few.
        """
        origins = self._origins
        spacing = self._limit - self._fewest_kept
        self._sweep_in = max(SWEEP_PERIOD, spacing, len(origins) // 8)
        if len(origins) <= self._limit:
            return []
        idle = [o for o in origins.values() if o.floor and not is_needed(o)]
        if len(idle) <= self._limit:
            return []
        idle.sort(key=Origin.rank)
        forgotten = idle[: len(idle) - self._limit + spacing]
        for origin in forgotten:
            self._forget(origin)
        return forgotten

    def recall(self, origin: Origin, sequence: int, depth: int) -> bool:
        """Count what is refused as had, so that nothing waits for it; False if that can't be true.

        Whoever claims to have been forgotten may never have spoken: nothing becomes acceptable by that.
        """
        step = sequence - origin.floor
        if not 0 < step <= self.forgotten_count:
            return False
        self.forgotten_count -= step
        self.delivered_count -= step
        self.raise_floor(origin, sequence, depth)
        origin.is_recalled = True
        return True

    def is_outranked(self, key: Key, limit: int) -> bool:
        """Whether ``limit`` others have spoken since this origin's last message."""
        origin = self._origins.get(key)
        if origin is None or not origin.floor or self.delivered_count < self._kept_until:
            return False
        rank = origin.rank()
        later = sum([other.floor > 0 and other.rank() > rank for other in self._origins.values()])
        self._kept_until = self.delivered_count + max(0, limit - later)
        return later >= limit

    def adopt(self, horizon: Horizon, forgotten_count: int, depths: Iterable[int], youngest: int) -> int:
        """Take over what a sponsor has forgotten, as far as it can have.

        Whoever forgets keeps seven eighths of the limit that nothing needs, none of them less deep than what
        goes; so in every prefix that many origins are as deep as its horizon. A horizon that few origins, or
        none, vouch for is none, and no incarnation starts after ``youngest``. The count goes with
        the horizon.

        Args:
            horizon: The sponsor's horizon.
            forgotten_count: How many messages are below it.
            depths: The depths of the origins that the sponsor's prefix names.
            youngest: The largest incarnation that may have been forgotten by now.

        Returns:
            How many messages the sponsor is believed to have forgotten.
        """
        vouching = nlargest(self._fewest_kept, depths)
        if len(vouching) < self._fewest_kept or not forgotten_count:
            return 0
        believed = Horizon(min(horizon.depth, vouching[-1]), min(horizon.incarnation, youngest))
        self.horizon = highest(self.horizon, believed)
        count = min(forgotten_count, FORGOTTEN_LIMIT)
        more = max(0, count - self.forgotten_count)
        self.forgotten_count += more
        self.delivered_count += more
        self.largest_forgotten = max(self.largest_forgotten, count)
        return count

    def restore(self, horizon: Horizon, forgotten_count: int) -> None:
        """Have forgotten what a node had that saved this; no floor exceeds all of its prefix."""
        self.horizon = self.own_horizon = horizon
        self.forgotten_count = forgotten_count
        self.delivered_count += forgotten_count
        self.largest_forgotten = self.delivered_count

    def _forget(self, origin: Origin) -> None:
        assert origin.id is not None
        del self._origins[origin.key]
        self.forgotten_count += origin.floor
        self.largest_forgotten = max(self.largest_forgotten, origin.floor)
        self._add(origin.key, -origin.floor)
        gone = Horizon(origin.depth, origin.id.incarnation)
        self.horizon = highest(self.horizon, gone)
        self.own_horizon = highest(self.own_horizon, gone)

    def _add(self, key: Key, step: int) -> None:
        bucket = key[0]
        self.sums[bucket] = (self.sums[bucket] + int.from_bytes(key) * step) % SUM_LIMIT

    def check(self) -> None:
        """Verify every invariant; for tests."""
        known = sum(origin.floor for origin in self._origins.values())
        assert self.delivered_count == known + self.forgotten_count
        sums = [0] * BUCKETS
        for key, origin in self._origins.items():
            sums[key[0]] += int.from_bytes(key) * origin.floor
        assert self.sums == [total % SUM_LIMIT for total in sums]


def highest(one: Horizon, other: Horizon) -> Horizon:
    """The horizon above both."""
    return Horizon(max(one.depth, other.depth), max(one.incarnation, other.incarnation))
