"""Large payloads between real nodes on loopback."""

from __future__ import annotations

import asyncio
import random

import pytest

from .swarm import make_node, mesh, take


@pytest.mark.parametrize("size", [0, 1, 1_200, 1_500, 10_000, 100_000, 1 << 20])
async def test_a_payload_of_any_size_reaches_every_node_whole(size: int) -> None:
    payload = random.Random(size).randbytes(size)
    async with mesh("p1", "p2", "p3", "p4") as nodes:
        message = nodes[0].send_gossip(payload)
        await nodes[0].wait_acknowledged(message, peers=3)
        for node in nodes:
            (got,) = await take(node.messages(), 1)
            assert (got.id, got.payload) == (message.id, payload)
            assert node.snapshot().pulling_count == 0


async def test_small_messages_overtake_a_large_one_on_the_wire() -> None:
    async with mesh("p1", "p2", "p3") as (one, two, three):
        large = one.send_gossip(random.Random(1).randbytes(1 << 20))
        reading = two.messages()
        for number in range(5):
            three.send_gossip(str(number))
        early = await take(reading, 5)
        assert [message.text for message in early] == [str(number) for number in range(5)]
        assert two.snapshot().counters.chunks_in < 1_024, "the large one is still on its way"
        assert (await take(reading, 1))[0].id == large.id


async def test_two_large_messages_of_two_origins_and_a_late_joiner() -> None:
    async with mesh("p1", "p2", "p3") as (one, two, three):
        sent = [node.send_gossip(random.Random(n).randbytes(200_000)) for n, node in enumerate((one, two))]
        last = None
        for node in (one, two, three):
            got = await take(node.messages(), 2)
            assert {message.id: message.payload for message in got} == {m.id: m.payload for m in sent}
        last = three.send_gossip("both seen")
        async with make_node("p4") as late:
            late.join(one.address)
            got = await take(late.messages(), 3)
            assert got[-1].id == last.id
            assert got[-1].parents == last.parents
            assert [len(message.payload) for message in got] == [200_000, 200_000, 9]


async def test_a_node_that_closes_in_the_middle_does_not_keep_the_others_from_the_rest() -> None:
    async with mesh("p1", "p2", "p3", "p4", answer_timeout=0.2) as (one, two, three, four):
        message = one.send_gossip(random.Random(1).randbytes(500_000))
        async with asyncio.TaskGroup() as group:
            readers = [group.create_task(take(node.messages(), 1)) for node in (two, three, four)]
            await asyncio.wait(readers, return_when=asyncio.FIRST_COMPLETED)
            await one.close()
        assert {reader.result()[0].payload for reader in readers} == {message.payload}
