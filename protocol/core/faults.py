"""Faults of a network, in one place: what happens to a datagram between one node and another.

Rules of this file. No clock and no dice of its own: it says how many copies of a datagram arrive and after
how many seconds, and whoever moves datagrams (the simulator, a node's socket) does the waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from ..errors import ConfigError
from .fault_text import LONGEST_DELAY, checked_latency, format_faults, is_number, parse_faults
from .identity import Address

__all__ = ["FAULT_COUNTS", "NOTHING_DONE", "NO_FAULTS", "Direction", "FaultInjector", "FaultReport", "Faults"]

Dice = Callable[[], float]
"""Evenly spread numbers from 0 to below 1."""

TAIL_REACH = 20.0
"""How many times the highest latency a datagram of the heavy tail takes at the most; a choice."""

NO_DELAY = (0.0, 0.0)
AT_ONCE = (0.0,)
NEVER = ()


@dataclass(frozen=True, slots=True)
class Faults:
    """Loss, duplication, reordering and latency, drawn anew for every datagram.

    >>> Faults.parse("loss=20 delay=50..200 duplicate=5 reorder=10")
    Faults(loss=0.2, duplication=0.05, reordering=0.1, latency=(0.05, 0.2), tail=0.0, reordering_delay=2.0)
    >>> print(Faults(loss=0.125, latency=(0.001, 0.5), tail=0.05))
    loss=12.5 delay=1..500 tail=5

    Raises:
        ConfigError: A share is not within 0 to 1, or the latency is not a range of seconds.
    """

    loss: float = 0.0
    """Share of datagrams that vanish."""
    duplication: float = 0.0
    """Share of datagrams that arrive twice, each copy with a latency of its own."""
    reordering: float = 0.0
    """Share of datagrams that are held up by up to ``reordering_delay`` more."""
    latency: tuple[float, float] | None = None
    """Seconds from sending to arrival: lowest and highest, evenly spread. None: what the network takes by
    itself, which is 1 to 5 ms in the simulator. On a real network it comes on top of that."""
    tail: float = 0.0
    """Share of datagrams in the heavy tail: their latency is the highest one divided by an evenly spread
    number from 0.05 to 1, so that one in two of them takes twice as long, one in ten ten times."""
    reordering_delay: float = 2.0
    """Seconds by which a reordered datagram is late, at the most."""

    def __post_init__(self) -> None:
        for name in ("loss", "duplication", "reordering", "tail"):
            value = getattr(self, name)
            if not is_number(value) or not 0 <= value <= 1:
                raise ConfigError(f"{name} must be a share from 0 to 1, not {value!r}")
        if self.latency is not None:
            object.__setattr__(self, "latency", checked_latency(self.latency))
        delay = self.reordering_delay
        if not is_number(delay) or not 0 <= delay <= LONGEST_DELAY:
            raise ConfigError(
                f"reordering_delay must be from 0 to {LONGEST_DELAY:.0f} seconds, not {delay!r}"
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what people write: ``loss=20 delay=50..200 duplicate=5 reorder=10``, or ``off`` for none.

        Shares are percent, times milliseconds. ``delay=50 jitter=20`` is the same as ``delay=50..70``;
        ``tail=5`` puts so many percent into the heavy tail, ``reorder=10 late=500`` holds them up by at most
        half a second. Case does not matter; commas may stand between.

        Raises:
            ConfigError: A word is none of these, is there twice, or its value is not possible.
        """
        return cls(**parse_faults(text))

    def __str__(self) -> str:
        """The text that ``parse`` reads back to the same faults; ``off`` if there are none."""
        return format_faults(self)

    def delays(self, dice: Dice, path: tuple[float, float] = NO_DELAY) -> list[float]:
        """When the copies of one datagram arrive, in seconds from now; none if it is lost.

        Args:
            dice: Where chance comes from.
            path: The latency of the network itself, which ``latency`` replaces.
        """
        return [self._delay(dice, path) for _ in range(self.copies(dice))]

    def copies(self, dice: Dice) -> int:
        """How many copies of one datagram arrive: none, one or two."""
        if self.loss and dice() < self.loss:
            return 0
        return 2 if self.duplication and dice() < self.duplication else 1

    def _delay(self, dice: Dice, path: tuple[float, float]) -> float:
        low, high = path if self.latency is None else self.latency
        delay = low + (high - low) * dice() if high else 0.0
        if self.tail and dice() < self.tail:
            delay = high / max(1.0 - dice(), 1.0 / TAIL_REACH)
        if self.reordering and dice() < self.reordering:
            delay += self.reordering_delay * dice()
        return delay


