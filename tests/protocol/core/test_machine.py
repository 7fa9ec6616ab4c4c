"""The joined machine: identity, incarnations, challenges, translators, snapshots and the end."""

from __future__ import annotations

import pytest

from protocol.core.config import Config
from protocol.core.events import DatagramRejected, IncarnationChanged, ViewChanged
from protocol.core.identity import Address, Dot, NodeId
from protocol.core.messages import (
    Acknowledge,
    ExchangeAnswer,
    Floors,
    FloorsDone,
    HistoryRequest,
    Item,
    Padding,
    Range,
    Rumor,
    Want,
)
from protocol.core.strategy import Strategy
from protocol.core.view import Descriptor
from protocol.errors import ConfigError, StateError

from .wiring import CODEC, EPOCH, Stranger, Wiring, address, rumor


def changes(wiring: Wiring, name: str) -> list[IncarnationChanged]:
    return [event for event in wiring.told(name, IncarnationChanged) if isinstance(event, IncarnationChanged)]


# somebody else uses the own identity


def test_a_rumor_above_the_own_sequence_makes_a_node_take_a_new_incarnation_at_once() -> None:
    wiring = Wiring(["a"])
    before = wiring["a"].id
    wiring.send("a", "mine")
    twin = Stranger(wiring, address(9), "friend")
    twin.say("a", rumor(before, 2, 2, text="not mine"))
    (change,) = changes(wiring, "a")
    assert change == IncarnationChanged(before, wiring["a"].id)
    assert (change.after.name, change.after.incarnation > before.incarnation) == ("a", True)
    assert wiring.texts("a") == ["mine", "not mine"]
    assert wiring.send("a", "again mine").id == Dot(change.after, 1)
    wiring.check()


def test_other_content_under_an_own_dot_makes_a_node_take_a_new_incarnation() -> None:
    wiring = Wiring(["a"])
    wiring.send("a", "mine")
    twin = Stranger(wiring, address(9), "friend")
    twin.say("a", rumor(wiring["a"].id, 1, 1, text="not mine"))
    assert len(changes(wiring, "a")) == 1


def test_an_own_message_that_comes_back_changes_nothing() -> None:
    wiring = Wiring(["a"])
    message = wiring.send("a", "mine")
    echo = Rumor(message.id.origin, 1, message.depth, message.created_at, (), b"mine", 3)
    Stranger(wiring, address(9), "friend").say("a", echo)
    assert changes(wiring, "a") == []
    assert wiring.texts("a") == ["mine"]


def test_an_acknowledgement_of_more_than_was_sent_means_that_somebody_else_sends() -> None:
    wiring = Wiring(["a"])
    wiring.send("a", "mine")
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    peer.say("a", Acknowledge((wiring["a"].id.key, 2)))
    assert len(changes(wiring, "a")) == 1


def test_what_was_said_before_a_change_goes_out_under_the_former_name() -> None:
    wiring = Wiring()
    stranger = Stranger(wiring, address(9))
    stranger.prove("a")
    before = wiring["a"].id
    items = stranger.say("a", stranger.request(8, frontier=((before.key, 5),), delivered=5))
    assert wiring["a"].id != before
    (answer,) = [item for item in items if isinstance(item, ExchangeAnswer)]
    assert answer.sender == before
    (later,) = [item for item in stranger.say("a", stranger.request(9)) if isinstance(item, ExchangeAnswer)]
    assert later.sender == wiring["a"].id


def test_after_a_change_others_see_the_new_incarnation_only() -> None:
    wiring = Wiring(["a", "b", "c"])
    wiring.join("b", "a")
    wiring.join("c", "a")
    wiring.run(3)
    Stranger(wiring, address(9), "friend").say("a", rumor(wiring["a"].id, 5, 2))
    wiring.run(20)
    for name in "bc":
        assert [d.id for d in wiring[name].view() if d.id.name == "a"] == [wiring["a"].id]
    wiring.send("a", "new life")
    wiring.run(3)
    assert wiring.texts("c")[-1] == "new life"


# proof


