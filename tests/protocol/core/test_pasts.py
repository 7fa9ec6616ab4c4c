"""Prefixes of several pasts taken over together: their union, and who has another one."""

from __future__ import annotations

import pytest

from protocol.core.causal import CausalOrder
from protocol.core.config import Config
from protocol.core.identity import Address, NodeId
from protocol.core.messages import NO_HORIZON, BaselinePage, Digest, Horizon, KeyDot, Rumor
from protocol.core.outbox import Outbox
from protocol.core.pasts import Baseline, holders_of_another

from .wiring import address, node_id

A, B, C = (node_id(name) for name in "abc")
PEER = Address("192.0.2.1", 7_000)


def dot(node: NodeId, sequence: int) -> KeyDot:
    return node.key, sequence


def test_the_union_of_two_prefixes_has_the_further_of_each_origin_and_the_maximal_dots_of_both() -> None:
    one = Baseline({A: (3, 3), B: (5, 9)}, (dot(B, 5),), 9, Horizon(2, 7), 4)
    other = Baseline({A: (6, 8), C: (1, 1)}, (dot(A, 6), dot(C, 1)), 8, Horizon(5, 1), 3)
    union = one.united(other)
    assert union.entries == {A: (6, 8), B: (5, 9), C: (1, 1)}
    assert set(union.frontier) == {dot(A, 6), dot(B, 5), dot(C, 1)}
    assert (union.depth, union.horizon, union.forgotten) == (9, Horizon(5, 7), 4)


def test_what_one_prefix_knows_something_after_is_not_maximal_in_the_union() -> None:
    one = Baseline({A: (3, 3)}, (dot(A, 3),), 3)
    other = Baseline({A: (3, 3), B: (1, 4)}, (dot(B, 1),), 4)
    assert one.united(other).frontier == other.united(one).frontier == (dot(B, 1),)


def test_pages_make_one_baseline() -> None:
    pages = [
        BaselinePage(7, 1, number, 2, 9, NO_HORIZON, 0, ((node, 4, 4),), (dot(node, 4),))
        for number, node in enumerate((A, B))
    ]
    assert Baseline.of(pages) == Baseline({A: (4, 4), B: (4, 4)}, (dot(A, 4), dot(B, 4)), 9)


def waiting_for_two_pasts(config: Config | None = None) -> tuple[CausalOrder, dict[Address, Digest]]:
    """A node that holds back the ends of two chains since 0 s, and what the peers with these told."""
    causal, out = CausalOrder(config or Config()), Outbox()
    for node in (B, C):
        for sequence in (10, 11):
            causal.receive(Rumor(node, sequence, sequence, 0.0, (), b"", 0), PEER, 0.0, out)
    return causal, {
        address(number): Digest((dot(node, 11),), 11, 11, 9) for number, node in enumerate((A, B, C))
    }


def test_whoever_has_what_would_still_wait_has_another_past() -> None:
    causal, told = waiting_for_two_pasts()
    of_b = Baseline({B: (9, 9)}, (dot(B, 9),), 9)
    assert set(holders_of_another(told, causal, of_b, 30.0)) == {address(2)}
    assert holders_of_another(told, causal, of_b.united(Baseline({C: (9, 9)}, (), 9)), 30.0) == {}


def test_what_was_sent_after_something_that_would_still_wait_would_wait_too() -> None:
    causal, told = waiting_for_two_pasts()
    causal.receive(Rumor(A, 1, 12, 0.0, (dot(C, 11),), b"", 0), PEER, 29.0, Outbox())
    told[address(0)] = Digest((dot(A, 1),), 12, 30, 9)
    of_b = Baseline({B: (9, 9)}, (dot(B, 9),), 9)
    assert set(holders_of_another(told, causal, of_b, 30.0)) == {address(0), address(2)}


def test_what_came_lately_may_just_wait_for_a_datagram() -> None:
    causal, told = waiting_for_two_pasts()
    assert holders_of_another(told, causal, Baseline({}, (), 0), 14.0) == {}


@pytest.mark.parametrize("config", [Config(hold_back_limit=7), Config(hold_back_size_limit=3_900)])
def test_a_node_that_may_have_refused_something_takes_one_prefix_only(config: Config) -> None:
    causal, told = waiting_for_two_pasts(config)
    assert holders_of_another(told, causal, Baseline({}, (), 0), 30.0) == {}
