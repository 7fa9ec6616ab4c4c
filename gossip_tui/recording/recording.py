"""What is in a recording, by time and by the node it was seen at; read-only and in memory.

Messages, events and words are kept as they are; pictures stay packed until somebody looks at one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

from gossip_tui.observed import NodeState
from protocol.core.events import Event
from protocol.core.faults import NOTHING_DONE, FaultReport
from protocol.core.identity import NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import NodeSnapshot

from .limits import RecordingError
from .pictures import Flat, apply_change, faults_of, picture_of
from .values import Malformed, unpacked, words_of

__all__ = ["CHANGE", "About", "Moment", "Recording", "Track", "Word", "flat_of"]

CHANGE = "change"
"""The kind of words about what a person changed on purpose."""

UNREADABLE = (ValueError, TypeError, KeyError)
"""What plain values raise where they are not what a writer makes."""


class About(NamedTuple):
    """What the head of a recording says."""

    source: str
    """What was recorded: ``run``, ``demo`` or ``tail``."""
    program: str
    """The version of the program that wrote it."""
    started_at: float
    """Unix seconds."""


class Word(NamedTuple):
    """A line that the application itself put into the log."""

    kind: str
    text: str
    nodes: tuple[str, ...] = ()
    """Names of the nodes that it is about, where that was recorded."""


class Moment(NamedTuple):
    """Something worth jumping to."""

    at: int
    """Milliseconds since the start."""
    what: str


class Frame(NamedTuple):
    """A packed picture, or what changed since the one before."""

    at: int
    is_whole: bool
    data: bytes


@dataclass(slots=True)
class Track:
    """The side of one node, in order of time; all times are milliseconds since the start."""

    nodes: list[NodeId] = field(default_factory=list)
    """The incarnations it showed, the last one last."""
    starts: list[int] = field(default_factory=list)
    """Since when it showed each of them."""
    messages: list[Message] = field(default_factory=list)
    message_times: list[int] = field(default_factory=list)
    notes: list[Event | Word] = field(default_factory=list)
    note_times: list[int] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    """What is worth jumping to."""
    fates: list[tuple[int, NodeState]] = field(default_factory=list)
    """Since when its node had crashed, stood still, or ran again."""
    _at: int = -1
    _flat: Flat = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What people call the node."""
        return self.nodes[-1].name

    def node_at(self, at: int) -> NodeId:
        """The incarnation that it showed then."""
        return self.nodes[max(0, bisect_right(self.starts, at) - 1)]

    def lives(self, at: int) -> list[tuple[NodeId, int, int]]:
        """Each incarnation it had shown by then, with the first of its messages and the one behind the last.

        A message that came at the moment in which an incarnation was first seen is of that one.
        """
        bounds = [bisect_left(self.message_times, start) for start in self.starts[1:]]
        last = self.messages_until(at)
        lives = zip(self.nodes, self.starts, [0, *bounds], [*bounds, len(self.messages)], strict=True)
        return [
            (node, min(first, last), min(end, last))
            for number, (node, start, first, end) in enumerate(lives)
            if start <= at or not number
        ]

    def faults(self, index: int) -> FaultReport:
        """The faults in force in the picture ``index``, without the rest of it.

        Raises:
            RecordingError: No writer makes such a picture.
        """
        try:
            flat = self._flat_at(index)
            return faults_of(flat["faults"]) if "faults" in flat else NOTHING_DONE
        except UNREADABLE as error:
            raise self._unreadable(index, error) from None

    def messages_until(self, at: int) -> int:
        """How many messages had been delivered by then."""
        return bisect_right(self.message_times, at)

    def notes_until(self, at: int) -> int:
        """How many notes had been taken by then."""
        return bisect_right(self.note_times, at)

    def fate(self, at: int) -> NodeState:
        """What had been done to the node by then."""
        index = bisect_right(self.fates, at, key=lambda fate: fate[0])
        return self.fates[index - 1][1] if index else NodeState.RUNNING

    def frame_index(self, at: int) -> int:
        """The picture in force then; -1 before the first."""
        return bisect_right(self.frames, at, key=lambda frame: frame.at) - 1

    def picture(self, index: int, nodes: list[NodeId]) -> NodeSnapshot:
        """The picture ``index``; the next one after the last that was asked for costs one change.

        Raises:
            RecordingError: No writer makes such a picture.
        """
        try:
            return picture_of(self._flat_at(index), nodes)
        except UNREADABLE as error:
            raise self._unreadable(index, error) from None

    def _unreadable(self, index: int, error: Exception) -> RecordingError:
        return RecordingError(f"picture {index} of {self.nodes[0].label} can't be read: {words_of(error)}")

    def _flat_at(self, index: int) -> Flat:
        frames = self.frames
        start = index
        while start > 0 and not frames[start].is_whole:
            start -= 1
        flat: Flat = {}
        if start <= self._at <= index:
            start, flat = self._at + 1, self._flat
        for frame in frames[start : index + 1]:
            change = flat_of(frame.data)
            flat = change if frame.is_whole else apply_change(flat, change)
        self._at, self._flat = index, flat
        return flat

    def times_around(self, at: int) -> tuple[int | None, int | None]:
        """The last moment before ``at`` at which anything is recorded, and the first one after it."""
        before, after = [], []
        for times in (self.message_times, self.note_times):
            left, right = bisect_left(times, at), bisect_right(times, at)
            before += times[left - 1 : left] if left else []
            after += times[right : right + 1]
        left = bisect_left(self.frames, at, key=lambda frame: frame.at)
        right = self.frame_index(at) + 1
        before += [self.frames[left - 1].at] if left else []
        after += [frame.at for frame in self.frames[right : right + 1]]
        return max(before, default=None), min(after, default=None)


@dataclass(slots=True)
class Recording:
    """Everything that could be read of a file."""

    about: About
    nodes: list[NodeId]
    """By their numbers in this file."""
    tracks: list[Track]
    """One for each node of the process that was recorded; at least one, each with a picture."""
    duration: int
    """Milliseconds."""
    is_complete: bool
    """Whether it was ended in order, and not cut off."""
    note: str = ""
    """What is missing and why, in words; empty if nothing is."""


def flat_of(data: bytes) -> Flat:
    """The map in a packed picture.

    Raises:
        ValueError: There is none.
    """
    flat = unpacked(data)
    if type(flat) is not dict:
        raise Malformed("a picture is no map")
    return flat
