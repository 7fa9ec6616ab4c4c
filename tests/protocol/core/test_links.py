"""Proof, cookies, routes, round trips and budgets of one node's links."""

from __future__ import annotations

import pytest

from protocol.core.identity import Address
from protocol.core.links import (
    BLIND_PUSH_LIMIT,
    COOKIE_PERIOD,
    LINK_LIMIT,
    PROOF_PERIOD,
    REPLY_BURST,
    REPLY_RATE,
    ROUTE_PERIOD,
    Links,
)
from protocol.core.messages import Header

from .wiring import address, node_id

KEY = node_id("peer").key
PEER = address(1)


def header(cookie: int = 0, offer: int = 0, advertised: Address | None = PEER) -> Header:
    return Header(0, KEY, advertised, cookie, offer)


def proven(now: float = 0.0) -> Links:
    links = Links(b"secret")
    links.heard(PEER, header(links.cookie_for(PEER, now)), 100, now)
    return links


def test_a_cookie_proves_the_address_it_was_made_for_and_no_other() -> None:
    links = Links(b"secret")
    cookie = links.cookie_for(PEER, 0.0)
    links.heard(address(2), header(cookie), 100, 0.0)
    assert not links.is_proven(address(2), 0.0)
    links.heard(PEER, header(cookie), 100, 0.0)
    assert links.is_proven(PEER, 0.0)


def test_cookies_of_another_node_prove_nothing() -> None:
    links = Links(b"secret")
    links.heard(PEER, header(Links(b"another").cookie_for(PEER, 0.0)), 100, 0.0)
    assert not links.is_proven(PEER, 0.0)


@pytest.mark.parametrize(("epochs", "is_good"), [(0, True), (1, True), (2, False), (-1, False)])
def test_a_cookie_is_good_in_its_own_epoch_and_the_next(epochs: int, is_good: bool) -> None:
    links = Links(b"secret")
    cookie = links.cookie_for(PEER, 10 * COOKIE_PERIOD)
    now = (10 + epochs) * COOKIE_PERIOD + 1
    links.heard(PEER, header(cookie), 100, now)
    assert links.is_proven(PEER, now) is is_good


def test_proof_ends_and_is_renewed_by_the_cookie() -> None:
    links = proven()
    assert links.is_proven(PEER, PROOF_PERIOD)
    assert not links.is_proven(PEER, PROOF_PERIOD + 1)
    links.heard(PEER, header(links.cookie_for(PEER, 0.0)), 100, PROOF_PERIOD + 1)
    assert links.is_proven(PEER, PROOF_PERIOD + 1)


def test_nonces_and_cookies_are_never_0_and_nonces_never_repeat() -> None:
    links = Links(b"secret")
    nonces = [links.next_nonce() for _ in range(1_000)]
    assert len(set(nonces)) == 1_000
    assert 0 not in nonces
    assert all(links.cookie_for(address(port), 0.0) for port in range(1_000))


# what may be sent


def test_to_a_stranger_go_as_many_bytes_as_came_and_no_more() -> None:
    links = Links(b"secret")
    links.heard(PEER, header(), 100, 0.0)
    assert links.dial(PEER, 0.0).admit(60, 0.0)
    assert not links.dial(PEER, 0.0).admit(41, 0.0)
    assert links.dial(PEER, 0.0).admit(40, 0.0)
    assert links.room_for(PEER, 1_400) == 0
    links.grant(PEER, 1_000, 0.0)
    assert not links.dial(PEER, 0.0).admit(1, 0.0)


def test_an_address_told_by_others_gets_what_was_granted_and_what_it_sent() -> None:
    links = Links(b"secret")
    links.dial(PEER, 0.0)
    assert not links.dial(PEER, 0.0).admit(1, 0.0)
    links.grant(PEER, 200, 0.0)
    links.heard(PEER, header(), 50, 0.0)
    assert links.dial(PEER, 0.0).admit(250, 0.0)
    assert not links.dial(PEER, 0.0).admit(1, 0.0)


