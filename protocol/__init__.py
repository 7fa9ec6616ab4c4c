"""Gossip-based peer sampling, epidemic spreading and causal delivery, without a server.

A ``Node`` keeps a partial view of a network, spreads messages through it, repairs what was lost, and delivers
every message once, in causal order, with its vector clock:

>>> async def main():
...     async with Node("127.0.0.1:0", name="p1") as node:
...         node.send_gossip("some data")
...         async for message in node.messages():
...             return f"{message.text} {message.clock}"
>>> import asyncio
>>> asyncio.run(main())
'some data {p1:1}'

This package imports ``msgpack`` and nothing else from outside; ``protocol.core`` does no I/O at all, and
``protocol.sim`` runs networks of nodes in simulated time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from protocol.core.clock import Ordering, VectorClock
from protocol.core.config import Config, Dissemination
from protocol.core.events import (
    ContactUnresolved,
    DatagramRejected,
    Delivered,
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
    ViewChanged,
)
from protocol.core.faults import Direction, FaultReport, Faults
from protocol.core.identity import Address, Dot, NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import Counters, HeldMessage, NeighbourRow, NodeSnapshot, PeerRow, PeerState
from protocol.core.strategy import PRESETS, HealSwap, PeerSelection, Propagation, Strategy, ViewSelection
from protocol.core.view import Descriptor
from protocol.errors import (
    AddressError,
    BacklogError,
    ConfigError,
    GossipError,
    PayloadSizeError,
    StateError,
    StateFileError,
    WireError,
)
from protocol.text import printable

if TYPE_CHECKING:
    from protocol.net.node import Node
    from protocol.net.streams import EventStream, MessageStream
    from protocol.net.udp import SocketCounters

__all__ = [
    "PRESETS",
    "Address",
    "AddressError",
    "BacklogError",
    "Config",
    "ConfigError",
    "ContactUnresolved",
    "Counters",
    "DatagramRejected",
    "Delivered",
    "Descriptor",
    "Direction",
    "Dissemination",
    "Dot",
    "Event",
    "EventStream",
    "FaultReport",
    "Faults",
    "Gap",
    "GossipError",
    "HealSwap",
    "HeldMessage",
    "IncarnationChanged",
    "Lagged",
    "Message",
    "MessageStream",
    "NeighbourRow",
    "Node",
    "NodeId",
    "NodeSnapshot",
    "Ordering",
    "PayloadSizeError",
    "PeerLost",
    "PeerRow",
    "PeerSeen",
    "PeerSelection",
    "PeerState",
    "Propagation",
    "Restored",
    "SocketCounters",
    "StateError",
    "StateFailed",
    "StateFileError",
    "StateRecovered",
    "Strategy",
    "Undeliverable",
    "VectorClock",
    "ViewChanged",
    "ViewSelection",
    "WireError",
    "printable",
]

WITH_SOCKETS = {
    "EventStream": "protocol.net.streams",
    "MessageStream": "protocol.net.streams",
    "Node": "protocol.net.node",
    "SocketCounters": "protocol.net.udp",
}
"""Names fetched when they are first used, so that importing the core loads neither asyncio nor sockets."""


if not TYPE_CHECKING:  # else every misspelt name would pass the type checker

    def __getattr__(name: str) -> object:
        """Fetch a public name that needs sockets."""
        if name not in WITH_SOCKETS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(import_module(WITH_SOCKETS[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """Everything that is there, fetched or not."""
    return sorted({*globals(), *__all__})
