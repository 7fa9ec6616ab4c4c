"""Joining late and coming back after everything missed was evicted: one sponsor, one baseline, one gap."""

from __future__ import annotations

import random

import pytest

from protocol.core.catchup import BASELINE_PAGES_LIMIT, CatchUp
from protocol.core.config import Config
from protocol.core.context import Context
from protocol.core.events import Gap, Undeliverable
from protocol.core.messages import (
    COUNT_LIMIT,
    NO_HORIZON,
    BaselinePage,
    Digest,
    ExchangeRequest,
    HistoryDone,
    HistoryRequest,
    Item,
    Rumor,
)
from protocol.core.outbox import Outbox
from protocol.core.repair import REPLY_LIMIT
from protocol.core.sampling import Sampling
from protocol.core.view import PartialView
from protocol.core.wide import PARENTS_LIMIT
from protocol.wire import SEQUENCE_LIMIT

from .wiring import CODEC, Stranger, Wiring, address, node_id, rumor


def gaps(wiring: Wiring, name: str) -> list[int]:
    return [event.size for event in wiring.told(name, Gap) if isinstance(event, Gap)]


def chatted(count: int, config: Config | None = None) -> Wiring:
    """Two machines that have talked for a while."""
    wiring = Wiring(config=config)
    wiring.join("b", "a")
    wiring.run(3)
    for number in range(count):
        wiring.send("ab"[number % 2], str(number))
        wiring.run(0.05)
    wiring.run(3)
    return wiring


def history_of(wiring: Wiring, name: str) -> list[tuple[str, bool]]:
    return [
        (event.message.text, event.message.from_history)
        for event in wiring.events[name]
        if hasattr(event, "message")
    ]


def test_a_newcomer_gets_the_whole_history_marked_as_such_and_then_lives_on() -> None:
    wiring = chatted(20)
    wiring.add("late", address(5))
    wiring.join("late", "a")
    wiring.run(3)
    assert history_of(wiring, "late") == [(str(number), True) for number in range(20)]
    wiring.send("b", "live")
    wiring.run(2)
    assert history_of(wiring, "late")[-1] == ("live", False)


def test_what_a_newcomer_cannot_have_any_more_is_no_gap() -> None:
    wiring = chatted(30, Config(history_limit=10))
    wiring.add("late", address(5), config=Config(history_limit=10))
    wiring.join("late", "a")
    wiring.run(5)
    assert wiring.texts("late") == [str(number) for number in range(20, 30)]
    assert gaps(wiring, "late") == []
    clock = [event.message.clock for event in wiring.events["late"] if hasattr(event, "message")][-1]
    assert clock.by_name() == {"a": 15, "b": 15}


def test_a_history_larger_than_one_reply_comes_in_several() -> None:
    wiring = Wiring()
    wiring.join("b", "a")
    wiring.run(3)
    for _ in range(200):
        wiring.send("a", "x" * 900)
        wiring.settle()
    wiring.add("late", address(5))
    wiring.join("late", "a")
    wiring.run(5)
    assert len(wiring.texts("late")) == 200
    assert sum(isinstance(i, HistoryRequest) for _, d in wiring.sent for i in CODEC.parse(d.data).items) > 3


@pytest.mark.parametrize("seed", range(4))
def test_a_history_that_is_lost_and_reordered_on_the_way_arrives_all_the_same(seed: int) -> None:
    wiring = chatted(60, Config(history_limit=25))
    dice = random.Random(seed)
    wiring.passes = lambda _source, _datagram: dice.random() > 0.4
    wiring.add("late", address(5), config=Config(history_limit=25))
    wiring.join("late", "a")
    wiring.run(60)
    wiring.check()
    assert wiring.texts("late")[-1] == "59"
    assert gaps(wiring, "late") == []


def test_a_sponsor_that_falls_silent_is_replaced() -> None:
    wiring = chatted(20)
    wiring.add("late", address(5))
    wiring.passes = lambda s, d: (
        not (s == address(0) and any(isinstance(i, Rumor | HistoryDone) for i in CODEC.parse(d.data).items))
    )
    wiring.join("late", "a", "b")
    wiring.run(40)
    assert wiring.texts("late") == [str(number) for number in range(20)]


