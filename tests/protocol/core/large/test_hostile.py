"""Announcements, chunks and requests that lie, flood or come unasked: counted, bounded, and no harm done."""

from __future__ import annotations

import random

from protocol.core.config import Config
from protocol.core.large.allowance import ASKED, UNASKED, Allowances
from protocol.core.large.fetching import DONE_LIMIT, OUTSTANDING_LIMIT
from protocol.core.large.limits import CHUNK_SIZE, TRIAL_CHUNKS
from protocol.core.large.path import FIRST_WINDOW
from protocol.core.large.serving import CHUNKS_PER_TURN
from protocol.core.large.tree import Reference, Tree
from protocol.core.messages import Announcement, Chunk, ChunkRequest, Holding, Item, Message, Rumor
from protocol.core.view import Descriptor

from ..wiring import CODEC, EPOCH, Stranger, Wiring, address, node_id, rumor

SIZE = 20_000
PAYLOAD = random.Random(1).randbytes(SIZE)
TREE = Tree.of(PAYLOAD)
AUTHOR = node_id("author")


def announcement(
    reference: Reference = TREE.reference, sequence: int = 1, name: str = "author"
) -> Announcement:
    message = rumor(node_id(name), sequence, sequence)
    return Announcement(message._replace(payload=reference, hops=1), 0)


def chunk(place: int, data: bytes | None = None, reference: bytes = TREE.reference) -> Chunk:
    whole = PAYLOAD[place * CHUNK_SIZE : (place + 1) * CHUNK_SIZE]
    return Chunk(reference, place, TREE.path(place), whole if data is None else data)


def asked_for(items: list[Item]) -> list[int]:
    """Places of the chunks that a machine asked for."""
    return [place for item in items if isinstance(item, ChunkRequest) for place in item.indexes]


def scene(config: Config | None = None) -> tuple[Wiring, Stranger]:
    """A machine and somebody who has proven himself to it."""
    wiring = Wiring(["a"], config=config)
    stranger = Stranger(wiring, address(50))
    stranger.prove("a")
    return wiring, stranger


def feed(stranger: Stranger, places: list[int]) -> None:
    """Answer with true chunks until nothing more is asked for."""
    while places:
        places = [more for place in places for more in asked_for(stranger.say("a", chunk(place)))]


def delivered(wiring: Wiring) -> list[Message]:
    return [event.message for event in wiring.events["a"] if hasattr(event, "message")]


def test_chunks_are_asked_of_who_announced_and_the_message_is_delivered_when_whole() -> None:
    wiring, holder = scene()
    feed(holder, asked_for(holder.say("a", announcement())))
    assert [message.payload for message in delivered(wiring)] == [PAYLOAD]
    assert wiring.reasons("a") == []
    wiring.check()


def test_a_wrong_chunk_is_refused_and_counted_and_pulled_elsewhere() -> None:
    wiring, liar = scene()
    honest = Stranger(wiring, address(51), "honest")
    honest.prove("a")
    places = asked_for(liar.say("a", announcement()))
    honest.say("a", announcement())
    assert liar.say("a", chunk(places[0], b"x" * CHUNK_SIZE)) == []
    assert wiring.reasons("a") == ["chunk"]
    assert wiring["a"].snapshot(wiring.now).rejected["chunk"] == 1
    for _ in range(30):
        feed(honest, asked_for(honest.collect("a")))
        wiring.now += 0.1
        wiring["a"].handle_deadline(wiring.now)
    assert [message.payload for message in delivered(wiring)] == [PAYLOAD]
    assert asked_for(liar.collect("a")) == []
    wiring.check()


def test_a_reference_with_another_size_does_not_spoil_the_true_one() -> None:
    wiring, liar = scene()
    honest = Stranger(wiring, address(51), "honest")
    honest.prove("a")
    liar.say("a", announcement(Reference.to(SIZE - 1, TREE.root)))
    feed(honest, asked_for(honest.say("a", announcement())))
    assert [message.payload for message in delivered(wiring)] == [PAYLOAD]
    wiring.now += 1
    wiring["a"].handle_deadline(wiring.now)
    assert wiring["a"].snapshot(wiring.now).pulling_count == 0, "the other one is known now and given up"
    wiring.check()


