"""Faults: which copies of a datagram arrive after which delays, and the words for it."""

from __future__ import annotations

import contextlib
import doctest
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.core import faults as module
from protocol.core.faults import NO_FAULTS, TAIL_REACH, FaultInjector, Faults
from protocol.core.identity import Address
from protocol.errors import ConfigError

COUNT = 4_000
ONE, OTHER = Address("192.0.2.1", 7_001), Address("192.0.2.2", 7_002)

shares = st.floats(0, 1)
spans = st.floats(0, 3_600)


@st.composite
def any_faults(draw: st.DrawFn) -> Faults:
    latency = draw(st.none() | st.tuples(spans, spans).map(sorted).map(tuple))
    return Faults(
        loss=draw(shares),
        duplication=draw(shares),
        reordering=draw(shares),
        latency=latency,  # type: ignore[arg-type]
        tail=draw(shares),
        reordering_delay=draw(spans),
    )


def drawn(faults: Faults, count: int = COUNT) -> list[list[float]]:
    dice = random.Random(7).random
    return [faults.delays(dice) for _ in range(count)]


# delays


def test_without_faults_every_datagram_arrives_once_and_at_once() -> None:
    assert set(map(tuple, drawn(NO_FAULTS))) == {(0.0,)}


def test_loss_and_duplication_are_as_frequent_as_they_say() -> None:
    copies = Counter(map(len, drawn(Faults(loss=0.3, duplication=0.2))))
    assert copies[0] / COUNT == pytest.approx(0.3, abs=0.03)
    assert copies[2] / COUNT == pytest.approx(0.7 * 0.2, abs=0.02)


def test_latency_is_spread_evenly_and_each_copy_has_its_own() -> None:
    delays = drawn(Faults(duplication=1.0, latency=(0.05, 0.2)))
    firsts = [first for first, _ in delays]
    assert 0.05 <= min(firsts) < 0.06
    assert 0.19 < max(firsts) <= 0.2
    assert sum(firsts) / COUNT == pytest.approx(0.125, abs=0.005)
    assert all(first != second for first, second in delays)


def test_the_latency_of_the_path_is_replaced_and_not_added() -> None:
    dice = random.Random(1).random
    assert Faults(latency=(0.5, 0.5)).delays(dice, (7.0, 7.0)) == [0.5]
    assert Faults().delays(dice, (7.0, 7.0)) == [7.0]


def test_reordering_holds_up_some_by_seconds() -> None:
    delays = [delay for (delay,) in drawn(Faults(reordering=0.25, reordering_delay=3.0))]
    late = [delay for delay in delays if delay]
    assert len(late) / COUNT == pytest.approx(0.25, abs=0.03)
    assert 2.9 < max(late) < 3.0


def test_the_tail_is_heavy_and_ends() -> None:
    delays = [delay for (delay,) in drawn(Faults(latency=(0.001, 0.5), tail=0.2), 20_000)]
    beyond = [delay for delay in delays if delay > 0.5]
    assert len(beyond) / 20_000 == pytest.approx(0.2, abs=0.02)
    for factor in (2, 5, 10):
        share = sum(delay > 0.5 * factor for delay in beyond) / len(beyond)
        assert share == pytest.approx(1 / factor, abs=0.03)
    assert max(beyond) == 0.5 * TAIL_REACH


@pytest.mark.parametrize(
    "wrong",
    [
        {"loss": 1.5},
        {"loss": True},
        {"loss": "0.2"},
        {"duplication": -0.1},
        {"reordering": float("nan")},
        {"tail": 2},
        {"latency": (2, 1)},
        {"latency": (0, float("inf"))},
        {"latency": (0.1,)},
        {"latency": ("0", "1")},
        {"latency": 5},
        {"reordering_delay": -1},
        {"reordering_delay": 1e9},
    ],
)
def test_impossible_faults_are_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"^{next(iter(wrong))} "):
        Faults(**wrong)


# words


