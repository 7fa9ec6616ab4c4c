"""Commands and keys as rows of tables, for the help and for the README."""

from __future__ import annotations

from collections.abc import Iterable

from .command import Command
from .commands import COMMANDS
from .keys import KEYS, Where, key_label

__all__ = ["command_rows", "key_rows", "markdown", "readme_tables"]


def command_rows(commands: Iterable[Command] = COMMANDS) -> list[tuple[str, str, str]]:
    """Call, key and meaning of commands, as text for tables; by default of every one there is."""
    return [
        (command.call, key_label(command.key) if command.key else "", command.does + where_of(command))
        for command in commands
    ]


def key_rows(commands: Iterable[Command] = COMMANDS) -> list[tuple[str, str, str]]:
    """Label, place and meaning of every key, those of commands first."""
    rows = [
        (key_label(command.key), Where.EVERYWHERE.value, by_key(command) + where_of(command))
        for command in commands
        if command.key
    ]
    return rows + [(key.label, key.where.value, key.does) for key in KEYS]


def by_key(command: Command) -> str:
    """What the key of a command does: one that needs an argument is begun, and the person completes it."""
    if command.needs_argument:
        return f"Put /{command.name} into the composer: add {command.usage} and press Enter."
    return command.does


def where_of(command: Command) -> str:
    """Where a command exists, if not everywhere."""
    return " (demo)" if command.demo else " (replay)" if command.replay else ""


def markdown(heads: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; pipes inside cells are escaped."""
    heads = tuple(heads)
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def readme_tables() -> dict[str, str]:
    """The tables of the README by name: ``commands`` and ``keys``."""
    commands = [(f"`{call}`", key, does) for call, key, does in command_rows()]
    return {
        "commands": markdown(("Command", "Key", "Does"), commands),
        "keys": markdown(("Key", "Where", "Does"), key_rows()),
    }
