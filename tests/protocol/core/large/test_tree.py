"""The hash tree: every chunk is proven alone, and nothing else passes for one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.core.large.limits import CHUNK_SIZE, HASH_SIZE
from protocol.core.large.tree import Reference, Tree, chunk_count

sizes = st.one_of(st.integers(1, 20_000), st.sampled_from([1_024, 1_025, 2_048, 3_072, 3_073, 8_192, 16_385]))


def payload_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def chunks_of(payload: bytes) -> list[bytes]:
    return [payload[at : at + CHUNK_SIZE] for at in range(0, len(payload), CHUNK_SIZE)]


@given(sizes, st.randoms(use_true_random=False))
def test_chunks_are_admitted_in_any_order_and_make_the_whole_tree(size: int, dice: random.Random) -> None:
    payload = payload_of(size)
    whole, grown = Tree.of(payload), Tree(size, Tree.of(payload).root)
    order = list(enumerate(chunks_of(payload)))
    dice.shuffle(order)
    for index, chunk in order:
        assert grown.admit(index, chunk, whole.path(index))
    assert grown.levels == whole.levels


@given(sizes, st.randoms(use_true_random=False))
def test_who_has_a_part_proves_it_to_others(size: int, dice: random.Random) -> None:
    payload = payload_of(size)
    whole = Tree.of(payload)
    part, other = Tree(size, whole.root), Tree(size, whole.root)
    index = dice.randrange(chunk_count(size))
    chunk = chunks_of(payload)[index]
    assert part.admit(index, chunk, whole.path(index))
    assert other.admit(index, chunk, part.path(index))


@pytest.mark.parametrize("size", [1, 1_024, 1_500, 5_000, 8_192])
def test_a_chunk_that_is_changed_cut_or_elsewhere_is_refused_and_nothing_is_learnt(size: int) -> None:
    payload = payload_of(size)
    whole, grown = Tree.of(payload), Tree(size, Tree.of(payload).root)
    before = [bytes(level) for level in grown.levels]
    last = chunk_count(size) - 1
    chunk, path = chunks_of(payload)[last], whole.path(last)
    wrong = bytes([chunk[0] ^ 1]) + chunk[1:]
    assert not grown.admit(last, wrong, path)
    assert not grown.admit(last, chunk[:-1], path)
    assert not grown.admit(last, chunk + b"\0", path)
    if last:
        assert not grown.admit(last, chunk, path[:-HASH_SIZE])
        assert not grown.admit(last, chunk, bytes(len(path)))
        assert not grown.admit(last - 1, chunk, path)
    assert [bytes(level) for level in grown.levels] == before


def test_the_root_covers_the_size() -> None:
    payload = payload_of(3_000)
    whole = Tree.of(payload)
    assert not Tree(3_001, whole.root).admit(0, payload[:CHUNK_SIZE], whole.path(0))
    assert Tree.of(payload + b"\0").root != whole.root


def test_a_chunk_that_contradicts_a_known_hash_is_refused() -> None:
    payload = payload_of(2_048)
    whole, grown = Tree.of(payload), Tree(2_048, Tree.of(payload).root)
    assert grown.admit(0, payload[:1_024], whole.path(0))
    assert not grown.admit(1, payload[:1_024], whole.path(1))
    assert grown.admit(1, payload[1_024:], whole.path(1))


def test_a_reference_says_size_and_root() -> None:
    reference = Tree.of(payload_of(70_000)).reference
    assert (reference.size, len(reference.root), len(reference)) == (70_000, 16, 20)
    assert Reference(bytes(reference)) == reference
