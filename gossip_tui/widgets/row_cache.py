"""Rows of a widget with their frame, kept as long as the line inside them is the same.

Textual keeps what stands on a row of the screen, so a pane that scrolls by one line has all of them framed,
filtered and cut anew. Here a row is kept for the line it frames, wherever that stands: what is on its way up
the screen costs a look into a dictionary. And a widget of which nothing changed is not asked for row after
row, as Textual does with everything between two things that changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.css.styles import StylesBase
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

__all__ = ["RowCache", "keep_rows"]

WidgetLike = TypeVar("WidgetLike", bound=Widget)

ROW_LIMIT = 512
"""Rows remembered: some of the tallest screens."""


class RowCache(StylesCache):
    """Frames the rows of one widget, each line once for as long as the widget looks the same."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[int, tuple[Strip, Strip]] = {}
        """By the identity of the line: the line, which has to live as long, and the row."""
        self._look: tuple[object, ...] = ()
        self._top = 0
        self._last: tuple[Region, list[Strip]] | None = None
        """What was drawn last; None once any of it is not true any more."""

    def set_dirty(self, *regions: Region) -> None:
        """Have these drawn anew, or everything."""
        self._last = None
        super().set_dirty(*regions)

    def clear(self) -> None:
        """Have everything drawn anew."""
        self._last = None
        super().clear()

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """The rows of a widget, as they were if nothing changed."""
        if self._last is None or self._last[0] != crop:
            self._last = crop, super().render_widget(widget, crop)
        return self._last[1]

    def render(self, styles: StylesBase, size: Size, *details: Any, **more: Any) -> list[Strip]:
        """Frame the rows of a crop, forgetting all that was kept once anything about the frame is another."""
        look = (size.width, details[:2], styles.border, more["padding"], more["opacity"], more["ansi_theme"])
        if look != self._look:
            self._look = look
            self._rows.clear()
        self._top = styles.gutter.top
        return super().render(styles, size, *details, **more)

    def render_line(
        self,
        styles: StylesBase,
        y: int,
        size: Size,
        content_size: Size,
        padding: Any,
        base_background: Color,
        background: Color,
        render_content_line: Callable[[int], Strip],
        *details: Any,
    ) -> Strip:
        """Frame a row, or give the one that was framed around the same line before."""
        line_y = y - self._top
        if not 0 <= line_y < content_size.height:
            shape = (padding, base_background, background, render_content_line)
            return super().render_line(styles, y, size, content_size, *shape, *details)
        line = render_content_line(line_y)
        known = self._rows.get(id(line))
        if known is not None and known[0] is line:
            return known[1]
        shape = (padding, base_background, background, lambda _: line)
        row = super().render_line(styles, y, size, content_size, *shape, *details)
        if len(self._rows) >= ROW_LIMIT:
            self._rows.clear()
        self._rows[id(line)] = line, row
        return row


def keep_rows(widget: WidgetLike) -> WidgetLike:
    """Let a widget, which draws nothing but its lines and a frame, keep its rows; returns it."""
    widget._styles_cache = RowCache()  # noqa: SLF001 - Textual has no other way
    return widget
