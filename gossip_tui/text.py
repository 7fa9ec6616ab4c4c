"""The one door through which text from the network comes into a pane.

Textual reads markup in most strings it is given, and terminals obey control characters. So a name, an
address, a payload or an error text is turned into ``Safe`` here, and only ``Safe`` is drawn, never as markup.
"""

from __future__ import annotations

from typing import NewType

from protocol.text import printable

__all__ = ["TEXT_LIMIT", "Safe", "clip", "safe"]

Safe = NewType("Safe", str)
"""Text without anything that a terminal would obey. It may still look like markup: draw it as ``Content``,
``Text`` or ``Segment``."""

TEXT_LIMIT = 2_000
"""Characters of one line at the most: more than any screen is wide, and more than a payload has."""


def safe(text: str, limit: int = TEXT_LIMIT) -> Safe:
    r"""Make text from outside fit for a pane: clipped to ``limit`` characters, then made printable.

    >>> safe("[/]\x1b]0;title\x07")
    '[/]␛]0;title␇'
    >>> safe("a long story", limit=6)
    'a lon…'
    """
    return Safe(clip(printable(text[: limit + 1]), limit) if len(text) > limit else printable(text))


def clip(text: str, limit: int) -> str:
    """The first ``limit`` characters, the last of them an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"
