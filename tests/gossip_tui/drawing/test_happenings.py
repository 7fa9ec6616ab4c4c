from __future__ import annotations

import random

import pytest

from gossip_tui.drawing.happenings import Happening, Happenings, Kind, Relation
from gossip_tui.observed import Deliveries
from protocol.core.clock import VectorClock
from protocol.core.identity import Dot
from protocol.core.messages import Message
from tests.gossip_tui.samples import node_id
from tests.gossip_tui.swarms import SwarmOf


def named(happening: Happening) -> str:
    """``p2<p1#3`` for a delivery, ``p1#3`` for a sending, ``p2(p1#3`` for a delivery that is told."""
    dot = f"{happening.dot.origin.name}#{happening.dot.sequence}"
    sign = {Kind.SEND: "", Kind.DELIVERY: "<", Kind.TOLD: "("}[happening.kind]
    return dot if happening.kind is Kind.SEND else f"{happening.node.name}{sign}{dot}"


def kept(swarm: SwarmOf) -> Happenings:
    happenings = Happenings()
    happenings.add(swarm.deliveries({}))
    happenings.check()
    return happenings


def at(happenings: Happenings, name: str) -> Happening:
    return next(one for one in happenings.kept if named(one) == name)


def related(happenings: Happenings, name: str) -> dict[str, str]:
    relations = happenings.relations(at(happenings, name))
    return {named(one): relations.get(one.number, Relation.CONCURRENT).value for one in happenings.kept}


def test_happenings_stand_in_the_order_of_their_moments() -> None:
    swarm = SwarmOf("p1", "p2")
    first = swarm.say("p1", "one")
    swarm.reach(first, "p2", after=0.2)
    swarm.now += 0.1
    swarm.reach(swarm.say("p2", "two"), "p1", after=0.3)
    swarm.delivered[node_id("p2")].reverse()  # it sent before it delivered
    assert [named(one) for one in kept(swarm).kept] == ["p1#1", "p2#1", "p2<p1#1", "p1<p2#1"]


def test_a_delivery_never_stands_before_its_sending_whatever_the_clocks_say() -> None:
    swarm = SwarmOf("p1", "p2", "p3")
    message = swarm.say("p3", "from a node whose clock is ahead")
    swarm.reach(message, "p1", "p2", after=-5.0)
    assert [named(one) for one in kept(swarm).kept] == ["p3#1", "p1<p3#1", "p2<p3#1"]


def test_past_future_and_what_is_concurrent() -> None:
    swarm = SwarmOf("p1", "p2", "p3")
    first = swarm.say("p1", "one")
    swarm.reach(first, "p2")
    swarm.now += 1
    aside = swarm.say("p3", "aside")
    swarm.now += 1
    answer = swarm.say("p2", "two", first)
    swarm.now += 1
    swarm.reach(answer, "p1", "p3")
    swarm.reach(aside, "p1")
    assert related(kept(swarm), "p2#1") == {
        "p1#1": "past",
        "p2<p1#1": "past",
        "p2#1": "self",
        "p3#1": "concurrent",
        "p1<p2#1": "future",
        "p1<p3#1": "future",
        "p3<p2#1": "future",
    }


@pytest.mark.parametrize("seed", range(5))
def test_what_is_past_is_what_the_clocks_say(seed: int) -> None:
    """Sendings compared by the clocks of their messages, in a swarm where deliveries are late at random."""
    rng = random.Random(seed)
    names = ["p1", "p2", "p3", "p4"]
    swarm = SwarmOf(*names)
    said: list[Message] = []
    for _ in range(40):
        swarm.now += rng.random()
        who = rng.choice(names)
        known = swarm.delivered[node_id(who)]
        heard = [message for message in known if message.id.origin.name != who]
        said.append(swarm.say(who, "text", *heard[-2:]))
        for name in names:
            have = {message.id for message in swarm.delivered[node_id(name)]}
            for message in said:
                past = set(message.parents) - have
                if message.id not in have and not past and rng.random() < 0.5:
                    swarm.reach(message, name)
                    have.add(message.id)
    happenings = kept(swarm)
    sends = [one for one in happenings.kept if one.kind is Kind.SEND]
    for one in sends:
        relations = happenings.relations(one)
        for other in sends:
            assert one.message is not None
            assert other.message is not None
            if relations.get(other.number) is Relation.PAST:
                assert not one.message.happened_before(other.message)
            if other.message.happened_before(one.message):
                assert relations[other.number] is Relation.PAST


