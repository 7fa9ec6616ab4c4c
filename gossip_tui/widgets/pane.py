"""What all panes share: glyphs, the palette of the theme, cheap sizes, a frame, and freezing."""

from __future__ import annotations

import math

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widget import Widget

from gossip_tui.drawing.line import Line, Role, cell_len, split, to_strip, width_of
from gossip_tui.theme import UNICODE, Glyphs, Palette, palette_of

from .scroll_bar import AsciiScrollBar, QuickScrollBar
from .textual_parts import can_start, keep_rows

__all__ = ["Pane"]


OTHER_TAB = "not bold $foreground 65%"
"""The look of the title of a pane that is behind another."""

FRONT_TAB = "underline"
"""The look of the title in front of others where there is no colour to tell them apart."""

GAP = " │ "
"""Between two titles in a frame."""

TITLE_LEFT = 3
"""Cells before the first title in a frame: its corner, a line and a space."""

STRIP_LIMIT = 1_024
"""Strips remembered by a pane: a few of the tallest screens."""


class Pane(ScrollView, can_focus=True):
    """A framed pane that draws itself line by line.

    Drawing lines costs a fortieth of building tables of widgets, and only what changed is drawn again.
    """

    DEFAULT_CSS = """
    Pane {
        border: round $foreground 30%;
        border-title-color: $foreground;
        border-subtitle-color: $text-muted;
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-background: $surface;
        scrollbar-background-hover: $surface;
        scrollbar-background-active: $surface;
        scrollbar-color: $foreground 30%;
        scrollbar-color-hover: $primary;
        scrollbar-color-active: $primary;
        &:focus {
            border: round $primary;
            border-title-color: $foreground;
            border-title-style: bold;
        }
        &.-pointed, &.-pointed:focus { border: heavy $accent; border-title-color: $accent; }
        &.-ascii {
            border: ascii $foreground 30%;
            &:focus { border: ascii $primary; }
            &.-pointed, &.-pointed:focus { border: ascii $accent; }
        }
    }
    """

    ALLOW_SELECT = False

    class TabChosen(Message):
        """Somebody clicked the title of a pane that is behind this one."""

        def __init__(self, pane: Pane, place: int) -> None:
            super().__init__()
            self.pane = pane
            self.place = place
            """Which of the panes that share the place of this one, in the order of their titles."""

        @property
        def control(self) -> Pane:
            """The pane in front, for ``on`` selectors."""
            return self.pane

    recorded = False
    """Whether what is shown is a recording, so that nothing can be done about it."""

    frozen: var[bool] = var(False, init=False)
    """While true, new data is kept and not shown."""

    def __init__(
        self,
        *,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        """Make a pane.

        Args:
            glyphs: What to draw with; ``theme.ASCII`` for terminals without Unicode.
            id: The id in the DOM.
            classes: The classes in the DOM.
        """
        super().__init__(id=id, classes=classes)
        keep_rows(self)
        self.glyphs = glyphs
        self.set_class(glyphs.border == "ascii", "-ascii", update=False)
        self._palette: Palette | None = None
        self._base_style: Style | None = None
        self.tabs: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
        """What panes behind this one are called, those before it and those after; the longest names first."""
        self.pointed = False
        """Whether the tour points at this pane; ``point`` changes it."""
        self._titles: tuple[tuple[str, ...], str] = ((), "")
        self._front = 0
        self._on_screen = False
        self._thumb: tuple[int, int] | None = None
        self._strips: dict[tuple[Line, Role | None, int], Strip] = {}
        self._placed: dict[int, tuple[Line, Role | None, int, Strip]] = {}
        self._frame_width: int | None = None

    def on_mount(self) -> None:
        """Give plain terminals a plain scroll bar."""
        if self.glyphs.border == "ascii":
            self.vertical_scrollbar.renderer = AsciiScrollBar  # type: ignore[misc]
        self.retitle()

    def on_show(self) -> None:
        """Draw what came while the pane was hidden."""
        self._on_screen = True
        self.redraw()

    def on_hide(self) -> None:
        """Work out no layouts while nobody sees them."""
        self._on_screen = False

    def on_resize(self) -> None:
        """Draw anew, since lines are cut to the width."""
        self.retitle()
        self.redraw()

    def watch_show_vertical_scrollbar(self) -> None:
        """Draw for the width that is left, and put a scroll bar that appears where the pane already is."""
        self._thumb = None
        self.move_scroll_bar()
        self.redraw()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Draw what came into sight."""
        self.move_scroll_bar()
        if round(old_value) != round(new_value):
            self.refresh(self.size.region)

    def notify_style_update(self) -> None:
        """Draw anew in the colours of the new theme; the lines themselves stay."""
        super().notify_style_update()
        self._palette = self._base_style = None
        self._strips.clear()
        self._placed.clear()
        self.refresh()

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """The scroll bar; made when it is asked for first, as Textual's is."""
        if getattr(self, "_vertical_scrollbar", None) is None and can_start(self):
            bar = self._vertical_scrollbar = QuickScrollBar(thickness=self.scrollbar_size_vertical)
            bar.display = False
            self.app._start_widget(self, bar)  # noqa: SLF001 - as Textual does here
        return super().vertical_scrollbar

    @property
    def line_width(self) -> int:
        """Cells of a line: what the frame and the scroll bar leave."""
        if self._frame_width is not None:
            return self._frame_width
        return max(0, self.size.width - self.scrollbar_size_vertical)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw lines; how wide they are is worked out once for all, since Textual does so from scratch."""
        self._frame_width = self.line_width
        try:
            return super().render_lines(crop)
        finally:
            self._frame_width = None

    @property
    def palette(self) -> Palette:
        """The styles of the current theme."""
        if self._palette is None:
            self._palette = palette_of(self.app)
        return self._palette

    def retitle(self) -> None:
        """Set the frame's title and subtitle; for panes to override."""

    def redraw(self) -> None:
        """Forget what was drawn; for panes with a cache to extend."""
        self.refresh()

    def point(self, pointed: bool) -> None:
        """Let the frame say that this is the pane to look at, or not any more."""
        self.pointed = pointed
        self.set_class(pointed, "-pointed")
        self.retitle()

    @property
    def title_width(self) -> int:
        """Cells for titles in the frame, whose corners and spaces take the others."""
        return max(0, self.size.width - TITLE_LEFT - 1)

    def set_title(self, title: str, subtitle: str = "") -> None:
        """Put safe text into the frame, never read as markup; only a change draws the frame anew.

        The titles of the panes behind this one stand beside its own, their keys where those have no room,
        and where there is none for these either the own one stands alone.
        """
        if self.pointed:
            title = f"{self.glyphs.pointer} {title}"
        titles: tuple[str, ...] = (title,)
        self._front = 0
        for before, after in self.tabs:
            row = (*before, title, *after)
            if cell_len(GAP.join(row)) <= self.title_width:
                titles, self._front = row, len(before)
                break
        if (titles, subtitle) == self._titles:
            return
        self._titles = titles, subtitle
        gap = GAP.replace("│", "|") if self.glyphs.border == "ascii" else GAP
        front = FRONT_TAB if self.app.no_color and len(titles) > 1 else ""
        parts = [
            Content.styled(one, front if place == self._front else OTHER_TAB)
            for place, one in enumerate(titles)
        ]
        self.border_title = Content.styled(gap, OTHER_TAB).join(parts)
        self.border_subtitle = Content(subtitle)

    def tab_at(self, x: int) -> int | None:
        """The place of the title in the frame that covers column ``x`` of this pane, in the order of tabs."""
        titles, at = self._titles[0], TITLE_LEFT
        for place, title in enumerate(titles if len(titles) > 1 else ()):
            at += cell_len(title)
            if at - cell_len(title) <= x < at:
                return place
            at += len(GAP)
        return None

    def on_click(self, event: events.Click) -> None:
        """Ask for the pane whose title was clicked."""
        place = self.tab_at(event.x) if event.y == 0 and event.get_content_offset(self) is None else None
        if place is not None and place != self._front:
            self.post_message(self.TabChosen(self, place))

    def set_line_count(self, count: int) -> None:
        """Say how many lines there are to scroll through.

        The layout is worked out again only where the scroll bar comes or goes; Textual would do so on every
        change. ``move_scroll_bar`` is to follow, once the pane stands where it shall.
        """
        size = Size(0, count)
        if size == self.virtual_size:
            return
        if self._on_screen and (count > self.container_size.height) != self.show_vertical_scrollbar:
            self.virtual_size = size
            return
        self.set_reactive(Widget.virtual_size, size)

    def draw(self, line: Line, over: Role | None = None, selected: tuple[int, int] | None = None) -> Strip:
        """A line as wide as the pane, in the colours of the theme.

        Args:
            line: What to draw.
            over: A role laid over the whole line.
            selected: The first character that is selected and the one behind the last, -1 for the line's end.
        """
        width = self.line_width
        if selected is None:
            key = (line, over, width)
            strip = self._strips.get(key)
            if strip is None:
                if len(self._strips) >= STRIP_LIMIT:
                    self._strips.clear()
                if self._base_style is None:
                    self._base_style = self.rich_style
                strip = to_strip(line, self.palette, width, over).apply_style(self._base_style)
                self._strips[key] = strip
            return strip
        before, inside, after = split(line, *selected)
        marked = self.screen.get_component_rich_style("screen--selection")
        strips = [to_strip(part, self.palette, width_of(part), over) for part in (before, inside, after)]
        strips[1] = Strip(Segment(text, (style or Style.null()) + marked) for text, style, _ in strips[1])
        return (
            Strip.join(strips).adjust_cell_length(width, self.palette[Role.TEXT]).apply_style(self.rich_style)
        )

    def draw_at(self, index: int, line: Line, over: Role | None = None) -> Strip:
        """The line ``index`` as ``draw`` gives it, with its place for the mouse to select by.

        Kept for as long as the very same line stands there: while a pane scrolls, most lines of a frame are
        those of the frame before.
        """
        width = self.line_width
        placed = self._placed.get(index)
        if placed is not None and placed[0] is line and placed[1] is over and placed[2] == width:
            return placed[3]
        if len(self._placed) >= STRIP_LIMIT:
            self._placed.clear()
        strip = self.draw(line, over).apply_offsets(0, index)
        self._placed[index] = line, over, width, strip
        return strip

    def move_scroll_bar(self) -> None:
        """Tell the scroll bar where the pane is, if that makes a difference to be seen.

        Textual draws a scroll bar anew at every step, which costs as much as drawing the lines beside it.
        """
        if not self.show_vertical_scrollbar:
            return
        height, count = self.container_size.height, self.virtual_size.height
        thumb = thumb_of(height, count, self.scroll_y)
        if thumb != self._thumb:
            self._thumb = thumb
            self.vertical_scrollbar.window_virtual_size = count
            self.vertical_scrollbar.position = self.scroll_y


def thumb_of(height: int, count: int, top: float) -> tuple[int, int]:
    """Start and length of a scroll bar's thumb in eighths of a cell, the finest that Textual draws."""
    if height <= 0 or count <= height:
        return 0, height * 8
    length = max(1.0, height * height / count)
    return int((height - length) * top / (count - height) * 8), math.ceil(length * 8)
