"""Makes the pictures of the README from a seeded simulation: ``python screenshots/make.py [DIRECTORY]``.

The same seed gives the same pictures: the network is simulated, and so is its clock.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
import random
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gossip_tui.app import GossipApp
from gossip_tui.demo import Chatter, Remark
from gossip_tui.notices import notices_of
from gossip_tui.observed import Deliveries, Delivery, KnownView, NodeState, OverlayPicture
from gossip_tui.shown import Recorded, Update
from protocol import Config
from protocol.core.identity import NodeId
from protocol.core.messages import Message
from protocol.sim import Faults, Simulation
from protocol.sim.node import EPOCH, SimulatedNode

SEED = 2007
NODES = 10
SECONDS = 55.0
"""How long they talk before the picture is taken."""

LOOK_PERIOD = 0.25
NEVER = 1e9
FONT_FACE = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)
"""Fonts from the web; a picture in a README must not ask anybody for anything."""


class Network:
    """A simulated network whose members tell each other stories."""

    def __init__(self, seed: int) -> None:
        config = Config(view_size=8)
        self.sim = Simulation(NODES, seed=seed, config=config, faults=Faults(loss=0.05, latency=(0.01, 0.09)))
        self._chatter = Chatter(NODES, random.Random(seed))
        self._order = itertools.count()
        self._due: list[tuple[float, int, Remark, Message | None]] = []
        self._plan(1.0, self._chatter.next_story(), None)

    def run_for(self, seconds: float) -> None:
        """Let time pass, and let everybody say what they have to say."""
        end = self.sim.now + seconds
        while self._due and self._due[0][0] <= end:
            at, _, remark, about = heapq.heappop(self._due)
            self.sim.run_for(max(0.0, at - self.sim.now))
            self._say(remark, about)
        self.sim.run_for(max(0.0, end - self.sim.now))

    def _say(self, remark: Remark, about: Message | None) -> None:
        speaker = self.sim.nodes[remark.speaker]
        if about is not None and all(message.id != about.id for message in speaker.delivered):
            self._plan(0.1, remark, about)
            return
        message = speaker.send_gossip(remark.text)
        reply = self._chatter.reply(remark)
        if reply is not None:
            self._plan(reply.pause, reply, message)
        if about is None:
            self._plan(remark.pause, self._chatter.next_story(), None)

    def _plan(self, pause: float, remark: Remark, about: Message | None) -> None:
        heapq.heappush(self._due, (self.sim.now + pause, next(self._order), remark, about))


class SimulationFeed:
    """A feed over one simulated node, or over all of them with a seat on the first."""

    def __init__(self, sim: Simulation, observed: Sequence[SimulatedNode]) -> None:
        self._sim = sim
        self._observed = observed
        self._node = observed[0]
        self._messages = 0
        self._events = 0

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    def poll(self) -> Update | None:
        """What the simulation brought since the last look."""
        messages = tuple(self._node.delivered[self._messages :])
        events = self._node.events[self._events :]
        self._messages += len(messages)
        self._events += len(events)
        return Update(self._node.snapshot(), messages, tuple(notices_of(events, EPOCH + self._sim.now)))

    def send(self, text: str) -> Message:
        """Gossip one message."""
        return self._node.send_gossip(text)

    async def drain(self) -> None:
        """There is always room."""

    @property
    def payload_limit(self) -> int:
        """Bytes that fit one message."""
        return self._node.machine.payload_limit

    has_left = False

    @property
    def unacknowledged(self) -> int:
        """Nobody is asked when the picture is done."""
        return 0

    async def join(self, *contacts: str) -> bool:
        """Nobody joins in a picture."""
        raise NotImplementedError(contacts)

    def add(self, *peers: str) -> None:
        """Nobody is added in a picture."""
        raise NotImplementedError(peers)

    async def leave(self) -> None:
        """Nobody leaves in a picture."""
        raise NotImplementedError

    experiments = None

    recordable: tuple[Recorded, ...] = ()

    def deliveries(self, after: Mapping[NodeId, int]) -> Deliveries:
        """What the observed nodes delivered since a former answer."""
        rows: list[Delivery] = []
        for node in self._observed:
            rows += [Delivery(node.id, message) for message in node.delivered[after.get(node.id, 0) :]]
        nodes = frozenset(node.id for node in self._observed)
        cursor = {node.id: len(node.delivered) for node in self._observed}
        return Deliveries(tuple(rows), cursor, nodes, self._node.id)

    def overlay(self) -> OverlayPicture:
        """Who knows whom: all nodes, or the one with what its peers told."""
        own = self._node.snapshot(told=True)
        if len(self._observed) > 1:
            views = tuple(KnownView(node.id, node.current_view()) for node in self._observed)
        else:
            views = (KnownView(own.id, own.view), *(KnownView(one.id, one.descriptors) for one in own.told))
        return OverlayPicture(own.id, views, is_whole=len(self._observed) > 1)

    seats: tuple[str, ...] = ("",)
    seat = 0
    disturbance = ""

    @property
    def fates(self) -> tuple[NodeState, ...]:
        """Nothing is done to any node."""
        return (NodeState.RUNNING,)

    def move(self, seat: int) -> None:
        """There is one seat."""
        raise NotImplementedError(seat)


class Picture(NamedTuple):
    """One picture: what it is called, how large it is, how it looks, and what is done before it is taken."""

    name: str
    columns: int
    rows: int
    theme: str = "dark"
    ascii: bool = False
    keys: tuple[str, ...] = ()
    line: str = ""
    """Typed into the composer before the keys are pressed."""
    then: float = 0.0
    """Seconds that go by after the keys, before the picture is taken."""
    faults: str = ""
    """What happens to the datagrams of the node that is shown."""
    whole: bool = False
    """Whether all nodes are in this process, as in the demo, so that everything can be observed."""


PICTURES = (
    Picture("wide-dark", 132, 36),
    Picture("wide-light", 132, 36, theme="light"),
    Picture("wide-contrast", 132, 36, theme="contrast"),
    Picture("stacked", 80, 24),
    Picture("small", 50, 15),
    Picture("ascii", 100, 30, ascii=True),
    Picture("message", 110, 32, keys=("escape", "up", "up", "up", "up", "enter")),
    Picture("peers", 110, 30, line="/peers", keys=("enter",)),
    Picture("help", 110, 40, keys=("f1",)),
    Picture("palette", 110, 32, keys=("ctrl+p",)),
    Picture("space-time", 132, 40, keys=("f4", *["up"] * 14), whole=True),
    Picture("overlay", 132, 40, keys=("f5",), then=0.8, whole=True),
    Picture("faults", 120, 36, keys=("f6", "down"), faults="loss=10 delay=20..80 duplicate=5"),
    Picture("filter", 110, 26, line="/filter from:n03", keys=("enter",)),
)
"""Every picture there is."""


async def take(picture: Picture, seed: int = SEED) -> str:
    """One picture as SVG."""
    network = Network(seed)
    sim = network.sim
    if picture.faults:
        sim.nodes[0].set_faults(Faults.parse(picture.faults))
    app = GossipApp(
        SimulationFeed(sim, sim.nodes if picture.whole else sim.nodes[:1]),
        ascii=picture.ascii,
        theme=picture.theme,
        tick_period=NEVER,
        clock=lambda: sim.now,
        wall_clock=lambda: EPOCH + sim.now,
    )
    async with app.run_test(size=(picture.columns, picture.rows)) as pilot:
        await pilot.pause()
        while sim.now < SECONDS:
            network.run_for(LOOK_PERIOD)
            app.tick()
            await asyncio.sleep(0)
        if picture.line:
            app.composer.prefill(picture.line)
        await pilot.press(*picture.keys)
        end = sim.now + picture.then
        while sim.now < end:
            network.run_for(LOOK_PERIOD)
            app.tick()
            await asyncio.sleep(0)
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        return FONT_FACE.sub("", app.export_screenshot(title="gossip-tui"))


def prepared(arguments: Sequence[str]) -> Path:
    """The directory given, or that of this script; from now on it is UTC, and there is colour."""
    os.environ["TZ"] = "UTC"
    os.environ.pop("NO_COLOR", None)
    if hasattr(time, "tzset"):
        time.tzset()
    directory = Path(arguments[0]) if arguments else Path(__file__).parent
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def main(arguments: Sequence[str]) -> None:
    """Write every picture beside this script, or into the directory given."""
    directory = prepared(arguments)
    for picture in PICTURES:
        svg = asyncio.run(take(picture))
        (directory / f"{picture.name}.svg").write_text(svg, encoding="utf-8")
        sys.stdout.write(f"{picture.name}.svg\n")


if __name__ == "__main__":
    main(sys.argv[1:])
