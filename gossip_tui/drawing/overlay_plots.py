"""What an experiment measured as plots: the last in-degrees, and figures over the cycles.

Every strategy has a panel of its own below its name, and all panels of a plot have the same scales, so that
they compare at a glance and no colour is needed to tell them apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count as count_up
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from .figure_table import Course, label_of
from .line import Line, Role, Span, wrap
from .panels import GUTTER, Panel, Panels, row_of
from .plots import PlotGlyphs, Tick, bars, binomial, curve, nice_ceiling, position, tick_row

if TYPE_CHECKING:
    from protocol.sim import CycleFigures

__all__ = ["clustering_plot", "dead_links_plot", "in_degree_plot"]

HEIGHT = 6
"""Rows of a plot: enough to see a shape, and three plots and the table fit on one tall screen."""

SHOWN_SHARE = 0.995
"""Share of the nodes whose in-degrees are inside the plot: a few hubs must not squeeze the rest into one
bar. The table says the largest."""

TICKS = 4
"""In-degrees that have a label, or a few more."""

EDGES = 3
"""Cells of a panel that are no plot: its side, and the gap to the next."""


class Frame(NamedTuple):
    """The axes that all panels of a plot share."""

    top: str
    """What the upper edge stands for."""
    foot: str
    """What the lower axis counts."""
    ticks: Sequence[Tick]
    events: Sequence[int] = ()
    """Columns in which something happened."""


def in_degree_plot(courses: Sequence[Course], panels: Panels, glyphs: PlotGlyphs) -> Iterator[Line]:
    """How many nodes are known by how many: bars, and dots where a random graph would have more."""
    ends = [course.figures[-1] if course.figures else None for course in courses]
    width = panels.width - EDGES
    limit = max((limit_of(end.in_degrees) for end in ends if end is not None), default=0)
    step = bin_size(limit, width)
    count = -(-(limit + 1) // step)
    shares = [binned(shares_of(end), step, count) for end in ends]
    chances = [binned(random_shares(end, step * count), step, count) for end in ends]
    peak = nice_ceiling(100 * max((value for row in (*shares, *chances) for value in row), default=0)) / 100
    frame = Frame(f"{peak * 100:g} %", "in-degree", bar_ticks(step, count, width))
    drawn = [
        bars(share, peak, width, HEIGHT, glyphs, chance)
        for share, chance in zip(shares, chances, strict=True)
    ]
    title = (
        f"In-degree at the end: the share of nodes that so many others know "
        f"({glyphs.reference} in a random graph with as many links)"
    )
    return framed(title, courses, drawn, frame, panels, glyphs)


def clustering_plot(
    courses: Sequence[Course], crashes: Iterable[int], panels: Panels, glyphs: PlotGlyphs
) -> Iterator[Line]:
    """The clustering coefficient over the cycles."""
    title = "Clustering: the chance that two peers of a node know one another"
    return series_plot(title, lambda one: one.clustering, courses, crashes, panels, glyphs)


def dead_links_plot(
    courses: Sequence[Course], crashes: Iterable[int], panels: Panels, glyphs: PlotGlyphs
) -> Iterator[Line]:
    """The share of dead links over the cycles."""
    title = "Dead links: the share of all links that lead to nodes that crashed"
    return series_plot(title, lambda one: one.dead_links, courses, crashes, panels, glyphs, percent=True)


def series_plot(
    title: str,
    value: Callable[[CycleFigures], float],
    courses: Sequence[Course],
    crashes: Iterable[int],
    panels: Panels,
    glyphs: PlotGlyphs,
    *,
    percent: bool = False,
) -> Iterator[Line]:
    """One figure over the cycles, for all strategies on one scale."""
    points = [[(one.cycle, value(one)) for one in course.figures] for course in courses]
    last = max((cycle for row in points for cycle, _ in row), default=0)
    scale = 100 if percent else 1
    top = nice_ceiling(scale * max((y for row in points for _, y in row if math.isfinite(y)), default=0))
    width = panels.width - EDGES
    happened = [cycle for cycle in crashes if cycle < last]
    drawn = [curve(row, last, top / scale, width, HEIGHT, glyphs) for row in points]
    ticks = [Tick(position(cycle, last, width), str(cycle)) for cycle in (0, last, *happened)]
    events = [position(cycle, last, width) for cycle in happened]
    frame = Frame(f"{top:g} %" if percent else f"{top:g}", "cycle", ticks, events)
    return framed(title, courses, drawn, frame, panels, glyphs)


def framed(
    title: str,
    courses: Sequence[Course],
    drawn: Sequence[Sequence[str]],
    frame: Frame,
    panels: Panels,
    glyphs: PlotGlyphs,
) -> Iterator[Line]:
    """Plots with their title, names and axes, one block of lines for each row of panels."""
    columns = GUTTER + panels.abreast * panels.width
    yield from ((Span(text, Role.TITLE),) for text in wrap(title, columns))
    for abreast in panels.rows():
        if panels.count > 1:
            labels = [label_of(courses[one.number], one, panels.width, glyphs) for one in abreast]
            yield row_of("", labels, panels.width)
        yield from framed_block(abreast, drawn, frame, panels.width, glyphs)
    yield ()


def framed_block(
    abreast: Sequence[Panel], drawn: Sequence[Sequence[str]], frame: Frame, width: int, glyphs: PlotGlyphs
) -> Iterator[Line]:
    """The plots that stand beside one another: six rows, an axis, and what it says."""
    labels = {0: frame.top, HEIGHT - 1: "0"}
    for row in range(HEIGHT):
        side = Span(glyphs.tick if row in labels else glyphs.side, Role.DIM)
        parts = [
            (Span(" "), side, *inked(drawn[panel.number][row], panel.role, frame.events, glyphs))
            for panel in abreast
        ]
        yield row_of(f"{labels.get(row, ''):>{GUTTER - 1}}", parts, width)
    floor = (Span(" " + glyphs.corner + glyphs.floor * (width - EDGES), Role.DIM),)
    yield row_of("", [floor] * len(abreast), width)
    foot = (Span("  " + tick_row(frame.ticks, width - EDGES), Role.DIM),)
    yield row_of(f"{frame.foot:>{GUTTER - 1}}", [foot] * len(abreast), width)


def inked(text: str, role: Role, events: Sequence[int], glyphs: PlotGlyphs) -> Line:
    """One row of a plot: the plot in the strategy's colour, events and reference in their own."""
    marked = list(text)
    for column in events:
        if marked[column] == " ":
            marked[column] = glyphs.event
    roles = {glyphs.event: Role.WARNING, glyphs.reference: Role.TEXT}
    return tuple(
        Span("".join(run), kind) for kind, run in groupby(marked, lambda sign: roles.get(sign, role))
    )


