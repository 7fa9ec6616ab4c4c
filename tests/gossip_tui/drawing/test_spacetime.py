from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC

import pytest

from gossip_tui.drawing.diagram_glyphs import ASCII_DIAGRAM, UNICODE_DIAGRAM, DiagramGlyphs
from gossip_tui.drawing.happenings import Happenings, Kind
from gossip_tui.drawing.lanes import LaneOrder, columns_for
from gossip_tui.drawing.line import Line, Role, cell_len, plain, width_of
from gossip_tui.drawing.moments import Moment, Moments
from gossip_tui.drawing.names import Names, role_of_origin
from gossip_tui.drawing.spacetime import (
    Picture,
    cone_of,
    flights,
    header_line,
    layout_for,
    row_line,
)
from gossip_tui.observed import Absence
from protocol.core.identity import NodeId
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.samples import node_id
from tests.gossip_tui.swarms import SwarmOf


def picture_of(
    swarm: SwarmOf,
    *,
    every: bool = True,
    glyphs: DiagramGlyphs = UNICODE_DIAGRAM,
    width: int = 64,
    room: int = 40,
    offset: int = 0,
    order: LaneOrder | None = None,
    absences: dict[NodeId, tuple[Absence, ...]] | None = None,
) -> Picture:
    happenings, names = Happenings(), Names()
    happenings.add(swarm.deliveries({}))
    order = order or LaneOrder()
    order.follow(happenings.lanes)
    names.learn(order.nodes)
    columns = columns_for(order, happenings.lanes, names, swarm.seat, room, offset)
    moments = Moments()
    moments.is_shown = {column.node for column in columns.shown}.__contains__
    moments.shows_every = every
    moments.rebuild(happenings.kept, swarm.changes)
    layout = layout_for(width, columns.width)
    return Picture(columns, layout, moments, happenings, names, glyphs, zone=UTC, absences=absences or {})


def lines_of(picture: Picture) -> list[Line]:
    moments = picture.moments
    passing = flights(moments, moments.first, moments.end)
    return [
        header_line(picture),
        *(row_line(row, picture, passing.get(row.number, [])) for row in moments.rows),
    ]


def drawn(picture: Picture) -> list[str]:
    assert {width_of(line) for line in lines_of(picture)[1:]} <= {
        picture.layout.diagram + picture.layout.facts
    }
    return [plain(line).rstrip() for line in lines_of(picture)]


def conversation() -> SwarmOf:
    """Somebody asks, somebody answers, a third one says something meanwhile."""
    swarm = SwarmOf("p1", "p2", "p3")
    question = swarm.say("p1", "lunch?")
    swarm.now += 1
    swarm.reach(question, "p2")
    swarm.now += 1
    aside = swarm.say("p3", "rain")
    swarm.now += 1
    answer = swarm.say("p2", "yes", question)
    swarm.reach(question, "p3", after=1)
    swarm.reach(answer, "p3", after=2)
    swarm.reach(answer, "p1", after=3)
    swarm.reach(aside, "p1", after=4)
    return swarm


def test_every_event_in_a_row_of_its_own() -> None:
    assert drawn(picture_of(conversation())) == [
        "  p1  p2  p3",
        "  ●─╮ │   │   p1#1 lunch?                                 {p1:1}",
        "  │ ├─►   │   p2 ← p1#1                                   {p1:1}",
        "  │ │ │   ●─╮ p3#1 rain                                   {p3:1}",
        "  │ │ ●─╮ │ │ p2#1 yes                               {p1:1 p2:1}",
        "  │ ╰─┼─┼─► │ p3 ← p1#1                              {p1:1 p3:1}",
        "  │   │ ├─► │ p3 ← p2#1                         {p1:1 p2:1 p3:1}",
        "  ◄───┼─╯ │ │ p1 ← p2#1                              {p1:1 p2:1}",
        "  ◄───┼───┼─╯ p1 ← p3#1                         {p1:1 p2:1 p3:1}",
    ]


def test_in_ascii_the_same_picture_needs_no_other_signs() -> None:
    lines = drawn(picture_of(conversation(), glyphs=ASCII_DIAGRAM))
    assert lines[1:6] == [
        "  *-. |   |   p1#1 lunch?                                 {p1:1}",
        "  | +->   |   p2 <- p1#1                                  {p1:1}",
        "  | | |   *-. p3#1 rain                                   {p3:1}",
        "  | | *-. | | p2#1 yes                               {p1:1 p2:1}",
        "  | '-+-+-> | p3 <- p1#1                             {p1:1 p3:1}",
    ]
    assert all(line.isascii() for line in lines)


def experiment() -> SwarmOf:
    """A message is cut off on its way; one node is stopped and told of in vain."""
    swarm = SwarmOf("p1", "p2", "p3")
    question = swarm.say("p1", "lunch?")
    swarm.reach(question, "p2", after=1)
    swarm.now += 2
    swarm.change("the swarm is cut in two: p1, p2 | p3", "p1", "p2", "p3")
    swarm.now += 2
    swarm.change("p3 stands still [/]", "p3")
    swarm.now += 2
    swarm.change("strategy is now cyclon")
    swarm.reach(question, "p3", after=1)
    return swarm


