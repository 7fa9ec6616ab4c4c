"""Programs on pseudo-terminals: typed at by byte, read through an emulator, waited for by what they show."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import selectors
import signal
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Sequence
from typing import Self

import pyte

from gossip_tui.ports import PortRange

HANG_GUARD = 60.0
"""Seconds after which a wait is a failure: nothing here takes a tenth of it, so no result depends on it."""

GET_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, sys.argv[1:])
"""
"""What a new session does before the program: make the terminal its own, so that keys can send signals."""

UNKNOWN_TO_PYTE = re.compile(
    rb"\x1b\[[<=>][\d;]*[a-z]|\x1b\[\?[\d;]*\$p|\x1b\[\?[\d;]*u|"
    rb"\x1b\[[\d;]*t|\x1bP.*?\x1b\\",
    re.DOTALL,
)
"""Sequences that pyte would print instead of obeying."""

UNFINISHED = re.compile(rb"\x1b(?:\[[^@-~]*|P[^\x1b]*)?\Z")
"""The start of a sequence whose end has not been read yet."""

FKEYS = {1: b"\x1bOP", 2: b"\x1bOQ", 3: b"\x1bOR", 8: b"\x1b[19~", 9: b"\x1b[20~", 10: b"\x1b[21~"}


class Terminal:
    """One program on a pseudo-terminal of its own."""

    def __init__(
        self, farm: Farm, name: str, words: Sequence[str], environment: dict[str, str], size: tuple[int, int]
    ) -> None:
        self.name = name
        self.raw = b""
        """Everything it ever wrote."""
        self._farm = farm
        self._screen = pyte.Screen(*size)
        self._stream = pyte.ByteStream(self._screen)
        self._unfinished = b""
        self._lines: list[str] | None = None
        self.fd, terminal_side = os.openpty()
        self._set_size(*size)
        self.modes = termios.tcgetattr(terminal_side)
        """The line settings as they were before the program."""
        self.process = subprocess.Popen(
            [sys.executable, "-c", GET_TERMINAL, sys.executable, *words],
            stdin=terminal_side,
            stdout=terminal_side,
            stderr=terminal_side,
            env=environment,
            start_new_session=True,
        )
        self._terminal_side = terminal_side

    @property
    def lines(self) -> list[str]:
        """The screen as it is now."""
        with self._farm.changed:
            if self._lines is None:
                self._lines = [line.rstrip() for line in self._screen.display]
            return self._lines

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines)

    def cells(self) -> list[list[tuple[str, str, str, bool]]]:
        """Every cell of the screen: character, foreground and background (a name or RRGGBB), whether bold."""
        with self._farm.changed:
            screen = self._screen
            rows = [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]
            return [
                [
                    (cell.data, *((cell.bg, cell.fg) if cell.reverse else (cell.fg, cell.bg)), cell.bold)
                    for cell in row
                ]
                for row in rows
            ]

    def feed(self, data: bytes) -> None:
        """Take what the program wrote; called by the farm, which holds the lock."""
        self.raw += data
        data = UNKNOWN_TO_PYTE.sub(b"", self._unfinished + data)
        found = UNFINISHED.search(data)
        self._unfinished = found.group() if found else b""
        self._stream.feed(data[: found.start()] if found else data)
        self._lines = None

    def type(self, keys: str | bytes) -> None:
        """Press keys."""
        os.write(self.fd, keys.encode() if isinstance(keys, str) else keys)

    def say(self, text: str) -> None:
        """Type a line and press Enter."""
        self.type(f"{text}\r")

    def press_f(self, number: int) -> None:
        """Press a function key."""
        self.type(FKEYS[number])

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window, as a window manager does."""
        with self._farm.changed:
            self._screen.resize(rows, columns)
            self._lines = None
        self._set_size(columns, rows)
        os.kill(self.process.pid, signal.SIGWINCH)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the program."""
        os.kill(self.process.pid, number)

    def wait_for(self, condition: Callable[[str], object], what: str) -> None:
        """Wait until the screen fulfils a condition."""
        self._farm.wait_for(lambda: condition(self.text), f"{self.name}: {what}")

    def wait_for_text(self, *parts: str) -> None:
        """Wait until all of these are on the screen."""
        self.wait_for(lambda text: all(part in text for part in parts), f"shows {parts}")

    def wait_for_end(self) -> int:
        """Wait until the program has ended and everything it wrote was read; returns its exit code."""
        try:
            code = self.process.wait(HANG_GUARD)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end:\n{self.text}") from None
        self._farm.settle(self)
        return code

    def is_restored(self) -> bool:
        """Whether the line settings are those from before the program."""
        return termios.tcgetattr(self._terminal_side) == self.modes

    def hang_up(self) -> None:
        """Close the window: the program is told by a signal and by writes that fail."""
        self._farm.forget(self)
        os.close(self._terminal_side)
        os.close(self.fd)

    def close(self) -> None:
        """End the program and release the terminal."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(HANG_GUARD)
        for fd in (self._terminal_side, self.fd):
            with contextlib.suppress(OSError):
                os.close(fd)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Farm:
    """Several terminals, read all the time by one thread, so that no program ever waits to be read."""

    def __init__(self, ports: PortRange, **settings: str) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.terminals: list[Terminal] = []
        self.ports = ports
        self._environment = environment(ports, **settings)
        self._selector = selectors.DefaultSelector()
        self._wake_fd, self._waker_fd = os.pipe()
        self._selector.register(self._wake_fd, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._read, name="terminals", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._waker_fd, b"q")
        self._thread.join(HANG_GUARD)
        for terminal in self.terminals:
            terminal.close()
        self._selector.close()
        os.close(self._wake_fd)
        os.close(self._waker_fd)

    def open(
        self, *words: str, name: str = "", size: tuple[int, int] = (120, 40), **settings: str
    ) -> Terminal:
        """Run ``gossip-tui`` with these words on a new terminal."""
        return self.run("-m", "gossip_tui", *words, name=name, size=size, **settings)

    def run(
        self, *words: str, name: str = "", size: tuple[int, int] = (120, 40), **settings: str
    ) -> Terminal:
        """Run Python with these words on a new terminal."""
        terminal = Terminal(self, name or " ".join(words), words, {**self._environment, **settings}, size)
        with self.changed:
            self.terminals.append(terminal)
        self._selector.register(terminal.fd, selectors.EVENT_READ, terminal)
        os.write(self._waker_fd, b"n")
        return terminal

    def forget(self, terminal: Terminal) -> None:
        """Read this terminal no more."""
        with self.changed:
            self._selector.unregister(terminal.fd)

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Wait until something is so on the screens.

        Raises:
            AssertionError: It never came to be; the text shows what every screen shows instead.
        """
        with self.changed:
            if not self.changed.wait_for(condition, HANG_GUARD):
                shown = "\n".join(f"=== {one.name} ===\n{one.text}" for one in self.terminals)
                raise AssertionError(f"never came: {what}\n{shown}")

    def settle(self, terminal: Terminal) -> None:
        """Wait until everything that a program wrote before it ended was read."""
        mark = b"\x1b[0m\x1b[0m\x1b[0m"
        os.write(terminal._terminal_side, mark)
        self.wait_for(lambda: terminal.raw.endswith(mark), f"{terminal.name}: read to the end")

    def _read(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    if os.read(self._wake_fd, 1) == b"q":
                        return
                    continue
                with self.changed:
                    # Under the lock, so that no terminal is closed between being ready and being read.
                    if key.fd in self._selector.get_map():
                        key.data.feed(os.read(key.fd, 1 << 16))
                        self.changed.notify_all()


def environment(ports: PortRange, **settings: str) -> dict[str, str]:
    """The environment of a program under test: this one's, without what would change the screen."""
    unwanted = ("GOSSIP_TUI_", "TEXTUAL", "COLUMNS", "LINES", "NO_COLOR", "COLORTERM", "TERM", "PYTEST")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    own = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONUTF8": "1", "GOSSIP_TUI_TOUR": "0"}
    return {**kept, **own, "GOSSIP_TUI_PORTS": str(ports), **settings}
