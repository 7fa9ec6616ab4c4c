"""The report of an experiment: what is in it, what it looks like, and that it fits."""

from __future__ import annotations

import pytest

from gossip_tui.drawing.figure_table import Course, figure_table, number_text, share_text, telling_cycles
from gossip_tui.drawing.line import plain
from gossip_tui.drawing.panels import panels_for
from gossip_tui.drawing.plots import ASCII_PLOT, BRAILLE_PLOT, PlotGlyphs
from gossip_tui.drawing.sampling_report import interrupted_line, sampling_report
from protocol.sim import Crash, Experiment, Selection
from tests.gossip_tui.simulate.fakes import BROADCAST, figures

CRASHED = Experiment(nodes=10, view_size=8, cycles=6, crashes=(Crash(0.5, 3),), selection=Selection.LIVE)


def healing(label: str, left: float) -> Course:
    """Half of the nodes crash after cycle 3, and a share of the dead links is left a cycle later."""
    before = [figures(cycle, clustering=0.1 * cycle) for cycle in range(4)]
    after = [
        figures(cycle, live_nodes=5, dead_links=share / 2, dead_links_of_crash=share, clustering=0.3)
        for cycle, share in ((4, left), (5, left * left), (6, left * left * left))
    ]
    return Course(label, [*before, *after], BROADCAST)


def text_of(
    courses: list[Course], columns: int, glyphs: PlotGlyphs = BRAILLE_PLOT, experiment: Experiment = CRASHED
) -> list[str]:
    return [plain(line) for line in sampling_report([experiment] * len(courses), courses, columns, glyphs)]


def test_a_report_of_two_strategies_has_everything_below_their_names() -> None:
    assert text_of([healing("1 blind", 0.9), healing("2 healer", 0.1)], 60) == [
        *REPORT.strip("\n").split("\n"),
        "",
    ]


REPORT = """
10 nodes · views of 8 · random start · live selection ·
50 % crash after cycle 3 · seed 1

1 blind   (tail, push-pull, H=1, S=3)
2 healer  (tail, push-pull, H=1, S=3)

                 1 blind               2 healer
after cycle           0      3      6       0      3      6
live nodes           10     10      5      10     10      5
clustering       0.0000 0.3000 0.3000  0.0000 0.3000 0.3000
path length        2.17   2.17   2.17    2.17   2.17   2.17
in-degree mean      2.0    2.0    2.0     2.0    2.0    2.0
in-degree std       1.0    1.0    1.0     1.0    1.0    1.0
in-degree min         1      1      1       1      1      1
in-degree max         4      4      4       4      4      4
components            1      1      1       1      1      1
largest of them   100 %  100 % 99.9 %   100 %  100 % 99.9 %
dead links          0 %    0 % 36.5 %     0 %    0 %  0.1 %
left since crash      -      - 72.9 %       -      -  0.1 %

Broadcast over the last views, fan-out 4
reaches                        98.0 %                98.0 %
extra copies                     2.90                  2.90
last hop                          6.4                   6.4

In-degree at the end: the share of nodes that so many others
know (• in a random graph with as many links)
                 1 blind               2 healer
           40 %  ┤   ███•••            ┤   ███•••
                 │   ███▄▄▄            │   ███▄▄▄
                 │   ██████•••         │   ██████•••
                 │   █████████         │   █████████
                 │   █████████▄▄▄      │   █████████▄▄▄
              0  ┤•••████████████      ┤•••████████████
                 └───────────────────  └───────────────────
      in-degree    0     2     4         0     2     4

Clustering: the chance that two peers of a node know one
another
                 1 blind               2 healer
            0.4  ┤         ┊           ┤         ┊
                 │        ⢀⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤  │        ⢀⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤
                 │      ⡠⠒⠁┊           │      ⡠⠒⠁┊
                 │    ⡠⠊   ┊           │    ⡠⠊   ┊
                 │  ⡠⠊     ┊           │  ⡠⠊     ┊
              0  ┤⡠⠊       ┊           ┤⡠⠊       ┊
                 └───────────────────  └───────────────────
          cycle   0        3        6   0        3        6

Dead links: the share of all links that lead to nodes that
crashed
                 1 blind               2 healer
           50 %  ┤         ┊  ⢠⢄⣀      ┤         ┊
                 │         ┊ ⢀⠇  ⠉⠑⠒⠤  │         ┊
                 │         ┊ ⡜         │         ┊
                 │         ┊⢰⠁         │         ┊
                 │         ⢀⠇          │         ┊
              0  ┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⡜           ┤⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⠤⠤⠒⠢⠤⣀⣀⣀⣀
                 └───────────────────  └───────────────────
          cycle   0        3        6   0        3        6
"""


def test_the_same_in_ascii_has_the_same_lines() -> None:
    courses = [healing("1 blind", 0.9), healing("2 healer", 0.1)]
    drawn, plainer = text_of(courses, 60), text_of(courses, 60, ASCII_PLOT)
    assert all(line.isascii() for line in plainer)
    assert len(drawn) == len(plainer)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("columns", [1, 40, 41, 80, 133, 200, 1_000])
def test_no_line_is_wider_than_the_screen_and_none_has_blanks_at_its_end(columns: int, count: int) -> None:
    courses = [healing(f"{number} (tail, push-pull, H=1, S={number})", 0.5) for number in range(count)]
    for line in text_of(courses, columns):
        assert len(line) <= max(40, min(200, columns))
        assert line == line.rstrip()


