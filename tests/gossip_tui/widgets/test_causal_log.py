from __future__ import annotations

import random
from datetime import UTC

import pytest
from textual.geometry import Offset
from textual.selection import Selection

from gossip_tui.theme import ASCII
from gossip_tui.widgets.causal_log import CausalLogPane, FilterError, LogOrder, NoticeKind
from protocol.core.identity import Dot, NodeId
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.samples import NOON, Talk, held, many_messages, node_id, peer_row, snapshot
from tests.gossip_tui.widgets.harness import Clock, PaneApp, shown


def make(clock: Clock | None = None) -> CausalLogPane:
    return CausalLogPane(zone=UTC, clock=clock or Clock())


def texts(pane: CausalLogPane) -> list[str]:
    """What stands behind time, marks and origin in each visible line, without its clock."""
    return [line[16:].partition("{")[0].strip() for line in pane.visible_text if line.strip()]


def numbered(first: int, last: int) -> list[str]:
    return [f"message {number}" for number in range(first, last + 1)]


async def test_an_empty_log_says_what_to_do() -> None:
    pane = make()
    async with shown(pane):
        assert pane.visible_text[0].startswith(" No message yet: type one below")


async def test_messages_show_in_causal_order_with_their_clocks() -> None:
    pane = make()
    async with shown(pane):
        pane.add_messages(many_messages(3)[::-1])
        assert [line.rstrip() for line in pane.visible_text[:3]] == [
            "12:00    p1#1   message 1                           {p1:1}",
            "12:00    p2#1   message 2                      {p1:1 p2:1}",
            "12:00    p3#1   message 3                 {p1:1 p2:1 p3:1}",
        ]


async def test_the_pane_follows_the_newest_message() -> None:
    pane = make()
    async with shown(pane):
        messages = many_messages(40)
        pane.add_messages(messages[:30])
        assert texts(pane) == numbered(21, 30)
        pane.add_messages(messages[30:])
        assert texts(pane) == numbered(31, 40)
        assert pane.new_below == 0


async def test_messages_added_before_the_pane_is_shown_are_followed_too() -> None:
    pane = make()
    pane.add_messages(many_messages(40))
    async with shown(pane):
        assert texts(pane) == numbered(31, 40)


async def test_scrolling_up_stops_following_and_counts_what_comes() -> None:
    pane = make()
    async with shown(pane) as pilot:
        messages = many_messages(44)
        pane.add_messages(messages[:40])
        await pilot.press("pageup")
        before = texts(pane)
        pane.add_messages(messages[40:])
        assert texts(pane)[:-1] == before[:-1]
        assert "▼ 4 new below, End to follow" in pane.visible_text[-1]
        await pilot.press("end")
        assert texts(pane) == numbered(35, 44)
        assert pane.following


async def test_a_message_inserted_above_moves_nothing_under_the_readers_eyes() -> None:
    pane = make()
    async with shown(pane) as pilot:
        messages = many_messages(40)
        late = messages.pop(2)
        pane.add_messages(messages)
        await pilot.press("up", "up", "up", "pageup")
        before, chosen = pane.visible_text, pane.cursor_message
        pane.add_messages([late])
        assert pane.visible_text == before
        assert pane.cursor_message is chosen
        assert pane.new_below == 0


async def test_a_late_message_is_marked_for_a_while() -> None:
    clock = Clock()
    pane = make(clock)
    async with shown(pane):
        one, two, three = many_messages(3)
        pane.add_messages([one, three])
        pane.add_messages([two])
        assert pane.visible_text[1][7] == "»"
        clock.now += 60
        pane._fade()
        assert pane.visible_text[1][7] == " "


async def test_history_that_arrives_is_not_marked_as_late() -> None:
    pane = make()
    async with shown(pane):
        talk = Talk()
        old = talk.say("p1", "old", from_history=True)
        pane.add_messages([talk.say("p1", "new")])
        pane.add_messages([old])
        assert pane.visible_text[0][7] == "↻"


async def test_a_message_concurrent_with_the_one_above_is_marked() -> None:
    pane = make()
    async with shown(pane):
        talk = Talk()
        first = talk.say("p1", "first")
        talk.say("p2", "reply", first)
        talk.say("p3", "reply too", first)
        pane.add_messages(talk.said)
        assert [line[6] for line in pane.visible_text[:3]] == [" ", " ", "∥"]