NO_FAULTS = Faults()
"""A network that does what it should."""


class Direction(StrEnum):
    """Which datagrams a block stops, seen from the node that blocks."""

    BOTH = "both"
    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class FaultReport:
    """The faults in force at one node, and what they have done to its datagrams so far."""

    faults: Faults = NO_FAULTS
    """What happens to the datagrams to and from everybody not named in ``by_peer``."""
    by_peer: Mapping[Address, Faults] = field(default_factory=dict)
    """What happens to those to and from single peers."""
    blocked: Mapping[Address, Direction] = field(default_factory=dict)
    """Peers to or from whom nothing passes."""
    lost: int = 0
    """Datagrams dropped by chance."""
    stopped: int = 0
    """Datagrams dropped because their peer is blocked."""
    duplicated: int = 0
    delayed: int = 0
    """Copies that had to wait."""
    overflowed: int = 0
    """Copies dropped because too many waited already."""
    waiting: int = 0
    """Copies that wait now."""

    @property
    def is_active(self) -> bool:
        """Whether anything is done to datagrams now."""
        return bool(self.faults != NO_FAULTS or self.by_peer or self.blocked)

    @property
    def dropped(self) -> int:
        """Datagrams that did not arrive because of faults, for whatever reason."""
        return self.lost + self.stopped + self.overflowed


FAULT_COUNTS = ("lost", "stopped", "duplicated", "delayed", "overflowed", "waiting")
"""The fields of a report that count datagrams."""

NOTHING_DONE = FaultReport()
"""No faults, now or ever."""


class FaultInjector:
    """Faults at one node: of all its datagrams, or of those to and from single peers; and blocked peers.

    Each direction is a path of its own: with a loss of 20 % a question and its answer come through in 64 of
    100 cases.
    """

    def __init__(self, dice: Dice) -> None:
        """Let everything pass."""
        self._dice = dice
        self._faults = NO_FAULTS
        self._by_peer: dict[Address, Faults] = {}
        self._blocked: dict[Address, Direction] = {}
        self._lost = self._stopped = self._duplicated = self._delayed = self.overflowed = 0
        self.is_active = False
        """Whether anything is done to datagrams; while it is not, nobody need ask."""

    @property
    def faults(self) -> Faults:
        """What happens to datagrams of peers without faults of their own; assignable."""
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.set_faults(faults)

    def set_faults(self, faults: Faults | None, peer: Address | None = None) -> None:
        """Do this to datagrams from now on.

        Args:
            faults: What to do; None, for a peer, is the same as for everybody else.
            peer: Whose datagrams; None for those of everybody without faults of its own.
        """
        if peer is None:
            self._faults = faults or NO_FAULTS
        elif faults is None:
            self._by_peer.pop(peer, None)
        else:
            self._by_peer[peer] = faults
        self._note_activity()

    def block(self, peers: Iterable[Address], direction: Direction | str = Direction.BOTH) -> None:
        """Let nothing pass to or from these peers, or in one direction only; a new direction replaces.

        Raises:
            ConfigError: There is no such direction.
        """
        if direction not in tuple(Direction):
            raise ConfigError(f"direction must be {', '.join(Direction)}, not {direction!r}")
        self._blocked |= dict.fromkeys(peers, Direction(direction))
        self._note_activity()

    def unblock(self, peers: Iterable[Address] | None = None) -> None:
        """Let these peers' datagrams pass again; by default everybody's."""
        for peer in list(self._blocked) if peers is None else peers:
            self._blocked.pop(peer, None)
        self._note_activity()

    def delays(self, peer: Address, *, outbound: bool) -> Sequence[float]:
        """When the copies of one datagram arrive, in seconds from now; none if it does not."""
        blocked = self._blocked.get(peer)
        if blocked is not None and blocked is not (Direction.IN if outbound else Direction.OUT):
            self._stopped += 1
            return NEVER
        faults = self._by_peer.get(peer, self._faults) if self._by_peer else self._faults
        if faults is NO_FAULTS:
            return AT_ONCE
        delays = faults.delays(self._dice)
        self._lost += not delays
        self._duplicated += len(delays) > 1
        self._delayed += sum(delay > 0 for delay in delays)
        return delays

    def report(self, waiting: int = 0) -> FaultReport:
        """What is in force, and what it did."""
        return FaultReport(
            self._faults,
            dict(self._by_peer),
            dict(self._blocked),
            self._lost,
            self._stopped,
            self._duplicated,
            self._delayed,
            self.overflowed,
            waiting,
        )

    def _note_activity(self) -> None:
        self.is_active = bool(self._faults != NO_FAULTS or self._by_peer or self._blocked)
