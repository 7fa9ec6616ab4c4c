"""The recording that the README links to: what a terminal makes of it; one seed, one recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyte
import pytest
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from screenshots.cast import COLUMNS, ROWS, Pen, cells_of, play

CAST = Path(__file__).parents[2] / "screenshots" / "demo.cast"

Events = list[tuple[float, str, str]]


def read(text: str) -> tuple[dict[str, Any], Events]:
    header, *events = map(json.loads, text.splitlines())
    return header, [(at, kind, data) for at, kind, data in events]


def screen_at(events: Events, moment: float) -> str:
    """What a terminal shows at a moment of a recording."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    for at, _, data in events:
        if at <= moment:
            stream.feed(data)
    return "\n".join(screen.display)


def test_the_recording_is_small_short_and_in_order() -> None:
    header, events = read(CAST.read_text(encoding="utf-8"))
    assert (header["version"], header["width"], header["height"]) == (2, 100, 30)
    moments = [at for at, _, _ in events]
    assert moments == sorted(moments)
    assert 20 <= moments[-1] <= 40
    assert {kind for _, kind, _ in events} == {"o"}
    assert CAST.stat().st_size < 300_000


def test_it_shows_the_tour_a_wave_the_diagram_and_a_message() -> None:
    _, events = read(CAST.read_text(encoding="utf-8"))
    assert "Tour 1/6  Say something  ► Causal log (F3)" in screen_at(events, 1.0)
    assert "hello, ev" in screen_at(events, 4.0)
    assert "► Overlay  all 10 views" in screen_at(events, 8.0)
    assert "reached 10/10" in screen_at(events, 13.5)
    assert "▲ past ▼ future ◆ con" in screen_at(events, 24.0)
    assert "─ Message n0" in screen_at(events, 31.0)


def test_only_what_changed_is_written_and_a_look_holds_until_the_next() -> None:
    bold, plain = Style(bold=True), Style(color="#010203")
    before = cells_of(Strip([Segment("one two", bold)]))
    after = cells_of(Strip([Segment("one ", bold), Segment("2 o", plain)]))
    pen = Pen()
    assert pen.changes((), before, 0) == "\x1b[1;1H\x1b[1mone two"
    assert pen.changes(before, before, 0) == ""
    assert pen.changes(before, after, 4) == "\x1b[5;5H\x1b[0m\x1b[38;2;1;2;3m2 o"


@pytest.mark.slow
async def test_the_same_seed_gives_the_same_bytes() -> None:
    assert await play(7, 6.0) == await play(7, 6.0)
