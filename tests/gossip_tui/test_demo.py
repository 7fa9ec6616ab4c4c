"""The demo swarm: who says what is decided by a seed, and replies come after what they reply to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from gossip_tui.corpus import ANSWERS, STORIES
from gossip_tui.demo import HISTORY_LIMIT, Chatter, Remark, Swarm, close_nodes, open_nodes
from gossip_tui.feed import NodeFeed
from gossip_tui.options import NodeOptions
from protocol import Message, Node

from .free_ports import free_range

FOLLOWS = {reply: before for story in STORIES for before, reply in pairwise(story)}


def told(seed: int, count: int) -> list[Remark]:
    """Stories and replies in the order in which a chatter thinks of them."""
    chatter = Chatter(24, random.Random(seed))
    remarks: list[Remark] = []
    while len(remarks) < count:
        remark: Remark | None = chatter.next_story()
        while remark is not None:
            remarks.append(remark)
            remark = chatter.reply(remark)
    return remarks


@asynccontextmanager
async def swarm_of(count: int, seed: int) -> AsyncIterator[tuple[list[Node], Swarm]]:
    """Started nodes that chat without pauses."""
    rng = random.Random(seed)
    options = NodeOptions(ports=free_range(2), view_size=8, cycle=0.05)
    nodes = await open_nodes(options, count, rng)
    swarm = Swarm(nodes, Chatter(count, rng), pace=0.01)
    try:
        yield nodes, swarm
    finally:
        await swarm.stop()
        await close_nodes(nodes)


async def first_messages(node: Node, count: int) -> list[Message]:
    messages: list[Message] = []
    async for message in node.messages():
        messages.append(message)
        if len(messages) == count:
            break
    return messages


def test_the_same_seed_tells_the_same_stories() -> None:
    assert told(7, 50) == told(7, 50)
    assert told(7, 50) != told(8, 50)


def test_every_story_is_told_before_any_is_told_again() -> None:
    lines = sum(map(len, STORIES))
    assert sorted(remark.text for remark in told(7, lines)) == sorted(
        line for story in STORIES for line in story
    )


def test_nobody_replies_to_itself_and_people_need_time_to_type() -> None:
    remarks = told(7, 200)
    for before, after in pairwise(remarks):
        if before.rest:
            assert before.speaker != after.speaker
            assert 0.5 < after.pause < 5
    assert {remark.speaker for remark in remarks} <= set(range(24))


def test_somebody_else_than_the_person_answers() -> None:
    chatter = Chatter(2, random.Random(7))
    assert {chatter.answer(but=0).speaker for _ in range(20)} == {1}


@pytest.mark.parametrize("line", [*ANSWERS, *(line for story in STORIES for line in story)])
def test_a_line_is_plain_short_text(line: str) -> None:
    assert line.isascii()
    assert line.isprintable()
    assert len(line) <= 70


def test_no_line_stands_twice_so_each_reply_has_one_question() -> None:
    lines = [line for story in STORIES for line in story]
    assert len(lines) == len(set(lines))


async def test_the_nodes_of_a_swarm_retain_little_since_they_share_one_process() -> None:
    async with swarm_of(2, 3) as (nodes, _):
        assert [node.config.history_limit for node in nodes] == [HISTORY_LIMIT] * 2
        assert all(node.config.backlog_limit <= HISTORY_LIMIT for node in nodes)


async def test_nodes_are_numbered_and_the_first_is_in_the_port_range() -> None:
    async with swarm_of(5, seed=1) as (nodes, _):
        assert [node.id.name for node in nodes] == ["n01", "n02", "n03", "n04", "n05"]
        ports = [node.address.port for node in nodes]
        assert len(set(ports)) == 5
        await asyncio.gather(*(node.wait_for_peers(3) for node in nodes))


async def test_replies_happen_after_what_they_reply_to_on_every_node() -> None:
    async with swarm_of(6, seed=1) as (nodes, swarm):
        await asyncio.gather(*(node.wait_for_peers(3) for node in nodes))
        swarm.start()
        for messages in await asyncio.gather(*(first_messages(node, 40) for node in nodes)):
            said = {message.text: message for message in messages}
            replies = [message for message in messages if message.text in FOLLOWS]
            assert len(replies) > 10
            assert all(said[FOLLOWS[reply.text]].happened_before(reply) for reply in replies)


async def test_what_a_person_says_gets_an_answer_that_has_read_it() -> None:
    async with swarm_of(4, seed=1) as (nodes, swarm):
        await asyncio.gather(*(node.wait_for_peers(2) for node in nodes))
        swarm.start()
        await asyncio.sleep(0)
        question = nodes[0].send_gossip("is anybody there?")
        async for message in nodes[0].messages():
            if message.text in ANSWERS:
                assert question.happened_before(message)
                assert message.id.origin != nodes[0].id
                break


async def test_two_swarms_do_not_answer_each_other_for_ever() -> None:
    async with swarm_of(3, seed=1) as (nodes, swarm):
        await asyncio.gather(*(node.wait_for_peers(2) for node in nodes))
        swarm.start()
        await asyncio.sleep(0)
        from_elsewhere = {nodes[0].send_gossip(line).id for line in ANSWERS}
        question = nodes[0].send_gossip("is anybody there?")
        answers = 0
        async for message in nodes[1].messages():
            answers += message.text in ANSWERS and message.id not in from_elsewhere
            if message.text in ANSWERS and question.happened_before(message):
                break
        assert answers == 1


async def test_a_member_that_left_ends_its_story_and_no_other() -> None:
    async with swarm_of(4, seed=1) as (nodes, swarm):
        await asyncio.gather(*(node.wait_for_peers(2) for node in nodes))
        swarm.start()
        await nodes[3].leave()
        assert len(await first_messages(nodes[0], 30)) == 30


async def test_a_cut_swarm_speaks_in_two_circles_and_is_one_again_when_healed() -> None:
    async with swarm_of(6, seed=1) as (nodes, _):
        feed = NodeFeed(*nodes)
        lab = feed.experiments
        await asyncio.gather(*(node.wait_for_peers(3) for node in nodes))
        assert lab.partition([]) == "the swarm is cut in two: n01 to n03 | n04 to n06"
        said = nodes[0].send_gossip("who hears this?")
        await asyncio.gather(*(first_messages(node, 1) for node in nodes[:3]))
        await nodes[0].wait_acknowledged(said, peers=2)
        assert [node.snapshot().counters.delivered for node in nodes] == [1, 1, 1, 0, 0, 0]
        assert sum(node.fault_report.stopped for node in nodes) > 0
        assert lab.heal()
        heard = await asyncio.gather(*(first_messages(node, 1) for node in nodes[3:]))
        assert [messages[0].id for messages in heard] == [said.id] * 3


async def test_a_crashed_member_comes_back_at_its_address_and_chats_on() -> None:
    async with swarm_of(3, seed=1) as (nodes, swarm):
        feed = NodeFeed(*nodes, on_replaced=swarm.replace)
        await feed.open()
        await asyncio.gather(*(node.wait_for_peers(2) for node in nodes))
        swarm.start()
        before = nodes[2]
        await feed.experiments.crash("n03")
        await feed.experiments.restart("n03")
        back = swarm.nodes[2]
        assert (back.bound_address, back.id.name) == (before.bound_address, "n03")
        assert back.id.incarnation > before.id.incarnation
        assert swarm.nodes[:2] == nodes[:2]
        async for message in nodes[0].messages():
            if message.id.origin == back.id:
                break
        await feed.close()


async def test_a_member_that_stands_still_says_nothing_and_ends_no_other_story() -> None:
    async with swarm_of(4, seed=1) as (nodes, swarm):
        feed = NodeFeed(*nodes)
        await asyncio.gather(*(node.wait_for_peers(2) for node in nodes))
        feed.experiments.stop("n04")
        swarm.start()
        assert len(await first_messages(nodes[0], 30)) == 30
        assert nodes[3].snapshot().counters.delivered == 0
        feed.experiments.go_on("n04")
        assert len(await first_messages(nodes[3], 30)) == 30
