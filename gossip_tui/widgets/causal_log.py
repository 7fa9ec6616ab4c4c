"""The causally sorted log: every message once, after everything that happened before it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import ClassVar, NamedTuple

from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage
from textual.reactive import var

from gossip_tui.drawing.line import Line, cut
from gossip_tui.drawing.log_line import Notice, NoticeKind
from gossip_tui.drawing.sentences import no_messages, wrapped
from gossip_tui.text import Safe, safe
from gossip_tui.theme import UNICODE, Glyphs
from protocol.core.messages import Message
from protocol.core.snapshot import HeldMessage, NodeSnapshot

from .copying import CopyWanted
from .following_pane import FollowingPane
from .log_filter import FilterError, LogFilter
from .log_painter import INSERTED_PERIOD, LogPainter
from .log_records import RECORD_LIMIT, LogOrder, LogRecords, Record

__all__ = ["CausalLogPane", "FilterError", "LogOrder", "NoticeKind"]

HELD_PATIENCE = 0.5
"""Seconds that a message is held back before it is worth a line: most wait for milliseconds only."""

HELD_LINES = 6
"""Held-back messages drawn at the most; the rest is counted in one line."""

NOTICES_LOOKED_OVER = 64
"""Notices in a row across which a message still finds the one above it."""


LINES_MEASURED = 1_000
"""Lines whose names are measured again when two nodes of one name have to be told apart: many screens."""


class Words(NamedTuple):
    """A notice on its way into the log."""

    text: str
    kind: NoticeKind
    at: float


class CausalLogPane(FollowingPane):
    """Shows messages in causal order with their clocks, held-back messages, and notices.

    Call ``add_messages`` with what was delivered, ``show`` with every new snapshot, ``add_notice`` for the
    rest.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "toggle_order", "Order", show=False, id="log.order"),
        Binding("n", "next_match", "Next match", show=False, id="log.next_match"),
        Binding("N", "previous_match", "Previous match", show=False, id="log.previous_match"),
        Binding("y", "copy", "Copy", show=False, id="log.copy"),
        Binding("a", "toggle_around", "All lines around matches", show=False, id="log.around"),
    ]

    order: var[LogOrder] = var(LogOrder.CAUSAL, init=False)
    """Causal order, the same on every node, or the order in which messages came to this one."""

    around: var[bool] = var(False, init=False)
    """Whether a filter underlines its matches among all lines, instead of hiding the others."""

    class MessageChosen(TextualMessage):
        """Somebody pressed Enter on, or double-clicked, a message."""

        def __init__(self, pane: CausalLogPane, message: Message) -> None:
            super().__init__()
            self.pane = pane
            self.message = message

        @property
        def control(self) -> CausalLogPane:
            """The pane, for ``on`` selectors."""
            return self.pane

    def __init__(
        self,
        *,
        glyphs: Glyphs = UNICODE,
        limit: int = RECORD_LIMIT,
        clock: Callable[[], float] = time.time,
        zone: tzinfo | None = None,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
    ) -> None:
        """Make an empty log.

        Args:
            glyphs: What to draw with.
            limit: Lines kept at the most.
            clock: Unix seconds; dates notices, and marks fade by it.
            zone: Time zone of the times of day; None for the machine's.
            id: The id in the DOM.
            classes: The classes in the DOM.
        """
        super().__init__(glyphs=glyphs, id=id, classes=classes)
        self._clock = clock
        self._records = LogRecords(limit)
        self._painter = LogPainter(glyphs, zone)
        self._filter = LogFilter("")
        self._held: list[HeldMessage] = []
        self._held_more = 0
        self._waiting: deque[Message | Words] = deque(maxlen=limit)
        self._waiting_snapshot: NodeSnapshot | None = None
        self._fading = False
        self._broken_for = 0
        """The width of the pane that notices are broken for."""

    # What the application tells the pane.

    def show(self, snapshot: NodeSnapshot) -> None:
        """Take in who is known and what is held back; messages come by ``add_messages``."""
        if self.frozen:
            self._waiting_snapshot = snapshot
            return
        if self._filter.gave_up:
            self.add_notice(f"the filter is off: {self._filter.complaint}", NoticeKind.WARNING)
            self.set_filter("")
        if snapshot.id != self._painter.own:
            self._painter.set_own(snapshot.id)
            self.refresh()
        if self._painter.learn((snapshot.id, *(peer.id for peer in snapshot.peers))):
            self._painter.widen(
                record for record in self._records.shown[-LINES_MEASURED:] if isinstance(record, Message)
            )
            self.refresh()
        self._hold(snapshot)
        self.retitle()

    def add_messages(self, messages: Sequence[Message]) -> None:
        """Put delivered messages where they belong; those already in the log are left out."""
        if self.frozen:
            self._waiting.extend(messages)
            self.retitle()
        elif messages:
            self._add(messages)

    def add_notice(self, text: str, kind: NoticeKind = NoticeKind.INFO, at: float | None = None) -> None:
        """Add a line of the application's own, behind what is known now.

        Args:
            text: One line, made safe here.
            kind: What it is about, for its glyph and colour.
            at: Unix seconds; None for now.
        """
        words = Words(text, kind, self._clock() if at is None else at)
        if self.frozen:
            self._waiting.append(words)
            self.retitle()
        else:
            self._add_words(words)

    def set_filter(self, text: str) -> None:
        """Show only lines that match; empty shows all. ``LogFilter`` says what may be written.

        Raises:
            FilterError: It holds no regular expression, or a slow one; the filter stays as it was.
        """
        before, self._filter = self._filter, LogFilter(text)
        self._arrange()
        if self._filter.gave_up:
            refused, self._filter = self._filter, before
            self._arrange()
            raise FilterError(refused.complaint)

    def clear(self) -> None:
        """Forget every line, for a log that is to belong to another node."""
        with self.settled():
            self._records = LogRecords(self._records.limit)
            self._records.arrange(self.order, self._filter, hide=not self.around)
            self._held, self._held_more = [], 0
            self._waiting.clear()
            self._painter.forget()

    # What the application may ask.

    @property
    def filter_text(self) -> str:
        """The filter as it was typed; empty for none."""
        return self._filter.text

    @property
    def messages(self) -> list[Message]:
        """Every message kept, in display order, whatever the filter."""
        return self._records.messages()

    @property
    def forgotten(self) -> int:
        """How many were in it once and went for want of room."""
        return self._records.forgotten

    @property
    def waiting_count(self) -> int:
        """Messages and notices that came while the pane was frozen."""
        return len(self._waiting)

    @property
    def cursor_message(self) -> Message | None:
        """The message under the cursor; None on a notice, a held-back message or in an empty log."""
        record = self.record_at(self.cursor) if 0 <= self.cursor < self.line_count else None
        return record if isinstance(record, Message) else None

    @property
    def visible_text(self) -> list[str]:
        """The visible lines as plain text, top first."""
        return [self.render_line(y).text for y in range(self.size.height)]

    # The lines, as FollowingPane asks for them.

    @property
    def line_count(self) -> int:
        """Records that are shown, and held-back messages below them."""
        return len(self._records.shown) + len(self._held) + bool(self._held_more)

    def line(self, index: int) -> Line:
        """The line ``index``: a record, a held-back message, or the count of more of these."""
        self._painter.resize(self.line_width)
        shown = self._records.shown
        if index < len(shown):
            record = shown[index]
            match = self.around and bool(self._filter) and self._records.matches(record)
            return self._painter.line(record, self._message_above(index), match=match)
        index -= len(shown)
        if index < len(self._held):
            return self._painter.held(self._held[index])
        return self._painter.more_held(self._held_more)

    def empty_line(self, y: int) -> Line:
        """Why there is nothing, and what to do, as long as there is nothing."""
        if self.line_count:
            return ()
        lines = wrapped(no_messages(filter_text=self._filter.text, recorded=self.recorded), self.line_width)
        return lines[y] if y < len(lines) else ()

    def record_at(self, index: int) -> Record | int:
        """The record of a line; for a held-back message its place behind the records."""
        shown = self._records.shown
        return shown[index] if index < len(shown) else index - len(shown)

    def index_of(self, record: object) -> int:
        """Where a record is now; if it is filtered out, where it would be."""
        if isinstance(record, Message | Notice):
            return self._records.index_near(record)
        return len(self._records.shown) + (record if isinstance(record, int) else 0)

    def retitle(self) -> None:
        """Say whose log this is, its order, what is filtered and what waits."""
        width = self.title_width
        own = self._painter.own
        name = "Causal log" if self.order is LogOrder.CAUSAL else "Log by arrival"
        facts = []
        if self._filter:
            count = self._match_count()
            facts.append(f"filter {safe(self._filter.text, 30)}: {count:,} line{'s' * (count != 1)}")
        if self.frozen:
            facts.append(f"frozen: {len(self._waiting):,} waiting")
        title = f"{name}  seen from {self._painter.names.label(own)}" if own else name
        self.set_title(cut(title, width), cut(f" {self.glyphs.dot} ".join(facts), width))

    # What changes by itself, and by keys.

    def redraw(self) -> None:
        """Draw every line anew, with notices broken for the width that there is now."""
        self._painter.forget()
        with self.settled():
            self._break_notices()

    def watch_frozen(self, frozen: bool) -> None:
        """Catch up with what came while the pane was frozen."""
        if not frozen:
            self._thaw()
        self.retitle()

    def watch_order(self) -> None:
        """Put the lines into the other order."""
        self._arrange()

    def watch_around(self) -> None:
        """Hide or show what does not match."""
        self._arrange()

    def action_choose(self) -> None:
        """Tell the application which message is under the cursor."""
        message = self.cursor_message
        if message is not None:
            self.post_message(self.MessageChosen(self, message))

    def action_toggle_order(self) -> None:
        """Show messages by arrival if they are in causal order, and back."""
        self.order = LogOrder.ARRIVAL if self.order is LogOrder.CAUSAL else LogOrder.CAUSAL

    def action_copy(self) -> None:
        """Ask for the message under the cursor to be copied."""
        message = self.cursor_message
        if message is not None:
            self.post_message(CopyWanted(message.text, f"message {self._painter.names.dot(message.id)}"))

    def action_toggle_around(self) -> None:
        """Show all lines around the matches of the filter, or the matches alone."""
        self.around = not self.around

    def action_next_match(self) -> None:
        """Move to the next line that the filter matches."""
        self._seek(range(self.cursor + 1, len(self._records.shown)))

    def action_previous_match(self) -> None:
        """Move to the line before that the filter matches."""
        self._seek(range(min(self.cursor, len(self._records.shown)) - 1, -1, -1))

    # Helpers.

    def _add(self, messages: Sequence[Message]) -> None:
        newest = self._records.causal[-1].order if self._records.causal else None
        bottom = self._bottom_record()
        with self.settled():
            fresh = self._records.add(messages)
            self._painter.learn(message.id.origin for message in fresh)
            self._painter.widen(fresh)
            if not self.following:
                self.count_new(sum(self._comes_below(message, bottom) for message in fresh))
        late = [m for m in fresh if newest is not None and m.order < newest and not m.from_history]
        if late:
            self._painter.mark_inserted(late, self._clock())
            self._fade_later()

    def _add_words(self, words: Words) -> None:
        text = safe(words.text)
        with self.settled():
            self._break_notices()
            for notice in self._records.add_notice(text, words.kind, words.at, self._parts_of(text)):
                self.count_new(self._comes_below(notice, None))

    def _parts_of(self, text: Safe) -> list[Safe]:
        """The lines that a notice takes, with or without a scroll bar beside them: one may come."""
        spare = 0 if self.show_vertical_scrollbar else self.styles.scrollbar_size_vertical
        return self._painter.notice_parts(text, spare)

    def _break_notices(self) -> None:
        """Break notices for another width than before, if there is one."""
        self._painter.resize(self.line_width)
        width = self.size.width
        if width and width != self._broken_for:
            self._broken_for = width
            self._records.break_anew(self._parts_of)

    def _hold(self, snapshot: NodeSnapshot) -> None:
        now = self._clock()
        held = [m for m in snapshot.held if now - m.received_at >= HELD_PATIENCE and self._lets_through(m)]
        more = len(held) - HELD_LINES + max(0, snapshot.held_count - len(snapshot.held))
        more = max(0, more) if len(held) >= HELD_LINES else 0
        if (held[:HELD_LINES], more) != (self._held, self._held_more):
            with self.settled():
                self._held, self._held_more = held[:HELD_LINES], more

    def _lets_through(self, held: HeldMessage) -> bool:
        origin = held.id.origin
        return self._filter.matches((origin.name, origin.label), held.text)

    def _thaw(self) -> None:
        waiting, self._waiting = self._waiting, deque(maxlen=self._records.limit)
        run: list[Message] = []
        for item in waiting:
            if isinstance(item, Message):
                run.append(item)
            else:
                self.add_messages(run)
                self._add_words(item)
                run = []
        self.add_messages(run)
        snapshot, self._waiting_snapshot = self._waiting_snapshot, None
        if snapshot is not None:
            self.show(snapshot)

    def _arrange(self) -> None:
        with self.settled():
            self._records.arrange(self.order, self._filter, hide=not self.around)
        self.retitle()

    def _seek(self, indices: range) -> None:
        shown = self._records.shown
        found = (index for index in indices if self._records.matches(shown[index]))
        index = next(found, None)
        if index is not None:
            self.move_cursor(index)

    def _match_count(self) -> int:
        shown = self._records.shown
        return len(self._records.matching(shown) if self.around else shown)

    def _message_above(self, index: int) -> Message | None:
        shown = self._records.shown
        for above in range(index - 1, max(-1, index - 1 - NOTICES_LOOKED_OVER), -1):
            record = shown[above]
            if isinstance(record, Message):
                return record
        return None

    def _bottom_record(self) -> Record | None:
        bottom = min(self.scroll_offset.y + self.size.height, len(self._records.shown)) - 1
        return self._records.shown[bottom] if bottom >= 0 else None

    def _comes_below(self, record: Record, bottom: Record | None) -> bool:
        below = bottom is None or self.order is LogOrder.ARRIVAL or record.order > bottom.order
        return below and (self.around or not self._filter or self._records.matches(record))

    def _fade_later(self) -> None:
        if not self._fading and self.is_mounted:
            self._fading = True
            self.set_timer(INSERTED_PERIOD, self._fade)

    def _fade(self) -> None:
        self._fading = False
        if self._painter.fade(self._clock()):
            self._fade_later()
        self.refresh()
