"""What the simulated network does to datagrams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import ConfigError

__all__ = ["Faults"]


@dataclass(frozen=True, slots=True)
class Faults:
    """Loss, duplication, reordering and latency, drawn anew for every datagram.

    Raises:
        ConfigError: A share is not within 0 to 1, or the latency is not a range of seconds.
    """

    loss: float = 0.0
    """Share of datagrams that vanish."""
    duplication: float = 0.0
    """Share of datagrams that arrive twice, each copy with a latency of its own."""
    reordering: float = 0.0
    """Share of datagrams that are held up by up to ``reordering_delay`` more."""
    latency: tuple[float, float] = (0.001, 0.005)
    """Seconds from sending to arrival: lowest and highest, evenly spread. Default: a local network."""
    reordering_delay: float = 2.0
    """Seconds by which a reordered datagram is late, at the most."""

    def __post_init__(self) -> None:
        for name in ("loss", "duplication", "reordering"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ConfigError(f"{name} must be a share from 0 to 1, not {value!r}")
        low, high = self.latency
        if not 0 <= low <= high < float("inf"):
            raise ConfigError(f"latency must be a range of seconds like (0.001, 0.05), not {self.latency!r}")
        if not 0 <= self.reordering_delay < float("inf"):
            raise ConfigError(f"reordering_delay must be 0 seconds or more, not {self.reordering_delay!r}")

    def delays(self, dice: Callable[[], float]) -> list[float]:
        """When the copies of one datagram arrive, in seconds from now; none if it is lost.

        Args:
            dice: Evenly spread numbers from 0 to below 1.
        """
        return [self._delay(dice) for _ in range(self.copies(dice))]

    def copies(self, dice: Callable[[], float]) -> int:
        """How many copies of one datagram arrive: none, one or two.

        Args:
            dice: Evenly spread numbers from 0 to below 1.
        """
        if self.loss and dice() < self.loss:
            return 0
        return 2 if self.duplication and dice() < self.duplication else 1

    def _delay(self, dice: Callable[[], float]) -> float:
        low, high = self.latency
        delay = low + (high - low) * dice()
        if self.reordering and dice() < self.reordering:
            delay += self.reordering_delay * dice()
        return delay
