"""Everybody gets everything once, in causal order, with the true clocks, whatever goes wrong meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from protocol.core.config import Config, Dissemination
from protocol.core.events import Gap
from tests.reliability.judge import judge, violations
from tests.reliability.scenarios import SCENARIOS, TRAFFIC, Course, Scenario, part, run

SHORT = [name for name in SCENARIOS if "minutes" not in name]
LONG = [name for name in SCENARIOS if "minutes" in name]
BIG = ["partition of 60 s", "crash of 50 %"]


def traffic_of(number: int) -> str:
    """One kind of traffic for each number, in turn."""
    return list(TRAFFIC)[number % len(TRAFFIC)]


def check(name: str, traffic: str, nodes: int, seed: int, config: Config | None = None) -> None:
    verdict = judge(run(SCENARIOS[name], traffic, nodes, seed, config))
    assert not verdict.wrong, (name, traffic, nodes, seed, verdict.wrong[:5])
    assert verdict.messages > 20


@pytest.mark.parametrize("mode", list(Dissemination))
@pytest.mark.parametrize("name", SHORT)
def test_nothing_is_lost_among_twelve(name: str, mode: Dissemination) -> None:
    number = SHORT.index(name) + list(Dissemination).index(mode)
    check(name, traffic_of(number), 12, 1, Config(dissemination=mode))


@pytest.mark.parametrize("name", BIG)
def test_nothing_is_lost_among_fifty(name: str) -> None:
    check(name, "rotating", 50, 1)


@pytest.mark.parametrize("nodes", [3, 5])
def test_a_partition_of_very_few_heals(nodes: int) -> None:
    check("partition of 60 s", "rotating", nodes, 1)


@pytest.mark.parametrize("name", LONG)
def test_a_partition_of_ten_minutes_heals_by_itself(name: str) -> None:
    check(name, "one", 8, 1)


@pytest.mark.ci
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.parametrize("name", SHORT)
def test_nothing_is_lost_among_a_hundred(name: str, seed: int) -> None:
    check(name, ["one", "rotating"][(SHORT.index(name) + seed) % 2], 100, seed)


@pytest.mark.ci
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", SHORT)
def test_nothing_is_lost_among_a_hundred_that_all_send_at_one_instant(name: str) -> None:
    check(name, "all", 100, 1)


@pytest.mark.ci
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SHORT)
def test_nothing_is_lost_among_fifty_along_a_tree(name: str) -> None:
    check(name, traffic_of(SHORT.index(name)), 50, 1, Config(dissemination=Dissemination.TREE))


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("traffic", TRAFFIC)
@pytest.mark.parametrize("name", LONG)
def test_long_partitions_of_fifty_heal_whoever_sends(name: str, traffic: str) -> None:
    check(name, traffic, 50, 1)


# beyond retention


def is_level(course: Course) -> bool:
    """Whether everybody stands at the same place and waits for nothing, but for what crashed nodes left.

    What nobody delivered before its origin crashed may be without a past for good: an orphan.
    """
    live = course.live()
    causals = [node.machine.context.causal for node in live]
    floors = [dict(causal.floors()) for causal in causals]
    origins = {node.machine.context.key for node in live}
    is_waiting = any(key in origins for causal in causals for key, _ in causal.holding)
    return not is_waiting and all(one == floors[0] for one in floors)


@pytest.mark.parametrize("nodes", [3, 8])
def test_beyond_retention_there_is_one_gap_each_and_everything_after_it_is_exact(nodes: int) -> None:
    scenario = Scenario("beyond retention", begin=part, lasts=60, within=100)
    config = Config(history_limit=20)
    course = run(scenario, "one", nodes, 2, config, has_everything=is_level)
    assert course.done_after >= 0
    missed_here = {node: [event for event in node.events if isinstance(event, Gap)] for node in course.live()}
    assert {len(gaps) for gaps in missed_here.values()} == {0, 1}
    assert_goes_on_exactly(course)


@pytest.mark.parametrize("mode", list(Dissemination))
@pytest.mark.parametrize(
    ("name", "traffic"),
    [
        ("churn and partition of 60 s", "rotating"),  # newcomers that reach neither half: a third past
        ("rough, partition of 60 s", "all"),
        ("rough, with churn", "all"),  # what crashed nodes sent last had a past that others had evicted
    ],
)
def test_beyond_retention_all_become_level_with_one_gap_each_at_the_most(
    name: str, traffic: str, mode: Dissemination
) -> None:
    config = Config(history_limit=20, dissemination=mode)
    course = run(replace(SCENARIOS[name], within=100), traffic, 12, 2, config, has_everything=is_level)
    assert course.done_after >= 0
    missed_here = [sum(isinstance(event, Gap) for event in node.events) for node in course.live()]
    assert max(missed_here) <= 1
    assert_goes_on_exactly(course)


def part_in_three(course: Course) -> None:
    """Three groups that do not reach each other."""
    live = course.live()
    course.simulation.partition(live[::3], live[1::3])


def test_beyond_retention_three_parts_that_meet_have_one_gap_each() -> None:
    scenario = Scenario("beyond retention, in three", begin=part_in_three, lasts=60, within=100)
    config = Config(history_limit=20)
    course = run(scenario, "rotating", 9, 1, config, has_everything=is_level)
    assert course.done_after >= 0
    gaps = {node: [event for event in node.events if isinstance(event, Gap)] for node in course.live()}
    assert [len(found) for found in gaps.values()] == [1] * 9
    sent = len(course.truth.everything())
    assert all(len(node.delivered) + found[0].size == sent for node, found in gaps.items())
    assert_goes_on_exactly(course)


def assert_goes_on_exactly(course: Course) -> None:
    """What is sent from now on gets to everybody in one order, and no clock was ever wrong."""
    live = course.live()
    index = {node: number for number, node in enumerate(course.simulation.nodes)}
    after = []
    for number in range(10):
        after.append(course.truth.send(index[live[number % len(live)]]).id)
        course.simulation.run_for(0.5)
    course.simulation.run_for(5)
    for node in live:
        assert [message.id for message in node.delivered][-10:] == after
    assert violations(course) == []


def test_nobody_catches_up_from_a_node_that_is_stuck_itself() -> None:
    config = Config(history_limit=20)
    course = run(SCENARIOS["freeze of 10 for 30 s"], "one", 20, 2, config, has_everything=is_level)
    assert 0 <= course.done_after < 45
    assert max(sum(isinstance(event, Gap) for event in node.events) for node in course.live()) == 1
