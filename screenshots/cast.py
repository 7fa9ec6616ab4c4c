"""Makes the recording of the README from a seeded simulation: ``python -m screenshots.cast [DIRECTORY]``.

Writes ``demo.cast``, in the second version of the format of asciinema, for ``asciinema play``. The same seed
gives the same bytes: the network is simulated, and so are its clock and the person at the keys.

Source of the format: https://docs.asciinema.org/manual/asciicast/v2/
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.style import Style
from textual.pilot import Pilot
from textual.strip import Strip

from gossip_tui.app import GossipApp
from protocol.sim.node import EPOCH

from .make import NEVER, SEED, Network, SimulationFeed, prepared

COLUMNS, ROWS = 100, 30
FRAME_PERIOD = 0.25
"""Seconds between two frames: waves seem to move, and the file stays small."""

WARM_UP = 30.0
"""Seconds that the network talks before the recording begins."""

SECONDS = 31.0
TYPING_PERIOD = 0.125
"""Seconds from key to key."""

PATIENCE = 6
"""Unchanged cells within a changed line that are written again, for less than moving past them."""


SETTLING_ROUNDS = 3
"""Layouts that one change may ask for, one after the other: lines, scroll bar, lines beside it."""


class Act(NamedTuple):
    """Something that the person at the keys does."""

    at: float
    """Seconds since the recording began."""
    keys: Sequence[str]
    """Pressed one after the other, a letter each for what is typed."""


STORY = (
    Act(2.5, [*"hello, everybody", "enter"]),
    Act(7.5, [*"who heard this?", "enter"]),
    Act(14.5, ["ctrl+t"]),
    Act(15.5, ["f4"]),
    Act(17.5, ["up"] * 14),
    Act(25.0, ["f3"]),
    Act(26.0, ["up", "up", "up"]),
    Act(27.0, ["enter"]),
)
"""The tour's first steps, then the past of a message, then a message in full."""


VISIBLE_ON_BLANKS = {"4", "7"}
"""Underline and reverse."""


class Look(NamedTuple):
    """How a cell is drawn, as the codes that a terminal takes for it."""

    fore: str = "39"
    back: str = "49"
    flags: tuple[str, ...] = ()

    def after(self, before: Look) -> str:
        """What turns the look before into this one."""
        if not set(before.flags) <= set(self.flags):
            return f"\x1b[0m{self.after(Look())}"
        codes = [code for code in self.flags if code not in before.flags]
        codes += [code for code, was in zip(self[:2], before[:2], strict=True) if code != was]
        return f"\x1b[{';'.join(codes)}m" if codes else ""


Cells = tuple[tuple[str, Look], ...]
"""A row of the screen."""


def due(story: Sequence[Act]) -> Iterator[tuple[float, str]]:
    """Every key of a story with its moment."""
    for act in story:
        for number, key in enumerate(act.keys):
            yield act.at + number * TYPING_PERIOD, key


def cells_of(strip: Strip) -> Cells:
    """The cells of a line; every sign is one cell wide."""
    looks = [(text, look_of(style or Style.null())) for text, style, _ in strip]
    return tuple((character, look) for text, look in looks for character in text)


def look_of(style: Style) -> Look:
    """The codes of a style."""
    marks = (
        ("1", style.bold),
        ("2", style.dim),
        ("3", style.italic),
        ("4", style.underline),
        ("7", style.reverse),
    )
    fore, back = style.color, style.bgcolor
    return Look(
        ";".join(fore.get_ansi_codes()) if fore is not None else "39",
        ";".join(back.get_ansi_codes(foreground=False)) if back is not None else "49",
        tuple(code for code, is_on in marks if is_on),
    )


class Pen:
    """Writes cells as a terminal reads them; a look holds until the next one."""

    def __init__(self) -> None:
        self._look = Look()

    def changes(self, before: Cells, now: Cells, row: int) -> str:
        """What a terminal has to be sent to make a row look as it does now."""
        places = [x for x, cell in enumerate(now) if x >= len(before) or before[x] != cell]
        parts: list[str] = []
        while places:
            start = end = places.pop(0)
            while places and places[0] - end <= PATIENCE:
                end = places.pop(0)
            parts.append(f"\x1b[{row + 1};{start + 1}H")
            parts += map(self._drawn, now[start : end + 1])
        return "".join(parts)

    def _drawn(self, cell: tuple[str, Look]) -> str:
        character, look = cell
        before = self._look
        if character == " " and not VISIBLE_ON_BLANKS & {*look.flags, *before.flags}:
            look = Look(before.fore, look.back, before.flags)  # of a blank only the background is seen
        self._look = look
        return look.after(before) + character


class Camera:
    """Takes frames of an application, each as what changed since the one before."""

    def __init__(self, app: GossipApp) -> None:
        self._app = app
        self._rows: list[Cells] = [()] * ROWS
        self._pen = Pen()
        self.events: list[tuple[float, str, str]] = []

    def shoot(self, at: float) -> None:
        """Take a frame, if anything changed."""
        rows = [cells_of(strip) for strip in self._app.screen._compositor.render_strips()]  # noqa: SLF001
        pairs = enumerate(zip(self._rows, rows, strict=True))
        data = "".join(self._pen.changes(before, now, row) for row, (before, now) in pairs)
        self._rows = rows
        if data:
            self.events.append((round(at, 3), "o", data))


async def play(seed: int = SEED, seconds: float = SECONDS) -> str:
    """The recording as text, as far as to that second of it."""
    network = Network(seed)
    sim = network.sim
    app = GossipApp(
        SimulationFeed(sim, sim.nodes),
        tour=True,
        tick_period=NEVER,
        clock=lambda: sim.now,
        wall_clock=lambda: EPOCH + sim.now,
    )
    network.run_for(WARM_UP)
    camera = Camera(app)
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        await pilot.pause()
        keys = list(due(STORY))
        frames = round(seconds / FRAME_PERIOD)
        for frame in range(frames + 1):
            at = frame * FRAME_PERIOD
            while keys and keys[0][0] <= at:
                await pilot.press(keys.pop(0)[1])
            await show(app, pilot)
            camera.shoot(at)
            network.run_for(FRAME_PERIOD)
    header = {
        "version": 2,
        "width": COLUMNS,
        "height": ROWS,
        "title": "gossip-tui",
        "env": {"TERM": "xterm-256color"},
    }
    setting = (0.0, "o", "\x1b[?25l\x1b[2J")
    lines = [header, setting, *camera.events, (seconds, "o", "\x1b[0m")]
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines)


async def show(app: GossipApp, pilot: Pilot[None]) -> None:
    """Bring the screen up to date."""
    app.tick()
    app.main.overlay.advance()
    for pane in (app.main.partial_view, app.main.log_pane):
        pane._fade()  # noqa: SLF001 - marks fade by the simulated clock; their timers know another one
    await app.workers.wait_for_complete()
    for _ in range(SETTLING_ROUNDS):
        await pilot.pause()
        app.screen._on_timer_update()  # noqa: SLF001 - draws now what a timer would draw at some moment


def main(arguments: Sequence[str]) -> None:
    """Write the recording beside this script, or into the directory given."""
    (prepared(arguments) / "demo.cast").write_text(asyncio.run(play()), encoding="utf-8")
    sys.stdout.write("demo.cast\n")


if __name__ == "__main__":
    main(sys.argv[1:])
