"""Anti-entropy: when floors travel, in what order the missing comes, and how much of it at a time."""

from __future__ import annotations

from protocol.core.config import Config
from protocol.core.messages import Floors, FloorsDone, Item, Rumor
from protocol.core.reconcile import ROUNDS_LIMIT
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
    wiring.send("b", "for a")
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