def limit_of(in_degrees: Sequence[int]) -> int:
    """The in-degree that ``SHOWN_SHARE`` of the nodes do not exceed.

    >>> limit_of((0, 500, 499, 0, 0, 0, 0, 1))
    2
    """
    wanted = SHOWN_SHARE * sum(in_degrees)
    seen = 0
    for degree, nodes in enumerate(in_degrees):
        seen += nodes
        if seen >= wanted:
            return degree
    return 0


def bin_size(limit: int, width: int) -> int:
    """In-degrees to a bar, so that ``limit`` is still inside: 1 to 5, 10, 20, ...

    >>> bin_size(38, 40), bin_size(77, 20), bin_size(1_000, 20)
    (1, 4, 100)
    """
    return next(number for number in round_numbers(1, 2, 3, 4, 5) if limit // number < width)


def round_numbers(*digits: int) -> Iterator[int]:
    """1, 2, 5, 10, 20, 50, ... without an end; or with other digits before the zeros."""
    for power in count_up(0):
        yield from (digit * 10**power for digit in digits or (1, 2, 5))


def shares_of(figures: CycleFigures | None) -> list[float]:
    """The share of live nodes of each in-degree."""
    if figures is None:
        return []
    total = max(1, sum(figures.in_degrees))
    return [nodes / total for nodes in figures.in_degrees]


def random_shares(figures: CycleFigures | None, count: int) -> list[float]:
    """The same of a random graph with as many nodes and links."""
    if figures is None:
        return []
    return binomial(figures.live_nodes - 1, figures.in_degree_mean, count)


def binned(shares: Sequence[float], step: int, count: int) -> list[float]:
    """Shares added up ``step`` at a time; what is beyond the last bar is left out.

    >>> binned((1, 2, 3, 4, 5), 2, 2)
    [3, 7]
    """
    return [sum(shares[number * step : (number + 1) * step]) for number in range(count)]


def bar_ticks(step: int, count: int, width: int) -> list[Tick]:
    """Labels under the bars that round in-degrees fall into.

    >>> [tick.text for tick in bar_ticks(step=2, count=24, width=48)]
    ['0', '20', '40']
    """
    cells = max(1, width // count)
    period = next(number for number in round_numbers() if number * TICKS >= step * count)
    degrees = range(0, step * count, period)
    return [Tick(degree // step * cells + (cells - 1) // 2, str(degree)) for degree in degrees]
