"""Node processes on loopback, told over pipes what to do, and one measured run of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
from array import array
from base64 import b64decode
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from protocol import Config

from .figures import NodeRun, Spread

__all__ = ["Load", "PeerProcess", "measure", "swarm"]

CONTACTS = 8
"""Nodes that each one is told of, at random; the views grow from there."""

WARM_UP_SECONDS = 3.0
"""What a swarm is left alone after its views are full: three cycles, in which peers prove their addresses."""

WARM_UP_RATE = 20.0
"""Messages per second of the first sender that are not counted."""

PATIENCE = 15.0
"""Seconds without a delivery after which what is missing is missing."""

LINE_LIMIT = 1 << 28
"""Bytes of a report at the most: eight for each delivery of a run, and a third for base64."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a swarm is to do."""

    nodes: int
    senders: int = 1
    rate: float | None = None
    """Messages per second of all senders together; None: each keeps ``window`` unacknowledged."""
    seconds: float = 5.0
    size: int = 64
    """Bytes of each message."""
    window: int = 64
    dissemination: str = Config().dissemination
    """``eager`` or ``tree``."""


class PeerProcess:
    """A node in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, address: str) -> None:
        self.address = address
        self.pid = process.pid
        self._process = process

    @classmethod
    async def start(cls, name: str, seed: int, **settings: Any) -> PeerProcess:
        """Start a node and wait until it listens; the settings are those of ``Config``."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"{__package__}.peer",
            json.dumps({"name": name, "seed": seed, **settings}),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
        )
        return cls(process, await answer_of(process))

    async def do(self, order: str, /, **arguments: Any) -> Any:
        """Give an order and wait for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": order, **arguments}).encode() + b"\n")
        return await answer_of(self._process)

    async def stop(self) -> None:
        """Let the node say goodbye and wait for the end of its process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


async def answer_of(process: asyncio.subprocess.Process) -> Any:
    """The next line from a node.

    Raises:
        RuntimeError: It has ended instead; its traceback is on standard error.
    """
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"a node of the benchmark ended with {await process.wait()}")
    return json.loads(line)


@contextlib.asynccontextmanager
async def swarm(
    nodes: int, *, warm_up: float = WARM_UP_SECONDS, **settings: Any
) -> AsyncIterator[list[PeerProcess]]:
    """Node processes with full views that have had time to get to know one another."""
    peers = list(
        await asyncio.gather(*(PeerProcess.start(f"p{n}", n, **settings) for n in range(1, nodes + 1)))
    )
    try:
        await introduce(peers, min(nodes - 1, Config(**settings).view_size))
        await asyncio.sleep(warm_up)
        yield peers
    finally:
        await asyncio.gather(*(peer.stop() for peer in peers))


async def introduce(peers: Sequence[PeerProcess], view_size: int) -> None:
    """Hand out addresses and wait until every view is as full as it gets."""
    dice = random.Random(len(peers))
    for peer in peers:
        others = [other.address for other in peers if other is not peer]
        await peer.do("join", contacts=dice.sample(others, min(CONTACTS, len(others))))
    await asyncio.gather(*(peer.do("meet", peers=view_size) for peer in peers))


async def measure(load: Load) -> NodeRun:
    """Put a load on a fresh swarm."""
    async with swarm(load.nodes, backlog_limit=load.window, dissemination=load.dissemination) as peers:
        await warm_up(peers)
        return await run(peers, load)


async def warm_up(peers: Sequence[PeerProcess]) -> None:
    """Send a few messages that do not count and wait until all have them."""
    told = await peers[0].do("send", size=64, seconds=1.0, rate=WARM_UP_RATE)
    await together(peers, "expect", total=told["sent"], patience=PATIENCE)


async def run(peers: Sequence[PeerProcess], load: Load) -> NodeRun:
    """Put a load on a warm swarm and wait until everybody has everything."""
    await together(peers, "reset")
    rate = load.rate / load.senders if load.rate else None
    senders = peers[: load.senders]
    told = await asyncio.gather(
        *(
            peer.do("send", size=load.size, seconds=load.seconds, rate=rate, phase=index / load.senders)
            for index, peer in enumerate(senders)
        )
    )
    sent = sum(answer["sent"] for answer in told)
    await together(peers, "expect", total=sent, patience=PATIENCE)
    reports = await together(peers, "report")
    return summary(load, sent, min(answer["started_at"] for answer in told), reports)


async def together(peers: Sequence[PeerProcess], order: str, /, **arguments: Any) -> list[Any]:
    """Give all the same order at once."""
    return list(await asyncio.gather(*(peer.do(order, **arguments) for peer in peers)))


def summary(load: Load, sent: int, started_at: float, reports: Sequence[dict[str, Any]]) -> NodeRun:
    """One run out of what the nodes measured."""
    latencies = array("d")
    for report in reports:
        latencies.frombytes(b64decode(report["latencies"]))

    def total(counter: str) -> int:
        return sum(report["counters"][counter] for report in reports)

    return NodeRun(
        nodes=load.nodes,
        senders=load.senders,
        rate=load.rate,
        window=load.window,
        dissemination=load.dissemination,
        seconds=max(report["last_at"] for report in reports) - started_at,
        sent=sent,
        delivered=len(latencies),
        delivery=Spread.of(latencies),
        datagrams=total("datagrams_out"),
        bytes=total("bytes_out"),
        duplicates=total("duplicates"),
        repairs=total("repairs"),
        cpu_seconds=sum(report["cpu"] for report in reports),
        peak_memory=max(report["memory"] for report in reports),
    )
