"""Forgetting: what a node may forget of the origins it heard of, and what it refuses for that."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from protocol.core.causal import CLOCK_TOLERANCE, Reception
from protocol.core.config import Config
from protocol.core.delivered import AWAITED_LIMIT
from protocol.core.events import Gap, IncarnationChanged
from protocol.core.hold_back import Origin
from protocol.core.identity import Dot, NodeId
from protocol.core.ledger import Ledger
from protocol.core.memory import FORGOTTEN_LIMIT, Memory
from protocol.core.messages import COUNT_LIMIT, NO_HORIZON, Horizon, Rumor
from protocol.state.consistency import check_prefix

from .test_causal import SOURCE, Order
from .wiring import EPOCH, Stranger, Wiring, address, node_id, rumor

SMALL = Config(clock_limit=4, history_limit=1)
"""Clocks of 4 origins, floors of 16, and one message retained."""


def author(number: int, incarnation: int = 1) -> NodeId:
    return NodeId(f"author{number}", incarnation)


def crowd(node: Order, count: int, first: int = 0) -> None:
    """Everybody says one thing and is never heard of again; each has read the one before."""
    for number in range(first, first + count):
        parents = ((author(number - 1).key, 1),) if number else ()
        assert node.take(rumor(author(number), 1, number + 1, parents)) == [Reception.NEW]
        node.causal.check()


def test_origins_that_nothing_needs_are_forgotten_oldest_first() -> None:
    node = Order(SMALL)
    crowd(node, 300)
    known = {origin.id for origin in node.causal.origins.values()}
    assert len(known) <= 16 + 64
    assert known == {author(number) for number in range(300 - len(known), 300)}
    assert node.causal.memory.horizon == Horizon(300 - len(known), 1)
    assert node.causal.delivered_count == 300
    assert len(node.causal.log.evicted) <= len(known)
    assert node.causal.log.evicted_count == 299


def test_what_a_forgotten_origin_said_is_no_news_when_it_comes_again() -> None:
    node = Order(SMALL)
    crowd(node, 300)
    assert node.take(rumor(author(3), 1, 4)) == [Reception.FORGOTTEN]
    assert node.take(rumor(author(3), 1, 4)) == [Reception.DUPLICATE]
    assert node.causal.is_delivered((author(3).key, 1))
    assert node.causal.delivered_count == 300
    node.causal.check()


def test_who_waits_for_what_is_refused_waits_no_longer() -> None:
    node = Order(SMALL)
    crowd(node, 300)
    late = rumor(node_id("late", 2), 1, 301, ((author(299).key, 1), (author(3).key, 1)))
    assert node.take(late) == [Reception.NEW]
    assert node.causal.missing_of(node.causal.holding[(late.origin.key, 1)]) == [(author(3).key, 1)]
    node.take(rumor(author(3), 1, 4))
    assert list(node.causal.unanchored) == [(late.origin.key, 1)]
    entries = [(author(299).key, 1, 300), (late.origin.key, 1, 301)]
    crowded = [*entries, (author(298).key, 1, 299), (author(297).key, 1, 298)]
    assert not node.causal.anchor((late.origin.key, 1), entries, 0.0, node.out)
    assert node.causal.anchor((late.origin.key, 1), crowded, 0.0, node.out)
    node.causal.check()


def test_who_waits_for_what_was_forgotten_here_waits_no_longer_when_a_prefix_names_it() -> None:
    node = Order(SMALL)
    crowd(node, 300)
    late = rumor(node_id("late", 2), 1, 301, ((author(299).key, 1), (author(3).key, 1)))
    assert (author(3).key, 0) not in [*node.causal.received_floors()]
    assert node.take(late) == [Reception.NEW]
    assert (author(3).key, 0) in [*node.causal.received_floors()]
    entries = [(author(3), 1, 4), (author(4), 1, 5), (author(299), 1, 300)]
    assert not node.causal.adopt_baseline(entries, [(author(299).key, 1)], 300, 0.0, node.out, is_gap=True)
    node.causal.check()
    assert list(node.causal.unanchored) == [(late.origin.key, 1)]
    assert node.causal.delivered_count == 300
    assert node.take(rumor(author(4), 1, 5)) == [Reception.FORGOTTEN]


def test_of_invented_origins_that_are_waited_for_only_so_many_are_asked_about() -> None:
    node = Order(SMALL)
    crowd(node, 300)
    for number in range(AWAITED_LIMIT // 100 + 1):
        invented = tuple((node_id(f"nobody {number}.{at}").key, 1) for at in range(100))
        assert node.take(rumor(node_id(f"late {number}"), 1, 301, invented)) == [Reception.NEW]
    assert sum(floor == 0 for _, floor in node.causal.received_floors()) == AWAITED_LIMIT


def test_nobody_waits_for_ever_for_what_was_forgotten_here_and_evicted_everywhere_else() -> None:
    wiring = Wiring(["a", "b"], config=Config(clock_limit=4, history_limit=1, gap_timeout=2.0))
    wiring.join("b", "a")
    wiring.run(3)
    wiring.passes = lambda _source, _datagram: False
    peer = Stranger(wiring, address(9), "peer")
    for name in "ab":
        peer.prove(name)
    quiet, late = author(1_000), node_id("late", 2)
    peer.say("a", rumor(quiet, 1, 1))
    for number in range(300):
        parents = ((author(number - 1).key, 1),) if number else ()
        for name in "ab":
            peer.say(name, rumor(author(number), 1, number + 1, parents))
    peer.say("a", rumor(late, 1, 301, ((author(299).key, 1), (quiet.key, 1))))
    wiring.passes = lambda _source, _datagram: True
    wiring.run(30)
    wiring.check()
    assert wiring["b"]._causal.is_delivered((late.key, 1))
    assert wiring.told("b", Gap) == []


def test_a_forged_number_makes_no_replay_acceptable() -> None:
    node = Order(SMALL)
    crowd(node, 300)
    node.take(rumor(author(999_999), node.causal.memory.forgotten_count, 1))
    for number in range(node.causal.memory.forgotten_count):
        assert node.take(rumor(author(1_000_000 + number), 1, 1)) == [Reception.FORGOTTEN]
    assert node.take(rumor(author(0), 1, 1), rumor(author(3), 1, 4)) == [Reception.FORGOTTEN] * 2


@pytest.mark.parametrize("seed", range(5))
def test_no_recall_and_no_restart_makes_anything_acceptable_again(seed: int) -> None:
    dice, config = random.Random(seed), SMALL
    node, depth = Order(config), 0
    said: list[Rumor] = []
    for number in range(120):
        for sequence in range(1, dice.randint(2, 5)):
            depth += 1
            before = said[-1] if said and sequence == 1 else None
            parents = ((before.origin.key, before.sequence),) if before else ()
            said.append(rumor(author(number), sequence, depth, parents))
            assert node.take(said[-1]) == [Reception.NEW]
    delivered = node.causal.delivered_count
    for step in range(300):
        forged = rumor(author(10_000 + step), dice.randint(1, 6), dice.randint(1, 60))
        for one in (dice.choice(said), *([forged] if dice.random() < 0.5 else [])):
            node.causal.receive(one, SOURCE, 0.0, node.out)
        if step % 50 == 49:
            news = Ledger(node.causal).news()
            assert news.prefix is not None
            check_prefix(news.prefix)
            again = Order(config)
            again.causal.restore(news.prefix, news.messages, news.clocks)
            again.causal.check()
            assert again.causal.delivered_count == delivered
            assert not {r for r in said if again.take(r) == [Reception.NEW]}
    node.causal.check()
    assert len(node.delivered) == len(set(node.delivered)) == len(said)


def test_a_sponsor_that_names_what_was_recalled_makes_no_replay_acceptable() -> None:
    node, talker = Order(SMALL), author(5_000)
    talk = [rumor(talker, sequence, sequence) for sequence in range(1, 6)]
    assert node.take(*talk) == [Reception.NEW] * 5
    past = (talker.key, 5)
    for number in range(300):
        assert node.take(rumor(author(number), 1, number + 6, (past,))) == [Reception.NEW]
        past = (author(number).key, 1)
    assert node.take(talk[1]) == [Reception.FORGOTTEN]
    entries = [(talker, 3, 3), (author(9_000), 1, 400)]
    node.causal.adopt_baseline(entries, [(author(9_000).key, 1)], 400, 0.0, node.out, is_gap=True)
    node.causal.check()
    assert Reception.NEW not in node.take(*talk)
    assert node.delivered.count(Dot(talker, 4)) == 1


def test_a_newcomers_first_message_is_taken_however_deep_the_others_are() -> None:
    node = Order(SMALL)
    crowd(node, 300)
    assert node.take(rumor(author(1_000, incarnation=2), 1, 1)) == [Reception.NEW]


MEMBERS = [author(9_000 + number) for number in range(14)]
"""As many as whoever forgets keeps of 16 at the least."""


def adopted(
    horizon: Horizon, forgotten: int, depths: Iterable[int], node: Order | None = None, now: float = 0.0
) -> Order:
    """A node that took over what a sponsor says: one message of every member, at these depths."""
    node = node or Order(SMALL)
    entries = [(member, 1, depth) for member, depth in zip(MEMBERS, depths, strict=False)]
    node.causal.adopt_baseline(
        entries,
        [(entries[-1][0].key, 1)],
        max(depth for _, _, depth in entries),
        now,
        node.out,
        is_gap=False,
        horizon=horizon,
        forgotten=forgotten,
    )
    node.causal.check()
    return node


def test_what_a_sponsor_retains_below_its_own_horizon_is_no_replay() -> None:
    node = adopted(Horizon(50, 1), 7, range(51, 65))
    assert node.causal.delivered_count == 21
    assert node.take(rumor(author(1), 1, 5)) == [Reception.FORGOTTEN]
    assert node.take(rumor(author(2), 1, 5), from_history=True) == [Reception.NEW]
    node.causal.check()


def test_a_newcomer_believes_all_that_a_sponsor_has_really_forgotten() -> None:
    wiring = Wiring(["a"], config=SMALL)
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    for number in range(300):
        parents = ((author(number - 1).key, 1),) if number else ()
        peer.say("a", rumor(author(number), 1, number + 1, parents))
    late = wiring.add("late", address(5), config=SMALL)
    wiring.join("late", "a")
    wiring.run(3)
    memories = [machine.context.causal.memory for machine in (wiring["a"], late)]
    assert memories[0].horizon == memories[1].horizon != NO_HORIZON
    assert memories[0].forgotten_count == memories[1].forgotten_count > 100


def test_a_horizon_for_which_too_few_origins_vouch_makes_nobody_refuse_the_living() -> None:
    node = adopted(Horizon(1 << 40, 1 << 60), 1 << 40, range(51, 64))
    assert node.causal.memory.horizon == NO_HORIZON
    assert node.take(rumor(author(1), 1, 64)) == [Reception.NEW]


def test_a_count_goes_with_the_horizon_and_makes_nobody_the_sponsor_of_all() -> None:
    node = adopted(Horizon(1 << 40, 1 << 60), COUNT_LIMIT, range(51, 64))
    assert (node.causal.delivered_count, node.causal.log.evicted_count) == (13, 13)
    node = adopted(Horizon(1 << 40, 1 << 60), COUNT_LIMIT, range(51, 65))
    assert node.causal.delivered_count == node.causal.log.evicted_count == FORGOTTEN_LIMIT + 14


def test_a_horizon_is_no_deeper_than_the_origins_that_vouch_for_it() -> None:
    node = adopted(Horizon(1 << 40, 1), 1 << 40, [1 << 30, *range(51, 64)])
    assert node.causal.memory.horizon == Horizon(51, 1)
    assert node.take(rumor(author(1), 1, 51)) == [Reception.FORGOTTEN]
    assert node.take(rumor(author(2), 1, 52)) == [Reception.NEW]


def test_nobody_can_have_forgotten_an_incarnation_of_tomorrow() -> None:
    node = adopted(Horizon(50, (1 << 64) - 1), 7, range(51, 65), now=EPOCH)
    assert node.take(rumor(author(1, int(EPOCH * 1_000) << 16), 1, 5)) == [Reception.FORGOTTEN]
    tomorrow = int((EPOCH + CLOCK_TOLERANCE + 1) * 1_000) << 16
    assert node.take(rumor(author(2, tomorrow), 1, 5)) == [Reception.NEW]


def test_so_few_forgotten_messages_are_no_reason_to_refuse_one_with_a_larger_number() -> None:
    node = adopted(Horizon(50, 1), 7, range(51, 65))
    assert node.take(rumor(author(1), 8, 50)) == [Reception.NEW]
    assert node.take(rumor(author(2), 7, 50)) == [Reception.FORGOTTEN]
    assert adopted(Horizon(50, 1), 0, range(51, 65)).take(rumor(author(1), 1, 5)) == [Reception.NEW]


def test_whatever_a_sponsor_has_forgotten_a_node_keeps_what_it_has() -> None:
    node = Order(Config(clock_limit=4, history_limit=10))
    one, other = author(1_001), author(1_002)
    node.take(rumor(one, 1, 1), rumor(other, 1, 2, ((one.key, 1),)), rumor(one, 3, 4))
    adopted(Horizon(1 << 40, 1), 1 << 40, range(51, 65), node)
    assert (node.causal.floor(one.key), node.causal.floor(other.key)) == (1, 1)
    assert (one.key, 3) in node.causal.holding
    assert node.take(rumor(one, 2, 3), rumor(other, 2, 3)) == [Reception.NEW, Reception.NEW]
    assert node.delivered[-3:] == [Dot(one, 2), Dot(one, 3), Dot(other, 2)]


def test_origins_of_which_anything_is_here_are_not_forgotten() -> None:
    node = Order(Config(clock_limit=4, history_limit=200))
    node.causal.own_key = node_id("me").key
    node.send(node_id("me"))
    node.take(rumor(author(1_001), 2, 2))
    crowd(node, 150)
    assert node.causal.floor(author(3).key) == 1
    crowd(node, 500, first=150)
    assert node.causal.floor(node_id("me").key) == 1
    assert (author(1_001).key, 2) in node.causal.holding
    assert node.causal.floor(author(3).key) == 0
    assert node.causal.frontier.dots[author(649).key] == 1


def test_a_sum_by_buckets_is_the_same_however_the_floors_came_about() -> None:
    def memory(*steps: int) -> Memory:
        origins = {author(1).key: Origin(author(1).key)}
        memory = Memory(origins, 16)
        for sequence in steps:
            memory.raise_floor(origins[author(1).key], sequence, sequence)
        memory.check()
        return memory

    assert memory(1, 2, 3, 7).sums == memory(7).sums != memory(6).sums


def test_a_node_that_was_silent_for_long_speaks_as_a_new_incarnation() -> None:
    wiring = Wiring(["a"], config=Config(clock_limit=4))
    before = wiring["a"].id
    wiring.send("a", "hello")
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    for number in range(4):
        peer.say("a", rumor(author(number), 1, 10 + number))
    wiring.send("a", "hello again")
    peer.say("a", peer.request(5, frontier=((before.key, 2),)))
    assert wiring.send("a", "still the same").id.origin == before
    for number in range(4):
        peer.say("a", rumor(author(number), 2, 20 + number))
    assert wiring.send("a", "not acknowledged yet").id.origin == before
    for number in range(4):
        peer.say("a", rumor(author(number), 3, 30 + number))
    peer.say("a", peer.request(6, frontier=((before.key, 4),)))
    after = wiring.send("a", "back again").id
    assert (after.origin.name, after.sequence) == (before.name, 1)
    assert after.origin.incarnation > before.incarnation
    wiring.settle()
    assert wiring.told("a", IncarnationChanged) == [IncarnationChanged(before, after.origin, was_silent=True)]
    assert wiring.send("a", "and again").id == (after.origin, 2)


def test_nothing_is_forgotten_before_there_is_too_much() -> None:
    node = Order(SMALL)
    crowd(node, 16)
    assert node.causal.memory.horizon == NO_HORIZON
    assert len(node.causal.origins) == 16
