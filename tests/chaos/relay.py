"""A relay in userspace that stands between all nodes and does to their datagrams what bad networks do.

Every node has a front here, a socket whose address it advertises. What arrives at a front is passed on to the
node behind it from the front of the sender, so that nobody can tell that there is a relay.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Collection

from protocol.sim import Faults

__all__ = ["Relay"]

LOOPBACK = "127.0.0.1"

DATAGRAM_SIZE = 65_535
"""As large as a datagram gets: what is too large for a node must be seen to be too large."""

UNDER_WAY_LIMIT = 50_000
"""Datagrams on their way at the most: seconds of traffic. Whatever comes beyond is lost, as in a router."""

BUFFER_SIZE = 4 * 1024 * 1024
"""Bytes asked of the kernel for each front, so that the relay loses datagrams and not the kernel."""

DRAIN_LIMIT = 64
"""Datagrams read from one front per turn of the loop."""

Source = tuple[str, int]


class Relay:
    """Fronts of nodes, numbered from 0, with one weather for all and cuts between some."""

    def __init__(self, ports: Collection[int], seed: int) -> None:
        """Open a front for a node on each of ``ports`` of this machine; needs the running loop."""
        self.faults = Faults(latency=(0.0, 0.001))
        self.cuts: set[tuple[int, int]] = set()
        """Pairs (sender, receiver) between which nothing passes."""
        self.forwarded = self.dropped = 0
        self._dice = random.Random(f"relay {seed}").random
        self._loop = asyncio.get_running_loop()
        self._under_way = 0
        self._targets = [(LOOPBACK, port) for port in ports]
        self._senders = {target: number for number, target in enumerate(self._targets)}
        self._fronts = [open_front() for _ in self._targets]
        for number, front in enumerate(self._fronts):
            self._loop.add_reader(front.fileno(), self._on_readable, number)

    def address(self, number: int) -> str:
        """What a node advertises and others join."""
        host, port = self._fronts[number].getsockname()
        return f"{host}:{port}"

    def cut(self, group: Collection[int], rest: Collection[int], *, both_ways: bool = True) -> None:
        """Let nothing pass from ``group`` to ``rest``, nor the other way unless told so."""
        self.cuts |= {(a, b) for a in group for b in rest}
        if both_ways:
            self.cuts |= {(b, a) for a in group for b in rest}

    def close(self) -> None:
        """Forward nothing any more."""
        for front in self._fronts:
            self._loop.remove_reader(front.fileno())
            front.close()

    def _on_readable(self, receiver: int) -> None:
        front = self._fronts[receiver]
        for _ in range(DRAIN_LIMIT):
            try:
                data, source = front.recvfrom(DATAGRAM_SIZE)
            except BlockingIOError:
                return
            except OSError:
                continue  # a node behind a front was killed, and the kernel says so
            self._take(data, source, receiver)

    def _take(self, data: bytes, source: Source, receiver: int) -> None:
        sender = self._senders.get(source)
        if sender is None or (sender, receiver) in self.cuts or self._under_way >= UNDER_WAY_LIMIT:
            self.dropped += 1
            return
        delays = self.faults.delays(self._dice)
        self.dropped += not delays
        for delay in delays:
            self._under_way += 1
            self._loop.call_later(delay, self._pass_on, data, sender, receiver)

    def _pass_on(self, data: bytes, sender: int, receiver: int) -> None:
        self._under_way -= 1
        if self._fronts[sender].fileno() < 0:
            return
        try:
            self._fronts[sender].sendto(data, self._targets[receiver])
            self.forwarded += 1
        except OSError:
            self.dropped += 1


def open_front() -> socket.socket:
    """A socket on any free port of this machine that does not block."""
    front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    front.setblocking(False)
    front.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_SIZE)
    front.bind((LOOPBACK, 0))
    return front
