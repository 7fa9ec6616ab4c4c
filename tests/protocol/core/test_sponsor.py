"""What a sponsor does for those who ask for its history: made once, and paid for before it is made."""

from __future__ import annotations

from protocol.core.config import Config
from protocol.core.links import REPLY_BURST
from protocol.core.messages import BaselinePage, HistoryRequest, Item, KeyDot
from protocol.core.outbox import Outbox
from protocol.core.sponsor import ENTRY_SIZE, Sponsor

from .wiring import CODEC, Stranger, Wiring, address, node_id, rumor


def asked_by_a_peer(origins: int, name: str = "author") -> tuple[Wiring, Stranger, Sponsor]:
    """A machine that has evicted messages of so many origins, a proven peer, and the sponsor's side."""
    wiring = Wiring(["a"], config=Config(history_limit=1))
    peer = Stranger(wiring, address(9), "peer")
    peer.prove("a")
    previous: tuple[KeyDot, ...] = ()
    for number in range(origins):
        author = node_id(f"{name}{number}")
        peer.say("a", rumor(author, 1, number + 1, previous))
        previous = ((author.key, 1),)
    intake = wiring["a"]._intake
    assert wiring["a"].log.evicted_count == origins - 1
    return wiring, peer, intake.sponsor


def pages_of(items: list[Item]) -> list[BaselinePage]:
    return [item for item in items if isinstance(item, BaselinePage)]


def test_any_number_of_requests_for_one_prefix_cost_one_build() -> None:
    wiring, peer, sponsor = asked_by_a_peer(200)
    for number in range(1, 21):
        wiring.now += 0.1
        pages = pages_of(peer.say("a", HistoryRequest(number, 0)))
        assert {page.round for page in pages} == {number}
        assert sum(len(page.entries) for page in pages) == 199
    assert sponsor.builds == 1


def test_pages_with_long_names_cost_what_they_take() -> None:
    _, peer, _ = asked_by_a_peer(100, name="\N{SNOWMAN}" * 60)
    sent, largest = 0, 0
    for number in range(1, 1_000):
        size = sum(CODEC.pack(item).size for item in peer.say("a", HistoryRequest(number, 0)))
        if not size:
            break
        sent, largest = sent + size, max(largest, size)
    assert largest > 99 * 180
    assert REPLY_BURST // 2 < sent < REPLY_BURST + largest


def test_a_prefix_that_has_changed_is_made_anew() -> None:
    _, peer, sponsor = asked_by_a_peer(50)
    before = pages_of(peer.say("a", HistoryRequest(1, 0)))
    peer.say("a", rumor(node_id("author50"), 1, 51, ((node_id("author49").key, 1),)))
    after = pages_of(peer.say("a", HistoryRequest(2, 0)))
    assert sponsor.builds == 2
    assert sum(len(page.entries) for page in after) == sum(len(page.entries) for page in before) + 1
    assert after[0].version > before[0].version


def test_requests_for_history_beyond_the_budget_cost_nothing_and_are_answered_later() -> None:
    wiring, peer, sponsor = asked_by_a_peer(200)
    answers = [peer.say("a", HistoryRequest(number, 0)) for number in range(1_000)]
    answered = sum(bool(answer) for answer in answers)
    assert 20 < answered < REPLY_BURST // (200 * ENTRY_SIZE) + 1
    assert not any(answers[answered:])
    for number in range(100):  # a prefix that changes all the time is not made for who has used it up
        author = node_id(f"other{number}")
        wiring["a"]._intake._causal.receive(rumor(author, 1, 300 + number), address(8), 0.0, Outbox())
        assert peer.say("a", HistoryRequest(number, 0)) == []
    assert sponsor.builds == 1
    wiring.now += 1
    assert pages_of(peer.say("a", HistoryRequest(1, 0)))
