"""The frontier stands for a down-closed set: checked against sets written out."""

from __future__ import annotations

import random

import pytest

from protocol.core.frontier import Frontier
from protocol.core.identity import Key
from protocol.core.messages import KeyDot

KEYS = [bytes([number]) * 8 for number in range(5)]


class History:
    """Messages with their whole past, made by origins that have each seen a random part."""

    def __init__(self, seed: int, count: int) -> None:
        dice = random.Random(seed)
        self.past: dict[KeyDot, frozenset[KeyDot]] = {}
        self.parents: dict[KeyDot, tuple[KeyDot, ...]] = {}
        seen: dict[Key, frozenset[KeyDot]] = {key: frozenset() for key in KEYS}
        for _ in range(count):
            key = KEYS[int(dice.random() * len(KEYS))]
            if dice.random() < 0.5:
                seen[key] |= seen[KEYS[int(dice.random() * len(KEYS))]]
            dot = (key, 1 + sum(other == key for other, _ in self.past))
            self.parents[dot] = tuple(d for d in self.maximal(seen[key]) if d[0] != key)
            self.past[dot] = seen[key]
            seen[key] |= {dot}
        self.seen = seen

    def maximal(self, dots: frozenset[KeyDot]) -> frozenset[KeyDot]:
        covered = frozenset[KeyDot]().union(*(self.past[dot] for dot in dots)) if dots else frozenset()
        return dots - covered

    def frontier_of(self, dots: frozenset[KeyDot]) -> Frontier:
        """Built by advancing, in an order of delivery."""
        frontier = Frontier()
        for dot in self.past:
            if dot in dots:
                frontier.advance(*dot, self.parents[dot])
        return frontier


def floor_of(dots: frozenset[KeyDot], key: Key) -> int:
    return max((sequence for other, sequence in dots if other == key), default=0)


@pytest.mark.parametrize("seed", range(10))
def test_advancing_keeps_exactly_the_maximal_dots(seed: int) -> None:
    history = History(seed, 60)
    for dots in history.seen.values():
        assert set(history.frontier_of(dots).dots.items()) == history.maximal(dots)


@pytest.mark.parametrize("seed", range(10))
def test_uniting_two_sets_gives_the_frontier_of_their_union(seed: int) -> None:
    history = History(seed, 60)
    for mine in history.seen.values():
        for theirs in history.seen.values():
            frontier = history.frontier_of(mine)
            frontier.unite(
                history.maximal(theirs),
                lambda key, dots=mine: floor_of(dots, key),  # type: ignore[misc]
                lambda key, dots=theirs: floor_of(dots, key),  # type: ignore[misc]
            )
            assert set(frontier.dots.items()) == history.maximal(mine | theirs)


def test_parents_are_all_maximal_dots_but_the_own_in_one_order() -> None:
    frontier = Frontier([(KEYS[3], 1), (KEYS[1], 4), (KEYS[2], 2)])
    assert frontier.parents_of(KEYS[2]) == ((KEYS[1], 4), (KEYS[3], 1))
    assert frontier.parents_of(KEYS[0]) == ((KEYS[1], 4), (KEYS[2], 2), (KEYS[3], 1))


def test_a_message_replaces_its_parents_and_its_predecessor() -> None:
    frontier = Frontier()
    frontier.advance(KEYS[0], 1, ())
    frontier.advance(KEYS[1], 1, ())
    frontier.advance(KEYS[0], 2, ((KEYS[1], 1),))
    assert frontier.dots == {KEYS[0]: 2}
