from __future__ import annotations

from dataclasses import fields

import pytest

from gossip_tui.drawing.line import Line, Role, cell_len, plain, width_of
from gossip_tui.drawing.names import Names
from gossip_tui.drawing.overlay import (
    ASCII_OVERLAY,
    UNICODE_OVERLAY,
    OverlayGlyphs,
    Scene,
    board_for,
    facts,
    ring,
    scene_of,
    summary,
)
from gossip_tui.drawing.view_table import heat_of
from gossip_tui.drawing.waves import Wave, Waves
from gossip_tui.observed import KnownView, OverlayPicture
from protocol.core.identity import NodeId
from protocol.core.view import Descriptor
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.samples import address, node_id
from tests.gossip_tui.swarms import SwarmOf


def known(who: str, *whom: str, age: int = 1) -> KnownView:
    return KnownView(node_id(who), tuple(Descriptor(node_id(name), address(1), age) for name in whom))


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


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (20, 6), (60, 30), (150, 50)])
@pytest.mark.parametrize("count", [1, 2, 24, 200])
def test_any_number_of_nodes_fits_any_size(count: int, size: tuple[int, int]) -> None:
    frame = board_for(crowd(count), Names(), *size, UNICODE_OVERLAY).frame()
    assert [width_of(line) for line in frame] == [size[0]] * size[1]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_and_texts_are_harmless(text: str) -> None:
    stranger = NodeId(text or "?", 7)
    views = (known("p1", "p2"), KnownView(stranger, (Descriptor(node_id("p1"), address(1), 1),)))
    scene = scene_of(OverlayPicture(node_id("p1"), views, is_whole=True), (), stranger)
    names = Names()
    for line in drawn(board_for(scene, names, 60, 20, UNICODE_OVERLAY).frame()):
        assert_harmless(line)
