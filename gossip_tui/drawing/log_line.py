"""One line of the causal log: time, marks, who and which, the text, and the vector clock on the right."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from gossip_tui.text import Safe, safe
from gossip_tui.theme import Glyphs
from protocol.core.identity import NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import HeldMessage

from .line import Line, Role, Span, cell_len, cut, fit, wrap
from .names import Names, role_of_origin

__all__ = [
    "Layout",
    "LineState",
    "Notice",
    "NoticeKind",
    "clock_text",
    "fit_id",
    "held_line",
    "layout_for",
    "message_line",
    "notice_line",
    "notice_parts",
    "time_text",
]

LONG_TIME, SHORT_TIME = 8, 5
"""Cells of ``12:03:04`` and ``12:03``."""

ID_WIDTH_LIMIT = 20
"""Cells for origin and number at the most; a longer name is cut, its number never."""

NARROWEST_NOTICE = 16
"""Cells below which a notice is cut: words hardly fit there, and many short lines would push others away."""

NOTICE_LINES = 4
"""Lines that one notice may take; the longest warning takes three on 80 columns."""

CLOCK_SHARE = 0.45
"""Of the room for text and clock, what a clock may take from a long text: a choice."""

CLOCK_ENTRIES_LOOKED_AT = 256
"""Entries of a clock that are put into words at the most: more than fit the widest terminal."""


class NoticeKind(StrEnum):
    """What a notice is about, which decides its glyph and colour."""

    INFO = "info"
    JOINED = "joined"
    PARTED = "parted"
    WARNING = "warning"
    CHANGE = "change"
    """Something was changed on purpose: faults, a cut, a crash, another way of sampling or spreading."""


class Notice:
    """A line that no node sent: somebody joined, left or was lost, a gap, a word from the application.

    One that is too long for a line goes on in others, each a notice of its own.
    """

    __slots__ = ("at", "first", "kind", "order", "text", "whole")

    def __init__(
        self,
        text: Safe,
        kind: NoticeKind,
        at: float,
        order: tuple[int, NodeId, int],
        *,
        first: Notice | None = None,
    ) -> None:
        self.text = text
        """What stands on this line."""
        self.whole = text
        """What it says with the lines in which it goes on, or what it goes on with."""
        self.kind = kind
        self.at = at
        """Unix seconds."""
        self.order = order
        """Stands right behind the last message known when it came."""
        self.first = first
        """The line that the notice begins on, if this is one in which it goes on."""

    @property
    def continues(self) -> bool:
        """Whether it is the rest of the notice above, which did not fit one line."""
        return self.first is not None


NOTICE_LOOKS = {
    NoticeKind.INFO: (Role.DIM, "info"),
    NoticeKind.JOINED: (Role.GOOD, "joined"),
    NoticeKind.PARTED: (Role.BAD, "parted"),
    NoticeKind.WARNING: (Role.WARNING, "warning"),
    NoticeKind.CHANGE: (Role.LATE, "changed"),
}
"""The colour of a notice and the name of its glyph."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the cells of a line are shared out; the same for all lines of the pane."""

    width: int
    time: int
    """0, 5 or 8 cells for the time of day."""
    id: int
    """Cells for origin and number."""
    clock: bool
    """Whether clocks are drawn at all."""


@dataclass(frozen=True, slots=True)
class LineState:
    """What is to be said about one message besides the message itself."""

    concurrent: bool = False
    """Concurrent with the message above."""
    inserted: bool = False
    """Inserted above others a moment ago."""
    mention: bool = False
    """Names this node."""
    own: bool = False
    """Sent by this node."""
    match: bool = False
    """Matches what is searched for."""


