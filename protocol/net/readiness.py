"""A thread that watches a socket for a loop that can't, such as the proactor loop of Windows."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
from collections.abc import Callable

__all__ = ["ReadinessThread"]


class ReadinessThread:
    """Calls ``on_readable`` on the loop whenever the socket has something to read.

    The thread only waits; reading stays on the loop. It looks again after each call has run, so one call at
    most is under way and the kernel's buffer is the only queue.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, fileno: int, on_readable: Callable[[], None]) -> None:
        """Start watching ``fileno``, which stays the caller's."""
        self._loop = loop
        self._fileno = fileno
        self._on_readable = on_readable
        self._served = threading.Event()
        self._stopped = False
        self._wake_end, self._thread_end = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="protocol-socket", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for that, which takes no longer than it needs to wake up."""
        self._stopped = True
        self._served.set()
        self._wake_end.send(b"\0")
        self._thread.join()
        self._wake_end.close()
        self._thread_end.close()

    def _run(self) -> None:
        while not self._stopped:
            ready, _, _ = select.select([self._fileno, self._thread_end.fileno()], [], [])
            if self._stopped or self._thread_end.fileno() in ready:
                return
            self._served.clear()
            try:
                self._loop.call_soon_threadsafe(self._serve)
            except RuntimeError:  # the loop was closed without this endpoint
                return
            self._served.wait()

    def _serve(self) -> None:
        try:
            if not self._stopped:
                self._on_readable()
        finally:
            self._served.set()
