"""The application over real nodes that talk over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from gossip_tui.feed import NodeFeed
from protocol import Config, Node
from tests.gossip_tui.driving import NEVER, WIDE, CountingApp, Hands

QUICK = Config(cycle_period=0.05, answer_timeout=1.0)
"""A network that needs no patience."""


class LiveHands(Hands):
    """Drives an application over a real node; what is waited for has a hang guard, not a time."""

    async def until(self, condition: Callable[[], bool]) -> None:
        """Look again and again until the condition holds; the test's own time-out is the guard."""
        while not condition():
            await asyncio.sleep(0.01)
            await self.look()


@asynccontextmanager
async def live(*nodes: Node) -> AsyncIterator[LiveHands]:
    app = CountingApp(NodeFeed(*nodes), tick_period=NEVER)
    async with app.run_test(size=WIDE) as pilot:
        driver = LiveHands(app, pilot)
        await driver.look()
        yield driver


@asynccontextmanager
async def network(*names: str) -> AsyncIterator[list[Node]]:
    """Started nodes of which each has joined through the first."""
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(Node(name=name, config=QUICK, seed=7)) for name in names]
        for node in nodes[1:]:
            node.join(nodes[0].address)
        yield nodes


async def test_two_applications_see_each_other_talk_and_read_the_same_log() -> None:
    async with network("p1", "p2") as nodes, live(nodes[0]) as here, live(nodes[1]) as there:
        await here.until(lambda: "p2" in here.text and "view 1/20" in here.status)
        await there.until(lambda: "view 1/20" in there.status)
        await here.enter("hello from p1")
        await there.until(lambda: "hello from p1" in there.log)
        await there.enter("hello back")
        await here.until(lambda: "hello back" in here.log)
        for driver in (here, there):
            lines = [line for line in driver.log.splitlines() if "hello" in line]
            assert ["{p1:1}" in lines[0], "{p1:1 p2:1}" in lines[1]] == [True, True]


async def test_a_node_that_leaves_is_a_line_in_the_log_of_the_others() -> None:
    async with network("p1", "p2") as nodes, live(nodes[0]) as here:
        await here.until(lambda: "p2" in here.log)
        await nodes[1].leave()
        await here.until(lambda: "p2 left" in here.log)
        await here.until(lambda: "no peer answers" in here.status)


async def test_leaving_and_joining_again_is_a_new_incarnation_with_the_old_log() -> None:
    async with network("p1", "p2") as nodes, live(nodes[1]) as here:
        await here.until(lambda: "view 1/20" in here.status)
        await here.enter("the first life")
        await nodes[1].wait_acknowledged(nodes[1].snapshot().frontier[0])
        before = nodes[1].id
        await here.enter("/leave")
        await here.until(lambda: "left the network" in here.status)
        await here.enter("/join")
        await here.until(lambda: "view 1/20" in here.status)
        assert here.app.snapshot.id.name == before.name
        assert here.app.snapshot.id.incarnation > before.incarnation
        await here.enter("the second life")
        assert [message.text for message in here.app.main.log_pane.messages] == [
            "the first life",
            "the second life",
        ]


async def test_quitting_waits_for_the_last_message_to_be_heard() -> None:
    async with network("p1", "p2") as nodes, live(nodes[0]) as here:
        await here.until(lambda: "view 1/20" in here.status)
        await here.enter("famous last words")
        here.send("ctrl+q")
        await here.until(lambda: here.app._exit)
        heard = nodes[1].messages()
        await nodes[1].leave()
        assert [message.text async for message in heard] == ["famous last words"]


async def test_one_application_moves_through_a_swarm() -> None:
    async with network("n01", "n02", "n03") as nodes, live(*nodes) as here:
        nodes[2].send_gossip("said at the third")
        await here.until(lambda: "said at the third" in here.log)
        for name in ("n02", "n03", "n01"):
            await here.press("f9")
            await here.until(lambda name=name: here.status.startswith(f" {name} ") and "said at" in here.log)  # type: ignore[misc]
