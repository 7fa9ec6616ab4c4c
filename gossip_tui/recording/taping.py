"""Recording as a person sees it: on, off, where to, and why it ended. Draws nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from gossip_tui.files import path_of, stem_for
from gossip_tui.observed import NodeState
from gossip_tui.shown import Recorded
from gossip_tui.version import version
from protocol.text import printable

from .limits import RecordingError
from .recorder import Recorder

__all__ = ["NO_TAPE", "SUFFIX", "TapeOptions", "Taping"]

SUFFIX = ".gossip"
"""What names of recordings end with, if the program makes them."""

NAMES_TRIED = 100
"""Names tried where recordings of the same second are there already."""


class TapeOptions(NamedTuple):
    """What a command line says about recording."""

    path: Path | None = None
    """Where to, from the start; None for not yet."""
    limit: int | None = None
    """Bytes that a file may have."""


NO_TAPE = TapeOptions()
"""Nothing is recorded until a person asks for it."""


class Subject(Protocol):
    """What can be recorded; every feed is one."""

    @property
    def recordable(self) -> Sequence[Recorded]:
        """The nodes as they are now."""

    @property
    def fates(self) -> Sequence[NodeState]:
        """What was done to each of them."""

    @property
    def seats(self) -> tuple[str, ...]:
        """Their names."""

    @property
    def seat(self) -> int:
        """Which of them is looked at."""


class Taping:
    """Makes recordings of what a feed shows, one at a time.

    Args:
        source: What this is: ``run``, ``demo`` or ``tail``.
        options: What the command line says; a file it names is made at once.
        wall_clock: Unix seconds, for names.

    Raises:
        RecordingError: That file exists already or can't be made.
    """

    def __init__(
        self, source: str, options: TapeOptions = NO_TAPE, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self.path: Path | None = None
        """The file that is, or was last, recorded to."""
        self._source = source
        self._limit = options.limit
        self._wall_clock = wall_clock
        self._subject: Subject | None = None
        self._on_end: Callable[[str], object] = lambda _: None
        self._recorder: Recorder | None = None
        if options.path is not None:
            self._recorder = self._open(options.path)

    @property
    def is_running(self) -> bool:
        """Whether something is recorded."""
        return self._recorder is not None and self._recorder.is_running

    def begin(self, subject: Subject, on_end: Callable[[str], object] = lambda _: None) -> None:
        """Record from now on if the command line said so; in the loop of the nodes.

        Args:
            subject: What to record.
            on_end: Called in the loop when a recording ends by itself, with a sentence that says so.
        """
        self._subject = subject
        self._on_end = on_end
        if self._recorder is not None:
            self._recorder.start()

    def toggle(self, name: str = "") -> str:
        """Start recording to a file, or stop; returns what was done, in words.

        Raises:
            RecordingError: The file exists already or can't be made, or something is recorded already.
            CommandError: There is no home of that name.
        """
        if self.is_running:
            if name:
                raise RecordingError(f"recording to {printable(str(self.path))} already: /record stops it")
            return self.stop()
        if self._subject is None or not self._subject.recordable:
            raise RecordingError("there is nothing to record")
        self._recorder = self._open(path_of(name)) if name else self._open_next(self._subject)
        self._recorder.start()
        return f"recording to {printable(str(self.path))}"

    def stop(self) -> str:
        """End the recording, if there is one; returns what was done, in words."""
        if self._recorder is None or not self._recorder.is_running:
            return "nothing was recorded"
        self._recorder.stop()
        return f"recorded to {printable(str(self.path))}: gossip-tui replay shows it"

    def close(self) -> None:
        """End the recording and wait until it is written, for the end of the program.

        A file that nothing was recorded to, since the program could not start, is removed.
        """
        if self._recorder is None:
            return
        self._recorder.stop()
        self._recorder.file.wait()
        if self._subject is None and self.path is not None:
            self.path.unlink(missing_ok=True)

    def word(self, text: str, kind: str, nodes: Sequence[str] = ()) -> None:
        """The application puts a line into its log, about these nodes."""
        if self._recorder is not None:
            self._recorder.word(text, kind, nodes)

    def _open(self, path: Path) -> Recorder:
        recorder = Recorder(
            path,
            lambda: self._subject.recordable if self._subject is not None else (),
            seat=lambda: self._subject.seat if self._subject is not None else 0,
            fates=lambda: self._subject.fates if self._subject is not None else (),
            source=self._source,
            program=version(),
            limit=self._limit,
            on_end=self._tell,
        )
        self.path = path
        return recorder

    def _open_next(self, subject: Subject) -> Recorder:
        """A file of a name that says what it is, and that is not taken."""
        stem = stem_for(subject.seats[subject.seat], self._wall_clock())
        for number in range(NAMES_TRIED):
            path = Path(f"{stem}{f'-{number + 1}' if number else ''}{SUFFIX}")
            if not path.exists():
                return self._open(path)
        raise RecordingError(f"{NAMES_TRIED} recordings named {stem} exist already")

    def _tell(self, why: str) -> None:
        self._on_end(f"recording has ended: {why}; the node goes on ({printable(str(self.path))})")
