from __future__ import annotations

from itertools import count, islice

from hypothesis import given
from hypothesis import strategies as st

from protocol.core.identity import NodeId
from protocol.core.stamps import NO_STAMPS, SHARED_LEAF_SIZE, Stamp, Stamps, shared_leaf, stamps_of

NODES = [NodeId(f"n{number}", 1) for number in range(40)]
STAMPS = st.builds(
    lambda node, number: (number, 2 * number, NODES[node]), st.integers(0, 39), st.integers(1, 9)
)
LISTS = st.lists(STAMPS, max_size=60, unique_by=lambda stamp: stamp[2])


def plain(stamps: Stamps) -> dict[NodeId, int]:
    return {stamp[2]: stamp[0] for _, stamp in stamps}


@given(LISTS, LISTS)
def test_a_merge_has_the_later_entry_of_every_origin_and_changes_neither_side(
    left: list[Stamp], right: list[Stamp]
) -> None:
    one, other = stamps_of(left), stamps_of(right)
    merged = one.merge(other)
    expected = {stamp[2]: stamp[0] for stamp in left}
    for sequence, _, node in right:
        expected[node] = max(sequence, expected.get(node, 0))
    assert plain(merged) == expected
    assert len(merged) == len(expected)
    assert plain(one) == {stamp[2]: stamp[0] for stamp in left}
    assert plain(other) == {stamp[2]: stamp[0] for stamp in right}
    assert plain(other.merge(one)) == expected


@given(st.lists(LISTS, min_size=1, max_size=6))
def test_any_number_of_clocks_are_merged_at_once(contents: list[list[Stamp]]) -> None:
    first, *others = [stamps_of(content) for content in contents]
    expected: dict[NodeId, int] = {}
    for sequence, _, node in [stamp for content in contents for stamp in content]:
        expected[node] = max(sequence, expected.get(node, 0))
    assert plain(first.merge(*others)) == expected


def test_what_follows_the_same_messages_shares_all_it_has_of_them_in_whatever_order_it_names_them() -> None:
    before = stamps_of((1, 1, node) for node in NODES)
    round_of_all = [before.put(node.key, (2, 2, node)) for node in NODES]
    clocks = []
    for number, node in enumerate(NODES):
        first, *others = round_of_all[number:] + round_of_all[:number]
        clocks.append(first.merge(*others).put(node.key, (3, 3, node)))
    leaves = [[leaf for branch in clock._root.parts for leaf in branch.parts] for clock in clocks]
    for other in leaves[1:]:
        assert sum(one is not two for one, two in zip(leaves[0], other, strict=True)) <= 2


def test_a_leaf_that_only_keys_made_alike_can_fill_is_not_remembered() -> None:
    made_alike = (node for number in count() if (node := NodeId(f"alike{number}", 1)).key[0] == 7)
    nodes = [*islice(made_alike, SHARED_LEAF_SIZE // 2 + 1)]
    before = shared_leaf.cache_info().misses
    whole = stamps_of((1, 1, node) for node in nodes)
    assert shared_leaf.cache_info().misses == before
    without_one = stamps_of((1, 1, node) for node in nodes[1:])
    assert shared_leaf.cache_info().misses == before + 1
    assert whole.merge(without_one) is whole


@given(LISTS)
def test_a_merge_that_adds_nothing_is_one_of_its_sides(content: list[Stamp]) -> None:
    whole = stamps_of(content)
    part = stamps_of(content[::2])
    assert whole.merge(part) is whole
    assert whole.merge(whole) is whole
    assert plain(part.merge(whole)) == plain(whole)
    assert NO_STAMPS.merge(whole) is (whole if content else NO_STAMPS)


@given(LISTS, STAMPS)
def test_putting_one_entry_leaves_the_rest_and_the_original(content: list[Stamp], stamp: Stamp) -> None:
    before = stamps_of(content)
    after = before.put(stamp[2].key, stamp)
    assert plain(after) == {**plain(before), stamp[2]: stamp[0]}
    assert after.get(stamp[2].key) == stamp
    assert plain(before) == {one[2]: one[0] for one in content}


@given(LISTS, st.integers(0, 50))
def test_a_cut_keeps_the_deepest_and_of_equal_depths_the_larger_origins(
    content: list[Stamp], limit: int
) -> None:
    kept = sorted(content, key=lambda stamp: (stamp[1], stamp[2]))[max(0, len(content) - limit) :]
    assert plain(stamps_of(content).cut(limit)) == {stamp[2]: stamp[0] for stamp in kept}