def test_live_messages_wait_until_the_history_is_through() -> None:
    wiring = chatted(100)
    wiring.add("late", address(5))
    wiring["late"].join([wiring.at("a")], wiring.now)
    wiring.send("b", "live")
    wiring.run(5)
    assert wiring.texts("late") == [*[str(number) for number in range(100)], "live"]


def test_an_absentee_finds_everything_that_is_still_retained_without_a_gap() -> None:
    wiring = chatted(10)
    wiring.passes = lambda s, d: address(1) not in {s, d.target}
    for number in range(10, 200):
        wiring.send("a", str(number))
        wiring.run(0.05)
    wiring.passes = lambda _source, _datagram: True
    wiring.run(20)
    assert wiring.texts("b") == [str(number) for number in range(200)]
    assert gaps(wiring, "b") == []


def test_what_nobody_retains_is_one_gap_with_its_size_after_the_time_out_and_not_before() -> None:
    config = Config(history_limit=20, gap_timeout=30)
    wiring = Wiring(["a", "b", "c"], config=config)
    wiring.join("b", "a")
    wiring.join("c", "a")
    wiring.run(3)
    wiring.send("a", "before")
    wiring.run(2)
    wiring.passes = lambda s, d: address(2) not in {s, d.target}
    for number in range(100):
        wiring.send("ab"[number % 2], str(number))
        wiring.run(0.3)
    wiring.passes = lambda _source, _datagram: True
    wiring.run(25)
    assert gaps(wiring, "c") == []
    wiring.run(40)
    assert gaps(wiring, "c") == [80]
    assert wiring.texts("c") == ["before", *[str(number) for number in range(80, 100)]]
    wiring.check()


# the rule by itself


def lonely() -> tuple[CatchUp, Outbox]:
    """Catch-up of a member with an empty view."""
    context = Context(node_id("a"), address(0), Config(gap_timeout=30), CODEC, random.Random(1), 0)
    view = PartialView(context.id, context.address, 20, random.Random(1))
    catchup = CatchUp(context, Sampling(context, view))
    catchup.is_newcomer = False
    return catchup, Outbox()


def who_has(delivered: int, evicted: int) -> Digest:
    """What a peer says that delivered and evicted so much."""
    return Digest((), 0, delivered, evicted)


def test_what_was_evicted_long_ago_says_nothing_about_what_is_missing_now() -> None:
    catchup, out = lonely()
    catchup.note_evicted(address(1), who_has(100, 5), 0.0, out)
    catchup.note_evicted(address(2), who_has(100, 9), 1_000.0, out)
    assert not catchup.is_running
    for second in range(1_001, 1_030):
        catchup.note_evicted(address(2), who_has(100, 9), float(second), out)
    assert not catchup.is_running
    catchup.note_evicted(address(2), who_has(100, 9), 1_030.0, out)
    assert catchup.is_running


def test_the_sponsor_of_a_gap_is_the_one_that_evicted_least() -> None:
    catchup, out = lonely()
    for second in range(31):
        catchup.note_evicted(address(1), who_has(100, 50), float(second), out)
        catchup.note_evicted(address(2), who_has(100, 20), float(second), out)
        catchup.note_evicted(address(3), who_has(100, 90), float(second), out)
    assert catchup.is_running
    assert catchup.is_from_sponsor(address(2))


def test_a_peer_that_is_stuck_itself_is_no_sponsor_of_a_gap() -> None:
    catchup, out = lonely()
    for second in range(46):
        catchup.note_evicted(address(1), who_has(100, 50), float(second), out)
        catchup.note_evicted(address(2), who_has(99, 40), float(second), out)
        catchup.note_evicted(address(3), who_has(60, 20), float(second), out)
    assert catchup.is_from_sponsor(address(2))


