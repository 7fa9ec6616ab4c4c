"""Whether what nodes delivered is what was promised, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.core.events import Gap, Undeliverable
from tests.reliability.scenarios import Course

__all__ = ["Verdict", "judge"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one run."""

    wrong: tuple[str, ...]
    """Every broken promise; empty if there is none."""
    seconds: float
    """From the end of the fault until everybody had everything."""
    messages: int
    """Delivered by each survivor."""
    redundancy: float
    """Payload copies received per delivery of somebody else's message, less 1."""
    last_hop: int
    """Hops of the delivery that took most."""


def judge(course: Course) -> Verdict:
    """Compare everything that survivors delivered with the truth and with each other."""
    wrong = [*misses(course), *violations(course), *disagreements(course)]
    live = course.live()
    copies = foreign = 0
    for node in live:
        counters = node.machine.snapshot(course.simulation.now).counters
        copies += counters.rumors_in
        foreign += counters.delivered - counters.sent
    return Verdict(
        wrong=tuple(wrong),
        seconds=course.done_after,
        messages=len(live[0].delivered),
        redundancy=copies / foreign - 1 if foreign else 0.0,
        last_hop=max((message.hops for node in live for message in node.delivered), default=0),
    )


def misses(course: Course) -> list[str]:
    """Who lacks what others have, in so many words."""
    live = course.live()
    sets = {node: {message.id for message in node.delivered} for node in live}
    everything = set().union(*sets.values())
    wrong = [
        f"{node.id.name} lacks {len(everything - has)} of {len(everything)}"
        for node, has in sets.items()
        if has != everything
    ]
    if not wrong and course.done_after < 0:
        wrong.append("complete only in sets, not in time")
    for node in live:
        gaps = [event for event in node.events if isinstance(event, Gap)]
        lost = [event for event in node.events if isinstance(event, Undeliverable) and event.id in everything]
        wrong += [f"{node.id.name}: {event}" for event in (*gaps, *lost)]
    return wrong


def violations(course: Course) -> list[str]:
    """Messages delivered twice, out of causal order, or with another clock than the true one."""
    wrong = []
    for node in course.simulation.nodes:
        node.machine.check()
        wrong += course.truth.violations(node)
    return wrong


def disagreements(course: Course) -> list[str]:
    """Survivors that show another order or another clock than the first one.

    Clocks that were the true ones everywhere need no other comparison.
    """
    first, *others = course.live()
    reference = [message.id for message in first.log]
    shown = {message.id: message for message in first.delivered}
    wrong = []
    for node in others:
        mine = [message.id for message in node.log]
        if len(mine) == len(reference) and mine != reference:
            wrong.append(f"{node.id.name} displays another order than {first.id.name}")
        pairs = [(message, shown.get(message.id, message)) for message in node.delivered]
        if any(one.clock != two.clock for one, two in pairs if one.late or two.late):
            wrong.append(f"{node.id.name} shows another clock than {first.id.name}")
    return wrong