def test_requests_without_proof_are_challenged_and_with_it_answered() -> None:
    wiring = Wiring(["a"])
    wiring.send("a", "secret")
    key = wiring["a"].id.key
    wants: list[Item] = [
        Want((Range(key, 1, 1),), anchored=False),
        HistoryRequest(1, 0),
        Floors(1, bytes(8), b"\xff" * 8, ()),
    ]
    for number, want in enumerate(wants):
        asker = Stranger(wiring, address(20 + number), f"asker{number}")
        assert asker.say("a", want, Padding(50)) == []
        offer = CODEC.parse(asker.received[-1]).header.offer
        assert offer
        asker.cookie = offer
        answer = asker.say("a", want)
        assert any(isinstance(item, Rumor) for item in answer)


def test_what_only_makes_sense_after_proof_is_refused_or_ignored_before() -> None:
    wiring = Wiring(["a"])
    stranger = Stranger(wiring, address(9))
    assert stranger.say("a", FloorsDone(1, more=False, evicted=True)) == []
    assert wiring.reasons("a") == ["unproven"]


def test_one_datagram_makes_one_rejection_however_much_in_it_is_wrong() -> None:
    wiring = Wiring(["a"])
    stranger = Stranger(wiring, address(9))
    stranger.say(
        "a", FloorsDone(1, more=False, evicted=False), rumor(stranger.id, 9_999), rumor(stranger.id, 9_998)
    )
    assert wiring.told("a", DatagramRejected) == [DatagramRejected(address(9), "unproven")]


def test_a_peer_behind_an_address_translator_is_reached_where_it_was_heard() -> None:
    wiring = Wiring(["a", "b"])
    inside, outside = wiring.at("b"), Address("203.0.113.1", 4_444)
    wiring.by_address = {wiring.at("a"): "a", outside: "b"}
    original = wiring.at
    wiring.at = lambda name: outside if name == "b" else original(name)  # type: ignore[method-assign]
    wiring["b"].join([original("a")], 0.0)
    wiring.run(5)
    assert [(d.id.name, d.address) for d in wiring["a"].view()] == [("b", inside)]
    wiring.send("a", "through the translator")
    wiring.run(2)
    assert wiring.texts("b") == ["through the translator"]
    wiring["b"].leave(wiring.now)
    wiring.settle()
    assert wiring["a"].view() == ()


# settings, snapshots, the end


def test_another_strategy_takes_effect_and_an_impossible_one_changes_nothing() -> None:
    wiring = Wiring(["a"])
    wiring["a"].set_strategy("healer")
    before = wiring["a"].config
    with pytest.raises(ConfigError, match="unheard-of"):
        wiring["a"].set_strategy("unheard-of")
    assert wiring["a"].config is before


def full_view(size: int, strategy: str = "default") -> Wiring:
    """``a`` with ``size`` peers of ages 0, 1, 2, ... in a view that holds no more."""
    wiring = Wiring(["a"], config=Config(view_size=size, strategy=strategy))
    peers = [
        Descriptor(NodeId(f"n{age:02}", 1), Address("10.0.1.1", 1_000 + age), age) for age in range(size)
    ]
    wiring["a"].introduce(peers)
    assert [peer.age for peer in wiring["a"].view()] == list(range(size))
    return wiring


def test_a_smaller_view_is_cut_at_once_by_the_strategys_own_rule() -> None:
    wiring = full_view(20, "(rand, push-pull, head)")
    wiring["a"].take_events()
    wiring["a"].set_view_size(12, wiring.now)
    assert [peer.age for peer in wiring["a"].view()] == list(range(12))
    (change,) = wiring["a"].take_events()
    assert isinstance(change, ViewChanged)
    assert sorted(node.name for node in change.parted) == [f"n{age:02}" for age in range(12, 20)]
    wiring = full_view(20, "healer")
    wiring["a"].set_view_size(12, wiring.now)
    ages = [peer.age for peer in wiring["a"].view()]
    assert (len(ages), max(ages)) == (12, 13)
    assert wiring["a"].snapshot(wiring.now).view_size == 12


def test_a_larger_view_keeps_everybody_and_takes_more_in() -> None:
    wiring = full_view(4, "blind")
    wiring["a"].set_view_size(6, wiring.now)
    assert len(wiring["a"].view()) == 4
    more = [Descriptor(NodeId(f"m{n}", 1), Address("10.0.2.1", 1_000 + n), 0) for n in range(9)]
    wiring["a"].introduce(more)
    assert len(wiring["a"].view()) == 6


