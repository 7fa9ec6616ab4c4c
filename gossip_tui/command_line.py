"""A line of the composer: gossip, or a command with its argument."""

from __future__ import annotations

from dataclasses import dataclass

from .command import Command, CommandError, Takes
from .commands import find_command

__all__ = ["Invocation", "Say", "parse_line"]


@dataclass(frozen=True, slots=True)
class Say:
    """A line that is gossip."""

    text: str


@dataclass(frozen=True, slots=True)
class Invocation:
    """A line that is a command."""

    command: Command
    argument: str
    """Everything behind the name, stripped."""

    @property
    def words(self) -> list[str]:
        """The argument, split at white space."""
        return self.argument.split()


def parse_line(line: str, *, demo: bool = False, replay: bool = False) -> Say | Invocation | None:
    """Read one line of the composer; None for one without anything in it.

    Raises:
        CommandError: It starts with a slash and is no command, or one with an argument missing or too many.
    """
    if not line.strip():
        return None
    if not line.startswith("/"):
        return Say(line)
    if line.startswith("//"):
        return Say(line[1:])
    name, _, argument = line[1:].partition(" ")
    command = find_command(name, demo=demo, replay=replay)
    argument = argument.strip()
    if command.needs_argument and not argument:
        raise CommandError(f"/{command.name} needs an argument: {command.call}")
    if argument and command.takes is Takes.NOTHING:
        raise CommandError(f"/{command.name} takes no argument")
    return Invocation(command, argument)
