"""Hours of a demo in minutes: whether memory stays flat. ``python -m tests.benchmarks.hours``.

The swarm is simulated, with the very machines that a demo runs; its members chat as they do there. The screen
over it is the real one with the real feed, goes by the simulated clock, and has one pane after the other in
front. After every hour it is said how much memory the process uses.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import heapq
import itertools
import random
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from gossip_tui.app import GossipApp
from gossip_tui.demo import HISTORY_LIMIT, Chatter, Remark
from gossip_tui.feed import NodeFeed
from protocol import Config
from protocol.core.events import Event
from protocol.core.identity import Address, NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import NodeSnapshot
from protocol.core.view import Descriptor
from protocol.sim import Faults, Simulation
from protocol.sim.node import EPOCH, SimulatedNode
from tests.gossip_tui.driving import NEVER
from tests.gossip_tui.memory import MemoryNode, settle

from .census import resident_size
from .figures import MEBI

__all__ = ["Demo", "judge", "run"]

Item = TypeVar("Item")

HOUR = 3_600.0
COLUMNS, ROWS = 140, 40
NODES, VIEW_SIZE = 24, 8
"""As a demo has them."""

LOOK_PERIOD = 4.0
"""Simulated seconds between two looks; four a second would show the same, and take an hour."""

FRONT_PERIOD = 600.0
"""Simulated seconds that a pane stays in front."""

FRONTS = ("f3", "f4", "f5", "f6")

SETTLED = 1
"""Hours after which everything that is bounded by a count is full: histories, diagrams, lists of peers."""

LINE_SIZE = 3_000
"""Bytes, measured, that a line of the log takes with its message: the log fills, to 100,000 lines."""

SLACK = 1.05
"""How much more memory the last hour may use beside that: what an allocator's holes make."""

QUEUE_LIMIT = 10_000


