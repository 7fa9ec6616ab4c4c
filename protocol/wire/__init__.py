"""The wire format, version 1: messages to bytes and back, believing nothing.

``protocol/README.md`` specifies it. ``fields`` turns single values into what msgpack carries and checks them
on the way back, ``layouts`` says which fields each kind of item has, ``codec`` puts datagrams together.
"""

from __future__ import annotations

from ..core.messages import HOPS_LIMIT
from .codec import ITEM_LIMIT, MAGIC, REASONS, VERSION, WireCodec, size_of_datagram
from .fields import (
    AGE_LIMIT,
    ARRAY_LIMIT,
    DEPTH_LIMIT,
    PAGE_LIMIT,
    SEQUENCE_LIMIT,
    TIME_LIMIT,
)
from .layouts import PADDING_MINIMUM, size_of

__all__ = [
    "AGE_LIMIT",
    "ARRAY_LIMIT",
    "DEPTH_LIMIT",
    "HOPS_LIMIT",
    "ITEM_LIMIT",
    "MAGIC",
    "PADDING_MINIMUM",
    "PAGE_LIMIT",
    "REASONS",
    "SEQUENCE_LIMIT",
    "TIME_LIMIT",
    "VERSION",
    "WireCodec",
    "size_of",
    "size_of_datagram",
]
