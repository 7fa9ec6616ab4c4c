"""What lies between simulated nodes: one clock, addresses, faults, partitions, translators, and dice."""

from __future__ import annotations

import random
from collections.abc import Collection

from ..core.faults import Faults
from ..core.identity import Address
from .node import SimulatedNode

__all__ = ["LOCAL_LATENCY", "Network", "Translator"]

LOCAL_LATENCY = (0.001, 0.005)
"""Seconds that a datagram takes where the faults do not say: a local network."""


class Translator:
    """An address translator or firewall: it lets in only what comes from where something went lately."""

    def __init__(self, period: float) -> None:
        """Remember for ``period`` seconds where something went."""
        self.period = period
        self.sent_at: dict[Address, float] = {}

    def lets_in(self, source: Address, now: float) -> bool:
        """Whether something went to ``source`` lately."""
        sent_at = self.sent_at.get(source)
        return sent_at is not None and now - sent_at <= self.period


class Network:
    """Knows which node a datagram reaches, if any, and how long that takes."""

    def __init__(self, seed: int, faults: Faults) -> None:
        """Connect nobody yet, at 0 seconds."""
        self.now = 0.0
        self.faults = faults
        self.nodes: list[SimulatedNode] = []
        self.datagram_count = 0
        self.random = random.Random(f"network {seed}").random
        self.translators: dict[Address, Translator] = {}
        """Who is behind an address translator."""
        self.has_injectors = False
        """Whether any node has faults of its own."""
        self._groups: dict[Address, int] | None = None
        """Which part of a partition an address is in; None without a partition."""
        self._others = 0
        """The part of everybody who is not named."""
        self._is_one_way = False
        self._by_address: dict[Address, SimulatedNode] = {}

    def add(self, node: SimulatedNode) -> None:
        """Connect a node."""
        self.nodes.append(node)
        self._by_address[node.address] = node

    def remove_crashed(self) -> None:
        """Forget everybody who crashed."""
        for node in self.nodes:
            if node.is_crashed:
                del self._by_address[node.address]
                self.translators.pop(node.address, None)
        self.nodes[:] = [node for node in self.nodes if not node.is_crashed]

    def part(self, groups: Collection[Collection[Address]], *, is_one_way: bool) -> None:
        """Cut the network into groups and the rest, both ways or only what goes to later groups."""
        self._groups = {address: number for number, group in enumerate(groups) for address in group}
        self._others = len(groups)
        self._is_one_way = is_one_way

    def join_up(self) -> None:
        """Undo the partition."""
        self._groups = None

    def reached(self, source: Address, target: Address) -> SimulatedNode | None:
        """Who is at ``target``, None if nobody is or a partition lies between; counts the datagram."""
        self.datagram_count += 1
        if self.translators:
            self._note_sending(source, target)
        groups = self._groups
        if groups is not None:
            sender, receiver = groups.get(source, self._others), groups.get(target, self._others)
            if sender < receiver or (sender > receiver and not self._is_one_way):
                return None
        return self._by_address.get(target)

    def copies(self, source: SimulatedNode, target: SimulatedNode) -> int:
        """How many copies of one datagram arrive."""
        if source.injector is target.injector is None:
            return self.faults.copies(self.random)
        return len(self.delays(source, target))

    def delays(self, source: SimulatedNode, target: SimulatedNode) -> list[float]:
        """When the copies of one datagram arrive, in seconds from now; none if it is lost."""
        delays = self.faults.delays(self.random, LOCAL_LATENCY)
        if source.injector is target.injector is None:
            return delays
        for node, peer in ((source, target), (target, source)):
            if node.injector is not None and node.injector.is_active:
                ask, outbound = node.injector.delays, node is source
                delays = [one + more for one in delays for more in ask(peer.address, outbound=outbound)]
        return delays

    def lets_in(self, source: Address, target: Address) -> bool:
        """Whether a datagram that arrives now passes the translator of its target, if there is one."""
        translator = self.translators.get(target)
        return translator is None or translator.lets_in(source, self.now)

    def _note_sending(self, source: Address, target: Address) -> None:
        translator = self.translators.get(source)
        if translator is not None:
            translator.sent_at[target] = self.now
