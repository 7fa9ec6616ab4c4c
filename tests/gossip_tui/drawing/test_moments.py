from __future__ import annotations

from gossip_tui.drawing.happenings import Happenings
from gossip_tui.drawing.moments import ROWS_AT_ONCE, ROWS_PER_SECOND, Detail, Moment, Moments
from gossip_tui.observed import Change
from protocol.core.identity import NodeId
from tests.gossip_tui.samples import node_id
from tests.gossip_tui.swarms import SwarmOf

NAMES = [f"n{number:02d}" for number in range(1, 13)]


class Watch:
    """A swarm with the rows that are made of it."""

    def __init__(self, *names: str) -> None:
        self.swarm = SwarmOf(*names)
        self.happenings = Happenings()
        self.moments = Moments()
        self._seen: dict[NodeId, int] = {}
        self._changes = 0

    def look(self) -> None:
        answer = self.swarm.deliveries(self._seen)
        self._seen = dict(answer.cursor)
        changes, self._changes = answer.changes[self._changes :], len(answer.changes)
        self.moments.add(self.happenings.add(answer), changes)

    def chat(self, messages: int, period: float) -> None:
        for number in range(messages):
            self.swarm.tell(NAMES[number % len(NAMES)], f"text {number}")
            self.look()
            self.swarm.now += period

    @property
    def messages(self) -> list[Moment]:
        """The rows that are about a message."""
        return [row for row in self.moments.rows if isinstance(row, Moment)]

    @property
    def shape(self) -> list[tuple[str, int]]:
        """For each row its message and how many happenings it shows."""
        return [
            (f"{row.dot.origin.name}#{row.dot.sequence}", len(row.happenings))
            if isinstance(row, Moment)
            else (row.change.text, 0)
            for row in self.moments.rows
        ]


def test_while_little_happens_every_event_has_its_row() -> None:
    watch = Watch("n01", "n02", "n03")
    watch.chat(2, period=10.0)
    assert watch.shape == [("n01#1", 1)] * 3 + [("n02#1", 1)] * 3
    assert not watch.moments.is_thinned


def test_when_more_happens_the_deliveries_share_the_row_of_their_message() -> None:
    watch = Watch(*NAMES)
    watch.chat(10, period=1.0)
    assert watch.moments.detail is Detail.MESSAGE
    assert watch.moments.is_thinned
    assert watch.shape[-5:] == [(f"n{number:02d}#1", 12) for number in range(6, 11)]


def test_a_delivery_that_comes_later_has_a_row_of_its_own() -> None:
    watch = Watch(*NAMES)
    watch.chat(10, period=1.0)
    late = watch.swarm.say("n01", "late at one")
    watch.swarm.reach(late, *NAMES[1:-1])
    watch.swarm.now += 2
    watch.swarm.reach(late, NAMES[-1])
    watch.look()
    assert watch.shape[-2:] == [("n01#2", 11), ("n01#2", 1)]


def test_no_row_shows_an_event_above_what_its_node_did_before() -> None:
    watch = Watch(*NAMES)
    watch.chat(10, period=1.0)
    first = watch.swarm.say("n01", "one")
    second = watch.swarm.say("n02", "two")
    watch.swarm.now += 0.01
    watch.swarm.reach(second, *NAMES[2:])
    watch.swarm.reach(first, *NAMES[2:])
    watch.look()
    last: dict[NodeId, int] = {}
    for row in watch.moments.rows:
        for one in row.happenings:
            assert one.number > last.get(one.node, 0)
            last[one.node] = one.number
    assert watch.shape[-3:] == [("n01#2", 1), ("n02#2", 11), ("n01#2", 10)]


def test_hundreds_of_events_a_second_are_thinned_to_what_one_can_follow_and_counted() -> None:
    watch = Watch(*NAMES)
    watch.chat(400, period=0.02)
    rows = watch.messages
    seconds = 400 * 0.02
    assert len(rows) <= 3 * ROWS_AT_ONCE + ROWS_PER_SECOND * seconds
    shown = sum(len(row.happenings) for row in rows)
    skipped = sum(row.skipped for row in rows)
    assert 0 <= 400 * 12 - shown - skipped < 12 * 50 / ROWS_PER_SECOND * 2
    assert watch.moments.rate > 500


