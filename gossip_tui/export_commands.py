"""What a person takes out of the application: files, and what was copied."""

from __future__ import annotations

import asyncio
import time
from typing import IO, TYPE_CHECKING

from protocol.core.identity import NodeId
from protocol.core.messages import Message
from protocol.text import printable

from .command import CommandError
from .copying import COPY_LIMIT, keep_copy
from .exports.formats import ExportError, Format, lines_of, name_for, new_file
from .exports.history import History, Lane, history_of
from .files import path_of

if TYPE_CHECKING:
    from .app import GossipApp

__all__ = ["copy_here", "copy_text", "export_here"]

YIELD_EVERY = 64
"""Pieces of an export that are written before the node has a turn: some milliseconds."""

TITLE = "gossip-tui"


async def export_here(app: GossipApp, argument: str) -> None:
    """Export what the screen shows now, and say where to.

    Args:
        app: Whose screen.
        argument: A format, and a file if the person wants another than one named after node and time.

    Raises:
        ExportError: There is no such format, or the file exists or can't be written.
        CommandError: There is no home of that name.
    """
    word, _, name = argument.partition(" ")
    chosen = Format.of(word)
    path = path_of(name.strip()) if name.strip() else name_for(chosen, app.snapshot.id.name, time.time())
    with new_file(path) as file:
        if chosen is Format.SVG:
            file.write(app.export_screenshot(title=TITLE))
        else:
            await write_lines(app, chosen, file)
    app.tell(f"exported to {printable(str(path))}")


async def write_lines(app: GossipApp, chosen: Format, file: IO[str]) -> None:
    """Write an export piece by piece, with turns for the node in between."""
    lines = lines_of(chosen, app.main.log_pane.messages, lambda: history_here(app))
    for number, line in enumerate(lines):
        file.write(line)
        if number % YIELD_EVERY == YIELD_EVERY - 1:
            await asyncio.sleep(0)


def history_here(app: GossipApp) -> History:
    """What is known of the nodes of this process, or of the recording up to here."""
    if app.replay is not None:
        return history_of(app.replay.recording, app.replay.player.position)
    lanes: dict[NodeId, list[Message]] = {}
    for node, message in app.feed.deliveries({}).rows:
        lanes.setdefault(node, []).append(message)
    pictures = tuple(node.snapshot() for node in app.feed.recordable)
    return History(tuple(Lane(node, messages) for node, messages in lanes.items()), pictures)


def copy_here(app: GossipApp, word: str) -> None:
    """Copy the message under the log's cursor, or the address that others join by.

    Raises:
        CommandError: There is no message, or nothing of that name to be copied.
    """
    if word not in {"", "message", "address"}:
        raise CommandError(f"/copy takes message or address, not {printable(word)[:32]}")
    if word == "address":
        copy_text(app, str(app.snapshot.address), "the address of this node")
        return
    messages = app.main.log_pane.messages
    message = app.main.log_pane.cursor_message or (messages[-1] if messages else None)
    if message is None:
        raise CommandError("there is no message to copy yet")
    copy_text(app, message.text, f"message {message.id.origin.name}#{message.id.sequence}")


def copy_text(app: GossipApp, text: str, what: str) -> None:
    """Give text to the terminal's clipboard and keep it in a file; say both.

    Raises:
        ExportError: The file can't be written.
    """
    app.copy_to_clipboard(text[:COPY_LIMIT])
    try:
        path = keep_copy(text)
    except OSError as error:
        raise ExportError(f"copied, but it can't be kept in a file: {error.strerror}") from None
    app.toast(f"copied {what}; also in {path}")