def test_chunks_that_nobody_asked_for_are_refused_and_kept_nowhere() -> None:
    wiring, stranger = scene()
    for place in range(5):
        stranger.say("a", chunk(place))
    assert wiring.reasons("a") == ["unasked"] * 5
    stranger.say("a", Holding(TREE.reference, b"\xff"))
    assert wiring.reasons("a") == ["unasked"] * 6
    holder = Stranger(wiring, address(51), "holder")
    holder.prove("a")
    holder.say("a", announcement())
    stranger.say("a", chunk(3))
    assert wiring.reasons("a") == ["unasked"] * 7, "not from a holder"
    assert wiring["a"].snapshot(wiring.now).pulling_size == 0


def test_a_stranger_that_announces_is_asked_for_no_more_bytes_than_it_sent() -> None:
    wiring = Wiring(["a"])
    for number in range(40):
        stranger = Stranger(wiring, address(60 + number), f"s{number}")
        reference = Reference.to(1 << 20, number.to_bytes(16))
        places = asked_for(stranger.say("a", announcement(reference, name=f"nobody-{number}")))
        assert len(places) == 1, "it may be asked, for a trial"
        for _ in range(30):
            wiring.now += 0.5
            wiring["a"].handle_deadline(wiring.now)
            stranger.collect("a")
        assert stranger.bytes_received <= stranger.bytes_sent


def test_a_holder_that_seemed_to_have_vanished_may_still_send_what_it_was_asked_for() -> None:
    wiring, holder = scene()
    (place,) = asked_for(holder.say("a", announcement()))
    for _ in range(40):
        wiring.now += 0.5
        wiring["a"].handle_deadline(wiring.now)
        holder.collect("a")
    holder.say("a", chunk(place))
    assert wiring.reasons("a") == []
    assert wiring["a"].snapshot(wiring.now).pulling_size == CHUNK_SIZE


def test_who_may_not_be_sent_a_request_is_not_waited_for() -> None:
    wiring = Wiring(["a"])
    stranger = Stranger(wiring, address(60))
    assert len(asked_for(stranger.say("a", announcement(), advertised=stranger.address))) == 1
    for _ in range(3):
        wiring.now += 5
        wiring["a"].handle_deadline(wiring.now)
    assert asked_for(stranger.collect("a")) == [], "that was all that came from it"
    assert wiring["a"]._intake.fetching.outstanding == 0


def test_a_chunk_beyond_the_last_is_refused() -> None:
    wiring, holder = scene()
    holder.say("a", announcement())
    holder.say("a", chunk(0)._replace(place=20))
    assert wiring.reasons("a") == ["chunk"]
    wiring.check()


def test_who_announces_what_does_not_exist_occupies_nothing_and_keeps_nobody_out() -> None:
    wiring, liar = scene(Config(assembly_size_limit=1 << 20, assembly_limit=64))
    for number in range(500):
        fake = Reference.to(1 << 20, number.to_bytes(16))
        places = asked_for(liar.say("a", announcement(fake, name=f"nobody-{number}")))
        assert len(places) <= FIRST_WINDOW
    picture = wiring["a"].snapshot(wiring.now)
    assert picture.pulling_count <= 16
    assert picture.pulling_size == 0
    refused = picture.rejected["too many announcements"]
    assert picture.counters.payloads_dropped + refused >= 484
    honest = Stranger(wiring, address(51), "honest")
    honest.prove("a")
    feed(honest, asked_for(honest.say("a", announcement())))
    assert [message.payload for message in delivered(wiring)] == [PAYLOAD]
    wiring.check()


