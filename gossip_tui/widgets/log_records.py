"""The lines of the log in their order: messages by cause or by arrival, notices at their moment.

Lists of references to the messages themselves: a hundred thousand cost two pointers each and no copy. The
display order is a linear extension of happened-before and the same on every node; a message that comes late
goes to its place by binary search.

Invariants: ``causal`` is sorted by ``order`` without equals; ``arrivals`` holds the same records; ``shown``
is one of the two, or what the filter leaves of it. The lines of a notice are all there or none of them.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from itertools import pairwise, takewhile
from operator import attrgetter
from typing import TypeVar

from gossip_tui.drawing.log_line import NOTICE_LINES, Notice, NoticeKind
from gossip_tui.text import Safe
from protocol.core.identity import NodeId
from protocol.core.messages import Message

from .log_filter import LogFilter

__all__ = ["RECORD_LIMIT", "LogOrder", "LogRecords", "Notice", "NoticeKind", "Record"]

RECORD_LIMIT = 100_000
"""Lines kept at the most; older ones go in blocks of a sixty-fourth, so that cutting is cheap per line."""

AFTER_EVERY_NAME = NodeId("\U0010ffff", 0)
"""Sorts behind every origin, since names hold visible characters only."""

INSORT_LIMIT = 32
"""Messages that are inserted one by one; for more, sorting what lies behind the first of them is quicker."""


class LogOrder(StrEnum):
    """How the lines are ordered."""

    CAUSAL = "causal"
    ARRIVAL = "arrival"


Record = Message | Notice
Row = TypeVar("Row", bound=Record)
"""One line of the log."""

order_of = attrgetter("order")


class LogRecords:
    """Keeps the newest records, each once, in causal order and in order of arrival."""

    def __init__(self, limit: int = RECORD_LIMIT) -> None:
        self.limit = limit
        self.forgotten = 0
        """Messages that were here and went for want of room."""
        self.causal: list[Record] = []
        self.arrivals: list[Record] = []
        self.shown: list[Record] = self.causal
        self._order = LogOrder.CAUSAL
        self._filter = LogFilter("")
        self._hides = False
        self._notices = 0

    @property
    def order(self) -> LogOrder:
        """The order of ``shown``."""
        return self._order

    def add(self, messages: Sequence[Message]) -> list[Message]:
        """Put messages where they belong and return those that were not here yet, in the order they came."""
        fresh = self._unknown(messages)
        if fresh:
            self.arrivals.extend(fresh)
            ordered = sorted(fresh, key=order_of)
            merge(self.causal, ordered)
            if self._hides:
                self._show_more(fresh, ordered)
            self._trim()
        return fresh

    def add_notice(self, text: Safe, kind: NoticeKind, at: float, parts: Sequence[Safe] = ()) -> list[Notice]:
        """Put a notice behind everything known now, in these lines or in one."""
        self._notices += NOTICE_LINES
        depth = self.causal[-1].order[0] if self.causal else 0
        notice = Notice(text, kind, at, (depth, AFTER_EVERY_NAME, self._notices))
        notices = broken([notice], parts or [text])
        self.causal.extend(notices)
        self.arrivals.extend(notices)
        if self._hides:
            self.shown.extend(filter(self.matches, notices))
        self._trim()
        return notices

    def break_anew(self, parts_of: Callable[[Safe], Sequence[Safe]]) -> None:
        """Break notices too long for a line as ``parts_of`` says; lines that stay keep their record."""
        runs: list[list[Notice]] = []
        for record in self.causal:
            if isinstance(record, Notice):
                if record.continues:
                    runs[-1].append(record)
                else:
                    runs.append([record])
        renewed: dict[int, list[Notice]] = {}
        for run in runs:
            parts = parts_of(run[0].whole)
            if [notice.text for notice in run] != list(parts):
                renewed.update({id(notice): [] for notice in run[1:]})
                renewed[id(run[0])] = broken(run, parts)
        if renewed:
            for records in (self.causal, self.arrivals):
                records[:] = [one for record in records for one in renewed.get(id(record), (record,))]
            self.shown = self.matching(self._base) if self._hides else self._base
            self._trim()

    def arrange(self, order: LogOrder, log_filter: LogFilter, *, hide: bool = True) -> None:
        """Show the records in another order; with ``hide``, only those that match the filter."""
        self._order = order
        self._filter = log_filter
        self._hides = hide and bool(log_filter)
        self.shown = self.matching(self._base) if self._hides else self._base

    def index_of(self, record: Record) -> int | None:
        """Where a record stands in ``shown``; None if it is not there."""
        if self._order is LogOrder.CAUSAL:
            index = bisect_left(self.shown, record.order, key=order_of)
            return index if index < len(self.shown) and self.shown[index] is record else None
        try:
            return self.shown.index(record)
        except ValueError:
            return None

    def index_near(self, record: Record) -> int:
        """Where a record stands in ``shown``, or where it would if the filter let it through.

        A line in which a notice no longer goes on stands where its notice begins. What went for want of room
        stood, in order of arrival, above all that is left: so do nearly all that go.
        """
        index = self.index_of(record)
        if index is not None:
            return index
        if isinstance(record, Notice) and record.first is not None:
            return self.index_near(record.first)
        if self._order is LogOrder.CAUSAL:
            return bisect_left(self.shown, record.order, key=order_of)
        earlier = {id(other) for other in takewhile(lambda other: other is not record, self.arrivals)}
        if len(earlier) == len(self.arrivals):
            return 0
        return sum(id(other) in earlier for other in self.shown)

    def matches(self, record: Record) -> bool:
        """Whether the filter lets a record through."""
        if isinstance(record, Notice):
            return self._filter.matches((), record.text)
        origin = record.id.origin
        return self._filter.matches((origin.name, origin.label), record.text)

    def matching(self, records: Iterable[Row]) -> list[Row]:
        """Those of them that the filter lets through."""
        with self._filter.searching():
            return [record for record in records if self.matches(record)]

    def messages(self) -> list[Message]:
        """Every message kept, in display order, whatever the filter."""
        return [record for record in self.causal if isinstance(record, Message)]

    def check(self) -> None:
        """Verify the invariants; for tests."""
        orders = [record.order for record in self.causal]
        assert all(low < high for low, high in pairwise(orders))
        assert {id(record) for record in self.causal} == {id(record) for record in self.arrivals}
        assert len(self.causal) == len(self.arrivals) <= self.limit
        for records in (self.causal, self.arrivals):
            above: list[Record | None] = [None, *records]
            for before, record in zip(above, records, strict=False):
                if isinstance(record, Notice) and record.first is not None:
                    assert isinstance(before, Notice)
                    assert record.first in {before, before.first}
        assert self.shown == [record for record in self._base if not self._hides or self.matches(record)]

    @property
    def _base(self) -> list[Record]:
        return self.causal if self._order is LogOrder.CAUSAL else self.arrivals

    def _unknown(self, messages: Iterable[Message]) -> list[Message]:
        """Those not here yet; none older than all of a full log, which would be cut off at once."""
        causal = self.causal
        first = causal[0].order if len(causal) >= self.limit - self.limit // 64 else None
        newest = causal[-1].order if causal else None
        fresh: dict[tuple[int, NodeId, int], Message] = {}
        for message in messages:
            order = message.order
            if newest is None or order > newest:
                fresh[order] = message
            elif first is None or order > first:
                index = bisect_left(causal, order, key=order_of)
                if causal[index].order != order:
                    fresh[order] = message
        return list(fresh.values())

    def _show_more(self, fresh: list[Message], ordered: list[Message]) -> None:
        news = ordered if self._order is LogOrder.CAUSAL else fresh
        matching = self.matching(news)
        if self._order is LogOrder.CAUSAL:
            merge(self.shown, matching)
        else:
            self.shown.extend(matching)

    def _trim(self) -> None:
        excess = len(self.causal) - self.limit
        if excess <= 0:
            return
        count = min(len(self.causal), excess + self.limit // 64)
        while count < len(self.causal) and goes_on(self.causal[count]):
            count += 1
        gone = {id(record) for record in self.causal[:count]}
        self.forgotten += sum(isinstance(record, Message) for record in self.causal[:count])
        self.arrivals[:] = [record for record in self.arrivals if id(record) not in gone]
        if self._hides:
            self.shown[:] = [record for record in self.shown if id(record) not in gone]
        del self.causal[:count]


def goes_on(record: Record) -> bool:
    """Whether it is a line in which the notice above goes on."""
    return isinstance(record, Notice) and record.continues


def broken(notices: Sequence[Notice], parts: Sequence[Safe]) -> list[Notice]:
    """A notice in these lines; of the lines that it had so far as many as are needed go on being used."""
    first = notices[0]
    depth, place, number = first.order
    lines = list(notices[: len(parts)])
    for further in range(len(lines), len(parts)):
        order = (depth, place, number + further)
        lines.append(Notice(parts[further], first.kind, first.at, order, first=first))
    for line, part in zip(lines, parts, strict=True):
        line.text = part
    return lines


def merge(into: list[Record], ordered: Sequence[Record]) -> None:
    """Insert sorted records into a sorted list: few one by one, many by sorting all behind the first."""
    if not ordered:
        return
    start = bisect_right(into, ordered[0].order, key=order_of)
    if start == len(into):
        into.extend(ordered)
    elif len(ordered) <= INSORT_LIMIT:
        for record in ordered:
            insort(into, record, key=order_of)
    else:
        into[start:] = sorted([*into[start:], *ordered], key=order_of)
