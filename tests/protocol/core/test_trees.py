"""The tree: what is pushed, announced, pruned and grafted, and what nobody can forge."""

from __future__ import annotations

import random

import pytest

from protocol.core.codec import Datagram
from protocol.core.config import Config, Dissemination
from protocol.core.grafting import MISSING_LIMIT, Accounts
from protocol.core.identity import Address, NodeId
from protocol.core.messages import (
    Distance,
    Graft,
    IHave,
    Item,
    KeyDot,
    Linkage,
    Message,
    Prune,
    Range,
    Rumor,
    Stance,
    Want,
)
from protocol.core.repair import ranges_of
from protocol.core.trees import ANNOUNCED_LIMIT, QUEUE_LIMIT, SHORTCUT
from tests.protocol.core.wiring import CODEC, Stranger, Wiring, address, node_id, rumor

AUTHOR = node_id("author")
OTHER = node_id("other")


def hub(*, links: int = 3) -> tuple[Wiring, list[Stranger]]:
    """A machine "a" in tree mode whose neighbours are all spoken for by hand."""
    wiring = Wiring(["a"], config=Config(dissemination=Dissemination.TREE))
    peers = [Stranger(wiring, address(20 + number), f"peer-{number}") for number in range(links)]
    for peer in peers:
        peer.prove("a")
        peer.say("a", Linkage(Stance.ASK))
    wiring.sent.clear()
    return wiring, peers


def settle(wiring: Wiring, peers: list[Stranger], seconds: float = 0.5) -> list[list[Item]]:
    """Let time pass, datagram by datagram; what each neighbour got meanwhile, but for words about links."""
    end = wiring.now + seconds
    wiring.settle()
    while (due_at := wiring["a"].deadline) <= end:
        wiring.now = max(wiring.now, due_at)
        wiring["a"].handle_deadline(wiring.now)
        wiring.settle()
    wiring.now = end
    got = [
        [
            item
            for _, datagram in wiring.sent
            if datagram.target == peer.address
            for item in items_of(datagram)
        ]
        for peer in peers
    ]
    wiring.sent.clear()
    return got


def items_of(datagram: Datagram) -> list[Item]:
    return [item for item in CODEC.parse(datagram.data).items if not isinstance(item, Linkage)]


def kinds(items: list[Item]) -> list[str]:
    return [type(item).__name__ for item in items]


def eager(wiring: Wiring) -> list[int]:
    """The numbers of the neighbours that messages are pushed to."""
    rows = wiring["a"].snapshot(wiring.now).neighbours
    return [row.address.port - address(20).port for row in rows if row.is_eager]


def dot_of(origin: NodeId, sequence: int) -> KeyDot:
    return origin.key, sequence


def announced(origin: NodeId, low: int, high: int) -> IHave:
    return IHave((Range(origin.key, low, high),))


def test_a_message_is_pushed_along_eager_links_and_announced_on_the_others() -> None:
    wiring, peers = hub()
    peers[2].say("a", Prune())
    message: Message = wiring.send("a", "hello")
    got = settle(wiring, peers)
    assert [kinds(items) for items in got[:2]] == [["Rumor"], ["Rumor"]]
    assert got[2] == [Distance(dot_of(message.id.origin, 1), 0), announced(message.id.origin, 1, 1)]


def test_a_message_does_not_go_back_along_the_link_it_came_by() -> None:
    wiring, peers = hub()
    peers[0].say("a", rumor(AUTHOR, 1))
    assert [kinds(items) for items in settle(wiring, peers)] == [[], ["Rumor"], ["Rumor"]]


def test_announcements_wait_for_company() -> None:
    wiring, peers = hub(links=2)
    peers[1].say("a", Prune())
    for sequence in (1, 2, 3):
        peers[0].say("a", rumor(AUTHOR, sequence, sequence))
    assert settle(wiring, peers)[1] == [Distance(dot_of(AUTHOR, 1), 1), announced(AUTHOR, 1, 3)]


def test_what_a_neighbour_announced_is_not_announced_back() -> None:
    wiring, peers = hub(links=2)
    peers[1].say("a", Prune())
    peers[0].say("a", rumor(AUTHOR, 1))
    peers[1].say("a", announced(AUTHOR, 1, 1))
    assert settle(wiring, peers)[1] == []


