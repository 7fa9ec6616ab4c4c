from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from protocol.core.identity import Address, NodeId
from protocol.core.strategy import HealSwap, PeerSelection, ViewSelection
from protocol.core.view import AGE_LIMIT, Descriptor, PartialView

BLIND = HealSwap(0, 0)
OWN = 0


class RandomAlone(random.Random):
    """Dice whose only stable face may be used."""

    def getrandbits(self, k: int, /) -> int:
        raise AssertionError(f"only random() is stable across versions, not getrandbits({k})")


def node(number: int, incarnation: int = 1) -> NodeId:
    return NodeId(f"p{number}", incarnation)


def place(number: int) -> Address:
    return Address("10.0.0.1", 7000 + number)


def known(number: int, age: int = 0, incarnation: int = 1) -> Descriptor:
    return Descriptor(node(number, incarnation), place(number), age)


def view_of(*descriptors: Descriptor, size: int = 20, seed: int = 1) -> PartialView:
    view = PartialView(node(OWN), place(OWN), size, RandomAlone(seed))
    for descriptor in descriptors:
        view.add(descriptor)
    return view


def many(numbers: Iterable[int], age: int = 0) -> list[Descriptor]:
    return [known(number, age) for number in numbers]


def ids(numbers: Iterable[int]) -> set[NodeId]:
    return {node(number) for number in numbers}


def held(view: PartialView) -> set[NodeId]:
    return {descriptor.id for descriptor in view}


# Reading


def test_an_empty_view_has_nobody_to_offer() -> None:
    view = view_of()
    assert len(view) == 0
    assert view.descriptors() == ()
    assert view.buffer(9, 1) == ()
    assert view.sample(4) == []
    assert [view.select_peer(selection) for selection in PeerSelection] == [None, None, None]


def test_a_descriptor_is_found_by_id_and_by_address() -> None:
    view = view_of(known(1, age=3))
    assert node(1) in view
    assert view.get(node(1)) == view.at(place(1)) == known(1, age=3)
    assert node(2) not in view
    assert view.get(node(2)) is None
    assert view.at(place(2)) is None


def test_descriptors_are_sorted_by_age_and_then_by_id() -> None:
    view = view_of(known(3, age=5), known(2, age=1), known(1, age=5))
    assert view.descriptors() == (known(2, age=1), known(1, age=5), known(3, age=5))


def test_ageing_adds_one_to_every_descriptor() -> None:
    view = view_of(known(1, age=0), known(2, age=7))
    view.increase_age()
    view.increase_age()
    assert view.descriptors() == (known(1, age=2), known(2, age=9))


def test_a_descriptor_that_comes_after_ageing_keeps_the_age_it_came_with() -> None:
    view = view_of(known(1))
    view.increase_age()
    view.merge([known(2, age=4)], (), BLIND)
    assert view.descriptors() == (known(1, age=1), known(2, age=4))


# Who may be in a view


def test_the_own_id_is_dropped_at_any_address() -> None:
    view = view_of()
    assert view.merge([Descriptor(node(OWN), place(5), 0)], (), BLIND) == ((), ())
    assert len(view) == 0


def test_whoever_claims_the_own_address_is_dropped() -> None:
    view = view_of()
    view.merge([Descriptor(node(5, incarnation=99), place(OWN), 0)], (), BLIND)
    assert len(view) == 0


def test_a_known_node_that_claims_the_own_address_is_not_believed() -> None:
    view = view_of(known(1, age=5))
    view.merge([Descriptor(node(1), place(OWN), 0)], (), BLIND)
    assert view.descriptors() == (known(1, age=5),)


def test_the_own_id_at_the_address_of_another_node_does_not_drive_that_out() -> None:
    view = PartialView(node(OWN, 5), place(OWN), 20, RandomAlone(1))
    view.merge([known(1), Descriptor(node(OWN, 5), place(1), 0)], (), BLIND)
    assert list(view) == [known(1)]
    view.check()


def test_a_newly_assigned_own_id_or_address_leaves_the_view() -> None:
    view = view_of(known(1), known(2), known(3))
    view.own_id = node(1)
    view.own_address = place(2)
    assert view.descriptors() == (known(3),)
    view.check()


def test_a_view_that_does_not_know_its_address_takes_every_other_node() -> None:
    view = PartialView(node(OWN), None, 20, RandomAlone(1))
    view.add(known(1))
    assert view.descriptors() == (known(1),)


@pytest.mark.parametrize(("old", "new", "kept"), [(5, 2, 2), (2, 5, 2), (3, 3, 3)])
def test_of_twins_the_younger_stays(old: int, new: int, kept: int) -> None:
    view = view_of(known(1, age=old))
    view.merge([known(1, age=new)], (), BLIND)
    assert view.descriptors() == (known(1, age=kept),)


