from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.core.strategy import (
    PRESETS,
    HealSwap,
    PeerSelection,
    Propagation,
    Strategy,
    ViewSelection,
)
from protocol.errors import ConfigError

ALL_OF_2004 = list(itertools.product(PeerSelection, Propagation, ViewSelection))

EXPECTED = {
    "default": "(tail, push-pull, H=1, S=9)",
    "blind": "(rand, push-pull, H=0, S=0)",
    "healer": "(rand, push-pull, H=10, S=0)",
    "swapper": "(rand, push-pull, H=0, S=10)",
    "newscast": "(rand, push-pull, H=10, S=0)",
    "cyclon": "(tail, push-pull, H=0, S=10)",
    "lpbcast": "(rand, push, H=0, S=0)",
}


def test_every_preset_has_a_description_and_a_meaning() -> None:
    assert list(PRESETS) == list(EXPECTED)
    assert all(line and "\n" not in line for line in PRESETS.values())


@pytest.mark.parametrize("name", EXPECTED)
def test_a_preset_is_resolved_against_the_view_size(name: str) -> None:
    assert str(Strategy.parse(name, 20)) == EXPECTED[name]


@pytest.mark.parametrize("name", ["CYCLON", " Cyclon ", "(cyclon)"])
def test_case_spaces_and_parentheses_around_a_name_do_not_matter(name: str) -> None:
    assert Strategy.parse(name, 20) == Strategy.parse("cyclon", 20)


@pytest.mark.parametrize("view_size", [2, 3])
def test_the_default_of_the_smallest_views_heals_only(view_size: int) -> None:
    assert Strategy.parse("default", view_size).view_selection == HealSwap(heal=1, swap=0)


@pytest.mark.parametrize("view_size", [2, 3, 4, 7, 8, 20, 21, 1000])
def test_every_preset_is_possible_with_every_view_size(view_size: int) -> None:
    for name in PRESETS:
        Strategy.parse(name, view_size).check(view_size)


def test_all_27_strategies_of_2004_print_and_parse_back() -> None:
    assert len(ALL_OF_2004) == 27
    for parts in ALL_OF_2004:
        strategy = Strategy(*parts)
        assert str(strategy) == f"({parts[0].value}, {parts[1].value}, {parts[2].value})"
        assert Strategy.parse(str(strategy), 20) == strategy


@given(
    st.sampled_from(PeerSelection),
    st.sampled_from(Propagation),
    st.integers(0, 500),
    st.integers(0, 500),
)
def test_a_strategy_of_2007_prints_and_parses_back(
    peer_selection: PeerSelection, propagation: Propagation, heal: int, swap: int
) -> None:
    strategy = Strategy(peer_selection, propagation, HealSwap(heal, swap))
    assert Strategy.parse(str(strategy), 2 * (heal + swap)) == strategy


@pytest.mark.parametrize(
    "text",
    [
        "(tail, push-pull, H=1, S=9)",
        "tail, push-pull, H=1, S=9",
        "tail/push-pull H=1 S=9",
        "  ( TAIL ,push_pull,h = 1,s= 9 )",
        "tail pushpull S=9 H=1",
        "(tail, push-pull, H=1, S=9",
    ],
)
def test_a_strategy_is_read_however_it_is_punctuated(text: str) -> None:
    expected = Strategy(PeerSelection.TAIL, Propagation.PUSH_PULL, HealSwap(1, 9))
    assert Strategy.parse(text, 20) == expected


@pytest.mark.parametrize(
    ("word", "selection"),
    [
        ("blind", HealSwap(0, 0)),
        ("healer", HealSwap(4, 0)),
        ("swapper", HealSwap(0, 4)),
        ("head", ViewSelection.HEAD),
    ],
)
def test_a_view_selection_may_be_given_by_name(word: str, selection: HealSwap | ViewSelection) -> None:
    assert Strategy.parse(f"(head, pull, {word})", 8).view_selection == selection


