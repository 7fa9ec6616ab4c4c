from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

import pytest

from gossip_tui.drawing.line import Line, Role, cell_len, plain, width_of
from gossip_tui.drawing.names import Names
from gossip_tui.drawing.overlay import (
    ASCII_OVERLAY,
    UNICODE_OVERLAY,
    OverlayGlyphs,
    board_for,
    ring,
)
from gossip_tui.drawing.overlay_facts import TROUBLE_LINES, facts, summary, trouble_facts
from gossip_tui.drawing.overlay_scene import Scene, scene_of
from gossip_tui.drawing.view_table import heat_of
from gossip_tui.drawing.waves import Wave, Waves
from gossip_tui.observed import NO_TROUBLE, KnownView, NodeState, OverlayPicture, Trouble
from protocol.core.faults import Direction
from protocol.core.identity import NodeId
from protocol.core.view import Descriptor
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.samples import address, node_id
from tests.gossip_tui.swarms import SwarmOf


def known(who: str, *whom: str, age: int = 1, trouble: Trouble = NO_TROUBLE) -> KnownView:
    descriptors = (Descriptor(node_id(name), address(int(name[1:])), age) for name in whom)
    return KnownView(node_id(who), tuple(descriptors), trouble, address(int(who[1:])))


def picture(*views: KnownView, is_whole: bool = True) -> OverlayPicture:
    return OverlayPicture(views[0].node, views, is_whole)


def triangle() -> Scene:
    views = (known("p1", "p2", age=3), known("p2", "p3"), known("p3", "p1", "p2"))
    return scene_of(picture(*views), (), None)


def drawn(lines: list[Line]) -> list[str]:
    return [plain(line).rstrip() for line in lines]


def wave() -> Wave:
    swarm, waves = SwarmOf("p1", "p2", "p3"), Waves()
    message = swarm.say("p1", "hello [/] there")
    swarm.reach(message, "p2", after=0.01, hops=0)
    swarm.reach(message, "p3", after=0.04, hops=1)
    waves.observe(swarm.deliveries({}).rows, 0.0)
    assert waves.current is not None
    return waves.current


def test_nodes_stand_on_a_ring_in_the_order_of_their_names_from_the_top_on() -> None:
    cells = ring(4, 21, 11, 2)
    assert cells == [(10, 1), (18, 5), (10, 9), (2, 5)]
    views = (known("n10", "n2"), known("n2", "n10"), known("n1", "n2"))
    assert [node.name for node in scene_of(picture(*views), (), None).nodes] == ["n1", "n2", "n10"]


def test_nodes_that_were_there_before_keep_their_places() -> None:
    full = scene_of(picture(known("p1", "p2", "p3"), known("p2", "p1"), known("p3", "p2")), (), None)
    later = scene_of(picture(known("p1", "p3"), known("p3", "p1")), full.nodes, None)
    assert later.nodes == full.nodes
    assert later.gone == {node_id("p2")}


def test_a_small_graph() -> None:
    assert drawn(board_for(triangle(), Names(), 34, 9, UNICODE_OVERLAY).frame()) == [
        "",
        "           p1▄1 ◎⡀",
        "              ⢀⠈ ⠈⠢⢄",
        "             ⠠      ⠑⢄",
        "            ⠂         ⠑⠤⡀",
        "         ⢀ ⠁       ⢀⢀⡀⣀⠠⠌○ p2█2",
        "   p3▄1 ○⠄⠤⠐⠂⠒⠐⠁⠉⠈⠁⠁",
        "",
        "",
    ]


def test_a_wave_over_the_same_graph_in_ascii() -> None:
    assert drawn(board_for(triangle(), Names(), 34, 9, ASCII_OVERLAY).frame(wave(), 1)) == [
        "",
        "           p1-1 @_",
        "              -   '_",
        "                    '_",
        "           -          '-_",
        "                   __   '# p2#2",
        "   p3-1 o    ''",
        "",
        "",
    ]


def test_the_in_degree_of_a_node_is_how_many_know_it() -> None:
    assert triangle().in_degrees == {node_id("p1"): 1, node_id("p2"): 2, node_id("p3"): 1}


def roles(lines: list[Line]) -> set[Role]:
    return {span.role for line in lines for span in line if span.text.strip()}


def test_the_own_view_is_drawn_in_the_shade_of_its_age_and_the_others_faint() -> None:
    frame = board_for(triangle(), Names(), 40, 11, UNICODE_OVERLAY).frame()
    assert {heat_of(3), Role.FAINT} <= roles(frame)
    views = (known("p1", "p3", age=3), known("p2", "p1", age=30), known("p3"))
    chosen = scene_of(picture(*views), (), node_id("p2"))
    frame = board_for(chosen, Names(), 40, 11, UNICODE_OVERLAY).frame()
    assert heat_of(30) in roles(frame)
    assert Role.FAINT in roles(frame)


