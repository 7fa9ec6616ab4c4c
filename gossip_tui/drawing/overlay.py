"""The graph of partial views: nodes on a ring, what they know of each other as lines across it.

Pure functions: a scene and a wave in, lines out. The ring is sorted by name, so a node stays where it is for
as long as the same nodes are there. The views of others are dotted, the chosen node's own is drawn through,
in the shade of each descriptor's age. The bar behind a name is the node's in-degree.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gossip_tui.observed import OverlayPicture
from gossip_tui.text import safe
from protocol.core.graph import clustering, path_length, undirected
from protocol.core.identity import NodeId
from protocol.core.view import Descriptor

from .line import Line, Role, Span, cell_len, cut
from .names import Names
from .plots import ASCII_PLOT, BRAILLE_PLOT, PlotGlyphs, bars
from .sketch import Sketch
from .view_table import heat_of, name_key
from .waves import Wave

__all__ = [
    "ASCII_OVERLAY",
    "UNICODE_OVERLAY",
    "Board",
    "Figures",
    "OverlayGlyphs",
    "Scene",
    "board_for",
    "facts",
    "summary",
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

BAR_CELLS, BAR_ROWS = 3, 3
"""Cells across of one bar of the in-degrees at the most, and rows of them."""

OTHERS_RANK, OWN_RANK, WAVE_RANK = 1, 2, 3


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
    heights: str
    """Bars of an in-degree, lowest first."""


UNICODE_OVERLAY = OverlayGlyphs(BRAILLE_PLOT, "○", "◎", "●", "◉", "·", "▁▂▃▄▅▆▇█")
"""For terminals that show Unicode, which is nearly all of them."""

ASCII_OVERLAY = OverlayGlyphs(ASCII_PLOT, "o", "O", "#", "@", ".", "_.:-=+*#")
"""For ``--ascii``: nothing that a serial console or an old font could not show."""


@dataclass(frozen=True)
class Scene:
    """Everybody known, who knows whom, and whose view stands out."""

    nodes: tuple[NodeId, ...]
    """In the order of the ring."""
    views: Mapping[NodeId, tuple[Descriptor, ...]]
    """What is known of who knows whom."""
    chosen: NodeId
    """The node whose view stands out."""
    seat: NodeId
    is_whole: bool
    """Whether these are all views of the network."""
    gone: Collection[NodeId] = ()

    @cached_property
    def in_degrees(self) -> dict[NodeId, int]:
        """In how many of the known views each node is."""
        degrees = dict.fromkeys(self.nodes, 0)
        for view in self.views.values():
            for descriptor in view:
                if descriptor.id in degrees:
                    degrees[descriptor.id] += 1
        return degrees

    @cached_property
    def figures(self) -> Figures:
        """The figures of the whole graph."""
        place = {node: number for number, node in enumerate(self.views)}
        links = [[place[other.id] for other in view if other.id in place] for view in self.views.values()]
        graph = undirected(links)
        return Figures(sum(map(len, links)), clustering(graph), path_length(graph))


@dataclass(frozen=True, slots=True)
class Figures:
    """What is measured of a whole overlay."""

    links: int
    clustering: float
    path_length: float


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
                        self._sketch.line(cells[node], cells[descriptor.id], Role.FAINT, OTHERS_RANK, gap=gap)
        own = sorted(scene.views.get(scene.chosen, ()), key=lambda descriptor: -descriptor.age)
        for descriptor in own:
            if descriptor.id in cells and scene.chosen in cells:
                role = heat_of(descriptor.age)
                self._sketch.line(cells[scene.chosen], cells[descriptor.id], role, OWN_RANK)

    def _write(self, labels: Mapping[NodeId, str]) -> None:
        """Put a name and an in-degree beside every node for which there is room."""
        sketch, scene = self._sketch, self.scene
        for x, y in self.cells.values():
            sketch.put(x, y, " ", Role.TEXT)
        peak = max(scene.in_degrees.values(), default=0)
        for node, (x, y) in self.cells.items():
            degree = str(scene.in_degrees[node])
            width = cell_len(labels[node]) + 1 + len(degree)
            is_right = x >= (sketch.width - 1) / 2
            sides = [(x + 2, y), (x - 1 - width, y)]
            places = [*(sides if is_right else sides[::-1]), (x - width // 2, y - 1), (x - width // 2, y + 1)]
            place = next((one for one in places if sketch.is_free(*one, width)), None)
            if place is not None:
                self._label(node, labels[node], place, self._height(node, peak), degree)

    def _label(self, node: NodeId, text: str, place: tuple[int, int], height: str, degree: str) -> None:
        scene, (x, y) = self.scene, place
        role = Role.DIM if node in scene.gone else Role.TEXT
        self._sketch.put(x, y, text, Role.OWN if node in (scene.seat, scene.chosen) else role)
        x += cell_len(text)
        self._sketch.put(x, y, height, Role.HEAT_5)
        self._sketch.put(x + 1, y, degree, Role.DIM)

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
        if layer is not None:
            return glyphs.own_lit if is_own else glyphs.lit, Role.NEW if layer == step else Role.MENTION
        if node in scene.gone:
            return glyphs.gone, Role.DIM
        return glyphs.own if is_own else glyphs.node, Role.OWN if is_own else Role.DIM


def board_for(scene: Scene, names: Names, width: int, height: int, glyphs: OverlayGlyphs) -> Board:
    """A scene laid out for so many cells."""
    return Board(scene, names, max(1, width), max(1, height), glyphs)


def scene_of(picture: OverlayPicture, known: Collection[NodeId], chosen: NodeId | None) -> Scene:
    """A scene of everybody in a picture, and of those who were in former ones.

    Args:
        picture: Who knows whom.
        known: Nodes that keep their place even if they are not in the picture.
        chosen: Whose view stands out; None for the node one sits on.
    """
    views = {told.node: told.view for told in picture.views}
    here = {picture.seat, *views, *(descriptor.id for view in views.values() for descriptor in view)}
    nodes = tuple(sorted(here.union(known), key=name_key))
    gone = frozenset(node for node in nodes if node not in here)
    chosen = chosen if chosen in nodes else picture.seat
    return Scene(nodes, views, chosen or picture.seat, picture.seat, picture.is_whole, gone)


def facts(
    scene: Scene, names: Names, wave: Wave | None, step: int, width: int, height: int, glyphs: OverlayGlyphs
) -> list[Line]:
    """What stands beside the graph: the wave in numbers, then the graph in numbers."""
    lines = [
        *wave_facts(scene, names, wave, step, width, glyphs),
        (),
        *graph_facts(scene, width, glyphs),
    ]
    return lines[:height]


def wave_facts(
    scene: Scene, names: Names, wave: Wave | None, step: int, width: int, glyphs: OverlayGlyphs
) -> list[Line]:
    """Which message spreads, whom it reached, and after how many steps."""
    ellipsis = glyphs.plot.ellipsis
    if wave is None:
        return [(Span(cut("No message spread yet", width, ellipsis), Role.DIM),)]
    head = cut(names.dot(wave.message.id), width, ellipsis)
    text = cut(safe(wave.message.text), max(0, width - cell_len(head) - 1), ellipsis)
    lines: list[Line] = [(Span(head, Role.MENTION), Span(" " + text))]
    counts = wave.histogram()
    reached = sum(counts[: step + 1])
    lines.append((Span(cut(reached_text(scene, wave, reached), width, ellipsis)),))
    return lines + (histogram(counts, step, width, glyphs) if scene.is_whole else [])


def histogram(counts: Sequence[int], step: int, width: int, glyphs: OverlayGlyphs) -> list[Line]:
    """How many nodes got a message after how many hops; a line a hop, those not shown yet still empty."""
    lines: list[Line] = []
    room, peak = max(1, width - 12), max(counts)
    for number, count in enumerate(counts):
        shown = count if number <= step else 0
        name = "origin " if number == 0 else f"hop {number:2} "
        bar = glyphs.plot.bar_full * math.ceil(shown / peak * room)
        role = Role.NEW if number == step else Role.MENTION
        lines.append((Span(name, Role.DIM), Span(bar, role), Span(f" {shown}" if shown else "")))
    return lines


def reached_text(scene: Scene, wave: Wave, reached: int) -> str:
    """How many nodes have the message, of how many, after which time."""
    if not scene.is_whole:
        hops = wave.layers.get(scene.seat)
        return "sent from here" if not hops else f"here after {hops} " + ("hop" if hops == 1 else "hops")
    total = len(scene.nodes) - len(scene.gone)
    return f"reached {reached}/{total} in {wave.seconds * 1000:,.0f} ms"


def graph_facts(scene: Scene, width: int, glyphs: OverlayGlyphs) -> list[Line]:
    """In-degrees as bars, and what is measured of a graph that is wholly known."""
    ellipsis = glyphs.plot.ellipsis
    degrees = [scene.in_degrees[node] for node in scene.nodes if node not in scene.gone]
    low, high = min(degrees, default=0), max(degrees, default=0)
    counts = [degrees.count(degree) for degree in range(low, high + 1)]
    cells = max(1, min(BAR_CELLS, width // len(counts)))
    drawn = bars(counts[:width], max(counts), cells * min(len(counts), width), BAR_ROWS, glyphs.plot)
    scale = f"{low}" + " " * max(1, len(drawn[0]) - len(f"{low}{high}")) + f"{high}"
    lines: list[Line] = [(Span(cut("in-degree: known by", width, ellipsis), Role.DIM),)]
    lines += [(Span(row, Role.HEAT_5),) for row in drawn]
    lines.append((Span(cut(scale, width), Role.DIM),))
    if scene.is_whole:
        figures = scene.figures
        lines += [
            (Span("links ", Role.DIM), Span(f"{figures.links:,}")),
            (Span("clustering ", Role.DIM), Span(f"{figures.clustering:.2f}")),
            (Span("path length ", Role.DIM), Span(f"{figures.path_length:.2f}")),
        ]
    else:
        told = len(scene.views) - 1
        lines.append((Span(cut(f"own view, {told} peers told", width, ellipsis), Role.DIM),))
    return lines


def summary(
    scene: Scene, names: Names, wave: Wave | None, step: int, width: int, glyphs: OverlayGlyphs
) -> list[Line]:
    """The same in two lines, where there is no room beside the graph."""
    ellipsis = glyphs.plot.ellipsis
    first = "no message spread yet"
    if wave is not None:
        counts = wave.histogram()[: step + 1]
        first = f"{names.dot(wave.message.id)} {reached_text(scene, wave, sum(counts))}"
        if scene.is_whole:
            first += f"  by hops {' '.join(map(str, counts))}"
    degrees = [scene.in_degrees[node] for node in scene.nodes if node not in scene.gone]
    second = f"in-degree {min(degrees, default=0)} to {max(degrees, default=0)}"
    if scene.is_whole:
        figures = scene.figures
        second += f"  clustering {figures.clustering:.2f}  path length {figures.path_length:.2f}"
    else:
        second += f"  own view, {len(scene.views) - 1} peers told"
    return [(Span(cut(" " + first, width, ellipsis)),), (Span(cut(" " + second, width, ellipsis), Role.DIM),)]
