"""What readers see of a node: messages by a cursor into its log, events by a short queue each.

No reader can slow the node down. A message stream owns no messages: what it has not read yet is what the node
retains. An event stream owns a bounded queue. Either way what was lost is counted and said.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Self
from weakref import WeakSet

from protocol.core.events import Delivered, Event, Lagged
from protocol.core.identity import Dot
from protocol.core.log import Log
from protocol.core.messages import Message

__all__ = ["EVENT_STREAM_LIMIT", "EventStream", "Feed", "MessageStream"]

EVENT_STREAM_LIMIT = 16_384
"""Events that one reader may leave unread: several seconds at the highest rates; a choice."""

YIELD_EVERY = 64
"""Messages a reader gets before the loop has a turn, so that reading a long history does not stop the node;
half of what is unread where that is more, so that a busy node does not outrun its readers."""


class Feed:
    """What a node shares with its readers: the log, the event queues, and a bell for those who wait."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.ended = False
        """Whether nothing will be added any more."""
        self._seen = log.next
        self._bell = asyncio.Event()
        self._streams: WeakSet[EventStream] = WeakSet()

    def publish(self, events: Sequence[Event]) -> None:
        """Queue events for every event stream and wake whoever has something to read now."""
        if events:
            for stream in self._streams:
                stream.push(events)
            self.ring()
        elif self._seen != self.log.next:
            self.ring()

    def end(self) -> None:
        """Let every stream end after its last item."""
        self.ended = True
        self.ring()

    def ring(self) -> None:
        """Wake everybody who waits, to look again."""
        self._seen = self.log.next
        self._bell.set()
        self._bell.clear()

    async def news(self) -> None:
        """Wait for the next ring."""
        await self._bell.wait()

    def register(self, stream: EventStream) -> None:
        """Let ``stream`` hear of events for as long as somebody holds it."""
        self._streams.add(stream)

    def remove(self, stream: EventStream) -> None:
        """Tell ``stream`` nothing any more."""
        self._streams.discard(stream)


class MessageStream:
    """Messages in the order this node delivered them, one after the other, until the node leaves or closes.

    An asynchronous iterator; a reader that is slower than retention loses the oldest messages, and only that:
    ``missed`` counts them and a ``Lagged`` event tells. Not meant for two tasks at once: make two streams.
    """

    missed: int
    """Messages this reader lost because the node no longer retained them when it came to read them."""
    resumed: bool
    """Whether the stream began where its caller asked; False when ``after`` named a message not retained
    here."""

    def __init__(self, feed: Feed, *, after: Dot | None, history: bool) -> None:
        self.missed = 0
        self.resumed = True
        self._feed = feed
        self._closed = False
        self._turn = YIELD_EVERY
        log = feed.log
        self._next = log.first if history else log.next
        if after is not None:
            position = log.index_of(after)
            self.resumed = position is not None
            self._next = log.first if position is None else position + 1

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        feed = self._feed
        self._turn -= 1
        if self._turn <= 0:
            await asyncio.sleep(0)
            self._turn = max(YIELD_EVERY, (feed.log.next - self._next) // 2)
        while not self._closed:
            self._skip_evicted()
            if self._next < feed.log.next:
                message = feed.log.message(self._next)
                self._next += 1
                return message
            if feed.ended:
                break
            await feed.news()
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the stream now; a reader that waits sees it end."""
        self._closed = True
        self._feed.ring()

    def _skip_evicted(self) -> None:
        missed = self._feed.log.first - self._next
        if missed > 0:
            self.missed += missed
            self._next += missed
            self._feed.publish([Lagged(missed)])


class EventStream:
    """Everything a node tells about itself from now on, until it leaves or closes.

    An asynchronous iterator. A reader that leaves more than ``EVENT_STREAM_LIMIT`` events unread loses the
    oldest and gets one ``Lagged`` in their place. Not meant for two tasks at once: make two streams.
    """

    def __init__(self, feed: Feed, *, deliveries: bool = True) -> None:
        self._feed = feed
        self._has_deliveries = deliveries
        self._events: deque[Event] = deque()
        self._missed = 0
        self._closed = False
        feed.register(self)

    def push(self, events: Sequence[Event]) -> None:
        """Queue events; the oldest make room for what does not fit."""
        queue = self._events
        if self._has_deliveries:
            queue.extend(events)
        else:
            queue.extend(event for event in events if type(event) is not Delivered)
        while len(queue) > EVENT_STREAM_LIMIT:
            lost = queue.popleft()
            self._missed += lost.missed if isinstance(lost, Lagged) else 1

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._closed:
            if self._missed:
                missed, self._missed = self._missed, 0
                return Lagged(missed)
            if self._events:
                return self._events.popleft()
            if self._feed.ended:
                break
            await self._feed.news()
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the stream now; a reader that waits sees it end."""
        self._closed = True
        self._events.clear()
        self._feed.remove(self)
        self._feed.ring()
