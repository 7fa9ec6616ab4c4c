"""The effects of one input, collected: what to send to whom, and what to tell the application.

A method that takes an ``Outbox`` may have effects, one without has none. Items for one address share
datagrams.
"""

from __future__ import annotations

from collections.abc import Iterable

from .codec import Packed
from .events import Event
from .identity import Address

__all__ = ["EVENT_LIMIT", "Outbox"]

EVENT_LIMIT = 65_536
"""Undrained events at the most, so that a driver that never asks for them costs bounded memory; a choice."""


class Outbox:
    """What waits to be sent, by target and in order, and the events nobody fetched yet."""

    __slots__ = ("dropped", "events", "offers", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[Address, list[Packed]] = {}
        """Packed items by target; an empty list still sends a datagram, for its header alone."""
        self.offers: set[Address] = set()
        """Targets whose next datagram shall carry a cookie for them."""
        self.events: list[Event] = []
        self.dropped = 0
        """Events refused for want of room."""

    def send(self, target: Address, *items: Packed) -> None:
        """Queue items for one target; with none, just a header."""
        self.waiting.setdefault(target, []).extend(items)

    def send_to_all(self, targets: Iterable[Address], item: Packed) -> None:
        """Queue one item, packed once, for several targets."""
        waiting = self.waiting
        for target in targets:
            waiting.setdefault(target, []).append(item)

    def tell(self, event: Event) -> None:
        """Queue an event for the application; beyond the limit it is counted and dropped."""
        if len(self.events) < EVENT_LIMIT:
            self.events.append(event)
        else:
            self.dropped += 1
