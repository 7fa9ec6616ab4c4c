"""Runs experiments one after the other and tells of every recorded cycle, until the end or an interrupt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from .interruption import Interruption
from .plan import Contender, Plan
from .progress import Progress

if TYPE_CHECKING:
    from protocol.sim import Broadcast, CycleFigures, Experiment, ExperimentRun

__all__ = ["Outcome", "outcomes"]

Tell = Callable[["Experiment", "CycleFigures"], None]


class Outcome(NamedTuple):
    """What came of one strategy."""

    contender: Contender
    figures: list[CycleFigures]
    """Of the recorded cycles, as many as there were."""
    broadcast: Broadcast | None
    """Over the last views; None if the experiment was interrupted."""

    @property
    def is_whole(self) -> bool:
        """Whether it came to its end."""
        return self.broadcast is not None


def outcomes(plan: Plan, interruption: Interruption, progress: Progress, tell: Tell) -> Iterator[Outcome]:
    """Run the experiments, and give what came of each; the one that is interrupted is the last.

    Args:
        plan: Which they are.
        interruption: Says when to stop.
        progress: Is told of every cycle, recorded or not.
        tell: Is called with every recorded cycle, once and in order.
    """
    done = 0
    for contender in plan.contenders:
        running = Running(contender, progress, tell, done)
        broadcast = None
        try:
            broadcast = running.run(plan.every, interruption)
        except KeyboardInterrupt:
            running.catch_up()
        yield Outcome(contender, running.figures, broadcast)
        if broadcast is None:
            return
        done += contender.experiment.cycles


class Running:
    """One experiment under way."""

    def __init__(self, contender: Contender, progress: Progress, tell: Tell, done: int) -> None:
        """Nothing runs yet; ``done`` cycles of other experiments are over."""
        self.figures: list[CycleFigures] = []
        """Of the recorded cycles that were told of."""
        self._contender = contender
        self._progress = progress
        self._tell = tell
        self._done = done
        self._run: ExperimentRun | None = None

    def run(self, every: int, interruption: Interruption) -> Broadcast:
        """Run it to its end.

        Raises:
            KeyboardInterrupt: It was interrupted; what was recorded can be had by ``catch_up``.
        """
        experiment = self._contender.experiment
        self._show("getting ready", 0)
        with interruption.heard():
            self._run = run = experiment.begin(every)
        self.catch_up()
        while not run.is_done:
            self._show(f"cycle {run.cycle + 1} of {experiment.cycles}", run.cycle)
            with interruption.heard():
                run.advance()
            self.catch_up()
        self._show("broadcast", run.cycle)
        with interruption.heard():
            return run.broadcast()

    def catch_up(self) -> None:
        """Tell of what was recorded and not told of yet."""
        if self._run is not None:
            for figures in self._run.figures[len(self.figures) :]:
                self.figures.append(figures)
                self._tell(self._contender.experiment, figures)

    def _show(self, step: str, cycle: int) -> None:
        self._progress.show(self._contender.label, step, self._done + cycle)
