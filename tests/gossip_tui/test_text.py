from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossip_tui.text import clip, safe
from tests.gossip_tui.hostile import HOSTILE, assert_harmless


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_nothing_hostile_passes_safe(text: str) -> None:
    assert_harmless(safe(text))


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_safe_text_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(safe(text, limit)) <= limit


@given(st.text())
def test_making_text_safe_twice_changes_nothing(text: str) -> None:
    assert safe(safe(text)) == safe(text)


def test_ordinary_text_stays_as_it_is() -> None:
    assert safe("Grüße aus Köln, 日本") == "Grüße aus Köln, 日本"


def test_a_clipped_text_says_so() -> None:
    assert clip("abcdef", 4) == "abc…"
    assert clip("abcd", 4) == "abcd"
