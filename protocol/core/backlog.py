"""Own messages that nobody else is known to have: how many, and how many bytes."""

from __future__ import annotations

from collections import deque

__all__ = ["Backlog"]


class Backlog:
    """The sizes of unacknowledged own messages, oldest first."""

    def __init__(self) -> None:
        """Nothing is pending."""
        self.size = 0
        """Bytes of their payloads."""
        self._sizes: deque[tuple[int, int]] = deque()

    def add(self, sequence: int, size: int) -> None:
        """An own message was made."""
        self._sizes.append((sequence, size))
        self.size += size

    def cover(self, sequence: int) -> None:
        """Somebody has everything up to this sequence."""
        sizes = self._sizes
        while sizes and sizes[0][0] <= sequence:
            self.size -= sizes.popleft()[1]

    def clear(self) -> None:
        """Begin anew."""
        self._sizes.clear()
        self.size = 0
