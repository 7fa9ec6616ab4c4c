"""Names of files: those that a person types, and those that the program makes up."""

from __future__ import annotations

import time
from pathlib import Path

from protocol.text import printable

from .command import CommandError

__all__ = ["path_of", "stem_for"]

LONGEST_NODE = 40
"""Characters of a node's name in that of a file; a choice."""


def path_of(text: str) -> Path:
    """The file that a person named, ``~`` being their home.

    Raises:
        CommandError: There is no such home.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise CommandError(f"there is no home for {printable(text)[:40]}") from None


def stem_for(node: str, at: float) -> str:
    """The start of a file name that says which node it is about, and of when.

    Args:
        node: Its name; what does not belong into a file name is left out.
        at: Unix seconds, which the name has as local time.
    """
    fit = "".join(character for character in node if character.isalnum() or character in "-_.")
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(at))
    return f"{fit.lstrip('.')[:LONGEST_NODE] or 'node'}-{stamp}"
