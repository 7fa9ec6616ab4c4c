"""Whatever comes in: no exception, at most one rejection a datagram, bounded memory, sound state."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.core.codec import DATAGRAM_LIMIT
from protocol.core.config import Config
from protocol.core.events import DatagramRejected
from protocol.core.identity import Address
from protocol.core.machine import Machine, cluster_tag
from protocol.core.messages import Header, Item, Rumor
from protocol.core.outbox import EVENT_LIMIT
from protocol.core.view import Descriptor
from protocol.wire import WireCodec
from tests.protocol.core.wiring import CODEC, EPOCH, Stranger, Wiring, address, node_id, rumor
from tests.protocol.generators import conversations

CONFIG = Config(view_size=6, history_limit=20, hold_back_limit=20)


def machine(seed: int = 1) -> Machine:
    """A machine that knows somebody and has said something."""
    made = Machine(node_id("a"), address(0), CONFIG, WireCodec(), random.Random(seed), wall_offset=EPOCH)
    made.introduce([Descriptor(node_id("b"), address(1), 0)])
    made.handle_deadline(0.0)
    made.send_gossip(b"hello", 0.0, EPOCH)
    return made


def take(node: Machine, data: bytes, source: Address, now: float) -> None:
    """Hand a datagram in and judge what came of it."""
    node.take_events()
    node.receive_datagram(data, source, now)
    assert sum(isinstance(event, DatagramRejected) for event in node.take_events()) <= 1
    node.check()
    assert all(datagram.size <= DATAGRAM_LIMIT for datagram in node.datagrams_to_send())


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_any_bytes_are_counted_and_change_nothing_else(datagrams: list[bytes]) -> None:
    node = machine()
    view = node.view()
    for data in datagrams:
        take(node, data, address(5), 1.0)
    assert node.view() == view
    snapshot = node.snapshot(1.0)
    assert sum(snapshot.rejected.values()) == snapshot.counters.datagrams_in == len(datagrams)


@given(st.lists(st.tuples(conversations, st.integers(1, 4), st.booleans()), max_size=12))
@settings(max_examples=60)
def test_any_well_formed_datagrams_from_anybody_leave_a_sound_machine(
    talk: list[tuple[tuple[Header, list[Item]], int, bool]],
) -> None:
    node, now = machine(), 0.0
    prover = Proof(node)
    for (header, items), port, is_proven in talk:
        now += 0.3
        source = address(port)
        cookie = prover.cookies.get(source, 0) if is_proven else header.cookie
        ours = header._replace(cluster=cluster_tag(""), cookie=cookie)
        for part in fitting(items, ours):
            take(node, CODEC.assemble(ours, [CODEC.pack(item) for item in part]), source, now)
        if node.deadline <= now:
            node.handle_deadline(now)
        node.check()
        view = node.view()
        assert len(view) <= CONFIG.view_size
        assert len({d.id for d in view}) == len({d.address for d in view}) == len(view)
        assert all(d.id != node.id and d.address != node.address for d in view)


class Proof:
    """The cookies that sources of a test may return, as if they had received them."""

    def __init__(self, node: Machine) -> None:
        links = node.context.links
        self.cookies = {address(port): links.cookie_for(address(port), 0.0) for port in range(1, 5)}


def fitting(items: list[Item], header: Header) -> list[list[Item]]:
    """The items shared out among datagrams of allowed size."""
    parts: list[list[Item]] = [[]]
    room = DATAGRAM_LIMIT - CODEC.header_size(header)
    size = 0
    for item in items:
        if CODEC.size_of(item) > room:
            continue
        if size + CODEC.size_of(item) > room:
            parts.append([])
            size = 0
        size += CODEC.size_of(item)
        parts[-1].append(item)
    return parts


def test_undrained_events_are_bounded_and_the_rest_is_counted() -> None:
    node = machine()
    for _ in range(EVENT_LIMIT + 10):
        node.receive_datagram(b"junk", address(5), 0.0)
    assert len(node.take_events()) == EVENT_LIMIT
    assert node.snapshot(0.0).counters.events_dropped >= 10


def test_a_flood_of_everything_leaves_every_table_bounded() -> None:
    wiring = Wiring(["a", "b"], config=CONFIG)
    wiring.join("b", "a")
    dice = random.Random(1)
    for number in range(3_000):
        stranger = Stranger(wiring, Address(f"10.1.{number >> 8}.{number & 255}", 7_000), f"s{number}")
        held: Rumor = rumor(stranger.id, 2, 5, (((number + 1).to_bytes(8), 3),))
        stranger.say("a", stranger.request(number + 1, frontier=(((number + 1).to_bytes(8), 1),)), held)
        if dice.random() < 0.05:
            wiring.run(0.1)
    node = wiring["a"]
    node.check()
    snapshot = node.snapshot(wiring.now)
    assert snapshot.held_count <= CONFIG.hold_back_limit
    assert len(snapshot.view) <= CONFIG.view_size
    assert len(node._causal.origins) <= 3 * CONFIG.hold_back_limit + 2
    assert len(node._intake.reconcile._suspects) <= 64
    assert len(node._sampling.dials.lost) <= 128
    assert len(node._intake.repair._holes) <= 3 * CONFIG.hold_back_limit
