"""The guided tour: six things to do, one after the other, and how to see that a person has done each.

Rules of this file: it draws nothing, knows no screen and no node; ``Guide`` tells it what there is to see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from .keys import Where

__all__ = ["STEPS", "Sight", "Step", "Tour", "TourWish"]


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is to see of what a person has done; numbers only grow."""

    sent: int = 0
    """Messages said by the person."""
    watched: int = 0
    """Which of those messages was seen to the end of its way over the overlay, counted from 1."""
    is_cut: bool = False
    """Whether the network is cut in two."""
    sent_before_cut: int = 0
    """How many of those messages had been said when it was cut last."""
    opened: int = 0
    """Messages opened that another one is concurrent with."""
    strategy: str = ""
    """How this node samples its peers."""


class TourWish(StrEnum):
    """What a person may ask for instead of doing what a step says."""

    NEXT = "next"
    SKIP = "skip"
    NEVER = "never"


class Step(NamedTuple):
    """One thing to do."""

    title: str
    task: str
    """What to do and what comes of it; ``{concurrent}`` and ``{inserted}`` stand for the signs of the log."""
    pane: Where
    """Where to look."""
    is_done: Callable[[Sight, Sight], bool]
    """Whether it is done, from what there was to see when the step began, and what there is now."""


STEPS: tuple[Step, ...] = (
    Step(
        "Say something",
        "Type a line below and press Enter: it is gossip, and reaches every node. In the log it has a vector "
        "clock, which counts the messages that came before it.",
        Where.LOG,
        lambda then, now: now.sent > then.sent,
    ),
    Step(
        "Watch a wave",
        "These are all nodes; a line leads to each that a node knows. Say something once more, and watch it "
        "light up one node after the other, hop by hop.",
        Where.OVERLAY,
        lambda then, now: now.watched > then.sent,
    ),
    Step(
        "Cut the network",
        "Type /partition and press Enter: half of the nodes can't reach the other half any more. Then say "
        "something, and watch it light up one half alone.",
        Where.OVERLAY,
        lambda then, now: now.is_cut and now.watched > max(then.sent, now.sent_before_cut),
    ),
    Step(
        "Heal it",
        "Both halves talk on, and neither hears the other. After some seconds type /heal: what was said over "
        "there comes late, marked {inserted}, and is inserted where it belongs.",
        Where.LOG,
        lambda then, now: then.is_cut and not now.is_cut,
    ),
    Step(
        "Find two concurrent messages",
        "{concurrent} marks a message that is concurrent with the one above: neither author knew of the "
        "other's. Press F3, go to one with Up, and open it with Enter.",
        Where.LOG,
        lambda then, now: now.opened > then.opened,
    ),
    Step(
        "Switch the strategy",
        "The frame of the view says how this node samples its peers. Type /strategy cyclon, or press Tab "
        "behind /strategy for others, and see what it does to the ages.",
        Where.VIEW,
        lambda then, now: now.strategy != then.strategy,
    ),
)
"""The steps, in their order: a cut that lasted leaves messages behind that are concurrent."""


class Tour:
    """Where a person stands in the tour.

    Args:
        now: What there is to see when it begins.
        steps: What there is to do.
    """

    def __init__(self, now: Sight, steps: Sequence[Step] = STEPS) -> None:
        self._steps = steps
        self._place = 0
        self._then = now

    @property
    def step(self) -> Step | None:
        """What is to be done now; None when everything is."""
        return self._steps[self._place] if self._place < len(self._steps) else None

    @property
    def number(self) -> int:
        """Which step that is, from 1."""
        return self._place + 1

    @property
    def count(self) -> int:
        """How many steps there are."""
        return len(self._steps)

    def observe(self, now: Sight) -> bool:
        """Look at what there is to see; True if that was the step, and the next one has begun."""
        if self.step is None:
            return False
        # A cut that was made meanwhile can be healed: it counts from then on.
        self._then = replace(self._then, is_cut=self._then.is_cut or now.is_cut)
        if not self.step.is_done(self._then, now):
            return False
        self.go_on(now)
        return True

    def go_on(self, now: Sight) -> None:
        """Leave the step as it is, done or not, and begin the next one."""
        self._place += 1
        self._then = now
