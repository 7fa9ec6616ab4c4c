"""Makes the picture of several terminals from real programs: ``python -m screenshots.terminals``.

Five start with no arguments and talk; one is killed, one is stopped and continued, and a sixth comes late.
"""

from __future__ import annotations

import html
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from gossip_tui.ports import PortRange
from tests.terminal.harness import Farm, Terminal

SIZE = (112, 27)
COLUMNS_OF_WINDOWS = 2
CELL, LINE, FONT_SIZE = 7.2, 15.0, 12
GAP, TITLE = 14, 22
FOREGROUND, BACKGROUND, DESK, FRAME = "d5d9e0", "161a20", "0c0e12", "2b313b"

TALK = (
    (0, "is anybody there?"),
    (1, "yes, and nobody had to tell me where you are"),
    (2, "I heard both of you, in that order"),
    (4, "so did I"),
)
MISSED = ((0, "p3 has been silent for a while"), (1, "it will catch up"))
LAST = ((2, "I am back, and nothing is missing"), (5, "I came last and see it all"))


def play(farm: Farm) -> list[Terminal]:
    """Let the story happen, and return the terminals as they stand at its end."""
    people = [start(farm, number, number) for number in range(5)]
    speak(people, people, TALK)
    people[3].kill(signal.SIGKILL)
    people[2].kill(signal.SIGSTOP)
    for one in (people[0], people[1], people[4]):
        one.wait_for_text("view 2/20")
    awake = [people[0], people[1], people[4]]
    speak(people, awake, MISSED)
    people[2].kill(signal.SIGCONT)
    people[2].wait_for_text(MISSED[-1][1])
    people.append(start(farm, 5, 4))
    speak(people, [one for one in people if one is not people[3]], LAST)
    return people


def start(farm: Farm, number: int, others: int) -> Terminal:
    """Open a terminal and wait until its node has met the others."""
    terminal = farm.open(name=f"terminal {number + 1}", size=SIZE)
    terminal.wait_for_text(f"view {others}/20" if others else "No peer yet")
    return terminal


def speak(
    people: Sequence[Terminal], listeners: Sequence[Terminal], lines: Sequence[tuple[int, str]]
) -> None:
    """Let people type, each after everybody has read the line before."""
    for who, text in lines:
        people[who].say(text)
        for one in listeners:
            one.wait_for(lambda shown, text=text: text[:20] in shown, f"shows {text!r}")  # type: ignore[misc]


def draw(people: Sequence[Terminal]) -> str:
    """All windows side by side, as an SVG that asks nobody for a font."""
    width, height = SIZE[0] * CELL + 2, SIZE[1] * LINE + TITLE + 6
    rows = -(-len(people) // COLUMNS_OF_WINDOWS)
    total = COLUMNS_OF_WINDOWS * (width + GAP) + GAP, rows * (height + GAP) + GAP
    box = f"0 0 {total[0]:.0f} {total[1]:.0f}"
    font = f'{FONT_SIZE}px "DejaVu Sans Mono",Menlo,Consolas,monospace'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">',
        f"<style>text{{font:{font};white-space:pre}}</style>",
        f'<rect width="100%" height="100%" fill="#{DESK}"/>',
    ]
    for number, terminal in enumerate(people):
        row, column = divmod(number, COLUMNS_OF_WINDOWS)
        left, top = GAP + column * (width + GAP), GAP + row * (height + GAP)
        parts += draw_window(terminal, left, top, width, height)
    return "\n".join([*parts, "</svg>\n"])


def draw_window(terminal: Terminal, left: float, top: float, width: float, height: float) -> list[str]:
    """One window; that of a program that was killed is dimmed."""
    is_dead = terminal.process.poll() is not None
    title = f"{terminal.name}{'  (kill -9)' if is_dead else ''}"
    return [
        f'<g transform="translate({left:.1f} {top:.1f})"{" opacity=" + repr("0.45") if is_dead else ""}>',
        f'<rect width="{width:.1f}" height="{height:.1f}" rx="7" fill="#{FRAME}"/>',
        f'<rect y="{TITLE}" width="{width:.1f}" height="{height - TITLE:.1f}" rx="5" fill="#{BACKGROUND}"/>',
        f'<text x="12" y="15" fill="#{FOREGROUND}">{title}</text>',
        f'<g transform="translate(1 {TITLE + 2})">',
        *draw_cells(terminal),
        "</g></g>",
    ]


def draw_cells(terminal: Terminal) -> list[str]:
    """The cells of a screen, runs of one style together."""
    parts: list[str] = []
    for row, line in enumerate(terminal.cells()):
        column = 0
        while column < len(line):
            end = column
            while end < len(line) and line[end][1:] == line[column][1:]:
                end += 1
            text = "".join(cell[0] for cell in line[column:end])
            parts += draw_run(text, row, column, *line[column][1:])
            column = end
    return parts


def draw_run(text: str, row: int, column: int, fore: str, back: str, bold: bool) -> list[str]:
    """A run of cells of one style: its background where it has one, then its text."""
    x, width = column * CELL, len(text) * CELL
    parts = []
    if back != "default":
        parts.append(
            f'<rect x="{x:.1f}" y="{row * LINE:.1f}" width="{width:.1f}" height="{LINE}" fill="#{back}"/>'
        )
    if text.strip():
        colour = FOREGROUND if fore == "default" else fore
        weight = ' font-weight="bold"' if bold else ""
        parts.append(
            f'<text x="{x:.1f}" y="{row * LINE + 11.5:.1f}" textLength="{width:.1f}" xml:space="preserve" '
            f'fill="#{colour}"{weight}>{html.escape(text)}</text>'
        )
    return parts


def main(arguments: Sequence[str]) -> None:
    """Play the story on free ports and write the picture beside this script, or into the directory given."""
    directory = Path(arguments[0]) if arguments else Path(__file__).parent
    with Farm(PortRange(7117, 7124), GOSSIP_TUI_CYCLE="0.5", TZ="UTC") as farm:
        people = play(farm)
        (directory / "terminals.svg").write_text(draw(people), encoding="utf-8")
    sys.stdout.write("terminals.svg\n")


if __name__ == "__main__":
    main(sys.argv[1:])
