"""An application with one pane, and a clock that moves by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from gossip_tui.theme import THEMES
from tests.gossip_tui.samples import NOON

__all__ = ["Clock", "PaneApp", "shown"]


class Clock:
    """Gives the time that a test set."""

    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class PaneApp(App[None]):
    """Shows one widget on the whole screen and keeps the messages it posts."""

    def __init__(self, pane: Widget) -> None:
        super().__init__()
        self.pane = pane
        self.posted: list[Message] = []
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_causal_log_pane_message_chosen(self, event: Message) -> None:
        self.posted.append(event)

    def on_space_time_pane_event_chosen(self, event: Message) -> None:
        self.posted.append(event)

    def on_overlay_pane_node_chosen(self, event: Message) -> None:
        self.posted.append(event)

    def on_partial_view_pane_peer_chosen(self, event: Message) -> None:
        self.posted.append(event)


@asynccontextmanager
async def shown(pane: Widget, size: tuple[int, int] = (60, 12)) -> AsyncIterator[Pilot[None]]:
    """The pane on a screen of ``size``, focused."""
    app = PaneApp(pane)
    async with app.run_test(size=size) as pilot:
        pane.focus()
        await pilot.pause()
        yield pilot
