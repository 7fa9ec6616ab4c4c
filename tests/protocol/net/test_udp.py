"""The socket: read in batches, never waited for, never broken by the network."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from protocol.core.codec import DATAGRAM_LIMIT
from protocol.core.identity import Address
from protocol.net import udp
from protocol.net.udp import (
    DRAIN_LIMIT,
    RECEIVE_SIZE,
    SEND_QUEUE_LIMIT,
    Batch,
    UdpEndpoint,
    address_of,
    open_socket,
    socket_address,
)

LOOPBACK = Address("127.0.0.1", 0)
NOBODY = Address("127.0.0.1", 9)


class Inbox:
    """Collects batches, and lets a test wait for datagrams."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.came = asyncio.Event()

    def __call__(self, batch: Batch) -> None:
        self.batches.append(batch)
        self.came.set()

    @property
    def datagrams(self) -> list[bytes]:
        return [data for batch in self.batches for data, _ in batch]

    async def until(self, count: int) -> list[bytes]:
        while len(self.datagrams) < count:
            self.came.clear()
            await self.came.wait()
        return self.datagrams


class FakeSocket:
    """A real bound socket whose calls fail as scripted; what the script does not cover is real."""

    def __init__(self) -> None:
        self.real = open_socket(LOOPBACK)
        self.on_receive: list[Exception] = []
        self.on_send: list[Exception] = []
        self.receive_always: Exception | None = None
        self.send_always: Exception | None = None
        self.failures = 0
        self.failed_for_a_drain = asyncio.Event()

    def fileno(self) -> int:
        return self.real.fileno()

    def getsockname(self) -> Any:
        return self.real.getsockname()

    def recvfrom(self, size: int, /) -> tuple[bytes, Any]:
        if self.receive_always is not None:
            self.failures += 1
            if self.failures == DRAIN_LIMIT:
                self.failed_for_a_drain.set()
            raise self.receive_always
        if self.on_receive:
            raise self.on_receive.pop(0)
        return self.real.recvfrom(size)

    def sendto(self, data: bytes, address: Any, /) -> int:
        if self.send_always is not None:
            raise self.send_always
        if self.on_send:
            raise self.on_send.pop(0)
        return self.real.sendto(data, address)

    def close(self) -> None:
        self.real.close()


Open = Callable[..., UdpEndpoint]


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Opens endpoints and closes them after the test."""
    endpoints: list[UdpEndpoint] = []

    def open_one(on_batch: Callable[[Batch], None] = lambda _: None, sock: Any = None) -> UdpEndpoint:
        endpoints.append(UdpEndpoint(sock or open_socket(LOOPBACK), on_batch))
        return endpoints[-1]

    yield open_one
    for endpoint in endpoints:
        endpoint.close()


@pytest.fixture(params=["add_reader", "thread"])
def watching(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to watch a socket; the second is what loops without ``add_reader`` get."""
    if request.param == "thread":

        def missing(*_: object) -> None:
            raise NotImplementedError

        monkeypatch.setattr(asyncio.SelectorEventLoop, "add_reader", missing)
        monkeypatch.setattr(asyncio.SelectorEventLoop, "remove_reader", missing)
    return str(request.param)


@pytest.mark.usefixtures("watching")
async def test_a_datagram_arrives_with_its_source(opened: Open) -> None:
    inbox = Inbox()
    receiver, sender = opened(inbox), opened()
    sender.send(b"hello", receiver.address)
    await inbox.until(1)
    assert inbox.batches == [[(b"hello", sender.address)]]


@pytest.mark.usefixtures("watching")
async def test_datagrams_that_wait_together_come_in_one_batch_in_order(opened: Open) -> None:
    inbox = Inbox()
    receiver, sender = opened(inbox), opened()
    sent = [bytes([number]) for number in range(10)]
    for data in sent:
        sender.send(data, receiver.address)
    assert await inbox.until(10) == sent
    assert len(inbox.batches) == 1


