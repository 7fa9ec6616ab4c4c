"""Opening a state file: looked at first, over a connection that can't change it, then brought up to date.

Rules of this file. Whatever is wrong is one ``StateFileError`` with one line, and the file is as it was. What
an older version wrote is read and written anew in one transaction, once it was found to make sense.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from protocol.core.identity import Address
from protocol.errors import StateFileError

from .lock import Lock
from .rows import SCHEMA, Row, peers_of, sealed, unsealed

__all__ = [
    "APPLICATION",
    "FORMAT",
    "REPLACE_PART",
    "Content",
    "companions",
    "connect",
    "create",
    "damage_of",
    "is_there",
    "last_bound",
    "read",
    "reason_of",
    "upgrade",
]

APPLICATION = 0x676F7331
"""SQLite's application id of a state file: "gos1"."""

FORMAT = 2
"""SQLite's user version: the newest format this program knows."""

UNSEALED_FORMAT = 1
"""The format whose rows have no checksums."""

BUSY_TIMEOUT = 0.25
"""Seconds to wait for somebody who looks into the file with other tools; the node stands still meanwhile."""

INDEX_SUFFIX = "-shm"
"""Ends the name of the index of SQLite's log."""

REPLACE_PART = "INSERT OR REPLACE INTO parts VALUES (?, ?, ?)"
SELECT_PARTS = "SELECT * FROM parts"
SELECT_MESSAGES = "SELECT * FROM messages ORDER BY position LIMIT ?"
SELECT_CLOCKS = "SELECT * FROM clocks ORDER BY position LIMIT ?"

SEALING = {
    "parts": (
        "ALTER TABLE parts ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0",
        "UPDATE parts SET checksum = ? WHERE name = ?",
    ),
    "messages": (
        "ALTER TABLE messages ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0",
        "UPDATE messages SET checksum = ? WHERE position = ?",
    ),
    "clocks": (
        "ALTER TABLE clocks ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0",
        "UPDATE clocks SET checksum = ? WHERE position = ?",
    ),
}
"""What makes a table without checksums one with them."""


def last_bound(path: str | os.PathLike[str]) -> Address | None:
    """Where the node of a state file was bound last; None if nothing says so. Nothing is changed.

    Raises:
        StateFileError: It is no state file, damaged, or in use.
    """
    real = Path(os.path.realpath(path))
    try:
        if not is_there(real):
            return None
        with contextlib.closing(Lock(real)):
            value = read(real, parts_only=True).parts.get("peers")
        return peers_of(value)[0] if value is not None else None
    except (ValueError, TypeError, sqlite3.Error, OSError) as error:
        raise StateFileError(real, reason_of(error)) from None


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
    if status.st_nlink > 1:  # each name would have a lock and a log of its own
        raise StateFileError(path, f"has {status.st_nlink} names (hard links): make it a copy of its own")
    if not status.st_size:
        refuse_log_of_nothing(path)
        return False
    with path.open("rb") as file:
        head = file.read(100)
    if not head.startswith(b"SQLite format 3\0") or int.from_bytes(head[68:72]) != APPLICATION:
        raise StateFileError(path, "is not a state file of this program")
    refuse_newer(path, int.from_bytes(head[60:64]))
    return True


def refuse_log_of_nothing(path: Path) -> None:
    """Refuse an empty file whose log holds something: a file that was emptied, not one that is new.

    Raises:
        StateFileError: There is such a log.
    """
    log = companions(path)[0]
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size:
            raise StateFileError(
                path,
                f"is empty, but its log {log.name} is not: restore both from a copy, or move {log.name} away"
                " to start as somebody new",
            )


def refuse_newer(path: Path, version: int) -> None:
    """Refuse a format that this program does not know.

    Raises:
        StateFileError: It was written by a newer version.
    """
    if version > FORMAT:
        raise StateFileError(
            path, f"was written by a newer version of this program: format {version}, known is {FORMAT}"
        )


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
            connection.execute(REPLACE_PART, sealed(("cluster", cluster.encode())))
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


class Content(NamedTuple):
    """What was in a state file."""

    format: int
    parts: dict[str, bytes]
    messages: list[Row]
    clocks: list[Row]


def read(path: Path, *, parts_only: bool = False) -> Content:
    """Everything in a state file, or all but its messages, over a connection that can't change it.

    What SQLite puts beside the file to read it is taken away again, so the caller must have the lock.

    Raises:
        StateFileError: It is damaged.
        ValueError: The same: a row is not what was written.
        sqlite3.Error: It can't be read.
    """
    before = {one for one in companions(path) if one.exists()}
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
        ) as connection:
            if not parts_only:
                check(connection, path)
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            refuse_newer(path, version)
            limit = (0 if parts_only else -1,)
            rows = [connection.execute(SELECT_PARTS).fetchall()]
            rows += [
                connection.execute(select, limit).fetchall() for select in (SELECT_MESSAGES, SELECT_CLOCKS)
            ]
    finally:
        for one in companions(path):
            if one not in before:
                one.unlink(missing_ok=True)
    if version > UNSEALED_FORMAT:
        rows = [[unsealed(row) for row in table] for table in rows]
    return Content(version, parts_of(rows[0]), rows[1], rows[2])


def parts_of(rows: list[Row]) -> dict[str, bytes]:
    """The rows of the table of parts, by name.

    Raises:
        ValueError: One is no bytes.
    """
    for name, value in rows:
        if not isinstance(value, bytes):
            raise ValueError(f"the part {name!a} is not what was written")  # noqa: TRY004 - one kind of error
    return dict(rows)


def upgrade(connection: sqlite3.Connection, content: Content) -> None:
    """Seal the rows of a file of an older format, all of them or none."""
    if content.format > UNSEALED_FORMAT:
        return
    connection.execute("BEGIN IMMEDIATE")
    tables: dict[str, list[Row]] = {
        "parts": list(content.parts.items()),
        "messages": content.messages,
        "clocks": content.clocks,
    }
    for table, (add, update) in SEALING.items():
        connection.execute(add)
        connection.executemany(update, [(sealed(row)[-1], row[0]) for row in tables[table]])
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("COMMIT")


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
    return path.with_name(path.name + "-wal"), path.with_name(path.name + INDEX_SUFFIX)


def reason_of(error: sqlite3.Error | OSError | ValueError | TypeError) -> str:
    """What went wrong, in words that follow a path."""
    if isinstance(error, OSError):
        return f"can't be used: {error.strerror or error}"
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith("SQLITE_BUSY"):
        return "is in use by another program"
    if code.startswith("SQLITE_IOERR_SHM"):
        return f"can't be used: there is no room for {INDEX_SUFFIX} beside it"
    if code and not code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_ERROR")):
        return f"can't be used: {error}"
    return damage_of(error)


def damage_of(error: Exception) -> str:
    """What of a file can't be understood, in words that follow a path; nothing of its bytes is quoted."""
    if isinstance(error, UnicodeError):
        return "is damaged: there are strange bytes in it"
    if isinstance(error, sqlite3.Error):  # speaks of SQL, or quotes what it found
        return "is damaged: its tables make no sense"
    return f"is damaged: {error}"
