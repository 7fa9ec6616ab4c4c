"""Lasting links: who gets one, who keeps it, and who does not."""

from __future__ import annotations

from itertools import pairwise

import pytest

from protocol.core.config import Config, Dissemination
from protocol.core.identity import Address
from protocol.core.messages import Goodbye, Item, Linkage, Prune, Stance
from protocol.core.outbox import Outbox
from tests.protocol.core.wiring import Stranger, Wiring, address

TREE = Config(dissemination=Dissemination.TREE)


def linked(wiring: Wiring, name: str) -> list[Address]:
    return [row.address for row in wiring[name].snapshot(wiring.now).neighbours]


def pair(*, config: Config = TREE) -> Wiring:
    """Two machines that heard of a message and of each other."""
    wiring = Wiring(["a", "b"], config=config)
    wiring.join("a", "b")
    wiring.send("a", "hello")
    wiring.run(3)
    return wiring


def strangers(wiring: Wiring, count: int, name: str = "a") -> list[Stranger]:
    """Proven addresses without a machine behind them."""
    found = [Stranger(wiring, address(20 + number), f"peer-{number}") for number in range(count)]
    for stranger in found:
        stranger.prove(name)
    return found


def stances(items: list[Item]) -> list[int]:
    return [item.stance for item in items if isinstance(item, Linkage)]


def test_neighbours_are_found_before_there_is_any_message_and_kept_while_there_is_none() -> None:
    wiring = Wiring(["a", "b"], config=TREE)
    wiring.join("a", "b")
    wiring.run(100)
    assert (linked(wiring, "a"), linked(wiring, "b")) == ([address(1)], [address(0)])


def test_eager_nodes_seek_no_neighbours_but_let_themselves_be_chosen() -> None:
    wiring = pair(config=Config(dissemination=Dissemination.EAGER))
    assert linked(wiring, "a") == linked(wiring, "b") == []
    wiring["a"].set_dissemination("tree", wiring.now)
    wiring.run(3)
    assert (linked(wiring, "a"), linked(wiring, "b")) == ([address(1)], [address(0)])


def test_an_address_that_has_not_proven_itself_becomes_no_neighbour() -> None:
    wiring = pair()
    stranger = Stranger(wiring, address(9))
    for stance in Stance:
        assert stances(stranger.say("a", Linkage(stance))) == []
    assert linked(wiring, "a") == [address(1)]
    assert stranger.bytes_received <= stranger.bytes_sent


def test_a_node_with_room_accepts_and_one_without_refuses() -> None:
    wiring = pair()
    answers = [stances(one.say("a", Linkage(Stance.ASK))) for one in strangers(wiring, 8)]
    assert answers == [[Stance.ACCEPT]] * 5 + [[Stance.REFUSE]] * 3
    assert len(linked(wiring, "a")) == 6


def test_a_node_without_neighbours_is_made_room_for_once_a_cycle_and_never_at_the_cost_of_own_choices() -> (
    None
):
    wiring = pair()
    own = linked(wiring, "a")
    asking = strangers(wiring, 20)
    answers = [stances(one.say("a", Linkage(Stance.URGE))) for one in asking]
    assert answers[:6] == [[Stance.ACCEPT]] * 6
    assert answers[6:] == [[Stance.REFUSE]] * 14
    for _ in range(20):
        wiring.run(1.1)
        for one in asking:
            one.say("a", Linkage(Stance.URGE))
        assert len(linked(wiring, "a")) <= 6
        assert set(own) <= set(linked(wiring, "a"))


@pytest.mark.parametrize("lazy", [None, 3])
def test_a_link_too_many_takes_the_place_of_a_lazy_one_but_of_none_that_carries_messages(
    lazy: int | None,
) -> None:
    wiring = Wiring(["a"], config=TREE)
    *peers, newest = strangers(wiring, 7)
    for peer in peers:
        peer.say("a", Linkage(Stance.ASK))
    if lazy is not None:
        peers[lazy].say("a", Prune())
    wiring["a"]._intake.neighbours.ask(newest.address, wiring.now, Outbox())
    heard = stances(newest.say("a", Linkage(Stance.ACCEPT)))
    assert heard == ([Stance.PART] if lazy is None else [])
    gone = newest if lazy is None else peers[lazy]
    kept = {peer.address for peer in (*peers, newest) if peer is not gone}
    assert set(linked(wiring, "a")) == kept


