"""The panel of the tour: a few lines between panes and composer, so that it covers none of them."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from gossip_tui.drawing.line import Line, plain, to_strip
from gossip_tui.drawing.tour_panel import choice_at, tour_lines, waiting_line
from gossip_tui.theme import UNICODE, Glyphs, palette_of
from gossip_tui.tour import Tour

__all__ = ["TourPanel"]


class TourPanel(Widget):
    """Shows a step of the tour; hidden while there is none. It never takes the focus.

    Args:
        room: Columns and rows that the terminal must have; in a smaller one a line says so instead.
        glyphs: What to draw with.
    """

    DEFAULT_CSS = """
    TourPanel { height: auto; background: $panel; color: $foreground; display: none; }
    """

    class Chosen(Message):
        """Somebody clicked on one of the keys: ``next``, ``skip`` or ``never``."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(
        self,
        room: tuple[int, int],
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's word
    ) -> None:
        super().__init__(id=id)
        self._room = room
        self._glyphs = glyphs
        self._tour: Tour | None = None
        self._pane = ""
        self._lines: list[Line] = []

    def show(self, tour: Tour | None, pane: str = "") -> None:
        """Show the step of a tour that points at the pane of that title, or nothing any more."""
        self._tour, self._pane = tour, pane
        self.display = tour is not None
        self.draw_lines()

    def draw_lines(self) -> None:
        """Write everything anew for the terminal as it is, and take as many lines as that needs."""
        self._lines = self._text(self.app.size.width, self.app.size.height)
        self.styles.height = max(1, len(self._lines))
        self.refresh()

    def on_resize(self) -> None:
        """Wrap for the new width."""
        self.draw_lines()

    def on_click(self, event: events.Click) -> None:
        """Do what is written where the mouse is."""
        line = self.text.split("\n")[event.y] if event.y < len(self._lines) else ""
        choice = choice_at(line, event.x)
        if choice is not None:
            self.post_message(self.Chosen(choice.action))

    def render_line(self, y: int) -> Strip:
        """Draw the line ``y``."""
        line = self._lines[y] if y < len(self._lines) else ()
        return to_strip(line, palette_of(self.app), self.size.width).apply_style(self.rich_style)

    @property
    def text(self) -> str:
        """What it says, without colours."""
        return "\n".join(map(plain, self._lines))

    def _text(self, width: int, height: int) -> list[Line]:
        step = self._tour.step if self._tour is not None else None
        if self._tour is None or step is None:
            return []
        if width < self._room[0] or height < self._room[1]:
            return [waiting_line(width, *self._room, self._glyphs)]
        return tour_lines(step, self._tour.number, self._tour.count, self._pane, width, self._glyphs)
