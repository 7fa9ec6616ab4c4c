"""Events worth a line, as plain values and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocol.core.events import (
    ContactUnresolved,
    Event,
    Gap,
    IncarnationChanged,
    Lagged,
    PeerLost,
    PeerSeen,
    Undeliverable,
)
from protocol.core.identity import NodeId

from .pictures import NumberOf, flat_dots, node_of
from .values import address, boolean, dots, number, text

__all__ = ["event_of", "flat_event"]

PEER_SEEN, PEER_LOST, GAP, LAGGED, UNDELIVERABLE, UNRESOLVED, CHANGED = range(7)


def flat_event(event: Event, number_of: NumberOf) -> list[Any] | None:
    """Code and parts of an event; None for one that is not recorded, since pictures count it."""
    match event:
        case PeerSeen(id=node, address=place):
            return [PEER_SEEN, number_of(node), str(place)]
        case PeerLost(id=node, address=place, left=left):
            return [PEER_LOST, number_of(node), str(place), left]
        case Gap(size=size):
            return [GAP, size]
        case Lagged(missed=missed):
            return [LAGGED, missed]
        case Undeliverable(id=dot, waits_for=waits_for):
            return [UNDELIVERABLE, flat_dots((dot,), number_of), flat_dots(waits_for, number_of)]
        case ContactUnresolved(contact=contact, reason=reason):
            return [UNRESOLVED, str(contact), reason]
        case IncarnationChanged(before=before, after=after):
            return [CHANGED, number_of(before), number_of(after)]
        case _:
            return None


def undeliverable(nodes: list[NodeId], own: Any, waits_for: Any) -> Undeliverable:
    """A message that was given up."""
    (dot,) = dots(own, nodes)
    return Undeliverable(dot, dots(waits_for, nodes))


READERS: dict[int, Callable[..., Event]] = {
    PEER_SEEN: lambda nodes, node, place: PeerSeen(node_of(node, nodes), address(place)),
    PEER_LOST: lambda nodes, node, place, left: PeerLost(node_of(node, nodes), address(place), boolean(left)),
    GAP: lambda _, size: Gap(number(size)),
    LAGGED: lambda _, missed: Lagged(number(missed)),
    UNDELIVERABLE: undeliverable,
    UNRESOLVED: lambda _, contact, reason: ContactUnresolved(address(contact), text(reason)),
    CHANGED: lambda nodes, before, after: IncarnationChanged(node_of(before, nodes), node_of(after, nodes)),
}


def event_of(code: Any, parts: list[Any], nodes: list[NodeId]) -> Event | None:
    """The event of a code and its parts, which may be anything; None for a code that is not known here.

    Raises:
        ValueError: No writer makes such an event.
        TypeError: The same.
    """
    reader = READERS.get(number(code))
    return None if reader is None else reader(nodes, *parts)
