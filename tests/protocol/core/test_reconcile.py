"""Anti-entropy: when floors travel, in what order the missing comes, and how much of it at a time."""

from __future__ import annotations

import pytest

from protocol.core.config import Config
from protocol.core.links import REPLY_BURST
from protocol.core.messages import Floors, FloorsDone, FloorSums, Horizon, Item, Rumor, SumsDiffer
from protocol.core.reconcile import LOOK_COST, ROUNDS_LIMIT
from protocol.core.repair import REPLY_LIMIT

from .wiring import CODEC, Stranger, Wiring, address, node_id, rumor

ALL = (bytes(8), b"\xff" * 8)


def kinds(wiring: Wiring, kind: type[Item]) -> list[Item]:
    return [item for _, d in wiring.sent for item in CODEC.parse(d.data).items if isinstance(item, kind)]


def pair(config: Config | None = None) -> Wiring:
    wiring = Wiring(config=config)
    wiring.join("b", "a")
    wiring.run(5)
    return wiring


def test_while_frontiers_are_equal_no_floors_travel() -> None:
    wiring = pair()
    for number in range(10):
        wiring.send("ab"[number % 2], str(number))
        wiring.settle()
    wiring.sent.clear()
    wiring.run(20)
    assert kinds(wiring, Floors) == []


def test_what_every_push_missed_is_found_by_the_next_exchanges() -> None:
    wiring = pair()
    wiring.passes = lambda _s, d: not any(isinstance(item, Rumor) for item in CODEC.parse(d.data).items)
    for number in range(30):
        wiring.send("a", str(number))
        wiring.settle()
    wiring.passes = lambda _source, _datagram: True
    wiring.run(3)
    assert wiring.texts("b") == [str(number) for number in range(30)]


def test_what_is_missing_is_sent_in_the_senders_order_of_delivery() -> None:
    wiring = Wiring(["a"])
    one, two = node_id("one"), node_id("two")
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    rumors = [rumor(one, 1, 1), rumor(two, 1, 2, ((one.key, 1),)), rumor(one, 2, 3, ((two.key, 1),))]
    for one_rumor in rumors:
        peer.say("a", one_rumor)
    answer = peer.say("a", Floors(5, *ALL, ()))
    assert [(i.origin, i.sequence) for i in answer if isinstance(i, Rumor)] == [(one, 1), (two, 1), (one, 2)]
    assert answer[-1] == FloorsDone(5, more=False, evicted=False)
    answer = peer.say("a", Floors(6, *ALL, ((one.key, 1), (two.key, 1))))
    assert [(i.origin, i.sequence) for i in answer if isinstance(i, Rumor)] == [(one, 2)]


def test_only_the_keys_of_the_range_are_answered() -> None:
    wiring = Wiring(["a"])
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    authors = [node_id(f"author{number}") for number in range(10)]
    for author in authors:
        peer.say("a", rumor(author, 1))
    low = sorted(author.key for author in authors)[5]
    answer = peer.say("a", Floors(1, low, ALL[1], ()))
    assert sorted(i.origin.key for i in answer if isinstance(i, Rumor)) == sorted(
        author.key for author in authors if author.key >= low
    )


def test_one_answer_is_bounded_and_says_that_there_is_more() -> None:
    wiring = Wiring(["a"])
    for _ in range(100):
        wiring.send("a", "x" * 1_000)
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    peer.received.clear()
    answer = peer.say("a", Floors(1, *ALL, ()))
    assert answer[-1] == FloorsDone(1, more=True, evicted=False)
    assert peer.bytes_received <= REPLY_LIMIT * 1.1


def test_what_is_not_retained_any_more_is_said() -> None:
    wiring = Wiring(["a"], config=Config(history_limit=2))
    wiring.add("b", address(1))
    wiring.join("b", "a")
    wiring.run(3)
    for number in range(10):
        wiring.send("a", str(number))
        wiring.run(0.2)
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    answer = peer.say("a", Floors(1, *ALL, ()))
    assert [i.sequence for i in answer if isinstance(i, Rumor)] == [9, 10]
    assert answer[-1] == FloorsDone(1, more=False, evicted=True)


def test_more_origins_than_one_page_of_floors_holds_are_reconciled_page_by_page() -> None:
    wiring = pair()
    wiring.passes = lambda _s, d: address(1) not in {_s, d.target}
    author = Stranger(wiring, address(9), "author")
    for number in range(250):
        author.say("a", rumor(node_id(f"author{number}"), 1))
    wiring.passes = lambda _source, _datagram: True
    wiring.run(30)
    assert len(wiring.texts("a")) == len(wiring.texts("b")) == 250
    wiring.sent.clear()
    for number in range(250, 300):
        author.say("a", rumor(node_id(f"author{number}"), 1))
    wiring.run(15)
    assert len(wiring.texts("b")) == 300
    wiring.check()


