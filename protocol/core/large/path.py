"""How much may be asked of one address at a time, and how long its answer may take."""

from __future__ import annotations

__all__ = ["Path"]

FIRST_WINDOW = 8
"""Chunks asked of a new holder: 10 kB, about what TCP begins with (RFC 6928)."""

SMALLEST_WINDOW = 8
"""Chunks that even a bad path is asked for: 10 kB a round trip crowd nobody out, and with less a path that
loses every third datagram whatever comes would stand still."""

LARGEST_WINDOW = 64
"""Chunks under way from one holder: half of what the smallest default socket buffer holds."""

SLOWING = 0.7
"""What a window shrinks to when chunks are lost (CUBIC, RFC 9438), at most once in a time-out."""

SHORTEST_TIMEOUT = 0.06
"""Seconds a chunk may take in any case: a turn of a busy loop and the holder's pacing."""

LONGEST_TIMEOUT = 3.0
"""Seconds a chunk may take at the most."""

SILENT_ATTEMPTS = 6
"""Time-outs in a row, with nothing heard, after which a holder is taken to have vanished."""

BACK_OFF_LIMIT = 4
"""Doublings of the time-out while nothing is heard."""


class Path:
    """The measured way to one holder, for all that is pulled from it."""

    __slots__ = ("asked", "round_trip", "silent", "slowed_at", "variation", "window")

    def __init__(self, round_trip: float) -> None:
        """Begin with a guess of the round trip, in seconds."""
        self.window = float(FIRST_WINDOW)
        self.asked = 0
        """Chunks under way."""
        self.round_trip = round_trip
        self.variation = round_trip / 2
        self.silent = 0
        """Time-outs since anything was heard."""
        self.slowed_at = 0.0

    @property
    def timeout(self) -> float:
        """Seconds until a chunk counts as lost.

        Source: RFC 6298, section 2, with a shorter minimum.
        """
        timeout = self.round_trip + 4 * self.variation
        timeout *= 1 << min(max(self.silent - 1, 0), BACK_OFF_LIMIT)
        return min(max(timeout, SHORTEST_TIMEOUT), LONGEST_TIMEOUT)

    @property
    def room(self) -> int:
        """Chunks that may be asked for now."""
        return max(0, int(self.window) - self.asked)

    @property
    def has_vanished(self) -> bool:
        """Whether it was asked often enough for nothing."""
        return self.silent >= SILENT_ATTEMPTS

    def on_chunk(self, seconds: float | None) -> None:
        """A chunk came that was asked for so many seconds ago; None if it is not clear when."""
        self.silent = 0
        self.window = min(self.window + 1 / max(1.0, self.window / FIRST_WINDOW), LARGEST_WINDOW)
        if seconds is not None:
            self.variation = 0.75 * self.variation + 0.25 * abs(self.round_trip - seconds)
            self.round_trip = 0.875 * self.round_trip + 0.125 * seconds

    def on_loss(self, now: float) -> None:
        """Something did not come in time."""
        if now - self.slowed_at >= self.timeout:
            self.slowed_at = now
            self.silent += 1
            self.window = max(self.window * SLOWING, SMALLEST_WINDOW)
