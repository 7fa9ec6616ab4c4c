"""What the processes said, and whether all of it is as promised: pure functions over their lines of JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Entry", "Life", "differences", "is_complete", "lost"]

SHOWN = 5
"""Messages named in one line of a verdict; the rest is counted."""

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as a node told of it."""

    order: tuple[int, str, int]
    """Depth, origin, sequence: its place in the display order."""
    text: str
    clock: tuple[tuple[str, int], ...]


class Life:
    """What one process told between its start and its end, and what was wrong with that by itself."""

    def __init__(self, node: str) -> None:
        """Have heard nothing yet."""
        self.node = node
        self.entries: dict[str, Entry] = {}
        """By origin and sequence, in the order of delivery."""
        self.faults: list[str] = []
        self._past: set[str] = set()

    def take(self, record: Record) -> None:
        """Take in one line of the process."""
        if record["type"] == "message":
            self._take_message(record)
        elif record["type"] in {"gap", "lagged", "undeliverable"}:
            self.faults.append(f"{self.node} said {dict(record)}, and everything was retained")

    def _take_message(self, record: Record) -> None:
        name = f"{record['origin_id']}#{record['seq']}"
        early = [parent for parent in record["parents"] if parent not in self._past]
        if name in self.entries:
            self.faults.append(f"{self.node} delivered {name} twice")
        if early:
            self.faults.append(f"{self.node} delivered {name} before {listed(early)}")
        # A parent is named with its tag only where two of its name are in one clock.
        self._past |= {name, record["id"], f"{record['origin']}#{record['seq']}"}
        order = (record["depth"], record["origin_id"], record["seq"])
        text = record.get("text", record.get("payload_base64"))
        self.entries[name] = Entry(order, text, tuple(sorted(record["clock"].items())))


def is_complete(lives: Sequence[Life]) -> bool:
    """Whether all of these processes have told of the same messages."""
    return all(life.entries.keys() == lives[0].entries.keys() for life in lives)


def differences(lives: Sequence[Life]) -> list[str]:
    """How what the surviving processes told differs, and what was wrong with each."""
    found = [fault for life in lives for fault in life.faults]
    if not any(life.entries for life in lives):
        found.append("nobody told of any message")
    everything: dict[str, Entry] = {}
    for life in lives:
        everything |= life.entries
    for life in lives:
        missing = everything.keys() - life.entries.keys()
        if missing:
            found.append(f"{life.node} lacks {listed(missing)}")
        other = [name for name, entry in life.entries.items() if entry != everything[name]]
        if other:
            name = min(other)
            found.append(f"{life.node} tells otherwise of {listed(other)}: {life.entries[name]}")
    return found


def lost(former: Iterable[Life], survivors: Sequence[Life]) -> list[str]:
    """Own messages that a node told of before it was killed and that nobody has in the end."""
    known = {name for life in survivors for name in life.entries}
    gone = {
        name: life.node
        for life in former
        for name in life.entries
        if name.startswith(f"{life.node}~") and name not in known
    }
    return [f"{node} was killed after it had told of {name}, which nobody has" for name, node in gone.items()]


def listed(names: Iterable[str]) -> str:
    """A few names, and how many more there are."""
    found = sorted(names)
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more