def test_a_duplicate_prunes_the_link_it_came_by_at_both_ends() -> None:
    wiring, peers = hub()
    peers[0].say("a", rumor(AUTHOR, 1))
    settle(wiring, peers, 0.001)
    peers[1].say("a", rumor(AUTHOR, 1))
    got = settle(wiring, peers)
    assert got[1] == [Prune()]
    assert eager(wiring) == [0, 2]
    assert wiring["a"].snapshot(wiring.now).counters.prunes == 1


def test_duplicates_of_concurrent_messages_prune_as_if_the_lowest_origin_s_were_the_only_one() -> None:
    lower, higher = sorted([AUTHOR, OTHER], key=lambda node: node.key)
    wiring, peers = hub()
    peers[0].say("a", rumor(lower, 1))
    peers[1].say("a", rumor(higher, 1))
    settle(wiring, peers, 0.001)
    peers[1].say("a", rumor(lower, 1))
    peers[0].say("a", rumor(higher, 1))
    settle(wiring, peers)
    assert eager(wiring) == [0, 2]  # if every duplicate pruned, neither of the two links would be left


def test_a_copy_that_was_asked_for_prunes_nothing() -> None:
    wiring, peers = hub(links=2)
    peers[0].say("a", rumor(AUTHOR, 2, 2))
    got = settle(wiring, peers)
    assert any(isinstance(item, Want) for item in got[0])
    peers[1].say("a", rumor(AUTHOR, 1))
    settle(wiring, peers, 0.001)
    peers[0].say("a", rumor(AUTHOR, 1))
    settle(wiring, peers)
    assert eager(wiring) == [0, 1]


def test_an_announced_message_that_does_not_come_is_grafted_from_who_announced_it() -> None:
    wiring, peers = hub()
    for peer in peers:
        peer.say("a", Prune())
    peers[1].say("a", announced(AUTHOR, 1, 2))
    got = settle(wiring, peers, 0.4)
    assert got[1][0] == Graft((Range(AUTHOR.key, 1, 2),))
    assert got[0] == got[2] == []
    assert eager(wiring) == [1]


def test_an_announced_message_that_comes_in_time_is_not_grafted() -> None:
    wiring, peers = hub()
    peers[1].say("a", announced(AUTHOR, 1, 1))
    peers[0].say("a", rumor(AUTHOR, 1))
    got = settle(wiring, peers)
    assert not any(isinstance(item, Graft) for items in got for item in items)


def test_another_announcer_is_asked_when_the_first_does_not_send() -> None:
    wiring, peers = hub()
    for peer in peers:
        peer.say("a", Prune())
    for peer in peers[1:]:
        peer.say("a", announced(AUTHOR, 1, 1))
    got = settle(wiring, peers, 1)
    assert [kinds(items) for items in got] == [[], ["Graft"] * 2, ["Graft"] * 2]


def test_a_message_that_a_later_one_waits_for_is_asked_for_but_not_grafted() -> None:
    wiring, peers = hub(links=2)
    peers[0].say("a", rumor(AUTHOR, 2, 2))
    peers[1].say("a", announced(AUTHOR, 1, 1))
    got = settle(wiring, peers, 0.2)
    assert not any(isinstance(item, Graft) for items in got for item in items)
    assert any(isinstance(item, Want) for item in got[0])


def test_a_graft_brings_the_message_and_makes_the_link_eager() -> None:
    wiring, peers = hub(links=2)
    peers[1].say("a", Prune())
    message = wiring.send("a", "hello")
    settle(wiring, peers)
    got = peers[1].say("a", Graft((Range(message.id.origin.key, 1, 1),)))
    assert kinds(got) == ["Rumor"]
    assert eager(wiring) == [0, 1]


def test_a_grafted_message_is_passed_on() -> None:
    wiring, peers = hub()
    peers[1].say("a", announced(AUTHOR, 1, 1))
    settle(wiring, peers)
    got = peers[1].say("a", rumor(AUTHOR, 1))
    assert got == []
    assert [kinds(items) for items in settle(wiring, peers)] == [["Rumor"], [], ["Rumor"]]