def test_a_prefix_at_hand_is_taken_over_if_the_sponsor_of_the_next_past_stays_silent() -> None:
    catchup, out = lonely()
    causal, nodes = catchup.context.causal, [node_id("b"), node_id("c")]
    for node in nodes:
        causal.receive(Rumor(node, 10, 10, 0.0, (), b"", 0), address(1), 0.0, out)
    now = 0.0
    while not catchup.is_running:
        for number, node in enumerate(nodes, 1):
            evicted = Digest(((node.key, 10),), 10, 100, 10 * number)
            catchup.note_evicted(address(number), evicted, now, out)
        now += 1
    assert catchup.is_from_sponsor(address(1))
    page = BaselinePage(1, 1, 0, 1, 9, NO_HORIZON, 0, ((nodes[0], 9, 9),), ((nodes[0].key, 9),))
    catchup.on_baseline_page(page, catchup.context.links.dial(address(1), now), now, out)
    assert catchup.is_from_sponsor(address(2)), "its past is another one"
    assert causal.floor(nodes[0].key) == 0
    while catchup.is_running:
        now = catchup.deadline
        catchup.on_deadline(now, out)
    assert causal.floor(nodes[0].key) == 9
    assert [event.size for event in out.events if isinstance(event, Gap)] == [9]


def test_a_node_that_has_more_than_all_who_evicted_what_it_misses_still_finds_a_sponsor() -> None:
    catchup, out = lonely()
    catchup.context.causal.send(catchup.context.id, b"mine", 0.0, 0.0, out)
    for second in range(31):
        catchup.note_evicted(address(1), who_has(0, 0), float(second), out)
    assert catchup.is_from_sponsor(address(1))


def test_a_gap_waits_for_those_ahead_to_be_level_but_not_for_ever() -> None:
    catchup, out = lonely()
    for second in range(45):
        catchup.note_evicted(address(1), who_has(100, 90), float(second), out)
        catchup.note_evicted(address(2), who_has(60, 50), float(second), out)
    assert not catchup.is_running
    catchup.note_evicted(address(2), who_has(60, 50), 45.0, out)
    assert catchup.is_from_sponsor(address(1))


def test_a_gap_waits_no_longer_than_usual_once_those_ahead_are_level() -> None:
    catchup, out = lonely()
    for second in range(35):
        catchup.note_evicted(address(1), who_has(100, 90), float(second), out)
        catchup.note_evicted(address(2), who_has(60, 50), float(second), out)
    assert not catchup.is_running
    catchup.note_evicted(address(2), who_has(100, 95), 35.0, out)
    assert catchup.is_from_sponsor(address(1))


# the sponsor's side


def test_a_sponsor_sends_its_baseline_first_then_its_log_from_the_cursor() -> None:
    wiring = chatted(30, Config(history_limit=10))
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    answer: list[Item] = peer.say("a", HistoryRequest(7, 0))
    names = [type(item).__name__ for item in answer]
    assert names[0] == "BaselinePage"
    assert names[-1] == "HistoryDone"
    assert answer[-1] == HistoryDone(7, 31, more=False)
    again = peer.say("a", HistoryRequest(8, 29))
    assert [item.payload for item in again if isinstance(item, Rumor)] == [b"28", b"29"]


def test_one_answer_of_a_sponsor_is_bounded() -> None:
    wiring = Wiring(["a"])
    for _ in range(100):
        wiring.send("a", "x" * 1_000)
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    peer.received.clear()
    answer = peer.say("a", HistoryRequest(1, 0))
    assert isinstance(answer[-1], HistoryDone)
    assert answer[-1].more
    assert peer.bytes_received <= REPLY_LIMIT * 1.1


def test_a_history_larger_than_a_sponsor_may_send_at_once_comes_without_asking_in_circles() -> None:
    config = Config(backlog_limit=3_000)
    wiring = Wiring(["a"], config=config)
    for _ in range(1_500):
        wiring.send("a", "x" * 1_000)
    wiring.settle()
    wiring.add("late", address(5), config=config)
    wiring.join("late", "a")
    wiring.run(10)
    assert len(wiring.texts("late")) == 1_500
    assert sum(isinstance(i, HistoryRequest) for _, d in wiring.sent for i in CODEC.parse(d.data).items) < 100