def test_the_more_lines_there_are_the_fewer_dots_each_has() -> None:
    def dots(scene: Scene) -> float:
        frame = board_for(scene, Names(), 80, 40, UNICODE_OVERLAY).frame()
        found = sum(
            (ord(sign) - 0x2800).bit_count() for line in drawn(frame) for sign in line if sign > "\u2800"
        )
        return found / sum(map(len, scene.views.values()))

    assert dots(crowd(150)) < dots(crowd(24)) / 2


def lit(step: int) -> list[str]:
    frame = board_for(triangle(), Names(), 40, 11, UNICODE_OVERLAY).frame(wave(), step)
    return sorted(sign for line in drawn(frame) for sign in line if sign in "○◎●◉")


def test_a_wave_lights_the_nodes_hop_by_hop() -> None:
    assert lit(0) == sorted("◉○○")
    assert lit(1) == sorted("◉●○")
    assert lit(2) == sorted("◉●●")


def test_the_ways_that_a_message_may_have_come_light_up_with_the_node() -> None:
    board = board_for(triangle(), Names(), 40, 11, UNICODE_OVERLAY)
    before, after = board.frame(wave(), 0), board.frame(wave(), 1)

    def bright(frame: list[Line]) -> int:
        return sum(len(span.text) for line in frame for span in line if span.role is Role.NEW)

    assert bright(after) > bright(before) + 5


def test_beside_the_graph_the_wave_and_the_graph_are_counted() -> None:
    lines = drawn(facts(triangle(), Names(), wave(), 2, 26, 30, UNICODE_OVERLAY))
    assert lines[:6] == [
        "p1#1 hello [/] there",
        "reached 3/3 in 40 ms",
        "origin ━━━━━━━━━━━━━━ 1",
        "hop  1 ━━━━━━━━━━━━━━ 1",
        "hop  2 ━━━━━━━━━━━━━━ 1",
        "",
    ]
    assert lines[6:] == [
        "in-degree: known by",
        "███",
        "███▄▄▄",
        "██████",
        "1    2",
        "links 4",
        "clustering 1.00",
        "path length 1.00",
    ]


def test_hops_that_are_not_shown_yet_count_for_nothing() -> None:
    lines = drawn(facts(triangle(), Names(), wave(), 0, 26, 30, UNICODE_OVERLAY))
    assert lines[1:4] == ["reached 1/3 in 40 ms", "origin ━━━━━━━━━━━━━━ 1", "hop  1"]


def test_where_there_is_no_room_two_lines_say_the_same() -> None:
    assert drawn(summary(triangle(), Names(), wave(), 1, 70, UNICODE_OVERLAY)) == [
        " p1#1 reached 2/3 in 40 ms  by hops 1 1",
        " in-degree 1 to 2  clustering 1.00  path length 1.00",
    ]


def test_a_real_node_counts_nothing_that_it_does_not_know() -> None:
    views = (known("p1", "p2", "p3"), known("p2", "p1", "p4"))
    scene = scene_of(picture(*views, is_whole=False), (), None)
    lines = drawn(facts(scene, Names(), wave(), 2, 40, 30, UNICODE_OVERLAY))
    assert lines[1] == "sent from here"
    assert lines[-1] == "own view, 1 peers told"
    assert not any("clustering" in line or "hop" in line for line in lines)
    assert drawn(summary(scene, Names(), None, 0, 70, UNICODE_OVERLAY)) == [
        " no message spread yet",
        " in-degree 1 to 1  own view, 1 peers told",
    ]


def test_in_ascii_everything_is_ascii() -> None:
    frame = board_for(triangle(), Names(), 40, 11, ASCII_OVERLAY).frame(wave(), 2)
    lines = frame + facts(triangle(), Names(), wave(), 2, 30, 20, ASCII_OVERLAY)
    assert all(line.isascii() for line in drawn(lines))


@pytest.mark.parametrize("glyphs", [UNICODE_OVERLAY, ASCII_OVERLAY], ids=["unicode", "ascii"])
def test_every_sign_takes_one_cell(glyphs: OverlayGlyphs) -> None:
    for field in fields(glyphs):
        if field.name != "plot":
            assert all(cell_len(sign) == 1 for sign in getattr(glyphs, field.name)), field.name


