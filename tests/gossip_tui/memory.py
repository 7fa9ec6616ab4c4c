"""A node without a network, for tests of what stands around it: it says and does what the test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from protocol.core.config import Config, Dissemination
from protocol.core.events import Event, Restored
from protocol.core.faults import Direction, FaultInjector, FaultReport, Faults
from protocol.core.identity import Address, NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import NodeSnapshot
from protocol.core.strategy import Strategy
from protocol.core.view import Descriptor
from protocol.errors import BacklogError, PayloadSizeError, StateError
from tests.gossip_tui.samples import Talk, address, node_id, snapshot

Item = TypeVar("Item")


class Stream(Generic[Item]):
    """Gives what is in a list, then what is appended to it."""

    def __init__(self, items: list[Item], node: MemoryNode) -> None:
        self._items = items
        self._node = node
        self._next = 0

    def __aiter__(self) -> AsyncIterator[Item]:
        return self

    async def __anext__(self) -> Item:
        while self._next >= len(self._items):
            if self._node.picture.left:
                raise StopAsyncIteration
            await self._node.bell.wait()
        self._next += 1
        return self._items[self._next - 1]


class MemoryNode:
    """What ``protocol.Node`` is to a feed, in memory."""

    def __init__(self, name: str = "p1", *, incarnation: int = 0, number: int = 1, **fields: Any) -> None:
        fields = {"id": node_id(name, incarnation), "address": address(number), **fields}
        self.picture: NodeSnapshot = snapshot(**fields)
        self.config = Config()
        self.payload_limit = 100
        self.backlog_limit = 1_000
        self.bell = asyncio.Event()
        self.talk = Talk()
        self.told: list[Message] = []
        self.happened: list[Event] = []
        self.restored: Restored | None = None
        self.started = 0
        self.is_frozen = self.is_closed = False
        self.injector = FaultInjector(lambda: 0.0)
        self.joined: list[str] = []
        self.added: list[str] = []

    @property
    def id(self) -> NodeId:
        return self.picture.id

    @property
    def address(self) -> Address:
        return self.picture.address

    @property
    def bound_address(self) -> Address:
        return self.picture.address

    async def start(self) -> None:
        self.started += 1

    async def leave(self) -> None:
        self.now(left=True, view=())

    async def drain(self) -> None:
        await asyncio.sleep(0)
        self.now(unacknowledged=0)

    def join(self, *contacts: str | Address) -> None:
        self._check()
        self.joined += map(str, contacts)

    def add(self, *peers: str | Address) -> None:
        self._check()
        self.added += map(str, peers)

    def send_gossip(self, data: str | bytes) -> Message:
        self._check()
        payload = data.encode() if isinstance(data, str) else data
        if len(payload) > self.payload_limit:
            raise PayloadSizeError(len(payload), self.payload_limit)
        if self.picture.unacknowledged >= self.backlog_limit:
            raise BacklogError(self.picture.unacknowledged, self.backlog_limit)
        self.now(unacknowledged=self.picture.unacknowledged + 1)
        return self.deliver(self.talk.say(self.id, payload))

    def set_strategy(self, strategy: Strategy | str) -> None:
        assert isinstance(strategy, Strategy)
        self.now(strategy=strategy)

    def set_dissemination(self, dissemination: Dissemination | str) -> None:
        self.now(dissemination=dissemination)

    def set_view_size(self, view_size: int) -> None:
        self._check()
        strategy = self.picture.strategy.resized(self.picture.view_size, view_size)
        self.config = replace(self.config, view_size=view_size, strategy=strategy)
        self.now(view_size=view_size, strategy=strategy)

    def set_fanout(self, fanout: int) -> None:
        self._check()
        self.config = replace(self.config, fanout=fanout)
        self.now(fanout=fanout)

    @property
    def fault_report(self) -> FaultReport:
        return self.picture.faults

    def set_faults(self, faults: Faults | None, peer: Address | None = None) -> None:
        self.injector.set_faults(faults, peer)
        self.now(faults=self.injector.report())

    def block(self, peers: Iterable[Address], direction: Direction = Direction.BOTH) -> None:
        self.injector.block(peers, direction)
        self.now(faults=self.injector.report())

    def unblock(self, peers: Iterable[Address] | None = None) -> None:
        self.injector.unblock(peers)
        self.now(faults=self.injector.report())

    def freeze(self) -> None:
        self.is_frozen = True

    def thaw(self) -> None:
        self.is_frozen = False

    async def close(self) -> None:
        self.is_closed = True

    def current_view(self) -> tuple[Descriptor, ...]:
        return self.picture.view

    def snapshot(self, *, told: bool = False) -> NodeSnapshot:
        return self.picture if told else replace(self.picture, told=())

    def messages(self) -> AsyncIterator[Message]:
        return Stream(self.told, self)

    def delivered(self, start: int, limit: int) -> tuple[int, list[Message]]:
        first = max(start, len(self.told) - limit + 1)
        return first, self.told[first - 1 :]

    def events(self, *, deliveries: bool = True) -> AsyncIterator[Event]:  # noqa: ARG002 - as of a node
        return Stream(self.happened, self)

    # What a test makes happen.

    def now(self, **fields: Any) -> None:
        """The node's picture changes."""
        self.picture = replace(self.picture, **fields)
        self._ring()

    def deliver(self, message: Message) -> Message:
        """The node delivers a message."""
        self.told.append(message)
        self._ring()
        return message

    def hear(self, who: str, text: str | bytes, **fields: Any) -> Message:
        """The node delivers what another one said after everything before."""
        return self.deliver(self.talk.say(who, text, *self.told[-1:], **fields))

    def happen(self, *events: Event) -> None:
        """The node tells of something."""
        self.happened += events
        self._ring()

    def _check(self) -> None:
        if self.picture.left or self.is_closed:
            raise StateError("the node has left or is closed")

    def _ring(self) -> None:
        self.bell.set()
        self.bell.clear()


async def settle() -> None:
    """Let every task that can go on go on, until nothing moves."""
    for _ in range(10):
        await asyncio.sleep(0)
