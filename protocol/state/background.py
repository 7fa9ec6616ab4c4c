"""What waits for the disk, in a thread of its own: flushing SQLite's log, and checkpoints."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from protocol.errors import StateFileError

from .places import Places

__all__ = ["CHECKPOINT_SIZE", "FLUSH_PERIOD", "Background"]

FLUSH_PERIOD = 1.0
"""Seconds between two flushes while something is written: what a power failure may cost; a choice."""

CHECKPOINT_SIZE = 4 * 1024 * 1024
"""Bytes written, about, after which they are brought from the log into the file: SQLite's own default."""

LOG_LIMIT = 32 * 1024 * 1024
"""Bytes of SQLite's log at which it is emptied even if a commit has to wait for that; only a node that writes
without a pause ever comes here."""


class Background:
    """Flushes and checkpoints of one state file; the thread runs once something was written."""

    def __init__(self, path: Path, places: Places, on_write: Callable[[], None] | None = None) -> None:
        """Work for the file at ``path`` while it is there; ``on_write`` is called around checkpoints."""
        self._path = path
        self._places = places
        self._log = path.with_name(path.name + "-wal")
        self._on_write = on_write
        self._stopped = False
        self._wake = threading.Condition()
        self._is_dirty = False
        self._size = 0
        self._thread: threading.Thread | None = None

    def note(self, size: int) -> None:
        """About so many bytes were committed."""
        with self._wake:
            self._size += size
            if self._is_dirty:
                return
            self._is_dirty = True
            self._wake.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="protocol-state", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for what it is at; a second call does nothing."""
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def checkpoint(self) -> None:
        """Bring what is in SQLite's log into the file; new commits go on meanwhile."""
        if self._on_write is not None:
            self._on_write()
        with contextlib.closing(
            sqlite3.connect(f"{self._path.as_uri()}?mode=rw", uri=True, isolation_level=None)
        ) as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            if self._log.stat().st_size > LOG_LIMIT:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if self._on_write is not None:
            self._on_write()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._is_dirty or self._stopped)
                self._wake.wait_for(lambda: self._stopped, FLUSH_PERIOD)
                if self._stopped:
                    return
                self._is_dirty = False
                is_due = self._size >= CHECKPOINT_SIZE
                if is_due:
                    self._size = 0
            # What fails here fails at the next commit as well, which says so.
            with contextlib.suppress(OSError, sqlite3.Error, StateFileError):
                self._places.check()  # else the log would be brought into another file
                self._flush()
                if is_due:
                    self.checkpoint()

    def _flush(self) -> None:
        fd = os.open(self._log, os.O_RDWR)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
