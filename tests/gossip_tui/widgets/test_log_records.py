from __future__ import annotations

import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from gossip_tui.drawing.log_line import Notice, NoticeKind
from gossip_tui.text import Safe, safe
from gossip_tui.widgets.log_filter import LogFilter
from gossip_tui.widgets.log_records import LogOrder, LogRecords
from protocol.core.messages import Message
from tests.gossip_tui.samples import NOON, Talk, many_messages

NO_FILTER = LogFilter("")


def texts(records: LogRecords) -> list[str]:
    return [str(record.text) for record in records.shown]


def parts_of(text: Safe, words: int) -> list[Safe]:
    """The text in lines of so many words."""
    all_ = text.split()
    return [safe(" ".join(all_[start : start + words])) for start in range(0, len(all_), words)]


def test_messages_stand_in_display_order_however_they_come() -> None:
    messages = many_messages(200)
    shuffled = random.Random(1).sample(messages, len(messages))
    one_by_one, at_once = LogRecords(), LogRecords()
    for message in shuffled:
        one_by_one.add([message])
    at_once.add(shuffled)
    assert one_by_one.shown == at_once.shown == messages


def test_a_message_comes_in_once() -> None:
    messages = many_messages(5)
    records = LogRecords()
    assert records.add([*messages, messages[2]]) == messages
    assert records.add(messages[1:4]) == []
    assert records.shown == messages


def test_arrival_order_is_the_order_of_coming() -> None:
    one, two, three = many_messages(3)
    records = LogRecords()
    for message in (two, three, one):
        records.add([message])
    records.arrange(LogOrder.ARRIVAL, NO_FILTER)
    assert records.shown == [two, three, one]
    records.arrange(LogOrder.CAUSAL, NO_FILTER)
    assert records.shown == [one, two, three]


def test_a_notice_stays_behind_what_was_known_when_it_came() -> None:
    one, two, three = many_messages(3)
    records = LogRecords()
    records.add([two])
    records.add_notice(safe("p9 joined"), NoticeKind.JOINED, NOON)
    records.add([three, one])
    assert texts(records) == ["message 1", "message 2", "p9 joined", "message 3"]


def test_a_filter_leaves_what_matches_and_takes_in_what_will() -> None:
    records = LogRecords()
    messages = many_messages(20)
    records.add(messages[:10])
    records.arrange(LogOrder.CAUSAL, LogFilter("from:p2"))
    records.add(messages[10:])
    assert [message.id.sequence for message in records.shown if isinstance(message, Message)] == [1, 2, 3, 4]
    assert len(records.messages()) == 20


def test_a_full_log_drops_the_oldest_lines() -> None:
    records = LogRecords(limit=128)
    messages = many_messages(300)
    for message in messages:
        records.add([message])
    records.check()
    assert 120 <= len(records.shown) <= 128
    assert records.shown == messages[-len(records.shown) :]


def test_what_is_older_than_a_full_log_does_not_come_in_again() -> None:
    records = LogRecords(limit=64)
    messages = many_messages(64)
    records.add(messages)
    assert records.add(many_messages(64)) == []
    assert records.shown == messages


def test_a_record_is_found_in_both_orders() -> None:
    messages = many_messages(10)
    records = LogRecords()
    records.add(messages[::-1])
    assert records.index_of(messages[3]) == 3
    records.arrange(LogOrder.ARRIVAL, NO_FILTER)
    assert records.index_of(messages[3]) == 6
    assert records.index_of(many_messages(1)[0]) is None


def test_a_record_that_is_filtered_out_has_a_place_between_those_that_are_not() -> None:
    messages = many_messages(10)
    records = LogRecords()
    records.add(messages)
    for order in LogOrder:
        records.arrange(order, LogFilter("from:p2"))
        assert [records.index_near(messages[index]) for index in (0, 1, 2, 6, 9)] == [0, 0, 1, 1, 2]


def test_a_notice_is_dropped_with_all_its_lines_or_not_at_all() -> None:
    one, two, three, four, five = many_messages(5)
    records = LogRecords(limit=6)
    records.add([one])
    records.add_notice(
        safe("aaa bbb ccc"), NoticeKind.INFO, NOON, [safe(part) for part in ("aaa", "bbb", "ccc")]
    )
    records.add([two, three])
    records.break_anew(lambda text: parts_of(text, 1))
    assert texts(records) == ["message 1", "aaa", "bbb", "ccc", "message 2", "message 3"]
    records.add([four, five])
    records.check()
    assert records.shown == [two, three, four, five]


def test_lines_in_which_a_notice_no_longer_goes_on_stand_where_it_begins() -> None:
    records = LogRecords()
    records.add(many_messages(3))
    notices = records.add_notice(safe("aaa bbb"), NoticeKind.INFO, NOON, [safe("aaa"), safe("bbb")])
    records.add(many_messages(9))
    records.break_anew(lambda text: [text])
    records.check()
    for order in LogOrder:
        records.arrange(order, NO_FILTER)
        assert [records.index_near(notice) for notice in notices] == [3, 3]


def test_what_was_dropped_stood_above_all_that_is_left() -> None:
    messages = many_messages(20)
    records = LogRecords(limit=10)
    records.add(messages[:10])
    records.add(messages[10:15])
    for order in LogOrder:
        records.arrange(order, NO_FILTER)
        assert records.index_near(messages[0]) == 0


class RecordsMachine(RuleBasedStateMachine):
    """Adds, notices, filters and orders in any sequence keep the invariants of ``check``."""

    @initialize(seed=st.integers(0, 2**16))
    def start(self, seed: int) -> None:
        rng = random.Random(seed)
        talk = Talk()
        for number in range(120):
            past = [message for message in talk.said[-4:] if rng.random() < 0.5]
            talk.say(f"p{rng.randrange(5)}", f"text {number % 7}", *past)
        self.coming = rng.sample(talk.said, len(talk.said))
        self.records = LogRecords(limit=64)
        self.words = 4

    @rule(count=st.integers(1, 50))
    def add(self, count: int) -> None:
        now, self.coming = self.coming[:count], self.coming[count:]
        self.records.add(now)

    @rule()
    def notice(self) -> None:
        text = safe("text 3 of nobody")
        self.records.add_notice(text, NoticeKind.INFO, NOON, parts_of(text, self.words))

    @rule(words=st.integers(1, 4))
    def break_anew(self, words: int) -> None:
        self.words = words
        self.records.break_anew(lambda text: parts_of(text, words))
        whole = " ".join(record.text for record in self.records.causal if isinstance(record, Notice))
        assert whole.split() == ["text", "3", "of", "nobody"] * (len(whole.split()) // 4)

    @rule(
        order=st.sampled_from(LogOrder),
        text=st.sampled_from(["", "text 3", "from:p1", "!from:p1", "/[12]/"]),
        hide=st.booleans(),
    )
    def arrange(self, order: LogOrder, text: str, hide: bool) -> None:
        self.records.arrange(order, LogFilter(text), hide=hide)

    @invariant()
    def invariants_hold(self) -> None:
        if hasattr(self, "records"):
            self.records.check()


TestRecordsMachine = RecordsMachine.TestCase
TestRecordsMachine.settings = settings(
    deadline=None, derandomize=True, max_examples=60, stateful_step_count=20
)
