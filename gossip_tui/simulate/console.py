"""Lines on whatever standard output is: colours on a terminal, plain text elsewhere, signs that it can show.

The colours are the terminal's own sixteen, which suit its background whatever that is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TextIO

from gossip_tui.drawing.plots import ASCII_PLOT, BRAILLE_PLOT, PlotGlyphs
from gossip_tui.shutdown import give_up_stdout

if TYPE_CHECKING:
    from gossip_tui.drawing.line import Line

__all__ = ["columns_of", "glyphs_for", "is_terminal", "painted", "write"]

COLUMNS = 80
"""Where nobody says how wide the screen is."""

WEIGHTS: Mapping[str, str] = {"title": "1", "dim": "2"}
"""What is left without colours, for NO_COLOR. Source: ECMA-48, SGR."""

COLORS: Mapping[str, str] = {
    **WEIGHTS,
    "warning": "31",
    "origin-0": "36",
    "origin-1": "33",
    "origin-2": "35",
    "origin-3": "32",
    "origin-4": "94",
    "origin-5": "95",
    "origin-6": "92",
    "origin-7": "96",
}
"""How a terminal is told to show a role: cyan, yellow, magenta, green first, which differ for most eyes."""


def painted(lines: Iterable[Line], stream: TextIO, environment: Mapping[str, str]) -> str:
    """Lines as they are written to a stream: with colours on a terminal, unless it wants none."""
    codes: Mapping[str, str] = {}
    if is_terminal(stream) and environment.get("TERM") != "dumb":
        codes = WEIGHTS if environment.get("NO_COLOR") else COLORS
    return "".join(paint(line, codes) + "\n" for line in lines)


def paint(line: Line, codes: Mapping[str, str]) -> str:
    """One line with the codes of its roles; blanks need none."""
    return "".join(
        f"\x1b[{codes[span.role]}m{span.text}\x1b[0m"
        if span.role in codes and span.text.strip()
        else span.text
        for span in line
    )


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody is looking."""
    return stream is not None and stream.isatty()


def glyphs_for(stream: TextIO | None, *, ascii_only: bool) -> PlotGlyphs:
    """The signs that a stream can show: plain ones where its encoding has no others."""
    try:
        "•⣿█┤".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII_PLOT
    return ASCII_PLOT if ascii_only else BRAILLE_PLOT


def columns_of(stream: TextIO | None, environment: Mapping[str, str]) -> int:
    """How wide lines may be: what COLUMNS says, else the terminal, else 80."""
    wanted = environment.get("COLUMNS", "")
    if wanted.isascii() and wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    try:
        return os.get_terminal_size(stream.fileno()).columns or COLUMNS if stream is not None else COLUMNS
    except (OSError, ValueError):
        return COLUMNS


def write(text: str) -> None:
    """Write to standard output, now.

    Raises:
        OSError: It can't be written (nobody reads, the disk is full); nothing more is, not even on exit.
    """
    if sys.stdout is None:
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        give_up_stdout()
        raise
