"""Whether a message names a node."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["mentions"]


def mentions(text: str, name: str) -> bool:
    """Whether ``name`` stands in ``text`` as a word of its own, in any case, with or without ``@``.

    >>> mentions("@P1, are you there?", "p1"), mentions("p10 is", "p1"), mentions("up1", "p1")
    (True, False, False)
    """
    return name.casefold() in text.casefold() and word(name).search(text) is not None


@lru_cache(maxsize=64)
def word(name: str) -> re.Pattern[str]:
    """Finds a name that is not a part of a longer word or name; ``p1`` is not in ``p1-2``."""
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?!\w|-\w)", re.IGNORECASE)
