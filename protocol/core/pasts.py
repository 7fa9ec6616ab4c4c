"""One gap for several pasts: whose prefixes have to be taken over together.

After a partition in three, each part has evicted what the two others miss. Whoever took over the prefix of
one of them would find that it still misses what only the other had, and tell of a second gap. So before a
node closes a gap it looks at what would be held back still: if something has waited for long, and a peer
that has evicted what is missing here has delivered it, that peer's past is another one, and its prefix comes
along. The union of down-closed sets is down-closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .causal import CausalOrder
from .frontier import Frontier
from .identity import Address, Key, NodeId, key_of
from .log import lookup
from .memory import highest
from .messages import NO_HORIZON, BaselinePage, Digest, Horizon, KeyDot

__all__ = ["PASTS_LIMIT", "Baseline", "holders_of_another"]

PASTS_LIMIT = 8
"""Prefixes taken over together at the most; what lies beyond is another gap. A choice: more parts than
anybody cuts a network into."""

NO_ROOM_SHARE = 2
"""Of what may be held back, more than one in so many held says that something may have been refused: then
nobody can tell what a sponsor retains, and only one prefix is taken over. A choice."""


class Baseline(NamedTuple):
    """A down-closed prefix, of one sponsor or of several."""

    entries: Mapping[NodeId, tuple[int, int]]
    """The last sequence of each origin, and its depth."""
    frontier: tuple[KeyDot, ...]
    depth: int
    horizon: Horizon = NO_HORIZON
    forgotten: int = 0

    @classmethod
    def of(cls, pages: Iterable[BaselinePage]) -> Baseline:
        """What all pages of one sponsor say together."""
        parts = list(pages)
        last = parts[-1]
        entries = {node: (sequence, depth) for part in parts for node, sequence, depth in part.entries}
        frontier = tuple(dot for part in parts for dot in part.frontier)
        return cls(entries, frontier, last.depth, last.horizon, last.forgotten)

    def floors(self) -> dict[Key, int]:
        """The last sequence of each origin by key."""
        return {key_of(node): sequence for node, (sequence, _) in self.entries.items()}

    def united(self, other: Baseline) -> Baseline:
        """The union of both."""
        entries = dict(self.entries)
        for node, entry in other.entries.items():
            entries[node] = max(entries.get(node, entry), entry)
        frontier = Frontier(self.frontier)
        frontier.unite(other.frontier, lookup(self.floors()), lookup(other.floors()))
        return Baseline(
            entries,
            tuple(frontier.dots.items()),
            max(self.depth, other.depth),
            highest(self.horizon, other.horizon),
            max(self.forgotten, other.forgotten),
        )


def holders_of_another(
    told: Mapping[Address, Digest], causal: CausalOrder, baseline: Baseline, now: float
) -> dict[Address, Digest]:
    """Peers that have delivered what would wait for good once a baseline was taken over.

    Args:
        told: Peers that have evicted what is missing here, with what they said of themselves last.
        causal: What is delivered and held back here.
        baseline: What is about to be taken over.
        now: The moment.
    """
    queue, config = causal.queue, causal.config
    is_crowded = (
        len(queue.holding) * NO_ROOM_SHARE > config.hold_back_limit
        or queue.size * NO_ROOM_SHARE > config.hold_back_size_limit
    )
    if is_crowded:
        return {}
    waiting = still_waiting(causal, baseline.floors(), now - config.gap_timeout / 2)
    return {peer: digest for peer, digest in told.items() if not waiting.isdisjoint(digest.frontier or ())}


def still_waiting(causal: CausalOrder, floors: dict[Key, int], since: float) -> set[KeyDot]:
    """What would stay held back with these floors for want of something that did not come since a moment.

    Nothing is deeper than what builds on it, so one look at each, the least deep first, is enough.
    """
    within = lookup(floors)
    waiting: set[KeyDot] = set()
    for held in sorted(causal.holding.values(), key=lambda held: held.rumor.depth):
        if held.rumor.sequence <= within(held.key):
            continue
        lacking = [
            dot for dot in causal.missing_of(held) if dot[1] > within(dot[0]) and not is_held_for(causal, dot)
        ]
        is_stuck = bool(lacking) and held.received_at <= since
        if is_stuck or not waiting.isdisjoint(held.past):
            waiting.add(held.dot)
    return waiting


def is_held_for(causal: CausalOrder, dot: KeyDot) -> bool:
    """Whether a message is here but not delivered."""
    return dot in causal.holding or causal.is_pulled(dot)
