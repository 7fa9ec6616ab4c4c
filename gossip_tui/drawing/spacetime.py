"""A space-time diagram as lines: a column a node, time downward, messages as arrows between the columns.

Pure functions: rows, columns and relations in, lines out. A message that is delivered in the row of its
sending is a line across; one that arrives further below leaves its lane there and runs down beside it. With a
cursor, the past of the event under it, its future, and what is concurrent differ by glyph and by brightness,
and the lanes shine as far as the past reaches down and the future up. What was changed on purpose is a line
across all lanes at its time, with a sign on those that it concerns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from gossip_tui.observed import Absence
from gossip_tui.text import safe
from protocol.core.identity import Dot, NodeId

from .diagram_glyphs import DiagramGlyphs
from .happenings import Happening, Happenings, Kind, Relation
from .lanes import Column, Columns
from .line import Line, Role, Span, cell_len, cut
from .log_line import clock_text, time_text
from .moments import Mark, Moment, Moments, Row
from .names import Names, role_of_origin

__all__ = [
    "Cone",
    "Layout",
    "Picture",
    "cone_of",
    "flights",
    "header_line",
    "layout_for",
    "row_line",
]

FLIGHT_LIMIT = 64
"""Rows that a message is drawn to run down beside its lane: longer lines say less than they hide."""

LEAST_FACTS, MOST_FACTS = 20, 52
"""Cells beside the diagram, from and to, for what a row is about."""

CLOCK_ROOM = 16
"""Cells that a clock gets beside a long text: two entries and the count of the others."""

FACT_SHARE = 0.38
"""Of the width, what the facts may take from the lanes."""


LOOKS = {
    Relation.SELF: Role.OWN,
    Relation.PAST: Role.PAST,
    Relation.FUTURE: Role.FUTURE,
    Relation.CONCURRENT: Role.CONCURRENT,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a line is shared out between the diagram and the facts beside it."""

    diagram: int
    facts: int


