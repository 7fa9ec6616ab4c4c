from __future__ import annotations

import pytest

from gossip_tui.drawing.line import plain, width_of
from gossip_tui.drawing.sentences import no_messages, no_peers, wrapped
from protocol.core.identity import Address
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.samples import snapshot


def test_an_empty_view_says_how_to_find_peers_and_be_found() -> None:
    sentence = no_peers(snapshot(()))
    assert sentence.startswith("No peer yet: run gossip-tui in another terminal, or /join HOST:PORT")
    assert "127.0.0.1:8001" in sentence


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_node_on_every_interface_does_not_offer_an_address_that_nobody_can_join(host: str) -> None:
    sentence = no_peers(snapshot((), address=Address(host, 7150)))
    assert "/join THIS-MACHINE:7150, with the address of this machine (--advertise names it)" in sentence
    assert host not in sentence


def test_a_node_that_left_says_how_to_start_again() -> None:
    assert no_peers(snapshot((), left=True)) == "This node has left. /join HOST:PORT starts it again."


def test_a_filter_that_matches_nothing_is_named() -> None:
    assert "from:p2" in no_messages(filter_text="from:p2")
    assert "filter" not in no_messages(filter_text="")


def test_sentences_are_wrapped_within_the_pane() -> None:
    lines = wrapped(no_messages(filter_text=""), 30)
    assert len(lines) > 1
    assert all(width_of(line) <= 30 for line in lines)


def test_wide_letters_are_counted_in_cells() -> None:
    sentence = no_messages(filter_text="早安" * 12)
    lines = wrapped(sentence, 30)
    assert all(width_of(line) <= 30 for line in lines)
    assert "".join(map(plain, lines)).replace(" ", "") == sentence.replace(" ", "")


def test_hostile_parts_of_a_sentence_are_harmless() -> None:
    for text in HOSTILE:
        assert_harmless(no_messages(filter_text=text))
        assert_harmless("".join(map(plain, wrapped(no_peers(snapshot((), address=Address(text, 1))), 40))))
