from __future__ import annotations

import sys
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from protocol.core.clock import VectorClock
from protocol.core.derived import DerivedClock
from protocol.core.identity import NodeId

NODES = [NodeId(name, 1) for name in "abc"]
A, B, C = NODES


class Step(NamedTuple):
    """Somebody writes a message after having delivered some of the earlier ones."""

    origin: int
    read: list[int]


HISTORIES = st.lists(
    st.builds(Step, st.integers(0, 2), st.lists(st.integers(0, 30), max_size=3)), max_size=25
)


def play(steps: list[Step]) -> tuple[list[DerivedClock], list[VectorClock]]:
    """The derived clocks of a history, none read yet, and beside them clocks kept by hand."""
    derived: list[DerivedClock] = []
    truth: list[VectorClock] = []
    own: dict[int, int] = {}
    for origin, read in steps:
        sources = [index % len(truth) for index in read] if truth else []
        sources += [own[origin]] if origin in own else []
        clock = VectorClock()
        for source in sources:
            clock = clock.merge(truth[source])
        sequence = clock.get(NODES[origin], 0) + 1
        derived.append(DerivedClock(NODES[origin], sequence, tuple(derived[source] for source in sources)))
        truth.append(clock.advance(NODES[origin]))
        own[origin] = len(truth) - 1
    return derived, truth


@given(HISTORIES, st.randoms(use_true_random=False))
def test_a_derived_clock_is_the_clock_kept_by_hand_in_whatever_order_they_are_read(
    steps: list[Step],
    rng: object,
) -> None:
    derived, truth = play(steps)
    order = list(range(len(derived)))
    rng.shuffle(order)  # type: ignore[attr-defined]
    for index in order:
        assert derived[index].clock() == truth[index]


@given(HISTORIES)
def test_reading_one_clock_changes_no_other(steps: list[Step]) -> None:
    derived, truth = play(steps)
    for cell in reversed(derived):
        cell.clock()
    assert [cell.clock() for cell in derived] == truth


def test_nothing_is_worked_out_before_it_is_read() -> None:
    first = DerivedClock(A, 1, ())
    second = DerivedClock(B, 1, (first,))
    assert not second.is_resolved
    assert second.entries() == {A: 1, B: 1}
    assert first.is_resolved
    assert second.is_resolved


def test_a_read_clock_keeps_its_past_alive_no_longer() -> None:
    first = DerivedClock(A, 1, ())
    references = sys.getrefcount(first)
    second = DerivedClock(B, 1, (first,))
    assert sys.getrefcount(first) > references
    second.entries()
    assert sys.getrefcount(first) == references


def test_a_chain_longer_than_the_stack_is_worked_out() -> None:
    cell = DerivedClock(A, 1, ())
    length = 3 * sys.getrecursionlimit()
    for sequence in range(2, length + 1):
        cell = DerivedClock(A, sequence, (cell,))
    assert cell.entries() == {A: length}


def test_a_past_that_branches_at_every_step_is_worked_out_once() -> None:
    left, right = DerivedClock(A, 1, ()), DerivedClock(B, 1, ())
    for sequence in range(2, 200):
        left, right = DerivedClock(A, sequence, (left, right)), DerivedClock(B, sequence, (right, left))
    assert left.entries() == {A: 199, B: 198}


def test_an_anchored_clock_is_known_as_a_whole_and_holds_its_own_dot() -> None:
    entries = {A: 4, B: 2}
    cell = DerivedClock.anchored(B, 3, entries)
    assert cell.is_resolved
    assert cell.entries() == {A: 4, B: 3}
    assert entries == {A: 4, B: 2}


def test_an_anchored_clock_is_a_source_like_any_other() -> None:
    anchored = DerivedClock.anchored(A, 5, {B: 2})
    assert DerivedClock(C, 1, (anchored, DerivedClock(B, 1, ()))).entries() == {A: 5, B: 2, C: 1}
