"""One experiment with peer sampling: a network of real machines, cycle by cycle, and its figures.

The machines are those that run on UDP; time passes in the paper's cycles of atomic exchanges.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple, Self, get_args

from ..core.config import Config, Dissemination
from ..core.faults import Faults
from ..core.identity import NodeId
from ..core.strategy import Strategy
from ..errors import ConfigError, StateError
from .choices import Selection, Start
from .figures import CycleFigures, figures_of
from .node import SimulatedNode
from .overlay import Broadcast, Overlay, drawn
from .simulation import Simulation

__all__ = ["Crash", "Experiment", "ExperimentRun"]

NODE_LIMIT = 1_000_000
"""Nodes of an experiment at the most; a choice, far beyond what fits into the memory of most machines."""


class Crash(NamedTuple):
    """So many of the live nodes, drawn at random, stop without goodbye; prints as ``0.5@100``."""

    share: float
    """Of the nodes that are alive then: above 0, below 1."""
    cycle: int
    """After this one, as soon as the next begins; at least 0."""

    def __str__(self) -> str:
        return f"{self.share}@{self.cycle}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``SHARE@CYCLE``, such as ``0.5@100``.

        Raises:
            ConfigError: The text is none, or share or cycle is not possible.
        """
        share, _, cycle = text.strip().partition("@")
        try:
            crash = cls(float(share), int(cycle))
        except ValueError:
            raise ConfigError(f"a crash looks like SHARE@CYCLE, such as 0.5@100, not {text[:60]!a}") from None
        crash.check()
        return crash

    def check(self) -> None:
        """Return if this crash is possible.

        Raises:
            ConfigError: Share or cycle is out of range.
        """
        if not 0 < self.share < 1:
            raise ConfigError(f"the share of a crash must be above 0 and below 1, not {self.share}")
        check_number("the cycle of a crash", self.cycle, 0, None)


