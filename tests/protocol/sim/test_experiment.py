"""Experiments: what may be asked, when figures are recorded, and what crashes, churn and loss do to them."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.core.strategy import Strategy
from protocol.errors import ConfigError, StateError
from protocol.sim import Crash, CycleFigures, Experiment, ExperimentRun, Selection, Start


def run(every: int = 1, **settings: Any) -> ExperimentRun:
    """A small experiment, carried through."""
    chosen: dict[str, Any] = {"nodes": 60, "view_size": 8, "cycles": 12, **settings}
    under_way = Experiment(**chosen).begin(every)
    while not under_way.is_done:
        under_way.advance()
    return under_way


def by_cycle(under_way: ExperimentRun) -> dict[int, CycleFigures]:
    return {figures.cycle: figures for figures in under_way.figures}


# what may be asked


def test_the_defaults_are_those_of_the_reference() -> None:
    experiment = Experiment()
    assert (experiment.nodes, experiment.view_size, experiment.cycles) == (1000, 20, 100)
    assert str(experiment.strategy) == "(tail, push-pull, H=1, S=9)"
    assert (experiment.selection, experiment.crashes, experiment.churn) == (Selection.EVICT, (), 0)


def test_a_strategy_may_be_given_as_itself_or_as_text() -> None:
    strategy = Strategy.parse("healer", 8)
    assert Experiment(view_size=8, strategy="healer") == Experiment(view_size=8, strategy=strategy)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"nodes": 0}, "nodes must be a whole number of at least 1 and at most 1000000, not 0"),
        ({"nodes": 2.5}, "nodes must be a whole number of at least 1 and at most 1000000, not 2.5"),
        ({"nodes": True}, "nodes must be a whole number of at least 1 and at most 1000000, not True"),
        ({"nodes": 1_000_001}, "nodes must be a whole number of at least 1 and at most 1000000, not 1000001"),
        ({"view_size": 1}, "view_size must be a whole number of at least 2, not 1"),
        ({"strategy": "best"}, "strategy must be one of default, .* not 'best'"),
        ({"start": "ring"}, "start must be one of random, lattice, growing, star, alone, not 'ring'"),
        ({"cycles": -1}, "cycles must be a whole number of at least 0, not -1"),
        ({"churn": 1.0}, "churn must be a share from 0 to below 1, not 1.0"),
        ({"churn": -0.1}, "churn must be a share from 0 to below 1, not -0.1"),
        ({"churn": float("nan")}, "churn must be a share from 0 to below 1, not nan"),
        ({"loss": 1.5}, "loss must be a share from 0 to 1, not 1.5"),
        ({"selection": "dead"}, "selection must be one of live, evict, not 'dead'"),
        ({"seed": "1"}, "seed must be a whole number, not '1'"),
        ({"fanout": 0}, "fanout must be a whole number of at least 1, not 0"),
        ({"crashes": (Crash(0.5, 101),)}, "crash 0.5@101 must be after a cycle from 0 to the last, 100"),
        ({"crashes": (Crash(1.0, 5),)}, "the share of a crash must be above 0 and below 1, not 1.0"),
        ({"crashes": (Crash(0.5, -1),)}, "the cycle of a crash must be a whole number of at least 0, not -1"),
        (
            {"crashes": [Crash(0.5, 1.5)]},  # type: ignore[arg-type]
            "the cycle of a crash must be a whole number of at least 0, not 1.5",
        ),
    ],
)
def test_impossible_settings_are_refused_with_their_value_and_what_is_allowed(
    wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{message}$"):
        Experiment(**wrong)


@pytest.mark.parametrize("every", [0, -3, 1.5])
def test_records_are_at_least_a_cycle_apart(every: Any) -> None:
    with pytest.raises(ConfigError, match=f"^every must be a whole number of at least 1, not {every}$"):
        Experiment(nodes=3).begin(every)


@pytest.mark.parametrize("text", ["0.5@100", "0.25@0", "0.999@7"])
def test_a_crash_prints_as_what_it_was_read_from(text: str) -> None:
    assert str(Crash.parse(text)) == text
    assert Crash.parse(f" {text} ") == Crash.parse(text)


@pytest.mark.parametrize(
    "text", ["", "0.5", "half@3", "0.5@", "@3", "0.5@3.5", "0@3", "1@3", "nan@3", "0.5@-1"]
)
def test_what_is_no_crash_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="crash"):
        Crash.parse(text)


def test_a_wrong_crash_is_repeated_in_one_printable_line() -> None:
    with pytest.raises(ConfigError) as caught:
        Crash.parse("\x1b[31m\n" * 100)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


# records


def test_the_start_is_recorded_before_anything_happens() -> None:
    under_way = Experiment(nodes=30, view_size=6).begin()
    assert under_way.cycle == 0
    (start,) = under_way.figures
    assert (start.cycle, start.in_degree_mean, start.incoming_max, start.turnover) == (0, 6, 0, 0)
    assert under_way.simulation.datagram_count == 0


def test_figures_come_every_so_many_cycles_and_of_the_last() -> None:
    under_way = Experiment(nodes=20, view_size=6, cycles=7).begin(every=3)
    returned = []
    while not under_way.is_done:
        figures = under_way.advance()
        returned.append(figures is not None)
        assert figures is None or figures is under_way.figures[-1]
    assert returned == [False, False, True, False, False, True, True]
    assert [figures.cycle for figures in under_way.figures] == [0, 3, 6, 7]


def test_the_figures_of_a_cycle_do_not_depend_on_which_others_are_recorded() -> None:
    every, some = by_cycle(run(churn=0.05)), by_cycle(run(every=5, churn=0.05))
    assert list(some) == [0, 5, 10, 12]
    assert all(some[cycle] == every[cycle] for cycle in some)


def test_an_experiment_ends_with_its_last_cycle() -> None:
    under_way = run(cycles=2)
    with pytest.raises(StateError, match="ended with cycle 2"):
        under_way.advance()
    assert Experiment(nodes=5, cycles=0).begin().is_done


def test_json_has_these_fields_in_this_order() -> None:
    fields = run(crashes=(Crash(0.5, 3),)).figures[-1].json_fields()
    assert list(fields) == [
        "cycle", "clustering", "path_length", "in_degree_mean", "in_degree_std", "in_degree_min",
        "in_degree_max", "components", "largest_component", "dead_links", "dead_links_of_crash", "live_nodes",
    ]  # fmt: skip
    assert fields["cycle"] == 12
    assert fields["live_nodes"] == 30


def test_the_histogram_of_in_degrees_is_of_all_nodes_and_links() -> None:
    for figures in run().figures:
        assert sum(figures.in_degrees) == figures.live_nodes == 60
        assert sum(d * n for d, n in enumerate(figures.in_degrees)) == pytest.approx(
            60 * figures.in_degree_mean
        )
        assert len(figures.in_degrees) == figures.in_degree_max + 1


def test_the_mean_in_degree_is_the_view_size_and_one_exchange_a_cycle_comes_in() -> None:
    for figures in run().figures[1:]:
        assert figures.in_degree_mean == 8
        assert figures.incoming_mean == 1
        assert figures.incoming_max > 1
        assert 0 < figures.turnover < 1
        assert (figures.components, figures.largest_component) == (1, 60)


def test_figures_of_a_network_of_one_are_finite() -> None:
    figures = run(nodes=1, view_size=2).figures[-1]
    assert figures.json_fields() == {
        "cycle": 12, "clustering": 0, "path_length": 0, "in_degree_mean": 0, "in_degree_std": 0,
        "in_degree_min": 0, "in_degree_max": 0, "components": 1, "largest_component": 1, "dead_links": 0,
        "dead_links_of_crash": None, "live_nodes": 1,
    }  # fmt: skip


# crashes


def test_a_crash_comes_after_its_cycle_is_recorded_and_before_the_next() -> None:
    figures = by_cycle(run(crashes=(Crash(0.5, 4),), selection=Selection.LIVE, strategy="blind"))
    assert [figures[cycle].live_nodes for cycle in (3, 4, 5, 12)] == [60, 60, 30, 30]
    assert figures[4].dead_links == 0
    assert figures[4].dead_links_of_crash is None
    assert 0.3 < figures[5].dead_links < 0.6


def test_dead_links_are_told_as_a_share_of_those_right_after_the_crash() -> None:
    under_way = Experiment(nodes=60, view_size=8, cycles=6, crashes=(Crash(0.5, 0),)).begin()
    at_first: float | None = None
    for cycle in range(1, 7):
        under_way.advance()
        figures, overlay = under_way.figures[-1], under_way.overlay()
        assert figures.dead_links_of_crash is not None
        if cycle == 1:
            at_first = overlay.dead_link_count / figures.dead_links_of_crash
            assert 0.4 < at_first / (30 * 8) < 0.6
        assert figures.dead_links_of_crash == pytest.approx(overlay.dead_link_count / (at_first or 1))
    assert under_way.figures[-1].dead_links_of_crash == pytest.approx(0.2, abs=0.2)


def test_of_several_crashes_the_latest_counts() -> None:
    figures = by_cycle(
        run(crashes=(Crash(0.5, 2), Crash(0.5, 9)), selection=Selection.LIVE, strategy="blind")
    )
    assert [figures[cycle].live_nodes for cycle in (2, 3, 9, 10)] == [60, 30, 30, 15]
    before, after = figures[9].dead_links_of_crash, figures[10].dead_links_of_crash
    assert before is not None
    assert after is not None
    assert before < after <= 1


def test_a_crash_leaves_at_least_one_node() -> None:
    assert run(nodes=5, crashes=(Crash(0.99, 1),)).figures[-1].live_nodes == 1


def test_live_selection_keeps_dead_links_longer_than_eviction() -> None:
    crashes = (Crash(0.5, 4),)
    live, evict = (
        run(selection=selection, crashes=crashes, strategy="blind").figures[-1].dead_links_of_crash
        for selection in (Selection.LIVE, Selection.EVICT)
    )
    assert live is not None
    assert evict is not None
    assert live > evict + 0.1


# churn, loss, starts


def test_churn_replaces_as_many_as_it_takes() -> None:
    under_way = Experiment(nodes=50, view_size=8, cycles=20, churn=0.1, seed=2).begin()
    known = {node.id for node in under_way.simulation.nodes}
    for _ in range(20):
        before = {node.id for node in under_way.simulation.nodes if node.is_live}
        under_way.advance()
        after = {node.id for node in under_way.simulation.nodes}
        assert len(after) == 50, "the dead are buried"
        assert len(after - before) == 5
        assert known.isdisjoint(after - before)
        known |= after
    assert under_way.figures[-1].components == 1
    assert 0 < under_way.figures[-1].dead_links < 0.6


def test_small_churn_adds_up_over_the_cycles() -> None:
    under_way = run(churn=0.005, cycles=20)
    newcomers = [node for node in under_way.simulation.nodes if int(node.id.name[1:]) >= 60]
    assert len(newcomers) in (5, 6)


def test_newcomers_fill_their_views_through_one_contact() -> None:
    under_way = Experiment(nodes=50, view_size=8, cycles=20, churn=0.1, seed=2).begin()
    for _ in range(20):
        under_way.advance()
    newcomers = under_way.simulation.nodes[-5:]
    assert sum(len(node.current_view()) for node in newcomers) > 5 * 4
    assert sum(len(node.current_view()) for node in under_way.simulation.nodes) > 50 * 6


def test_loss_evicts_the_living_unless_selection_is_live() -> None:
    def lost(selection: Selection) -> int:
        nodes = run(loss=0.5, selection=selection).simulation.nodes
        return sum(node.snapshot().counters.peers_lost for node in nodes)

    assert lost(Selection.EVICT) > 0
    assert lost(Selection.LIVE) == 0


def test_an_exchange_survives_loss_if_one_of_three_tries_does() -> None:
    nodes = run(loss=0.3, selection=Selection.LIVE, cycles=20).simulation.nodes
    counters = [node.snapshot().counters for node in nodes]
    answered = sum(one.exchanges_answered for one in counters)
    assert answered / sum(one.exchanges_started for one in counters) == pytest.approx(
        1 - (1 - 0.7**2) ** 3, abs=0.05
    )


def test_an_exchange_that_is_asked_for_again_comes_in_once() -> None:
    figures = run(loss=0.3, selection=Selection.LIVE, cycles=20).figures
    assert 0.9 < sum(one.incoming_mean for one in figures[1:]) / 20 < 1


def test_a_growing_network_is_recorded_as_it_grows() -> None:
    figures = by_cycle(run(start="growing", nodes=150, cycles=80))
    assert [figures[cycle].live_nodes for cycle in (0, 1, 2, 50, 75, 80)] == [1, 3, 5, 101, 150, 150]
    assert figures[80].components == 1


@pytest.mark.parametrize(
    ("start", "in_degrees", "clustering", "components"),
    [
        ("lattice", (8, 8, 8), 9 / 14, 1),
        ("random", (1, 8, 20), 0.26, 1),
        ("star", (0, 59 / 60, 59), 0, 1),
        ("alone", (0, 0, 0), 0, 60),
    ],
)
def test_starts_show_in_the_figures_of_cycle_0(
    start: Start, in_degrees: tuple[int, int, int], clustering: float, components: int
) -> None:
    figures = Experiment(nodes=60, view_size=8, start=start).begin().figures[0]
    lowest, mean, highest = in_degrees
    assert lowest <= figures.in_degree_min <= figures.in_degree_mean == mean
    assert figures.in_degree_max <= highest
    assert figures.clustering == pytest.approx(clustering, abs=0.03)
    assert figures.components == components


# broadcast


def test_a_broadcast_is_observed_and_changes_nothing() -> None:
    under_way = run(fanout=3)
    views = [node.current_view() for node in under_way.simulation.nodes]
    one, again = under_way.broadcast(), under_way.broadcast()
    assert one == again
    assert one.fanout == 3
    assert 0.8 < one.coverage <= 1
    assert one.last_hop > 1
    assert [node.current_view() for node in under_way.simulation.nodes] == views
    assert not any(node.delivered for node in under_way.simulation.nodes)


def test_a_broadcast_right_after_a_crash_wastes_copies_on_the_dead() -> None:
    crashed = run(crashes=(Crash(0.5, 11),), selection=Selection.LIVE, strategy="blind")
    assert crashed.broadcast().coverage < run(strategy="blind").broadcast().coverage - 0.05


def test_loss_thins_the_broadcast() -> None:
    assert run(loss=0.5, selection=Selection.LIVE).broadcast().coverage < run().broadcast().coverage


# the same seed


def test_a_seed_repeats_its_figures_and_another_one_has_others() -> None:
    settings: dict[str, Any] = {"churn": 0.05, "loss": 0.1, "crashes": (Crash(0.3, 5),)}
    assert run(**settings).figures == run(**settings).figures
    assert run(**settings).figures[-1] != run(**settings, seed=2).figures[-1]