@given(any_faults())
def test_the_text_of_faults_is_read_back_exactly(faults: Faults) -> None:
    assert Faults.parse(str(faults)) == faults


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", NO_FAULTS),
        ("off", NO_FAULTS),
        ("loss=20", Faults(loss=0.2)),
        ("LOSS=20%, duplicate=5%", Faults(loss=0.2, duplication=0.05)),
        ("delay=50", Faults(latency=(0.05, 0.05))),
        ("delay=50..200ms", Faults(latency=(0.05, 0.2))),
        ("delay=50 jitter=20", Faults(latency=(0.05, 0.07))),
        ("jitter=20", Faults(latency=(0.0, 0.02))),
        ("reorder=10 late=500 tail=1.5", Faults(reordering=0.1, reordering_delay=0.5, tail=0.015)),
    ],
)
def test_people_write_percent_and_milliseconds(text: str, faults: Faults) -> None:
    assert Faults.parse(text) == faults


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("los=20", "a fault looks like loss=20 .*, not 'los=20'"),
        ("loss", "a fault looks like loss=20 .*, not 'loss'"),
        ("off loss=20", "not 'off'"),
        ("loss=120", "loss must be a percentage from 0 to 100, not '120'"),
        ("loss=-1", "from 0 to 100, not '-1'"),
        ("loss=nan", "from 0 to 100, not 'nan'"),
        ("loss=1e-999999999", "from 0 to 100"),
        ("loss=20 loss=30", "loss is there twice"),
        ("delay=200..50", "delay must go from low to high, such as 50..200, not '200..50'"),
        ("delay=..", "delay must be milliseconds, such as 50 or 50..200"),
        ("delay=1e999999999", "delay must be milliseconds"),
        ("delay=99999999", "latency must be a range of seconds"),
        ("delay=50..200 jitter=5", "give one of them"),
        ("late=soon", "late must be milliseconds, such as 50, not 'soon'"),
        ("loss=\x1b[31m", r"not '\\x1b\[31m'"),
    ],
)
def test_what_is_no_fault_is_refused_with_what_would_be(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Faults.parse(text)


@given(st.text(max_size=40))
def test_any_text_is_faults_or_a_config_error(text: str) -> None:
    with contextlib.suppress(ConfigError):
        assert isinstance(Faults.parse(text), Faults)


def test_the_examples_of_the_docstring_work() -> None:
    assert doctest.testmod(module) == (0, 2)


# one node's injector


def test_an_injector_that_does_nothing_says_so() -> None:
    injector = FaultInjector(random.Random(1).random)
    assert not injector.is_active
    injector.faults = Faults(loss=0.5)
    assert injector.is_active
    injector.faults = Faults()
    assert not injector.is_active
    injector.block([ONE])
    assert injector.is_active
    injector.unblock()
    assert not injector.is_active


def test_faults_of_one_peer_take_the_place_of_those_of_all() -> None:
    injector = FaultInjector(random.Random(1).random)
    injector.faults = Faults(latency=(0.1, 0.1))
    injector.set_faults(Faults(loss=1.0), ONE)
    assert injector.delays(ONE, outbound=True) == []
    assert injector.delays(OTHER, outbound=True) == [0.1]
    injector.set_faults(None, ONE)
    assert injector.delays(ONE, outbound=True) == [0.1]


@pytest.mark.parametrize(("direction", "passes"), [("both", (0, 0)), ("in", (1, 0)), ("out", (0, 1))])
def test_a_blocked_peer_is_cut_off_in_the_direction_that_was_said(
    direction: str, passes: tuple[int, int]
) -> None:
    injector = FaultInjector(random.Random(1).random)
    injector.block([ONE], direction)
    assert tuple(len(injector.delays(ONE, outbound=outbound)) for outbound in (True, False)) == passes
    assert len(injector.delays(OTHER, outbound=True)) == 1
    injector.unblock([ONE])
    assert len(injector.delays(ONE, outbound=True)) == len(injector.delays(ONE, outbound=False)) == 1


def test_a_direction_that_is_none_is_refused() -> None:
    injector = FaultInjector(random.Random(1).random)
    with pytest.raises(ConfigError, match="direction must be both, in, out, not 'up'"):
        injector.block([ONE], "up")
    assert not injector.is_active


def test_the_report_says_what_is_in_force_and_what_it_did() -> None:
    injector = FaultInjector(random.Random(3).random)
    injector.faults = Faults(loss=0.5, latency=(0.1, 0.2), duplication=1.0)
    injector.block([OTHER], "out")
    copies = [len(injector.delays(ONE, outbound=True)) for _ in range(100)]
    injector.delays(OTHER, outbound=True)
    report = injector.report(waiting=7)
    assert report.is_active
    assert (report.faults, report.by_peer, report.blocked) == (injector.faults, {}, {OTHER: "out"})
    assert report.lost == copies.count(0) > 20
    assert report.duplicated == copies.count(2) > 20
    assert report.delayed == sum(copies)
    assert (report.stopped, report.dropped, report.waiting) == (1, report.lost + 1, 7)
