"""Which nodes have a column in a space-time diagram, in which order, and where each column is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gossip_tui.text import Safe
from protocol.core.identity import NodeId

from .happenings import Lane
from .names import Names
from .view_table import name_key

__all__ = ["Column", "Columns", "LaneOrder", "columns_for"]

NARROWEST, WIDEST = 4, 9
"""Cells of a column, from and to: room for an arrow, and for most names."""

COLLAPSED = 2
"""Cells of a collapsed column."""

MARGIN = 1
"""Cells left of the first column."""


@dataclass(frozen=True, slots=True)
class Column:
    """One node's column."""

    node: NodeId
    label: Safe
    x: int
    """The cell its lane is drawn in."""
    left: int
    """The first cell of the column."""
    width: int
    is_observed: bool
    is_own: bool
    is_collapsed: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns that are in sight."""

    shown: tuple[Column, ...]
    width: int
    """Cells they take together."""
    places: Mapping[NodeId, int]
    """The place of every lane that is not hidden, in sight or not, from the left."""
    offset: int
    """Lanes that are out of sight at the left."""

    @property
    def after(self) -> int:
        """Lanes that are out of sight at the right."""
        return len(self.places) - self.offset - len(self.shown)

    def column(self, node: NodeId) -> Column | None:
        """The column of a node, if it is in sight."""
        return next((column for column in self.shown if column.node == node), None)


class LaneOrder:
    """The order that people gave the lanes, what they hid and what they collapsed."""

    def __init__(self) -> None:
        self.nodes: list[NodeId] = []
        """Every lane, hidden ones included, from the left."""
        self.hidden: set[NodeId] = set()
        self.collapsed: set[NodeId] = set()

    @property
    def visible(self) -> list[NodeId]:
        """Lanes that are not hidden."""
        return [node for node in self.nodes if node not in self.hidden]

    def follow(self, lanes: Mapping[NodeId, Lane]) -> bool:
        """Append lanes that are new and drop those that are gone; returns whether there were any."""
        known = set(self.nodes)
        fresh = sorted((node for node in lanes if node not in known), key=name_key)
        gone = known.difference(lanes)
        if not fresh and not gone:
            return False
        self.nodes = [node for node in self.nodes if node not in gone] + fresh
        self.hidden -= gone
        self.collapsed -= gone
        return True

    def sort(self, lanes: Mapping[NodeId, Lane], own: NodeId | None, *, busiest: bool) -> None:
        """The own lane first, then the others by name, or those that sent most first."""

        def rank(node: NodeId) -> tuple[object, ...]:
            count = lanes[node].count if busiest and node in lanes else 0
            return node != own, -count, name_key(node)

        self.nodes.sort(key=rank)

    def move(self, node: NodeId, step: int) -> None:
        """Move a lane past its visible neighbour; at the edge it stays."""
        visible = self.visible
        if node not in visible:
            return
        place = visible.index(node) + step
        if 0 <= place < len(visible):
            other = self.nodes.index(visible[place])
            self.nodes.remove(node)
            self.nodes.insert(other, node)

    def hide(self, node: NodeId) -> None:
        """Take a lane away; the last one stays."""
        if len(self.visible) > 1:
            self.hidden.add(node)

    def toggle_collapsed(self, node: NodeId) -> None:
        """Make a lane narrow, or as wide as the others again."""
        self.collapsed ^= {node}


def columns_for(
    order: LaneOrder, lanes: Mapping[NodeId, Lane], names: Names, own: NodeId | None, room: int, offset: int
) -> Columns:
    """The columns that fit ``room`` cells, beginning with the lane at place ``offset``.

    If everything to its right fits and more would, columns begin further left.
    """
    visible = order.visible
    labels = {node: names.label(node) for node in visible}
    pitch = pitch_of(labels.values())

    def width_of(node: NodeId) -> int:
        return COLLAPSED if node in order.collapsed else pitch

    offset = max(0, min(offset, first_offset(visible, width_of, room)))
    shown: list[Column] = []
    left = MARGIN
    for node in visible[offset:]:
        width = width_of(node)
        if left + width > room and shown:
            break
        is_collapsed = node in order.collapsed
        shown.append(
            Column(
                node,
                labels[node],
                left + (0 if is_collapsed else (pitch - 1) // 2),
                left,
                width,
                is_observed=node in lanes and lanes[node].is_observed,
                is_own=node == own,
                is_collapsed=is_collapsed,
            )
        )
        left += width
    return Columns(tuple(shown), left, {node: place for place, node in enumerate(visible)}, offset)


def first_offset(visible: Sequence[NodeId], width_of: Callable[[NodeId], int], room: int) -> int:
    """The largest offset that leaves no room empty at the right."""
    room -= MARGIN
    for place in range(len(visible) - 1, -1, -1):
        room -= width_of(visible[place])
        if room < 0:
            return min(place + 1, len(visible) - 1)
    return 0


def pitch_of(labels: Iterable[str]) -> int:
    """Cells of a column: the longest label and a space, within reason."""
    return max(NARROWEST, min(WIDEST, max(map(len, labels), default=0) + 1))
