"""The dials of an experiment: what there is to turn, what it stands at, and the command that turning it is.

A dial holds no state: it is worked out anew from the pictures of the node and of the experiments. Turning one
gives a line as a person would type it, so that there is one way in which anything is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from gossip_tui.command import SWARM
from gossip_tui.experiments import Lab, NodeState
from gossip_tui.observed import cuts_in_words
from gossip_tui.text import Safe, safe
from protocol.core.config import Dissemination
from protocol.core.faults import NO_FAULTS, Direction, FaultReport, Faults
from protocol.core.identity import Address
from protocol.core.snapshot import NodeSnapshot
from protocol.core.strategy import PRESETS, Strategy

__all__ = ["Bench", "Dial", "Kind", "Value", "command_for", "dials_of", "targets_of", "turned", "typed"]

Value = float | str
"""What a dial stands at: a number, or one of a few words."""


class Kind(StrEnum):
    """What a dial turns."""

    SCOPE = "scope"
    TARGET = "target"
    LOSS = "loss"
    DELAY = "delay"
    JITTER = "jitter"
    TAIL = "tail"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    LATE = "late"
    CUT = "cut"
    FANOUT = "fan-out"
    VIEW_SIZE = "view size"
    STRATEGY = "strategy"
    SPREADING = "spreading"
    NODE = "node"


class Scale(NamedTuple):
    """What a number may be, and how far a turn goes."""

    unit: str
    step: float
    low: float
    high: float
    full: float
    """Where the bar is full: what people try, not what is possible."""
    start: float | None = 0.0
    """What resetting goes back to; None for what the node began with, which nobody knows here."""


PERCENT = Scale("%", 5, 0, 100, 100)
SPAN = Scale("ms", 25, 0, 3_600_000, 1_000)
SCALES = {
    Kind.LOSS: PERCENT,
    Kind.DELAY: SPAN,
    Kind.JITTER: SPAN,
    Kind.TAIL: PERCENT,
    Kind.DUPLICATE: PERCENT,
    Kind.REORDER: PERCENT,
    Kind.LATE: Scale("ms", 250, 0, 3_600_000, 4_000, 1_000 * NO_FAULTS.reordering_delay),
    Kind.FANOUT: Scale("", 1, 1, 1_000, 20, 4),
    Kind.VIEW_SIZE: Scale("", 1, 2, 1_000, 60, 20),
}

EVERYBODY = "everybody"
HERE, WHOLE_SWARM = "this node", "the whole swarm"
WHOLE, CUT = "whole", "cut"
REACHED, CUT_OFF = "reached", "cut off"
CUT_WAYS = {Direction.BOTH: CUT_OFF, Direction.IN: "nothing comes in", Direction.OUT: "nothing goes out"}
"""What a cut towards one peer does."""

STATES = (NodeState.RUNNING.value, NodeState.STOPPED.value, NodeState.CRASHED.value)


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything that the dials are worked out from."""

    snapshot: NodeSnapshot
    lab: Lab | None = None
    """None in a recording."""
    swarm: bool = False
    """Whether turning a dial is for the whole swarm."""
    target: Address | None = None
    """Whose datagrams; None for everybody's."""

    @property
    def is_demo(self) -> bool:
        """Whether there are several nodes in this process."""
        return self.lab is not None and len(self.lab.members) > 1

    @property
    def report(self) -> FaultReport:
        """What is in force at the node one sits on."""
        return self.snapshot.faults

    @property
    def faults(self) -> Faults:
        """What is done to the datagrams that the dials are about."""
        report = self.report
        return report.faults if self.target is None else report.by_peer.get(self.target, report.faults)

    @property
    def totals(self) -> FaultReport:
        """What faults did so far: here, or in the whole swarm."""
        return self.lab.total if self.lab is not None and self.swarm else self.report


class Dial(NamedTuple):
    """One dial as it stands."""

    kind: Kind
    value: Value
    label: Safe
    name: str = ""
    """Of the node that it is about, if it is about one."""

    @property
    def key(self) -> tuple[Kind, str]:
        """Which dial it is, whatever it stands at."""
        return self.kind, self.name


