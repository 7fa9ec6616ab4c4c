"""Where Textual has other parts than those known here, its own draw, and nobody sees a difference."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual._styles_cache import StylesCache
from textual.app import App
from textual.scrollbar import ScrollBar

from gossip_tui.widgets.causal_log import CausalLogPane
from gossip_tui.widgets.textual_parts import row_cache
from tests.gossip_tui.samples import many_messages

from .harness import shown

Change = Callable[[pytest.MonkeyPatch], None]
Cells = list[tuple[object, ...]]
"""The characters on the screen with their colours."""


@pytest.fixture(autouse=True)
def looked_for_anew() -> Iterator[None]:
    """What Textual has is looked for once in a process."""
    row_cache.cache_clear()
    yield
    row_cache.cache_clear()


def without_the_cache(patch: pytest.MonkeyPatch) -> None:
    patch.delattr("textual._styles_cache.StylesCache")
    patch.delitem(sys.modules, "gossip_tui.widgets.row_cache", raising=False)


def with_another_cache(patch: pytest.MonkeyPatch) -> None:
    frame = StylesCache.render_line

    def render_line(self: StylesCache, *everything: Any) -> object:
        return frame(self, *everything)

    patch.setattr(StylesCache, "render_line", render_line)


def with_another_start_of_widgets(patch: pytest.MonkeyPatch) -> None:
    start = App._start_widget

    def start_widget(self: App[None], *everything: Any) -> None:
        start(self, *everything)

    patch.setattr(App, "_start_widget", start_widget)


async def seen(kinds: tuple[type[StylesCache], str]) -> list[Cells]:
    """What a log shows while it is scrolled, whose cache is of this very type and whose bar is called so."""
    pane = CausalLogPane()
    pictures = []
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(60))
        pane.add_notice("a word", at=1_700_000_000.0)
        await pilot.pause()
        assert (type(pane._styles_cache), type(pane.vertical_scrollbar).__name__) == kinds
        for key in ("up", "pageup", "home", "end"):
            await pilot.press(key)
            pictures.append(cells(pilot.app))
        pilot.app.theme = "gossip-light"
        await pilot.pause()
        pictures.append(cells(pilot.app))
    return pictures


def cells(app: App[None]) -> Cells:
    found: Cells = []
    for text, style, _ in (one for strip in app.screen._compositor.render_strips() for one in strip):
        assert style is not None
        look = (style.color, style.bgcolor, bool(style.bold), bool(style.dim), bool(style.reverse))
        found += [(character, *look, bool(style.underline)) for character in text]
    return found


@pytest.mark.parametrize("change", [without_the_cache, with_another_cache])
async def test_without_a_fitting_cache_textual_keeps_the_rows(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = row_cache()
    assert rows is not None
    quick = await seen((rows, "QuickScrollBar"))
    row_cache.cache_clear()
    change(monkeypatch)
    assert await seen((StylesCache, "QuickScrollBar")) == quick


async def test_without_a_way_to_start_it_textual_gives_the_bar(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = row_cache()
    assert rows is not None
    quick = await seen((rows, "QuickScrollBar"))
    with_another_start_of_widgets(monkeypatch)
    assert await seen((rows, ScrollBar.__name__)) == quick
