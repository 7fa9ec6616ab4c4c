"""Textual's driver for terminals, made to survive being stopped from outside.

Textual takes every SIGCONT for the end of a suspension of its own and starts its threads once more. After a
plain SIGSTOP (a debugger, a frozen container, ``kill -STOP``) two threads would then share the keys, the
terminal's own line settings would be forgotten, and the program would not end any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.driver import Driver

__all__ = ["steady"]


def steady(driver_class: type[Driver]) -> type[Driver]:
    """A driver like this one that survives SIGSTOP and SIGCONT; any but the usual one comes back as it is."""
    try:
        import termios  # noqa: PLC0415 - only where there is a terminal of this kind

        from textual.drivers.linux_driver import LinuxDriver  # noqa: PLC0415 - can't be imported elsewhere
    except ImportError:
        return driver_class
    if driver_class is not LinuxDriver:
        return driver_class

    class SteadyDriver(LinuxDriver):
        """Goes on where it was stopped."""

        _working: list[Any] | None = None
        """The line settings while the application draws."""

        def start_application_mode(self) -> None:
            """Take the terminal, and remember how it was taken."""
            super().start_application_mode()  # type: ignore[no-untyped-call]
            if self.input_tty:
                self._working = termios.tcgetattr(self.fileno)

        def _sigcont_application(self, *_: object) -> None:
            if self._must_signal_resume:
                super()._sigcont_application()
            elif self._working is not None:
                self._retake()

        def _retake(self) -> None:
            """Take the terminal again: the shell that ruled meanwhile may have written on it."""
            assert self._working is not None
            termios.tcsetattr(self.fileno, termios.TCSANOW, self._working)
            self._app.call_later(self._app.refresh, layout=True)

    return SteadyDriver
