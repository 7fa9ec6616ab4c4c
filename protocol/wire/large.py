"""The items of large payloads: announcement, request, chunk, and what a holder has."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from msgpack import Packer

from ..core.large.limits import CHUNK_SIZE, CHUNKS_LIMIT, HASH_SIZE, PAYLOAD_MAXIMUM
from ..core.large.tree import Reference
from ..core.messages import Announcement, Rumor
from .fields import Field, bin_of, bin_size, malformed

__all__ = ["BITMAP", "CHUNK_DATA", "CHUNK_PATH", "INDEXES", "REFERENCE", "announcement_functions"]

REFERENCE_SIZE = 4 + HASH_SIZE
"""Bytes of a reference: size of the payload, root of its hash tree."""

INDEX_SIZE = 2

INDEXES_LIMIT = 64
"""Chunks in one request at the most: the largest window."""

PATH_LIMIT = 10
"""Hashes in a path at the most: 2^10 chunks have the largest payload."""


def decode_reference(value: object) -> Reference:
    """A reference to a payload of a possible size."""
    reference = Reference(bin_of(value))
    if len(reference) != REFERENCE_SIZE or not 1 <= reference.size <= PAYLOAD_MAXIMUM:
        raise malformed("a reference has not 20 bytes, or is to a payload of no possible size")
    return reference


def pack_indexes(indexes: tuple[int, ...]) -> bytes:
    """Two bytes for each."""
    return b"".join([index.to_bytes(INDEX_SIZE) for index in indexes])


def decode_indexes(value: object) -> tuple[int, ...]:
    """What ``pack_indexes`` packed: at least one, ascending."""
    data = bin_of(value)
    indexes = tuple(int.from_bytes(data[at : at + INDEX_SIZE]) for at in range(0, len(data), INDEX_SIZE))
    if len(data) % INDEX_SIZE or not 1 <= len(indexes) <= INDEXES_LIMIT:
        raise malformed("there are no chunks in a request, or too many")
    if indexes[-1] >= CHUNKS_LIMIT or any(low >= high for low, high in pairwise(indexes)):
        raise malformed("chunks do not ascend, or are beyond the last")
    return indexes


def decode_path(value: object) -> bytes:
    """Whole hashes, no more than the highest tree has."""
    path = bin_of(value)
    if len(path) % HASH_SIZE or len(path) > PATH_LIMIT * HASH_SIZE:
        raise malformed("a path is not made of at most 10 hashes")
    return path


def decode_data(value: object) -> bytes:
    """1 to ``CHUNK_SIZE`` bytes."""
    data = bin_of(value)
    if not 1 <= len(data) <= CHUNK_SIZE:
        raise malformed("a chunk is empty or too large")
    return data


def decode_bitmap(value: object) -> bytes:
    """A bit for every chunk, no zero byte at the end."""
    bitmap = bin_of(value)
    if len(bitmap) * 8 > CHUNKS_LIMIT or bitmap[-1:] == b"\0":
        raise malformed("a bitmap is too long")
    return bitmap


def size_of_bin(value: bytes) -> int:
    """Bytes of a byte string as msgpack writes it."""
    return bin_size(len(value))


REFERENCE = Field(bytes, size_of_bin, decode_reference)
INDEXES = Field(pack_indexes, lambda indexes: bin_size(INDEX_SIZE * len(indexes)), decode_indexes)
CHUNK_PATH = Field(bytes, size_of_bin, decode_path)
CHUNK_DATA = Field(bytes, size_of_bin, decode_data)
BITMAP = Field(bytes, size_of_bin, decode_bitmap)


def announcement_functions(
    kind: int,
    pages: Field,
    parts_of: Callable[[Rumor], tuple[int, bytes, bytes, bytes]],
    size_of_rumor: Callable[[Rumor], int],
    read_rumor: Callable[[list[Any]], Rumor],
) -> tuple[
    Callable[[Announcement, Packer], bytes],
    Callable[[Announcement], int],
    Callable[[list[Any]], Announcement],
]:
    """Pack, size and read an announcement, which is made as a rumor is: pages, then a rumor's four fields."""

    def pack(item: Announcement, packer: Packer) -> bytes:
        hops, node, past, reference = parts_of(item.rumor)
        return packer.pack([kind, item.pages, hops, node, past, bytes(reference)])

    def size(item: Announcement) -> int:
        return pages.size(item.pages) + size_of_rumor(item.rumor)

    def read(elements: list[Any]) -> Announcement:
        _, count, *parts = elements
        rumor = read_rumor([kind, *parts])
        number = pages.decode(count)
        if number and rumor.parents:
            raise malformed("an announcement has parents beside it and on pages")
        return Announcement(rumor._replace(payload=decode_reference(rumor.payload)), number)

    return pack, size, read
