"""Straight lines of dots on a grid of cells: braille, or what plain ASCII has of it.

Every cell has one colour, that of the most important line in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from .line import Role, Span
from .plots import PlotGlyphs, dot_bit, dotted, steps_between

__all__ = ["Sketch"]


class Sketch:
    """A grid of cells with dots in them, and signs over the dots.

    Args:
        width: Cells.
        height: Rows.
        glyphs: What dots are made of.
    """

    def __init__(self, width: int, height: int, glyphs: PlotGlyphs) -> None:
        self.width = width
        self.height = height
        self.glyphs = glyphs
        across, down = glyphs.dots
        self._bits = [[dot_bit(x, y, glyphs) for y in range(down)] for x in range(across)]
        self._marks = [[0] * width for _ in range(height)]
        self._roles = [[Role.FAINT] * width for _ in range(height)]
        self._ranks = [[0] * width for _ in range(height)]
        self._signs: dict[tuple[int, int], tuple[str, Role]] = {}

    def copy(self) -> Sketch:
        """Another sketch like this one, to draw more on."""
        other = Sketch(0, 0, self.glyphs)
        other.width, other.height = self.width, self.height
        other._marks = [row.copy() for row in self._marks]
        other._roles = [row.copy() for row in self._roles]
        other._ranks = [row.copy() for row in self._ranks]
        other._signs = dict(self._signs)
        return other

    def line(
        self, start: tuple[int, int], end: tuple[int, int], role: Role, rank: int, *, gap: int = 1
    ) -> None:
        """Draw a line between the middles of two cells.

        Args:
            start: Column and row of one end.
            end: Those of the other.
            role: Its colour.
            rank: How important it is; of two lines through one cell the more important gives it its colour.
            gap: Only every so many dots are drawn, counted over all lines, so that crossing lines stay light.
        """
        across, down = self.glyphs.dots
        marks, roles, ranks, bits = self._marks, self._roles, self._ranks, self._bits
        first, last = ((x * across + across // 2, y * down + down // 2) for x, y in (start, end))
        for number, (x, y) in enumerate(steps_between(first, last)):
            if number % gap:
                continue
            column, row = x // across, y // down
            marks[row][column] |= bits[x % across][y % down]
            if rank >= ranks[row][column]:
                ranks[row][column] = rank
                roles[row][column] = role

    def put(self, x: int, y: int, text: str, role: Role) -> None:
        """Write signs over the dots, one a cell, as far as there are cells."""
        for place, sign in enumerate(text, x):
            if 0 <= place < self.width and 0 <= y < self.height:
                self._signs[place, y] = sign, role

    def is_free(self, x: int, y: int, width: int) -> bool:
        """Whether so many cells are there and have no sign in them."""
        inside = 0 <= y < self.height and x >= 0 and x + width <= self.width
        return inside and not any((place, y) in self._signs for place in range(x, x + width))

    def rows(self) -> list[tuple[Span, ...]]:
        """What was drawn, a line a row, cells of one colour together."""
        return [
            self._row(y, marks, roles)
            for y, (marks, roles) in enumerate(zip(self._marks, self._roles, strict=True))
        ]

    def _row(self, y: int, marks: Sequence[int], roles: Sequence[Role]) -> tuple[Span, ...]:
        signs, glyphs = self._signs, self.glyphs
        spans: list[Span] = []
        text: list[str] = []
        current = Role.FAINT
        for x in range(self.width):
            placed = signs.get((x, y))
            if placed is not None:
                sign, role = placed
            else:
                mark = marks[x]
                sign, role = dotted(mark, glyphs), roles[x] if mark else current
            if role is not current:
                if text:
                    spans.append(Span("".join(text), current))
                text, current = [], role
            text.append(sign)
        if text:
            spans.append(Span("".join(text), current))
        return tuple(spans)