def dials_of(bench: Bench) -> list[Dial]:
    """Every dial there is, top first."""
    faults = bench.faults
    low, high = faults.latency or (0.0, 0.0)
    scope = [Dial(Kind.SCOPE, WHOLE_SWARM if bench.swarm else HERE, safe("applies to"))]
    numbers = {
        Kind.LOSS: 100 * faults.loss,
        Kind.DELAY: 1_000 * low,
        Kind.JITTER: 1_000 * (high - low),
        Kind.TAIL: 100 * faults.tail,
        Kind.DUPLICATE: 100 * faults.duplication,
        Kind.REORDER: 100 * faults.reordering,
        Kind.LATE: 1_000 * faults.reordering_delay,
    }
    return [
        *(scope if bench.is_demo else []),
        Dial(Kind.TARGET, target_text(bench), safe("towards")),
        *(Dial(kind, round(number, 6), safe(kind.value)) for kind, number in numbers.items()),
        cut_dial(bench),
        Dial(Kind.FANOUT, float(bench.snapshot.fanout), safe("fan-out")),
        Dial(Kind.VIEW_SIZE, float(bench.snapshot.view_size), safe("view size")),
        Dial(Kind.STRATEGY, strategy_name(bench.snapshot), safe("strategy")),
        Dial(Kind.SPREADING, str(bench.snapshot.dissemination), safe("spreading")),
        *(
            Dial(Kind.NODE, member.state.value, safe(member.name, 40), member.name)
            for member in (bench.lab.members if bench.lab is not None and bench.is_demo else ())
        ),
    ]


def cut_dial(bench: Bench) -> Dial:
    """Whether the swarm is cut in two, or this node off from peers."""
    blocked = bench.report.blocked
    if bench.is_demo:
        is_cut = bench.lab is not None and bench.lab.is_cut
        return Dial(Kind.CUT, CUT if is_cut else WHOLE, safe("network"))
    if bench.target is None:
        return Dial(Kind.CUT, cuts_in_words(blocked) or REACHED, safe("network"))
    way = blocked.get(bench.target)
    return Dial(Kind.CUT, CUT_WAYS[way] if way is not None else REACHED, safe("network"))


def strategy_name(snapshot: NodeSnapshot) -> str:
    """The preset that a node samples by, or its strategy in full."""
    for name in PRESETS:
        if snapshot.strategy == Strategy.parse(name, snapshot.view_size):
            return name
    return str(snapshot.strategy)


def target_text(bench: Bench) -> str:
    """Whose datagrams the dials are about, in words."""
    if bench.target is None:
        return EVERYBODY
    names = [row.id.name for row in bench.snapshot.peers if row.address == bench.target]
    return safe(f"{names[0]} {bench.target}" if names else str(bench.target), 64)


def targets_of(bench: Bench) -> list[Address | None]:
    """Everybody, then each peer one may choose: those in the view, and those something is done to."""
    chosen = {peer.address: peer.id.name for peer in bench.snapshot.view}
    for peer in (*bench.report.by_peer, *bench.report.blocked):
        chosen.setdefault(peer, "")
    return [None, *sorted(chosen, key=lambda address: (chosen[address], address))]


def turned(dial: Dial, steps: int, value: Value | None = None) -> Value | None:
    """Where a dial stands after so many turns from ``value``, by default from where it stands.

    None if there is nothing to turn: at an end, or for dials that are no value (``SCOPE``, ``TARGET``).
    """
    start = dial.value if value is None else value
    scale = SCALES.get(dial.kind)
    if scale is not None:
        assert isinstance(start, float | int)
        # From a number between two steps the first turn goes to a step.
        places = start / scale.step
        nearest = int(places) + (steps if steps > 0 or places == int(places) else steps + 1)
        return min(scale.high, max(scale.low, nearest * scale.step))
    words = words_of(dial)
    place = words.index(str(start)) if start in words else -1 if steps > 0 else len(words)
    place += steps
    if dial.kind is Kind.STRATEGY:
        place %= len(words)
    return words[place] if 0 <= place < len(words) else None


