"""Rows are framed once, and drawn anew exactly when something about them is another."""

from __future__ import annotations

import pytest
from textual._styles_cache import StylesCache

from gossip_tui.widgets.causal_log import CausalLogPane
from gossip_tui.widgets.scroll_bar import QuickScrollBar
from tests.gossip_tui.samples import many_messages

from .harness import shown


@pytest.fixture
def framed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows that Textual framed."""
    rows: list[int] = []
    frame = StylesCache.render_line

    def counted(self: StylesCache, styles: object, y: int, *details: object) -> object:
        rows.append(y)
        return frame(self, styles, y, *details)  # type: ignore[arg-type]

    monkeypatch.setattr(StylesCache, "render_line", counted)
    return rows


async def test_a_log_that_scrolls_by_a_line_frames_the_new_line_alone(framed: list[int]) -> None:
    pane = CausalLogPane()
    async with shown(pane) as pilot:
        messages = many_messages(60)
        pane.add_messages(messages[:50])
        await pilot.pause()
        framed.clear()
        pane.add_messages(messages[50:51])
        await pilot.pause()
        inner = [row for row in framed if 0 < row < pane.outer_size.height - 1]
        assert "message 51" in "".join(pane.visible_text)
        assert len(inner) <= 4  # the line, and what changed of the scroll bar


async def test_a_frame_of_another_colour_is_drawn_on_every_row() -> None:
    pane = CausalLogPane()
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(3))
        await pilot.pause()
        colors = {edge_color(pane, y) for y in range(1, pane.outer_size.height - 1)}
        pane.blur()
        await pilot.pause()
        after = {edge_color(pane, y) for y in range(1, pane.outer_size.height - 1)}
        assert len(colors) == len(after) == 1
        assert colors != after


async def test_another_theme_has_every_row_drawn_anew() -> None:
    pane = CausalLogPane()
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(60))
        await pilot.pause()
        dark = backgrounds(pilot.app)
        pilot.app.theme = "gossip-light"
        await pilot.pause()
        assert backgrounds(pilot.app).isdisjoint(dark)


async def test_the_thumb_of_the_scroll_bar_is_where_the_pane_is() -> None:
    pane = CausalLogPane()
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(40))
        await pilot.pause()
        bar = pane.vertical_scrollbar
        assert isinstance(bar, QuickScrollBar)
        at_end = thumb(bar)
        pane.action_first()
        await pilot.pause()
        assert thumb(bar)[0] == 0
        assert at_end[-1] == bar.size.height - 1


def edge_color(pane: CausalLogPane, y: int) -> object:
    """The colour of the frame at the left of a row."""
    (row,) = pane.render_lines(pane.outer_size.region)[y : y + 1]
    style = next(iter(row)).style
    return style.color if style is not None else None


def backgrounds(app: object) -> set[object]:
    """The background colours that are seen."""
    strips = app.screen._compositor.render_strips()  # type: ignore[attr-defined]
    return {segment.style.bgcolor for strip in strips for segment in strip if segment.style is not None}


def thumb(bar: QuickScrollBar) -> list[int]:
    """The rows that the thumb covers."""
    lines = [bar.render_line(y) for y in range(bar.size.height)]
    return [y for y, line in enumerate(lines) if any(one.style and one.style.reverse for one in line)]
