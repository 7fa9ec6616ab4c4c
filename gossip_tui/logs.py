"""Where log records go: a file if one is named, else standard error for headless commands, else nowhere."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from protocol.text import printable

__all__ = ["LEVELS", "configure_logging"]

LEVELS = ("debug", "info", "warning", "error")
"""The names that ``--log-level`` takes."""

LOGGERS = ("protocol", "gossip_tui", "asyncio")


class OneLineFormatter(logging.Formatter):
    """One printable line a record, without tracebacks: for people at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The level and the message."""
        return printable(f"{record.levelname.lower()}: {record.getMessage()}")


class FileFormatter(logging.Formatter):
    """Time, level, logger and message, with tracebacks; texts from the network are made printable."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class names it
        """The record's own line; a traceback behind it keeps its line breaks."""
        return printable(super().formatMessage(record))


def configure_logging(path: Path | None, level: str, *, to_terminal: bool) -> None:
    """Send the records of the program and its library where they belong.

    Args:
        path: A file to append to.
        level: One of ``LEVELS``.
        to_terminal: Without a file, whether standard error may show them; not while a screen is drawn on it.

    Raises:
        OSError: The file can't be opened.
    """
    logging.raiseExceptions = False  # a full disk costs a record, not a traceback over the screen
    handler: logging.Handler = logging.NullHandler()
    if path is not None:
        handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
        handler.setFormatter(FileFormatter())
    elif to_terminal and sys.stderr is not None:
        handler = logging.StreamHandler()
        handler.setFormatter(OneLineFormatter())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level.upper())
        logger.propagate = False
