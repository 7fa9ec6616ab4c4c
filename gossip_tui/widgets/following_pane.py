"""A pane of lines that grows anywhere and never moves under a reader's eyes.

Following, it keeps the newest line in sight. Once somebody scrolls up or moves the cursor, the line at the
top of the screen and the line under the cursor stay where they are, whatever is inserted above, until End is
pressed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, NamedTuple

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Region
from textual.reactive import var
from textual.selection import Selection
from textual.strip import Strip

from gossip_tui.drawing.line import Line, Role, Span, cut, plain

from .pane import Pane

__all__ = ["FollowingPane"]

SELECTION_LIMIT = 10_000
"""Lines that one selection copies at the most."""


class Sight(NamedTuple):
    """What is the same for all lines of a frame; Textual works each of these out from scratch when asked."""

    top: int
    height: int
    lines: int
    has_banner: bool
    cursor: int
    """-1 while it is not seen."""
    selection: Selection | None


class FollowingPane(Pane):
    """Scrolling, cursor, selection and following over lines that a subclass keeps and draws."""

    ALLOW_SELECT = True

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", "Line up", show=False, id="log.up"),
        Binding("down", "cursor(1)", "Line down", show=False, id="log.down"),
        Binding("pageup", "page_up", "Page up", show=False, id="log.page_up"),
        Binding("pagedown", "page_down", "Page down", show=False, id="log.page_down"),
        Binding("home", "first", "First line", show=False, id="log.first"),
        Binding("end", "follow", "Follow", show=False, id="log.follow"),
        Binding("enter", "choose", "Open", show=False, id="log.choose"),
    ]

    following: var[bool] = var(True, init=False)
    """Whether the pane keeps the newest line in sight."""

    cursor: var[int] = var(0, init=False)
    """The line under the cursor."""

    _new_below = 0
    _placing = False
    _sight: Sight | None = None

    # What a subclass says about its lines.

    @property
    def line_count(self) -> int:
        """How many lines there are."""
        raise NotImplementedError

    def line(self, index: int) -> Line:
        """The line ``index``, at most as wide as the pane."""
        raise NotImplementedError

    def empty_line(self, y: int) -> Line:  # noqa: ARG002
        """What stands on line ``y`` of the screen, below the last line."""
        return ()

    def record_at(self, index: int) -> object:
        """Something that names the line ``index`` even when lines are inserted above it."""
        raise NotImplementedError

    def index_of(self, record: object) -> int:
        """Where the line now is that ``record_at`` named, or would be."""
        raise NotImplementedError

    def action_choose(self) -> None:
        """Open the line under the cursor."""

    # Following.

    @property
    def new_below(self) -> int:
        """New lines below the visible part, since the pane stopped following."""
        if self.following:
            return 0
        return max(0, min(self._new_below, self.line_count - self.scroll_offset.y - self.size.height))

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Change lines inside; afterwards the newest is in sight, or what was in sight still is."""
        count = self.line_count
        top = self.record_at(min(self.scroll_offset.y, count - 1)) if count else None
        under = self.record_at(self.cursor) if 0 <= self.cursor < count else None
        yield
        if not self.is_mounted:
            return
        self._placing = True
        try:
            self.set_line_count(self.line_count)
            if self.following or not count:
                self._go_to_end()
            else:
                self._place(self.index_of(top))
                self.cursor = self._within(self.index_of(under) if under is not None else self.cursor)
        finally:
            self._placing = False
        self.move_scroll_bar()
        self.refresh()

    def count_new(self, lines: int) -> None:
        """Count lines that came below the visible part."""
        if not self.following:
            self._new_below += lines

    def watch_following(self, following: bool) -> None:
        """Go to the newest line when following starts."""
        if following:
            self._new_below = 0
            with self.settled():
                pass

    def watch_cursor(self, before: int, after: int) -> None:
        """Draw the two lines between which the cursor moved."""
        self.refresh_line(before)
        self.refresh_line(after)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Whoever scrolls up stops the following; whoever scrolls to the end starts it again."""
        super().watch_scroll_y(old_value, new_value)
        if not self._placing and round(old_value) != round(new_value):
            self.following = self.scroll_offset.y >= self.max_scroll_y
            self.refresh()

    # Drawing.

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw lines; what they have in common is asked for once."""
        self._sight = self._sight_now()
        try:
            return super().render_lines(crop)
        finally:
            self._sight = None

    def _sight_now(self) -> Sight:
        cursor = self.cursor if self.has_focus else -1
        top, height = self.scroll_offset.y, self.size.height
        return Sight(top, height, self.line_count, bool(self.new_below), cursor, self.text_selection)

    def render_line(self, y: int) -> Strip:
        """Draw the line ``y`` of the visible part."""
        sight = self._sight or self._sight_now()
        index = sight.top + y
        if sight.has_banner and y == sight.height - 1:
            return self.draw(self._banner(), Role.BANNER)
        if index >= sight.lines:
            return self.draw(self.empty_line(y))
        over = Role.CURSOR if index == sight.cursor else None
        selected = sight.selection.get_span(index) if sight.selection is not None else None
        if selected is None:
            return self.draw_at(index, self.line(index), over)
        return self.draw(self.line(index), over, selected).apply_offsets(0, index)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The lines under the selection, as they are drawn."""
        first = selection.start or Offset(0, 0)
        last = selection.end or Offset(self.line_width, self.line_count - 1)
        last_y = min(last.y, self.line_count - 1, first.y + SELECTION_LIMIT)
        lines = "\n".join(plain(self.line(index)).rstrip() for index in range(first.y, last_y + 1))
        return Selection(Offset(first.x, 0), Offset(last.x, last.y - first.y)).extract(lines), "\n"

    def redraw(self) -> None:
        """Draw every line anew, with what was in sight still there."""
        with self.settled():
            pass

    def on_focus(self) -> None:
        """Show the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.refresh()

    async def _on_click(self, event: events.Click) -> None:
        # Textual would select everything on a double click; here it opens the line.
        offset = event.get_content_offset(self)
        index = -1 if offset is None else self.scroll_offset.y + offset.y
        if 0 <= index < self.line_count:
            event.prevent_default()
            self._click(index, at_bottom=offset is not None and offset.y == self.size.height - 1)
            if event.chain == 2:
                self.action_choose()

    # Keys.

    def action_cursor(self, step: int) -> None:
        """Move the cursor by so many lines; on the last line the pane follows again."""
        self.move_cursor(self.cursor + step)

    def action_page_up(self) -> None:
        """Move one screen up."""
        self._page(-1)

    def action_page_down(self) -> None:
        """Move one screen down."""
        self._page(1)

    def action_first(self) -> None:
        """Move to the first line."""
        self.move_cursor(0)

    def action_follow(self) -> None:
        """Move to the newest line and follow."""
        self.following = True
        self._go_to_end()

    def move_cursor(self, index: int) -> None:
        """Put the cursor on a line and bring that line into sight."""
        if not self.line_count:
            return
        index = self._within(index)
        if index == self.line_count - 1:
            self.action_follow()
            return
        self.following = False
        self.cursor = index
        height = max(1, self.size.height - bool(self.new_below))
        top = min(self.scroll_offset.y, index)
        self._place(max(top, index - height + 1))

    # Helpers.

    def _page(self, direction: int) -> None:
        step = direction * max(1, self.size.height - 1)
        top = max(0, min(self.scroll_offset.y + step, self.max_scroll_y))
        if direction > 0 and top >= self.max_scroll_y:
            self.action_follow()
        elif self.line_count > self.size.height:
            self.following = False
            self.cursor = self._within(max(top, min(self.cursor + step, top + self.size.height - 2)))
            self._place(top)
        else:
            self.move_cursor(0)

    def _click(self, index: int, *, at_bottom: bool) -> None:
        if at_bottom and self.new_below:
            self.action_follow()
        elif index == self.line_count - 1:
            self.cursor = index
        else:
            self.following = False
            self.cursor = index

    def _go_to_end(self) -> None:
        self.cursor = max(0, self.line_count - 1)
        self._place(self.max_scroll_y)

    def _place(self, top: int) -> None:
        placing, self._placing = self._placing, True
        # Forced, since the scroll bar may still have to appear.
        self.scroll_to(y=top, animate=False, immediate=True, force=True)
        self._placing = placing

    def _within(self, index: int) -> int:
        return max(0, min(index, self.line_count - 1))

    def _banner(self) -> Line:
        text = f" {self.glyphs.down} {self.new_below:,} new below, End to follow"
        return (Span(cut(text, self.line_width, self.glyphs.ellipsis)),)
