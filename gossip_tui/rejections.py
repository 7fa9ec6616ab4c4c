"""Sums up refused datagrams, so that a stranger who sends thousands does not fill anybody's disk."""

from __future__ import annotations

from protocol.core.events import DatagramRejected
from protocol.core.identity import Address

__all__ = ["Rejections"]


class Rejections:
    """Tells the first datagram refused for a reason at once, and how many more there were when it is asked.

    The reasons are a fixed few, so this stays small.
    """

    def __init__(self) -> None:
        self._more: dict[str, tuple[Address, int]] = {}

    def is_news(self, event: DatagramRejected) -> bool:
        """Whether it is the first of its reason since ``take``; if not, it is counted."""
        known = self._more.get(event.reason)
        self._more[event.reason] = event.source, 0 if known is None else known[1] + 1
        return known is None

    def take(self) -> list[tuple[DatagramRejected, int]]:
        """The last one of each reason of which there were more, with how many more; then all begins anew."""
        found = [
            (DatagramRejected(source, reason), more) for reason, (source, more) in self._more.items() if more
        ]
        self._more = {}
        return found
