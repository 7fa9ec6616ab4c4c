"""The hash tree over the chunks of a payload: every chunk is verified alone, as it comes.

A leaf is the hash of a chunk, a node the hash of its two children; who has no sibling moves up as it is. The
root covers the size too. So a node never holds a byte that is not part of what was announced, knows at once
who sent a wrong one, and may hand on what it has before it has all.

Source: Merkle 1987; the unpaired node as in RFC 6962, section 2.1.
"""

from __future__ import annotations

from hashlib import blake2b

from .limits import CHUNK_SIZE, HASH_SIZE

__all__ = ["Reference", "Tree", "chunk_count"]

UNKNOWN = bytes(HASH_SIZE)
"""Stands where a hash is not known; no chunk or pair has this hash, but with a chance of 1 in 2^128."""

SIZE_SIZE = 4
"""Bytes of the size in a reference."""


def chunk_count(size: int) -> int:
    """How many chunks a payload of this size has."""
    return -(-size // CHUNK_SIZE)


def hash_of_chunk(chunk: bytes) -> bytes:
    """A leaf."""
    return blake2b(chunk, digest_size=HASH_SIZE, person=b"chunk").digest()


def hash_of_pair(left: bytes, right: bytes) -> bytes:
    """An inner node."""
    return blake2b(left + right, digest_size=HASH_SIZE, person=b"pair").digest()


def root_of(size: int, top: bytes) -> bytes:
    """The root of a payload of this size."""
    return blake2b(size.to_bytes(8) + top, digest_size=HASH_SIZE, person=b"payload").digest()


class Reference(bytes):
    """Stands in a rumor for a payload that does not travel with it: its size (4 bytes) and its root (16)."""

    __slots__ = ()

    @classmethod
    def to(cls, size: int, root: bytes) -> Reference:
        """The reference to a payload of this size and root."""
        return cls(size.to_bytes(SIZE_SIZE) + root)

    @property
    def size(self) -> int:
        """Bytes of the payload."""
        return int.from_bytes(self[:SIZE_SIZE])

    @property
    def root(self) -> bytes:
        """The hash over size and chunks."""
        return bytes(self[SIZE_SIZE:])


class Tree:
    """All hashes of one payload that are known so far: 32 bytes a chunk."""

    __slots__ = ("levels", "root", "size")

    def __init__(self, size: int, root: bytes) -> None:
        """Know nothing of a payload but its size and root."""
        self.size = size
        self.root = root
        self.levels: list[bytearray] = []
        """Hashes side by side, leaves first, the top last."""
        width = chunk_count(size)
        while True:
            self.levels.append(bytearray(width * HASH_SIZE))
            if width <= 1:
                break
            width = (width + 1) // 2

    @classmethod
    def of(cls, payload: bytes) -> Tree:
        """The whole tree of a payload that is here; some 3 ms for the largest (measured)."""
        tree = cls(len(payload), UNKNOWN)
        hashes = [hash_of_chunk(payload[at : at + CHUNK_SIZE]) for at in range(0, len(payload), CHUNK_SIZE)]
        for level in tree.levels:
            level[:] = b"".join(hashes)
            pairs = list(zip(hashes[::2], hashes[1::2], strict=False))
            unpaired = hashes[-1:] if len(hashes) % 2 else []
            hashes = [hash_of_pair(left, right) for left, right in pairs] + unpaired
        tree.root = root_of(tree.size, bytes(tree.levels[-1]))
        return tree

    @property
    def reference(self) -> Reference:
        """What stands for the payload."""
        return Reference.to(self.size, self.root)

    def path(self, index: int) -> bytes:
        """The siblings that prove a verified chunk, from the leaf upwards."""
        siblings = []
        for level in self.levels[:-1]:
            at = (index ^ 1) * HASH_SIZE
            siblings.append(bytes(level[at : at + HASH_SIZE]))
            index >>= 1
        return b"".join(siblings)

    def admit(self, index: int, chunk: bytes, path: bytes) -> bool:
        """Whether this is the chunk of that place; if so the hashes that prove it are kept."""
        if len(chunk) != min(CHUNK_SIZE, self.size - index * CHUNK_SIZE):
            return False
        learnt: list[tuple[bytearray, int, bytes]] = []
        digest = hash_of_chunk(chunk)
        taken = 0
        for number, level in enumerate(self.levels):
            known = level[index * HASH_SIZE : (index + 1) * HASH_SIZE]
            if known != UNKNOWN:
                if known != digest:
                    return False
                break
            learnt.append((level, index, digest))
            if number == len(self.levels) - 1:
                if root_of(self.size, digest) != self.root:
                    return False
            elif (index ^ 1) * HASH_SIZE < len(level):
                sibling = path[taken : taken + HASH_SIZE]
                taken += HASH_SIZE
                if len(sibling) != HASH_SIZE:
                    return False
                learnt.append((level, index ^ 1, sibling))
                digest = hash_of_pair(sibling, digest) if index & 1 else hash_of_pair(digest, sibling)
            index >>= 1
        for level, place, known_now in learnt:
            level[place * HASH_SIZE : (place + 1) * HASH_SIZE] = known_now
        return True
