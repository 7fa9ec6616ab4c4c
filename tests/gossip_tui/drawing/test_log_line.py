from __future__ import annotations

import math
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossip_tui.drawing.line import Line, Role, cell_len, plain, width_of
from gossip_tui.drawing.log_line import (
    NOTICE_LINES,
    LineState,
    Notice,
    NoticeKind,
    clock_text,
    fit_id,
    held_line,
    layout_for,
    message_line,
    notice_line,
    notice_parts,
    time_text,
)
from gossip_tui.drawing.names import Names
from gossip_tui.text import safe
from gossip_tui.theme import ASCII, UNICODE, Glyphs
from protocol.core.identity import Dot, NodeId
from protocol.core.messages import Message
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.samples import NOON, Talk, held, node_id

PLAIN_STATE = LineState()


def draw(message: Message, width: int, state: LineState = PLAIN_STATE, glyphs: Glyphs = UNICODE) -> str:
    line = message_line(message, layout_for(width, 6), Names(), glyphs, state, UTC)
    assert width_of(line) <= width
    return plain(line)


def role_at(line: Line, text: str) -> Role:
    return next(span.role for span in line if text in span.text)


def hello() -> Message:
    talk = Talk()
    one = talk.say("p1", "one")
    two = talk.say("p3", "two")
    return talk.say("p2", "hello", one, two)


def test_a_wide_line_shows_time_origin_text_and_clock() -> None:
    assert draw(hello(), 70) == "12:00:02    p2#1   hello                              {p1:1 p2:1 p3:1}"


def test_narrower_lines_lose_seconds_then_times_then_clocks() -> None:
    assert draw(hello(), 50) == "12:00    p2#1   hello             {p1:1 p2:1 p3:1}"
    assert draw(hello(), 40) == "   p2#1   hello         {p1:1 p2:1 p3:1}"
    assert draw(hello(), 30) == "   p2#1   hello"


def test_a_long_text_leaves_the_clock_its_share() -> None:
    talk = Talk()
    long = talk.say("p2", "a story " * 20, talk.say("p1", "one"))
    assert draw(long, 50) == "12:00    p2#1   a story a story a sto… {p1:1 p2:1}"


def test_marks_say_what_is_special_about_a_message() -> None:
    message = hello()
    assert draw(message, 50, LineState(concurrent=True))[6:9] == "∥  "
    assert draw(message, 50, LineState(inserted=True))[6:9] == " » "
    assert draw(message, 50, LineState(mention=True))[6:9] == " @ "
    assert draw(message, 50, LineState(concurrent=True, inserted=True), ASCII)[6:9] == "|> "


def test_history_and_broken_order_have_marks_of_their_own() -> None:
    talk = Talk()
    assert draw(talk.say("p1", "old", from_history=True), 50)[6:9] == " ↻ "
    assert draw(talk.say("p1", "late", from_history=True, late=True), 50)[6:9] == " ! "


def test_own_messages_and_mentions_stand_out_by_weight_as_well_as_colour() -> None:
    layout = layout_for(60, 6)
    own = message_line(hello(), layout, Names(), UNICODE, LineState(own=True), UTC)
    named = message_line(hello(), layout, Names(), UNICODE, LineState(mention=True), UTC)
    assert role_at(own, "p2#1") is Role.OWN
    assert role_at(named, "hello") is Role.MENTION


def test_a_long_name_gives_way_to_its_number() -> None:
    assert fit_id("a-very-long-name", 1234, 12, UNICODE) == "a-very…#1234"


def test_a_clock_that_does_not_fit_keeps_what_the_message_brought() -> None:
    clock = {f"p{number}": number for number in range(1, 10)}
    assert clock_text(clock, 22) == "{p1:1 p2:2 p3:3 …+6}"
    assert clock_text(clock, 22, first=["p9", "p4"]) == "{p1:1 p4:4 p9:9 …+6}"
    assert clock_text(clock, 5) == "{…+9}"
    assert clock_text(clock, 4) == ""


