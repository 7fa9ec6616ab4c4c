"""The UDP socket: read in batches, never waited for, never broken by the network.

Rules of this file: no call blocks; what the network does to a socket is counted and never raised; nothing
here looks into a datagram.

asyncio's own datagram transport reads one datagram per turn of the loop, about 20 us each (measured); a drain
of ``recvfrom`` costs a tenth of that.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from protocol.core.codec import DATAGRAM_LIMIT
from protocol.core.identity import Address
from protocol.net.readiness import ReadinessThread

__all__ = ["Batch", "DatagramSocket", "SocketCounters", "UdpEndpoint", "is_ipv6", "open_socket"]

Batch = list[tuple[bytes, Address]]
"""Datagrams with their sources, in the order they came."""

DRAIN_LIMIT = 32
"""Datagrams read per turn of the loop, so that timers and a terminal on the same loop get their turn; a
choice."""

RECEIVE_SIZE = DATAGRAM_LIMIT + 1
"""One byte more than is allowed: enough to see that a datagram is too large, whatever its size."""

BUFFER_SIZE = 4 * 1024 * 1024
"""Bytes asked of the kernel for each direction: three thousand full datagrams; it grants what its limits
allow."""

BUFFER_SIZE_MINIMUM = 64 * 1024
"""Where asking for less and less ends; below this the default of every system is larger."""

SEND_QUEUE_LIMIT = 1_024
"""Datagrams kept while the kernel takes no more: less than 1.5 MB. Gossip repairs what is dropped beyond."""

SEND_RETRY_PERIOD = 0.001
"""Seconds until a full kernel is asked again: what an interface of 100 Mbit/s needs for eight datagrams."""

ERROR_PAUSE_PERIOD = 0.1
"""Seconds a socket is left alone after a whole drain of errors, so that a broken one costs no busy loop."""


class DatagramSocket(Protocol):
    """What an endpoint asks of a non-blocking UDP socket; a test may bring another than ``socket``."""

    def fileno(self) -> int:
        """The descriptor that the loop watches."""

    def getsockname(self) -> Any:
        """The address it is bound to."""

    def recvfrom(self, size: int, /) -> tuple[bytes, Any]:
        """The next datagram and where it came from."""

    def sendto(self, data: bytes, address: Any, /) -> int:
        """Send one datagram."""

    def close(self) -> None:
        """Give the descriptor back."""


@dataclass(frozen=True, slots=True)
class SocketCounters:
    """What happened between the node and its socket, in datagrams since the start."""

    receive_errors: int = 0
    """Errors on reading, such as "connection reset" (Windows 10054) after a peer's port had closed."""
    send_errors: int = 0
    """Datagrams that the system refused to send, such as for want of a route."""
    overflowed: int = 0
    """Datagrams dropped because the kernel took no more and the queue was full."""
    misdirected: int = 0
    """Datagrams to addresses of the other family, which this socket can't reach."""


