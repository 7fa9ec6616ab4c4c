"""Nodes that are restarted from what they saved, in a network that loses, duplicates and reorders."""

from __future__ import annotations

import random

import pytest

from protocol import Config, Gap, IncarnationChanged
from protocol.core.config import Dissemination
from protocol.core.identity import Address, Dot
from protocol.core.messages import Message, Rumor
from protocol.sim import Faults, Simulation
from protocol.sim.node import SimulatedNode

ROUGH = Faults(loss=0.3, duplication=0.2, reordering=0.2, latency=(0.01, 0.3))


def gaps(node: SimulatedNode) -> list[int]:
    return [event.size for event in node.events if isinstance(event, Gap)]


def is_same_everywhere(sim: Simulation, count: int) -> bool:
    return all(len(node.delivered) == count for node in sim.nodes)


def view_of(messages: list[Message]) -> list[tuple[Dot, str, dict[str, int]]]:
    """What people see of a log: order, text and clock of every message."""
    return [(message.id, message.text, message.clock.by_name()) for message in messages]


@pytest.mark.parametrize("seed", range(3))
def test_nodes_restarted_again_and_again_deliver_everything_once_in_one_order_with_the_same_clocks(
    seed: int,
) -> None:
    sim = Simulation(12, seed=seed, faults=ROUGH)
    dice = random.Random(seed)
    sim.run_for(5)
    sent = 0
    for _ in range(60):
        up = [node for node in sim.nodes if node.is_up]
        dice.choice(up).send_gossip(f"message {sent}")
        sent += 1
        sim.run_for(dice.random())
        down = [node for node in sim.nodes if node.is_crashed]
        if down and dice.random() < 0.5:
            sim.restart(dice.choice(down))
        elif len(down) < 4:
            sim.crash(dice.choice(up))
    for node in sim.nodes:
        if node.is_crashed:
            sim.restart(node)
    sim.run_until(lambda: is_same_everywhere(sim, sent), limit=120)
    sim.run_for(20)
    expected = view_of(sim.nodes[0].log)
    for node in sim.nodes:
        assert view_of(node.log) == expected
        assert len({message.id for message in node.delivered}) == sent
        assert not any(isinstance(event, IncarnationChanged | Gap) for event in node.events)
        node.machine.check()


def test_a_whole_network_that_was_down_at_once_finds_itself_again() -> None:
    sim = Simulation(8, seed=4, faults=Faults(loss=0.1))
    sim.run_for(10)
    for node in sim.nodes:
        node.send_gossip(node.id.name)
    sim.crash(*sim.nodes)
    assert all(len(node.delivered) == 1 for node in sim.nodes)
    sim.run_for(100)
    for node in sim.nodes:
        sim.restart(node)
    sim.run_until(lambda: is_same_everywhere(sim, 8), limit=60)
    assert all(node.current_view() for node in sim.nodes)


def test_a_short_absence_is_no_gap_and_nothing_counts_as_new_to_a_member() -> None:
    sim = Simulation(6, seed=1)
    sim.run_for(5)
    sim.nodes[0].send_gossip("before")
    sim.run_for(5)
    sim.crash(5)
    for number in range(20):
        sim.nodes[number % 5].send_gossip(f"{number}")
        sim.run_for(1)
    absent = sim.restart(5)
    sim.run_until(lambda: len(absent.delivered) == 21, limit=30)
    assert gaps(absent) == []
    assert not any(message.from_history for message in absent.delivered)


def test_an_absence_beyond_retention_is_exactly_one_gap_and_all_after_it_is_exact() -> None:
    sim = Simulation(6, seed=2, config=Config(history_limit=30, gap_timeout=5))
    sim.run_for(5)
    for number in range(10):
        sim.nodes[number % 6].send_gossip(f"before {number}")
        sim.run_for(1)
    sim.crash(5)
    for number in range(100):
        sim.nodes[number % 5].send_gossip(f"{number}")
        sim.run_for(0.3)
    absent = sim.restart(5)
    sim.run_until(lambda: bool(gaps(absent)), limit=60)
    sim.run_for(30)
    assert gaps(absent) == [70]
    after = [message for message in absent.delivered if not message.late][-10:]
    theirs = {message.id: message for message in sim.nodes[0].delivered}
    for message in after:
        assert message.clock == theirs[message.id].clock
        assert message.order == theirs[message.id].order
    last = sim.nodes[1].send_gossip("and on")
    sim.run_until(lambda: absent.delivered[-1].id == last.id, limit=30)
    assert absent.delivered[-1].clock == last.clock
    assert gaps(absent) == [70]


def test_a_restored_backup_is_noticed_and_the_network_agrees_afterwards() -> None:
    sim = Simulation(6, seed=3, faults=Faults(loss=0.2))
    sim.run_for(5)
    sim.nodes[0].send_gossip("saved")
    sim.run_for(5)
    backup = sim.nodes[0].machine.save()
    for number in range(3):
        sim.nodes[0].send_gossip(f"after the backup {number}")
    sim.run_for(5)
    sim.crash(0)
    former = sim.nodes[0].id
    restored = sim.restart(0, backup)
    assert restored.id == former
    sim.run_until(lambda: restored.id != former, limit=30)
    message = restored.send_gossip("a new life")
    sim.run_until(lambda: is_same_everywhere(sim, 5), limit=60)
    assert message.id.sequence == 1
    expected = view_of(sim.nodes[1].log)
    assert all(view_of(node.log) == expected for node in sim.nodes)


