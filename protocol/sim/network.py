"""What lies between simulated nodes: one clock, addresses, faults, partitions, and dice."""

from __future__ import annotations

import random

from ..core.identity import Address
from .faults import Faults
from .node import SimulatedNode

__all__ = ["Network"]


class Network:
    """Knows which node a datagram reaches, if any; how long that takes is the business of a driver."""

    def __init__(self, seed: int, faults: Faults) -> None:
        """Connect nobody yet, at 0 seconds."""
        self.now = 0.0
        self.faults = faults
        self.nodes: list[SimulatedNode] = []
        self.datagram_count = 0
        self.random = random.Random(f"network {seed}").random
        self.groups: dict[Address, int] | None = None
        """Which part of a partition an address is in, 0 if it is not here; None without a partition."""
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
        self.nodes[:] = [node for node in self.nodes if not node.is_crashed]

    def reached(self, source: Address, target: Address) -> SimulatedNode | None:
        """Who is at ``target``, None if nobody is or a partition lies between; counts the datagram."""
        self.datagram_count += 1
        groups = self.groups
        if groups is not None and groups.get(source, 0) != groups.get(target, 0):
            return None
        return self._by_address.get(target)
