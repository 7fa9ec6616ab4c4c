"""How simulated time passes: by single events, or by cycles of atomic exchanges.

Both drive the same machines through the same inputs; they differ in when a datagram arrives and in who says
when a cycle begins.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from ..core.identity import Address
from .network import Network
from .node import SimulatedNode

__all__ = ["Cycles", "Driver", "Events"]

Condition = Callable[[], bool]

THAW = "thaw"


class Driver(Protocol):
    """Lets time pass in a network."""

    def pump(self, node: SimulatedNode) -> None:
        """Send what a node wants to send, and remember when it wants to be woken."""

    def thaw_at(self, at: float, node: SimulatedNode) -> None:
        """Let a frozen node go on at that moment."""

    def run(self, end: float, condition: Condition | None) -> bool:
        """Let time pass up to ``end``; True, and no further, as soon as the condition holds."""


class Events:
    """Every datagram has its latency, every node its own phase; what is due first happens first."""

    def __init__(self, network: Network) -> None:
        """Drive a network from its present on."""
        self._network = network
        self._queue: list[tuple[float, int, SimulatedNode, Any, Address | None]] = []
        self._count = 0
        self._wake_at: dict[Address, float] = {}

    def pump(self, node: SimulatedNode) -> None:
        """Send what a node wants to send, and remember when it wants to be woken."""
        if not node.is_up:
            return
        node.collect()
        for datagram in node.take_datagrams():
            self._send(node, datagram.target, datagram.data)
        deadline = max(node.machine.deadline, self._network.now)
        if deadline < self._wake_at.get(node.address, math.inf):
            self._wake_at[node.address] = deadline
            self._push(deadline, node, None, None)

    def thaw_at(self, at: float, node: SimulatedNode) -> None:
        """Let a frozen node go on at that moment."""
        self._push(at, node, THAW, None)

    def run(self, end: float, condition: Condition | None) -> bool:
        """Work off the queue up to ``end``, which is included; the condition is asked after every event."""
        network, queue = self._network, self._queue
        for node in network.nodes:
            self.pump(node)
        if condition is not None and condition():
            return True
        while queue and queue[0][0] <= end:
            at, _, node, data, source = heapq.heappop(queue)
            if source is None and data is not THAW and self._wake_at.get(node.address) != at:
                continue  # an earlier wake has taken its place
            network.now = at
            self._happen(node, data, source)
            self.pump(node)
            if condition is not None and condition():
                return True
        network.now = end
        return False

    def _happen(self, node: SimulatedNode, data: Any, source: Address | None) -> None:
        if data is THAW:
            if node.is_frozen:
                node.thaw()
        elif source is None:
            self._wake_at.pop(node.address, None)
            node.wake()
        elif self._network.lets_in(source, node.address):
            node.receive(data, source)

    def _send(self, sender: SimulatedNode, target: Address, data: Any) -> None:
        network = self._network
        receiver = network.reached(sender.address, target)
        if receiver is not None:
            for delay in network.delays(sender, receiver):
                self._push(network.now + delay, receiver, data, sender.address)

    def _push(self, at: float, node: SimulatedNode, data: Any, source: Address | None) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at, self._count, node, data, source))


class Cycles:
    """Each cycle every live node has its turn once, in a fresh random order, and an exchange is atomic.

    The model of the paper's simulations. Datagrams arrive at once, first in, first out; loss, duplication and
    partitions apply, latency and reordering do not. Of n nodes the one ranked r has its turn in cycle k at
    (k + r / n) periods. Deadlines of the machines are kept, but the start of a cycle is nobody's choice: who
    comes during a cycle has its first turn in the next.
    """

    def __init__(self, network: Network, period: float) -> None:
        """Drive a network from its start on, in cycles of ``period`` seconds."""
        self._network = network
        self._period = period
        self._cycle = -1
        self._order: list[SimulatedNode] = []
        self._rank = 0
        self._turn_at = network.now
        self._under_way: deque[tuple[SimulatedNode, Any, Address]] = deque()
        self._queue: list[tuple[float, int, SimulatedNode, bool]] = []
        """Deadlines of machines, and thaws."""
        self._count = 0
        self._wake_at: dict[Address, float] = {}

    def pump(self, node: SimulatedNode) -> None:
        """Let everything happen that comes of what a node wants to send; remember when to wake it."""
        if not node.is_up:
            return
        touched = {node: None}
        self._emit(node)
        network, under_way = self._network, self._under_way
        while under_way:
            receiver, data, source = under_way.popleft()
            if network.translators and not network.lets_in(source, receiver.address):
                continue
            if receiver.is_crashed or receiver.is_frozen:
                receiver.receive(data, source)
                continue
            receiver.machine.receive_datagram(data, source, network.now)
            self._emit(receiver)
            touched[receiver] = None
        for other in touched:
            other.collect()
            self._note_deadline(other)

    def thaw_at(self, at: float, node: SimulatedNode) -> None:
        """Let a frozen node go on at that moment."""
        self._push(at, node, is_thaw=True)

    def run(self, end: float, condition: Condition | None) -> bool:
        """Let time pass up to ``end``, which is not included; the condition is asked after every exchange."""
        network, queue = self._network, self._queue
        end = self._snapped(end)
        if condition is not None and condition():
            return True
        while True:
            if queue and queue[0][0] < end and queue[0][0] <= self._turn_at:
                self._wake_next()
            elif self._turn_at < end:
                self._take_turn()
            else:
                break
            if condition is not None and condition():
                return True
        network.now = end
        return False

    def _snapped(self, at: float) -> float:
        """A moment that is meant to be the border of two cycles, exactly there."""
        border = round(at / self._period) * self._period
        return border if abs(at - border) < 1e-9 * self._period else at

    def _take_turn(self) -> None:
        """The next node in order begins its exchange; behind the last one the next cycle waits."""
        if self._rank >= len(self._order):
            self._begin_cycle()
        if self._rank < len(self._order):
            self._network.now = now = self._turn_at
            node = self._order[self._rank]
            if node.is_up:
                machine = node.machine
                machine.schedule_cycle(now)
                machine.handle_deadline(now)
                machine.schedule_cycle(math.inf)
                self.pump(node)
        self._rank += 1
        count = len(self._order)
        self._turn_at = (self._cycle + (self._rank / count if self._rank < count else 1)) * self._period

    def _begin_cycle(self) -> None:
        """Draw a fresh order of those who are up, by Fisher and Yates."""
        self._cycle += 1
        self._rank = 0
        dice = self._network.random
        self._order = order = [node for node in self._network.nodes if node.is_up]
        for last in range(len(order) - 1, 0, -1):
            other = int(dice() * (last + 1))
            order[last], order[other] = order[other], order[last]

    def _wake_next(self) -> None:
        at, _, node, is_thaw = heapq.heappop(self._queue)
        self._network.now = at
        if is_thaw:
            if node.is_frozen:
                node.thaw()
        elif self._wake_at.get(node.address) == at:
            del self._wake_at[node.address]
            node.wake()
        self.pump(node)

    def _emit(self, node: SimulatedNode) -> None:
        """Put what a node wants to send under way."""
        datagrams = node.machine.datagrams_to_send()
        if not datagrams:
            return
        network, source, append = self._network, node.address, self._under_way.append
        faults = network.faults
        is_faulty = bool(faults.loss or faults.duplication or network.has_injectors)
        for target, data, _ in datagrams:
            receiver = network.reached(source, target)
            if receiver is None:
                continue
            if not is_faulty:
                append((receiver, data, source))
                continue
            for _ in range(network.copies(node, receiver)):
                append((receiver, data, source))

    def _note_deadline(self, node: SimulatedNode) -> None:
        machine = node.machine
        if machine.deadline == math.inf:
            return
        machine.schedule_cycle(math.inf)
        deadline = machine.deadline
        if deadline < math.inf:
            at = max(deadline, self._network.now)
            if at < self._wake_at.get(node.address, math.inf):
                self._wake_at[node.address] = at
                self._push(at, node, is_thaw=False)

    def _push(self, at: float, node: SimulatedNode, *, is_thaw: bool) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at, self._count, node, is_thaw))
