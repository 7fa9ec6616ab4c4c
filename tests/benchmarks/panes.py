"""What each pane costs in sight, and out of sight: ``python -m tests.benchmarks --only panes``.

The application runs without a terminal and with its own timers, over nodes in memory that deliver at a steady
rate: nearly all processor time is the screen's. What the feeding takes is measured by itself and left out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, replace

from rich.console import RenderableType
from textual._compositor import CompositorUpdate
from textual.screen import Screen

from gossip_tui.app import GossipApp
from gossip_tui.feed import NodeFeed
from protocol.core.view import Descriptor
from tests.gossip_tui.driving import CountingApp, Hands
from tests.gossip_tui.memory import MemoryNode
from tests.gossip_tui.samples import Talk, address, node_id, peer_row

from .figures import PaneRun

__all__ = ["LOADS", "PaneLoad", "World", "measure"]

COLUMNS, ROWS = 140, 40

NODES, VIEW_SIZE = 24, 8
"""As a demo has them."""

BUSY, CALM = 20.0, 10.0
"""Messages per second; each is an event at each of the nodes."""

FEED_PERIOD = 0.05
TICKS_A_CYCLE = 20
WARM_UP = 8.0
"""Seconds of talk before a pane is measured: its diagram is full, and it has seen how much happens."""

HOP = 0.004
REPLAY_PERIOD = 1.0
"""Seconds between two beginnings of a wave, so that it never stands still."""


class World:
    """Nodes in memory that say so many messages a second, each delivered at all of them within some hops.

    Args:
        rate: Messages per second of all together.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.nodes = [made(number) for number in range(1, NODES + 1)]
        self.used = 0.0
        """Processor seconds that the feeding took."""
        self._talk = Talk()
        self._said = self._ticks = 0
        self._started_at = time.monotonic()

    async def run(self) -> None:
        """Talk until cancelled; what a slow turn missed is made up for."""
        while True:
            await asyncio.sleep(FEED_PERIOD)
            begun = time.process_time()
            due = int((time.monotonic() - self._started_at) * self.rate)
            while self._said < due:
                self._say()
            self._age()
            self.used += time.process_time() - begun

    def _say(self) -> None:
        self._said += 1
        speaker, now = self._said * 7 % NODES, time.time()
        past = self._talk.said[-1 - self._said % 3 :][:1]
        moments = {"created_at": now, "delivered_at": now}
        message = self._talk.say(name(speaker + 1), f"message {self._said} of many", *past, **moments)
        for number, node in enumerate(self.nodes):
            hops = ((number - speaker) % NODES).bit_length()
            here = copy(message)
            here.hops, here.delivered_at = max(0, hops - 1), now + HOP * hops
            node.deliver(here)

    def _age(self) -> None:
        """Counters run, and every second a cycle begins."""
        self._ticks += 1
        node = self.nodes[0]
        counters = node.picture.counters
        counters = replace(counters, datagrams_in=counters.datagrams_in + 5, rumors_in=counters.rumors_in + 3)
        node.picture = replace(node.picture, counters=counters)
        if self._ticks % TICKS_A_CYCLE == 0:
            rows = tuple(replace(row, age=((row.age or 0) + 2) % 30) for row in node.picture.peers)
            view = tuple(
                Descriptor(row.id, one.address, row.age or 0)
                for one, row in zip(node.picture.view, rows, strict=True)
            )
            node.picture = replace(node.picture, cycle=node.picture.cycle + 1, peers=rows, view=view)


def made(number: int) -> MemoryNode:
    """A node that knows some others round the ring."""
    others = [(number + 3 * step) % NODES + 1 for step in range(VIEW_SIZE)]
    rows = tuple(peer_row(other, id=node_id(name(other)), age=other) for other in others)
    view = tuple(Descriptor(row.id, address(other), other) for other, row in zip(others, rows, strict=True))
    return MemoryNode(name(number), number=number, peers=rows, view=view, view_size=VIEW_SIZE)


def name(number: int) -> str:
    """What a node is called."""
    return f"n{number:02}"


async def nothing(app: GossipApp) -> None:
    """Leave everything as it is."""


@dataclass(frozen=True, slots=True)
class PaneLoad:
    """A pane, how somebody gets there, and what it may cost."""

    name: str
    keys: tuple[str, ...]
    limit: float | None
    """Share of a core, with everything else that is in sight."""
    rate: float = BUSY
    meanwhile: Callable[[GossipApp], Coroutine[None, None, None]] = nothing
    """What goes on while it is measured."""
    absent: bool = False
    """Whether the panes out of sight are taken out of the screen."""


async def keep_moving(app: GossipApp) -> None:
    """Begin a wave again before it is through."""
    while True:
        app.main.overlay.action_replay()
        await asyncio.sleep(REPLAY_PERIOD)


LOADS = (
    PaneLoad("view, log and rates", ("f3",), 0.08),
    PaneLoad("view, log and rates", ("f3",), 0.05, CALM),
    PaneLoad("view, log and rates", ("f3",), None, absent=True),
    PaneLoad("space-time", ("f4",), 0.10),
    PaneLoad("space-time with a cursor", ("f4", *["up"] * 12), 0.10),
    PaneLoad("overlay, a wave moves all the time", ("f5",), 0.15, meanwhile=keep_moving),
    PaneLoad("faults", ("f6",), 0.08),
)
"""What is measured."""


async def measure(load: PaneLoad, seconds: float) -> PaneRun:
    """Processor time of the application with this pane in front, as a share of a core."""
    async with opened(load.rate) as (hands, world):
        if load.absent:
            await asyncio.gather(*(pane.remove() for pane in hands.app.main.tabs[1:]))
        await hands.press(*load.keys)
        await asyncio.sleep(WARM_UP)
        await hands.press(*load.keys[1:])
        going_on = asyncio.create_task(load.meanwhile(hands.app))
        fed, used, begun = world.used, time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        taken = time.monotonic() - begun
        share = (time.process_time() - used - (world.used - fed)) / taken
        going_on.cancel()
        return PaneRun(load.name, load.rate, load.rate * NODES, share, load.limit, load.absent)


class TerminalApp(CountingApp):
    """Writes what a terminal would be sent, to nobody."""

    written = 0
    """Characters."""

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        super()._display(screen, renderable)
        if isinstance(renderable, CompositorUpdate):
            self.written += len(renderable.render_segments(self.console))


@asynccontextmanager
async def opened(rate: float) -> AsyncIterator[tuple[Hands, World]]:
    """The application without a terminal, over a world that talks."""
    world = World(rate)
    app = TerminalApp(NodeFeed(*world.nodes))
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        feeding = asyncio.create_task(world.run())
        yield Hands(app, pilot), world
        if feeding.done():
            feeding.result()  # nothing was measured, and this says why
        feeding.cancel()