def test_floods_of_announcements_from_many_sources_stay_bounded_and_end() -> None:
    wiring, _ = scene(Config(assembly_limit=32, orphan_timeout=20.0))
    for number in range(300):
        source = Stranger(wiring, address(100 + number), f"s{number}")
        source.prove("a")
        source.say("a", announcement(Reference.to(1 << 20, number.to_bytes(16)), name=f"nobody-{number}"))
    machine = wiring["a"]
    fetching = machine._intake.fetching
    assert machine.snapshot(wiring.now).pulling_count == 32
    assert fetching.outstanding <= OUTSTANDING_LIMIT
    assert len(fetching._done) <= DONE_LIMIT
    wiring.check()
    wiring.run(60)
    assert machine.snapshot(wiring.now).pulling_count == 0
    assert fetching.outstanding == 0


def test_a_fake_announcement_makes_others_ask_ever_less_and_is_forgotten() -> None:
    wiring, liar = scene(Config(gap_timeout=30.0))
    for number in range(3):
        wiring.add(f"p{number}", address(number + 1))
        wiring.join(f"p{number}", "a")
    wiring.run(5)
    fake = Reference.to(1 << 20, bytes(16))
    liar.say("a", announcement(fake))
    wiring.run(29)
    machines = wiring.machines.values()
    assert all(machine.snapshot(wiring.now).pulling_count == 1 for machine in machines)
    requests = sum(machine.snapshot(wiring.now).counters.chunk_requests for machine in machines)
    assert requests <= 4 * 4 * 20, "per node and holder a few, each wait twice the last"
    wiring.run(5)
    assert all(machine.snapshot(wiring.now).pulling_count == 0 for machine in machines)
    wiring.run(30)
    assert requests + 10 >= sum(machine.snapshot(wiring.now).counters.chunk_requests for machine in machines)


def test_real_chunks_of_many_endless_payloads_stay_within_the_bytes_of_the_pool() -> None:
    config = Config(assembly_size_limit=1 << 20)
    wiring, holder = scene(config)
    for number in range(40):
        payload = random.Random(number).randbytes(400_000)
        tree = Tree.of(payload)
        places = asked_for(holder.say("a", announcement(tree.reference, name=f"author-{number}")))
        for _ in range(60):  # a part of each, never the whole
            if not places:
                break
            place = places.pop()
            data = payload[place * CHUNK_SIZE : (place + 1) * CHUNK_SIZE]
            places += asked_for(holder.say("a", Chunk(tree.reference, place, tree.path(place), data)))
    wiring.check()
    assert wiring["a"].snapshot(wiring.now).pulling_size <= (1 << 20) + 40 * TRIAL_CHUNKS * CHUNK_SIZE


def test_an_announcement_far_ahead_is_refused_like_a_rumor() -> None:
    wiring, liar = scene()
    liar.say("a", announcement(sequence=100_000))
    assert wiring.reasons("a") == ["too far ahead"]
    assert wiring["a"].snapshot(wiring.now).pulling_count == 0


def test_an_announcement_under_this_nodes_own_dot_with_other_content_makes_it_a_new_incarnation() -> None:
    wiring, twin = scene()
    sent = wiring["a"].send_gossip(PAYLOAD, wiring.now, EPOCH)
    before = wiring["a"].id
    own = rumor(before, 1, sent.depth)
    twin.say("a", Announcement(own._replace(payload=TREE.reference), 0))
    assert wiring["a"].id == before, "its own message came back"
    twin.say("a", Announcement(own._replace(payload=Reference.to(SIZE, bytes(16))), 0))
    assert wiring["a"].id != before


# serving


def served(items: list[Item]) -> list[int]:
    return [item.place for item in items if isinstance(item, Chunk)]


def test_only_who_has_proven_itself_gets_chunks() -> None:
    wiring = Wiring(["a"])
    message = wiring["a"].send_gossip(PAYLOAD, wiring.now, EPOCH)
    stranger = Stranger(wiring, address(50))
    request = ChunkRequest((message.id.origin.key, 1), TREE.reference, tuple(range(16)))
    for _ in range(20):
        assert served(stranger.say("a", request)) == []
        assert stranger.bytes_received <= stranger.bytes_sent
    stranger.prove("a")
    assert served(stranger.say("a", request)) == list(range(16))