def test_own_messages_are_never_left_out() -> None:
    watch = Watch(*NAMES)
    watch.moments.never_left_out = node_id("n01")
    watch.chat(400, period=0.02)
    own = {row.dot for row in watch.messages if row.dot.origin.name == "n01"}
    assert len(own) == 34


def test_a_person_may_ask_for_every_event() -> None:
    watch = Watch(*NAMES)
    watch.chat(20, period=0.02)
    watch.moments.shows_every = True
    watch.moments.rebuild(watch.happenings.kept)
    assert watch.shape == [(f"{name}#1", 1) for name in NAMES for _ in NAMES] + [
        (f"{name}#2", 1) for name in NAMES[:8] for _ in NAMES
    ]
    assert not watch.moments.is_thinned


def test_nodes_without_a_column_make_no_rows() -> None:
    watch = Watch("n01", "n02", "n03")
    watch.moments.is_shown = {node_id("n01")}.__contains__
    watch.chat(2, period=10.0)
    assert watch.shape == [("n01#1", 1), ("n02#1", 1)]


def test_rows_that_are_made_anew_are_the_same_but_for_their_numbers() -> None:
    watch = Watch(*NAMES)
    watch.chat(100, period=0.1)
    before, end = watch.shape, watch.moments.end
    watch.moments.rebuild(watch.happenings.kept)
    assert watch.shape == before
    assert watch.moments.first == end


def test_forgotten_rows_leave_nothing_behind() -> None:
    watch = Watch("n01", "n02")
    watch.chat(10, period=10.0)
    last = watch.happenings.kept[-1].number
    watch.moments.forget(last)
    assert len(watch.moments.rows) == 1
    assert [len(numbers) for numbers in watch.moments.of_message.values()] == [1]
    assert watch.messages[0].main.number == last


def test_a_change_has_a_row_at_its_time_among_the_events() -> None:
    watch = Watch("n01", "n02")
    watch.swarm.change("before everything")
    watch.swarm.now += 1
    first = watch.swarm.say("n01", "one")
    watch.swarm.now += 1
    watch.swarm.change("cut")
    watch.swarm.reach(first, "n02", after=1)
    watch.look()
    watch.swarm.now += 2
    watch.swarm.change("healed")
    watch.look()
    shape = [("before everything", 0), ("n01#1", 1), ("cut", 0), ("n01#1", 1), ("healed", 0)]
    assert watch.shape == shape
    watch.moments.rebuild(watch.happenings.kept, watch.swarm.changes)
    assert watch.shape == shape


def test_no_delivery_joins_a_row_above_a_change_that_came_before_it() -> None:
    watch = Watch(*NAMES)
    watch.chat(10, period=1.0)
    message = watch.swarm.say("n01", "into the cut")
    watch.swarm.reach(message, *NAMES[1:6], after=0.01)
    watch.swarm.now += 0.02
    watch.swarm.change("cut")
    watch.swarm.reach(message, *NAMES[6:], after=0.01)
    watch.look()
    assert watch.shape[-3:] == [("n01#2", 6), ("cut", 0), ("n01#2", 6)]


def test_changes_go_with_the_rows_around_them() -> None:
    watch = Watch("n01")
    watch.swarm.say("n01", "one")
    watch.swarm.now += 1
    watch.swarm.change("old")
    watch.swarm.now += 1
    watch.swarm.say("n01", "two")
    watch.swarm.now += 1
    watch.swarm.change("new")
    watch.look()
    watch.moments.forget(2)
    assert watch.shape == [("n01#2", 1), ("new", 0)]
    assert watch.moments.first == 2


def test_a_change_before_everything_is_drawn_first_and_one_after_it_last() -> None:
    changes = [Change(1.0, "early"), Change(9e9, "late")]
    watch = Watch("n01")
    watch.swarm.say("n01", "one")
    watch.moments.rebuild(watch.happenings.add(watch.swarm.deliveries({})), changes)
    assert watch.shape == [("early", 0), ("n01#1", 1), ("late", 0)]