def test_of_twins_in_one_buffer_the_younger_stays() -> None:
    view = view_of()
    view.merge([known(1, age=4), known(1, age=2), known(1, age=3)], (), BLIND)
    assert view.descriptors() == (known(1, age=2),)


@pytest.mark.parametrize("first", [1, 2])
def test_of_two_nodes_at_one_address_the_larger_incarnation_stays(first: int) -> None:
    earlier, later = known(1, age=0, incarnation=1), known(1, age=9, incarnation=2)
    both = [earlier, later] if first == 1 else [later, earlier]
    view = view_of()
    view.merge(both, (), BLIND)
    assert view.descriptors() == (later,)


def test_an_old_incarnation_does_not_come_back_over_the_new_one() -> None:
    view = view_of(known(1, age=50, incarnation=2))
    assert view.merge([known(1, age=0, incarnation=1)], (), BLIND) == ((), ())
    assert view.descriptors() == (known(1, age=50, incarnation=2),)


def test_two_nodes_of_one_name_at_different_addresses_are_two() -> None:
    twin = Descriptor(NodeId("p1", 2), place(2), 0)
    assert set(view_of(known(1), twin)) == {known(1), twin}


def test_a_node_that_moved_is_known_at_its_new_address_only() -> None:
    view = view_of(known(1, age=5))
    moved = Descriptor(node(1), place(9), 1)
    view.merge([moved], (), BLIND)
    assert view.at(place(9)) == moved
    assert view.at(place(1)) is None
    view.check()


def test_an_older_copy_with_another_address_changes_nothing() -> None:
    view = view_of(known(1, age=1), known(2, age=1))
    view.merge([Descriptor(node(1), place(2), 5)], (), BLIND)
    assert view.descriptors() == (known(1, age=1), known(2, age=1))


@pytest.mark.parametrize(("told", "taken"), [(AGE_LIMIT, AGE_LIMIT), (1 << 70, AGE_LIMIT), (-5, 0)])
def test_an_impossible_age_is_taken_as_the_nearest_possible_one(told: int, taken: int) -> None:
    assert view_of(known(1, age=told)).descriptors() == (known(1, age=taken),)


def test_no_age_above_the_limit_is_told() -> None:
    view = view_of(known(1, age=AGE_LIMIT))
    view.increase_age()
    assert view.buffer(1, 0) == (known(1, age=AGE_LIMIT),)


# Choosing


def test_head_is_the_youngest_and_tail_the_oldest() -> None:
    view = view_of(known(1, age=4), known(2, age=1), known(3, age=8), known(4, age=5))
    assert view.select_peer(PeerSelection.HEAD) == known(2, age=1)
    assert view.select_peer(PeerSelection.TAIL) == known(3, age=8)


@pytest.mark.parametrize(
    ("selection", "tied"),
    [
        (PeerSelection.HEAD, {1, 2, 3}),
        (PeerSelection.TAIL, {4, 5, 6}),
        (PeerSelection.RAND, set(range(1, 8))),
    ],
)
def test_every_tied_peer_is_selected_about_as_often(selection: PeerSelection, tied: set[int]) -> None:
    view = view_of(*many([1, 2, 3], age=2), *many([4, 5, 6], age=9), known(7, age=5))
    chosen = Counter(peer.id for _ in range(600) if (peer := view.select_peer(selection)))
    assert chosen.keys() == ids(tied)
    assert min(chosen.values()) > 0.6 * 600 / len(tied)


def test_a_sample_holds_different_nodes_and_none_of_the_excluded() -> None:
    view = view_of(*many(range(1, 11)))
    for _ in range(50):
        sample = [descriptor.id for descriptor in view.sample(4, exclude={node(3), node(4)})]
        assert len(set(sample)) == 4
        assert not set(sample) & ids([3, 4])


def test_a_sample_of_more_than_there_are_is_all_of_them() -> None:
    view = view_of(*many([1, 2, 3]))
    assert set(view.sample(9, exclude=[node(2)])) == {known(1), known(3)}
    assert view.sample(9, exclude=ids([1, 2, 3])) == []
    assert view.sample(0) == []


def test_every_node_is_sampled_about_as_often() -> None:
    view = view_of(*many(range(1, 11)))
    drawn = Counter(descriptor.id for _ in range(500) for descriptor in view.sample(4))
    assert len(drawn) == 10
    assert 160 < min(drawn.values()) <= max(drawn.values()) < 240


