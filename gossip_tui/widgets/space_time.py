"""The space-time diagram: what happened where, live, and for any event what it could know of.

The pane asks for deliveries itself, a few times a second, and only while it can be seen. It keeps a bounded
window of the newest; rows are numbered, so what is in sight stays there whatever comes below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage
from textual.reactive import var
from textual.strip import Strip
from textual.timer import Timer

from gossip_tui.drawing.happenings import Happening, Happenings, Kind
from gossip_tui.drawing.lanes import Columns, LaneOrder, columns_for
from gossip_tui.drawing.line import Line, Role, Span, cut
from gossip_tui.drawing.moments import Moment, Moments
from gossip_tui.drawing.names import Names
from gossip_tui.drawing.sentences import no_happenings, wrapped
from gossip_tui.drawing.spacetime import (
    ASCII_DIAGRAM,
    UNICODE_DIAGRAM,
    Cone,
    Picture,
    cone_of,
    flights,
    header_line,
    layout_for,
    row_line,
)
from gossip_tui.observed import Deliveries
from gossip_tui.theme import UNICODE, Glyphs
from protocol.core.identity import Dot, NodeId
from protocol.core.messages import Message

from .pane import Pane

__all__ = ["LOOK_PERIOD", "SpaceTimePane"]

LOOK_PERIOD = 0.125
"""Seconds between two looks while the pane can be seen: what happens seems to happen now."""

HEADER_HEIGHT = 1

WHEEL_STEP = 3
"""Rows that one notch of the mouse wheel scrolls."""

LANES_AT_ONCE = 4
"""Lanes that the columns move on when the lane of the cursor leaves them."""

LINE_LIMIT = 512
"""Lines remembered: some of the tallest screens."""


class SpaceTimePane(Pane):
    """Shows what was sent and delivered where, with past and future of the event under the cursor."""

    DEFAULT_CSS = """
    SpaceTimePane { overflow-y: hidden; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Event before", show=False, id="space.up"),
        Binding("down,j", "cursor(1)", "Event after", show=False, id="space.down"),
        Binding("left", "lane(-1)", "Lane at the left", show=False, id="space.left"),
        Binding("right", "lane(1)", "Lane at the right", show=False, id="space.right"),
        Binding("pageup", "page_up", "Page up", show=False, id="space.page_up"),
        Binding("pagedown", "page_down", "Page down", show=False, id="space.page_down"),
        Binding("home,g", "first", "First row", show=False, id="space.first"),
        Binding("end,G", "follow", "Follow", show=False, id="space.follow"),
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
        self._signs = UNICODE_DIAGRAM if glyphs is UNICODE else ASCII_DIAGRAM
        self._order = LaneOrder()
        self._names = Names()
        self._seat: NodeId | None = None
        self._offset = 0
        self._busiest = False
        self._start_over()

    def _start_over(self) -> None:
        """Forget everything that was observed."""
        self._seen: Mapping[NodeId, int] = {}
        self._happenings = Happenings()
        self._moments = Moments()
        self._columns = Columns((), 0, {}, 0)
        self._top = 0
        self._row: int | None = None
        self._lane: NodeId | None = None
        self._cone: Cone | None = None
        self._lines: dict[tuple[object, ...], Line] = {}
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
        deliveries = self._observe(self._seen)
        if not (
            deliveries.rows or deliveries.cursor.keys() - self._seen.keys() or deliveries.seat != self._seat
        ):
            return
        if self._seen and any(
            node in self._seen and node not in deliveries.unbroken for node in deliveries.cursor
        ):
            shows_every = self._moments.shows_every
            self._start_over()
            self._moments.shows_every = shows_every
            self.set_reactive(SpaceTimePane.following, True)
            deliveries = self._observe({})
        is_first = not self._seen
        self._seen, self._seat = deliveries.cursor, deliveries.seat
        self._moments.never_left_out = self._seat
        fresh = self._happenings.add(deliveries)
        has_more_lanes = self._order.follow(self._happenings.lanes)
        if has_more_lanes or is_first:
            self._names.learn(self._order.nodes)
            if has_more_lanes and is_first:
                self._sort(busiest=None)
            self._arrange()
        else:
            self._moments.add(fresh)
            self._mark_more(fresh)
        if self._happenings.kept:
            self._moments.forget(self._happenings.kept[0].number)
        self._update()

    # What is where.

    @property
    def rows_in_sight(self) -> int:
        """Rows that the pane has room for."""
        return max(1, self.size.height - HEADER_HEIGHT)

    @property
    def columns(self) -> Columns:
        """The columns that are in sight."""
        return self._columns

    @property
    def selected(self) -> Happening | None:
        """The event under the cursor; None while the pane follows."""
        if self._row is None or not self._moments.first <= self._row < self._moments.end:
            return None
        row = self._moments.row(self._row)
        return row.at_node(self._lane) or row.main

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
        width = max(0, self.size.width - 2)
        self.set_title(cut(self._title(), width), cut(self._facts(), width))

    def redraw(self) -> None:
        """Share out the width anew."""
        if self._on_screen:
            self._arrange()
            self._update()

    def watch_frozen(self, frozen: bool) -> None:
        """Catch up with what happened while the pane was frozen."""
        self.retitle()
        if not frozen:
            self.look()

    def watch_following(self, following: bool) -> None:
        """Take the marks away when following starts."""
        if following:
            self._row = None
            self._mark()
        self._update()

    # Keys.

    def action_cursor(self, step: int) -> None:
        """Move the cursor by so many rows; from the last row on the pane follows again."""
        if not self._moments.rows:
            return
        if self._row is None:
            self._select(self._moments.end - 1 if step < 0 else None)
        else:
            self._select(self._row + step)

    def action_page_up(self) -> None:
        """Move the cursor one screen up."""
        self._page(-1)

    def action_page_down(self) -> None:
        """Move the cursor one screen down."""
        self._page(1)

    def action_first(self) -> None:
        """Move to the oldest row."""
        self._select(self._moments.first)

    def action_follow(self) -> None:
        """Go to the newest row and follow."""
        self.following = True

    def action_lane(self, step: int) -> None:
        """Move to the lane beside this one; columns move along."""
        visible = self._order.visible
        if visible:
            place = self._place_of_lane()
            self._lane = visible[max(0, min(len(visible) - 1, place + step))]
            self._bring_into_sight(self._lane)
            self._mark()
            self._update()

    def action_choose(self) -> None:
        """Tell the application which event is under the cursor."""
        selected = self.selected
        if selected is not None and selected.message is not None:
            self.post_message(self.EventChosen(self, selected.message))

    def action_move_lane(self, step: int) -> None:
        """Let the lane change places with its neighbour."""
        lane = self._chosen_lane()
        if lane is not None:
            self._order.move(lane, step)
            self._bring_into_sight(lane)
            self._rearranged()

    def action_hide_lane(self) -> None:
        """Take the lane away, and go to its neighbour."""
        lane = self._chosen_lane()
        if lane is not None and len(self._order.visible) > 1:
            place = self._order.visible.index(lane)
            self._order.hide(lane)
            visible = self._order.visible
            self._lane = visible[min(place, len(visible) - 1)]
            self._rearranged()

    def action_show_lanes(self) -> None:
        """Show all lanes again, in full width."""
        self._order.hidden.clear()
        self._order.collapsed.clear()
        self._rearranged()

    def action_collapse_lane(self) -> None:
        """Make the lane narrow, or wide again."""
        lane = self._chosen_lane()
        if lane is not None:
            self._order.toggle_collapsed(lane)
            self._rearranged()

    def action_sort_lanes(self) -> None:
        """Sort the lanes: those that sent most first, or by name."""
        self._sort(busiest=not self._busiest)
        self._offset = 0
        self._rearranged()

    def action_toggle_every(self) -> None:
        """Give every event its row however many there are, or thin them out again."""
        self._moments.shows_every = not self._moments.shows_every
        self._rearranged()

    # Mouse.

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the event clicked; a double click opens it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        near = [
            column for column in self._columns.shown if column.left <= offset.x < column.left + column.width
        ]
        if near:
            self._lane = near[0].node
        number = self._top + offset.y - HEADER_HEIGHT
        if offset.y >= HEADER_HEIGHT and number < self._moments.end:
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

    def _page(self, pages: int) -> None:
        step = pages * max(1, self.rows_in_sight - 1)
        self._select((self._moments.end - 1 if self._row is None else self._row) + step)

    def _title(self) -> str:
        lanes = self._happenings.lanes.values()
        observed = sum(lane.is_observed for lane in lanes)
        if observed > 1:
            others = len(lanes) - observed
            return f"Space-time  all {observed} nodes" + (
                f" and {others} by their messages" if others else ""
            )
        return "Space-time" + (f"  seen from {self._names.label(self._seat)}" if self._seat else "")

    def _facts(self) -> str:
        facts = []
        if self.frozen:
            facts.append("frozen")
        if self._order.hidden:
            facts.append(f"{len(self._order.hidden)} lanes hidden, u shows them")
        moments = self._moments
        if moments.shows_every:
            facts.append("every event, e thins")
        elif moments.is_thinned:
            facts.append(f"thinned from {moments.rate:,.0f} events/s, e for all")
        return f" {self.glyphs.dot} ".join(facts)

    def _sort(self, *, busiest: bool | None) -> None:
        """Sort the lanes; undecided, the busiest come first where there is no room for all."""
        lanes = self._happenings.lanes
        if busiest is None:
            busiest = columns_for(self._order, lanes, self._names, None, self._lane_room(), 0).after > 0
        self._busiest = busiest
        self._order.sort(lanes, self._seat, busiest=busiest)

    def _lane_room(self) -> int:
        return layout_for(self.line_width, self.line_width).diagram

    def _arrange(self) -> None:
        """Work out the columns, and the rows for what is in them."""
        lanes = self._happenings.lanes
        columns = columns_for(self._order, lanes, self._names, self._seat, self._lane_room(), self._offset)
        self._offset = columns.offset
        nodes = {column.node for column in columns.shown}
        self._columns = columns
        self._lines.clear()
        self._moments.is_shown = nodes.__contains__
        self._rebuild()

    def _rebuild(self) -> None:
        """Make the rows anew; the cursor stays on its event, or on the nearest that has a row."""
        selected = self.selected
        height = None if self._row is None else self._row - self._top
        self._moments.rebuild(self._happenings.kept)
        if selected is not None and height is not None:
            self._row = self._nearest(selected.number)
            self._top = self._row - height
            self._mark()

    def _nearest(self, number: int) -> int:
        """The row of a happening, or the one before."""
        found = [row.number for row in self._moments.rows if row.happenings[0].number <= number]
        return found[-1] if found else self._moments.first

    def _rearranged(self) -> None:
        self._arrange()
        self._update()

    def _select(self, number: int | None) -> None:
        """Put the cursor on a row and bring it into sight; behind the last one the pane follows."""
        moments = self._moments
        if number is None or number >= moments.end or not moments.rows:
            self.following = True
            return
        number = max(moments.first, number)
        if self._row is None:
            self._top = max(moments.first, moments.end - self.rows_in_sight)
        self._row = number
        self._top = max(min(self._top, number), number - self.rows_in_sight + 1)
        self.set_reactive(SpaceTimePane.following, False)
        self._mark()
        self._update()

    def _scroll(self, step: int) -> None:
        """Scroll without moving the cursor; at the end the pane follows."""
        moments = self._moments
        newest_top = max(moments.first, moments.end - self.rows_in_sight)
        top = max(moments.first, (newest_top if self.following else self._top) + step)
        if top >= newest_top:
            self.following = True
        elif self.following:
            self._select(top + self.rows_in_sight - 1)
        else:
            self._top = top
            self._update()

    def _mark(self) -> None:
        """Work out past and future of the event under the cursor."""
        selected = self.selected
        self._cone = None
        if selected is not None:
            self._cone = cone_of(selected, self._happenings, self._moments.rows)
        self._lines.clear()

    def _mark_more(self, fresh: Sequence[Happening]) -> None:
        """Take what is new into the future of the event under the cursor, if it belongs there.

        Rows that are drawn stay as they are, unless a message told of what belongs into one of them.
        """
        if self._cone is None:
            return
        self._cone.extend(fresh)
        if any(happening.kind is Kind.TOLD for happening in fresh):
            self._lines.clear()
        moments, oldest = self._moments, self._moments.end
        for happening in fresh:
            oldest = min(oldest, self._moments.of_message.get(happening.dot, [oldest])[0])
        oldest = max(oldest, moments.first)
        self._cone.reach(moments.row(number) for number in range(oldest, moments.end))

    def _update(self) -> None:
        """Draw the lines that are others than before."""
        if not self._on_screen:
            return
        moments = self._moments
        newest_top = max(moments.first, moments.end - self.rows_in_sight)
        if self._row is not None and self._row < moments.first:
            self._row = moments.first
            self._mark()
        self._top = newest_top if self.following else max(moments.first, min(self._top, newest_top))
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
        moments = self._moments
        if not moments.rows:
            sentence = no_happenings(has_lanes=bool(self._order.nodes))
            lines: list[tuple[Line, Role | None]] = [
                (line, None) for line in wrapped(sentence, self.line_width)
            ]
            return lines + [((), None)] * (self.size.height - len(lines))
        layout = layout_for(self.line_width, self._columns.width)
        marked_lane = self._lane if self.has_focus and self._row is not None else None
        picture = Picture(
            self._columns,
            layout,
            moments,
            self._happenings,
            self._names,
            self._signs,
            self._cone,
            marked_lane,
        )
        bottom = min(moments.end, self._top + self.rows_in_sight)
        passing = flights(moments, self._top, bottom)
        lines = [(header_line(picture), None)]
        for number in range(self._top, bottom):
            over = Role.CURSOR if number == self._row and self.has_focus else None
            lines.append((self._line(moments.row(number), picture, passing.get(number, [])), over))
        lines += [((), None)] * (self.size.height - len(lines))
        if moments.end > bottom and not self.following:
            lines[-1] = self._banner(moments.end - bottom), Role.BANNER
        return lines

    def _line(self, row: Moment, picture: Picture, passing: list[Dot]) -> Line:
        """A row's line, as it was drawn before unless something about it changed."""
        numbers = self._moments.of_message.get(row.dot, [])
        key = (row.number, len(row.happenings), numbers[-1:] == [row.number], *passing)
        line = self._lines.get(key)
        if line is None:
            if len(self._lines) >= LINE_LIMIT:
                self._lines.clear()
            line = self._lines[key] = row_line(row, picture, passing)
        return line

    def _banner(self, count: int) -> Line:
        text = f" {self.glyphs.down} {count:,} new below, End to follow"
        return (Span(cut(text, self.line_width, self.glyphs.ellipsis)),)

    def _place_of_lane(self) -> int:
        lane = self._chosen_lane()
        return self._columns.places.get(lane, 0) if lane is not None else 0

    def _chosen_lane(self) -> NodeId | None:
        """The lane that keys act on: where the cursor is, else the first."""
        if self._lane in self._columns.places:
            return self._lane
        selected = self.selected
        if selected is not None:
            return selected.node
        return self._columns.shown[0].node if self._columns.shown else None

    def _bring_into_sight(self, lane: NodeId) -> None:
        place, columns = self._columns.places.get(lane, 0), self._columns
        if place < columns.offset:
            self._offset = max(0, place - LANES_AT_ONCE + 1)
        elif place >= columns.offset + len(columns.shown):
            self._offset = place - len(columns.shown) + LANES_AT_ONCE
        else:
            return
        self._arrange()