@pytest.mark.parametrize(
    "text",
    [
        "",
        "()",
        "fastest",
        "rand",
        "rand push",
        "rand, push, push",
        "head, rand, push",
        "(rand, push-pull, H=1)",
        "(rand, push-pull, H=1, H=2)",
        "(rand, push-pull, H=1, S=)",
        "(rand, push-pull, H=1, S=²)",
        "(rand, push-pull, H=1, S=" + "9" * 10_000 + ")",
        "(rand, push-pull, head, tail)",
        "default, default",
        "\x1b[31m",
    ],
)
def test_a_text_that_is_no_strategy_is_named_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Strategy.parse(text, 20)
    error = str(caught.value)
    assert ascii(text[:60]) in error
    assert "cyclon" in error
    assert "(tail, push-pull, H=1, S=9)" in error
    assert error.isprintable()
    assert len(error) < 300


@given(st.text(max_size=40), st.integers(2, 40))
def test_any_text_is_a_strategy_or_a_config_error(text: str, view_size: int) -> None:
    try:
        strategy = Strategy.parse(text, view_size)
    except ConfigError:
        return
    strategy.check(view_size)


def test_h_plus_s_above_half_a_view_is_refused_with_the_numbers() -> None:
    with pytest.raises(ConfigError, match=r"H \+ S must be at most 10, half of view_size 21, not 11"):
        Strategy.parse("(rand, push, H=6, S=5)", 21)


@pytest.mark.parametrize(("heal", "swap"), [(-1, 2), (2, -1)])
def test_negative_h_or_s_is_refused_with_the_numbers(heal: int, swap: int) -> None:
    with pytest.raises(ConfigError, match=f"at least 0, not H={heal} and S={swap}"):
        Strategy.parse(f"(rand, push, H={heal}, S={swap})", 20)


def test_a_part_of_the_wrong_type_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="peer_selection must be one of rand, head, tail, not 'oldest'"):
        Strategy("oldest", Propagation.PUSH, ViewSelection.HEAD)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="view_selection"):
        Strategy(PeerSelection.RAND, Propagation.PUSH, "head")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("heal", "swap", "words"), [(1.0, 9, "H must be"), (1, "9", "S must be"), (True, 0, "H")]
)
def test_h_and_s_are_whole_numbers_or_refused_at_once(heal: int, swap: int, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        HealSwap(heal, swap)


def test_push_and_pull_say_which_way_descriptors_travel() -> None:
    assert [(way.pushes, way.pulls) for way in Propagation] == [(True, False), (False, True), (True, True)]


@pytest.mark.parametrize("name", ["default", "blind", "healer", "swapper", "newscast", "cyclon", "lpbcast"])
def test_no_preset_warns_at_the_default_view_size(name: str) -> None:
    assert Strategy.parse(name, 20).warnings(20) == ()


@pytest.mark.parametrize(
    ("text", "view_size", "words"),
    [
        ("(head, push-pull, blind)", 20, "rand or tail is safe"),
        ("(rand, pull, blind)", 20, "push-pull is safe"),
        ("(rand, push-pull, tail)", 20, "rand or head is safe"),
        ("healer", 13, "view_size 14 or the default strategy is safe"),
        ("(rand, push-pull, head)", 8, "view_size 14 or the default strategy is safe"),
        ("(rand, push-pull, H=3, S=1)", 8, "view_size 14 or the default strategy is safe"),
        ("default", 7, "8 or more is safe"),
    ],
)
def test_a_dangerous_strategy_says_what_would_be_safe(text: str, view_size: int, words: str) -> None:
    (warning,) = Strategy.parse(text, view_size).warnings(view_size)
    assert words in warning


@pytest.mark.parametrize(
    ("text", "view_size"),
    [("healer", 14), ("default", 8), ("swapper", 8), ("(rand, push-pull, H=2, S=2)", 8)],
)
def test_the_safe_values_that_warnings_name_do_not_warn(text: str, view_size: int) -> None:
    assert Strategy.parse(text, view_size).warnings(view_size) == ()


def test_every_danger_of_a_strategy_is_named() -> None:
    assert len(Strategy.parse("(head, pull, tail)", 4).warnings(4)) == 4
