"""Recordings made without waiting: of nodes in memory, by a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from gossip_tui.observed import NodeState
from gossip_tui.recording.reader import load
from gossip_tui.recording.recorder import Recorder
from gossip_tui.recording.recording import Recording
from protocol.core.events import Gap, PeerLost, PeerSeen
from tests.gossip_tui.memory import MemoryNode, settle
from tests.gossip_tui.samples import NOON, address, held, node_id, peer_row

__all__ = ["Tape", "files_in", "story", "taped"]

Fates = Sequence[NodeState]
"""What was done to each node."""


class Tape:
    """A recorder over nodes in memory, and its clock."""

    def __init__(self, path: Path, *nodes: MemoryNode, limit: int | None = None, fates: Fates = ()) -> None:
        self.path = path
        self.nodes = list(nodes)
        self.now = 0.0
        self.ended: list[str] = []
        self.recorder = Recorder(
            path,
            lambda: self.nodes,
            source="run",
            program="1.2.3",
            fates=lambda: fates,
            limit=limit,
            on_end=self.ended.append,
            clock=lambda: self.now,
            wall_clock=lambda: NOON + self.now,
        )

    async def pass_time(self, seconds: float = 0.25) -> None:
        """What happened is heard and looked at; then time passes."""
        await settle()
        self.recorder.tick()
        self.now += seconds

    def finish(self) -> Recording:
        """End in order, and read what was written."""
        self.recorder.stop()
        self.recorder.file.wait()
        return load(self.path)


@asynccontextmanager
async def taped(
    path: Path, *nodes: MemoryNode, limit: int | None = None, fates: Fates = ()
) -> AsyncIterator[Tape]:
    """A running recorder, whose own timer no test lives to see; a test may change the fates as it goes."""
    tape = Tape(path, *(nodes or (MemoryNode(),)), limit=limit, fates=fates)
    tape.recorder.tick()
    await settle()
    yield tape
    tape.recorder.stop()
    tape.recorder.file.wait()


async def story(path: Path) -> Recording:
    """Five seconds of p1: two peers talk, one is lost, something is held back, something is gone for good."""
    node = MemoryNode(peers=(2, 5))
    async with taped(path, node) as tape:
        await tape.pass_time()
        node.happen(PeerSeen(node_id("p2"), address(2)))
        first = node.hear("p2", "hello", delivered_at=NOON + tape.now)
        await tape.pass_time(0.75)
        node.now(cycle=413, held=(held("p5", 2, "waits", first.id),), held_count=1)
        await tape.pass_time(1.0)
        node.hear("p5", "answer [/] \x1b[31m", late=True, delivered_at=NOON + tape.now)
        node.now(cycle=414, held=(), held_count=0, peers=(peer_row(2, age=9), peer_row(5, age=0)))
        await tape.pass_time(1.0)
        node.happen(PeerLost(node_id("p5"), address(5), left=False), Gap(3))
        node.now(cycle=415, peers=(peer_row(2, age=10),), view=node.picture.view[:1])
        await tape.pass_time(1.0)
        tape.recorder.word("loss is 20 % from now on", "warning")
        await tape.pass_time(1.0)
        node.hear("p2", "the end", delivered_at=NOON + tape.now)
        await tape.pass_time(0.25)
        return tape.finish()


def files_in(folder: Path) -> list[Path]:
    """What is in a folder."""
    return sorted(folder.iterdir())
