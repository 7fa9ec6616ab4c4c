from __future__ import annotations

from gossip_tui.drawing.happenings import Lane
from gossip_tui.drawing.lanes import Columns, LaneOrder, columns_for
from gossip_tui.drawing.names import Names
from protocol.core.identity import NodeId
from tests.gossip_tui.samples import node_id


def lanes_of(*names: str) -> dict[NodeId, Lane]:
    return {node_id(name): Lane(node_id(name), is_observed=True, is_exact=True) for name in names}


def order_of(*names: str) -> LaneOrder:
    order = LaneOrder()
    order.follow(lanes_of(*names))
    return order


def labels(columns: Columns) -> list[str]:
    return [column.label for column in columns.shown]


def columns(order: LaneOrder, room: int, offset: int = 0) -> Columns:
    lanes = {node: Lane(node, is_observed=True, is_exact=True) for node in order.nodes}
    return columns_for(order, lanes, Names(), None, room, offset)


def names(order: LaneOrder) -> str:
    return " ".join(node.name for node in order.visible)


def test_new_lanes_come_last_sorted_by_name_and_the_others_stay() -> None:
    order = order_of("p3", "p1")
    assert order.follow(lanes_of("p1", "p3", "p10", "p2"))
    assert names(order) == "p1 p3 p2 p10"
    assert not order.follow(lanes_of("p1", "p3", "p10", "p2"))
    order.follow(lanes_of("p10", "p2"))
    assert names(order) == "p2 p10"


def test_sorted_by_name_the_own_lane_is_first() -> None:
    order = order_of("p1", "p2", "p3")
    order.sort(lanes_of("p1", "p2", "p3"), node_id("p2"), busiest=False)
    assert names(order) == "p2 p1 p3"


def test_the_busiest_come_first_where_that_is_asked_for() -> None:
    lanes = lanes_of("p1", "p2", "p3")
    lanes[node_id("p3")].count = 7
    order = order_of("p1", "p2", "p3")
    order.sort(lanes, None, busiest=True)
    assert names(order) == "p3 p1 p2"


def test_a_lane_moves_past_its_visible_neighbour() -> None:
    order = order_of("p1", "p2", "p3", "p4")
    order.hide(node_id("p2"))
    order.move(node_id("p1"), 1)
    assert names(order) == "p3 p1 p4"
    order.move(node_id("p3"), -1)
    assert names(order) == "p3 p1 p4"


def test_the_last_lane_can_not_be_hidden() -> None:
    order = order_of("p1", "p2")
    order.hide(node_id("p1"))
    order.hide(node_id("p2"))
    assert names(order) == "p2"


def test_as_many_columns_as_fit_and_the_others_are_counted() -> None:
    shown = columns(order_of("p1", "p2", "p3", "p4"), room=13)
    assert (labels(shown), shown.offset, shown.after) == (["p1", "p2", "p3"], 0, 1)


def test_columns_begin_where_they_were_scrolled_to_but_leave_no_room_empty() -> None:
    order = order_of("p1", "p2", "p3", "p4", "p5")
    assert labels(columns(order, room=13, offset=1)) == ["p2", "p3", "p4"]
    assert labels(columns(order, room=13, offset=4)) == ["p3", "p4", "p5"]
    assert labels(columns(order, room=60, offset=4)) == ["p1", "p2", "p3", "p4", "p5"]


def test_a_collapsed_lane_takes_two_cells() -> None:
    order = order_of("p1", "p2", "p3")
    order.toggle_collapsed(node_id("p2"))
    assert [(column.x, column.width) for column in columns(order, room=40).shown] == [(2, 4), (5, 2), (8, 4)]
    order.toggle_collapsed(node_id("p2"))
    assert [column.width for column in columns(order, room=40).shown] == [4, 4, 4]


def test_columns_are_as_wide_as_the_longest_name_within_reason() -> None:
    shown = columns(order_of("p1", "a-node-with-a-long-name"), room=40)
    assert [column.width for column in shown.shown] == [9, 9]


def test_a_room_for_nobody_still_shows_one_lane() -> None:
    assert labels(columns(order_of("p1", "p2"), room=2)) == ["p1"]
    assert labels(columns(LaneOrder(), room=20)) == []