class Queue(Generic[Item]):
    """A stream of what is put in; bounded, as a node's is."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque(maxlen=QUEUE_LIMIT)
        self._bell = asyncio.Event()
        self._is_read = False

    def put(self, items: list[Item]) -> None:
        """Give these to whoever reads, if anybody does: only one of the nodes is looked at."""
        if self._is_read:
            self._items.extend(items)
            self._bell.set()

    def __aiter__(self) -> AsyncIterator[Item]:
        self._is_read = True
        return self

    async def __anext__(self) -> Item:
        while not self._items:
            self._bell.clear()
            await self._bell.wait()
        return self._items.popleft()


class Member(MemoryNode):
    """A simulated node as the feed knows nodes."""

    def __init__(self, node: SimulatedNode) -> None:
        super().__init__()
        self.node = node
        self._messages: Queue[Message] = Queue()
        self._events: Queue[Event] = Queue()

    @property
    def id(self) -> NodeId:
        """Who this node is."""
        return self.node.id

    @property
    def address(self) -> Address:
        """Where others find it."""
        return self.node.address

    def current_view(self) -> tuple[Descriptor, ...]:
        """Whom it knows."""
        return self.node.current_view()

    def snapshot(self, *, told: bool = False) -> NodeSnapshot:
        """How it is."""
        return self.node.snapshot(told=told)

    def messages(self) -> AsyncIterator[Message]:
        """What it delivers from now on."""
        return self._messages

    def events(self) -> AsyncIterator[Event]:
        """What happens to it from now on."""
        return self._events

    def delivered(self, start: int, limit: int) -> tuple[int, list[Message]]:
        """What it delivered, as far as it is retained."""
        return self.node.machine.log.page(start, limit)

    def hand_on(self) -> None:
        """Give to the streams what happened, and keep none of it."""
        self._messages.put(self.node.delivered)
        self._events.put(self.node.events)
        self.node.delivered.clear()
        self.node.events.clear()


class Demo:
    """A simulated swarm whose members tell each other stories, as those of ``gossip-tui demo``."""

    def __init__(self, seed: int) -> None:
        config = Config(view_size=VIEW_SIZE, history_limit=HISTORY_LIMIT)
        self.sim = Simulation(
            NODES, seed=seed, config=config, faults=Faults(loss=0.01, latency=(0.001, 0.02))
        )
        self.members = [Member(node) for node in self.sim.nodes]
        self.said = 0
        self._chatter = Chatter(NODES, random.Random(seed))
        self._order = itertools.count()
        self._due: list[tuple[float, int, Remark, bool]] = []
        self._plan(1.0, self._chatter.next_story(), begins=True)

    def run_for(self, seconds: float) -> None:
        """Let time pass, and let everybody say what they have to say."""
        end = self.sim.now + seconds
        while self._due and self._due[0][0] <= end:
            at, _, remark, begins = heapq.heappop(self._due)
            self.sim.run_for(max(0.0, at - self.sim.now))
            self._say(remark, begins=begins)
        self.sim.run_for(max(0.0, end - self.sim.now))
        for member in self.members:
            member.hand_on()

    def _say(self, remark: Remark, *, begins: bool) -> None:
        self.sim.nodes[remark.speaker].send_gossip(remark.text)
        self.said += 1
        reply = self._chatter.reply(remark)
        if reply is not None:
            self._plan(reply.pause, reply, begins=False)
        if begins:
            self._plan(remark.pause, self._chatter.next_story(), begins=True)

    def _plan(self, pause: float, remark: Remark, *, begins: bool) -> None:
        heapq.heappush(self._due, (self.sim.now + pause, next(self._order), remark, begins))


async def run(hours: int, seed: int, say: Callable[[str], object]) -> tuple[list[int], int]:
    """Let so many hours pass before a screen; returns the bytes used after each, and the messages said."""
    demo = Demo(seed)
    app = GossipApp(
        NodeFeed(*demo.members),
        tick_period=NEVER,
        clock=lambda: demo.sim.now,
        wall_clock=lambda: EPOCH + demo.sim.now,
    )
    used = []
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        fronts = itertools.cycle(FRONTS)
        for hour in range(1, hours + 1):
            for step in range(int(HOUR / LOOK_PERIOD)):
                if step * LOOK_PERIOD % FRONT_PERIOD == 0:
                    await pilot.press(next(fronts))
                demo.run_for(LOOK_PERIOD)
                await look(app)
            gc.collect()
            used.append(resident_size())
            retained = demo.members[0].snapshot().retained_count
            lines = len(app.main.log_pane.messages)
            counts = f"{demo.said:,} messages, {retained:,} retained at each node, {lines:,} in the log"
            say(f"{hour} h: {used[-1] / MEBI:.1f} MB, {counts}")
    return used, demo.said


async def look(app: GossipApp) -> None:
    """Show what changed, and draw it."""
    await settle()
    app.tick()
    app.main.overlay.advance()
    app.screen._on_timer_update()
    await settle()


def judge(used: list[int], said: int) -> list[str]:
    """What was not as promised; nothing is said of runs that are too short to be full before they end.

    Args:
        used: Bytes after each hour.
        said: Messages of all hours.
    """
    if len(used) <= SETTLED:
        return []
    later = len(used) - SETTLED
    allowed = used[SETTLED - 1] * SLACK + said * later / len(used) * LINE_SIZE
    if used[-1] <= allowed:
        return []
    return [f"memory grew from {used[SETTLED - 1] / MEBI:.1f} to {used[-1] / MEBI:.1f} MB in {later} h"]


def main() -> int:
    """Run, print, and say by the exit code whether memory stayed flat."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.hours", description=__doc__)
    parser.add_argument("--hours", type=int, default=8, help="length (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the swarm (default: %(default)s)")
    chosen = parser.parse_args()

    def say(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    used, said = asyncio.run(run(chosen.hours, chosen.seed, say))
    problems = judge(used, said)
    say(problems[0] if problems else "memory is flat")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
