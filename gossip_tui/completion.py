"""What Tab makes of the word before the cursor: commands, peers, strategies; pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from protocol.core.config import Dissemination
from protocol.core.snapshot import NodeSnapshot, PeerState
from protocol.core.strategy import PRESETS

from .command import SWARM, Command, Takes
from .commands import available
from .exports.formats import Format
from .tour import TourWish

__all__ = ["Completion", "Vocabulary", "complete"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words that can be completed now."""

    names: tuple[str, ...] = ()
    """Names of everyone heard of."""
    addresses: tuple[str, ...] = ()
    """Addresses of those who are not in the view, to be joined or added."""
    nodes: tuple[str, ...] = ()
    """Seats of the swarm; commands for several nodes exist only if there are any."""
    themes: tuple[str, ...] = ()
    replay: bool = False
    """Whether this is a recording, which has commands of its own."""
    strategies: tuple[str, ...] = field(default=tuple(PRESETS))

    @property
    def commands(self) -> tuple[Command, ...]:
        """The commands there are."""
        return available(demo=bool(self.nodes), replay=self.replay)

    @classmethod
    def of(
        cls, snapshot: NodeSnapshot, nodes: tuple[str, ...], themes: tuple[str, ...], *, replay: bool = False
    ) -> Vocabulary:
        """The words that a picture of the node holds."""
        away = [
            row.address
            for row in snapshot.peers
            if row.state is not PeerState.VIEW and row.address is not None
        ]
        names = sorted({row.id.name for row in snapshot.peers})
        return cls(tuple(names), tuple(sorted(set(map(str, away)))), nodes, themes, replay)


@dataclass(frozen=True, slots=True)
class Completion:
    """What Tab does: the line as it becomes, and what there is to choose from if that is not yet the end."""

    line: str
    cursor: int
    choices: tuple[str, ...] = ()


def complete(line: str, cursor: int, vocabulary: Vocabulary) -> Completion:
    """Complete the word before the cursor as far as it is certain.

    One match is completed whole, with a space behind it; of several, the part they share is completed and
    they are returned as choices. Without a match the line stays as it is.
    """
    before, after = line[:cursor], line[cursor:]
    start = before.rfind(" ") + 1
    word = before[start:]
    matches = sorted({match for match in candidates(before, start, vocabulary) if matching(match, word)})
    if not matches:
        return Completion(line, cursor)
    only = len(matches) == 1
    shared = matches[0] + " " if only else common_prefix(matches, word)
    if only and after.startswith(" "):
        shared = shared.rstrip()
    return Completion(before[:start] + shared + after, start + len(shared), () if only else tuple(matches))


def candidates(before: str, start: int, vocabulary: Vocabulary) -> Iterable[str]:
    """The words that may stand where the one before the cursor starts."""
    if start == 0 and before.startswith("/") and not before.startswith("//"):
        return [f"/{command.name}" for command in vocabulary.commands]
    if before.startswith("/") and not before.startswith("//"):
        name = before[1:].split(" ", 1)[0].lower()
        takes = next(
            (command.takes for command in vocabulary.commands if command.name == name), Takes.NOTHING
        )
        return ARGUMENTS[takes](vocabulary)
    return [*vocabulary.names, *(f"@{name}" for name in vocabulary.names)] if before[start:] else ()


ARGUMENTS: dict[Takes, Callable[[Vocabulary], Iterable[str]]] = {
    Takes.NOTHING: lambda _: (),
    Takes.ADDRESSES: lambda words: words.addresses,
    Takes.COMMAND: lambda words: [command.name for command in words.commands],
    Takes.DISSEMINATION: lambda _: tuple(Dissemination),
    Takes.COPY: lambda _: ("message", "address"),
    Takes.FAULT: lambda words: (
        *words.names,
        *((SWARM,) if words.nodes else ()),
        "off",
        "loss=20",
        "delay=50..200",
        "duplicate=5",
        "reorder=10",
    ),
    Takes.NODES: lambda words: words.nodes or words.names,
    Takes.NUMBER: lambda words: (SWARM,) if words.nodes else (),
    Takes.FORMAT: lambda _: tuple(Format),
    Takes.FILE: lambda _: (),
    Takes.FILTER: lambda words: (
        [f"from:{name}" for name in words.names] + [f"!from:{name}" for name in words.names]
    ),
    Takes.MOMENT: lambda _: (),
    Takes.NODE: lambda words: words.nodes,
    Takes.ORDER: lambda _: ("causal", "arrival"),
    Takes.SORT: lambda _: ("age", "name"),
    Takes.STRATEGY: lambda words: words.strategies,
    Takes.THEME: lambda words: words.themes,
    Takes.TOUR: lambda _: tuple(TourWish),
}
"""What completes an argument of each kind."""


def matching(candidate: str, word: str) -> bool:
    """Whether the word may become the candidate; capitals do not matter."""
    return candidate.lower().startswith(word.lower())


def common_prefix(matches: list[str], word: str) -> str:
    """What all matches start with, never less than the word itself."""
    first, last = min(matches), max(matches)
    same = next(
        (n for n, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first)
    )
    return first[:same] if same >= len(word) else word