def test_no_stranger_prunes_grafts_or_announces_anything() -> None:
    wiring, peers = hub()
    message = wiring.send("a", "hello")
    settle(wiring, peers)
    stranger = Stranger(wiring, address(9), "forger")
    dot = dot_of(message.id.origin, 1)
    items: list[Item] = [Prune(), announced(AUTHOR, 1, 9), Graft((Range(*dot, 1),)), Distance(dot, 99)]
    for _ in range(3):
        assert not any(isinstance(item, Rumor) for item in stranger.say("a", *items))
    stranger.prove("a")
    got = stranger.say("a", *items)
    assert kinds(got) == ["Rumor"]  # as for a Want
    assert eager(wiring) == [0, 1, 2]
    assert not any(isinstance(item, Graft) for items in settle(wiring, peers) for item in items)


def shortened(wiring: Wiring, peers: list[Stranger], sequence: int, hops: int, far: int) -> list[list[Item]]:
    """What is sent when the first peer pushes a message and the second says it is so far from its origin."""
    peers[0].say("a", rumor(AUTHOR, sequence, sequence)._replace(hops=hops))
    settle(wiring, peers, 0.001)
    peers[1].collect("a")
    return [peers[1].say("a", Distance(dot_of(AUTHOR, sequence), far)), *settle(wiring, peers, 0.1)]


def test_a_path_shorter_by_the_threshold_takes_the_place_of_the_one_that_a_message_came_by() -> None:
    wiring, peers = hub()
    peers[1].say("a", Prune())
    got = shortened(wiring, peers, 1, hops=SHORTCUT + 2, far=2)
    assert got[0] == [Graft(())]
    assert got[1] == [Prune()]
    assert eager(wiring) == [1, 2]


def test_a_path_that_saves_less_changes_nothing() -> None:
    wiring, peers = hub()
    peers[1].say("a", Prune())
    assert shortened(wiring, peers, 1, hops=SHORTCUT + 1, far=2)[:2] == [[], []]
    assert eager(wiring) == [0, 2]


def test_a_neighbour_that_is_much_farther_from_the_origin_is_told_so() -> None:
    wiring, peers = hub()
    peers[1].say("a", Prune())
    assert shortened(wiring, peers, 1, hops=2, far=4 + SHORTCUT)[0] == [Distance(dot_of(AUTHOR, 1), 3)]
    assert eager(wiring) == [0, 2]


def test_paths_change_a_few_times_a_cycle_at_the_most_whatever_a_neighbour_says() -> None:
    wiring, peers = hub()
    for peer in peers:
        peer.say("a", Prune())
    peers[0].say("a", Graft(()))
    shortened(wiring, peers, 1, hops=50, far=0)
    assert eager(wiring) == [1]
    peers.reverse()
    peers[0].say("a", Graft(()))
    peers[1].say("a", Prune())
    assert eager(wiring) == [2]
    assert Graft(()) not in shortened(wiring, peers, 2, hops=50, far=0)[0]
    settle(wiring, peers, 0.3)
    assert Graft(()) in shortened(wiring, peers, 3, hops=50, far=0)[0]


def test_a_distance_of_a_message_that_is_not_here_says_nothing() -> None:
    wiring, peers = hub()
    peers[1].say("a", Prune())
    assert peers[1].say("a", Distance(dot_of(AUTHOR, 7), 0)) == []
    assert eager(wiring) == [0, 2]


def test_a_neighbour_that_announces_what_is_nowhere_keeps_no_other_s_announcements_out() -> None:
    wiring, peers = hub()
    for peer in peers:
        peer.say("a", Prune())
    for number in range(4):
        peers[0].say("a", IHave((Range(number.to_bytes(8), 1, 1 << 48),)))
    missing = wiring["a"]._intake.trees.grafting._missing
    assert len(missing) == MISSING_LIMIT
    shared = next(reversed(missing))
    peers[1].say("a", announced(AUTHOR, 1, 3))
    peers[2].say("a", IHave((Range(*shared, shared[1]), *announced(OTHER, 1, 400).ranges)))
    assert len(missing) == MISSING_LIMIT
    ends = {dot_of(AUTHOR, 1), dot_of(AUTHOR, 3), dot_of(OTHER, 1), dot_of(OTHER, 400)}
    assert {shared, *ends} <= missing.keys()
    assert Graft((Range(AUTHOR.key, 1, 3),)) in settle(wiring, peers, 0.4)[1]


def test_two_neighbours_that_announce_too_much_share_the_room_by_halves() -> None:
    wiring, peers = hub()
    for origin, peer in ((AUTHOR, peers[0]), (OTHER, peers[1])):
        for part in range(4):
            peer.say("a", announced(origin, 512 * part + 1, 512 * part + 512))
    missing = wiring["a"]._intake.trees.grafting._missing
    assert sum(key == AUTHOR.key for key, _ in missing) == MISSING_LIMIT // 2


