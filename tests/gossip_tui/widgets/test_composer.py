"""The line to type into: history, completion, pastes, and what it says above itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Paste

from gossip_tui.widgets.composer import History, pasted_lines
from protocol.text import printable
from tests.gossip_tui.driving import SINGLE, driven
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.memory import MemoryNode
from tests.gossip_tui.samples import peer_row


def history_of(*lines: str, limit: int = 500) -> History:
    history = History(limit)
    for line in lines:
        history.add(line)
    return history


def test_history_goes_back_to_the_oldest_and_stays_there() -> None:
    history = history_of("a", "b")
    assert [history.older("") for _ in range(3)] == ["b", "a", "a"]


def test_the_unfinished_line_is_found_again_behind_the_newest() -> None:
    history = history_of("a", "b")
    history.older("unfinished")
    history.older("b")
    assert [history.newer("") for _ in range(3)] == ["b", "unfinished", ""]


def test_an_empty_history_keeps_the_line() -> None:
    assert (History().older("typing"), History().newer("typing")) == ("typing", "typing")


def test_the_same_line_twice_is_remembered_once() -> None:
    history = history_of("a", "a")
    assert [history.older(""), history.older("a"), history.newer("a")] == ["a", "a", ""]


def test_only_the_newest_lines_are_remembered() -> None:
    history = history_of("a", "b", "c", limit=2)
    assert [history.older("") for _ in range(3)] == ["c", "b", "b"]


def test_a_new_line_starts_from_the_end_again() -> None:
    history = history_of("a", "b")
    history.older("")
    history.older("")
    history.add("c")
    assert history.older("") == "c"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("one", ["one"]),
        ("one\n", ["one"]),
        ("one\r\ntwo\n\n  \nthree", ["one", "two", "three"]),
        ("\tindented", ["    indented"]),
        ("\x1b[31mred", ["␛[31mred"]),
    ],
)
def test_a_paste_is_cut_into_lines_that_are_safe_to_show(text: str, lines: list[str]) -> None:
    assert pasted_lines(text) == lines


@given(st.text(max_size=200))
def test_whatever_is_pasted_nothing_of_it_is_cut_off(text: str) -> None:
    whole = [printable(line.expandtabs(4)) for line in text.splitlines()]
    assert pasted_lines(text) == [line for line in whole if line.strip()]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_pastes_are_made_harmless(text: str) -> None:
    for line in pasted_lines(text):
        assert_harmless(line)


async def test_up_and_down_bring_back_lines() -> None:
    async with driven() as driver:
        await driver.enter("first")
        await driver.enter("/strategy")
        await driver.type("draft")
        seen = []
        for key in ("up", "up", "up", "down", "down"):
            await driver.press(key)
            seen.append(driver.composer)
        assert seen == ["/strategy", "first", "first", "/strategy", "draft"]


async def test_a_refused_line_is_not_remembered() -> None:
    async with driven() as driver:
        await driver.enter("/nonsense")
        driver.app.composer.prefill("")
        await driver.press("up")
        assert driver.composer == ""


async def test_tab_completes_and_lists_what_is_possible() -> None:
    async with driven(MemoryNode(peers=(peer_row(20), peer_row(21)))) as driver:
        await driver.type("/fi")
        await driver.press("tab")
        await driver.type("from")
        await driver.press("tab")
        assert driver.composer == "/filter from:p2"
        assert driver.hint == "from:p20  from:p21"
        assert driver.focused == "composer-input"
        await driver.type("1")
        assert driver.hint == ""


async def test_typing_on_settles_a_refusal() -> None:
    async with driven() as driver:
        await driver.enter("/nonsense")
        assert driver.hint
        await driver.type("x")
        assert driver.hint == ""


async def test_a_refusal_outlives_the_news_of_keys_that_were_quicker_than_the_screen() -> None:
    async with driven() as driver:
        driver.app.composer.input.value = "/nop"
        driver.app.composer.input.value = "/nope"
        driver.app.composer.submit()
        await driver.look()
        assert driver.hint.startswith("there is no /nope")
        await driver.press("x")
        assert driver.hint == ""


async def test_bytes_are_counted_near_the_limit_and_refused_beyond() -> None:
    async with driven() as driver:
        hints = []
        for line in ("x" * 79, "x" * 80, "ö" * 51, "/" + "x" * 200):
            driver.app.composer.prefill(line)
            await driver.calm()
            hints.append(driver.hint)
        assert hints == [
            "",
            "80 of 100 bytes",
            "102 bytes are too large: at most 100 bytes fit one message",
            "",
        ]


async def test_one_pasted_line_goes_to_the_cursor() -> None:
    async with driven() as driver:
        await driver.type("ac")
        await driver.press("left")
        driver.app.composer.input.post_message(Paste("b\n"))
        await driver.calm()
        assert driver.composer == "abc"


async def test_a_paste_of_the_terminal_with_several_lines_asks() -> None:
    async with driven() as driver:
        driver.app.composer.input.post_message(Paste("a\nb\n"))
        await driver.calm()
        assert "2 lines were pasted. The first: a" in driver.text


async def test_what_was_copied_inside_can_be_pasted() -> None:
    async with driven() as driver:
        driver.app.copy_to_clipboard("copied\x1b")
        await driver.press("ctrl+v")
        assert driver.composer == "copied␛"


async def test_the_invitation_fits_the_width() -> None:
    async with driven(size=SINGLE) as driver:
        assert driver.rows[-2].strip() == "> say something   (/help)"
        await driver.pilot.resize_terminal(20, 5)
        await driver.calm()
        assert driver.rows[-2].strip() == "> say something"
