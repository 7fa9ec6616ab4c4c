"""The formats there are, what each is made of, and files that nothing is lost to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import IO

from gossip_tui.files import stem_for
from protocol.core.messages import Message
from protocol.errors import GossipError
from protocol.text import printable

from .history import History
from .messages import csv_lines, json_lines
from .overlay import dot_lines
from .shiviz import shiviz_lines

__all__ = ["SUFFIXES", "ExportError", "Format", "lines_of", "name_for", "new_file"]


class ExportError(GossipError):
    """Something can't be exported; the text says what and why."""


class Format(StrEnum):
    """What can be exported."""

    JSONL = "jsonl"
    """Messages as JSON lines, as ``tail --json`` writes them."""
    CSV = "csv"
    """Messages for spreadsheets."""
    SHIVIZ = "shiviz"
    """Sends and deliveries for ShiViz."""
    DOT = "dot"
    """The overlay for Graphviz."""
    SVG = "svg"
    """The screen as a picture."""

    @classmethod
    def of(cls, word: str) -> Format:
        """The format of that name.

        Raises:
            ExportError: There is none.
        """
        try:
            return cls(word.lower())
        except ValueError:
            allowed = ", ".join(cls)
            raise ExportError(f"there is no format {printable(word)[:32]}: it is one of {allowed}") from None


SUFFIXES = {Format.SHIVIZ: ".shiviz.log"}
"""What names of files end with, where it is not the name of the format."""


def lines_of(chosen: Format, messages: Sequence[Message], history: Callable[[], History]) -> Iterator[str]:
    """The text of an export, piece by piece; a picture of the screen is made by whoever has one.

    Args:
        chosen: Any format but the picture.
        messages: What formats of messages are made of.
        history: Gives what the others are made of; it is work, so only they ask.
    """
    match chosen:
        case Format.JSONL:
            return json_lines(messages)
        case Format.CSV:
            return csv_lines(messages)
        case Format.SHIVIZ:
            return shiviz_lines(history())
        case _:
            return dot_lines(history())


def name_for(chosen: Format, node: str, at: float) -> Path:
    """A file name that says what is in it."""
    return Path(f"{stem_for(node, at)}{SUFFIXES.get(chosen, f'.{chosen}')}")


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[IO[str]]:
    """A file that did not exist, to be written; one not written to the end, for whatever reason, is removed.

    Raises:
        ExportError: There is one already, or it can't be written.
    """
    name = printable(str(path))
    try:
        file = path.open("x", encoding="utf-8", errors="backslashreplace", newline="")
    except FileExistsError:
        raise ExportError(f"{name} exists already and is kept: export to another name") from None
    except OSError as error:
        raise ExportError(f"{name} can't be written: {error.strerror}") from None
    try:
        with file:
            yield file
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ExportError(f"{name} can't be written: {error.strerror}") from None
        raise
