"""What was saved and restored is the same as what was never stopped: log, clocks, frontier, pins, floors."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from protocol import Config, Gap
from protocol.core.causal import Reception
from protocol.core.identity import Address, NodeId
from protocol.core.machine import Machine
from protocol.core.messages import Rumor
from protocol.core.outbox import Outbox
from protocol.core.saved import Saved
from protocol.sim import Faults, Simulation
from protocol.sim.node import SimulatedNode
from protocol.wire import WireCodec


def restored(node: SimulatedNode, saved: Saved, now: float) -> Machine:
    machine = Machine(
        node.id, node.address, node.machine.config, WireCodec(), random.Random(1),
        wall_offset=node.machine.wall_offset,
    )  # fmt: skip
    machine.restore(saved, now)
    return machine


def assert_same(left: Machine, right: Machine) -> None:
    """Compare everything that a later delivery, reader, peer or late joiner can see."""
    for machine in (left, right):
        machine.check()
    one, two = left._causal, right._causal
    assert (one.log.first, one.log.next) == (two.log.first, two.log.next)
    assert one.log.evicted == two.log.evicted
    assert one.log.evicted_frontier.dots == two.log.evicted_frontier.dots
    assert one.log.evicted_depth == two.log.evicted_depth
    assert dict(one.floors()) == dict(two.floors())
    assert one.frontier.dots == two.frontier.dots
    assert {dot: clock.clock() for dot, clock in one.pins.items()} == {
        dot: clock.clock() for dot, clock in two.pins.items()
    }
    for position in range(one.log.first, one.log.next):
        mine, other = one.log.at(position), two.log.at(position)
        assert (mine.is_exact, mine.parents) == (other.is_exact, other.parents)
        a, b = mine.message, other.message
        assert (a.id, a.payload, a.order, a.parents, a.hops) == (b.id, b.payload, b.order, b.parents, b.hops)
        assert (a.created_at, a.delivered_at) == (b.created_at, b.delivered_at)
        assert (a.from_history, a.late) == (b.from_history, b.late)
        assert a.clock == b.clock
    assert left.unacknowledged == right.unacknowledged
    assert left.standing()[:3] == right.standing()[:3]


class Copy:
    """Keeps what a ledger gives, as a file does."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.saved = Saved(machine.standing(), None, (), ())
        self.prefixes = 0

    def update(self) -> Saved:
        ledger, old = self.machine.ledger, self.saved
        if ledger.is_behind:
            news = ledger.news()
            prefix = news.prefix or old.prefix
            assert prefix is not None
            self.prefixes += news.prefix is not None
            messages = [message for message in old.messages if message.position >= prefix.first]
            clocks = [clock for clock in old.clocks if clock.position >= prefix.first]
            old = Saved(old.standing, prefix, (*messages, *news.messages), (*clocks, *news.clocks))
            ledger.confirm(news)
        self.saved = old._replace(standing=self.machine.standing())
        return self.saved


@pytest.mark.parametrize("seed", range(2))
def test_a_restored_node_is_the_one_that_was_saved_through_eviction_gaps_and_late_messages(
    seed: int,
) -> None:
    config = Config(history_limit=60, gap_timeout=5, dissemination="eager")
    sim = Simulation(6, seed=seed, config=config, faults=Faults(loss=0.2))
    dice = random.Random(seed)
    copies = {node: Copy(node.machine) for node in sim.nodes}
    late = sim.nodes[0]
    sim.partition([0, 1, 2])
    for step in range(320):
        if step == 200:
            sim.heal()
        if step == 205:
            late = sim.add_node(join=[0])
            copies[late] = Copy(late.machine)
        dice.choice(sim.nodes).send_gossip(f"message {step}")
        sim.run_for(dice.random() * 0.3)
        node = dice.choice(sim.nodes)
        saved = copies[node].update()
        if step % 4 == 0:
            assert_same(node.machine, restored(node, saved, sim.now))
    assert any(isinstance(event, Gap) for node in sim.nodes for event in node.events)
    assert any(message.late for node in sim.nodes for message in node.delivered)
    for node in sim.nodes:
        assert_same(node.machine, restored(node, copies[node].update(), sim.now))
        assert_same(node.machine, restored(node, node.machine.save(), sim.now))
        assert copies[node].saved.prefix is not None
        assert len(copies[node].saved.messages) < 2 * 60 + 64 * 1024 // 700


