"""What is copied goes to the terminal's clipboard, and to a file, since not every terminal has one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

__all__ = ["COPY_LIMIT", "copy_file", "keep_copy"]

COPY_LIMIT = 64 * 1024
"""Characters given to a terminal at the most: many drop a clipboard sequence that is longer than this."""


def copy_file() -> Path:
    """Where a copy is kept: in the person's own cache, which nobody else reads.

    Raises:
        OSError: This person has no home.
    """
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if Path(cache).is_absolute():
        return Path(cache) / "gossip-tui" / "copied.txt"
    try:
        home = Path.home()
    except RuntimeError:
        raise FileNotFoundError(errno.ENOENT, "there is no home folder") from None
    return home / ".cache" / "gossip-tui" / "copied.txt"


def keep_copy(text: str) -> Path:
    """Write what was copied last into the file, for its owner only.

    Raises:
        OSError: It can't be written.
    """
    path = copy_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}")
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.write(text)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    return path
