"""What one node has delivered, what it retains of it and what waits, and the questions to all that.

Nothing here changes anything: ``causal`` delivers, and everybody else asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .clocks import Clocks
from .config import Config
from .derived import DerivedClock
from .frontier import Frontier
from .hold_back import Held, HoldBack
from .identity import Address, Dot, Key
from .log import Log, Retained
from .memory import Memory
from .messages import KeyDot, Rumor, forwarded, passed_on

__all__ = ["AWAITED_LIMIT", "DeliveredSet"]

FLOORS_PER_CLOCK_ENTRY = 4
"""Origins of which nothing is here but how far they were delivered, per origin that a clock may have: so many
that none is forgotten that a clock still names."""

AWAITED_LIMIT = 1_024
"""Origins unknown here that something waits for, and that peers are asked about at a time: a dozen pages. A
choice; messages that name invented origins by the hundred must not fill hundreds of pages."""


class DeliveredSet:
    """The delivered set, its frontier, the retained log and the hold-back queue of one node."""

    def __init__(self, config: Config) -> None:
        """Start with nothing delivered."""
        self.config = config
        self.log = Log(config.history_limit, config.history_size_limit)
        self.frontier = Frontier()
        self.queue = HoldBack()
        self.origins = self.queue.origins
        self.memory = Memory(self.origins, FLOORS_PER_CLOCK_ENTRY * config.clock_limit)
        self.clocks = Clocks(self.log, self.origins, config.clock_limit)
        self.depth = 0
        """The largest depth delivered, or announced by a peer."""
        self.own_key: Key = b""
        """The key of this node, whose own messages are never forgotten."""
        self.holding = self.queue.holding
        self.unanchored = self.queue.unanchored
        self.wall_offset = 0.0
        """Unix time minus ``now``."""
        self.pinned: KeyDot | None = None
        """An own message that must not be evicted yet, since nobody else has it."""
        self.is_catching_up = False
        """Whether a history is on its way here: what waits for its past then waits with reason."""
        self.displaced_count = 0
        """Held messages that went for less deep ones."""
        self._named = self.public_dots
        self._delivered_depth = 0
        """The largest depth delivered. Announcements may go beyond it by half a window only, so that nobody
        can talk a node into depths that others refuse."""

    # questions

    @property
    def delivered_count(self) -> int:
        """Messages at or below the floors, those before this node's time included."""
        return self.memory.delivered_count

    def floor(self, key: Key) -> int:
        """The last sequence of this origin that is delivered or below the baseline; 0 for none."""
        return self.memory.floor(key)

    def is_delivered(self, dot: KeyDot) -> bool:
        """Whether the message is delivered, or below the baseline."""
        origin = self.origins.get(dot[0])
        return origin is not None and dot[1] <= origin.floor

    def is_known(self, dot: KeyDot) -> bool:
        """Whether the message is delivered, below the baseline, or held back."""
        origin = self.origins.get(dot[0])
        return origin is not None and (dot[1] <= origin.floor or dot[1] in origin.held)

    def floors(self) -> Iterator[KeyDot]:
        """The floors of all origins that have one."""
        return ((key, origin.floor) for key, origin in self.origins.items() if origin.floor)

    def received_floors(self) -> Iterator[KeyDot]:
        """Up to where everything of an origin is here, for all origins of which there is anything.

        Once origins were forgotten also 0 for those that something waits for, up to a limit: whoever has
        evicted that can't know otherwise that it is not forgotten here, but missing.
        """
        room = AWAITED_LIMIT if self.memory.forgotten_count else 0
        for key, origin in self.origins.items():
            floor = self.received_floor(key)
            if floor:
                yield key, floor
            elif room and origin.waiters:
                room -= 1
                yield key, 0

    def received_floor(self, key: Key) -> int:
        """The same for one origin."""
        origin = self.origins.get(key)
        if origin is None:
            return 0
        return origin.received_floor if origin.held or origin.pulled else origin.floor

    def public_dot(self, dot: KeyDot) -> Dot | None:
        """The dot with its origin's name, None while the name is not known."""
        origin = self.origins.get(dot[0])
        return Dot(origin.id, dot[1]) if origin is not None and origin.id is not None else None

    def public_dots(self, dots: Iterable[KeyDot]) -> tuple[Dot, ...]:
        """Those of the dots whose origin is known by name."""
        return tuple(public for dot in dots if (public := self.public_dot(dot)) is not None)

    @property
    def is_outdated(self) -> bool:
        """Whether this node was silent for so long that its next clock would not name its last message."""
        return self.memory.is_outranked(self.own_key, self.config.clock_limit)

    def missing_of(self, held: Held) -> list[KeyDot]:
        """What a message still waits for."""
        return self.queue.missing_of(held)

    def find(self, dot: KeyDot) -> Rumor | None:
        """The message as it travels on, from the log or from the hold-back queue."""
        entry = self.log.find(dot)
        if entry is not None:
            return entry.rumor(passed_on(entry.message.hops))
        held = self.holding.get(dot)
        if held is not None:
            return forwarded(held.rumor)
        origin = self.origins.get(dot[0])
        pulled = origin.pulled.get(dot[1]) if origin is not None else None
        return forwarded(pulled) if pulled is not None else None

    def payload_of(self, dot: KeyDot) -> bytes | None:
        """The payload of a message in the log or in the hold-back queue."""
        entry = self.log.find(dot)
        if entry is not None:
            return entry.message.payload
        held = self.holding.get(dot)
        return held.rumor.payload if held is not None else None

    def clock_of(self, dot: KeyDot) -> DerivedClock | None:
        """The clock of a delivered message while it is known here, and known to be exact."""
        return self.clocks.of(dot)

    @property
    def deadline(self) -> float:
        """When the longest waiting message has waited too long."""
        for held in self.holding.values():
            return held.received_at + self.config.orphan_timeout
        return float("inf")

    @property
    def pins(self) -> dict[KeyDot, DerivedClock]:
        """The clocks of maximal messages that are not retained."""
        return self.clocks.pinned

    def is_derivable(self, entry: Retained) -> bool:
        """Whether a retained message's clock follows from those of others that are retained or pinned."""
        find, message = self.log.find, entry.message
        sequence = message.id.sequence
        if not entry.is_exact:
            return False
        has_predecessor = sequence == 1 or find((entry.key, sequence - 1)) is not None
        if has_predecessor and all(find(dot) is not None for dot in entry.parents):
            return all(self.clock_of(dot) is not None for dot in entry.past)
        held = Held(entry.rumor(0), entry.key, Address("", 0), 0.0, from_history=False)
        return self.clocks.linked(held) is not None
