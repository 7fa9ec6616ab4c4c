"""Many machines, one clock, injected faults: fifty nodes without a socket and without waiting.

Discrete events in simulated seconds. Everything is drawn from the seed, each node from dice of its own, so
the same seed and the same calls give the same run, whether datagrams are passed as objects or as real bytes.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, get_args

from ..core.codec import Codec, Datagram
from ..core.config import Config
from ..core.identity import Address, NodeId
from ..core.machine import Machine
from ..core.view import Descriptor
from ..errors import ConfigError, GossipError
from ..wire import WireCodec
from .faults import Faults
from .node import EPOCH, SimulatedNode
from .object_codec import ObjectCodec

__all__ = ["LimitError", "Simulation", "Start"]

Start = Literal["random", "lattice", "star", "alone"]
"""Whom nodes know at the start: random others, their neighbours on a ring, node 0 alone, or nobody."""

Which = int | SimulatedNode | Iterable[int | SimulatedNode]
"""A node by its index or itself, or several of them."""

FIRST_PORT = 7_000
THAW = "thaw"


class LimitError(GossipError, AssertionError):
    """``run_until`` came to its limit before its condition held; the text names seed and simulated time."""


class Simulation:
    """A network of simulated nodes.

    >>> sim = Simulation(5, seed=1)
    >>> message = sim.nodes[0].send_gossip("hello")
    >>> sim.run_until(lambda: all(node.delivered for node in sim.nodes), limit=30)
    >>> [node.log[0].text for node in sim.nodes]
    ['hello', 'hello', 'hello', 'hello', 'hello']
    """

    def __init__(
        self,
        nodes: int,
        *,
        seed: int,
        config: Config | Sequence[Config] | None = None,
        start: Start = "random",
        faults: Faults | None = None,
        codec: Literal["objects", "bytes"] = "objects",
        verify_sources: bool = True,
    ) -> None:
        """Build the network; nothing has been sent yet.

        Args:
            nodes: How many.
            seed: Of every die in it.
            config: For all nodes, or one for each.
            start: Whom nodes know at the start.
            faults: What the network does to datagrams; assignable later as ``faults``.
            codec: Pass items as objects (fast) or as bytes (the real wire format); the run is the same.
            verify_sources: Whether addresses have to prove themselves, as on a real network. Nobody forges
                them in here, so experiments save a third of the datagrams without.

        Raises:
            ConfigError: The number of nodes or configurations, or the start, is not possible.
        """
        check_choices(nodes, start, codec)
        self.seed = seed
        self.verify_sources = verify_sources
        self.now = 0.0
        """Simulated seconds since the start."""
        self.faults = faults or Faults()
        self.nodes: list[SimulatedNode] = []
        self.datagram_count = 0
        """Datagrams handed to the network so far."""
        self._codec: Codec = ObjectCodec() if codec == "objects" else WireCodec()
        self._random = random.Random(f"network {seed}")
        self._by_address: dict[Address, SimulatedNode] = {}
        self._queue: list[tuple[float, int, SimulatedNode, Any, Address | None]] = []
        self._count = 0
        self._wake_at: dict[Address, float] = {}
        self._groups: dict[Address, int] | None = None
        configs = (
            [config or Config()] * nodes if config is None or isinstance(config, Config) else list(config)
        )
        if len(configs) != nodes:
            raise ConfigError(f"{nodes} nodes need as many configurations, not {len(configs)}")
        for one in configs:
            self.add_node(one)
        self._introduce(start)

    # building

    def add_node(
        self,
        config: Config | None = None,
        *,
        join: Iterable[int | SimulatedNode] = (),
        name: str | None = None,
    ) -> SimulatedNode:
        """Start one more node now, which joins the given ones."""
        number = len(self.nodes)
        address = Address(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", FIRST_PORT)
        dice = random.Random(f"node {number} of {self.seed}")
        incarnation = int((EPOCH + self.now) * 1000) << 16 | int(dice.random() * 65_536)
        node_id = NodeId(name or f"n{number:02}", incarnation)
        machine = Machine(
            node_id, address, config or self.nodes[0].machine.config if self.nodes else config or Config(),
            self._codec, dice, wall_offset=EPOCH, verify_sources=self.verify_sources,
        )  # fmt: skip
        node = SimulatedNode(machine, address, lambda: self.now, self._pump)
        self.nodes.append(node)
        self._by_address[address] = node
        machine.handle_deadline(self.now)
        contacts = [self._node(other).address for other in join]
        if contacts:
            node.join(*contacts)
        self._pump(node)
        return node

    def _introduce(self, start: Start) -> None:
        count = len(self.nodes)
        for index, node in enumerate(self.nodes):
            if start == "star":
                node.join(self.nodes[0].address)
            elif start != "alone":
                size = min(node.machine.config.view_size, count - 1)
                others = self._others(index, size) if start == "random" else neighbours(index, size, count)
                node.machine.introduce(
                    [Descriptor(self.nodes[i].id, self.nodes[i].address, 0) for i in others]
                )
            self._pump(node)

    def _others(self, index: int, size: int) -> list[int]:
        """``size`` different nodes at random, none of them ``index``."""
        chosen: dict[int, None] = {}
        while len(chosen) < size:
            other = int(self._random.random() * len(self.nodes))
            if other != index:
                chosen[other] = None
        return list(chosen)

    # faults

    def crash(self, *nodes: Which) -> None:
        """Stop nodes for good, without goodbye."""
        for node in self._chosen(nodes):
            node.is_crashed = True

    def freeze(self, nodes: Which, seconds: float | None = None) -> None:
        """Stop one node or several for so many seconds, or until ``thaw``; sockets keep what fits."""
        for node in self._chosen([nodes]):
            node.is_frozen = True
            if seconds is not None:
                self._push(self.now + seconds, node, THAW, None)

    def thaw(self, *nodes: Which) -> None:
        """Let frozen nodes go on; without arguments all of them."""
        for node in self._chosen(nodes or [self.nodes]):
            if node.is_frozen:
                node.thaw()
                self._pump(node)

    def partition(self, *groups: Iterable[int | SimulatedNode]) -> None:
        """Cut the network into groups that do not reach each other; nodes not named are one more."""
        self._groups = {
            self._node(node).address: number for number, group in enumerate(groups, start=1) for node in group
        }

    def heal(self) -> None:
        """Undo every partition and every freeze; who crashed stays down."""
        self._groups = None
        self.thaw()

    # running

    def run_for(self, seconds: float) -> None:
        """Let simulated time pass.

        Raises:
            ValueError: ``seconds`` is no number of at least 0.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"time passes by 0 seconds or more, not by {seconds}")
        self._run(self.now + seconds, None)

    def run_cycles(self, cycles: int) -> None:
        """Let as many cycle periods of the first node's configuration pass."""
        self.run_for(cycles * self.nodes[0].machine.config.cycle_period)

    def run_until(self, condition: Callable[[], bool], limit: float) -> None:
        """Let time pass until ``condition()`` holds; it is asked after every event.

        Args:
            condition: Asked first of all, then after each arrival or deadline.
            limit: Simulated seconds from now at the most.

        Raises:
            LimitError: The limit came first.
        """
        end = self.now + limit
        if not self._run(end, condition):
            raise LimitError(
                f"condition not met within {limit} s: seed {self.seed}, simulated time {self.now:.3f} s"
            )

    def _run(self, end: float, condition: Callable[[], bool] | None) -> bool:
        """Work off the queue up to ``end``; True as soon as the condition holds."""
        for node in self.nodes:
            self._pump(node)
        if condition is not None and condition():
            return True
        queue = self._queue
        while queue and queue[0][0] <= end:
            at, _, node, data, source = heapq.heappop(queue)
            if source is None and data is not THAW and self._wake_at.get(node.address) != at:
                continue  # an earlier wake has taken its place
            self.now = at
            if data is THAW:
                self.thaw(node)
            elif source is None:
                self._wake_at.pop(node.address, None)
                node.wake()
            else:
                node.receive(data, source)
            self._pump(node)
            if condition is not None and condition():
                return True
        self.now = end
        return False

    def _pump(self, node: SimulatedNode) -> None:
        """Send what a node wants to send, and remember when it wants to be woken."""
        if not node.is_up:
            return
        node.collect()
        for datagram in node.take_datagrams():
            self._send(node, datagram)
        deadline = max(node.machine.deadline, self.now)
        if deadline < self._wake_at.get(node.address, float("inf")):
            self._wake_at[node.address] = deadline
            self._push(deadline, node, None, None)

    def _send(self, sender: SimulatedNode, datagram: Datagram) -> None:
        self.datagram_count += 1
        target = self._by_address.get(datagram.target)
        if target is None or not self._reaches(sender.address, datagram.target):
            return
        for delay in self.faults.delays(self._random.random):
            self._push(self.now + delay, target, datagram.data, sender.address)

    def _push(self, at: float, node: SimulatedNode, data: Any, source: Address | None) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at, self._count, node, data, source))

    def _reaches(self, source: Address, target: Address) -> bool:
        groups = self._groups
        return groups is None or groups.get(source, 0) == groups.get(target, 0)

    def _chosen(self, nodes: Iterable[Which]) -> list[SimulatedNode]:
        """Nodes given one by one or as groups."""
        groups = [[which] if isinstance(which, int | SimulatedNode) else which for which in nodes]
        return [self._node(node) for group in groups for node in group]

    def _node(self, node: int | SimulatedNode) -> SimulatedNode:
        return self.nodes[node] if isinstance(node, int) else node


def check_choices(nodes: int, start: str, codec: str) -> None:
    """Refuse a simulation that can't be.

    Raises:
        ConfigError: The number of nodes, the start or the codec is not possible.
    """
    if nodes < 1:
        raise ConfigError(f"a simulation needs at least 1 node, not {nodes}")
    if codec not in ("objects", "bytes"):
        raise ConfigError(f"codec must be objects or bytes, not {codec!r}")
    if start not in get_args(Start):
        raise ConfigError(f"start must be one of {', '.join(get_args(Start))}, not {start!r}")


def neighbours(index: int, size: int, count: int) -> list[int]:
    """The ``size`` nearest nodes on a ring, alternating sides."""
    steps = [step * sign for step in range(1, size + 1) for sign in (1, -1)]
    return list(dict.fromkeys((index + step) % count for step in steps))[:size]
