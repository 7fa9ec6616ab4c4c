"""Searches with a regular expression that gives up rather than hold up the screen.

Some expressions take years over a line of forty letters, and lines come from others. ``re`` can't be told to
stop, but it minds signals: an alarm ends a search that takes too long, where there are alarms.
"""

from __future__ import annotations

import re
import signal
import threading
from time import perf_counter
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["BoundedSearch"]

SEARCH_PATIENCE = 0.1
"""Seconds that one line may take; a choice, no more than a key may take to show."""

SLOW_SEARCH = 0.001
"""Seconds from which on a search counts as slow: a thousand times what one takes."""

SLOW_PATIENCE = 1.0
"""Seconds that all slow searches of one expression may take, however many lines there are."""

REPETITIONS = frozenset("*+{?")
"""An expression with none of these looks at every character once."""


class TooSlowError(Exception):
    """A search was ended by the alarm."""


class BoundedSearch:
    """Says whether a text has an expression in it, for as long as that takes no time that a person notices.

    Attributes:
        gave_up: Whether it took too long; from then on every text is said to have it: nothing is hidden.

    >>> search = BoundedSearch(re.compile("l+o"))
    >>> search("hello"), search("help"), search.gave_up
    (True, False, False)
    """

    __slots__ = ("_before", "_expression", "_is_armed", "_is_listening", "_needs_alarm", "_spent", "gave_up")

    def __init__(self, expression: re.Pattern[str]) -> None:
        self.gave_up = False
        self._expression = expression
        self._needs_alarm = not REPETITIONS.isdisjoint(expression.pattern) and hasattr(signal, "setitimer")
        self._is_armed = False
        self._is_listening = False
        self._before: Any = None
        self._spent = 0.0

    def __enter__(self) -> Self:
        """Listen to the alarm for many searches, which costs more than each of them."""
        if self._needs_alarm and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGALRM, self._ring)
            self._is_listening = True
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        if self._is_listening:
            self._is_listening = False
            signal.signal(signal.SIGALRM, self._before)

    def __call__(self, text: str) -> bool:
        """Whether the text has it."""
        if self.gave_up:
            return True
        if not self._needs_alarm:
            return self._expression.search(text) is not None
        if not self._is_listening:
            with self:
                return self._in_time(text) if self._is_listening else bool(self._expression.search(text))
        return self._in_time(text)

    def _in_time(self, text: str) -> bool:
        began = perf_counter()
        try:
            return self._search(text)
        except TooSlowError:
            self.gave_up = True
            return True
        finally:
            took = perf_counter() - began
            if took > SLOW_SEARCH:
                self._spent += took
                self.gave_up = self.gave_up or self._spent > SLOW_PATIENCE

    def _search(self, text: str) -> bool:
        self._is_armed = True
        signal.setitimer(signal.ITIMER_REAL, SEARCH_PATIENCE)
        try:
            return self._expression.search(text) is not None
        finally:
            self._is_armed = False
            signal.setitimer(signal.ITIMER_REAL, 0.0)

    def _ring(self, _: int, __: FrameType | None) -> None:
        if self._is_armed:
            raise TooSlowError
