"""The records of ``tail --json``: their shape, their names, and that no line can harm a terminal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gossip_tui.jsonlines import (
    encode,
    event_record,
    message_record,
    ready_record,
    status_record,
    view_record,
)
from protocol import Address, Descriptor, Dot, Message, NodeId, PeerLost, PeerSeen, ViewChanged
from protocol.core.derived import DerivedClock
from protocol.core.events import DatagramRejected, Gap, Lagged, Undeliverable
from protocol.core.snapshot import HeldMessage
from tests.gossip_tui.samples import snapshot

P1, P2 = NodeId("p1", 1 << 16), NodeId("p2", 2 << 16)
P1_AGAIN = NodeId("p1", 3 << 16)
HERE = Address("127.0.0.1", 7117)


def made(origin: NodeId, sequence: int, payload: bytes = b"hi", *parents: Message) -> Message:
    sources = tuple(parent._derived for parent in parents)
    return Message(
        Dot(origin, sequence),
        payload,
        parents=tuple(parent.id for parent in parents),
        depth=1 + max((parent.depth for parent in parents), default=0),
        derived=DerivedClock(origin, sequence, sources),
        created_at=1.0,
        delivered_at=2.5,
        hops=2,
    )


def test_a_message_has_exactly_the_documented_keys() -> None:
    first = made(P2, 1)
    assert message_record(made(P1, 1, b"hello", first)) == {
        "type": "message",
        "at": 2.5,
        "id": "p1#1",
        "origin": "p1",
        "origin_id": P1.label,
        "seq": 1,
        "text": "hello",
        "clock": {"p1": 1, "p2": 1},
        "parents": ["p2#1"],
        "depth": 2,
        "hops": 2,
        "from_history": False,
        "late": False,
    }


def test_a_status_has_exactly_the_documented_keys() -> None:
    waiting = HeldMessage(Dot(P1, 2), "hi", 3, 1.0, 2.0, (Dot(P2, 1),))
    picture = snapshot(held=(waiting,), held_count=1, behind=4, caught_up=3, catching_up=True, unanswered=2)
    assert status_record(picture, 2.5) == {
        "type": "status",
        "at": 2.5,
        "held": 1,
        "waits_for": [f"{P2.label}#1"],
        "catching_up": True,
        "caught_up": 3,
        "behind": 4,
        "unanswered": 2,
    }


def test_names_carry_a_tag_where_two_of_one_name_are_in_the_clock() -> None:
    record = message_record(made(P1_AGAIN, 1, b"x", made(P1, 1)))
    assert record["id"] == f"{P1_AGAIN.label}#1"
    assert record["origin"] == P1_AGAIN.label
    assert record["parents"] == [f"{P1.label}#1"]
    assert record["clock"] == {P1.label: 1, P1_AGAIN.label: 1}


def test_the_implicit_predecessor_is_among_the_parents() -> None:
    first = made(P1, 1)
    assert message_record(made(P1, 2, b"x", first))["parents"] == ["p1#1"]


def test_a_payload_that_is_not_utf8_travels_in_base64_and_whole() -> None:
    record = message_record(made(P1, 1, b"\xff\x00"))
    assert record["payload_base64"] == "/wA="
    assert "text" not in record


def test_an_empty_payload_is_an_empty_text() -> None:
    assert message_record(made(P1, 1, b""))["text"] == ""


def test_ready_says_name_address_and_label() -> None:
    record = ready_record(P1, HERE, 7.0)
    assert record == {"type": "ready", "at": 7.0, "name": "p1", "address": "127.0.0.1:7117", "id": P1.label}


def test_the_view_is_sorted_by_age_and_tells_two_of_one_name_apart() -> None:
    view = [Descriptor(P1, HERE, 3), Descriptor(P1_AGAIN, HERE, 1), Descriptor(P2, HERE, 0)]
    names = [row["name"] for row in view_record(view, 7.0)["view"]]
    assert names == ["p2", P1_AGAIN.label, P1.label]


@pytest.mark.parametrize(
    ("event", "rest"),
    [
        (PeerSeen(P1, HERE), {"type": "peer_seen", "name": "p1", "address": str(HERE), "id": P1.label}),
        (
            PeerLost(P1, HERE, left=True),
            {"type": "peer_lost", "name": "p1", "address": str(HERE), "id": P1.label, "left": True},
        ),
        (Gap(3), {"type": "gap", "size": 3}),
        (Lagged(4), {"type": "lagged", "missed": 4}),
        (
            DatagramRejected(HERE, "version"),
            {"type": "rejected", "source": str(HERE), "reason": "version", "count": 1},
        ),
        (
            Undeliverable(Dot(P1, 2), (Dot(P2, 1),)),
            {"type": "undeliverable", "id": f"{P1.label}#2", "waits_for": [f"{P2.label}#1"]},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_event_has_its_record(event: PeerSeen, rest: dict[str, object]) -> None:
    assert event_record(event, 9.0) == {"at": 9.0, **rest}


def test_an_event_with_a_record_of_its_own_has_none_here() -> None:
    assert event_record(ViewChanged((), ()), 9.0) is None


@given(st.text() | st.text(alphabet="\x00\x07\x1b\x7f\x85\x9b\u2028\u202e\u200b\U000e0041\n\r[]"))
def test_a_line_is_safe_for_a_terminal_and_loses_nothing(text: str) -> None:
    line = encode({"text": text})
    assert json.loads(line) == {"text": text}
    assert line.isprintable()
    assert len(line.splitlines()) == 1


def test_what_people_can_read_stays_readable() -> None:
    assert encode({"text": "naïve 日本"}) == '{"text":"naïve 日本"}'