@pytest.mark.parametrize("seed", range(2))
def test_a_node_that_has_forgotten_origins_is_restored_as_one_that_forgets_them_again(seed: int) -> None:
    """Of forgotten origins it may know others; what is delivered, and its clocks, are the same."""
    config = Config(clock_limit=4, history_limit=40, gap_timeout=5)
    sim = Simulation(5, seed=seed, config=config, faults=Faults(loss=0.1))
    dice = random.Random(seed)
    copies = {node: Copy(node.machine) for node in sim.nodes[:3]}
    for step in range(160):
        up = [node for node in sim.nodes if node.is_live]
        dice.choice(up).send_gossip(f"message {step}")
        if step % 2:
            guest = sim.add_node(join=[int(dice.random() * 3)])
            guest.send_gossip("hello")
            sim.crash(*[node for node in up[3:] if dice.random() < 0.5])
        sim.run_for(dice.random() * 0.5)
        node = sim.nodes[step % 3]
        saved = copies[node].update()
        if step % 8 < 3:
            again = restored(node, saved, sim.now)
            one, two = node.machine._causal, again._causal
            again.check()
            assert one.delivered_count == two.delivered_count
            assert one.frontier.dots == two.frontier.dots
            assert [one.log.message(position).clock for position in range(one.log.first, one.log.next)] == [
                two.log.message(position).clock for position in range(two.log.first, two.log.next)
            ]
    assert all(node.machine._causal.log.forgotten_count for node in sim.nodes[:3])


def test_messages_of_an_origin_that_was_forgotten_and_recalled_are_restored_and_counted_once() -> None:
    sim = Simulation(1, seed=1, config=Config(history_limit=2, backlog_limit=1_000))
    node = sim.nodes[0]
    causal, out = node.machine._causal, Outbox()
    other, here = NodeId("other", 7), Address("10.0.0.9", 1)
    for number in range(1, 4):
        causal.receive(Rumor(other, number, number, 1.0, (), b"", 0), here, 1.0, out)
    copy = Copy(node.machine)
    for _ in range(4):
        node.send_gossip("x")
        node.machine._spreading.on_acknowledge((node.id.key, causal.floor(node.id.key)), other.key, 1.0)
    causal.memory._forget(causal.origins[other.key])
    causal.log.forget(other.key)
    copy.update()
    assert causal.receive(Rumor(other, 3, 3, 1.0, (), b"", 0), here, 1.0, out) is Reception.FORGOTTEN
    parents = tuple(causal.frontier.dots.items())
    causal.receive(Rumor(other, 4, causal.depth + 1, 1.0, parents, b"", 0), here, 1.0, out)
    saved = copy.update()
    assert saved.messages[-1].origin == other
    again = restored(node, saved, sim.now)
    again.check()
    assert again._causal.delivered_count == causal.delivered_count == 8
    assert again._causal.floor(other.key) == 4


def test_what_is_saved_does_not_grow_with_what_was_evicted() -> None:
    config = Config(history_limit=200)
    sim = Simulation(2, seed=1, config=config)
    copies = [Copy(node.machine) for node in sim.nodes]
    most = 0
    for number in range(1_500):
        sim.nodes[number % 2].send_gossip(f"{number}")
        sim.run_for(0.05)
        most = max(most, *(len(copy.update().messages) for copy in copies))
    assert most <= 200 + 64 * 1024 // 700 + 2
    assert all(copy.prefixes < 30 for copy in copies)


