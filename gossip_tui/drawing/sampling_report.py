"""A finished experiment, or what there is of one, as lines: what was asked, the table, the plots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .figure_table import Course, figure_table
from .line import Line, Role, Span, cell_len, cut, fit, wrap
from .overlay_plots import clustering_plot, dead_links_plot, in_degree_plot
from .panels import panels_for
from .plots import PlotGlyphs

if TYPE_CHECKING:
    from protocol.sim import Experiment

__all__ = ["interrupted_line", "sampling_report"]

NARROWEST, WIDEST = 40, 200
"""Columns that the report is laid out for, however narrow or wide the screen; a choice."""


NO_BREAK = "\u00a0"
"""A space at which no line ends."""


def sampling_report(
    experiments: Sequence[Experiment], courses: Sequence[Course], columns: int, glyphs: PlotGlyphs
) -> Iterator[Line]:
    """Everything there is to show, line by line, at most ``columns`` wide (but never below 40).

    Args:
        experiments: What was asked for; they differ in nothing but their strategies.
        courses: How it went, for the first so many of them; at least one.
        columns: Cells of the screen.
        glyphs: What to draw with.
    """
    columns = max(NARROWEST, min(WIDEST, columns))
    crashes = [crash.cycle for crash in experiments[0].crashes]
    panels = panels_for(len(courses), columns)
    yield from heading(experiments[0], columns, glyphs)
    yield from legend(experiments, courses, columns, glyphs)
    yield from figure_table(courses, crashes, panels, glyphs)
    if not any(course.figures for course in courses):
        return
    yield from in_degree_plot(courses, panels, glyphs)
    if not any(len(course.figures) > 1 for course in courses):
        return
    yield from clustering_plot(courses, crashes, panels, glyphs)
    if any(one.dead_links for course in courses for one in course.figures):
        yield from dead_links_plot(courses, crashes, panels, glyphs)


def heading(experiment: Experiment, columns: int, glyphs: PlotGlyphs) -> Iterator[Line]:
    """What the experiments have in common."""
    facts = [
        f"{experiment.nodes:,} node{'s' * (experiment.nodes != 1)}",
        f"views of {experiment.view_size}",
        f"{experiment.start} start",
        f"{experiment.selection} selection",
        *(f"{100 * crash.share:.4g} % crash after cycle {crash.cycle}" for crash in experiment.crashes),
        *([f"{100 * experiment.churn:.4g} % churn a cycle"] if experiment.churn else []),
        *([f"{100 * experiment.loss:.4g} % loss"] if experiment.loss else []),
        f"seed {experiment.seed}",
    ]
    text = f"{NO_BREAK}{glyphs.dot} ".join(fact.replace(" ", NO_BREAK) for fact in facts)
    yield from ((Span(part.replace(NO_BREAK, " "), Role.TITLE),) for part in wrap(text, columns))
    yield ()


def legend(
    experiments: Sequence[Experiment], courses: Sequence[Course], columns: int, glyphs: PlotGlyphs
) -> Iterator[Line]:
    """The strategies in full, each with what it is called in the table and the plots."""
    named = [(course.label, str(one.strategy)) for course, one in zip(courses, experiments, strict=False)]
    width = max((cell_len(label) for label, strategy in named if strategy not in label), default=0)
    for label, strategy in named:
        text = label if strategy in label else f"{fit(label, width)}  {strategy}"
        yield (Span(cut(text, columns, glyphs.ellipsis), Role.DIM),)
    yield ()


def interrupted_line(experiment: Experiment, course: Course) -> Line:
    """Says that there is less than was asked for, and how much."""
    last = course.figures[-1].cycle if course.figures else None
    reached = "before its first cycle" if last is None else f"after cycle {last} of {experiment.cycles}"
    return (Span(f"Interrupted: {course.label} {reached}.", Role.WARNING),)