def test_announcements_of_anything_are_bounded() -> None:
    wiring, peers = hub(links=1)
    machine = wiring["a"]
    huge = IHave(tuple(Range(bytes([number]) * 8, 1, 1 << 48) for number in range(50)))
    for _ in range(3):
        peers[0].say("a", huge)
    missing = machine._intake.trees.grafting._missing
    assert len(missing) == ANNOUNCED_LIMIT
    for number in range(50):
        peers[0].say("a", IHave((Range(number.to_bytes(8), 1, 1 << 48),)))
    assert len(missing) == MISSING_LIMIT
    settle(wiring, peers, 20)
    assert not missing


def test_all_announcements_of_a_datagram_share_one_allowance_and_end_when_there_is_no_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wiring, peers = hub(links=2)
    grafting = wiring["a"]._intake.trees.grafting
    expected, expect = [], grafting.expect

    def counted(dot: KeyDot, source: Address, due_at: float) -> bool:
        expected.append(dot)
        return expect(dot, source, due_at)

    monkeypatch.setattr(grafting, "expect", counted)
    counts = []
    for part in range(6):
        expected.clear()
        wide = [IHave((Range(bytes([number, part]) + bytes(6), 1, 1 << 40),)) for number in range(50)]
        peers[0].say("a", *wide)
        counts.append(len(expected))
    assert counts == [ANNOUNCED_LIMIT, ANNOUNCED_LIMIT, 1, 1, 1, 1]
    assert len(grafting._missing) == MISSING_LIMIT
    expected.clear()
    peers[1].say("a", *[announced(OTHER, number, number) for number in range(1, 41)])
    assert len(expected) == 40
    assert {dot_of(OTHER, number) for number in range(1, 41)} <= grafting._missing.keys()


@pytest.mark.parametrize("seed", range(3))
def test_the_largest_account_is_known_whatever_is_put_on_accounts_and_struck_off(seed: int) -> None:
    dice, accounts = random.Random(seed), Accounts()
    model: dict[Address, list[KeyDot]] = {address(number): [] for number in range(5)}
    for step in range(600):
        holder = dice.choice(list(model))
        if model[holder] and dice.random() < 0.3 + 0.4 * (step // 150 % 2):
            accounts.strike(holder, model[holder].pop(dice.randrange(len(model[holder]))))
        else:
            model[holder].append((bytes(8), step))
            accounts.add(holder, model[holder][-1])
        most = max(map(len, model.values()))
        assert accounts.largest == most
        assert all(accounts.size(one) == len(dots) for one, dots in model.items())
        if most:
            newest = accounts.newest_of_largest()
            assert newest in [dots[-1] for dots in model.values() if len(dots) == most]


def test_announcements_fit_datagrams_whatever_their_numbers() -> None:
    wiring, peers = hub(links=1)
    peers[0].say("a", Prune())
    machine = wiring["a"]
    dots = {(bytes([number]) * 8, (1 << 48) - number) for number in range(QUEUE_LIMIT)}
    for dot in dots:
        machine._intake.trees.announce(dot, 1, address(9), wiring.now, machine._out)
    (items,) = settle(wiring, peers)
    assert {(key, low) for item in items if isinstance(item, IHave) for key, low, _ in item.ranges} == dots


def test_a_message_that_arrives_is_not_waited_for_though_it_was_announced_among_too_many() -> None:
    wiring, peers = hub(links=2)
    peers[0].say("a", IHave((Range(AUTHOR.key, 1, 1 << 48),)))
    for sequence in range(1, 600):
        peers[1].say("a", rumor(AUTHOR, sequence, sequence))
    settle(wiring, peers, 5)
    assert not wiring["a"]._intake.trees.grafting._missing
    assert wiring["a"].snapshot(wiring.now).counters.delivered == 599


def test_dots_become_ranges() -> None:
    dots = [dot_of(OTHER, 3), dot_of(AUTHOR, 2), dot_of(AUTHOR, 1), dot_of(AUTHOR, 4)]
    expected = {Range(AUTHOR.key, 1, 2), Range(AUTHOR.key, 4, 4), Range(OTHER.key, 3, 3)}
    assert set(ranges_of(dots)) == expected
    assert len(ranges_of(dots)) == 3
