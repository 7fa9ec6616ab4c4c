from __future__ import annotations

from gossip_tui.drawing.waves import HOLD_PERIOD, HOP_PERIOD, STEP_LIMIT, WAVE_LIMIT, Waves
from gossip_tui.observed import Delivery
from tests.gossip_tui.samples import node_id
from tests.gossip_tui.swarms import SwarmOf


def wave_of(swarm: SwarmOf, waves: Waves, now: float = 0.0) -> None:
    waves.observe(swarm.deliveries({}).rows, now)


def spread() -> SwarmOf:
    """p1 tells p2 and p3, one of which tells p4."""
    swarm = SwarmOf("p1", "p2", "p3", "p4")
    message = swarm.say("p1", "hello")
    swarm.reach(message, "p2", "p3", after=0.01, hops=0)
    swarm.reach(message, "p4", after=0.03, hops=1)
    return swarm


def test_a_wave_knows_after_how_many_hops_it_reached_whom() -> None:
    waves = Waves()
    wave_of(spread(), waves)
    assert waves.current is not None
    assert {node.name: layer for node, layer in waves.current.layers.items()} == {
        "p1": 0,
        "p2": 1,
        "p3": 1,
        "p4": 2,
    }
    assert waves.current.histogram() == [1, 2, 1]
    assert round(waves.current.seconds, 6) == 0.03


def test_hops_are_shown_one_after_the_other_in_slow_motion() -> None:
    waves = Waves()
    wave_of(spread(), waves, now=100.0)
    steps = [waves.step(100.0 + HOP_PERIOD * at) for at in (0.0, 0.9, 1.1, 2.1, 9.0)]
    assert steps == [0, 0, 1, 2, 2]
    assert waves.is_moving(100.0 + HOP_PERIOD * 2.5)
    assert not waves.is_moving(100.0 + HOP_PERIOD * 3.5)


def test_the_next_wave_waits_until_the_one_before_is_through_and_is_then_the_newest() -> None:
    swarm, waves = spread(), Waves()
    wave_of(swarm, waves, now=0.0)
    first = waves.current
    swarm.say("p2", "two")
    newest = swarm.say("p3", "three")
    wave_of(swarm, waves, now=HOP_PERIOD)
    assert waves.current is first
    waves.observe((), 2 * HOP_PERIOD + HOLD_PERIOD)
    assert waves.current is not None
    assert waves.current.message.id == newest.id


def test_what_a_person_said_is_shown_before_what_came_since_and_then_the_newest_again() -> None:
    swarm, waves = spread(), Waves()
    wave_of(swarm, waves)
    said = swarm.say("p1", "look here")
    waves.want(said.id)
    newest = swarm.say("p1", "chatter of the same node")
    wave_of(swarm, waves, now=HOP_PERIOD)
    later = 100.0
    waves.observe((), later)
    assert waves.current is not None
    assert waves.current.message.id == said.id
    assert not waves.has_shown(said.id, later)
    assert waves.has_shown(said.id, later + 3 * HOP_PERIOD)
    waves.observe((), 2 * later)
    assert waves.current.message.id == newest.id
    assert waves.has_shown(said.id, 2 * later)


def test_late_deliveries_still_join_their_wave() -> None:
    swarm, waves = spread(), Waves()
    wave_of(swarm, waves)
    late = SwarmOf("p9")
    late.reach(swarm.talk.said[0], "p9", after=5, hops=3)
    waves.observe(late.deliveries({}).rows, 1.0)
    assert waves.current is not None
    assert waves.current.layers[node_id("p9")] == 4


def test_replayed_it_starts_at_its_origin_again() -> None:
    waves = Waves()
    wave_of(spread(), waves, now=0.0)
    assert waves.step(10.0) == 2
    waves.replay(10.0)
    assert waves.step(10.0) == 0


def test_without_a_message_nothing_moves() -> None:
    waves = Waves()
    waves.observe((), 0.0)
    assert (waves.current, waves.step(5.0), waves.is_moving(5.0)) == (None, 0, False)
    waves.replay(1.0)
    assert not waves.is_moving(1.0)


def test_history_makes_no_wave() -> None:
    swarm, waves = SwarmOf("p1"), Waves()
    message = swarm.talk.say("p2", "old", from_history=True)
    waves.observe([Delivery(node_id("p1"), message)], 0.0)
    assert waves.current is None


def test_what_a_message_claims_of_its_way_is_bounded_and_so_is_what_is_remembered() -> None:
    swarm, waves = SwarmOf("p1", "p2"), Waves()
    for number in range(WAVE_LIMIT + 10):
        message = swarm.say("p1", f"text {number}")
        swarm.reach(message, "p2", hops=1_000_000)
    wave_of(swarm, waves)
    assert waves.current is not None
    assert waves.current.steps == STEP_LIMIT
    assert len(waves._waves) == WAVE_LIMIT
