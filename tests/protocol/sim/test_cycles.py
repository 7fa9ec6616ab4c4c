"""Time in cycles: everybody has one turn, exchanges are atomic, and machines keep their deadlines."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from protocol.core.config import Config
from protocol.core.identity import NodeId
from protocol.core.snapshot import Counters
from protocol.errors import ConfigError
from protocol.sim import Faults, LimitError, Selection, SimulatedNode, Simulation, Start, Timing

CONFIG = Config(view_size=6, answer_timeout=0.01, dissemination="eager")


def cycles(
    nodes: int,
    *,
    config: Config = CONFIG,
    seed: int = 1,
    faults: Faults | None = None,
    start: Start = "random",
    selection: Selection = Selection.EVICT,
) -> Simulation:
    return Simulation(
        nodes,
        seed=seed,
        config=config,
        faults=faults,
        start=start,
        selection=selection,
        timing="cycles",
        verify_sources=False,
    )


def counters(simulation: Simulation) -> list[Counters]:
    return [node.snapshot().counters for node in simulation.nodes]


def views(simulation: Simulation) -> list[object]:
    return [node.current_view() for node in simulation.nodes]


# turns


def test_every_live_node_starts_exactly_one_exchange_a_cycle() -> None:
    simulation = cycles(30)
    for cycle in range(1, 6):
        simulation.run_cycles(1)
        assert {one.exchanges_started for one in counters(simulation)} == {cycle}
        assert {one.exchanges_answered for one in counters(simulation)} == {cycle}


def test_as_many_exchanges_come_in_as_go_out_one_a_node_and_cycle_in_the_mean() -> None:
    simulation = cycles(30)
    simulation.run_cycles(10)
    served = [one.exchanges_served for one in counters(simulation)]
    assert sum(served) == 10 * 30
    assert served == [node.machine.exchanges_served for node in simulation.nodes]
    assert len(set(served)) > 1


def test_an_exchange_is_a_request_and_an_answer_and_nothing_else() -> None:
    simulation = cycles(20)
    simulation.run_cycles(5)
    assert simulation.datagram_count == 2 * 5 * 20


def test_each_cycle_has_an_order_of_its_own_that_all_nodes_are_in() -> None:
    simulation = cycles(8)
    orders = []
    before = [0] * 8
    for _ in range(3):
        order: list[NodeId] = []
        for _ in range(8):
            simulation.run_for(1 / 8)
            now = [one.exchanges_started for one in counters(simulation)]
            order += [n.id for n, new, old in zip(simulation.nodes, now, before, strict=True) if new > old]
            before = now
        assert len(order) == len(set(order)) == 8
        orders.append(order)
    assert orders[0] != orders[1] != orders[2]


def test_the_turns_of_a_cycle_are_spread_evenly_over_its_period() -> None:
    simulation = cycles(4, config=Config(view_size=3, cycle_period=2.0))
    started = []
    for _ in range(8):
        simulation.run_for(0.5)
        started.append(sum(one.exchanges_started for one in counters(simulation)))
    assert started == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("period", [0.1, 0.3, 1.0, 7.0])
def test_cycles_run_one_by_one_or_at_once_are_the_same_run(period: float) -> None:
    config = replace(CONFIG, cycle_period=period)
    at_once, one_by_one = cycles(12, config=config), cycles(12, config=config)
    at_once.run_cycles(40)
    for _ in range(40):
        one_by_one.run_cycles(1)
    assert views(at_once) == views(one_by_one)
    assert at_once.now == one_by_one.now == pytest.approx(40 * period)
    assert {one.exchanges_started for one in counters(at_once)} == {40}


def test_who_comes_during_a_cycle_has_its_first_turn_in_the_next() -> None:
    simulation = cycles(10)
    simulation.run_for(2.5)
    newcomer = simulation.add_node(join=[0])
    assert newcomer.snapshot().counters.exchanges_answered == 1, "joining is an exchange of its own"
    simulation.run_for(0.5)
    assert newcomer.snapshot().counters.exchanges_started == 1
    simulation.run_cycles(1)
    assert newcomer.snapshot().counters.exchanges_started == 2


def test_who_crashes_during_a_cycle_loses_its_turn() -> None:
    simulation = cycles(10)
    simulation.run_for(1.5)
    simulation.crash(range(5))
    before = [one.exchanges_started for one in counters(simulation)]
    assert set(before) == {1, 2}
    simulation.run_for(0.5)
    after = [one.exchanges_started for one in counters(simulation)]
    assert after == [*before[:5], 2, 2, 2, 2, 2]


def test_a_frozen_node_has_no_turn_and_answers_after_the_thaw() -> None:
    simulation = cycles(6)
    simulation.run_cycles(1)
    simulation.freeze(2, seconds=2.0)
    simulation.run_cycles(2)
    assert counters(simulation)[2].exchanges_started == 1
    served = counters(simulation)[2].exchanges_served
    simulation.run_cycles(1)
    assert counters(simulation)[2].exchanges_started == 2
    assert counters(simulation)[2].exchanges_served > served


def test_time_passes_though_nobody_is_up() -> None:
    simulation = cycles(2)
    simulation.crash(0, 1)
    simulation.run_cycles(3)
    assert simulation.now == 3
    assert simulation.datagram_count == 0


def test_run_until_stops_after_the_exchange_that_makes_the_condition_true() -> None:
    simulation = cycles(10)
    simulation.run_until(lambda: simulation.datagram_count >= 6, limit=5)
    assert simulation.datagram_count == 6
    assert 0 < simulation.now < 1
    with pytest.raises(LimitError, match=r"within 2 s: seed 1"):
        simulation.run_until(lambda: False, limit=2)


# messages and deadlines


def test_a_message_reaches_everybody_though_only_exchanges_repair_what_is_lost() -> None:
    simulation = cycles(40, faults=Faults(loss=0.3))
    simulation.run_cycles(3)
    simulation.nodes[0].send_gossip("hello")
    simulation.run_cycles(20)
    assert all([message.text for message in node.log] == ["hello"] for node in simulation.nodes)


def test_a_message_is_delivered_within_the_call_where_nothing_is_lost() -> None:
    simulation = cycles(5)
    simulation.run_cycles(2)
    simulation.nodes[3].send_gossip("now")
    assert all(len(node.delivered) == 1 for node in simulation.nodes)


def test_a_dead_peer_is_evicted_before_its_askers_next_turn() -> None:
    config = Config(view_size=4, answer_timeout=0.001)
    simulation = cycles(40, config=config, selection=Selection.EVICT)
    simulation.run_cycles(5)
    simulation.crash(range(20))
    dead = {node.id for node in simulation.nodes[:20]}
    for _ in range(8):
        held = [dead.intersection(node.machine.view_ids()) for node in simulation.nodes[20:]]
        lost = [one.peers_lost for one in counters(simulation)[20:]]
        simulation.run_cycles(1)
        more = [one.peers_lost for one in counters(simulation)[20:]]
        assert all(new - old <= len(known) + 2 for new, old, known in zip(more, lost, held, strict=True))
    assert all(not dead.intersection(node.machine.view_ids()) for node in simulation.nodes[20:])


# faults


def test_lost_datagrams_are_as_many_as_the_faults_say() -> None:
    simulation = cycles(50, faults=Faults(loss=0.25), config=replace(CONFIG, strategy="(rand, push, blind)"))
    simulation.run_cycles(40)
    sent = sum(one.datagrams_out for one in counters(simulation))
    received = sum(one.datagrams_in for one in counters(simulation))
    assert sent == simulation.datagram_count
    assert received / sent == pytest.approx(0.75, abs=0.02)


def test_duplicated_datagrams_arrive_twice_and_are_merged_once() -> None:
    simulation = cycles(20, faults=Faults(duplication=1.0))
    simulation.run_cycles(5)
    total = counters(simulation)
    assert sum(one.datagrams_in for one in total) == 2 * sum(one.datagrams_out for one in total)
    assert {one.exchanges_answered for one in total} == {5}


def test_nothing_crosses_a_partition_and_everything_does_when_it_heals() -> None:
    simulation = cycles(20)
    simulation.run_cycles(3)
    simulation.partition(range(10))
    simulation.nodes[0].send_gossip("here")
    simulation.run_cycles(3)
    assert [len(node.delivered) for node in simulation.nodes] == [1] * 10 + [0] * 10
    simulation.heal()
    simulation.run_cycles(40)
    assert all(len(node.delivered) == 1 for node in simulation.nodes)


# live selection and eviction


def dead_among(nodes: list[SimulatedNode], dead: set[NodeId]) -> int:
    return sum(len(dead.intersection(node.machine.view_ids())) for node in nodes)


def test_live_selection_never_asks_the_dead_and_evicts_nobody() -> None:
    blind = Config(view_size=6, strategy="blind")
    simulation = cycles(40, config=blind, selection=Selection.LIVE)
    simulation.run_cycles(5)
    simulation.crash(range(20))
    simulation.run_cycles(10)
    total = counters(simulation)[20:]
    assert all(one.exchanges_answered == one.exchanges_started for one in total)
    assert sum(one.exchanges_started for one in total) > 20 * 14
    assert all(one.peers_lost == 0 for one in total)
    dead = {node.id for node in simulation.nodes[:20]}
    assert dead_among(simulation.nodes[20:], dead) > 0


def test_live_selection_evicts_nobody_for_lost_datagrams() -> None:
    simulation = cycles(20, selection=Selection.LIVE, faults=Faults(loss=0.5))
    simulation.run_cycles(20)
    assert all(one.peers_lost == 0 and one.exchanges_answered < 20 for one in counters(simulation))


def test_with_eviction_the_dead_are_lost_and_forgotten() -> None:
    simulation = cycles(40)
    simulation.run_cycles(5)
    simulation.crash(range(20))
    dead = {node.id for node in simulation.nodes[:20]}
    assert dead_among(simulation.nodes[20:], dead) > 40
    simulation.run_cycles(30)
    assert dead_among(simulation.nodes[20:], dead) == 0
    assert sum(one.peers_lost for one in counters(simulation)[20:]) > 40


def test_live_selection_spares_those_who_left_too() -> None:
    simulation = cycles(10, selection=Selection.LIVE)
    simulation.run_cycles(2)
    simulation.nodes[0].leave()
    simulation.run_cycles(5)
    assert all(one.exchanges_answered == one.exchanges_started for one in counters(simulation)[1:])


def test_crashed_nodes_can_be_buried_and_their_numbers_are_not_given_again() -> None:
    simulation = cycles(10)
    simulation.run_cycles(2)
    simulation.crash(0, 4)
    simulation.bury()
    newcomer = simulation.add_node(join=[0])
    assert len(simulation.nodes) == 9
    assert len({node.id.name for node in simulation.nodes}) == 9
    assert newcomer.id.name == "n10"
    simulation.run_cycles(20)
    assert all(node.is_live for node in simulation.nodes)
    known = Counter(other for node in simulation.nodes for other in node.machine.view_ids())
    assert known.keys() == {node.id for node in simulation.nodes}


# starts


def test_a_lattice_knows_its_neighbours_on_the_ring() -> None:
    simulation = cycles(12, start="lattice", config=Config(view_size=4))
    names = {descriptor.id.name for descriptor in simulation.nodes[0].current_view()}
    assert names == {"n01", "n02", "n10", "n11"}


@pytest.mark.parametrize("start", ["random", "lattice", "growing", "star"])
@pytest.mark.parametrize("timing", ["events", "cycles"])
def test_every_start_but_alone_ends_in_full_views_whichever_way_time_passes(
    start: Start, timing: Timing
) -> None:
    simulation = Simulation(20, seed=1, config=CONFIG, start=start, timing=timing)
    simulation.run_cycles(60)
    assert len(simulation.nodes) == 20
    assert all(len(node.current_view()) == 6 for node in simulation.nodes)


@pytest.mark.parametrize("timing", ["events", "cycles"])
def test_a_growing_network_begins_with_one_node_and_gains_a_hundredth_a_cycle(timing: Timing) -> None:
    simulation = Simulation(102, seed=1, config=CONFIG, start="growing", timing=timing)
    assert len(simulation.nodes) == 1
    counts = []
    for _ in range(52):
        simulation.run_cycles(1)
        counts.append(len(simulation.nodes))
    assert counts == [min(1 + 2 * cycle, 102) for cycle in range(1, 53)]


def test_newcomers_of_a_growing_network_know_the_first_node_only() -> None:
    simulation = Simulation(300, seed=1, config=CONFIG, start="growing", timing="cycles")
    simulation.run_cycles(1)
    first = simulation.nodes[0]
    for node in simulation.nodes[1:]:
        assert node.snapshot().counters.exchanges_answered == 1
    assert first.machine.exchanges_served == 3


def test_each_node_of_a_growing_network_gets_the_configuration_of_its_number() -> None:
    configs = [Config(view_size=2 + number) for number in range(5)]
    simulation = Simulation(5, seed=1, config=configs, start="growing")
    simulation.run_cycles(10)
    assert [node.machine.config.view_size for node in simulation.nodes] == [2, 3, 4, 5, 6]


# choices


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"timing": "ticks"}, r"timing must be one of events, cycles, not 'ticks'"),
        ({"selection": "dead"}, r"selection must be one of live, evict, not 'dead'"),
        ({"start": "ring"}, r"start must be one of random, lattice, growing, star, alone, not 'ring'"),
        ({"codec": "json"}, r"codec must be one of objects, bytes, not 'json'"),
    ],
)
def test_unknown_choices_are_refused_with_those_there_are(wrong: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}$"):
        Simulation(3, seed=1, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("timing", ["events", "cycles"])
def test_events_are_kept_or_not_and_the_run_is_the_same(timing: Timing) -> None:
    kept, spared = (
        Simulation(10, seed=1, config=CONFIG, timing=timing, keep_events=keep) for keep in (True, False)
    )
    for simulation in (kept, spared):
        simulation.run_cycles(5)
        simulation.nodes[0].send_gossip("hello")
        simulation.run_cycles(5)
    assert all(node.events for node in kept.nodes)
    assert not any(node.events for node in spared.nodes)
    assert views(kept) == views(spared)
    assert all(len(node.delivered) == 1 for node in spared.nodes)


def test_a_node_added_later_has_the_strategy_that_the_first_has_by_then() -> None:
    simulation = cycles(5)
    simulation.nodes[0].set_strategy("healer")
    assert str(simulation.add_node().machine.config.strategy) == "(rand, push-pull, H=3, S=0)"
