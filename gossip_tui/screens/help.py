"""What the panes show, which keys work and which commands there are; commands and keys from the one table."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Group, RenderableType
from rich.text import Text
from textual.binding import Binding, BindingType

from gossip_tui.command import Command
from gossip_tui.command_tables import command_rows, key_rows
from gossip_tui.keys import Where
from gossip_tui.text import Safe
from gossip_tui.theme import Glyphs

from .dialog import TextDialog, fact_table, heading

__all__ = ["HelpScreen"]

PANES = (
    (
        "Partial view",
        (
            "The peers this node knows right now: never everyone, always a changing sample. Age counts the "
            "exchanges since a peer was fresh; the bar grows with it. Arrows say who asked whom last, rtt "
            "how long an answer took. The frame says how many peers there is room for, c, and how they are "
            "chosen: /strategy changes that."
        ),
    ),
    (
        "Causal log",
        (
            "Every message once, and after everything it can be an answer to. The numbers in braces are its "
            "vector clock: how many messages of each origin had happened before it, itself included. What "
            "came before something that it depends on is held back, dimmed, with what it waits for."
        ),
    ),
    (
        "Space-time",
        (
            "A column for every node, time downward, a message an arrow from its origin to those who got it. "
            "What an event could know of is its past, what could know of it its future; the rest is "
            "concurrent: no clock can say which was first. A real node sees its own deliveries only; of "
            "others it shows, dotted, what their messages tell."
        ),
    ),
    (
        "Overlay",
        (
            "Who knows whom: every node on a ring, every descriptor a line. The bar behind a name is its "
            "in-degree, how many know it. A message is a wave: nodes light up hop by hop, in slow motion; "
            "lines show the ways it may have come. A real node sees its own view and what its peers told."
        ),
    ),
    (
        "Faults",
        (
            "Dials: what happens to the datagrams of this node, or to those with one peer, in either "
            "direction; who is cut off; how the node samples and spreads. At the top, what faults did so "
            "far. In the demo they are for this node or the whole swarm, the swarm can be cut in two, and "
            "nodes stopped, crashed and brought back. Every change is a line in the log and a mark in the "
            "rates, and the status bar says so while it lasts."
        ),
    ),
    (
        "Rates",
        (
            "Datagrams and bytes a second, in and out, and which share of the messages came twice, was "
            "repaired or refused. It stands below the view where there is room, and has no keys."
        ),
    ),
    (
        "Composer",
        (
            "Plain text is gossip for everyone. A slash starts a command, two slashes a text that has one. "
            "What can't be sent stays, and a line above it says why."
        ),
    ),
)
"""The panes and what they mean."""


TITLES = {
    Where.VIEW: "Partial view",
    Where.LOG: "Causal log",
    Where.SPACE_TIME: "Space-time",
    Where.OVERLAY: "Overlay",
    Where.FAULTS: "Faults",
    Where.COMPOSER: "Composer",
}
"""The panes that have keys of their own."""


class HelpScreen(TextDialog):
    """Panes, signs, commands and keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1", "dismiss", "Close", show=False)]

    HINT = Safe("Esc closes, PgDn scrolls")

    def __init__(
        self, glyphs: Glyphs, commands: tuple[Command, ...], about: Where = Where.EVERYWHERE
    ) -> None:
        """Make the help.

        Args:
            glyphs: The signs to be explained.
            commands: Those there are here.
            about: The pane that is explained first, with its keys: the one that has the focus.
        """
        super().__init__(Safe("Help"))
        self._glyphs = glyphs
        self._commands = commands
        self._about = about

    def body(self) -> RenderableType:
        """All of it, one section under the other."""
        commands = [
            (call, f"{does} ({key})" if key else does) for call, key, does in command_rows(self._commands)
        ]
        keys = [(label, place(where) + does) for label, where, does in key_rows(self._commands)]
        sections = [("Panes", PANES), ("Commands", commands), ("Keys", keys), ("Signs", signs(self._glyphs))]
        parts: list[RenderableType] = []
        title = TITLES.get(self._about)
        if title is not None:
            own = [(label, does) for label, where, does in key_rows(self._commands) if where == self._about]
            parts += ["", heading(title), Text(dict(PANES)[title]), "", fact_table(own, widest=24)]
            sections[:2] = sections[1::-1]
        for title, rows in sections:
            parts += ["", heading(title), fact_table(rows, widest=24)]
        return Group(*parts[1:])


def place(where: str) -> str:
    """Where a key works, as a word before what it does."""
    return "" if where == Where.EVERYWHERE else f"({where}) "


def signs(glyphs: Glyphs) -> list[tuple[str, str]]:
    """What the signs in the panes mean."""
    return [
        (glyphs.concurrent, "Concurrent with the message above: neither knew of the other."),
        (glyphs.inserted, "Came late and was inserted where it belongs."),
        (glyphs.history, "Came with the history that another node sent."),
        (glyphs.out_of_order, "Delivered after a gap, so not in causal order."),
        (glyphs.changed, "Changed on purpose: faults, a cut, a crash, how this node samples or spreads."),
        (glyphs.mention, "Names this node."),
        (
            f"{glyphs.asked} {glyphs.served} {glyphs.both}",
            "The last exchange: this node asked, the peer asked, both did.",
        ),
    ]