def test_whoever_claims_a_link_that_is_none_is_told_so() -> None:
    wiring = pair()
    (stranger,) = strangers(wiring, 1)
    assert stances(stranger.say("a", Linkage(Stance.HOLD))) == [Stance.PART]
    assert stances(stranger.say("a", Linkage(Stance.ACCEPT))) == [Stance.PART]
    assert stances(stranger.say("a", Linkage(Stance.REFUSE))) == []
    assert stances(stranger.say("a", Linkage(Stance.PART))) == []
    assert linked(wiring, "a") == [address(1)]


def test_a_neighbour_that_parts_or_leaves_is_none_any_more() -> None:
    wiring = pair()
    first, second = strangers(wiring, 2)
    for stranger in (first, second):
        stranger.say("a", Linkage(Stance.ASK))
    assert linked(wiring, "a") == [address(1), first.address, second.address]
    first.say("a", Linkage(Stance.PART))
    second.say("a", Goodbye(second.id))
    assert linked(wiring, "a") == [address(1)]


def test_a_silent_neighbour_is_dropped_after_a_few_cycles_and_one_that_holds_on_is_not() -> None:
    wiring = pair()
    silent, faithful = strangers(wiring, 2)
    for stranger in (silent, faithful):
        stranger.say("a", Linkage(Stance.ASK))
    for _ in range(5):
        wiring.run(1)
        faithful.say("a", Linkage(Stance.HOLD))
    assert linked(wiring, "a") == [address(1), faithful.address]


def test_cycles_of_links_differ_in_length_so_that_nodes_do_not_keep_step() -> None:
    wiring = pair()
    (stranger,) = strangers(wiring, 1)
    stranger.say("a", Linkage(Stance.ASK))
    moments: list[float] = []
    for _ in range(2_000):
        wiring.run(0.01)
        stranger.say("a", Linkage(Stance.HOLD))
        if any(datagram.target == stranger.address for _, datagram in wiring.sent):
            moments.append(wiring.now)
        wiring.sent.clear()
    lengths = [after - before for before, after in pairwise(moments)]
    assert len(lengths) >= 15
    assert 0.88 <= min(lengths) < 0.97
    assert 1.03 < max(lengths) <= 1.12


def test_a_node_that_slept_does_not_take_its_neighbours_for_silent() -> None:
    wiring = pair()
    (stranger,) = strangers(wiring, 1)
    stranger.say("a", Linkage(Stance.ASK))
    wiring.now += 60
    wiring["a"].handle_deadline(wiring.now)
    assert stranger.address in linked(wiring, "a")


def test_a_leaving_node_says_goodbye_to_its_neighbours() -> None:
    wiring = pair()
    (stranger,) = strangers(wiring, 1)
    stranger.say("a", Linkage(Stance.ASK))
    wiring["a"].leave(wiring.now)
    assert any(isinstance(item, Goodbye) for item in stranger.collect("a"))


def test_turning_to_eager_parts_with_everybody() -> None:
    wiring = pair()
    (stranger,) = strangers(wiring, 1)
    stranger.say("a", Linkage(Stance.ASK))
    wiring["a"].set_dissemination("eager", wiring.now)
    assert stances(stranger.collect("a")) == [Stance.PART]
    wiring.run(3)
    assert linked(wiring, "a") == [address(1)]  # "b" goes on seeking, and may choose it


@pytest.mark.parametrize("lost", [Stance.ASK, Stance.URGE, Stance.ACCEPT, Stance.PART])
def test_both_ends_agree_on_a_link_whichever_word_is_lost(lost: Stance) -> None:
    wiring = Wiring(["a", "b"], config=TREE)
    wiring.join("a", "b")
    left = 2

    def lose(_source: Address, datagram: object) -> bool:
        nonlocal left
        data = getattr(datagram, "data", b"")
        said = bytes([0x92, 17, lost]) in data
        left -= said
        return not said or left < 0

    wiring.passes = lose
    wiring.send("a", "hello")
    wiring.run(15)
    assert (linked(wiring, "a"), linked(wiring, "b")) == ([address(1)], [address(0)])
