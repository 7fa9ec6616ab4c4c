"""When recorded nodes were not there, and what it costs to work that out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gossip_tui.observed import Absence, Change, NodeState
from gossip_tui.recording.absences import absences_in
from gossip_tui.recording.recording import About, Recording, Track
from protocol.core.identity import NodeId
from tests.gossip_tui.samples import NOON

LIVES = [NodeId("p1", number) for number in range(1, 4)]


class Counted(int):
    """A moment that counts how often it is looked at."""

    looks = 0

    def __lt__(self, other: float) -> bool:
        Counted.looks += 1
        return int(self) < other

    def __le__(self, other: float) -> bool:
        Counted.looks += 1
        return int(self) <= other

    def __gt__(self, other: float) -> bool:
        Counted.looks += 1
        return int(self) > other

    def __ge__(self, other: float) -> bool:
        Counted.looks += 1
        return int(self) >= other

    def __sub__(self, other: float) -> float:  # type: ignore[override]
        Counted.looks += 1
        return int(self) - other


def recording_of(nodes: list[NodeId], starts: list[int], crashes: Sequence[int], duration: int) -> Recording:
    track = Track(nodes=nodes, starts=starts, fates=[(at, NodeState.CRASHED) for at in crashes])
    return Recording(About("demo", "1", NOON), [], [track], duration, is_complete=True)


def test_a_node_is_absent_before_it_began_and_after_it_crashed() -> None:
    recording = recording_of(LIVES, [0, 5_000, 9_000], [3_000, 9_500], 20_000)
    assert absences_in(recording, []) == {
        LIVES[0]: (Absence(start=NOON + 3),),
        LIVES[1]: (Absence(end=NOON + 5), Absence(start=NOON + 9)),
        LIVES[2]: (Absence(end=NOON + 9), Absence(start=NOON + 9.5)),
    }


def test_what_was_told_of_a_node_is_nearer_than_the_look_that_noticed() -> None:
    recording = recording_of(LIVES[:2], [0, 5_000], [3_000], 20_000)
    told = [
        Change(NOON + at, "", frozenset(names)) for at, names in ((2.8, ["p1"]), (2.9, ["p2"]), (4.9, ["p1"]))
    ]
    assert absences_in(recording, told) == {
        LIVES[0]: (Absence(start=NOON + 2.8),),
        LIVES[1]: (Absence(end=NOON + 4.9),),
    }


@pytest.mark.parametrize("count", [200, 800])
def test_a_recording_of_many_lives_and_changes_is_looked_through_by_bisection(count: int) -> None:
    lives = [NodeId("p1", number) for number in range(1, count + 1)]
    crashes = [Counted(at * 1_000 + 500) for at in range(count)]
    changes = [Change(Counted(NOON + at), "", frozenset(["p1"])) for at in range(5 * count)]
    recording = recording_of(lives, [at * 1_000 for at in range(count)], crashes, count * 1_000)
    Counted.looks = 0
    assert len(absences_in(recording, changes)) == count
    assert 0 < Counted.looks < 50 * count
