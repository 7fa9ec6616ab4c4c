"""The port range in which nodes of one machine find one another without being told anything."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from protocol.core.identity import Address
from protocol.errors import ConfigError, StateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocol import Node

__all__ = [
    "DEFAULT_PORTS",
    "LOOPBACK",
    "PortRange",
    "PortsTakenError",
    "is_loopback",
    "probe_while_alone",
    "start_on_free_port",
]

LOOPBACK = "127.0.0.1"

WIDTH_LIMIT = 256
"""Ports of a range at the most: each is sent a datagram per cycle while a node is alone; a choice."""

TAKEN = frozenset({errno.EADDRINUSE, errno.EACCES})
"""What binding says of a port that somebody else has; Windows says EACCES where the other wants it alone."""


class PortsTakenError(OSError):
    """No port of the range is free; the text says which range and what to do."""


@dataclass(frozen=True, slots=True)
class PortRange:
    """UDP ports ``low`` to ``high``, both included; prints as ``low-high`` and parses it back.

    >>> PortRange.parse("7117-7148").name_of(Address("127.0.0.1", 7119))
    'p3'

    Raises:
        ConfigError: The ports are not 1 to 65535 in rising order, or too many.
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 1 <= self.low <= self.high <= 65_535:
            raise ConfigError(f"a port range is LOW-HIGH with 1 <= LOW <= HIGH <= 65535, not {self}")
        if self.high - self.low >= WIDTH_LIMIT:
            raise ConfigError(f"a port range has at most {WIDTH_LIMIT} ports, not {self.high - self.low + 1}")

    def __str__(self) -> str:
        return f"{self.low}-{self.high}"

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.low, self.high + 1))

    def __contains__(self, port: object) -> bool:
        return isinstance(port, int) and self.low <= port <= self.high

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``LOW-HIGH``.

        Raises:
            ConfigError: The text is not two ports in rising order.
        """
        low, mark, high = text.strip().partition("-")
        if not mark or not all(part.isascii() and part.isdigit() and len(part) <= 5 for part in (low, high)):
            raise ConfigError(f"a port range looks like 7117-7148, not {text!a}")
        return cls(int(low), int(high))

    def name_of(self, address: Address) -> str | None:
        """``p1`` for the first port of the range, ``p2`` for the next; None for an address not in it."""
        if address.port in self and is_loopback(address.host):
            return f"p{address.port - self.low + 1}"
        return None

    def others(self, address: Address) -> tuple[Address, ...]:
        """Every address of the range on the same host, without ``address`` itself."""
        return tuple(Address(address.host, port) for port in self if port != address.port)


DEFAULT_PORTS = PortRange(7117, 7148)
"""32 ports that no common service has; a choice."""


def is_loopback(host: str) -> bool:
    """Whether a host is an address that only this machine reaches."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def start_on_free_port(
    make: Callable[[Address], Node],
    ports: PortRange,
    *,
    host: str = LOOPBACK,
    avoid: Iterable[Address] = (),
    preferred: Address | None = None,
) -> Node:
    """Start a node on the first port that nobody has.

    The bind itself is the test, so that two programs started at one moment never take the same port.

    Args:
        make: Makes the node for an address, not yet started.
        ports: Tried from the lowest on.
        host: The address of this machine to listen on.
        avoid: Addresses left free for others, such as contacts that are not up yet.
        preferred: Tried first, if it is in the range: where peers remember the node.

    Raises:
        PortsTakenError: Every port is taken.
        OSError: The host is no address of this machine, or sockets are refused altogether.
    """
    avoided = frozenset(avoid)
    addresses = [Address(host, port) for port in ports]
    if preferred in addresses:
        addresses.insert(0, preferred)
    for address in addresses:
        if address not in avoided:
            node = make(address)
            try:
                await node.start()
            except OSError as error:
                if error.errno not in TAKEN:
                    raise
            else:
                return node
    raise PortsTakenError(
        f"every port of {ports} on {host} is taken: "
        "end a node there, or give --bind HOST:PORT or GOSSIP_TUI_PORTS=LOW-HIGH"
    )


async def probe_while_alone(node: Node, ports: PortRange) -> None:
    """Knock at the other ports of the range now, and once a cycle while nobody is in the view.

    Ends when the node has left or is closed, or was never started.
    """
    try:
        others = ports.others(node.bound_address)
        while True:
            if not node.current_view():
                node.add(*others)
            await asyncio.sleep(node.config.cycle_period)
    except StateError:
        return
