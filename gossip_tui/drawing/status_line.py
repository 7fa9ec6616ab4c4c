"""The status bar as text: who and where this node is, how it is doing, and what is wrong in words."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from textual.content import Content

from gossip_tui.observed import NodeState, cuts_in_words
from gossip_tui.text import safe
from protocol.core.faults import NO_FAULTS
from protocol.core.snapshot import NodeSnapshot, PeerState

from .line import cut
from .status_parts import Give, Part, counted, cuts, fitted

__all__ = ["Problem", "Recent", "Status", "problem_of", "status_line"]

RATE_PERIOD = 2.0
"""Seconds over which the rates of the status bar are averaged: calm, and still today's weather."""

REJECT_PERIOD = 10.0
"""Seconds over which refused datagrams are counted as rising."""

REJECT_ALARM = 5
"""Refused datagrams within that period that are worth a sentence; stray packets happen."""

PATIENCE = 2
"""Cycles before an empty view is a problem: the first answer takes one."""

BEHIND_SHOWN = 16
"""Messages behind a peer that are worth showing: fewer are on their way at any moment."""

UNANSWERED_ALARM = 2
"""Silent peers that are worth a word; one may have been killed."""

UNANSWERED_SHARE = 0.3
"""Share of the peers known lately whose silence looks like a network that was cut: a choice."""

FAULTS = "FAULTS"
"""The word that is never left out while something is disturbed on purpose."""

NO_NODE = "something that is no gossip node talks to this port"
ADVICE = {
    "version": "a peer runs another version: update one of them",
    "flags": "a peer runs another version: update one of them",
    "cluster": "nodes of another cluster talk to this port: check --cluster",
    "magic": NO_NODE,
    "malformed": NO_NODE,
    "oversized": NO_NODE,
    "key": "somebody sends forged identities to this port",
}
"""What to do about refused datagrams, by reason."""


class Sample(NamedTuple):
    """The counters that rates are made of, at one moment."""

    at: float
    datagrams_in: int
    datagrams_out: int
    rejected: Mapping[str, int]


