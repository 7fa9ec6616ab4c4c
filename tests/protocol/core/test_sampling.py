"""Exchanges of views: who is asked, who answers, who is lost, found again, restarted or gone."""

from __future__ import annotations

from collections import Counter

import pytest

from protocol.core.config import Config
from protocol.core.dials import CONTACT_LIMIT, LONGEST_REDIAL, LOST_LIMIT
from protocol.core.events import PeerLost, PeerSeen
from protocol.core.identity import Address, NodeId
from protocol.core.messages import Digest, ExchangeAnswer, ExchangeRequest, Goodbye, Padding
from protocol.core.sampling import TOLD_LIMIT
from protocol.core.snapshot import PeerState
from protocol.core.strategy import PRESETS
from protocol.core.view import Descriptor
from protocol.sim import Faults, SimulatedNode, Simulation

from .wiring import CODEC, Stranger, Wiring, address, node_id

STRATEGIES = [
    *PRESETS,
    *(f"({peer}, {way}, {kept})" for peer in ("rand", "head", "tail") for way in ("push", "pull", "push-pull")
      for kept in ("rand", "head", "tail")),
]  # fmt: skip


def names(wiring: Wiring, name: str) -> set[str]:
    return {descriptor.id.name for descriptor in wiring[name].view()}


def knows(node: SimulatedNode, other: SimulatedNode) -> bool:
    return any(descriptor.id == other.id for descriptor in node.current_view())


# finding each other


def test_after_join_both_have_each_other_in_view() -> None:
    wiring = Wiring()
    wiring.join("b", "a")
    assert (names(wiring, "a"), names(wiring, "b")) == ({"b"}, {"a"})
    assert [event.id.name for event in wiring.told("a", PeerSeen) if isinstance(event, PeerSeen)] == ["b"]


def test_joining_nobody_waits_to_be_found() -> None:
    wiring = Wiring()
    wiring.run(10)
    assert wiring.sent == []
    wiring.join("b", "a")
    assert names(wiring, "a") == {"b"}


def test_a_contact_that_is_not_up_yet_is_dialled_until_it_is() -> None:
    wiring = Wiring(["a"])
    wiring["a"].join([address(5)], 0.0)
    wiring.run(200)
    wiring.add("late", address(5))
    wiring.run(LONGEST_REDIAL + 1)
    assert names(wiring, "a") == {"late"}


def test_the_own_address_as_contact_is_never_dialled() -> None:
    wiring = Wiring(["a"])
    wiring["a"].join([address(0)], 0.0)
    wiring.run(10)
    assert wiring.sent == []


def test_a_contact_that_turns_out_to_be_the_node_itself_is_dialled_once() -> None:
    wiring = Wiring(["a"])
    outside = Address("198.51.100.7", 7_000)
    wiring.by_address[outside] = "a"
    wiring["a"].join([outside], 0.0)
    wiring.run(60)
    assert len(wiring.sent) == 1
    assert wiring["a"].snapshot(0.0).rejected == {"own": 1}
    assert wiring.reasons("a") == []
    assert wiring["a"].view() == ()


def test_a_forged_datagram_under_the_own_key_forgets_no_contact() -> None:
    wiring = Wiring(["a"])
    wiring["a"].join([address(5)], 0.0)
    forger = Stranger(wiring, address(5))
    forger.id = wiring["a"].id
    forger.say("a", forger.request())
    assert wiring["a"].snapshot(0.0).rejected == {"own": 1}
    assert wiring.reasons("a") == []
    wiring.add("late", address(5))
    wiring.run(10)
    assert names(wiring, "a") == {"late"}


def test_an_added_address_is_tried_a_few_times_and_forgotten() -> None:
    wiring = Wiring(["a"])
    wiring["a"].add([address(5)], 0.0)
    wiring.run(100)
    assert 2 <= len(wiring.sent) <= 4
    wiring.sent.clear()
    wiring.run(100)
    assert wiring.sent == []


def test_contacts_are_bounded() -> None:
    wiring = Wiring(["a"])
    wiring["a"].join([Address("10.1.0.1", port) for port in range(1, 2_000)], 0.0)
    assert len(wiring["a"]._sampling.dials.contacts) == CONTACT_LIMIT


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_with_every_strategy_two_nodes_find_each_other_and_talk(strategy: str) -> None:
    wiring = Wiring(config=Config(strategy=strategy))
    wiring.join("b", "a")
    wiring.run(3)
    wiring.send("a", "ping")
    wiring.send("b", "pong")
    wiring.run(8)
    assert sorted(wiring.texts("a")) == sorted(wiring.texts("b")) == ["ping", "pong"]


