"""A line of a pane before it has colours: spans of safe text, each with the role it plays.

Panes draw lines; a palette (``gossip_tui.theme``) turns roles into styles. So what is drawn is tested by
equality of plain strings, and a change of theme changes no drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

__all__ = [
    "HEAT",
    "ORIGINS",
    "Line",
    "Role",
    "Span",
    "cell_len",
    "cut",
    "fit",
    "plain",
    "right",
    "split",
    "to_strip",
    "width_of",
    "wrap",
]


class Role(StrEnum):
    """What a piece of text is, so that a palette can say how it looks."""

    TEXT = "text"
    DIM = "dim"
    TITLE = "title"
    OWN = "own"
    MENTION = "mention"
    MATCH = "match"
    CONCURRENT = "concurrent"
    NEW = "new"
    LATE = "late"
    HELD = "held"
    CLOCK = "clock"
    GOOD = "good"
    BAD = "bad"
    WARNING = "warning"
    BANNER = "banner"
    CURSOR = "cursor"
    PAST = "past"
    FUTURE = "future"
    FAINT = "faint"
    HEAT_0 = "heat-0"
    HEAT_1 = "heat-1"
    HEAT_2 = "heat-2"
    HEAT_3 = "heat-3"
    HEAT_4 = "heat-4"
    HEAT_5 = "heat-5"
    HEAT_6 = "heat-6"
    HEAT_7 = "heat-7"
    ORIGIN_0 = "origin-0"
    ORIGIN_1 = "origin-1"
    ORIGIN_2 = "origin-2"
    ORIGIN_3 = "origin-3"
    ORIGIN_4 = "origin-4"
    ORIGIN_5 = "origin-5"
    ORIGIN_6 = "origin-6"
    ORIGIN_7 = "origin-7"


HEAT = tuple(role for role in Role if role.startswith("heat-"))
"""The ramp for ages, youngest first."""

ORIGINS = tuple(role for role in Role if role.startswith("origin-"))
"""The colours that tell origins apart, beside their names."""


class Span(NamedTuple):
    """A piece of a line: safe text and what it is."""

    text: str
    role: Role = Role.TEXT


Line = tuple[Span, ...]
"""Spans from left to right."""


def plain(line: Iterable[Span]) -> str:
    """The text of a line without its roles.

    >>> plain((Span("p2", Role.OWN), Span(" hello")))
    'p2 hello'
    """
    return "".join(span.text for span in line)


def width_of(line: Iterable[Span]) -> int:
    """Cells that a line takes."""
    return sum(cell_len(span.text) for span in line)


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """``text``, or as much of it as fits ``width`` cells with the ellipsis after it; never wider.

    >>> cut("hello there", 8), cut("hello", 8)
    ('hello t…', 'hello')
    """
    if cell_len(text) <= width:
        return text
    room = width - cell_len(ellipsis)
    return set_cell_size(text, room) + ellipsis if room >= 0 else ellipsis[: max(0, width)]


def wrap(text: str, width: int, lines: int | None = None) -> list[str]:
    """``text`` as so many lines at the most, broken between words; the last may be too wide, for ``cut``.

    Only a word that is wider than a line is broken inside. Without a number it takes what it takes.

    >>> wrap("hello there, you", 8, 3), wrap("hello there, you", 8, 2)
    (['hello', 'there,', 'you'], ['hello', 'there, you'])
    >>> wrap("早安早安早安", 5, 4)
    ['早安', '早安', '早安']
    """
    found: list[str] = []
    while (lines is None or len(found) < lines - 1) and cell_len(text) > width:
        room = len(next(filter(None, chop_cells(text, max(1, width)))))
        blank = text.rfind(" ", 0, room + 1)
        end = blank if blank > 0 else room
        found.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return [*found, text]


def fit(text: str, width: int, ellipsis: str = "…") -> str:
    """``text`` cut or padded on the right to exactly ``width`` cells."""
    text = cut(text, width, ellipsis)
    return text + " " * (width - cell_len(text))


def right(text: str, width: int, ellipsis: str = "…") -> str:
    """``text`` cut or padded on the left to exactly ``width`` cells."""
    text = cut(text, width, ellipsis)
    return " " * (width - cell_len(text)) + text


def split(line: Line, start: int, end: int) -> tuple[Line, Line, Line]:
    """A line in three parts: before character ``start``, up to character ``end`` (-1: all the rest), behind.

    >>> [plain(part) for part in split((Span("ab"), Span("cd")), 1, 3)]
    ['a', 'bc', 'd']
    """
    parts: tuple[list[Span], list[Span], list[Span]] = ([], [], [])
    at = 0
    for span in line:
        stop = at + len(span.text)
        low = max(at, min(start, stop))
        high = stop if end < 0 else max(low, min(end, stop))
        for part, text in zip(
            parts,
            (span.text[: low - at], span.text[low - at : high - at], span.text[high - at :]),
            strict=True,
        ):
            part.append(Span(text, span.role))
        at = stop
    return tuple(parts[0]), tuple(parts[1]), tuple(parts[2])


def to_strip(
    line: Iterable[Span], palette: Mapping[Role, Style], width: int, over: Role | None = None
) -> Strip:
    """A line in the colours of a palette, exactly ``width`` cells.

    Args:
        line: What to draw; cut where it is too wide.
        palette: A style for each role.
        width: Cells of the strip.
        over: A role laid over the whole line, such as the cursor's.
    """
    top = palette[over] if over is not None else Style.null()
    segments = [Segment(span.text, palette[span.role] + top) for span in line if span.text]
    return Strip(segments).adjust_cell_length(width, palette[Role.TEXT] + top)
