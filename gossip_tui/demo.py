"""A swarm of real nodes in one process that chats by itself, so that there is something to watch."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from protocol.core.identity import Dot
from protocol.errors import GossipError

from .corpus import ANSWERS, STORIES
from .options import NodeOptions, leave, open_node
from .ports import LOOPBACK

if TYPE_CHECKING:
    from protocol import Message, Node

__all__ = ["Chatter", "Remark", "Swarm", "close_nodes", "open_nodes"]

FIRST_PAUSE = 0.4
"""Seconds before the first story; a choice, a screen that stays empty looks broken."""

STORY_PAUSES = (1.5, 4.5)
"""Seconds between two stories, from and to; a choice: with their replies about a message a second."""

REPLY_PAUSES = (0.7, 3.5)
"""Seconds that a node takes to reply, from and to: what people need to read and type a short line."""

ANSWER_LIMIT = 16
"""Replies on their way beyond which newcomers get no answer; a choice, nobody is polite to a crowd."""

MEMORY_LIMIT = 1_000
"""Messages whose reply is remembered; a reply comes within seconds, or its speaker is gone."""

HISTORY_LIMIT = 1_500
"""Messages that each node of a swarm retains, some 20 minutes of talk, and more than may wait to be heard. A
message takes about 2 kB at each node that retains it, and here all share one process: with the history
of a node that is alone, 24 of them would fill half a gigabyte within hours."""

CORPUS = frozenset({*ANSWERS, *(line for story in STORIES for line in story)})


class Remark(NamedTuple):
    """Something that a member of the swarm is going to say."""

    speaker: int
    pause: float
    """Seconds to wait, since the message it replies to was read, or since the last story began."""
    text: str
    rest: tuple[str, ...] = ()
    """What others will say to that, one after the other."""


class Chatter:
    """Decides who says what and when; knows no sockets and no clock.

    Args:
        members: How many there are to speak, at least 2.
        rng: The same state of it tells the same stories.
    """

    def __init__(self, members: int, rng: random.Random) -> None:
        self._members = members
        self._rng = rng
        self._stories = self._shuffled()

    def next_story(self) -> Remark:
        """The first line of a story; each is told once before any is told again."""
        first, *rest = next(self._stories)
        return Remark(self._anybody(), self._pause(STORY_PAUSES), first, tuple(rest))

    def reply(self, remark: Remark) -> Remark | None:
        """Who says what to a remark, or None at the end of its story."""
        if not remark.rest:
            return None
        text, *rest = remark.rest
        return Remark(self._anybody(but=remark.speaker), self._pause(REPLY_PAUSES), text, tuple(rest))

    def answer(self, but: int | None = None) -> Remark:
        """What somebody says to a newcomer, or to the person who sits on member ``but``."""
        return Remark(self._anybody(but), self._pause(REPLY_PAUSES), ANSWERS[self._below(len(ANSWERS))])

    def _anybody(self, but: int | None = None) -> int:
        if but is None:
            return self._below(self._members)
        return (but + 1 + self._below(self._members - 1)) % self._members

    def _pause(self, limits: tuple[float, float]) -> float:
        low, high = limits
        return low + (high - low) * self._rng.random()

    def _below(self, limit: int) -> int:
        # Only ``random()`` is the same on every version of Python.
        return int(self._rng.random() * limit)

    def _shuffled(self) -> Iterator[tuple[str, ...]]:
        while True:
            yield from sorted(STORIES, key=lambda _: self._rng.random())


class Swarm:
    """Started nodes that tell each other stories.

    A reply is said by its speaker only after that node delivered what it replies to, so it happened after
    it in the sense of the vector clocks as well. What nobody of the swarm said by itself gets an answer.

    Args:
        nodes: The members, started; whoever made them closes them.
        chatter: Decides who says what.
        pace: Multiplies all pauses; 0 for as fast as messages travel.
    """

    def __init__(self, nodes: Sequence[Node], chatter: Chatter, *, pace: float = 1.0) -> None:
        self.nodes = list(nodes)
        """The members; ``replace`` puts others in their places."""
        self._chatter = chatter
        self._pace = pace
        self._replies: dict[Dot, Remark | None] = {}
        """What comes after each message of late, by whomever it was said; None for nothing."""
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Let the members read and talk until ``stop``."""
        for index, node in enumerate(self.nodes):
            self._spawn(self._listen(index, node))
        self._spawn(self._tell_stories())

    def replace(self, index: int, node: Node) -> None:
        """Let a node that came up in the place of a member read and talk instead of it."""
        self.nodes[index] = node
        self._spawn(self._listen(index, node))

    async def stop(self) -> None:
        """Fall silent; the nodes go on."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _tell_stories(self) -> None:
        await asyncio.sleep(FIRST_PAUSE * self._pace)
        while True:
            story = self._chatter.next_story()
            self._say(story)
            await asyncio.sleep(story.pause * self._pace)

    async def _listen(self, index: int, node: Node) -> None:
        async for message in node.messages(history=False):
            if message.id not in self._replies:
                self._remember(message.id, self._answer_to(message))
            remark = self._replies[message.id]
            if remark is not None and remark.speaker == index:
                self._replies[message.id] = None
                self._spawn(self._say_later(remark))

    def _answer_to(self, message: Message) -> Remark | None:
        # What sounds like a swarm may be another one, and two that answer each other would never end.
        if (
            message.from_history
            or message.text in CORPUS
            or len(self._tasks) > len(self.nodes) + ANSWER_LIMIT
        ):
            return None
        ids = [node.id for node in self.nodes]
        origin = message.id.origin
        return self._chatter.answer(but=ids.index(origin) if origin in ids else None)

    async def _say_later(self, remark: Remark) -> None:
        await asyncio.sleep(remark.pause * self._pace)
        self._say(remark)

    def _say(self, remark: Remark) -> None:
        # A member that has left, because a person made it leave, says nothing: its story ends there.
        with contextlib.suppress(GossipError):
            message = self.nodes[remark.speaker].send_gossip(remark.text)
            self._remember(message.id, self._chatter.reply(remark))

    def _remember(self, dot: Dot, reply: Remark | None) -> None:
        self._replies[dot] = reply
        if len(self._replies) > MEMORY_LIMIT:
            del self._replies[next(iter(self._replies))]

    def _spawn(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def open_nodes(options: NodeOptions, count: int, rng: random.Random) -> list[Node]:
    """Start ``count`` nodes named n01, n02, ... on loopback, the first of them in the port range.

    Each joins through one that was started before it, and the first probes the range, so that the swarm
    becomes one network with whatever else runs on this machine.

    Raises:
        PortsTakenError: Every port of the range is taken.
        OSError: The system refuses so many sockets.
    """
    width = max(2, len(str(count)))
    nodes: list[Node] = []
    try:
        for number in range(1, count + 1):
            name = f"n{number:0{width}d}"
            place = dataclasses.replace(options, name=name, history=HISTORY_LIMIT)
            if nodes:
                contact = str(one_of(nodes, rng).address)
                place = dataclasses.replace(place, bind=f"{LOOPBACK}:0", join=(contact,))
            nodes.append(await open_node(place))
    except BaseException:
        await close_nodes(nodes)
        raise
    return nodes


async def close_nodes(nodes: Sequence[Node]) -> None:
    """Say goodbye with every node and release the sockets."""
    await asyncio.gather(*(leave(node) for node in nodes))


def one_of(nodes: Sequence[Node], rng: random.Random) -> Node:
    """Any of the nodes."""
    return nodes[int(rng.random() * len(nodes))]