def crowd(count: int) -> Scene:
    names = [f"n{number}" for number in range(count)]
    views = [
        known(name, *(names[(at + step) % count] for step in (1, 7, 31))) for at, name in enumerate(names)
    ]
    return scene_of(picture(*views), (), None)


@pytest.mark.parametrize("size", [(40, 9), (51, 12), (58, 11), (78, 22)])
def test_names_never_touch_one_another_or_the_sign_of_another_node(size: tuple[int, int]) -> None:
    board = board_for(crowd(24), Names(), *size, UNICODE_OVERLAY)
    signs = {place: sign for place, (sign, _) in board._sketch._signs.items() if sign != " "}
    labels = "".join(signs.get((x, y), " ") for y in range(size[1]) for x in (*range(size[0]), -1))
    names = re.findall(r"[^ ]+", labels)
    assert all(re.fullmatch(r"n\d+([▁▂▃▄▅▆▇█]\d+)?", name) for name in names)
    assert len(names) == len(set(names)) >= (14 if size[1] < 10 else 24)
    for x, y in board.cells.values():
        beside = [signs.get((place, y)) for place in (x - 1, x + 1)]
        assert beside == [None, None]


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (20, 6), (60, 30), (150, 50)])
@pytest.mark.parametrize("count", [1, 2, 24, 200])
def test_any_number_of_nodes_fits_any_size(count: int, size: tuple[int, int]) -> None:
    frame = board_for(crowd(count), Names(), *size, UNICODE_OVERLAY).frame()
    assert [width_of(line) for line in frame] == [size[0]] * size[1]


# What is done on purpose.


def cut_off_from(*numbers: int, way: Direction = Direction.BOTH) -> Trouble:
    return Trouble(blocked=dict.fromkeys(map(address, numbers), way))


def cut_square() -> Scene:
    """Two on either side of a cut; all know each other but p1 and p2."""
    near, far = cut_off_from(3, 4), cut_off_from(1, 2)
    views = (
        known("p1", "p3", "p4", trouble=near),
        known("p2", "p3", trouble=near),
        known("p3", "p4", trouble=far),
        known("p4", "p1", trouble=far),
    )
    return scene_of(picture(*views), (), None)


def test_links_across_a_cut_are_broken_and_nodes_beyond_it_have_a_sign_of_their_own() -> None:
    assert drawn(board_for(cut_square(), Names(), 40, 13, UNICODE_OVERLAY).frame()) == [
        "",
        "                    ◎ p1▄1",
        "                 ⢀⠄⠉⠐",
        "             ╱⢀⠄⠊   ⢈",
        "            ⡀⠔      ⠠",
        "          ⠔⠈        ⠐",
        "  p4█2 □⠈⠁          ╱           ○ p2▁0",
        "        ⠈ ⠄         ⠠        ⢀ ⠁",
        "           ⠈ ⠄      ⠐       ⠄",
        "              ⠐ ⡀   ⢈    ⠄⠈",
        "                 ⠐  ⠠  ⠐",
        "                   ⠁□ p3█2",
        "",
    ]
    assert drawn(board_for(cut_square(), Names(), 40, 13, ASCII_OVERLAY).frame())[1:7] == [
        "                    O p1-1",
        "                 -  -",
        "             / -    -",
        "            -       -",
        "          -         -",
        "  p4#2 x            /           o p2_0",
    ]


def test_a_link_is_cut_whichever_side_does_not_let_datagrams_pass() -> None:
    views = (known("p1", "p2", "p3", trouble=cut_off_from(3)), known("p2", "p1"), known("p3", "p1", "p2"))
    scene = scene_of(picture(*views), (), None)
    p1, p2, p3 = map(node_id, ("p1", "p2", "p3"))
    pairs = (p1, p3), (p3, p1), (p1, p2), (p2, p3)
    assert [scene.is_cut(*pair) for pair in pairs] == [True, True, False, False]
    assert scene.cut_links == 2
    assert set(scene.beyond) == {p3}


def test_a_node_that_no_view_names_is_on_its_side_of_a_cut() -> None:
    near, far = cut_off_from(2, 3), cut_off_from(0, 1)
    views = (
        known("p0", "p1", trouble=near),
        known("p1", "p3", trouble=near),
        known("p2", "p3", trouble=far),
        known("p3", "p1", trouble=far),
    )
    scene = scene_of(picture(*views), (), None)
    assert scene.beyond == {node_id("p2"), node_id("p3")}
    assert drawn(facts(scene, Names(), None, 0, 26, 30, UNICODE_OVERLAY))[0] == "□ cut: 2 here, 2 beyond"


