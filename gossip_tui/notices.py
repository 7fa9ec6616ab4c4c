"""What happens in the network, in words: who came, left or was lost, what is missing; pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

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
from protocol.core.identity import Dot, NodeId
from protocol.core.snapshot import NodeSnapshot, PeerState
from protocol.text import printable

__all__ = ["NOTABLE", "Notice", "Pictures", "notices_of", "so_many"]

NAMED_AGAIN = "named again by another node: lost before, no answer yet"
"""What is said of a lost peer that comes back into the view by hearsay alone; it may be dead all the same."""

NAMED = "named by another node, not heard from yet"
"""What is said of a peer that came into the view by hearsay alone; a node of that name may be long gone."""

NAMED_PEERS = 3
"""Peers named in one notice; more than these are counted."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One line about the network, to stand in the log at its time."""

    text: str
    """Safe for a terminal, one line."""
    at: float
    """Unix seconds by this computer's clock."""
    kind: str = "info"
    """What it is about: ``info``, ``joined``, ``parted``, ``warning`` or ``change``."""


NOTABLE = (
    PeerSeen,
    PeerLost,
    Gap,
    Lagged,
    Undeliverable,
    IncarnationChanged,
    ContactUnresolved,
    Restored,
    StateFailed,
    StateRecovered,
)
"""Events that people are told in words; the others are counted in the snapshot or shown as messages."""

GOOD_NEWS = (Restored, StateRecovered)
"""Those that are no reason to worry."""


class Pictures(NamedTuple):
    """What a node knew of its peers before and after events; tells who came from who was only named."""

    before: NodeSnapshot | None
    now: NodeSnapshot

    def lost(self) -> set[NodeId]:
        """Those who were lost before."""
        rows = self.before.peers if self.before is not None else ()
        return {row.id for row in rows if row.state is PeerState.LOST}

    def heard(self) -> set[NodeId]:
        """Those who exchanged with the node, and of those who were lost before, since then."""
        rows = self.before.peers if self.before is not None else ()
        exchanged = {row.id: row.last_exchange_at for row in rows if row.state is PeerState.LOST}
        return {
            row.id
            for row in self.now.peers
            if row.last_exchange_at is not None and row.last_exchange_at != exchanged.get(row.id)
        }


def notices_of(events: Iterable[Event], at: float, pictures: Pictures | None = None) -> list[Notice]:
    """Say in words what happened; many peers that come or go at once share a line.

    Args:
        events: In their order.
        at: When they happened.
        pictures: Of the node before and after them; without, whoever is seen has joined.
    """
    seen: list[PeerSeen] = []
    left: list[str] = []
    lost: list[str] = []
    others: list[tuple[str, str]] = []
    for event in events:
        match event:
            case PeerSeen():
                seen.append(event)
            case PeerLost(id=node, left=True):
                left.append(printable(node.name))
            case PeerLost(id=node):
                lost.append(printable(node.name))
            case _ if text := sentence_of(event):
                others.append((text, "info" if isinstance(event, GOOD_NEWS) else "warning"))
    again, named = only_named(seen, pictures) if seen and pictures is not None else ([], [])
    seen = [event for event in seen if event not in again and event not in named]
    texts = [
        (listed([printable(event.id.name) for event in again], NAMED_AGAIN), "info"),
        (listed([printable(event.id.name) for event in named], NAMED), "info"),
        (listed([arrival(event, alone=len(seen) == 1) for event in seen], "joined"), "joined"),
        (listed(left, "left"), "parted"),
        (listed(lost, "lost: no answer, dialled again now and then"), "parted"),
        *others,
    ]
    return [Notice(text, at, kind) for text, kind in texts if text]


def only_named(seen: list[PeerSeen], pictures: Pictures) -> tuple[list[PeerSeen], list[PeerSeen]]:
    """Those of whom only third nodes told, for they did not answer: who had been lost, and the others."""
    lost, heard = pictures.lost(), pictures.heard()
    silent = [event for event in seen if event.id not in heard]
    return [event for event in silent if event.id in lost], [
        event for event in silent if event.id not in lost
    ]


def arrival(event: PeerSeen, *, alone: bool) -> str:
    """Who came; where from only where the line has room for it."""
    name = printable(event.id.name)
    return f"{name} {event.address}" if alone else name


def sentence_of(event: Event) -> str:
    """What one of the rarer events means, or nothing."""
    match event:
        case Gap(size=size):
            return f"{so_many(size, 'message')} missing here for good: no node that answers has them any more"
        case Lagged(missed=missed):
            return f"{so_many(missed, 'item')} dropped before this screen could read them"
        case ContactUnresolved(contact=contact, reason=reason):
            return (
                f"{printable(str(contact))} has no address now ({printable(reason)}); it is looked up again"
            )
        case Undeliverable(id=dot, waits_for=waits_for):
            past = ", ".join(map(short, waits_for[:NAMED_PEERS])) or "a message of unknown origin"
            return f"{short(dot)} given up: it waits for {past}, which can't be had"
        case IncarnationChanged(after=after, was_silent=True):
            return (
                f"silent for so long that others may have forgotten this node: now {printable(after.label)}"
            )
        case IncarnationChanged(before=before, after=after):
            return f"another node used the identity {printable(before.label)}: now {printable(after.label)}"
    return state_sentence(event)


def state_sentence(event: Event) -> str:
    """What an event says of the state file, or nothing."""
    match event:
        case Restored(messages=count, before=before):
            life = "; this is a new incarnation" if before is not None else ""
            return f"{so_many(count, 'message')} here from before{life}"
        case StateFailed(path=path, reason=reason):
            return f"state file {printable(path)} {printable(reason)}: going on in memory"
        case StateRecovered(path=path):
            return f"state file {printable(path)} can be written again and holds everything"
    return ""


def short(dot: Dot) -> str:
    """A dot as people read it: name and sequence."""
    return f"{printable(dot.origin.name)}#{dot.sequence}"


def so_many(number: int, noun: str) -> str:
    """A number of things and the verb: ``1 message is``, ``2 messages are``."""
    return f"{number:,} {noun} is" if number == 1 else f"{number:,} {noun}s are"


def listed(names: list[str], what: str) -> str:
    """``a, b, c and 4 more joined``; empty for nobody."""
    if not names:
        return ""
    shown = ", ".join(names[:NAMED_PEERS])
    more = len(names) - NAMED_PEERS
    return f"{shown} and {more} more {what}" if more > 0 else f"{shown} {what}"
