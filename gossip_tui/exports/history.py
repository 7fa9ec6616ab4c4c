"""What there is to export, whether it was seen live or recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gossip_tui.recording.recording import Recording
from protocol.core.identity import NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import NodeSnapshot

__all__ = ["History", "Lane", "history_of", "labels_for"]


@dataclass(frozen=True, slots=True)
class Lane:
    """One observed node: everything it delivered, own messages included, in the order of its deliveries."""

    node: NodeId
    messages: Sequence[Message]


@dataclass(frozen=True, slots=True)
class History:
    """The observed nodes: one, or all of a swarm."""

    lanes: tuple[Lane, ...]
    pictures: tuple[NodeSnapshot, ...]
    """How each of them is, or was in the end."""
    delivered: int = 0
    """Deliveries there were at these nodes, if more than the lanes hold."""

    @property
    def held(self) -> int:
        """Deliveries that the lanes hold."""
        return sum(len(lane.messages) for lane in self.lanes)


def history_of(recording: Recording, at: int | None = None) -> History:
    """What a recording holds, up to a moment (milliseconds) or to its end.

    A node that came back has a lane for each of its incarnations.
    """
    at = recording.duration if at is None else at
    lanes: list[Lane] = []
    pictures = []
    for track in recording.tracks:
        messages = track.messages[: track.messages_until(at)]
        lanes += split_by_incarnation(track.nodes, track.starts, messages, track.message_times)
        pictures.append(track.picture(max(0, track.frame_index(at)), recording.nodes))
    return History(tuple(lanes), tuple(pictures))


def split_by_incarnation(
    nodes: Sequence[NodeId], starts: Sequence[int], messages: Sequence[Message], times: Sequence[int]
) -> list[Lane]:
    """The messages of a track for each incarnation that it showed."""
    lanes: list[list[Message]] = [[] for _ in nodes]
    current = 0
    for message, at in zip(messages, times, strict=False):
        while current + 1 < len(nodes) and starts[current + 1] <= at:
            current += 1
        lanes[current].append(message)
    return [Lane(node, lane) for node, lane in zip(nodes, lanes, strict=True)]


def labels_for(nodes: Iterable[NodeId], forbidden: frozenset[str] = frozenset()) -> dict[NodeId, str]:
    """A label for each node that no other has: the bare name where that is enough and allowed."""
    distinct = sorted(set(nodes))
    named = Counter(node.name for node in distinct)
    labels = {
        node: node.name if named[node.name] == 1 and node.name not in forbidden else node.label
        for node in distinct
    }
    if len(set(labels.values())) < len(labels):
        return {node: str(node) for node in distinct}
    return labels
