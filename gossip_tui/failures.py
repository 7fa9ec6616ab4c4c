"""Errors that nobody awaited: counted, logged and shown; the event loop would print them over the screen."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from .text import safe

__all__ = ["Failures"]

LOGGER = logging.getLogger("gossip_tui")

TEXT_LIMIT = 120
"""Characters of an error on the screen; the log file has all of it."""


class Failures:
    """The handler of a loop for exceptions in callbacks and forgotten tasks.

    Args:
        changed: Is called after each one, to show it.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self.count = 0
        self.last = ""
        """The last one in words, safe to show."""
        self._changed = changed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._former: Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object] | None = None

    def install(self) -> None:
        """Take over the running loop's exceptions until ``remove``."""
        self._loop = asyncio.get_running_loop()
        self._former = self._loop.get_exception_handler()
        self._loop.set_exception_handler(self.handle)

    def remove(self) -> None:
        """Give the loop its former handler back."""
        if self._loop is not None:
            self._loop.set_exception_handler(self._former)
            self._loop = None

    def handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:  # noqa: ARG002 - asyncio's call
        """Count one, log it in full, and show it in short."""
        error = context.get("exception")
        text = (
            f"{type(error).__name__}: {error}"
            if error is not None
            else str(context.get("message", "unknown"))
        )
        self.count += 1
        self.last = safe(text, TEXT_LIMIT)
        LOGGER.error("%s", context.get("message", "unhandled error"), exc_info=error)
        self._changed()
