"""Textual's driver for POSIX terminals, made to survive what people do to windows and processes.

Textual takes every SIGCONT for the end of a suspension of its own and starts its threads once more. After a
plain SIGSTOP (a debugger, a frozen container, ``kill -STOP``) two threads would then share the keys, the
terminal's own line settings would be forgotten, and the program would not end any more.

Textual posts the new size of a window from inside the signal handler. Where several signals come within a
millisecond the last size can be lost, and where a window is back at its old size before anything was drawn,
nothing is drawn, though the terminal has cut away what did not fit meanwhile.

Can't be imported where there are no such terminals.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import termios
from typing import Any

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

__all__ = ["SteadyDriver"]

SETTLE_PERIOD = 0.1
"""Seconds without another change after which a window has its size; a choice, no delay to people."""


class SteadyDriver(LinuxDriver):
    """Goes on where it was stopped, and does not wait for a terminal that is gone."""

    _working: list[Any] | None = None
    """The line settings while the application draws."""
    _settling: asyncio.TimerHandle | None = None
    """Runs out when the window has its size."""

    def start_application_mode(self) -> None:
        """Take the terminal, and remember how it was taken."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        with contextlib.suppress(termios.error):
            self._working = termios.tcgetattr(self.fileno)
        asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, self._on_window_changed)

    def disable_input(self) -> None:
        """Hear no more of keys and sizes."""
        if self._settling is not None:
            self._settling.cancel()
        super().disable_input()

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

    def _on_window_changed(self) -> None:
        self._say_size()
        if self._settling is not None:
            self._settling.cancel()
        self._settling = asyncio.get_running_loop().call_later(SETTLE_PERIOD, self._on_window_settled)

    def _on_window_settled(self) -> None:
        self._say_size()
        self._app.call_later(self._app.refresh)

    def _say_size(self) -> None:
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self._app.post_message(events.Resize(size, size))

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
