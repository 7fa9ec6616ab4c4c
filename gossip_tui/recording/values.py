"""Single values out of a file that anybody made: each reader returns what it promises or refuses.

msgpack gives any of its types anywhere; a reader here accepts one type within its bounds and raises
``Malformed`` for everything else.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

from msgpack import Unpacker, unpackb

from protocol.core.identity import Address, Dot, NodeId
from protocol.errors import GossipError
from protocol.text import printable

from .limits import BLOCK_LIMIT, DOTS_LIMIT, NUMBER_LIMIT, TEXT_LIMIT, TIME_LIMIT

__all__ = [
    "Malformed",
    "address",
    "boolean",
    "dots",
    "listing",
    "number",
    "optional",
    "real",
    "table",
    "text",
    "unpacked",
    "unpacker",
    "whole",
    "words_of",
]

Value = TypeVar("Value")

ARRAY_LIMIT = DOTS_LIMIT
"""Elements of any msgpack array: the longest list there is. Nested ones cost 64 kB each for a moment."""


class Malformed(GossipError, ValueError):  # noqa: N818 - reads as what it says of a file
    """Bytes that no writer makes."""


def refuse_extension(code: int, data: bytes) -> NoReturn:  # noqa: ARG001 - msgpack's signature
    """Called by msgpack for the types that no recording has."""
    raise Malformed("an extension type")


LENGTHS: dict[str, Any] = {
    "max_str_len": 4 * TEXT_LIMIT,
    "max_bin_len": BLOCK_LIMIT,
    "max_array_len": ARRAY_LIMIT,
    "max_map_len": ARRAY_LIMIT,
    "max_ext_len": 0,
    "ext_hook": refuse_extension,
    "strict_map_key": False,
}
"""How msgpack is read: no length is believed."""


def unpacker(buffer_limit: int = 2 * BLOCK_LIMIT) -> Unpacker:
    """A reader of msgpack values that stand one behind the other."""
    return Unpacker(max_buffer_size=buffer_limit, **LENGTHS)


def unpacked(data: bytes) -> Any:
    """The one msgpack value that these bytes are.

    Raises:
        ValueError: They are not.
    """
    return unpackb(data, **LENGTHS)


def number(value: Any, highest: int = NUMBER_LIMIT) -> int:
    """A whole number from 0 to ``highest``."""
    if type(value) is not int or not 0 <= value <= highest:
        raise Malformed("a number is out of range")
    return value


def real(value: Any, highest: float = TIME_LIMIT) -> float:
    """A finite number from 0 to ``highest``."""
    if type(value) not in {int, float} or not math.isfinite(value) or not 0 <= value <= highest:
        raise Malformed("a time is out of range")
    return float(value)


def boolean(value: Any) -> bool:
    """True or false."""
    if type(value) is not bool:
        raise Malformed("a flag is neither true nor false")
    return value


def text(value: Any, longest: int = TEXT_LIMIT) -> str:
    """A text of so many characters at the most; it may hold anything, and is drawn through ``safe``."""
    if type(value) is not str or len(value) > longest:
        raise Malformed("a text is too long or none")
    return value


def whole(value: Any, longest: int) -> bytes:
    """So many bytes at the most."""
    if type(value) is not bytes or len(value) > longest:
        raise Malformed("bytes are too many or none")
    return value


def listing(value: Any, longest: int) -> list[Any]:
    """A list of so many elements at the most, whatever these are."""
    if type(value) is not list or len(value) > longest:
        raise Malformed("a list is too long or none")
    return value


def table(value: Any, longest: int) -> dict[Any, Any]:
    """A map of so many entries at the most, whatever these are."""
    if type(value) is not dict or len(value) > longest:
        raise Malformed("a map is too long or none")
    return value


def optional(read: Callable[[Any], Value], value: Any) -> Value | None:
    """What ``read`` makes of a value, None of nil."""
    return None if value is None else read(value)


def address(value: Any) -> Address:
    """An address; the empty one stands for a node that does not know its own."""
    return parsed_address(text(value))


@lru_cache(maxsize=8_192)
def parsed_address(value: str) -> Address:
    """The address that a text stands for, remembered: the same few come again and again."""
    return Address.parse(value, allow_port_zero=True) if value != ":0" else Address("", 0)


def dots(value: Any, nodes: list[NodeId], longest: int = DOTS_LIMIT, lowest: int = 1) -> tuple[Dot, ...]:
    """Messages by pairs of node number and sequence."""
    found = []
    for pair in listing(value, longest):
        node, sequence = listing(pair, 2)
        if number(sequence) < lowest:
            raise Malformed("a sequence is out of range")
        found.append(Dot(nodes[number(node, len(nodes) - 1)], sequence))
    return tuple(found)


def words_of(error: Exception) -> str:
    """What is wrong with a file, in words; what Python says of it is for nobody."""
    match error:
        case GossipError():
            return printable(str(error))
        case KeyError(args=[Dot(origin=origin, sequence=sequence)]):
            return f"the message {printable(origin.name)}#{sequence} is spoken of and not there"
        case KeyError():
            return "something is spoken of and not there"
    return "its bytes make no sense"
