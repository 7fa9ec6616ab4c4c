"""Lines out and lines in without ever making a node wait: pipes block, so threads hold them.

The threads are daemons and use file descriptors, not Python's buffered streams: a program that ends must
neither wait for a reader that sleeps nor find a stream locked.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import select
import stat
import threading
from collections.abc import Awaitable, Callable
from typing import NamedTuple

__all__ = ["LINE_LIMIT", "Line", "LineReader", "LineSplitter", "LineWriter"]

LINE_LIMIT = 1024 * 1024 + 1
"""Bytes of an input line that are kept: one more than any message takes."""

BUFFER_LIMIT = 256 * 1024
"""Characters that may wait for a slow reader of the output before the writer of more has to wait."""

BLOCK_SIZE = 64 * 1024
"""Bytes per read: what a pipe holds on Linux."""

GONE = frozenset({errno.EPIPE, errno.EIO, errno.EBADF, errno.ECONNRESET})
"""What a write says when nobody will ever read it: a closed pipe, a terminal that went away."""


class LineWriter:
    """Writes lines to a file descriptor in a thread, in order.

    Args:
        fd: Where to; stays open.
        on_gone: Called in the loop, once, when nobody reads any more or writing fails.
    """

    def __init__(self, fd: int, on_gone: Callable[[], None]) -> None:
        self.error: OSError | None = None
        """What made writing fail, other than a reader that is gone."""
        self._fd = fd
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._lines: list[str] = []
        self._waiting_size = 0
        self._writing = False
        self._gone = False
        self._changed = threading.Condition()
        self._room = asyncio.Event()
        self._watched = self._watch()
        threading.Thread(target=self._run, name="gossip-tui lines out", daemon=True).start()

    async def write(self, line: str) -> None:
        """Queue a line, its end added; waits while too much is waiting already. Nothing if nobody reads."""
        if self._gone:
            return
        with self._changed:
            self._lines.append(line)
            self._waiting_size += len(line)
            full = self._waiting_size > BUFFER_LIMIT
            if full:
                self._room.clear()
            self._changed.notify()
        if full:
            await self._room.wait()

    async def flush(self) -> None:
        """Wait until everything queued is written or nobody reads any more."""
        while not self._gone:
            with self._changed:
                if not self._lines and not self._writing:
                    return
                self._room.clear()
            await self._room.wait()

    def close(self) -> None:
        """Stop watching the reader; what is queued may still be written."""
        if self._watched:
            self._watched = False
            self._loop.remove_reader(self._fd)

    def _watch(self) -> bool:
        """Notice a reader that goes while there is nothing to write; only pipes can tell."""
        try:
            if not stat.S_ISFIFO(os.fstat(self._fd).st_mode):
                return False
            self._loop.add_reader(self._fd, self._look)
        except (NotImplementedError, OSError):
            return False
        return True

    def _look(self) -> None:
        poll = select.poll()
        poll.register(self._fd, 0)
        if poll.poll(0):
            self._end()

    def _end(self) -> None:
        if not self._gone:
            self._gone = True
            self.close()
            self._room.set()
            self._on_gone()

    def _run(self) -> None:
        try:
            while True:
                self._write_all(self._take())
                self._tell(self._room.set)
        except OSError as error:
            if error.errno not in GONE:
                self.error = error
            self._tell(self._end)

    def _take(self) -> bytes:
        with self._changed:
            self._writing = False
            self._changed.wait_for(lambda: self._lines)
            self._writing = True
            lines, self._lines = self._lines, []
            self._waiting_size = 0
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")

    def _write_all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._fd, rest) :]
            except BlockingIOError:
                # Somebody who shares the descriptor made it non-blocking.
                select.select([], [self._fd], [])
        with self._changed:
            self._writing = False

    def _tell(self, callback: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
            self._loop.call_soon_threadsafe(callback)


class Line(NamedTuple):
    """One line of input without its end."""

    content: bytes
    """The bytes, at most ``LINE_LIMIT`` of them."""
    size: int
    """How many bytes the line had."""


class LineSplitter:
    """Cuts a stream of bytes into lines; of a very long one it keeps the start and counts the rest."""

    def __init__(self) -> None:
        self._start = b""
        self._size = 0

    def feed(self, data: bytes) -> list[Line]:
        r"""The lines that end in ``data``.

        >>> splitter = LineSplitter()
        >>> splitter.feed(b"one\ntw")
        [Line(content=b'one', size=3)]
        >>> splitter.feed(b"o\n")
        [Line(content=b'two', size=3)]
        """
        *ended, rest = data.split(b"\n")
        lines = []
        for part in ended:
            self._add(part)
            lines.append(self._end())
        self._add(rest)
        return lines

    def finish(self) -> list[Line]:
        """What stands behind the last line end, if anything."""
        return [self._end()] if self._size else []

    def _add(self, part: bytes) -> None:
        self._start += part[: LINE_LIMIT - len(self._start)]
        self._size += len(part)

    def _end(self) -> Line:
        line = Line(self._start, self._size)
        self._start, self._size = b"", 0
        return line


class LineReader:
    """Reads lines from a file descriptor in a thread and hands them to a coroutine, block by block.

    The next block is read when the coroutine is through with the last one, so a fast source is held back. The
    end of the input ends the thread and nothing else.
    """

    def __init__(self, fd: int, take: Callable[[list[Line]], Awaitable[None]]) -> None:
        self._fd = fd
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Future[None] | None = None
        threading.Thread(target=self._run, name="gossip-tui lines in", daemon=True).start()

    def _run(self) -> None:
        splitter = LineSplitter()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            while data := self._read():
                self._hand_over(splitter.feed(data))
            self._hand_over(splitter.finish())

    def _read(self) -> bytes:
        while True:
            try:
                return os.read(self._fd, BLOCK_SIZE)
            except BlockingIOError:
                select.select([self._fd], [], [])
            except OSError:
                return b""

    def _hand_over(self, lines: list[Line]) -> None:
        if lines:
            taken = threading.Event()
            self._loop.call_soon_threadsafe(self._start, lines, taken)
            taken.wait()

    def _start(self, lines: list[Line], taken: threading.Event) -> None:
        self._task = asyncio.ensure_future(self._take(lines))
        self._task.add_done_callback(lambda _: taken.set())
