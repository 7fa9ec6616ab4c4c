"""A screen as a text that says all that can be seen: the characters, then the look of each of them.

The looks of a row are runs: ``a12 b3`` is twelve cells that look as the legend says of ``a``, then three as
it says of ``b``. A row has a line of looks only if they differ from those above, so that pictures stay small.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from string import ascii_letters

from rich.cells import cell_len
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual._context import visible_screen_stack
from textual.app import App
from textual.strip import Strip

__all__ = ["picture_of", "words_in"]

FLAGS = ("bold", "dim", "italic", "underline", "reverse", "strike", "blink")

SEEN_ON_BLANKS = {"underline", "reverse", "strike"}

EDGE = "│"
"""Ends a row, so that blanks at its end are seen."""


def picture_of(app: App[None]) -> str:
    """What is on the screen of an application, with what shines through from below."""
    visible_screen_stack.set(app._background_screens)
    app.screen._styles_cache.clear()
    strips = app.screen._compositor.render_strips()
    looks: dict[str, str] = {}
    rows = ["".join(segment.text for segment in strip) for strip in strips]
    runs = [" ".join(runs_of(strip, looks)) for strip in strips]
    legend = [f"{letter} = {look}" for look, letter in looks.items()]
    return "\n".join([*(row + EDGE for row in rows), "", *changed(runs), "", *legend, ""])


def words_in(picture: str) -> Iterator[tuple[str, str]]:
    """What is written on a picture in letters or figures, each piece with its look as the legend says it."""
    drawing, runs, legend = picture.rstrip("\n").split("\n\n")
    looks = dict(line.split(" = ", 1) for line in legend.splitlines())
    look_of_row = {int(line[:2]): line[2:].split() for line in runs.splitlines()}
    current: list[str] = []
    for number, row in enumerate(drawing.splitlines(), 1):
        current = look_of_row.get(number, current)
        cells = [cell for sign in row for cell in (sign, *[""] * (cell_len(sign) - 1))]
        at = 0
        for letters, length in re.findall(r"([a-zA-Z]+)(\d+)", " ".join(current)):
            text = "".join(cells[at : at + int(length)])
            at += int(length)
            if any(map(str.isalnum, text)):
                yield text, looks[letters]


def changed(runs: Iterable[str]) -> Iterator[str]:
    """The rows that look otherwise than the one above, each after its number."""
    before = ""
    for number, text in enumerate(runs, 1):
        if text != before:
            yield f"{number:2} {text}"
        before = text


def runs_of(strip: Strip, looks: dict[str, str]) -> Iterator[str]:
    """The looks of a row, each with the cells it goes on for; new ones are added to the legend."""
    for look, segments in groupby(filter(None, strip), key=look_of):
        letter = looks.setdefault(look, name_of(len(looks)))
        yield f"{letter}{sum(segment.cell_length for segment in segments)}"


def look_of(segment: Segment) -> str:
    """A style in words, as far as it can be seen: links can't, and the colour of a blank neither."""
    style = segment.style or Style.null()
    flags = [flag for flag in FLAGS if getattr(style, flag)]
    if segment.text.isspace() and not SEEN_ON_BLANKS.intersection(flags):
        return f"on {color_text(style.bgcolor)}"
    return " ".join([color_text(style.color), "on", color_text(style.bgcolor), *flags])


def color_text(color: Color | None) -> str:
    """A colour as it is written in style sheets."""
    if color is None:
        return "default"
    return color.triplet.hex if color.triplet is not None else color.name


def name_of(number: int) -> str:
    """A, b, c, ... and after z and Z, aa and so on."""
    head, tail = divmod(number, len(ascii_letters))
    return (ascii_letters[head - 1] if head else "") + ascii_letters[tail]