def test_a_silent_suspect_keeps_nobody_from_reconciling_with_others() -> None:
    wiring = pair()
    silent = Stranger(wiring, address(9), "silent")
    silent.prove("a")
    wiring.passes = lambda _s, d: not any(isinstance(item, Rumor) for item in CODEC.parse(d.data).items)
    wiring.send("b", "for a")
    wiring.settle()
    wiring.passes = lambda _source, _datagram: True
    silent.say("a", silent.request(99, frontier=((b"?" * 8, 5),)))
    wiring.run(8)
    assert wiring.texts("a") == ["for a"]


def test_a_peer_that_always_has_one_message_more_keeps_nobody_from_reconciling_with_others() -> None:
    wiring = pair()
    endless = Stranger(wiring, address(9), "endless")
    endless.prove("a")
    wiring.passes = lambda _s, d: not any(isinstance(item, Rumor) for item in CODEC.parse(d.data).items)
    endless.say("a", endless.request(99, frontier=((b"?" * 8, 5),)))
    wiring.run(0.5)
    author = Stranger(wiring, address(8), "author")
    author.say("b", rumor(author.id, 1, text="for a"))
    wiring.settle()
    wiring.passes = lambda _source, _datagram: True
    asked = [i for data in endless.received for i in CODEC.parse(data).items if isinstance(i, Floors)]
    for number in range(2 * ROUNDS_LIMIT):
        asked += [i for _, d in wiring.sent if d.target == endless.address
                  for i in CODEC.parse(d.data).items if isinstance(i, Floors)]  # fmt: skip
        wiring.sent.clear()
        endless.say(
            "a",
            rumor(endless.id, number + 1, number + 1),
            FloorsDone(asked[-1].round, more=True, evicted=False),
        )
        wiring.run(0.01)
    assert "for a" in wiring.texts("a")


# many origins


def crowd(wiring: Wiring, name: str, count: int, *, but: int = -1) -> None:
    """Let a machine hear one message each of so many origins, each of which has read the one before."""
    causal = wiring[name]._causal
    wiring[name]._intake.end_silence()
    past: tuple[tuple[bytes, int], ...] = ()
    for number in range(count):
        author = node_id(f"author{number}")
        one = rumor(author, 1, number + 1, past)
        if number != but:
            causal.receive(one, address(99), wiring.now, wiring[name]._out)
            past = ((author.key, 1),)


@pytest.mark.parametrize(
    ("origins", "clock_limit"), [(1_000, 1_024), pytest.param(10_000, 4_096, id="10000-4096")]
)
def test_one_message_missing_among_many_origins_is_repaired_within_few_exchanges(
    origins: int, clock_limit: int
) -> None:
    wiring = pair(Config(clock_limit=clock_limit, history_limit=20_000, history_size_limit=1 << 30))
    author = node_id("author")
    for name in "ab":
        crowd(wiring, name, origins)
    past = ((node_id(f"author{origins - 1}").key, 1),)
    wiring["a"]._causal.receive(
        rumor(author, 1, origins + 1, past, text="missing"), address(99), wiring.now, wiring["a"]._out
    )
    wiring.sent.clear()
    exchanges = wiring["a"].exchanges_served + wiring["b"].exchanges_served
    while "missing" not in wiring.texts("b"):
        wiring.run(0.5)
        assert wiring.now < 30
    assert wiring["a"].exchanges_served + wiring["b"].exchanges_served - exchanges <= 4
    assert len(kinds(wiring, FloorSums)) == len(kinds(wiring, SumsDiffer)) == 1
    (floors,) = kinds(wiring, Floors)
    assert isinstance(floors, Floors)
    assert len(floors.floors) < origins / 100
    assert len([item for item in kinds(wiring, Rumor) if item.origin == author]) <= 2  # type: ignore[union-attr]
    assert sum(datagram.size for _, datagram in wiring.sent) < 10_000
    wiring.check()


def test_while_a_hundred_origins_fit_one_datagram_their_floors_travel_at_once() -> None:
    wiring = pair()
    for name in "ab":
        crowd(wiring, name, 100)
    wiring.passes = lambda _s, d: not any(isinstance(item, Rumor) for item in CODEC.parse(d.data).items)
    wiring.send("a", "missing")
    wiring.settle()
    wiring.passes = lambda _source, _datagram: True
    wiring.run(5)
    assert wiring.texts("b")[-1] == "missing"
    assert kinds(wiring, FloorSums) == []


