"""Causal delivery by one order, without a network: what is delivered, held back, refused, and given up."""

from __future__ import annotations

import random
from itertools import permutations

import pytest

from protocol.core.causal import DEPTH_WINDOW, FRONTIER_LIMIT, SEQUENCE_WINDOW, CausalOrder, Reception
from protocol.core.config import Config
from protocol.core.events import Gap, Undeliverable
from protocol.core.hold_back import WAITER_LIMIT
from protocol.core.identity import Address, Dot, NodeId
from protocol.core.messages import KeyDot, Range, Rumor
from protocol.core.outbox import Outbox

from .wiring import EPOCH, messages_of, node_id, rumor

A, B, C = node_id("a"), node_id("b"), node_id("c")
SOURCE = Address("10.0.0.9", 9)


class Order:
    """A causal order with its outbox, checked after every input."""

    def __init__(self, config: Config | None = None) -> None:
        self.causal = CausalOrder(config or Config())
        self.out = Outbox()

    def take(self, *rumors: Rumor, now: float = 0.0, from_history: bool = False) -> list[Reception]:
        receptions = [
            self.causal.receive(one, SOURCE, now, self.out, from_history=from_history) for one in rumors
        ]
        self.causal.check()
        return receptions

    def send(self, author: NodeId, text: str = "x", now: float = 0.0) -> Rumor:
        entry = self.causal.send(author, text.encode(), now, EPOCH, self.out)
        self.causal.check()
        return entry.rumor(0)

    @property
    def delivered(self) -> list[Dot]:
        return [message.id for message in messages_of(self.out)]

    def told(self, kind: type) -> list[object]:
        return [event for event in self.out.events if isinstance(event, kind)]


def chain(origin: NodeId, count: int, first: int = 1) -> list[Rumor]:
    return [rumor(origin, sequence, sequence) for sequence in range(first, first + count)]


def conversation() -> list[Rumor]:
    """a1 -> b1 -> a2, c1 concurrent with all of them, then b2 after everything."""
    return [
        rumor(A, 1, 1),
        rumor(B, 1, 2, ((A.key, 1),)),
        rumor(A, 2, 3, ((B.key, 1),)),
        rumor(C, 1, 1),
        rumor(B, 2, 4, ((A.key, 2), (C.key, 1))),
    ]


def test_every_arrival_order_with_duplicates_delivers_each_message_once_after_its_past() -> None:
    dice = random.Random(1)
    expected = {Dot(one.origin, one.sequence) for one in conversation()}
    for order in permutations(conversation()):
        doubled = [copy for one in order for copy in [one] * (1 + (dice.random() < 0.5))]
        node = Order()
        node.take(*doubled)
        assert set(node.delivered) == expected
        assert len(node.delivered) == len(expected)
        place = {dot: index for index, dot in enumerate(node.delivered)}
        assert place[Dot(A, 1)] < place[Dot(B, 1)] < place[Dot(A, 2)] < place[Dot(B, 2)]
        assert place[Dot(C, 1)] < place[Dot(B, 2)]
        assert messages_of(node.out)[-1].clock.by_name() == {"a": 2, "b": 2, "c": 1}


def test_a_message_seen_twice_is_a_duplicate_whether_delivered_or_held() -> None:
    node = Order()
    assert node.take(rumor(A, 1), rumor(A, 1)) == [Reception.NEW, Reception.DUPLICATE]
    assert node.take(rumor(A, 3, 3), rumor(A, 3, 3)) == [Reception.NEW, Reception.DUPLICATE]
    assert node.delivered == [Dot(A, 1)]


def test_the_same_text_twice_is_two_messages() -> None:
    node = Order()
    node.take(rumor(A, 1, 1, text="hello"), rumor(A, 2, 2, text="hello"))
    assert [message.text for message in messages_of(node.out)] == ["hello", "hello"]


