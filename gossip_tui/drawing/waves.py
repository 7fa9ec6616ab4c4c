"""How a message spreads: which node it reached after how many hops, and the slow motion that shows it.

Hops take milliseconds, so nobody sees them happen: a wave is played from its beginning, one hop after the
other at a speed that eyes follow, as soon as the one before it is through.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from gossip_tui.observed import Delivery
from protocol.core.bounded import put
from protocol.core.identity import Dot, NodeId
from protocol.core.messages import Message

__all__ = ["HOP_PERIOD", "Wave", "Waves"]

HOP_PERIOD = 0.35
"""Seconds that one hop is shown; a choice, eyes follow three in a second."""

HOLD_PERIOD = 1.4
"""Seconds that the finished wave stands before the next may start."""

STEP_LIMIT = 16
"""Steps told apart: views are left after some; what came by more was repaired, or its way is a lie."""

WAVE_LIMIT = 128
"""Messages whose spreading is remembered: the newest."""


class Wave:
    """One message on its way."""

    __slots__ = ("_last_at", "layers", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        """As the first node that was seen to have it delivered it."""
        self.layers: dict[NodeId, int] = {message.id.origin: 0}
        """How many steps from its origin each node that has it got it: the origin itself 0."""
        self._last_at = message.created_at

    def reach(self, delivery: Delivery) -> None:
        """Note that it was delivered at a node."""
        node, message = delivery
        if node not in self.layers:
            self.layers[node] = min(message.hops + 1, STEP_LIMIT)
            self._last_at = max(self._last_at, message.delivered_at)

    @property
    def steps(self) -> int:
        """How many steps its longest way had."""
        return max(self.layers.values())

    @property
    def seconds(self) -> float:
        """From its sending to the last delivery, by the clocks of both."""
        return max(0.0, self._last_at - self.message.created_at)

    def histogram(self) -> list[int]:
        """How many nodes got it after 0, 1, 2, ... steps."""
        counts = Counter(self.layers.values())
        return [counts[step] for step in range(self.steps + 1)]


class Waves:
    """Chooses which message is shown, and which hop of it."""

    def __init__(self) -> None:
        self.current: Wave | None = None
        """The wave that is shown."""
        self._waves: dict[Dot, Wave] = {}
        self._newest: Wave | None = None
        self._own: Wave | None = None
        self._wanted: Dot | None = None
        self._through: dict[Dot, None] = {}
        self._started_at = 0.0

    def observe(self, deliveries: Iterable[Delivery], now: float, own: NodeId | None = None) -> None:
        """Take in what was delivered, and start the newest wave if the one before is through.

        What the node ``own`` said is shown before what others said since, for people look for it.
        """
        for delivery in deliveries:
            message = delivery.message
            if message.from_history:
                continue
            wave = self._waves.get(message.id)
            if wave is None:
                wave = self._newest = self._waves[message.id] = Wave(message)
                if message.id.origin == own:
                    self._own = wave
                if len(self._waves) > WAVE_LIMIT:
                    del self._waves[next(iter(self._waves))]
            wave.reach(delivery)
        following = self._waves.get(self._wanted) if self._wanted is not None else None
        following = following or self._own or self._newest
        if following is not self.current and not self.is_busy(now):
            if self.current is not None:
                put(self._through, self.current.message.id, None, WAVE_LIMIT)
            self.current, self._started_at, self._own = following, now, None
        if self.current is not None and self.current.message.id == self._wanted:
            self._wanted = None

    def want(self, dot: Dot) -> None:
        """Show the wave of this message next, whatever else is said meanwhile."""
        self._wanted = dot

    def has_shown(self, dot: Dot, now: float) -> bool:
        """Whether the wave of this message was shown to its end."""
        if self.current is not None and self.current.message.id == dot:
            return not self.is_moving(now)
        return dot in self._through

    def replay(self, now: float) -> None:
        """Show the wave once more from its beginning."""
        self._started_at = now

    def step(self, now: float) -> int:
        """The last step that is shown by now; nodes further away are still dark."""
        wave = self.current
        return min(wave.steps, int((now - self._started_at) / HOP_PERIOD)) if wave is not None else 0

    def is_moving(self, now: float) -> bool:
        """Whether another frame will be different from this one."""
        return self.current is not None and now - self._started_at <= (self.current.steps + 1) * HOP_PERIOD

    def is_busy(self, now: float) -> bool:
        """Whether the wave is not through, or was a moment ago."""
        wave = self.current
        return wave is not None and now - self._started_at < wave.steps * HOP_PERIOD + HOLD_PERIOD
