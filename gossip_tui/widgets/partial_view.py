"""The partial view of a node: one row a descriptor, with its age ticking."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import var
from textual.strip import Strip

from gossip_tui.drawing.line import Line, Role
from gossip_tui.drawing.sentences import no_peers, wrapped
from gossip_tui.drawing.view_history import MARK_PERIOD, ViewHistory
from gossip_tui.drawing.view_table import Sorting, ViewRow, columns_for, header, row_line, sort_rows, title
from gossip_tui.theme import UNICODE, Glyphs
from protocol.core.identity import NodeId
from protocol.core.snapshot import NodeSnapshot

from .copying import CopyWanted
from .pane import Pane

__all__ = ["PartialViewPane"]

HEADER_HEIGHT = 1


class PartialViewPane(Pane):
    """Shows who is in the partial view: name, address, age as number and bar, last exchange, round trip.

    Call ``show`` with every new snapshot. Rows that came or left are marked for a few seconds.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", "Row up", show=False, id="view.up"),
        Binding("down", "cursor(1)", "Row down", show=False, id="view.down"),
        Binding("pageup", "cursor_page(-1)", "Page up", show=False, id="view.page_up"),
        Binding("pagedown", "cursor_page(1)", "Page down", show=False, id="view.page_down"),
        Binding("home", "cursor(-1000000)", "First row", show=False, id="view.first"),
        Binding("end", "cursor(1000000)", "Last row", show=False, id="view.last"),
        Binding("enter", "choose", "About this peer", show=False, id="view.choose"),
        Binding("y", "copy", "Copy", show=False, id="view.copy"),
        Binding("s", "toggle_sort", "Sort", show=False, id="view.sort"),
    ]

    sorting: var[Sorting] = var(Sorting.AGE, init=False)
    """What the rows are sorted by."""

    class PeerChosen(Message):
        """Somebody pressed Enter on, or clicked, the row under the cursor."""

        def __init__(self, pane: PartialViewPane, row: ViewRow) -> None:
            super().__init__()
            self.pane = pane
            self.row = row
            """The row as it was drawn; ``row.id`` names the peer."""

        @property
        def control(self) -> PartialViewPane:
            """The pane, for ``on`` selectors."""
            return self.pane

    def __init__(
        self,
        *,
        glyphs: Glyphs = UNICODE,
        clock: Callable[[], float] = time.monotonic,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """Make an empty pane.

        Args:
            glyphs: What to draw with.
            clock: Seconds on a clock that only goes forward; marks fade by it.
            id: The id in the DOM.
            classes: The classes in the DOM.
        """
        super().__init__(glyphs=glyphs, id=id, classes=classes)
        self._clock = clock
        self._history = ViewHistory()
        self._snapshot: NodeSnapshot | None = None
        self._waiting: NodeSnapshot | None = None
        self._rows: list[ViewRow] = []
        self._columns = columns_for(0, ())
        self._empty: list[Line] = []
        self._cursor: NodeId | None = None
        self._fading = False

    @property
    def rows(self) -> list[ViewRow]:
        """The rows as they stand on the screen, top first."""
        return list(self._rows)

    @property
    def cursor_row(self) -> ViewRow | None:
        """The row under the cursor; None in an empty view."""
        return self._rows[self.cursor_index] if self._rows else None

    @property
    def cursor_index(self) -> int:
        """Where the cursor is; it stays with its peer while the rows are sorted anew."""
        found = (index for index, row in enumerate(self._rows) if row.id == self._cursor)
        return next(found, 0)

    def show(self, snapshot: NodeSnapshot) -> None:
        """Draw what changed since the snapshot before; while frozen, keep it for later."""
        if self.frozen:
            self._waiting = snapshot
            return
        retitle = self._snapshot is None or snapshot.strategy != self._snapshot.strategy
        self._snapshot = snapshot
        self._history.observe(snapshot, self._clock())
        if retitle:
            self.retitle()
        self._update()

    def render_line(self, y: int) -> Strip:
        """Draw the line ``y`` of the visible part; the column titles stay at the top."""
        if not self._rows:
            return self.draw(self._empty[y] if y < len(self._empty) else ())
        if y == 0:
            return self.draw(header(self._columns, self.sorting, self.glyphs))
        index = y - HEADER_HEIGHT + self.scroll_offset.y
        if index >= len(self._rows):
            return self.draw(())
        over = Role.CURSOR if self.has_focus and index == self.cursor_index else None
        return self.draw(row_line(self._rows[index], self._columns, self.glyphs), over)

    def watch_frozen(self, frozen: bool) -> None:
        """Catch up with what came while the pane was frozen."""
        self.retitle()
        if not frozen and self._waiting is not None:
            snapshot, self._waiting = self._waiting, None
            self.show(snapshot)

    def watch_sorting(self) -> None:
        """Sort the rows anew."""
        self._update(sorted_anew=True)

    def toggle_sort(self) -> None:
        """Sort by name if sorted by age, and back."""
        self.sorting = Sorting.NAME if self.sorting is Sorting.AGE else Sorting.AGE

    def action_toggle_sort(self) -> None:
        """Sort by the other column."""
        self.toggle_sort()

    def action_copy(self) -> None:
        """Ask for the address of the peer under the cursor to be copied."""
        row = self.cursor_row
        if row is not None:
            self.post_message(CopyWanted(str(row.address), f"the address of {row.label}"))

    def action_cursor(self, step: int) -> None:
        """Move the cursor by so many rows, as far as there are any."""
        if self._rows:
            self._move_cursor(self.cursor_index + step)

    def action_cursor_page(self, pages: int) -> None:
        """Move the cursor by so many screens."""
        self.action_cursor(pages * max(1, self.size.height - HEADER_HEIGHT - 1))

    def action_choose(self) -> None:
        """Tell the application which peer is under the cursor."""
        row = self.cursor_row
        if row is not None:
            self.post_message(self.PeerChosen(self, row))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the row clicked; a double click chooses it."""
        offset = event.get_content_offset(self)
        index = -1 if offset is None else offset.y - HEADER_HEIGHT + self.scroll_offset.y
        if offset is not None and offset.y >= HEADER_HEIGHT and 0 <= index < len(self._rows):
            self._move_cursor(index)
            if event.chain == 2:
                self.action_choose()

    def on_focus(self) -> None:
        """Show the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self.refresh()

    def retitle(self) -> None:
        """Name the view's size and strategy, as much as the frame has room for."""
        frozen = "frozen" if self.frozen else ""
        self.set_title(title(self._snapshot, self.title_width), frozen)

    def redraw(self) -> None:
        """Share out the columns anew."""
        self._update(sorted_anew=True)

    def _update(self, *, sorted_anew: bool = False) -> None:
        before, layout = self._rows, (self._columns, self._empty, len(self._rows))
        self._rows = sort_rows(self._history.rows(self._clock()), self.sorting)
        self._columns = columns_for(self.line_width, self._rows)
        self._empty = [] if self._rows else self._why_empty()
        self.set_line_count(len(self._rows) + HEADER_HEIGHT)
        self.move_scroll_bar()
        if sorted_anew or layout != (self._columns, self._empty, len(self._rows)):
            self.refresh()
        else:
            self._refresh_changed(before)
        self._fade_later()

    def _why_empty(self) -> list[Line]:
        return wrapped(no_peers(self._snapshot, recorded=self.recorded), self.line_width)

    def _refresh_changed(self, before: list[ViewRow]) -> None:
        for index, (old, new) in enumerate(zip(before, self._rows, strict=True)):
            if old != new:
                self.refresh_line(index + HEADER_HEIGHT)

    def _move_cursor(self, index: int) -> None:
        index = max(0, min(index, len(self._rows) - 1))
        self._cursor = self._rows[index].id
        top = min(self.scroll_offset.y, index)
        visible = max(1, self.size.height - HEADER_HEIGHT)
        self.scroll_to(y=max(top, index - visible + 1), animate=False)
        self.refresh()

    def _fade_later(self) -> None:
        if self._history.is_marking and not self._fading and self.is_mounted:
            self._fading = True
            self.set_timer(MARK_PERIOD / 2, self._fade)

    def _fade(self) -> None:
        self._fading = False
        self._update()