def test_a_proven_address_gets_everything() -> None:
    links = proven()
    assert all(links.dial(PEER, 0.0).admit(1_400, 0.0) for _ in range(1_000))


def test_unasked_messages_to_an_unproven_address_stop_at_the_limit_until_it_proves_itself() -> None:
    links = Links(b"secret")
    pushes = 0
    while links.may_push(PEER, 100, 0.0):
        pushes += 1
        assert links.dial(PEER, 0.0).admit(152, 0.0)
    assert pushes == BLIND_PUSH_LIMIT // 100
    links.heard(PEER, header(links.cookie_for(PEER, 0.0)), 100, 0.0)
    assert links.may_push(PEER, 100, 0.0)


def test_one_source_is_answered_up_to_a_burst_and_a_rate() -> None:
    links = proven()
    link = links.dial(PEER, 0.0)
    assert links.may_reply(link, REPLY_BURST, 0.0)
    assert not links.may_reply(link, 1, 0.0)
    assert links.may_reply(link, REPLY_RATE // 10, 0.1)
    assert not links.may_reply(link, 1_000, 0.1)


def test_work_is_paid_for_before_it_is_done_and_more_than_a_burst_can_be_owed() -> None:
    links = proven()
    link = links.dial(PEER, 0.0)
    assert links.may_ask(link, 3 * REPLY_BURST, 0.0)
    assert not links.may_ask(link, 1, 0.0)
    assert not links.may_reply(link, 1, 0.0)
    later = 2 * REPLY_BURST / REPLY_RATE
    assert not links.may_ask(link, 1, later)
    assert links.may_ask(link, 1, later + 0.1)


# routes


def route(links: Links, now: float) -> Address:
    return links.route(KEY, PEER, now)


def test_a_peer_behind_a_translator_is_reached_at_its_observed_source_while_that_is_fresh() -> None:
    links, outside = Links(b"secret"), Address("203.0.113.1", 4_444)
    links.heard(outside, header(links.cookie_for(outside, 0.0)), 100, 0.0)
    assert route(links, ROUTE_PERIOD) == outside
    assert route(links, ROUTE_PERIOD + 1) == PEER


def test_an_unproven_source_diverts_nothing() -> None:
    links = Links(b"secret")
    links.heard(address(9), header(), 100, 0.0)
    assert route(links, 0.0) == PEER


def test_a_proven_source_that_claims_a_peers_key_diverts_nothing_while_the_peer_is_reached_itself() -> None:
    links = proven()
    links.heard(address(9), header(links.cookie_for(address(9), 0.0)), 100, 0.0)
    assert route(links, 0.0) == PEER


def test_a_peer_heard_from_its_own_address_again_is_reached_there() -> None:
    links, outside = Links(b"secret"), Address("203.0.113.1", 4_444)
    links.heard(outside, header(links.cookie_for(outside, 0.0)), 100, 0.0)
    links.heard(PEER, header(links.cookie_for(PEER, 0.0)), 100, 1.0)
    assert route(links, 1.0) == PEER


# bounds and measurements


def test_links_are_bounded_however_many_addresses_speak_or_are_dialled() -> None:
    links = Links(b"secret")
    for number in range(LINK_LIMIT + 500):
        there = Address(f"10.{number >> 8}.{number & 255}.1", 7_000)
        links.heard(there, header(), 100, 0.0)
        links.dial(Address(there.host, 8_000), 0.0)
    assert len(links._strangers) == len(links._familiar) == LINK_LIMIT


def test_a_flood_of_strangers_does_not_displace_the_proven() -> None:
    links = proven()
    for number in range(LINK_LIMIT + 500):
        links.heard(Address(f"10.{number >> 8}.{number & 255}.1", 7_000), header(), 100, 0.0)
    assert links.is_proven(PEER, 0.0)


def test_round_trips_are_smoothed_and_the_first_counts_whole() -> None:
    links = proven()
    link = links.dial(PEER, 0.0)
    links.note_round_trip(link, 0.4)
    assert (link.round_trip, links.typical_round_trip) == (0.4, 0.4)
    links.note_round_trip(link, 1.2)
    assert link.round_trip == pytest.approx(0.5)
