"""The frontier of a down-closed set of messages: its maximal dots, which say all of it in a few bytes.

A message's parents and predecessor are no longer maximal once it is in the set, so the frontier follows from
them alone and needs no clock. It has at most one dot of each origin, since an origin's messages form a chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .identity import Key
from .messages import KeyDot

__all__ = ["Frontier"]


class Frontier:
    """The maximal dots, as a mapping of origin key to sequence."""

    __slots__ = ("dots",)

    def __init__(self, dots: Iterable[KeyDot] = ()) -> None:
        """Start from given maximal dots."""
        self.dots: dict[Key, int] = dict(dots)

    def advance(self, key: Key, sequence: int, parents: Iterable[KeyDot]) -> None:
        """Add a message whose whole past is in the set already."""
        dots = self.dots
        for parent_key, parent_sequence in parents:
            if dots.get(parent_key) == parent_sequence:
                del dots[parent_key]
        if sequence > dots.get(key, 0):
            dots[key] = sequence

    def parents_of(self, key: Key) -> tuple[KeyDot, ...]:
        """What a new message of this origin names: all maximal dots but its own predecessor, sorted."""
        return tuple(sorted(dot for dot in self.dots.items() if dot[0] != key))

    def unite(
        self, other: Iterable[KeyDot], mine: Callable[[Key], int], theirs: Callable[[Key], int]
    ) -> None:
        """Become the frontier of the union with another down-closed set.

        A dot is maximal in the union if each set either lacks it or has it as maximal.

        Args:
            other: The other set's maximal dots.
            mine: The last sequence of an origin in this set (its floor).
            theirs: The same for the other set.
        """
        other_dots = dict(other)
        kept = {
            key: sequence
            for key, sequence in self.dots.items()
            if sequence > theirs(key) or other_dots.get(key) == sequence
        }
        kept |= {
            key: sequence
            for key, sequence in other_dots.items()
            if sequence > mine(key) or self.dots.get(key) == sequence
        }
        self.dots = kept
