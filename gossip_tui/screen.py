"""From the command line to the screen: starts what is shown, draws until told to end, leaves in order."""

from __future__ import annotations

import asyncio
import contextlib
import random
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .app import GossipApp
from .collector import collect_less_often
from .demo import Chatter, Swarm, close_nodes, open_nodes
from .feed import NodeFeed
from .options import NodeOptions, open_node, successor
from .recording.feed import ReplayFeed
from .recording.reader import load
from .recording.taping import TapeOptions, Taping
from .shutdown import ending_signals, restored_terminal, terminal_is_gone
from .tour_memory import tour_is_remembered

try:
    from .driver import SteadyDriver
except ImportError:  # Windows, where nothing is stopped by signals
    SteadyDriver = None  # type: ignore[assignment, misc]

if TYPE_CHECKING:
    from textual.driver import Driver

    from .shown import Feed

__all__ = ["Looks", "run_demo", "run_node", "run_replay"]


class Looks(NamedTuple):
    """How to draw."""

    ascii_only: bool = False
    theme: str | None = None


def run_node(options: NodeOptions, looks: Looks, tape: TapeOptions) -> None:
    """Show one node until the person quits.

    Raises:
        OSError: The node can't bind.
        RecordingError: The file to record to exists already or can't be made.
    """
    asyncio.run(show_node(options, looks, tape))


def run_replay(path: Path, looks: Looks) -> None:
    """Show a recording until the person quits.

    Raises:
        OSError: The file can't be read.
        RecordingError: It can't be replayed.
    """
    asyncio.run(show(ReplayFeed(load(path)), looks))


async def run_to_the_end(app: TerminalApp) -> None:
    """Draw until the person quits; a window closed in the middle of drawing is an end like any other.

    Raises:
        Exception: Whatever brought the application down.
    """
    try:
        await app.run_async()
    except Exception:
        if not terminal_is_gone():
            raise
    if app.failure is not None and not terminal_is_gone():
        raise app.failure


def run_demo(
    options: NodeOptions,
    looks: Looks,
    tape: TapeOptions,
    *,
    nodes: int,
    seed: int | None,
    tour: bool | None = None,
) -> None:
    """Show a swarm that chats by itself until the person quits; with the tour, unless told or remembered.

    Raises:
        OSError: Not all nodes can bind.
        RecordingError: The file to record to exists already or can't be made.
    """
    begins = not tour_is_remembered() if tour is None else tour
    asyncio.run(show_demo(options, looks, tape, nodes=nodes, seed=seed, tour=begins))


async def show_node(options: NodeOptions, looks: Looks, tape: TapeOptions) -> None:
    """Open a node, show it, and leave with it."""
    with contextlib.closing(Taping("run", tape)) as taping:
        node = await open_node(options)
        await show(NodeFeed(node, successor=partial(successor, options)), looks, taping)


async def show_demo(
    options: NodeOptions, looks: Looks, tape: TapeOptions, *, nodes: int, seed: int | None, tour: bool
) -> None:
    """Open a swarm, let it chat, show it, and leave with all of it."""
    rng = random.Random(seed)
    with contextlib.closing(Taping("demo", tape)) as taping:
        members = await open_nodes(options, nodes, rng)
        swarm = Swarm(members, Chatter(nodes, rng))
        try:
            swarm.start()
            await show(NodeFeed(*members, on_replaced=swarm.replace), looks, taping, tour=tour)
        finally:
            await swarm.stop()
            await close_nodes(swarm.nodes)


class TerminalApp(GossipApp):
    """The application on a real terminal: no traceback over the screen it has left, no harm from SIGSTOP."""

    def get_driver_class(self) -> type[Driver]:
        """A driver that may be stopped and continued."""
        usual = super().get_driver_class()
        return SteadyDriver if SteadyDriver is not None and issubclass(SteadyDriver, usual) else usual

    def _print_error_renderables(self) -> None:
        self._exit_renderables.clear()

    @property
    def failure(self) -> Exception | None:
        """What made the application end, if it did not end in order."""
        return self._exception


async def show(feed: Feed, looks: Looks, taping: Taping | None = None, *, tour: bool = False) -> None:
    """Draw a feed until the person quits or a signal ends it.

    Raises:
        Exception: Whatever brought the application down.
    """
    collect_less_often()
    app = TerminalApp(feed, ascii=looks.ascii_only, theme=looks.theme, taping=taping, tour=tour)
    drawing = asyncio.current_task()
    assert drawing is not None

    def end() -> None:
        if app.is_running:
            app.departure.leave()
        else:
            drawing.cancel()

    try:
        with restored_terminal(), ending_signals(end), contextlib.suppress(asyncio.CancelledError):
            await run_to_the_end(app)
    finally:
        await feed.close()
