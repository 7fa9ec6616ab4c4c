"""One run: processes behind a relay, a story that happens to them, and what they have to say in the end."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.gossip_tui.free_ports import free_range

from .plan import CALM, Cut, Deed, Kill, Stop, Weather, plan
from .process import TailProcess
from .relay import Relay
from .verdict import differences, is_complete, lost

__all__ = ["Outcome", "Settings", "run"]

CONTACTS = 3
"""Nodes that each one is told of at its first start."""

LOOK_PERIOD = 0.25
"""Seconds between two looks at whether everybody has everything."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What to run."""

    nodes: int = 12
    seconds: float = 60.0
    """How long everybody sends and the story lasts."""
    rate: float = 40.0
    """Messages per second of all nodes together."""
    seed: int = 1
    patience: float = 60.0
    """Seconds without any delivery, after the story, until what is missing is missing."""
    words: tuple[str, ...] = ("--cycle", "0.5")
    """More of the command line of each node."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

    settings: Settings
    problems: list[str]
    """What was not as promised; nothing else matters if this is not empty."""
    deeds: int
    messages: int
    """In the log that all survivors share."""
    lives: int
    """Processes that were started."""
    forwarded: int
    dropped: int
    completion: float
    """Seconds from the last line that was sent until everybody had everything."""


class Run:
    """The processes and the network between them."""

    def __init__(self, settings: Settings, folder: Path, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.say = say
        ports = free_range(settings.nodes)
        self.relay = Relay(range(ports.low, ports.high + 1), settings.seed)
        self.nodes = [
            TailProcess(
                f"n{number:02}",
                ports.low + number,
                self.relay.address(number),
                folder / f"n{number:02}.state",
                settings.words,
            )
            for number in range(settings.nodes)
        ]
        self._dice = random.Random(f"run {settings.seed}")

    async def start(self) -> None:
        """Start everybody, each told of a few others."""
        fronts = [self.relay.address(number) for number in range(len(self.nodes))]
        await asyncio.gather(
            *(node.start(*self._dice.sample(fronts, min(CONTACTS, len(fronts)))) for node in self.nodes)
        )

    async def send(self) -> None:
        """Let everybody say something in turn until the time is over."""
        settings, loop = self.settings, asyncio.get_running_loop()
        started_at = loop.time()
        for count in range(round(settings.rate * settings.seconds)):
            await asyncio.sleep(max(0.0, started_at + count / settings.rate - loop.time()))
            node = self._dice.choice(self.nodes)
            node.say(f"{node.name} says {count}")

    async def happen(self, story: list[tuple[float, Deed]]) -> None:
        """Do everything in its second."""
        loop = asyncio.get_running_loop()
        started_at = loop.time()
        async with asyncio.TaskGroup() as deeds:
            for at, deed in story:
                await asyncio.sleep(max(0.0, started_at + at - loop.time()))
                self.say(f"{at:6.1f} s  {deed}")
                deeds.create_task(self._do(deed))

    async def settle(self) -> float:
        """Wait until everybody has everything, or nothing more comes; seconds that took."""
        loop = asyncio.get_running_loop()
        started_at = last_at = loop.time()
        count = 0
        while True:
            found = sum(len(node.life.entries) for node in self.nodes)
            if found != count:
                count, last_at = found, loop.time()
            if is_complete([node.life for node in self.nodes]) and loop.time() - last_at > 2 * LOOK_PERIOD:
                return last_at - started_at
            if loop.time() - last_at > self.settings.patience:
                return loop.time() - started_at
            await asyncio.sleep(LOOK_PERIOD)

    async def close(self) -> None:
        """End whatever runs."""
        await asyncio.gather(*(node.close() for node in self.nodes))
        self.relay.close()

    def problems(self) -> list[str]:
        """Everything that is not as promised."""
        survivors = [node.life for node in self.nodes]
        former = [life for node in self.nodes for life in node.lives[:-1]]
        return [
            *(problem for node in self.nodes for problem in node.problems),
            *(fault for life in former for fault in life.faults),
            *differences(survivors),
            *lost(former, survivors),
        ]

    async def _do(self, deed: Deed) -> None:
        match deed:
            case Kill(number, seconds):
                await self.nodes[number].kill()
                await asyncio.sleep(seconds)
                await self.nodes[number].start()
            case Stop(number, seconds):
                self.nodes[number].stop()
                try:
                    await asyncio.sleep(seconds)
                finally:
                    self.nodes[number].go_on()
            case Cut(group, both_ways, seconds):
                rest = [number for number in range(len(self.nodes)) if number not in group]
                self.relay.cut(group, rest, both_ways=both_ways)
                await asyncio.sleep(seconds)
                self.relay.cuts.clear()
            case Weather(faults, seconds):
                self.relay.faults = faults
                await asyncio.sleep(seconds)
                self.relay.faults = CALM


async def run(settings: Settings, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Start, suffer, settle, compare."""
    story = plan(settings.nodes, settings.seconds, settings.seed)
    with tempfile.TemporaryDirectory(prefix="gossip-chaos-") as folder:
        this = Run(settings, Path(folder), say)
        try:
            await this.start()
            async with asyncio.TaskGroup() as both:
                both.create_task(this.send())
                both.create_task(this.happen(story))
            say("the story is over; waiting until everybody has everything")
            completion = await this.settle()
        finally:
            await this.close()
    return Outcome(
        settings,
        this.problems(),
        deeds=len(story),
        messages=len(this.nodes[0].life.entries),
        lives=sum(len(node.lives) for node in this.nodes),
        forwarded=this.relay.forwarded,
        dropped=this.relay.dropped,
        completion=completion,
    )
