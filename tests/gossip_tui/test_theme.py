from __future__ import annotations

from dataclasses import fields

import pytest
from rich.cells import cell_len
from rich.color import Color
from rich.terminal_theme import MONOKAI
from textual.filter import ANSIToTruecolor, LineFilter, Monochrome, NoColor
from textual.theme import Theme

from gossip_tui.drawing.line import HEAT, ORIGINS, Role
from gossip_tui.theme import ASCII, THEMES, UNICODE, Glyphs, colorless, palette_for


def luminance(color: Color | None) -> float:
    assert color is not None
    assert color.triplet is not None
    channels = [value / 255 for value in color.triplet]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(color: Color | None, background: str) -> float:
    lighter, darker = sorted((luminance(color), luminance(Color.parse(background))), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


READABLE = 4.5
"""The contrast that letters need.

Source: Web Content Accessibility Guidelines 2.2, success criterion 1.4.3.
"""

SHAPES = {*HEAT, Role.FAINT}
"""Roles of bars and lines, which are seen in less contrast than letters are read in."""


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_every_glyph_takes_one_cell(glyphs: Glyphs) -> None:
    for field in fields(glyphs):
        value = getattr(glyphs, field.name)
        if field.name not in {"border", "spark"}:
            assert cell_len(value) == 1, field.name
    assert [cell_len(bar) for bar in glyphs.spark] == [1] * 8


def test_ascii_glyphs_are_ascii() -> None:
    assert all(getattr(ASCII, field.name).isascii() for field in fields(ASCII))


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_role_has_a_style_that_can_be_read_on_the_theme_and_under_the_cursor(theme: Theme) -> None:
    palette = palette_for(theme)
    assert set(palette) == set(Role)
    cursor = palette[Role.CURSOR].bgcolor
    assert theme.surface is not None
    assert theme.panel is not None
    assert cursor is not None
    for role, style in palette.items():
        if style.color is None or role is Role.BANNER:
            continue
        if role in SHAPES:
            assert contrast(style.color, theme.surface) >= 2.4, role
            continue
        for background in (theme.surface, theme.panel, cursor.name):
            assert contrast(style.color, background) >= READABLE, (role, background)
    banner = palette[Role.BANNER]
    assert banner.bgcolor is not None
    assert contrast(banner.color, banner.bgcolor.name) >= READABLE


@pytest.mark.parametrize("theme", [THEMES[0], THEMES[1]], ids=lambda theme: theme.name)
def test_the_age_ramp_runs_one_way_in_brightness_and_ends_strongest(theme: Theme) -> None:
    ramp = [luminance(palette_for(theme)[role].color) for role in HEAT]
    assert ramp == sorted(ramp, reverse=not theme.dark)


def test_origin_colours_differ() -> None:
    for theme in THEMES:
        assert len({palette_for(theme)[role].color for role in ORIGINS}) == len(ORIGINS)


def test_without_colour_no_style_has_any() -> None:
    palette = palette_for(THEMES[0], color=False)
    assert all(style.color is None and style.bgcolor is None for style in palette.values())


def test_no_color_means_no_grey_either() -> None:
    kept = ANSIToTruecolor(MONOKAI)
    filters: list[LineFilter] = [kept, Monochrome()]
    assert colorless(filters)[0] is kept
    assert isinstance(colorless(filters)[1], NoColor)