@pytest.mark.parametrize("view_size", [2, 3])
@pytest.mark.parametrize("nodes", [3, 5])
@pytest.mark.parametrize(
    "strategy", ["default", "healer", "(rand, push, rand)", "(rand, pull, head)", "swapper"]
)
def test_with_the_smallest_views_a_few_nodes_talk(strategy: str, nodes: int, view_size: int) -> None:
    config = Config(
        strategy=strategy if view_size > 2 or strategy != "default" else "blind", view_size=view_size
    )
    simulation = Simulation(nodes, seed=1, config=config, start="star")
    simulation.run_for(5)
    for node in simulation.nodes:
        node.send_gossip(f"from {node.id.name}")
    simulation.run_until(lambda: all(len(n.delivered) == nodes for n in simulation.nodes), limit=60)
    for node in simulation.nodes:
        node.machine.check()


def test_a_star_dissolves_although_everybody_keeps_its_centre_as_contact() -> None:
    simulation = Simulation(60, seed=1, config=Config(view_size=10), start="star")
    simulation.run_for(60)
    served = simulation.nodes[0].snapshot().counters.exchanges_served
    simulation.run_for(20)
    degrees = Counter(d.id for node in simulation.nodes for d in node.current_view())
    assert degrees[simulation.nodes[0].id] <= 20
    assert simulation.nodes[0].snapshot().counters.exchanges_served - served <= 60


# failures


def test_a_silent_peer_leaves_the_view_after_the_time_out_and_is_told_once() -> None:
    wiring = Wiring()
    wiring.join("b", "a")
    wiring.passes = lambda _source, _datagram: False
    wiring.run(5)
    assert names(wiring, "a") == set()
    lost = [event for event in wiring.told("a", PeerLost) if isinstance(event, PeerLost)]
    assert [(event.id.name, event.left) for event in lost] == [("b", False)]
    states = {row.id.name: row.state for row in wiring["a"].snapshot(wiring.now).peers}
    assert states == {"b": PeerState.LOST}


def test_one_lost_datagram_costs_nobody_a_place_in_the_view() -> None:
    wiring = Wiring()
    wiring.join("b", "a")
    wiring.run(3)
    dropped: list[int] = []

    def drop_one(_source: Address, _datagram: object) -> bool:
        dropped.append(1)
        return len(dropped) > 1

    wiring.passes = drop_one
    wiring.run(5)
    assert dropped
    assert wiring.told("a", PeerLost) + wiring.told("b", PeerLost) == []


def test_a_lost_peer_is_found_again_when_the_path_is_back() -> None:
    wiring = Wiring()
    wiring.join("b", "a")
    wiring.passes = lambda _source, _datagram: False
    wiring.run(60)
    assert names(wiring, "a") | names(wiring, "b") == set()
    wiring.passes = lambda _source, _datagram: True
    wiring.run(6)
    assert (names(wiring, "a"), names(wiring, "b")) == ({"b"}, {"a"})


def test_a_late_answer_brings_a_lost_peer_back() -> None:
    wiring = Wiring(["a"])
    slow = Stranger(wiring, address(9), "slow")
    wiring["a"].introduce([Descriptor(slow.id, slow.address, 0)])
    wiring.run(1)
    requests = [d for _, d in wiring.sent if d.target == slow.address]
    wiring.run(3)
    assert names(wiring, "a") == set()
    request = next(i for i in CODEC.parse(requests[0].data).items if isinstance(i, ExchangeRequest))
    slow.say("a", slow.answer(request))
    assert names(wiring, "a") == {"slow"}
    assert not wiring["a"]._sampling.dials.lost


def test_an_answer_that_nobody_asked_for_is_refused() -> None:
    wiring = Wiring(["a"])
    stranger = Stranger(wiring, address(9))
    stranger.say("a", ExchangeAnswer(12_345, stranger.id, (), Digest((), 0, 0, 0)))
    assert wiring.reasons("a") == ["unasked"]
    assert wiring["a"].view() == ()


def test_many_lost_peers_do_not_keep_a_lonely_node_from_its_contacts() -> None:
    config = Config(view_size=60, strategy="blind")
    wiring = Wiring(["a"], config=config)
    gone = [Descriptor(node_id(f"gone{n}"), Address("10.9.0.1", 1_000 + n), 0) for n in range(60)]
    wiring["a"].introduce(gone)
    wiring["a"].join([address(5)], 0.0)
    wiring.run(150)
    assert names(wiring, "a") == set()
    assert len(wiring["a"]._sampling.dials.lost) <= LOST_LIMIT
    wiring.add("contact", address(5), config=config)
    wiring.run(20)
    assert names(wiring, "a") == {"contact"}