async def test_clocks_are_not_read_for_lines_out_of_sight() -> None:
    pane = make()
    async with shown(pane):
        talk = Talk()
        loners = [talk.say(f"n{number}", "alone") for number in range(100)]
        pane.add_messages(loners)
        assert len(pane.visible_text) == 10
        assert sum(message._derived.is_resolved for message in loners) <= 12


async def test_held_messages_stand_at_the_end_with_what_they_wait_for() -> None:
    clock = Clock(NOON + 10)
    pane = make(clock)
    async with shown(pane):
        pane.add_messages(many_messages(1))
        waiting = held("p3", 9, "later", Dot(node_id("p2"), 7))
        pane.show(snapshot(held=[waiting]))
        assert pane.visible_text[1].rstrip() == "12:00    p3#9   (held: waits for p2#7) later"
        pane.show(snapshot())
        assert pane.visible_text[1].strip() == ""


async def test_a_message_held_for_a_moment_only_does_not_flicker() -> None:
    pane = make(Clock(NOON + 0.1))
    async with shown(pane):
        pane.show(snapshot(held=[held("p3", 9, "later")]))
        assert "held" not in "".join(pane.visible_text)


async def test_many_held_messages_are_counted() -> None:
    pane = make(Clock(NOON + 10))
    async with shown(pane):
        waiting = [held("p3", number, "later") for number in range(1, 11)]
        pane.show(snapshot(held=waiting, held_count=300))
        assert pane.visible_text[6].strip() == "… and 294 more held back"


async def test_notices_are_lines_of_the_log() -> None:
    pane = make()
    async with shown(pane):
        pane.add_notice("p5 joined", NoticeKind.JOINED)
        pane.add_notice("p5 was lost", NoticeKind.PARTED)
        assert [line.rstrip() for line in pane.visible_text[:2]] == [
            "12:00  + p5 joined",
            "12:00  − p5 was lost",
        ]


@pytest.mark.parametrize("first", ["a", "ab"])
async def test_no_word_of_a_notice_is_cut_when_the_scroll_bar_comes_with_it(first: str) -> None:
    pane = make()
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(pane.size.height - 1))
        pane.add_notice(f"{first} " + "a " * 90)  # one of both fills its lines to the last cell
        await pilot.pause()
        assert pane.show_vertical_scrollbar
        assert not any("a…" in line or "…" in line[-3:] for line in pane.visible_text[-3:])


async def test_notices_are_broken_anew_when_the_terminal_becomes_narrower_or_wider() -> None:
    pane = make()
    async with shown(pane) as pilot:
        pane.add_notice("one two three four five six seven eight nine")
        pane.add_messages(many_messages(1))
        pane.add_notice("ten eleven twelve thirteen fourteen")
        wide = [line.rstrip() for line in pane.visible_text[:4]]
        assert wide[0].endswith("eight nine")
        for width, lines in ((40, 2), (28, 3), (60, 1)):
            await pilot.resize_terminal(width, 12)
            await pilot.pause()
            text = [line.rstrip() for line in pane.visible_text]
            assert not any("…" in line for line in text if "message" not in line)
            first = next(number for number, line in enumerate(text) if "message" in line)
            assert first == lines
            assert " ".join(" ".join(text[:first]).split()).endswith(
                "one two three four five six seven eight nine"
            )
            pane._records.check()
        assert [line.rstrip() for line in pane.visible_text[:4]] == wide


async def test_a_reader_of_old_lines_stays_there_when_notices_are_broken_anew() -> None:
    pane = make()
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(30))
        pane.add_notice("one two three four five six seven eight nine ten")
        pane.action_first()
        for order in LogOrder:
            if pane.order is not order:
                pane.action_toggle_order()
            for width in (30, 60):
                await pilot.resize_terminal(width, 12)
                await pilot.pause()
                assert (pane.scroll_offset.y, pane.cursor) == (0, 0)


@pytest.mark.parametrize("order", LogOrder)
async def test_a_reader_of_a_line_that_goes_when_notices_are_broken_anew_stays_at_its_notice(
    order: LogOrder,
) -> None:
    pane = make()
    async with shown(pane, (30, 12)) as pilot:
        pane.order = order
        pane.add_messages(many_messages(30))
        pane.add_notice("one two three four five six seven eight nine ten")
        pane.add_messages(many_messages(60)[30:])
        pane.move_cursor(31)
        pane.scroll_to(y=31, animate=False, immediate=True)
        await pilot.pause()
        assert pane.visible_text[0].split()[0] == "six"
        await pilot.resize_terminal(90, 12)
        await pilot.pause()
        assert (pane.scroll_offset.y, pane.cursor) == (30, 30)
        assert "one two three four five" in pane.visible_text[0]