@pytest.mark.usefixtures("watching")
async def test_one_turn_of_the_loop_reads_a_bounded_number(opened: Open) -> None:
    inbox = Inbox()
    receiver, sender = opened(inbox), opened()
    for number in range(DRAIN_LIMIT + 5):
        sender.send(bytes([number]), receiver.address)
    await inbox.until(DRAIN_LIMIT + 5)
    assert [len(batch) for batch in inbox.batches] == [DRAIN_LIMIT, 5]


@pytest.mark.usefixtures("watching")
async def test_a_connection_reset_does_not_end_reading(opened: Open) -> None:
    fake, inbox = FakeSocket(), Inbox()
    receiver, sender = opened(inbox, fake), opened()
    for _ in range(3):
        fake.on_receive.append(ConnectionResetError(10054, "forcibly closed by the remote host"))
        sender.send(b"after the reset", receiver.address)
    assert await inbox.until(3) == [b"after the reset"] * 3
    assert receiver.counters.receive_errors == 3


@pytest.mark.usefixtures("watching")
async def test_a_socket_that_only_fails_is_left_alone_and_tried_again(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "ERROR_PAUSE_PERIOD", 0.001)
    fake, inbox = FakeSocket(), Inbox()
    receiver, sender = opened(inbox, fake), opened()
    fake.on_receive.extend(OSError(errno.ENETDOWN, "down") for _ in range(DRAIN_LIMIT))
    sender.send(b"back again", receiver.address)
    assert await inbox.until(1) == [b"back again"]
    assert receiver.counters.receive_errors == DRAIN_LIMIT


@pytest.mark.usefixtures("watching")
async def test_closing_while_a_broken_socket_is_left_alone_is_clean(opened: Open) -> None:
    fake = FakeSocket()
    receiver, sender = opened(Inbox(), fake), opened()
    fake.receive_always = OSError(errno.ENETDOWN, "down")
    sender.send(b"x", receiver.address)
    await fake.failed_for_a_drain.wait()
    receiver.close()
    assert fake.real.fileno() == -1


@pytest.mark.usefixtures("watching")
async def test_closing_from_within_a_batch_ends_reading(opened: Open) -> None:
    batches: list[Batch] = []
    closed = asyncio.Event()

    def take(batch: Batch) -> None:
        batches.append(batch)
        receiver.close()
        closed.set()

    receiver, sender = opened(take), opened()
    for _ in range(DRAIN_LIMIT * 2):
        sender.send(b"x", receiver.address)
    await closed.wait()
    await asyncio.sleep(0)
    assert len(batches) == 1


@pytest.mark.usefixtures("watching")
async def test_closing_twice_is_once(opened: Open) -> None:
    endpoint = opened()
    endpoint.close()
    endpoint.close()
    endpoint.send(b"dropped", NOBODY)
    assert endpoint.drain() == 0


async def test_an_error_on_sending_is_counted_and_the_next_datagram_goes(opened: Open) -> None:
    fake, inbox = FakeSocket(), Inbox()
    receiver, sender = opened(inbox), opened(sock=fake)
    fake.on_send = [ConnectionRefusedError(), OSError(errno.ENETUNREACH, "no route"), PermissionError()]
    for _ in range(4):
        sender.send(b"through", receiver.address)
    assert await inbox.until(1) == [b"through"]
    assert sender.counters.send_errors == 3


async def test_a_datagram_to_an_unused_port_harms_nothing(opened: Open) -> None:
    inbox = Inbox()
    endpoint, gone = opened(inbox), opened()
    gone.close()
    endpoint.send(b"to nobody", gone.address)
    endpoint.send(b"to myself", endpoint.address)
    assert await inbox.until(1) == [b"to myself"]


async def test_an_address_of_the_other_family_is_counted_and_not_tried(opened: Open) -> None:
    endpoint = opened()
    endpoint.send(b"x", Address("::1", 7117))
    assert endpoint.counters.misdirected == 1
    assert endpoint.counters.send_errors == 0


async def test_what_a_full_kernel_refuses_goes_out_later_in_order(opened: Open) -> None:
    fake, inbox = FakeSocket(), Inbox()
    receiver, sender = opened(inbox), opened(sock=fake)
    fake.on_send = [BlockingIOError(), BlockingIOError()]
    for data in (b"1", b"2", b"3"):
        sender.send(data, receiver.address)
    assert sender.pending == 3
    assert await inbox.until(3) == [b"1", b"2", b"3"]
    assert sender.pending == 0


