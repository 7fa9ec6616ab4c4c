"""Rows are framed once, and drawn anew exactly when something about them is another."""

from __future__ import annotations

from functools import wraps
from typing import Any

import pytest
from rich.segment import Segment
from rich.style import Style
from textual._styles_cache import StylesCache
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from gossip_tui.widgets.causal_log import CausalLogPane
from gossip_tui.widgets.scroll_bar import QuickScrollBar
from gossip_tui.widgets.textual_parts import keep_rows
from tests.gossip_tui.samples import many_messages

from .harness import shown


@pytest.fixture
def framed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows that Textual framed."""
    rows: list[int] = []
    frame = StylesCache.render_line

    @wraps(frame)
    def counted(self: StylesCache, styles: object, y: int, *details: object) -> object:
        rows.append(y)
        return frame(self, styles, y, *details)  # type: ignore[arg-type]

    monkeypatch.setattr(StylesCache, "render_line", counted)
    return rows


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[StylesCache]:
    """The caches that Textual had gone through their rows."""
    caches: list[StylesCache] = []
    render = StylesCache.render

    @wraps(render)
    def counted(self: StylesCache, *details: Any, **more: Any) -> object:
        caches.append(self)
        return render(self, *details, **more)

    monkeypatch.setattr(StylesCache, "render", counted)
    return caches


class Same(Widget):
    """Has the very same line on every row."""

    strip = Strip([Segment("line", Style.parse("#ffffff on #000000"))])

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - that is the point
        return self.strip


async def test_a_widget_of_which_nothing_changed_is_not_gone_through(
    framed: list[int], rendered: list[StylesCache]
) -> None:
    pane = CausalLogPane()
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(60))
        await pilot.pause()
        crop = pane.outer_size.region
        before = pane.render_lines(crop)
        framed.clear()
        rendered.clear()
        assert pane.render_lines(crop) == before
        assert (framed, rendered) == ([], [])
        pane._styles_cache.set_dirty(Region(0, 1, 10, 1))
        assert pane.render_lines(crop) == before
        assert rendered == [pane._styles_cache]


@pytest.mark.parametrize(
    ("style", "value"),
    [
        ("tint", "red 40%"),
        ("text_opacity", 0.4),
        ("outline", ("round", "red")),
        ("hatch", ("right", "red")),
        ("border", ("double", "red")),
        ("opacity", 0.5),
        ("padding", (0, 2)),
    ],
)
async def test_another_look_is_on_every_row_as_textual_draws_it(style: str, value: object) -> None:
    pane = Same()
    async with shown(keep_rows(pane)) as pilot:
        pane.render_lines(pane.outer_size.region)
        setattr(pane.styles, style, value)
        pane.refresh()  # Textual has nothing drawn anew for a hatch
        await pilot.pause()
        crop = pane.outer_size.region
        assert pane.render_lines(crop) == StylesCache().render_widget(pane, crop)


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
