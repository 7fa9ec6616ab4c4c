from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.core.clock import Ordering, VectorClock
from protocol.core.identity import NodeId

A, B, C = NodeId("a", 1), NodeId("b", 1), NodeId("c", 1)
SECOND_A = NodeId("a", 2)
ORIGINS = st.sampled_from([A, B, C, SECOND_A])
CLOCKS = st.dictionaries(ORIGINS, st.integers(1, 4)).map(VectorClock)
BOTTOM = VectorClock()


@given(CLOCKS, CLOCKS)
def test_merging_is_commutative(a: VectorClock, b: VectorClock) -> None:
    assert a.merge(b) == b.merge(a)


@given(CLOCKS, CLOCKS, CLOCKS)
def test_merging_is_associative(a: VectorClock, b: VectorClock, c: VectorClock) -> None:
    assert a.merge(b).merge(c) == a.merge(b.merge(c))


@given(CLOCKS)
def test_merging_with_itself_or_nothing_changes_nothing(a: VectorClock) -> None:
    assert a.merge(a) == a.merge(BOTTOM) == BOTTOM.merge(a) == a


@given(CLOCKS, CLOCKS, CLOCKS)
def test_a_merge_is_the_least_clock_that_dominates_both(
    a: VectorClock, b: VectorClock, c: VectorClock
) -> None:
    merged = a.merge(b)
    assert merged.dominates(a)
    assert merged.dominates(b)
    assert c.dominates(merged) == (c.dominates(a) and c.dominates(b))


@given(CLOCKS, CLOCKS, CLOCKS)
def test_domination_is_a_partial_order(a: VectorClock, b: VectorClock, c: VectorClock) -> None:
    assert a.dominates(a)
    assert not (a.dominates(b) and b.dominates(a)) or a == b
    assert not (a.dominates(b) and b.dominates(c)) or a.dominates(c)


@given(CLOCKS, CLOCKS)
def test_domination_is_the_order_of_the_merge(a: VectorClock, b: VectorClock) -> None:
    assert a.dominates(b) == (a.merge(b) == a)


@given(CLOCKS, CLOCKS)
def test_comparing_the_other_way_round_gives_the_opposite(a: VectorClock, b: VectorClock) -> None:
    opposite = {Ordering.BEFORE: Ordering.AFTER, Ordering.AFTER: Ordering.BEFORE}
    ordering = a.compare(b)
    assert b.compare(a) is opposite.get(ordering, ordering)
    assert (ordering is Ordering.EQUAL) == (a == b)


@given(CLOCKS, ORIGINS)
def test_advancing_makes_a_clock_that_comes_after(a: VectorClock, origin: NodeId) -> None:
    advanced = a.advance(origin)
    assert a.compare(advanced) is Ordering.BEFORE
    assert advanced[origin] == a.get(origin, 0) + 1
    assert {**advanced, origin: 0} == {**a, origin: 0}


@given(CLOCKS, CLOCKS)
def test_no_operation_changes_its_operands(a: VectorClock, b: VectorClock) -> None:
    before = dict(a), dict(b)
    a.merge(b)
    a.advance(A)
    a.compare(b)
    a.by_name()
    assert (dict(a), dict(b)) == before


@given(CLOCKS)
def test_equal_clocks_hash_alike_however_they_were_made(a: VectorClock) -> None:
    again = VectorClock(dict(reversed(list(a.items()))))
    assert a == again
    assert hash(a) == hash(again)


@given(CLOCKS)
def test_by_name_loses_nothing_and_is_sorted(a: VectorClock) -> None:
    named = a.by_name()
    assert list(named) == sorted(named)
    assert sorted(named.values()) == sorted(a.values())


@given(CLOCKS)
def test_by_name_does_not_depend_on_the_order_of_entries(a: VectorClock) -> None:
    again = VectorClock(dict(reversed(list(a.items()))))
    assert list(a.by_name().items()) == list(again.by_name().items())
    assert str(a) == str(again)


def test_counters_go_on_past_one() -> None:
    clock = BOTTOM
    for _ in range(5):
        clock = clock.advance(A)
    assert dict(clock) == {A: 5}


def test_a_smaller_received_value_does_not_overwrite_a_larger_own_one() -> None:
    assert VectorClock({A: 7}).merge(VectorClock({A: 3}))[A] == 7


def test_merging_keeps_entries_that_only_one_side_has() -> None:
    assert dict(VectorClock({A: 1}).merge(VectorClock({B: 2}))) == {A: 1, B: 2}


def test_disjoint_clocks_are_concurrent_and_not_equal() -> None:
    assert VectorClock({A: 1}).compare(VectorClock({B: 1})) is Ordering.CONCURRENT


def test_the_empty_clock_comes_before_every_other() -> None:
    assert BOTTOM.compare(VectorClock({A: 1})) is Ordering.BEFORE
    assert BOTTOM.compare(VectorClock()) is Ordering.EQUAL


def test_an_entry_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="start at 1"):
        VectorClock({A: 0})


def test_a_clock_is_not_changed_through_the_mapping_it_was_made_of() -> None:
    entries = {A: 1}
    clock = VectorClock(entries)
    entries[A] = 9
    assert clock[A] == 1


def test_an_entry_is_found_by_name_while_one_origin_has_it() -> None:
    clock = VectorClock({A: 1, SECOND_A: 2, B: 3})
    assert clock["b"] == 3
    with pytest.raises(KeyError, match="0 origins of this clock are named 'c'"):
        clock["c"]
    with pytest.raises(KeyError, match="2 origins of this clock are named 'a'"):
        clock["a"]


def test_a_clock_holds_its_origins_and_the_names_that_one_of_them_has() -> None:
    held: list[object] = [A, SECOND_A, B, "b"]
    absent: list[object] = [C, "a", "c", 5]
    clock = VectorClock({A: 1, SECOND_A: 2, B: 3})
    assert all(key in clock for key in held)
    assert not any(key in clock for key in absent)


def test_two_origins_of_one_name_are_labelled_with_their_short_tags() -> None:
    clock = VectorClock({A: 1, SECOND_A: 2, B: 3})
    assert clock.by_name() == {"a~000001": 1, "a~000002": 2, "b": 3}


def test_origins_with_one_short_tag_are_labelled_with_the_whole_tag() -> None:
    far = NodeId("a", 1 | 1 << 30)
    clock = VectorClock({A: 1, far: 2})
    assert clock.by_name() == {str(A): 1, str(far): 2}


def test_a_name_that_looks_like_a_label_is_told_apart() -> None:
    impostor = NodeId("a~000001", 5)
    assert len(VectorClock({A: 1, SECOND_A: 2, impostor: 3}).by_name()) == 3


def test_a_clock_prints_as_braces_of_labels() -> None:
    assert str(VectorClock({B: 2, A: 1})) == "{a:1 b:2}"
    assert repr(VectorClock({A: 1})) == "VectorClock({a:1})"


def test_a_clock_does_not_equal_a_plain_mapping() -> None:
    assert VectorClock({A: 1}) != {A: 1}