class UdpEndpoint:
    """One bound socket on the running loop, which hands what it reads to ``on_batch`` in lists.

    Where the loop can't watch sockets (the proactor loop of Windows) a thread does that; everything else is
    the same. asyncio's own fallback is not used: up to Python 3.14 its datagram transport may stop reading
    for good after a "connection reset".
    """

    def __init__(self, sock: DatagramSocket, on_batch: Callable[[Batch], None]) -> None:
        """Take over ``sock``, which is bound and does not block, and start reading."""
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._on_batch = on_batch
        self._queue: deque[tuple[bytes, Address]] = deque()
        self._retry: asyncio.TimerHandle | None = None
        self._pause: asyncio.TimerHandle | None = None
        self._thread: ReadinessThread | None = None
        self._closed = False
        self._receive_errors = self._send_errors = self._overflowed = self._misdirected = 0
        self.address = address_of(sock.getsockname())
        """What the socket is bound to, with the port the system chose where 0 was asked for."""
        self._ipv6 = is_ipv6(self.address)
        self._watch()

    @property
    def counters(self) -> SocketCounters:
        """What went wrong so far."""
        return SocketCounters(self._receive_errors, self._send_errors, self._overflowed, self._misdirected)

    @property
    def pending(self) -> int:
        """Datagrams that wait for the kernel to take more."""
        return len(self._queue)

    def send(self, data: bytes, target: Address) -> None:
        """Send one datagram now, or soon if the kernel is full; failing is counted, never raised."""
        if self._closed:
            return
        if (":" in target.host) is not self._ipv6:
            self._misdirected += 1
        elif self._queue or not self._send_now(data, target):
            self._enqueue(data, target)

    def drain(self) -> int:
        """Read what is there, ``DRAIN_LIMIT`` datagrams at most, and hand it over; returns how many came."""
        batch: Batch = []
        receive = self._socket.recvfrom
        for _ in range(0 if self._closed else DRAIN_LIMIT):
            try:
                data, source = receive(RECEIVE_SIZE)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                self._receive_errors += 1
            else:
                batch.append((data, address_of(source)))
        if batch:
            self._on_batch(batch)
        return len(batch)

    def pause(self) -> None:
        """Read nothing until ``resume``; the kernel keeps what it has room for."""
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        self._unwatch()

    def resume(self) -> None:
        """Read on."""
        if not self._closed:
            self._watch()

    def close(self) -> None:
        """Try once more to send what waits, stop reading, give the socket back. Idempotent."""
        if self._closed:
            return
        self._send_queued()
        self._closed = True
        self._unwatch()
        for timer in (self._retry, self._pause):
            if timer is not None:
                timer.cancel()
        self._queue.clear()
        self._socket.close()

    def _send_now(self, data: bytes, target: Address) -> bool:
        """Whether the kernel took the datagram, or refused it for good."""
        try:
            self._socket.sendto(data, target if "%" not in target.host else socket_address(target))
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self._send_errors += 1
        return True

    def _enqueue(self, data: bytes, target: Address) -> None:
        if len(self._queue) >= SEND_QUEUE_LIMIT:
            self._overflowed += 1
            return
        self._queue.append((data, target))
        if self._retry is None:
            self._retry = self._loop.call_later(SEND_RETRY_PERIOD, self._send_queued)

    def _send_queued(self) -> None:
        self._retry = None
        queue = self._queue
        while queue and self._send_now(*queue[0]):
            queue.popleft()
        if queue:
            self._retry = self._loop.call_later(SEND_RETRY_PERIOD, self._send_queued)

    def _watch(self) -> None:
        self._pause = None
        try:
            self._loop.add_reader(self._socket.fileno(), self._on_readable)
        except NotImplementedError:
            self._thread = ReadinessThread(self._loop, self._socket.fileno(), self._on_readable)

    def _unwatch(self) -> None:
        if self._thread is not None:
            self._thread.stop()
            self._thread = None
        else:
            with contextlib.suppress(NotImplementedError):
                self._loop.remove_reader(self._socket.fileno())

    def _on_readable(self) -> None:
        errors = self._receive_errors
        if not self.drain() and self._receive_errors - errors == DRAIN_LIMIT:
            self._unwatch()
            self._pause = self._loop.call_later(ERROR_PAUSE_PERIOD, self._watch)


def open_socket(address: Address) -> socket.socket:
    """Bind a non-blocking UDP socket to a numeric address, its buffers as large as the system allows.

    An IPv6 socket speaks IPv6 only, the wildcard too, so that one node is reached under addresses of one kind
    on every system.

    Raises:
        OSError: The address can't be bound; the text says which and why, ``errno`` is the system's.
    """
    try:
        sock = socket.socket(socket.AF_INET6 if is_ipv6(address) else socket.AF_INET, socket.SOCK_DGRAM)
    except OSError as error:
        raise bind_error(address, error) from error
    try:
        sock.setblocking(False)
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # without it Windows lets a second program take the port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        sock.bind(socket_address(address))
        enlarge_buffers(sock)
    except OSError as error:
        sock.close()
        raise bind_error(address, error) from error
    return sock


def bind_error(address: Address, error: OSError) -> OSError:
    """The same error with the address in its text."""
    return OSError(error.errno, f"cannot bind {address}: {error.strerror or error}")


def enlarge_buffers(sock: socket.socket) -> None:
    """Ask for large kernel buffers; some systems refuse what is too large instead of granting less."""
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        size = BUFFER_SIZE
        while size >= max(BUFFER_SIZE_MINIMUM, sock.getsockopt(socket.SOL_SOCKET, option)):
            try:
                sock.setsockopt(socket.SOL_SOCKET, option, size)
                break
            except OSError:
                size //= 2


def is_ipv6(address: Address) -> bool:
    """Whether a numeric address is one of IPv6."""
    return ":" in address.host


def address_of(raw: Any) -> Address:
    """The address that a socket gave; the zone of a link-local one becomes part of the host."""
    if len(raw) == 4 and raw[3] and "%" not in raw[0]:
        return Address(f"{raw[0]}%{raw[3]}", raw[1])
    return Address(raw[0], raw[1])


def socket_address(address: Address) -> tuple[str, int] | tuple[str, int, int, int]:
    """What a socket takes for ``address``; the zone of a link-local host becomes its number.

    Raises:
        OSError: There is no interface of that name.
    """
    host, mark, zone = address.host.partition("%")
    if not mark:
        return (host, address.port)
    return (host, address.port, 0, int(zone) if zone.isdecimal() else socket.if_nametoindex(zone))
