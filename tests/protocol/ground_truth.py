"""Causality as an outside observer sees it, to judge what nodes say about it.

The observer knows what every node had delivered, or taken over as a baseline, when it sent a message; that is
the message's true past. A node is wrong if it delivers a message twice, delivers something after what it
happened before of, or shows another clock.
"""

from __future__ import annotations

from protocol.core.identity import Dot, NodeId
from protocol.core.messages import Message
from protocol.sim import SimulatedNode, Simulation

__all__ = ["GroundTruth"]

Vector = dict[NodeId, int]


class GroundTruth:
    """Sends through it are remembered with their true past."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.clocks: dict[Dot, Vector] = {}
        self.depths: dict[Dot, int] = {}
        self._shown: dict[Dot, Vector] = {}
        self._known: dict[SimulatedNode, Vector] = {}
        self._read: dict[SimulatedNode, int] = {}
        self._baselines: dict[SimulatedNode, int] = {}

    def send(self, index: int, text: str = "") -> Message:
        """Let a node send, and note what had happened before."""
        node = self.simulation.nodes[index]
        past = dict(self.known(node))
        message = node.send_gossip(text or f"{index} at {self.simulation.now:.3f}")
        past[message.id.origin] = message.id.sequence
        self.clocks[message.id] = past
        self.depths[message.id] = message.depth
        return message

    def known(self, node: SimulatedNode) -> Vector:
        """What a node has delivered so far or has from a baseline, with all that happened before it."""
        known = self._known.setdefault(node, {})
        start = self._read.get(node, 0)
        for dot in (*(message.id for message in node.delivered[start:]), *self._adopted(node)):
            for origin, sequence in self.clocks[dot].items():
                known[origin] = max(known.get(origin, 0), sequence)
        self._read[node] = len(node.delivered)
        return known

    def _adopted(self, node: SimulatedNode) -> list[Dot]:
        """The last message of each origin in the prefix that is not retained, if a baseline is new in it."""
        causal = node.machine.context.causal
        if causal.log.adoptions == self._baselines.get(node, 0):
            return []
        self._baselines[node] = causal.log.adoptions
        dots = map(causal.public_dot, causal.log.evicted.items())
        return [dot for dot in dots if dot is not None]

    def shown(self, dot: Dot) -> Vector:
        """What a message's clock shows of its past: the origins whose last message has the largest (depth,
        origin).
        """
        shown = self._shown.get(dot)
        if shown is None:
            shown = self._shown[dot] = self._cut(self.clocks[dot])
        return shown

    def _cut(self, past: Vector) -> Vector:
        limit = self.simulation.nodes[0].machine.config.clock_limit
        if len(past) <= limit:
            return past
        ranked = sorted(past, key=lambda origin: (self.depths[Dot(origin, past[origin])], origin))
        return {origin: past[origin] for origin in ranked[-limit:]}

    def violations(self, node: SimulatedNode) -> list[str]:
        """Everything wrong with what one node delivered; late messages are announced as out of order."""
        wrong: list[str] = []
        seen: set[Dot] = set()
        past: Vector = {}
        for message in node.delivered:
            origin, sequence = message.id
            if message.id in seen:
                wrong.append(f"{node.id}: {message.id} twice")
            if past.get(origin, 0) >= sequence and not message.late:
                wrong.append(f"{node.id}: {message.id} after something it happened before")
            truth = self.clocks[message.id]
            shown = self.shown(message.id)
            if dict(message.clock) != shown and not message.late:
                wrong.append(f"{node.id}: {message.id} has {message.clock}, not {by_name(shown)}")
            seen.add(message.id)
            for other, number in truth.items():
                past[other] = max(past.get(other, 0), number)
        return wrong

    def check(self) -> None:
        """Judge every node, and every machine's own invariants."""
        for node in self.simulation.nodes:
            node.machine.check()
            assert self.violations(node) == []

    def everything(self) -> set[Dot]:
        """All messages sent."""
        return set(self.clocks)


def by_name(vector: Vector) -> dict[str, int]:
    return {str(origin): sequence for origin, sequence in vector.items()}
