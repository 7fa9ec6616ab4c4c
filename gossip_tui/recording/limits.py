"""The format of a recording in numbers: what a writer keeps to and a reader refuses beyond.

A recording is a stream of msgpack values. The first is the head ``[MARK, version, {...}]``. Each further
byte string is a block: whole records, packed one behind the other. All blocks together are one zlib stream,
flushed behind each block, so whatever is whole can be read. A record is ``[kind, moment, ...]``, its moment
in milliseconds since the start; readers skip unknown kinds. Last comes ``[why]`` if the recording was
ended in order. A recording is a file from anybody, so each limit here bounds what bytes can make a reader do.
"""

from __future__ import annotations

from typing import Final

from protocol.errors import GossipError

__all__ = [
    "BLOCK_LIMIT",
    "CLOCK_LIMIT",
    "DOTS_LIMIT",
    "EVENTS_LIMIT",
    "FRAME_LIMIT",
    "HELD_LIMIT",
    "MARK",
    "MESSAGES_LIMIT",
    "MOMENT_LIMIT",
    "NODES_LIMIT",
    "NUMBER_LIMIT",
    "PARENTS_LIMIT",
    "PAYLOAD_LIMIT",
    "PEERS_LIMIT",
    "TEXT_LIMIT",
    "TIME_LIMIT",
    "TOLD_LIMIT",
    "TOLD_VIEW_LIMIT",
    "TOTAL_LIMIT",
    "TRACKS_LIMIT",
    "VERSION",
    "WIDTH_LIMIT",
    "WORK_LIMIT",
    "Kind",
    "RecordingError",
]

MARK: Final = "gossip-tui recording"
"""What the head of every recording starts with, whatever its version."""

VERSION: Final = 1
"""Another version is another format; within one, records and keys may be added, which older readers skip."""


class RecordingError(GossipError):
    """A file can't be replayed, or no recording be made; the text says which file and why."""


class Kind:
    """The kinds of records, each with what stands behind kind and moment."""

    NODE: Final = 0
    """``name, incarnation``: the next number, from 0 on, stands for this node."""
    TRACK: Final = 1
    """``track, node``: from now on this track shows that node."""
    MESSAGE: Final = 2
    """``node, sequence, depth, created_at, payload, parents, clock``: a message, once a file. Parents are
    pairs of node and sequence. The clock is nil where it is the merge of the parents' and the own dot."""
    DELIVERY: Final = 3
    """``track, node, sequence, delivered_at, hops, marks``: the message was delivered there."""
    WHOLE: Final = 4
    """``track, picture``: everything countable, as packed bytes."""
    CHANGE: Final = 5
    """``track, picture``: what is different from the picture before."""
    EVENT: Final = 6
    """``track, code, ...``: something worth a line happened; see ``events``."""
    WORD: Final = 7
    """``track or nil, kind, text, names``: a line that the application put into the log, and which nodes
    it concerns. A recording may lack the names."""
    MARK: Final = 8
    """``track, text``: something worth jumping to that is no line of the log, such as a change of faults."""
    FATE: Final = 9
    """``track, state``: what was done to its node from now on: ``running``, ``stopped`` or ``crashed``."""


MESSAGES_LIMIT: Final = 500_000
"""Deliveries of a recording that are read: an hour at more than a hundred a second; what follows is left."""

NODES_LIMIT: Final = 8_192
"""Nodes named in one recording: a thousand authors come and go eight times."""

TRACKS_LIMIT: Final = 256
"""Nodes whose side is recorded: more than a demo has."""

EVENTS_LIMIT: Final = 200_000
"""Events and words that are read."""

FRAME_LIMIT: Final = 1 << 20
"""Bytes of one packed picture: thousands of peers, 256 held messages."""

BLOCK_LIMIT: Final = 4 << 20
"""Bytes of one block, compressed or not: a writer starts a new one long before."""

TOTAL_LIMIT: Final = 512 << 20
"""Bytes of all blocks uncompressed, so that a small file can't unfold without end."""

WORK_LIMIT: Final = 6_000_000
"""Records, parents and entries of clocks altogether: about a hundred bytes of memory each."""

WIDTH_LIMIT: Final = 100_000_000
"""Authors times messages: what all clocks together may grow to, a byte or so each at the worst."""

PAYLOAD_LIMIT: Final = 2 << 20
"""Bytes of one message: twice what a node takes."""

PARENTS_LIMIT: Final = 8_192
"""Parents of one message."""

CLOCK_LIMIT: Final = 8_192
"""Entries of a clock: eight times what nodes keep unless told otherwise."""

DOTS_LIMIT: Final = 8_192
"""Dots in any list of a picture or an event."""

PEERS_LIMIT: Final = 8_192
"""Rows of a picture."""

HELD_LIMIT: Final = 256
"""Held messages of a picture: what a picture describes."""

TOLD_LIMIT: Final = 64
"""Peers of a picture with what they told of their views: as many as a node remembers."""

TOLD_VIEW_LIMIT: Final = 64
"""Nodes of one such view: more than fit the datagram that tells it."""

TEXT_LIMIT: Final = 4_096
"""Characters of a text that is neither a payload nor a name."""

NUMBER_LIMIT: Final = (1 << 64) - 1
"""Any counter; larger ones, which forged histories can add up to, are recorded as this."""

TIME_LIMIT: Final = 253_402_300_799.0
"""Unix seconds at the end of the year 9999, the last one that calendars can show."""

MOMENT_LIMIT: Final = 10 * 366 * 86_400 * 1_000
"""Milliseconds since the start: ten years."""
