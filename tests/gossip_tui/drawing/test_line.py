from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from gossip_tui.drawing.line import Role, Span, cell_len, cut, fit, plain, right, split, to_strip, width_of
from gossip_tui.text import safe

PALETTE = dict.fromkeys(Role, Style.null())


@given(st.text(max_size=60), st.integers(min_value=0, max_value=40))
def test_fitted_text_takes_exactly_its_cells(text: str, width: int) -> None:
    text = safe(text)
    assert cell_len(fit(text, width)) == width
    assert cell_len(right(text, width)) == width
    assert cell_len(cut(text, width)) <= width


def test_a_wide_character_is_never_cut_in_half() -> None:
    assert cut("日本語", 4) == "日 …"
    assert fit("日本", 5) == "日本 "


@given(st.lists(st.text(max_size=8), max_size=5), st.integers(0, 50), st.integers(-1, 50))
def test_the_parts_of_a_split_line_are_the_line(texts: list[str], start: int, end: int) -> None:
    line = tuple(Span(text) for text in texts)
    whole = plain(line)
    before, inside, after = (plain(part) for part in split(line, start, end))
    assert before + inside + after == whole
    assert inside == (whole[start:] if end < 0 else whole[start:end])


def test_a_strip_is_as_wide_as_it_was_asked_to_be() -> None:
    line = (Span("p2", Role.OWN), Span(" hello"))
    assert width_of(line) == 8
    assert to_strip(line, PALETTE, 12).text == "p2 hello    "
    assert to_strip(line, PALETTE, 5).text == "p2 he"


def test_a_role_laid_over_a_line_reaches_its_end() -> None:
    palette = {**PALETTE, Role.CURSOR: Style(reverse=True)}
    strip = to_strip((Span("p2"),), palette, 6, Role.CURSOR)
    assert strip.text == "p2    "
    assert all(style is not None and style.reverse for _, style, _ in strip)
