"""Where in a recording one is, and how that moves: play, pause, speed, steps, jumps. Draws nothing.

Positions are milliseconds since the start of the recording. ``elapsed`` is a clock that only goes forward,
whatever a person does, for whatever fades or averages by one.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gossip_tui.command import CommandError

__all__ = ["SPEEDS", "Player", "Scrub", "clock_text", "moment_of_text"]

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""How fast it can play; beyond the last, jumping is quicker."""

JUMP_GAP = 60_000
"""Milliseconds that ``elapsed`` goes forward when the position goes back: longer than anything fades."""

LONGEST_STEP = 1.0
"""Seconds of real time that one look moves on at the most: a computer that slept does not skip the story."""


@dataclass(frozen=True, slots=True)
class Scrub:
    """Everything that the scrub bar shows."""

    position: int
    duration: int
    speed: float
    is_playing: bool
    marks: tuple[int, ...] = ()
    """What is worth jumping to."""
    what: str = ""
    """What was jumped to last; empty once it plays on."""
    note: str = ""
    """What is missing of the recording."""


class Player:
    """Plays from 0 to ``duration``.

    Args:
        duration: Milliseconds.
        clock: Seconds of real time, only forward.
    """

    def __init__(self, duration: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.duration = duration
        self.position = 0
        self.speed = 1.0
        self.is_playing = False
        self.went_back = False
        """Whether the position went back since this was reset: what was shown is not true any more."""
        self._clock = clock
        self._seen_at = clock()
        self._fraction = 0.0
        self._offset = 0

    @property
    def elapsed(self) -> float:
        """Seconds of recording gone by, forward only: a clock for rates and for what fades."""
        return (self.position + self._offset) / 1000

    def advance(self) -> None:
        """Move on by the time since the last call, if it plays; at the end it pauses."""
        now = self._clock()
        spent = min(now - self._seen_at, LONGEST_STEP)
        self._seen_at = now
        if not self.is_playing:
            return
        self._fraction += spent * 1000 * self.speed
        self.position = min(self.duration, self.position + int(self._fraction))
        self._fraction %= 1
        if self.position >= self.duration:
            self.is_playing = False

    def play(self) -> None:
        """Play on; at the end, from the start."""
        if self.position >= self.duration:
            self.seek(0)
        self._seen_at = self._clock()
        self.is_playing = True

    def pause(self) -> None:
        """Stand still."""
        self.advance()
        self.is_playing = False

    def seek(self, position: int) -> None:
        """Go to a position, as near as there is one."""
        position = max(0, min(self.duration, position))
        if position < self.position:
            self._offset += self.position - position + JUMP_GAP
            self.went_back = True
        self.position = position
        self._fraction = 0.0

    def shift_speed(self, steps: int) -> None:
        """Play so many steps of ``SPEEDS`` faster or slower."""
        near = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - self.speed))
        self.speed = SPEEDS[max(0, min(len(SPEEDS) - 1, near + steps))]

    def next_of(self, positions: Iterable[int]) -> int | None:
        """The first of these behind the position."""
        return min((at for at in positions if at > self.position), default=None)

    def previous_of(self, positions: Iterable[int]) -> int | None:
        """The last of these before the position."""
        return max((at for at in positions if at < self.position), default=None)


def clock_text(milliseconds: int) -> str:
    """A position as people read it: ``2:05``, ``1:02:05``.

    >>> clock_text(125_000), clock_text(3_725_900)
    ('2:05', '1:02:05')
    """
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def moment_of_text(text: str, position: int, duration: int) -> int:
    """The position that ``2:05``, ``125`` (seconds), ``+10``, ``-10`` or ``50%`` stand for.

    Raises:
        CommandError: It is none of these.
    """
    match = re.fullmatch(r"([+-]?)(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9}(?:\.\d{1,3})?)", text, re.ASCII)
    if match is not None:
        sign, hours, minutes, seconds = match.groups()
        if (hours and int(minutes) > 59) or (minutes and float(seconds) >= 60):
            raise CommandError(
                "a moment is minutes and seconds such as 2:05: at most 59 of what is not the first"
            )
        whole = int((int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds)) * 1000)
        return position + whole if sign == "+" else position - whole if sign else whole
    share = re.fullmatch(r"(\d{1,3})%", text, re.ASCII)
    if share is None:
        raise CommandError("a moment is minutes and seconds such as 2:05, +10 or -10 seconds, or 50%")
    return duration * int(share[1]) // 100
