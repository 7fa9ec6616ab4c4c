"""What this library raises.

A local mistake raises one of these; what came from the network never does: it becomes a counter by reason and
one ``DatagramRejected`` event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from os import PathLike

__all__ = [
    "AddressError",
    "BacklogError",
    "ConfigError",
    "GossipError",
    "PayloadSizeError",
    "StateError",
    "StateFileError",
    "WireError",
]


class GossipError(Exception):
    """The root of all errors of this library."""


class ConfigError(GossipError, ValueError):
    """A setting is not possible; the text says which setting, its value and what is allowed."""


class AddressError(ConfigError):
    """A text is not an address; the text says what an address looks like."""


class StateError(GossipError, RuntimeError):
    """The call does not fit the state of the node, such as sending after ``leave()``; nothing was changed."""


class StateFileError(StateError):
    """A state file can't be used, or no longer; the file is as it was.

    Attributes:
        path: The file.
        reason: What is wrong, to be read after the path.
    """

    def __init__(self, path: str | PathLike[str], reason: str) -> None:
        super().__init__(f"state file {path} {reason}")
        self.path = path
        self.reason = reason


class PayloadSizeError(GossipError, ValueError):
    """A payload does not fit one message; nothing was made and no sequence number used.

    Attributes:
        size: Bytes of the payload.
        limit: The most bytes that fit.
    """

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"payload of {size} bytes is too large: at most {limit} bytes fit one message")
        self.size = size
        self.limit = limit


class BacklogError(GossipError):
    """Too many own messages are unacknowledged; nothing was made. ``await node.drain()`` waits for room.

    Attributes:
        pending: Own messages that no other node is known to have, or bytes of them.
        limit: The most that may be pending.
        unit: What is counted: ``"messages"`` or ``"bytes"``.
    """

    def __init__(self, pending: int, limit: int, unit: str = "messages") -> None:
        what = "own messages" if unit == "messages" else f"{unit} of own messages"
        super().__init__(f"{pending} {what} are unacknowledged, {limit} may be: wait with drain()")
        self.unit = unit
        self.pending = pending
        self.limit = limit


class WireError(GossipError):
    """A datagram is not one of ours; raised by codecs, counted by the node.

    Attributes:
        reason: One of the few words under which it is counted, such as ``"malformed"`` or ``"version"``.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
