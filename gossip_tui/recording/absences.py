"""When the nodes of a recording were not there, worked out once before it plays.

A recording is a file from anybody, so what it costs grows with its length alone: each incarnation is looked
up among the crashes of its track and among what was told of its name, both of them in order of time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from gossip_tui.observed import Absence, Change, NodeState
from protocol.core.identity import NodeId

from .recording import Recording, Track

__all__ = ["TOLD_BEFORE", "absences_in"]

TOLD_BEFORE = 1.0
"""Seconds between the word of what became of a node and the look at which a recording saw it, at the most."""


def absences_in(recording: Recording, changes: Sequence[Change]) -> dict[NodeId, tuple[Absence, ...]]:
    """When incarnations were not there: before they began, and after they crashed.

    Args:
        recording: Whose tracks say when that was noticed.
        changes: What was changed on purpose, by time; it says when that was.
    """
    names = frozenset(track.name for track in recording.tracks)
    told: dict[str, list[float]] = {name: [] for name in names}
    for change in changes:
        for name in change.nodes & names:
            told[name].append(change.at)
    found: dict[NodeId, tuple[Absence, ...]] = {}
    for track in recording.tracks:
        found |= absences_of(track, recording, told[track.name])
    return found


def absences_of(
    track: Track, recording: Recording, told: Sequence[float]
) -> dict[NodeId, tuple[Absence, ...]]:
    """When the incarnations of one node were not there; ``told`` is when something became of it, by time."""
    found: dict[NodeId, tuple[Absence, ...]] = {}
    started_at, duration = recording.about.started_at, recording.duration
    crashes = [at for at, fate in track.fates if fate is NodeState.CRASHED]
    ends = [*track.starts[1:], duration + 1]
    for number, (node, start, end) in enumerate(zip(track.nodes, track.starts, ends, strict=True)):
        place = bisect_left(crashes, start)
        last = min([end, *crashes[place : place + 1]])
        before = [Absence(end=as_told(started_at + start / 1000, told))] if number else []
        after = [Absence(start=as_told(started_at + last / 1000, told))] if last <= duration else []
        if before or after:
            found[node] = (*before, *after)
    return found


def as_told(moment: float, told: Sequence[float]) -> float:
    """When something became of a node: as it was told, if it was, since it was noticed at a look.

    >>> as_told(7.0, [1.0, 6.5, 7.25, 9.0]), as_told(4.0, [1.0, 6.5])
    (7.25, 4.0)
    """
    place = bisect_left(told, moment)
    nearest = min(told[max(0, place - 1) : place + 1], key=lambda one: abs(one - moment), default=moment)
    return nearest if abs(nearest - moment) <= TOLD_BEFORE else moment