def test_a_buffer_leaves_the_view_as_it_is() -> None:
    view = view_of(*many(range(1, 11)))
    before = list(view)
    assert len(set(view.buffer(4, 2))) == 4
    assert list(view) == before


def test_a_buffer_never_holds_the_oldest_while_there_are_others() -> None:
    view = view_of(*(known(number, age=number) for number in range(1, 21)))
    sent = Counter(node_id for _ in range(300) for node_id, _, _ in view.buffer(9, 10))
    assert sent.keys() == ids(range(1, 11))
    assert min(sent.values()) > 240


def test_a_buffer_is_filled_up_from_the_oldest_where_others_are_few() -> None:
    view = view_of(*(known(number, age=number) for number in range(1, 7)))
    for _ in range(20):
        sent = {node_id for node_id, _, _ in view.buffer(4, 3)}
        assert len(sent) == 4
        assert sent > ids([1, 2, 3])


def test_a_buffer_of_a_small_view_holds_all_of_it() -> None:
    view = view_of(*many([1, 2, 3]))
    assert set(view.buffer(9, 10)) == set(view)


def test_ties_at_the_edge_of_the_oldest_fall_at_random() -> None:
    view = view_of(*many(range(1, 5), age=3))
    left_out = Counter(
        (ids(range(1, 5)) - {node_id for node_id, _, _ in view.buffer(3, 1)}).pop() for _ in range(200)
    )
    assert len(left_out) == 4


def test_the_order_of_a_buffer_is_random() -> None:
    view = view_of(*many(range(1, 5)))
    assert len({view.buffer(1, 0) for _ in range(100)}) == 4


# Merging


def test_a_merge_that_fits_drops_nobody() -> None:
    view = view_of(*many(range(1, 11)))
    sent = view.buffer(9, 1)
    change = view.merge(many(range(11, 21)), sent, HealSwap(1, 9))
    assert held(view) == ids(range(1, 21))
    assert change == (tuple(map(node, range(11, 21))), ())


def test_removals_stop_as_soon_as_the_view_fits() -> None:
    view = view_of(*(known(number, age=number) for number in range(1, 21)))
    view.merge(many([21, 22]), many(range(1, 10)), HealSwap(5, 5))
    assert held(view) == ids(range(1, 23)) - ids([19, 20])


def test_healing_drops_the_oldest_wherever_they_come_from() -> None:
    view = view_of(*(known(number, age=number) for number in range(1, 5)), size=4)
    view.merge([known(5, age=9), known(6, age=0)], (), HealSwap(2, 0))
    assert held(view) == ids([1, 2, 3, 6])


def test_swapping_drops_what_was_sent_and_keeps_what_came() -> None:
    view = view_of(*many(range(1, 7)), size=6)
    view.merge(many([7, 8, 9]), many([2, 4, 6]), HealSwap(0, 3))
    assert held(view) == ids([1, 3, 5, 7, 8, 9])


def test_healing_comes_before_swapping() -> None:
    view = view_of(*(known(number, age=number) for number in range(1, 7)), size=6)
    view.merge(many([7, 8, 9]), many([1, 2, 6]), HealSwap(1, 2))
    assert held(view) == ids([3, 4, 5, 7, 8, 9])


def test_at_most_s_of_those_sent_are_swapped_out() -> None:
    for seed in range(20):
        view = view_of(*many(range(1, 7)), size=6, seed=seed)
        view.merge(many([7, 8, 9]), many([1, 2]), HealSwap(0, 1))
        assert node(1) not in view, seed


def test_what_the_peer_refreshed_is_not_swapped_out() -> None:
    view = view_of(*many(range(1, 7), age=5), size=6)
    view.merge([known(7), known(1, age=2)], many([1, 2]), HealSwap(0, 3))
    assert held(view) == ids([1, 3, 4, 5, 6, 7])
    assert view.get(node(1)) == known(1, age=2)


@pytest.mark.parametrize("age", [1, 5])
def test_a_copy_no_younger_than_the_own_one_does_not_save_what_was_sent(age: int) -> None:
    view = view_of(*many(range(1, 7), age=1), size=6)
    view.merge([known(7), known(1, age=age)], many([1]), HealSwap(0, 1))
    assert held(view) == ids(range(2, 8))


def test_a_sent_node_that_left_in_the_meantime_is_not_missed() -> None:
    view = view_of(*many(range(1, 7)), size=6)
    sent = view.buffer(2, 0)
    view.remove(sent[0][0])
    view.merge(many([7, 8]), sent, HealSwap(0, 3))
    assert held(view) == ids(range(1, 9)) - {node_id for node_id, _, _ in sent}


