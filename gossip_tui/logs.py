"""Where log records go: a file if one is named, else standard error for headless commands, else nowhere."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable
from pathlib import Path

from protocol.text import printable

__all__ = ["LEVELS", "configure_logging", "take_failure"]

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


class LogFile(logging.FileHandler):
    """A file that may fill its disk: that is told once, and each record is tried anew.

    Args:
        path: The file.
        complain: Is told once why it can't be written.
    """

    def __init__(self, path: Path, complain: Callable[[str], object]) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self.setFormatter(FileFormatter())
        self._name = printable(str(path))
        self._complain: Callable[[str], object] | None = complain

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record; whoever logs never hears of a full disk."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the base class names it
        """Give up what could not be written, which would be kept in memory, and say why the first time."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
            return
        stream, self.stream = self.stream, None
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
        complain, self._complain = self._complain, None
        if complain is not None:
            complain(f"log file {self._name} can't be written: {error.strerror}")


FAILURES: list[str] = []
"""Why the log file can't be written, until somebody takes it: for a screen, over which nothing is written."""


def take_failure() -> str:
    """Why the log file can't be written, once; else nothing."""
    return FAILURES.pop() if FAILURES else ""


def complain_on_terminal(text: str) -> None:
    """Say it on standard error."""
    if sys.stderr is not None:
        print(f"gossip-tui: {text}", file=sys.stderr, flush=True)  # noqa: T201


def configure_logging(path: Path | None, level: str, *, to_terminal: bool) -> None:
    """Send the records of the program and its library where they belong.

    Args:
        path: A file to append to.
        level: One of ``LEVELS``.
        to_terminal: Whether standard error may show them without a file, and why one can't be written; not
            while a screen is drawn on it.

    Raises:
        OSError: The file can't be opened.
    """
    logging.raiseExceptions = False  # a full disk costs a record, not a traceback over the screen
    handler: logging.Handler = logging.NullHandler()
    if path is not None:
        handler = LogFile(path, complain_on_terminal if to_terminal else FAILURES.append)
    elif to_terminal and sys.stderr is not None:
        handler = logging.StreamHandler()
        handler.setFormatter(OneLineFormatter())
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level.upper())
        logger.propagate = False
