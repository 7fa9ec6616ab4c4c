"""One state file: opened with suspicion, written in whole transactions, read once.

Rules of this file. A commit is a write into SQLite's log and waits for no disk: a process that is killed
loses nothing of it. Flushing and checkpoints are another thread's, so a power failure may lose the last
second or two; what remains is always a prefix. A file that can't be used is left as it was.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Self

from protocol.core.identity import Address
from protocol.core.ledger import News
from protocol.core.saved import Saved, Standing
from protocol.errors import StateFileError

from .background import Background
from .lock import Lock
from .rows import (
    SCHEMA,
    Row,
    clock_of,
    clock_row,
    identity_of,
    message_of,
    message_row,
    pack_identity,
    pack_peers,
    pack_prefix,
    peers_of,
    prefix_of,
)

__all__ = ["APPLICATION", "FORMAT", "StateFile", "last_bound"]

APPLICATION = 0x676F7331
"""SQLite's application id of a state file: "gos1"."""

FORMAT = 1
"""SQLite's user version: the newest format this program knows, and the only one so far."""

BUSY_TIMEOUT = 0.25
"""Seconds to wait for somebody who looks into the file with other tools; the node stands still meanwhile."""

ROW_SIZE = 300
"""Bytes of a message's row beside its payload, about, to reckon how much there is to checkpoint."""

COMMIT_SIZE = 3 * 4096
"""Bytes that a commit writes at the least, about: pages are written whole."""

INSERT_MESSAGE = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_CLOCK = "INSERT INTO clocks VALUES (?, ?)"
REPLACE_PART = "INSERT OR REPLACE INTO parts VALUES (?, ?)"


