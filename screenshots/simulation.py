"""Makes the picture of a simulation by running it: ``python -m screenshots.simulation [DIRECTORY]``.

It takes a minute or two, and the same seed gives the same picture. Dots, bars and lines are drawn as shapes,
because hardly two fonts agree on how wide a braille character is.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from gossip_tui.drawing.figure_table import Course
from gossip_tui.drawing.line import Line, Role, Span
from gossip_tui.drawing.plots import BRAILLE_DOTS, BRAILLE_PLOT
from gossip_tui.drawing.sampling_report import sampling_report
from gossip_tui.simulate.interruption import Interruption
from gossip_tui.simulate.plan import Plan, plan_of
from gossip_tui.simulate.progress import Progress
from gossip_tui.simulate.running import outcomes

COLUMNS = 127
COMMAND = "gossip-tui simulate --compare blind,healer,swapper --crash 0.5@100 --until 120 --selection live"
SETTINGS = {"compare": "blind,healer,swapper", "crash": ("0.5@100",), "until": 120, "selection": "live"}
"""The same as the command says."""

CELL, LINE, FONT_SIZE, MARGIN = 7.2, 16.0, 12, 14.0
FOREGROUND, BACKGROUND = "d5d9e0", "161a20"
COLORS = {
    Role.DIM: "8b929c",
    Role.WARNING: "f2777a",
    Role.ORIGIN_0: "56b4e9",
    Role.ORIGIN_1: "e8a32e",
    Role.ORIGIN_2: "d98fb8",
}
"""What the roles look like on a terminal whose colours follow Okabe and Ito."""

STROKES = {
    "│": ((0.5, 0, 0.5, 1),),
    "┤": ((0.5, 0, 0.5, 1), (0, 0.5, 0.5, 0.5)),
    "─": ((0, 0.5, 1, 0.5),),
} | {
    "└": ((0.5, 0, 0.5, 0.5), (0.5, 0.5, 1, 0.5)),
    "┊": tuple((0.5, start / 8, 0.5, start / 8 + 0.07) for start in range(0, 8, 2)),
}
"""Lines in parts of a cell: from x, y to x, y."""


def report(plan: Plan) -> list[Line]:
    """What the program shows, below its command."""
    nobody = Progress(None, 0, 0, BRAILLE_PLOT)
    with Interruption() as interruption:
        found = list(outcomes(plan, interruption, nobody, lambda *_: None))
    courses = [Course(one.contender.label, one.figures, one.broadcast) for one in found]
    shown = list(sampling_report(plan.experiments, courses, COLUMNS, BRAILLE_PLOT))
    return [(Span("$ ", Role.DIM), Span(COMMAND, Role.TITLE)), (), *shown]


def picture(lines: Sequence[Line]) -> str:
    """Lines as an SVG that asks nobody for a font."""
    width, height = COLUMNS * CELL + 2 * MARGIN, len(lines) * LINE + 2 * MARGIN
    font = f'{FONT_SIZE}px "DejaVu Sans Mono",Menlo,Consolas,monospace'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}">',
        f"<style>text{{font:{font};white-space:pre}}.title{{font-weight:bold}}</style>",
        f'<rect width="100%" height="100%" rx="7" fill="#{BACKGROUND}"/>',
    ]
    for row, line in enumerate(lines):
        column = 0
        for span in line:
            parts += drawn(span, MARGIN + column * CELL, MARGIN + row * LINE)
            column += len(span.text)
    return "\n".join([*parts, "</svg>\n"])


def drawn(span: Span, left: float, top: float) -> Iterator[str]:
    """One span: shapes where it has any, and the rest as text."""
    color = COLORS.get(span.role, FOREGROUND)
    shapes = "".join(shape(sign, left + number * CELL, top) for number, sign in enumerate(span.text))
    if shapes:
        yield f'<path d="{shapes}" fill="#{color}"/>'
    words = "".join(" " if shape(sign, 0, 0) else sign for sign in span.text)
    if words.strip():
        weight = ' class="title"' if span.role is Role.TITLE else ""
        x = left + (len(words) - len(words.lstrip())) * CELL
        width = len(words.strip()) * CELL
        yield (
            f'<text x="{x:.1f}" y="{top + 12:.1f}" textLength="{width:.1f}" xml:space="preserve" '
            f'fill="#{color}"{weight}>{html.escape(words.strip())}</text>'
        )


def shape(sign: str, left: float, top: float) -> str:
    """The path of a sign that is drawn: nothing for one that is written."""
    if "\u2801" <= sign <= "\u28ff":
        mark = ord(sign) - 0x2800
        return "".join(
            box(left + (x + 0.5) * CELL / 2 - 1, top + (y + 0.5) * LINE / 4 - 1, 2, 2)
            for x, column in enumerate(BRAILLE_DOTS)
            for y, bit in enumerate(column)
            if mark & bit
        )
    if sign.strip() and sign in BRAILLE_PLOT.fills:
        height = LINE * BRAILLE_PLOT.fills.index(sign) / 8
        return box(left, top + LINE - height, CELL, height)
    if sign == BRAILLE_PLOT.reference:
        return box(left + CELL / 2 - 1.5, top + LINE / 2 - 1.5, 3, 3)
    return "".join(
        box(left + x * CELL, top + y * LINE, (x_end - x) * CELL or 1, (y_end - y) * LINE or 1)
        for x, y, x_end, y_end in STROKES.get(sign, ())
    )


def box(left: float, top: float, width: float, height: float) -> str:
    """A rectangle, as part of a path."""
    return f"M{left:.1f} {top:.1f}h{width:.1f}v{height:.1f}h{-width:.1f}z"


def main(arguments: Sequence[str]) -> None:
    """Write the picture beside this script, or into the directory given."""
    directory = Path(arguments[0]) if arguments else Path(__file__).parent
    directory.mkdir(parents=True, exist_ok=True)
    svg = picture(report(plan_of(SETTINGS)))
    (directory / "simulation.svg").write_text(svg, encoding="utf-8")
    sys.stdout.write("simulation.svg\n")


if __name__ == "__main__":
    main(sys.argv[1:])
