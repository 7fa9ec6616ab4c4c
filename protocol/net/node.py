"""A node on this machine: the public, asynchronous face of the protocol."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from os import PathLike, fspath
from typing import Self

from protocol.core.bounded import put
from protocol.core.config import Config, Dissemination
from protocol.core.events import ContactUnresolved, Restored
from protocol.core.faults import Direction, FaultInjector, FaultReport, Faults
from protocol.core.identity import Address, Dot, NodeId, check_name
from protocol.core.machine import Machine
from protocol.core.messages import Message
from protocol.core.snapshot import NodeSnapshot
from protocol.core.strategy import Strategy
from protocol.core.view import Descriptor
from protocol.errors import ConfigError, StateError
from protocol.net.addresses import (
    advertised_address,
    bind_address,
    check_family,
    contact_address,
    is_own,
    numeric,
    numeric_peer,
    told_address,
)
from protocol.net.driver import LOGGER, Driver
from protocol.net.naming import default_name, new_identity
from protocol.net.resolver import Resolver
from protocol.net.saver import Saver, identity_from, open_state
from protocol.net.streams import EventStream, Feed, MessageStream
from protocol.net.udp import SocketCounters, UdpEndpoint, address_of, open_socket
from protocol.state import StateFile
from protocol.wire import WireCodec

__all__ = ["Node"]

INCARNATION_LIMIT = 5
"""Incarnations of a node whose messages can be waited for: the current one, and those former ones whose
acknowledgements the core still hears."""


class Node:
    """A member of a gossip network, with a UDP socket on the running event loop.

    ``async with Node(...)`` starts it and leaves at the end; ``start()``, ``leave()`` and ``close()`` do the
    same by hand. A node lives once: to come back after leaving, make another one. Nothing here may be called
    from another thread than the loop's.

    Nothing blocks and nothing waits but what is ``async``; what comes from the network never raises.
    """

    def __init__(
        self,
        bind: str | Address = "127.0.0.1:0",
        *,
        name: str | None = None,
        advertise: str | Address | None = None,
        config: Config | None = None,
        seed: int | None = None,
        state: str | PathLike[str] | None = None,
    ) -> None:
        """Describe a node; nothing is opened before it starts.

        Args:
            bind: Where to listen, ``host:port`` or ``[ipv6]:port``; port 0 lets the system choose. The host
                decides whether the node speaks IPv4 or IPv6.
            name: For people, 1 to 64 visible characters; by default ``p1`` for port 7117 on loopback, ``p2``
                for 7118, ... and otherwise ``host-port``.
            advertise: What third parties are told instead of the bound address (a router with a forwarded
                port, a wildcard bind); without a port, the bound one.
            config: How to sample, spread and remember; ``Config()`` by default.
            seed: Makes the node's random choices repeatable, for tests.
            state: A file that keeps the node across restarts, made if it does not exist: its identity, the
                messages it retains, and whom it knows. One that ended without goodbye goes on under its
                identity; after ``leave()`` it is a new incarnation with the old log.

        Raises:
            AddressError: An address is malformed.
            ConfigError: The name is not possible.
        """
        self._bind = bind_address(bind)
        self._name = check_name(name) if name is not None else None
        self._advertise = advertised_address(advertise) if advertise is not None else None
        self._config = config if config is not None else Config()
        self._seed = seed
        self._injector = FaultInjector(random.Random(None if seed is None else f"faults {seed}").random)
        self._state = fspath(state) if state is not None else None
        self._saver: Saver | None = None
        self._restored: Restored | None = None
        self._starting = asyncio.Lock()
        self._closed = False
        self._driver: Driver | None = None
        self._endpoint: UdpEndpoint | None = None
        self._resolver: Resolver | None = None
        self._bound: Address | None = None
        self._origins: dict[NodeId, None] = {}  # the last few incarnations that sent something
        self._introductions: list[tuple[list[Address], bool]] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    async def start(self) -> None:
        """Bind the socket and begin to gossip; does nothing if the node runs already.

        Raises:
            OSError: The address can't be bound or a host name has no address; the text says which.
            AddressError: Bound and advertised address are of different families.
            StateFileError: The state file can't be used; it is as it was.
            StateError: The node has left or is closed.
        """
        async with self._starting:
            if self._closed:
                raise StateError("a node that has left or is closed does not start again: make a new one")
            if self._driver is None:
                await self._open()

    async def leave(self) -> None:
        """Say goodbye, so that others drop this node at once, and close. Idempotent.

        Streams end after their last item. Messages sent a moment ago are on their way but nobody may have
        them yet: ``wait_acknowledged`` first if that matters.
        """
        driver = self._driver
        if driver is not None and not self._closed:
            self.thaw()
            driver.machine.leave(driver.loop.time())
            driver.settle()
            try:
                await driver.linger()
            finally:
                await self._close(has_left=True)
        else:
            await self.close()

    async def close(self) -> None:
        """Stop without a word, as a crash would, but tidily: others notice by silence. Idempotent.

        Streams end after their last item; what is retained can still be read.
        """
        await self._close(has_left=False)

    async def _close(self, *, has_left: bool) -> None:
        async with self._starting:
            if self._closed:
                return
            self._closed = True
            if self._driver is not None:
                self._driver.stop()
            if self._endpoint is not None:
                self._endpoint.close()
            try:
                if self._saver is not None:
                    await self._saver.close(has_left=has_left)
            finally:
                if self._resolver is not None:
                    await self._resolver.close()

    @property
    def id(self) -> NodeId:
        """Name and incarnation, known once started; a new incarnation if somebody else used this one."""
        return self._started.machine.id

    @property
    def address(self) -> Address:
        """What others type to join this node: advertised, or else bound; known once started."""
        return self._started.machine.address or self.bound_address

    @property
    def bound_address(self) -> Address:
        """Where the socket listens, with the port the system chose; known once started."""
        if self._bound is None:
            raise StateError("the node is not started")
        return self._bound

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self._driver.machine.config if self._driver is not None else self._config

    @property
    def payload_limit(self) -> int:
        """Bytes that one message may have: ``Config.payload_limit``."""
        return self._started.machine.payload_limit

    @property
    def restored(self) -> Restored | None:
        """What the state file gave when the node started; None without one, or if it was new."""
        return self._restored

    @property
    def socket_counters(self) -> SocketCounters:
        """What the operating system refused or reported; everything else countable is in ``snapshot()``."""
        return self._endpoint.counters if self._endpoint is not None else SocketCounters()

    def join(self, *contacts: str | Address) -> None:
        """Get to know the network through ``contacts``; they are dialled again for as long as the node runs.

        Returns at once; before ``start()`` it is remembered until then. A host name stands for all its
        addresses and is looked up again until that works (``ContactUnresolved`` tells when it does not) and
        now and then after. The node's own address is ignored. Joining nobody is legal: the node waits to be
        found.

        Args:
            contacts: ``"host:port"``, ``"[ipv6]:port"`` or ``Address``.

        Raises:
            AddressError: A contact is malformed, a wildcard, or of a family this node can't reach; nothing
            was done.
            StateError: The node has left or is closed.
        """
        self._introduce(contacts, for_ever=True)

    def add(self, *peers: str | Address) -> None:
        """Try these peers too, like ``join``, but don't insist: one that does not answer is forgotten."""
        self._introduce(peers, for_ever=False)

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

    def events(self) -> EventStream:
        """Everything the node tells about itself from now on.

        Raises:
            StateError: The node is not started.
        """
        return EventStream(self._started.feed)

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

    def set_strategy(self, strategy: Strategy | str) -> None:
        """Sample differently from now on, starting from the present view.

        Raises:
            ConfigError: There is no such strategy, or it does not fit the view size.
            StateError: The node has left or is closed.
        """
        if self._driver is None and not self._closed:
            self._config = replace(self._config, strategy=strategy)
        else:
            driver = self._awake
            driver.machine.set_strategy(strategy)
            driver.schedule()
            self._warn_of_strategy()

    def set_view_size(self, view_size: int) -> None:
        """Hold views of another size from now on: a larger one grows by itself, a smaller one is cut at once.

        A strategy that is a preset for the former size becomes the same preset for the new one.

        Raises:
            ConfigError: The size is not possible, or too small for the strategy; nothing was changed.
            StateError: The node is frozen, has left or is closed.
        """
        if self._driver is None and not self._closed:
            before = self._config
            Config(view_size=view_size)  # refuses what is no size before the strategy is looked at
            strategy = before.sampling.resized(before.view_size, view_size)
            self._config = replace(before, view_size=view_size, strategy=strategy)
        else:
            driver = self._awake
            driver.machine.set_view_size(view_size, driver.loop.time())
            driver.schedule()
            self._warn_of_strategy()

    def set_fanout(self, fanout: int) -> None:
        """Push new messages to so many peers from now on; in a tree: seek so many neighbours.

        Raises:
            ConfigError: There is no such number; nothing was changed.
            StateError: The node is frozen, has left or is closed.
        """
        if self._driver is None and not self._closed:
            self._config = replace(self._config, fanout=fanout)
        else:
            self._awake.machine.set_fanout(fanout)

    def freeze(self) -> None:
        """Stand still until ``thaw``, as a process does that was stopped: hear, send and notice nothing.

        Others take it for lost after a while. What they send waits as far as the system has room for it. A
        frozen node can't be asked for anything but to thaw, to leave (it thaws for that) or to close.

        Raises:
            StateError: The node is not started, has left or is closed.
        """
        self._running.freeze()

    def thaw(self) -> None:
        """Go on after ``freeze``; does nothing if the node is not frozen.

        Raises:
            StateError: The node is not started, has left or is closed.
        """
        if self._running.is_frozen:
            self._running.thaw()

    @property
    def is_frozen(self) -> bool:
        """Whether the node stands still because of ``freeze``."""
        return self._driver is not None and self._driver.is_frozen and not self._closed

    def set_dissemination(self, dissemination: Dissemination | str) -> None:
        """Spread messages in the other way from now on; nodes of both sorts may be in one network.

        Raises:
            ConfigError: There is no such way; nothing was changed.
            StateError: The node has left or is closed.
        """
        if self._driver is None and not self._closed:
            self._config = replace(self._config, dissemination=dissemination)
        else:
            driver = self._awake
            driver.machine.set_dissemination(dissemination, driver.loop.time())
            driver.schedule()

    def _warn_of_strategy(self) -> None:
        """Log what is known to be dangerous about the strategy in force."""
        config = self._running.machine.config
        for warning in config.sampling.warnings(config.view_size):
            LOGGER.warning("%s: %s", self.id.name, warning)

    @property
    def faults(self) -> Faults:
        """What is done on purpose to this node's datagrams, in both directions; assignable at any time."""
        return self._injector.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.set_faults(faults)

    def set_faults(self, faults: Faults | None, peer: str | Address | None = None) -> None:
        """Lose, delay, double or reorder datagrams from now on, to see how the network bears it.

        Each direction has its share of loss and its delay. What waits already arrives when it is due;
        ``snapshot().faults`` counts what was done.

        Args:
            faults: What to do; ``None`` (or ``Faults()``) is nothing, and for a peer the same as for all.
            peer: The numeric address of the only peer it is done to; None for everybody who has no faults of
                its own.

        Raises:
            AddressError: The address is malformed or not numeric.
        """
        self._injector.set_faults(faults, numeric_peer(peer) if peer is not None else None)

    def block(self, peers: Iterable[str | Address], direction: Direction | str = Direction.BOTH) -> None:
        """Cut this node off from peers, by their numeric addresses, until ``unblock``.

        Args:
            peers: From whom nothing is let in, and to whom nothing is let out.
            direction: ``"in"`` or ``"out"`` stops only what comes from them or goes to them.

        Raises:
            AddressError: An address is malformed or not numeric; nothing was done.
            ConfigError: There is no such direction.
        """
        self._injector.block([numeric_peer(peer) for peer in peers], direction)

    def unblock(self, peers: Iterable[str | Address] | None = None) -> None:
        """Let the datagrams of these peers pass again; by default everybody's."""
        self._injector.unblock(None if peers is None else [numeric_peer(peer) for peer in peers])

    @property
    def fault_report(self) -> FaultReport:
        """The faults in force and what they did, as in ``snapshot()``, for who needs nothing else."""
        gate = self._driver.gate if self._driver is not None else None
        return gate.report() if gate is not None else self._injector.report()

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

    @property
    def _started(self) -> Driver:
        if self._driver is None:
            raise StateError("the node is closed" if self._closed else "the node is not started")
        return self._driver

    @property
    def _running(self) -> Driver:
        if self._closed:
            raise StateError("the node has left or is closed")
        return self._started

    @property
    def _awake(self) -> Driver:
        driver = self._running
        if driver.is_frozen:
            raise StateError("the node is frozen: it has to thaw first")
        return driver

    async def _wait_until(self, condition: Callable[[], bool]) -> None:
        if not await self._running.wait_until(condition):
            raise StateError("the node has left or was closed before that")

    async def _open(self) -> None:
        sock = open_socket(await numeric(self._bind))
        try:
            await self._begin(sock)
        except BaseException:
            sock.close()  # nothing watches it yet: the endpoint is the last thing that can fail
            raise
        LOGGER.info("%s listens on %s", self.id, self._bound)
        self._warn_of_strategy()
        waiting, self._introductions = self._introductions, []
        for addresses, for_ever in waiting:
            self._introduce_now(addresses, for_ever)

    async def _begin(self, sock: socket.socket) -> None:
        """Put everything that needs the bound socket together."""
        bound = address_of(sock.getsockname())
        told = await told_address(bound, self._advertise)
        file = await open_state(self._state, self._config.cluster) if self._state is not None else None
        try:
            driver = self._make_driver(bound, told, file)
            self._endpoint = UdpEndpoint(sock, driver.receive)
        except BaseException:
            if file is not None:
                file.close()
            raise
        self._bound = bound
        self._resolver = Resolver(sock.family, self._on_unresolved)
        self._driver = driver
        driver.attach(self._endpoint, self._injector)

    def _make_driver(self, bound: Address, told: Address | None, file: StateFile | None) -> Driver:
        """A driver with its machine, restored if there is what to restore."""
        rng = random.Random(self._seed)
        known = identity_from(file, self._name) if file is not None else None
        former = None
        if known is None:
            public = Address(self._advertise.host, told.port) if self._advertise and told else None
            name = self._name or default_name(bound, public)
            identity = new_identity(name, rng if self._seed is not None else None)
        else:
            identity, former = known
        machine = Machine(identity, told, self._config, WireCodec(), rng)
        if file is not None and file.saved is not None:
            machine.restore(file.saved, asyncio.get_running_loop().time())
            self._note_origin(identity)
            self._restored = Restored(len(machine.log), former)
            file.saved = None
        driver = Driver(machine, Feed(machine.log))
        if file is not None:
            driver.saver = self._saver = Saver(file, machine, bound)
            self._saver.tell = driver.tell
            self._saver.save()
        return driver

    def _note_origin(self, identity: NodeId) -> None:
        put(self._origins, identity, None, INCARNATION_LIMIT)

    def _introduce(self, given: Iterable[str | Address], *, for_ever: bool) -> None:
        addresses = [contact_address(one) for one in given]
        if self._closed:
            raise StateError("the node has left or is closed")
        if self.is_frozen:
            raise StateError("the node is frozen: it has to thaw first")
        bound = self._bound or self._bind
        if bound.is_numeric:
            for address in addresses:
                if address.is_numeric:
                    check_family(address, bound)
        if self._driver is None:
            self._introductions.append((addresses, for_ever))
        else:
            self._introduce_now(addresses, for_ever)

    def _introduce_now(self, addresses: Sequence[Address], for_ever: bool) -> None:
        assert self._resolver is not None
        dial = self._join_numeric if for_ever else self._add_numeric
        dial([address for address in addresses if address.is_numeric])
        for address in addresses:
            if not address.is_numeric:
                self._resolver.follow(address, dial, for_ever=for_ever)

    def _join_numeric(self, addresses: Sequence[Address]) -> None:
        driver = self._running
        driver.machine.join(self._others(addresses), driver.loop.time())
        driver.schedule()

    def _add_numeric(self, addresses: Sequence[Address]) -> None:
        driver = self._running
        driver.machine.add(self._others(addresses), driver.loop.time())
        driver.schedule()

    def _others(self, addresses: Sequence[Address]) -> list[Address]:
        bound, told = self.bound_address, self._started.machine.address
        return [address for address in addresses if not is_own(address, bound, told)]

    def _on_unresolved(self, contact: Address, reason: str) -> None:
        self._running.tell([ContactUnresolved(contact, reason)])