def test_sums_are_compared_bucket_by_bucket() -> None:
    wiring = Wiring(["a"])
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    author = node_id("author")
    peer.say("a", rumor(author, 1))
    (answer,) = peer.say("a", FloorSums(7, bytes(1_024)))
    bucket = author.key[0]
    assert answer == SumsDiffer(7, (1 << bucket).to_bytes(32, "little"))
    sums = bytearray(1_024)
    sums[4 * bucket : 4 * bucket + 4] = author.key[:4]
    (answer,) = peer.say("a", FloorSums(8, bytes(sums)))
    assert answer == SumsDiffer(8, bytes(32))


def test_an_origin_of_which_much_is_missing_keeps_no_other_waiting() -> None:
    wiring = Wiring(["a"])
    busy, quiet, reader = node_id("busy"), node_id("quiet"), node_id("reader")
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    for sequence in range(1, 201):
        peer.say("a", rumor(busy, sequence, sequence, text="x" * 1_000))
    peer.say("a", rumor(quiet, 1, 1), rumor(quiet, 2, 2))
    peer.say("a", rumor(reader, 1, 11, ((busy.key, 10),)), rumor(reader, 2, 201, ((busy.key, 200),)))
    answer = peer.say("a", Floors(1, *ALL, ()))
    dots = [(item.origin, item.sequence) for item in answer if isinstance(item, Rumor)]
    given = [sequence for origin, sequence in dots if origin == busy]
    assert given == list(range(1, len(given) + 1))
    assert len(given) < 60
    assert [dot for dot in dots if dot[0] != busy] == [(quiet, 1), (quiet, 2), (reader, 1)]
    assert dots[len(given) :] == [(quiet, 1), (quiet, 2), (reader, 1)]
    assert answer[-1] == FloorsDone(1, more=True, evicted=False)


def test_what_a_peer_has_forgotten_is_not_sent_to_it_again() -> None:
    wiring = Wiring(["a"], config=Config(history_limit=4))
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    for number in range(8):
        peer.say("a", rumor(node_id(f"author{number}"), 1, number + 1))
    late = node_id("author7").key
    answer = peer.say("a", Floors(1, *ALL, (), b"", Horizon(6, 1)))
    assert [item.origin.name for item in answer if isinstance(item, Rumor)] == ["author6", "author7"]
    assert answer[-1] == FloorsDone(1, more=False, evicted=False)
    awaited = node_id("author2").key
    answer = peer.say("a", Floors(3, *ALL, ((awaited, 0), (late, 1)), b"", Horizon(6, 1)))
    assert answer[-1] == FloorsDone(3, more=False, evicted=True)
    answer = peer.say("a", Floors(2, *ALL, ((late, 1),), b"", Horizon(6, 0)))
    assert len([item for item in answer if isinstance(item, Rumor)]) == 3
    assert answer[-1] == FloorsDone(2, more=False, evicted=True)


def test_a_peer_that_has_more_than_can_be_had_from_it_is_not_asked_again_and_again() -> None:
    wiring = pair()
    wiring.send("a", "hello")
    wiring.run(2)
    wiring["a"]._causal.memory.delivered_count += 5  # what b refuses to deliver twice
    wiring["a"]._causal.memory.forgotten_count += 5
    wiring.run(5)
    assert len(kinds(wiring, Floors)) >= 1
    wiring.sent.clear()
    wiring.run(20)
    assert kinds(wiring, Floors) == []
    assert wiring["b"].snapshot(wiring.now).behind == 0
    wiring.passes = lambda _s, d: not any(isinstance(item, Rumor) for item in CODEC.parse(d.data).items)
    wiring.send("a", "news")
    wiring.settle()
    wiring.passes = lambda _source, _datagram: True
    wiring.run(5)
    assert wiring.texts("b") == ["hello", "news"]


def test_requests_beyond_the_budget_are_refused_before_any_origin_is_looked_at() -> None:
    wiring = Wiring(["a"])
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    for number in range(500):
        peer.say("a", rumor(node_id(f"author{number}"), 1))
    theirs = tuple((node_id(f"author{number}").key, 1) for number in range(100))
    nothing = [Floors(number, min(theirs)[0], min(theirs)[0], theirs[:0]) for number in range(1_000)]
    answered = sum(bool(peer.say("a", floors)) for floors in nothing)
    looks = wiring["a"]._intake.reconcile.looks
    assert answered == looks < REPLY_BURST // (LOOK_COST * 500) + 2
    wiring.now += 0.5
    assert peer.say("a", nothing[0])


def test_a_node_is_behind_by_no_more_than_it_could_retain_whatever_a_peer_claims() -> None:
    wiring = Wiring(["a"], config=Config(history_limit=50))
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    for claimed, behind in ((20, 20), (2**32 - 1, 50)):
        peer.say("a", peer.request(nonce=claimed, frontier=((node_id("x").key, 1),), delivered=claimed))
        assert wiring["a"].snapshot(wiring.now).behind == behind
