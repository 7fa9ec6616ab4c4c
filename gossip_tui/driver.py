"""Textual's driver for POSIX terminals, made to survive being stopped from outside and losing its terminal.

Textual takes every SIGCONT for the end of a suspension of its own and starts its threads once more. After a
plain SIGSTOP (a debugger, a frozen container, ``kill -STOP``) two threads would then share the keys, the
terminal's own line settings would be forgotten, and the program would not end any more.

Can't be imported where there are no such terminals.
"""

from __future__ import annotations

import contextlib
import termios
from typing import Any

from textual.drivers.linux_driver import LinuxDriver

__all__ = ["SteadyDriver"]


class SteadyDriver(LinuxDriver):
    """Goes on where it was stopped, and does not wait for a terminal that is gone."""

    _working: list[Any] | None = None
    """The line settings while the application draws."""

    def start_application_mode(self) -> None:
        """Take the terminal, and remember how it was taken."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        with contextlib.suppress(termios.error):
            self._working = termios.tcgetattr(self.fileno)

    def write(self, data: str) -> None:
        """Queue what is to be drawn; nothing once the terminal is gone and nobody empties the queue."""
        if self._draws:
            super().write(data)

    def close(self) -> None:
        """Wait until everything is drawn, if there is anybody left to draw it."""
        if self._draws:
            super().close()

    @property
    def _draws(self) -> bool:
        return self._writer_thread is not None and self._writer_thread.is_alive()

    def _sigcont_application(self, *_: object) -> None:
        if self._must_signal_resume:
            super()._sigcont_application()
        elif self._working is not None:
            self._retake()

    def _retake(self) -> None:
        """Take the terminal again: the shell that ruled meanwhile may have written on it."""
        assert self._working is not None
        with contextlib.suppress(termios.error):  # a terminal that hangs up sends SIGCONT as well
            termios.tcsetattr(self.fileno, termios.TCSANOW, self._working)
        self._app.call_later(self._app.refresh, layout=True)
