"""Which peer to exchange views with, which way descriptors travel, and which of them stay.

Two families share the first two axes. The view selection of 2007 is a pair of numbers, healing H and swapping
S; that of 2004 is one word: ``rand``, ``head`` or ``tail``. Head means youngest and tail oldest, by age.

Sources: Jelasity, Voulgaris, Guerraoui, Kermarrec, van Steen, *Gossip-based Peer Sampling*, ACM TOCS 25(3),
2007; Jelasity, Guerraoui, Kermarrec, van Steen, *The Peer Sampling Service*, Middleware 2004.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Self

from ..errors import ConfigError

__all__ = ["HEAD", "PRESETS", "RAND", "HealSwap", "PeerSelection", "Propagation", "Strategy", "ViewSelection"]

SAFE_VIEW_SIZE = 8
"""Smaller views can fall apart without any failure, whatever the strategy. Source: reference simulation."""

SAFE_HEALING_VIEW_SIZE = 14
"""The same for peer selection rand where H is above c/4. Of 8 healers of 50 nodes 8 parted at c=6, 2 at 8,
none from 10 on; with H up to c/4 none did. Source: ``protocol.sim.Experiment``, 150 cycles. The reference
simulation saw all part up to c=8 and some at 10, and calls 14 safe."""

QUOTE_LIMIT = 60
"""Characters of a wrong text that its error repeats; a choice, so that the error stays one line."""


class PeerSelection(StrEnum):
    """Whom a node asks for an exchange, out of its view."""

    RAND = "rand"
    """Any descriptor. Bad at nothing in particular; needs the longest to notice one dead peer."""
    HEAD = "head"
    """The youngest. Bad: nodes talk to those they just talked to, and the overlay clusters."""
    TAIL = "tail"
    """The oldest. Heals best where unanswering peers are evicted; without that it sticks to the dead."""


RAND, HEAD = PeerSelection.RAND, PeerSelection.HEAD
"""Asked for in every cycle; Python 3.11 looks a member of an enumeration up by a function call."""


class Propagation(StrEnum):
    """Which way descriptors travel in an exchange."""

    PUSH = "push"
    """From the asker only. Bad: a network grown around one node keeps that star."""
    PULL = "pull"
    """To the asker only. Bad: nobody introduces itself, so the overlay collapses into a star."""
    PUSH_PULL = "push-pull"
    """Both ways: converges and heals fastest."""

    def __init__(self, text: str) -> None:
        """Know both directions: every exchange asks for them."""
        self.pushes = text != "pull"
        """Whether the asker sends its buffer."""
        self.pulls = text != "push"
        """Whether the asker wants a buffer back."""


class ViewSelection(StrEnum):
    """Which descriptors stay when a view is too large: the rule of 2004."""

    RAND = "rand"
    """Any. Bad: dead links fade slowly."""
    HEAD = "head"
    """The youngest. Heals fastest. Bad: clusters, and parts small views."""
    TAIL = "tail"
    """The oldest. Bad: dead links stay for good, and newcomers are never taken in."""


@dataclass(frozen=True, slots=True)
class HealSwap:
    """Which descriptors go when a view is too large: the rule of 2007. Prints as ``H=1, S=9``.

    H = c/2 is called healer, S = c/2 swapper, H = S = 0 blind. Bad: a blind view spreads in-degrees wide and
    forgets the dead slowly, a healer clusters and parts small views, a swapper forgets the dead slowly.

    Raises:
        ConfigError: H or S is no whole number.
    """

    heal: int
    """H: so many of the oldest go first, at the most; 0 to c/2."""
    swap: int
    """S: then so many of those just sent to the peer, at the most; 0 to c/2 - H."""

    def __post_init__(self) -> None:
        for letter, value in (("H", self.heal), ("S", self.swap)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise ConfigError(f"{letter} must be a whole number, not {value!r}")

    def __str__(self) -> str:
        return f"H={self.heal}, S={self.swap}"


@dataclass(frozen=True, slots=True)
class Strategy:
    """How a node samples its peers; prints as ``(peer selection, propagation, view selection)``.

    >>> Strategy.parse("default", view_size=20)
    Strategy('(tail, push-pull, H=1, S=9)')
    >>> str(Strategy.parse("RAND push-pull head", view_size=20))
    '(rand, push-pull, head)'

    Raises:
        ConfigError: A part is not of its type.
    """

    peer_selection: PeerSelection
    propagation: Propagation
    view_selection: HealSwap | ViewSelection

    def __post_init__(self) -> None:
        for name, kind in (("peer_selection", PeerSelection), ("propagation", Propagation)):
            if not isinstance(getattr(self, name), kind):
                raise ConfigError(f"{name} must be one of {listed(kind)}, not {getattr(self, name)!r}")
        if not isinstance(self.view_selection, HealSwap | ViewSelection):
            raise ConfigError(
                f"view_selection must be a HealSwap or ViewSelection, not {self.view_selection!r}"
            )

    def __str__(self) -> str:
        return f"({self.peer_selection}, {self.propagation}, {self.view_selection})"

    def __repr__(self) -> str:
        return f"Strategy('{self}')"

    @classmethod
    def parse(cls, text: str, view_size: int) -> Self:
        """Read a preset's name or what ``str()`` of a strategy gave, and check it against ``view_size``.

        Case, parentheses and the kind of separator (comma, slash or space) do not matter, and the view
        selection may be ``blind``, ``healer`` or ``swapper``.

        Args:
            text: Such as ``default``, ``(rand, push, head)`` or ``(tail, push-pull, H=1, S=9)``.
            view_size: c, against which presets are resolved.

        Raises:
            ConfigError: The text is none of these, or not possible with this view size.
        """
        parts = split(text)
        preset = RECIPES.get(parts[0]) if len(parts) == 1 else None
        if preset is not None:
            strategy = cls(preset.peer_selection, preset.propagation, preset.view_selection(view_size // 2))
        else:
            strategy = cls._of_parts(parts, view_size, text)
        strategy.check(view_size)
        return strategy

    @classmethod
    def _of_parts(cls, parts: list[str], view_size: int, text: str) -> Self:
        try:
            peer_selection, propagation, *rest = parts
            view_selection = view_selection_of(rest, view_size // 2)
            return cls(PeerSelection(peer_selection), Propagation(propagation), view_selection)
        except ValueError:
            raise ConfigError(
                f"strategy must be one of {', '.join(PRESETS)}, or three parts such as "
                f"(rand, push-pull, head) or (tail, push-pull, H=1, S=9), not {text[:QUOTE_LIMIT]!a}"
            ) from None

    def check(self, view_size: int) -> None:
        """Return if this strategy is possible with views of ``view_size`` descriptors.

        Raises:
            ConfigError: H or S is negative, or H + S is more than half a view.
        """
        selection = self.view_selection
        if isinstance(selection, ViewSelection):
            return
        heal, swap, half = selection.heal, selection.swap, view_size // 2
        if heal < 0 or swap < 0:
            raise ConfigError(f"strategy {self}: H and S must be at least 0, not H={heal} and S={swap}")
        if heal + swap > half:
            raise ConfigError(
                f"strategy {self}: H + S must be at most {half}, half of view_size {view_size}, "
                f"not {heal + swap}"
            )

    def resized(self, before: int, after: int) -> Strategy:
        """The same for views of another size: a preset stays that preset, with its H and S for the new size.

        >>> Strategy.parse("default", 20).resized(20, 8)
        Strategy('(tail, push-pull, H=1, S=3)')

        What is no preset stays as it is, so it may not be possible any more; ``check`` says.
        """
        for name in PRESETS:
            if self == Strategy.parse(name, before):
                return Strategy.parse(name, after)
        return self

    def warnings(self, view_size: int) -> tuple[str, ...]:
        """What is known to go wrong with this strategy and view size, and in each case what is safe."""
        found = []
        if self.peer_selection is PeerSelection.HEAD:
            found.append("peer selection head makes the overlay cluster: rand or tail is safe")
        if self.propagation is Propagation.PULL:
            found.append("propagation pull collapses the overlay into a star: push-pull is safe")
        if self.view_selection is ViewSelection.TAIL:
            found.append("view selection tail never takes newcomers in: H and S, rand or head is safe")
        if self._heals_too_much(view_size):
            found.append(
                f"{self} with view_size {view_size} can part the overlay without any failure: "
                f"view_size {SAFE_HEALING_VIEW_SIZE} or the default strategy is safe"
            )
        if view_size < SAFE_VIEW_SIZE:
            found.append(
                f"view_size {view_size} is so small that the overlay can fall apart: "
                f"{SAFE_VIEW_SIZE} or more is safe"
            )
        return tuple(found)

    def _heals_too_much(self, view_size: int) -> bool:
        if self.peer_selection is not PeerSelection.RAND or view_size >= SAFE_HEALING_VIEW_SIZE:
            return False
        selection = self.view_selection
        if isinstance(selection, ViewSelection):
            return selection is ViewSelection.HEAD
        return selection.heal * 4 > view_size


class Recipe(NamedTuple):
    """A preset, before the view size is known."""

    peer_selection: PeerSelection
    propagation: Propagation
    view_selection: Callable[[int], HealSwap]
    """Makes the view selection of half a view."""


def blind(half: int) -> HealSwap:  # noqa: ARG001 - one of several with this signature
    """H = S = 0."""
    return HealSwap(0, 0)


def healer(half: int) -> HealSwap:
    """H = c/2."""
    return HealSwap(half, 0)


def swapper(half: int) -> HealSwap:
    """S = c/2."""
    return HealSwap(0, half)


def mostly_swapper(half: int) -> HealSwap:
    """H = 1 and the rest S: in-degrees close to a random graph's, and the dead are forgotten."""
    heal = min(1, half)
    return HealSwap(heal, half - heal)


