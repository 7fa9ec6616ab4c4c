"""The node without a screen: ``tail`` follows and feeds the gossip, ``send`` says one thing and leaves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from protocol.core.events import (
    ContactUnresolved,
    DatagramRejected,
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
from protocol.core.large.limits import PAYLOAD_MAXIMUM
from protocol.errors import BacklogError, GossipError, PayloadSizeError, StateError
from protocol.text import printable

from .collector import collect_less_often
from .feed import NodeFeed
from .invitation import invitation
from .jsonlines import (
    encode,
    event_record,
    message_record,
    ready_record,
    rejected_record,
    status_record,
    view_record,
)
from .lines import Line, LineReader, LineWriter
from .options import LEAVE_TIMEOUT, NodeOptions, leave, open_node
from .recording.taping import NO_TAPE, TapeOptions, Taping
from .rejections import Rejections
from .shutdown import ending_signals, give_up_stdout

if TYPE_CHECKING:
    from protocol import Message, Node

__all__ = ["NotAcknowledgedError", "notice_line", "read_payload", "send", "tail", "text_line"]


LINE_LIMIT = 4_000
"""Characters of a text in a line for people: three times what fits one datagram; a choice."""


class NotAcknowledgedError(GossipError):
    """No other node is known to have the message."""


async def tail(options: NodeOptions, *, as_json: bool, tape: TapeOptions = NO_TAPE) -> None:
    """Write one line per delivered message and gossip the lines of standard input, until told to end.

    Ends on Ctrl-C, SIGTERM, SIGHUP and when nobody reads standard output any more, not at the end of the
    input.

    Raises:
        OSError: The node can't bind, or standard output can't be written (a full disk).
        RecordingError: The file to record to exists already or can't be made.
    """
    if sys.stdout is None:
        return
    collect_less_often()
    taping = Taping("tail", tape)
    ended = asyncio.Event()
    with ending_signals(ended.set), contextlib.closing(taping):
        node = await open_node(options)
        out = LineWriter(1, ended.set)
        notes = LineWriter(2, lambda: None) if sys.stderr is not None else None
        follower = Follower(node, out, notes, as_json=as_json)
        taping.begin(NodeFeed(node), follower.note_later)
        try:
            await follower.run(ended)
        finally:
            await leave(node)
            await follower.finish()
    if out.error is not None:
        raise out.error
    give_up_stdout()


class Follower:
    """Tells in lines what a node delivers and notices, and gossips the lines it is given.

    With ``as_json`` everything goes to ``out``; else the messages do, and the notices go to ``notes``.
    """

    def __init__(self, node: Node, out: LineWriter, notes: LineWriter | None, *, as_json: bool) -> None:
        self._node = node
        self._out = out
        self._notes = notes
        self._as_json = as_json
        self._view_changed = asyncio.Event()
        self._jobs: list[asyncio.Task[None]] = []
        self._said_waiting = False
        self._rejections = Rejections()

    async def run(self, ended: asyncio.Event) -> None:
        """Say that the node is up, then follow it until ``ended`` is set or a job fails, with its error."""
        events = self._node.events(deliveries=False)
        await self._say_ready()
        await self._say_restored()
        self._start(self.tell_messages())
        self._start(self.tell_events(events))
        if self._as_json:
            self._start(self.tell_views())
            self._start(self.tell_status())
            self._start(self.tell_rejections())
        self._listen()
        waiting = asyncio.create_task(ended.wait())
        try:
            done, _ = await asyncio.wait([waiting, *self._jobs], return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()
        finally:
            waiting.cancel()

    async def finish(self) -> None:
        """Write what is left of the node's streams, which have ended, as far as somebody reads it in time.

        What was refused in the last cycle is summed up too.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_TIMEOUT):
                await asyncio.gather(*self._jobs[:2], return_exceptions=True)
                await self._sum_up_rejections()
                await self._out.flush()
                if self._notes is not None:
                    await self._notes.flush()
        for job in self._jobs:
            job.cancel()
        self._out.close()
        if self._notes is not None:
            self._notes.close()

    async def tell_messages(self) -> None:
        """One line for each message, in causal order."""
        as_line = json_line if self._as_json else text_line
        async for message in self._node.messages():
            await self._out.write(as_line(message))

    async def tell_events(self, events: AsyncIterator[Event]) -> None:
        """One line for each event that has one."""
        async for event in events:
            if isinstance(event, ViewChanged):
                self._view_changed.set()
            elif (
                isinstance(event, DatagramRejected) and self._as_json and not self._rejections.is_news(event)
            ):
                continue
            elif self._as_json:
                if record := event_record(event, time.time()):
                    await self._out.write(encode(record))
            elif text := notice_line(event):
                await self._note(text)

    async def tell_views(self) -> None:
        """The partial view, when other nodes are in it, at most once a cycle."""
        while True:
            await self._view_changed.wait()
            self._view_changed.clear()
            await self._out.write(encode(view_record(self._node.current_view(), time.time())))
            await asyncio.sleep(self._node.config.cycle_period)

    async def tell_status(self) -> None:
        """How the node stands, at most once a cycle and only when that is news."""
        told: dict[str, Any] = {}
        while True:
            await asyncio.sleep(self._node.config.cycle_period)
            record = status_record(self._node.snapshot(), time.time())
            news = {name: value for name, value in record.items() if name != "at"}
            if news != told and (told or any(value for name, value in news.items() if name != "type")):
                await self._out.write(encode(record))
                told = news

    async def tell_rejections(self) -> None:
        """How many more datagrams were refused for a reason that was told, at most once a cycle."""
        while True:
            await asyncio.sleep(self._node.config.cycle_period)
            await self._sum_up_rejections()

    async def _sum_up_rejections(self) -> None:
        for event, more in self._rejections.take():
            await self._out.write(encode(rejected_record(event, time.time(), more)))

    async def gossip(self, lines: list[Line]) -> None:
        """Gossip each line as one message; what can't be sent is said on standard error."""
        for line in lines:
            try:
                await self._gossip_line(line)
            except PayloadSizeError as error:
                await self._note(f"line not sent: {error}")
            except StateError:
                return

    async def _gossip_line(self, line: Line) -> None:
        if line.size > len(line.content):
            raise PayloadSizeError(line.size, self._node.payload_limit)
        while True:
            try:
                self._node.send_gossip(line.content)
            except BacklogError as error:
                await self._say_waiting(error.pending)
                await self._node.drain()
            else:
                return

    async def _say_waiting(self, pending: int) -> None:
        """Say once why input is not read on, where that may last; with peers it is a moment."""
        if not self._said_waiting and not self._node.current_view():
            self._said_waiting = True
            await self._note(f"{pending} lines wait for another node; input is read on when one has them")

    async def _say_ready(self) -> None:
        node = self._node
        if self._as_json:
            await self._out.write(encode(ready_record(node.id, node.address, time.time())))
        else:
            others = invitation("others join with --join", node.address)
            await self._note(f"{node.id.name} listens on {node.address}; {others}")

    def note_later(self, text: str) -> None:
        """Say something that nobody waits for."""
        self._start(self._note(text))

    async def _say_restored(self) -> None:
        """What the state file gave."""
        restored = self._node.restored
        if restored is None:
            return
        if self._as_json and (record := event_record(restored, time.time())):
            await self._out.write(encode(record))
        else:
            await self._note(notice_line(restored))

    async def _note(self, text: str) -> None:
        if self._notes is not None:
            await self._notes.write(printable(text))

    def _start(self, job: Coroutine[Any, Any, None]) -> None:
        self._jobs.append(asyncio.create_task(job))

    def _listen(self) -> None:
        """Read standard input, if there is one."""
        if sys.stdin is None:
            return
        if hasattr(signal, "SIGTTIN"):
            # In the background of a shell, reading the terminal would stop the node; so it gets nothing.
            signal.signal(signal.SIGTTIN, signal.SIG_IGN)
        typed = os.isatty(0)
        self._reader = LineReader(0, self._gossip_typed if typed else self.gossip)

    async def _gossip_typed(self, lines: list[Line]) -> None:
        """Like ``gossip``, without the empty lines and blanks that a person makes for the look of it."""
        await self.gossip([line for line in lines if line.content.strip()])