def test_another_identity_keeps_the_log_and_begins_at_one() -> None:
    sim = Simulation(2, seed=1)
    node = sim.nodes[0]
    for text in ("a", "b", "c"):
        node.send_gossip(text)
    sim.run_for(5)
    later = NodeId(node.id.name, node.id.incarnation + 1)
    machine = Machine(later, node.address, node.machine.config, WireCodec(), random.Random(1))
    machine.restore(node.machine.save(), sim.now)
    assert [machine.log.message(position).text for position in (1, 2, 3)] == ["a", "b", "c"]
    message = machine.send_gossip(b"d", sim.now, 0.0)
    assert (message.id.origin, message.id.sequence) == (later, 1)
    assert message.clock[node.id] == 3
    assert machine.unacknowledged == 1


def test_the_next_own_message_has_the_next_number_and_the_whole_past() -> None:
    sim = Simulation(3, seed=2, config=Config(history_limit=2))
    for number in range(6):
        sim.nodes[number % 3].send_gossip(f"{number}")
        sim.run_for(5)
    node = sim.nodes[0]
    machine = restored(node, node.machine.save(), sim.now)
    expected = node.send_gossip("next")
    message = machine.send_gossip(b"next", sim.now, 0.0)
    assert (message.id, message.clock, message.order) == (expected.id, expected.clock, expected.order)
    assert message.parents == expected.parents


def test_own_large_messages_that_nobody_has_count_against_the_backlog_again() -> None:
    sim = Simulation(2, seed=4)
    sim.run_for(5)
    node = sim.nodes[0]
    node.send_gossip("x" * 3_000)
    sim.run_for(10)
    sim.crash(1)
    for size in (5_000, 70_000):
        node.send_gossip("x" * size)
    machine = restored(node, node.machine.save(), sim.now)
    assert machine.snapshot(sim.now).unacknowledged_size == 75_000
    assert [len(machine.log.message(at).payload) for at in (1, 2, 3)] == [3_000, 5_000, 70_000]


def test_own_messages_that_nobody_has_are_not_evicted_by_restoring() -> None:
    sim = Simulation(1, seed=1, config=Config(history_limit=10))
    node = sim.nodes[0]
    for number in range(15):
        node.send_gossip(f"{number}")
    machine = restored(node, node.machine.save(), sim.now)
    assert [machine.log.message(position).text for position in (1, 15)] == ["0", "14"]
    assert machine.unacknowledged == 15


def test_a_smaller_history_limit_takes_effect_on_restoring() -> None:
    sim = Simulation(1, seed=1)
    node = sim.nodes[0]
    for number in range(20):
        node.send_gossip(f"{number}")
    config = replace(node.machine.config, history_limit=5, backlog_limit=1)
    machine = Machine(node.id, node.address, config, WireCodec(), random.Random(1))
    saved = node.machine.save()
    machine.restore(saved._replace(standing=saved.standing._replace(covered=20)), sim.now)
    machine.check()
    assert len(machine.log) == 5
    assert machine.send_gossip(b"more", sim.now, 0.0).id.sequence == 21


def test_a_file_that_counts_evicted_own_messages_as_unheard_is_not_believed() -> None:
    sim = Simulation(2, seed=1, config=Config(history_limit=2))
    node = sim.nodes[0]
    for number in range(6):
        node.send_gossip(f"{number}")
        sim.run_for(5)
    saved = node.machine.save()
    forged = saved._replace(standing=saved.standing._replace(covered=0))
    assert restored(node, forged, sim.now).unacknowledged == 2


def test_exchanges_that_change_no_peer_change_nothing_that_is_saved_of_them() -> None:
    sim = Simulation(5, seed=1)
    sim.run_for(10)
    machine = sim.nodes[0].machine
    before = machine.standing().peers
    orders = set()
    for _ in range(40):
        sim.run_for(0.25)
        assert machine.standing().peers == before
        orders.add(tuple(peer.id for peer in machine._sampling.view.descriptors()))
    assert len(orders) > 1
