"""What the status bar leaves out where there is no room: some parts go, some are said in fewer words.

Figures go first. Then everything is said in fewer words, and after that what is disturbed is named more and
more shortly; at last only the words stand there that must never be hidden, before identity and address where
even these have no room.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from .line import cell_len, cut

__all__ = ["Give", "Part", "counted", "cuts", "fitted"]

READABLE = 40
"""Cells to which a sentence that has no shorter form is cut before anything else is named more shortly."""

LEAST = 12
"""Cells that are left of it at the least: enough to see that there is one."""


class Give(IntEnum):
    """What is said in fewer words first, where there is no room for everything."""

    FIGURES = 0
    WORDS = 1
    FAULTS = 2


class Part(NamedTuple):
    """One part of the line."""

    forms: tuple[str, ...]
    """The text, and what may stand for it, shorter and shorter; the last is empty if it may be left out."""
    style: str = ""
    gives: Give = Give.WORDS
    least: str = ""
    """What stands for it after all that, if there is something shorter still."""
    spare: bool = False
    """Whether it goes as a whole before identity and address are cut."""


def fitted(parts: Sequence[Part], room: int, gap: int) -> list[tuple[str, str]]:
    """Text and style of the parts that are shown, which fit unless there is no room for what must be said.

    Args:
        parts: What there is to say, from the left; the first, identity and address, comes last where it has
            to be cut.
        room: Cells there are.
        gap: Cells between two parts.
    """
    texts = [part.forms[0] for part in parts]

    def fits() -> bool:
        widths = [cell_len(text) for text in texts if text]
        return sum(widths) + gap * (len(widths) - 1) <= room

    places = range(len(parts))
    shorter = [
        (place, form)
        for give in Give
        for place in reversed(places)
        if parts[place].gives is give
        for form in parts[place].forms[1:]
    ]
    shorter += [(place, parts[place].least) for place in reversed(places) if parts[place].least]
    shorter += [(place, "") for place in reversed(places) if parts[place].spare]
    for place, form in shorter:
        if fits():
            break
        texts[place] = form
    is_whole = fits()
    for place in [place for place in places if is_whole and texts[place]]:
        for form in parts[place].forms:  # the room that others left by becoming shorter than they had to
            kept, texts[place] = texts[place], form
            if form == kept or fits():
                break
            texts[place] = kept
    shown = [(text, part.style) for text, part in zip(texts, parts, strict=True) if text]
    return shown if is_whole else [*shown[1:], shown[0]]


def counted(head: str, groups: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Everything after a head, then less and less with the number of the rest.

    >>> counted("FAULTS", [["loss=20", "jitter=5"], ["1 crashed"]])[1:]
    ('FAULTS: loss=20 jitter=5 +1', 'FAULTS: loss=20 +2')
    """
    words = [(" " if number else ", ") + word for group in groups for number, word in enumerate(group)]
    return tuple(
        f"{head}: {''.join(words[:count])[2:]}" + (f" +{len(words) - count}" if count < len(words) else "")
        for count in range(len(words), 0, -1)
    )


def cuts(text: str, ellipsis: str) -> tuple[tuple[str, ...], str]:
    """A sentence that has no shorter form, cut more and more, and the least of it."""
    forms = (cut(text, cells, ellipsis) for cells in range(cell_len(text) - 1, READABLE - 1, -1))
    return (text, *forms), cut(text, LEAST, ellipsis)