def test_a_lane_is_drawn_only_while_its_node_is_there() -> None:
    swarm = SwarmOf("p1", "p2")
    swarm.say("p1", "one")
    swarm.now += 2
    swarm.change("p2 crashed", "p2")
    crashed = swarm.now
    swarm.now += 2
    swarm.say("p1", "two")
    swarm.now += 2
    swarm.change("p2 is back", "p2")
    back = swarm.now
    swarm.now += 2
    swarm.say("p1", "three")
    picture = picture_of(swarm, absences={node_id("p2"): (Absence(crashed, back),)})
    assert [line[:10].rstrip() for line in drawn(picture)[1:]] == [
        "  ●   │",
        "══╪═══■══",
        "  ●",
        "══╪═══■══",
        "  ●   │",
    ]


def test_a_change_is_a_dated_line_across_with_a_sign_on_every_lane_it_concerns() -> None:
    assert drawn(picture_of(experiment(), width=72)) == [
        "  p1  p2  p3",
        "  ●─╮ │   │   p1#1 lunch?                                         {p1:1}",
        "  │ ├─►   │   p2 ← p1#1                                           {p1:1}",
        "══■═╪═■═══■══ 12:00:02 the swarm is cut in two: p1, p2 | p3",
        "══╪═╪═╪═══■══ 12:00:04 p3 stands still [/]",
        "══╪═╪═╪═══╪══ 12:00:06 strategy is now cyclon",
        "  │ ╰─┼───►   p3 ← p1#1                                           {p1:1}",
    ]


