"""What the machine asks of whoever turns messages into something that travels.

``protocol.wire`` packs to bytes; the simulator may pass the items themselves, sized as if they had been
packed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from .identity import Address
from .messages import Header, Item

__all__ = ["DATAGRAM_LIMIT", "Codec", "Datagram", "Packed", "Parsed"]

DATAGRAM_LIMIT = 1_400
"""Bytes of a datagram at the most: fits every common path MTU (1,500, less with tunnels) with IPv6 and UDP
headers."""


class Packed(NamedTuple):
    """One item, ready to be put into datagrams, any number of times."""

    size: int
    """Bytes it takes in a datagram."""
    content: Any
    """What ``Codec.assemble`` takes: bytes on a real wire."""


class Parsed(NamedTuple):
    """What stood in a datagram."""

    header: Header
    items: list[Item]
    skipped: int
    """Items of a kind that this version does not know."""


class Datagram(NamedTuple):
    """What the driver sends: ``data`` is bytes with a wire codec."""

    target: Address
    data: Any
    size: int


class Codec(Protocol):
    """Turns items into what travels, and back."""

    def pack(self, item: Item) -> Packed:
        """Pack one item once; it may then stand in many datagrams."""

    def size_of(self, item: Item) -> int:
        """Bytes that ``pack`` would give, without packing."""

    def header_size(self, header: Header) -> int:
        """Bytes of a datagram with this header and no items, with room for up to 65,535 of them."""

    def assemble(self, header: Header, items: Sequence[Packed]) -> Any:
        """Put a header and items together; at most ``header_size`` and the items' sizes."""

    def parse(self, data: Any, size_limit: int = DATAGRAM_LIMIT) -> Parsed:
        """Take a datagram apart, believing nothing.

        Raises:
            WireError: It is not one of ours, or not well-formed; the reason is one of a few words.
        """