def read_payload(fd: int) -> bytes:
    """Everything that comes from a file descriptor.

    Raises:
        PayloadSizeError: It is more than any message takes; so much is read to its end and counted, not kept.
    """
    payload = bytearray()
    size = 0
    while block := os.read(fd, 1 << 16):
        size += len(block)
        payload += block[: PAYLOAD_MAXIMUM - len(payload)]
    if size > PAYLOAD_MAXIMUM:
        raise PayloadSizeError(size, PAYLOAD_MAXIMUM)
    return bytes(payload)


async def send(options: NodeOptions, payload: bytes, patience: float) -> None:
    """Join, gossip once, wait until another node has it, leave.

    Raises:
        NotAcknowledgedError: Nobody had it within ``patience`` seconds, or somebody ended the waiting.
        PayloadSizeError: It does not fit one message.
        OSError: The node can't bind.
    """
    waiting = asyncio.current_task()
    assert waiting is not None
    node = await open_node(options)
    try:
        with ending_signals(waiting.cancel):
            async with asyncio.timeout(patience):
                await node.wait_acknowledged(node.send_gossip(payload))
    except TimeoutError:
        raise NotAcknowledgedError(unacknowledged_text(node, options, patience)) from None
    except asyncio.CancelledError:
        waiting.uncancel()
        raise NotAcknowledgedError("ended before another node was known to have the message") from None
    finally:
        await leave(node)


