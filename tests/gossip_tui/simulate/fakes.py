"""Experiments that need no network: figures made of their cycle's number, and a run that can be disturbed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from protocol.sim import Broadcast, CycleFigures, Experiment

__all__ = ["BROADCAST", "FakeRun", "figures", "play"]

FIGURES = CycleFigures(
    cycle=0,
    clustering=0.04,
    path_length=2.165,
    in_degree_mean=2.0,
    in_degree_std=1.0,
    in_degree_min=1,
    in_degree_max=4,
    components=1,
    largest_component=10,
    dead_links=0.0,
    dead_links_of_crash=None,
    live_nodes=10,
    in_degrees=(0, 4, 3, 2, 1),
    incoming_mean=1.0,
    incoming_max=3,
    turnover=0.25,
)
BROADCAST = Broadcast(fanout=4, coverage=0.98, redundancy=2.9, last_hop=6.4)


def figures(cycle: int, **changes: object) -> CycleFigures:
    """The figures of a cycle, some of them changed."""
    return replace(FIGURES, cycle=cycle, **changes)  # type: ignore[arg-type]


@dataclass
class FakeRun:
    """Stands for an ``ExperimentRun``; calls ``disturb`` with the number of a cycle that is about to run."""

    experiment: Experiment
    every: int = 1
    disturb: Callable[[int], object] = lambda _: None
    cycle: int = 0
    figures: list[CycleFigures] = field(default_factory=lambda: [figures(0)])

    @property
    def is_done(self) -> bool:
        """Whether the last cycle is over."""
        return self.cycle >= self.experiment.cycles

    def advance(self) -> CycleFigures | None:
        """One cycle."""
        self.disturb(self.cycle + 1)
        self.cycle += 1
        if self.cycle % self.every and not self.is_done:
            return None
        self.figures.append(figures(self.cycle, clustering=self.cycle / 100))
        return self.figures[-1]

    def broadcast(self) -> Broadcast:
        """Always the same."""
        self.disturb(-1)
        return BROADCAST


def play(monkeypatch: pytest.MonkeyPatch, disturb: Callable[[int], object] = lambda _: None) -> None:
    """Let experiments begin such runs."""

    def begin(experiment: Experiment, every: int = 1) -> FakeRun:
        return FakeRun(experiment, every, disturb)

    monkeypatch.setattr(Experiment, "begin", begin)