def test_a_change_in_ascii_and_in_a_narrow_pane() -> None:
    lines = drawn(picture_of(experiment(), glyphs=ASCII_DIAGRAM, width=34))
    assert lines[3:6] == [
        "==#=+=#===#== 12:00:02 the swarm ~",
        "==+=+=+===#== 12:00:04 p3 stands ~",
        "==+=+=+===+== 12:00:06 strategy i~",
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_change_is_harmless(text: str) -> None:
    swarm = experiment()
    swarm.change(text, text)
    for line in drawn(picture_of(swarm)):
        assert_harmless(line)


def test_a_change_is_no_event_and_takes_no_part_in_past_and_future() -> None:
    lines = drawn(marked(picture_of(experiment(), width=72), "p1"))
    assert lines[3].startswith("══■═╪═■═══■══ 12:00:02")


@pytest.mark.parametrize("glyphs", [UNICODE_DIAGRAM, ASCII_DIAGRAM], ids=["unicode", "ascii"])
def test_every_sign_of_the_diagram_takes_one_cell(glyphs: DiagramGlyphs) -> None:
    for field in fields(glyphs):
        if field.name not in {"at_least", "has"}:
            assert all(cell_len(sign) == 1 for sign in "".join(getattr(glyphs, field.name))), field.name


def marked(picture: Picture, name: str, kind: Kind = Kind.SEND) -> Picture:
    """The picture with the cursor on what happened at a node."""
    rows = list(picture.moments.rows)
    found = [one for row in rows for one in row.happenings if (one.node.name, one.kind) == (name, kind)]
    return replace(picture, cone=cone_of(found[0], picture.happenings, rows))


def test_past_future_and_concurrent_events_have_signs_of_their_own() -> None:
    lines = drawn(marked(picture_of(conversation()), "p2"))
    assert [line[:14].rstrip() for line in lines] == [
        "  p1  p2  p3",
        "  ▲─╮ │   │",
        "  │ ├─△   │",
        "  │ │ │   ◆─╮",
        "  │ │ ◉─╮ │ │",
        "  │ ╰─┼─┼─◇ │",
        "  │   │ ├─▽ │",
        "  ▽───┼─╯ │ │",
        "  ▽───┼───┼─╯",
    ]
    assert lines[0].endswith("▲ past ▼ future ◆ concurrent")


def role_at(line: Line, x: int) -> Role:
    for span in line:
        if x < len(span.text):
            return span.role
        x -= len(span.text)
    raise IndexError(x)


def test_lanes_shine_as_far_as_the_past_reaches_down_and_the_future_up() -> None:
    lines = lines_of(marked(picture_of(conversation()), "p2"))
    assert [role_at(lines[row], 2).value for row in (1, 2, 5, 7, 8)] == [
        "past",
        "faint",
        "faint",
        "future",
        "future",
    ]
    assert [role_at(lines[row], 10).value for row in (2, 3, 6)] == ["faint", "concurrent", "future"]
    assert role_at(lines[4], 6) is Role.OWN


def test_without_a_cursor_a_message_has_the_colour_of_its_origin() -> None:
    lines = lines_of(picture_of(conversation()))
    assert role_at(lines[1], 2) is role_at(lines[2], 5) is role_of_origin("p1")


def test_of_other_nodes_a_real_one_shows_what_their_messages_tell() -> None:
    swarm = SwarmOf("p1")
    mine = swarm.say("p1", "one")
    swarm.now += 1
    theirs = swarm.say("p2", "two", mine)
    swarm.reach(theirs, "p1")
    swarm.now += 1
    swarm.reach(swarm.say("p3", "three", theirs), "p1")
    assert drawn(picture_of(swarm)) == [
        "  p1  p2  p3",
        "  ●─╮ ┊   ┊   p1#1 one                                    {p1:1}",
        "  │ ╰┄○   ┊   p2 ← p1#1                                  ≥{p1:1}",
        "  │   ●─╮ ┊   p2#1 two                               {p1:1 p2:1}",
        "  ◄───┼─┤ ┊   p1 ← p2#1                              {p1:1 p2:1}",
        "  │   ┊ ╰┄○   p3 ← p2#1                             ≥{p1:1 p2:1}",
        "  │   ┊   ●─╮ p3#1 three                        {p1:1 p2:1 p3:1}",
        "  ◄───┼───┼─╯ p1 ← p3#1                         {p1:1 p2:1 p3:1}",
    ]


def busy() -> SwarmOf:
    """Five messages in a row, one that is late at some nodes, and one in between."""
    names = [f"n{number:02d}" for number in range(1, 7)]
    swarm = SwarmOf(*names)
    for number in range(5):
        swarm.tell(names[number], f"text {number}")
        swarm.now += 0.5
    late = swarm.say("n03", "late")
    swarm.reach(late, "n01", "n05")
    swarm.now += 1
    swarm.tell("n04", "between")
    swarm.now += 1
    swarm.reach(late, "n02", "n06", "n04")
    return swarm


def test_thinned_a_message_is_a_line_across_and_late_deliveries_run_down_to_theirs() -> None:
    assert drawn(picture_of(busy(), every=False))[-4:] == [
        "  ◄───◄───◄───◄───●───►   n05#1 text 4                   {n05:1}",
        "  ◄───┼───●┬──┼───►   │   n03#2 late                     {n03:2}",
        "  ◄───◄───◄┼──●───►───►   n04#2 between                  {n04:2}",
        "  │   ◄───┼┴──►───┼───►   3 nodes ← n03#2      {n02:1 n03:2 …+3}",
    ]


def test_lines_to_lanes_out_of_sight_end_at_the_edge_and_their_number_is_told() -> None:
    lines = drawn(picture_of(busy(), room=14, offset=2, width=50))
    assert lines[:4] == [
        " n03 n04 n05  ◄ 2 more  1 more ►",
        "──►   │   │   n03 ← n01#1                  {n01:1}",
        "──┼───►   │   n04 ← n01#1                  {n01:1}",
        "──┼───┼───►   n05 ← n01#1                  {n01:1}",
    ]


def test_a_hidden_lane_is_no_part_of_the_picture() -> None:
    order = LaneOrder()
    order.follow(picture_of(conversation()).happenings.lanes)
    order.hide(node_id("p1"))
    assert [line[:12].rstrip() for line in drawn(picture_of(conversation(), order=order))] == [
        "  p2  p3",
        "  ◄   │   p2",
        "  │   ●   p3",
        "  ●─╮ │   p2",
        "  │ │ ◄   p3",
        "  │ ╰─►   p3",
    ]


def test_a_collapsed_lane_keeps_its_events_and_loses_its_name() -> None:
    order = LaneOrder()
    order.follow(picture_of(conversation()).happenings.lanes)
    order.toggle_collapsed(node_id("p2"))
    lines = drawn(picture_of(conversation(), order=order))
    assert [line[:11].rstrip() for line in lines[:4]] == [
        "  p1 ⋮  p3",
        "  ●─╮│  │",
        "  │ ├►  │",
        "  │ ││  ●─╮",
    ]


def test_what_was_left_out_is_counted_at_the_row_below() -> None:
    swarm = SwarmOf("p1", "p2")
    for number in range(60):
        swarm.tell("p2", f"text {number}")
        swarm.now += 0.02
    swarm.tell("p1", "own")
    picture = picture_of(swarm, every=False)
    picture.moments.never_left_out = node_id("p1")
    rows = [row for row in picture.moments.rows if isinstance(row, Moment)]
    assert sum(row.skipped for row in rows) > 50
    assert any(f"⋮{row.skipped}" in plain(row_line(row, picture)) for row in rows if row.skipped)


@pytest.mark.parametrize("width", [0, 1, 8, 20, 33, 200])
def test_a_line_is_never_wider_than_the_pane(width: int) -> None:
    layout = layout_for(width, 100)
    picture = replace(picture_of(busy()), layout=layout)
    assert layout.diagram + layout.facts == width
    assert all(width_of(row_line(row, picture)) <= width for row in picture.moments.rows)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_harmless(text: str) -> None:
    swarm = SwarmOf("p1", "p2")
    swarm.tell("p2", text)
    for line in drawn(picture_of(swarm)):
        assert_harmless(line)
