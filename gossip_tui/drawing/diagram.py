"""A live space-time diagram without a screen: what happened, its rows, its lanes, the event that is marked.

Tells lines for rows; which rows are in sight, and when they are drawn, is for a pane to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gossip_tui.observed import CHANGES_LIMIT, Absence, Change, Deliveries
from protocol.core.identity import Dot, NodeId

from .diagram_glyphs import DiagramGlyphs
from .happenings import Happening, Happenings, Kind
from .lanes import Columns, LaneOrder, columns_for
from .line import Line
from .moments import Mark, Moment, Moments, Row
from .names import Names
from .spacetime import Cone, Picture, cone_of, flights, header_line, layout_for, row_line

__all__ = ["Diagram"]

LANES_AT_ONCE = 4
"""Lanes that the columns move on when the lane of the cursor leaves them."""

CHANGES_SPARE = 64
"""Changes that may be kept beyond ``CHANGES_LIMIT``, so that not every further one has all rows made anew."""

LINE_LIMIT = 512
"""Lines remembered: some of the tallest screens."""


class Diagram:
    """Happenings of all nodes as rows and lanes, with a cursor on one of them.

    Args:
        glyphs: What to draw with.
    """

    def __init__(self, glyphs: DiagramGlyphs) -> None:
        self._glyphs = glyphs
        self.order = LaneOrder()
        self.names = Names()
        self.seat: NodeId | None = None
        self.absences: Mapping[NodeId, Sequence[Absence]] = {}
        """When nodes were not there: their lanes are not drawn then."""
        self.width = 0
        """Cells of a line."""
        self._offset = 0
        self._busiest = False
        self._start_over(shows_every=False)

    def _start_over(self, *, shows_every: bool) -> None:
        """Forget everything that was observed; lanes stay as they were arranged."""
        self.seen: Mapping[NodeId, int] = {}
        """Where to go on observing."""
        self.happenings = Happenings()
        self.moments = Moments()
        self.moments.shows_every = shows_every
        self.changes: tuple[Change, ...] = ()
        """What was changed on purpose, as far as it is in the picture."""
        self._newest_change: tuple[Change, ...] = ()
        """The last change that was taken in, if there was one."""
        self.columns = Columns((), 0, {}, 0)
        self.row: int | None = None
        """The row under the cursor; None while nothing is marked."""
        self.lane: NodeId | None = None
        """The lane under the cursor; in a row where nothing happened there, the row's first event counts."""
        self.cone: Cone | None = None
        self._lines: dict[tuple[object, ...], Line] = {}

    # What happens.

    def is_news(self, deliveries: Deliveries) -> bool:
        """Whether there is anything in an answer that is not in the picture yet."""
        has_more_nodes = bool(deliveries.cursor.keys() - self.seen.keys())
        is_changed = deliveries.changes[-1:] != self._newest_change
        return bool(deliveries.rows) or has_more_nodes or is_changed or deliveries.seat != self.seat

    def is_torn(self, deliveries: Deliveries) -> bool:
        """Whether something is missing between this answer and the one before, or time went back."""
        known = self.seen.keys() & deliveries.cursor.keys()
        has_lost_changes = not set(self._newest_change).issubset(deliveries.changes)
        return has_lost_changes or not deliveries.unbroken.issuperset(known)

    def forget(self) -> None:
        """Start with an empty picture, for an answer from the beginning."""
        self._start_over(shows_every=self.moments.shows_every)

    def take(self, deliveries: Deliveries) -> None:
        """Take in what was observed."""
        is_first = not self.seen
        changes = self._fresh(deliveries.changes)
        has_room = self._keep(changes)
        self.seen, self.seat = deliveries.cursor, deliveries.seat
        if deliveries.absences != self.absences:
            self.absences = deliveries.absences
            self._lines.clear()
        self.moments.never_left_out = self.seat
        fresh = self.happenings.add(deliveries)
        has_more_lanes = self.order.follow(self.happenings.lanes)
        if has_more_lanes or is_first or not has_room:
            self.names.learn(self.order.nodes)
            if has_more_lanes and is_first:
                self.sort(busiest=self._lacks_room)
            self.arrange()
        else:
            self.moments.add(fresh, changes)
            self._mark_more(fresh)
        self._forget_old()
        if self.row is not None and self.row < self.moments.first:
            self.row = self.moments.first
            self.mark()

    def _fresh(self, changes: tuple[Change, ...]) -> tuple[Change, ...]:
        """Those of the changes that came after the last one that was taken in."""
        newest = self._newest_change
        self._newest_change = changes[-1:] or newest
        return changes[changes.index(newest[0]) + 1 :] if newest and newest[0] in changes else changes

    def _keep(self, changes: tuple[Change, ...]) -> bool:
        """Keep what was changed; whether there was room, else the oldest are gone and their rows must go."""
        self.changes += changes
        if len(self.changes) <= CHANGES_LIMIT + CHANGES_SPARE:
            return True
        self.changes = self.changes[-CHANGES_LIMIT:]
        return False

    def _forget_old(self) -> None:
        """Drop rows of what is not kept any more, and the changes among them."""
        kept = self.happenings.kept
        if kept and kept[0].number > 1:
            self.moments.forget(kept[0].number)
            if self.changes and self.changes[0].at < kept[0].at:
                self.changes = tuple(change for change in self.changes if change.at >= kept[0].at)

    # Lanes.

    def arrange(self) -> None:
        """Work out the columns anew, and the rows for what is in them.

        The cursor stays on its event, or on the nearest before it that has a row.
        """
        room = layout_for(self.width, self.width).diagram
        lanes = self.happenings.lanes
        self.columns = columns_for(self.order, lanes, self.names, self.seat, room, self._offset)
        self._offset = self.columns.offset
        self._lines.clear()
        selected, under = self.selected, self._row_under_cursor
        self.moments.is_shown = {column.node for column in self.columns.shown}.__contains__
        self.moments.rebuild(self.happenings.kept, self.changes)
        if selected is not None:
            self.row = self._nearest(selected.number)
            self.mark()
        elif isinstance(under, Mark):
            self.row = self._row_of(under.change)

    @property
    def _lacks_room(self) -> bool:
        room = layout_for(self.width, self.width).diagram
        return columns_for(self.order, self.happenings.lanes, self.names, None, room, 0).after > 0

    def sort(self, *, busiest: bool | None = None) -> None:
        """Sort the lanes by name, or those first that sent most; undecided, the other way than now."""
        self._busiest = not self._busiest if busiest is None else busiest
        self._offset = 0
        self.order.sort(self.happenings.lanes, self.seat, busiest=self._busiest)

    @property
    def chosen_lane(self) -> NodeId | None:
        """The lane that keys act on: where the cursor is, else the first."""
        if self.lane in self.columns.places:
            return self.lane
        selected = self.selected
        if selected is not None:
            return selected.node
        return self.columns.shown[0].node if self.columns.shown else None

    def go_to_lane(self, step: int) -> None:
        """Put the cursor on the lane beside the one it is on; the columns move along."""
        visible = self.order.visible
        place = self.columns.places.get(self.chosen_lane, 0) if self.chosen_lane is not None else 0
        if visible:
            self.lane = visible[max(0, min(len(visible) - 1, place + step))]
            self._bring_into_sight(self.lane)
            self.mark()

    def move_lane(self, lane: NodeId, step: int) -> None:
        """Let a lane change places with its neighbour."""
        self.order.move(lane, step)
        self._bring_into_sight(lane)
        self.arrange()

    def hide_lane(self, lane: NodeId) -> None:
        """Take a lane away, and go to its neighbour."""
        place = self.order.visible.index(lane)
        self.order.hide(lane)
        visible = self.order.visible
        self.lane = visible[min(place, len(visible) - 1)]
        self.arrange()

    def show_lanes(self) -> None:
        """Show all lanes again, in full width."""
        self.order.hidden.clear()
        self.order.collapsed.clear()
        self.arrange()

    def _bring_into_sight(self, lane: NodeId) -> None:
        place, columns = self.columns.places.get(lane, 0), self.columns
        if place < columns.offset:
            self._offset = max(0, place - LANES_AT_ONCE + 1)
        elif place >= columns.offset + len(columns.shown):
            self._offset = place - len(columns.shown) + LANES_AT_ONCE
        else:
            return
        self.arrange()

    # The cursor.

    @property
    def selected(self) -> Happening | None:
        """The event under the cursor, if there is one; a change is none."""
        row = self._row_under_cursor
        return (row.at_node(self.lane) or row.main) if isinstance(row, Moment) else None

    @property
    def _row_under_cursor(self) -> Row | None:
        if self.row is None or not self.moments.first <= self.row < self.moments.end:
            return None
        return self.moments.row(self.row)

    def mark(self) -> None:
        """Work out past and future of the event under the cursor."""
        selected = self.selected
        self.cone = None
        if selected is not None:
            self.cone = cone_of(selected, self.happenings, self.moments.rows)
        self._lines.clear()

    def _mark_more(self, fresh: Sequence[Happening]) -> None:
        """Take what is new into the future of the event under the cursor, if it belongs there.

        Rows that are drawn stay as they are, unless a message told of what belongs into one of them.
        """
        if self.cone is None:
            return
        self.cone.extend(fresh)
        if any(happening.kind is Kind.TOLD for happening in fresh):
            self._lines.clear()
        moments = self.moments
        oldest = min(
            (moments.of_message[one.dot][0] for one in fresh if one.dot in moments.of_message),
            default=moments.end,
        )
        self.cone.reach(moments.row(number) for number in range(max(oldest, moments.first), moments.end))

    def _nearest(self, number: int) -> int:
        """The row of a happening, or the one before."""
        found = [
            row.number
            for row in self.moments.rows
            if isinstance(row, Moment) and row.happenings[0].number <= number
        ]
        return found[-1] if found else self.moments.first

    def _row_of(self, change: Change) -> int:
        """The row of a change, or the first if it is not kept."""
        found = (row.number for row in self.moments.rows if isinstance(row, Mark) and row.change == change)
        return next(found, self.moments.first)

    # Lines.

    def lines(self, top: int, bottom: int, *, shows_lane: bool) -> list[Line]:
        """The header, and the rows from ``top`` to below ``bottom``.

        Args:
            top: Number of the first row.
            bottom: Number behind the last.
            shows_lane: Whether the lane under the cursor is marked.
        """
        picture = Picture(
            self.columns,
            layout_for(self.width, self.columns.width),
            self.moments,
            self.happenings,
            self.names,
            self._glyphs,
            self.cone,
            self.lane if shows_lane and self.row is not None else None,
            absences=self.absences,
        )
        passing = flights(self.moments, top, bottom)
        rows = [
            self._line(self.moments.row(number), picture, passing.get(number, []))
            for number in range(top, bottom)
        ]
        return [header_line(picture), *rows]

    def _line(self, row: Row, picture: Picture, passing: list[Dot]) -> Line:
        """A row's line, as it was drawn before unless something about it changed."""
        numbers = self.moments.of_message.get(row.dot, []) if isinstance(row, Moment) else []
        key = (row.number, len(row.happenings), numbers[-1:] == [row.number], *passing)
        line = self._lines.get(key)
        if line is None:
            if len(self._lines) >= LINE_LIMIT:
                self._lines.clear()
            line = self._lines[key] = row_line(row, picture, passing)
        return line

    def title(self) -> str:
        """Whose picture this is."""
        lanes = self.happenings.lanes.values()
        observed = sum(lane.is_observed for lane in lanes)
        others = len(lanes) - observed
        if observed > 1:
            return f"Space-time  all {observed} nodes" + (f", {others} by their messages" if others else "")
        return "Space-time" + (f"  seen from {self.names.label(self.seat)}" if self.seat else "")

    def facts(self) -> list[str]:
        """What is not in the picture, and how to get it."""
        facts = []
        hidden = len(self.order.hidden)
        if hidden:
            facts.append(f"{hidden} {'lane' if hidden == 1 else 'lanes'} hidden, u shows all")
        if self.moments.shows_every:
            facts.append("every event, e thins")
        elif self.moments.is_thinned:
            facts.append(f"thinned from {self.moments.rate:,.0f} events/s, e for all")
        return facts
