"""The pump between a machine, its socket and the loop: batches in, datagrams out, one timer.

Rules of this file: every input is followed by ``settle``, once per batch; nothing is allocated per datagram
but the datagram itself; an exception in the machine is reported to the loop and the node goes on.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from protocol.core.events import (
    ContactUnresolved,
    DatagramRejected,
    Delivered,
    Event,
    Gap,
    IncarnationChanged,
    PeerLost,
    PeerSeen,
    StateFailed,
    StateRecovered,
    Undeliverable,
)
from protocol.core.faults import FaultInjector
from protocol.core.machine import Machine
from protocol.net.fault_gate import FaultGate
from protocol.net.saver import Saver
from protocol.net.streams import Feed
from protocol.net.udp import SEND_RETRY_PERIOD, Batch, UdpEndpoint

__all__ = ["LOGGER", "Driver"]

LOGGER = logging.getLogger("protocol")
LOGGER.addHandler(logging.NullHandler())  # else Python prints warnings of a library to stderr by itself

OVERDUE_PERIOD = 0.25
"""Seconds a deadline may be late before the process is taken to have been stopped (SIGSTOP, a busy loop)."""

CATCH_UP_PERIOD = 0.25
"""Seconds that an overdue deadline waits for what came during the stop: most of a full kernel buffer. Not
longer, since a node that is merely overloaded always finds more to read and would never come to its deadlines
(measured)."""

PARKED_LIMIT = 4_096
"""Datagrams kept for a frozen node that faults had held up: as many as those may hold up; more are lost."""

LINGER_TURNS = 200
"""Looks at the send queue before a leaving node gives up on it: a fifth of a second, as a goodbye is one
datagram."""

FAILED_RETRY_PERIOD = 1.0
"""Seconds until the machine's deadline is tried again after it raised: a bug shall not become a busy loop."""


