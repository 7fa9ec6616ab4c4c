"""Whether a state file in use is still where it was: SQLite writes on into one that was removed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from protocol.errors import StateFileError

__all__ = ["Places"]


class Places:
    """Which files stood under some names at first."""

    def __init__(self, path: Path, beside: Iterable[Path]) -> None:
        """Remember the state file at ``path`` and those beside it, all of which are there.

        Raises:
            OSError: One of them is not.
        """
        self._path = path
        self._files = [(one, one.stat()) for one in (path, *beside)]

    def check(self) -> None:
        """Refuse to write where nobody would find it.

        Raises:
            StateFileError: One of the files is gone, or another one stands in its place.
        """
        for path, status in self._files:
            try:
                is_there = os.path.samestat(path.stat(), status)
            except OSError:
                is_there = False
            if not is_there:
                raise StateFileError(
                    self._path, f"can't be written: {path.name} was removed or replaced while in use"
                )
