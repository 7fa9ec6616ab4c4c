"""The file a recording is written to: blocks by a thread of its own, so that no disk makes a node wait."""

from __future__ import annotations

import contextlib
import os
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

from msgpack import Packer

from protocol.text import printable

from .limits import RecordingError

__all__ = ["RecordingFile", "size_of_text"]

PENDING_LIMIT = 16 << 20
"""Bytes that may wait for a slow disk before the recording is given up."""

CLOSE_TIMEOUT = 2.0
"""Seconds that the last blocks may take when the program ends; a choice, people wait."""

LEVEL = 1
"""How hard zlib tries; more costs more than it saves."""

END_ROOM = 256
"""Bytes kept free below a limit, for the end."""

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

SMALLEST_LIMIT = 4 << 10
"""Bytes below which a recording would hold nothing."""


def size_of_text(text: str) -> int:
    """The bytes that ``10M``, ``500k`` or ``4096`` stand for.

    Raises:
        RecordingError: It is no size, or too small a one.
    """
    number, unit = text[:-1], text[-1:].upper()
    if text.isascii() and text.isdigit():
        number, unit = text, ""
    if unit not in UNITS or not (number.isascii() and number.isdigit()) or len(number) > 12:
        raise RecordingError(f"a size looks like 4096, 500K, 10M or 1G, not {text[:20]!a}")
    size = int(number) * UNITS[unit]
    if size < SMALLEST_LIMIT:
        raise RecordingError(f"a recording needs a limit of at least 4K, not {text[:20]!a}")
    return size


class RecordingFile:
    """A new file and the thread that writes it; what it has written survives the end of the program.

    Args:
        path: Must not exist yet: no recording is ever overwritten.
        head: The first bytes.
        limit: Bytes that the file may have; None for any number.

    Raises:
        RecordingError: There is a file of that name already, or none can be made there.
    """

    def __init__(self, path: Path, head: bytes, limit: int | None = None) -> None:
        self.path = path
        self.size = 0
        """Bytes written."""
        self.failure = ""
        """Why nothing is written any more, in words; empty as long as everything is."""
        self._limit = limit
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._closing = False
        self._changed = threading.Condition()
        self._on_failure: Callable[[], object] | None = None
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        name = printable(str(path))
        try:
            self._fd = os.open(path, flags, 0o666)
        except FileExistsError:
            raise RecordingError(f"{name} exists already and is kept: record to another name") from None
        except OSError as error:
            raise RecordingError(f"{name} can't be written: {error.strerror}") from None
        try:
            self._write(head)
        except OSError as error:
            os.close(self._fd)
            path.unlink(missing_ok=True)
            raise RecordingError(f"{name} can't be written: {error.strerror}") from None
        self._thread = threading.Thread(target=self._run, name="gossip-tui recording", daemon=True)
        self._thread.start()

    def when_failed(self, call: Callable[[], object]) -> None:
        """Have ``call`` called from the thread, once, when writing fails."""
        self._on_failure = call

    def append(self, records: bytes) -> None:
        """Queue packed records as one block; never waits."""
        with self._changed:
            if self.failure or self._closing:
                return
            self._waiting.append(records)
            self._waiting_size += len(records)
            if self._waiting_size > PENDING_LIMIT:
                self.failure = "the disk is too slow"
                self._waiting.clear()
            self._changed.notify()

    def close(self) -> None:
        """Write what is queued and the end, and close; ``wait`` waits for it."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def wait(self) -> None:
        """Wait until everything is written after ``close``, but not for ever."""
        self._thread.join(CLOSE_TIMEOUT)

    def _run(self) -> None:
        pack = Packer().pack
        folding = zlib.compressobj(LEVEL)
        try:
            while (records := self._take()) is not None:
                block = pack(folding.compress(records) + folding.flush(zlib.Z_SYNC_FLUSH))
                if self._limit is not None and self.size + len(block) + END_ROOM > self._limit:
                    self.failure = f"it reached its limit of {self._limit:,} bytes"
                    break
                self._write(block)
            self._write(pack([self.failure]))
        except OSError as error:
            self.failure = error.strerror or str(error)
        with contextlib.suppress(OSError):
            os.close(self._fd)
        if self.failure and self._on_failure is not None:
            self._on_failure()

    def _take(self) -> bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing or self.failure)
            if not self._waiting:
                return None
            records = self._waiting.pop(0)
            self._waiting_size -= len(records)
            return records

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written = os.write(self._fd, rest)
            self.size += written
            rest = rest[written:]
