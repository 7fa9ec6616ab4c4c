"""Rates of a node: datagrams in and out, what came twice, what was repaired, what was refused."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from textual.strip import Strip

from gossip_tui.drawing.line import Line, cut
from gossip_tui.drawing.rate_meter import RateMeter
from gossip_tui.drawing.rates import rate_lines
from gossip_tui.theme import UNICODE, Glyphs
from protocol.core.snapshot import NodeSnapshot

from .pane import Pane

__all__ = ["RatesPane"]

DRAWING_PERIOD = 1.0
"""Seconds between two drawings: what a bar stands for, and numbers that change faster can't be read."""


class RatesPane(Pane):
    """Shows rates as sparklines with numbers; three lines high, five with its frame.

    Call ``show`` with every new snapshot.
    """

    DEFAULT_CSS = """
    RatesPane {
        height: 5;
        overflow-y: hidden;
    }
    """

    def __init__(
        self,
        *,
        glyphs: Glyphs = UNICODE,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        """Make a pane without rates.

        Args:
            glyphs: What to draw with.
            clock: Seconds on a clock that only goes forward.
            id: The id in the DOM.
            classes: The classes in the DOM.
        """
        super().__init__(glyphs=glyphs, id=id, classes=classes)
        self._clock = clock
        self._meter = RateMeter()
        self._lines: list[Line] = []
        self._drawn_at = -math.inf

    def show(self, snapshot: NodeSnapshot) -> None:
        """Take in a snapshot; soon after the last drawing, or while frozen, it is only counted."""
        now = self._clock()
        self._meter.observe(snapshot, now)
        if not self.frozen and now - self._drawn_at >= DRAWING_PERIOD:
            self._drawn_at = now
            self._update()

    def mark_change(self) -> None:
        """Something was changed on purpose that no snapshot of this node shows; mark the moment."""
        self._meter.mark()

    def render_line(self, y: int) -> Strip:
        """Draw the line ``y``."""
        return self.draw(self._lines[y] if y < len(self._lines) else ())

    def watch_frozen(self, frozen: bool) -> None:
        """Catch up when thawed."""
        if not frozen:
            self._update()
        self.retitle()

    def retitle(self) -> None:
        """Name the pane."""
        self.set_title(cut("Rates", self.title_width), "frozen" if self.frozen else "")

    def redraw(self) -> None:
        """Work the lines out anew; those that read differently are drawn."""
        self._update()

    def _update(self) -> None:
        lines = rate_lines(self._meter.rates(), self.line_width, self.size.height, self.glyphs)
        before, self._lines = self._lines, lines
        if len(before) != len(lines):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, lines, strict=True)):
            if old != new:
                self.refresh_line(y)
