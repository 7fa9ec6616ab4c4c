"""The overlay: the graph of partial views, and messages as waves that go over it.

The pane asks for views and deliveries itself, and only while it can be seen. While a wave moves it draws a
dozen frames a second, and none when nothing moves, when it is frozen, or when the terminal lost the focus.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message as TextualMessage
from textual.strip import Strip
from textual.timer import Timer

from gossip_tui.drawing.line import Line, Span, cut
from gossip_tui.drawing.names import Names
from gossip_tui.drawing.overlay import (
    ASCII_OVERLAY,
    UNICODE_OVERLAY,
    Board,
    board_for,
)
from gossip_tui.drawing.overlay_facts import facts, summary
from gossip_tui.drawing.overlay_scene import Scene, scene_of
from gossip_tui.drawing.sentences import no_overlay, wrapped
from gossip_tui.drawing.waves import Waves
from gossip_tui.observed import Deliveries, OverlayPicture
from gossip_tui.theme import UNICODE, Glyphs
from protocol.core.identity import Dot, NodeId

from .pane import Pane

__all__ = ["OverlayPane"]

LOOK_PERIOD = 0.5
"""Seconds between two looks: views change with every exchange, and eyes need some time for each."""

FRAME_PERIOD = 1 / 12
"""Seconds between two frames of a wave: a choice, it seems to move and costs little."""

FACTS_WIDTH = 26
"""Cells beside the graph for what is counted."""

LEAST_GRAPH = 40
"""Cells below which the graph has no room for anything beside it."""

SUMMARY_HEIGHT = 2

GONE_PERIOD = 30.0
"""Seconds that a node keeps its place after it was last heard of, so that the ring does not jump."""


class OverlayPane(Pane):
    """Shows who knows whom, how often everybody is known, and the way of a message from node to node."""

    DEFAULT_CSS = """
    OverlayPane { overflow-y: hidden; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "choose_node(-1)", "Node before", show=False, id="overlay.before"),
        Binding("right,down", "choose_node(1)", "Node after", show=False, id="overlay.after"),
        Binding("home", "choose_seat", "Own view", show=False, id="overlay.home"),
        Binding("enter", "open_node", "Open", show=False, id="overlay.open"),
        Binding("r", "replay", "Replay the wave", show=False, id="overlay.replay"),
    ]

    class NodeChosen(TextualMessage):
        """Somebody pressed Enter on a node, or double-clicked it."""

        def __init__(self, pane: OverlayPane, node: NodeId) -> None:
            super().__init__()
            self.pane = pane
            self.node = node

        @property
        def control(self) -> OverlayPane:
            """The pane, for ``on`` selectors."""
            return self.pane

    def __init__(
        self,
        picture: Callable[[], OverlayPicture],
        observe: Callable[[Mapping[NodeId, int]], Deliveries],
        *,
        period: float = LOOK_PERIOD,
        frame_period: float = FRAME_PERIOD,
        clock: Callable[[], float] = time.monotonic,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        """Make an empty pane.

        Args:
            picture: Gives who knows whom, as ``Feed.overlay`` does.
            observe: Gives what was delivered after a former answer, as ``Feed.deliveries`` does.
            period: Seconds between two looks.
            frame_period: Seconds between two frames.
            clock: Seconds on a clock that only goes forward; waves move by it.
            glyphs: What to draw with.
            id: The id in the DOM.
            classes: The classes in the DOM.
        """
        super().__init__(glyphs=glyphs, id=id, classes=classes)
        self._picture = picture
        self._observe = observe
        self._clock = clock
        self._periods = period, frame_period
        self._ticks: tuple[Timer, ...] = ()
        self._signs = UNICODE_OVERLAY if glyphs is UNICODE else ASCII_OVERLAY
        self._names = Names()
        self._seen: Mapping[NodeId, int] = {}
        self._heard: dict[NodeId, float] = {}
        self._waves = Waves()
        self._shown: OverlayPicture | None = None
        self._chosen: NodeId | None = None
        self._scene: Scene | None = None
        self._board: Board | None = None
        self._drawn: list[Line] = []

    # When to look, and when to move.

    def on_mount(self) -> None:
        """Be ready to look, once somebody sees it."""
        super().on_mount()
        period, frame_period = self._periods
        self._ticks = (
            self.set_interval(period, self.look, pause=True),
            self.set_interval(frame_period, self.advance, pause=True),
        )

    def on_show(self) -> None:
        """Look at once, and from now on."""
        super().on_show()
        if self._ticks:
            self._ticks[0].resume()
        self.look()

    def on_hide(self) -> None:
        """Nobody sees it: cost nothing."""
        super().on_hide()
        for timer in self._ticks:
            timer.pause()

    def look(self) -> None:
        """Take in who knows whom now and what was delivered, if the pane can be seen and is not frozen."""
        if not self._on_screen or self.frozen:
            return
        deliveries = self._observe(self._seen)
        self._seen = deliveries.cursor
        now = self._clock()
        if deliveries.rows:
            self._waves.observe(deliveries.rows, now, deliveries.seat)
        picture = self._picture()
        if picture != self._shown:
            self._shown = picture
            self._arrange(now)
        self._waves.observe((), now)
        self.draw_frame()
        self._move_on()

    def advance(self) -> None:
        """Draw the next frame of a wave that moves."""
        if self._on_screen and not self.frozen:
            self.draw_frame()
            self._move_on()

    def _move_on(self) -> None:
        """Go on drawing frames for as long as something moves and somebody looks."""
        if not self._ticks:
            return
        moves = self._waves.is_moving(self._clock()) and self._on_screen and not self.frozen
        if moves and self.app.app_focus:
            self._ticks[1].resume()
        else:
            self._ticks[1].pause()

    # What is drawn.

    @property
    def scene(self) -> Scene | None:
        """What is drawn: who knows whom, and whose view stands out."""
        return self._scene

    def want(self, dot: Dot) -> None:
        """Show the wave of this message next: a person has just said it and looks for it."""
        self._waves.want(dot)

    def has_shown(self, dot: Dot) -> bool:
        """Whether the wave of this message was shown here to its end."""
        return self._waves.has_shown(dot, self._clock())

    @property
    def visible_text(self) -> list[str]:
        """What is in sight as plain text, top first."""
        return [self.render_line(y).text for y in range(self.size.height)]

    def render_line(self, y: int) -> Strip:
        """Draw the line ``y``."""
        return self.draw(self._drawn[y] if y < len(self._drawn) else ())

    def draw_frame(self) -> None:
        """Draw the lines that are others than in the frame before."""
        before, self._drawn = self._drawn, self._lines()
        if len(before) != len(self._drawn):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._drawn, strict=True)):
            if old != new:
                self.refresh_line(y)

    def retitle(self) -> None:
        """Say whose picture this is."""
        width = self.title_width
        self.set_title(cut(self._title(), width), "frozen" if self.frozen else "")

    def redraw(self) -> None:
        """Lay everything out anew."""
        if self._on_screen:
            self._arrange(self._clock())
            self.draw_frame()

    def watch_frozen(self, frozen: bool) -> None:
        """Stand still, or catch up."""
        self.retitle()
        if not frozen:
            self.look()
        self._move_on()

    def _title(self) -> str:
        scene = self._scene
        if scene is None:
            return "Overlay"
        if scene.is_whole:
            title = f"Overlay  all {len(scene.views)} views"
        else:
            title = f"Overlay  seen from {self._names.label(scene.seat)}"
        if scene.chosen != scene.seat:
            title += f", that of {self._names.label(scene.chosen)} drawn through"
        return title

    def _arrange(self, now: float) -> None:
        """Lay out the newest picture; nodes that were heard of lately keep their places."""
        picture = self._shown
        if picture is None:
            return
        scene = scene_of(picture, self._lately(picture, now), self._chosen)
        self._scene = scene
        self._names.learn(scene.nodes)
        width, height = self._graph_size()
        self._board = board_for(scene, self._names, width, height, self._signs)
        self.retitle()

    def _lately(self, picture: OverlayPicture, now: float) -> list[NodeId]:
        heard = self._heard
        for node in scene_of(picture, (), None).nodes:
            heard[node] = now
        self._heard = {node: at for node, at in heard.items() if now - at <= GONE_PERIOD}
        return list(self._heard)

    def _graph_size(self) -> tuple[int, int]:
        width, height = self.line_width, self.size.height
        if width >= LEAST_GRAPH + FACTS_WIDTH:
            return width - FACTS_WIDTH - 1, height
        return width, height - SUMMARY_HEIGHT if height > 2 * SUMMARY_HEIGHT else height

    def _lines(self) -> list[Line]:
        scene, board = self._scene, self._board
        if scene is None or board is None or len(scene.nodes) < 2:
            return wrapped(no_overlay(knows_itself=scene is not None), self.line_width)
        wave, step = self._waves.current, self._waves.step(self._clock())
        graph = board.frame(wave, step)
        width, height = self.line_width, self.size.height
        if width >= LEAST_GRAPH + FACTS_WIDTH:
            beside = facts(scene, self._names, wave, step, FACTS_WIDTH, height, self._signs)
            beside += [()] * (height - len(beside))
            return [(*left, Span(" "), *right) for left, right in zip(graph, beside, strict=False)]
        if len(graph) < height:
            graph += summary(scene, self._names, wave, step, width, self._signs)
        return graph

    # Keys and mouse.

    def action_choose_node(self, step: int) -> None:
        """Let the view of the next node on the ring stand out."""
        scene = self._scene
        if scene is not None and scene.views:
            nodes = [node for node in scene.nodes if node in scene.views]
            place = nodes.index(scene.chosen) if scene.chosen in nodes else 0
            self._choose(nodes[(place + step) % len(nodes)])

    def action_choose_seat(self) -> None:
        """Let the own view stand out again."""
        self._choose(None)

    def action_open_node(self) -> None:
        """Tell the application which node's view stands out."""
        if self._scene is not None:
            self.post_message(self.NodeChosen(self, self._scene.chosen))

    def action_replay(self) -> None:
        """Show the last wave once more."""
        self._waves.replay(self._clock())
        self.draw_frame()
        self._move_on()

    def action_page_up(self) -> None:
        """There is nothing to scroll; keys of the composer go to the pane in front, whichever it is."""

    action_page_down = action_page_up

    def on_click(self, event: events.Click) -> None:
        """Let the view of the node clicked stand out; a double click opens it."""
        offset, board = event.get_content_offset(self), self._board
        if offset is None or board is None:
            return
        near = [(abs(x - offset.x) + 2 * abs(y - offset.y), node) for node, (x, y) in board.cells.items()]
        distance, node = min(near, key=lambda one: one[0], default=(99, None))
        if node is not None and distance <= 6:
            self._choose(node)
            if event.chain == 2:
                self.action_open_node()

    def _choose(self, node: NodeId | None) -> None:
        self._chosen = node
        self._arrange(self._clock())
        self.draw_frame()