class Recent:
    """Rates over the last seconds, from pictures of a node and the moments they were taken at."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque()
        self._node: object = None

    def observe(self, snapshot: NodeSnapshot, at: float) -> None:
        """Take a picture into account; another node than before starts from nothing."""
        if snapshot.id != self._node:
            self._samples.clear()
            self._node = snapshot.id
        elif self._samples and self._samples[-1].at == at:
            self._samples.pop()  # the time of a recording stands still while it is paused
        counters = snapshot.counters
        self._samples.append(Sample(at, counters.datagrams_in, counters.datagrams_out, snapshot.rejected))
        while self._samples[0].at < at - REJECT_PERIOD:
            self._samples.popleft()

    def rates(self) -> tuple[float, float]:
        """Datagrams per second in and out."""
        if len(self._samples) < 2:
            return 0.0, 0.0
        last = self._samples[-1]
        first = next(sample for sample in self._samples if sample.at >= last.at - RATE_PERIOD)
        if first is last:
            first = self._samples[-2]
        span = last.at - first.at
        if span <= 0:
            return 0.0, 0.0
        return (last.datagrams_in - first.datagrams_in) / span, (
            last.datagrams_out - first.datagrams_out
        ) / span

    def rejects(self) -> dict[str, int]:
        """What was refused within the period, by reason."""
        if not self._samples:
            return {}
        rising = Counter(self._samples[-1].rejected)
        rising.subtract(self._samples[0].rejected)
        return {reason: count for reason, count in rising.items() if count > 0}

    @property
    def settled(self) -> bool:
        """Whether the figures would stay as they are if nothing happened from now on."""
        return self.rates() == (0.0, 0.0) and not self.rejects()


@dataclass(frozen=True, slots=True)
class Status:
    """Everything the status bar shows."""

    snapshot: NodeSnapshot
    rate_in: float = 0.0
    rate_out: float = 0.0
    rejects: Mapping[str, int] = field(default_factory=dict)
    frozen: bool = False
    failures: int = 0
    """Errors inside this program, which were caught."""
    failure: str = ""
    """The last of them in words."""
    recording: bool = False
    """Whether what happens is recorded."""
    recorded: str = ""
    """Day and time of what is shown, where that is a recording; nothing can be done about what went wrong."""
    experiments: str = ""
    """What is out of order on purpose elsewhere in the swarm, such as ``cut in two, 1 crashed``."""
    fate: NodeState = NodeState.RUNNING
    """What was done to this node on purpose."""
    seat: str = ""
    """Where in the swarm this is, such as ``3/24``; empty for a single node."""


class Problem(NamedTuple):
    """Something is not as it should be: what, and what to do."""

    text: str
    urgent: bool
    shorter: tuple[str, ...] = ()
    """The same in fewer words."""
    least: str = ""
    """What stays where there is no room for more; without it the text is cut."""
    spare: bool = False
    """Whether identity and address matter more."""


def problem_of(status: Status) -> Problem | None:
    """The most pressing problem in words, with what to do, or None."""
    snapshot = status.snapshot
    if status.failures:
        times = f", {status.failures:,} times" if status.failures > 1 else ""
        return Problem(f"internal error{times}: {status.failure}", urgent=True)
    if status.recorded or status.fate is not NodeState.RUNNING:
        return end_of(status)
    if snapshot.left:
        text = "left the network: /join comes back, ^q quits"
        return Problem(text, urgent=False, shorter=("left: /join comes back",), least="left")
    if snapshot.unsaved:
        return Problem(f"state file {safe(snapshot.unsaved, 80)}: what is new is in memory only", urgent=True)
    refused = sum(status.rejects.values())
    if refused >= REJECT_ALARM:
        reason = max(status.rejects, key=lambda name: status.rejects[name])
        what, fewer = f"{refused:,} datagrams refused in {REJECT_PERIOD:.0f} s", f"{refused:,} refused"
        words = advice(reason)
        return Problem(f"{what}: {words}", urgent=True, shorter=(f"{fewer}: {words}",), least=fewer)
    return loneliness_of(snapshot) if not snapshot.view and snapshot.cycle >= PATIENCE else None


def loneliness_of(snapshot: NodeSnapshot) -> Problem:
    """That nobody is in the view, with what helps."""
    lost = sum(row.state is PeerState.LOST for row in snapshot.peers)
    if lost:
        return Problem(
            f"no peer answers: {lost} lost, dialled again now and then, or /join HOST:PORT",
            urgent=True,
            shorter=(
                f"no peer answers: {lost} lost, dialled again, or /join HOST:PORT",
                f"no peer answers: {lost} lost, /join HOST:PORT",
                "no peer: /join HOST:PORT",
            ),
            least="no peer",
            spare=True,
        )
    return Problem(
        "no peer answers yet: run gossip-tui in another terminal, or /join HOST:PORT",
        urgent=False,
        shorter=(
            "no peer yet: run another gossip-tui, or /join HOST:PORT",
            "no peer yet: /join HOST:PORT",
        ),
        least="no peer yet",
        spare=True,
    )


def end_of(status: Status) -> Problem | None:
    """That a node does not run, with what helps, unless it is a recording; None if it does."""
    name = safe(status.snapshot.id.name, 40)
    if status.fate is NodeState.CRASHED:
        way_back = "" if status.recorded else f": /restart {name} brings it back"
        return Problem("crashed" + way_back, urgent=True, least="crashed")
    if status.fate is NodeState.STOPPED:
        way_back = "" if status.recorded else f": /continue {name}"
        return Problem("stands still" + way_back, urgent=False, least="stands still")
    return Problem("left the network", urgent=False, least="left") if status.snapshot.left else None


def silence_of(snapshot: NodeSnapshot) -> tuple[str, ...]:
    """That many peers fell silent, which looks like a cut network: with what this node does, and without."""
    silent, known = snapshot.unanswered, snapshot.unanswered + len(snapshot.view)
    if silent < UNANSWERED_ALARM or silent < UNANSWERED_SHARE * known:
        return ()
    what = f"no answer from {silent} of {known} peers"
    return f"{what}: gone or cut off, dialled again", what


def advice(reason: str) -> str:
    """What a reason for refusing means for a person."""
    return ADVICE.get(reason, safe(reason, 40))


def status_line(status: Status, width: int, *, ascii_only: bool = False) -> Content:
    """The line, cut to ``width`` cells: figures go first, identity and what is disturbed or recorded stay.

    A problem takes the place of the figures, since they matter less then.
    """
    bar, ellipsis = (" | ", "~") if ascii_only else (" │ ", "…")
    parts = list(parts_of(status, ellipsis, ascii_only=ascii_only))
    line = Content(" ")
    for number, (text, style) in enumerate(fitted(parts, width - line.cell_length, len(bar))):
        glue = Content.styled(bar, "dim") if number else Content("")
        room = width - line.cell_length - glue.cell_length
        if room > 0 or not number:
            line += glue + Content.styled(cut(text, max(1, room), ellipsis), style)
    return line


def parts_of(status: Status, ellipsis: str, *, ascii_only: bool) -> Iterable[Part]:
    """The parts of the line, from the left."""
    snapshot = status.snapshot
    seat = f" ({status.seat})" if status.seat else ""
    yield Part((f"{cut(safe(snapshot.id.name), 40, ellipsis)} {snapshot.address}{seat}",), "bold")
    if disturbed := disturbance(status):
        yield Part(counted(FAULTS, disturbed), "bold $text-warning", Give.FAULTS, FAULTS)
    if status.frozen:
        yield Part((" FROZEN: F8 goes on ",), "reverse bold", least=" FROZEN ")
    if status.recorded:
        time_of_day = status.recorded.split(" ")[-1]
        forms = f" RECORDED {status.recorded} ", f" RECORDED {time_of_day} "
        yield Part(forms, "reverse bold", least=" RECORDED ")
    if status.recording:
        yield Part(("REC",), "bold $text-error")
    problem = problem_of(status)
    if problem is not None:
        yield part_of(problem, ellipsis)
        return
    text, style = liveness(snapshot, ascii_only=ascii_only)
    yield Part((text,), style, spare=True)
    yield from figures_of(status)


def part_of(problem: Problem, ellipsis: str) -> Part:
    """A problem as a part of the line."""
    mark, style = ("! ", "bold $text-error") if problem.urgent else ("", "$text-warning")
    forms, least = (problem.text, *problem.shorter), problem.least
    if not least:
        forms, least = cuts(problem.text, ellipsis)
    return Part(tuple(mark + form for form in forms), style, least=mark + least, spare=problem.spare)


def figures_of(status: Status) -> Iterable[Part]:
    """What is shown while there is nothing to complain of."""
    snapshot = status.snapshot
    if silence := silence_of(snapshot):
        yield Part(silence, "$text-warning", spare=True)
    figures = [
        (f"view {len(snapshot.view)}/{snapshot.view_size}", ""),
        (f"in {status.rate_in:.0f}/s out {status.rate_out:.0f}/s", ""),
        (f"held {snapshot.held_count:,}", "$text-warning" if snapshot.held_count else ""),
    ]
    if snapshot.unacknowledged:
        figures.append((f"unheard {snapshot.unacknowledged:,}", "$text-warning"))
    for text, style in figures:
        yield Part((text, ""), style, Give.FIGURES)


def disturbance(status: Status) -> list[list[str]]:
    """What is out of order on purpose, the faults of this node first; empty if nothing is."""
    report = status.snapshot.faults
    others = [
        faults_by_peer(len(report.by_peer)),
        cuts_in_words(report.blocked) if "cut" not in status.experiments else "",
        status.experiments,
    ]
    own = str(report.faults).split(" ") if report.faults != NO_FAULTS else []
    return [*([own] if own else []), *([word] for part in others if part for word in part.split(", "))]


def faults_by_peer(peers: int) -> str:
    """How many peers this node treats otherwise than the rest; empty for none."""
    if peers > 1:
        return f"{peers} peers with faults of their own"
    return "1 peer with faults of its own" if peers else ""


def liveness(snapshot: NodeSnapshot, *, ascii_only: bool) -> tuple[str, str]:
    """How the node is, with a glyph, and the style of that."""
    full, half, empty = ("*", "~", "o") if ascii_only else ("●", "◐", "○")
    if snapshot.catching_up or snapshot.behind >= BEHIND_SHOWN:
        known = snapshot.caught_up + snapshot.behind
        progress = f" {snapshot.caught_up:,}/{known:,}" if known else ""
        return f"{half} catching up{progress}  cycle {snapshot.cycle:,}", "$text-warning"
    if snapshot.view:
        return f"{full} live  cycle {snapshot.cycle:,}", "$text-success"
    return f"{empty} looking for peers", ""
