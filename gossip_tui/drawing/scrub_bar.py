"""The scrub bar of a recording as text: where one is, how fast it plays, what is worth jumping to."""

from __future__ import annotations

from gossip_tui.recording.player import Scrub, clock_text
from gossip_tui.text import safe
from gossip_tui.theme import Glyphs

from .line import Line, Role, Span, cut, width_of

__all__ = ["position_at", "scrub_line"]

SHORTEST_BAR = 10
"""Cells below which a bar says nothing."""

WORDS_SHARE = 0.4
"""Of the width, what the words behind the bar may take."""


def scrub_line(scrub: Scrub, width: int, glyphs: Glyphs) -> Line:
    """The line, exactly as wide as there is room: state, times, speed, the bar, and what there is to say."""
    front, length, words = parts_of(scrub, width)
    line = (Span(front, Role.TITLE), *bar(scrub, length, glyphs))
    return (*line, Span(f"  {words}", Role.WARNING)) if words else line


def position_at(x: int, scrub: Scrub, width: int) -> int | None:
    """The position that cell ``x`` of the line stands for; None beside the bar."""
    front, length, _ = parts_of(scrub, width)
    cell = x - width_of((Span(front),))
    if not 0 <= cell < length:
        return None
    return scrub.duration * cell // max(1, length - 1)


def parts_of(scrub: Scrub, width: int) -> tuple[str, int, str]:
    """The text before the bar, the cells of the bar, and the words behind it."""
    state = "playing" if scrub.is_playing else "paused "
    times = f"{clock_text(scrub.position)} / {clock_text(scrub.duration)}"
    front = f" {state} {times}  x{scrub.speed:g}  "
    words = cut(safe(scrub.what or scrub.note, 200), int(width * WORDS_SHARE))
    room = width - width_of((Span(front),)) - (width_of((Span(words),)) + 2 if words else 0) - 1
    if room >= SHORTEST_BAR:
        return front, room, words
    return cut(front.rstrip(), width), 0, ""


def bar(scrub: Scrub, length: int, glyphs: Glyphs) -> Line:
    """The bar itself: what is over is strong, marks are where something happened, the head is here."""
    if length <= 0:
        return ()
    head = cell_of(scrub.position, scrub.duration, length)
    cells = [glyphs.bar_full if cell < head else glyphs.bar_empty for cell in range(length)]
    roles = [Role.TEXT if cell < head else Role.DIM for cell in range(length)]
    for mark in scrub.marks:
        cell = cell_of(mark, scrub.duration, length)
        cells[cell], roles[cell] = glyphs.warning, Role.WARNING
    cells[head], roles[head] = ("O" if glyphs.border == "ascii" else "●"), Role.OWN
    spans: list[Span] = []
    for text, role in zip(cells, roles, strict=True):
        if spans and spans[-1].role is role:
            spans[-1] = Span(spans[-1].text + text, role)
        else:
            spans.append(Span(text, role))
    return tuple(spans)


def cell_of(position: int, duration: int, length: int) -> int:
    """The cell of the bar that stands for a position."""
    return min(length - 1, position * (length - 1) // max(1, duration))
