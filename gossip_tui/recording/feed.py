"""A recording as a feed: the screen shows it as it shows a node, and nothing can be asked of it."""

from __future__ import annotations

import contextlib
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import NoReturn

from gossip_tui.command import CommandError
from gossip_tui.feed import DELIVERY_LIMIT
from gossip_tui.notices import Notice, notices_of
from gossip_tui.observed import (
    CHANGES_LIMIT,
    Change,
    Deliveries,
    Delivery,
    KnownView,
    NodeState,
    OverlayPicture,
    Trouble,
    disturbance_of,
    told_views,
)
from gossip_tui.seated import Seated
from gossip_tui.shown import Recorded, Update
from protocol.core.events import Event, PeerLost, PeerSeen
from protocol.core.faults import FaultReport
from protocol.core.identity import NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import NodeSnapshot
from protocol.errors import StateError
from protocol.text import printable

from .absences import absences_in
from .limits import RecordingError
from .player import Player, Scrub, clock_text
from .recording import CHANGE, Recording, Track, Word

__all__ = ["ReplayFeed"]

NOTICE_KINDS = frozenset({"info", "joined", "parted", "warning", "change"})
"""The kinds of lines there are; a word of any other kind, from another version, is shown as the first."""

NOTICES_SHOWN = 1_000
"""Lines about the network shown at once after a jump, the newest: what a live log keeps between two looks."""


