"""Messages, history and overlay as other programs read them."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from gossip_tui.exports.formats import ExportError, Format, lines_of, name_for, new_file
from gossip_tui.exports.history import History, Lane, history_of, labels_for
from gossip_tui.exports.messages import csv_lines, json_lines
from gossip_tui.exports.overlay import dot_lines
from gossip_tui.exports.shiviz import EXPRESSION, shiviz_lines
from gossip_tui.jsonlines import message_record
from gossip_tui.recording.limits import RecordingError
from protocol.core.identity import NodeId
from protocol.core.messages import Message
from protocol.sim import Simulation
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.memory import MemoryNode
from tests.gossip_tui.recording.tapes import story, taped
from tests.gossip_tui.samples import NOON, Talk, address, many_messages, node_id, peer_row, snapshot

from .shiviz_rules import Parsed, parse_shiviz

# Messages.


def test_json_lines_have_the_keys_of_tail() -> None:
    messages = [*many_messages(3), Talk().say("p9", b"\xff")]
    lines = "".join(json_lines(messages)).splitlines()
    assert [json.loads(line) for line in lines] == [message_record(message) for message in messages]


def rows_of(messages: Sequence[Message]) -> list[list[str]]:
    text = "".join(csv_lines(messages))
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("chosen", [Format.JSONL, Format.CSV])
def test_messages_are_exported_without_the_work_that_a_history_is(chosen: Format) -> None:
    def history() -> History:
        raise AssertionError("nobody needs it")

    assert "hello" in "".join(lines_of(chosen, [Talk().say("p2", "hello")], history))


def test_csv_has_a_row_for_each_message_under_the_names_of_the_columns() -> None:
    talk = Talk()
    first = talk.say("p2", 'say "hi", all')
    heads, *rows = rows_of([first, talk.say("p1", "well", first, hops=2, late=True)])
    assert [dict(zip(heads, row, strict=True)) for row in rows] == [
        {
            "at": repr(NOON),
            "id": "p2#1",
            "origin": "p2",
            "origin_id": node_id("p2").label,
            "seq": "1",
            "text": 'say "hi", all',
            "clock": "{p2:1}",
            "parents": "",
            "depth": "1",
            "hops": "0",
            "from_history": "false",
            "late": "false",
        },
        {
            "at": repr(NOON + 1),
            "id": "p1#1",
            "origin": "p1",
            "origin_id": node_id("p1").label,
            "seq": "1",
            "text": "well",
            "clock": "{p1:1 p2:1}",
            "parents": "p2#1",
            "depth": "2",
            "hops": "2",
            "from_history": "false",
            "late": "true",
        },
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_csv_is_calculated(text: str) -> None:
    _, row = rows_of([Talk().say(text.strip() or "p", text)])
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_exported_harms_a_terminal(text: str) -> None:
    message = Talk().say("p2", text.encode("utf-8", "replace"))
    history = History((Lane(node_id("p1"), [message]),), (snapshot(),))
    assert_harmless("".join(json_lines([message])).removesuffix("\n"))
    assert_harmless("".join(csv_lines([message])).replace("\r\n", ""))
    assert_harmless("".join(shiviz_lines(history)).replace("\n", ""))
    parse_shiviz("".join(shiviz_lines(history)))


# ShiViz.


def shiviz_of(*lanes: Lane) -> list[Parsed]:
    return parse_shiviz("".join(shiviz_lines(History(lanes, ()))))


def test_a_swarm_is_a_log_of_all_sends_and_deliveries() -> None:
    talk = Talk()
    hello = talk.say("p1", "hello")
    answer = talk.say("p2", "answer", hello)
    assert shiviz_of(Lane(node_id("p1"), [hello, answer]), Lane(node_id("p2"), [hello, answer])) == [
        Parsed("p1", {"p1": 1}, "sends p1#1 hello"),
        Parsed("p2", {"p2": 1, "p1": 1}, "delivers p1#1 hello"),
        Parsed("p2", {"p2": 2, "p1": 1}, "sends p2#1 answer"),
        Parsed("p1", {"p1": 2, "p2": 2}, "delivers p2#1 answer"),
    ]


def test_one_node_shows_its_own_events_and_what_others_are_known_to_have_sent() -> None:
    talk = Talk()
    first = talk.say("p2", "one")
    second = talk.say("p3", "two", first)
    own = talk.say("p1", "three", second)
    assert shiviz_of(Lane(node_id("p1"), [first, second, own])) == [
        Parsed("p2", {"p2": 1}, "sends p2#1 one"),
        Parsed("p3", {"p3": 1, "p2": 1}, "sends p3#1 two"),
        Parsed("p1", {"p1": 1, "p2": 1}, "delivers p2#1 one"),
        Parsed("p1", {"p1": 2, "p2": 1, "p3": 1}, "delivers p3#1 two"),
        Parsed("p1", {"p1": 3, "p2": 1, "p3": 1}, "sends p1#1 three"),
    ]


def test_a_log_that_starts_in_the_middle_counts_from_one_all_the_same() -> None:
    messages = many_messages(60)
    events = shiviz_of(Lane(node_id("p1"), messages[20:]))
    assert min(event.clock[event.host] for event in events) == 1


def test_a_simulated_network_gives_a_log_that_shiviz_takes() -> None:
    simulation = Simulation(6, seed=5)
    rng = random.Random(5)
    for number in range(40):
        simulation.nodes[rng.randrange(6)].send_gossip(f"message {number} {{x:1}}")
        simulation.run_for(0.05)
    simulation.run_for(5.0)
    lanes = [Lane(node.id, list(node.log)) for node in simulation.nodes]
    assert all(len(lane.messages) == 40 for lane in lanes)
    events = shiviz_of(*lanes)
    assert len(events) == 6 * 40
    sends = {event.event.split()[1]: event for event in events if event.event.startswith("sends")}
    clocks = {f"{message.id.origin.name}#{message.id.sequence}": message for message in lanes[0].messages}
    for name, event in sends.items():
        for other, sent in sends.items():
            before = name != other and event.clock.get(sent.host, 0) >= sent.clock[sent.host]
            assert before == clocks[other].happened_before(clocks[name])


def test_names_that_mean_something_to_javascript_have_their_tag() -> None:
    talk = Talk()
    events = shiviz_of(
        Lane(node_id("__proto__"), [talk.say("hasOwnProperty", "x"), talk.say("__proto__", "y")])
    )
    assert {event.host for event in events} == {node_id("__proto__").label, node_id("hasOwnProperty").label}


def test_namesakes_are_told_apart() -> None:
    talk = Talk()
    other = node_id("p1", 7)
    events = shiviz_of(Lane(node_id("p1"), [talk.say(other, "x")]))
    assert {event.host for event in events} == {node_id("p1").label, other.label}


def test_messages_that_cause_each_other_do_not_hang_it() -> None:
    talk = Talk()
    a, b = talk.say("a", "x"), talk.say("b", "y")
    ring = [
        Message(
            one.id,
            one.payload,
            parents=(other.id,),
            depth=1,
            derived=one._derived,
            created_at=0.0,
            delivered_at=0.0,
        )
        for one, other in ((a, b), (b, a))
    ]
    assert len(shiviz_of(Lane(node_id("p1"), ring))) == 4


def test_the_expression_stands_in_the_header() -> None:
    assert "".join(shiviz_lines(History((), ()))) == EXPRESSION + "\n\n"


# The overlay.


def test_an_overlay_is_a_graph_of_what_is_known() -> None:
    picture = snapshot(peers=(peer_row(5, age=3), peer_row(2, age=0)))
    assert "".join(dot_lines(History((), (picture,)))) == (
        "digraph overlay {\n"
        '  graph [label="partial views seen from p1"];\n'
        "  node [shape=circle];\n"
        '  "p1" [shape=doublecircle];\n'
        '  "p2";\n'
        '  "p5";\n'
        '  "p1" -> "p2" [label=0];\n'
        '  "p1" -> "p5" [label=3];\n'
        "}\n"
    )


def test_a_swarm_is_drawn_whole() -> None:
    pictures = [snapshot(id=node_id(f"n{number}"), address=address(number), peers=()) for number in range(5)]
    text = "".join(dot_lines(History((), tuple(pictures))))
    assert 'label="partial views seen from n0, n1, n2 and 2 more"' in text
    assert text.count("doublecircle") == 5


@pytest.mark.parametrize("name", ['a"b', "a\\", '"];x->y;"', "[/]"])
def test_names_do_not_break_out_of_the_graph(name: str) -> None:
    text = "".join(dot_lines(History((), (snapshot(id=NodeId(name, 1), peers=()),))))
    strings = re.findall(r'"(?:[^"\\]|\\.)*"', text)
    assert len(strings) == 2
    assert re.sub(r'"(?:[^"\\]|\\.)*"', "S", text) == (
        "digraph overlay {\n  graph [label=S];\n  node [shape=circle];\n  S [shape=doublecircle];\n}\n"
    )


# Out of recordings, into files.


async def test_a_recording_is_exported_up_to_a_moment(tmp_path: Path) -> None:
    recording = await story(tmp_path / "a")
    whole, early = history_of(recording), history_of(recording, 2_500)
    assert [message.text for message in whole.lanes[0].messages][-1] == "the end"
    assert [len(history.lanes[0].messages) for history in (whole, early)] == [3, 2]
    assert [history.pictures[0].cycle for history in (whole, early)] == [415, 414]


async def test_each_incarnation_of_a_node_is_a_host_of_its_own(tmp_path: Path) -> None:
    node = MemoryNode()
    async with taped(tmp_path / "a", node) as tape:
        node.send_gossip("first life")
        await tape.pass_time()
        again = tape.nodes[0] = MemoryNode(incarnation=9)
        await tape.pass_time()
        again.send_gossip("second life")
        await tape.pass_time()
        history = history_of(tape.finish())
    assert [(lane.node, [message.text for message in lane.messages]) for lane in history.lanes] == [
        (node.id, ["first life"]),
        (again.id, ["second life"]),
    ]
    assert len(shiviz_of(*history.lanes)) == 2


def test_labels_are_short_where_they_can_be() -> None:
    nodes = [node_id("p1"), node_id("p1", 2), node_id("p2")]
    assert list(labels_for(nodes).values()) == [nodes[0].label, nodes[1].label, "p2"]


def test_a_file_that_exists_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_text("precious")
    with pytest.raises(ExportError, match="mine exists already and is kept"), new_file(path):
        pass
    assert path.read_text() == "precious"


def test_what_can_not_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="can't be written: No such file"), new_file(tmp_path / "no" / "f"):
        pass


def write_half(path: Path, error: BaseException) -> None:
    with new_file(path) as file:
        file.write("the first half")
        raise error


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (OSError(28, "No space left on device"), ExportError),
        (RecordingError("no picture"), RecordingError),
        (asyncio.CancelledError(), asyncio.CancelledError),
    ],
)
def test_half_an_export_is_removed(tmp_path: Path, error: BaseException, raised: type[BaseException]) -> None:
    with pytest.raises(raised):
        write_half(tmp_path / "f", error)
    assert list(tmp_path.iterdir()) == []


def test_a_format_that_is_none_names_those_there_are() -> None:
    with pytest.raises(
        ExportError, match="there is no format pdf: it is one of jsonl, csv, shiviz, dot, svg"
    ):
        Format.of("pdf")


def test_names_of_files_say_what_is_in_them() -> None:
    assert str(name_for(Format.SHIVIZ, "../p1", NOON)).startswith("p1-2025")
    assert str(name_for(Format.SHIVIZ, "p1", NOON)).endswith(".shiviz.log")
    assert str(name_for(Format.CSV, "...", NOON)).startswith("node-")