@dataclass(frozen=True, slots=True)
class Experiment:
    """What to try; every value is checked when it is made.

    >>> run = Experiment(nodes=50, view_size=8, cycles=10).begin(every=5)
    >>> while not run.is_done:
    ...     figures = run.advance()
    >>> [figures.cycle for figures in run.figures], figures.components
    ([0, 5, 10], 1)

    Raises:
        ConfigError: A value is not possible; the text says which, and what is allowed.
    """

    nodes: int = 1000
    """Of a growing network: in the end."""
    view_size: int = 20
    strategy: Strategy | str = "default"
    """A ``Strategy``, or the text of one, resolved against ``view_size``."""
    start: Start = "random"
    cycles: int = 100
    """The last cycle; 0 shows the start alone."""
    crashes: tuple[Crash, ...] = ()
    churn: float = 0.0
    """Share of the live nodes that crash at the start of each cycle, from 0 to below 1; as many newcomers
    join, each through one live contact."""
    loss: float = 0.0
    """Share of datagrams that vanish."""
    selection: Selection = Selection.EVICT
    seed: int = 1
    fanout: int = 4
    """Of ``ExperimentRun.broadcast``, at least 1."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("nodes", 1, NODE_LIMIT), ("cycles", 0, None), ("seed", None, None), ("fanout", 1, None)
        ):  # fmt: skip
            check_number(name, getattr(self, name), low, high)
        if not 0 <= self.churn < 1:
            raise ConfigError(f"churn must be a share from 0 to below 1, not {self.churn!r}")
        Faults(loss=self.loss)
        if self.start not in get_args(Start):
            raise ConfigError(f"start must be one of {', '.join(get_args(Start))}, not {self.start!r}")
        if self.selection not in tuple(Selection):
            raise ConfigError(f"selection must be one of {', '.join(Selection)}, not {self.selection!r}")
        object.__setattr__(self, "crashes", tuple(self.crashes))
        for crash in self.crashes:
            crash.check()
            if crash.cycle > self.cycles:
                raise ConfigError(f"crash {crash} must be after a cycle from 0 to the last, {self.cycles}")
        object.__setattr__(self, "strategy", self.config.strategy)

    @property
    def config(self) -> Config:
        """The settings of every node.

        Cycles last a second. Answers are given up so soon that a dead peer is gone before anybody's next
        turn, and nothing is remembered that no figure needs. No message is sent, so nobody seeks neighbours.
        """
        return Config(
            view_size=self.view_size,
            strategy=self.strategy,
            fanout=self.fanout,
            cycle_period=1.0,
            answer_timeout=0.5 / self.nodes,
            acquaintance_limit=0,
            dissemination=Dissemination.EAGER,
        )

    def memory_estimate(self) -> int:
        """Bytes that the process of a run takes at its largest, within 30 %; measured on 64-bit Linux."""
        view = DESCRIPTOR_SIZE * min(self.view_size, self.nodes - 1)
        is_lost = 1 - (1 - self.loss) ** 2  # the request, or the answer
        unanswered = min(MOST_UNANSWERED, LINKS_TO_THE_DEAD * self.churn) + is_lost**REQUEST_TRIES
        cycle = CYCLE_SIZE + round(UNANSWERED_SIZE * unanswered)
        remembered = min(self.cycles, REMEMBERED_CYCLES)
        if self.churn:
            remembered = min(remembered, round(LIVES_REMEMBERED / self.churn))
        memories = (FIRST_CYCLE_SIZE + cycle * remembered) * bool(self.cycles)
        return BASE_SIZE + self.nodes * (NODE_SIZE + view + memories)

    def begin(self, every: int = 1) -> ExperimentRun:
        """Build the network and record its start.

        Args:
            every: Cycles from one record to the next.

        Raises:
            ConfigError: ``every`` is below 1.
        """
        return ExperimentRun(self, every)


BASE_SIZE = 21_000_000
"""Bytes of the interpreter and the library; this and the following are measured, 300 to 5,000 nodes."""

NODE_SIZE = 14_600
"""Bytes of a machine that knows nobody."""

DESCRIPTOR_SIZE = 500
"""Bytes of a descriptor in a view, the pictures of it included."""

FIRST_CYCLE_SIZE = 6_500
"""Bytes by which a node grows in its first cycles."""

CYCLE_SIZE = 70
"""Bytes by which it grows in every cycle: links, mostly."""

UNANSWERED_SIZE = 2_300
"""Bytes of an exchange whose answer may yet come."""

REQUEST_TRIES = 3
"""How often a request is sent, so that so many losses in a row leave it without an answer."""

LINKS_TO_THE_DEAD = 18
"""Requests to the dead in a cycle, as a multiple of the share of nodes that churn replaces in it."""

MOST_UNANSWERED = 0.36
"""The share of requests to the dead under whatever churn: they are evicted sooner than that many die."""

LIVES_REMEMBERED = 6
"""Lives of a node, one over the churn, after which nobody remembers more: who remembers is replaced too."""

REMEMBERED_CYCLES = 64
"""Cycles after which the memories of nodes are full."""


class ExperimentRun:
    """An experiment under way; the same experiment always runs the same."""

    def __init__(self, experiment: Experiment, every: int = 1) -> None:
        """Build the network and record its start; see ``Experiment.begin``."""
        check_number("every", every, 1, None)
        self.experiment = experiment
        self.cycle = 0
        """Cycles done."""
        self.figures: list[CycleFigures] = []
        """The start, the cycles divisible by ``every``, and the last."""
        self._every = every
        self._random = random.Random(f"experiment {experiment.seed}").random
        self._dead_at_crash: int | None = None
        self._churn_owed = 0.0
        self.simulation = Simulation(
            experiment.nodes,
            seed=experiment.seed,
            config=experiment.config,
            start=experiment.start,
            faults=Faults(loss=experiment.loss),
            verify_sources=False,
            timing="cycles",
            selection=experiment.selection,
            keep_events=False,
        )
        self._record(None, {})

    @property
    def is_done(self) -> bool:
        """Whether the last cycle is over."""
        return self.cycle >= self.experiment.cycles

    def overlay(self) -> Overlay:
        """A picture of the views of all live nodes as they are now."""
        return Overlay.of(self.simulation.nodes)

    def advance(self) -> CycleFigures | None:
        """Run one more cycle, and before it the crashes and the churn that are due.

        Returns:
            Its figures if it is recorded, else None.

        Raises:
            StateError: The last cycle is over.
        """
        if self.is_done:
            raise StateError(f"the experiment ended with cycle {self.cycle}")
        self._crash()
        self._churn()
        is_recorded = (self.cycle + 1) % self._every == 0 or self.cycle + 1 == self.experiment.cycles
        before = self.overlay() if is_recorded else None
        served = self._served() if is_recorded else {}
        self.simulation.run_cycles(1)
        self.cycle += 1
        return self._record(before, served) if is_recorded else None

    def broadcast(self) -> Broadcast:
        """Spread messages by infect-and-die over the views as they are now; the nodes hear nothing of it."""
        experiment = self.experiment
        dice = random.Random(f"broadcast {experiment.seed} {self.cycle}").random
        return self.overlay().broadcast(experiment.fanout, dice, loss=experiment.loss)

    def _crash(self) -> None:
        for crash in self.experiment.crashes:
            if crash.cycle == self.cycle:
                live = self._live()
                self._stop(live, int(crash.share * len(live) + 0.5))
                self._dead_at_crash = self.overlay().dead_link_count

    def _churn(self) -> None:
        if not self.experiment.churn:
            return
        live = self._live()
        self._churn_owed += self.experiment.churn * len(live)
        count = int(self._churn_owed)
        self._churn_owed -= count
        survivors = self._stop(live, count)
        for _ in range(len(live) - len(survivors)):
            contact = survivors[int(self._random() * len(survivors))]
            self.simulation.add_node(join=[contact])

    def _stop(self, live: list[SimulatedNode], count: int) -> list[SimulatedNode]:
        """Crash so many at random, but not the last one; returns who is left."""
        gone = drawn(range(len(live)), min(count, len(live) - 1), self._random)
        self.simulation.crash([live[index] for index in gone])
        self.simulation.bury()
        return self._live()

    def _live(self) -> list[SimulatedNode]:
        return [node for node in self.simulation.nodes if node.is_live]

    def _served(self) -> dict[NodeId, int]:
        return {node.id: node.machine.exchanges_served for node in self._live()}

    def _record(self, before: Overlay | None, served: dict[NodeId, int]) -> CycleFigures:
        after = self._served()
        incoming = [count - served[node] for node, count in after.items() if node in served]
        figures = figures_of(self.cycle, self.overlay(), before, incoming, self._dead_at_crash)
        self.figures.append(figures)
        return figures


def check_number(name: str, value: object, low: int | None, high: int | None) -> None:
    """Refuse a setting that is no whole number from ``low`` to ``high``.

    Raises:
        ConfigError: It is none.
    """
    limits = [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or (low is not None and value < low) or (high is not None and value > high):  # type: ignore[operator]
        allowed = f" of {' and '.join(limits)}" if limits else ""
        raise ConfigError(f"{name} must be a whole number{allowed}, not {value!r}")
