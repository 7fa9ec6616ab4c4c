"""What opens over the panes: help, peers, a message, a question about a paste."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from protocol.core.identity import NodeId
from protocol.core.messages import Message

from .drawing.names import Names
from .screens.help import HelpScreen
from .screens.message import MessageScreen, neighbours
from .screens.peers import PeersScreen
from .screens.question import PasteAnswer, PasteQuestion

if TYPE_CHECKING:
    from .app import GossipApp

__all__ = ["Openings"]


class Openings:
    """Opens dialogs over one application.

    Args:
        app: Over which.
    """

    def __init__(self, app: GossipApp) -> None:
        self._app = app

    def show_help(self) -> None:
        """Open the help."""
        app = self._app
        app.push_screen(HelpScreen(app.glyphs, app.commands, app.main.place))

    def show_peers(self) -> None:
        """Open the list of everyone heard of."""
        self._app.push_screen(PeersScreen(self._app.snapshot))

    def show_message(self, message: Message) -> None:
        """Open a message in full."""
        app, names = self._app, Names()
        names.learn([app.snapshot.id, *(row.id for row in app.snapshot.peers)])
        around = neighbours(message, app.main.log_pane.messages)
        names.learn([other.id.origin for other in around])
        app.push_screen(MessageScreen(message, around, names))
        app.guide.note_opened(message, around)

    def go_to_peer(self, node: NodeId) -> None:
        """Move to that node in the demo; anywhere else show what is known of the peer."""
        app = self._app
        seats = app.feed.seats
        if app.is_demo and node.name in seats:
            app.feed.move(seats.index(node.name))
        else:
            app.push_screen(PeersScreen(app.snapshot, node))

    def ask_about_paste(self, lines: list[str]) -> None:
        """Ask whether several pasted lines are several messages."""
        question = PasteQuestion(lines, self._app.feed.payload_limit)
        self._app.push_screen(question, partial(self._send_pasted, lines))

    def _send_pasted(self, lines: list[str], answer: PasteAnswer | None) -> None:
        if answer is PasteAnswer.MANY:
            self._app.runner.send_many(lines)
        elif answer is PasteAnswer.ONE:
            self._app.runner.send_many(["\n".join(lines)])