def unacknowledged_text(node: Node, options: NodeOptions, patience: float) -> str:
    """Why nobody may have the message."""
    if node.current_view():
        return f"no other node is known to have it after {patience:g} s; it may have spread all the same"
    asked = ", ".join(options.join) or f"the ports {options.ports} of this machine"
    return f"no node answered at {asked} within {patience:g} s: is one running there, in the same --cluster?"


def json_line(message: Message) -> str:
    """A delivered message as one JSON line."""
    return encode(message_record(message))


def text_line(message: Message) -> str:
    """A delivered message as one line for people: time, name and number, text, clock, marks.

    ``12:04:05 p2#7 hello {p1:4 p2:7}``, in local time; ``history`` or ``late`` at the end where that is so.
    Of a text that is too long for people the beginning, and how much it is; ``json_line`` has all of it.
    """
    name = message.clock.labels()[message.id.origin]
    text = message.text
    if len(text) > LINE_LIMIT:
        text = f"{text[:LINE_LIMIT]}... ({len(message.payload):,} bytes, all of them with --json)"
    clock_time = datetime.fromtimestamp(message.delivered_at).astimezone().strftime("%H:%M:%S")
    marks = "".join(f" {word}" for word in marks_of(message))
    return printable(f"{clock_time} {name}#{message.id.sequence} {text} {message.clock}{marks}")


def marks_of(message: Message) -> Iterator[str]:
    """What was special about a delivery."""
    if message.from_history:
        yield "history"
    if message.late:
        yield "late"


def notice_line(event: Event) -> str:
    """What an event means in a few words; empty for what is not worth a line."""
    match event:
        case PeerSeen(id=node, address=address):
            return f"{node.name} heard of at {address}"
        case PeerLost(id=node, address=address, left=left):
            return f"{node.name} at {address} {'left' if left else 'stopped answering'}"
        case Gap(size=size):
            return f"{size} messages are missing here for good: nobody has them any more"
        case Lagged(missed=missed):
            return f"{missed} items were dropped because the output was read too slowly"
        case Undeliverable(id=dot):
            return f"{dot.origin.name}#{dot.sequence} was given up: what happened before it can't be had"
        case ContactUnresolved(contact=contact, reason=reason):
            return f"{contact} has no address now ({reason}), it is looked up again now and then"
        case IncarnationChanged(after=after, was_silent=True):
            return f"others may have forgotten this node in its silence, so it is {after.label} now"
        case IncarnationChanged(before=before, after=after):
            return f"another node used the identity {before.label}, so this one is {after.label} now"
        case _:
            return state_line(event)


def state_line(event: Event) -> str:
    """What an event says of the state file; empty for other events."""
    match event:
        case Restored(messages=count, before=before):
            reason = f", a new incarnation after {before.label}" if before is not None else ""
            return f"{count} messages restored{reason}"
        case StateFailed(path=path, reason=reason):
            return f"state file {path} {reason}: going on in memory, it is tried again now and then"
        case StateRecovered(path=path):
            return f"state file {path} can be written again and holds everything"
        case _:
            return ""
