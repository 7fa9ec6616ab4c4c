"""What goes wrong, for how long, and who sends meanwhile; each can be run with any configuration and size."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from protocol.core.config import Config
from protocol.core.messages import Message
from protocol.sim import Faults, SimulatedNode, Simulation
from tests.protocol.ground_truth import GroundTruth

__all__ = ["SCENARIOS", "TRAFFIC", "Course", "Scenario", "run"]

WARM_UP = 5
"""Cycles before anything happens, so that views are mixed."""

STEP = 0.5
"""Seconds between two messages of one or rotating senders."""

ALL_EVERY = 10
"""Steps between two rounds in which all nodes send at one instant."""

LOOK_EVERY = 0.25
"""Seconds between two looks at whether everybody has everything."""


@dataclass(slots=True)
class Course:
    """One run: the network, the truth about it, and dice for who is hit."""

    simulation: Simulation
    truth: GroundTruth
    dice: random.Random
    scenario: Scenario
    members: int
    """Nodes at the start."""
    shielded: int = 1
    """The first so many nodes are never crashed by churn."""
    done_after: float = -1.0
    """Seconds from the end of the fault to the moment when everybody had everything; below 0: never."""
    owed: float = 0.0
    """Parts of a node that churn has yet to take."""

    def live(self) -> list[SimulatedNode]:
        """Members that run or are frozen."""
        return [node for node in self.simulation.nodes if node.is_live]

    def pick(self, count: int, nodes: list[SimulatedNode]) -> list[SimulatedNode]:
        """So many of the nodes at random."""
        return self.dice.sample(nodes, min(count, len(nodes)))

    def halves(self) -> tuple[list[SimulatedNode], list[SimulatedNode]]:
        """Two halves at random; the second is the larger if they can't be equal."""
        live = self.live()
        chosen = set(self.pick(len(live) // 2, live))
        return [n for n in live if n in chosen], [n for n in live if n not in chosen]

    def reunite(self) -> None:
        """Let those join once more who know nobody of the others, not even by others.

        So it is after the crash of a contact before it let a newcomer in: nothing in the network can help.
        """
        live = self.live()
        groups = acquainted(live)
        for group in groups[1:]:
            group[0].join(*[node.address for node in self.pick(1, groups[0])])


def acquainted(nodes: list[SimulatedNode]) -> list[list[SimulatedNode]]:
    """Groups of nodes no member of which knows an address outside; the largest first."""
    at = {node.address: node for node in nodes}
    knows: dict[SimulatedNode, set[SimulatedNode]] = {node: set() for node in nodes}
    for node in nodes:
        dials = node.machine._sampling.dials
        known = [dial.address for dial in (*dials.lost.values(), *dials.contacts.values())]
        for address in (*known, *(peer.address for peer in node.current_view())):
            if address in at:
                knows[node].add(at[address])
                knows[at[address]].add(node)
    groups = []
    waiting = dict.fromkeys(nodes)
    while waiting:
        group = [next(iter(waiting))]
        del waiting[group[0]]
        for node in group:
            fresh = [other for other in waiting if other in knows[node]]
            for other in fresh:
                del waiting[other]
            group += fresh
        groups.append(group)
    return sorted(groups, key=len, reverse=True)


Step = Callable[[Course], None]


def nothing(_: Course) -> None:
    """Change nothing."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault that begins, goes on with a step each cycle, and ends."""

    name: str
    begin: Step = nothing
    each_cycle: Step = nothing
    faults: Faults = field(default_factory=Faults)
    """What the network does to datagrams while it lasts."""
    lasts: int = 30
    """Cycles."""
    within: int = 60
    """Cycles after its end by which everybody has everything."""


def crash_half(course: Course) -> None:
    """Half of the nodes stop at once, without goodbye."""
    live = course.live()
    course.simulation.crash(course.pick(len(live) // 2, live[course.shielded :]))


def churn(course: Course) -> None:
    """One node of a hundred stops each cycle, and another joins through a living contact."""
    live = course.live()
    course.owed += 0.01 * len(live)
    while course.owed >= 1:
        course.owed -= 1
        course.simulation.crash(course.pick(1, course.live()[course.shielded :]))
        (contact,) = course.pick(1, course.live())
        course.simulation.add_node(join=[contact])


def part(course: Course) -> None:
    """Two halves that do not reach each other."""
    course.simulation.partition(*course.halves())


def part_one_way(course: Course) -> None:
    """What one half sends to the other is lost."""
    course.simulation.partition(*course.halves(), one_way=True)


def freeze(course: Course) -> None:
    """Ten nodes, or half of them if there are fewer than twenty, stand still."""
    live = course.live()
    course.simulation.freeze(course.pick(min(10, len(live) // 2), live[course.shielded :]))


def translate(course: Course) -> None:
    """A third of the nodes are behind address translators."""
    live = course.live()
    course.simulation.translate(course.pick(len(live) // 3, live[course.shielded :]))


ROUGH = Faults(loss=0.3, duplication=0.2, reordering=0.2, latency=(0.001, 0.5), reordering_delay=3.0)

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("none"),
        Scenario("loss 10 %", faults=Faults(loss=0.1)),
        Scenario("loss 30 %", faults=Faults(loss=0.3)),
        Scenario("loss 50 %", faults=Faults(loss=0.5)),
        Scenario("duplication 20 %", faults=Faults(duplication=0.2)),
        Scenario("reordering over 3 s", faults=Faults(reordering=0.3, reordering_delay=3.0)),
        Scenario("latency 1-500 ms, heavy tail", faults=Faults(latency=(0.001, 0.5), tail=0.05)),
        Scenario("churn 1 % a cycle", each_cycle=churn, lasts=60),
        Scenario("crash of 50 %", begin=crash_half),
        Scenario("partition of 60 s", begin=part, lasts=60),
        Scenario("one-way partition of 60 s", begin=part_one_way, lasts=60),
        Scenario("freeze of 10 for 30 s", begin=freeze, lasts=30),
        Scenario("translators before a third", begin=translate, lasts=60),
        Scenario("rough: loss 30 %, duplicates, reordering, latency", faults=ROUGH),
        Scenario("rough, with churn", faults=ROUGH, each_cycle=churn, lasts=60),
        Scenario("rough, crash of 50 %", faults=ROUGH, begin=crash_half),
        Scenario("rough, partition of 60 s", faults=ROUGH, begin=part, lasts=60),
        Scenario("churn and partition of 60 s", begin=part, each_cycle=churn, lasts=60),
        Scenario("partition of 10 minutes", begin=part, lasts=600),
        Scenario("one-way partition of 10 minutes", begin=part_one_way, lasts=600),
    )
}


def one_sender(course: Course, _: int) -> list[SimulatedNode]:
    """The first node that runs."""
    return course.live()[:1]


def rotating_senders(course: Course, step: int) -> list[SimulatedNode]:
    """Another node each time."""
    live = course.live()
    return [live[step % len(live)]]


def all_senders(course: Course, step: int) -> list[SimulatedNode]:
    """Everybody at one instant, then a pause."""
    return course.live() if step % ALL_EVERY == 0 else []


TRAFFIC: dict[str, Callable[[Course, int], list[SimulatedNode]]] = {
    "one": one_sender,
    "rotating": rotating_senders,
    "all": all_senders,
}


def run(
    scenario: Scenario,
    traffic: str,
    nodes: int,
    seed: int,
    config: Config | None = None,
    *,
    has_everything: Callable[[Course], bool] | None = None,
) -> Course:
    """Let a fault happen to a network, and wait until everybody has everything or the time is up."""
    config = config or Config()
    simulation = Simulation(nodes, seed=seed, config=config, start="random")
    course = Course(simulation, GroundTruth(simulation), random.Random(f"course {seed}"), scenario, nodes)
    simulation.run_cycles(WARM_UP)
    steps = iter(range(1 << 30))
    send(course, traffic, steps)
    simulation.faults = scenario.faults
    scenario.begin(course)
    for _ in range(scenario.lasts):
        scenario.each_cycle(course)
        course.reunite()
        for _ in range(max(1, round(config.cycle_period / STEP))):
            send(course, traffic, steps)
            simulation.run_for(min(STEP, config.cycle_period))
    simulation.faults = Faults()
    simulation.heal()
    ended_at = simulation.now
    is_done = has_everything or is_complete
    while simulation.now < ended_at + scenario.within * config.cycle_period:
        if is_done(course):
            course.done_after = simulation.now - ended_at
            break
        course.reunite()
        simulation.run_for(LOOK_EVERY)
    return course


def send(course: Course, traffic: str, steps: Iterator[int]) -> list[Message]:
    """Let those send whose turn it is, if they run."""
    index = {node: number for number, node in enumerate(course.simulation.nodes)}
    senders = TRAFFIC[traffic](course, next(steps))
    return [course.truth.send(index[node]) for node in senders if node.is_up and has_room(node)]


def has_room(node: SimulatedNode) -> bool:
    """Whether a node may send: one that is cut off alone has its backlog full at some time."""
    return node.machine.unacknowledged < node.machine.config.backlog_limit


def is_complete(course: Course) -> bool:
    """Whether all survivors have delivered what any of them has."""
    live = course.live()
    counts = {node.machine.context.causal.delivered_count for node in live}
    if len(counts) > 1:
        return False
    sets = [{message.id for message in node.delivered} for node in live]
    return all(one == sets[0] for one in sets)
