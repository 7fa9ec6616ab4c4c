"""What the panel of the tour says; pure functions of a step and a width."""

from __future__ import annotations

from typing import NamedTuple

from gossip_tui.theme import Glyphs
from gossip_tui.tour import Step

from .line import Line, Role, Span, cut, width_of, wrap

__all__ = ["Choice", "choice_at", "tour_lines", "waiting_line"]


class Choice(NamedTuple):
    """Something that a key, or a click on its label, does in the panel."""

    action: str
    key: str
    label: str

    @property
    def text(self) -> str:
        """How the panel writes it."""
        return f"{self.key} {self.label}"


CHOICES = (Choice("next", "^n", "Next"), Choice("skip", "^t", "Skip"), Choice("never", "^o", "Never again"))
"""What can be done beside what the step asks for."""

GAP = "  "


def tour_lines(step: Step, number: int, count: int, pane: str, width: int, glyphs: Glyphs) -> list[Line]:
    """The step: where one is and where to look, what to do, and the keys, beside the title if they fit there.

    Args:
        step: What is to be done.
        number: Which step that is, from 1.
        count: How many there are.
        pane: What the pane is called that the step points at.
        width: Cells of the panel.
        glyphs: What to draw with.
    """
    head: Line = (
        Span(f" Tour {number}/{count}{GAP}", Role.DIM),
        Span(step.title, Role.MENTION),
        Span(f"{GAP}{glyphs.pointer} {pane}", Role.DIM),
    )
    task = step.task.format(concurrent=glyphs.concurrent, inserted=glyphs.inserted)
    body: list[Line] = [(Span(" " + text),) for text in wrap(task, max(8, width - 2))]
    keys = choices_line()
    room = width - width_of(head) - width_of(keys)
    if room >= len(GAP):
        return [(*head, Span(" " * room), *keys), *body]
    return [head, *body, keys]


def waiting_line(width: int, columns: int, rows: int, glyphs: Glyphs) -> Line:
    """The one line that stands for the tour where it has no room."""
    skip = CHOICES[1]
    text = f" The tour needs {columns} x {rows} cells{GAP}{skip.text}"
    return (Span(cut(text, width, glyphs.ellipsis), Role.DIM),)


def choices_line() -> Line:
    """The keys, one behind the other."""
    spans: list[Span] = []
    for choice in CHOICES:
        spans += [Span(" "), Span(choice.key, Role.OWN), Span(f" {choice.label} ", Role.DIM)]
    return tuple(spans)


def choice_at(line: str, x: int) -> Choice | None:
    """The choice that is written at cell ``x`` of a line of the panel, if any."""
    for choice in CHOICES:
        start = line.rfind(choice.text)
        if start >= 0 and start <= x < start + len(choice.text):
            return choice
    return None
