"""How many announcements each source may still make: those that lead nowhere are used up, others come back.

An announcement costs a transfer, requests and the announcements to others, about a millisecond in all. A
flood that a node took in would keep it busy for long after its end, while everybody's datagrams wait to be
read.
"""

from __future__ import annotations

from typing import NamedTuple

from ..bounded import put
from ..identity import Address

__all__ = ["Allowances", "Rate"]

SOURCE_LIMIT = 1_024
"""Sources whose announcements are counted; forgetting one takes so many others with proven addresses."""


class Rate(NamedTuple):
    """How many announcements one source may make at once, and then every second."""

    burst: int
    per_second: float


UNASKED = Rate(64, 8.0)
"""The part of the pool that one source fills without being asked, by default, then 1 % of a core's work. What
came in whole does not count, so who announces what exists is held up by neither while it comes as fast as it
is announced; what is refused is found by the next exchange. Choices."""

ASKED = Rate(1_024, 256.0)
"""What was asked for comes as fast as it can be pulled: a reply of 48 kB holds up to 800 announcements, and
what the pool has no room for is asked for again. A choice."""


class Allowances:
    """What is left to each source, for what was asked of it and what was not."""

    def __init__(self) -> None:
        """Have counted nothing."""
        self._left: dict[tuple[Address | None, bool], tuple[float, float]] = {}
        """What is left, and when that was so. All sources that have proven nothing share one."""

    def take(self, source: Address | None, now: float, *, is_asked: bool) -> bool:
        """Whether ``source``, None if it is unproven, may announce one message more; then it is counted."""
        rate = ASKED if is_asked else UNASKED
        left, at = self._left.get((source, is_asked), (float(rate.burst), now))
        left = min(float(rate.burst), left + max(0.0, now - at) * rate.per_second)
        may = left >= 1
        put(self._left, (source, is_asked), (left - may, now), SOURCE_LIMIT)
        return may

    def give_back(self, source: Address) -> None:
        """What ``source`` announced is here, so it was no flood."""
        for is_asked, rate in ((False, UNASKED), (True, ASKED)):
            found = self._left.get((source, is_asked))
            if found is not None:
                self._left[(source, is_asked)] = (min(float(rate.burst), found[0] + 1), found[1])
