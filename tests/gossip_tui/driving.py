"""Drives the application in tests: over a node in memory, without timers, and reads what is on the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot

from gossip_tui.app import GossipApp
from gossip_tui.feed import NodeFeed
from tests.gossip_tui.memory import MemoryNode, settle

__all__ = ["CountingApp", "Driver", "Hands", "driven"]

WIDE, STACKED, SINGLE, TINY = (140, 40), (80, 24), (50, 15), (20, 5)
"""Sizes of the three layouts, and one that nobody should use."""

NEVER = 3_600.0
"""A tick period that no test lives to see: the test says when to look."""

HOPS = 3
"""Widgets that a message passes on its way from a key to the last one that draws for it."""


class CountingApp(GossipApp):
    """Counts what a terminal would have done with it."""

    rung = 0

    def bell(self) -> None:
        self.rung += 1


class Hands:
    """What a person does with an application, and sees of it."""

    def __init__(self, app: CountingApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def look(self) -> None:
        """What the timer would do: show what changed."""
        await self.calm()
        self.app.tick()
        await self.calm()

    async def calm(self) -> None:
        """Wait until every message that a message caused is worked off.

        ``Pilot.press`` and ``Pilot.pause`` wait until the process was idle for some milliseconds instead,
        which takes a tenth of a second a key and depends on the load of the machine.
        """
        for _ in range(HOPS):
            await settle()
            if self.app.is_running:
                await self.pilot._wait_for_screen()
        if self.app.is_running:
            self.app.screen._on_timer_update()
            await settle()

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, then look."""
        for key in keys:
            self.send(key)
            await self.calm()
        await self.look()

    def send(self, key: str) -> None:
        """Press a key, or type a character, and wait for nothing."""
        character = key if len(key) == 1 else None
        name = _character_to_key(key) if character else key
        driver = self.app._driver
        assert driver is not None
        driver.send_message(Key(name, character))

    async def type(self, text: str) -> None:
        """Type characters as fast as no person could."""
        for character in text:
            self.send(character)
        await self.calm()

    async def enter(self, line: str) -> None:
        """Write a line into the composer and press Enter there."""
        self.app.composer.prefill(line)
        await self.press("enter")

    @property
    def rows(self) -> list[str]:
        """What is on the screen, top first."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self.rows)

    @property
    def log(self) -> str:
        """What is in sight of the log."""
        return "\n".join(self.app.main.log_pane.visible_text)

    @property
    def status(self) -> str:
        return self.app.main.status_bar.text

    @property
    def composer(self) -> str:
        """The line being typed."""
        return self.app.composer.input.value

    @property
    def focused(self) -> str | None:
        """The id of the widget that has the focus."""
        return self.app.focused.id if self.app.focused else None

    @property
    def hint(self) -> str:
        """The line above the composer; empty if there is none."""
        return self.app.composer.hint


class Driver(Hands):
    """An application with the nodes in memory that it shows."""

    def __init__(self, app: CountingApp, pilot: Pilot[None], *nodes: MemoryNode) -> None:
        super().__init__(app, pilot)
        self.node = nodes[0]
        self.nodes = nodes


@asynccontextmanager
async def driven(
    *nodes: MemoryNode,
    size: tuple[int, int] = WIDE,
    successor: Any = None,
    toasts: bool = False,
    **options: Any,
) -> AsyncIterator[Driver]:
    """The application over nodes in memory (one by default), after its first look at them."""
    nodes = nodes or (MemoryNode(),)
    app = CountingApp(NodeFeed(*nodes, successor=successor), tick_period=NEVER, **options)
    async with app.run_test(size=size, notifications=toasts) as pilot:
        driver = Driver(app, pilot, *nodes)
        await driver.look()
        yield driver
