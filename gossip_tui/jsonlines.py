"""The records of ``tail --json``: one JSON object per line, each with ``type`` and ``at`` (Unix seconds).

Readers ignore types and keys they do not know, so both may be added to. Nothing in a line can harm a
terminal: what is not printable is escaped as JSON, which changes no value.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from protocol.core.events import (
    ContactUnresolved,
    DatagramRejected,
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
from protocol.core.identity import Address, Dot, NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import NodeSnapshot
from protocol.core.view import Descriptor
from protocol.text import printable

__all__ = [
    "encode",
    "event_record",
    "labels_of",
    "message_record",
    "ready_record",
    "rejected_record",
    "status_record",
    "view_record",
]

Record = dict[str, Any]

WAITS_LISTED = 16
"""Missing messages that a status names at the most."""


def encode(record: Record) -> str:
    """One record as one line without its line end."""
    line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    if line.isascii() and line.isprintable():
        return line
    return "".join(map(escaped, line))


def escaped(character: str) -> str:
    """A character as it may stand in a line: itself if a terminal may show it, else its JSON escape."""
    if character.isprintable() and printable(character) == character:
        return character
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"


def ready_record(node_id: NodeId, address: Address, at: float) -> Record:
    """The node is up: what to call it and where to join it."""
    return {"type": "ready", "at": at, "name": node_id.name, "address": str(address), "id": node_id.label}


def message_record(message: Message) -> Record:
    """A delivered message; names carry ``~tag`` only where two of one name are in its clock."""
    labels = message.clock.labels()
    origin, sequence = message.id
    name = labels[origin]
    return {
        "type": "message",
        "at": message.delivered_at,
        "id": f"{name}#{sequence}",
        "origin": name,
        "origin_id": origin.label,
        "seq": sequence,
        **content_of(message.payload),
        "clock": message.clock.by_name(),
        "parents": sorted(
            f"{labels.get(dot.origin, dot.origin.label)}#{dot.sequence}" for dot in message.parents
        ),
        "depth": message.depth,
        "hops": message.hops,
        "from_history": message.from_history,
        "late": message.late,
    }


def content_of(payload: bytes) -> Record:
    """The payload as text, or in base 64 where it is not UTF-8, so that nothing is lost."""
    try:
        return {"text": payload.decode()}
    except UnicodeDecodeError:
        return {"payload_base64": base64.b64encode(payload).decode()}


def view_record(view: Sequence[Descriptor], at: float) -> Record:
    """The partial view, youngest first; two nodes of one name carry their ``~tag``."""
    labels = labels_of(descriptor.id for descriptor in view)
    rows = sorted((descriptor.age, labels[descriptor.id], str(descriptor.address)) for descriptor in view)
    return {"type": "view", "at": at, "view": [{"name": n, "address": a, "age": age} for age, n, a in rows]}


def status_record(snapshot: NodeSnapshot, at: float) -> Record:
    """How the node stands: what it holds back, what it still has to catch up with, who fell silent."""
    waits = sorted({full(dot) for held in snapshot.held for dot in held.waits_for})
    return {
        "type": "status",
        "at": at,
        "held": snapshot.held_count,
        "waits_for": waits[:WAITS_LISTED],
        "catching_up": snapshot.catching_up,
        "caught_up": snapshot.caught_up,
        "behind": snapshot.behind,
        "unanswered": snapshot.unanswered,
    }


def rejected_record(event: DatagramRejected, at: float, count: int = 1) -> Record:
    """Datagrams that were refused: so many of one reason, the last of them from that source."""
    return {
        "type": "rejected",
        "at": at,
        "source": str(event.source),
        "reason": event.reason,
        "count": count,
    }


def event_record(event: Event, at: float) -> Record | None:
    """What else a reader is told; None for events that have a record of their own."""
    match event:
        case PeerSeen(id=node, address=address):
            return {"type": "peer_seen", "at": at, **peer(node, address)}
        case PeerLost(id=node, address=address, left=left):
            return {"type": "peer_lost", "at": at, **peer(node, address), "left": left}
        case Gap(size=size):
            return {"type": "gap", "at": at, "size": size}
        case Lagged(missed=missed):
            return {"type": "lagged", "at": at, "missed": missed}
        case DatagramRejected():
            return rejected_record(event, at)
        case Undeliverable(id=dot, waits_for=dots):
            return {
                "type": "undeliverable",
                "at": at,
                "id": full(dot),
                "waits_for": [full(one) for one in dots],
            }
        case ContactUnresolved(contact=contact, reason=reason):
            return {"type": "contact_unresolved", "at": at, "contact": str(contact), "reason": reason}
        case IncarnationChanged(before=before, after=after):
            return {"type": "incarnation_changed", "at": at, "before": before.label, "after": after.label}
        case _:
            return state_record(event, at)


def state_record(event: Event, at: float) -> Record | None:
    """What a reader is told of the state file; None for other events."""
    match event:
        case Restored(messages=count, before=before):
            former = before.label if before is not None else None
            return {"type": "restored", "at": at, "messages": count, "before": former}
        case StateFailed(path=path, reason=reason):
            return {"type": "state_failed", "at": at, "path": path, "reason": reason}
        case StateRecovered(path=path):
            return {"type": "state_recovered", "at": at, "path": path}
        case _:
            return None


def full(dot: Dot) -> str:
    """A dot without a clock to be read in: always with its ``~tag``."""
    return f"{dot.origin.label}#{dot.sequence}"


def peer(node: NodeId, address: Address) -> Record:
    """Who and where, as the peer records have it."""
    return {"name": node.name, "address": str(address), "id": node.label}


def labels_of(nodes: Iterable[NodeId]) -> dict[NodeId, str]:
    """A label for each node: the bare name, or ``name~tag`` where two of that name are among them."""
    distinct = set(nodes)
    named = Counter(node.name for node in distinct)
    return {node: node.name if named[node.name] == 1 else node.label for node in distinct}
