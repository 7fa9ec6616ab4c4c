"""Streams: a cursor into the log each, nothing lost without being counted, an end after the last item."""

from __future__ import annotations

import asyncio

import pytest

from protocol.core.derived import DerivedClock
from protocol.core.events import Delivered, Event, Gap, Lagged
from protocol.core.identity import Dot, NodeId
from protocol.core.log import Log
from protocol.core.messages import Message
from protocol.net.streams import EVENT_STREAM_LIMIT, YIELD_EVERY, EventStream, Feed, MessageStream

ORIGIN = NodeId("p1", 1)


class Source:
    """A real log and a feed on it, filled by hand."""

    def __init__(self, retained: int = 1_000) -> None:
        self.log = Log(retained, 1 << 30)
        self.feed = Feed(self.log)
        self.made = 0

    def deliver(self, count: int = 1) -> None:
        for _ in range(count):
            self.made += 1
            clock = DerivedClock.anchored(ORIGIN, self.made, {})
            message = Message(
                Dot(ORIGIN, self.made),
                b"",
                parents=(),
                depth=self.made,
                derived=clock,
                created_at=0.0,
                delivered_at=0.0,
            )
            self.log.append(ORIGIN.key, (), message, clock)
            while self.log.is_too_large:
                self.log.evict()
        self.feed.publish([])

    def messages(self, after: int | None = None, *, history: bool = True) -> MessageStream:
        dot = None if after is None else Dot(ORIGIN, after)
        return MessageStream(self.feed, after=dot, history=history)


async def rest(stream: MessageStream) -> list[int]:
    return [message.id.sequence async for message in stream]


async def events_of(stream: EventStream) -> list[Event]:
    return [event async for event in stream]


async def test_a_stream_replays_what_is_retained_and_goes_on_live() -> None:
    source = Source()
    source.deliver(2)
    reader = asyncio.create_task(rest(source.messages()))
    await asyncio.sleep(0)
    source.deliver(2)
    source.feed.end()
    assert await reader == [1, 2, 3, 4]


async def test_a_stream_after_a_message_begins_behind_it() -> None:
    source = Source()
    source.deliver(5)
    source.feed.end()
    stream = source.messages(after=3)
    assert stream.resumed
    assert await rest(stream) == [4, 5]


async def test_a_stream_after_an_evicted_message_begins_with_the_oldest_and_says_so() -> None:
    source = Source(retained=2)
    source.deliver(5)
    source.feed.end()
    stream = source.messages(after=1)
    assert not stream.resumed
    assert await rest(stream) == [4, 5]


async def test_a_stream_without_history_begins_now() -> None:
    source = Source()
    source.deliver(3)
    stream = source.messages(history=False)
    source.deliver(1)
    source.feed.end()
    assert await rest(stream) == [4]


async def test_any_number_of_streams_read_at_once() -> None:
    source = Source()
    readers = [asyncio.create_task(rest(source.messages())) for _ in range(5)]
    await asyncio.sleep(0)
    source.deliver(3)
    source.feed.end()
    assert await asyncio.gather(*readers) == [[1, 2, 3]] * 5


async def test_a_slow_reader_loses_only_to_retention_and_is_told() -> None:
    source = Source(retained=3)
    stream, events = source.messages(), EventStream(source.feed)
    source.deliver(10)
    source.feed.end()
    assert await rest(stream) == [8, 9, 10]
    assert stream.missed == 7
    assert await events_of(events) == [Lagged(7)]


async def test_a_reader_that_lags_twice_counts_both_times() -> None:
    source = Source(retained=2)
    stream = source.messages()
    source.deliver(4)
    assert (await anext(stream)).id.sequence == 3
    source.deliver(4)
    source.feed.end()
    assert await rest(stream) == [7, 8]
    assert stream.missed == 2 + 3


async def test_a_cancelled_wait_loses_no_message() -> None:
    source = Source()
    stream = source.messages()
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    source.deliver(1)
    assert (await anext(stream)).id.sequence == 1


async def test_cancelling_one_reader_leaves_the_others_waiting() -> None:
    source = Source()
    cancelled, other = (asyncio.create_task(rest(source.messages())) for _ in range(2))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    source.deliver(1)
    source.feed.end()
    assert await other == [1]


async def test_reading_a_long_history_gives_the_loop_its_turn() -> None:
    source = Source()
    source.deliver(2 * YIELD_EVERY)
    source.feed.end()
    turns = 0

    def count() -> None:
        nonlocal turns
        turns += 1
        asyncio.get_running_loop().call_soon(count)

    count()
    await rest(source.messages())
    assert turns > 1


async def test_closing_a_message_stream_ends_a_reader_that_waits() -> None:
    source = Source()
    stream = source.messages()
    reader = asyncio.create_task(rest(stream))
    await asyncio.sleep(0)
    async with stream:
        pass
    assert await reader == []


async def test_closing_an_event_stream_ends_a_reader_that_waits() -> None:
    source = Source()
    stream = EventStream(source.feed)
    reader = asyncio.create_task(events_of(stream))
    await asyncio.sleep(0)
    async with stream:
        pass
    assert await reader == []


async def test_events_come_in_order_and_end_with_the_feed() -> None:
    source = Source()
    stream = EventStream(source.feed)
    source.feed.publish([Gap(1), Gap(2)])
    source.feed.publish([Gap(3)])
    source.feed.end()
    assert await events_of(stream) == [Gap(1), Gap(2), Gap(3)]


async def test_events_before_the_stream_was_made_are_not_in_it() -> None:
    source = Source()
    source.feed.publish([Gap(1)])
    stream = EventStream(source.feed)
    source.feed.end()
    assert await events_of(stream) == []


async def test_too_many_unread_events_lose_the_oldest_and_say_how_many() -> None:
    source = Source()
    stream = EventStream(source.feed)
    source.feed.publish([Gap(number) for number in range(1, EVENT_STREAM_LIMIT + 4)])
    source.feed.end()
    events = await events_of(stream)
    assert events[:2] == [Lagged(3), Gap(4)]
    assert len(events) == 1 + EVENT_STREAM_LIMIT


async def test_a_lag_that_is_itself_lost_is_added_up() -> None:
    source = Source()
    stream = EventStream(source.feed)
    source.feed.publish([Lagged(5)])
    source.feed.publish([Gap(number) for number in range(EVENT_STREAM_LIMIT)])
    assert await anext(stream) == Lagged(5)


async def test_an_event_stream_nobody_holds_is_forgotten() -> None:
    source = Source()
    EventStream(source.feed)
    assert not list(source.feed._streams)


async def test_deliveries_push_nothing_out_of_the_queue_of_a_reader_that_wants_none() -> None:
    source = Source()
    source.deliver()
    message = await anext(source.messages())
    wants_none, wants_all = EventStream(source.feed, deliveries=False), EventStream(source.feed)
    source.feed.publish([Gap(7)])
    source.feed.publish([Delivered(message)] * EVENT_STREAM_LIMIT)
    source.feed.end()
    assert await events_of(wants_none) == [Gap(7)]
    assert (await events_of(wants_all))[0] == Lagged(1)
