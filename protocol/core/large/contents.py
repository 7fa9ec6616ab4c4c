"""The hash trees of the large payloads that are here, so that none is worked out twice."""

from __future__ import annotations

from ..bounded import put, trim
from ..messages import KeyDot
from .limits import PAYLOAD_MAXIMUM
from .tree import Tree, chunk_count

__all__ = ["Contents"]


class Contents:
    """Trees by dot, the least recently used forgotten first; a forgotten one is worked out again."""

    def __init__(self, size_limit: int) -> None:
        """Remember trees of so many bytes of payload: as much as is retained, which 3 % of that pay for."""
        self._limit = chunk_count(size_limit + PAYLOAD_MAXIMUM)
        self._trees: dict[KeyDot, Tree] = {}
        self._dots: dict[bytes, KeyDot] = {}
        """A message that has or had this payload, by reference."""

    def of(self, dot: KeyDot, payload: bytes) -> Tree:
        """The tree of a message's payload."""
        tree = self._trees.get(dot)
        if tree is None or tree.size != len(payload):
            tree = Tree.of(payload)
            self.keep(dot, tree)
        return tree

    def dot_of(self, reference: bytes) -> KeyDot | None:
        """A message that has this payload, if it is still here: equal payloads are pulled only once."""
        return self._dots.get(reference)

    def keep(self, dot: KeyDot, tree: Tree) -> None:
        """Remember a tree whose chunks are all verified."""
        put(self._trees, dot, tree, self._limit)
        put(self._dots, tree.reference, dot, self._limit)
        trim(self._trees, lambda one: chunk_count(one.size), self._limit)
