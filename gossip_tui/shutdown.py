"""Leaving well: signals end in order, terminals are left as they were, closed pipes make no noise."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

try:
    import termios
except ImportError:  # Windows
    termios = None  # type: ignore[assignment]

__all__ = ["ending_signals", "give_up_stdout", "restored_terminal", "terminal_is_gone"]

LEAVE_SCREEN = (
    "\x1b[?2026l"  # end of a synchronised frame
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1015l\x1b[?1006l"  # mouse reports off
    "\x1b[?2004l\x1b[?1004l"  # bracketed paste and focus reports off
    "\x1b[<u"  # keyboard protocol back
    "\x1b[?1049l\x1b[?25h\x1b[0m\r\n"  # normal screen, cursor, colours
)
"""What a terminal is told when an application died without saying it; harmless where it was said already."""


def ending_signal_numbers() -> list[signal.Signals]:
    """The signals that ask a program to end, as far as this system has them."""
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


@contextlib.contextmanager
def ending_signals(leave: Callable[[], object]) -> Iterator[None]:
    """Within the block, Ctrl-C, SIGTERM and SIGHUP call ``leave`` in the running loop instead of killing.

    Each further signal calls it again, so it must bear that. Must be entered in the main thread of the loop.
    """
    loop = asyncio.get_running_loop()
    former = {number: signal.getsignal(number) for number in ending_signal_numbers()}
    for number in former:
        try:
            loop.add_signal_handler(number, leave)
        except NotImplementedError:
            # Windows: no handlers in the loop, so the callback has to be carried over to it.
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(leave))
    try:
        yield
    finally:
        for number, handler in former.items():
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler or signal.SIG_DFL)


@contextlib.contextmanager
def restored_terminal() -> Iterator[None]:
    """After the block the terminal has its line settings back; if the block failed, its screen as well."""
    saved = line_settings()
    try:
        yield
    except BaseException:
        leave_screen()
        raise
    finally:
        restore_line_settings(saved)


def line_settings() -> list[Any] | None:
    """The terminal's line settings; None without a terminal, or on a system that has no such thing."""
    if termios is None or sys.__stdin__ is None:
        return None
    try:
        return termios.tcgetattr(sys.__stdin__.fileno())
    except (ValueError, OSError, termios.error):
        return None


def terminal_is_gone() -> bool:
    """Whether the terminal this program was started on has been closed: nobody is left to be told."""
    return termios is not None and line_settings() is None


def restore_line_settings(saved: list[Any] | None) -> None:
    """Put the line settings back; a terminal that is gone needs none."""
    if termios is None or saved is None or sys.__stdin__ is None:
        return
    with contextlib.suppress(termios.error, OSError, ValueError):
        termios.tcsetattr(sys.__stdin__.fileno(), termios.TCSANOW, saved)


def leave_screen() -> None:
    """Tell the terminal to leave whatever modes an application may have set."""
    stream = sys.__stderr__
    with contextlib.suppress(OSError, ValueError):
        if stream is not None and stream.isatty():
            stream.write(LEAVE_SCREEN)
            stream.flush()


def give_up_stdout() -> None:
    """Let nothing more be written to standard output, whose reader is gone, not even on exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.__stdout__.fileno())  # type: ignore[union-attr]
        os.close(null)
