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
    cell = DerivedClock.anchored(B, 3, [(4, 4, A), (2, 2, B)])
    assert cell.is_resolved
    assert cell.entries() == {A: 4, B: 3}


def test_an_anchored_clock_is_a_source_like_any_other() -> None:
    anchored = DerivedClock.anchored(A, 5, [(2, 2, B)])
    assert DerivedClock(C, 1, (anchored, DerivedClock(B, 1, ()))).entries() == {A: 5, B: 2, C: 1}


# cut clocks


MANY = [NodeId(name, 1) for name in "abcdefg"]
CROWDS = st.lists(
    st.builds(Step, st.integers(0, len(MANY) - 1), st.lists(st.integers(0, 60), max_size=3)), max_size=50
)


def play_cut(steps: list[Step], limit: int) -> tuple[list[DerivedClock], list[dict[NodeId, int]]]:
    """Derived clocks of at most ``limit`` origins, and what such a clock shows of the whole past."""
    cells: list[DerivedClock] = []
    pasts: list[dict[NodeId, tuple[int, int]]] = []
    last: dict[int, int] = {}
    for origin, read in steps:
        node = MANY[origin]
        sources = [index % len(cells) for index in read] if cells else []
        sources += [last[origin]] if origin in last else []
        past: dict[NodeId, tuple[int, int]] = {}
        for source in sources:
            for other, stamp in pasts[source].items():
                past[other] = max(past.get(other, stamp), stamp)
        sequence = past.get(node, (0, 0))[0] + 1
        depth = 1 + max((deepest for _, deepest in past.values()), default=0)
        linked = tuple(cells[source] for source in sources)
        cells.append(DerivedClock(node, sequence, linked, depth=depth, limit=limit))
        pasts.append({**past, node: (sequence, depth)})
        last[origin] = len(cells) - 1
    return cells, [shown(past, limit) for past in pasts]


def shown(past: dict[NodeId, tuple[int, int]], limit: int) -> dict[NodeId, int]:
    ranked = sorted(past, key=lambda node: (past[node][1], node))
    return {node: past[node][0] for node in ranked[-limit:]}


@given(CROWDS, st.integers(1, 8), st.randoms(use_true_random=False))
def test_a_clock_of_limited_width_is_the_end_of_the_whole_past_by_depth_and_origin(
    steps: list[Step], limit: int, rng: object
) -> None:
    cells, truth = play_cut(steps, limit)
    order = list(range(len(cells)))
    rng.shuffle(order)  # type: ignore[attr-defined]
    for index in order:
        assert cells[index].entries() == truth[index]


def test_an_anchored_clock_is_cut_like_any_other() -> None:
    stamps = [(number, number, NodeId(f"n{number}", 1)) for number in range(1, 10)]
    cell = DerivedClock.anchored(A, 1, stamps, depth=10, limit=3)
    assert cell.entries() == {NodeId("n8", 1): 8, NodeId("n9", 1): 9, A: 1}


def test_neighbours_share_what_they_do_not_change() -> None:
    stamps = [(1, number, NodeId(f"n{number}", 1)) for number in range(1_000)]
    first = DerivedClock.anchored(A, 1, stamps, depth=1_001)
    second = DerivedClock(B, 1, (first,), depth=1_002)
    one, other = first.resolve(), second.resolve()
    parts = [leaf for branch in one._root.parts for leaf in branch.parts]
    others = [leaf for branch in other._root.parts for leaf in branch.parts]
    assert sum(part is not another for part, another in zip(parts, others, strict=True)) == 1


def test_a_source_in_the_past_of_another_is_not_merged_again() -> None:
    a, b, c = (NodeId(name, 1) for name in "abc")
    predecessor = DerivedClock.anchored(a, 1, [(1, 1, a), (5, 1, c)], depth=1)
    parent = DerivedClock.anchored(b, 1, [(1, 1, a), (1, 2, b)], depth=2)
    assert DerivedClock(a, 2, (parent, predecessor), depth=3).entries() == {a: 2, b: 1}
    assert DerivedClock(a, 3, (predecessor, parent), depth=3).entries() == {a: 3, b: 1, c: 5}


def test_clocks_of_concurrent_messages_share_what_they_have_in_common() -> None:
    authors = [NodeId(f"author{number}", 1) for number in range(300)]
    past = DerivedClock.anchored(authors[0], 1, [(1, 1, author) for author in authors], depth=1)
    parents = [DerivedClock(author, 2, (past,), depth=2) for author in authors[:8]]
    one, other = (
        DerivedClock(author, 2, sources, depth=3).resolve()
        for author, sources in zip(authors[8:10], (tuple(parents), tuple(parents[::-1])), strict=True)
    )
    branches = [set(map(id, stamps._root.parts)) for stamps in (one, other)]
    assert len(branches[0] & branches[1]) >= 14
