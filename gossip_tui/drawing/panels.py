"""Columns for several strategies: one panel for each, of one width, beside a gutter of names.

Tables and plots are laid out in the same panels, so that everything about a strategy stands below its name.
Where the screen is too narrow for all of them, they continue below one another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from .line import ORIGINS, Line, Role, Span, width_of

__all__ = ["CELL", "GUTTER", "Panel", "Panels", "panels_for", "row_of"]

GUTTER = 16
"""Cells left of the panels: the longest name of a figure, and a space."""

CELL = 7
"""Cells of one number of a table, the space before it included."""

NARROWEST = 3 * CELL
"""Cells of a panel at the least: three cycles; of one panel alone, whatever there is."""

WIDEST = 9 * CELL
"""Cells of a panel at the most: a wider plot of a hundred cycles shows no more."""

Item = TypeVar("Item")


class Panel(NamedTuple):
    """One strategy's column."""

    number: int
    """Its place among all strategies, from 0."""
    role: Role
    """How its plots are coloured; its place and its name say the same."""


@dataclass(frozen=True, slots=True)
class Panels:
    """How a number of strategies are laid out."""

    count: int
    width: int
    """Cells of each panel, the gap to its neighbour included."""
    abreast: int
    """Panels beside one another."""

    def rows(self) -> Iterator[list[Panel]]:
        """The panels that stand beside one another, row by row."""
        for start in range(0, self.count, self.abreast):
            end = min(self.count, start + self.abreast)
            yield [Panel(number, ORIGINS[number % len(ORIGINS)]) for number in range(start, end)]


def panels_for(count: int, columns: int) -> Panels:
    """The layout of ``count`` strategies on a screen of so many columns.

    >>> panels_for(3, 80)
    Panels(count=3, width=21, abreast=3)
    >>> panels_for(3, 60)
    Panels(count=3, width=22, abreast=2)
    """
    room = max(1, columns - GUTTER)
    abreast = max(1, min(count, room // NARROWEST))
    abreast = -(-count // -(-count // abreast))
    return Panels(count, max(2, min(WIDEST, room // abreast)), abreast)


def row_of(name: str, parts: Sequence[Line], width: int, role: Role = Role.DIM) -> Line:
    """One line across the panels: a name in the gutter, then a part for each panel; no blanks at the end."""
    spans = [Span(name.ljust(GUTTER), role)]
    for part in parts:
        spans += [*part, Span(" " * (width - width_of(part)))]
    while spans and not spans[-1].text.strip():
        spans.pop()
    if spans:
        spans[-1] = Span(spans[-1].text.rstrip(), spans[-1].role)
    return tuple(spans)
