"""A node's life: made of its parts when it starts, and taken apart in the end."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from os import PathLike, fspath
from typing import Self

from protocol.core.bounded import put
from protocol.core.config import Config
from protocol.core.events import ContactUnresolved, Restored
from protocol.core.faults import FaultInjector
from protocol.core.identity import Address, NodeId, check_name
from protocol.core.machine import Machine
from protocol.errors import StateError
from protocol.net.addresses import advertised_address, bind_address, numeric, told_address
from protocol.net.driver import LOGGER, Driver
from protocol.net.naming import default_name, new_identity
from protocol.net.resolver import Resolver
from protocol.net.saver import Saver, identity_from, open_state
from protocol.net.streams import Feed
from protocol.net.udp import SocketCounters, UdpEndpoint, address_of, open_socket
from protocol.state import StateFile
from protocol.wire import WireCodec

__all__ = ["NodeLife"]

INCARNATION_LIMIT = 5
"""Incarnations of a node whose messages can be waited for: the current one, and those former ones whose
acknowledgements the core still hears."""


class NodeLife:
    """Opens, runs and closes a node's parts; who it is, and whether it still is."""

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
    def restored(self) -> Restored | None:
        """What the state file gave when the node started; None without one, or if it was new."""
        return self._restored

    @property
    def socket_counters(self) -> SocketCounters:
        """What the operating system refused or reported; everything else countable is in ``snapshot()``."""
        return self._endpoint.counters if self._endpoint is not None else SocketCounters()

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

    def _warn_of_strategy(self) -> None:
        """Log what is known to be dangerous about the strategy in force."""
        config = self._running.machine.config
        for warning in config.sampling.warnings(config.view_size):
            LOGGER.warning("%s: %s", self.id.name, warning)

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

    def _on_unresolved(self, contact: Address, reason: str) -> None:
        self._running.tell([ContactUnresolved(contact, reason)])