def layout_for(width: int, wanted: int) -> Layout:
    """Share out ``width`` cells: lanes get what they want as far as facts keep their share."""
    facts = max(min(LEAST_FACTS, width // 2), min(MOST_FACTS, int(width * FACT_SHARE)))
    diagram = max(0, min(wanted, width - facts))
    return Layout(diagram, width - diagram)


@dataclass(slots=True)
class Cone:
    """The past and the future of one happening, and how far they reach down and up on each lane, in rows."""

    relations: dict[int, Relation]
    """By the number of a happening; what is missing is concurrent."""
    past: dict[NodeId, int] = field(default_factory=dict)
    future: dict[NodeId, int] = field(default_factory=dict)

    def of(self, happening: Happening) -> Relation:
        """How a happening stands to that one."""
        return self.relations.get(happening.number, Relation.CONCURRENT)

    def shines(self, node: NodeId, row: int) -> Role:
        """How bright a lane is beside a row."""
        if row <= self.past.get(node, -1):
            return Role.PAST
        first = self.future.get(node)
        return Role.FUTURE if first is not None and row >= first else Role.FAINT

    def extend(self, fresh: Iterable[Happening]) -> None:
        """Take in what happened since, in order: what comes after the future is future too."""
        relations = self.relations
        after = (Relation.FUTURE, Relation.SELF)
        for happening in fresh:
            if any(relations.get(cause.number) in after for cause in happening.causes):
                relations[happening.number] = Relation.FUTURE

    def reach(self, rows: Iterable[Row]) -> None:
        """Take in rows, in order."""
        for row in rows:
            for one in row.happenings:
                relation = self.of(one)
                if relation is Relation.PAST or relation is Relation.SELF:
                    self.past[one.node] = max(row.number, self.past.get(one.node, -1))
                if relation is Relation.FUTURE or relation is Relation.SELF:
                    self.future[one.node] = min(row.number, self.future.get(one.node, row.number))


def cone_of(happening: Happening, happenings: Happenings, rows: Iterable[Row]) -> Cone:
    """The past and the future of a happening, with how far they reach in these rows."""
    cone = Cone(happenings.relations(happening))
    cone.reach(rows)
    return cone


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the lines of one diagram have in common."""

    columns: Columns
    layout: Layout
    moments: Moments
    happenings: Happenings
    names: Names
    glyphs: DiagramGlyphs
    cone: Cone | None = None
    """With a cursor: what is past, future and concurrent."""
    lane: NodeId | None = None
    """The lane that keys for lanes act on."""
    zone: tzinfo | None = None
    """Where the time of day of changes is that of; None for where this computer is."""
    absences: Mapping[NodeId, Sequence[Absence]] = field(default_factory=dict)
    """When nodes were not there."""

    def present(self, at: float) -> list[Column]:
        """The columns of the nodes that were there at a moment: the others have no lane then."""
        absences = self.absences
        if not absences:
            return list(self.columns.shown)
        return [
            column
            for column in self.columns.shown
            if not any(absence.covers(at) for absence in absences.get(column.node, ()))
        ]


class Canvas:
    """One line of the diagram, cell by cell."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.signs = [" "] * width
        self.roles = [Role.TEXT] * width

    def put(self, x: int, sign: str, role: Role) -> None:
        """Draw into a cell, if there is one."""
        if 0 <= x < self.width:
            self.signs[x] = sign
            self.roles[x] = role

    def run(self, start: int, end: int, sign: str, glyphs: DiagramGlyphs, role: Role) -> None:
        """Draw a line across, both ends included; what comes down in its way it crosses."""
        blank, cross = {" ", glyphs.line, glyphs.told_line}, glyphs.cross
        for x in range(max(0, start), min(self.width, end + 1)):
            self.signs[x] = sign if self.signs[x] in blank else cross
            self.roles[x] = role

    def spans(self) -> list[Span]:
        """What was drawn, cells of one role together."""
        spans: list[Span] = []
        start = 0
        roles, signs = self.roles, self.signs
        for x in range(1, self.width + 1):
            if x == self.width or roles[x] is not roles[start]:
                spans.append(Span("".join(signs[start:x]), roles[start]))
                start = x
        return spans


def flights(moments: Moments, top: int, bottom: int) -> dict[int, list[Dot]]:
    """For each row from ``top`` to below ``bottom``: the messages on their way past it."""
    passing: dict[int, list[Dot]] = {}
    for dot, numbers in moments.of_message.items():
        first, last = numbers[0], numbers[-1]
        if last == first or first >= bottom or last < top or last - first > FLIGHT_LIMIT:
            continue
        for number in range(max(first + 1, top), min(last, bottom)):
            if number not in numbers:
                passing.setdefault(number, []).append(dot)
    return passing


def header_line(picture: Picture) -> Line:
    """The names above the lanes, and at the right what the glyphs mean or which lanes are out of sight."""
    columns, layout, glyphs = picture.columns, picture.layout, picture.glyphs
    spans: list[Span] = []
    at = 0
    for column in columns.shown:
        width = column.width - 1
        text = "" if column.is_collapsed else cut(column.label, width, glyphs.ellipsis)
        start = max(column.left, column.x - (cell_len(text) - 1) // 2) if text else column.x
        text = text or glyphs.more
        role = Role.OWN if column.is_own else Role.TITLE
        spans.append(Span(" " * (start - at)))
        spans.append(Span(text, Role.MATCH if column.node == picture.lane else role))
        at = start + cell_len(text)
    spans.append(Span(" " * max(1, layout.diagram - at + 1)))
    at = max(layout.diagram + 1, at + 1)
    return (*spans, Span(cut(legend(picture), max(0, layout.diagram + layout.facts - at)), Role.DIM))


def legend(picture: Picture) -> str:
    """What the glyphs mean while there is a cursor; else how many lanes are out of sight."""
    glyphs, columns = picture.glyphs, picture.columns
    if picture.cone is not None:
        return f"{glyphs.past[0]} past {glyphs.future[0]} future {glyphs.concurrent[0]} concurrent"
    before = f"{glyphs.to_left} {columns.offset} more" if columns.offset else ""
    after = f"{columns.after} more {glyphs.to_right}" if columns.after else ""
    return "  ".join(filter(None, (before, after)))


def row_line(row: Row, picture: Picture, passing: Sequence[Dot] = ()) -> Line:
    """One row: lanes, messages that pass, what happened; at the right what it is about, and its clock."""
    if isinstance(row, Mark):
        return mark_line(row, picture, passing)
    canvas = Canvas(picture.layout.diagram)
    glyphs, cone = picture.glyphs, picture.cone
    for column in picture.present(row.at):
        sign = glyphs.lane if column.is_observed else glyphs.unknown
        canvas.put(column.x, sign, Role.DIM if cone is None else cone.shines(column.node, row.number))
    for dot in passing:
        channel = channel_of(dot, picture.columns)
        if channel is not None:
            canvas.put(channel, glyphs.flight, color_of(dot, picture))
    Arrow(row, picture, canvas).draw()
    return (*canvas.spans(), *fact_spans(row, picture))


def mark_line(row: Mark, picture: Picture, passing: Sequence[Dot]) -> Line:
    """The row of a change: a line across everything, a sign on each lane concerned; when and what it was."""
    glyphs, columns, layout = picture.glyphs, picture.columns, picture.layout
    present = picture.present(row.change.at)
    signs = [glyphs.rule] * layout.diagram
    crossed = [channel_of(dot, columns) for dot in passing] + [column.x for column in present]
    for x in crossed:
        if x is not None and x < len(signs):
            signs[x] = glyphs.rule_cross
    for column in present:
        if column.node.name in row.change.nodes and column.x < len(signs):
            signs[column.x] = glyphs.change
    at = time_text(row.change.at, picture.zone)
    text = cut(f" {at} {safe(row.change.text)}", layout.facts, glyphs.ellipsis)
    gap = " " * (layout.facts - cell_len(text))
    return Span("".join(signs), Role.WARNING), Span(text + gap, Role.WARNING)


def color_of(dot: Dot, picture: Picture) -> Role:
    """The colour of a message: that of its origin, while nothing is marked."""
    return role_of_origin(dot.origin.name) if picture.cone is None else Role.FAINT


def channel_of(dot: Dot, columns: Columns) -> int | None:
    """The cell in which a message runs down beside its origin's lane; two in turn, so they seldom meet."""
    column = columns.column(dot.origin)
    if column is None:
        return None
    return column.x + 1 + (0 if column.is_collapsed else dot.sequence % 2)


class Arrow:
    """What one row shows of a message: where it was sent, and where it arrived."""

    def __init__(self, row: Moment, picture: Picture, canvas: Canvas) -> None:
        self.row = row
        self.picture = picture
        self.canvas = canvas
        columns = picture.columns
        self.targets: list[tuple[Column, Happening]] = []
        self.sending: tuple[Column, Happening] | None = None
        for one in row.happenings:
            column = columns.column(one.node)
            if column is None:
                continue
            if one.kind is Kind.SEND:
                self.sending = column, one
            else:
                self.targets.append((column, one))
        numbers = picture.moments.of_message.get(row.dot, [row.number])
        is_flying = numbers[-1] - numbers[0] <= FLIGHT_LIMIT
        self.comes_from_above = is_flying and numbers[0] < row.number
        self.goes_on = is_flying and row.number < numbers[-1]

    def draw(self) -> None:
        """Lines first, then what stands on them."""
        glyphs, canvas = self.picture.glyphs, self.canvas
        channel = channel_of(self.row.dot, self.picture.columns)
        start = self._start(channel)
        if start is not None:
            for column, one in sorted(self.targets, key=lambda target: target[1].kind is not Kind.TOLD):
                self._run(start, column.x, one)
        if channel is not None and (self.goes_on or self.comes_from_above):
            self._turn(channel)
        if self.sending is not None:
            column, one = self.sending
            canvas.put(column.x, self._sign(one, glyphs.send), self._look(one))
        for column, one in self.targets:
            is_right = start is not None and start < column.x
            sign = glyphs.told if one.kind is Kind.TOLD else glyphs.to_right if is_right else glyphs.to_left
            canvas.put(column.x, self._sign(one, sign), self._look(one))

    def _start(self, channel: int | None) -> int | None:
        """The cell that lines come from; beyond the edge for a lane out of sight, None for a hidden one."""
        columns = self.picture.columns
        column = columns.column(self.row.dot.origin)
        if column is not None:
            return channel if self.comes_from_above and channel is not None else column.x
        place = columns.places.get(self.row.dot.origin)
        if place is None:
            return None
        return -1 if place < columns.offset else self.canvas.width

    def _run(self, start: int, end: int, one: Happening) -> None:
        glyphs = self.picture.glyphs
        sign = glyphs.told_line if one.kind is Kind.TOLD else glyphs.line
        low, high = (start + 1, end - 1) if start < end else (end + 1, start - 1)
        self.canvas.run(low, high, sign, glyphs, self._line_look(one))

    def _turn(self, channel: int) -> None:
        """Where a message leaves its lane to run down, or leaves that line to arrive."""
        glyphs, canvas = self.picture.glyphs, self.canvas
        xs = [column.x for column, _ in self.targets]
        right, left = any(x > channel for x in xs), any(x < channel for x in xs)
        looks = [self._line_look(one) for _, one in self.targets]
        look = looks[0] if looks else color_of(self.row.dot, self.picture)
        if self.sending is not None:
            canvas.run(self.sending[0].x + 1, channel - 1, glyphs.line, glyphs, look)
            canvas.put(channel, glyphs.turns[right], look)
        elif self.comes_from_above:
            signs = glyphs.branches if self.goes_on else glyphs.ends
            canvas.put(channel, signs[2 if right and left else 0 if right else 1], look)

    def _sign(self, one: Happening, plain: str) -> str:
        cone, glyphs = self.picture.cone, self.picture.glyphs
        if cone is None:
            return plain
        pairs = {
            Relation.SELF: glyphs.own,
            Relation.PAST: glyphs.past,
            Relation.FUTURE: glyphs.future,
            Relation.CONCURRENT: glyphs.concurrent,
        }
        return pairs[cone.of(one)][one.kind is not Kind.SEND]

    def _look(self, one: Happening) -> Role:
        cone = self.picture.cone
        return role_of_origin(one.dot.origin.name) if cone is None else LOOKS[cone.of(one)]

    def _line_look(self, one: Happening) -> Role:
        """A message shines if it came into the past, or brings the future."""
        cone = self.picture.cone
        if cone is None:
            return role_of_origin(one.dot.origin.name)
        relation = cone.of(one)
        if relation in (Relation.PAST, Relation.SELF):
            return Role.PAST
        source = one.source
        is_after = source is not None and cone.of(source) in (Relation.FUTURE, Relation.SELF)
        return Role.FUTURE if is_after else Role.FAINT


def fact_spans(row: Moment, picture: Picture) -> list[Span]:
    """What a row is about: the message and its text, or who got it; and the clock at the right edge."""
    glyphs, names, cone = picture.glyphs, picture.names, picture.cone
    room = picture.layout.facts - 1
    main = row.main
    skipped = f"{glyphs.more}{row.skipped:,} " if row.skipped else ""
    head: str = names.dot(row.dot)
    text: str = safe(main.message.text) if main.message is not None else ""
    if all(one.kind is not Kind.SEND for one in row.happenings):
        count = len(row.happenings)
        head = names.label(main.node) if count == 1 else f"{count} nodes"
        text = f"{glyphs.has} {names.dot(row.dot)}"
    head = cut(head, max(0, room - cell_len(skipped)), glyphs.ellipsis)
    room -= cell_len(skipped) + cell_len(head)
    clock = row_clock(main, picture, max(min(room - 4, CLOCK_ROOM), room - cell_len(text) - 2))
    shown = cut(text, max(0, room - cell_len(clock) - 2), glyphs.ellipsis)
    gap = " " * max(0, room - cell_len(shown) - 1 - cell_len(clock))
    if cone is None:
        head_role, text_role, clock_role = color_of(row.dot, picture), Role.TEXT, Role.CLOCK
    else:
        head_role = LOOKS[cone.of(main)]
        text_role = clock_role = head_role if head_role is not Role.CONCURRENT else Role.DIM
    return [
        Span(cut(" " + skipped, picture.layout.facts, glyphs.ellipsis), Role.WARNING),
        Span(head, head_role),
        Span(" " + shown if room > 0 else "", text_role),
        Span(gap + clock, clock_role),
    ]


def row_clock(one: Happening, picture: Picture, room: int) -> str:
    """What the node had delivered by then, as much as fits; the entries that are news come first."""
    clock, is_exact = picture.happenings.clock_of(one)
    names = picture.names
    labels = {node: names.label(node) for node in clock}
    mark = "" if is_exact else picture.glyphs.at_least
    news = [str(labels[node]) for node in (one.dot.origin, one.node) if node in labels]
    text = clock_text(
        {labels[node]: count for node, count in clock.items()},
        room - cell_len(mark),
        picture.glyphs.ellipsis,
        news,
    )
    return mark + text if text else ""
