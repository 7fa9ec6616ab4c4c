"""How many copies, hops and seconds messages take in simulated networks: eager against tree.

``python -m tests.benchmarks.dissemination`` prints the table; every run is the same for the same seed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from protocol import Config, Counters, Dissemination, Message
from protocol.sim import Faults, Simulation
from protocol.sim.node import SimulatedNode

from .figures import percentile
from .report import table

__all__ = ["SENDERS", "Outcome", "Trial", "measure"]

SENDERS = ("one", "rotating", "all")
"""Who sends in a round: always the same node, each in turn, or everybody at one instant."""

ONE_INSTANT = (0.0, 0.0)
"""Latency of a network in which datagrams arrive at once."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One network and what happens in it."""

    dissemination: Dissemination
    senders: str = "one"
    nodes: int = 100
    seed: int = 1
    rounds: int = 30
    spacing: float = 1.0
    """Seconds from one round to the next."""
    loss: float = 0.0
    latency: tuple[float, float] = (0.001, 0.005)
    crash: float = 0.0
    """Share of the nodes that crash when a third of the rounds is over."""
    warm_up: float = 5.0
    """Seconds before the first message, in which the overlay forms and neighbours are found."""
    grace: float = 30.0
    """Seconds after the last round in which what is missing may still come."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trial cost and reached."""

    deliveries: int
    """At nodes other than the sender, survivors only."""
    missing: int
    """Messages that some survivor has and another lacks, summed over the survivors."""
    redundancy: float
    """Payload copies received per delivery, minus 1."""
    last_hop: int
    median: float
    """Seconds from sending to delivery."""
    p99: float
    longest: float
    datagrams: int
    """Sent from the first round on by the survivors, view exchanges included."""
    grafts: int


def measure(trial: Trial) -> Outcome:
    """Run one trial."""
    simulation = Simulation(
        trial.nodes,
        seed=trial.seed,
        config=Config(dissemination=trial.dissemination),
        faults=Faults(loss=trial.loss, latency=trial.latency),
    )
    simulation.run_for(trial.warm_up)
    before = [node.snapshot().counters for node in simulation.nodes]
    for number in range(trial.rounds):
        if trial.crash and number == trial.rounds // 3:
            simulation.crash(simulation.nodes[1 : 1 + round(trial.crash * trial.nodes)])
        for node in senders(simulation, trial, number):
            node.send_gossip(f"{number}")
        simulation.run_for(trial.spacing)
    simulation.run_for(trial.grace)
    alive = [index for index, node in enumerate(simulation.nodes) if node.is_live]
    after = {index: simulation.nodes[index].snapshot().counters for index in alive}
    return outcome(
        [simulation.nodes[index].delivered for index in alive],
        [(before[index], after[index]) for index in alive],
    )


def senders(simulation: Simulation, trial: Trial, number: int) -> Iterator[SimulatedNode]:
    """Who sends in this round, of those who live."""
    alive = [node for node in simulation.nodes if node.is_live]
    if trial.senders == "all":
        return iter(alive)
    return iter([alive[number % len(alive) if trial.senders == "rotating" else 0]])


def outcome(delivered: Sequence[Sequence[Message]], counters: Iterable[tuple[Counters, Counters]]) -> Outcome:
    """Sum up what the survivors delivered and counted."""
    messages = [message for log in delivered for message in log]
    everything = {message.id for message in messages}
    spans = sorted(
        message.delivered_at - message.created_at
        for message in messages
        if message.delivered_at > message.created_at or message.hops
    )
    pairs = list(counters)
    own = sum(after.sent - before.sent for before, after in pairs)
    copies = sum(after.rumors_in - before.rumors_in for before, after in pairs)
    deliveries = sum(after.delivered - before.delivered for before, after in pairs) - own
    return Outcome(
        deliveries=deliveries,
        missing=sum(len(everything) - len(log) for log in delivered),
        redundancy=copies / deliveries - 1,
        last_hop=max(message.hops for message in messages),
        median=percentile(spans, 0.5),
        p99=percentile(spans, 0.99),
        longest=percentile(spans, 1.0),
        datagrams=sum(after.datagrams_out - before.datagrams_out for before, after in pairs),
        grafts=sum(after.grafts - before.grafts for before, after in pairs),
    )


def trials(nodes: int, seeds: Sequence[int]) -> Iterator[tuple[str, Trial]]:
    """Everything the table holds, with a name each; rounds are fewer where everybody sends."""
    for seed in seeds:
        for who in SENDERS:
            base = Trial(Dissemination.EAGER, who, nodes, seed, rounds=30 if who != "all" else 10)
            yield f"{who}", base
            if who == "all":
                continue
            yield f"{who}, every 100 ms", replace(base, spacing=0.1)
            yield f"{who}, no latency", replace(base, latency=ONE_INSTANT)
            yield f"{who}, 20-200 ms", replace(base, latency=(0.02, 0.2))
            yield f"{who}, 10 % loss", replace(base, loss=0.1)
            yield f"{who}, 30 % loss", replace(base, loss=0.3)
            yield f"{who}, half crash", replace(base, crash=0.5)


COLUMNS = (
    "load", "mode", "missing", "redundancy", "last hop", "median ms", "p99 ms", "max ms", "datagrams",
    "grafts",
)  # fmt: skip
"""``datagrams`` and ``grafts`` are per delivery; of several seeds, the worst figure stands."""


def row(name: str, mode: Dissemination, results: Sequence[Outcome]) -> tuple[str, ...]:
    """One line of the table: the worst of all seeds."""
    return (
        name,
        mode.value,
        str(max(one.missing for one in results)),
        f"{max(one.redundancy for one in results):.2f}",
        str(max(one.last_hop for one in results)),
        f"{max(one.median for one in results) * 1e3:.1f}",
        f"{max(one.p99 for one in results) * 1e3:.0f}",
        f"{max(one.longest for one in results) * 1e3:.0f}",
        f"{max(one.datagrams / one.deliveries for one in results):.2f}",
        f"{max(one.grafts / one.deliveries for one in results):.3f}",
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.dissemination", description=__doc__)
    parser.add_argument("--nodes", type=int, default=100)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--only", help="loads whose name contains this")
    chosen = parser.parse_args()
    loads: dict[str, list[Trial]] = {}
    for name, trial in trials(chosen.nodes, chosen.seeds):
        if not chosen.only or chosen.only in name:
            loads.setdefault(name, []).append(trial)
    rows = []
    for name, found in loads.items():
        for mode in Dissemination:
            sys.stderr.write(f"... {name}, {mode}\n")
            rows.append(row(name, mode, [measure(replace(trial, dissemination=mode)) for trial in found]))
    sys.stdout.write(table(COLUMNS, rows) + "\n")


if __name__ == "__main__":
    main()
