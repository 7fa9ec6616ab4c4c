"""What the screen learns of a node, and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from gossip_tui.feed import DELIVERY_LIMIT, NodeFeed, NodeLike
from gossip_tui.notices import Notice, notices_of
from gossip_tui.observed import Delivery, KnownView
from gossip_tui.shown import Update
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
    Undeliverable,
    ViewChanged,
)
from protocol.core.identity import Address, Dot
from protocol.core.snapshot import PeerState, ToldView
from protocol.core.view import Descriptor
from protocol.errors import AddressError, StateError
from tests.gossip_tui.memory import MemoryNode, settle
from tests.gossip_tui.samples import Talk, address, node_id, peer_row


@asynccontextmanager
async def opened(*nodes: NodeLike, **fields: object) -> AsyncIterator[NodeFeed]:
    feed = NodeFeed(*nodes, clock=lambda: 5.0, **fields)  # type: ignore[arg-type]
    await feed.open()
    await settle()
    yield feed
    await feed.close()


async def polled(feed: NodeFeed) -> Update:
    await settle()
    update = feed.poll()
    assert update is not None
    return update


async def test_the_first_poll_brings_a_picture_and_what_was_said_before() -> None:
    node = MemoryNode()
    first = node.hear("p2", "hello")
    async with opened(node) as feed:
        assert await polled(feed) == Update(node.picture, (first,))


async def test_nothing_new_is_none() -> None:
    async with opened(MemoryNode()) as feed:
        feed.poll()
        assert feed.poll() is None


async def test_the_moment_of_a_picture_is_no_news() -> None:
    node = MemoryNode()
    async with opened(node) as feed:
        feed.poll()
        node.now(now=node.picture.now + 0.25)
        assert feed.poll() is None


async def test_a_change_of_the_picture_alone_is_news() -> None:
    node = MemoryNode()
    async with opened(node) as feed:
        feed.poll()
        node.now(cycle=413)
        assert (await polled(feed)).snapshot.cycle == 413


async def test_messages_come_once_and_in_order() -> None:
    node = MemoryNode()
    async with opened(node) as feed:
        feed.poll()
        said = [node.hear("p2", str(number)) for number in range(100)]
        assert list((await polled(feed)).messages) == said
        assert feed.poll() is None


async def test_own_messages_are_sent_and_come_back() -> None:
    node = MemoryNode()
    async with opened(node) as feed:
        message = feed.send("hi")
        assert (await polled(feed)).messages == (message,)


async def test_opening_starts_every_node() -> None:
    nodes = MemoryNode(), MemoryNode("p2")
    async with opened(*nodes):
        assert [node.started for node in nodes] == [1, 1]


async def test_closing_leaves_with_every_node() -> None:
    nodes = MemoryNode(), MemoryNode("p2")
    async with opened(*nodes):
        pass
    assert all(node.picture.left for node in nodes)


async def test_a_feed_without_a_node_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        NodeFeed()


async def test_joining_hands_addresses_on() -> None:
    node = MemoryNode()
    async with opened(node) as feed:
        assert await feed.join("127.0.0.1:9", "[::1]:8") is False
        assert node.joined == ["127.0.0.1:9", "[::1]:8"]


async def test_a_malformed_contact_does_nothing() -> None:
    node = MemoryNode()
    async with opened(node) as feed:
        with pytest.raises(AddressError):
            await feed.join("127.0.0.1:9", "nonsense")
        assert node.joined == []


async def test_adding_hands_addresses_on() -> None:
    node = MemoryNode()
    async with opened(node) as feed:
        feed.add("127.0.0.1:9")
        assert node.added == ["127.0.0.1:9"]


async def test_leaving_twice_is_refused() -> None:
    async with opened(MemoryNode()) as feed:
        await feed.leave()
        with pytest.raises(StateError, match="has left already"):
            await feed.leave()


async def test_after_leaving_join_makes_a_new_incarnation_through_the_old_view() -> None:
    old, new = MemoryNode(), MemoryNode(incarnation=1)
    async with opened(old, successor=lambda _: new) as feed:
        await feed.leave()
        assert await feed.join() is True
        assert new.started == 1
        assert new.joined == [str(address(number)) for number in (2, 5, 7)]
        assert (await polled(feed)).snapshot.id == new.id


async def test_coming_back_waits_until_the_goodbye_is_said() -> None:
    said = asyncio.Event()

    class Lingering(MemoryNode):
        async def leave(self) -> None:
            await super().leave()
            await said.wait()

    new = MemoryNode(incarnation=1)
    async with opened(Lingering(), successor=lambda _: new) as feed:
        leaving = asyncio.ensure_future(feed.leave())
        joining = asyncio.ensure_future(feed.join())
        await settle()
        assert feed.has_left
        assert not new.joined
        said.set()
        assert await joining
        assert new.started == 1
        await leaving


async def test_a_new_incarnation_joins_through_who_is_named() -> None:
    new = MemoryNode(incarnation=1)
    async with opened(MemoryNode(), successor=lambda _: new) as feed:
        await feed.leave()
        await feed.join("10.0.0.1:1")
        assert new.joined == ["10.0.0.1:1"]


async def test_what_a_new_incarnation_hears_is_told() -> None:
    new = MemoryNode(incarnation=1)
    async with opened(MemoryNode(), successor=lambda _: new) as feed:
        await feed.leave()
        await feed.join()
        message = new.hear("p2", "welcome back")
        assert message in (await polled(feed)).messages


async def test_moving_shows_the_other_node_from_its_first_message() -> None:
    here, there = MemoryNode(), MemoryNode("p2")
    said = there.hear("p3", "over here")
    async with opened(here, there) as feed:
        here.hear("p9", "never shown")
        await settle()
        feed.move(1)
        assert await polled(feed) == Update(there.picture, (said,), moved=True)
        assert (feed.seats, feed.seat) == (("p1", "p2"), 1)


async def test_moving_to_where_one_sits_is_nothing() -> None:
    async with opened(MemoryNode(), MemoryNode("p2")) as feed:
        feed.poll()
        feed.move(0)
        assert feed.poll() is None


async def test_there_is_no_seat_outside() -> None:
    async with opened(MemoryNode()) as feed:
        with pytest.raises(IndexError):
            feed.move(1)


async def test_unacknowledged_messages_of_a_node_that_left_do_not_count() -> None:
    node = MemoryNode(unacknowledged=3)
    async with opened(node) as feed:
        assert feed.unacknowledged == 3
        await feed.leave()
        assert feed.unacknowledged == 0


async def test_draining_is_the_nodes() -> None:
    node = MemoryNode(unacknowledged=3)
    async with opened(node) as feed:
        await feed.drain()
        assert feed.unacknowledged == 0


async def test_events_become_notices_with_the_time() -> None:
    node = MemoryNode()
    async with opened(node) as feed:
        feed.poll()
        node.happen(PeerSeen(node_id("p2"), address(2)))
        assert (await polled(feed)).notices == (Notice("p2 127.0.0.1:8002 joined", 5.0, "joined"),)


async def test_datagrams_and_deliveries_are_no_news_by_themselves() -> None:
    node = MemoryNode()
    async with opened(node) as feed:
        feed.poll()
        node.happen(
            Delivered(Talk().say("p2", "x")), DatagramRejected(address(2), "magic"), ViewChanged((), ())
        )
        await settle()
        assert feed.poll() is None


async def test_deliveries_are_no_events_to_it_and_push_none_out() -> None:
    asked: list[bool] = []

    class Asked(MemoryNode):
        def events(self, *, deliveries: bool = True) -> AsyncIterator[Event]:
            asked.append(deliveries)
            return super().events(deliveries=deliveries)

    async with opened(Asked()):
        assert asked == [False]


async def test_an_error_while_reading_reaches_the_loop() -> None:
    class Broken(MemoryNode):
        def events(self, *, deliveries: bool = True) -> AsyncIterator[Event]:  # noqa: ARG002 - as of a node
            async def fail() -> AsyncIterator[Event]:
                raise ZeroDivisionError
                yield Lagged(1)

            return fail()

    caught: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: caught.append(context["exception"]))
    async with opened(Broken()):
        await settle()
    assert [type(error) for error in caught] == [ZeroDivisionError]


P2, P3 = node_id("p2"), node_id("p3")


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (PeerLost(P2, address(2), left=True), "p2 left"),
        (PeerLost(P2, address(2), left=False), "p2 lost: no answer, dialled again now and then"),
        (Gap(2), "2 messages are missing here for good: no node that answers has them any more"),
        (Lagged(1), "1 item is dropped before this screen could read them"),
        (Undeliverable(Dot(P2, 4), (Dot(P3, 7),)), "p2#4 given up: it waits for p3#7, which can't be had"),
        (
            Undeliverable(Dot(P2, 4), ()),
            "p2#4 given up: it waits for a message of unknown origin, which can't be had",
        ),
        (
            IncarnationChanged(P2, node_id("p2", 1)),
            f"another node used the identity {P2.label}: now {node_id('p2', 1).label}",
        ),
        (
            ContactUnresolved(Address("nowhere.example", 7117), "no such host"),
            "nowhere.example:7117 has no address now (no such host); it is looked up again",
        ),
    ],
)
def test_events_are_said_in_words(event: Event, text: str) -> None:
    assert [notice.text for notice in notices_of([event], 5.0)] == [text]


async def test_only_who_answered_or_asked_has_joined() -> None:
    node = MemoryNode()
    lost = [peer_row(number, state=PeerState.LOST, age=None) for number in (2, 3)]
    node.picture = replace(node.picture, peers=tuple(lost))
    async with opened(node) as feed:
        feed.poll()
        back = (peer_row(2, last_exchange_at=200.0), peer_row(3))
        node.picture = replace(node.picture, peers=(*back, peer_row(4, last_exchange_at=None)))
        node.happen(*(PeerSeen(node_id(f"p{number}"), address(number)) for number in (2, 3, 4)))
        texts = [notice.text for notice in (await polled(feed)).notices]
        assert texts == [
            "p3 named again by another node: lost before, no answer yet",
            "p4 named by another node, not heard from yet",
            "p2 127.0.0.1:8002 joined",
        ]


def test_many_peers_at_once_share_a_line() -> None:
    events = [PeerSeen(node_id(f"p{number}"), address(number)) for number in range(2, 9)]
    texts = [notice.text for notice in notices_of(events, 5.0)]
    assert texts == ["p2, p3, p4 and 4 more joined"]


def test_names_in_notices_are_safe_for_a_terminal() -> None:
    events = [PeerLost(node_id("\x1b[2J"), address(2), left=True)]
    assert [notice.text for notice in notices_of(events, 5.0)] == ["␛[2J left"]


async def test_history_that_came_in_is_told_once_when_it_is_all_here() -> None:
    node = MemoryNode(catching_up=True)
    async with opened(node) as feed:
        node.hear("p2", "one", from_history=True)
        assert (await polled(feed)).notices == ()
        node.hear("p2", "two", from_history=True)
        node.now(catching_up=False)
        assert (await polled(feed)).notices == (Notice("caught up: 2 earlier messages are here now", 5.0),)
        node.hear("p2", "three")
        assert (await polled(feed)).notices == ()


async def test_deliveries_are_those_of_every_node_since_the_last_answer() -> None:
    one, two = MemoryNode("n01"), MemoryNode("n02")
    said = one.hear("n01", "hello")
    async with opened(one, two) as feed:
        first = feed.deliveries({})
        assert first.rows == (Delivery(one.id, said),)
        assert first.unbroken == {one.id, two.id}
        assert first.seat == one.id
        two.deliver(said)
        later = feed.deliveries(first.cursor)
        assert later.rows == (Delivery(two.id, said),)
        assert feed.deliveries(later.cursor).rows == ()
        feed.move(1)
        assert feed.deliveries(later.cursor).seat == two.id


async def test_of_more_deliveries_than_an_answer_holds_the_newest_come_and_that_is_said() -> None:
    node = MemoryNode()
    for number in range(DELIVERY_LIMIT + 5):
        node.deliver(node.talk.say("p2", f"text {number}"))
    async with opened(node) as feed:
        answer = feed.deliveries({})
        assert len(answer.rows) == DELIVERY_LIMIT
        assert answer.rows[-1].message is node.told[-1]
        assert answer.unbroken == frozenset()
        assert answer.cursor == {node.id: DELIVERY_LIMIT + 6}
        assert feed.deliveries(answer.cursor).unbroken == {node.id}


async def test_the_overlay_of_one_node_is_its_view_and_what_peers_told() -> None:
    told = ToldView(node_id("p2"), (Descriptor(node_id("p9"), address(9), 3),), 1.0)
    node = MemoryNode(told=(told,))
    async with opened(node) as feed:
        picture = feed.overlay()
        assert picture.seat == node.id
        assert picture.views == (
            KnownView(node.id, node.picture.view, address=address(1)),
            KnownView(node_id("p2"), told.descriptors, address=address(2)),
        )
        assert not picture.is_whole
        assert (await polled(feed)).snapshot.told == ()


async def test_the_overlay_of_a_swarm_is_whole_unless_it_names_somebody_else() -> None:
    one, two, gone = (MemoryNode(name, view=()) for name in ("n01", "n02", "n03"))
    one.now(view=(Descriptor(two.id, address(2), 1),))
    two.now(view=(Descriptor(one.id, address(1), 1),))
    async with opened(one, two, gone) as feed:
        picture = feed.overlay()
        assert [(view.node, view.address) for view in picture.views] == [
            (one.id, one.address),
            (two.id, two.address),
        ]
        assert picture.is_whole
        two.now(view=(Descriptor(node_id("guest"), address(3), 1),))
        assert not feed.overlay().is_whole
