"""Many machines, one clock, injected faults: fifty nodes without a socket and without waiting.

In simulated seconds, by single events or by cycles. Everything is drawn from the seed, each node from dice of
its own, so the same seed and the same calls give the same run, whether datagrams are passed as objects or as
real bytes.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from ..core.codec import Codec
from ..core.config import Config
from ..core.faults import FaultInjector, Faults
from ..core.identity import Address, NodeId
from ..core.machine import Machine
from ..core.saved import Saved
from ..core.view import Descriptor
from ..errors import ConfigError, GossipError
from ..wire import WireCodec
from .choices import Selection, Start, Timing, check_choices
from .drivers import Cycles, Driver, Events
from .network import Network, Translator
from .node import EPOCH, SimulatedNode
from .object_codec import ObjectCodec
from .starts import batch_of_growth, neighbours, others

__all__ = ["LimitError", "Simulation"]

Which = int | SimulatedNode | Iterable[int | SimulatedNode]
"""A node by its index or itself, or several of them."""

PORTS = tuple(range(7_000, 7_256))
"""Where nodes listen: all on the first, the same number in memory, until the hosts are used up."""

TRANSLATION_PERIOD = 30.0
"""Seconds that an address translator lets answers in. Source: what common ones keep for UDP, at the least."""


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
        timing: Timing = "events",
        selection: Selection = Selection.EVICT,
        keep_events: bool = True,
    ) -> None:
        """Build the network; nothing has been sent yet.

        Args:
            nodes: How many; of a growing network, in the end.
            seed: Of every die in it.
            config: For all nodes, or one for each.
            start: Whom nodes know at the start. In a star they join the first node where time passes by
                events, and just know it where it passes by cycles. A growing network has one node then, and
                at the start of each cycle a hundredth of all, rounded up, comes in; each knows the first.
            faults: What the network does to datagrams; assignable later as ``faults``.
            codec: Pass items as objects (fast) or as bytes (the real wire format); the run is the same.
            verify_sources: Whether addresses have to prove themselves, as on a real network. Nobody forges
                them in here, so experiments save a third of the datagrams without.
            timing: ``events``: every datagram takes its time, and nodes begin their cycles when they like.
                ``cycles``: the paper's model; each cycle of the first node's ``cycle_period`` every live node
                has one turn, in a fresh random order, and its exchange is over at once.
            selection: Whether nodes ask live peers only and evict nobody, or evict who does not answer.
            keep_events: Whether nodes keep all their events, of which every exchange makes some.

        Raises:
            ConfigError: The number of nodes or configurations, or one of the choices, is not possible.
        """
        check_choices(nodes, codec, start=start, timing=timing, selection=selection)
        self.seed = seed
        self.verify_sources = verify_sources
        self._timing = timing
        self._selection = selection
        self._keep_events = keep_events
        configs = configs_of(config, nodes)
        self._codec: Codec = ObjectCodec() if codec == "objects" else WireCodec()
        self._network = Network(seed, faults or Faults())
        self._config = configs[0]
        self._period = self._config.cycle_period
        self._driver: Driver = (
            Cycles(self._network, self._period) if timing == "cycles" else Events(self._network)
        )
        self._node_count = self._restarts = 0
        self._live: set[NodeId] = set()
        """Only asked whether somebody is in it, never iterated over."""
        self._batch = batch_of_growth(nodes)
        self._coming = deque(configs[1:] if start == "growing" else ())
        """The configurations of nodes that a growing network waits for."""
        self._grows_at = 0.0
        for one in configs[: nodes - len(self._coming)]:
            self.add_node(one)
        self._introduce(start)

    @property
    def now(self) -> float:
        """Simulated seconds since the start."""
        return self._network.now

    @property
    def nodes(self) -> list[SimulatedNode]:
        """Everybody who is or was there, in order of arrival."""
        return self._network.nodes

    @property
    def faults(self) -> Faults:
        """What the network does to datagrams; assignable."""
        return self._network.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._network.faults = faults

    @property
    def datagram_count(self) -> int:
        """Datagrams handed to the network so far."""
        return self._network.datagram_count

    # building

    def add_node(
        self,
        config: Config | None = None,
        *,
        join: Iterable[int | SimulatedNode] = (),
        name: str | None = None,
    ) -> SimulatedNode:
        """Start one more node now, which joins the given ones; by default configured as the first is now."""
        if config is None:
            config = self.nodes[0].machine.config if self.nodes else self._config
        node = self._make_node(config, name)
        self._live.add(node.id)
        self._network.add(node)
        node.machine.handle_deadline(self.now)
        contacts = [self._node(other).address for other in join]
        if contacts:
            node.join(*contacts)
        self._pump(node)
        return node

    def _make_node(self, config: Config, name: str | None) -> SimulatedNode:
        number = self._node_count
        self._node_count += 1
        address = Address(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", PORTS[number >> 24])
        dice = random.Random(f"node {number} of {self.seed}")
        node_id = self._new_id(name or f"n{number:02}", dice)
        machine = self._make_machine(node_id, address, config, dice)
        return SimulatedNode(
            machine, address, lambda: self._network.now, self._pump, self._make_injector,
            keep_events=self._keep_events,
        )  # fmt: skip

    def _new_id(self, name: str, dice: random.Random) -> NodeId:
        return NodeId(name, int((EPOCH + self.now) * 1000) << 16 | int(dice.random() * 65_536))

    def _make_machine(
        self, node_id: NodeId, address: Address, config: Config, dice: random.Random
    ) -> Machine:
        machine = Machine(
            node_id, address, config, self._codec, dice,
            wall_offset=EPOCH, verify_sources=self.verify_sources,
        )  # fmt: skip
        if not self._keep_events:
            machine.be_terse()
        if self._selection == Selection.LIVE:
            machine.limit_selection(self._live.__contains__)
        return machine

    def _make_injector(self) -> FaultInjector:
        """Faults of one node's own, with the dice of the network."""
        self._network.has_injectors = True
        return FaultInjector(self._network.random)

    def _introduce(self, start: Start) -> None:
        count = len(self.nodes)
        for index, node in enumerate(self.nodes):
            size = min(node.machine.config.view_size, count - 1)
            if start == "star" and self._timing == "events":
                node.join(self.nodes[0].address)
            elif start == "star" and index:
                node.machine.introduce(self._descriptors([0]))
            elif start == "lattice":
                node.machine.introduce(self._descriptors(neighbours(index, size, count)))
            elif start == "random":
                dice = self._network.random
                node.machine.introduce(self._descriptors(others(index, size, count, dice)))
            self._pump(node)

    def _descriptors(self, indexes: Iterable[int]) -> list[Descriptor]:
        return [Descriptor(self.nodes[index].id, self.nodes[index].address, 0) for index in indexes]

    def _grow(self) -> None:
        """Let the next batch of a growing network come in."""
        live = [index for index, node in enumerate(self.nodes) if node.is_live]
        first = self._descriptors(live[:1])
        for _ in range(min(self._batch, len(self._coming))):
            node = self.add_node(self._coming.popleft())
            node.machine.introduce(first)
        self._grows_at += self._period

    # faults

    def crash(self, *nodes: Which) -> None:
        """Stop nodes without goodbye; for good, unless ``restart`` brings one back."""
        for node in self._chosen(nodes):
            node.is_crashed = True
            self._live.discard(node.id)

    def restart(self, node: int | SimulatedNode, saved: Saved | None = None) -> SimulatedNode:
        """Start a node again at its address, as a process with a state file would, crashed or not until now.

        Its ``delivered`` are those it retained, and those after. One that had left is a new incarnation.

        Args:
            node: Who was buried can't come back.
            saved: What ``node.machine.save()`` gave at some time, by default now, which is when it crashed: a
                crashed node's machine stands still.
        """
        node = self._node(node)
        saved = saved if saved is not None else node.machine.save()
        self._restarts += 1
        dice = random.Random(f"restart {self._restarts} of {self.seed}")
        node_id = saved.standing.id
        if node.has_left:
            node_id = self._new_id(node_id.name, dice)
        self._live.discard(node.id)
        machine = self._make_machine(node_id, node.address, node.machine.config, dice)
        machine.restore(saved, self.now)
        node.begin_anew(machine)
        self._live.add(node_id)
        machine.handle_deadline(self.now)
        self._pump(node)
        return node

    def bury(self) -> None:
        """Take crashed nodes out of ``nodes``, so that long runs with many deaths need no more memory."""
        self._network.remove_crashed()

    def freeze(self, nodes: Which, seconds: float | None = None) -> None:
        """Stop one node or several for so many seconds, or until ``thaw``; sockets keep what fits."""
        for node in self._chosen([nodes]):
            node.is_frozen = True
            if seconds is not None:
                self._driver.thaw_at(self.now + seconds, node)

    def thaw(self, *nodes: Which) -> None:
        """Let frozen nodes go on; without arguments all of them."""
        for node in self._chosen(nodes or [self.nodes]):
            if node.is_frozen:
                node.thaw()
                self._pump(node)

    def partition(self, *groups: Iterable[int | SimulatedNode], one_way: bool = False) -> None:
        """Cut the network into groups that do not reach each other; nodes not named are one more.

        Args:
            groups: The nodes of each.
            one_way: Only what earlier groups send to later ones is lost, those not named being the last; the
                other way everything passes.
        """
        addresses = [[self._node(node).address for node in group] for group in groups]
        self._network.part(addresses, is_one_way=one_way)

    def translate(self, *nodes: Which, period: float = TRANSLATION_PERIOD) -> None:
        """Put nodes behind address translators, which drop what nobody behind them asked for.

        A datagram passes if the node sent one to where it comes from, ``period`` seconds ago at the most.
        """
        for node in self._chosen(nodes):
            self._network.translators[node.address] = Translator(period)

    def heal(self) -> None:
        """Undo every partition, translator and freeze; who crashed stays down."""
        self._network.join_up()
        self._network.translators.clear()
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
        self.run_for(cycles * self._period)

    def run_until(self, condition: Callable[[], bool], limit: float) -> None:
        """Let time pass until ``condition()`` holds; it is asked after every event.

        Args:
            condition: Asked first of all, then after each arrival or deadline, and after each exchange where
                exchanges are atomic.
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
        """Let time pass up to ``end``; True as soon as the condition holds."""
        while self._coming and self._grows_at < end:
            if self._driver.run(self._grows_at, condition):
                return True
            self._grow()
        return self._driver.run(end, condition)

    def _pump(self, node: SimulatedNode) -> None:
        if node.has_left:
            self._live.discard(node.id)
        self._driver.pump(node)

    def _chosen(self, nodes: Iterable[Which]) -> list[SimulatedNode]:
        """Nodes given one by one or as groups."""
        groups = [[which] if isinstance(which, int | SimulatedNode) else which for which in nodes]
        return [self._node(node) for group in groups for node in group]

    def _node(self, node: int | SimulatedNode) -> SimulatedNode:
        return self.nodes[node] if isinstance(node, int) else node


def configs_of(config: Config | Sequence[Config] | None, count: int) -> list[Config]:
    """One configuration for each of ``count`` nodes.

    Raises:
        ConfigError: There are more or fewer.
    """
    if config is None or isinstance(config, Config):
        return [config or Config()] * count
    if len(config) != count:
        raise ConfigError(f"{count} nodes need as many configurations, not {len(config)}")
    return list(config)
