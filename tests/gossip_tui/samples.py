"""Constructed nodes, messages and snapshots, shared by the tests of the terminal.

Everything is made from plain numbers: no socket, no clock, no dice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from protocol.core.derived import DerivedClock
from protocol.core.identity import Address, Dot, NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import Counters, HeldMessage, NodeSnapshot, PeerRow, PeerState
from protocol.core.strategy import Strategy
from protocol.core.view import Descriptor

NOON = 1_750_075_200.0
"""2025-06-16 12:00:00 UTC."""


def node_id(name: str, incarnation: int = 0) -> NodeId:
    """A node of this name; equal arguments give equal ids."""
    return NodeId(name, (1_750_000_000_000 << 16) + incarnation)


def address(number: int) -> Address:
    """The address of node ``number`` on loopback: 8001, 8002, ..."""
    return Address("127.0.0.1", 8_000 + number)


def parents_of(past: Sequence[Message]) -> tuple[Dot, ...]:
    """The ids of these messages, each once."""
    return tuple(dict.fromkeys(message.id for message in past))


class Talk:
    """A conversation whose messages know their past, as a perfect network would deliver them."""

    def __init__(self) -> None:
        self.said: list[Message] = []
        self._clocks: dict[Dot, DerivedClock] = {}
        self._last: dict[NodeId, Message] = {}

    def say(self, who: NodeId | str, text: str | bytes, *after: Message, **fields: Any) -> Message:
        """One more message of ``who``, sent when it had delivered its own past and ``after``."""
        origin = node_id(who) if isinstance(who, str) else who
        previous = self._last.get(origin)
        past = [message for message in (previous, *after) if message is not None]
        dot = Dot(origin, previous.id.sequence + 1 if previous else 1)
        derived = DerivedClock(*dot, tuple(self._clocks[message.id] for message in past))
        at = NOON + len(self.said)
        message = Message(
            dot,
            text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text,
            parents=parents_of(past),
            depth=1 + max((message.depth for message in past), default=0),
            derived=derived,
            created_at=fields.pop("created_at", at),
            delivered_at=fields.pop("delivered_at", at),
            **fields,
        )
        self._clocks[dot] = derived
        self._last[origin] = message
        self.said.append(message)
        return message


def many_messages(count: int, origins: int = 5) -> list[Message]:
    """``count`` messages of a chain: each was sent after the one before, by ``origins`` nodes in turn."""
    talk = Talk()
    nodes = [node_id(f"p{number + 1}") for number in range(origins)]
    previous: tuple[Message, ...] = ()
    for number in range(count):
        previous = (talk.say(nodes[number % origins], f"message {number + 1}", *previous),)
    return talk.said


def peer_row(number: int, **fields: Any) -> PeerRow:
    """Node ``number`` as p1 sees it: in the view, a few milliseconds away."""
    values: dict[str, Any] = {
        "id": node_id(f"p{number}"),
        "address": address(number),
        "state": PeerState.VIEW,
        "age": number,
        "round_trip": number / 1_000,
        "last_direction": ("out", "in", "")[number % 3],
        "last_exchange_at": 100.0 + number,
    }
    return PeerRow(**{**values, **fields})


def held(who: str, sequence: int, text: str, *waits_for: Dot, **fields: Any) -> HeldMessage:
    """A held-back message that waits for ``waits_for``."""
    values: dict[str, Any] = {"depth": sequence, "created_at": NOON, "received_at": NOON}
    return HeldMessage(id=Dot(node_id(who), sequence), text=text, waits_for=waits_for, **{**values, **fields})


def snapshot(
    peers: Iterable[int | PeerRow] = (2, 5, 7),
    *,
    held: Sequence[HeldMessage] = (),  # the tests' own word for the field
    **fields: Any,
) -> NodeSnapshot:
    """What p1 on 127.0.0.1:8001 shows of itself, with ``peers`` heard of; those with an age are its view."""
    rows = tuple(peer_row(peer) if isinstance(peer, int) else peer for peer in peers)
    view = tuple(
        Descriptor(row.id, row.address, row.age)
        for row in rows
        if row.age is not None and row.address is not None
    )
    values: dict[str, Any] = {
        "id": node_id("p1"),
        "address": address(1),
        "cluster": "",
        "strategy": Strategy.parse("default", 20),
        "view_size": 20,
        "fanout": 4,
        "cycle": 412,
        "view": view,
        "peers": rows,
        "held": tuple(held),
        "held_count": len(held),
        "retained_count": 0,
        "retained_size": 0,
        "evicted_count": 0,
        "frontier": (),
        "depth": 0,
        "unacknowledged": 0,
        "catching_up": False,
        "behind": 0,
        "caught_up": 0,
        "unanswered": 0,
        "left": False,
        "counters": Counters(),
        "rejected": {},
    }
    return NodeSnapshot(**{**values, **fields})
