"""Keeps a node's state file up to date: own messages at once, what others sent a moment later, in one go.

Whatever is written holds every delivery before it. When the file can't be written the node goes on in memory
and says so, and tries again now and then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from protocol.core.events import Event, StateFailed, StateRecovered
from protocol.core.identity import Address, NodeId
from protocol.core.machine import Machine
from protocol.errors import StateFileError
from protocol.net.naming import new_identity
from protocol.state import StateFile

__all__ = ["Saver", "identity_from", "open_state"]

SAVE_DELAY = 0.05
"""Seconds that deliveries wait for company before they are saved: what others sent can be had again, and one
commit for many costs little."""

PEERS_PERIOD = 5.0
"""Seconds between two notes of whom the node knows: after a restart any of them will do."""

FEW_PEERS = 4
"""Known peers up to which each counts: a killed node that knows nobody stays alone."""

FEW_PEERS_PERIOD = 0.25
"""Seconds between two such notes while so few are known."""

RETRY_PERIOD = 2.0
"""Seconds until a file that could not be written is tried again."""


class Saver:
    """Writes what one machine delivers into one state file, on the running event loop."""

    def __init__(self, file: StateFile, machine: Machine, bound: Address) -> None:
        """Save ``machine``, restored already if there was anything to restore, from now on."""
        self.problem = ""
        """Why the file can't be written now; empty if all is well."""
        self.tell: Callable[[Sequence[Event]], None] = lambda _events: None
        """Takes what there is to say."""
        self._file = file
        self._machine = machine
        self._bound = bound
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._peers_at = 0.0
        self._retry_at = 0.0
        self._closed = False

    def note(self) -> None:
        """Save soon, if there is anything new, and now and then whom the node knows."""
        if self._timer is not None or self._closed:
            return
        if self._machine.ledger.is_behind or self._loop.time() >= self._peers_at:
            self._timer = self._loop.call_later(SAVE_DELAY, self._save_batch)

    def save(self) -> None:
        """Save everything now, unless the file failed a moment ago."""
        if self._closed or self._loop.time() < self._retry_at:
            return
        self._write(has_left=False)

    def save_peers(self) -> None:
        """Save now whom the node knows: it was just told of somebody."""
        self._peers_at = 0.0
        self.save()

    async def close(self, *, has_left: bool) -> None:
        """Save what is left and give the file back. Idempotent."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self._peers_at = 0.0
        try:
            self._write(has_left=has_left)
        finally:
            await asyncio.to_thread(self._file.close)

    def _save_batch(self) -> None:
        self._timer = None
        if self._loop.time() < self._retry_at:
            self._timer = self._loop.call_at(self._retry_at, self._save_batch)
        else:
            self._write(has_left=False)
            self.note()

    def _write(self, *, has_left: bool) -> None:
        machine, now = self._machine, self._loop.time()
        bound = self._bound if now >= self._peers_at else None
        standing = machine.standing(with_peers=bound is not None)
        if bound is not None:
            are_few = len(standing.peers) <= FEW_PEERS
            self._peers_at = now + (FEW_PEERS_PERIOD if are_few else PEERS_PERIOD)
        news = machine.ledger.news() if machine.ledger.is_behind else None
        try:
            self._file.write(standing, news, has_left=has_left, bound=bound)
        except StateFileError as error:
            self._peers_at = 0.0
            self._retry_at = now + RETRY_PERIOD
            if not self.problem:
                self.problem = error.reason
                # In the next turn, when whoever just started the node listens.
                self._loop.call_soon(self.tell, [StateFailed(str(error.path), error.reason)])
            return
        if news is not None:
            machine.ledger.confirm(news)
        self._retry_at = 0.0
        if self.problem:
            self.problem = ""
            self.tell([StateRecovered(str(self._file.path))])


async def open_state(path: str, cluster: str) -> StateFile:
    """Open a state file beside the loop.

    Raises:
        StateFileError: It can't be used.
    """
    opening = asyncio.get_running_loop().run_in_executor(None, StateFile.open, path, cluster)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(give_back)
        raise


def give_back(opening: asyncio.Future[StateFile]) -> None:
    """Close a file that nobody waited for."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def identity_from(file: StateFile, name: str | None) -> tuple[NodeId, NodeId | None] | None:
    """Who the node is by its state file, and who it was if that is another one; None if the file is new.

    An identity that said goodbye, or that was used beyond what the file says, is followed by another one of
    the same name.

    Raises:
        StateFileError: It is another node's.
    """
    saved = file.saved
    if saved is None:
        return None
    node = saved.standing.id
    if name is not None and name != node.name:
        raise StateFileError(file.path, f"is that of the node {node.name}, not of {name}")
    if not (file.has_left or file.is_incomplete):
        return node, None
    fresh = new_identity(node.name, None)
    later = NodeId(node.name, max(fresh.incarnation, node.incarnation + 1))
    return later, node
