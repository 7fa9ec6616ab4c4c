"""Sitting on one of several nodes, be they live or recorded."""

from __future__ import annotations

from abc import ABC, abstractmethod

__all__ = ["Seated"]


class Seated(ABC):
    """Something with several nodes, on one of which a person sits."""

    def __init__(self) -> None:
        self.moved = False
        """Whether a person has moved since the last poll."""
        self._seat = 0

    @property
    @abstractmethod
    def seats(self) -> tuple[str, ...]:
        """Names of the nodes one can sit on."""

    @property
    def seat(self) -> int:
        """Which of the ``seats`` this is."""
        return self._seat

    def move(self, seat: int) -> None:
        """Sit on another node.

        Raises:
            IndexError: There is no such seat.
        """
        if not 0 <= seat < len(self.seats):
            raise IndexError(seat)
        if seat != self._seat:
            self._seat = seat
            self.moved = True
