"""Who uses a state file, and whether all that happened is in it: a small file beside it.

The lock goes with the process, however that ends. The mark must be written when there is no room on the disk
any more, so the file has its full size from the start and is only overwritten.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from protocol.errors import StateFileError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt

__all__ = ["Lock"]

SIZE = 64
"""Bytes of the file, always."""

UNSAVED = b"unsaved "
"""Stands at the front while the node went on in memory: its identity was used beyond what the file says."""

TRIES = 100
"""Attempts on a lock whose file vanishes meanwhile; each needs another process that just ended."""


class Lock:
    """The lock of one state file, held."""

    def __init__(self, path: Path) -> None:
        """Take the lock of the state file at ``path``.

        Raises:
            StateFileError: Somebody else has it, or there is no place for it.
        """
        self.path = path.with_name(path.name + ".lock")
        self._state = path
        self._fd = self._open()
        self.was_unsaved = self._read().startswith(UNSAVED)
        """Whether the last user could not save everything."""
        self._is_marked = self.was_unsaved
        try:
            self._write()
        except OSError as error:
            self.release()
            raise StateFileError(path, f"can't be locked: {error.strerror}") from None

    def mark_unsaved(self, *, unsaved: bool) -> None:
        """Note that not everything is in the state file, or that it is again."""
        if unsaved != self._is_marked:
            self._is_marked = unsaved
            self._write()

    def keep(self) -> None:
        """Take it anew if somebody removed its file.

        Raises:
            StateFileError: Somebody else has it by now, or there is no place for it.
        """
        if is_at(self._fd, self.path):
            return
        former, self._fd = self._fd, self._open()
        os.close(former)
        self._write()

    def release(self) -> None:
        """Let others have it; a second call does nothing."""
        if self._fd < 0:
            return
        is_ours = is_at(self._fd, self.path)
        if fcntl is None:  # Windows removes no file that is open
            os.close(self._fd)
        if is_ours and not self._is_marked:
            with contextlib.suppress(OSError):
                self.path.unlink()
        if fcntl is not None:
            os.close(self._fd)
        self._fd = -1

    close = release

    def _open(self) -> int:
        """The file, locked and still there: who held it before may just have removed it."""
        for _ in range(TRIES):
            try:
                fd = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            except FileNotFoundError:
                raise StateFileError(self._state, "can't be made: its directory is not there") from None
            except OSError as error:
                raise StateFileError(self._state, f"can't be locked: {error.strerror}") from None
            try:
                take(fd)
            except OSError:
                os.lseek(fd, 0, os.SEEK_SET)
                holder = os.read(fd, SIZE).removeprefix(UNSAVED).split()[:1]
                os.close(fd)
                who = f" (process {holder[0].decode('ascii', 'replace')})" if holder else ""
                raise StateFileError(self._state, f"is in use by another node{who}") from None
            if is_at(fd, self.path):
                return fd
            os.close(fd)
        raise StateFileError(self._state, "is in use by other nodes that come and go")

    def _read(self) -> bytes:
        os.lseek(self._fd, 0, os.SEEK_SET)
        return os.read(self._fd, SIZE)

    def _write(self) -> None:
        text = (UNSAVED if self._is_marked else b"") + str(os.getpid()).encode()
        os.lseek(self._fd, 0, os.SEEK_SET)
        os.write(self._fd, text.ljust(SIZE))


def take(fd: int) -> None:
    """Lock an open file for this descriptor.

    Raises:
        OSError: Somebody else has it.
    """
    if fcntl is not None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        os.lseek(fd, SIZE, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)


def is_at(fd: int, path: Path) -> bool:
    """Whether the open file is the one at ``path``."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except OSError:
        return False
