"""Faults on a real node: what is lost, doubled or late between its machine and its socket, both ways.

Rules of this file. Nothing is paid for while there are no faults: the driver does not come here then. What
waits is bounded, kept in one heap with one timer, and gone when the gate closes.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

from protocol.core.faults import FaultInjector, FaultReport
from protocol.core.identity import Address
from protocol.net.udp import Batch

__all__ = ["WAITING_LIMIT", "FaultGate"]

WAITING_LIMIT = 4_096
"""Datagrams that may wait at a time, some 6 MB; more are dropped, as by any router."""


class FaultGate:
    """Lets datagrams pass late, twice, or not at all."""

    def __init__(
        self,
        injector: FaultInjector,
        send: Callable[[bytes, Address], None],
        receive: Callable[[Batch], None],
    ) -> None:
        """Stand between ``send``, which is the socket's, and ``receive``, which is the driver's."""
        self.injector = injector
        self._send = send
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._waiting: list[tuple[float, int, bool, bytes, Address]] = []
        self._count = 0
        self._outbound = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_active(self) -> bool:
        """Whether anything is done to datagrams now."""
        return self.injector.is_active

    @property
    def pending(self) -> int:
        """Datagrams to others that wait."""
        return self._outbound

    def report(self) -> FaultReport:
        """What is in force, and what it did."""
        return self.injector.report(len(self._waiting))

    def send(self, data: bytes, target: Address) -> None:
        """Send a datagram if it is not lost, and when it is due."""
        for delay in self.injector.delays(target, outbound=True):
            if delay:
                self._wait(delay, data, target, outbound=True)
            else:
                self._send(data, target)

    def admit(self, batch: Batch) -> Batch:
        """Those of the datagrams that came in which arrive now; others may later."""
        now: Batch = []
        for data, source in batch:
            for delay in self.injector.delays(source, outbound=False):
                if delay:
                    self._wait(delay, data, source, outbound=False)
                else:
                    now.append((data, source))
        return now

    def close(self) -> None:
        """Drop what waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waiting.clear()
        self._outbound = 0

    def _wait(self, delay: float, data: bytes, peer: Address, *, outbound: bool) -> None:
        if len(self._waiting) >= WAITING_LIMIT:
            self.injector.overflowed += 1
            return
        self._count += 1
        self._outbound += outbound
        due_at = self._loop.time() + delay
        heapq.heappush(self._waiting, (due_at, self._count, outbound, data, peer))
        if self._timer is None or due_at < self._timer.when():
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._waiting[0][0], self._release) if self._waiting else None

    def _release(self) -> None:
        """Let go what is due: what goes out singly, what comes in as one batch."""
        self._timer = None
        now = self._loop.time()
        arrived: Batch = []
        while self._waiting and self._waiting[0][0] <= now:
            _, _, outbound, data, peer = heapq.heappop(self._waiting)
            if outbound:
                self._outbound -= 1
                self._send(data, peer)
            else:
                arrived.append((data, peer))
        if self._timer is None:
            self._arm()
        if arrived:
            self._receive(arrived)
