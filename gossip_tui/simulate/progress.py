"""One line on a terminal that says how far a long computation is, rewritten in place, then cleared."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TextIO

from gossip_tui.drawing.plots import PlotGlyphs

__all__ = ["Progress", "duration_text", "progress_text"]

LOOK_PERIOD = 0.1
"""Seconds between two lines at the least: what an eye can follow, and no burden; a choice."""

PATIENCE = 1.0
"""Seconds of work before a time is foretold: the first cycles say little."""

BAR_WIDTHS = 6, 24
"""Cells of the bar at the least and at the most."""


class Progress:
    """Writes the line to a stream, if there is one.

    Control characters are none but the carriage return, so that any terminal can show it.
    """

    def __init__(
        self,
        stream: TextIO | None,
        total: int,
        columns: int,
        glyphs: PlotGlyphs,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is written yet.

        Args:
            stream: A terminal; None to say nothing.
            total: Steps of all there is to do.
            columns: Cells of the terminal.
            glyphs: What to draw with.
            clock: Seconds that only go forward.
        """
        self._stream = stream
        self._total = total
        self._columns = columns
        self._glyphs = glyphs
        self._clock = clock
        self._started_at = clock()
        self._due_at = self._started_at
        self._shown = 0

    def show(self, label: str, step: str, done: int) -> None:
        """Say what is being done and which step of it, ``done`` steps of all being over."""
        now = self._clock()
        if self._stream is None or now < self._due_at:
            return
        self._due_at = now + LOOK_PERIOD
        elapsed = now - self._started_at
        left = elapsed / done * (self._total - done) if done and elapsed >= PATIENCE else None
        text = progress_text(label, step, done / max(1, self._total), left, self._columns - 1, self._glyphs)
        self._write(text.ljust(self._shown))
        self._shown = len(text)

    def clear(self) -> None:
        """Take the line away, with the cursor back at its start."""
        if self._stream is not None and self._shown:
            self._write(" " * self._shown + "\r")
            self._shown = 0

    def _write(self, text: str) -> None:
        if self._stream is not None:
            with contextlib.suppress(OSError):  # a window that was closed needs no progress
                self._stream.write("\r" + text)
                self._stream.flush()


def progress_text(
    label: str, step: str, share: float, left: float | None, width: int, glyphs: PlotGlyphs
) -> str:
    """The line: what is done, a bar, the step, and the seconds left where they are known; never too wide.

    >>> from gossip_tui.drawing.plots import ASCII_PLOT
    >>> progress_text("2 healer", "cycle 60 of 120", 0.5, 83.0, 60, ASCII_PLOT)
    '2 healer  ###########...........  cycle 60 of 120  1:23 left'
    """
    tail = f"  {step}" + (f"  {duration_text(left)} left" if left is not None else "")
    least, most = BAR_WIDTHS
    room = min(most, width - len(label) - len(tail) - 2)
    if room < least:
        return f"{label}{tail}"[: max(0, width)]
    full = round(min(1.0, share) * room)
    return f"{label}  {glyphs.bar_full * full}{glyphs.bar_empty * (room - full)}{tail}"


def duration_text(seconds: float) -> str:
    """A span of time, rounded up to whole seconds.

    >>> duration_text(0.2), duration_text(83), duration_text(3_700)
    ('0:01', '1:23', '1:01:40')
    """
    whole = int(-(-seconds // 1))
    hours, rest = divmod(whole, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
