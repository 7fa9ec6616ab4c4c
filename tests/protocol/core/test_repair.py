"""Wants, absences and anchors: how a single hole is filled."""

from __future__ import annotations

from protocol.core.config import Config
from protocol.core.messages import Absent, Anchor, Item, Range, Rumor, Want
from protocol.core.repair import DOTS_PER_REPLY, ENTRIES_HELD_LIMIT, REPLY_LIMIT, dots_of, ranges_of
from protocol.core.view import Descriptor

from .wiring import CODEC, Stranger, Wiring, address, node_id, rumor


def proven(wiring: Wiring, number: int, name: str) -> Stranger:
    """A peer written by hand that has shown that its address is its own."""
    peer = Stranger(wiring, address(number), name)
    peer.prove("a")
    return peer


def asked(wiring: Wiring, peer: Stranger, seconds: float) -> list[Want]:
    """What a machine wants from a peer within some time."""
    wiring.sent.clear()
    wiring.run(seconds)
    return wants_of(wiring, peer)


def wants_of(wiring: Wiring, peer: Stranger) -> list[Want]:
    items: list[Item] = [
        i for _, d in wiring.sent if d.target == peer.address for i in CODEC.parse(d.data).items
    ]
    return [item for item in items if isinstance(item, Want)]


def test_a_hole_is_asked_for_from_whoever_sent_what_needs_it() -> None:
    wiring = Wiring(["a"])
    peer = proven(wiring, 9, "peer")
    author = node_id("author")
    peer.say("a", rumor(author, 3, 3))
    wants = asked(wiring, peer, 0.5)
    assert wants[0] == Want((Range(author.key, 1, 2),), anchored=False)


def test_nothing_is_asked_for_that_comes_within_the_grace_period() -> None:
    wiring = Wiring(["a"])
    peer = proven(wiring, 9, "peer")
    author = node_id("author")
    peer.say("a", rumor(author, 2, 2))
    peer.say("a", rumor(author, 1, 1))
    assert asked(wiring, peer, 5) == []
    assert wiring.texts("a") == ["x", "x"]


def test_requests_for_what_nobody_has_come_less_and_less_often() -> None:
    wiring = Wiring(["a"], config=Config(orphan_timeout=1_000))
    peer = proven(wiring, 9, "peer")
    peer.say("a", rumor(node_id("author"), 2, 2))
    early = len(asked(wiring, peer, 10))
    late = len(asked(wiring, peer, 100))
    assert early >= 3
    assert late <= 25


def test_not_here_makes_the_next_peer_be_asked_at_once_but_not_for_ever() -> None:
    wiring = Wiring(["a"])
    one, other = proven(wiring, 8, "one"), proven(wiring, 9, "other")
    other.say("a", other.request(8, pull=False))
    author = node_id("author")
    one.say("a", rumor(author, 2, 2))
    absent = Absent((Range(author.key, 1, 1),))
    assert len(asked(wiring, one, 0.21)) == 1
    for _ in range(50):
        one.say("a", absent)
        wiring.run(0.0)
    assert 1 <= len(wants_of(wiring, other)) <= 8


def test_what_is_here_is_sent_and_what_is_not_is_said_at_once() -> None:
    wiring = Wiring(["a"])
    for number in range(3):
        wiring.send("a", str(number))
    key = wiring["a"].id.key
    peer = proven(wiring, 9, "peer")
    answer = peer.say("a", Want((Range(key, 2, 5),), anchored=False))
    assert [item.sequence for item in answer if isinstance(item, Rumor)] == [2, 3]
    assert [item for item in answer if isinstance(item, Absent)] == [Absent((Range(key, 4, 5),))]


def test_what_is_held_back_is_sent_as_well() -> None:
    wiring = Wiring(["a"])
    author = node_id("author")
    peer = proven(wiring, 9, "peer")
    peer.say("a", rumor(author, 5, 5))
    answer = peer.say("a", Want((Range(author.key, 5, 5),), anchored=False))
    assert [item for item in answer if isinstance(item, Rumor)] == [rumor(author, 5, 5)._replace(hops=1)]


def test_an_anchored_message_comes_with_its_whole_clock() -> None:
    wiring = Wiring(["a"])
    author = node_id("author")
    peer = proven(wiring, 9, "peer")
    peer.say("a", rumor(author, 1))
    wiring.send("a", "reply")
    own = wiring["a"].id.key
    answer = peer.say("a", Want((Range(own, 1, 1),), anchored=True))
    anchors = [item for item in answer if isinstance(item, Anchor)]
    assert [(a.dot, a.page, a.pages, set(a.entries)) for a in anchors] == [
        ((own, 1), 0, 1, {(own, 1, 2), (author.key, 1, 1)})
    ]


def test_one_reply_is_bounded_whatever_is_asked() -> None:
    wiring = Wiring(["a"], config=Config(backlog_limit=2_000))
    for _ in range(200):
        wiring.send("a", "x" * 1_000)
    peer = proven(wiring, 9, "peer")
    peer.received.clear()
    peer.say("a", *[Want((Range(wiring["a"].id.key, 1, 200),), anchored=False)])
    assert REPLY_LIMIT / 2 < peer.bytes_received <= REPLY_LIMIT * 1.1
    assert len(list(dots_of([Range(bytes(8), 1, 1 << 40)]))) == DOTS_PER_REPLY


