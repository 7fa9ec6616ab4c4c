from __future__ import annotations

import pytest

from gossip_tui.drawing.line import HEAT, cell_len, plain, width_of
from gossip_tui.drawing.names import Names
from gossip_tui.drawing.view_history import MARK_PERIOD, ViewHistory
from gossip_tui.drawing.view_table import (
    RowMark,
    Sorting,
    ViewRow,
    age_text,
    columns_for,
    header,
    heat_bar,
    round_trip_text,
    row_line,
    sort_rows,
    title,
    view_rows,
)
from gossip_tui.theme import ASCII, UNICODE
from protocol.core.identity import Address, NodeId
from protocol.core.snapshot import NodeSnapshot
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.samples import node_id, peer_row, snapshot


def table(picture: NodeSnapshot, width: int, sorting: Sorting = Sorting.AGE) -> list[str]:
    rows = sort_rows(view_rows(picture, Names()), sorting)
    columns = columns_for(width, rows)
    lines = [header(columns, sorting, UNICODE), *(row_line(row, columns, UNICODE) for row in rows)]
    assert all(width_of(line) <= width for line in lines)
    return [plain(line).rstrip() for line in lines]


def test_a_wide_table_shows_every_column() -> None:
    assert table(snapshot((2, 5, 10)), 46) == [
        "  peer  address       age▼                 rtt",
        "  p2    127.0.0.1:8002   2 ━━━───────   2.0 ms",
        "  p5    127.0.0.1:8005   5 ━━━━━─────   5.0 ms",
        "  p10   127.0.0.1:8010  10 ━━━━━━──── ←  10 ms",
    ]


def test_a_narrow_table_leaves_out_whole_columns() -> None:
    assert table(snapshot((2, 10)), 34) == [
        "  peer  address       age▼",
        "  p2    127.0.0.1:8002   2 ━━───",
        "  p10   127.0.0.1:8010  10 ━━━── ←",
    ]
    assert table(snapshot((2, 10)), 14) == [
        "  peer age▼",
        "  p2      2",
        "  p10    10 ←",
    ]


@pytest.mark.parametrize("width", range(11, 140, 3))
def test_no_row_is_ever_wider_than_the_pane(width: int) -> None:
    rows = [peer_row(number) for number in (2, 33)]
    rows.append(
        peer_row(4, id=node_id("n" * 64), address=Address("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", 65_535))
    )
    table(snapshot(rows), width)


def test_sorting_by_name_counts_numbers_as_people_do() -> None:
    lines = table(snapshot((10, 2, 9)), 40, Sorting.NAME)
    assert lines[0].startswith("  peer▼")
    assert [line.split()[0] for line in lines[1:]] == ["p2", "p9", "p10"]


def test_sorting_by_age_puts_the_youngest_first() -> None:
    rows = [peer_row(2, age=7), peer_row(3, age=0), peer_row(4, age=7)]
    assert [line.split()[0] for line in table(snapshot(rows), 40)[1:]] == ["p3", "p2", "p4"]


def test_two_nodes_of_one_name_are_told_apart_in_the_table() -> None:
    rows = [peer_row(2, id=node_id("p2", 1)), peer_row(3, id=node_id("p2", 2))]
    history = ViewHistory()
    history.observe(snapshot(rows), 0.0)
    labels = [row.label for row in history.rows(0.0)]
    assert len(set(labels)) == 2
    assert all(label.startswith("p2~") for label in labels)


def test_an_older_descriptor_has_a_longer_and_warmer_bar() -> None:
    bars = [heat_bar(age, 8, UNICODE) for age in (0, 2, 5, 10, 20, 32, 10_000)]
    lengths = [cell_len(bar[0].text) for bar in bars]
    heats = [HEAT.index(bar[0].role) for bar in bars]
    assert lengths == sorted(lengths)
    assert heats == sorted(heats)
    assert (lengths[0], lengths[-1]) == (1, 8)
    assert all(width_of(bar) == 8 for bar in bars)


def test_ages_and_round_trips_keep_to_their_columns() -> None:
    assert [age_text(age) for age in (0, 10, 999, 1_000)] == ["0", "10", "999", "1k+"]
    trips = [0.0, 0.00042, 0.00999, 0.0351, 0.9994, 0.9996, 12.0, 99.95, 998.0, 9_999.6, 1e9]
    assert all(cell_len(round_trip_text(seconds)) <= 6 for seconds in trips)


