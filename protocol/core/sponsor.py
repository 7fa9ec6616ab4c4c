"""The sponsor's side of a catch-up: the prefix that is not retained, in pages, then the retained log.

Rules of this file. Who asks pays first, and owes what long names take beyond that: without room in its budget
of replies a request costs no more than reading it, and is not answered; the peer asks again after a while.
The pages of a prefix are made once and serve everybody for as long as it stays the same.
"""

from __future__ import annotations

from .codec import Packed
from .context import Context
from .identity import NodeId
from .links import Link
from .log import Log, Retained
from .messages import COUNT_LIMIT, BaselinePage, HistoryDone, HistoryRequest, passed_on
from .outbox import Outbox
from .repair import REPLY_LIMIT, anchor_of

__all__ = ["Sponsor"]

ENTRIES_SIZE_PER_PAGE = 1_180
"""Bytes of origins on one page of a baseline; they fit a datagram with the rest of the page."""

ENTRY_SIZE = 29
"""Bytes of an origin on such a page beside its name, with the largest numbers."""

MAXIMAL_SIZE = 15
"""Bytes of a maximal dot."""

BUILD_WEIGHT = 2
"""What a peer for whom the pages have to be made pays besides, as a multiple of what sending them costs.
Measured with 4,000 origins: making them takes 4 ms, so one peer causes 5 % of a core's work at most."""


class Sponsor:
    """Answers those who take this node's history over."""

    def __init__(self, context: Context) -> None:
        """Have made no pages yet."""
        self.context = context
        self.builds = 0
        """How often the pages of a prefix were made."""
        self._pages: list[BaselinePage] = []
        self._version = -1
        """The version of the prefix that the pages are of."""

    def on_history_request(self, request: HistoryRequest, link: Link, now: float, out: Outbox) -> None:
        """Send the prefix if it is asked for, then the log from there, as much as fits one reply."""
        context, log = self.context, self.context.causal.log
        if not context.links.may_ask(link, self._cost(request), now):
            return
        if request.cursor < log.first:
            pages = [context.pack(page._replace(round=request.round)) for page in self._baseline()]
            out.send(link.address, *pages)
            context.links.charge(link, max(0, sum(page.size for page in pages) - self._plain_cost))
        room = REPLY_LIMIT
        index = max(request.cursor, log.first)
        while index < log.next:
            items = self._history_items(log.at(index))
            size = sum(item.size for item in items)
            if size > room or not context.links.may_ask(link, size, now):
                break
            room -= size
            out.send(link.address, *items)
            index += 1
        out.send(link.address, context.pack(HistoryDone(request.round, index, index < log.next)))

    def _cost(self, request: HistoryRequest) -> int:
        """Bytes that a request takes of its peer's budget, before what it brings of the log."""
        log = self.context.causal.log
        if request.cursor >= log.first:
            return ENTRY_SIZE
        return self._plain_cost * (1 if self._version == log.version else 1 + BUILD_WEIGHT)

    @property
    def _plain_cost(self) -> int:
        """What the pages are taken to cost before they are made: their bytes, but for long names."""
        return ENTRY_SIZE * (1 + len(self.context.causal.log.evicted))

    def _history_items(self, entry: Retained) -> list[Packed]:
        """A message of the log, with its clock where a newcomer could not derive it."""
        causal = self.context.causal
        items = self.context.pack_rumor(entry.rumor(passed_on(entry.message.hops)))
        if any(causal.log.find(dot) is None for dot in entry.past):
            items += map(self.context.pack, anchor_of(causal, entry.dot))
        return items

    def _baseline(self) -> list[BaselinePage]:
        """The pages of the prefix as it is now, of no round yet."""
        log = self.context.causal.log
        if self._version != log.version:
            self._pages = self._build(log)
            self._version = log.version
            self.builds += 1
        return self._pages

    def _build(self, log: Log) -> list[BaselinePage]:
        """The prefix that is not retained, cut into pages; one empty page if everything is retained."""
        origins = self.context.causal.origins
        maximal, depths = log.evicted_frontier.dots, log.evicted_depths
        parts: list[list[tuple[NodeId, int, int]]] = [[]]
        size = 0
        for key, sequence in log.evicted.items():
            node = origins[key].id
            assert node is not None
            entry_size = ENTRY_SIZE + len(node.name.encode()) + (MAXIMAL_SIZE if key in maximal else 0)
            size += entry_size
            if size > ENTRIES_SIZE_PER_PAGE:
                parts.append([])
                size = entry_size
            parts[-1].append((node, sequence, depths[key]))
        return [self._page(number, len(parts), part, log) for number, part in enumerate(parts)]

    def _page(
        self, number: int, count: int, entries: list[tuple[NodeId, int, int]], log: Log
    ) -> BaselinePage:
        maximal = log.evicted_frontier.dots
        return BaselinePage(
            round=0,
            version=log.version,
            page=number,
            pages=count,
            depth=log.evicted_depth,
            horizon=self.context.causal.memory.horizon,
            forgotten=min(log.forgotten_count, COUNT_LIMIT),
            entries=tuple(entries),
            frontier=tuple([(node.key, maximal[node.key]) for node, _, _ in entries if node.key in maximal]),
        )