def test_a_sequence_just_within_the_window_is_held_and_one_beyond_is_not() -> None:
    node = Order()
    assert node.take(rumor(A, SEQUENCE_WINDOW, 9)) == [Reception.NEW]
    assert node.take(rumor(A, SEQUENCE_WINDOW + 1, 9)) == [Reception.TOO_FAR]
    assert len(node.causal.holding) == 1


def test_a_hole_of_any_width_is_one_range() -> None:
    node = Order()
    node.take(rumor(B, 1, 5, ((A.key, 1 << 47),)))
    origin = node.causal.origins[A.key]
    assert origin.missing_ranges(16) == [Range(A.key, 1, 1 << 47)]


def test_holes_are_named_lowest_first_around_what_is_held() -> None:
    node = Order()
    node.take(rumor(A, 2, 2), rumor(A, 5, 5), rumor(A, 6, 6))
    assert node.causal.origins[A.key].missing_ranges(16) == [Range(A.key, 1, 1), Range(A.key, 3, 4)]
    assert node.causal.origins[A.key].missing_ranges(1) == [Range(A.key, 1, 1)]


@pytest.mark.parametrize(("above", "expected"), [(0, Reception.NEW), (1, Reception.BAD_DEPTH)])
def test_a_depth_is_believed_up_to_the_window_above_the_own(above: int, expected: Reception) -> None:
    node = Order()
    node.take(rumor(A, 1, 7))
    assert node.take(rumor(B, 1, 7 + DEPTH_WINDOW + above)) == [expected]


def test_a_depth_not_above_that_of_a_parent_is_refused_and_leaves_nothing_behind() -> None:
    node = Order()
    node.take(rumor(A, 1, 7))
    assert node.take(rumor(B, 1, 7, ((A.key, 1),))) == [Reception.BAD_DEPTH]
    assert B.key not in node.causal.origins


def test_a_held_message_whose_depth_turns_out_wrong_leaves_nothing_behind() -> None:
    node = Order()
    node.take(rumor(B, 1, 7, ((A.key, 1),)))
    node.take(rumor(A, 1, 7))
    assert node.delivered == [Dot(A, 1)]
    assert not node.causal.holding
    assert B.key not in node.causal.origins


def test_own_messages_name_what_was_delivered_last_and_tick_only_the_own_entry() -> None:
    node = Order()
    node.take(rumor(A, 1), rumor(B, 1))
    first, second = node.send(C), node.send(C)
    assert first.parents == tuple(sorted([(A.key, 1), (B.key, 1)]))
    assert second.parents == ()
    assert second.depth == first.depth + 1 == 3
    assert messages_of(node.out)[-1].clock.by_name() == {"a": 1, "b": 1, "c": 2}


def test_an_own_message_is_never_delivered_before_it_is_made_and_one_of_others_by_the_clock_here() -> None:
    order = Order()
    order.causal.wall_offset = EPOCH - 0.25
    order.send(A)
    order.send(A, now=0.75)
    order.take(rumor(B, 1, 1))
    assert [one.delivered_at - EPOCH for one in messages_of(order.out)] == [0.0, 0.5, -0.25]


def test_receiving_ticks_nothing() -> None:
    node = Order()
    node.take(*conversation())
    assert node.send(C).sequence == 2
    assert dict(messages_of(node.out)[-1].clock) == {A: 2, B: 2, C: 2}


# bounds


def test_hold_back_is_bounded_in_count() -> None:
    node = Order(Config(hold_back_limit=10))
    receptions = node.take(*(rumor(A, sequence, sequence) for sequence in range(2, 30)))
    assert receptions.count(Reception.NEW) == 10
    assert set(receptions[10:]) == {Reception.NO_ROOM}


def test_hold_back_is_bounded_in_bytes() -> None:
    node = Order(Config(hold_back_size_limit=5_000))
    node.take(*(rumor(A, sequence, sequence, text="x" * 500) for sequence in range(2, 30)))
    assert len(node.causal.holding) == 5
    assert node.causal.queue.size <= 5_000


