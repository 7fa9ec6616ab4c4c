"""The long run's judgement, and the census it goes by."""

from __future__ import annotations

import random

from protocol import Config
from protocol.core.identity import Address, NodeId
from protocol.core.machine import Machine
from protocol.wire import WireCodec
from tests.benchmarks.census import census, resident_size
from tests.benchmarks.figures import MEBI
from tests.benchmarks.soak import SAMPLES, Soak, growing, judge, report


def soak(memory: int = 30, count: int = 500, *, late_memory: int = 30, late_count: int = 500) -> Soak:
    """A run in which the last third is as said."""
    early, late = SAMPLES * 2 // 3, SAMPLES - SAMPLES * 2 // 3
    return Soak(
        [memory * MEBI] * early + [late_memory * MEBI] * late,
        [{"Log.entries": count}] * early + [{"Log.entries": late_count}] * late,
        sent=10,
        delivered=[10, 10],
    )


def test_a_census_finds_what_a_machine_holds_by_its_name() -> None:
    machine = Machine(NodeId("a", 1), Address("127.0.0.1", 1), Config(), WireCodec(), random.Random(1))
    before = census(machine)
    for _ in range(7):
        machine.send_gossip(b"hello", 0.0, 0.0)
    after = census(machine)
    assert before["Log._entries"] == 0
    assert after["Log._entries"] == 7


def test_memory_is_known_where_it_is_measured() -> None:
    assert resident_size() > MEBI


def test_a_steady_run_is_as_promised() -> None:
    assert judge(soak()) == []
    assert report(soak(), 2, 1.0, 1.0).endswith("nothing grows")


def test_what_grows_is_named() -> None:
    assert growing(soak(late_count=1_000).counts) == {"Log.entries": (500, 1_000)}
    assert judge(soak(late_count=1_000)) == ["Log.entries grew from 500 to 1,000"]


def test_more_memory_in_the_end_is_told() -> None:
    assert judge(soak(late_memory=33)) == ["memory grew from 30.0 to 33.0 MB"]


def test_missing_deliveries_are_told() -> None:
    steady = soak()
    assert judge(Soak(steady.memory, steady.counts, 11, [10, 11])) == ["1 deliveries are missing"]
