"""What a command is, and why one is refused. Draws nothing and imports nothing that does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from protocol.errors import GossipError

__all__ = ["SWARM", "Command", "CommandError", "Takes"]

SWARM = "swarm"
"""The word that makes a command one for all nodes of a demo."""


class CommandError(GossipError, ValueError):
    """A line typed by the person can't be carried out; the text says why and what is possible."""


class Takes(StrEnum):
    """What the arguments of a command are, so that Tab can complete them."""

    NOTHING = "nothing"
    ADDRESSES = "addresses"
    COMMAND = "command"
    DISSEMINATION = "dissemination"
    COPY = "copy"
    FAULT = "fault"
    FILE = "file"
    FILTER = "filter"
    FORMAT = "format"
    MOMENT = "moment"
    NODE = "node"
    NODES = "nodes"
    NUMBER = "number"
    ORDER = "order"
    SORT = "sort"
    STRATEGY = "strategy"
    THEME = "theme"
    TOUR = "tour"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a person can ask for by ``/name``, from the palette, and by a key if it has one."""

    name: str
    title: str
    """What the palette calls it."""
    does: str
    """One sentence without markup."""
    usage: str = ""
    """Its arguments as the help shows them; square brackets for what may be left out."""
    takes: Takes = Takes.NOTHING
    needs_argument: bool = False
    key: str = ""
    """The key as Textual names it, or nothing."""
    footer: str = ""
    """The word beside the key at the foot of the screen; the key does not stand there without one."""
    spare: int = 0
    """The larger, the sooner the foot of the screen leaves the key out for want of room; 0 for never."""
    demo: bool = False
    """Whether it exists only where several nodes run in this process."""
    live: bool = False
    """Whether it needs a live node, and so can't be carried out in a recording."""
    replay: bool = False
    """Whether it exists only in a recording."""

    @property
    def call(self) -> str:
        """How to type it: the slash, the name and the usage."""
        return f"/{self.name} {self.usage}".rstrip()
