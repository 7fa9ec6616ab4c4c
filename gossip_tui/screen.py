"""From the command line to the screen: starts what is shown, draws until told to end, leaves in order."""

from __future__ import annotations

import asyncio
import contextlib
import random
from functools import partial
from typing import TYPE_CHECKING

from .app import GossipApp
from .collector import collect_less_often
from .demo import Chatter, Swarm, close_nodes, open_nodes
from .feed import NodeFeed
from .options import NodeOptions, open_node, successor
from .shutdown import ending_signals, restored_terminal, terminal_is_gone

try:
    from .driver import SteadyDriver
except ImportError:  # Windows, where nothing is stopped by signals
    SteadyDriver = None  # type: ignore[assignment, misc]

if TYPE_CHECKING:
    from textual.driver import Driver

    from .feed import Feed

__all__ = ["run_demo", "run_node"]


def run_node(options: NodeOptions, *, ascii_only: bool, theme: str | None) -> None:
    """Show one node until the person quits.

    Raises:
        OSError: The node can't bind.
    """
    asyncio.run(show_node(options, ascii_only=ascii_only, theme=theme))


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
    options: NodeOptions, *, nodes: int, seed: int | None, ascii_only: bool, theme: str | None
) -> None:
    """Show a swarm that chats by itself until the person quits.

    Raises:
        OSError: Not all nodes can bind.
    """
    asyncio.run(show_demo(options, nodes=nodes, seed=seed, ascii_only=ascii_only, theme=theme))


async def show_node(options: NodeOptions, *, ascii_only: bool, theme: str | None) -> None:
    """Open a node, show it, and leave with it."""
    node = await open_node(options)
    await show(NodeFeed(node, successor=partial(successor, options)), ascii_only=ascii_only, theme=theme)


async def show_demo(
    options: NodeOptions, *, nodes: int, seed: int | None, ascii_only: bool, theme: str | None
) -> None:
    """Open a swarm, let it chat, show it, and leave with all of it."""
    rng = random.Random(seed)
    members = await open_nodes(options, nodes, rng)
    swarm = Swarm(members, Chatter(nodes, rng))
    try:
        swarm.start()
        await show(NodeFeed(*members), ascii_only=ascii_only, theme=theme)
    finally:
        await swarm.stop()
        await close_nodes(members)


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


async def show(feed: Feed, *, ascii_only: bool, theme: str | None) -> None:
    """Draw a feed until the person quits or a signal ends it.

    Raises:
        Exception: Whatever brought the application down.
    """
    collect_less_often()
    app = TerminalApp(feed, ascii=ascii_only, theme=theme)
    drawing = asyncio.current_task()
    assert drawing is not None

    def end() -> None:
        if app.is_running:
            app.leave_and_exit()
        else:
            drawing.cancel()

    try:
        with restored_terminal(), ending_signals(end), contextlib.suppress(asyncio.CancelledError):
            await run_to_the_end(app)
    finally:
        await feed.close()