class Driver:
    """Runs one machine on the running event loop."""

    def __init__(self, machine: Machine, feed: Feed) -> None:
        """Drive ``machine`` and publish what it tells to ``feed``; ``attach`` brings the socket."""
        self.machine = machine
        self.feed = feed
        self.loop = asyncio.get_running_loop()
        self.endpoint: UdpEndpoint | None = None
        self.gate: FaultGate | None = None
        self.saver: Saver | None = None
        """Keeps the state file up to date, if there is one."""
        self._progress = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._armed_at = math.inf
        self._not_before = -math.inf
        self._catch_up_until = math.inf
        self._scheduled = False
        self._stopped = False
        self.is_frozen = False
        """Whether nothing is done, as by a process that was stopped."""
        self._parked: Batch = []
        self._warned: set[str] = set()
        self.read_wall_clock()

    def attach(self, endpoint: UdpEndpoint, injector: FaultInjector | None = None) -> None:
        """Send through ``endpoint`` from now on, with the faults of ``injector``."""
        self.endpoint = endpoint
        if injector is not None:
            self.gate = FaultGate(injector, endpoint.send, self._take_in)
        self.settle()

    def stop(self) -> None:
        """Send what is ready, then do nothing any more; everybody who waits is woken."""
        self.settle()
        self._stopped = True
        if self.gate is not None:
            self.gate.close()
        self._disarm()
        self.feed.end()
        self._wake()

    def freeze(self) -> None:
        """Do nothing any more until ``thaw``: read nothing, send nothing, miss every deadline."""
        self.is_frozen = True
        self._disarm()
        if self.endpoint is not None:
            self.endpoint.pause()

    def thaw(self) -> None:
        """Go on as a process does that was stopped: read what is there before anybody counts as silent."""
        self.is_frozen = False
        if self.endpoint is not None:
            self.endpoint.resume()
        parked, self._parked = self._parked, []
        if parked:
            self._take_in(parked)
        self._arm(self.machine.deadline)

    def receive(self, batch: Batch) -> None:
        """Take what the socket read, as far as faults let it pass."""
        if self.gate is not None and self.gate.is_active:
            batch = self.gate.admit(batch)
        if batch:
            self._take_in(batch)

    def _take_in(self, batch: Batch) -> None:
        """Give a batch of datagrams to the machine; one that it chokes on does not touch the others."""
        if self.is_frozen:
            self._parked += batch[: PARKED_LIMIT - len(self._parked)]
            return
        now = self.loop.time()
        handle = self.machine.receive_datagram
        for data, source in batch:
            try:
                handle(data, source, now)
            except Exception as error:  # noqa: BLE001 - a bug is reported, one datagram must not end a node
                self._report("receiving a datagram", error)
        self.settle()

    def schedule(self) -> None:
        """Settle at the end of this turn of the loop, so that several inputs of a turn share datagrams."""
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_soon(self._settle_scheduled)

    def settle(self) -> None:
        """Send what the machine has to send, publish its events, set the timer."""
        if self._stopped or self.is_frozen:
            return
        try:
            self._send()
        except Exception as error:  # noqa: BLE001 - a bug is reported, the node goes on
            self._report("making datagrams", error)
        self.tell(self.machine.take_events())
        if self.saver is not None:
            self.saver.note()
        self._wake()
        self._arm(self.machine.deadline)

    def tell(self, events: Sequence[Event]) -> None:
        """Log events and give them to everybody who listens."""
        if events:
            self._log(events)
        self.feed.publish(events)

    async def linger(self) -> None:
        """Give what still waits, for the kernel or by faults, a moment to be sent; usually nothing does."""
        for _ in range(LINGER_TURNS):
            waiting = self.gate.pending if self.gate is not None else 0
            if self.endpoint is None or not self.endpoint.pending + waiting:
                return
            await asyncio.sleep(SEND_RETRY_PERIOD)

    async def wait_until(self, condition: Callable[[], bool]) -> bool:
        """Wait for ``condition``, looked at after each input; False when the driver stopped first."""
        while not condition():
            if self._stopped:
                return False
            await self._progress.wait()
        return True

    def read_wall_clock(self) -> None:
        """Tell the machine how Unix time stands to the loop's; people and NTP move the former."""
        self.machine.wall_offset = time.time() - self.loop.time()

    def _send(self) -> None:
        endpoint = self.endpoint
        if endpoint is not None:
            gate = self.gate
            send = gate.send if gate is not None and gate.is_active else endpoint.send
            for target, data, _ in self.machine.datagrams_to_send():
                send(data, target)

    def _settle_scheduled(self) -> None:
        self._scheduled = False
        self.settle()

    def _wake(self) -> None:
        self._progress.set()
        self._progress.clear()

    def _arm(self, deadline: float) -> None:
        """Set the timer if it would fire too late; one that fires early does no harm and is left."""
        deadline = max(deadline, self._not_before)
        if deadline >= self._armed_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._armed_at = deadline
        self._timer = self.loop.call_at(deadline, self._on_timer)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed_at = math.inf

    def _on_timer(self) -> None:
        self._timer = None
        self._armed_at = math.inf
        self.read_wall_clock()
        now = self.loop.time()
        if self._is_catching_up(now):
            return
        if now >= self.machine.deadline:
            try:
                self.machine.handle_deadline(now)
            except Exception as error:  # noqa: BLE001 - a bug is reported, the node goes on
                self._report("handling a deadline", error)
                self._not_before = now + FAILED_RETRY_PERIOD
        self.settle()

    def _is_catching_up(self, now: float) -> bool:
        """Whether to read on before an overdue deadline: peers that did answer during a stop are not silent.

        One batch each time, so that whoever else is on the loop has its turns; taking it in sets the timer.
        """
        if now - self.machine.deadline > OVERDUE_PERIOD and self.endpoint is not None:
            self._catch_up_until = min(self._catch_up_until, now + CATCH_UP_PERIOD)
            if now < self._catch_up_until and self.endpoint.drain():
                return True
        self._catch_up_until = math.inf
        return False

    def _report(self, doing: str, error: Exception) -> None:
        self.loop.call_exception_handler({"message": f"gossip node failed at {doing}", "exception": error})

    def _log(self, events: Sequence[Event]) -> None:
        for event in events:
            if type(event) is Delivered:
                continue
            if isinstance(event, DatagramRejected):
                self._warn_once(event)
            elif isinstance(event, ContactUnresolved):
                LOGGER.warning("can't resolve %s: %s", event.contact, event.reason)
            elif type(event) in SAID:
                level, words = SAID[type(event)]
                if LOGGER.isEnabledFor(level):
                    LOGGER.log(level, "%s: %s", self.machine.id, words(event))

    def _warn_once(self, event: DatagramRejected) -> None:
        """A warning for the first datagram refused for one reason, then silence: the counters go on."""
        if event.reason not in self._warned:
            self._warned.add(event.reason)
            LOGGER.warning("%s refused a datagram from %s: %s", self.machine.id, event.source, event.reason)


SAID: dict[type, tuple[int, Callable[[Any], str]]] = {
    PeerSeen: (logging.INFO, lambda event: f"{event.id} joined from {event.address}"),
    PeerLost: (
        logging.INFO,
        lambda event: f"{event.id} at {event.address} {'left' if event.left else 'stopped answering'}",
    ),
    Gap: (logging.WARNING, lambda event: f"{event.size} messages are missing for good"),
    Undeliverable: (logging.WARNING, lambda event: f"{event.id} was given up: what it waits for is not here"),
    IncarnationChanged: (logging.WARNING, lambda event: f"{event.before} is {event.after} now"),
    StateFailed: (
        logging.ERROR,
        lambda event: f"state file {event.path} {event.reason}: going on in memory",
    ),
    StateRecovered: (logging.WARNING, lambda event: f"state file {event.path} can be written again"),
}
"""Which events go to the log, how loud, and in what words."""
