"""Dials as lines: a name, where it stands, a bar, and above them what faults did so far."""

from __future__ import annotations

from typing import NamedTuple

from gossip_tui.experiments import NodeState
from gossip_tui.text import safe
from gossip_tui.theme import Glyphs
from protocol.core.faults import FaultReport

from .dials import CUT, CUT_OFF, EVERYBODY, HERE, REACHED, SCALES, WHOLE, Bench, Dial, Kind, Value, reset
from .line import Line, Role, Span, cell_len, cut, fit, right

__all__ = ["Turning", "board_title", "dial_line", "totals_lines"]

LABEL_WIDTH = 11
"""Cells of a dial's name: ``applies to`` and a space."""

NUMBER_WIDTH = 7
"""Cells of a number: ``3600000``."""

LONGEST_BAR = 30
"""Cells of a bar at the most: longer ones say no more."""

SHORTEST_BAR = 5

DISTURBED = {CUT, CUT_OFF, NodeState.STOPPED.value, NodeState.CRASHED.value}
"""Words that a dial does not usually stand at."""


class Turning(NamedTuple):
    """A dial that a person turns right now."""

    value: Value
    text: str = ""
    """The number as it is typed; empty while the dial is turned by arrows."""


def dial_line(dial: Dial, turning: Turning | None, width: int, glyphs: Glyphs) -> Line:
    """One dial: its name, where it stands, and a bar if it is a number.

    What is not yet in force carries the mark of a change behind it.
    """
    value = dial.value if turning is None else turning.value
    role = Role.LATE if is_unusual(dial, value) else Role.TEXT
    mark = f" {glyphs.changed}" if turning is not None else ""
    name = Span(" " + fit(dial.label, LABEL_WIDTH, glyphs.ellipsis), Role.DIM)
    scale = SCALES.get(dial.kind)
    if scale is None or isinstance(value, str):
        room = max(0, width - LABEL_WIDTH - 1 - len(mark))
        return name, Span(cut(safe(str(value), 80), room, glyphs.ellipsis), role), Span(mark, Role.LATE)
    text = turning.text + "_" if turning is not None and turning.text else number_text(value)
    number = right(text, NUMBER_WIDTH, glyphs.ellipsis) + " " + fit(scale.unit, 2)
    room = min(LONGEST_BAR, width - LABEL_WIDTH - 1 - cell_len(number) - 2 - 2)
    bar: Line = ()
    if room >= SHORTEST_BAR:
        full = min(room, round(value / scale.full * room)) if value else 0
        full = max(full, 1) if value else 0
        bar = (
            Span(" "),
            Span(glyphs.bar_full * full, role if role is Role.LATE else Role.HEAT_5),
            Span(glyphs.bar_empty * (room - full), Role.DIM),
        )
    return name, Span(number, role), *bar, Span(mark, Role.LATE)


def is_unusual(dial: Dial, value: Value) -> bool:
    """Whether a dial stands where something is disturbed, or other than nodes usually are."""
    if dial.kind in {Kind.SCOPE, Kind.TARGET, Kind.STRATEGY, Kind.SPREADING}:
        return value not in {HERE, EVERYBODY} and dial.kind in {Kind.SCOPE, Kind.TARGET}
    if dial.kind is Kind.CUT:
        return value not in {WHOLE, REACHED}
    if dial.kind is Kind.NODE:
        return value in DISTURBED
    return dial.kind not in {Kind.FANOUT, Kind.VIEW_SIZE} and value != reset(dial)


def number_text(number: float) -> str:
    """A number without a fraction that says nothing; up to three places.

    >>> number_text(20.0), number_text(12.5), number_text(3600000.0)
    ('20', '12.5', '3600000')
    """
    return f"{number:.3f}".rstrip("0").rstrip(".")


def totals_lines(bench: Bench, width: int, glyphs: Glyphs) -> tuple[Line, Line]:
    """What faults did so far, and what is in force, in two lines."""
    report = bench.totals
    where = "in the swarm" if bench.swarm and bench.is_demo else "here"
    done = f" so far {where}: {report.dropped:,} dropped{reasons(report)}"
    more = f" {report.delayed:,} delayed {glyphs.dot} {report.duplicated:,} doubled"
    more += f" {glyphs.dot} {report.waiting:,} waiting now"
    role = Role.TEXT if report.dropped or report.delayed or report.duplicated else Role.DIM
    return (
        (Span(cut(done, width, glyphs.ellipsis), role),),
        (Span(cut(more, width, glyphs.ellipsis), role),),
    )


def reasons(report: FaultReport) -> str:
    """Why datagrams were dropped, where there is more than chance."""
    parts = [
        f"{report.lost:,} lost" if report.lost else "",
        f"{report.stopped:,} cut off" if report.stopped else "",
        f"{report.overflowed:,} for want of room" if report.overflowed else "",
    ]
    shown = ", ".join(part for part in parts if part)
    return f" ({shown})" if shown else ""


def board_title(bench: Bench | None, width: int) -> str:
    """The title of the pane: whose dials these are, as much of it as there is room for."""
    if bench is None:
        return cut("Faults", width)
    long = f"Faults  seen from {safe(bench.snapshot.id.name, 40)}"
    return long if cell_len(long) <= width else cut("Faults", width)
