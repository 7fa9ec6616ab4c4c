"""What a node is called when nobody named it, and which start of it this is."""

from __future__ import annotations

import ipaddress
import random
import secrets
import socket
import threading
import time

from protocol.core.identity import NAME_LIMIT, Address, NodeId, check_name
from protocol.text import printable

__all__ = ["DEFAULT_PORTS", "default_name", "new_identity"]

DEFAULT_PORTS = range(7117, 7149)
"""The ports of nodes that find each other on one machine; the first is ``p1``."""

_latest = [0]
"""When this process last started a node: a later start has a later millisecond, even if it is none yet."""
_lock = threading.Lock()


def default_name(bound: Address, advertised: Address | None = None) -> str:
    """``p1`` for port 7117 on loopback, ``p2`` for 7118, ... and elsewhere ``host-port``.

    The host is the advertised one, or that of the machine where the node is bound to every interface.

    >>> default_name(Address("127.0.0.1", 7119))
    'p3'
    >>> default_name(Address("192.0.2.7", 7119))
    '192.0.2.7-7119'
    """
    if advertised is not None:
        return legal_name(advertised)
    if is_loopback(bound) and bound.port in DEFAULT_PORTS:
        return f"p{DEFAULT_PORTS.index(bound.port) + 1}"
    return legal_name(Address(socket.gethostname(), bound.port) if bound.is_wildcard else bound)


def legal_name(address: Address) -> str:
    """``host-port`` with nothing in it that a name may not have, cut at the front of the host if need be."""
    tail = f"-{address.port}"
    host = "".join(filter(is_legal, address.host))[: NAME_LIMIT - len(tail)]
    return check_name((host or "node") + tail)


def is_legal(character: str) -> bool:
    """Whether a name may have this character."""
    return character.isprintable() and not character.isspace() and printable(character) == character


def is_loopback(address: Address) -> bool:
    """Whether a numeric address reaches this machine only."""
    return ipaddress.ip_address(address.host).is_loopback


def new_identity(name: str, rng: random.Random | None) -> NodeId:
    """This start of ``name``: milliseconds now and 16 random bits, so that no two starts are the same.

    Args:
        name: A checked name.
        rng: Gives the random bits; without it they come from the system.
    """
    bits = rng.getrandbits(16) if rng is not None else secrets.randbits(16)
    with _lock:
        milliseconds = max(int(time.time() * 1000), _latest[0] + 1)
        _latest[0] = milliseconds
    return NodeId(name, milliseconds << 16 | bits)
