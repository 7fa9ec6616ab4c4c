"""Swarms in memory, for what shows all nodes of a process: who sent what, and when it was where."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy

from gossip_tui.observed import Change, Deliveries, Delivery, KnownView, OverlayPicture
from protocol.core.identity import NodeId
from protocol.core.messages import Message
from protocol.core.view import Descriptor
from tests.gossip_tui.samples import NOON, Talk, address, node_id

__all__ = ["SwarmOf"]


class SwarmOf:
    """Observed nodes that say and deliver what a test tells them, at moments that it tells.

    Args:
        names: The observed nodes; the first is the one that one sits on.
    """

    def __init__(self, *names: str) -> None:
        self.talk = Talk()
        self.delivered: dict[NodeId, list[Message]] = {node_id(name): [] for name in names}
        self.views: dict[NodeId, tuple[Descriptor, ...]] = dict.fromkeys(self.delivered, ())
        self.seat = node_id(names[0])
        self.now = NOON
        self.asked = 0
        self.changes: list[Change] = []

    def say(self, who: str, text: str, *after: Message, hops: int = 0) -> Message:
        """One more message of ``who``, delivered there at once if that node is observed."""
        message = self.talk.say(who, text, *after, created_at=self.now, delivered_at=self.now, hops=hops)
        if message.id.origin in self.delivered:
            self.delivered[message.id.origin].append(message)
        return message

    def reach(self, message: Message, *names: str, after: float = 0.0, hops: int = 1) -> None:
        """Let a message be delivered at these nodes, so many seconds from now."""
        for name in names:
            copied = copy(message)
            copied.delivered_at = self.now + after
            copied.hops = hops
            self.delivered[node_id(name)].append(copied)

    def tell(self, who: str, text: str, *after: Message) -> Message:
        """One more message of ``who``, delivered everywhere at once."""
        message = self.say(who, text, *after)
        self.reach(message, *(node.name for node in self.delivered if node != message.id.origin))
        return message

    def know(self, who: str, *whom: str, age: int = 1) -> None:
        """Let a node have these in its view, and nobody else."""
        self.views[node_id(who)] = tuple(Descriptor(node_id(name), address(2), age) for name in whom)

    def change(self, text: str, *names: str) -> None:
        """Somebody changes something about these nodes now."""
        self.changes.append(Change(self.now, text, frozenset(names)))

    def overlay(self) -> OverlayPicture:
        """What a feed would answer."""
        self.asked += 1
        return OverlayPicture.of_swarm(
            self.seat, [KnownView(node, view) for node, view in self.views.items()]
        )

    def deliveries(self, after: Mapping[NodeId, int]) -> Deliveries:
        """What a feed would answer."""
        self.asked += 1
        rows = [
            Delivery(node, message)
            for node, messages in self.delivered.items()
            for message in messages[after.get(node, 0) :]
        ]
        cursor = {node: len(messages) for node, messages in self.delivered.items()}
        return Deliveries(tuple(rows), cursor, frozenset(self.delivered), self.seat, tuple(self.changes))
