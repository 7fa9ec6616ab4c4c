"""A scroll bar that draws its few different cells once; Textual's lays out all of them anew at every step."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip

from .textual_parts import keep_rows

__all__ = ["AsciiScrollBar", "QuickScrollBar"]

CELLS_LIMIT = 64
"""Different cells remembered: some for each theme and each state of the mouse."""


class AsciiScrollBar(ScrollBarRender):
    """A scroll bar of whole cells, since a plain terminal has no eighths of a block."""

    VERTICAL_BARS = [" "] * 8
    HORIZONTAL_BARS = [" "] * 8


class QuickScrollBar(ScrollBar):
    """Textual's scroll bar, for a pane that scrolls several times a second.

    Args:
        thickness: Cells across.
    """

    def __init__(self, *, thickness: int = 1) -> None:
        super().__init__(vertical=True, name="vertical", thickness=thickness)
        keep_rows(self)
        self._cells: dict[tuple[str, Style | None], Strip] = {}
        self._bar: list[Segment] | None = None
        """The bar while its rows are drawn; empty until it is known."""

    def notify_style_update(self) -> None:
        """Draw anew in the colours of the new theme."""
        super().notify_style_update()
        self._cells.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw rows; where the thumb is is worked out once for all of them."""
        self._bar = []
        try:
            return super().render_lines(crop)
        finally:
            self._bar = None

    def render_line(self, y: int) -> Strip:
        """Draw a row of the bar."""
        bar = self._bar or self._bar_now()
        if self._bar is not None:
            self._bar = bar
        return self._cell(bar[y]) if y < len(bar) else super().render_line(y)

    def _bar_now(self) -> list[Segment]:
        """The bar as it is now, top first; empty where it is not Textual's that is drawn."""
        bar = self.render()
        if not isinstance(bar, ScrollBarRender):
            return []
        style = bar.style
        assert isinstance(style, Style)
        assert style.bgcolor is not None
        assert style.color is not None
        return bar.render_bar(
            size=self.size.height,
            virtual_size=bar.virtual_size,
            window_size=bar.window_size,
            position=bar.position,
            thickness=self.size.width,
            back_color=style.bgcolor,
            bar_color=style.color,
        ).segments

    def _cell(self, segment: Segment) -> Strip:
        """A row of the bar: the same strip for all that look alike, so that it is framed and cut once."""
        key = segment.text, segment.style
        strip = self._cells.get(key)
        if strip is None:
            if len(self._cells) >= CELLS_LIMIT:
                self._cells.clear()
            strip = Strip([segment], self.size.width).apply_style(self.rich_style)
            self._cells[key] = strip
        return strip
