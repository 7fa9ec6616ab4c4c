from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.text import BIDI_MARK, COMBINING_LIMIT, REPLACEMENT, RETURN_SIGN, printable

ANY_TEXT = st.text(st.characters(exclude_categories=()))
HOSTILE = "\x00\x07\x1b[31m\x7f\x85\x9b\u200b\u202e\u2066\u2028\ufeff\ud800\ufffe\U000e0041\u0301\u3164\r\n\t"
HOSTILE_TEXT = st.text(st.sampled_from(HOSTILE + "aé "))


@given(st.one_of(ANY_TEXT, HOSTILE_TEXT))
def test_making_text_printable_twice_is_making_it_once(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@given(st.one_of(ANY_TEXT, HOSTILE_TEXT))
def test_nothing_is_left_that_a_terminal_obeys_or_a_person_cannot_see(text: str) -> None:
    left = {unicodedata.category(character) for character in printable(text)}
    assert not left & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert all(character == " " for character in printable(text) if unicodedata.category(character) == "Zs")


@given(st.one_of(ANY_TEXT, HOSTILE_TEXT))
def test_printable_text_can_be_encoded_and_is_one_line(text: str) -> None:
    safe = printable(text)
    safe.encode()
    assert len(safe.splitlines()) <= 1


@given(ANY_TEXT)
def test_text_never_grows(text: str) -> None:
    assert len(printable(text)) <= len(text)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_ascii_comes_back_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    "text", ["Grüße", "日本語", "Привет", "שלום", "مرحبا", "ไทย", "🙂", "e\u0301", "€ → ½"]
)
def test_every_script_comes_back_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", "␛[31m"),
        ("\x00\x07\x7f", "␀␇␡"),
        ("a\tb", "a␉b"),
        ("a\nb", f"a{RETURN_SIGN}b"),
        ("a\r\nb", f"a␍{RETURN_SIGN}b"),
        ("a\u2028b\u2029c", f"a{RETURN_SIGN}b{RETURN_SIGN}c"),
        ("\x9b31m\x85", f"{REPLACEMENT}31m{REPLACEMENT}"),
        ("\ud800", REPLACEMENT),
        ("\ufffe\U0001ffff\ufdd0", REPLACEMENT * 3),
        ("a\u202eb\u2066c\u200fd", f"a{BIDI_MARK}b{BIDI_MARK}c{BIDI_MARK}d"),
        ("a\u200b\u200d\ufeff\u00adb", "ab"),
        ("a\U000e0041\U000e007fb", "ab"),
        ("a\ufe0f\U000e0100b", "ab"),
        ("\u3164\uffa0\u2800", ""),
        ("a\u00a0b\u3000c", "a b c"),
    ],
)
def test_each_kind_of_hostile_character_has_its_sign(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_combining_marks_beyond_the_limit_on_one_base_are_dropped() -> None:
    assert printable("a" + "\u0301" * 50 + "b\u0301") == "a" + "\u0301" * COMBINING_LIMIT + "b\u0301"


def test_dropped_characters_do_not_give_combining_marks_a_new_base() -> None:
    assert printable("a" + "\u0301\u200b" * 50) == "a" + "\u0301" * COMBINING_LIMIT


def test_enclosing_marks_count_as_combining() -> None:
    assert printable("a" + "\u20dd" * 9) == "a" + "\u20dd" * COMBINING_LIMIT
