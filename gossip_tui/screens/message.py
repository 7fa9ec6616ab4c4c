"""One message in full: text, clock, parents, how it came here, and what is concurrent with it."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence
from operator import attrgetter

from rich.console import Group, RenderableType
from rich.text import Text

from gossip_tui.drawing.names import Names
from gossip_tui.text import Safe, safe
from protocol.core.clock import VectorClock
from protocol.core.messages import Message

from .dialog import TextDialog, fact_table, heading

__all__ = ["MessageScreen", "clock_time", "concurrent_among", "facts_of", "neighbours", "text_lines"]

LOOK_LIMIT = 2_000
"""Neighbours in display order that are asked whether they are concurrent: two comparisons each, and a screen
must open at once. Concurrent messages are near each other in depth, so nearly all of them are among these."""

LISTED = 50
"""Concurrent messages listed; more are counted."""

LINES_SHOWN = 1_000
"""Lines of the text that are shown: a message may have a million, and a screen must open at once."""

LEAST_DELAY = 0.00005
"""Seconds that are shown at all; two readings of one clock may be apart by less, in either direction."""

PREVIEW = 60
"""Characters of the text of each."""


class MessageScreen(TextDialog):
    """Everything there is to know about one message."""

    HINT = Safe("y copies the text, Esc closes")

    def __init__(self, message: Message, log: Sequence[Message], names: Names) -> None:
        """Make the screen.

        Args:
            message: The one to show.
            log: Messages in display order around it.
            names: How nodes are called in this log.
        """
        super().__init__(Safe(f"Message {names.dot(message.id)}"))
        self._message = message
        self._log = log
        self._names = names

    def copied(self) -> tuple[str, str]:
        """The text of the message."""
        return self._message.text, f"message {self._names.dot(self._message.id)}"

    def body(self) -> RenderableType:
        """Text, facts, and the messages concurrent with it."""
        message = self._message
        concurrent = concurrent_among(message, self._log)
        return Group(
            *text_lines(message.text),
            "",
            fact_table(facts_of(message, self._names), widest=16),
            "",
            heading(
                f"Concurrent with it: {len(concurrent):,}" if concurrent else "Nothing is concurrent with it"
            ),
            *(
                Text(preview(other, self._names), no_wrap=True, overflow="ellipsis")
                for other in concurrent[:LISTED]
            ),
            *(
                [Text(f"and {len(concurrent) - LISTED:,} more", style="dim")]
                if len(concurrent) > LISTED
                else []
            ),
        )


def text_lines(text: str) -> list[Text]:
    """The text with its own line breaks, every line made safe by itself; of very many lines the first."""
    lines = text.replace("\r\n", "\n").split("\n")
    shown = [Text(safe(line), overflow="fold") for line in lines[:LINES_SHOWN]]
    more = len(lines) - LINES_SHOWN
    return [*shown, Text(f"and {more:,} more lines", style="dim")] if more > 0 else shown


def facts_of(message: Message, names: Names) -> list[tuple[str, str]]:
    """What is known about a message, as pairs of what and its value."""
    return [
        ("from", str(safe(message.id.origin.label, 80))),
        ("sequence", f"{message.id.sequence:,}"),
        ("clock", clock_text(message.clock)),
        ("parents", ", ".join(map(names.dot, message.parents)) or "none: it starts a conversation"),
        ("depth", f"{message.depth:,}"),
        ("sent", clock_time(message.created_at) + " by the clock of its origin"),
        ("delivered", clock_time(message.delivered_at) + " by the clock of this computer"),
        ("delay", delay_text(message)),
        ("hops", hops_text(message)),
        ("size", f"{len(message.payload):,} bytes"),
    ]


def concurrent_among(message: Message, log: Sequence[Message]) -> list[Message]:
    """Those of ``log`` that neither happened before ``message`` nor after it, as they stand there."""
    return [other for other in log if other.is_concurrent_with(message)]


def neighbours(message: Message, log: Sequence[Message]) -> Sequence[Message]:
    """The messages around one in display order, as many as are worth comparing with it."""
    place = bisect_left(log, message.order, key=attrgetter("order"))
    return log[max(0, place - LOOK_LIMIT // 2) : place + LOOK_LIMIT // 2]


def clock_text(clock: VectorClock) -> str:
    """A whole clock, names made safe."""
    return "{" + "  ".join(f"{safe(label, 80)}:{count:,}" for label, count in clock.by_name().items()) + "}"


def clock_time(at: float) -> str:
    """Day and time of a moment by this computer's calendar; what no calendar knows is said as a number."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) + f".{int(at * 1000) % 1000:03d}"
    except (OverflowError, ValueError, OSError):
        return f"{at:g} s after 1970"


def delay_text(message: Message) -> str:
    """How long it took by the two clocks, which need not agree."""
    if message.from_history:
        return "came with the history of another node"
    delay = message.delivered_at - message.created_at
    if abs(delay) < LEAST_DELAY:
        return "0.0 ms"
    unit = f"{delay * 1000:,.1f} ms" if abs(delay) < 10 else f"{delay:,.1f} s"
    return unit + (": the clocks differ" if delay < 0 else "")


def hops_text(message: Message) -> str:
    """How many nodes passed it on, and what else was special about its way."""
    way = "0: straight from its origin" if message.hops == 0 else f"{message.hops}"
    return way + (", delivered late, after a gap was declared: not in causal order" if message.late else "")


def preview(message: Message, names: Names) -> str:
    """A message as one line in a list."""
    return f"{names.dot(message.id)}  {safe(message.text, PREVIEW)}"