def test_a_preset_stays_that_preset_for_views_of_another_size() -> None:
    wiring = full_view(20)
    wiring["a"].set_view_size(8, wiring.now)
    assert wiring["a"].config.sampling == Strategy.parse("default", 8)
    wiring["a"].set_view_size(20, wiring.now)
    assert wiring["a"].config.sampling == Strategy.parse("default", 20)


@pytest.mark.parametrize("size", [1, 0, -3, 1_001, True, 2.5])
def test_an_impossible_view_size_changes_nothing(size: int) -> None:
    wiring = full_view(20)
    before = wiring["a"].config
    with pytest.raises(ConfigError, match="view_size must be"):
        wiring["a"].set_view_size(size, wiring.now)
    assert wiring["a"].config is before
    assert len(wiring["a"].view()) == 20


def test_a_view_too_small_for_a_strategy_that_is_no_preset_is_refused() -> None:
    wiring = full_view(20, "(tail, push-pull, H=4, S=3)")
    with pytest.raises(ConfigError, match="half of view_size 8"):
        wiring["a"].set_view_size(8, wiring.now)
    assert len(wiring["a"].view()) == 20


def test_another_fanout_pushes_to_so_many_peers() -> None:
    wiring = full_view(20)
    wiring["a"].datagrams_to_send()
    pushed = []
    for fanout in (3, 7):
        wiring["a"].set_fanout(fanout)
        wiring["a"].send_gossip(b"x", wiring.now, 0.0)
        pushed.append(len({target for target, _, _ in wiring["a"].datagrams_to_send()}))
    assert pushed == [3, 7]
    with pytest.raises(ConfigError, match="fanout"):
        wiring["a"].set_fanout(0)
    assert wiring["a"].config.fanout == 7


def test_a_snapshot_counts_what_happened() -> None:
    wiring = Wiring(["a", "b"], config=Config(cluster="c"))
    wiring.join("b", "a")
    wiring.send("a", "hello")
    wiring.run(5)
    snapshot = wiring["b"].snapshot(wiring.now)
    assert (snapshot.id, snapshot.address, snapshot.cluster) == (wiring["b"].id, address(1), "c")
    assert (snapshot.retained_count, snapshot.evicted_count, snapshot.depth) == (1, 0, 1)
    assert snapshot.frontier == (Dot(wiring["a"].id, 1),)
    assert (snapshot.counters.delivered, snapshot.counters.sent, snapshot.unacknowledged) == (1, 0, 0)
    assert snapshot.counters.datagrams_in == sum(d.target == address(1) for _, d in wiring.sent)
    assert snapshot.counters.bytes_out == sum(d.size for s, d in wiring.sent if s == address(1))
    assert snapshot.counters.exchanges_started >= snapshot.counters.exchanges_answered > 0


def test_a_snapshot_says_what_held_messages_wait_for() -> None:
    wiring = Wiring(["a"])
    author = Stranger(wiring, address(9), "author")
    author.say("a", rumor(author.id, 1), rumor(author.id, 3, 3, text="third"))
    (held,) = wiring["a"].snapshot(wiring.now).held
    assert (held.id, held.text, held.waits_for) == (Dot(author.id, 3), "third", (Dot(author.id, 2),))
    assert held.received_at == EPOCH


def test_a_left_node_refuses_every_input_of_its_own() -> None:
    wiring = Wiring(["a"])
    wiring["a"].leave(0.0)
    with pytest.raises(StateError):
        wiring.send("a", "too late")
    with pytest.raises(StateError):
        wiring["a"].join([address(1)], 0.0)
    with pytest.raises(StateError):
        wiring["a"].add([address(1)], 0.0)


def test_a_leaver_pushes_what_nobody_has_once_more() -> None:
    wiring = Wiring(["a", "b"])
    wiring.join("b", "a")
    wiring.run(3)
    wiring.passes = lambda _source, _datagram: False
    wiring.send("a", "last words")
    wiring.settle()
    wiring.passes = lambda _source, _datagram: True
    wiring["a"].leave(wiring.now)
    wiring.settle()
    assert wiring.texts("b") == ["last words"]