def test_the_word_of_a_node_where_it_is_counts_for_more_than_old_views() -> None:
    old = KnownView(node_id("p1"), (Descriptor(node_id("p2"), address(7), 9),), cut_off_from(2), address(1))
    assert scene_of(picture(old, known("p2")), (), None).beyond == {node_id("p2")}


def one_way_pair(way: Direction, *, blocks_here: bool) -> Scene:
    """p1 and p2 know each other; p1 or p2 blocks the other in one direction."""
    troubles = (
        (cut_off_from(2, way=way), NO_TROUBLE) if blocks_here else (NO_TROUBLE, cut_off_from(1, way=way))
    )
    views = known("p1", "p2", trouble=troubles[0]), known("p2", "p1", trouble=troubles[1])
    return scene_of(picture(*views), (), None)


@pytest.mark.parametrize(
    ("way", "blocks_here", "is_heard"),
    [
        (Direction.OUT, True, True),
        (Direction.IN, False, True),
        (Direction.IN, True, False),
        (Direction.OUT, False, False),
    ],
)
def test_a_cut_in_one_direction_is_drawn_as_one(way: Direction, blocks_here: bool, is_heard: bool) -> None:
    scene = one_way_pair(way, blocks_here=blocks_here)
    assert (scene.beyond, scene.cut_links) == (frozenset(), 0)
    lines = drawn(facts(scene, Names(), None, 0, 26, 30, UNICODE_OVERLAY))
    said = "nothing gets to 1" if is_heard else "nothing comes from 1"
    assert lines[:4] == [f"→ {said}", "→ 2 links one way", "", "No message spread yet"]
    frame = board_for(scene, Names(), 30, 9, UNICODE_OVERLAY).frame()
    (arrow,) = [span for line in frame for span in line if set(span.text) & set("←→↑↓╱")]
    assert (arrow.text.strip()[:1], arrow.role) == ("↑" if is_heard else "↓", Role.WARNING)


