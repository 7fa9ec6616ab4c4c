"""Hours of a demo in minutes: whether memory stays flat. ``python -m tests.benchmarks.hours``.

The swarm is simulated, with the very machines that a demo runs; its members chat as they do there. The screen
over it is the real one with the real feed, goes by the simulated clock, and has one pane after the other in
front. After every hour it is said how much memory the process uses.

What goes on growing for a day is the log, to 100,000 lines, which a demo takes 21 hours to fill. Here it
holds fewer, so that it is full after some hours, and whatever grows from then on would for ever.
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
from typing import Generic, NamedTuple, TypeVar

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

__all__ = ["Demo", "Hour", "judge", "line_size", "run", "verdict"]

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

LINES = 10_000
"""Lines that the log holds; a demo says some 4,700 an hour."""

FULL_SHARE = 0.98
"""From this share of them on the log is full: it forgets the oldest in blocks of a sixty-fourth."""

LINE_SIZE = 1_300
"""Bytes that a line of the log may take with its message, its clock included. Measured: 990."""

SLACK = 1.02
"""How much more the last hour may use than the first with a full log: what an allocator's holes make."""

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

    def events(self, *, deliveries: bool = True) -> AsyncIterator[Event]:  # noqa: ARG002 - as of a node
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


class Hour(NamedTuple):
    """How things stood after an hour."""

    used: int
    """Bytes of the process."""
    lines: int
    """Messages in the log."""


async def run(hours: int, seed: int, say: Callable[[str], object], lines: int = LINES) -> list[Hour]:
    """Let so many hours pass before a screen whose log holds so many lines."""
    demo = Demo(seed)
    app = GossipApp(
        NodeFeed(*demo.members),
        tick_period=NEVER,
        clock=lambda: demo.sim.now,
        wall_clock=lambda: EPOCH + demo.sim.now,
    )
    passed = []
    app.main.log_pane._records.limit = lines
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        fronts = itertools.cycle(FRONTS)
        for hour in range(1, hours + 1):
            for step in range(int(HOUR / LOOK_PERIOD)):
                if step * LOOK_PERIOD % FRONT_PERIOD == 0:
                    await pilot.press(next(fronts))
                demo.run_for(LOOK_PERIOD)
                await look(app)
            gc.collect()
            passed.append(Hour(resident_size(), len(app.main.log_pane.messages)))
            retained = demo.members[0].snapshot().retained_count
            counts = (
                f"{demo.said:,} messages, {retained:,} retained at each node, {passed[-1].lines:,} in the log"
            )
            say(f"{hour} h: {passed[-1].used / MEBI:.1f} MB, {counts}")
    return passed


async def look(app: GossipApp) -> None:
    """Show what changed, and draw it."""
    await settle()
    app.tick()
    app.main.overlay.advance()
    app.screen._on_timer_update()
    await settle()


def line_size(passed: list[Hour], limit: int) -> float | None:
    """Bytes that a line of the log takes: the growth over the hours in which it was not full yet.

    The first hour fills whatever else is bounded: histories, diagrams, lists of peers. None if it filled the
    log as well, or was the only one.
    """
    growing = [hour for hour in passed if hour.lines < limit * FULL_SHARE]
    if len(growing) < 2:
        return None
    return (growing[-1].used - growing[0].used) / (growing[-1].lines - growing[0].lines)


def judge(passed: list[Hour], limit: int) -> list[str]:
    """What was not as promised; nothing is said of what the hours were too few for.

    Args:
        passed: How things stood after each hour.
        limit: Lines that the log holds.
    """
    problems = []
    size = line_size(passed, limit)
    if size is not None and size > LINE_SIZE:
        problems.append(f"a line of the log takes {size:,.0f} bytes, and not {LINE_SIZE:,}")
    full = [hour for hour in passed if hour.lines >= limit * FULL_SHARE]
    if full and full[-1].used > full[0].used * SLACK:
        first, last = full[0].used / MEBI, full[-1].used / MEBI
        problems.append(f"memory grew from {first:.1f} to {last:.1f} MB in {len(full) - 1} h with a full log")
    return problems


def verdict(passed: list[Hour], limit: int) -> str:
    """What the hours show, in a sentence."""
    size = line_size(passed, limit)
    line = f"; a line of the log takes {size:,.0f} bytes until it is full" if size is not None else ""
    full = sum(hour.lines >= limit * FULL_SHARE for hour in passed)
    if full < 2:
        return f"the log was not full for an hour: nothing is said of what grows for ever{line}"
    return f"memory is flat: {full - 1} h with a full log of {limit:,} lines{line}"


def main() -> int:
    """Run, print, and say by the exit code whether memory stayed flat."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.hours", description=__doc__)
    parser.add_argument("--hours", type=int, default=8, help="length (default: %(default)s)")
    parser.add_argument("--lines", type=int, default=LINES, help="what the log holds (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the swarm (default: %(default)s)")
    chosen = parser.parse_args()

    def say(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    passed = asyncio.run(run(chosen.hours, chosen.seed, say, chosen.lines))
    problems = judge(passed, chosen.lines)
    say("; ".join(problems) or verdict(passed, chosen.lines))
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
