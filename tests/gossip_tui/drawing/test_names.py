from __future__ import annotations

import pytest

from gossip_tui.drawing import names as names_module
from gossip_tui.drawing.mentions import mentions
from gossip_tui.drawing.names import Names, role_of_origin
from protocol.core.identity import Dot, NodeId
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.samples import node_id


def test_a_name_stands_alone_while_one_node_has_it() -> None:
    names = Names()
    assert names.learn([node_id("p1"), node_id("p2")]) is False
    assert names.label(node_id("p2")) == "p2"
    assert names.dot(Dot(node_id("p2"), 7)) == "p2#7"


def test_two_nodes_of_one_name_are_told_apart_from_then_on() -> None:
    names = Names()
    names.learn([node_id("p1", 1)])
    assert names.label(node_id("p1", 1)) == "p1"
    assert names.learn([node_id("p1", 2)]) is True
    labels = {names.label(node_id("p1", 1)), names.label(node_id("p1", 2))}
    assert len(labels) == 2
    assert all(label.startswith("p1~") for label in labels)


def test_learning_a_known_node_again_changes_nothing() -> None:
    names = Names()
    names.learn([node_id("p1", 1), node_id("p1", 2)])
    assert names.learn([node_id("p1", 1), node_id("p1", 2)]) is False


def test_a_hostile_name_comes_out_harmless() -> None:
    names = Names()
    for text in HOSTILE:
        assert_harmless(names.label(NodeId(text, 1)))
        role_of_origin(text)


def test_the_colour_of_a_name_is_the_same_in_every_run() -> None:
    roles = [role_of_origin(f"p{number}") for number in range(1, 6)]
    assert roles == ["origin-3", "origin-1", "origin-7", "origin-4", "origin-2"]


def test_a_name_is_mentioned_only_as_a_word_of_its_own() -> None:
    for text in ("p1", "p1: hi", "hello P1!", "(@p1)", "is p1, or p2", "...p1?"):
        assert mentions(text, "p1"), text
    for text in ("p10", "up1", "p1-2", "host-p1", "", "p 1", "p1_x"):
        assert not mentions(text, "p1"), text


def test_a_name_of_pattern_characters_is_no_pattern() -> None:
    assert mentions("ask (.*)+ again", "(.*)+")
    assert not mentions("anything", "(.*)+")


def test_names_of_ever_new_nodes_are_forgotten_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names_module, "KNOWN_LIMIT", 8)
    names = Names()
    for number in range(100):
        node = NodeId("ada", number)
        names.learn([node])
        names.label(node)
    assert len(names._known) <= 8
    assert len(names._labels) <= 9
    assert len(names._twins["ada"]) == len(names._known)
    assert names.label(NodeId("ada", 99)) == NodeId("ada", 99).label
