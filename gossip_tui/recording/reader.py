"""Reads a recording that anybody may have made: bounded, and with one line where it can't be replayed.

Whatever the bytes are, ``load`` returns what an honest writer could have meant up to the first byte that it
could not, or raises ``RecordingError``.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from msgpack import Unpacker
from msgpack.exceptions import UnpackException

from gossip_tui.observed import NodeState
from protocol.core.derived import DerivedClock
from protocol.core.events import Gap, PeerLost, Undeliverable
from protocol.core.identity import Dot, NodeId, node_id_of
from protocol.core.messages import HOPS_LIMIT, Message
from protocol.text import printable

from .encoder import FROM_HISTORY, LATE
from .events import event_of
from .limits import (
    BLOCK_LIMIT,
    CLOCK_LIMIT,
    EVENTS_LIMIT,
    FRAME_LIMIT,
    MARK,
    MESSAGES_LIMIT,
    MOMENT_LIMIT,
    NODES_LIMIT,
    PARENTS_LIMIT,
    PAYLOAD_LIMIT,
    TOTAL_LIMIT,
    TRACKS_LIMIT,
    VERSION,
    WIDTH_LIMIT,
    WORK_LIMIT,
    Kind,
    RecordingError,
)
from .pictures import node_of
from .recording import UNREADABLE, About, Frame, Moment, Recording, Track, Word
from .values import Malformed, dots, listing, number, real, table, text, unpacker, whole, words_of

__all__ = ["load"]

CHUNK_SIZE: Final = 1 << 16
"""Bytes read at once."""

SLOW: Final = 2.0
"""Seconds from making to delivering that make a message, which came behind newer ones, worth a jump."""

CUT_OFF: Final = "cut off: it may still be being written, or its program was killed, or had no room"
"""Why a recording may have no end; the file is the same in all three cases."""

DAMAGED: Final = (*UNREADABLE, UnpackException, RecursionError, OverflowError, zlib.error)
"""What bytes raise that no writer makes."""


def load(path: Path) -> Recording:
    """Read a recording.

    Raises:
        RecordingError: It is none, or of another version, or has no picture of any node.
        OSError: The file can't be read.
    """
    with path.open("rb") as file:
        values = values_of(file)
        try:
            head = next(values, None)
        except DAMAGED:
            head = None
        reading = Reading(about_of(head, path))
        try:
            for value in values:
                reading.take(value)
                if reading.ended or reading.note:
                    break
        except DAMAGED as error:
            reading.note = f"damaged after {reading.now / 1000:.1f} s: {words_of(error)}"
    return reading.result(path)


def values_of(file: BinaryIO) -> Iterator[Any]:
    """The msgpack values of a file, as far as they are whole."""
    source: Unpacker = unpacker()
    while data := file.read(CHUNK_SIZE):
        source.feed(data)
        yield from source


def about_of(head: Any, path: Path) -> About:
    """What the head of a file says.

    Raises:
        RecordingError: The file is no recording, or of another version.
    """
    name = printable(path.name)
    try:
        mark, version, about = listing(head, 3)
        if mark != MARK:
            raise Malformed("another kind of file")
        known = number(version) == VERSION
        facts = table(about, 64)
        found = About(text(facts["source"]), text(facts["program"]), real(facts["started_at"]))
    except UNREADABLE:
        if type(head) is list and len(head) > 1 and head[0] == MARK and type(head[1]) is int:
            known, version, found = head[1] == VERSION, head[1], None
        else:
            raise RecordingError(f"{name} is no recording of gossip-tui") from None
    if not known:
        raise RecordingError(
            f"{name} is a recording of format {version}, and this program reads format {VERSION}"
        )
    if found is None:
        raise RecordingError(f"{name} is a recording whose head is damaged")
    return found


class Reading:
    """A recording as far as it has been read."""

    def __init__(self, about: About) -> None:
        self.about = about
        self.now = 0
        """Milliseconds since the start, of the last record."""
        self.ended = False
        self.note = ""
        self._nodes: list[NodeId] = []
        self._tracks: dict[int, Track] = {}
        self._contents: dict[Dot, tuple[Any, ...]] = {}
        self._clocks: dict[Dot, DerivedClock] = {}
        self._newest: dict[int, tuple[int, NodeId, int]] = {}
        self._unfolding = zlib.decompressobj()
        self._authors: set[NodeId] = set()
        self._deliveries = 0
        self._notes = 0
        self._total = 0
        self._work = 0
        self._takers = {
            Kind.NODE: self._take_node,
            Kind.TRACK: self._take_track,
            Kind.MESSAGE: self._take_message,
            Kind.DELIVERY: self._take_delivery,
            Kind.WHOLE: self._take_whole,
            Kind.CHANGE: self._take_change,
            Kind.EVENT: self._take_event,
            Kind.WORD: self._take_word,
            Kind.MARK: self._take_mark,
            Kind.FATE: self._take_fate,
        }

    def take(self, value: Any) -> None:
        """Take in the records of a block, or the end.

        Raises:
            Exception: One of ``DAMAGED``; what was read before stays.
        """
        if type(value) is list:
            self.ended = True
            return
        if self._unfolding.eof:
            raise Malformed("something follows the end of what is folded")
        data = self._unfolding.decompress(whole(value, BLOCK_LIMIT), BLOCK_LIMIT)
        if self._unfolding.unconsumed_tail:
            raise Malformed("a block unfolds without end")
        self._total += len(data)
        if self._total > TOTAL_LIMIT:
            self._stop(f"what follows {self.now / 1000:.0f} s is left out")
            return
        records = unpacker()
        records.feed(data)
        for record in records:
            kind, moment, *parts = listing(record, CLOCK_LIMIT)
            self.now = max(self.now, number(moment, MOMENT_LIMIT))
            taker = self._takers.get(number(kind))
            if taker is not None:
                taker(*parts)
            self._toil(1)
            if self.note:
                return

    def result(self, path: Path) -> Recording:
        """Everything read, once nothing more is.

        Raises:
            RecordingError: There is nothing to show.
        """
        tracks = [
            track for _, track in sorted(self._tracks.items()) if track.frames and track.frames[0].is_whole
        ]
        for track in tracks:
            track.picture(0, self._nodes)
        if not tracks:
            reason = self.note or "it was cut off before the first picture of a node"
            raise RecordingError(f"{printable(path.name)} has nothing to show: {reason}")
        note = self.note or ("" if self.ended else CUT_OFF)
        return Recording(self.about, self._nodes, tracks, self.now, self.ended, note)

    # One method a kind of record. Their parts may be anything.

    def _take_node(self, name: Any, incarnation: Any, *_: Any) -> None:
        if len(self._nodes) >= NODES_LIMIT:
            raise Malformed("it names too many nodes")
        self._nodes.append(node_id_of(text(name), number(incarnation, (1 << 64) - 1)))

    def _take_track(self, track: Any, node: Any, *_: Any) -> None:
        found = self._tracks.setdefault(number(track, TRACKS_LIMIT - 1), Track())
        if len(found.nodes) >= NODES_LIMIT:
            raise Malformed("a node has too many incarnations")
        found.nodes.append(node_of(node, self._nodes))
        found.starts.append(self.now)

    def _take_message(
        self,
        node: Any,
        sequence: Any,
        depth: Any,
        created_at: Any,
        payload: Any,
        parents: Any,
        clock: Any,
        *_: Any,
    ) -> None:
        dot = Dot(node_of(node, self._nodes), number(sequence))
        past = dots(parents, self._nodes, PARENTS_LIMIT)
        if dot in self._contents or not dot.sequence:
            raise Malformed("a message has two contents")
        entries = [] if clock is None else dots(clock, self._nodes, CLOCK_LIMIT)
        level = number(depth)
        if clock is None:
            derived = DerivedClock(*dot, tuple(self._clocks[parent] for parent in past), depth=level)
        else:
            stamps = [(entry.sequence, self._depth_of(entry), entry.origin) for entry in entries]
            derived = DerivedClock.anchored(*dot, stamps, depth=level)
        self._authors.add(dot.origin)
        self._toil(len(past) + len(entries))
        self._clocks[dot] = derived
        self._contents[dot] = (
            whole(payload, PAYLOAD_LIMIT),
            past,
            level,
            real(created_at),
        )

    def _take_delivery(
        self, track: Any, node: Any, sequence: Any, delivered_at: Any, hops: Any, marks: Any, *_: Any
    ) -> None:
        if self._deliveries >= MESSAGES_LIMIT:
            self._stop(f"what follows {MESSAGES_LIMIT:,} deliveries is left out")
            return
        self._deliveries += 1
        found = self._track(track)
        dot = Dot(node_of(node, self._nodes), number(sequence))
        payload, parents, depth, created_at = self._contents[dot]
        message = Message(
            dot,
            payload,
            parents=parents,
            depth=depth,
            derived=self._clocks[dot],
            created_at=created_at,
            delivered_at=real(delivered_at),
            hops=number(hops, HOPS_LIMIT),
            from_history=bool(number(marks) & FROM_HISTORY),
            late=bool(marks & LATE),
        )
        self._mark_late(number(track), found, message)
        found.messages.append(message)
        found.message_times.append(self.now)

    def _mark_late(self, track: int, found: Track, message: Message) -> None:
        newest = self._newest.get(track)
        slow = message.delivered_at - message.created_at > SLOW and not message.from_history
        if message.late or (slow and newest is not None and message.order < newest):
            self._mark(found, f"{message.id.origin.name}#{message.id.sequence} came late")
        if newest is None or message.order > newest:
            self._newest[track] = message.order

    def _take_whole(self, track: Any, data: Any, *_: Any) -> None:
        self._track(track).frames.append(Frame(self.now, True, whole(data, FRAME_LIMIT)))

    def _take_change(self, track: Any, data: Any, *_: Any) -> None:
        self._track(track).frames.append(Frame(self.now, False, whole(data, FRAME_LIMIT)))

    def _take_event(self, track: Any, code: Any, *parts: Any) -> None:
        event = event_of(code, list(parts), self._nodes)
        if event is None:
            return
        found = self._note(self._track(track))
        found.notes.append(event)
        found.note_times.append(self.now)
        match event:
            case PeerLost(id=node, left=False):
                self._mark(found, f"{node.name} lost")
            case Gap(size=size):
                self._mark(found, f"gap of {size:,}")
            case Undeliverable(id=dot):
                self._mark(found, f"{dot.origin.name}#{dot.sequence} given up")

    def _take_word(self, track: Any, kind: Any, words: Any, names: Any = None, *_: Any) -> None:
        chosen = list(self._tracks.values()) if track is None else [self._track(track)]
        about = () if names is None else tuple(text(name) for name in listing(names, TRACKS_LIMIT))
        word = Word(text(kind), text(words), about)
        self._toil(len(about))
        for found in chosen:
            self._note(found)
            found.notes.append(word)
            found.note_times.append(self.now)
            if word.kind not in {"info", "joined", "parted"}:
                self._mark(found, word.text)

    def _depth_of(self, dot: Dot) -> int:
        """How deep a message of this file is; 0 of one before it, whose origin leaves clocks first."""
        content = self._contents.get(dot)
        return 0 if content is None else int(content[2])

    def _take_mark(self, track: Any, words: Any, *_: Any) -> None:
        self._mark(self._note(self._track(track)), text(words))

    def _take_fate(self, track: Any, state: Any, *_: Any) -> None:
        """What was done to a node; one that is not known here counts as nothing."""
        found, word = self._note(self._track(track)), text(state)
        found.fates.append((self.now, NodeState(word) if word in tuple(NodeState) else NodeState.RUNNING))

    def _toil(self, work: int) -> None:
        """Count what has been built; what would take all memory is left out."""
        self._work += work
        if self._work > WORK_LIMIT or len(self._authors) * len(self._contents) > WIDTH_LIMIT:
            self._stop(f"what follows {self.now / 1000:.0f} s is left out")

    def _stop(self, what: str) -> None:
        self.note = self.note or f"too long: {what}"

    def _track(self, track: Any) -> Track:
        return self._tracks[number(track)]

    def _note(self, track: Track) -> Track:
        self._notes += 1
        if self._notes > EVENTS_LIMIT:
            raise Malformed("it has too many events")
        return track

    def _mark(self, track: Track, what: str) -> None:
        track.moments.append(Moment(self.now, what))
