"""The rows of a space-time diagram: which happenings share one, and which are left out so one can follow.

While little happens every happening has a row of its own. When more happens, the deliveries of a message
share its row, as far as each node's order of events allows it; when even that is too much, whole messages are
left out and counted. What a row once shows it goes on showing: only new rows are made differently.

What a person changed on purpose has a row of its own, at its time among the happenings; no delivery after it
joins a row above it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum

from gossip_tui.observed import Change
from protocol.core.identity import Dot, NodeId

from .happenings import Happening, Kind

__all__ = ["Detail", "Mark", "Moment", "Moments", "Row"]

ROWS_PER_SECOND = 4.0
"""New rows that a person can follow; a choice, after watching some."""

ROWS_AT_ONCE = 12.0
"""Rows that may come at once after a pause: half a screen."""

CALM_SHARE = 0.5
"""Of ``ROWS_PER_SECOND``: below this every happening has its row again; the gap keeps it from flickering."""

RATE_PERIOD = 5.0
"""Seconds over which it is counted how much happens."""

JOINING_PERIOD = 0.5
"""Seconds within which a delivery is part of the moment in which the message was sent: a blink or two."""


DETAIL_LIMIT = 20_000
"""Messages remembered with how much of them is shown: those whose deliveries may still come."""


class Detail(StrEnum):
    """How much of a message is shown."""

    EVERY = "every event"
    MESSAGE = "one row a message"
    NOTHING = "left out"


class Moment:
    """One row: a happening, or a message with those deliveries that belong to the same moment."""

    __slots__ = ("at", "dot", "happenings", "number", "skipped")

    def __init__(self, number: int, dot: Dot, at: float, skipped: int) -> None:
        self.number = number
        """Counts rows from 0; rows that are forgotten keep their numbers."""
        self.dot = dot
        """The message it is about."""
        self.at = at
        self.skipped = skipped
        """Happenings left out between the row above and this one."""
        self.happenings: list[Happening] = []

    @property
    def main(self) -> Happening:
        """The sending if it is in this row, else the first delivery."""
        return self.happenings[0]

    @property
    def last_number(self) -> int:
        """The newest happening in this row."""
        return self.happenings[-1].number

    def at_node(self, node: NodeId | None) -> Happening | None:
        """What happened at a node in this row."""
        return next((one for one in self.happenings if one.node == node), None)


class Mark:
    """One row: something that a person changed on purpose."""

    __slots__ = ("change", "last_number", "number")

    happenings: Sequence[Happening] = ()

    def __init__(self, number: int, change: Change, last_number: int) -> None:
        self.number = number
        """As that of a moment."""
        self.change = change
        self.last_number = last_number
        """The newest happening before it."""


Row = Moment | Mark
"""One row of the diagram."""


class Moments:
    """Sorts happenings into rows."""

    def __init__(self) -> None:
        self.rows: deque[Row] = deque()
        self.first = 0
        """The number of the oldest row kept."""
        self.shows_every = False
        """Whether every happening has its row however many there are, since a person asked for it."""
        self.is_shown: Callable[[NodeId], bool] = lambda _: True
        """Whether a node has a column; what happens elsewhere makes no rows."""
        self.never_left_out: NodeId | None = None
        """A node whose messages are always shown."""
        self.detail = Detail.EVERY
        """How much of a message that is sent now is shown."""
        self.of_message: dict[Dot, list[int]] = {}
        """The numbers of the rows of each message, ascending."""
        self._details: dict[Dot, Detail] = {}
        self._last_row: dict[NodeId, int] = {}
        self._last_mark = -1
        self._newest = 0
        """The newest happening that was sorted in."""
        self._recent: deque[float] = deque()
        self._tokens = ROWS_AT_ONCE
        self._filled_at = 0.0
        self._skipped = 0
        self._counted = 0
        """The newest happening that was counted, so that making rows anew counts none twice."""

    @property
    def end(self) -> int:
        """The number that the next row will get."""
        return self.first + len(self.rows)

    @property
    def rate(self) -> float:
        """Happenings a second at the nodes shown, lately."""
        return len(self._recent) / RATE_PERIOD

    @property
    def is_thinned(self) -> bool:
        """Whether the newest row stands for more than one happening, or some were left out."""
        return self.detail is not Detail.EVERY and not self.shows_every

    def row(self, number: int) -> Row:
        """The row of that number.

        Raises:
            IndexError: It is not kept.
        """
        if number < self.first:
            raise IndexError(number)
        return self.rows[number - self.first]

    def add(self, happenings: Iterable[Happening], changes: Sequence[Change] = ()) -> None:
        """Put new happenings into rows, and what was changed between them."""
        for one in by_time(happenings, changes):
            if isinstance(one, Change):
                self._last_mark = self.end
                self.rows.append(Mark(self.end, one, self._newest))
            else:
                self._newest = one.number
                if self.is_shown(one.node):
                    self._sort_in(one)

    def rebuild(self, happenings: Iterable[Happening], changes: Sequence[Change] = ()) -> None:
        """Make all rows anew, after other nodes are shown than before; numbers go on."""
        self.first = self.end
        self.rows.clear()
        self.of_message.clear()
        self._last_row.clear()
        self._skipped = self._newest = 0
        self.add(happenings, changes)

    def forget(self, before: int) -> None:
        """Drop rows whose happenings all have smaller numbers than this, and changes among them."""
        while self.rows and self.rows[0].last_number < before:
            gone = self.rows.popleft()
            self.first += 1
            if isinstance(gone, Mark):
                continue
            numbers = self.of_message.get(gone.dot)
            if numbers and numbers[0] == gone.number:
                del numbers[0]
                if not numbers:
                    del self.of_message[gone.dot]
        while len(self._details) > DETAIL_LIMIT:
            del self._details[next(iter(self._details))]

    def _count(self, happening: Happening) -> None:
        """Count how much happens, and decide by it how much of the next messages is shown."""
        if happening.number <= self._counted:
            return
        self._counted, at = happening.number, happening.at
        self._recent.append(at)
        while self._recent and self._recent[0] < at - RATE_PERIOD:
            self._recent.popleft()
        if self.rate > ROWS_PER_SECOND:
            self.detail = Detail.MESSAGE
        elif self.rate < ROWS_PER_SECOND * CALM_SHARE:
            self.detail = Detail.EVERY

    def _sort_in(self, happening: Happening) -> None:
        self._count(happening)
        detail = self._details.get(happening.dot)
        if detail is None:
            detail = self._details[happening.dot] = self._decide(happening)
        if self.shows_every or detail is Detail.EVERY:
            self._open(happening)
        elif detail is Detail.NOTHING:
            self._skipped += 1
        elif (moment := self._moment_for(happening)) is not None:
            moment.happenings.append(happening)
            self._last_row[happening.node] = moment.number
        else:
            self._open(happening)

    def _decide(self, happening: Happening) -> Detail:
        """How much of a message will be shown, when it is first seen."""
        self._tokens = min(
            ROWS_AT_ONCE, self._tokens + max(0.0, happening.at - self._filled_at) * ROWS_PER_SECOND
        )
        self._filled_at = max(self._filled_at, happening.at)
        if self._tokens < 1 and happening.dot.origin != self.never_left_out:
            return Detail.NOTHING if self.detail is not Detail.EVERY else Detail.MESSAGE
        self._tokens = max(0.0, self._tokens - 1)
        return self.detail

    def _moment_for(self, happening: Happening) -> Moment | None:
        """The row that a delivery may join without standing above what its node did before."""
        numbers = self.of_message.get(happening.dot)
        if not numbers or max(self._last_mark, self._last_row.get(happening.node, -1)) >= numbers[-1]:
            return None
        moment = self.row(numbers[-1])
        if isinstance(moment, Mark):
            return None
        if happening.kind is Kind.TOLD or happening.at - moment.at <= JOINING_PERIOD:
            return moment
        return None

    def _open(self, happening: Happening) -> None:
        moment = Moment(self.end, happening.dot, happening.at, self._skipped)
        moment.happenings.append(happening)
        self._skipped = 0
        self.rows.append(moment)
        self.of_message.setdefault(happening.dot, []).append(moment.number)
        self._last_row[happening.node] = moment.number


def by_time(happenings: Iterable[Happening], changes: Sequence[Change]) -> Iterator[Happening | Change]:
    """Happenings in their order, and each change before the first of them that came later."""
    coming = iter(changes)
    change = next(coming, None)
    for happening in happenings:
        while change is not None and change.at < happening.at:
            yield change
            change = next(coming, None)
        yield happening
    if change is not None:
        yield change
        yield from coming
