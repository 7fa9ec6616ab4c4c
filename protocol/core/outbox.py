"""The effects of one input, collected: what to send to whom, and what to tell the application.

A method that takes an ``Outbox`` may have effects, one without has none. Items for one address share
datagrams.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .codec import Packed
from .events import Event
from .identity import Address
from .messages import KeyDot

__all__ = ["EVENT_LIMIT", "Outbox"]

EVENT_LIMIT = 65_536
"""Undrained events at the most, so that a driver that never asks for them costs bounded memory; a choice."""


class Outbox:
    """What waits to be sent, by target and in order, and the events nobody fetched yet."""

    __slots__ = ("bare", "dropped", "events", "fan_outs", "is_terse", "offers", "told", "waiting")

    def __init__(self) -> None:
        self.waiting: dict[Address, list[Packed]] = {}
        """Packed items by target; an empty list still sends a datagram, for its header alone."""
        self.offers: set[Address] = set()
        """Targets whose next datagram shall carry a cookie for them."""
        self.fan_outs: dict[KeyDot, tuple[Packed, list[Address]]] = {}
        """Messages among what waits, with whom they go to, so that a target can be spared."""
        self.bare: set[Address] = set()
        """Targets that get a datagram even if nothing is in it."""
        self.told: Counter[type[Event]] = Counter()
        """How many events of each kind there were, fetched or not."""
        self.events: list[Event] = []
        self.dropped = 0
        """Events refused for want of room."""
        self.is_terse = False
        """Whether changes of the view, of which every exchange makes one, are kept to itself."""

    def send(self, target: Address, *items: Packed) -> None:
        """Queue items for one target; with none, just a header."""
        if not items:
            self.bare.add(target)
        self.waiting.setdefault(target, []).extend(items)

    def send_to_all(self, targets: Iterable[Address], item: Packed) -> None:
        """Queue one item, packed once, for several targets."""
        waiting = self.waiting
        for target in targets:
            waiting.setdefault(target, []).append(item)

    def fan_out(self, dot: KeyDot, item: Packed, targets: list[Address]) -> None:
        """Queue a message for several targets, any of which may be spared until it is sent."""
        self.send_to_all(targets, item)
        self.fan_outs[dot] = (item, targets)

    def forget(self) -> None:
        """What waited was sent; forget what was noted of it."""
        if self.offers:
            self.offers.clear()
        if self.fan_outs:
            self.fan_outs.clear()
        if self.bare:
            self.bare.clear()

    def spare(self, dot: KeyDot, target: Address) -> None:
        """Do not send a message to a target after all: it has just come from there."""
        item, targets = self.fan_outs.get(dot, (None, ()))
        waiting = self.waiting.get(target)
        if item is None or waiting is None or target not in targets:
            return
        waiting[:] = [other for other in waiting if other is not item]
        if not waiting and target not in self.bare:
            del self.waiting[target]

    def tell(self, event: Event) -> None:
        """Queue an event for the application; beyond the limit it is counted and dropped."""
        self.told[type(event)] += 1
        if len(self.events) < EVENT_LIMIT:
            self.events.append(event)
        else:
            self.dropped += 1