def test_the_title_names_size_and_strategy_as_far_as_there_is_room() -> None:
    assert title(snapshot(), 60) == "Partial view  c=20 tail/push-pull H=1 S=9"
    assert title(snapshot(), 36) == "View c=20 tail/push-pull H=1 S=9"
    assert title(snapshot(), 8) == "Partial…"
    assert title(None, 60) == "Partial view"


def test_ascii_rows_are_ascii() -> None:
    rows = view_rows(snapshot((2, 40)), Names())
    columns = columns_for(60, rows)
    lines = [header(columns, Sorting.AGE, ASCII), *(row_line(row, columns, ASCII) for row in rows)]
    assert all(plain(line).isascii() for line in lines)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_hostile_name_or_address_draws_a_harmless_row(text: str) -> None:
    row = peer_row(2, id=NodeId(text, 7), address=Address(text, 9))
    for line in table(snapshot([row]), 60):
        assert_harmless(line)


class TestHistory:
    def marks(self, history: ViewHistory, now: float) -> dict[str, RowMark]:
        return {row.label: row.mark for row in history.rows(now)}

    def test_the_first_picture_marks_nobody(self) -> None:
        history = ViewHistory()
        history.observe(snapshot((2, 3)), 0.0)
        assert set(self.marks(history, 0.0).values()) == {RowMark.NONE}

    def test_a_row_that_came_is_marked_for_a_moment(self) -> None:
        history = ViewHistory()
        history.observe(snapshot((2,)), 0.0)
        history.observe(snapshot((2, 3)), 1.0)
        assert self.marks(history, 1.0) == {"p2": RowMark.NONE, "p3": RowMark.JOINED}
        assert self.marks(history, 1.0 + MARK_PERIOD) == {"p2": RowMark.NONE, "p3": RowMark.NONE}
        assert not history.is_marking

    def test_a_row_that_left_stays_to_be_seen_for_a_moment(self) -> None:
        history = ViewHistory()
        history.observe(snapshot((2, 3)), 0.0)
        history.observe(snapshot((2,)), 1.0)
        assert self.marks(history, 1.0) == {"p2": RowMark.NONE, "p3": RowMark.PARTED}
        assert self.marks(history, 1.0 + MARK_PERIOD) == {"p2": RowMark.NONE}

    def test_rows_that_left_stand_behind_the_view_and_are_few(self) -> None:
        history = ViewHistory()
        history.observe(snapshot(range(2, 22)), 0.0)
        history.observe(snapshot((30, 31)), 1.0)
        for sorting in Sorting:
            marks = [row.mark for row in sort_rows(history.rows(1.0), sorting)]
            assert marks == [RowMark.JOINED] * 2 + [RowMark.PARTED] * 4

    def test_a_row_that_left_and_came_back_is_one_row(self) -> None:
        history = ViewHistory()
        history.observe(snapshot((2, 3)), 0.0)
        history.observe(snapshot((2,)), 1.0)
        history.observe(snapshot((2, 3)), 2.0)
        assert self.marks(history, 2.0) == {"p2": RowMark.NONE, "p3": RowMark.NONE}

    def test_another_node_starts_a_new_history(self) -> None:
        history = ViewHistory()
        history.observe(snapshot((2, 3)), 0.0)
        history.observe(snapshot((4,), id=node_id("p9")), 1.0)
        assert self.marks(history, 1.0) == {"p4": RowMark.NONE}

    def direction(self, history: ViewHistory) -> str:
        rows: list[ViewRow] = history.rows(0.0)
        return rows[0].direction

    def test_exchanges_each_way_within_two_cycles_show_as_both(self) -> None:
        history = ViewHistory()
        history.observe(snapshot([peer_row(2, last_direction="out")], cycle=7), 0.0)
        assert self.direction(history) == "out"
        history.observe(snapshot([peer_row(2, last_direction="in")], cycle=8), 1.0)
        assert self.direction(history) == "both"
        history.observe(snapshot([peer_row(2, last_direction="in")], cycle=10), 3.0)
        assert self.direction(history) == "in"