def test_an_announcement_brings_the_cookie_with_which_a_stranger_pulls_at_once() -> None:
    wiring = Wiring(["a"])
    stranger = Stranger(wiring, address(50))
    wiring["a"].introduce([Descriptor(stranger.id, stranger.address, 0)])
    message = wiring["a"].send_gossip(PAYLOAD, wiring.now, EPOCH)
    (item,) = stranger.collect("a")
    assert isinstance(item, Announcement)
    stranger.cookie = CODEC.parse(stranger.received[-1]).header.offer
    request = ChunkRequest((message.id.origin.key, 1), TREE.reference, (0, 1, 2))
    assert served(stranger.say("a", request)) == [0, 1, 2]


def test_what_is_not_here_is_said_at_once() -> None:
    wiring, stranger = scene()
    request = ChunkRequest((AUTHOR.key, 1), TREE.reference, (0, 1))
    assert stranger.say("a", request) == [Holding(TREE.reference, b"")]
    holder = Stranger(wiring, address(51), "holder")
    holder.prove("a")
    places = asked_for(holder.say("a", announcement()))
    holder.say("a", chunk(places[0]))
    first = places[0]
    items = stranger.say("a", request._replace(indexes=tuple(sorted({first, (first + 1) % 20}))))
    assert served(items) == [first]
    (holding,) = [item for item in items if isinstance(item, Holding)]
    assert int.from_bytes(holding.bitmap, "little") >> first & 1


def test_requests_without_end_are_served_within_the_budget_and_queued_within_bounds() -> None:
    wiring, greedy = scene()
    payload = random.Random(2).randbytes(1 << 20)
    message = wiring["a"].send_gossip(payload, wiring.now, EPOCH)
    tree = Tree.of(payload)
    serving = wiring["a"]._intake.serving
    received = 0
    for step in range(1_000):
        places = tuple(range(step * 64 % 1_024, step * 64 % 1_024 + 64))
        items = greedy.say("a", ChunkRequest((message.id.origin.key, 1), tree.reference, places))
        received += len(served(items))
        assert serving.waiting_count <= 128
        wiring.now += 0.002
        if wiring["a"].deadline <= wiring.now:
            wiring["a"].handle_deadline(wiring.now)
    # a burst of 1 MiB, then 4 MiB a second for two seconds, reckoned with full datagrams
    assert 1_000 < received <= (1 + 4 * 2) * (1 << 20) / 1_400


def test_a_small_message_leaves_at_once_while_chunks_wait_for_their_turn() -> None:
    wiring, greedy = scene()
    payload = random.Random(2).randbytes(1 << 20)
    large = wiring["a"].send_gossip(payload, wiring.now, EPOCH)
    reference = Tree.of(payload).reference
    for start in (0, 64):
        greedy.say("a", ChunkRequest((large.id.origin.key, 1), reference, tuple(range(start, start + 64))))
    assert wiring["a"]._intake.serving.waiting_count == 128 - CHUNKS_PER_TURN
    greedy.say("a", greedy.request(8, pull=False))
    wiring["a"].send_gossip(b"quick", wiring.now, EPOCH)
    items = greedy.collect("a")
    assert [item.payload for item in items if isinstance(item, Rumor)] == [b"quick"]
    assert served(items) == []