async def test_a_notice_that_does_not_fit_a_line_goes_on_in_the_next() -> None:
    pane = make()
    async with shown(pane):
        pane.add_notice("propagation pull collapses the overlay into a star: push-pull is safe " * 2)
        lines = [line.rstrip() for line in pane.visible_text if line.strip()]
        assert len(lines) == 4
        assert lines[0].startswith("12:00  · propagation pull")
        assert all(line.startswith(" " * 9) and line[9] != " " for line in lines[1:])
        words = " ".join(line[9:] for line in lines).split()
        assert words == ("propagation pull collapses the overlay into a star: push-pull is safe " * 2).split()


async def test_o_toggles_causal_and_arrival_order() -> None:
    pane = make()
    async with shown(pane) as pilot:
        one, two, three = many_messages(3)
        for message in (two, one, three):
            pane.add_messages([message])
        await pilot.press("o")
        assert texts(pane) == ["message 2", "message 1", "message 3"]
        assert pane.order is LogOrder.ARRIVAL
        assert "Log by arrival" in str(pane.border_title)
        await pilot.press("o")
        assert texts(pane) == ["message 1", "message 2", "message 3"]


async def test_the_cursor_stays_with_its_message_when_the_order_changes() -> None:
    pane = make()
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(30)[::-1])
        await pilot.press("up", "up")
        chosen = pane.cursor_message
        await pilot.press("o")
        assert pane.cursor_message is chosen


async def test_a_filter_hides_what_does_not_match_and_empty_shows_all() -> None:
    pane = make()
    async with shown(pane):
        pane.add_messages(many_messages(12))
        pane.set_filter("from:p2")
        assert texts(pane) == ["message 2", "message 7", "message 12"]
        assert "filter from:p2: 3 lines" in str(pane.border_subtitle)
        pane.set_filter("message 11")
        assert str(pane.border_subtitle).endswith("filter message 11: 1 line")
        pane.set_filter("")
        assert texts(pane) == numbered(3, 12)
        assert str(pane.border_subtitle) == ""


async def test_a_broken_filter_is_refused_and_leaves_the_old_one() -> None:
    pane = make()
    async with shown(pane):
        pane.set_filter("message")
        with pytest.raises(FilterError):
            pane.set_filter("/[/")
        assert pane.filter_text == "message"


async def test_a_filter_that_matches_nothing_says_so() -> None:
    pane = make()
    async with shown(pane):
        pane.add_messages(many_messages(3))
        pane.set_filter("zebra")
        assert pane.visible_text[0].startswith(" Nothing matches zebra.")


async def test_next_and_previous_match_jump_among_all_lines() -> None:
    pane = make()
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(40))
        pane.set_filter("from:p2")
        await pilot.press("a", "N", "N")
        assert pane.cursor_message is not None
        assert pane.cursor_message.text == "message 32"
        await pilot.press("n")
        assert pane.cursor_message.text == "message 37"
        assert len(texts(pane)) == 10


async def test_enter_opens_the_message_under_the_cursor() -> None:
    pane = make()
    async with shown(pane) as pilot:
        messages = many_messages(5)
        pane.add_messages(messages)
        await pilot.press("up", "enter")
        await pilot.pause()
        assert isinstance(pilot.app, PaneApp)
        (event,) = pilot.app.posted
        assert isinstance(event, CausalLogPane.MessageChosen)
        assert event.message is messages[3]


async def test_enter_on_a_notice_opens_nothing() -> None:
    pane = make()
    async with shown(pane) as pilot:
        pane.add_notice("hello")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app, PaneApp)
        assert pilot.app.posted == []


async def test_a_double_click_opens_the_message_under_the_pointer() -> None:
    pane = make()
    async with shown(pane) as pilot:
        messages = many_messages(5)
        pane.add_messages(messages)
        await pilot.pause()
        await pilot.click(pane, offset=(20, 3), times=2)
        await pilot.pause()
        assert isinstance(pilot.app, PaneApp)
        chosen = [
            event.message for event in pilot.app.posted if isinstance(event, CausalLogPane.MessageChosen)
        ]
        assert chosen == [messages[2]]


