"""The log retains a suffix of the order of delivery; what it evicts is a down-closed prefix."""

from __future__ import annotations

import pytest

from protocol.core.derived import DerivedClock
from protocol.core.identity import Dot, NodeId
from protocol.core.log import OVERHEAD_SIZE, Log
from protocol.core.messages import KeyDot, Message

from .wiring import node_id

A, B = node_id("a"), node_id("b")


def append(log: Log, origin: NodeId, sequence: int, parents: tuple[KeyDot, ...] = (), size: int = 1) -> None:
    derived = DerivedClock(origin, sequence, ())
    message = Message(
        Dot(origin, sequence),
        bytes(size),
        parents=(),
        depth=sequence,
        derived=derived,
        created_at=0.0,
        delivered_at=0.0,
    )
    past = ((origin.key, sequence - 1), *parents) if sequence > 1 else parents
    log.append(origin.key, past, message, derived)
    log.check()


def trim(log: Log) -> list[KeyDot]:
    evicted = []
    while log.is_too_large:
        entry = log.evict()
        evicted.append((entry.key, entry.message.id.sequence))
        log.check()
    return evicted


def test_positions_count_deliveries_from_1_and_survive_eviction() -> None:
    log = Log(2, 1 << 20)
    for sequence in range(1, 5):
        append(log, A, sequence)
        trim(log)
    assert (log.first, log.next, len(log)) == (3, 5, 2)
    assert [log.message(index).id.sequence for index in (3, 4)] == [3, 4]
    assert log.index_of(Dot(A, 4)) == 4
    assert log.index_of(Dot(A, 1)) is None
    with pytest.raises(KeyError):
        log.message(2)


def test_the_oldest_delivery_goes_first_whoever_wrote_it() -> None:
    log = Log(2, 1 << 20)
    append(log, A, 1)
    append(log, B, 1, ((A.key, 1),))
    append(log, A, 2, ((B.key, 1),))
    append(log, B, 2)
    assert trim(log) == [(A.key, 1), (B.key, 1)]
    assert log.evicted == {A.key: 1, B.key: 1}
    assert log.evicted_frontier.dots == {B.key: 1}
    assert (log.evicted_count, log.evicted_depth) == (2, 1)


def test_bytes_count_with_their_overhead() -> None:
    log = Log(100, 3 * (OVERHEAD_SIZE + 300))
    for sequence in range(1, 11):
        append(log, A, sequence, size=300)
        trim(log)
    assert len(log) == 3
    assert log.size == 3 * (OVERHEAD_SIZE + 300)


def test_the_newest_message_stays_however_large_it_is() -> None:
    log = Log(1, 1)
    append(log, A, 1, size=1_000)
    append(log, A, 2, size=1_000)
    trim(log)
    assert [log.message(index).id.sequence for index in range(log.first, log.next)] == [2]


def test_an_adopted_prefix_counts_what_is_new_in_it_once() -> None:
    log = Log(10, 1 << 20)
    log.adopt([(A.key, 5, 9), (B.key, 2, 2)], [(A.key, 5)], 9)
    log.check()
    log.adopt([(A.key, 4, 4), (B.key, 6, 7)], [(B.key, 6)], 7)
    log.check()
    assert log.evicted == {A.key: 5, B.key: 6}
    assert log.evicted_depths == {A.key: 9, B.key: 7}
    assert (log.evicted_count, log.evicted_depth) == (11, 9)
    assert log.evicted_frontier.dots == {A.key: 5, B.key: 6}


def test_a_page_holds_the_newest_from_a_position_on_as_far_as_they_are_retained() -> None:
    log = Log(3, 10**9)
    for sequence in range(1, 6):
        append(log, A, sequence)
    trim(log)

    def page(start: int, limit: int) -> tuple[int, list[int]]:
        first, messages = log.page(start, limit)
        return first, [message.id.sequence for message in messages]

    assert page(1, 10) == (3, [3, 4, 5])
    assert page(4, 10) == (4, [4, 5])
    assert page(1, 2) == (4, [4, 5])
    assert page(6, 10) == (6, [])