def test_what_comes_after_a_shuffle_takes_the_place_of_its_head_push_by_push() -> None:
    view = view_of(*many(range(1, 13)), size=12)
    told = view.shuffle(4, 0)
    order = view.ids()
    assert [node_id for node_id, _, _ in told] == order[:4]
    for push in range(3):
        view.merge(many(range(20 + 4 * push, 24 + 4 * push)), None, HealSwap(0, 4))
        assert held(view) & ids(range(1, 13)) == set(order[4 + 4 * push :])
    view.merge(many(range(40, 44)), None, HealSwap(0, 4))
    assert held(view) == ids((*range(24, 32), *range(40, 44))), "then of those that came first"


def test_a_shuffle_tells_the_same_as_a_buffer_and_puts_the_oldest_at_the_end() -> None:
    view = view_of(*(known(number, age=number) for number in range(1, 13)), size=12)
    told = [view.shuffle(5, 3) for _ in range(100)]
    assert {node_id for one in told for node_id, _, _ in one} == ids(range(1, 10))
    assert set(view.ids()[-3:]) == ids([10, 11, 12])
    assert len({one[0] for one in told}) == 9
    assert held(view) == ids(range(1, 13))


def test_a_view_no_larger_than_its_oldest_is_told_in_any_order() -> None:
    view = view_of(*many(range(1, 5)), size=20)
    told = [tuple(node_id for node_id, _, _ in view.shuffle(2, 10)) for _ in range(300)]
    assert len(set(told)) == 12, "every two, in both orders"


def test_a_younger_descriptor_moves_its_node_to_the_end() -> None:
    view = view_of(*many(range(1, 5), age=5), size=4)
    view.merge([known(1, age=2), known(3, age=9)], None, HealSwap(0, 2))
    assert view.ids() == [node(number) for number in (2, 3, 4, 1)]


def test_a_blind_merge_drops_anybody_about_as_often() -> None:
    kept: Counter[NodeId] = Counter()
    view = view_of(size=10)
    for _ in range(400):
        for descriptor in list(view):
            view.remove(descriptor.id)
        view.merge(many(range(1, 21)), (), BLIND)
        kept.update(held(view))
    assert len(kept) == 20
    assert 150 < min(kept.values()) <= max(kept.values()) < 250


def test_the_view_selections_of_2004_keep_the_youngest_the_oldest_or_any() -> None:
    before = [known(number, age=number) for number in range(1, 5)]
    kept = {}
    for selection in ViewSelection:
        view = view_of(*before, size=4)
        view.merge([known(5, age=0), known(6, age=9)], before, selection)
        kept[selection] = held(view)
    assert kept[ViewSelection.HEAD] == ids([5, 1, 2, 3])
    assert kept[ViewSelection.TAIL] == ids([6, 4, 3, 2])
    assert len(kept[ViewSelection.RAND]) == 4


def test_a_merge_tells_who_joined_and_who_parted() -> None:
    view = view_of(known(1, age=9), known(2, age=1), size=2)
    assert view.merge([known(3, age=0), known(2, age=0)], (), HealSwap(1, 0)) == ((node(3),), (node(1),))


def test_a_newcomer_that_is_dropped_at_once_neither_joined_nor_parted() -> None:
    view = view_of(known(1), known(2), size=2)
    assert view.merge([known(3, age=9)], (), HealSwap(1, 0)) == ((), ())


def test_a_node_that_lost_its_address_and_came_back_at_another_neither_joined_nor_parted() -> None:
    view = view_of(known(1, age=3))
    usurper = Descriptor(node(2, incarnation=2), place(1), 0)
    back = Descriptor(node(1), place(9), 3)
    assert view.merge([usurper, back, known(4)], (), BLIND) == ((usurper.id, node(4)), ())
    assert set(view) == {usurper, back, known(4)}


def test_an_empty_buffer_changes_nothing() -> None:
    view = view_of(*many(range(1, 5)), size=4)
    assert view.merge((), view.buffer(2, 1), HealSwap(1, 1)) == ((), ())
    assert held(view) == ids(range(1, 5))


# Adding and removing


def test_adding_to_a_full_view_makes_room_and_keeps_the_newcomer() -> None:
    for seed in range(30):
        view = view_of(*many([1, 2, 3]), size=3, seed=seed)
        joined, parted = view.add(known(4))
        assert joined == (node(4),), seed
        assert held(view) == ids([1, 2, 3, 4]) - set(parted), seed
        assert len(view) == 3, seed


def test_a_node_once_trimmed_can_be_added_again() -> None:
    view = view_of(known(1), size=1)
    view.add(known(2))
    assert view.add(known(1)) == ((node(1),), (node(2),))


