"""Rows of a pane with their frame, kept as long as the line inside them is the same.

Textual keeps what stands on a row of the screen, so a pane that scrolls by one line has all of them framed,
filtered and cut anew. Here a row is kept for the line it frames, wherever that stands: what is on its way up
the screen costs a look into a dictionary.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual._styles_cache import StylesCache
from textual.color import Color
from textual.css.styles import StylesBase
from textual.geometry import Size
from textual.strip import Strip

__all__ = ["RowCache"]

ROW_LIMIT = 512
"""Rows remembered: some of the tallest screens."""


class RowCache(StylesCache):
    """Frames the rows of one pane, each line once for as long as the pane looks the same."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[int, tuple[Strip, Strip]] = {}
        """By the identity of the line: the line, which has to live as long, and the row."""
        self._look: tuple[object, ...] = ()
        self._top = 0

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