def test_one_greedy_asker_does_not_starve_another() -> None:
    wiring, greedy = scene()
    modest = Stranger(wiring, address(51), "modest")
    modest.prove("a")
    message = wiring["a"].send_gossip(PAYLOAD, wiring.now, EPOCH)
    payload = random.Random(2).randbytes(1 << 20)
    large = wiring["a"].send_gossip(payload, wiring.now, EPOCH)
    reference = Tree.of(payload).reference
    for start in (0, 64):
        greedy.say("a", ChunkRequest((large.id.origin.key, 2), reference, tuple(range(start, start + 64))))
    modest.say("a", ChunkRequest((message.id.origin.key, 1), TREE.reference, tuple(range(8))))
    wiring.now += 0.003
    wiring["a"].handle_deadline(wiring.now)
    assert len(served(modest.collect("a"))) == 8
    assert wiring["a"]._intake.serving.waiting_count > 50, "the other one still waits"


def invented(number: int) -> Announcement:
    return announcement(Reference.to(1 << 20, number.to_bytes(16)), name=f"nobody-{number}")


def test_a_flood_of_announcements_is_refused_and_small_messages_pass_during_and_after_it() -> None:
    wiring = Wiring(["a", "b"])
    wiring.join("b", "a")
    wiring.run(3)
    flooders = [Stranger(wiring, address(50 + number), f"evil-{number}") for number in range(2)]
    for flooder, victim in zip(flooders, "ab", strict=True):
        flooder.prove(victim)
    wiring.sent.clear()
    fakes = 14 * 100
    for cycle in range(4):
        for start in range(cycle * fakes // 4, (cycle + 1) * fakes // 4, 14):
            for number, flooder in enumerate(flooders):
                own = range(number * fakes + start, number * fakes + start + 14)
                flooder.say("ab"[number], *[invented(fake) for fake in own])
        for name in "ab":
            wiring.send(name, f"{name} {cycle}")
        wiring.run(1)
        for name in "ab":
            assert {f"a {cycle}", f"b {cycle}"} <= set(wiring.texts(name))
    begun = UNASKED.burst + 4 * UNASKED.per_second
    announced = [i for _, d in wiring.sent for i in CODEC.parse(d.data).items if isinstance(i, Announcement)]
    assert len(announced) <= 2 * begun, "what is refused is passed on to nobody"
    for name in "ab":
        picture = wiring[name].snapshot(wiring.now)
        assert picture.counters.payloads_dropped <= 2 * begun
        assert picture.rejected["too many announcements"] >= (fakes - begun) // 14
    wiring.run(45)
    assert [wiring[name].snapshot(wiring.now).pulling_count for name in "ab"] == [0, 0]
    wiring.check()


def test_floods_from_forged_sources_share_one_allowance() -> None:
    wiring = Wiring(["a"])
    for number in range(2 * UNASKED.burst):
        Stranger(wiring, address(100 + number)).say("a", invented(number))
    assert wiring.reasons("a") == ["too many announcements"] * UNASKED.burst
    holder = Stranger(wiring, address(50), "holder")
    holder.prove("a")
    feed(holder, asked_for(holder.say("a", announcement())))
    assert [message.payload for message in delivered(wiring)] == [PAYLOAD]


def test_who_announces_what_exists_never_runs_out_of_allowance() -> None:
    wiring, holder = scene()
    for number in range(UNASKED.burst + 50):
        data = number.to_bytes(2) * 600
        tree = Tree.of(data)
        places = asked_for(holder.say("a", announcement(tree.reference, name=f"author-{number}")))
        while places:
            place = places.pop()
            part = data[place * CHUNK_SIZE : (place + 1) * CHUNK_SIZE]
            places += asked_for(holder.say("a", Chunk(tree.reference, place, tree.path(place), part)))
    assert wiring.reasons("a") == []
    assert len(delivered(wiring)) == UNASKED.burst + 50


def test_even_what_was_asked_for_is_bounded_and_comes_back_with_time() -> None:
    allowances = Allowances()
    source = address(1)
    taken = sum(allowances.take(source, 0.0, is_asked=True) for _ in range(2 * ASKED.burst))
    assert taken == ASKED.burst
    assert allowances.take(source, 0.0, is_asked=False)
    later = sum(allowances.take(source, 1.0, is_asked=True) for _ in range(2 * ASKED.burst))
    assert later == ASKED.per_second
