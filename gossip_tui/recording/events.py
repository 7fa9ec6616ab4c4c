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
    Restored,
    StateFailed,
    StateRecovered,
    Undeliverable,
)
from protocol.core.identity import NodeId

from .limits import TEXT_LIMIT
from .pictures import NumberOf, flat_dots, node_of
from .values import address, boolean, dots, number, text

__all__ = ["event_of", "flat_event"]

PEER_SEEN, PEER_LOST, GAP, LAGGED, UNDELIVERABLE, UNRESOLVED, CHANGED, RESTORED, UNSAVED, SAVED = range(10)


def flat_event(event: Event, number_of: NumberOf) -> list[Any] | None:
    """Code and parts of an event; None for one that is not recorded, since pictures count it."""
    writer = WRITERS.get(type(event))
    return None if writer is None else writer(event, number_of)


def flat_undeliverable(event: Undeliverable, number_of: NumberOf) -> list[Any]:
    """A message that was given up."""
    return [UNDELIVERABLE, flat_dots((event.id,), number_of), flat_dots(event.waits_for, number_of)]


def flat_restored(event: Restored, number_of: NumberOf) -> list[Any]:
    """A node that came up with the log of its state file."""
    return [RESTORED, event.messages, None if event.before is None else number_of(event.before)]


def flat_changed(event: IncarnationChanged, number_of: NumberOf) -> list[Any]:
    """A node that goes on under another incarnation."""
    return [CHANGED, number_of(event.before), number_of(event.after), event.was_silent]


WRITERS: dict[type, Callable[[Any, NumberOf], list[Any]]] = {
    PeerSeen: lambda event, number_of: [PEER_SEEN, number_of(event.id), str(event.address)],
    PeerLost: lambda event, number_of: [PEER_LOST, number_of(event.id), str(event.address), event.left],
    Gap: lambda event, _: [GAP, event.size],
    Lagged: lambda event, _: [LAGGED, event.missed],
    Undeliverable: flat_undeliverable,
    ContactUnresolved: lambda event, _: [UNRESOLVED, str(event.contact), event.reason[:TEXT_LIMIT]],
    IncarnationChanged: flat_changed,
    Restored: flat_restored,
    StateFailed: lambda event, _: [UNSAVED, event.path[:TEXT_LIMIT], event.reason[:TEXT_LIMIT]],
    StateRecovered: lambda event, _: [SAVED, event.path[:TEXT_LIMIT]],
}


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
    RESTORED: lambda nodes, messages, before: Restored(
        number(messages), None if before is None else node_of(before, nodes)
    ),
    UNSAVED: lambda _, path, reason: StateFailed(text(path), text(reason)),
    SAVED: lambda _, path: StateRecovered(text(path)),
    CHANGED: lambda nodes, before, after, was_silent=False: IncarnationChanged(
        node_of(before, nodes), node_of(after, nodes), was_silent=boolean(was_silent)
    ),
}


def event_of(code: Any, parts: list[Any], nodes: list[NodeId]) -> Event | None:
    """The event of a code and its parts, which may be anything; None for a code that is not known here.

    Raises:
        ValueError: No writer makes such an event.
        TypeError: The same.
    """
    reader = READERS.get(number(code))
    return None if reader is None else reader(nodes, *parts)