async def test_a_kernel_that_stays_full_costs_bounded_memory(opened: Open) -> None:
    fake = FakeSocket()
    sender = opened(sock=fake)
    fake.send_always = BlockingIOError()
    for _ in range(SEND_QUEUE_LIMIT + 7):
        sender.send(b"x", NOBODY)
    assert sender.pending == SEND_QUEUE_LIMIT
    assert sender.counters.overflowed == 7


async def test_closing_gives_what_waits_one_last_try(opened: Open) -> None:
    fake, inbox = FakeSocket(), Inbox()
    receiver, sender = opened(inbox), opened(sock=fake)
    fake.on_send = [BlockingIOError()]
    sender.send(b"goodbye", receiver.address)
    sender.close()
    assert await inbox.until(1) == [b"goodbye"]


async def test_an_oversize_datagram_is_seen_to_be_too_large(opened: Open) -> None:
    inbox = Inbox()
    receiver, sender = opened(inbox), opened()
    sender.send(bytes(9_000), receiver.address)
    (data,) = await inbox.until(1)
    assert DATAGRAM_LIMIT < len(data) == RECEIVE_SIZE


async def test_a_datagram_too_large_for_udp_is_an_error_counted(opened: Open) -> None:
    endpoint = opened()
    endpoint.send(bytes(70_000), endpoint.address)
    assert endpoint.counters.send_errors == 1


async def test_ipv6_works_where_the_machine_has_it(opened: Open) -> None:
    try:
        receiver_socket, sender_socket = (open_socket(Address("::1", 0)) for _ in range(2))
    except OSError:
        pytest.skip("this machine has no IPv6")
    inbox = Inbox()
    receiver, sender = opened(inbox, receiver_socket), opened(sock=sender_socket)
    sender.send(b"six", receiver.address)
    sender.send(b"four", NOBODY)
    await inbox.until(1)
    assert inbox.batches == [[(b"six", sender.address)]]
    assert sender.counters.misdirected == 1


def test_a_taken_port_is_an_error_that_says_which() -> None:
    with open_socket(LOOPBACK) as first:
        taken = address_of(first.getsockname())
        with pytest.raises(OSError, match=f"cannot bind {taken}: ") as caught:
            open_socket(taken)
        assert caught.value.errno == errno.EADDRINUSE


def test_an_address_of_another_machine_is_an_error_that_says_which() -> None:
    with pytest.raises(OSError, match=r"cannot bind 192\.0\.2\.1:7117: ") as caught:
        open_socket(Address("192.0.2.1", 7117))
    assert caught.value.errno == errno.EADDRNOTAVAIL


def test_an_unknown_interface_is_an_error_that_says_which() -> None:
    with pytest.raises(OSError, match=r"cannot bind \[fe80::1%nosuch0\]:0: "):
        open_socket(Address("fe80::1%nosuch0", 0))


def test_the_kernel_buffer_is_at_least_what_the_system_gives_by_itself() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain, open_socket(LOOPBACK) as ours:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            default = plain.getsockopt(socket.SOL_SOCKET, option)
            assert ours.getsockopt(socket.SOL_SOCKET, option) >= default


def test_a_system_that_refuses_large_buffers_is_asked_for_less() -> None:
    class Stingy(socket.socket):
        asked: list[int]

        def setsockopt(self, level: int, option: int, value: Any, *_: Any) -> None:
            self.asked.append(value)
            if value > 1024 * 1024:
                raise OSError(errno.ENOBUFS, "no buffer space")
            super().setsockopt(level, option, value)

    with Stingy(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.asked = []
        udp.enlarge_buffers(sock)
        assert sock.asked == [4 << 20, 2 << 20, 1 << 20] * 2


def test_the_zone_of_a_link_local_address_survives_both_ways() -> None:
    address = address_of(("fe80::1", 7117, 0, 3))
    assert address == Address("fe80::1%3", 7117)
    assert socket_address(address) == ("fe80::1", 7117, 0, 3)
