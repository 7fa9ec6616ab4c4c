from __future__ import annotations

import pytest

from gossip_tui.drawing.line import Role, plain
from gossip_tui.drawing.plots import ASCII_PLOT, BRAILLE_PLOT
from gossip_tui.drawing.sketch import Sketch


def text(sketch: Sketch) -> list[str]:
    return [plain(row) for row in sketch.rows()]


def test_lines_run_from_the_middle_of_a_cell_to_that_of_another() -> None:
    sketch = Sketch(6, 3, BRAILLE_PLOT)
    sketch.line((0, 0), (5, 2), Role.NEW, 1)
    assert text(sketch) == ["⠠⡀    ", " ⠈⠑⢄  ", "    ⠉⠢"]


def test_in_ascii_lines_are_made_of_ascii() -> None:
    sketch = Sketch(6, 3, ASCII_PLOT)
    sketch.line((0, 0), (5, 2), Role.NEW, 1)
    assert text(sketch) == ["-_    ", "  '_  ", "    '-"]


def test_every_third_dot_is_a_third_of_the_dots() -> None:
    def dots(gap: int) -> int:
        sketch = Sketch(20, 1, BRAILLE_PLOT)
        sketch.line((0, 0), (19, 0), Role.DIM, 1, gap=gap)
        return sum((ord(sign) - 0x2800).bit_count() for sign in text(sketch)[0] if sign != " ")

    assert dots(1) == 39
    assert dots(3) == 13


def test_the_more_important_line_gives_the_cell_its_colour_whichever_came_first() -> None:
    for order in ((1, 2), (2, 1)):
        sketch = Sketch(3, 1, BRAILLE_PLOT)
        for rank in order:
            sketch.line((0, 0), (2, 0), Role.DIM if rank == 1 else Role.NEW, rank)
        assert {span.role for span in sketch.rows()[0]} == {Role.NEW}


def test_signs_stand_over_dots_and_take_their_room() -> None:
    sketch = Sketch(8, 1, BRAILLE_PLOT)
    sketch.line((0, 0), (7, 0), Role.DIM, 1)
    assert sketch.is_free(2, 0, 3)
    sketch.put(2, 0, "abc", Role.OWN)
    assert text(sketch)[0][2:5] == "abc"
    assert not sketch.is_free(4, 0, 2)
    assert not sketch.is_free(6, 0, 3)
    sketch.put(7, 0, "beyond", Role.OWN)
    assert len(text(sketch)[0]) == 8


def test_a_copy_is_drawn_on_alone() -> None:
    sketch = Sketch(4, 1, BRAILLE_PLOT)
    copied = sketch.copy()
    copied.line((0, 0), (3, 0), Role.NEW, 1)
    copied.put(0, 0, "x", Role.OWN)
    assert text(sketch) == ["    "]
    assert text(copied)[0][0] == "x"


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 5)])
def test_the_smallest_sketches_can_be_drawn_on(size: tuple[int, int]) -> None:
    sketch = Sketch(*size, BRAILLE_PLOT)
    sketch.line((0, 0), (size[0] - 1, size[1] - 1), Role.NEW, 1)
    assert len(text(sketch)) == size[1]