def test_a_node_that_is_not_observed_is_known_by_the_parents_of_its_messages() -> None:
    swarm = SwarmOf("p1")
    mine = swarm.say("p1", "one")
    swarm.now += 1
    theirs = swarm.say("p2", "two", mine)
    swarm.reach(theirs, "p1")
    swarm.now += 1
    again = swarm.say("p2", "three")
    swarm.reach(again, "p1")
    happenings = kept(swarm)
    assert [named(one) for one in happenings.kept] == [
        "p1#1",
        "p2(p1#1",
        "p2#1",
        "p1<p2#1",
        "p2#2",
        "p1<p2#2",
    ]
    assert [lane.is_observed for lane in happenings.lanes.values()] == [True, False]
    assert related(happenings, "p2(p1#1")["p2#1"] == "future"


def test_what_a_message_tells_twice_is_one_happening() -> None:
    swarm = SwarmOf("p1")
    mine = swarm.say("p1", "one")
    for _ in range(2):
        swarm.reach(swarm.say("p2", "again", mine), "p1")
    assert [named(one) for one in kept(swarm).kept].count("p2(p1#1") == 1


def test_nobody_knows_in_which_order_two_parents_came_to_a_node_that_is_not_observed() -> None:
    swarm = SwarmOf("p1")
    first, second = swarm.say("p1", "one"), swarm.say("p3", "aside")
    swarm.reach(second, "p1")
    swarm.reach(swarm.say("p2", "two", first, second), "p1")
    assert related(kept(swarm), "p2(p1#1")["p2(p3#1"] == "concurrent"


def test_the_clock_of_a_delivery_is_what_the_node_had_delivered_by_then() -> None:
    swarm = SwarmOf("p1", "p2")
    for number in range(3):
        swarm.tell("p2", f"text {number}")
        swarm.now += 1
    swarm.tell("p1", "mine", swarm.talk.said[-1])
    happenings = kept(swarm)
    p1, p2 = node_id("p1"), node_id("p2")
    assert happenings.clock_of(at(happenings, "p1<p2#1")) == ({p2: 1}, True)
    assert happenings.clock_of(at(happenings, "p1<p2#2")) == ({p2: 2}, True)
    assert happenings.clock_of(at(happenings, "p1#1"))[0] == VectorClock({p1: 1, p2: 3})
    assert happenings.clock_of(at(happenings, "p2<p1#1")) == ({p1: 1, p2: 3}, True)


def test_a_lane_that_is_not_observed_from_the_beginning_has_clocks_that_may_be_larger() -> None:
    swarm = SwarmOf("p1", "p2")
    swarm.tell("p2", "before anybody looked")
    later = swarm.tell("p2", "after")
    happenings = Happenings()
    answer = swarm.deliveries(dict.fromkeys(swarm.delivered, 1))
    happenings.add(Deliveries(answer.rows, answer.cursor, frozenset(), answer.seat))
    clock, is_exact = happenings.clock_of(at(happenings, "p1<p2#2"))
    assert (clock, is_exact) == ({node_id("p2"): 2}, False)
    assert later.id == Dot(node_id("p2"), 2)


def test_so_many_are_kept_and_nothing_holds_the_others() -> None:
    swarm = SwarmOf("p1", "p2")
    happenings = Happenings(limit=40)
    seen: dict[object, int] = {}
    for number in range(300):
        swarm.now += 1
        swarm.tell(f"p{1 + number % 2}", "text")
        answer = swarm.deliveries(seen)  # type: ignore[arg-type]
        seen = dict(answer.cursor)
        assert len(happenings.add(answer)) == 2
        happenings.check()
    assert len(happenings.kept) == 40
    assert len(happenings.sends) == 20
    oldest = happenings.kept[0]
    steps, cause = 0, oldest
    while cause.causes:
        cause, steps = cause.causes[0], steps + 1
    assert steps <= 1
