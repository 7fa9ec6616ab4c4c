"""One exchange between two whole nodes does what the paper says, for every strategy there is."""

from __future__ import annotations

import random
from itertools import product

import pytest

from protocol import (
    Config,
    ConfigError,
    Descriptor,
    HealSwap,
    PeerSelection,
    Propagation,
    Strategy,
    ViewSelection,
)
from protocol.sim import Simulation

VIEW_SELECTIONS = (HealSwap(0, 0), HealSwap(4, 0), HealSwap(0, 4), HealSwap(1, 3), *ViewSelection)
STRATEGIES = [Strategy(*parts) for parts in product(PeerSelection, Propagation, VIEW_SELECTIONS)]

VIEW_SIZE = 9
BUFFER_SIZE = VIEW_SIZE // 2 - 1
"""Descriptors sent beside the own one; two views of four and such a buffer fit one view."""

AGE = 3
"""Of every descriptor before the exchange."""

ASKER, ASKED = 0, 1
KNOWN = {ASKER: {ASKED, 2, 3, 4}, ASKED: {5, 6, 7, 8}}
"""Who knows whom before the exchange."""


class Pair:
    """Two nodes after the one exchange that the first begins; of the others only the names are used."""

    def __init__(self, strategy: Strategy) -> None:
        config = Config(view_size=VIEW_SIZE, strategy=strategy)
        simulation = Simulation(9, seed=1, config=config, start="alone", verify_sources=False)
        self.nodes = simulation.nodes
        for index, others in KNOWN.items():
            self.nodes[index].machine.introduce(
                [Descriptor(self.nodes[other].id, self.nodes[other].address, AGE) for other in sorted(others)]
            )
        for node in self.nodes:
            node.machine.limit_selection(lambda _: False)
        asker, asked = self.nodes[ASKER], self.nodes[ASKED].id
        asker.machine.limit_selection(lambda node: node == asked)
        simulation.run_until(lambda: asker.snapshot().counters.exchanges_started > 0, limit=1)
        asker.machine.limit_selection(lambda _: False)
        simulation.run_for(0.5)

    def ages(self, index: int) -> dict[int, int]:
        """The ages in a view, by the number of the node."""
        number = {node.id: place for place, node in enumerate(self.nodes)}
        return {number[descriptor.id]: descriptor.age for descriptor in self.nodes[index].current_view()}


@pytest.mark.parametrize("strategy", STRATEGIES, ids=str)
def test_descriptors_travel_the_ways_that_the_propagation_names_and_all_age_by_one(
    strategy: Strategy,
) -> None:
    pair = Pair(strategy)
    asker, asked = pair.ages(ASKER), pair.ages(ASKED)
    pulled, pushed = asker.keys() - KNOWN[ASKER], asked.keys() - KNOWN[ASKED]
    if strategy.propagation.pulls:
        assert asker.pop(ASKED) == 1, "the asked one answers with a fresh descriptor of itself"
        assert pulled <= KNOWN[ASKED]
        assert len(pulled) == BUFFER_SIZE
    else:
        assert pulled == set()
    if strategy.propagation.pushes:
        assert asked.pop(ASKER) == 1, "the asker introduces itself"
        assert pushed - {ASKER} <= KNOWN[ASKER]
        assert len(pushed - {ASKER}) in (BUFFER_SIZE - 1, BUFFER_SIZE), "the own descriptor may come back"
    else:
        assert pushed == set()
    assert {*asker.values(), *asked.values()} == {AGE + 1}, "both halves age what they hold, once"


@pytest.mark.parametrize("propagation", Propagation)
def test_an_active_half_that_is_not_answered_ages_the_view_too(propagation: Propagation) -> None:
    strategy = Strategy(PeerSelection.TAIL, propagation, HealSwap(1, 3))
    simulation = Simulation(4, seed=1, config=Config(view_size=8, strategy=strategy), start="alone")
    asker, oldest, *others = simulation.nodes
    ages = {oldest: 3, others[0]: 2, others[1]: 1}
    asker.machine.introduce([Descriptor(node.id, node.address, age) for node, age in ages.items()])
    simulation.crash(oldest, *others)
    simulation.run_until(lambda: len(asker.current_view()) < 3, limit=4)
    assert [(descriptor.id, descriptor.age) for descriptor in asker.current_view()] == [
        (others[1].id, 2),
        (others[0].id, 3),
    ]


@pytest.mark.parametrize("view_size", [2, 3, 4, 5, 20, 21])
def test_every_strategy_can_follow_every_other_while_nodes_run(view_size: int) -> None:
    half = view_size // 2
    strategies = [str(Strategy(*parts)) for parts in product(PeerSelection, Propagation, ViewSelection)]
    strategies += [
        f"({peer}, {way}, H={heal}, S={half - heal})"
        for peer in PeerSelection
        for way in Propagation
        for heal in {0, half // 2, half}
    ]
    dice = random.Random(view_size)
    dice.shuffle(strategies)
    simulation = Simulation(2 * view_size, seed=1, config=Config(view_size=view_size), verify_sources=False)
    for strategy in strategies:
        for node in simulation.nodes:
            before = node.current_view()
            node.set_strategy(strategy)
            assert node.current_view() == before, "the view stays"
            assert str(node.machine.config.sampling) == strategy
        simulation.run_cycles(1)
        for node in simulation.nodes:
            node.machine.check()
    assert all(node.machine.snapshot(simulation.now).counters.exchanges_answered for node in simulation.nodes)


def test_a_strategy_for_larger_views_is_refused_and_the_one_in_force_stays() -> None:
    node = Simulation(2, seed=1, config=Config(view_size=8, strategy="healer")).nodes[0]
    with pytest.raises(ConfigError, match=r"H \+ S must be at most 4, half of view_size 8, not 10"):
        node.set_strategy(Strategy.parse("healer", 20))
    assert node.machine.config.sampling == Strategy.parse("healer", 8)
