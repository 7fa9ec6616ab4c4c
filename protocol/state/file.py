"""One state file: opened with suspicion, written in whole transactions, read once.

Rules of this file. A commit is a write into SQLite's log and waits for no disk: a process that is killed
loses nothing of it. Flushing and checkpoints are another thread's, so a power failure may lose the last
second or two; what remains is always a prefix. A file that can't be used is left as it was.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Self

from protocol.core.identity import Address
from protocol.core.ledger import News
from protocol.core.saved import Saved, Standing
from protocol.errors import StateFileError

from .background import Background
from .consistency import check_saved
from .lock import Lock
from .log import check_log
from .opening import (
    REPLACE_PART,
    Content,
    companions,
    connect,
    create,
    damage_of,
    is_there,
    read,
    reason_of,
    upgrade,
)
from .places import Places
from .rows import (
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
    sealed,
)

__all__ = ["StateFile"]

INSERT_MESSAGE = "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
INSERT_CLOCK = "INSERT INTO clocks VALUES (?, ?, ?)"

ROW_SIZE = 300
"""Bytes of a message's row beside its payload, about, to reckon how much there is to checkpoint."""

COMMIT_SIZE = 3 * 4096
"""Bytes that a commit writes at the least, about: pages are written whole."""


class StateFile:
    """A state file in use by this process alone."""

    def __init__(self, path: Path, lock: Lock, content: Content) -> None:
        """Understand what ``open`` read, for ``open`` to go on.

        Raises:
            StateFileError: It can't be understood.
        """
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
        self._written: dict[str, bytes] = {}
        self._take(content)

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
        try:
            if not is_there(real):
                create(real, cluster)
            has_rest = check_log(real, companions(real)[0])
            content = read(real)
            refuse_other_cluster(real, content, cluster)
            file = cls(real, lock, content)
            file._connect(content, on_write, has_rest=has_rest)
        except BaseException as error:
            lock.release()
            if isinstance(error, sqlite3.Error | OSError | ValueError):
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
        """Write all of this, or nothing; what the file has already is not written, but it is looked for.

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
        try:
            self._lock.keep()
            self._places.check()
            if changed or news is not None:
                self._transact(news, changed)
        except StateFileError:
            self._mark(unsaved=True)
            raise
        except (sqlite3.Error, OSError) as error:
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
                self._execute(INSERT_MESSAGE, sealed(message_row(message)))
                size += ROW_SIZE + len(message.payload)
            for clock in news.clocks:
                row = clock_row(clock)
                self._execute(INSERT_CLOCK, sealed(row))
                size += len(row[1])
        for name, value in parts.items():
            self._execute(REPLACE_PART, sealed((name, value)))
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

    def _connect(self, content: Content, on_write: Callable[[], None] | None, *, has_rest: bool) -> None:
        """Begin to write, in the newest format and into a log without a rest behind it.

        Raises:
            OSError: The files can't be used.
            sqlite3.Error: The same.
        """
        self._on_write = on_write
        self._connection = connect(self.path)
        try:
            self._places = Places(self.path, companions(self.path))
            self._background = Background(self.path, self._places, on_write)
            upgrade(self._connection, content)
            if has_rest:
                empty_log(self._connection)
        except BaseException:
            self._connection.close()
            raise

    def _take(self, content: Content) -> None:
        """Understand what was read.

        Raises:
            StateFileError: It can't be understood.
        """
        try:
            if "identity" in content.parts:
                self._take_saved(content)
            else:
                refuse_nameless(content)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise StateFileError(self.path, damage_of(error)) from None
        self._written = content.parts

    def _take_saved(self, content: Content) -> None:
        parts = content.parts
        node, is_newcomer, covered, self.has_left = identity_of(parts["identity"])
        self.bound, peers = peers_of(parts["peers"]) if "peers" in parts else (None, ())
        prefix = prefix_of(parts["prefix"]) if "prefix" in parts else None
        messages = tuple(map(message_of, content.messages))
        clocks = tuple(map(clock_of, content.clocks))
        self.saved = Saved(Standing(node, is_newcomer, covered, peers), prefix, messages, clocks)
        check_saved(self.saved)


def empty_log(connection: sqlite3.Connection) -> None:
    """Bring all of the log into the file, so that nothing is left behind what is written next."""
    with contextlib.suppress(sqlite3.Error):  # a full disk: commits say so
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def refuse_other_cluster(path: Path, content: Content, cluster: str) -> None:
    """Refuse the file of a node of another cluster.

    Raises:
        StateFileError: It is.
        ValueError: Whose it is can't be read.
    """
    value = content.parts.get("cluster")
    if value is None:
        raise ValueError("nothing says whose it is")
    theirs = value.decode()
    if theirs != cluster:
        raise StateFileError(path, f"belongs to the cluster {theirs!a}, not to {cluster!a}")


def refuse_nameless(content: Content) -> None:
    """Refuse what is in a file that has no identity.

    Raises:
        ValueError: There is anything of a log.
    """
    if "prefix" in content.parts or content.messages or content.clocks:
        raise ValueError("messages are there, and nothing says whose they are")
