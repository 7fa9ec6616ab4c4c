"""What an experiment measured as a table: figures down, a few telling cycles across, strategies abreast."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .line import Line, Role, Span, cut
from .panels import CELL, Panel, Panels, row_of
from .plots import PlotGlyphs

if TYPE_CHECKING:
    from protocol.sim import Broadcast, CycleFigures

__all__ = ["Course", "figure_table", "label_of", "telling_cycles"]

AFTER_CRASH = (5, 20, 1, 10)
"""Cycles after a crash that are shown, the most telling first: healing is over, or not, by then."""

ROUND_CYCLES = (10, 50, 20, 5, 100, 200, 500, 1_000, 2_000, 5_000)
"""Cycles that are shown where nothing happened, the most telling first: most changes come early."""


class Course(NamedTuple):
    """How an experiment went with one strategy, as far as it went."""

    label: str
    """What the strategy is called here, safe to draw."""
    figures: Sequence[CycleFigures]
    """By cycle; empty where it was interrupted at once."""
    broadcast: Broadcast | None
    """Over the last views; None where it was interrupted."""


class Row(NamedTuple):
    """One figure: its name, and how to tell it of a cycle."""

    name: str
    text: Callable[[CycleFigures], str]


def figure_table(
    courses: Sequence[Course], crashes: Iterable[int], panels: Panels, glyphs: PlotGlyphs
) -> Iterator[Line]:
    """The table, one block of lines for each row of panels, blank lines between them.

    Args:
        courses: One for each panel.
        crashes: The cycles after which nodes crashed.
        panels: Where the strategies stand.
        glyphs: What to draw with.
    """
    crashed = sorted(set(crashes))
    rows = shown_rows(courses, has_crash=bool(crashed))
    for abreast in panels.rows():
        yield from table_block(courses, abreast, rows, crashed, panels.width, glyphs)


def table_block(
    courses: Sequence[Course],
    abreast: Sequence[Panel],
    rows: Sequence[Row],
    crashes: list[int],
    width: int,
    glyphs: PlotGlyphs,
) -> Iterator[Line]:
    """The lines for the strategies that stand beside one another."""
    shown = [columns_of(courses[panel.number], crashes, width) for panel in abreast]
    yield row_of("", [label_of(courses[panel.number], panel, width, glyphs) for panel in abreast], width)
    heads = [cells([str(figures.cycle) for figures in column], Role.DIM) for column in shown]
    yield row_of("after cycle", heads, width)
    for row in rows:
        yield row_of(row.name, [cells([row.text(figures) for figures in column]) for column in shown], width)
    yield from broadcast_rows(courses, abreast, shown, width)
    yield ()


def label_of(course: Course, panel: Panel, width: int, glyphs: PlotGlyphs) -> Line:
    """The name of a strategy at the head of its panel."""
    return (Span(" "), Span(cut(course.label, width - 2, glyphs.ellipsis), panel.role))


def columns_of(course: Course, crashes: list[int], width: int) -> list[CycleFigures]:
    """The figures of the telling cycles, as many as the panel has room for."""
    by_cycle = {figures.cycle: figures for figures in course.figures}
    return [by_cycle[cycle] for cycle in telling_cycles(list(by_cycle), crashes, width // CELL)]


def telling_cycles(recorded: Sequence[int], crashes: Sequence[int], count: int) -> list[int]:
    """At most ``count`` of the recorded cycles: the end, the start, before and after crashes, some between.

    Of a cycle that was not recorded the next one that was is taken.

    >>> telling_cycles(range(121), [100], 3), telling_cycles(range(121), [100], 5)
    ([0, 100, 120], [0, 10, 100, 105, 120])
    """
    if not recorded:
        return []
    wanted = [recorded[-1], recorded[0], *crashes]
    wanted += [crash + span for span in AFTER_CRASH[:1] for crash in crashes]
    wanted += [ROUND_CYCLES[0]]
    wanted += [crash + span for span in AFTER_CRASH[1:] for crash in crashes]
    wanted += ROUND_CYCLES[1:]
    places = [bisect_left(recorded, cycle) for cycle in wanted]
    chosen = dict.fromkeys(recorded[place] for place in places if place < len(recorded))
    return sorted(list(chosen)[: max(1, count)])


def cells(texts: Iterable[str], role: Role = Role.TEXT) -> Line:
    """Numbers of a table, right-aligned."""
    return (Span("".join(text.rjust(CELL) for text in texts), role),)


def broadcast_rows(
    courses: Sequence[Course],
    abreast: Sequence[Panel],
    shown: Sequence[Sequence[CycleFigures]],
    width: int,
) -> Iterator[Line]:
    """What a broadcast over the last views did, below the last cycle; nothing if there was none."""
    found = [courses[panel.number].broadcast for panel in abreast]
    fanouts = [broadcast.fanout for broadcast in found if broadcast is not None]
    if not fanouts:
        return
    yield ()
    yield (Span(f"Broadcast over the last views, fan-out {fanouts[0]}", Role.DIM),)
    texts: tuple[tuple[str, Callable[[Broadcast], str]], ...] = (
        ("reaches", lambda one: share_text(one.coverage)),
        ("extra copies", lambda one: number_text(one.redundancy, 2)),
        ("last hop", lambda one: number_text(one.last_hop, 1)),
    )
    for name, text in texts:
        parts = [
            last_cell(text(one) if one is not None else "-" * bool(column), len(column))
            for one, column in zip(found, shown, strict=True)
        ]
        yield row_of(name, parts, width)


def last_cell(text: str, count: int) -> Line:
    """A number below the last of ``count`` columns."""
    return (Span(text.rjust(CELL * max(1, count))),)


def shown_rows(courses: Sequence[Course], *, has_crash: bool) -> list[Row]:
    """The figures worth a row: those of dead links only where there are any."""
    rows = [
        Row("live nodes", lambda one: count_text(one.live_nodes)),
        Row("clustering", lambda one: number_text(one.clustering, 4)),
        Row("path length", lambda one: number_text(one.path_length, 2)),
        Row("in-degree mean", lambda one: number_text(one.in_degree_mean, 1)),
        Row("in-degree std", lambda one: number_text(one.in_degree_std, 1)),
        Row("in-degree min", lambda one: count_text(one.in_degree_min)),
        Row("in-degree max", lambda one: count_text(one.in_degree_max)),
        Row("components", lambda one: count_text(one.components)),
        Row("largest of them", lambda one: share_text(one.largest_component / max(1, one.live_nodes))),
    ]
    if has_crash or any(one.dead_links for course in courses for one in course.figures):
        rows.append(Row("dead links", lambda one: share_text(one.dead_links)))
    if has_crash:
        rows.append(Row("left since crash", lambda one: share_text(one.dead_links_of_crash)))
    return rows


def number_text(value: float | None, decimals: int) -> str:
    """A number in at most six cells; a dash for none.

    >>> number_text(0.21904, 4), number_text(2.165, 2), number_text(12345.67, 1), number_text(None, 1)
    ('0.2190', '2.17', '12346', '-')
    """
    if value is None or not math.isfinite(value):
        return "-"
    text = f"{value:.{decimals}f}"
    return text if len(text) < CELL else count_text(round(value))


def count_text(count: int) -> str:
    """A whole number in at most six cells.

    >>> count_text(1000), count_text(1_250_000)
    ('1000', '1.2M')
    """
    return str(count) if count < 1_000_000 else f"{count / 1e6:.1f}M"


def share_text(share: float | None) -> str:
    """A share as percent; what is not all of it is never called so, nor is what is not nothing.

    >>> share_text(1), share_text(0.9999), share_text(0.4567), share_text(0.0001), share_text(None)
    ('100 %', '99.9 %', '45.7 %', '0.1 %', '-')
    """
    if share is None or not math.isfinite(share):
        return "-"
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    return f"{min(99.9, max(0.1, share * 100)):.1f} %"
