"""Whether what a state file holds can be one node's: values that are each possible, but not together.

Rules of this file. Nothing is refused that a node could have come to, whatever others sent to it: a hostile
message must not make a file unreadable.
"""

from __future__ import annotations

from protocol.core.identity import Key
from protocol.core.messages import KeyDot
from protocol.core.saved import Saved, SavedPrefix

__all__ = ["check_saved"]


def check_saved(saved: Saved) -> None:
    """Refuse what contradicts itself.

    Raises:
        ValueError: It does; the text says where.
    """
    prefix = saved.prefix
    if prefix is None:
        if saved.messages or saved.clocks:
            raise ValueError("messages are there, and nothing says what came before them")
    else:
        check_prefix(prefix)
        check_messages(saved, prefix)
    own = [message.sequence for message in saved.messages if message.origin == saved.standing.id]
    own += [sequence for node, sequence, _ in prefix.floors if node == saved.standing.id] if prefix else []
    if saved.standing.covered > max(own, default=0):
        raise ValueError("others have own messages that the node never made")


def check_prefix(prefix: SavedPrefix) -> None:
    """Refuse a prefix whose maximal messages are not in it; needless pinned clocks are no matter."""
    floors = {node.key: sequence for node, sequence, _ in prefix.floors}
    if len(floors) < len(prefix.floors):
        raise ValueError("an origin is in the prefix twice")
    for key, sequence in prefix.frontier:
        if sequence > floors.get(key, 0):
            raise ValueError("a message of the prefix is not in it")


def check_messages(saved: Saved, prefix: SavedPrefix) -> None:
    """Refuse messages that are missing or there twice, or before what they follow, and clocks of others."""
    places: dict[KeyDot, int] = {}
    for position, message in enumerate(saved.messages, prefix.first):
        if message.position != position:
            raise ValueError("messages are missing in between")
        if places.setdefault((message.origin.key, message.sequence), position) != position:
            raise ValueError("a message is there twice")
    check_order(saved, places)
    check_clocks(saved)


def check_order(saved: Saved, places: dict[KeyDot, int]) -> None:
    """Refuse a message that was delivered before one in its past; one that came late is in no order."""
    late = {message.position for message in saved.messages if message.late}
    last: dict[Key, int] = {}
    for message in saved.messages:
        position, key = message.position, message.origin.key
        if position in late:
            continue
        if message.sequence < last.get(key, 0):
            raise ValueError(f"message {position} is behind a younger one of its origin")
        last[key] = message.sequence
        if not late.issuperset(place for dot in message.parents if (place := places.get(dot, 0)) > position):
            raise ValueError(f"message {position} is before one that it follows")


def check_clocks(saved: Saved) -> None:
    """Refuse a clock that belongs to no message, or to another one."""
    own = {message.position: (message.origin, message.sequence) for message in saved.messages}
    for clock in saved.clocks:
        node, sequence = own.get(clock.position, (None, 0))
        if node is None:
            raise ValueError("a clock belongs to no message")
        if any(number != sequence for named, number, _ in clock.entries if named == node):
            raise ValueError(f"the clock of message {clock.position} is another one's")