def test_strategies_that_do_not_fit_beside_one_another_continue_below() -> None:
    courses = [healing(f"{number} blind", 0.5) for number in range(1, 4)]
    assert [line.split() for line in text_of(courses, 60) if line.endswith("blind") and "(" not in line][
        :2
    ] == [
        ["1", "blind", "2", "blind"],
        ["3", "blind"],
    ]


def test_panels_of_a_plot_have_one_scale() -> None:
    low = Course("1 low", [figures(0, clustering=0.1), figures(1, clustering=0.1)], None)
    high = Course("2 high", [figures(0, clustering=0.8), figures(1, clustering=0.8)], None)
    lines = text_of([low, high], 80, experiment=Experiment(cycles=1))
    start = next(number for number, line in enumerate(lines) if line.startswith("Clustering"))
    plot = lines[start + 2 : start + 8]
    assert plot[0].startswith("            0.8  ┤")
    assert [row[17:40].strip(" │┤") != "" for row in plot] == [False, False, False, False, False, True]
    assert [row[49:].strip(" │┤") != "" for row in plot] == [True, False, False, False, False, False]


def test_without_dead_links_nothing_is_said_of_them() -> None:
    course = Course("default", [figures(0), figures(1)], BROADCAST)
    assert not any(
        "ead links" in line or "crash" in line
        for line in text_of([course], 80, experiment=Experiment(cycles=1))
    )


def test_churn_shows_its_dead_links() -> None:
    course = Course("default", [figures(0), figures(1, dead_links=0.02)], BROADCAST)
    lines = text_of([course], 80, experiment=Experiment(cycles=1, churn=0.01))
    assert "dead links          0 %  2.0 %" in lines
    assert any(line.startswith("Dead links:") for line in lines)
    assert any("1 % churn a cycle" in line for line in lines)


def test_an_experiment_without_a_cycle_shows_its_start() -> None:
    course = Course("default", [figures(0)], BROADCAST)
    lines = text_of([course], 80, experiment=Experiment(cycles=0))
    assert "after cycle           0" in lines
    assert not any(line.startswith("Clustering") for line in lines)


def test_an_experiment_that_never_began_shows_what_it_would_have_been() -> None:
    lines = text_of([Course("default", [], None)], 80)
    assert any("10 nodes" in line for line in lines)
    assert not any(line.startswith("In-degree") for line in lines)


def test_one_that_was_interrupted_early_has_an_empty_panel_beside_the_others() -> None:
    lines = text_of([healing("1 blind", 0.9), Course("2 healer", [], None)], 80)
    assert "reaches                               98.0 %" in lines
    assert any(line.split() == ["1", "blind", "2", "healer"] for line in lines)


def test_one_that_was_interrupted_later_has_no_broadcast() -> None:
    lines = text_of([healing("1 blind", 0.9), Course("2 healer", [figures(0), figures(1)], None)], 80)
    assert ["reaches", "98.0", "%", "-"] in [line.split() for line in lines]


@pytest.mark.parametrize(
    ("course", "sentence"),
    [
        (Course("1 blind", [figures(0), figures(4)], None), "Interrupted: 1 blind after cycle 4 of 6."),
        (Course("1 blind", [], None), "Interrupted: 1 blind before its first cycle."),
    ],
)
def test_an_interrupted_experiment_says_how_far_it_came(course: Course, sentence: str) -> None:
    assert plain(interrupted_line(CRASHED, course)) == sentence


@pytest.mark.parametrize(
    ("recorded", "crashes", "count", "wanted"),
    [
        ([], [], 5, []),
        ([0], [], 5, [0]),
        (range(101), [], 1, [100]),
        (range(101), [], 2, [0, 100]),
        (range(101), [], 5, [0, 10, 20, 50, 100]),
        (range(121), [100], 3, [0, 100, 120]),
        (range(121), [100], 4, [0, 100, 105, 120]),
        (range(0, 121, 8), [100], 4, [0, 104, 112, 120]),
        (range(121), [30, 100], 9, [0, 10, 30, 31, 35, 50, 100, 105, 120]),
        (range(4), [], 9, [0, 3]),
    ],
)
def test_the_cycles_that_are_shown_are_the_telling_ones(
    recorded: list[int], crashes: list[int], count: int, wanted: list[int]
) -> None:
    assert telling_cycles(recorded, crashes, count) == wanted


def test_numbers_never_run_into_one_another() -> None:
    large = figures(0, path_length=123_456.7, in_degree_max=1_234_567, live_nodes=1_000_000, clustering=1.0)
    course = Course("default", [large, figures(1)], None)
    lines = [plain(line) for line in figure_table([course], [], panels_for(1, 80), BRAILLE_PLOT)]
    assert all(len(line.split()) == len(line.replace(" %", "").split()) for line in lines if "%" not in line)
    assert "path length      123457   2.17" in lines
    assert "in-degree max      1.2M      4" in lines


def test_shares_are_not_rounded_to_all_or_nothing() -> None:
    assert (share_text(0.99999), share_text(0.00001), share_text(float("nan"))) == ("99.9 %", "0.1 %", "-")
    assert number_text(float("inf"), 2) == "-"
