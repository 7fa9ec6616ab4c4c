"""The space-time diagram: what happened where, live, and for any event what it could know of.

The pane asks for deliveries itself, a few times a second, and only while it can be seen. It keeps a bounded
window of the newest; rows are numbered, so what is in sight stays there whatever comes below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage
from textual.reactive import var
from textual.strip import Strip
from textual.timer import Timer

from gossip_tui.drawing.diagram import Diagram
from gossip_tui.drawing.diagram_glyphs import ASCII_DIAGRAM, UNICODE_DIAGRAM
from gossip_tui.drawing.happenings import Happening
from gossip_tui.drawing.line import Line, Role, Span, cut
from gossip_tui.drawing.sentences import no_happenings, wrapped
from gossip_tui.observed import Deliveries
from gossip_tui.theme import UNICODE, Glyphs
from protocol.core.identity import NodeId
from protocol.core.messages import Message

from .pane import Pane

__all__ = ["LOOK_PERIOD", "SpaceTimePane"]

LOOK_PERIOD = 0.125
"""Seconds between two looks while the pane can be seen: what happens seems to happen now."""

HEADER_HEIGHT = 1

WHEEL_STEP = 3
"""Rows that one notch of the mouse wheel scrolls."""


class SpaceTimePane(Pane):
    """Shows what was sent and delivered where, with past and future of the event under the cursor."""

    DEFAULT_CSS = """
    SpaceTimePane { overflow-y: hidden; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", "Event before", show=False, id="space.up"),
        Binding("down", "cursor(1)", "Event after", show=False, id="space.down"),
        Binding("left", "lane(-1)", "Lane at the left", show=False, id="space.left"),
        Binding("right", "lane(1)", "Lane at the right", show=False, id="space.right"),
        Binding("pageup", "page_up", "Page up", show=False, id="space.page_up"),
        Binding("pagedown", "page_down", "Page down", show=False, id="space.page_down"),
        Binding("home", "first", "First row", show=False, id="space.first"),
        Binding("end", "follow", "Follow", show=False, id="space.follow"),
        Binding("enter", "choose", "Open", show=False, id="space.choose"),
        Binding(
            "less_than_sign,shift+left", "move_lane(-1)", "Lane to the left", show=False, id="space.move_left"
        ),
        Binding(
            "greater_than_sign,shift+right",
            "move_lane(1)",
            "Lane to the right",
            show=False,
            id="space.move_right",
        ),
        Binding("h", "hide_lane", "Hide the lane", show=False, id="space.hide"),
        Binding("u", "show_lanes", "Show all lanes", show=False, id="space.show"),
        Binding("c", "collapse_lane", "Collapse the lane", show=False, id="space.collapse"),
        Binding("b", "sort_lanes", "Sort lanes", show=False, id="space.sort"),
        Binding("e", "toggle_every", "Every event", show=False, id="space.every"),
    ]

    following: var[bool] = var(True, init=False)
    """Whether the newest row is kept in sight; while it is, nothing is marked."""

    class EventChosen(TextualMessage):
        """Somebody pressed Enter on, or double-clicked, an event."""

        def __init__(self, pane: SpaceTimePane, message: Message) -> None:
            super().__init__()
            self.pane = pane
            self.message = message
            """The message that the event is about."""

        @property
        def control(self) -> SpaceTimePane:
            """The pane, for ``on`` selectors."""
            return self.pane

    def __init__(
        self,
        observe: Callable[[Mapping[NodeId, int]], Deliveries],
        *,
        period: float = LOOK_PERIOD,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        """Make an empty diagram.

        Args:
            observe: Gives what was delivered after a former answer, as ``Feed.deliveries`` does.
            period: Seconds between two looks.
            glyphs: What to draw with.
            id: The id in the DOM.
            classes: The classes in the DOM.
        """
        super().__init__(glyphs=glyphs, id=id, classes=classes)
        self._observe = observe
        self._period = period
        self._timer: Timer | None = None
        self._diagram = Diagram(UNICODE_DIAGRAM if glyphs is UNICODE else ASCII_DIAGRAM)
        self._top = 0
        self._drawn: list[tuple[Line, Role | None]] = []

    # When to look.

    def on_mount(self) -> None:
        """Be ready to look, once somebody sees it."""
        super().on_mount()
        self._timer = self.set_interval(self._period, self.look, pause=True)

    def on_show(self) -> None:
        """Look at once, and from now on."""
        super().on_show()
        if self._timer is not None:
            self._timer.resume()
        self.look()

    def on_hide(self) -> None:
        """Nobody sees it: cost nothing."""
        super().on_hide()
        if self._timer is not None:
            self._timer.pause()

    def look(self) -> None:
        """Take in what happened since the last look, if the pane can be seen and is not frozen."""
        if not self._on_screen or self.frozen:
            return
        diagram = self._diagram
        deliveries = self._observe(diagram.seen)
        if not diagram.is_news(deliveries):
            return
        if diagram.is_torn(deliveries):
            diagram.forget()
            self.set_reactive(SpaceTimePane.following, True)
            deliveries = self._observe({})
        diagram.width = self.line_width
        with self._steady():
            diagram.take(deliveries)

    # What is where.

    @property
    def rows_in_sight(self) -> int:
        """Rows that the pane has room for."""
        return max(1, self.size.height - HEADER_HEIGHT)

    @property
    def selected(self) -> Happening | None:
        """The event under the cursor; None while the pane follows."""
        return self._diagram.selected

    @property
    def visible_text(self) -> list[str]:
        """What is in sight as plain text, top first."""
        return [self.render_line(y).text for y in range(self.size.height)]

    def render_line(self, y: int) -> Strip:
        """Draw the line ``y``."""
        line, over = self._drawn[y] if y < len(self._drawn) else ((), None)
        return self.draw(line, over)

    def retitle(self) -> None:
        """Say whose picture this is, and what is not in it."""
        width = self.title_width
        facts = [*(["frozen"] if self.frozen else []), *self._diagram.facts()]
        self.set_title(cut(self._diagram.title(), width), cut(f" {self.glyphs.dot} ".join(facts), width))

    def redraw(self) -> None:
        """Share out the width anew."""
        if self._on_screen:
            self._diagram.width = self.line_width
            with self._steady():
                self._diagram.arrange()

    def watch_frozen(self, frozen: bool) -> None:
        """Catch up with what happened while the pane was frozen."""
        self.retitle()
        if not frozen:
            self.look()

    def watch_following(self, following: bool) -> None:
        """Take the marks away when following starts."""
        if following:
            self._diagram.row = None
            self._diagram.mark()
        self._update()

    # Keys.

    def action_cursor(self, step: int) -> None:
        """Move the cursor by so many rows; from the last row on the pane follows again."""
        moments, row = self._diagram.moments, self._diagram.row
        if moments.rows:
            newest = moments.end - 1 if step < 0 else None
            self._select(newest if row is None else row + step)

    def action_page_up(self) -> None:
        """Move the cursor one screen up."""
        self._page(-1)

    def action_page_down(self) -> None:
        """Move the cursor one screen down."""
        self._page(1)

    def action_first(self) -> None:
        """Move to the oldest row."""
        self._select(self._diagram.moments.first)

    def action_follow(self) -> None:
        """Go to the newest row and follow."""
        self.following = True

    def action_lane(self, step: int) -> None:
        """Move to the lane beside this one; columns move along."""
        with self._steady():
            self._diagram.go_to_lane(step)

    def action_choose(self) -> None:
        """Tell the application which event is under the cursor."""
        selected = self.selected
        if selected is not None and selected.message is not None:
            self.post_message(self.EventChosen(self, selected.message))

    def action_move_lane(self, step: int) -> None:
        """Let the lane change places with its neighbour."""
        lane = self._diagram.chosen_lane
        if lane is not None:
            with self._steady():
                self._diagram.move_lane(lane, step)

    def action_hide_lane(self) -> None:
        """Take the lane away, and go to its neighbour."""
        lane = self._diagram.chosen_lane
        if lane is not None:
            with self._steady():
                self._diagram.hide_lane(lane)

    def action_show_lanes(self) -> None:
        """Show all lanes again, in full width."""
        with self._steady():
            self._diagram.show_lanes()

    def action_collapse_lane(self) -> None:
        """Make the lane narrow, or wide again."""
        lane = self._diagram.chosen_lane
        if lane is not None:
            with self._steady():
                self._diagram.order.toggle_collapsed(lane)
                self._diagram.arrange()

    def action_sort_lanes(self) -> None:
        """Sort the lanes: those that sent most first, or by name."""
        with self._steady():
            self._diagram.sort()
            self._diagram.arrange()

    def action_toggle_every(self) -> None:
        """Give every event its row however many there are, or thin them out again."""
        moments = self._diagram.moments
        moments.shows_every = not moments.shows_every
        with self._steady():
            self._diagram.arrange()

    # Mouse.

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the event clicked; a double click opens it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        for column in self._diagram.columns.shown:
            if column.left <= offset.x < column.left + column.width:
                self._diagram.lane = column.node
        number = self._top + offset.y - HEADER_HEIGHT
        if offset.y >= HEADER_HEIGHT and number < self._diagram.moments.end:
            self._select(number)
        if event.chain == 2:
            self.action_choose()

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        event.prevent_default()
        self._scroll(-WHEEL_STEP)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        event.prevent_default()
        self._scroll(WHEEL_STEP)

    def on_focus(self) -> None:
        """Show the cursor."""
        self._update()

    def on_blur(self) -> None:
        """Hide the cursor."""
        self._update()

    # Helpers.

    @contextmanager
    def _steady(self) -> Iterator[None]:
        """Change the diagram inside; afterwards the row under the cursor is where it was on the screen."""
        row = self._diagram.row
        yield
        if row is not None and self._diagram.row is not None:
            self._top += self._diagram.row - row
        self._update()

    def _page(self, pages: int) -> None:
        row, newest = self._diagram.row, self._diagram.moments.end - 1
        self._select((newest if row is None else row) + pages * max(1, self.rows_in_sight - 1))

    @property
    def _newest_top(self) -> int:
        """The row at the top while the newest is at the bottom."""
        moments = self._diagram.moments
        return max(moments.first, moments.end - self.rows_in_sight)

    def _select(self, number: int | None) -> None:
        """Put the cursor on a row and bring it into sight; behind the last one the pane follows."""
        diagram = self._diagram
        if number is None or number >= diagram.moments.end or not diagram.moments.rows:
            self.following = True
            return
        number = max(diagram.moments.first, number)
        if diagram.row is None:
            self._top = self._newest_top
        diagram.row = number
        self._top = max(min(self._top, number), number - self.rows_in_sight + 1)
        self.set_reactive(SpaceTimePane.following, False)
        diagram.mark()
        self._update()

    def _scroll(self, step: int) -> None:
        """Scroll without moving the cursor; at the end the pane follows."""
        first, newest_top = self._diagram.moments.first, self._newest_top
        top = max(first, (newest_top if self.following else self._top) + step)
        if top >= newest_top:
            self.following = True
        elif self.following:
            self._select(top + self.rows_in_sight - 1)
        else:
            self._top = top
            self._update()

    def _update(self) -> None:
        """Draw the lines that are others than before."""
        if not self._on_screen:
            return
        newest_top = self._newest_top
        first = self._diagram.moments.first
        self._top = newest_top if self.following else max(first, min(self._top, newest_top))
        before, self._drawn = self._drawn, self._draw_all()
        if len(before) != len(self._drawn):
            self.refresh()
        else:
            for y, (old, new) in enumerate(zip(before, self._drawn, strict=True)):
                if old != new:
                    self.refresh_line(y)
        self.retitle()

    def _draw_all(self) -> list[tuple[Line, Role | None]]:
        """Every line of the pane, and what is laid over it."""
        diagram, height = self._diagram, self.size.height
        if not diagram.moments.rows:
            sentence = no_happenings(has_lanes=bool(diagram.order.nodes))
            empty = wrapped(sentence, self.line_width)
            return [(line, None) for line in [*empty, *[()] * (height - len(empty))]]
        bottom = min(diagram.moments.end, self._top + self.rows_in_sight)
        lines = diagram.lines(self._top, bottom, shows_lane=self.has_focus)
        cursor = (
            None if diagram.row is None or not self.has_focus else diagram.row - self._top + HEADER_HEIGHT
        )
        drawn = [(line, Role.CURSOR if y == cursor else None) for y, line in enumerate(lines)]
        drawn += [((), None)] * (height - len(drawn))
        new_below = diagram.moments.end - bottom
        if new_below and not self.following:
            drawn[-1] = self._banner(new_below), Role.BANNER
        return drawn

    def _banner(self, count: int) -> Line:
        text = f" {self.glyphs.down} {count:,} new below, End to follow"
        return (Span(cut(text, self.line_width, self.glyphs.ellipsis)),)
