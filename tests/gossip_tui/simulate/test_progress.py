"""The progress line, the signals and the terminal that a simulation talks to."""

from __future__ import annotations

import io
import os
import signal

import pytest

from gossip_tui.drawing.line import Role, Span
from gossip_tui.drawing.plots import ASCII_PLOT, BRAILLE_PLOT
from gossip_tui.simulate.console import columns_of, glyphs_for, painted
from gossip_tui.simulate.interruption import Interruption
from gossip_tui.simulate.progress import Progress, progress_text


class Clock:
    """Goes forward when it is told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Screen(io.StringIO):
    """A terminal, as far as asking it goes."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_the_line_is_rewritten_in_place_and_cleared_at_the_end(clock: Clock) -> None:
    screen = Screen()
    progress = Progress(screen, 10, 40, ASCII_PLOT, clock)
    progress.show("default", "getting ready", 0)
    clock.now = 2.0
    progress.show("default", "cycle 6", 5)
    progress.clear()
    assert screen.getvalue().split("\r") == [
        "",
        "default  ...............  getting ready",
        "default  #####.....  cycle 6  0:02 left",
        " " * 39,
        "",
    ]


def test_it_says_something_a_few_times_a_second_at_the_most(clock: Clock) -> None:
    screen = Screen()
    progress = Progress(screen, 100, 80, ASCII_PLOT, clock)
    for done in range(100):
        clock.now = done / 100
        progress.show("default", f"cycle {done}", done)
    assert 8 <= screen.getvalue().count("\r") <= 10


def test_without_a_terminal_nothing_is_said(clock: Clock) -> None:
    progress = Progress(None, 10, 80, ASCII_PLOT, clock)
    progress.show("default", "cycle 1", 1)
    progress.clear()


def test_what_was_never_shown_is_not_cleared(clock: Clock) -> None:
    screen = Screen()
    Progress(screen, 10, 80, ASCII_PLOT, clock).clear()
    assert screen.getvalue() == ""


@pytest.mark.parametrize("width", range(120))
def test_the_line_never_wraps(width: int) -> None:
    line = progress_text("2 (tail, push-pull, H=1, S=9)", "cycle 60 of 120", 0.5, 83.0, width, BRAILLE_PLOT)
    assert len(line) <= width


def test_without_room_for_a_bar_the_words_stay() -> None:
    assert progress_text("default", "cycle 6 of 10", 0.5, None, 25, BRAILLE_PLOT) == "default  cycle 6 of 10"


# signals


def test_a_signal_outside_of_where_it_is_heard_waits_for_the_next_such_place() -> None:
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGTERM)
        entered = False
        with pytest.raises(KeyboardInterrupt), interruption.heard():
            entered = True
        assert not entered


def test_a_signal_that_was_ignored_before_stays_ignored() -> None:
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption() as interruption, interruption.heard():
            os.kill(os.getpid(), signal.SIGHUP)  # raises nothing
    finally:
        signal.signal(signal.SIGHUP, former)


# where it is written


LINES = [(Span("head", Role.TITLE), Span("  ", Role.DIM), Span("1 blind", Role.ORIGIN_0), Span(" 7"))]


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({"TERM": "xterm"}, "\x1b[1mhead\x1b[0m  \x1b[36m1 blind\x1b[0m 7\n"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "\x1b[1mhead\x1b[0m  1 blind 7\n"),
        ({"TERM": "dumb"}, "head  1 blind 7\n"),
    ],
)
def test_colours_are_the_terminals_own_and_only_where_they_are_wanted(
    environment: dict[str, str], text: str
) -> None:
    assert painted(LINES, Screen(), environment) == text


def test_what_is_no_terminal_gets_plain_text() -> None:
    assert painted(LINES, io.StringIO(), {"TERM": "xterm", "FORCE_COLOR": "1"}) == "head  1 blind 7\n"


@pytest.mark.parametrize(("said", "columns"), [("132", 132), ("0", 80), ("wide", 80), ("", 80), ("-3", 80)])
def test_the_width_is_what_columns_says_if_it_says_a_number(said: str, columns: int) -> None:
    assert columns_of(io.StringIO(), {"COLUMNS": said}) == columns


def test_where_the_encoding_has_no_braille_the_signs_are_ascii() -> None:
    latin = io.TextIOWrapper(io.BytesIO(), encoding="latin-1")
    utf8 = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    assert glyphs_for(latin, ascii_only=False) is ASCII_PLOT
    assert glyphs_for(utf8, ascii_only=False) is BRAILLE_PLOT
    assert glyphs_for(utf8, ascii_only=True) is ASCII_PLOT
