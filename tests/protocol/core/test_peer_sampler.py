"""Rounds without repeats over a view that changes meanwhile."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from protocol.core.identity import Address, NodeId
from protocol.core.peer_sampler import PeerSampler
from protocol.core.view import Descriptor, PartialView
from protocol.errors import ConfigError

OWN = NodeId("own", 1)


def peer(number: int) -> Descriptor:
    return Descriptor(NodeId(f"n{number}", 1), Address(f"10.0.0.{number}", 7117), 0)


def view_of(size: int, view_size: int = 20) -> PartialView:
    view = PartialView(OWN, Address("10.0.1.1", 7117), view_size, random.Random(1))
    for number in range(size):
        view.add(peer(number))
    return view


def sampler_of(size: int, seed: int = 1) -> PeerSampler:
    return PeerSampler(view_of(size), random.Random(seed).random)


def names(descriptors: tuple[Descriptor, ...]) -> list[str]:
    return [descriptor.id.name for descriptor in descriptors]


@given(st.integers(0, 20), st.integers(0, 50))
def test_an_answer_holds_as_many_different_peers_as_there_are_or_were_asked_for(size: int, k: int) -> None:
    answer = sampler_of(size).sample(k)
    assert len({descriptor.id for descriptor in answer}) == len(answer) == min(size, k)


def test_single_questions_go_through_the_view_in_rounds() -> None:
    sampler = sampler_of(7)
    asked = [names(sampler.sample(1))[0] for _ in range(21)]
    for begin in (0, 7, 14):
        assert sorted(asked[begin : begin + 7]) == [f"n{number}" for number in range(7)]


def test_an_answer_that_ends_a_round_is_filled_up_from_the_next_one_without_twins() -> None:
    sampler = sampler_of(5)
    first, second = names(sampler.sample(3)), names(sampler.sample(3))
    assert len(set(second)) == 3
    assert set(first) | set(second[:2]) == {"n0", "n1", "n2", "n3", "n4"}
    assert second[2] in first
    assert second[2] not in names(sampler.sample(4)), "the round that began within the answer goes on"


def test_asking_for_more_than_there_is_gives_everybody_each_time() -> None:
    sampler = sampler_of(4)
    for _ in range(3):
        assert sorted(names(sampler.sample(100))) == ["n0", "n1", "n2", "n3"]


def test_an_empty_view_has_nobody_to_give() -> None:
    assert sampler_of(0).sample(3) == ()


def test_asking_for_nobody_changes_nothing() -> None:
    sampler = sampler_of(3)
    before = names(sampler.sample(2))
    assert sampler.sample(0) == ()
    assert names(sampler.sample(1))[0] not in before


@pytest.mark.parametrize("k", [-1, 1.0, "3", None, True])
def test_a_number_that_is_none_is_refused_by_its_value_and_nothing_is_given(k: object) -> None:
    sampler = sampler_of(2)
    with pytest.raises(ConfigError, match=f"k must be a whole number of at least 0, not {k}"):
        sampler.sample(k)  # type: ignore[arg-type]
    assert len({*sampler.sample(1), *sampler.sample(1)}) == 2


def test_a_newcomer_takes_part_in_the_round_under_way() -> None:
    view = view_of(3)
    sampler = PeerSampler(view, random.Random(1).random)
    sampler.sample(2)
    view.add(peer(9))
    assert "n9" in names(sampler.sample(2))
    assert len(set(names(sampler.sample(4)))) == 4


def test_a_newcomer_between_two_rounds_has_its_turn_before_anybody_has_another() -> None:
    view = view_of(3)
    sampler = PeerSampler(view, random.Random(1).random)
    sampler.sample(3)
    view.add(peer(9))
    assert names(sampler.sample(1)) == ["n9"]
    assert "n9" not in names(sampler.sample(3)), "that was its turn in the new round"


def test_nobody_waits_for_those_who_left() -> None:
    view = view_of(4)
    sampler = PeerSampler(view, random.Random(1).random)
    given_already = sampler.sample(2)
    left = next(descriptor for descriptor in view if descriptor not in given_already)
    view.remove(left.id)
    assert len({*given_already, *sampler.sample(1)}) == 3
    assert sampler.sample(1)[0] in given_already, "the round is over"


def test_who_left_and_was_forgotten_is_a_newcomer_when_it_is_back() -> None:
    view = view_of(3)
    sampler = PeerSampler(view, random.Random(1).random)
    (gone,) = sampler.sample(1)
    view.remove(gone.id)
    sampler.sample(1)
    view.add(gone)
    assert sampler.sample(1) == (gone,)


def test_ages_are_those_of_the_moment() -> None:
    view = view_of(1)
    sampler = PeerSampler(view, random.Random(1).random)
    view.increase_age()
    assert sampler.sample(1)[0].age == 1


def test_every_order_of_a_round_is_as_likely_as_any_other() -> None:
    orders = Counter(tuple(names(sampler_of(3, seed).sample(3))) for seed in range(1200))
    assert len(orders) == 6
    assert sum((count - 200) ** 2 / 200 for count in orders.values()) < 16  # chi-square, 5 degrees, p < 1 %


def test_the_same_dice_give_the_same_answers() -> None:
    assert [sampler_of(20, 3).sample(7) for _ in range(2)] == [sampler_of(20, 3).sample(7)] * 2


class Rounds(RuleBasedStateMachine):
    """Peers come, leave and are asked for in any order; the rounds are kept by hand beside the sampler."""

    def __init__(self) -> None:
        super().__init__()
        self.view = view_of(5, view_size=8)
        self.sampler = PeerSampler(self.view, random.Random(1).random)
        self.had_a_turn: set[NodeId] = set()

    @rule(number=st.integers(0, 15))
    def come(self, number: int) -> None:
        self.view.add(peer(number))

    @rule(number=st.integers(0, 15))
    def leave(self, number: int) -> None:
        self.view.remove(peer(number).id)

    @rule(k=st.integers(0, 10))
    def ask(self, k: int) -> None:
        answer = self.sampler.sample(k)
        assert len(answer) == min(k, len(self.view))
        assert len(set(answer)) == len(answer)
        assert set(answer) <= set(self.view)
        here = {descriptor.id for descriptor in self.view}
        self.end_round_of(here)
        for descriptor in answer:
            assert descriptor.id not in self.had_a_turn, "again before everybody had a turn"
            self.had_a_turn.add(descriptor.id)
            self.end_round_of(here)

    def end_round_of(self, here: set[NodeId]) -> None:
        self.had_a_turn &= here
        if self.had_a_turn == here:
            self.had_a_turn.clear()


TestRounds = Rounds.TestCase