def test_hold_back_is_bounded_in_what_is_waited_for() -> None:
    node = Order()
    hundred = [node_id(f"p{number}").key for number in range(100)]
    for number in range(700):
        parents = tuple((key, number + 1) for key in hundred)
        node.causal.receive(rumor(node_id(f"x{number}"), 1, 9, parents), SOURCE, 0, node.out)
    node.causal.check()
    assert len(node.causal.holding) == WAITER_LIMIT // 100


def test_messages_whose_clock_is_missing_are_bounded_like_all_that_are_held() -> None:
    node = Order(Config(history_limit=1, hold_back_limit=10))
    node.take(*chain(A, 20))
    receptions = node.take(*(rumor(node_id(f"x{n}"), 1, 30, ((A.key, 3),)) for n in range(50)))
    assert len(node.causal.holding) == 10
    assert receptions[10:] == [Reception.NO_ROOM] * 40
    assert len(node.causal.origins) == 11


def test_what_waits_longer_than_closing_a_gap_takes_makes_room_for_the_fresh() -> None:
    node = Order(Config(hold_back_limit=2, gap_timeout=30))
    node.take(rumor(A, 2, 2), rumor(A, 3, 3))
    assert node.take(rumor(B, 2, 3), now=59.0) == [Reception.NO_ROOM]
    assert node.take(rumor(B, 2, 3), now=61.0) == [Reception.NEW]
    assert node.told(Undeliverable) == [Undeliverable(Dot(A, 2), (Dot(A, 1),))]


def test_in_a_full_queue_the_deepest_makes_room_for_what_is_less_deep_and_comes_again() -> None:
    node = Order(Config(hold_back_limit=3, gap_timeout=30))
    assert node.take(*(rumor(A, sequence, sequence) for sequence in (5, 3, 4))) == [Reception.NEW] * 3
    assert node.take(rumor(A, 2, 2), now=99.0) == [Reception.NEW]
    assert [dot[1] for dot in node.causal.holding] == [3, 4, 2]
    assert node.causal.displaced_count == 1
    assert node.take(rumor(A, 1), rumor(A, 5, 5), now=99.0) == [Reception.NEW] * 2
    assert [message.id.sequence for message in messages_of(node.out)] == [1, 2, 3, 4, 5]
    assert node.told(Undeliverable) == []
    node.causal.check()


def test_the_deepest_is_found_whatever_left_the_queue_before() -> None:
    node = Order(Config(hold_back_limit=100))
    dice = random.Random(4)
    others = [node_id(f"p{number}") for number in range(400)]
    for number in dice.sample(range(400), 400):
        node.take(rumor(others[number], 2, 2 + number))
        node.causal.check()
        if dice.random() < 0.3:
            gone = dice.choice([*node.causal.holding.values()])
            node.take(rumor(gone.rumor.origin, 1))
        deepest = node.causal.queue.deepest()
        depths = [held.rumor.depth for held in node.causal.holding.values()]
        assert (deepest.rumor.depth if deepest else None) == max(depths, default=None)


def test_while_a_history_is_on_its_way_nothing_that_waits_is_given_up_for_want_of_room() -> None:
    node = Order(Config(hold_back_limit=1, gap_timeout=30))
    node.causal.is_catching_up = True
    node.take(rumor(A, 2, 2))
    assert node.take(rumor(B, 2, 3), now=99.0) == [Reception.NO_ROOM]
    node.causal.is_catching_up = False
    assert node.take(rumor(B, 2, 3), now=99.0) == [Reception.NEW]


def test_an_orphan_ends_in_undeliverable_after_its_time_out_and_not_before() -> None:
    node = Order(Config(orphan_timeout=300))
    node.take(rumor(A, 1))
    node.take(rumor(A, 3, 3), now=5.0)
    assert node.causal.deadline == 305.0
    assert node.causal.on_deadline(304.9, node.out) == 0
    assert node.causal.on_deadline(305.0, node.out) == 1
    assert node.told(Undeliverable) == [Undeliverable(Dot(A, 3), (Dot(A, 2),))]
    node.causal.check()
    assert node.take(rumor(A, 2, 2), rumor(A, 3, 3)) == [Reception.NEW, Reception.NEW]