class ReplayFeed(Seated):
    """Plays a recording; one sits on any of the nodes that were recorded.

    Args:
        recording: What to play.
        clock: Seconds of real time, only forward.
    """

    def __init__(self, recording: Recording, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.recording = recording
        self.player = Player(recording.duration, clock)
        self.moved = True
        self._messages = 0
        self._notes = 0
        self._lost: set[NodeId] = set()
        self._frame = -1
        self._disturbed = ""
        self._shown: NodeSnapshot | None = None
        self._what = ""
        self._changes = changes_in(recording)
        self._absences = absences_in(recording, self._changes)
        self._reports: dict[int, tuple[int, FaultReport]] = {}
        """Of each track: the picture whose faults were asked for last, and those."""

    @property
    def track(self) -> Track:
        """The side of the node one sits on."""
        return self.recording.tracks[self.seat]

    async def open(self) -> None:
        """Play from the start."""
        self.player.play()

    async def close(self) -> None:
        """There is nothing to leave."""

    def poll(self) -> Update | None:
        """What came since the last look, in the time of the recording."""
        player, track = self.player, self.track
        player.advance()
        if player.went_back or self.moved:
            self._messages = self._notes = 0
            self._frame = -1
            self._lost.clear()
        moved, player.went_back, self.moved = player.went_back or self.moved, False, False
        messages, notes = track.messages_until(player.position), track.notes_until(player.position)
        frame = max(0, track.frame_index(player.position))
        shown = self._messages, self._notes, self._frame, self._disturbed
        disturbed = self.disturbance
        if (messages, notes, frame, disturbed) == shown and not moved:
            return None
        update = Update(
            self._picture(track, frame),
            tuple(track.messages[self._messages : messages]),
            tuple(self._notices(track, self._notes, notes)[-NOTICES_SHOWN:]),
            moved=moved,
        )
        self._messages, self._notes, self._frame, self._disturbed = messages, notes, frame, disturbed
        return update

    # How one moves through it.

    def scrub(self) -> Scrub:
        """What the scrub bar shows."""
        player = self.player
        marks = tuple(moment.at for moment in self.track.moments)
        what = "" if player.is_playing else self._what
        note = self.recording.note
        return Scrub(player.position, player.duration, player.speed, player.is_playing, marks, what, note)

    def wall_clock(self) -> float:
        """Unix seconds at the position, by the clock of the computer that recorded."""
        return self.recording.about.started_at + self.player.position / 1000

    def elapsed(self) -> float:
        """Seconds of recording gone by, forward only."""
        return self.player.elapsed

    def seek(self, position: int) -> None:
        """Go to a position; whether it plays stays as it is."""
        self._what = ""
        self.player.seek(position)

    def step(self, direction: int) -> None:
        """Pause, and go to the next recorded moment, or to the one before.

        Raises:
            CommandError: There is none.
        """
        self.player.pause()
        before, after = self.track.times_around(self.player.position)
        chosen = after if direction > 0 else before
        if chosen is None:
            raise CommandError("this is the end of the recording" if direction > 0 else "this is its start")
        self.seek(chosen)

    def jump(self, direction: int) -> None:
        """Pause at the next thing worth it, or at the one before: late messages, gaps, losses, faults.

        Raises:
            CommandError: There is none.
        """
        player = self.player
        times = [moment.at for moment in self.track.moments]
        chosen = player.next_of(times) if direction > 0 else player.previous_of(times)
        if chosen is None:
            where = "behind" if direction > 0 else "before"
            raise CommandError(
                f"nothing came late, got lost or went wrong {where} {clock_text(player.position)}"
            )
        player.pause()
        self.seek(chosen)
        what = [moment.what for moment in self.track.moments if moment.at == chosen]
        more = f" and {len(what) - 1} more" if len(what) > 1 else ""
        self._what = printable(what[0]) + more

    # The seats, as of a swarm.

    @property
    def seats(self) -> tuple[str, ...]:
        """Names of the nodes that were recorded."""
        return tuple(track.name for track in self.recording.tracks)

    @property
    def fates(self) -> tuple[NodeState, ...]:
        """What had been done to each of them, such as a crash."""
        return tuple(track.fate(self.player.position) for track in self.recording.tracks)

    # What happened at all nodes that were recorded.

    def deliveries(self, after: Mapping[NodeId, int]) -> Deliveries:
        """What the recorded nodes delivered since a former answer; after a step back nothing is unbroken."""
        rows: list[Delivery] = []
        cursor: dict[NodeId, int] = {}
        unbroken = []
        at = self.player.position
        for track in self.recording.tracks:
            for node, begin, end in track.lives(at):
                count = end - begin
                start = after.get(node, 1)
                if start <= count + 1:
                    unbroken.append(node)
                first = max(start if start <= count + 1 else 1, count + 1 - DELIVERY_LIMIT)
                rows += [Delivery(node, message) for message in track.messages[begin + first - 1 : end]]
                cursor[node] = count + 1
        seat, changes = self.track.node_at(at), self._changes_so_far()
        return Deliveries(tuple(rows), cursor, frozenset(unbroken), seat, changes, self._absences)

    @property
    def disturbance(self) -> str:
        """What was out of order on purpose at this moment, as far as it was recorded of the other nodes."""
        position = self.player.position
        troubles = []
        for number, (track, fate) in enumerate(zip(self.recording.tracks, self.fates, strict=True)):
            frame = max(0, track.frame_index(position))
            known = self._reports.get(number)
            if known is None or known[0] != frame:
                with contextlib.suppress(RecordingError):
                    known = self._reports[number] = frame, track.faults(frame)
            troubles.append(Trouble.of(known[1], fate) if known is not None else Trouble(fate))
        is_cut = len(troubles) > 1 and any(trouble.blocked for trouble in troubles)
        return disturbance_of(troubles, self.seat, is_cut=is_cut)

    def _changes_so_far(self) -> tuple[Change, ...]:
        """What had been changed on purpose, as much of it as a live feed keeps."""
        end = bisect_right(self._changes, self.wall_clock(), key=lambda change: change.at)
        return tuple(self._changes[max(0, end - CHANGES_LIMIT) : end])

    def overlay(self) -> OverlayPicture:
        """Who knew whom, by the pictures of the recorded nodes; of a single one also what its peers told."""
        views: list[KnownView] = []
        told: list[KnownView] = []
        for track in self.recording.tracks:
            frame = max(0, track.frame_index(self.player.position))
            with contextlib.suppress(RecordingError):
                picture = track.picture(frame, self.recording.nodes)
                trouble = Trouble.of(picture.faults, track.fate(self.player.position))
                views.append(KnownView(picture.id, picture.view, trouble, picture.address))
                told += told_views(picture)
        seat = self.track.node_at(self.player.position)
        if len(self.recording.tracks) == 1:
            return OverlayPicture(seat, (*views, *told), is_whole=False)
        return OverlayPicture.of_swarm(seat, views)

    # What needs a live node.

    def send(self, text: str) -> Message:  # noqa: ARG002 - all feeds are called alike
        """Refuse: what was recorded is over."""
        refuse()

    async def drain(self) -> None:
        """Nothing waits."""

    @property
    def payload_limit(self) -> int:
        """Bytes that fit one message; none are sent."""
        return 1

    @property
    def has_left(self) -> bool:
        """A recording never comes back: what it says of its node is in the picture."""
        return False

    @property
    def recordable(self) -> tuple[Recorded, ...]:
        """Nothing: it is recorded."""
        return ()

    @property
    def unacknowledged(self) -> int:
        """Nothing would be lost by ending."""
        return 0

    async def join(self, *contacts: str) -> bool:  # noqa: ARG002
        """Refuse."""
        refuse()

    experiments = None
    """Nothing can be done to what was."""

    def add(self, *peers: str) -> None:  # noqa: ARG002
        """Refuse."""
        refuse()

    async def leave(self) -> None:
        """Refuse."""
        refuse()

    def _picture(self, track: Track, frame: int) -> NodeSnapshot:
        """The picture, or where it can't be read the last one that could, which is said."""
        try:
            self._shown = track.picture(frame, self.recording.nodes)
        except RecordingError as error:
            self.recording.note = str(error)
            if self._shown is None or self._shown.id not in track.nodes:
                self._shown = track.picture(0, self.recording.nodes)
        return self._shown

    def _notices(self, track: Track, first: int, last: int) -> list[Notice]:
        found: list[Notice] = []
        started_at = self.recording.about.started_at
        for at, note in zip(track.note_times[first:last], track.notes[first:last], strict=True):
            moment = started_at + at / 1000
            if isinstance(note, Word):
                kind = note.kind if note.kind in NOTICE_KINDS else "info"
                found.append(Notice(printable(note.text), moment, kind))
            else:
                found += self._seen_again(note, moment) or notices_of([note], moment)
        return found

    def _seen_again(self, note: Event, moment: float) -> list[Notice]:
        """The line for a peer that came; whether it answered or was only named is not recorded."""
        match note:
            case PeerLost(id=node, left=False):
                self._lost.add(node)
            case PeerSeen(id=node) if node in self._lost:
                self._lost.remove(node)
                return [Notice(f"{printable(node.name)} heard of again", moment, "info")]
            case PeerSeen(id=node, address=where):
                return [Notice(f"{printable(node.name)} {where} heard of", moment, "joined")]
        return []


def changes_in(recording: Recording) -> list[Change]:
    """What was changed on purpose, by time, wherever a person sat then."""
    started_at = recording.about.started_at
    found = {
        Change(started_at + at / 1000, note.text, frozenset(note.nodes))
        for track in recording.tracks
        for at, note in zip(track.note_times, track.notes, strict=True)
        if isinstance(note, Word) and note.kind == CHANGE
    }
    return sorted(found, key=lambda change: (change.at, change.text))


def refuse() -> NoReturn:
    """Say why nothing can be done to the past.

    Raises:
        StateError: Always.
    """
    raise StateError("this is a recording: nothing can be sent or changed in it")
