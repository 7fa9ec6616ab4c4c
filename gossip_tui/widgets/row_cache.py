"""Rows of a widget with their frame, kept as long as the line inside them is the same.

Textual keeps what stands on a row of the screen, so a pane that scrolls by one line has all of them framed,
filtered and cut anew. Here a row is kept for the line it frames, wherever that stands: what is on its way up
the screen costs a look into a dictionary. And a widget of which nothing changed is not asked for row after
row, as Textual does with everything between two things that changed.

Builds on a part of Textual that it promises to nobody; ``textual_parts`` looks whether it is as known here,
so these methods have the parameters of those they stand in for, by the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rich.terminal_theme import TerminalTheme
from textual._ansi_theme import DEFAULT_TERMINAL_THEME
from textual._styles_cache import StylesCache
from textual.color import Color
from textual.css.styles import StylesBase
from textual.filter import LineFilter
from textual.geometry import Region, Size, Spacing
from textual.strip import Strip
from textual.widget import Widget

__all__ = ["RowCache"]

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
        self._is_outlined = False
        """Whether the first and the last row are other than those between, whatever line they frame."""
        self._last: tuple[Region, list[Strip]] | None = None
        """What was drawn last; None once any of it is not true any more."""

    def set_dirty(self, *regions: Region) -> None:
        """Have the lines on these rows asked for anew, or all."""
        self._last = None
        super().set_dirty(*regions)

    def clear(self) -> None:
        """Have all lines asked for anew, as Textual does whenever a pane scrolls.

        A line that is the very same goes on having the same row: only another look makes that another.
        """
        self._last = None
        super().clear()

    def render_widget(self, widget: Widget, crop: Region) -> list[Strip]:
        """The rows of a widget, as they were if nothing changed."""
        if self._last is None or self._last[0] != crop:
            self._last = crop, super().render_widget(widget, crop)
        return self._last[1]

    def render(  # noqa: PLR0917 - as Textual's
        self,
        styles: StylesBase,
        size: Size,
        base_background: Color,
        background: Color,
        render_content_line: Callable[[int], Strip],
        filters: Sequence[LineFilter],
        border_title: Any,
        border_subtitle: Any,
        content_size: Size | None = None,
        padding: Spacing | None = None,
        crop: Region | None = None,
        opacity: float = 1.0,
        ansi_theme: TerminalTheme = DEFAULT_TERMINAL_THEME,
        native_ansi: bool = False,
    ) -> list[Strip]:
        """Frame the rows of a crop, forgetting all that was kept once anything about the frame is another."""
        details = (content_size, padding, crop, opacity, ansi_theme, native_ansi)
        look = (
            *(size.width, (content_size or size).width, padding, base_background, background),
            *(opacity, ansi_theme, native_ansi),
            *(styles.border, styles.outline, styles.hatch, styles.tint, styles.text_opacity),
        )
        if look != self._look:
            self._look = look
            self._rows.clear()
        self._top = styles.gutter.top
        self._is_outlined = any(kind for kind, _ in styles.outline)
        shape = (base_background, background, render_content_line, filters, border_title, border_subtitle)
        return super().render(styles, size, *shape, *details)

    def render_line(  # noqa: PLR0917 - as Textual's
        self,
        styles: StylesBase,
        y: int,
        size: Size,
        content_size: Size,
        padding: Spacing,
        base_background: Color,
        background: Color,
        render_content_line: Callable[[int], Strip],
        border_title: Any,
        border_subtitle: Any,
        opacity: float,
        ansi_theme: TerminalTheme,
        native_ansi: bool,
    ) -> Strip:
        """Frame a row, or give the one that was framed around the same line before."""
        details: Any = (border_title, border_subtitle, opacity, ansi_theme, native_ansi)
        line_y = y - self._top
        if self._is_outlined or not 0 <= line_y < content_size.height:
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
