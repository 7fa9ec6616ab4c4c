"""Curves and bars in text cells: braille dots and block elements, or plain ASCII signs.

Everything here takes numbers and gives back rows of equal width, top row first, without colour and without
axes, so that panels of one scale can stand side by side and be tested by equality.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = [
    "ASCII_PLOT",
    "BRAILLE_PLOT",
    "PlotGlyphs",
    "Tick",
    "bars",
    "binomial",
    "curve",
    "nice_ceiling",
    "position",
    "tick_row",
]

BRAILLE_BLANK = 0x2800
BRAILLE_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""The bit of every dot of a braille character by column and row. Source: Unicode, *Braille Patterns*."""

ASCII_LEVELS = {1: "'", 2: "-", 3: "'", 4: "_", 6: "."}
"""The sign for the dots of one column three high, the topmost counting 1; more than these is a bar."""


@dataclass(frozen=True, slots=True)
class PlotGlyphs:
    """The signs that plots are drawn with, each one cell wide."""

    dots: tuple[int, int]
    """Dots of a cell: across and down."""
    fills: str
    """A cell filled from below, emptiest first."""
    reference: str
    """Where a reference curve passes above bars."""
    side: str
    tick: str
    """A side with a label left of it."""
    corner: str
    floor: str
    event: str
    """Above an event on the axis."""
    bar_full: str
    bar_empty: str
    dot: str
    """Between two facts on one line."""
    ellipsis: str


BRAILLE_PLOT = PlotGlyphs(
    dots=(2, 4),
    fills=" ▁▂▃▄▅▆▇█",
    reference="•",
    side="│",
    tick="┤",
    corner="└",
    floor="─",
    event="┊",
    bar_full="━",
    bar_empty="─",
    dot="·",
    ellipsis="…",
)
"""For terminals that show Unicode, which is nearly all of them."""

ASCII_PLOT = PlotGlyphs(
    dots=(1, 3),
    fills=" _=#",
    reference="o",
    side="|",
    tick="+",
    corner="+",
    floor="-",
    event=":",
    bar_full="#",
    bar_empty=".",
    dot="-",
    ellipsis="~",
)
"""For ``--ascii``: nothing that a serial console or an old font could not show."""


class Tick(NamedTuple):
    """A label under a plot."""

    column: int
    """The cell it belongs to."""
    text: str


def position(value: float, end: float, steps: int) -> int:
    """Which of ``steps`` equal steps a value stands on, of a scale that runs from 0 to ``end``.

    >>> position(0, 10, 5), position(5, 10, 5), position(10, 10, 5), position(99, 10, 5)
    (0, 2, 4, 4)
    """
    if end <= 0:
        return 0
    return max(0, min(steps - 1, round(value / end * (steps - 1))))


