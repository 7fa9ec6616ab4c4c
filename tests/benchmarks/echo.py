"""The yardstick: a bare UDP echo between two processes, with no protocol at all."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from .figures import Echo, Spread

__all__ = ["measure"]

LOOPBACK = "127.0.0.1"

SERVER = """
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 0))
print(sock.getsockname()[1], flush=True)
while True:
    data, source = sock.recvfrom(2048)
    if not data:
        break
    sock.sendto(data, source)
"""
"""The other process; an empty datagram ends it."""

TIMEOUT = 1.0
"""Seconds after which a datagram is taken to be lost."""


@contextlib.contextmanager
def server() -> Iterator[tuple[str, int]]:
    """The other process and where it listens."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        address = (LOOPBACK, int(process.stdout.readline()))
        try:
            yield address
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                sock.sendto(b"", address)


def measure(*, seconds: float, size: int = 64, window: int = 64) -> Echo:
    """Send datagrams to and fro: one at a time, then with ``window`` on their way."""
    with server() as address, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(address)
        sock.settimeout(TIMEOUT)
        round_trips = one_at_a_time(sock, bytes(size), seconds / 2)
        return Echo(Spread.of(round_trips), many_at_a_time(sock, bytes(size), window, seconds / 2))


def one_at_a_time(sock: socket.socket, data: bytes, seconds: float) -> list[float]:
    """Seconds that each round trip took."""
    taken = []
    end_at = time.monotonic() + seconds
    while (sent_at := time.monotonic()) < end_at:
        sock.send(data)
        with contextlib.suppress(TimeoutError):
            sock.recv(2048)
            taken.append(time.monotonic() - sent_at)
    return taken


def many_at_a_time(sock: socket.socket, data: bytes, window: int, seconds: float) -> float:
    """Datagrams per second in both directions while ``window`` are on their way."""
    count = 0
    started_at = time.monotonic()
    while time.monotonic() - started_at < seconds:
        with contextlib.suppress(TimeoutError):
            for _ in range(window):
                sock.send(data)
            for _ in range(window):
                sock.recv(2048)
                count += 2
    return count / (time.monotonic() - started_at)
