"""A feed over the nodes of this process: what the screen knows of them, and what it may ask of them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Protocol

from protocol.core.config import Config
from protocol.core.events import Event, Restored
from protocol.core.identity import Address, NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import NodeSnapshot
from protocol.core.view import Descriptor
from protocol.errors import StateError

from .experiments import Experiments, Subject, carry_over
from .notices import NOTABLE, Notice, Pictures, notices_of, so_many
from .observed import Deliveries, Delivery, KnownView, NodeState, OverlayPicture, told_views
from .seated import Seated
from .shown import Recorded, Update

__all__ = ["NodeFeed", "NodeLike", "report_failure"]

PENDING_LIMIT = 100_000
"""Messages kept between two polls: as many as the log shows; older ones would be dropped there anyway."""

NOTICE_LIMIT = 1_000
"""Events kept between two polls; they are for people, who read no thousand lines a quarter of a second."""


DELIVERY_LIMIT = 6_000
"""Deliveries in one answer, over all nodes: more than diagrams keep, and some milliseconds of work."""

FEWEST_DELIVERIES = 32
"""Deliveries of each node in one answer, however many nodes there are: a screenful."""


class NodeLike(Subject, Protocol):
    """The part of ``protocol.Node`` that a feed uses; ``Node`` documents it."""

    @property
    def address(self) -> Address: ...  # noqa: D102
    @property
    def bound_address(self) -> Address: ...  # noqa: D102
    @property
    def config(self) -> Config: ...  # noqa: D102
    @property
    def restored(self) -> Restored | None: ...  # noqa: D102
    @property
    def payload_limit(self) -> int: ...  # noqa: D102
    async def start(self) -> None: ...  # noqa: D102
    async def leave(self) -> None: ...  # noqa: D102
    async def drain(self) -> None: ...  # noqa: D102
    def join(self, *contacts: str | Address) -> None: ...  # noqa: D102
    def add(self, *peers: str | Address) -> None: ...  # noqa: D102
    def send_gossip(self, data: str | bytes) -> Message: ...  # noqa: D102
    def current_view(self) -> tuple[Descriptor, ...]: ...  # noqa: D102
    def snapshot(self, *, told: bool = False) -> NodeSnapshot: ...  # noqa: D102
    def messages(self) -> AsyncIterator[Message]: ...  # noqa: D102
    def delivered(self, start: int, limit: int) -> tuple[int, list[Message]]: ...  # noqa: D102
    def events(self, *, deliveries: bool = True) -> AsyncIterator[Event]: ...  # noqa: D102


class NodeFeed(Seated):
    """A feed over one node, or over several of one process with a seat that can be moved.

    Args:
        nodes: At least one, owned by the feed from now on; those not started yet are started by ``open``.
        successor: Makes the next incarnation of a node that left, under the same name, address and settings,
            not started yet.
        on_replaced: Called with a place and the node that took it, once that has started.
        clock: Unix time for notices.
    """

    def __init__(
        self,
        *nodes: NodeLike,
        successor: Callable[[NodeLike], NodeLike] | None = None,
        on_replaced: Callable[[int, Any], object] = lambda *_: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not nodes:
            raise ValueError("a feed needs at least one node")
        super().__init__()
        self._nodes = list(nodes)
        self._successor = successor or same_again
        self._on_replaced = on_replaced
        self.experiments = Experiments(lambda: self._nodes, lambda: self.seat, self._revive, clock)
        """What may be done to the nodes and the network between them."""
        self._clock = clock
        self._readers: list[asyncio.Task[None]] = []
        self._messages: deque[Message] = deque(maxlen=PENDING_LIMIT)
        self._events: deque[Event] = deque(maxlen=NOTICE_LIMIT)
        self._shown: NodeSnapshot | None = None
        self._replayed = 0
        self._history_count = 0
        self._remembered: dict[int, tuple[Address, ...]] = {}
        self._moving = asyncio.Lock()

    @property
    def node(self) -> NodeLike:
        """The node one sits on."""
        return self._nodes[self.seat]

    async def open(self) -> None:
        """Start the nodes and listen to the one one sits on.

        Raises:
            OSError: A node can't bind its address.
        """
        for node in self._nodes:
            await node.start()
        self._listen()

    async def close(self) -> None:
        """Leave with every node; errors of one do not keep the others."""
        self._hush()
        await asyncio.gather(*(node.leave() for node in self._nodes), return_exceptions=True)

    def poll(self) -> Update | None:
        """One picture with what came since the last, or None when nothing changed.

        Messages are taken whole: a picture never counts a message that this or an earlier poll did not bring,
        but for those that arrived within this very turn of the loop.
        """
        snapshot = self.node.snapshot()
        if not (self._messages or self._events or self.moved) and is_same(snapshot, self._shown):
            return None
        notices = notices_of(
            self._events, self._clock(), Pictures(None if self.moved else self._shown, snapshot)
        )
        notices += self._history_notices(snapshot)
        replayed = self._take_replayed()
        update = Update(snapshot, tuple(self._messages), tuple(notices), replayed, self.moved)
        self._messages.clear()
        self._events.clear()
        self._shown = snapshot
        self.moved = False
        return update

    def send(self, text: str) -> Message:
        """Gossip one message.

        Raises:
            PayloadSizeError: It does not fit one message.
            BacklogError: Too many own messages are unacknowledged; ``drain`` waits.
            StateError: The node has left.
        """
        return self.node.send_gossip(text)

    async def drain(self) -> None:
        """Wait until there is room for another own message."""
        await self.node.drain()

    @property
    def payload_limit(self) -> int:
        """Bytes that fit one message."""
        return self.node.payload_limit

    @property
    def has_left(self) -> bool:
        """Whether the node has said goodbye, be it an instant ago; it may still be busy closing."""
        return self.node.snapshot().left

    @property
    def unacknowledged(self) -> int:
        """Own messages that no other node is known to have; none once it has left, when it is too late."""
        snapshot = self.node.snapshot()
        return 0 if snapshot.left else snapshot.unacknowledged

    async def join(self, *contacts: str) -> bool:
        """Join through ``contacts``; a node that left comes back as a new incarnation first.

        Coming back without naming anybody, it goes through those who were in its view when it left. One that
        is still leaving is waited for, since it holds the address.

        Returns:
            Whether a new incarnation was made.

        Raises:
            AddressError: A contact is no address; nothing was done.
            OSError: The new incarnation can't bind the old address.
        """
        addresses = [Address.parse(contact) for contact in contacts]
        seat = self.seat
        async with self._moving:
            before = self._nodes[seat]
            if not before.snapshot().left:
                before.join(*addresses)
                return False
            await self._replace(seat, addresses)
            return True

    async def _revive(self, seat: int) -> None:
        """Bring up a new incarnation of a node that has ended, through those who were in its view."""
        async with self._moving:
            await self._replace(seat, [])

    async def _replace(self, seat: int, contacts: Sequence[Address]) -> None:
        before = self._nodes[seat]
        view = tuple(descriptor.address for descriptor in before.snapshot().view)
        node = self._successor(before)
        carry_over(before, node)
        node.join(*(contacts or view or self._remembered.get(seat, ())))
        await node.start()
        self._nodes[seat] = node
        self._on_replaced(seat, node)
        if seat == self.seat:
            self._listen()

    def add(self, *peers: str) -> None:
        """Try these peers once.

        Raises:
            AddressError: A peer is no address; nothing was done.
            StateError: The node has left.
        """
        self.node.add(*[Address.parse(peer) for peer in peers])

    async def leave(self) -> None:
        """Say goodbye; the log stays readable.

        Raises:
            StateError: The node has left already.
        """
        seat = self.seat
        async with self._moving:
            node = self._nodes[seat]
            snapshot = node.snapshot()
            if snapshot.left:
                raise StateError("this node has left already; /join comes back")
            self._remembered[seat] = tuple(descriptor.address for descriptor in snapshot.view)
            await node.leave()

    @property
    def recordable(self) -> tuple[Recorded, ...]:
        """All nodes as they are now; one that came back is another one."""
        return tuple(self._nodes)

    @property
    def seats(self) -> tuple[str, ...]:
        """Names of the nodes one can sit on."""
        return tuple(node.id.name for node in self._nodes)

    @property
    def fates(self) -> tuple[NodeState, ...]:
        """What was done to each node; whether one left is not asked."""
        return tuple(map(self.experiments.fate_of, range(len(self._nodes))))

    @property
    def disturbance(self) -> str:
        """What is out of order on purpose beside the node one sits on."""
        return self.experiments.summary()

    def move(self, seat: int) -> None:
        """Sit on another node, and listen to it.

        Raises:
            IndexError: There is no such seat.
        """
        before = self.seat
        super().move(seat)
        if seat != before:
            self._listen()

    def deliveries(self, after: Mapping[NodeId, int]) -> Deliveries:
        """What each node delivered since a former answer, looked up in what it retains.

        Args:
            after: The ``cursor`` of that answer; without one, the newest of what is retained.
        """
        limit = max(DELIVERY_LIMIT // len(self._nodes), FEWEST_DELIVERIES)
        rows: list[Delivery] = []
        cursor: dict[NodeId, int] = {}
        unbroken = []
        for node in self._nodes:
            own, start = node.id, after.get(node.id, 1)
            first, messages = node.delivered(start, limit)
            cursor[own] = first + len(messages)
            rows += [Delivery(own, message) for message in messages]
            if first == start:
                unbroken.append(own)
        changes, absences = self.experiments.changes, self.experiments.absences
        return Deliveries(tuple(rows), cursor, frozenset(unbroken), self.node.id, changes, absences)

    def overlay(self) -> OverlayPicture:
        """The views of all nodes in this process; of a single one also what its peers told of theirs."""
        if len(self._nodes) == 1:
            snapshot = self.node.snapshot(told=True)
            own = KnownView(snapshot.id, snapshot.view, self.experiments.trouble_of(0), snapshot.address)
            told = told_views(snapshot)
            return OverlayPicture(snapshot.id, (own, *told), is_whole=False)
        trouble_of = self.experiments.trouble_of
        views = [
            KnownView(node.id, node.current_view(), trouble_of(index), node.address)
            for index, node in enumerate(self._nodes)
        ]
        return OverlayPicture.of_swarm(self.node.id, views)

    def _listen(self) -> None:
        """Read both streams of the node one sits on, from its history on."""
        self._hush()
        node = self.node
        if node.restored is not None:
            self._replayed = node.restored.messages
            self._events.append(node.restored)
        self._readers = [
            asyncio.create_task(pour(node.messages(), self._messages.append), name="gossip-tui messages"),
            asyncio.create_task(pour(node.events(deliveries=False), self._note), name="gossip-tui events"),
        ]
        for reader in self._readers:
            reader.add_done_callback(report_failure)

    def _hush(self) -> None:
        """Stop reading and forget what was read and not yet shown."""
        for reader in self._readers:
            reader.cancel()
        self._readers = []
        self._messages.clear()
        self._events.clear()
        self._replayed = 0
        self._history_count = 0

    def _take_replayed(self) -> int:
        """How many of the messages that wait come from a state file."""
        count = min(self._replayed, len(self._messages))
        self._replayed -= count
        return count

    def _history_notices(self, snapshot: NodeSnapshot) -> list[Notice]:
        """A word about the history that came in, once it is all here."""
        fresh = islice(self._messages, self._replayed, None)
        self._history_count += sum(message.from_history for message in fresh)
        if snapshot.catching_up or not self._history_count:
            return []
        text = f"caught up: {so_many(self._history_count, 'earlier message')} here now"
        self._history_count = 0
        return [Notice(text, self._clock())]

    def _note(self, event: Event) -> None:
        if isinstance(event, NOTABLE):
            self._events.append(event)


def same_again(node: NodeLike) -> NodeLike:
    """A node like this one, not started yet: the next incarnation under the same name and address."""
    from protocol import Node  # noqa: PLC0415 - the feed must be importable where only its contract is needed

    return Node(node.bound_address, name=node.id.name, config=node.config)


def is_same(snapshot: NodeSnapshot, shown: NodeSnapshot | None) -> bool:
    """Whether two pictures differ in nothing but the moment they were taken at."""
    return shown is not None and replace(shown, now=snapshot.now) == snapshot


async def pour(stream: AsyncIterator[Any], take: Callable[[Any], None]) -> None:
    """Hand on everything a stream gives until it ends."""
    async for item in stream:
        take(item)


def report_failure(task: asyncio.Task[None]) -> None:
    """Tell the loop's exception handler at once what ended a reader."""
    if not task.cancelled() and (error := task.exception()) is not None:
        context = {"message": "reading from the node failed", "exception": error, "task": task}
        task.get_loop().call_exception_handler(context)
