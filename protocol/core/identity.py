"""Who and where: names with incarnations, addresses, and dots that name one message each.

An address is not an identity. A node is its name (for people) and its incarnation (one start of it); on the
wire it is the 8-byte key hashed from both.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple, Self

from ..errors import AddressError, ConfigError
from ..text import printable

__all__ = ["NAME_LIMIT", "Address", "Dot", "Key", "NodeId", "check_name", "key_of", "new_tuple", "node_id_of"]

Key = bytes
"""Eight bytes that stand for a node on the wire: blake2b of its incarnation and name."""

new_tuple = tuple.__new__
"""Makes a named tuple at half the cost of calling its class."""

NAME_LIMIT = 64
"""Characters of a name at the most: a choice, what a column of a terminal can bear."""

INCARNATION_LIMIT = 1 << 64
"""Incarnations are unsigned 64-bit numbers."""

SHORT_TAG_SIZE = 6
"""Characters of the short tag: 30 bits, 16 of them random, so two starts in one millisecond still differ."""

DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32 in lower case: no letter that is read as a digit."""


def check_name(name: str) -> str:
    """Return ``name`` if it may name a node: 1 to 64 visible characters.

    Raises:
        ConfigError: It is empty, too long, or holds a space, a control or an invisible character.
    """
    if not 1 <= len(name) <= NAME_LIMIT:
        raise ConfigError(f"name must have 1 to {NAME_LIMIT} characters, not {len(name)}")
    if not is_visible(name):
        raise ConfigError(
            f"name must have visible characters only, no spaces or control characters: {name!a}"
        )
    return name


def is_visible(text: str) -> bool:
    """Whether every character shows: printable, no white space, and left alone by ``printable``."""
    return text.isprintable() and not any(map(str.isspace, text)) and printable(text) == text


class NodeId(NamedTuple):
    """One start of a named node; prints as ``name~tag`` and parses it back.

    >>> node = NodeId("p1", 123456789)
    >>> str(node), node.label
    ('p1~03nqk8n', 'p1~3nqk8n')
    >>> NodeId.parse(str(node)) == node
    True
    """

    name: str
    """For people: 1 to 64 visible characters; several nodes may share it."""
    incarnation: int
    """Milliseconds at start << 16 | 16 random bits; the larger is the later start."""

    @property
    def key(self) -> Key:
        """The eight bytes that stand for this node on the wire."""
        return key_of(self)

    @property
    def tag(self) -> str:
        """The incarnation in base 32, whole; its last six characters are the short tag."""
        digits: list[str] = []
        rest = self.incarnation
        while rest or len(digits) <= SHORT_TAG_SIZE:
            digits.append(DIGITS[rest & 31])
            rest >>= 5
        return "".join(reversed(digits))

    @property
    def label(self) -> str:
        """``name~tag`` with the short tag: what people and JSON see where a bare name is not enough."""
        return f"{self.name}~{self.tag[-SHORT_TAG_SIZE:]}"

    def __str__(self) -> str:
        return f"{self.name}~{self.tag}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str()`` of a node id gave.

        Raises:
            ConfigError: The text is not ``name~tag`` with a whole tag.
        """
        name, mark, tag = text.rpartition("~")
        if not mark or not tag or any(digit not in DIGITS for digit in tag):
            raise ConfigError(f"a node id looks like name~tag, not {text!a}")
        incarnation = 0
        for digit in tag:
            incarnation = incarnation << 5 | DIGITS.index(digit)
        if incarnation >= INCARNATION_LIMIT:
            raise ConfigError(f"the tag of a node id stands for at most 64 bits: {text!a}")
        return cls(check_name(name), incarnation)


@lru_cache(maxsize=16_384)
def key_of(node_id: NodeId) -> Key:
    """The 8-byte key of a node: blake2b over incarnation (8 bytes, big-endian) and name (UTF-8).

    Legal names encode as they are; one with a lone surrogate is none, but must not break whoever draws it.
    """
    return blake2b(
        node_id.incarnation.to_bytes(8) + node_id.name.encode("utf-8", "surrogatepass"), digest_size=8
    ).digest()


@lru_cache(maxsize=16_384)
def node_id_of(name: str, incarnation: int) -> NodeId:
    """The checked and shared ``NodeId`` of a name and incarnation that came over the wire.

    Raises:
        ConfigError: The name is not allowed.
    """
    return NodeId(check_name(name), incarnation)


class Dot(NamedTuple):
    """One message: its origin and the origin's dense sequence number 1, 2, 3, ...

    Prints as ``name~tag#sequence`` and parses it back.
    """

    origin: NodeId
    sequence: int

    def __str__(self) -> str:
        return f"{self.origin}#{self.sequence}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str()`` of a dot gave.

        Raises:
            ConfigError: The text is not ``name~tag#sequence``.
        """
        origin, mark, sequence = text.rpartition("#")
        if not mark or not (sequence.isascii() and sequence.isdigit()) or int(sequence) < 1:
            raise ConfigError(f"a dot looks like name~tag#sequence, not {text!a}")
        return cls(NodeId.parse(origin), int(sequence))