@pytest.mark.parametrize("seed", [1, 2])
def test_a_partition_heals_though_no_view_holds_anybody_of_the_other_side(seed: int) -> None:
    simulation = Simulation(16, seed=seed, config=Config(view_size=8))
    simulation.run_for(10)
    simulation.partition(range(8))
    simulation.run_for(200)
    left, right = simulation.nodes[:8], simulation.nodes[8:]
    assert not any(knows(one, other) for one in left for other in right)
    assert not any(knows(other, one) for one in left for other in right)
    simulation.heal()
    simulation.run_for(LONGEST_REDIAL + 10)
    assert any(knows(one, other) for one in left for other in right)
    assert any(knows(other, one) for one in left for other in right)


def test_a_frozen_node_is_lost_and_found_again_after_it_thaws() -> None:
    simulation = Simulation(6, seed=3)
    simulation.run_for(5)
    frozen = simulation.nodes[2]
    simulation.freeze(2)
    simulation.run_for(40)
    assert not any(knows(node, frozen) for node in simulation.nodes)
    simulation.thaw(2)
    simulation.run_for(15)
    assert sum(knows(node, frozen) for node in simulation.nodes) == 5


def test_a_crashed_node_is_gone_from_all_views_within_a_few_cycles() -> None:
    simulation = Simulation(10, seed=4)
    simulation.run_for(5)
    simulation.crash(7)
    simulation.run_for(15)
    assert not any(knows(node, simulation.nodes[7]) for node in simulation.nodes[:7])


def test_who_wakes_late_does_not_blame_its_peers() -> None:
    wiring = Wiring()
    wiring.join("b", "a")
    wiring.run(3)
    wiring["a"].handle_deadline(wiring.now + 1)
    wiring.settle()
    wiring.passes = lambda _source, _datagram: False
    wiring["a"].handle_deadline(wiring.now + 2)
    late = wiring.now + 1_000
    wiring["a"].handle_deadline(late)
    assert names(wiring, "a") == {"b"}


# restarts, goodbyes, names


def test_a_restarted_peer_at_the_same_address_replaces_its_former_self() -> None:
    wiring = Wiring(["a", "b", "c"])
    wiring.join("b", "a")
    wiring.join("c", "a")
    wiring.run(3)
    wiring.add("b", address(1), identity=node_id("b", 2))
    wiring.join("b", "a")
    wiring.run(20)
    for name in ("a", "c"):
        assert [d.id for d in wiring[name].view() if d.id.name == "b"] == [NodeId("b", 2)]


def test_two_nodes_of_one_name_are_two_peers() -> None:
    wiring = Wiring(["a", "b"])
    wiring.add("other b", address(7), identity=node_id("b", 2))
    wiring.join("b", "a")
    wiring.join("other b", "a")
    wiring.run(10)
    assert sorted(d.id for d in wiring["a"].view()) == [NodeId("b", 1), NodeId("b", 2)]
    assert {d.id for d in wiring["b"].view()} >= {NodeId("b", 2)}


def test_a_goodbye_takes_the_leaver_out_of_all_views_for_good() -> None:
    wiring = Wiring(["a", "b", "c"])
    wiring.join("b", "a")
    wiring.join("c", "a")
    wiring.run(10)
    wiring["b"].leave(wiring.now)
    wiring.settle()
    assert names(wiring, "a") == {"c"}
    assert names(wiring, "c") == {"a"}
    wiring.run(20)
    assert names(wiring, "a") == {"c"}
    lost = [event for event in wiring.told("a", PeerLost) if isinstance(event, PeerLost)]
    assert [(event.id.name, event.left) for event in lost] == [("b", True)]


def test_old_descriptors_do_not_bring_a_leaver_back() -> None:
    wiring = Wiring(["a", "b"])
    wiring.join("b", "a")
    wiring.run(3)
    left = wiring["b"].id
    wiring["b"].leave(wiring.now)
    wiring.settle()
    friend = Stranger(wiring, address(9), "friend")
    friend.prove("a")
    friend.say("a", friend.request(8, descriptors=[Descriptor(left, address(1), 0)]))
    assert names(wiring, "a") == {"friend"}