def test_a_node_that_lacks_a_parents_clock_asks_for_the_message_anchored_and_delivers_it_then() -> None:
    wiring = Wiring(["a"], config=Config(history_limit=1))
    author, other = node_id("author"), node_id("other")
    peer = proven(wiring, 9, "peer")
    for sequence in range(1, 4):
        peer.say("a", rumor(author, sequence, sequence))
    peer.say("a", rumor(other, 1, 5, ((author.key, 1),), text="from the past"))
    wants = asked(wiring, peer, 0.5)
    assert Want((Range(other.key, 1, 1),), anchored=True) in wants
    peer.say("a", Anchor((other.key, 1), 0, 1, ((author.key, 1, 1), (other.key, 1, 5))))
    assert wiring.texts("a")[-1] == "from the past"
    wiring.check()


def test_a_clock_that_whoever_sent_the_message_lacks_is_asked_of_its_origin_next() -> None:
    wiring = Wiring(["a"], config=Config(history_limit=1))
    author = node_id("author")
    peer, other = proven(wiring, 9, "peer"), proven(wiring, 8, "other")
    view = wiring["a"]._sampling.view
    for number in range(10, 25):
        view.add(Descriptor(node_id(f"n{number}"), address(number), 0))
    view.add(Descriptor(other.id, other.address, 0))
    for sequence in range(1, 4):
        peer.say("a", rumor(author, sequence, sequence))
    peer.say("a", rumor(other.id, 1, 5, ((author.key, 1),), text="from the past"))
    wiring.sent.clear()
    wiring.run(0.5)
    want = Want((Range(other.key, 1, 1),), anchored=True)
    asked_to = [d.target for _, d in wiring.sent if want in CODEC.parse(d.data).items]
    assert asked_to[:2] == [peer.address, other.address]


def test_pages_of_a_clock_come_in_any_order_but_only_from_whom_it_was_asked_of() -> None:
    wiring = Wiring(["a"], config=Config(history_limit=1))
    author, other = node_id("author"), node_id("other")
    peer, forger = proven(wiring, 9, "peer"), proven(wiring, 8, "forger")
    for sequence in range(1, 4):
        peer.say("a", rumor(author, sequence, sequence))
    peer.say("a", rumor(other, 1, 5, ((author.key, 1),), text="from the past"))
    assert {want.anchored for want in asked(wiring, peer, 0.5)} == {True}
    forger.say("a", Anchor((other.key, 1), 0, 1, ((author.key, 1, 1), (other.key, 1, 5))))
    assert wiring.reasons("a") == ["unasked"]
    peer.say("a", Anchor((other.key, 1), 1, 2, ((other.key, 1, 5),)))
    peer.say("a", Anchor((other.key, 1), 0, 2, ((author.key, 1, 1),)))
    assert wiring.texts("a")[-1] == "from the past"


def test_a_clock_that_names_what_was_never_delivered_is_not_believed() -> None:
    wiring = Wiring(["a"], config=Config(history_limit=1))
    author, other = node_id("author"), node_id("other")
    peer = proven(wiring, 9, "peer")
    for sequence in range(1, 4):
        peer.say("a", rumor(author, sequence, sequence))
    peer.say("a", rumor(other, 1, 5, ((author.key, 1),), text="from the past"))
    asked(wiring, peer, 0.5)
    peer.say("a", Anchor((other.key, 1), 0, 1, ((author.key, 1_000_000, 4), (other.key, 1, 5))))
    assert "from the past" not in wiring.texts("a")
    wiring.check()


def test_anchors_nobody_asked_for_are_bounded() -> None:
    wiring = Wiring(["a"])
    peer = proven(wiring, 9, "peer")
    entries = tuple((number.to_bytes(8), 1, 1) for number in range(1, 60))
    for number in range(2_000):
        peer.say("a", Anchor((number.to_bytes(8), 1), number % 64, 64, entries))
        peer.say("a", Anchor((number.to_bytes(8), 2), 0, 1, entries))
    repair = wiring["a"]._intake.repair
    collected = sum(len(part) for pages in repair._pages.values() for part in pages.values())
    assert collected <= ENTRIES_HELD_LIMIT
    assert sum(map(len, repair._early.values())) <= ENTRIES_HELD_LIMIT


def test_dots_next_to_each_other_become_one_range() -> None:
    dots = [(b"b" * 8, 5), (b"a" * 8, 1), (b"a" * 8, 4), (b"a" * 8, 2)]
    assert ranges_of(dots) == (Range(b"a" * 8, 1, 2), Range(b"a" * 8, 4, 4), Range(b"b" * 8, 5, 5))


def test_an_origin_of_which_much_is_wanted_keeps_no_other_waiting() -> None:
    wiring = Wiring(["a"])
    busy, quiet = node_id("busy"), node_id("quiet")
    peer = proven(wiring, 9, "peer")
    for sequence in range(1, 101):
        peer.say("a", rumor(busy, sequence, sequence, text="x" * 1_000))
    peer.say("a", rumor(quiet, 1), rumor(quiet, 2, 2))
    answer = peer.say("a", Want((Range(busy.key, 1, 100), Range(quiet.key, 1, 2)), anchored=False))
    rumors = [item for item in answer if isinstance(item, Rumor)]
    assert len(rumors) < 60
    assert [one.sequence for one in rumors if one.origin == quiet] == [1, 2]
    assert [one.sequence for one in rumors if one.origin == busy] == list(range(1, len(rumors) - 1))
