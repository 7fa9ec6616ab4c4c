"""Turns records of the log into lines, and remembers the lines that are on the screen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

from gossip_tui.drawing.line import Line, Role, Span, cell_len
from gossip_tui.drawing.log_line import (
    Layout,
    LineState,
    Notice,
    held_line,
    layout_for,
    message_line,
    notice_line,
    notice_parts,
)
from gossip_tui.drawing.mentions import mentions
from gossip_tui.drawing.names import Names
from gossip_tui.text import Safe, safe
from gossip_tui.theme import Glyphs
from protocol.core.identity import NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import HeldMessage

from .log_records import Record

__all__ = ["INSERTED_PERIOD", "LogPainter"]

INSERTED_PERIOD = 6.0
"""Seconds that an inserted message stays marked: a choice."""

INSERTED_LIMIT = 256
"""Inserted messages marked at one time, so that a burst of history marks a bounded number."""

CACHE_LIMIT = 1_024
"""Lines remembered: a few of the tallest screens."""

START_WIDTH = 6
"""Cells for ``origin#number`` before any message is known; it only grows, so that columns do not dance."""


class LogPainter:
    """Draws lines of the log for one width; reads the clocks of lines that are really drawn, no others."""

    def __init__(self, glyphs: Glyphs, zone: tzinfo | None = None) -> None:
        self.glyphs = glyphs
        self.names = Names()
        self.own: NodeId | None = None
        self._zone = zone
        self._width = 0
        self._id_width = START_WIDTH
        self._layout = layout_for(0, START_WIDTH)
        self._inserted: dict[Message, float] = {}
        self._cache: dict[tuple[Record, Message | None, bool], Line] = {}

    @property
    def layout(self) -> Layout:
        """How the cells of a line are shared out."""
        return self._layout

    def resize(self, width: int) -> None:
        """Draw for another width from now on."""
        if width != self._width:
            self._width = width
            self._lay_out()

    def learn(self, nodes: Iterable[NodeId]) -> bool:
        """Take note of nodes, to tell two of one name apart; returns whether lines look different now."""
        changed = self.names.learn(nodes)
        if changed:
            self.forget()
        return changed

    def set_own(self, own: NodeId) -> None:
        """Say which node looks at this log: its messages and its name stand out."""
        if own != self.own:
            self.own = own
            self.forget()

    def widen(self, messages: Iterable[Message]) -> None:
        """Make the column of origins wide enough for these messages."""
        widest = max((cell_len(self.names.dot(message.id)) for message in messages), default=0)
        if widest > self._id_width:
            self._id_width = widest
            self._lay_out()

    def mark_inserted(self, messages: list[Message], now: float) -> None:
        """Mark messages that were put above others, until ``INSERTED_PERIOD`` later."""
        for message in messages[-INSERTED_LIMIT:]:
            self._inserted[message] = now + INSERTED_PERIOD
        while len(self._inserted) > INSERTED_LIMIT:
            self._inserted.pop(next(iter(self._inserted)))

    def fade(self, now: float) -> bool:
        """Take marks off that are over; returns whether some are left."""
        self._inserted = {message: until for message, until in self._inserted.items() if until > now}
        return bool(self._inserted)

    def forget(self) -> None:
        """Draw every line anew when it is needed next."""
        self._cache.clear()

    def line(self, record: Record, above: Message | None, *, match: bool = False) -> Line:
        """The line of a record below the message ``above``."""
        if isinstance(record, Notice):
            return notice_line(record, self._layout, self.glyphs, self._zone)
        if match:
            return self._message_line(record, above, match=True)
        key = (record, above, record in self._inserted)
        line = self._cache.get(key)
        if line is None:
            if len(self._cache) >= CACHE_LIMIT:
                self._cache.clear()
            line = self._cache[key] = self._message_line(record, above)
        return line

    def notice_parts(self, text: Safe, spare: int = 0) -> list[Safe]:
        """The lines that the text of a notice takes, each with so many cells to spare."""
        return notice_parts(text, self._layout, spare)

    def held(self, message: HeldMessage) -> Line:
        """The line of a held-back message."""
        return held_line(message, self._layout, self.names, self.glyphs, self._zone)

    def more_held(self, count: int) -> Line:
        """The line that counts held-back messages for which there is no room."""
        return (Span(f"   {self.glyphs.ellipsis} and {count} more held back", Role.HELD),)

    def _message_line(self, message: Message, above: Message | None, *, match: bool = False) -> Line:
        own = message.id.origin == self.own
        state = LineState(
            concurrent=above is not None and are_concurrent(message, above),
            inserted=message in self._inserted,
            mention=self.own is not None and not own and mentions(safe(message.text), self.own.name),
            own=own,
            match=match,
        )
        return message_line(message, self._layout, self.names, self.glyphs, state, self._zone)

    def _lay_out(self) -> None:
        self._layout = layout_for(self._width, self._id_width)
        self.forget()


def are_concurrent(message: Message, above: Message) -> bool:
    """Whether neither happened before the other; most often that is seen without working out a clock."""
    if message.id.origin == above.id.origin or above.id in message.parents:
        return False
    return message.is_concurrent_with(above)
