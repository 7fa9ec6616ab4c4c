from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossip_tui.drawing.line import Role, cell_len, plain, width_of
from gossip_tui.drawing.rate_meter import RateMeter, Rates
from gossip_tui.drawing.rates import amount_text, bytes_text, rate_lines, sparkline
from gossip_tui.theme import ASCII, UNICODE
from protocol.core.snapshot import Counters
from tests.gossip_tui.samples import node_id, snapshot

BUSY = Rates(
    datagrams_in=31.0,
    datagrams_out=29.0,
    bytes_in=4_310.0,
    bytes_out=980.0,
    delivered=2.0,
    duplicate_share=0.12,
    repairs=3,
    rejects=2,
    incoming=(1.0, 8.0, 16.0),
    outgoing=(0.0, 4.0, 2.0),
)


def fed(*steps: tuple[float, Counters]) -> RateMeter:
    meter = RateMeter()
    for now, counters in steps:
        meter.observe(snapshot(counters=counters), now)
    return meter


def test_rates_are_differences_over_the_time_between() -> None:
    meter = fed(
        (10.0, Counters(datagrams_in=100, bytes_in=5_000)), (12.0, Counters(datagrams_in=140, bytes_in=9_000))
    )
    assert meter.rates().datagrams_in == 20.0
    assert meter.rates().bytes_in == 2_000.0


def test_one_snapshot_gives_no_rates_yet() -> None:
    assert RateMeter().rates() == Rates()
    assert fed((10.0, Counters(datagrams_in=100))).rates().datagrams_in == 0.0


def test_two_snapshots_at_one_moment_divide_by_nothing() -> None:
    assert fed((10.0, Counters()), (10.0, Counters(datagrams_in=5))).rates().datagrams_in == 0.0


@pytest.mark.parametrize(
    "total",
    ["datagrams_in", "datagrams_out", "bytes_in", "bytes_out", "delivered", "rumors_in", "duplicates"],
)
def test_a_total_that_goes_back_starts_over(total: str) -> None:
    meter = fed((10.0, Counters(**{total: 9})), (11.0, Counters(**{total: 8})))
    assert meter.rates() == fed((11.0, Counters())).rates()
    meter.observe(snapshot(counters=Counters(**{total: 8}, exchanges_started=1)), 12.0)
    assert meter.rates().bytes_out == meter.rates().datagrams_out == 0.0


def test_time_that_goes_back_starts_over() -> None:
    meter = fed((10.0, Counters()), (9.0, Counters(datagrams_out=6)), (11.0, Counters(datagrams_out=8)))
    assert meter.rates().datagrams_out == 1.0


def test_rates_are_those_of_the_last_seconds_only() -> None:
    steps = [(float(now), Counters(datagrams_in=1_000 * min(now, 10))) for now in range(31)]
    assert fed(*steps[:11]).rates().datagrams_in == 1_000.0
    assert fed(*steps).rates().datagrams_in == 0.0


def test_duplicates_are_a_share_of_the_copies_received() -> None:
    assert fed((0.0, Counters()), (1.0, Counters(rumors_in=50, duplicates=6))).rates().duplicate_share == 0.12
    assert fed((0.0, Counters()), (1.0, Counters())).rates().duplicate_share is None


def test_every_second_makes_one_bar_however_often_snapshots_come() -> None:
    often = fed(*((step / 4, Counters(datagrams_in=step * 5)) for step in range(17)))
    seldom = fed((0.0, Counters()), (4.0, Counters(datagrams_in=80)))
    assert often.rates().incoming == seldom.rates().incoming == (20.0,) * 4


def test_another_node_or_a_restart_starts_over() -> None:
    meter = fed((0.0, Counters(datagrams_in=500)), (1.0, Counters(datagrams_in=900)))
    meter.observe(snapshot(id=node_id("p9"), counters=Counters(datagrams_in=7)), 2.0)
    assert meter.rates().incoming == ()
    restarted = fed((0.0, Counters(datagrams_in=500)), (1.0, Counters(datagrams_in=3)))
    assert restarted.rates().datagrams_in == 0.0


def test_what_was_refused_is_counted_over_all_reasons() -> None:
    meter = RateMeter()
    meter.observe(snapshot(rejected={"malformed": 2, "version": 3}), 0.0)
    assert meter.rates().rejects == 5


def test_rates_are_drawn_with_numbers_and_sparklines() -> None:
    assert [plain(line) for line in rate_lines(BUSY, 44, 3, UNICODE)] == [
        " in     31/s   4.3 kB/s                 ▂▅█",
        " out    29/s    980 B/s                 ▁▃▂",
        " dup 12% · repaired 3 · rejected 2 · 2 msg/s",
    ]


def test_more_room_gives_more_words() -> None:
    lines = [plain(line) for line in rate_lines(BUSY, 44, 5, UNICODE)]
    assert lines[3:] == [" 2 messages/s · 12% came twice", " 3 repaired · 2 rejected"]


def test_rejects_are_a_warning_only_if_there_are_any() -> None:
    assert Role.WARNING in {span.role for span in rate_lines(BUSY, 60, 3, UNICODE)[2]}
    quiet = replace(BUSY, rejects=0)
    assert Role.WARNING not in {span.role for span in rate_lines(quiet, 60, 3, UNICODE)[2]}


@pytest.mark.parametrize("width", range(8, 120, 5))
def test_no_line_is_wider_than_the_pane(width: int) -> None:
    for height in (3, 5):
        assert all(width_of(line) <= width for line in rate_lines(BUSY, width, height, ASCII)), width


def test_a_sparkline_shows_something_for_anything_above_nothing() -> None:
    assert sparkline((0.0, 0.01, 100.0), 3, 100.0, UNICODE) == "▁▂█"
    assert sparkline((5.0,) * 100, 4, 5.0, ASCII) == "####"
    assert sparkline((1.0,), 0, 1.0, UNICODE) == ""


@given(st.floats(0, 9e11))
def test_amounts_keep_to_their_cells(amount: float) -> None:
    assert cell_len(amount_text(amount)) <= 5
    assert cell_len(bytes_text(amount)) <= 9
