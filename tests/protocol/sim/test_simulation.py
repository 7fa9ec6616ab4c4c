"""The simulator: one seed, one run; faults do what they say; limits name the seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from protocol.core.config import Config
from protocol.core.identity import Address
from protocol.errors import ConfigError
from protocol.sim import Faults, LimitError, Simulation, Start, Timing
from protocol.sim.network import Translator

ROOT = Path(__file__).parents[3]

SCRIPT = """
from hashlib import blake2b
from protocol.sim import Faults, Simulation

simulation = Simulation(15, seed=7, faults=Faults(loss=0.2, duplication=0.1, reordering=0.1), start="star")
for step in range(40):
    simulation.nodes[step * 7 % 15].send_gossip(f"{step}")
    simulation.run_for(0.2)
    if step == 10:
        simulation.partition(range(7))
    if step == 20:
        simulation.heal()
        simulation.crash(14)
simulation.add_node(join=[3])
simulation.run_for(15)
digest = blake2b()
for node in simulation.nodes:
    digest.update(repr(node.current_view()).encode())
    digest.update(repr([(m.id, m.delivered_at, str(m.clock)) for m in node.delivered]).encode())
    digest.update(repr(node.events).encode())
print(digest.hexdigest(), simulation.datagram_count)
"""


def test_one_seed_gives_one_run_in_every_process_whatever_its_hash_seed() -> None:
    outputs = set()
    for hash_seed in ("0", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        run = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.add(run.stdout)
    assert len(outputs) == 1


def fingerprint(seed: int) -> list[object]:
    simulation = Simulation(8, seed=seed, faults=Faults(loss=0.2))
    for step in range(10):
        simulation.nodes[step % 8].send_gossip(str(step))
        simulation.run_for(0.3)
    return [[(m.id, m.delivered_at) for m in node.delivered] for node in simulation.nodes]


def test_the_same_seed_repeats_a_run_and_another_does_not() -> None:
    assert fingerprint(1) == fingerprint(1)
    assert fingerprint(1) != fingerprint(2)


def test_running_in_small_steps_is_the_same_run() -> None:
    def run(steps: int) -> list[object]:
        simulation = Simulation(6, seed=3, faults=Faults(loss=0.1))
        simulation.nodes[0].send_gossip("hello")
        for _ in range(steps):
            simulation.run_for(8 / steps)
        return [(n.current_view(), [m.delivered_at for m in n.delivered]) for n in simulation.nodes]

    assert run(1) == run(64)


# time and limits


def test_time_passes_to_the_moment_asked_for_though_nothing_happens() -> None:
    simulation = Simulation(1, seed=1)
    simulation.run_for(2.5)
    simulation.run_cycles(2)
    assert simulation.now == 4.5


def test_run_until_stops_at_the_event_that_makes_the_condition_true() -> None:
    simulation = Simulation(2, seed=1, faults=Faults(latency=(0.25, 0.25)))
    simulation.run_for(3)
    simulation.nodes[0].send_gossip("x")
    sent_at = simulation.now
    simulation.run_until(lambda: bool(simulation.nodes[1].delivered), limit=5)
    assert simulation.now == pytest.approx(sent_at + 0.25)


def test_run_until_names_seed_and_time_when_its_limit_comes_first() -> None:
    simulation = Simulation(2, seed=42)
    with pytest.raises(LimitError, match=r"within 3 s: seed 42, simulated time 3\.000 s"):
        simulation.run_until(lambda: False, limit=3)


def test_a_condition_that_holds_already_costs_no_time() -> None:
    simulation = Simulation(2, seed=1)
    simulation.run_until(lambda: True, limit=3)
    assert simulation.now == 0


# starts


@pytest.mark.parametrize("start", ["random", "lattice", "star"])
def test_every_start_but_alone_leads_to_a_network_that_talks(start: Start) -> None:
    simulation = Simulation(12, seed=1, config=Config(view_size=6), start=start)
    simulation.run_for(3)
    simulation.nodes[5].send_gossip("hello")
    simulation.run_for(10)
    assert all(len(node.delivered) == 1 for node in simulation.nodes)


def test_nodes_that_start_alone_stay_alone() -> None:
    simulation = Simulation(3, seed=1, start="alone")
    simulation.run_for(10)
    assert all(node.current_view() == () for node in simulation.nodes)
    assert simulation.datagram_count == 0


def test_one_node_alone_delivers_what_it_sends() -> None:
    simulation = Simulation(1, seed=1)
    simulation.nodes[0].send_gossip("to myself")
    simulation.run_for(5)
    assert [message.text for message in simulation.nodes[0].log] == ["to myself"]


@pytest.mark.parametrize(("nodes", "configs"), [(0, None), (3, [Config()])])
def test_impossible_networks_are_refused(nodes: int, configs: list[Config] | None) -> None:
    with pytest.raises(ConfigError):
        Simulation(nodes, seed=1, config=configs)


# faults


def test_loss_of_everything_lets_nothing_through_and_can_be_taken_back() -> None:
    simulation = Simulation(3, seed=1, faults=Faults(loss=1.0))
    simulation.nodes[0].send_gossip("hello")
    simulation.run_for(5)
    assert [len(node.delivered) for node in simulation.nodes] == [1, 0, 0]
    simulation.faults = Faults()
    simulation.run_for(20)
    assert [len(node.delivered) for node in simulation.nodes] == [1, 1, 1]


def test_duplication_and_reordering_deliver_each_message_once_in_order() -> None:
    simulation = Simulation(5, seed=2, faults=Faults(duplication=1.0, reordering=0.5, reordering_delay=0.5))
    for number in range(30):
        simulation.nodes[0].send_gossip(str(number))
        simulation.run_for(0.05)
    simulation.run_for(10)
    for node in simulation.nodes:
        assert [message.text for message in node.delivered] == [str(number) for number in range(30)]


@pytest.mark.parametrize(
    "wrong", [{"loss": 1.5}, {"duplication": -0.1}, {"latency": (2, 1)}, {"reordering": 2}]
)
def test_impossible_faults_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Faults(**wrong)  # type: ignore[arg-type]


def test_a_crashed_node_is_silent_for_ever() -> None:
    simulation = Simulation(4, seed=3)
    simulation.run_for(3)
    simulation.crash(1)
    count = len(simulation.nodes[1].delivered)
    simulation.nodes[0].send_gossip("hello")
    simulation.run_for(10)
    assert len(simulation.nodes[1].delivered) == count
    assert [len(simulation.nodes[index].delivered) for index in (0, 2, 3)] == [1, 1, 1]


def test_a_frozen_node_keeps_some_of_what_arrives_and_takes_it_after_the_thaw() -> None:
    simulation = Simulation(4, seed=4)
    simulation.run_for(3)
    simulation.freeze(1)
    simulation.nodes[0].send_gossip("hello")
    simulation.run_for(0.5)
    assert not simulation.nodes[1].delivered
    simulation.thaw()
    assert [message.text for message in simulation.nodes[1].delivered] == ["hello"]


def test_a_partition_separates_the_named_groups_and_the_rest_is_one_more() -> None:
    simulation = Simulation(6, seed=5)
    simulation.run_for(3)
    simulation.partition([0, 1], [2, 3])
    for index in (0, 2, 4):
        simulation.nodes[index].send_gossip(f"from {index}")
    simulation.run_for(5)
    texts = [{message.text for message in node.delivered} for node in simulation.nodes]
    assert texts == [{"from 0"}] * 2 + [{"from 2"}] * 2 + [{"from 4"}] * 2


def test_a_one_way_partition_stops_what_earlier_groups_send_to_later_ones() -> None:
    simulation = Simulation(4, seed=5, config=Config(answer_timeout=60))
    simulation.run_for(3)
    simulation.partition([0, 1], [2, 3], one_way=True)
    simulation.nodes[0].send_gossip("from 0")
    simulation.nodes[2].send_gossip("from 2")
    simulation.run_for(0.2)
    texts = [{message.text for message in node.delivered} for node in simulation.nodes]
    assert texts == [{"from 0", "from 2"}] * 2 + [{"from 2"}] * 2


def test_those_not_named_in_a_one_way_partition_are_the_last_group() -> None:
    simulation = Simulation(2, seed=5, config=Config(answer_timeout=60))
    simulation.run_for(3)
    simulation.partition([1], one_way=True)
    simulation.nodes[0].send_gossip("from 0")
    simulation.nodes[1].send_gossip("from 1")
    simulation.run_for(0.2)
    assert [{message.text for message in node.delivered} for node in simulation.nodes] == [
        {"from 0"},
        {"from 0", "from 1"},
    ]


@pytest.mark.parametrize("timing", ["events", "cycles"])
def test_a_translator_lets_in_only_what_was_asked_for_lately(timing: Timing) -> None:
    simulation = Simulation(3, seed=5, start="alone", timing=timing)
    outside, inside, third = simulation.nodes
    simulation.translate(inside, period=10)
    outside.join(inside.address)
    simulation.run_for(5)
    assert (outside.current_view(), inside.current_view()) == ((), ())
    third.join(outside.address)
    inside.join(outside.address)
    simulation.run_for(5)
    assert {peer.id for peer in inside.current_view()} >= {outside.id}
    assert not inside.snapshot().rejected
    came = inside.snapshot().counters.datagrams_in
    outside.send_gossip("hello")
    simulation.run_for(1)
    assert inside.snapshot().counters.datagrams_in > came
    assert [message.text for message in inside.delivered] == ["hello"]


def test_a_translator_forgets_after_its_period() -> None:
    translator = Translator(30)
    here = Address("192.0.2.1", 7001)
    assert not translator.lets_in(here, 0.0)
    translator.sent_at[here] = 5.0
    assert translator.lets_in(here, 35.0)
    assert not translator.lets_in(here, 35.1)


def test_healing_takes_translators_away() -> None:
    simulation = Simulation(2, seed=5, start="alone")
    simulation.translate(1)
    simulation.nodes[0].join(simulation.nodes[1].address)
    simulation.run_for(3)
    assert not simulation.nodes[1].current_view()
    simulation.heal()
    simulation.run_for(10)
    assert simulation.nodes[1].current_view()


@pytest.mark.parametrize("timing", ["events", "cycles"])
def test_faults_of_one_node_touch_its_datagrams_only_and_are_counted(timing: Timing) -> None:
    simulation = Simulation(4, seed=6, timing=timing, config=Config(answer_timeout=60))
    simulation.run_for(3)
    deaf = simulation.nodes[3]
    deaf.faults = Faults(loss=1.0)
    simulation.nodes[0].send_gossip("hello")
    simulation.run_for(5)
    assert [len(node.delivered) for node in simulation.nodes] == [1, 1, 1, 0]
    report = deaf.snapshot().faults
    assert (report.faults, report.lost > 0) == (Faults(loss=1.0), True)
    assert not simulation.nodes[0].snapshot().faults.is_active
    deaf.faults = Faults()
    simulation.run_for(5)
    assert len(deaf.delivered) == 1


def test_delays_of_a_node_and_of_the_network_add_up() -> None:
    simulation = Simulation(2, seed=1, faults=Faults(latency=(0.25, 0.25)))
    simulation.run_for(3)
    simulation.nodes[1].set_faults(Faults(latency=(0.5, 0.5)), simulation.nodes[0].address)
    simulation.nodes[0].send_gossip("x")
    sent_at = simulation.now
    simulation.run_until(lambda: bool(simulation.nodes[1].delivered), limit=5)
    assert simulation.now == pytest.approx(sent_at + 0.75)


def test_blocked_simulated_peers_reach_each_other_again_after_the_block() -> None:
    simulation = Simulation(2, seed=1)
    simulation.run_for(3)
    one, two = simulation.nodes
    one.block([two.address])
    one.send_gossip("hello")
    simulation.run_for(10)
    assert not two.delivered
    one.unblock()
    simulation.run_for(10)
    assert len(two.delivered) == 1


def test_a_node_added_later_takes_part() -> None:
    simulation = Simulation(4, seed=6)
    simulation.run_for(3)
    simulation.nodes[0].send_gossip("before")
    newcomer = simulation.add_node(join=[simulation.nodes[2]], name="new")
    simulation.run_for(5)
    newcomer.send_gossip("after")
    simulation.run_for(3)
    assert newcomer.id.name == "new"
    assert [message.text for message in simulation.nodes[3].log] == ["before", "after"]
