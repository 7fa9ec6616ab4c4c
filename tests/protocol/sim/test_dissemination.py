"""Trees in simulated networks: few copies, few hops, nothing missed."""

from __future__ import annotations

import pytest

from protocol import Config, Dissemination
from protocol.sim import Faults, Simulation
from tests.benchmarks.dissemination import Trial, measure

REDUNDANCY = {"one": 0.2, "rotating": 1.0, "all": 3.0}
LAST_HOP = {"one": 15, "rotating": 18, "all": 30}


def check(trial: Trial) -> None:
    outcome = measure(trial)
    assert outcome.missing == 0, trial
    assert outcome.redundancy < REDUNDANCY[trial.senders], trial
    assert outcome.last_hop < LAST_HOP[trial.senders], trial


@pytest.mark.parametrize(("senders", "rounds"), [("one", 30), ("rotating", 30), ("all", 4)])
def test_a_tree_costs_few_copies_and_hops(senders: str, rounds: int) -> None:
    check(Trial(Dissemination.TREE, senders, nodes=50, rounds=rounds, spacing=0.5, grace=5))


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("spacing", [1.0, 0.1])
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@pytest.mark.parametrize("senders", ["one", "rotating", "all"])
def test_a_tree_of_a_hundred_nodes_costs_few_copies_and_hops(senders: str, seed: int, spacing: float) -> None:
    check(Trial(Dissemination.TREE, senders, seed=seed, spacing=spacing))


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("seed", range(1, 9))
def test_a_tree_stays_shallow_whoever_sends_for_two_hundred_rounds(seed: int) -> None:
    outcome = measure(Trial(Dissemination.TREE, "rotating", seed=seed, rounds=200, spacing=0.5))
    assert outcome.missing == 0
    assert outcome.redundancy < 0.2
    assert outcome.last_hop < LAST_HOP["rotating"]


def test_eager_pushing_costs_what_a_tree_saves() -> None:
    outcome = measure(Trial(Dissemination.EAGER, nodes=50, rounds=5, grace=5))
    assert outcome.missing == 0
    assert outcome.redundancy > 2


def tree(nodes: int, seed: int = 1, **settings: object) -> Simulation:
    return Simulation(nodes, seed=seed, config=Config(dissemination="tree"), **settings)  # type: ignore[arg-type]


def texts(simulation: Simulation) -> list[list[str]]:
    return [[message.text for message in node.delivered] for node in simulation.nodes if node.is_live]


@pytest.mark.parametrize("nodes", [2, 3, 5, 7])
def test_a_small_network_gets_everything_quickly(nodes: int) -> None:
    simulation = tree(nodes)
    simulation.run_for(3)
    for number in range(20):
        simulation.nodes[number % nodes].send_gossip(str(number))
        simulation.run_for(0.2)
        assert all(len(log) == number + 1 for log in texts(simulation)), number


def test_what_half_of_the_nodes_took_with_them_is_bridged_by_announcements_in_tens_of_milliseconds() -> None:
    simulation = tree(60)
    for number in range(8):
        simulation.nodes[0].send_gossip(str(number))
        simulation.run_for(1)
    simulation.crash(simulation.nodes[30:])
    late = []
    for number in range(5):
        message = simulation.nodes[number].send_gossip(f"after {number}")
        simulation.run_for(0.5)
        late.append(sum(message.id not in {m.id for m in node.delivered} for node in simulation.nodes[:30]))
    assert sum(late) <= 8  # of 150; some lost all their neighbours, and exchanges bring it a second later
    simulation.run_for(10)
    assert all(len(log) == 13 for log in texts(simulation))


@pytest.mark.parametrize("seed", [1, 3])
def test_what_an_exchange_brings_to_nodes_cut_off_together_reaches_all_of_them(seed: int) -> None:
    simulation = tree(60, seed)
    for number in range(3):
        simulation.nodes[0].send_gossip(str(number))
        simulation.run_for(1)
    simulation.crash(simulation.nodes[1:31])
    message = simulation.nodes[0].send_gossip("at the same moment")
    simulation.run_for(1.3)
    alive = [node for node in simulation.nodes if node.is_live]
    assert sum(message.id not in {m.id for m in node.delivered} for node in alive) <= 4


