"""What a person takes out of the application: files, and what was copied."""

from __future__ import annotations

import asyncio
import time
from functools import cache
from typing import IO, TYPE_CHECKING

from protocol.core.identity import NodeId
from protocol.core.messages import Message
from protocol.text import printable

from .command import CommandError
from .commands import find_command
from .copying import COPY_LIMIT, keep_copy
from .exports.formats import ExportError, Format, lines_of, name_for, new_file
from .exports.history import History, Lane, history_of
from .files import path_of
from .keys import key_label

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
    lacking = ""
    with new_file(path) as file:
        if chosen is Format.SVG:
            file.write(app.export_screenshot(title=TITLE))
        else:
            lacking = await write_lines(app, chosen, file)
    app.tell(f"exported to {printable(str(path))}{lacking}")


async def write_lines(app: GossipApp, chosen: Format, file: IO[str]) -> str:
    """Write an export piece by piece, with turns for the node in between.

    Returns:
        What it lacks, to be said behind its name; empty if nothing.
    """
    log, history = app.main.log_pane, cache(lambda: history_here(app))
    messages, forgotten, replay = log.messages, log.forgotten, app.replay is not None
    for number, line in enumerate(lines_of(chosen, messages, history)):
        file.write(line)
        if number % YIELD_EVERY == YIELD_EVERY - 1:
            await asyncio.sleep(0)
    match chosen:
        case Format.SHIVIZ:
            return newest_only(history().held, history().delivered, "deliveries", replay=replay)
        case Format.JSONL | Format.CSV:
            return newest_only(len(messages), len(messages) + forgotten, "messages", replay=replay)
        case _:
            return ""


def newest_only(held: int, all_: int, what: str, *, replay: bool = False) -> str:
    """That an export holds only so many of all there were, and how to have all; empty if it has them.

    >>> newest_only(6_000, 23_410, "deliveries")
    ': the newest 6,000 of 23,410 deliveries (a recording, F7 or --record FILE, keeps all from its start on)'
    >>> newest_only(100_000, 120_000, "messages", replay=True)
    ': the newest 100,000 of 120,000 messages (gossip-tui export FILE takes all out of the recording)'
    """
    if held >= all_:
        return ""
    if replay:
        remedy = "gossip-tui export FILE takes all out of the recording"
    else:
        key = key_label(find_command("record").key)
        remedy = f"a recording, {key} or --record FILE, keeps all from its start on"
    return f": the newest {held:,} of {all_:,} {what} ({remedy})"


def history_here(app: GossipApp) -> History:
    """What is known of the nodes of this process, or of the recording up to here."""
    if app.replay is not None:
        return history_of(app.replay.recording, app.replay.player.position)
    lanes: dict[NodeId, list[Message]] = {}
    known = app.feed.deliveries({})
    for node, message in known.rows:
        lanes.setdefault(node, []).append(message)
    pictures = tuple(node.snapshot() for node in app.feed.recordable)
    return History(tuple(Lane(node, messages) for node, messages in lanes.items()), pictures, known.count)


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