def curve(
    points: Iterable[tuple[float, float]],
    x_end: float,
    y_end: float,
    width: int,
    height: int,
    glyphs: PlotGlyphs,
) -> list[str]:
    """A line through points, on scales that start at 0 and end at ``x_end`` and ``y_end``.

    Args:
        points: By growing x; those that are not finite are left out, those outside are put on the edge.
        x_end: What the right edge stands for.
        y_end: What the upper edge stands for.
        width: Cells.
        height: Rows.
        glyphs: What to draw with.
    """
    across, down = glyphs.dots
    columns, rows = width * across, height * down
    places = [
        (position(x, x_end, columns), rows - 1 - position(y, y_end, rows))
        for x, y in points
        if math.isfinite(x) and math.isfinite(y)
    ]
    marks = [[0] * width for _ in range(height)]
    for start, end in zip(places, places[1:] or places, strict=False):
        for x, y in steps_between(start, end):
            marks[y // down][x // across] |= dot_bit(x % across, y % down, glyphs)
    return ["".join(dotted(mark, glyphs) for mark in row) for row in marks]


def steps_between(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The dots of a straight line, both ends included.

    >>> list(steps_between((0, 0), (2, 1)))
    [(0, 0), (1, 0), (2, 1)]
    """
    (x, y), (x_end, y_end) = start, end
    count = max(abs(x_end - x), abs(y_end - y), 1)
    for step in range(count + 1):
        yield x + round((x_end - x) * step / count), y + round((y_end - y) * step / count)


def dot_bit(column: int, row: int, glyphs: PlotGlyphs) -> int:
    """The bit that stands for one dot of a cell."""
    return BRAILLE_DOTS[column][row] if glyphs.dots == (2, 4) else 1 << row


def dotted(mark: int, glyphs: PlotGlyphs) -> str:
    """The character with these dots."""
    if not mark:
        return " "
    return chr(BRAILLE_BLANK + mark) if glyphs.dots == (2, 4) else ASCII_LEVELS.get(mark, "|")


def bars(
    values: Sequence[float],
    y_end: float,
    width: int,
    height: int,
    glyphs: PlotGlyphs,
    reference: Sequence[float] = (),
) -> list[str]:
    """Bars side by side, each as wide as the room allows, with a reference curve behind them.

    A value above nothing never looks like nothing; a reference that is next to nothing is left out. It shows
    where the bars are below it.

    >>> bars((1, 4, 2), 4, 3, 2, BRAILLE_PLOT)
    [' █ ', '▄██']
    """
    cells = max(1, width // max(1, len(values)))
    full = len(glyphs.fills) - 1
    columns = []
    for number, value in enumerate(values):
        filled = max(round(value / y_end * height * full), 1 if value > 0 else 0) if y_end > 0 else 0
        column = [glyphs.fills[max(0, min(full, filled - full * row))] for row in reversed(range(height))]
        above = reference[number] / y_end * height if reference and y_end > 0 else 0.0
        place = max(0, height - 1 - int(above))
        if above * full >= 1 and column[place] == glyphs.fills[0]:
            column[place] = glyphs.reference
        columns += [column] * cells
    return ["".join(column[row] for column in columns).ljust(width) for row in range(height)]


def nice_ceiling(value: float) -> float:
    """The least number not below ``value`` that reads well on an axis; 1 where there is nothing to show.

    >>> nice_ceiling(0.219), nice_ceiling(37), nice_ceiling(0.5), nice_ceiling(0)
    (0.25, 40.0, 0.5, 1.0)
    """
    if not value > 0 or not math.isfinite(value):
        return 1.0
    power = math.floor(math.log10(value))
    for digits in (10, 15, 20, 25, 30, 40, 50, 60, 80, 100):
        nice = digits * 10.0**power / 10 if power >= 0 else digits / (10 * 10**-power)
        if nice >= value:
            return nice
    return value


def tick_row(ticks: Iterable[Tick], width: int) -> str:
    """The labels under a plot, each centred on its column as far as it fits; the first named win the room.

    >>> tick_row([Tick(0, "0"), Tick(11, "120"), Tick(9, "100"), Tick(5, "50")], 12)
    '0   50   120'
    """
    row = [" "] * width
    for column, text in ticks:
        start = max(0, min(width - len(text), column - len(text) // 2))
        room = row[max(0, start - 1) : start + len(text) + 1]
        if len(text) <= width and not "".join(room).strip():
            row[start : start + len(text)] = text
    return "".join(row)


def binomial(trials: int, mean: float, count: int) -> list[float]:
    """The chances of 0, 1, ... ``count`` - 1 successes of so many trials, with so many to be expected.

    The in-degrees of a graph whose links lead anywhere are spread like this, with one trial for every other
    node.

    >>> [round(chance, 3) for chance in binomial(2, 1.0, 4)]
    [0.25, 0.5, 0.25, 0.0]
    """
    if trials <= 0 or not 0 < mean < trials:
        certain = max(0, min(trials, round(mean))) if math.isfinite(mean) else 0
        return [1.0 if number == certain else 0.0 for number in range(count)]
    hit, miss = math.log(mean / trials), math.log1p(-mean / trials)
    whole = math.lgamma(trials + 1)
    return [
        math.exp(
            whole
            - math.lgamma(number + 1)
            - math.lgamma(trials - number + 1)
            + number * hit
            + (trials - number) * miss
        )
        if number <= trials
        else 0.0
        for number in range(count)
    ]
