"""Records running nodes: listens to them as a screen does, and hands what it hears to a file."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from gossip_tui.feed import report_failure
from gossip_tui.observed import NodeState
from gossip_tui.shown import Recorded
from protocol.core.events import Event
from protocol.core.faults import NOTHING_DONE, FaultReport
from protocol.core.messages import Message

from .encoder import RecordEncoder, head_of
from .file import RecordingFile
from .limits import TRACKS_LIMIT
from .recording import CHANGE

__all__ = ["Recorder"]

PERIOD = 0.25
"""Seconds between two pictures of the node one sits on: what a screen shows. At each a block is written, so
that a killed program loses no more than this."""

TURNS = 4
"""The other nodes of a swarm are pictured in turn, each once in so many periods: once a cycle."""

YIELD_EVERY = 64
"""Messages of a long history that are packed before the node has a turn: a millisecond."""

CHUNK_LIMIT = 256 << 10
"""Bytes of records that make a block before the period is over."""


class Recorder:
    """Writes a recording of one node, or of all nodes of a swarm, until it is stopped or can't go on.

    Args:
        path: A file that does not exist yet.
        nodes: The nodes as they are now; asked again and again, since nodes come back as new ones.
        seat: Which of them is looked at; its pictures are the closest.
        fates: What was done to each of them, such as a crash.
        source: What this is: ``run``, ``demo`` or ``tail``.
        program: The version of the program.
        limit: Bytes that the file may have.
        on_end: Called once in the loop when the recording ends by itself, with the reason.

    Raises:
        RecordingError: The file exists or can't be made.
    """

    def __init__(
        self,
        path: Path,
        nodes: Callable[[], Sequence[Recorded]],
        *,
        seat: Callable[[], int] = lambda: 0,
        fates: Callable[[], Sequence[NodeState]] = tuple,
        source: str,
        program: str,
        limit: int | None = None,
        on_end: Callable[[str], object] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.file = RecordingFile(path, head_of(source, program, wall_clock()), limit)
        self.on_end = on_end
        self._nodes = nodes
        self._seat = seat
        self._clock = clock
        self._started = clock()
        self._encoder = RecordEncoder()
        self._parts: list[bytes] = []
        self._size = 0
        self._turn = 0
        self._tracked: list[Recorded] = []
        self._faults: dict[int, str] = {}
        self._fates = fates
        self._known_fates: dict[int, NodeState] = {}
        self._tells = False
        """Whether what peers tell of their views is recorded: of a swarm all views are."""
        self._readers: dict[int, list[asyncio.Task[None]]] = {}
        self._ticking: asyncio.Task[None] | None = None
        self._ended = False

    def start(self) -> None:
        """Listen from now on, to what is retained first; in the loop of the nodes."""
        loop = asyncio.get_running_loop()

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know any more
                loop.call_soon_threadsafe(self._give_up)

        self.file.when_failed(tell)
        self._ticking = self._spawn(self._tick_on())

    def stop(self) -> None:
        """End the recording in order; a second call does nothing. ``file.wait`` waits until it is written."""
        if self._ended:
            return
        for track in range(len(self._tracked)):
            self._picture(track)
        self._end()

    @property
    def is_running(self) -> bool:
        """Whether it records."""
        return not self._ended

    def tick(self) -> None:
        """Look at the nodes and write what is new; what the timer does."""
        if self._ended:
            return
        self._follow()
        self._look_at_fates()
        self._turn += 1
        for track in range(len(self._tracked)):
            if track == self._seat() or track % TURNS == self._turn % TURNS:
                self._picture(track)
        self._flush()
        if self._encoder.is_full:
            self.stop()
            self.on_end("more nodes were heard of than a recording names")

    def word(self, text: str, kind: str, nodes: Sequence[str] = ()) -> None:
        """The application puts a line into its log, about these nodes."""
        if not self._ended:
            self._follow()
            self._look_at_fates()
            seat = self._seat()
            self._add(self._encoder.word(self._moment(), seat, kind, text, nodes))
            if kind == CHANGE and seat < len(self._tracked):
                # The word says it better than a mark would, and can be jumped to as well.
                self._faults[seat] = faults_text(self._tracked[seat].snapshot().faults)

    async def _tick_on(self) -> None:
        while not self._ended:
            self.tick()
            await asyncio.sleep(PERIOD)

    def _follow(self) -> None:
        """Listen to nodes that are new in their place."""
        nodes = list(self._nodes())[:TRACKS_LIMIT]
        self._tells = len(nodes) == 1
        for track, node in enumerate(nodes):
            if track < len(self._tracked) and self._tracked[track] is node:
                continue
            self._tracked[track : track + 1] = [node]
            self._add(self._encoder.track(self._moment(), track, node.id))
            self._picture(track)
            for reader in self._readers.pop(track, []):
                reader.cancel()
            self._readers[track] = [
                self._spawn(self._hear(track, node.messages(), self._take_message)),
                self._spawn(self._hear(track, node.events(deliveries=False), self._take_event)),
            ]

    def _look_at_fates(self) -> None:
        """Write which nodes crashed, stand still, or run again since the last look."""
        for track, fate in enumerate(self._fates()[: len(self._tracked)]):
            if fate is not self._known_fates.get(track, NodeState.RUNNING):
                self._known_fates[track] = fate
                self._add(self._encoder.fate(self._moment(), track, fate))

    async def _hear(self, track: int, stream: AsyncIterator[Any], take: Callable[[int, Any], None]) -> None:
        count = 0
        async for item in stream:
            take(track, item)
            count += 1
            if not count % YIELD_EVERY:
                await asyncio.sleep(0)

    def _take_message(self, track: int, message: Message) -> None:
        self._add(self._encoder.delivery(self._moment(), track, message))

    def _take_event(self, track: int, event: Event) -> None:
        self._add(self._encoder.event(self._moment(), track, event))

    def _picture(self, track: int) -> None:
        snapshot, moment = self._tracked[track].snapshot(told=self._tells), self._moment()
        self._add(self._encoder.picture(moment, track, snapshot))
        faults = faults_text(snapshot.faults)
        if faults != self._faults.get(track, NO_FAULTS_TEXT):
            self._faults[track] = faults
            self._add(self._encoder.mark(moment, track, faults))

    def _add(self, records: bytes) -> None:
        if records and not self._ended:
            self._parts.append(records)
            self._size += len(records)
            if self._size >= CHUNK_LIMIT:
                self._flush()

    def _flush(self) -> None:
        if self._parts:
            self.file.append(b"".join(self._parts))
            self._parts, self._size = [], 0

    def _give_up(self) -> None:
        """The file took no more: say so once, and let the nodes go on."""
        if not self._ended:
            self._ended = True
            self._hush()
            self.on_end(self.file.failure)

    def _end(self) -> None:
        """Write what there is, and nothing more."""
        self._flush()
        self._ended = True
        self._hush()
        self.file.close()

    def _hush(self) -> None:
        for readers in self._readers.values():
            for reader in readers:
                reader.cancel()
        self._readers.clear()
        if self._ticking is not None and self._ticking is not asyncio.current_task():
            self._ticking.cancel()

    def _spawn(self, job: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a job beside the nodes; one that fails ends the recording, and the loop is told."""
        task = asyncio.create_task(job, name="gossip-tui recording")
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: asyncio.Task[None]) -> None:
        report_failure(task)
        if not self._ended and not task.cancelled() and task.exception() is not None:
            self._end()
            self.on_end("an internal error")

    def _moment(self) -> int:
        return max(0, int((self._clock() - self._started) * 1000))


def faults_text(report: FaultReport) -> str:
    """The faults in force, in one line."""
    parts = [f"faults {report.faults}"]
    if report.by_peer:
        parts.append(f"{len(report.by_peer)} peers have their own")
    if report.blocked:
        parts.append(f"{len(report.blocked)} peers blocked")
    return ", ".join(parts)


NO_FAULTS_TEXT = faults_text(NOTHING_DONE)
