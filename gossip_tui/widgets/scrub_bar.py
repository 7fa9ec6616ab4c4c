"""The scrub bar: where one is in a recording; a click goes somewhere else."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.strip import Strip
from textual.widget import Widget

from gossip_tui.drawing.line import Line, plain, to_strip
from gossip_tui.drawing.scrub_bar import position_at, scrub_line
from gossip_tui.recording.player import Scrub
from gossip_tui.theme import UNICODE, Glyphs, palette_of

__all__ = ["ScrubBar"]


class ScrubBar(Widget):
    """One line about where a recording is; it is drawn only when it reads differently.

    Args:
        seek: Is given the position that was clicked on.
        glyphs: What to draw with.
    """

    DEFAULT_CSS = """
    ScrubBar { height: 1; background: $panel; color: $foreground; }
    """

    def __init__(
        self,
        seek: Callable[[int], None],
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's word
    ) -> None:
        super().__init__(id=id)
        self._seek = seek
        self._glyphs = glyphs
        self._scrub: Scrub | None = None
        self._line: Line = ()

    def show(self, scrub: Scrub) -> None:
        """Show where the recording is."""
        self._scrub = scrub
        self._draw()

    def on_resize(self) -> None:
        """Draw for the new width."""
        self._draw()

    def on_click(self, event: events.Click) -> None:
        """Go to where the bar was clicked."""
        if self._scrub is None:
            return
        position = position_at(event.x, self._scrub, self.size.width)
        if position is not None:
            self._seek(position)

    def render_line(self, y: int) -> Strip:
        """Draw the one line there is."""
        line = self._line if y == 0 else ()
        return to_strip(line, palette_of(self.app), self.size.width).apply_style(self.rich_style)

    @property
    def text(self) -> str:
        """The line as it stands, without colours."""
        return plain(self._line)

    def _draw(self) -> None:
        if self._scrub is None or not self.size.width:
            return
        line = scrub_line(self._scrub, self.size.width, self._glyphs)
        if line != self._line:
            self._line = line
            self.refresh()