@pytest.mark.parametrize(("pair", "sign"), [(("p2", "p4"), "<"), (("p4", "p2"), ">"), (("p1", "p3"), "v")])
def test_the_arrow_of_a_link_points_where_datagrams_still_pass(pair: tuple[str, str], sign: str) -> None:
    sender, receiver = pair
    views = [known(name) for name in ("p1", "p2", "p3", "p4") if name != receiver]
    deaf = known(receiver, sender, trouble=cut_off_from(int(sender[1:]), way=Direction.OUT))
    scene = scene_of(OverlayPicture(node_id("p1"), (*views, deaf), is_whole=True), (), node_id(receiver))
    board = board_for(scene, Names(), 40, 11, ASCII_OVERLAY)
    (x, y), (to_x, to_y) = (board.cells[node_id(name)] for name in pair)
    middle = plain(board.frame()[(y + to_y) // 2])[(x + to_x) // 2]
    assert middle == sign


def test_two_that_block_opposite_directions_exchange_nothing() -> None:
    one, other = cut_off_from(2, way=Direction.OUT), cut_off_from(1, way=Direction.OUT)
    scene = scene_of(picture(known("p1", "p2", trouble=one), known("p2", trouble=other)), (), None)
    assert scene.beyond == {node_id("p2")}
    assert (scene.cut_links, scene.one_way_links) == (1, 0)


def test_the_view_of_somebody_else_across_the_cut_is_no_less_broken() -> None:
    def bad(scene: Scene) -> bool:
        return Role.BAD in roles(board_for(scene, Names(), 40, 13, UNICODE_OVERLAY).frame())

    views = (known("p1"), known("p2", "p3", trouble=cut_off_from(3)), known("p3", "p2"))
    assert bad(scene_of(picture(*views), (), None))
    assert not bad(scene_of(picture(known("p1"), known("p2", "p3"), known("p3", "p2")), (), None))


def fated() -> Scene:
    """p2 crashed, p3 stands still, p1 and p4 have faults of their own."""
    views = (
        known("p1", "p2", "p3", trouble=Trouble(faults="loss=20 delay=50..200", apart=2)),
        known("p2", "p1", trouble=Trouble(NodeState.CRASHED)),
        known("p3", "p1", trouble=Trouble(NodeState.STOPPED)),
        known("p4", "p1", trouble=Trouble(faults="loss=5")),
    )
    return scene_of(picture(*views), (), None)


def signs(scene: Scene, glyphs: OverlayGlyphs, *wave_and_step: Any) -> str:
    board = board_for(scene, Names(), 40, 11, glyphs)
    lines = [plain(line) for line in board.frame(*wave_and_step)]
    return "".join(lines[y][x] for x, y in board.cells.values())


def test_nodes_that_crashed_or_stand_still_have_signs_of_their_own() -> None:
    assert signs(fated(), UNICODE_OVERLAY) == "◎×‖○"
    assert signs(fated(), ASCII_OVERLAY) == "OX=o"
    assert signs(fated(), UNICODE_OVERLAY, wave(), 2) == "◉×‖○"
    assert signs(cut_square(), UNICODE_OVERLAY, wave(), 2) == "◉●■□"


def test_whom_a_crashed_node_knew_counts_for_nothing() -> None:
    scene = fated()
    assert node_id("p2") not in scene.views
    assert scene.in_degrees[node_id("p1")] == 2
    assert [node.name for node in scene.present] == ["p1", "p3", "p4"]
    assert "reached 3/3" in drawn(summary(scene, Names(), wave(), 2, 90, UNICODE_OVERLAY))[0]


def test_what_is_done_stands_first_beside_the_graph() -> None:
    assert drawn(facts(cut_square(), Names(), None, 0, 26, 30, UNICODE_OVERLAY))[:4] == [
        "□ cut: 2 here, 2 beyond",
        "╱ 4 links cut",
        "",
        "No message spread yet",
    ]
    assert drawn(facts(fated(), Names(), None, 0, 26, 30, UNICODE_OVERLAY))[:9] == [
        "× crashed: p2",
        "‖ stopped: p3",
        "≈ faults here: loss=20",
        "  delay=50..200",
        "≈ 2 peers with faults of",
        "  their own",
        "≈ faults at 1 other node",
        "",
        "No message spread yet",
    ]


def test_many_crashed_nodes_take_no_more_than_some_lines() -> None:
    crashed = [known(f"p{number}", trouble=Trouble(NodeState.CRASHED)) for number in range(2, 40)]
    scene = scene_of(picture(known("p1"), *crashed), (), None)
    lines = drawn(facts(scene, Names(), None, 0, 26, 30, ASCII_OVERLAY))
    assert lines[0].startswith("X crashed: p2, p3,")
    assert lines[2].endswith("~")
    assert lines[3:5] == ["", "No message spread yet"]


@pytest.mark.parametrize("width", range(1, 40, 3))
@pytest.mark.parametrize("name", ["早" * 26, "早安" * 3, "n" * 64])
def test_wide_names_of_nodes_take_no_more_cells_than_there_are(name: str, width: int) -> None:
    gone = NodeId(name, 7)
    crashed = KnownView(gone, (), Trouble(NodeState.CRASHED))
    scene = scene_of(picture(known("p1"), known("p2"), crashed), (), None)
    lines = trouble_facts(scene, Names(), width, UNICODE_OVERLAY)
    assert max(map(width_of, lines)) <= width
    assert len(lines) <= TROUBLE_LINES + 1


def test_a_wide_name_is_told_as_far_as_three_lines_go() -> None:
    crashed = KnownView(NodeId("早" * 20, 7), (), Trouble(NodeState.CRASHED))
    scene = scene_of(picture(known("p1"), known("p2"), crashed), (), None)
    assert drawn(trouble_facts(scene, Names(), 26, UNICODE_OVERLAY)) == [
        "× crashed:",
        "  " + "早" * 12,
        "  " + "早" * 8,
        "",
    ]


def test_a_single_node_that_is_cut_off_says_from_how_many() -> None:
    own = known("p1", "p2", "p3", trouble=cut_off_from(2))
    scene = scene_of(picture(own, known("p3", "p2"), is_whole=False), (), None)
    lines = drawn(facts(scene, Names(), None, 0, 26, 30, ASCII_OVERLAY))
    assert lines[:4] == ["x cut off from 1", "/ 1 link cut", "", "No message spread yet"]


def test_where_there_is_no_room_what_is_done_comes_before_the_figures() -> None:
    cut = drawn(summary(cut_square(), Names(), None, 0, 50, UNICODE_OVERLAY))
    assert cut[1] == " □ cut: 2 here, 2 beyond  ╱ 4 links cut  in-degre…"
    lines = drawn(summary(fated(), Names(), None, 0, 30, UNICODE_OVERLAY))
    assert lines[1] == " × crashed: p2  ‖ stopped: p3…"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_texts_are_harmless(text: str) -> None:
    stranger = NodeId(text or "?", 7)
    views = (known("p1", "p2"), KnownView(stranger, (Descriptor(node_id("p1"), address(1), 1),)))
    scene = scene_of(OverlayPicture(node_id("p1"), views, is_whole=True), (), stranger)
    names = Names()
    for line in drawn(board_for(scene, names, 60, 20, UNICODE_OVERLAY).frame()):
        assert_harmless(line)
