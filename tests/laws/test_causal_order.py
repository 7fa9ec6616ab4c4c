"""Hold-back delivers a linear extension of happened-before, each message once, whatever the network does."""

from __future__ import annotations

import random
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.core.causal import CausalOrder, Reception
from protocol.core.config import Config
from protocol.core.identity import Dot, NodeId
from protocol.core.messages import Rumor
from protocol.core.outbox import Outbox
from tests.protocol.core.wiring import EPOCH, address, messages_of, node_id

AUTHORS = [node_id(name) for name in "abcd"]


class World(NamedTuple):
    rumors: list[Rumor]
    clocks: dict[Dot, dict[NodeId, int]]
    """The true clock of each message."""


@st.composite
def worlds(draw: st.DrawFn, max_size: int = 14) -> World:
    """A few authors who write and read each other in a drawn order."""
    nodes = {author: (CausalOrder(Config()), Outbox()) for author in AUTHORS}
    clocks: dict[Dot, dict[NodeId, int]] = {}
    known: dict[NodeId, dict[NodeId, int]] = {author: {} for author in AUTHORS}
    rumors: list[Rumor] = []
    steps = st.tuples(st.sampled_from(AUTHORS), st.integers(-max_size, 3 * max_size))
    for author, step in draw(st.lists(steps, min_size=1, max_size=2 * max_size)):
        causal, out = nodes[author]
        if step < 0 and len(rumors) < max_size:
            rumors.append(causal.send(author, b"x", 0.0, EPOCH, out).rumor(0))
        elif step >= 0 and rumors:
            causal.receive(rumors[step % len(rumors)], address(0), 0.0, out)
        read(out, author, known, clocks)
    return World(rumors, clocks)


def read(
    out: Outbox, author: NodeId, known: dict[NodeId, dict[NodeId, int]], clocks: dict[Dot, dict[NodeId, int]]
) -> None:
    """Follow what a node delivered: own messages get their true clock, others add to what it knows."""
    for message in messages_of(out):
        mine = known[author]
        if message.id.origin == author:
            mine[author] = message.id.sequence
            clocks[message.id] = dict(mine)
        for origin, sequence in clocks[message.id].items():
            mine[origin] = max(mine.get(origin, 0), sequence)
    out.events.clear()


def arrivals(world: World, seed: int) -> list[Rumor]:
    """Every message at least once, some twice, in any order."""
    dice = random.Random(seed)
    copies = [rumor for rumor in world.rumors for _ in range(1 + (dice.random() < 0.3))]
    return sorted(copies, key=lambda _: dice.random())


@given(worlds(), st.integers(0, 1 << 30))
@settings(max_examples=300)
def test_every_message_is_delivered_once_after_its_past_and_with_its_true_clock(
    world: World, seed: int
) -> None:
    reader, out = CausalOrder(Config()), Outbox()
    for rumor in arrivals(world, seed):
        reader.receive(rumor, address(0), 0.0, out)
        reader.check()
    delivered = messages_of(out)
    assert len(delivered) == len(world.rumors)
    seen: set[Dot] = set()
    for message in delivered:
        assert message.id not in seen
        clock = world.clocks[message.id]
        past = {Dot(o, n) for o, last in clock.items() for n in range(1, last + 1)} - {message.id}
        assert past <= seen
        assert dict(message.clock) == clock
        seen.add(message.id)


@given(worlds(), st.integers(0, 1 << 30), st.integers(0, 1 << 30))
def test_the_display_order_is_the_same_on_every_node_and_extends_happened_before(
    world: World, one: int, other: int
) -> None:
    logs = []
    for seed in (one, other):
        reader, out = CausalOrder(Config()), Outbox()
        for rumor in arrivals(world, seed):
            reader.receive(rumor, address(0), 0.0, out)
        logs.append(sorted(messages_of(out), key=lambda message: message.order))
    assert [message.id for message in logs[0]] == [message.id for message in logs[1]]
    for index, message in enumerate(logs[0]):
        assert not any(later.happened_before(message) for later in logs[0][index:])


@given(worlds(), st.integers(0, 1 << 30))
def test_equal_frontiers_mean_equal_delivered_sets(world: World, seed: int) -> None:
    readers = [CausalOrder(Config()) for _ in range(2)]
    out = Outbox()
    dice = random.Random(seed)
    for rumor in arrivals(world, seed):
        for reader in readers:
            if dice.random() < 0.7:
                reader.receive(rumor, address(0), 0.0, out)
        floors = [set(reader.floors()) for reader in readers]
        assert (readers[0].frontier.dots == readers[1].frontier.dots) == (floors[0] == floors[1])


@given(worlds(), st.integers(0, 1 << 30), st.integers(1, 5), st.integers(1, 5))
def test_bounds_hold_and_nothing_is_delivered_out_of_order_with_hardly_any_room(
    world: World, seed: int, hold_back_limit: int, history_limit: int
) -> None:
    config = Config(hold_back_limit=hold_back_limit, history_limit=history_limit)
    reader, out = CausalOrder(config), Outbox()
    for _ in range(3):
        for rumor in arrivals(world, seed):
            reception = reader.receive(rumor, address(0), 0.0, out)
            reader.check()
            assert reception is not Reception.BAD_DEPTH
            assert len(reader.holding) <= hold_back_limit
            assert len(reader.log) <= history_limit
    seen: dict[NodeId, int] = {}
    for message in messages_of(out):
        assert message.id.sequence == seen.get(message.id.origin, 0) + 1
        seen[message.id.origin] = message.id.sequence
        clock = world.clocks[message.id]
        assert all(seen.get(origin, 0) >= sequence for origin, sequence in clock.items())
        assert dict(message.clock) == clock