def test_names_that_were_only_waited_for_are_forgotten_with_their_waiters() -> None:
    node = Order()
    node.take(rumor(B, 1, 9, ((A.key, 4), (C.key, 9))))
    assert len(node.causal.origins) == 3
    node.causal.on_deadline(1e9, node.out)
    assert not node.causal.origins
    node.causal.check()


# clocks beyond retention


def test_the_clocks_of_maximal_dots_outlive_retention() -> None:
    node = Order(Config(history_limit=1))
    node.take(rumor(A, 1), rumor(B, 1), rumor(C, 1))
    assert node.take(rumor(A, 2, 2, ((B.key, 1),))) == [Reception.NEW]
    assert messages_of(node.out)[-1].clock.by_name() == {"a": 2, "b": 1}


def test_a_message_whose_parents_clock_is_gone_waits_for_an_anchor() -> None:
    node = Order(Config(history_limit=1))
    node.take(*chain(A, 3))
    node.take(rumor(B, 1, 2, ((A.key, 1),)))
    assert list(node.causal.unanchored) == [(B.key, 1)]
    assert not node.causal.anchor((B.key, 1), (), 0, node.out)
    assert not node.causal.anchor((B.key, 1), [(C.key, 1, 1), (A.key, 1, 1)], 0, node.out)
    assert node.causal.anchor((B.key, 1), [(A.key, 1, 1), (B.key, 1, 2)], 0, node.out)
    node.causal.check()
    assert messages_of(node.out)[-1].clock.by_name() == {"a": 1, "b": 1}


def test_an_anchor_for_a_message_that_is_not_held_changes_nothing() -> None:
    node = Order()
    assert not node.causal.anchor((A.key, 1), [(A.key, 1, 1)], 0, node.out)
    node.causal.check()


def test_an_own_message_nobody_has_is_not_evicted_before_twice_the_limit() -> None:
    node = Order(Config(history_limit=5, backlog_limit=2))
    own = node.send(C)
    node.causal.pinned = (C.key, 1)
    node.take(*(rumor(A, sequence, sequence + 1) for sequence in range(1, 11)))
    assert node.causal.find((C.key, 1)) == own._replace(hops=1)
    node.take(*(rumor(A, sequence, sequence + 1) for sequence in range(11, 30)))
    assert node.causal.find((C.key, 1)) is None


# baselines


def baseline(node: Order, entries: dict[NodeId, int], frontier: list[KeyDot], *, is_gap: bool) -> int:
    deep = [(origin, sequence, sequence) for origin, sequence in entries.items()]
    given_up = node.causal.adopt_baseline(deep, frontier, 50, 0.0, node.out, is_gap=is_gap)
    node.causal.check()
    return given_up


def test_what_a_newcomer_missed_before_its_time_is_no_gap() -> None:
    node = Order()
    assert baseline(node, {A: 5, B: 2}, [(A.key, 5)], is_gap=False) == 7
    assert node.told(Gap) == []
    assert node.take(rumor(A, 5, 9), rumor(A, 6, 60)) == [Reception.DUPLICATE, Reception.NEW]


def test_a_gap_is_told_once_with_its_size_and_what_was_held_within_it_is_delivered_late() -> None:
    node = Order()
    node.take(rumor(A, 1), rumor(A, 4, 4), rumor(A, 6, 6))
    assert baseline(node, {A: 5}, [(A.key, 5)], is_gap=True) == 3
    assert node.told(Gap) == [Gap(3)]
    late = [(message.id, message.late) for message in messages_of(node.out)]
    assert late == [(Dot(A, 1), False), (Dot(A, 4), True)]
    assert list(node.causal.unanchored) == [(A.key, 6)]