class StateFile:
    """A state file in use by this process alone."""

    def __init__(
        self, path: Path, lock: Lock, connection: sqlite3.Connection, on_write: Callable[[], None] | None
    ) -> None:
        """Wrap what ``open`` opened."""
        self.path = path
        self.saved: Saved | None = None
        """What was in the file; None if nobody used it yet."""
        self.bound: Address | None = None
        """Where the node was bound."""
        self.has_left = False
        """Whether the node said goodbye in the end, so that its identity is used up."""
        self.is_incomplete = lock.was_unsaved
        """Whether the node went on in memory when it could not write here."""
        self._lock = lock
        self._connection = connection
        self._on_write = on_write
        self._written: dict[str, bytes] = {}
        self._background = Background(path, on_write)

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], cluster: str, *, on_write: Callable[[], None] | None = None
    ) -> Self:
        """Open or make a state file, and read it.

        Args:
            path: The file; made, with access for its owner only, if it does not exist.
            cluster: The cluster whose node this is.
            on_write: Called around every step of every write, for tests.

        Raises:
            StateFileError: It is in use, damaged, not writable, of another cluster or a newer version, or no
                state file at all; it is as it was.
        """
        real = Path(os.path.realpath(path))
        lock = Lock(real)
        connection: sqlite3.Connection | None = None
        try:
            if not is_there(real):
                create(real, cluster)
            parts, messages, clocks = read(real)
            connection = connect(real)
            file = cls(real, lock, connection, on_write)
            file._take(parts, messages, clocks, cluster)
        except BaseException as error:
            if connection is not None:
                connection.close()
            lock.release()
            if isinstance(error, sqlite3.Error | OSError):
                raise StateFileError(real, reason_of(error)) from None
            raise
        return file

    def write(
        self,
        standing: Standing,
        news: News | None = None,
        *,
        has_left: bool = False,
        bound: Address | None = None,
    ) -> None:
        """Write all of this, or nothing.

        Args:
            standing: The node's place in the network.
            news: What its ledger has, if anything.
            has_left: It has said goodbye.
            bound: Where it listens; without that, whom it knows is not written this time either.

        Raises:
            StateFileError: It can't be written; the file holds what it held.
        """
        parts = {"identity": pack_identity(standing, has_left=has_left)}
        if bound is not None:
            parts["peers"] = pack_peers(bound, standing.peers)
        if news is not None and news.prefix is not None:
            parts["prefix"] = pack_prefix(news.prefix)
        changed = {name: value for name, value in parts.items() if self._written.get(name) != value}
        if not changed and news is None:
            return
        try:
            self._transact(news, changed)
        except sqlite3.Error as error:
            self._roll_back()
            self._mark(unsaved=True)
            raise StateFileError(self.path, f"can't be written: {error}") from None
        self._written |= changed
        self._mark(unsaved=False)

    def close(self) -> None:
        """Bring everything into the one file and let others have it; a second call does nothing.

        May wait for the disk.
        """
        self._background.stop()
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self._lock.release()

    def _transact(self, news: News | None, parts: dict[str, bytes]) -> None:
        self._execute("BEGIN IMMEDIATE")
        size = COMMIT_SIZE
        if news is not None:
            if news.prefix is not None:
                self._execute("DELETE FROM messages WHERE position < ?", (news.prefix.first,))
                self._execute("DELETE FROM clocks WHERE position < ?", (news.prefix.first,))
            for message in news.messages:
                self._execute(INSERT_MESSAGE, message_row(message))
                size += ROW_SIZE + len(message.payload)
            for clock in news.clocks:
                row = clock_row(clock)
                self._execute(INSERT_CLOCK, row)
                size += len(row[1])
        for name, value in parts.items():
            self._execute(REPLACE_PART, (name, value))
            size += len(value)
        self._execute("COMMIT")
        self._background.note(size)

    def _execute(self, statement: str, values: Row = ()) -> None:
        if self._on_write is not None:
            self._on_write()
        self._connection.execute(statement, values)
        if self._on_write is not None:
            self._on_write()

    def _roll_back(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK")

    def _mark(self, *, unsaved: bool) -> None:
        with contextlib.suppress(OSError):
            self._lock.mark_unsaved(unsaved=unsaved)

    def _take(
        self, parts: dict[str, bytes], messages: Iterable[Row], clocks: Iterable[Row], cluster: str
    ) -> None:
        """Understand what was read.

        Raises:
            StateFileError: It can't be understood, or belongs to another cluster.
        """
        try:
            theirs = parts["cluster"].decode()
            if theirs != cluster:
                raise StateFileError(self.path, f"belongs to the cluster {theirs!a}, not to {cluster!a}")
            if "identity" in parts:
                self._take_saved(parts, messages, clocks)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise StateFileError(self.path, f"is damaged: {error}") from None
        self._written = parts

    def _take_saved(self, parts: dict[str, bytes], messages: Iterable[Row], clocks: Iterable[Row]) -> None:
        node, is_newcomer, covered, self.has_left = identity_of(parts["identity"])
        self.bound, peers = peers_of(parts["peers"]) if "peers" in parts else (None, ())
        prefix = prefix_of(parts["prefix"]) if "prefix" in parts else None
        found = tuple(map(message_of, messages))
        first = prefix.first if prefix is not None else 1
        if (found and prefix is None) or any(
            message.position != position for position, message in enumerate(found, first)
        ):
            raise ValueError("messages are missing in between")
        if len({(message.origin, message.sequence) for message in found}) < len(found):
            raise ValueError("a message is there twice")
        standing = Standing(node, is_newcomer, covered, peers)
        self.saved = Saved(standing, prefix, found, tuple(map(clock_of, clocks)))


def last_bound(path: str | os.PathLike[str]) -> Address | None:
    """Where the node of a state file was bound last; None if nothing says so. Nothing is changed.

    Raises:
        StateFileError: It is no state file, or damaged.
    """
    real = Path(os.path.realpath(path))
    try:
        if not is_there(real):
            return None
        value = read(real, parts_only=True)[0].get("peers")
        return peers_of(value)[0] if value is not None else None
    except (ValueError, TypeError, sqlite3.Error, OSError) as error:
        raise StateFileError(real, f"is damaged: {error}") from None


def is_there(path: Path) -> bool:
    """Whether there is something at ``path`` that may be a state file; an empty file is nothing.

    Raises:
        StateFileError: There is something else, or it can't be written.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        return False
    if not path.is_file():
        raise StateFileError(path, "is no file")
    if not os.access(path, os.R_OK | os.W_OK) or not status.st_mode & 0o222:
        raise StateFileError(path, "can't be written: it is read-only")
    if not status.st_size:
        return False
    with path.open("rb") as file:
        head = file.read(100)
    if not head.startswith(b"SQLite format 3\0") or int.from_bytes(head[68:72]) != APPLICATION:
        raise StateFileError(path, "is not a state file of this program")
    version = int.from_bytes(head[60:64])
    if version > FORMAT:
        raise StateFileError(
            path, f"was written by a newer version of this program: format {version}, known is {FORMAT}"
        )
    return True


def create(path: Path, cluster: str) -> None:
    """Make an empty state file, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        connection = sqlite3.connect(draft, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("BEGIN")
            for statement in SCHEMA:
                connection.execute(statement)
            connection.execute(REPLACE_PART, ("cluster", cluster.encode()))
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        for leftover in companions(path):
            leftover.unlink(missing_ok=True)
        draft.replace(path)
    except BaseException:
        for one in (draft, *companions(draft)):
            one.unlink(missing_ok=True)
        raise


def read(path: Path, *, parts_only: bool = False) -> tuple[dict[str, bytes], list[Row], list[Row]]:
    """Everything in a state file, or all but its messages, over a connection that can't change it.

    Raises:
        StateFileError: It is damaged.
        sqlite3.Error: It can't be read.
    """
    before = {one for one in companions(path) if one.exists()}
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        if not parts_only:
            check(connection, path)
        parts = {name: bytes(value) for name, value in connection.execute("SELECT * FROM parts")}
        limit = (0 if parts_only else -1,)
        messages = connection.execute("SELECT * FROM messages ORDER BY position LIMIT ?", limit).fetchall()
        clocks = connection.execute("SELECT * FROM clocks ORDER BY position LIMIT ?", limit).fetchall()
    except BaseException:
        connection.close()
        for one in companions(path):
            if one not in before:
                one.unlink(missing_ok=True)
        raise
    connection.close()
    return parts, messages, clocks


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file whose pages make no sense.

    Raises:
        StateFileError: It is damaged.
    """
    try:
        problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except UnicodeDecodeError:  # SQLite quotes what it found
        problem = "there are strange bytes in its tables"
    if problem != "ok":
        raise StateFileError(path, f"is damaged: {problem.splitlines()[-1]}")


def connect(path: Path) -> sqlite3.Connection:
    """The connection that writes; checkpoints are left to another one."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False,
        timeout=BUSY_TIMEOUT,
    )  # fmt: skip
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
    except BaseException:
        connection.close()
        raise
    return connection


def companions(path: Path) -> tuple[Path, Path]:
    """SQLite's log and its index beside a file."""
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


def reason_of(error: sqlite3.Error | OSError) -> str:
    """What went wrong, in words that follow a path."""
    if isinstance(error, OSError):
        return f"can't be used: {error.strerror or error}"
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith("SQLITE_BUSY"):
        return "is in use by another program"
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return f"is damaged: {error}"
    return f"is damaged: {error}" if code == "SQLITE_ERROR" else str(error)
