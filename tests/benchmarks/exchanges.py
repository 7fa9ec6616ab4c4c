"""How many exchanges of views whole machines make in the simulator, and where their time goes.

One process, one core, object mode, no observers: cycles of atomic exchanges between the machines that also
run on UDP. The garbage collector is told what ``gossip-tui simulate`` tells it.
"""

from __future__ import annotations

import resource
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from gossip_tui.collector import collect_less_often
from protocol.sim import Experiment, ExperimentRun

from .figures import ExchangeRun, percentile

__all__ = ["PLANS", "QUICK_PLANS", "ExchangePlan", "measure"]

SAMPLE_PERIOD = 0.001
"""Seconds of CPU between two looks at what runs."""

WARM_UP = 5
"""Cycles before anything counts: until then memory is still being laid out."""

LAYERS = (
    ("view", ("protocol.core.view", "protocol.core.choices")),
    ("sampling", ("protocol.core.sampling", "protocol.core.dials", "protocol.core.acquaintances")),
    ("sizes", ("protocol.wire", "protocol.sim.object_codec")),
    ("simulator", ("protocol.sim",)),
    ("machine", ("protocol",)),
)
"""Parts of the program by the modules in them; a module belongs to the first part that names it."""


class ExchangePlan:
    """A network to time: strategy, size, and how many batches of how many cycles."""

    def __init__(self, strategy: str, nodes: int, view_size: int, batches: int, cycles: int) -> None:
        self.experiment = Experiment(
            nodes=nodes, view_size=view_size, strategy=strategy, cycles=WARM_UP + 2 * batches * cycles
        )
        self.strategy = strategy
        self.batches = batches
        self.cycles = cycles


PLANS = (
    *(ExchangePlan(strategy, 1_000, 20, 10, 5) for strategy in ("default", "blind", "healer", "swapper")),
    ExchangePlan("default", 10_000, 30, 3, 2),
)
QUICK_PLANS = (ExchangePlan("default", 50, 8, 3, 2),)


def measure(plan: ExchangePlan) -> ExchangeRun:
    """Time one network, once for the rate and once more with looks at what runs."""
    collect_less_often()
    experiment = plan.experiment
    run = experiment.begin(every=experiment.cycles)
    advance(run, WARM_UP)
    rates = []
    for _ in range(plan.batches):
        seconds = timed(run, plan.cycles)
        rates.append(plan.cycles * experiment.nodes / seconds)
    with looking() as looks:
        advance(run, plan.batches * plan.cycles - 1)
    rates.sort()
    return ExchangeRun(
        strategy=plan.strategy,
        nodes=experiment.nodes,
        view_size=experiment.view_size,
        exchanges=plan.batches * plan.cycles * experiment.nodes,
        median_rate=percentile(rates, 0.5),
        best_rate=rates[-1],
        shares=shares(looks),
        peak_memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def timed(run: ExperimentRun, cycles: int) -> float:
    """Seconds of CPU that so many cycles take; in each, every node starts one exchange."""
    started_at = time.process_time()
    advance(run, cycles)
    return time.process_time() - started_at


def advance(run: ExperimentRun, cycles: int) -> None:
    """Run so many cycles, none of them recorded."""
    for _ in range(cycles):
        run.advance()


@contextmanager
def looking() -> Iterator[Counter[str]]:
    """Count which module runs, every millisecond of CPU."""
    looks: Counter[str] = Counter()

    def look(_signal: int, frame: FrameType | None) -> None:
        if frame is not None:
            looks[frame.f_globals["__name__"]] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, SAMPLE_PERIOD, SAMPLE_PERIOD)
    try:
        yield looks
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def shares(looks: Counter[str]) -> dict[str, float]:
    """Which share of the time each part of the program took."""
    found = dict.fromkeys([part for part, _ in LAYERS], 0)
    for module, count in looks.items():
        part = next((part for part, prefixes in LAYERS if module.startswith(prefixes)), None)
        if part is not None:
            found[part] += count
    total = sum(found.values()) or 1
    return {part: count / total for part, count in found.items()}