@given(
    st.dictionaries(st.text(min_size=1, max_size=8), st.integers(1, 10**6), max_size=20), st.integers(0, 60)
)
def test_a_clock_text_never_exceeds_its_room(clock: dict[str, int], width: int) -> None:
    text = clock_text(clock, width)
    assert cell_len(text) <= width


def test_a_clock_of_a_thousand_entries_is_drawn() -> None:
    clock = {f"node-{number}": number + 1 for number in range(1_000)}
    assert clock_text(clock, 40, first=["node-7"]) == "{node-0:1 node-1:2 node-7:8 …+997}"


def test_times_follow_the_zone_and_survive_nonsense() -> None:
    assert time_text(NOON, UTC) == "12:00:00"
    assert time_text(NOON, timezone(timedelta(hours=2))) == "14:00:00"
    for nonsense in (math.nan, math.inf, -math.inf, 1e300, -1e18):
        assert time_text(nonsense, UTC) == "--:--:--"


def test_a_held_message_says_what_it_waits_for() -> None:
    waiting = held("p3", 9, "later", Dot(node_id("p2"), 7))
    line = held_line(waiting, layout_for(60, 6), Names(), UNICODE, UTC)
    assert plain(line) == "12:00    p3#9   (held: waits for p2#7) later"
    assert {span.role for span in line[1:]} == {Role.HELD}


def test_a_held_message_counts_what_it_has_no_room_to_name() -> None:
    dots = [Dot(node_id(f"p{number}"), 7) for number in (2, 4, 5, 6)]
    line = held_line(held("p3", 9, "later", *dots), layout_for(70, 6), Names(), UNICODE, UTC)
    assert "(held: waits for p2#7, p4#7 …+2)" in plain(line)
    assert "(held: waits for its past)" in plain(
        held_line(held("p3", 9, ""), layout_for(60, 6), Names(), UNICODE)
    )


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_notice_has_a_glyph_beside_its_colour(kind: NoticeKind) -> None:
    notice = Notice(safe("p5 joined"), kind, NOON, (0, node_id("z"), 1))
    text = plain(notice_line(notice, layout_for(50, 6), UNICODE, UTC))
    assert text.startswith("12:00  ")
    assert text[7] != " "
    assert text.endswith(" p5 joined")


@pytest.mark.parametrize("width", range(30, 90, 7))
def test_a_notice_of_wide_characters_is_broken_by_cells_and_loses_none(width: int) -> None:
    layout, text = layout_for(width, 6), safe(f"{'早' * 26} joined, {'安' * 9} left")
    parts = notice_parts(text, layout)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")
    drawn = [Notice(part, NoticeKind.INFO, NOON, (0, node_id("z"), 1)) for part in parts]
    assert "".join(plain(notice_line(one, layout, UNICODE, UTC)) for one in drawn).count("早") == 26
    assert len(parts) <= NOTICE_LINES


@pytest.mark.parametrize("width", range(12, 120, 7))
@pytest.mark.parametrize("glyphs", [UNICODE, ASCII], ids=["unicode", "ascii"])
def test_no_line_is_wider_than_the_pane(width: int, glyphs: Glyphs) -> None:
    talk = Talk()
    names = Names()
    layout = layout_for(width, 40)
    for text in HOSTILE:
        message = talk.say(NodeId("n" * 64, 5), text.encode("utf-8", "replace"), *talk.said[-1:])
        assert width_of(message_line(message, layout, names, glyphs, PLAIN_STATE, UTC)) <= width
        notice = Notice(safe(text), NoticeKind.INFO, NOON, (0, node_id("z"), 1))
        assert width_of(notice_line(notice, layout, glyphs, UTC)) <= width
        assert width_of(held_line(held("p3", 9, text), layout, names, glyphs, UTC)) <= width


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_and_names_draw_harmless_lines(text: str) -> None:
    talk = Talk()
    name = text or "x"
    message = talk.say(NodeId(name, 5), text.encode("utf-8", "surrogatepass"), talk.say("p1", "one"))
    assert_harmless(draw(message, 100))
    waiting = held("p3", 9, text, Dot(NodeId(name, 5), 3))
    assert_harmless(plain(held_line(waiting, layout_for(100, 6), Names(), UNICODE, UTC)))