def test_nobody_is_told_of_an_asker_before_it_has_proven_its_address() -> None:
    wiring = Wiring(["a"])
    victim = Stranger(wiring, address(9), "victim")
    victim.say("a", victim.request(descriptors=[Descriptor(node_id("other"), address(10), 0)]))
    wiring.run(10)
    assert not wiring["a"].view()
    assert not wiring.told("a", PeerSeen)
    asker = Stranger(wiring, address(11), "asker")
    asker.say("a", asker.request(), Padding(900))
    asker.cookie = CODEC.parse(asker.received[-1]).header.offer
    asker.say("a")
    assert names(wiring, "a") == {"asker"}


@pytest.mark.parametrize("is_proven", [False, True])
def test_a_goodbye_from_another_address_is_not_believed(is_proven: bool) -> None:
    wiring = Wiring(["a", "b"])
    wiring.join("b", "a")
    wiring.run(3)
    forger = Stranger(wiring, address(9), "forger")
    if is_proven:
        forger.prove("a")
    forger.id = wiring["b"].id
    forger.say("a", Goodbye(wiring["b"].id))
    assert "b" in names(wiring, "a")


def test_a_delayed_request_of_a_leaver_forgets_no_contact() -> None:
    wiring = Wiring(["a", "b"])
    wiring.join("a", "b")
    wiring.run(3)
    ghost = Stranger(wiring, address(1), "b")
    wiring["b"].leave(wiring.now)
    wiring.settle()
    ghost.say("a", ghost.request())
    wiring.add("b", address(1), identity=node_id("b", 2))
    wiring.run(200)
    assert [d.id for d in wiring["a"].view()] == [NodeId("b", 2)]


def test_clusters_ignore_each_other() -> None:
    wiring = Wiring(["a"], config=Config(cluster="red"))
    wiring.add("b", address(1), config=Config(cluster="blue"))
    wiring.join("b", "a")
    wiring.run(5)
    assert wiring["a"].view() == wiring["b"].view() == ()
    assert set(wiring.reasons("a")) == {"cluster"}


# heavy weather


def test_two_nodes_stay_together_at_30_percent_loss() -> None:
    simulation = Simulation(2, seed=5, start="star", faults=Faults(loss=0.3))
    simulation.run_for(60)
    for number in range(20):
        simulation.nodes[number % 2].send_gossip(str(number))
        simulation.run_for(1)
    simulation.run_until(lambda: all(len(n.delivered) == 20 for n in simulation.nodes), limit=60)


def test_at_50_percent_loss_twenty_nodes_are_complete_in_the_end() -> None:
    simulation = Simulation(20, seed=6, faults=Faults(loss=0.5))
    for number in range(40):
        simulation.nodes[number % 20].send_gossip(str(number))
        simulation.run_for(0.1)
    for _ in range(60):
        simulation.run_for(2)
        if all(len(node.delivered) == 40 for node in simulation.nodes):
            return
    raise AssertionError([len(node.delivered) for node in simulation.nodes])


def told(wiring: Wiring, name: str) -> dict[str, set[str]]:
    snapshot = wiring[name].snapshot(wiring.now, told=True)
    return {one.id.name: {descriptor.id.name for descriptor in one.descriptors} for one in snapshot.told}


def test_what_peers_told_of_their_views_is_in_the_picture_only_when_it_is_asked_for() -> None:
    wiring = Wiring(["a", "b", "c"])
    wiring.join("b", "c")
    wiring.run(5)
    wiring.join("a", "b")
    wiring.run(5)
    assert wiring["a"].snapshot(wiring.now).told == ()
    assert set(told(wiring, "a")) == {"b", "c"}
    assert all(whom <= {"a", "b", "c"} - {who} for who, whom in told(wiring, "a").items())


def test_a_leaver_takes_what_it_told_along() -> None:
    wiring = Wiring(["a", "b"])
    wiring.join("a", "b")
    wiring.run(5)
    assert set(told(wiring, "a")) == {"b"}
    wiring["b"].leave(wiring.now)
    wiring.run(2)
    assert told(wiring, "a") == {}


def test_of_so_many_peers_what_they_told_is_remembered_and_of_none_where_nobody_watches() -> None:
    wiring = Wiring(["a"])
    sampling, out = wiring["a"]._sampling, wiring["a"]._out
    for number in range(TOLD_LIMIT + 10):
        sampling._remember(node_id(f"n{number}"), (), 0.0, out)
    assert len(sampling.told) == TOLD_LIMIT
    sampling.told.clear()
    wiring["a"].be_terse()
    sampling._remember(node_id("n1"), (), 0.0, out)
    assert sampling.told == {}