def test_a_frozen_neighbour_holds_nothing_up_and_gets_everything_afterwards() -> None:
    simulation = tree(30)
    simulation.nodes[0].send_gossip("first")
    simulation.run_for(5)
    simulation.freeze(simulation.nodes[10:15], 20)
    for number in range(10):
        message = simulation.nodes[0].send_gossip(str(number))
        simulation.run_for(1)
        awake = simulation.nodes[:10] + simulation.nodes[15:]
        assert all(message.id in {m.id for m in node.delivered} for node in awake), number
    simulation.run_for(30)
    assert all(len(log) == 11 for log in texts(simulation))


def test_eager_nodes_and_tree_nodes_in_one_network_get_everything_from_each_other() -> None:
    configs = [Config(dissemination="tree" if number % 2 else "eager") for number in range(30)]
    simulation = Simulation(30, seed=2, config=configs)
    for number in range(30):
        simulation.nodes[number].send_gossip(str(number))
        simulation.run_for(0.5)
    simulation.run_for(3)
    assert all(len(log) == 30 for log in texts(simulation))


def test_a_node_changes_its_way_of_spreading_while_it_runs() -> None:
    simulation = tree(20)
    for number in range(40):
        if number == 15:
            for node in simulation.nodes:
                node.set_dissemination("eager")
        if number == 25:
            assert not any(node.snapshot().neighbours for node in simulation.nodes)
            for node in simulation.nodes:
                node.set_dissemination(Dissemination.TREE)
        simulation.nodes[number % 20].send_gossip(str(number))
        simulation.run_for(0.5)
    assert all(node.snapshot().neighbours for node in simulation.nodes)
    simulation.run_for(3)
    assert all(len(log) == 40 for log in texts(simulation))


def test_halves_of_a_network_that_were_apart_share_one_tree_again() -> None:
    simulation = tree(40)
    simulation.nodes[0].send_gossip("whole")
    simulation.run_for(5)
    simulation.partition(range(20))
    for number in range(30):
        simulation.nodes[0].send_gossip(f"left {number}")
        simulation.nodes[39].send_gossip(f"right {number}")
        simulation.run_for(1)
    simulation.heal()
    simulation.run_for(40)
    assert all(len(log) == 61 for log in texts(simulation))
    message = simulation.nodes[0].send_gossip("whole again")
    simulation.run_for(0.3)
    assert all(message.id in {m.id for m in node.delivered} for node in simulation.nodes)


@pytest.mark.parametrize(
    "strategy", ["(head, push, H=0, S=0)", "(rand, pull, H=3, S=0)", "(tail, push-pull, H=0, S=3)"]
)
def test_a_tree_grows_out_of_small_views_of_any_strategy(strategy: str) -> None:
    config = Config(dissemination="tree", view_size=6, strategy=strategy)
    simulation = Simulation(30, seed=4, config=config, faults=Faults(loss=0.1))
    for number in range(20):
        simulation.nodes[number].send_gossip(str(number))
        simulation.run_for(0.5)
    simulation.run_for(20)
    assert all(len(log) == 20 for log in texts(simulation))


def test_links_are_symmetric_and_bounded() -> None:
    simulation = tree(60, start="star")
    for number in range(20):
        simulation.nodes[number].send_gossip(str(number))
        simulation.run_for(1)
    simulation.run_for(5)
    linked = {(node.address, row.address) for node in simulation.nodes for row in node.snapshot().neighbours}
    assert all(1 <= len(node.snapshot().neighbours) <= 6 for node in simulation.nodes)
    assert sum((there, here) not in linked for here, there in linked) <= 2  # one is being made or ended