async def test_the_mouse_wheel_scrolls_and_stops_following() -> None:
    pane = make()
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(40))
        await pilot.pause()
        pane.scroll_up(animate=False, immediate=True)
        await pilot.pause()
        assert not pane.following
        pane.scroll_end(animate=False, immediate=True)
        await pilot.pause()
        assert pane.following


async def test_home_and_page_keys_reach_both_ends() -> None:
    pane = make()
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(40))
        await pilot.press("home")
        assert texts(pane)[0] == "message 1"
        assert pane.cursor == 0
        for _ in range(5):
            await pilot.press("pagedown")
        assert texts(pane)[-1] == "message 40"
        assert pane.following


async def test_a_frozen_log_shows_nothing_new_and_catches_up_in_order() -> None:
    pane = make()
    async with shown(pane):
        messages = many_messages(4)
        pane.add_messages(messages[:2])
        pane.frozen = True
        pane.add_messages(messages[2:3])
        pane.add_notice("p9 joined")
        pane.add_messages(messages[3:])
        pane.show(snapshot(held=[held("p3", 9, "later", received_at=0.0)]))
        assert texts(pane) == ["message 1", "message 2"]
        assert pane.waiting_count == 3
        assert "frozen: 3 waiting" in str(pane.border_subtitle)
        pane.frozen = False
        lines = "\n".join(pane.visible_text)
        assert (
            lines.index("message 3")
            < lines.index("p9 joined")
            < lines.index("message 4")
            < lines.index("held")
        )
        assert "frozen" not in str(pane.border_subtitle)


async def test_messages_that_name_this_node_are_marked() -> None:
    pane = make()
    async with shown(pane):
        talk = Talk()
        talk.say("p2", "p1, are you there?")
        talk.say("p1", "p1 speaking")
        pane.show(snapshot())
        pane.add_messages(talk.said)
        assert [line[7] for line in pane.visible_text[:2]] == [" ", "@"]


async def test_two_origins_of_one_name_are_told_apart_in_lines_drawn_before() -> None:
    pane = make()
    async with shown(pane, (100, 12)):
        talk = Talk()
        pane.add_messages([talk.say(node_id("p2", 1), "one")])
        assert "p2#1" in pane.visible_text[0]
        pane.add_messages([talk.say(node_id("p2", 2), "two", *talk.said)])
        assert all("p2~" in line for line in pane.visible_text[:2])


async def test_the_column_of_origins_widens_when_a_namesake_appears_in_the_view() -> None:
    pane = make()
    async with shown(pane, (100, 12)):
        one = node_id("p2", 1)
        pane.add_messages([Talk().say(one, "one")])
        pane.show(snapshot(peers=[peer_row(2, id=one), peer_row(3, id=node_id("p2", 2))]))
        assert f"{one.label}#1" in pane.visible_text[0]


async def test_selected_lines_come_out_as_text() -> None:
    pane = make()
    async with shown(pane):
        pane.add_messages(many_messages(3))
        found = pane.get_selection(Selection(Offset(16, 0), Offset(25, 1)))
        assert found is not None
        first, second = found[0].splitlines()
        assert first.startswith("message 1 ")
        assert second == "12:00    p2#1   message 2"
        whole = pane.get_selection(Selection(None, None))
        assert whole is not None
        assert len(whole[0].splitlines()) == 3


async def test_selecting_with_the_mouse_marks_what_is_selected() -> None:
    pane = make()
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(3))
        await pilot.pause()
        pilot.app.screen.selections = {pane: Selection(Offset(16, 1), Offset(23, 1))}
        plain = [segment for segment in pane.render_line(1) if segment.text == "message"]
        assert len(plain) == 1
        assert pane.render_line(1).text == pane.visible_text[1]


async def test_the_log_keeps_its_lines_within_the_limit() -> None:
    pane = CausalLogPane(zone=UTC, clock=Clock(), limit=64)
    async with shown(pane):
        for message in many_messages(200):
            pane.add_messages([message])
        assert 60 <= len(pane.messages) <= 64
        assert texts(pane) == numbered(191, 200)


async def test_a_reader_of_lines_that_are_dropped_is_left_in_peace() -> None:
    pane = CausalLogPane(zone=UTC, clock=Clock(), limit=64)
    async with shown(pane) as pilot:
        messages = many_messages(200)
        pane.add_messages(messages[:60])
        await pilot.press("home")
        pane.add_messages(messages[60:])
        await pilot.pause()
        assert not pane.following
        assert texts(pane)[0] == pane.messages[0].text


