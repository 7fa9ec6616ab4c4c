"""What the application shows, whatever stands behind it: one node, a swarm, or a recording.

A feed owns its nodes. The screen polls it a few times a second and gets one frozen picture with the messages
and notices that came in between, or None when nothing changed; no datagram ever wakes the screen.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from protocol.core.events import Event
from protocol.core.identity import NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import NodeSnapshot

from .experiments import Experiments
from .notices import Notice
from .observed import Deliveries, NodeState, OverlayPicture

__all__ = ["Feed", "Recorded", "Update"]


@dataclass(frozen=True, slots=True)
class Update:
    """What a poll gives: one picture of the node and what came since the last one."""

    snapshot: NodeSnapshot
    messages: tuple[Message, ...] = ()
    """In the node's delivery order."""
    notices: tuple[Notice, ...] = ()
    replayed: int = 0
    """How many of the messages, the first ones, a state file gave: they are no news."""
    moved: bool = False
    """Whether this is another node than before: its messages are the whole log."""

    def in_order(self) -> Iterator[tuple[Message, ...] | Notice]:
        """Messages and notices as they belong into a log: a notice behind what was delivered before it.

        A poll of a node a moment ago has few of them; one that jumps through a recording has hours.
        """
        start, messages = 0, self.messages
        for notice in self.notices:
            end = start
            while end < len(messages) and messages[end].delivered_at <= notice.at:
                end += 1
            if end > start:
                yield messages[start:end]
            yield notice
            start = end
        if start < len(messages):
            yield messages[start:]


class Feed(Protocol):
    """What the application needs of whatever it shows."""

    async def open(self) -> None:
        """Start what is not started yet, and begin to listen."""

    async def close(self) -> None:
        """Leave the network gracefully and release everything; a second call does nothing."""

    def poll(self) -> Update | None:
        """What is new since the last poll, or None when nothing is."""

    def send(self, text: str) -> Message:
        """Gossip one message; raises as ``Node.send_gossip`` does."""

    async def drain(self) -> None:
        """Wait until the node takes another message."""

    @property
    def payload_limit(self) -> int:
        """Bytes that fit one message."""

    @property
    def has_left(self) -> bool:
        """Whether the node has said goodbye, be it an instant ago."""

    @property
    def unacknowledged(self) -> int:
        """Own messages that no other node is known to have and that may still be heard."""

    async def join(self, *contacts: str) -> bool:
        """Join through contacts; True if the node had left and a new incarnation came up for it."""

    def add(self, *peers: str) -> None:
        """Try these peers once."""

    async def leave(self) -> None:
        """Say goodbye; what was delivered stays."""

    @property
    def recordable(self) -> tuple[Recorded, ...]:
        """The nodes that a recording may be made of; none where nothing is live."""

    @property
    def seats(self) -> tuple[str, ...]:
        """Names of the nodes in this process that one can sit on; more than one only in a swarm."""

    @property
    def seat(self) -> int:
        """Which of the ``seats`` this is."""

    @property
    def fates(self) -> tuple[NodeState, ...]:
        """What was done to the node of each seat: it crashed, stands still, or neither."""

    @property
    def disturbance(self) -> str:
        """What is out of order on purpose beside the node one sits on, in a few words; empty for nothing."""

    def move(self, seat: int) -> None:
        """Sit on another node; the next poll has ``moved`` set and brings its messages."""

    @property
    def experiments(self) -> Experiments | None:
        """What may be done to the nodes and the network between them; None where nothing is live."""

    def deliveries(self, after: Mapping[NodeId, int]) -> Deliveries:
        """What the nodes of this process delivered since a former answer, whose ``cursor`` is given.

        Costs something only when it is asked; an empty cursor brings what is still retained.
        """

    def overlay(self) -> OverlayPicture:
        """Who knows whom now, as far as the nodes of this process know; costs something only when asked."""


class Recorded(Protocol):
    """The part of ``protocol.Node`` that a recording is made of; ``Node`` documents it."""

    @property
    def id(self) -> NodeId: ...  # noqa: D102
    def snapshot(self, *, told: bool = False) -> NodeSnapshot: ...  # noqa: D102
    def messages(self) -> AsyncIterator[Message]: ...  # noqa: D102
    def events(self, *, deliveries: bool = True) -> AsyncIterator[Event]: ...  # noqa: D102
