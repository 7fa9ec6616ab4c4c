"""The history as a log for ShiViz: who sent and delivered what, with a clock that counts events.

Vector clocks of messages count messages; a ShiViz clock counts the events of each host in the log, from 1 and
without holes. So it is worked out anew from what is exported. A node that was observed is a host with all its
sends and deliveries. Of any other node only its sends are known, each by a message that came; that it had
delivered the parents of that message by then is known too, but not when, so these are no events of their own.

Source: the parser of ShiViz (``vectorTimestamp.js``, ``modelGraph.js``): the own entry is present; the events
of a host are numbered 1, 2, 3, ...; every entry names a host of the log and one of its events.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from protocol.core.identity import Dot, NodeId
from protocol.core.messages import Message
from protocol.text import printable

from .history import History, labels_for

__all__ = ["EXPRESSION", "shiviz_lines"]

EXPRESSION = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)"
"""The regular expression that ShiViz reads the log with; the first line of the file."""

RESERVED = frozenset(
    {"__proto__", "constructor", "hasOwnProperty", "isPrototypeOf", "toString", "valueOf", "toLocaleString"}
)
"""Names that mean something else to an object of JavaScript; such a node has its ``name~tag``."""

Clock = dict[NodeId, int]


class Event(NamedTuple):
    """A message was sent by a host, or delivered there."""

    host: NodeId
    message: Message

    @property
    def is_send(self) -> bool:
        """Whether the host is where the message comes from."""
        return self.host == self.message.id.origin


def shiviz_lines(history: History) -> Iterator[str]:
    """The log: the expression, an empty line, and two lines for each event, causes before effects."""
    yield f"{EXPRESSION}\n\n"
    lanes = lanes_of(history)
    labels = labels_for(lanes, RESERVED)
    named = labels_for({event.message.id.origin for lane in lanes.values() for event in lane} | set(lanes))
    for event, clock in clocked(lanes):
        entries = {labels[event.host]: clock[event.host]}
        entries |= {labels[node]: count for node, count in sorted(clock.items()) if node != event.host}
        origin, sequence = event.message.id
        does = "sends" if event.is_send else "delivers"
        what = f"{does} {printable(named[origin])}#{sequence} {printable(event.message.text)}"
        yield f"{labels[event.host]} {json.dumps(entries, ensure_ascii=False)}\n{what}\n"


def lanes_of(history: History) -> dict[NodeId, list[Event]]:
    """The events of each host in its own order; hosts without any are left out."""
    lanes = {lane.node: [Event(lane.node, message) for message in lane.messages] for lane in history.lanes}
    told: dict[Dot, Message] = {}
    for lane in history.lanes:
        for message in lane.messages:
            if message.id.origin not in lanes:
                told.setdefault(message.id, message)
    for dot in sorted(told, key=lambda dot: (dot.origin, dot.sequence)):
        lanes.setdefault(dot.origin, []).append(Event(dot.origin, told[dot]))
    return {node: lane for node, lane in lanes.items() if lane}


def clocked(lanes: dict[NodeId, list[Event]]) -> Iterator[tuple[Event, Clock]]:
    """Every event with its clock, after everything that caused it.

    A recording that anybody made may hold events that cause each other in a ring; the first of those is taken
    as if what it waits for were not there.
    """
    observed = {node for node, lane in lanes.items() if any(not event.is_send for event in lane)}
    waiting: dict[NodeId, deque[Event]] = {node: deque(lane) for node, lane in lanes.items()}
    coming = {event.message.id for lane in lanes.values() for event in lane if event.is_send}
    sent: dict[Dot, Clock] = {}
    now: dict[NodeId, Clock] = {node: {} for node in lanes}
    parked: dict[Dot, list[NodeId]] = {}
    ready = deque(lanes)
    while True:
        while ready:
            host = ready.popleft()
            lane = waiting[host]
            missing = first_missing(lane[0], observed, coming, sent) if lane else None
            if missing is not None:
                parked.setdefault(missing, []).append(host)
                continue
            if not lane:
                continue
            event = lane.popleft()
            clock = happen(event, now[host], observed, sent)
            yield event, clock
            ready.append(host)
            if event.is_send:
                ready.extend(parked.pop(event.message.id, ()))
        if not parked:
            return
        stuck = next(iter(parked))
        coming.discard(stuck)
        ready.extend(parked.pop(stuck))


def causes_of(event: Event, observed: set[NodeId]) -> tuple[Dot, ...]:
    """The messages whose sending is known to have happened before an event, beside the host's own events."""
    if not event.is_send:
        return (event.message.id,)
    return () if event.host in observed else event.message.parents


def first_missing(
    event: Event, observed: set[NodeId], coming: set[Dot], sent: dict[Dot, Clock]
) -> Dot | None:
    """A cause of the event that is still to come."""
    causes = causes_of(event, observed)
    return next((dot for dot in causes if dot in coming and dot not in sent), None)


def happen(event: Event, clock: Clock, observed: set[NodeId], sent: dict[Dot, Clock]) -> Clock:
    """The clock of an event; ``clock``, which is that of its host, goes on."""
    for dot in causes_of(event, observed):
        for node, count in sent.get(dot, {}).items():
            if count > clock.get(node, 0):
                clock[node] = count
    clock[event.host] = clock.get(event.host, 0) + 1
    if event.is_send:
        sent[event.message.id] = dict(clock)
    return clock
