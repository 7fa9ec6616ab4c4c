"""What happens at nodes as records of a recording; knows no file and no clock.

Whatever was said once in a file is not said again: nodes are numbers, a message that several nodes deliver
has its content once, a picture only what is different from the one before, but for a whole one now and then,
so that a reader can start in the middle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec

from msgpack import Packer

from protocol.core.events import Event
from protocol.core.identity import Dot, NodeId
from protocol.core.messages import Message
from protocol.core.snapshot import NodeSnapshot

from .events import flat_event
from .limits import CLOCK_LIMIT, MARK, NODES_LIMIT, PARENTS_LIMIT, TEXT_LIMIT, TRACKS_LIMIT, VERSION, Kind
from .pictures import Flat, change_between, flat_dots, flatten

__all__ = ["RecordEncoder", "head_of"]

WHOLE_PERIOD = 20_000
"""Milliseconds between two whole pictures of a node: a reader applies some eighty changes to get anywhere."""

REMEMBERED = 50_000
"""Messages whose content is known to be in the file: five times what a node retains."""

RESERVE = 256
"""Numbers of nodes that are left when a recording is ended in order: what one picture may name anew."""

LATE, FROM_HISTORY = 1, 2
"""The marks of a delivery."""


def head_of(source: str, program: str, started_at: float) -> bytes:
    """The first value of a recording."""
    about = {"source": source, "program": program, "started_at": started_at}
    return Packer().pack([MARK, VERSION, about])


class TooManyNodesError(Exception):
    """A record would name more nodes than a reader takes."""


Parameters = ParamSpec("Parameters")


def whole_or_nothing(
    method: Callable[Concatenate[RecordEncoder, Parameters], bytes],
) -> Callable[Concatenate[RecordEncoder, Parameters], bytes]:
    """Give nothing from the first record on that would name too many nodes: what follows may refer to it."""

    @wraps(method)
    def guarded(self: RecordEncoder, /, *args: Parameters.args, **options: Parameters.kwargs) -> bytes:
        if self.is_over:
            return b""
        try:
            return method(self, *args, **options)
        except TooManyNodesError:
            self.is_over = True
            return b""

    return guarded


class RecordEncoder:
    """Makes packed records out of what nodes tell; each method returns the bytes to append."""

    def __init__(self) -> None:
        self._pack = Packer(unicode_errors="replace").pack
        self.is_over = False
        """Whether something could not be recorded any more, and nothing is from then on."""
        self._numbers: dict[NodeId, int] = {}
        self._fresh: list[bytes] = []
        self._known: dict[Dot, bool] = {}
        """Messages in the file, and whether the clocks of others may be derived from theirs."""
        self._pictures: dict[int, Flat] = {}
        self._whole_at: dict[int, float] = {}

    @property
    def is_full(self) -> bool:
        """Whether hardly more nodes can be named, or more would have been already."""
        return self.is_over or len(self._numbers) > NODES_LIMIT - RESERVE

    @whole_or_nothing
    def track(self, moment: int, track: int, node: NodeId) -> bytes:
        """From now on ``track`` shows ``node``."""
        self._pictures.pop(track, None)
        return self._record(Kind.TRACK, moment, track, self._number_of(node))

    @whole_or_nothing
    def delivery(self, moment: int, track: int, message: Message) -> bytes:
        """A message was delivered on a track."""
        known = message.id in self._known
        content = b"" if known else self._content(moment, message)
        origin, sequence = message.id
        marks = LATE * message.late | FROM_HISTORY * message.from_history
        return content + self._record(
            Kind.DELIVERY,
            moment,
            track,
            self._number_of(origin),
            sequence,
            message.delivered_at,
            message.hops,
            marks,
        )

    @whole_or_nothing
    def picture(self, moment: int, track: int, snapshot: NodeSnapshot) -> bytes:
        """How a node is now; nothing if that is how it was."""
        flat = flatten(snapshot, self._number_of)
        before = self._pictures.get(track)
        if before is None or moment - self._whole_at.get(track, -math.inf) >= WHOLE_PERIOD:
            self._whole_at[track] = moment
            self._pictures[track] = flat
            return self._record(Kind.WHOLE, moment, track, self._pack(flat))
        change = change_between(before, flat)
        if not change:
            return b""
        self._pictures[track] = flat
        return self._record(Kind.CHANGE, moment, track, self._pack(change))

    @whole_or_nothing
    def event(self, moment: int, track: int, event: Event) -> bytes:
        """Something worth a line happened at a node; nothing for other events."""
        flat = flat_event(event, self._number_of)
        return b"" if flat is None else self._record(Kind.EVENT, moment, track, *flat)

    @whole_or_nothing
    def word(self, moment: int, track: int | None, kind: str, text: str, nodes: Sequence[str] = ()) -> bytes:
        """The application put a line into the log, about these nodes."""
        names = [name[:TEXT_LIMIT] for name in nodes[:TRACKS_LIMIT]]
        return self._record(Kind.WORD, moment, track, kind, text[:TEXT_LIMIT], names)

    @whole_or_nothing
    def fate(self, moment: int, track: int, state: str) -> bytes:
        """From now on the node of a track crashed, stands still, or runs again."""
        return self._record(Kind.FATE, moment, track, state)

    @whole_or_nothing
    def mark(self, moment: int, track: int, text: str) -> bytes:
        """Something worth jumping to happened."""
        return self._record(Kind.MARK, moment, track, text[:TEXT_LIMIT])

    def _content(self, moment: int, message: Message) -> bytes:
        origin, sequence = message.id
        parents = message.parents[:PARENTS_LIMIT]
        derivable = (
            not message.late
            and len(parents) == len(message.parents)
            and all(self._known.get(parent, False) for parent in parents)
            and (sequence == 1 or any(parent.origin == origin for parent in parents))
        )
        entries = [] if derivable else list(message.clock.items())[:CLOCK_LIMIT]
        clock = None if derivable else [[self._number_of(node), count] for node, count in entries]
        self._known[message.id] = not message.late
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        return self._record(
            Kind.MESSAGE,
            moment,
            self._number_of(origin),
            sequence,
            message.depth,
            message.created_at,
            message.payload,
            flat_dots(parents, self._number_of),
            clock,
        )

    def _number_of(self, node: NodeId) -> int:
        found = self._numbers.get(node)
        if found is None:
            if len(self._numbers) >= NODES_LIMIT:
                raise TooManyNodesError
            found = self._numbers[node] = len(self._numbers)
            self._fresh.append(self._pack([Kind.NODE, 0, node.name, node.incarnation]))
        return found

    def _record(self, *parts: object) -> bytes:
        record = self._pack(list(parts))
        fresh, self._fresh = self._fresh, []
        return b"".join([*fresh, record])