class Address(NamedTuple):
    """A UDP endpoint; prints as ``host:port``, IPv6 in brackets, and parses it back.

    The core works with numeric addresses only; the asyncio node resolves names.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_numeric(self) -> bool:
        """Whether the host is an IP address and no name."""
        return packed_host(self.host) is not None

    @property
    def is_wildcard(self) -> bool:
        """Whether the host means every interface, such as ``0.0.0.0``: nobody can be reached under it."""
        return is_wildcard_host(self.host)

    @classmethod
    def parse(cls, text: str, *, allow_port_zero: bool = False) -> Self:
        """Read ``host:port`` or ``[ipv6]:port``; numeric hosts come out in their shortest form.

        Raises:
            AddressError: The text is neither, or the port is not a number from 1 (0 where allowed) to 65535.
        """
        host, mark, port_text = text.strip().rpartition(":")
        if not mark or not host:
            raise AddressError(f"an address looks like host:port or [ipv6]:port, not {text!a}")
        lowest = 0 if allow_port_zero else 1
        if not (port_text.isascii() and port_text.isdigit()) or not lowest <= int(port_text[:9]) <= 65_535:
            raise AddressError(f"the port of {text!a} must be a number from {lowest} to 65535")
        return cls(parse_host(host, text), int(port_text))


def parse_host(host: str, text: str) -> str:
    """The host in its shortest form, brackets removed; ``text`` is what the person wrote, for the error."""
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    if bracketed or ":" in host:
        try:
            parsed = ipaddress.IPv6Address(host)
        except ValueError:
            raise AddressError(f"{text!a} has no IPv6 address; it looks like [::1]:7117") from None
        if not bracketed:
            raise AddressError(f"an IPv6 address stands in brackets: [{host}]:port, not {text!a}")
        return str(parsed)
    if packed_host(host) is None and not is_host_name(host):
        raise AddressError(f"{host!a} in {text!a} is neither an IP address nor a host name")
    return host


def is_host_name(host: str) -> bool:
    """Whether a resolver may be asked: labels of letters, digits, ``-`` and ``_``, not digits alone."""
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or all(label.isdigit() for label in labels):
        return False
    return all(
        1 <= len(label) <= 63 and all(c.isalnum() or c in "-_" for c in label) and label[0] != "-"
        for label in labels
    )


@lru_cache(maxsize=16_384)
def packed_host(host: str) -> bytes | None:
    """The 4 or 16 bytes of a numeric host, None for a name."""
    try:
        return ipaddress.ip_address(host).packed
    except ValueError:
        return None


@lru_cache(maxsize=16_384)
def is_wildcard_host(host: str) -> bool:
    """Whether a host is all zeros."""
    packed = packed_host(host)
    return packed is not None and not any(packed)


@lru_cache(maxsize=16_384)
def unpacked_host(packed: bytes) -> str:
    """The shortest text of a host of 4 or 16 bytes.

    Raises:
        ValueError: There are more or fewer bytes.
    """
    if len(packed) not in {4, 16}:
        raise ValueError(len(packed))
    return str(ipaddress.ip_address(packed))
