"""The dials of experiments: loss, delay, cuts, and how nodes sample and spread, turned by keys.

The pane changes nothing itself: it asks for a command as a person would type it. Turning by arrows is in
force when the keys have rested for a moment, a typed number with Enter; going to another dial does the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from gossip_tui.drawing.dial_board import Turning, board_title, dial_line, totals_lines
from gossip_tui.drawing.dials import (
    SCALES,
    Bench,
    Dial,
    Kind,
    Value,
    command_for,
    dials_of,
    reset,
    targets_of,
    turned,
    typed,
)
from gossip_tui.drawing.line import Line, Role
from gossip_tui.experiments import Lab
from gossip_tui.theme import UNICODE, Glyphs
from protocol.core.identity import Address
from protocol.core.snapshot import NodeSnapshot

from .pane import Pane

__all__ = ["FaultDialsPane"]

SETTLE_PERIOD = 0.6
"""Seconds after the last turn until it takes force: some steps are one change, and it still feels at once."""

HEADER_HEIGHT = 2
"""Lines of what faults did so far, which stay at the top."""

LOW = 6
"""Lines below which those would take the room of the dials."""

TYPED_LIMIT = 7
"""Characters of a typed number: more than any dial takes."""


class FaultDialsPane(Pane):
    """Shows what is done to the network on purpose, what came of it, and lets a person turn it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", "Dial before", show=False, id="faults.up"),
        Binding("down", "cursor(1)", "Dial after", show=False, id="faults.down"),
        Binding("pageup", "cursor(-8)", "Dials before", show=False, id="faults.page_up"),
        Binding("pagedown", "cursor(8)", "Dials after", show=False, id="faults.page_down"),
        Binding("home", "cursor(-1000000)", "First dial", show=False, id="faults.first"),
        Binding("end", "cursor(1000000)", "Last dial", show=False, id="faults.last"),
        Binding("left", "turn(-1)", "Less", show=False, id="faults.less"),
        Binding("right", "turn(1)", "More", show=False, id="faults.more"),
        Binding("enter", "apply", "Apply", show=False, id="faults.apply"),
        Binding("backspace", "erase", "Erase", show=False, id="faults.erase"),
        Binding("a", "toggle_scope", "This node or the swarm", show=False, id="faults.scope"),
        *(
            Binding(key, f"type('{character}')", "Type", show=False, id=f"faults.type_{key}")
            for key, character in [*((str(digit), str(digit)) for digit in range(10)), ("full_stop", ".")]
        ),
    ]

    class CommandWanted(Message):
        """A dial was turned: this line brings it there."""

        def __init__(self, pane: FaultDialsPane, line: str) -> None:
            super().__init__()
            self.pane = pane
            self.line = line

        @property
        def control(self) -> FaultDialsPane:
            """The pane, for ``on`` selectors."""
            return self.pane

    def __init__(
        self,
        lab: Callable[[], Lab | None],
        *,
        settle_period: float = SETTLE_PERIOD,
        glyphs: Glyphs = UNICODE,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        """Make an empty pane.

        Args:
            lab: Gives how experiments stand, as ``Experiments.picture`` does; None where nothing is live.
            settle_period: Seconds after the last turn that it takes force.
            glyphs: What to draw with.
            id: The id in the DOM.
            classes: The classes in the DOM.
        """
        super().__init__(glyphs=glyphs, id=id, classes=classes)
        self._lab = lab
        self._settle_period = settle_period
        self._snapshot: NodeSnapshot | None = None
        self._swarm = False
        self._target: Address | None = None
        self._bench: Bench | None = None
        self._dials: list[Dial] = []
        self._cursor = 0
        self._turning: Turning | None = None
        self._timer: Timer | None = None

    # What there is to show.

    def show(self, snapshot: NodeSnapshot) -> None:
        """Take in a snapshot, and draw it if the pane can be seen."""
        if self._snapshot is not None and snapshot.id.name != self._snapshot.id.name:
            self._turning = self._target = None
        self._snapshot = snapshot
        self.look()

    def look(self) -> None:
        """Draw how things stand now, if the pane can be seen, is not frozen and something is different."""
        if self._snapshot is None or not self._on_screen or self.frozen:
            return
        bench = Bench(self._snapshot, self._lab(), self._swarm, self._target)
        if bench != self._bench:
            self._bench = bench
            self._dials = dials_of(bench)
            self._cursor = min(self._cursor, len(self._dials) - 1)
            self.retitle()
            self.set_line_count(len(self._dials) + self.header_height)
            self.move_scroll_bar()
            self.refresh()

    def redraw(self) -> None:
        """Keep the dial under the cursor in sight; the size may be another one."""
        super().redraw()
        if self._dials:
            self.set_line_count(len(self._dials) + self.header_height)
            self._go_to(self._cursor)

    def on_show(self) -> None:
        """Look at once."""
        super().on_show()
        self.look()

    def watch_frozen(self, frozen: bool) -> None:
        """Catch up when thawed."""
        self.retitle()
        if not frozen:
            self.look()

    def retitle(self) -> None:
        """Name the node, and the keys while there is room for them."""
        hint = (
            "\u2190 \u2192 turn, 0 resets, or type a number"
            if self.glyphs is UNICODE
            else "< > turn, 0 resets"
        )
        subtitle = "frozen" if self.frozen else hint if self.size.width > len(hint) + 4 else ""
        self.set_title(board_title(self._bench, self.title_width), subtitle)

    @property
    def visible_text(self) -> list[str]:
        """What the pane shows, top first."""
        return [self.render_line(y).text.rstrip() for y in range(self.size.height)]

    @property
    def header_height(self) -> int:
        """Lines above the dials."""
        return HEADER_HEIGHT if self.size.height >= LOW else 0

    @property
    def cursor_dial(self) -> Dial | None:
        """The dial under the cursor."""
        return self._dials[self._cursor] if self._dials else None

    def render_line(self, y: int) -> Strip:
        """Draw the line ``y`` of the visible part; what faults did stays at the top."""
        if self._bench is None:
            return self.draw(())
        if y < self.header_height:
            return self.draw(totals_lines(self._bench, self.line_width, self.glyphs)[y])
        index = y - self.header_height + self.scroll_offset.y
        if index >= len(self._dials):
            return self.draw(())
        return self.draw(self._line(index), Role.CURSOR if self.has_focus and index == self._cursor else None)

    def _line(self, index: int) -> Line:
        turning = self._turning if index == self._cursor else None
        return dial_line(self._dials[index], turning, self.line_width, self.glyphs)

    # What a person does.

    def action_cursor(self, step: int) -> None:
        """Go to another dial; what was turned takes force."""
        self.action_apply()
        self._go_to(self._cursor + step)

    def _go_to(self, index: int) -> None:
        self._cursor = max(0, min(index, len(self._dials) - 1))
        visible = max(1, self.size.height - self.header_height)
        top = min(self.scroll_offset.y, self._cursor)
        self.scroll_to(y=max(top, self._cursor - visible + 1), animate=False)
        self.refresh()

    def action_turn(self, steps: int) -> None:
        """Turn the dial under the cursor."""
        dial = self.cursor_dial
        if dial is None or self._bench is None:
            return
        if dial.kind is Kind.SCOPE:
            self.action_toggle_scope()
        elif dial.kind is Kind.TARGET:
            self._turn_target(steps)
        else:
            self._turn_to(turned(dial, steps, self._turning.value if self._turning is not None else None))

    def action_toggle_scope(self) -> None:
        """Turn dials for this node alone, or for the whole swarm."""
        if self._bench is not None and self._bench.is_demo:
            self.action_apply()
            self._swarm = not self._swarm
            self.look()

    def _turn_target(self, steps: int) -> None:
        assert self._bench is not None
        targets = targets_of(self._bench)
        place = targets.index(self._target) if self._target in targets else 0
        self._target = targets[(place + steps) % len(targets)]
        self.look()

    def action_type(self, character: str) -> None:
        """Type a number; a 0 in front resets the dial."""
        dial = self.cursor_dial
        if dial is None:
            return
        before = self._turning.text if self._turning is not None else ""
        if character == "0" and not before:
            self._reset(dial)
            return
        text = (before + character)[:TYPED_LIMIT]
        number = typed(dial, text)
        if number is not None or (dial.kind in SCALES and text == "."):
            self._stop_waiting()
            self._turning = Turning(number if number is not None else 0.0, text)
            self.refresh()

    def _reset(self, dial: Dial) -> None:
        if dial.kind is Kind.TARGET:
            self._target = None
            self.look()
        elif dial.kind is Kind.SCOPE:
            self._swarm = False
            self.look()
        else:
            self._turn_to(reset(dial))

    def action_erase(self) -> None:
        """Take the last typed character back."""
        dial = self.cursor_dial
        if dial is None or self._turning is None or not self._turning.text:
            return
        text = self._turning.text[:-1]
        number = typed(dial, text)
        self._turning = None if not text else Turning(number if number is not None else 0.0, text)
        self.refresh()

    def action_apply(self) -> None:
        """Let what was turned or typed take force."""
        self._stop_waiting()
        turning, dial = self._turning, self.cursor_dial
        if turning is None or dial is None or self._bench is None:
            return
        value = turning.value
        if dial.kind in {Kind.FANOUT, Kind.VIEW_SIZE}:
            value = float(int(float(value)))
        line = command_for(self._bench, dial, value)
        if line:
            self.post_message(self.CommandWanted(self, line))
        else:
            self.settle()

    def settle(self) -> None:
        """What was turned was carried out or refused: show how things stand."""
        self._turning = None
        self.look()
        self.refresh()

    def on_focus(self) -> None:
        """Show the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Hide the cursor; what was turned takes force."""
        self.action_apply()
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the dial clicked."""
        offset = event.get_content_offset(self)
        index = -1 if offset is None else offset.y - self.header_height + self.scroll_offset.y
        if offset is not None and offset.y >= self.header_height and 0 <= index < len(self._dials):
            self.action_apply()
            self._go_to(index)

    def _turn_to(self, value: Value | None) -> None:
        if value is None:
            return
        self._turning = Turning(value)
        self._stop_waiting()
        self._timer = self.set_timer(self._settle_period, self.action_apply)
        self.refresh()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