def reset(dial: Dial) -> Value | None:
    """Where a dial stands when it is reset."""
    scale = SCALES.get(dial.kind)
    if scale is not None:
        return scale.start
    words = words_of(dial)
    return words[0] if words else None


def words_of(dial: Dial) -> Sequence[str]:
    """The words that a dial may stand at, in the order of turning to the right; the first is the usual."""
    match dial.kind:
        case Kind.CUT:
            return (WHOLE, CUT) if dial.value in {WHOLE, CUT} else (REACHED, CUT_OFF)
        case Kind.STRATEGY:
            return tuple(PRESETS)
        case Kind.SPREADING:
            return tuple(Dissemination)
        case Kind.NODE:
            return STATES
    return ()


def typed(dial: Dial, text: str) -> float | None:
    """The number that a person typed, within what is possible; None if the dial takes none."""
    scale = SCALES.get(dial.kind)
    try:
        number = float(text)
    except ValueError:
        return None
    return None if scale is None else min(scale.high, max(scale.low, number))


def command_for(bench: Bench, dial: Dial, value: Value) -> str:
    """The line that brings a dial to a value, as a person would type it; empty if it stands there."""
    if value == dial.value:
        return ""
    swarm = f" {SWARM}" if bench.swarm and bench.is_demo else ""
    match dial.kind:
        case Kind.FANOUT | Kind.VIEW_SIZE:
            return f"/{dial.kind.replace('fan-out', 'fanout').replace(' ', '-')} {int(float(value))}{swarm}"
        case Kind.STRATEGY:
            return f"/strategy {value}{swarm}"
        case Kind.SPREADING:
            return f"/dissemination {value}{swarm}"
        case Kind.CUT:
            return cut_command(bench, str(value))
        case Kind.NODE:
            return node_command(dial, str(value))
        case Kind.SCOPE | Kind.TARGET:
            return ""
    target = f" {bench.target}" if bench.target is not None else ""
    return f"/fault{swarm}{target} {changed(bench.faults, dial.kind, float(value))}"


def cut_command(bench: Bench, value: str) -> str:
    """The line that cuts or heals."""
    whom = f" {bench.target}" if bench.target is not None and not bench.is_demo else ""
    return f"/partition{whom}" if value in {CUT, CUT_OFF} else f"/heal{whom}"


def node_command(dial: Dial, value: str) -> str:
    """The line that brings a node into a state."""
    if value == NodeState.RUNNING:
        return f"/{'continue' if dial.value == NodeState.STOPPED else 'restart'} {dial.name}"
    return f"/{'stop' if value == NodeState.STOPPED else 'crash'} {dial.name}"


CHANGES: dict[Kind, Callable[[Faults, float], Faults]] = {
    Kind.LOSS: lambda faults, value: replace(faults, loss=value / 100),
    Kind.DELAY: lambda faults, value: with_latency(faults, low=value / 1_000),
    Kind.JITTER: lambda faults, value: with_latency(faults, jitter=value / 1_000),
    Kind.TAIL: lambda faults, value: replace(faults, tail=value / 100),
    Kind.DUPLICATE: lambda faults, value: replace(faults, duplication=value / 100),
    Kind.REORDER: lambda faults, value: replace(faults, reordering=value / 100),
    Kind.LATE: lambda faults, value: replace(faults, reordering_delay=value / 1_000),
}


def changed(faults: Faults, kind: Kind, value: float) -> Faults:
    """The same faults but for one dial."""
    return CHANGES[kind](faults, value)


def with_latency(faults: Faults, low: float | None = None, jitter: float | None = None) -> Faults:
    """The same faults with another lowest latency, or another difference to the highest."""
    before, after = faults.latency or (0.0, 0.0)
    start = round(before if low is None else low, 6)
    end = round(start + (after - before if jitter is None else jitter), 6)
    limit = SPAN.high / 1_000
    return replace(faults, latency=(start, min(end, limit)) if end else None)