async def test_what_comes_while_the_pane_is_hidden_is_there_when_it_is_shown() -> None:
    pane = make()
    async with shown(pane) as pilot:
        pane.display = False
        await pilot.pause()
        pane.add_messages(many_messages(40))
        await pilot.pause()
        pane.display = True
        await pilot.pause()
        await pilot.pause()
        assert texts(pane) == numbered(31, 40)
        assert pane.show_vertical_scrollbar


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_inserted_a_reader_keeps_the_place_and_a_follower_the_end(seed: int) -> None:
    rng = random.Random(seed)
    messages = many_messages(400)
    coming = [messages.pop(rng.randrange(min(len(messages), 40))) for _ in range(400)]
    pane = make()
    async with shown(pane) as pilot:
        pane.add_messages(coming[:40])
        at = 40
        while at < len(coming):
            if rng.random() < 0.5:
                await pilot.press(rng.choice(["up", "down", "pageup", "pagedown", "home", "end", "o"]))
            count = rng.randrange(1, 20)
            before, chosen, following = pane.visible_text, pane.cursor_message, pane.following
            pane.add_messages(coming[at : at + count])
            at += count
            if following:
                assert pane.scroll_offset.y == pane.max_scroll_y
                assert pane.cursor == pane.line_count - 1
            else:
                assert pane.visible_text[0][10:26] == before[0][10:26]
                assert pane.cursor_message is chosen
        assert len(pane.messages) == len(coming)


async def test_clearing_leaves_an_empty_log_that_follows() -> None:
    pane = make()
    async with shown(pane):
        pane.add_messages(many_messages(40))
        pane.clear()
        assert pane.messages == []
        assert pane.visible_text[0].startswith(" No message yet")


async def test_every_theme_and_size_draws() -> None:
    pane = make()
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(40))
        for theme in ("gossip-light", "gossip-contrast", "textual-light", "nord"):
            pilot.app.theme = theme
            await pilot.pause()
            assert texts(pane) == numbered(31, 40)
        for size in ((20, 5), (3, 3), (200, 60), (60, 12)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert pane.visible_text is not None
        assert texts(pane) == numbered(31, 40)


async def test_an_ascii_log_is_ascii() -> None:
    pane = CausalLogPane(zone=UTC, clock=Clock(NOON + 10), glyphs=ASCII)
    async with shown(pane, (50, 12)) as pilot:
        talk = Talk()
        messages = [
            talk.say(f"p{number % 4}", "a long story " * (number % 5), *talk.said[-1:])
            for number in range(40)
        ]
        pane.add_messages([*messages[:20], *messages[21:]])
        pane.add_messages([messages[20]])
        pane.add_notice("p9 joined")
        pane.show(snapshot(held=[held("p3", 9, "later " * 20)]))
        await pilot.press("pageup")
        await pilot.pause()
        drawn = [
            "".join(segment.text for segment in line) for line in pilot.app.screen._compositor.render_strips()
        ]
        assert all(line.isascii() for line in drawn)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
async def test_nothing_hostile_reaches_the_screen(text: str) -> None:
    pane = make(Clock(NOON + 10))
    async with shown(pane, (90, 12)) as pilot:
        origin = NodeId(text or "x", 3)
        talk = Talk()
        talk.say(origin, text.encode("utf-8", "surrogatepass"))
        pane.show(snapshot(held=[held("p3", 9, text, Dot(origin, 2))], id=NodeId(text or "x", 9)))
        pane.add_messages(talk.said)
        pane.add_notice(text)
        pane.set_filter(text if not text.startswith("/") else "")
        await pilot.pause()
        for line in pilot.app.screen._compositor.render_strips():
            for segment in line:
                assert_harmless(segment.text)
                assert segment.style is None or "@click" not in segment.style.meta


async def test_dragging_selects_text_to_copy() -> None:
    pane = make()
    async with shown(pane) as pilot:
        pane.add_messages(many_messages(3))
        await pilot.pause()
        await pilot.mouse_down(pane, offset=(17, 2))
        await pilot.hover(pane, offset=(26, 2))
        await pilot.mouse_up(pane, offset=(26, 2))
        await pilot.pause()
        assert (pilot.app.screen.get_selected_text() or "").startswith("message 2")
