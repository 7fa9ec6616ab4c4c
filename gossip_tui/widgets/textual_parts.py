"""Puts quicker parts in the place of Textual's own, where those are as this program knows them.

Textual promises them to nobody: its next release may have others. Then its own stay, which are slower and
look the same.
"""

from __future__ import annotations

from functools import cache
from inspect import isfunction, signature
from typing import TYPE_CHECKING, TypeVar

from textual.widget import Widget

if TYPE_CHECKING:
    from .row_cache import RowCache

__all__ = ["can_start", "keep_rows", "row_cache"]

WidgetLike = TypeVar("WidgetLike", bound=Widget)


@cache
def row_cache() -> type[RowCache] | None:
    """What keeps the rows of a widget; None if what it builds on is not there or is called otherwise."""
    try:
        from .row_cache import RowCache  # noqa: PLC0415 - it may be that it can't be imported
    except ImportError:
        return None
    methods = {name: method for name, method in vars(RowCache).items() if isfunction(method)}
    fits = all(
        parameters(method) == parameters(getattr(RowCache.__base__, name, None))
        for name, method in methods.items()
    )
    return RowCache if fits else None


def keep_rows(widget: WidgetLike) -> WidgetLike:
    """Let a widget, which draws nothing but its lines and a frame, keep its rows; returns it."""
    rows = row_cache()
    if rows is not None and hasattr(widget, "_styles_cache"):
        widget._styles_cache = rows()  # noqa: SLF001 - Textual has no other way
    return widget


def can_start(pane: Widget) -> bool:
    """Whether a pane can be given a scroll bar of its own making, as Textual gives it one."""
    start = getattr(pane.app, "_start_widget", None)
    return hasattr(pane, "_vertical_scrollbar") and parameters(start) == ["parent", "widget"]


def parameters(function: object) -> list[str] | None:
    """The names by which a function is called; None if it is none."""
    return list(signature(function).parameters) if callable(function) else None