def test_the_frontier_names_nothing_that_a_baseline_does_not_hold() -> None:
    node = Order()
    baseline(node, {A: 5}, [(A.key, 5), (B.key, 3), (C.key, 1)], is_gap=False)
    assert node.send(C).parents == ((A.key, 5),)


def test_a_baseline_below_what_is_delivered_changes_nothing() -> None:
    node = Order()
    node.take(*chain(A, 9))
    before = dict(node.causal.frontier.dots)
    assert baseline(node, {A: 5}, [(A.key, 5)], is_gap=True) == 0
    assert node.causal.frontier.dots == before
    assert node.told(Gap) == []


# depths


def test_an_announced_depth_is_taken_so_that_what_is_sent_next_comes_after_it_in_display_order() -> None:
    node = Order()
    node.causal.announce_depth(41)
    assert node.send(A).depth == 42


def test_announcements_never_lift_the_own_depth_so_high_that_others_refuse_the_own_messages() -> None:
    node, other = Order(), Order()
    for _ in range(10):
        node.causal.announce_depth(node.causal.depth + DEPTH_WINDOW)
        node.causal.announce_depth(node.causal.depth + DEPTH_WINDOW // 2)
    assert other.take(node.send(A)) == [Reception.NEW]


def test_a_flood_of_origins_leaves_a_frontier_that_one_message_can_name() -> None:
    order = CausalOrder(Config())
    out = Outbox()
    flood = [rumor(node_id(f"forged-{number}"), 1) for number in range(FRONTIER_LIMIT + 10)]
    receptions = [order.receive(one, SOURCE, 0.0, out) for one in flood]
    assert receptions.count(Reception.TOO_WIDE) == 10
    own = order.send(A, b"x", 0.0, EPOCH, out)
    assert len(own.parents) == FRONTIER_LIMIT
    assert order.receive(rumor(B, 1), SOURCE, 0.0, out) is Reception.NEW


def test_what_names_an_own_message_before_it_is_made_is_set_free_by_it() -> None:
    order = Order()
    assert order.take(rumor(B, 1, 9, ((A.key, 1),))) == [Reception.NEW]
    assert order.delivered == []
    order.send(A)
    assert order.delivered == [Dot(A, 1), Dot(B, 1)]
    assert not order.causal.holding


# payloads that come in


def test_a_message_whose_payload_comes_in_is_neither_missed_nor_known_and_can_be_announced_on() -> None:
    order = Order()
    causal = order.causal
    order.take(rumor(A, 1, 1), rumor(A, 4, 4))
    causal.begin_pull(rumor(A, 2, 2))
    assert dict(causal.received_floors())[A.key] == 2
    assert causal.origins[A.key].missing_ranges(9) == [Range(A.key, 3, 3)]
    assert causal.is_pulled((A.key, 2))
    assert not causal.is_known((A.key, 2))
    found = causal.find((A.key, 2))
    assert found is not None
    assert (found.sequence, found.hops) == (2, 1)
    order.take(rumor(A, 3, 3))
    assert dict(causal.received_floors())[A.key] == 4
    causal.end_pull((A.key, 2))
    assert dict(causal.received_floors())[A.key] == 1
    assert causal.origins[A.key].missing_ranges(9) == [Range(A.key, 2, 2)]
    assert causal.find((A.key, 2)) is None


def test_an_origin_of_which_only_a_payload_came_in_is_forgotten_with_it() -> None:
    causal = Order().causal
    causal.begin_pull(rumor(A, 1))
    assert list(causal.origins) == [A.key]
    causal.end_pull((A.key, 1))
    causal.end_pull((A.key, 1))
    assert not causal.origins
    causal.check()


def test_what_was_said_under_a_used_number_lends_its_clock_to_nothing_though_it_was_evicted() -> None:
    node = Order(Config(history_limit=1))
    node.send(A)
    node.take(rumor(B, 1, 1))
    assert [*node.causal.pins] == [(A.key, 1)]
    node.causal.disown(A.key, 1)
    node.causal.check()
    assert node.causal.clock_of((A.key, 1)) is None
