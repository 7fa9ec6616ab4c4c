"""Nodes for tests on loopback: quick cycles, ports that the system chooses, closed at the end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from protocol.core.config import Config
from protocol.core.events import Event
from protocol.core.messages import Message
from protocol.net.node import Node
from protocol.net.streams import EventStream, MessageStream

__all__ = ["QUICK", "eventually", "make_node", "mesh", "take", "until"]

QUICK = Config(cycle_period=0.02, answer_timeout=0.5)
"""Cycles short enough for a test and a time-out long enough for a busy machine."""


def make_node(name: str, bind: str = "127.0.0.1:0", **settings: Any) -> Node:
    return Node(bind, name=name, config=replace(QUICK, **settings), seed=len(name))


@contextlib.asynccontextmanager
async def mesh(*names: str, **settings: Any) -> AsyncIterator[list[Node]]:
    """Started nodes; each knows the first, and all have somebody in their views."""
    async with contextlib.AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(make_node(name, **settings)) for name in names]
        for node in nodes[1:]:
            node.join(nodes[0].address)
        for node in nodes:
            if len(nodes) > 1:
                await node.wait_for_peers(1)
        yield nodes


async def take(stream: MessageStream, count: int) -> list[Message]:
    return [await anext(stream) for _ in range(count)]


async def eventually(condition: Callable[[], bool]) -> None:
    """Look again and again until the condition holds; the test's own time-out is the guard."""
    while not condition():
        for _ in range(2):
            await asyncio.sleep(0.002)


async def until(stream: EventStream, kind: type[Event]) -> Event:
    async for event in stream:
        if isinstance(event, kind):
            return event
    raise AssertionError(f"the stream ended without {kind.__name__}")