def test_removing_returns_what_was_known() -> None:
    view = view_of(known(1, age=3), known(2))
    assert view.remove(node(1)) == known(1, age=3)
    assert view.remove(node(1)) is None
    assert held(view) == ids([2])
    assert view.at(place(1)) is None


def test_adding_the_own_current_view_changes_nothing() -> None:
    view = view_of(*many(range(1, 6)), size=5)
    before = view.descriptors()
    for descriptor in view:
        assert view.add(descriptor) == ((), ())
    assert view.descriptors() == before


def test_the_same_seed_makes_the_same_choices() -> None:
    def choices() -> list[object]:
        view = view_of(*many(range(1, 21)), seed=7)
        sent = view.buffer(9, 1)
        change = view.merge(many(range(21, 31)), sent, HealSwap(1, 9))
        return [sent, change, view.sample(4), view.select_peer(PeerSelection.RAND)]

    assert choices() == choices()


def test_check_notices_a_broken_view() -> None:
    view = view_of(known(1), known(2))
    view.check()
    view._holders[place(7)] = node(1)
    with pytest.raises(AssertionError):
        view.check()


# Laws

SELECTIONS = st.one_of(
    st.sampled_from(ViewSelection),
    st.tuples(st.integers(0, 2), st.integers(0, 2)).map(lambda pair: HealSwap(*pair)),
)
DESCRIPTORS = st.builds(known, st.integers(0, 15), st.integers(0, 12))
STRANGERS = st.builds(
    Descriptor,
    st.builds(node, st.integers(0, 6), st.integers(1, 3)),
    st.builds(place, st.integers(0, 6)),
    st.integers(-3, 1 << 64),
)


@given(st.lists(DESCRIPTORS, max_size=8), st.lists(DESCRIPTORS, max_size=12), st.integers(1, 8), SELECTIONS)
def test_a_merge_keeps_the_youngest_copies_and_is_as_full_as_it_can_be(
    first: list[Descriptor], received: list[Descriptor], size: int, rule: HealSwap | ViewSelection
) -> None:
    view = view_of(*first, size=size)
    known_before = {descriptor.id: descriptor.age for descriptor in view}
    sent = view.buffer(size // 2, 1)
    view.merge(received, sent, rule)
    youngest = dict(known_before)
    for descriptor in received:
        youngest[descriptor.id] = min(descriptor.age, youngest.get(descriptor.id, descriptor.age))
    youngest.pop(node(OWN), None)
    assert len(view) == min(size, len(youngest))
    assert all(youngest[descriptor.id] == descriptor.age for descriptor in view)


class ViewMachine(RuleBasedStateMachine):
    """Any operations in any order, with strangers that claim any name, address and age."""

    @initialize(size=st.integers(1, 6), seed=st.integers(0, 99))
    def start(self, size: int, seed: int) -> None:
        self.view = view_of(size=size, seed=seed)

    @rule(
        received=st.lists(STRANGERS, max_size=8),
        sent=st.none() | st.lists(STRANGERS, max_size=4, unique_by=attrgetter("id")),
        selection=SELECTIONS,
    )
    def merge(
        self, received: list[Descriptor], sent: list[Descriptor] | None, selection: HealSwap | ViewSelection
    ) -> None:
        before = held(self.view)
        told = self.view.buffer(2, 1) if sent == [] else sent
        joined, parted = self.view.merge(received, told, selection)
        after = held(self.view)
        assert (set(joined), set(parted)) == (after - before, before - after)
        assert len(joined) + len(parted) == len(after ^ before)

    @rule(descriptor=STRANGERS)
    def add(self, descriptor: Descriptor) -> None:
        before = held(self.view)
        joined, parted = self.view.add(descriptor)
        assert held(self.view) == (before | set(joined)) - set(parted)

    @rule(descriptor=STRANGERS)
    def remove(self, descriptor: Descriptor) -> None:
        self.view.remove(descriptor.id)
        assert descriptor.id not in self.view

    @rule(own=STRANGERS)
    def become(self, own: Descriptor) -> None:
        self.view.own_id, self.view.own_address = own.id, own.address

    @rule(count=st.integers(0, 8), heal=st.integers(0, 8))
    def choose(self, count: int, heal: int) -> None:
        size = min(count, len(self.view))
        assert len(set(self.view.buffer(count, heal))) == size
        assert len(set(self.view.shuffle(count, heal))) == size
        assert len(set(self.view.sample(count))) == size

    @rule()
    def age(self) -> None:
        self.view.increase_age()

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "view"):
            self.view.check()


TestAnyOperationsKeepTheInvariants = ViewMachine.TestCase
