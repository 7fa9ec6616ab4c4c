"""What happens to the nodes and to the network, and when: a story drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from protocol.sim import Faults

__all__ = ["CALM", "CALM_SHARE", "Cut", "Deed", "Kill", "Stop", "Weather", "plan"]

CALM = Faults(latency=(0.0, 0.001))
"""A local network."""

CALM_SHARE = 0.15
"""Of the whole time, what is left at the end in which nothing new happens while everybody goes on sending."""

PAUSES = (0.5, 3.0)
"""Seconds between two deeds."""

ABSENCES = (0.5, 8.0)
"""Seconds that a node stays killed or stopped, or that a cut or a weather lasts."""


@dataclass(frozen=True, slots=True)
class Kill:
    """``kill -9``, and a new start with the same state."""

    node: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Stop:
    """SIGSTOP, and SIGCONT."""

    node: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Cut:
    """No datagram passes from these nodes to the others, nor back if it is cut both ways."""

    nodes: tuple[int, ...]
    both_ways: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Weather:
    """The network treats every datagram so."""

    faults: Faults
    seconds: float


Deed = Kill | Stop | Cut | Weather


def plan(nodes: int, seconds: float, seed: int) -> list[tuple[float, Deed]]:
    """Deeds with the second in which each begins; all are over when the calm at the end begins.

    A node is only killed or stopped while nothing else is done to it, and half of the nodes always run.
    """
    dice = random.Random(f"plan {seed}")
    end_at = seconds * (1 - CALM_SHARE)
    busy_until = [0.0] * nodes
    network_until = weather_until = 0.0
    story: list[tuple[float, Deed]] = []
    for at in moments(dice, end_at):
        lasting = min(dice.uniform(*ABSENCES), end_at - at)
        idle = [node for node in range(nodes) if busy_until[node] <= at]
        kinds: list[Callable[[], Deed]] = []
        if len(idle) > nodes / 2:
            node = dice.choice(idle)
            kinds += [lambda n=node, s=lasting: Kill(n, s), lambda n=node, s=lasting: Stop(n, s)]  # type: ignore[misc]
        if network_until <= at:
            kinds.append(lambda s=lasting: cut(dice, nodes, s))  # type: ignore[misc]
        if weather_until <= at:
            kinds.append(lambda s=lasting: Weather(weather(dice), s))  # type: ignore[misc]
        if not kinds:
            continue
        deed = dice.choice(kinds)()
        story.append((at, deed))
        match deed:
            case Kill(node) | Stop(node):
                busy_until[node] = at + lasting
            case Cut():
                network_until = at + lasting
            case Weather():
                weather_until = at + lasting
    return story


def moments(dice: random.Random, end_at: float) -> Iterator[float]:
    """Seconds at which something begins."""
    at = dice.uniform(*PAUSES)
    while at < end_at - ABSENCES[0]:
        yield at
        at += dice.uniform(*PAUSES)


def cut(dice: random.Random, nodes: int, seconds: float) -> Cut:
    """A cut around any group of nodes, in one direction as often as in both."""
    group: Sequence[int] = dice.sample(range(nodes), dice.randint(1, max(1, nodes // 2)))
    return Cut(tuple(sorted(group)), dice.random() < 0.5, seconds)


def weather(dice: random.Random) -> Faults:
    """Some loss, some copies, some that are late, and a latency up to a continent's."""
    return Faults(
        loss=dice.uniform(0, 0.4),
        duplication=dice.uniform(0, 0.2),
        reordering=dice.uniform(0, 0.2),
        latency=(0.0, dice.choice([0.002, 0.05, 0.2])),
        reordering_delay=dice.uniform(0.1, 2.0),
    )
