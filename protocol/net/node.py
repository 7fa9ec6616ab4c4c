"""A node on this machine: the public, asynchronous face of the protocol.

What it says and hears is here; its beginning and end are in ``life``, whom it is told of in ``contacts``, and
what can be changed while it runs in ``controls``.
"""

from __future__ import annotations

import time
from dataclasses import replace

from protocol.core.identity import Dot
from protocol.core.messages import Message
from protocol.core.snapshot import NodeSnapshot
from protocol.core.view import Descriptor
from protocol.errors import ConfigError
from protocol.net.contacts import NodeContacts
from protocol.net.controls import NodeControls
from protocol.net.streams import EventStream, MessageStream

__all__ = ["Node"]


class Node(NodeContacts, NodeControls):
    """A member of a gossip network, with a UDP socket on the running event loop.

    ``async with Node(...)`` starts it and leaves at the end; ``start()``, ``leave()`` and ``close()`` do the
    same by hand. A node lives once: to come back after leaving, make another one. Nothing here may be called
    from another thread than the loop's.

    Nothing blocks and nothing waits but what is ``async``; what comes from the network never raises.
    """

    @property
    def payload_limit(self) -> int:
        """Bytes that one message may have: ``Config.payload_limit``."""
        return self._started.machine.payload_limit

    def current_view(self) -> tuple[Descriptor, ...]:
        """The partial view: other nodes and the age of what is known of them; empty once closed.

        Raises:
            StateError: The node is not started.
        """
        return () if self._closed else self._started.machine.view()

    def sample(self, k: int) -> tuple[Descriptor, ...]:
        """Up to ``k`` different peers at random, out of the partial view; empty once closed.

        Nobody comes again before everybody now in the view came once, over as many calls as that takes. Fewer
        than ``k`` come if the view holds fewer. Any peer of the network is as likely as any other, but a view
        changes slowly: answers less than about 20 cycles apart are not independent of each other.

        Raises:
            ConfigError: ``k`` is no whole number of at least 0.
            StateError: The node is not started.
        """
        return () if self._closed else self._started.machine.sample(k)

    def send_gossip(self, data: str | bytes) -> Message:
        """Make a message, deliver it here and spread it; text is sent as UTF-8.

        With nobody in the view it is kept and goes out when a peer appears. Bytes that Python carried in a
        string as surrogate escapes (command line arguments, standard input) are sent as the bytes they were.

        Returns:
            The message, with the clock that all others will see.

        Raises:
            PayloadSizeError: It is larger than ``payload_limit``.
            BacklogError: Too many own messages, or bytes of them, are unacknowledged; ``await drain()`` and
                try again.
            StateError: The node is not started, has left or is closed.
            UnicodeEncodeError: The text holds a lone surrogate.
        """
        if not isinstance(data, str | bytes | bytearray | memoryview):
            raise TypeError(f"a message is str or bytes, not {type(data).__name__}")
        driver = self._awake
        payload = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else bytes(data)
        message = driver.machine.send_gossip(payload, driver.loop.time(), time.time())
        self._note_origin(message.id.origin)
        if self._saver is not None:
            self._saver.save()
        driver.schedule()
        return message

    def messages(self, *, after: Dot | None = None, history: bool = True) -> MessageStream:
        """Messages in causal order, own ones included: those retained here, then each as it is delivered.

        Args:
            after: Begin behind this message. If it is not retained (evicted, or never delivered here) the
                stream begins with the oldest retained one and its ``resumed`` is False: between the two some
                may be missing.
            history: With False and without ``after``, begin with what is delivered from now on.

        Raises:
            StateError: The node is not started. (One that has left gives what it retains.)
        """
        return MessageStream(self._started.feed, after=after, history=history)

    def delivered(self, start: int = 1, limit: int = 1_000) -> tuple[int, list[Message]]:
        """What was delivered here, looked up without waiting: for who looks now and then, as screens do.

        Args:
            start: A position in this node's order of delivery, which counts from 1.
            limit: Messages at the most; of more, the newest.

        Returns:
            The position of the first message given, and the messages. Those not retained any more are left
            out, so the position may be above ``start``; it plus their number is where to start next.

        Raises:
            StateError: The node is not started. (One that has left gives what it retains.)
        """
        return self._started.feed.log.page(start, limit)

    def events(self, *, deliveries: bool = True) -> EventStream:
        """Everything the node tells about itself from now on.

        Args:
            deliveries: Whether each message delivered is an event as well. Without them, for those who read
                ``messages()`` too, many messages at once push no other event out of a slow reader's queue.

        Raises:
            StateError: The node is not started.
        """
        return EventStream(self._started.feed, deliveries=deliveries)

    async def wait_for_peers(self, n: int = 1) -> None:
        """Wait until the partial view holds ``n`` peers; combine with ``asyncio.timeout``.

        Raises:
            ConfigError: The view never holds that many.
            StateError: The node is not started or ends before that.
        """
        if n > self.config.view_size:
            raise ConfigError(
                f"the view holds at most {self.config.view_size} peers: {n} will never be in it"
            )
        machine = self._running.machine
        await self._wait_until(lambda: len(machine.view()) >= n)

    async def wait_acknowledged(self, message: Message | Dot, peers: int = 1) -> None:
        """Wait until ``peers`` other nodes are known to have an own message.

        Combine with ``asyncio.timeout``.

        Raises:
            ValueError: It is not a message of this node.
            StateError: The node is not started or ends before that.
        """
        machine = self._running.machine
        dot = message.id if isinstance(message, Message) else message
        if dot.origin not in self._origins:
            raise ValueError(f"{dot} is not a message of this node, so nobody acknowledges it here")
        await self._wait_until(lambda: machine.acknowledged_by(dot) >= peers)

    async def drain(self) -> None:
        """Wait until ``send_gossip`` has room for one message more; returns at once if it has.

        Raises:
            StateError: The node is not started or ends before that.
        """
        machine = self._running.machine
        await self._wait_until(lambda: machine.has_room)

    def snapshot(self, *, told: bool = False) -> NodeSnapshot:
        """One frozen picture of everything countable about this node; the last one once closed.

        Args:
            told: Whether what peers told of their views belongs to it: whom they know, as far as they said.

        Raises:
            StateError: The node is not started.
        """
        driver = self._started
        snapshot = driver.machine.snapshot(driver.loop.time(), told=told)
        if driver.gate is not None:
            snapshot = replace(snapshot, faults=driver.gate.report())
        if self._saver is not None and self._saver.problem:
            snapshot = replace(snapshot, unsaved=self._saver.problem)
        return snapshot if driver.machine.address else replace(snapshot, address=self.address)
