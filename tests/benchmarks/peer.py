"""One node as a process of its own, which does what it is told: a line of JSON in, a line of JSON out.

Every message is the time it was made, as text, filled up to the size asked for. The monotonic clock is one
for all processes of a machine, so the reader of another node can tell how long it took.
"""

from __future__ import annotations

import asyncio
import json
import re
import resource
import sys
import time
from array import array
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gossip_tui.collector import collect_less_often
from protocol import BacklogError, Config, Message, Node
from protocol.core.links import Link, Links

from .census import census, resident_size

__all__ = ["Peer", "made_at", "payload"]

STAMP_SIZE = 20
"""Characters of the time of making at the start of each message."""

WARM_UP_PERIOD = 0.02
"""Seconds between messages that only warm up."""

FILLER = "the quick brown fox jumps over the lazy dog and on and on it goes "


def payload(size: int) -> str:
    """A message that says when it was made."""
    stamp = f"{time.monotonic():{STAMP_SIZE}.9f} "
    return (stamp + FILLER * (size // len(FILLER) + 1))[:size]


def made_at(message: Message) -> float:
    """When a message was made, by the clock that all processes of a machine share."""
    return float(message.payload[:STAMP_SIZE])


class Peer:
    """A node and what its reader measured since the last ``reset``."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.latencies = array("d")
        self.total = 0
        self.last_at = 0.0
        self._target = 0
        self._reached = asyncio.Event()
        self._counters = asdict(node.snapshot().counters)
        self._cpu = time.process_time()

    async def read(self) -> None:
        """Take every message and note how long it took to come."""
        own, clock = self.node.id, time.monotonic
        async for message in self.node.messages():
            self.last_at = clock()
            self.total += 1
            if message.id.origin != own:
                self.latencies.append(self.last_at - made_at(message))
            if self.total == self._target:
                self._reached.set()

    async def join(self, contacts: list[str]) -> None:
        """Get to know others."""
        self.node.join(*contacts)

    async def meet(self, peers: int) -> None:
        """Wait until the view holds so many peers."""
        await self.node.wait_for_peers(peers)

    async def send(
        self, size: int, seconds: float, rate: float | None = None, phase: float = 0.0
    ) -> dict[str, float]:
        """Send for a while, at a rate or as fast as others acknowledge.

        Several senders at one rate get different phases, shares of the time between two messages: else all
        would send at one instant, and a burst be measured.
        """
        started_at = time.monotonic()
        pace = at_rate(rate, seconds, phase) if rate else flat_out(seconds)
        sent = 0
        async for _ in pace:
            await self._send_one(size)
            sent += 1
        return {"sent": sent, "started_at": started_at}

    async def _send_one(self, size: int) -> None:
        while True:
            try:
                self.node.send_gossip(payload(size))
            except BacklogError:
                await self.node.drain()
            else:
                return

    async def expect(self, total: int, patience: float) -> int:
        """Wait until ``total`` messages are here, or none has come for ``patience`` seconds."""
        self._target = total
        self._reached.clear()
        seen = -1
        while self.total < total and seen != self.total:
            seen = self.total
            try:
                await asyncio.wait_for(self._reached.wait(), patience)
            except TimeoutError:
                continue
        return self.total

    async def reset(self) -> None:
        """Measure from here on."""
        self.latencies = array("d")
        self.total = 0
        self._counters = asdict(self.node.snapshot().counters)
        self._cpu = time.process_time()

    async def report(self) -> dict[str, Any]:
        """What was measured since the last reset."""
        counters = asdict(self.node.snapshot().counters)
        return {
            "counters": {name: value - self._counters[name] for name, value in counters.items()},
            "cpu": time.process_time() - self._cpu,
            "last_at": self.last_at,
            "latencies": b64encode(self.latencies.tobytes()).decode(),
            "memory": peak_memory(),
        }

    async def time_exchanges(self, seconds: float) -> list[tuple[str, float]]:
        """Every round trip of a view exchange for a while: with whom, and how many seconds it took."""
        taken: list[tuple[str, float]] = []
        note = Links.note_round_trip

        def noted(links: Links, link: Link, round_trip: float) -> None:
            taken.append((str(link.address), round_trip))
            note(links, link, round_trip)

        Links.note_round_trip = noted  # type: ignore[assignment, method-assign]
        await asyncio.sleep(seconds)
        Links.note_round_trip = note  # type: ignore[method-assign]
        return taken

    async def census(self) -> dict[str, Any]:
        """How much memory is used now, and how much everything in the node holds; forgets latencies."""
        self.latencies = array("d")
        return {"memory": resident_size(), "census": census(self.node)}


async def at_rate(rate: float, seconds: float, phase: float) -> AsyncIterator[None]:
    """One step for each message that is due; what a slow turn missed is made up for."""
    started_at = time.monotonic()
    for number in range(round(rate * seconds)):
        delay = started_at + (number + phase) / rate - time.monotonic()
        if delay > 0:
            await asyncio.sleep(delay)
        yield


async def flat_out(seconds: float) -> AsyncIterator[None]:
    """A step as soon as the last one is done; whoever waits for room to send gives the loop its turn."""
    end_at = time.monotonic() + seconds
    while time.monotonic() < end_at:
        yield


def peak_memory() -> int:
    """Bytes of physical memory at the most; not from ``getrusage`` on Linux, which counts the parent's."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text()) if status.exists() else None
    if found:
        return int(found.group(1)) * 1024
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


async def standard_input() -> asyncio.StreamReader:
    """Lines from the process that gives orders."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    return reader


async def obey(peer: Peer, orders: asyncio.StreamReader) -> None:
    """Carry out one order after the other until there are no more."""
    while line := await orders.readline():
        order = json.loads(line)
        answer = await getattr(peer, order.pop("do"))(**order)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


async def main(settings: dict[str, Any]) -> None:
    """Be a node until standard input ends, with the garbage collector as ``gossip-tui`` sets it."""
    collect_less_often()
    name, seed = settings.pop("name"), settings.pop("seed")
    async with Node("127.0.0.1:0", name=name, config=Config(**settings), seed=seed) as node:
        peer = Peer(node)
        reading = asyncio.create_task(peer.read())
        sys.stdout.write(json.dumps(str(node.address)) + "\n")
        sys.stdout.flush()
        await obey(peer, await standard_input())
        reading.cancel()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
