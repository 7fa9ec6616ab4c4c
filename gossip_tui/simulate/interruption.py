"""Ctrl-C in a long computation: heard where it does no harm, and a second time anywhere."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

__all__ = ["Interruption"]

NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""The signals that ask a program to end, as far as a system has them."""


class Interruption:
    """Turns the signals that ask to end into ``KeyboardInterrupt``, inside ``heard()`` blocks only.

    Elsewhere the first signal waits for the next such block, so that rows and lines are written whole; the
    second does not wait, because whoever sends it has lost patience. Signals that were ignored when the
    program started (``nohup``) stay so. Must be used in the main thread.
    """

    def __init__(self) -> None:
        self._is_pending = False
        self._is_heard = False
        self.killed_by: int | None = None
        """The signal that asked to end, if it was another one than Ctrl-C's."""
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in (getattr(signal, name) for name in NAMES if hasattr(signal, name)):
            handler = signal.getsignal(number)
            if handler is not signal.SIG_IGN:
                self._former[number] = handler
                signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler or signal.SIG_DFL)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Within the block a signal raises.

        Raises:
            KeyboardInterrupt: A signal came, now or since the last such block.
        """
        self._is_heard = True
        try:
            if self._is_pending:
                raise KeyboardInterrupt
            yield
        finally:
            self._is_heard = False

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT:
            self.killed_by = number
        if self._is_heard or self._is_pending:
            self._is_heard = False
            raise KeyboardInterrupt
        self._is_pending = True
