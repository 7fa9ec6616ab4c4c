"""The graph of partial views: nodes on a ring, what they know of each other as lines across it.

Pure functions: a scene and a wave in, lines out. The ring is sorted by name, so a node stays where it is for
as long as the same nodes are there. The views of others are dotted, the chosen node's own is drawn through,
in the shade of each descriptor's age. The bar behind a name is the node's in-degree. What is done to nodes on
purpose is seen: links across a cut, nodes beyond it, and nodes that crashed or stand still.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gossip_tui.observed import NodeState
from protocol.core.identity import NodeId
from protocol.core.view import Descriptor

from .line import Line, Role, cell_len, cut
from .names import Names
from .overlay_scene import Scene
from .plots import ASCII_PLOT, BRAILLE_PLOT, PlotGlyphs
from .sketch import Sketch
from .view_table import heat_of
from .waves import Wave

__all__ = [
    "ASCII_OVERLAY",
    "UNICODE_OVERLAY",
    "Board",
    "OverlayGlyphs",
    "board_for",
]

LABEL_LIMIT = 10
"""Cells of a name on the ring."""

OTHERS_GAPS = (3, 12)
"""Of the lines of other nodes' views every so many dots are drawn, from and to: the more the lines, the fewer
dots of each, so that hundreds of them stay light."""

PLAIN_GAP = 2
"""How much wider gaps are where a dot is as wide as a cell."""

LINES_PER_GAP = 30
"""Lines that make the gaps one dot wider."""

CUT_GAP = 3
"""Of a link of the chosen view that is cut every so many dots are drawn: broken, but to be seen."""

OTHERS_RANK, CUT_RANK, OWN_RANK, WAVE_RANK = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class OverlayGlyphs:
    """The signs of an overlay, each one cell wide."""

    plot: PlotGlyphs
    node: str
    own: str
    lit: str
    """A node that has the message."""
    own_lit: str
    gone: str
    """A node that nothing was heard of lately."""
    beyond: str
    """A node that the own one is cut off from."""
    beyond_lit: str
    crashed: str
    stopped: str
    """A node that stands still."""
    cut: str
    """In the middle of a link that is cut."""
    one_way: tuple[str, str, str, str]
    """There where datagrams pass in one direction only: left, right, up, down."""
    changed: str
    """Before other faults."""
    heights: str
    """Bars of an in-degree, lowest first."""


UNICODE_OVERLAY = OverlayGlyphs(
    BRAILLE_PLOT,
    node="○",
    own="◎",
    lit="●",
    own_lit="◉",
    gone="·",
    beyond="□",
    beyond_lit="■",
    crashed="×",
    stopped="‖",
    cut="╱",
    one_way=("←", "→", "↑", "↓"),
    changed="≈",
    heights="▁▂▃▄▅▆▇█",
)
"""For terminals that show Unicode, which is nearly all of them."""

ASCII_OVERLAY = OverlayGlyphs(
    ASCII_PLOT,
    node="o",
    own="O",
    lit="#",
    own_lit="@",
    gone=".",
    beyond="x",
    beyond_lit="%",
    crashed="X",
    stopped="=",
    cut="/",
    one_way=("<", ">", "^", "v"),
    changed="~",
    heights="_.:-=+*#",
)
"""For ``--ascii``: nothing that a serial console or an old font could not show."""


def ring(count: int, width: int, height: int, margin: int) -> list[tuple[int, int]]:
    """The cells of so many nodes on an ellipse, clockwise from the top, ``margin`` cells from both sides."""
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    radius_x, radius_y = max(1.0, middle_x - margin), max(1.0, middle_y - 1)
    cells = []
    for number in range(count):
        angle = 2 * math.pi * number / count
        x = round(middle_x + radius_x * math.sin(angle))
        y = round(middle_y - radius_y * math.cos(angle))
        cells.append((max(0, min(width - 1, x)), max(0, min(height - 1, y))))
    return cells


class Board:
    """A scene laid out on a screen: everything that stands still while a wave goes over it."""

    def __init__(self, scene: Scene, names: Names, width: int, height: int, glyphs: OverlayGlyphs) -> None:
        self.scene = scene
        self.glyphs = glyphs
        self.names = names
        labels = {node: cut(names.label(node), LABEL_LIMIT, glyphs.plot.ellipsis) for node in scene.nodes}
        widest = max(map(cell_len, labels.values()), default=0)
        self.cells = dict(zip(scene.nodes, ring(len(scene.nodes), width, height, widest + 5), strict=True))
        self._sketch = Sketch(width, height, glyphs.plot)
        self._draw_views()
        self._write(labels)

    def frame(self, wave: Wave | None = None, step: int = 0) -> list[Line]:
        """The board with a wave over it, as far as it has come by this step."""
        sketch = self._sketch.copy()
        layers = wave.layers if wave is not None else {}
        if wave is not None and step:
            for start, end in self._ways(wave, step):
                sketch.line(start, end, Role.NEW, WAVE_RANK)
        for node, (x, y) in self.cells.items():
            layer = layers.get(node)
            sketch.put(
                x, y, *self._marker(node, layer if layer is not None and layer <= step else None, step)
            )
        return sketch.rows()

    def _draw_views(self) -> None:
        scene, cells = self.scene, self.cells
        fewest, most = OTHERS_GAPS
        gap = max(fewest, min(most, sum(map(len, scene.views.values())) // LINES_PER_GAP))
        if self.glyphs.plot.dots[0] == 1:
            gap *= PLAIN_GAP
        for node, view in scene.views.items():
            if node in cells and node != scene.chosen:
                for descriptor in view:
                    if descriptor.id in cells:
                        role, rank = self._look(node, descriptor.id)
                        self._sketch.line(cells[node], cells[descriptor.id], role, rank, gap=gap)
        own = sorted(scene.views.get(scene.chosen, ()), key=lambda descriptor: -descriptor.age)
        for descriptor in own:
            if descriptor.id in cells and scene.chosen in cells:
                self._draw_own(descriptor)

    def _look(self, node: NodeId, other: NodeId) -> tuple[Role, int]:
        """The colour of a link of somebody else's view, and over which others it goes."""
        if self.scene.is_cut(node, other):
            return Role.BAD, CUT_RANK
        return (Role.WARNING, CUT_RANK) if self.scene.one_way(node, other) else (Role.FAINT, OTHERS_RANK)

    def _draw_own(self, descriptor: Descriptor) -> None:
        """One line of the chosen view: in the shade of its age, or broken where it is cut, be it one way."""
        scene, sketch = self.scene, self._sketch
        start, end = self.cells[scene.chosen], self.cells[descriptor.id]
        way = scene.one_way(scene.chosen, descriptor.id)
        if way is not None:
            role, sign = Role.WARNING, self._arrow(*way)
        elif scene.is_cut(scene.chosen, descriptor.id):
            role, sign = Role.BAD, self.glyphs.cut
        else:
            sketch.line(start, end, heat_of(descriptor.age), OWN_RANK)
            return
        sketch.line(start, end, role, OWN_RANK, gap=CUT_GAP)
        sketch.put((start[0] + end[0]) // 2, (start[1] + end[1]) // 2, sign, role)

    def _arrow(self, sender: NodeId, receiver: NodeId) -> str:
        """The sign that points most nearly from one node to another; a cell is twice as high as wide."""
        (x, y), (to_x, to_y) = self.cells[sender], self.cells[receiver]
        left, right, up, down = self.glyphs.one_way
        if abs(to_x - x) >= 2 * abs(to_y - y):
            return right if to_x >= x else left
        return down if to_y > y else up

    def _write(self, labels: Mapping[NodeId, str]) -> None:
        """Put a name and an in-degree beside every node for which there is room, or the name alone.

        Rather none than one that touches another, so that nobody takes it for its neighbour's.
        """
        sketch, scene = self._sketch, self.scene
        for x, y in self.cells.values():
            sketch.put(x, y, " ", Role.TEXT)
        peak = max(scene.in_degrees.values(), default=0)
        first = {scene.seat, scene.chosen}
        for node in sorted(self.cells, key=lambda node: node not in first):
            degree = f"{self._height(node, peak)}{scene.in_degrees[node]}"
            for behind in (degree, ""):
                width = cell_len(labels[node]) + len(behind)
                place = next((one for one in self._places(node, width) if self._is_apart(*one, width)), None)
                if place is not None:
                    self._label(node, labels[node], place, behind)
                    break

    def _places(self, node: NodeId, width: int) -> Iterator[tuple[int, int]]:
        """Where the name of a node may stand: outside the ring beside it, beyond it, then inside."""
        x, y = self.cells[node]
        right, left = (x + 2, y), (x - 1 - width, y)
        is_right = x >= (self._sketch.width - 1) / 2
        yield right if is_right else left
        is_upper = y <= (self._sketch.height - 1) / 2
        for row in (y - 1, y + 1) if is_upper else (y + 1, y - 1):
            yield from ((x + shift, row) for shift in (-(width // 2), 0, 1 - width))
        yield left if is_right else right

    def _is_apart(self, x: int, y: int, width: int) -> bool:
        """Whether so many cells are there and free, and no sign stands right before or behind them."""
        sketch = self._sketch
        before = max(0, x - 1)
        return sketch.is_free(x, y, width) and sketch.is_free(
            before, y, min(x + width + 1, sketch.width) - before
        )

    def _label(self, node: NodeId, text: str, place: tuple[int, int], degree: str) -> None:
        scene, (x, y) = self.scene, place
        is_absent = node in scene.gone or scene.fate(node) is NodeState.CRASHED
        role = Role.DIM if is_absent else Role.TEXT
        self._sketch.put(x, y, text, Role.OWN if node in (scene.seat, scene.chosen) else role)
        x += cell_len(text)
        self._sketch.put(x, y, degree[:1], Role.HEAT_5)
        self._sketch.put(x + 1, y, degree[1:], Role.DIM)

    def _height(self, node: NodeId, peak: int) -> str:
        degree, heights = self.scene.in_degrees[node], self.glyphs.heights
        return heights[max(0, math.ceil(degree / peak * len(heights)) - 1)] if peak else heights[0]

    def _ways(self, wave: Wave, step: int) -> Iterable[tuple[tuple[int, int], tuple[int, int]]]:
        """The lines along which the nodes of this step may have got it, as far as views are known."""
        cells, layers = self.cells, wave.layers
        for node, layer in layers.items():
            if layer == step - 1 and node in cells:
                for descriptor in self.scene.views.get(node, ()):
                    if layers.get(descriptor.id) == step and descriptor.id in cells:
                        yield cells[node], cells[descriptor.id]

    def _marker(self, node: NodeId, layer: int | None, step: int) -> tuple[str, Role]:
        scene, glyphs = self.scene, self.glyphs
        is_own = node in (scene.seat, scene.chosen)
        light = None if layer is None else Role.NEW if layer == step else Role.MENTION
        fate = scene.fate(node)
        if fate is not NodeState.RUNNING:
            return glyphs.crashed if fate is NodeState.CRASHED else glyphs.stopped, light or Role.BAD
        if node in scene.beyond:
            return glyphs.beyond_lit if light else glyphs.beyond, light or Role.WARNING
        if light:
            return glyphs.own_lit if is_own else glyphs.lit, light
        if node in scene.gone:
            return glyphs.gone, Role.DIM
        return glyphs.own if is_own else glyphs.node, Role.OWN if is_own else Role.DIM


def board_for(scene: Scene, names: Names, width: int, height: int, glyphs: OverlayGlyphs) -> Board:
    """A scene laid out for so many cells."""
    return Board(scene, names, max(1, width), max(1, height), glyphs)
