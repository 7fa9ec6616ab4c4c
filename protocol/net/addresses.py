"""Addresses as people give them to a node: checked when given, made numeric when the node starts."""

from __future__ import annotations

import ipaddress
import socket

from protocol.core.identity import Address
from protocol.errors import AddressError
from protocol.net.resolver import resolve
from protocol.net.udp import is_ipv6

__all__ = [
    "advertised_address",
    "bind_address",
    "check_family",
    "contact_address",
    "is_own",
    "numeric",
    "numeric_peer",
    "told_address",
]


def bind_address(given: str | Address) -> Address:
    """Where to listen; port 0 lets the system choose.

    Raises:
        AddressError: It is no address.
    """
    return Address.parse(str(given), allow_port_zero=True)


def advertised_address(given: str | Address) -> Address:
    """What third parties shall be told: ``host:port`` or a host alone; port 0 stands for the bound one.

    Raises:
        AddressError: It is no address, or one under which nobody can be reached.
    """
    text = str(given).strip()
    host_only = ":" not in text or text.endswith("]")
    return reachable(Address.parse(f"{text}:0" if host_only else text, allow_port_zero=True))


def contact_address(given: str | Address) -> Address:
    """Whom to talk to: a host name or number and a port.

    Raises:
        AddressError: It is no address, or one under which nobody can be reached.
    """
    return reachable(Address.parse(str(given)))


def numeric_peer(given: str | Address) -> Address:
    """A peer by the numeric address its datagrams come from.

    Raises:
        AddressError: It is no address, or a host name.
    """
    address = contact_address(given)
    if not address.is_numeric:
        raise AddressError(f"{address} is a name: a peer is told apart by its numeric address")
    return address


def reachable(address: Address) -> Address:
    """``address`` itself, unless it is a wildcard."""
    if address.is_wildcard:
        raise AddressError(f"{address} means every interface of a machine: nobody can be reached under it")
    return address


async def numeric(bind: Address) -> Address:
    """The address to bind, its host name resolved.

    Raises:
        OSError: The name has no address.
    """
    if bind.is_numeric:
        return bind
    try:
        return (await resolve(bind, socket.AF_UNSPEC))[0]
    except OSError as error:
        raise OSError(error.errno, f"cannot bind {bind}: {error.strerror or error}") from error


async def told_address(bound: Address, advertised: Address | None) -> Address | None:
    """What third parties are told, numeric; None if that is not known (a wildcard bind).

    Raises:
        AddressError: The advertised address is of the other family than the bound one.
        OSError: The advertised name has no address of the family.
    """
    if advertised is None:
        return None if bound.is_wildcard else bound
    advertised = Address(advertised.host, advertised.port or bound.port)
    if advertised.is_numeric:
        check_family(advertised, bound)
        return advertised
    family = socket.AF_INET6 if is_ipv6(bound) else socket.AF_INET
    try:
        return (await resolve(advertised, family))[0]
    except OSError as error:
        raise OSError(error.errno, f"cannot advertise {advertised}: {error.strerror or error}") from error


def check_family(address: Address, bound: Address) -> None:
    """Refuse a numeric address that a socket bound to ``bound`` can never reach.

    Raises:
        AddressError: One is IPv4 and the other IPv6.
    """
    if is_ipv6(address) is not is_ipv6(bound):
        ours, theirs = ("IPv6", "IPv4") if is_ipv6(bound) else ("IPv4", "IPv6")
        raise AddressError(
            f"{address} is {theirs}, but this node is bound to {bound} and reaches {ours} only"
        )


def is_own(address: Address, bound: Address, told: Address | None) -> bool:
    """Whether a numeric address is certainly the node's own."""
    if address in {bound, told}:
        return True
    return bound.is_wildcard and address.port == bound.port and ipaddress.ip_address(address.host).is_loopback
