"""What a filter of the log means: plain text, ``from:p2``, ``/regex/``, ``!`` in front for the opposite."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from gossip_tui.text import safe

from .bounded_search import BoundedSearch

__all__ = ["FilterError", "LogFilter"]

FROM = "from:"

SEARCHED = 16_384
"""Characters of a text that are searched: a large one must not hold up the screen."""


class FilterError(ValueError):
    """A filter can't be used; the text says which and why."""


class LogFilter:
    """Decides which lines of the log match.

    ``hello`` matches text in any case; ``from:p2`` messages of p2 (or of ``p2~tag``), and ``from:p2 hello``
    both; ``/h.llo/`` a regular expression, in any case unless it has a capital letter; ``!hello`` everything
    else.

    >>> LogFilter("from:p2 !").matches(("p2", "p2~abc"), "Hello!"), LogFilter("!ello").matches((), "Hello")
    (True, False)
    """

    def __init__(self, text: str) -> None:
        """Read a filter.

        Args:
            text: What the person typed; empty matches everything.

        Raises:
            FilterError: It holds a regular expression that is none.
        """
        self.text = text.strip()
        rest = self.text
        self._inverse = rest.startswith("!") and len(rest) > 1
        if self._inverse:
            rest = rest[1:].lstrip()
        self._origin: str | None = None
        if rest.startswith(FROM):
            self._origin, _, rest = rest.removeprefix(FROM).partition(" ")
        self._search = bounded_search(rest.strip())
        self._found = self._search or finder(rest.strip())

    def __bool__(self) -> bool:
        return bool(self.text)

    @property
    def gave_up(self) -> bool:
        """Whether its regular expression takes too long to search for; it hides nothing any more."""
        return self._search is not None and self._search.gave_up

    @property
    def complaint(self) -> str:
        """What to tell the person then."""
        return f"{safe(self.text, 40)} takes too long to search for; repetitions in repetitions do"

    def searching(self) -> AbstractContextManager[object]:
        """Around many calls of ``matches``, which are quicker within."""
        return self._search or nullcontext()

    def matches(self, origin: tuple[str, ...], text: str) -> bool:
        """Whether a line matches.

        Args:
            origin: Every way to write who sent it: name, name with tag; empty for a line that nobody sent.
            text: Its text.
        """
        from_there = self._origin is None or self._origin in origin
        found = from_there and self._found(text[:SEARCHED])
        return found is not self._inverse or self.gave_up


def finder(pattern: str) -> Callable[[str], bool]:
    """A function that says whether a text has the pattern in it, in any case."""
    folded = pattern.casefold()
    return lambda text: folded in text.casefold()


def bounded_search(pattern: str) -> BoundedSearch | None:
    """The search for a pattern between slashes; None if it is plain text."""
    if len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/"):
        return BoundedSearch(compiled(pattern[1:-1]))
    return None


def compiled(expression: str) -> re.Pattern[str]:
    """The regular expression, blind to case unless it has a capital letter."""
    flags = re.IGNORECASE if expression == expression.lower() else re.NOFLAG
    try:
        return re.compile(expression, flags)
    except (re.error, OverflowError, RecursionError) as error:
        reason = getattr(error, "msg", "") or str(error)
        raise FilterError(
            f"/{safe(expression, 40)}/ is not a regular expression: {safe(reason, 80)}"
        ) from None
