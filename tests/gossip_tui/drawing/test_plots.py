"""Curves and bars, dot by dot."""

from __future__ import annotations

import math

import pytest

from gossip_tui.drawing.plots import (
    ASCII_PLOT,
    BRAILLE_PLOT,
    PlotGlyphs,
    Tick,
    bars,
    binomial,
    curve,
    nice_ceiling,
    tick_row,
)


def test_a_curve_joins_its_points_with_braille_dots() -> None:
    assert curve([(0, 0), (10, 10)], 10, 10, 4, 2, BRAILLE_PLOT) == ["  ⡠⠊", "⡠⠊  "]


def test_a_curve_in_ascii_has_three_heights_to_a_row_and_bars_where_it_is_steep() -> None:
    assert curve([(0, 0), (4, 1), (5, 10)], 5, 10, 6, 3, ASCII_PLOT) == ["     |", "    .'", "___-' "]


def test_a_jump_is_a_line_up() -> None:
    assert curve([(0, 0), (5, 0), (5, 10), (10, 10)], 10, 10, 5, 2, BRAILLE_PLOT) == ["  ⡏⠉⠉", "⣀⣀⡇  "]


def test_what_is_outside_stays_on_the_edge_and_what_is_no_number_is_left_out() -> None:
    points = [(0.0, 99.0), (5.0, math.nan), (10.0, 99.0)]
    assert curve(points, 10, 10, 3, 2, BRAILLE_PLOT) == ["⠉⠉⠉", "   "]


@pytest.mark.parametrize("points", [[], [(0, math.nan)]])
def test_no_points_are_an_empty_plot(points: list[tuple[float, float]]) -> None:
    assert curve(points, 10, 10, 3, 2, BRAILLE_PLOT) == ["   ", "   "]


def test_one_point_is_a_dot() -> None:
    assert curve([(0, 0)], 0, 1, 3, 1, BRAILLE_PLOT) == ["⡀  "]


@pytest.mark.parametrize("glyphs", [BRAILLE_PLOT, ASCII_PLOT])
def test_plots_have_the_size_that_was_asked_for(glyphs: PlotGlyphs) -> None:
    drawn = [
        curve([(0, 1), (3, 8), (9, 2)], 9, 8, 11, 4, glyphs),
        bars((1, 2, 3), 3, 11, 4, glyphs, (3, 2, 1)),
        bars((), 3, 11, 4, glyphs),
    ]
    assert [{len(row) for row in rows} for rows in drawn] == [{11}] * 3
    assert [len(rows) for rows in drawn] == [4] * 3


def test_bars_fill_cells_by_eighths_and_share_the_width() -> None:
    assert bars((0, 1, 8, 16), 16, 8, 2, BRAILLE_PLOT) == ["      ██", "  ▁▁████"]


def test_a_bar_above_nothing_never_looks_like_nothing() -> None:
    assert bars((0.001, 0), 100, 2, 1, BRAILLE_PLOT) == ["▁ "]
    assert bars((0.001, 0), 100, 2, 1, ASCII_PLOT) == ["_ "]


def test_a_reference_shows_where_the_bars_are_below_it() -> None:
    assert bars((2, 4, 0), 4, 3, 2, BRAILLE_PLOT, (4, 1, 1)) == ["•█ ", "██•"]
    assert bars((0, 0), 4, 2, 2, BRAILLE_PLOT, (0.001, 0.3)) == ["  ", " •"]


def test_no_scale_is_no_bars() -> None:
    assert bars((0, 0), 0, 2, 1, BRAILLE_PLOT, (0, 0)) == ["  "]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (0.0, 1),
        (-3, 1),
        (math.nan, 1),
        (math.inf, 1),
        (0.21, 0.25),
        (0.3, 0.3),
        (1, 1),
        (77, 80),
        (101, 150),
        (8_100, 10_000),
    ],
)
def test_axes_end_at_numbers_that_read_well(value: float, wanted: float) -> None:
    assert nice_ceiling(value) == wanted


def test_labels_of_an_axis_never_touch_and_the_first_named_win() -> None:
    assert (
        tick_row([Tick(0, "0"), Tick(19, "120"), Tick(16, "100"), Tick(9, "50")], 20)
        == "0       50       120"
    )
    assert tick_row([Tick(0, "too long")], 3) == "   "


def test_in_degrees_of_a_random_graph_are_spread_binomially() -> None:
    chances = binomial(999, 20.0, 60)
    assert math.isclose(sum(chances), 1.0, abs_tol=1e-9)
    assert math.isclose(sum(degree * chance for degree, chance in enumerate(chances)), 20.0, abs_tol=1e-6)
    spread = math.sqrt(sum((degree - 20) ** 2 * chance for degree, chance in enumerate(chances)))
    assert math.isclose(spread, math.sqrt(999 * (20 / 999) * (1 - 20 / 999)), abs_tol=1e-6)


@pytest.mark.parametrize(
    ("trials", "mean", "wanted"),
    [(0, 0.0, [1, 0, 0]), (2, 2.0, [0, 0, 1]), (5, 0.0, [1, 0, 0]), (5, math.nan, [1, 0, 0])],
)
def test_where_nothing_is_left_to_chance_one_degree_has_it_all(
    trials: int, mean: float, wanted: list[float]
) -> None:
    assert binomial(trials, mean, 3) == wanted
