"""What stands beside an overlay: what is done to it, how a message spreads, and the graph in numbers.

Pure functions: a scene and a wave in, lines out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from gossip_tui.observed import NO_TROUBLE, NodeState
from gossip_tui.text import safe

from .line import Line, Role, Span, cell_len, cut, wrap
from .names import Names
from .overlay import OverlayGlyphs
from .overlay_scene import Scene
from .plots import bars
from .waves import Wave

__all__ = ["facts", "summary"]

TROUBLE_LINES = 3
"""Lines that one of the facts about faults may take."""

BAR_CELLS, BAR_ROWS = 3, 3
"""Cells across of one bar of the in-degrees at the most, and rows of them."""


def facts(
    scene: Scene, names: Names, wave: Wave | None, step: int, width: int, height: int, glyphs: OverlayGlyphs
) -> list[Line]:
    """What stands beside the graph: the wave in numbers, then the graph in numbers."""
    lines = [
        *trouble_facts(scene, names, width, glyphs),
        *wave_facts(scene, names, wave, step, width, glyphs),
        (),
        *graph_facts(scene, width, glyphs),
    ]
    return lines[:height]


def trouble_facts(scene: Scene, names: Names, width: int, glyphs: OverlayGlyphs) -> list[Line]:
    """What is done to nodes on purpose, each with its sign, and a line below; nothing if nothing is."""
    lines: list[Line] = []
    for sign, text in troubles_of(scene, names, glyphs):
        parts = wrap(text, width - 2, TROUBLE_LINES)
        signs = (sign, *" " * TROUBLE_LINES)
        drawn = [f"{one} {part}" for one, part in zip(signs, parts, strict=False)]
        lines += [(Span(cut(line, width, glyphs.plot.ellipsis), Role.WARNING),) for line in drawn]
    return [*lines, ()] if lines else []


def troubles_of(scene: Scene, names: Names, glyphs: OverlayGlyphs) -> list[tuple[str, str]]:
    """What is done on purpose in words, each with the sign that stands for it in the graph."""
    found: list[tuple[str, str]] = []
    beyond, cut_links = len(scene.beyond), scene.cut_links
    if beyond:
        sides = f"cut: {len(scene.nodes) - beyond} here, {beyond} beyond"
        found.append((glyphs.beyond, sides if scene.is_whole else f"cut off from {beyond}"))
    if cut_links:
        found.append((glyphs.cut, counted(cut_links, "link") + " cut"))
    found += one_way_texts(scene, glyphs)
    for state, sign in ((NodeState.CRASHED, glyphs.crashed), (NodeState.STOPPED, glyphs.stopped)):
        whom = [names.label(node) for node in scene.nodes if scene.fate(node) is state]
        if whom:
            found.append((sign, f"{state}: {', '.join(whom)}"))
    own = scene.troubles.get(scene.seat, NO_TROUBLE)
    others = [one for node, one in scene.troubles.items() if node != scene.seat and (one.faults or one.apart)]
    if own.faults:
        found.append((glyphs.changed, f"faults here: {own.faults}"))
    if own.apart:
        found.append(
            (
                glyphs.changed,
                f"{counted(own.apart, 'peer')} with faults of {'its' if own.apart == 1 else 'their'} own",
            )
        )
    if others:
        found.append((glyphs.changed, f"faults at {counted(len(others), 'other node')}"))
    return found


def one_way_texts(scene: Scene, glyphs: OverlayGlyphs) -> list[tuple[str, str]]:
    """What is cut in one direction only, in words, each with its sign."""
    sign = glyphs.one_way[1]
    texts = [
        f"nothing comes from {len(scene.unheard)}" if scene.unheard else "",
        f"nothing gets to {len(scene.unreached)}" if scene.unreached else "",
        counted(scene.one_way_links, "link") + " one way" if scene.one_way_links else "",
    ]
    return [(sign, text) for text in texts if text]


def counted(number: int, noun: str) -> str:
    """A number of things.

    >>> counted(1, "link"), counted(1_200, "link")
    ('1 link', '1,200 links')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


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
    total = len(scene.present)
    return f"reached {reached}/{total} in {wave.seconds * 1000:,.0f} ms"


def graph_facts(scene: Scene, width: int, glyphs: OverlayGlyphs) -> list[Line]:
    """In-degrees as bars, and what is measured of a graph that is wholly known."""
    ellipsis = glyphs.plot.ellipsis
    degrees = [scene.in_degrees[node] for node in scene.present]
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
    degrees = [scene.in_degrees[node] for node in scene.present]
    second = f"in-degree {min(degrees, default=0)} to {max(degrees, default=0)}"
    if scene.is_whole:
        figures = scene.figures
        second += f"  clustering {figures.clustering:.2f}  path length {figures.path_length:.2f}"
    else:
        second += f"  own view, {len(scene.views) - 1} peers told"
    troubles = "  ".join(f"{sign} {text}" for sign, text in troubles_of(scene, names, glyphs))
    shown = cut(f" {troubles} " if troubles else "", width, ellipsis)
    figures_shown = cut(" " + second, max(0, width - cell_len(shown)), ellipsis)
    return [
        (Span(cut(" " + first, width, ellipsis)),),
        (Span(shown, Role.WARNING), Span(figures_shown, Role.DIM)),
    ]
