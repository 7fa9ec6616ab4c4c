from __future__ import annotations

import pytest

from gossip_tui.widgets.log_filter import SEARCHED, FilterError, LogFilter
from tests.gossip_tui.hostile import HOSTILE, assert_harmless

P2 = ("p2", "p2~abcdef")


def matches(pattern: str, text: str, origin: tuple[str, ...] = P2) -> bool:
    return LogFilter(pattern).matches(origin, text)


def test_an_empty_filter_matches_everything_and_is_false() -> None:
    assert matches("", "anything")
    assert not LogFilter("  ")


def test_plain_text_matches_anywhere_in_any_case() -> None:
    assert matches("WORLD", "hello world")
    assert not matches("word", "hello world")


def test_characters_of_patterns_are_plain_in_plain_text() -> None:
    assert matches("a.c", "xa.cx")
    assert not matches("a.c", "abc")


def test_from_matches_the_whole_name_or_the_name_with_its_tag() -> None:
    assert matches("from:p2", "x")
    assert matches("from:p2~abcdef", "x")
    assert not matches("from:p", "x")
    assert not matches("from:p2", "x", ("p20",))
    assert not matches("from:p2", "x", ())


def test_from_and_text_must_both_match() -> None:
    assert matches("from:p2 hello", "hello")
    assert not matches("from:p2 hello", "bye")
    assert not matches("from:p3 hello", "hello")


def test_a_regular_expression_stands_between_slashes() -> None:
    assert matches("/^h.llo$/", "Hello")
    assert not matches("/^h.llo$/", "oh hello")
    assert not matches("/^H/", "hello"), "a capital letter makes case matter"


@pytest.mark.parametrize("pattern", ["end", "/end/"])
def test_only_the_start_of_a_very_long_text_is_searched(pattern: str) -> None:
    assert LogFilter(pattern).matches((), "x" * (SEARCHED - 3) + "end")
    assert not LogFilter(pattern).matches((), "x" * SEARCHED + "end")


def test_a_leading_exclamation_mark_turns_a_filter_around() -> None:
    assert not matches("!hello", "hello")
    assert matches("!hello", "bye")
    assert not matches("!from:p2", "x")
    assert matches("!from:p2", "x", ())
    assert matches("!/^h/", "bye")


def test_a_lone_exclamation_mark_is_plain_text() -> None:
    assert matches("!", "hey!")
    assert not matches("!", "hey")


@pytest.mark.parametrize("pattern", ["/[/", "/(/", "/*/", "/a{2,1}/", "/(?P<x/"])
def test_a_broken_regular_expression_is_refused_in_words(pattern: str) -> None:
    with pytest.raises(FilterError, match="is not a regular expression: "):
        LogFilter(pattern)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_any_text_is_a_filter_or_is_refused_harmlessly(text: str) -> None:
    try:
        LogFilter(f"/{text}/").matches((), text)
    except FilterError as error:
        assert_harmless(str(error))
