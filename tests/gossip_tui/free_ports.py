"""Ranges of UDP ports that nobody has at this moment, found by binding them."""

from __future__ import annotations

import random
import socket

from gossip_tui.ports import LOOPBACK, PortRange

TRIES = 200
LOWEST, HIGHEST = 20_000, 32_000
"""Below the ephemeral ports of common systems, so that no other test is given one of ours by chance."""


def bound_run(count: int) -> list[socket.socket]:
    """``count`` sockets on ports that follow one another."""
    for _ in range(TRIES):
        low = random.SystemRandom().randrange(LOWEST, HIGHEST)
        sockets: list[socket.socket] = []
        try:
            for port in range(low, low + count):
                sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                sockets[-1].bind((LOOPBACK, port))
        except OSError:
            for one in sockets:
                one.close()
        else:
            return sockets
    raise AssertionError(f"no {count} free ports in a row after {TRIES} tries")


def free_range(count: int) -> PortRange:
    """A range of ``count`` ports that were free a moment ago."""
    sockets = bound_run(count)
    low: int = sockets[0].getsockname()[1]
    for one in sockets:
        one.close()
    return PortRange(low, low + count - 1)
