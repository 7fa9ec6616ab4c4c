"""What a message costs beyond its payload, and how many parents it names, by active origins and rate.

``python -m tests.benchmarks.overhead`` runs whole machines in the simulator. A message names the maximal ones
its author had delivered: about as many as are sent while one is under way to everybody.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from gossip_tui.collector import collect_less_often
from protocol.core.config import Config
from protocol.core.log import Retained
from protocol.sim import Faults, Simulation
from protocol.wire import WireCodec

__all__ = ["Overhead", "Plan", "measure"]

BARE_SIZE, PARENT_SIZE = 50, 11
"""Bytes that a message may take beyond its payload in a shared datagram, and for each parent besides."""

LATENCY = (0.01, 0.05)
"""Seconds from node to node: a continent."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: the origins speak in turn, as many of them as there are messages."""

    origins: int
    rate: float
    """Messages per second, of all origins together."""
    messages: int


@dataclass(frozen=True, slots=True)
class Overhead:
    """What the messages of one run cost."""

    plan: Plan
    parents_mean: float
    parents_most: int
    size_mean: float
    """Bytes beyond the payload."""
    size_most: int
    fixed_most: int
    """The most bytes beyond the payload and 11 for each parent."""
    delivered: float
    """Share of the messages that the observed node had at the end."""


RETAINED = 300
"""Messages that nodes retain which nobody looks at afterwards: more than are under way to anybody."""

PLANS = (
    Plan(10, 1, 300),
    Plan(10, 10, 300),
    Plan(10, 100, 1_000),
    Plan(100, 1, 200),
    Plan(100, 10, 300),
    Plan(100, 100, 1_000),
    Plan(300, 100, 300),
    Plan(1_000, 10, 1_000),
    Plan(1_000, 100, 1_000),
)


def measure(plan: Plan, seed: int = 1) -> Overhead:
    """Let everybody speak in turn, and look at what one node delivered."""
    observed, other = (Config(cycle_period=2.0, history_limit=n) for n in (2 * plan.messages, RETAINED))
    configs = [observed, *[other] * (plan.origins - 1)]
    simulation = Simulation(
        plan.origins, seed=seed, config=configs, faults=Faults(latency=LATENCY), keep_events=False
    )
    simulation.run_for(4)
    order = list(range(plan.origins))
    random.Random(seed).shuffle(order)
    for number in range(plan.messages):
        simulation.nodes[order[number % plan.origins]].send_gossip(bytes(64))
        simulation.run_for(1 / plan.rate)
        if number % RETAINED == 0:
            for node in simulation.nodes:
                node.delivered.clear()
    simulation.run_for(3)
    log = simulation.nodes[0].machine.log
    return summary(plan, [log.at(position) for position in range(log.first, log.next)])


def summary(plan: Plan, entries: Sequence[Retained]) -> Overhead:
    """The figures of one run."""
    codec = WireCodec()
    parents = [len(entry.parents) for entry in entries]
    sizes = [codec.size_of(entry.rumor(1)) - len(entry.message.payload) for entry in entries]
    return Overhead(
        plan,
        sum(parents) / len(parents),
        max(parents),
        sum(sizes) / len(sizes),
        max(sizes),
        max(size - PARENT_SIZE * count for size, count in zip(sizes, parents, strict=True)),
        len(entries) / plan.messages,
    )


def as_row(found: Overhead) -> str:
    """One row of the table."""
    plan = found.plan
    return (
        f"| {plan.origins:,} | {plan.rate:g} | {found.parents_mean:.1f} | {found.parents_most} "
        f"| {found.size_mean:.0f} | {found.size_most} | {found.fixed_most} |"
    )


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if a message costs more than it may."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.overhead", description=__doc__)
    parser.add_argument("--most", type=int, default=1_000, help="origins at the most (default: 1,000)")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(words)
    collect_less_often()
    say("| origins | messages/s | parents, mean | most | bytes, mean | most | most without parents |")
    say("| ------: | ---------: | ------------: | ---: | ----------: | ---: | -------------------: |")
    is_fine = True
    for plan in PLANS:
        if plan.origins <= chosen.most:
            found = measure(plan, chosen.seed)
            is_fine = is_fine and found.fixed_most <= BARE_SIZE and found.delivered > 0.99
            say(as_row(found))
    return 0 if is_fine else 1


if __name__ == "__main__":
    sys.exit(main())