def sponsored(config: Config | None = None) -> tuple[Wiring, Stranger]:
    """A newcomer that has just asked a stranger for its history."""
    wiring = Wiring(["a"], config=config or Config())
    sponsor = Stranger(wiring, address(9), "sponsor")
    sponsor.prove("a")
    wiring["a"].join([sponsor.address], 0.0)
    wiring.run(0.0)
    request = next(
        i for _, d in wiring.sent for i in CODEC.parse(d.data).items if isinstance(i, ExchangeRequest)
    )
    sponsor.say("a", sponsor.answer(request, Digest((), 0, 50, 0)))
    assert wiring["a"].snapshot(wiring.now).catching_up
    return wiring, sponsor


def test_a_sponsor_that_promises_more_and_sends_nothing_is_left_alone_in_the_end() -> None:
    wiring, sponsor = sponsored()
    for _ in range(200):
        sponsor.say("a", BaselinePage(1, 0, 0, 1, 0, NO_HORIZON, 0, (), ()), HistoryDone(1, 1, more=True))
        wiring.run(0.1)
    assert not wiring["a"].snapshot(wiring.now).catching_up


def test_nothing_is_given_up_for_want_of_room_while_a_history_is_on_its_way() -> None:
    wiring, sponsor = sponsored(Config(hold_back_limit=1, gap_timeout=0.1))
    sponsor.say("a", rumor(node_id("early"), 2, 2))
    wiring.now += 9.0
    sponsor.say("a", rumor(node_id("later"), 2, 3))
    assert wiring["a"].snapshot(wiring.now).catching_up
    assert wiring.told("a", Undeliverable) == []
    sponsor.say("a", HistoryDone(1, 0, more=False))
    wiring.run(9.0)
    assert not wiring["a"].snapshot(wiring.now).catching_up
    sponsor.say("a", rumor(node_id("later"), 2, 3))
    assert len(wiring.told("a", Undeliverable)) == 1


def test_a_baseline_of_more_pages_than_any_is_not_collected_and_its_sponsor_left() -> None:
    wiring, sponsor = sponsored()
    for page in range(BASELINE_PAGES_LIMIT + 1):
        entries = ((node_id(f"forged{page}"), 1, 1),)
        sponsor.say("a", BaselinePage(1, 1, page, BASELINE_PAGES_LIMIT + 1, 0, NO_HORIZON, 0, entries, ()))
    for _ in range(10):
        sponsor.say("a", HistoryDone(1, 1, more=False))
        wiring.run(0.1)
    snapshot = wiring["a"].snapshot(wiring.now)
    assert not snapshot.catching_up
    assert not wiring["a"].context.causal.origins


def forged_baseline(count: int, pages: int) -> list[BaselinePage]:
    """A baseline of so many pages of so many origins each, all of them maximal, all at the last sequence."""
    found = []
    for page in range(pages):
        nodes = [node_id("x", page * count + number) for number in range(count)]
        entries = tuple((node, SEQUENCE_LIMIT, 9) for node in nodes)
        frontier = tuple((node.key, SEQUENCE_LIMIT) for node in nodes)
        found.append(BaselinePage(1, 1, page, pages, 9, NO_HORIZON, 0, entries, frontier))
    return found


def test_nobody_adopts_a_baseline_so_wide_that_no_message_could_name_it() -> None:
    wiring, sponsor = sponsored()
    for page in forged_baseline(32, PARENTS_LIMIT // 32 + 1):
        sponsor.say("a", page)
    assert not wiring["a"].context.causal.origins


def test_baselines_of_more_messages_than_a_number_can_tell_leave_a_node_that_can_still_talk() -> None:
    wiring = Wiring()
    wiring.join("b", "a")
    causal = wiring["a"].context.causal
    causal.memory.delivered_count += (
        1 << 64
    )  # as 65,537 forged origins of 2^48 messages each do, only quicker
    causal.log.evicted_count += 1 << 64
    causal.log.forgotten_count += 1 << 64
    wiring.send("a", "still here")
    wiring.run(5)
    assert "still here" in wiring.texts("b")
    asker = Stranger(wiring, address(9))
    asker.prove("a")
    answer = asker.say("a", HistoryRequest(1, 0))
    assert [item.forgotten for item in answer if isinstance(item, BaselinePage)] == [COUNT_LIMIT]
