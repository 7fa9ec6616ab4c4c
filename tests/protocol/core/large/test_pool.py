"""Which transfers may go on: room is shared out by need, and the deepest give way when nothing else can."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from protocol.core.config import Config
from protocol.core.large.pool import Pool
from protocol.core.large.transfer import Announced, Transfer
from protocol.core.large.tree import Reference, Tree

from ..wiring import address, node_id, rumor

CONFIG = Config(assembly_size_limit=1 << 20)


def transfer(number: int, size: int, depth: int, chunks: int = 1) -> Transfer:
    """A transfer of which some chunks are here."""
    payload = random.Random(number).randbytes(size)
    tree = Tree.of(payload)
    made = Transfer(tree.reference, random.Random(1).random, 0.0)
    author = node_id(f"author-{number}")
    message = rumor(author, 1, depth)._replace(payload=tree.reference)
    made.announced[(author.key, 1)] = Announced(message, author.key, address(1), from_history=False)
    for place in range(chunks):
        assert made.admit(place, payload[place * 1_024 : (place + 1) * 1_024], tree.path(place), 0.0)
    return made


def pool_of(*transfers: Transfer) -> Pool:
    pool = Pool(CONFIG)
    pool.transfers.update({one.reference: one for one in transfers})
    return pool


def share_out(pool: Pool) -> None:
    """Let room be shared out, dropping what has to go."""

    def drop(one: Transfer) -> None:
        del pool.transfers[one.reference]

    pool.start_waiting(drop)
    pool.check()


def test_room_goes_to_those_that_others_wait_for_first_and_to_no_more_than_fit() -> None:
    transfers = [transfer(number, 400_000, depth=10 - number) for number in range(5)]
    pool = pool_of(*transfers)
    share_out(pool)
    assert [one.is_started for one in transfers] == [False, False, False, True, True]
    assert len(pool.transfers) == 5, "the others wait"


def test_what_nothing_came_of_gets_no_room() -> None:
    pool = pool_of(transfer(1, 400_000, depth=1, chunks=0))
    share_out(pool)
    assert not any(one.is_started for one in pool.transfers.values())


def test_a_parked_transfer_gives_its_room_to_those_that_wait_and_goes_on_when_there_is_some() -> None:
    slow, waiting = transfer(1, 900_000, depth=1), transfer(2, 900_000, depth=2)
    pool = pool_of(slow, waiting)
    share_out(pool)
    assert (slow.is_started, waiting.is_started) == (True, False)
    pool.park(slow)
    assert list(pool.transfers.values()) == [waiting, slow]
    assert not slow.is_started


def test_a_transfer_is_not_parked_for_nobody() -> None:
    pool = pool_of(transfer(1, 900_000, depth=1))
    share_out(pool)
    (only,) = pool.transfers.values()
    pool.park(only)
    assert only.is_started


def test_if_nothing_can_go_on_the_deepest_make_room() -> None:
    parts = [transfer(number, 700_000, depth=number, chunks=400) for number in (1, 2, 3)]
    pool = pool_of(*parts)
    for one in parts:
        one.is_started = False
    share_out(pool)
    assert parts[2].reference not in pool.transfers
    assert parts[0].is_started


def test_transfers_pull_in_orders_of_their_own() -> None:
    reference = Reference.to(1 << 20, bytes(16))
    orders = [tuple(Transfer(reference, random.Random(seed).random, 0.0).todo) for seed in range(3)]
    assert len(set(orders)) == 3
    for order in orders:
        assert sorted(order) == list(range(1_024))
        assert sum(high - low == 1 for low, high in pairwise(order)) < 20


def full_of_deep_ones() -> tuple[Pool, list[Transfer]]:
    """A pool without room for one message more, in which something came of everything."""
    transfers = [transfer(number, 5_000, depth=10 + number) for number in range(4)]
    pool = pool_of(*transfers)
    pool.config = Config(assembly_limit=4)
    return pool, transfers


@pytest.mark.parametrize(
    ("depth", "is_asked", "dropped"),
    [(9, True, [3]), (12, True, [3]), (13, True, []), (9, False, [])],
)
def test_the_deepest_makes_room_for_what_was_asked_for_and_is_less_deep(
    depth: int, is_asked: bool, dropped: list[int]
) -> None:
    pool, transfers = full_of_deep_ones()
    gone: list[Transfer] = []
    assert pool.has_room(address(9), depth, gone.append, is_asked=is_asked) is bool(dropped)
    assert gone == [transfers[number] for number in dropped]