def layout_for(width: int, longest_id: int) -> Layout:
    """Share out ``width`` cells: the text comes first, then clocks, then times."""
    time = LONG_TIME if width >= 64 else SHORT_TIME if width >= 44 else 0
    return Layout(width, time, max(4, min(longest_id, ID_WIDTH_LIMIT, width // 4)), width >= 36)


def message_line(
    message: Message,
    layout: Layout,
    names: Names,
    glyphs: Glyphs,
    state: LineState,
    zone: tzinfo | None = None,
) -> Line:
    """A message: time of day, marks, ``origin#number``, text, and its clock at the right edge."""
    spans = time_spans(message.created_at, layout, zone)
    spans += [concurrency_span(state, glyphs), state_span(message, state, glyphs), Span(" ")]
    spans.append(id_span(message, layout, names, glyphs, own=state.own))
    room = layout.width - sum(cell_len(span.text) for span in spans) - 1
    text = safe(message.text)
    clock = message_clock(message, room, cell_len(text), glyphs) if layout.clock else ""
    text_room = room - cell_len(clock) - bool(clock)
    role = Role.MATCH if state.match else Role.MENTION if state.mention else Role.TEXT
    shown = cut(text, text_room, glyphs.ellipsis)
    spans += [Span(" "), Span(shown, role)]
    if clock:
        spans += [Span(" " * (room - cell_len(shown) - cell_len(clock))), Span(clock, Role.CLOCK)]
    return tuple(spans)


def held_line(
    held: HeldMessage, layout: Layout, names: Names, glyphs: Glyphs, zone: tzinfo | None = None
) -> Line:
    """A message in the hold-back queue, dimmed, with what it waits for."""
    spans = time_spans(held.created_at, layout, zone)
    head = f"   {fit_id(names.label(held.id.origin), held.id.sequence, layout.id, glyphs)} "
    reason = f"(held: {waiting_text(held, names, glyphs)}) "
    line = [*spans, Span(head + reason, Role.HELD), Span(safe(held.text), Role.HELD)]
    room = layout.width - sum(cell_len(span.text) for span in line[:-1])
    if room < 0:
        line[-2] = Span(cut(line[-2].text, cell_len(line[-2].text) + room, glyphs.ellipsis), Role.HELD)
    line[-1] = Span(cut(line[-1].text, max(0, room), glyphs.ellipsis), Role.HELD)
    return tuple(line)


def notice_line(notice: Notice, layout: Layout, glyphs: Glyphs, zone: tzinfo | None = None) -> Line:
    """A line that no node sent: who joined, left or was lost, a gap, a word from the application."""
    role, glyph = NOTICE_LOOKS[notice.kind]
    spans = time_spans(notice.at, layout, zone)
    mark = getattr(glyphs, glyph)
    if notice.continues:
        spans, mark = [Span(" " * cell_len(span.text)) for span in spans], " "
    text = cut(notice.text, notice_room(layout), glyphs.ellipsis)
    return (*spans, Span(f" {mark} ", role), Span(text, role))


def notice_room(layout: Layout) -> int:
    """Cells that the text of a notice has on one line."""
    return max(0, layout.width - layout.time - bool(layout.time) - 3)


def notice_parts(text: Safe, layout: Layout, spare: int = 0) -> list[Safe]:
    """The text of a notice as the lines it takes, broken between words; an unknown width breaks nothing.

    Args:
        text: What the notice says.
        layout: How the cells of a line are shared out.
        spare: Cells at the end of a line to leave free.
    """
    room = notice_room(layout) - spare
    if room < NARROWEST_NOTICE or cell_len(text) <= room:
        return [text]
    return [safe(part) for part in wrap(text, room, NOTICE_LINES)]


def time_spans(at: float, layout: Layout, zone: tzinfo | None) -> list[Span]:
    """The time of day in the width that the layout has for it."""
    return [Span(time_text(at, zone)[: layout.time] + " ", Role.DIM)] if layout.time else []


def time_text(at: float, zone: tzinfo | None = None) -> str:
    """Unix seconds as ``12:03:04`` in a time zone (None: the machine's); dashes for nonsense from a peer."""
    try:
        return datetime.fromtimestamp(at, zone).strftime("%H:%M:%S") if math.isfinite(at) else "--:--:--"
    except (OverflowError, OSError, ValueError):
        return "--:--:--"


def concurrency_span(state: LineState, glyphs: Glyphs) -> Span:
    """The mark of a message concurrent with the one above."""
    return Span(glyphs.concurrent, Role.CONCURRENT) if state.concurrent else Span(" ")


def state_span(message: Message, state: LineState, glyphs: Glyphs) -> Span:
    """One cell for the most important thing to know about a message, if there is one."""
    if message.late:
        return Span(glyphs.out_of_order, Role.LATE)
    if state.inserted:
        return Span(glyphs.inserted, Role.NEW)
    if state.mention:
        return Span(glyphs.mention, Role.MENTION)
    return Span(glyphs.history, Role.DIM) if message.from_history else Span(" ")


def id_span(message: Message, layout: Layout, names: Names, glyphs: Glyphs, *, own: bool) -> Span:
    """Origin and number in the origin's colour; bold for this node's own."""
    origin, sequence = message.id
    role = Role.OWN if own else role_of_origin(origin.name)
    return Span(fit_id(names.label(origin), sequence, layout.id, glyphs), role)


def fit_id(label: str, sequence: int, width: int, glyphs: Glyphs) -> str:
    """``label#sequence`` in exactly ``width`` cells; the name gives way, the number never does."""
    number = f"#{sequence}"
    return fit(cut(label, max(1, width - len(number)), glyphs.ellipsis) + number, width, glyphs.ellipsis)


def message_clock(message: Message, room: int, text_width: int, glyphs: Glyphs) -> str:
    """The clock in what a message's text leaves over, or in its share of the line."""
    clock = message.clock
    labels = clock.labels()
    origin, sequence = message.id
    least = cell_len(f"{{{labels.get(origin, origin.name)}:{sequence} {glyphs.ellipsis}+{len(clock)}}}")
    allowed = max(int(room * CLOCK_SHARE), room - text_width - 2, min(least, room // 2))
    news = [labels[origin] for origin, _ in (message.id, *message.parents) if origin in labels]
    return clock_text({labels[origin]: clock[origin] for origin in clock}, allowed, glyphs.ellipsis, news)


def clock_text(clock: Mapping[str, int], width: int, ellipsis: str = "…", first: Iterable[str] = ()) -> str:
    """A clock sorted by name, ``{p1:4 p2:6}``; what does not fit is counted: ``{p1:4 …+7}``.

    Args:
        clock: Sequence numbers by label.
        width: Cells there are; where not even the count fits, the text is empty.
        ellipsis: What stands for entries left out.
        first: Labels that are the last to be left out, most important first.

    >>> clock = {"p1": 4, "p2": 6, "p3": 3}
    >>> clock_text(clock, 20), clock_text(clock, 12), clock_text(clock, 12, first=["p3"])
    ('{p1:4 p2:6 p3:3}', '{p1:4 …+2}', '{p3:3 …+2}')
    """
    names = sorted(clock)[:CLOCK_ENTRIES_LOOKED_AT]
    entries = {name: f"{safe(name, 80)}:{clock[name]}" for name in dict.fromkeys((*first, *names))}
    kept = [name for name in entries if name in clock]
    if len(kept) < len(clock) or sum(cell_len(text) + 1 for text in entries.values()) + 1 > width:
        kept = fitting(entries, width - len(f"{{{ellipsis}+{len(clock)}}}"))
    more = [f"{ellipsis}+{len(clock) - len(kept)}"] if len(kept) < len(clock) else []
    text = "{" + " ".join([*(entries[name] for name in sorted(kept)), *more]) + "}"
    return text if cell_len(text) <= width else ""


def fitting(entries: Mapping[str, str], width: int) -> list[str]:
    """The first of the entries that take at most ``width`` cells together, each with a space."""
    kept = []
    for name, text in entries.items():
        width -= cell_len(text) + 1
        if width < 0:
            break
        kept.append(name)
    return kept


def waiting_text(held: HeldMessage, names: Names, glyphs: Glyphs) -> str:
    """What a held-back message waits for, in words."""
    if not held.waits_for:
        return "waits for its past"
    first = ", ".join(names.dot(dot) for dot in held.waits_for[:2])
    more = len(held.waits_for) - 2
    return f"waits for {first}" + (f" {glyphs.ellipsis}+{more}" if more > 0 else "")