def test_what_was_said_under_a_used_number_keeps_nothing_from_who_said_it_and_changes_no_clock() -> None:
    sim = Simulation(3, seed=3)
    one, other, third = sim.nodes
    sim.run_for(5)
    one.send_gossip("saved")
    sim.run_for(5)
    backup = one.machine.save()
    sim.partition([one])
    for number in range(8):
        other.send_gossip(f"beside the next ones {number}")
        sim.run_for(1)
    one.send_gossip("after the backup")
    one.send_gossip("and again")
    sim.partition([third])
    sim.run_until(lambda: len(one.delivered) == len(other.delivered) == 11, limit=60)
    other.send_gossip("knows both")
    sim.partition([other])
    former = sim.restart(one, backup).id
    sim.run_until(lambda: len(one.delivered) == 9, limit=60)
    used = one.send_gossip("under a used number, and as deep as what knows both").id
    assert (used, one.id) == (Dot(former, 2), former)
    sim.heal()
    sim.run_until(lambda: one.id != former, limit=60)
    for number in range(6):
        sim.nodes[number % 3].send_gossip(f"after that {number}")
        sim.run_for(1)
    sim.run_until(lambda: len(one.delivered) == len(other.delivered) == 18, limit=60)
    expected = [entry for entry in view_of(other.log) if entry[0] != used]
    assert [entry for entry in view_of(one.log) if entry[0] != used] == expected
    one.machine.check()


def copy_cut_off(sim: Simulation) -> SimulatedNode:
    """The first node as it was before its last message, which all others have; nobody reaches it yet."""
    copy = sim.nodes[0].machine.save()
    sim.nodes[0].send_gossip("by the one")
    sim.run_for(5)
    sim.partition([0])
    return sim.restart(0, copy)


@pytest.mark.parametrize("text", ["by the other", "by the one"])
@pytest.mark.parametrize("dissemination", list(Dissemination))
def test_a_copy_that_sent_as_much_as_its_original_is_shown_what_the_others_have(
    dissemination: Dissemination, text: str
) -> None:
    sim = Simulation(4, seed=3, config=Config(dissemination=dissemination))
    sim.run_for(5)
    sim.nodes[0].send_gossip("saved")
    sim.run_for(5)
    twin = copy_cut_off(sim)
    former = twin.id
    assert twin.send_gossip(text).id.sequence == 2
    sim.run_for(20)
    assert twin.id == former
    sim.heal()
    sim.run_until(lambda: twin.id != former, limit=60)
    message = twin.send_gossip("as somebody new")
    sim.run_until(lambda: all(message.id in {m.id for m in node.delivered} for node in sim.nodes), limit=60)


@pytest.mark.parametrize("seed", [1, 3, 5])
def test_a_copy_is_noticed_though_most_of_what_is_asked_and_shown_is_lost(seed: int) -> None:
    sim = Simulation(3, seed=seed)
    sim.run_for(5)
    twin = copy_cut_off(sim)
    former = twin.id
    twin.send_gossip("by the other")
    sim.heal()
    sim.faults = Faults(loss=0.75)
    sim.run_until(lambda: twin.id != former, limit=120)


def test_a_node_that_left_comes_back_as_another_incarnation_and_is_let_in() -> None:
    sim = Simulation(5, seed=5)
    sim.run_for(5)
    sim.nodes[4].send_gossip("before")
    sim.run_for(5)
    former = sim.nodes[4].id
    sim.nodes[4].leave()
    sim.run_for(5)
    back = sim.restart(4)
    assert (back.id.name, back.id > former) == (former.name, True)
    message = back.send_gossip("after")
    sim.run_until(lambda: is_same_everywhere(sim, 2), limit=30)
    sim.run_for(10)
    assert dict(message.clock) == {former: 1, back.id: 1}
    assert any(peer.id == back.id for node in sim.nodes[:4] for peer in node.current_view())


@pytest.mark.parametrize("codec", ["objects", "bytes"])
def test_a_large_message_outlives_its_author_s_process(codec: str) -> None:
    sim = Simulation(3, seed=6, codec=codec)  # type: ignore[arg-type]
    sim.run_for(3)
    payload = random.Random(1).randbytes(40_000)
    sim.nodes[0].send_gossip(payload)
    sim.crash(0)
    sim.run_for(3)
    assert not sim.nodes[1].delivered
    sim.restart(0)
    sim.run_until(lambda: is_same_everywhere(sim, 1), limit=60)
    assert all(node.delivered[0].payload == payload for node in sim.nodes)


def test_who_sends_other_content_under_a_number_that_is_taken_is_shown_what_is_there() -> None:
    sim = Simulation(2, seed=1)
    sim.run_for(5)
    node = sim.nodes[0]
    message = node.send_gossip("the first")
    sim.run_for(5)
    before = [one.snapshot().counters.rumors_in for one in sim.nodes]
    for payload in (b"the first", b"another"):
        rumor = Rumor(node.id, 1, message.depth, message.created_at, (), payload, 0)
        machine = node.machine
        machine._spreading._send_out(rumor, node.id.key, Address("", 0), sim.now, machine._out)
        sim._pump(node)
        sim.run_for(1)
    after = [one.snapshot().counters.rumors_in for one in sim.nodes]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 2]