SELECTIONS: Mapping[str, Callable[[int], HealSwap]] = {"blind": blind, "healer": healer, "swapper": swapper}

RECIPES: Mapping[str, Recipe] = {
    "default": Recipe(PeerSelection.TAIL, Propagation.PUSH_PULL, mostly_swapper),
    "blind": Recipe(PeerSelection.RAND, Propagation.PUSH_PULL, blind),
    "healer": Recipe(PeerSelection.RAND, Propagation.PUSH_PULL, healer),
    "swapper": Recipe(PeerSelection.RAND, Propagation.PUSH_PULL, swapper),
    "newscast": Recipe(PeerSelection.RAND, Propagation.PUSH_PULL, healer),
    "cyclon": Recipe(PeerSelection.TAIL, Propagation.PUSH_PULL, swapper),
    "lpbcast": Recipe(PeerSelection.RAND, Propagation.PUSH, blind),
}

PRESETS: Mapping[str, str] = MappingProxyType(
    {
        "default": "(tail, push-pull, H=1, S=c/2-1): close to a random graph, heals in about 20 cycles",
        "blind": "(rand, push-pull, H=0, S=0): what goes is left to chance; in-degrees spread wide",
        "healer": "(rand, push-pull, H=c/2, S=0): forgets the dead at once; clusters, needs c >= 14",
        "swapper": "(rand, push-pull, H=0, S=c/2): closest to a random graph; forgets the dead slowly",
        "newscast": "(rand, push-pull, H=c/2, S=0): close to Newscast (Jelasity, van Steen, 2002)",
        "cyclon": "(tail, push-pull, H=0, S=c/2): close to Cyclon (Voulgaris, Gavidia, van Steen, 2005)",
        "lpbcast": "(rand, push, H=0, S=0): close to Lpbcast (Eugster et al., 2003); converges slowly",
    }
)
"""The strategies that have a name, each with one line that says what it is and what it is like."""


def split(text: str) -> list[str]:
    """The lower-case words of a strategy's text; an equals sign joins what stands around it."""
    inner = text.strip().lower().removeprefix("(").removesuffix(")")
    joined = re.sub(r"\s*=\s*", "=", inner.replace("_", "-").replace("pushpull", "push-pull"))
    return [word for word in re.split(r"[\s,/]+", joined) if word]


def view_selection_of(words: list[str], half: int) -> HealSwap | ViewSelection:
    """The view selection that one word, or ``h=1`` and ``s=9``, stand for.

    Raises:
        ValueError: They stand for none.
    """
    if len(words) != 2:
        (word,) = words
        return SELECTIONS[word](half) if word in SELECTIONS else ViewSelection(word)
    found = [re.fullmatch(r"([hs])=(-?[0-9]{1,9})", word) for word in words]
    numbers = {match[1]: int(match[2]) for match in found if match}
    if len(numbers) != 2:
        raise ValueError(words)
    return HealSwap(numbers["h"], numbers["s"])


def listed(kind: type[StrEnum]) -> str:
    """The members of ``kind``, for an error."""
    return ", ".join(kind)
