from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest

from protocol.core.config import CLUSTER_LIMIT, MINIMUM, VIEW_SIZE_LIMIT, Config, Dissemination
from protocol.core.strategy import HealSwap, PeerSelection, Propagation, Strategy, ViewSelection
from protocol.errors import ConfigError

SECONDS = ("cycle_period", "answer_timeout", "gap_timeout", "orphan_timeout")


def test_the_defaults_are_those_that_are_documented() -> None:
    config = Config()
    assert (config.cycle_period, config.answer_timeout, config.view_size, config.fanout) == (1.0, 1.0, 20, 4)
    assert (config.history_limit, config.history_size_limit, config.gap_timeout) == (
        10_000,
        16 * 1024 * 1024,
        30.0,
    )
    assert str(config.strategy) == "(tail, push-pull, H=1, S=9)"


def test_every_field_is_checked() -> None:
    assert {field.name for field in fields(Config) if field.init} == {
        *MINIMUM,
        *SECONDS,
        "cluster",
        "strategy",
        "dissemination",
    }


@pytest.mark.parametrize(("name", "low"), MINIMUM.items())
def test_a_number_below_its_minimum_is_refused_with_both_numbers(name: str, low: int) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be a whole number of at least {low}, not {low - 1}"):
        Config(**{name: low - 1})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", MINIMUM)
@pytest.mark.parametrize("value", [True, 5.0, "5", None, math.nan])
def test_what_is_no_whole_number_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be a whole number"):
        Config(**{name: value})


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [0, -1.0, math.inf, math.nan, True, "1"])
def test_what_is_no_span_of_time_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be a number of seconds above 0"):
        Config(**{name: value})


def test_a_view_size_above_the_limit_is_refused() -> None:
    with pytest.raises(
        ConfigError, match=f"view_size must be at most {VIEW_SIZE_LIMIT}, not {VIEW_SIZE_LIMIT + 1}"
    ):
        Config(view_size=VIEW_SIZE_LIMIT + 1)


@pytest.mark.parametrize("cluster", ["x" * (CLUSTER_LIMIT + 1), "a\nb", "\x1b[31m", "a\u200bb"])
def test_a_cluster_name_that_is_long_or_does_not_show_is_refused(cluster: str) -> None:
    with pytest.raises(ConfigError, match="cluster must be at most 64 printable characters") as caught:
        Config(cluster=cluster)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("cluster", ["", "x" * CLUSTER_LIMIT, "two words", "日本"])
def test_a_cluster_name_that_shows_is_taken(cluster: str) -> None:
    assert Config(cluster=cluster).cluster == cluster


def test_a_preset_is_resolved_against_the_view_size() -> None:
    assert Config(view_size=8, strategy="healer").sampling.view_selection == HealSwap(4, 0)


def test_a_strategy_may_be_given_as_text_or_as_an_object() -> None:
    strategy = Strategy(PeerSelection.RAND, Propagation.PUSH, ViewSelection.HEAD)
    assert Config(strategy=strategy) == Config(strategy="(rand, push, head)")
    assert Config(strategy=strategy).sampling == strategy


@pytest.mark.parametrize(
    "strategy", ["(rand, push, H=3, S=2)", Strategy(PeerSelection.RAND, Propagation.PUSH, HealSwap(3, 2))]
)
def test_a_strategy_that_heals_and_swaps_too_much_is_refused(strategy: str | Strategy) -> None:
    with pytest.raises(ConfigError, match=r"H \+ S must be at most 4, half of view_size 8, not 5"):
        Config(view_size=8, strategy=strategy)


def test_an_unknown_strategy_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(ConfigError, match=r"default, blind, .*not 'fastest'"):
        Config(strategy="fastest")


@pytest.mark.parametrize("view_size", [2, 3])
def test_the_smallest_views_have_a_default_strategy(view_size: int) -> None:
    assert Config(view_size=view_size).sampling.view_selection == HealSwap(1, 0)


def test_a_config_does_not_change_and_a_changed_copy_is_checked_again() -> None:
    config = Config()
    with pytest.raises(FrozenInstanceError):
        config.fanout = 5  # type: ignore[misc]
    assert replace(config, fanout=5).fanout == 5
    with pytest.raises(ConfigError):
        replace(config, fanout=0)


def test_the_way_of_spreading_is_one_of_two_words() -> None:
    assert Config(dissemination="tree").dissemination is Dissemination.TREE
    assert Config(dissemination=Dissemination.EAGER).dissemination is Dissemination.EAGER
    with pytest.raises(ConfigError, match="dissemination must be eager or tree, not 'lazy'"):
        Config(dissemination="lazy")
