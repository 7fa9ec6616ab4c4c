"""The panes, the line to type into, and what surrounds them; in three sizes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import ClassVar

from textual import events
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.screen import Screen
from textual.widget import Widget

from gossip_tui.experiments import Lab
from gossip_tui.keys import Where
from gossip_tui.observed import Deliveries, OverlayPicture
from gossip_tui.theme import UNICODE, Glyphs
from gossip_tui.tour import Tour
from gossip_tui.widgets.causal_log import CausalLogPane
from gossip_tui.widgets.composer import Composer
from gossip_tui.widgets.fault_dials import FaultDialsPane
from gossip_tui.widgets.key_footer import KeyFooter
from gossip_tui.widgets.overlay import OverlayPane
from gossip_tui.widgets.pane import Pane
from gossip_tui.widgets.partial_view import PartialViewPane
from gossip_tui.widgets.rates import RatesPane
from gossip_tui.widgets.scrub_bar import ScrubBar
from gossip_tui.widgets.space_time import LOOK_PERIOD, SpaceTimePane
from gossip_tui.widgets.status_bar import StatusBar
from gossip_tui.widgets.textual_parts import keep_rows
from gossip_tui.widgets.tour_panel import TourPanel
from protocol.core.identity import NodeId
from protocol.core.snapshot import NodeSnapshot

__all__ = ["Arrangement", "MainScreen", "arrangement_for"]

WIDE_COLUMNS, TALL_ROWS = 90, 26
"""From here on panes stand side by side, and rates have room below the view."""

SMALL_COLUMNS, SMALL_ROWS = 60, 18
"""Below either of these there is room for one pane at a time."""

FRAME_ROWS = 10
"""Below this a frame would take the room of what it frames."""


TITLES = ("Causal log", "Space-time", "Overlay", "Faults")
"""What the panes at the right are called while others stand in front of them; in the order of their keys."""

TAB_KEYS = ("F3", "F4", "F5", "F6")
"""What stands for them where there is no room for that."""

TOUR_NAMES = {
    Where.VIEW: "Partial view (F2)",
    Where.LOG: "Causal log (F3)",
    Where.SPACE_TIME: "Space-time (F4)",
    Where.OVERLAY: "Overlay (F5)",
    Where.FAULTS: "Faults (F6)",
}
"""What the tour calls the panes that it points at, each with its key."""

Tab = CausalLogPane | SpaceTimePane | OverlayPane | FaultDialsPane
"""A pane that shares its place with others, one of which stands in front."""


class Arrangement(StrEnum):
    """How the panes share the screen; the values are CSS classes."""

    WIDE = "-wide"
    """Side by side, rates below the view."""
    FLAT = "-flat"
    """Side by side without rates, in a wide but low terminal."""
    STACKED = "-stacked"
    """The view over the log."""
    SINGLE = "-single"
    """One at a time."""


def arrangement_for(columns: int, rows: int) -> Arrangement:
    """The arrangement for a terminal of that size."""
    if columns < SMALL_COLUMNS or rows < SMALL_ROWS:
        return Arrangement.SINGLE
    if columns < WIDE_COLUMNS:
        return Arrangement.STACKED
    return Arrangement.WIDE if rows >= TALL_ROWS else Arrangement.FLAT


class MainScreen(Screen[None]):
    """Partial view, causal log and rates, with the status bar above and composer and keys below.

    Args:
        composer: The line to type into.
        observe: Gives what was delivered at the nodes of this process, as ``Feed.deliveries`` does.
        picture: Gives who knows whom, as ``Feed.overlay`` does.
        lab: Gives how experiments stand; None where nothing is live.
        look_period: Seconds between two looks of the space-time diagram; the overlay looks at every fourth.
        glyphs: What to draw with.
        clock: Seconds on a clock that only goes forward; rates and fading marks go by it.
        wall_clock: Unix seconds, for the lines of the log that no node sent.
        seek: Goes to a position, where this shows a recording.
    """

    AUTO_FOCUS = "#composer-input"
    ESCAPE_TO_MINIMIZE = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "toggle_focus", "Composer or log", show=False),
        Binding("slash", "begin_command", "Begin a command", show=False, priority=True),
        Binding("pageup", "scroll_log(-1)", "Scroll the log up", show=False),
        Binding("pagedown", "scroll_log(1)", "Scroll the log down", show=False),
    ]

    def __init__(
        self,
        composer: Composer,
        observe: Callable[[Mapping[NodeId, int]], Deliveries],
        picture: Callable[[], OverlayPicture],
        lab: Callable[[], Lab | None],
        *,
        look_period: float = LOOK_PERIOD,
        glyphs: Glyphs = UNICODE,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        seek: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__(id="main")
        keep_rows(self)
        ascii_only = glyphs is not UNICODE
        self.composer = composer
        self.status_bar = StatusBar(ascii_only=ascii_only, id="status")
        self.partial_view = PartialViewPane(glyphs=glyphs, clock=clock, id="view")
        self.rates = RatesPane(glyphs=glyphs, clock=clock, id="rates")
        self.rates.can_focus = False  # there is nothing to do in it
        self.log_pane = CausalLogPane(glyphs=glyphs, clock=wall_clock, id="log")
        self.space_time = SpaceTimePane(observe, period=look_period, glyphs=glyphs, id="space-time")
        self.overlay = OverlayPane(
            picture,
            observe,
            period=4 * look_period,
            frame_period=look_period / 1.5,
            clock=clock,
            glyphs=glyphs,
            id="overlay",
        )
        self.faults = FaultDialsPane(lab, settle_period=4.8 * look_period, glyphs=glyphs, id="faults")
        for place, tab in enumerate(self.tabs):
            tab.tabs = tuple((names[:place], names[place + 1 :]) for names in (TITLES, TAB_KEYS))
        self.footer = keep_rows(KeyFooter(edge="" if ascii_only else "▏"))
        self.tour_panel = TourPanel((SMALL_COLUMNS, SMALL_ROWS), glyphs=glyphs, id="tour")
        self.front_pane: Tab = self.log_pane
        """Which of the panes that share the place at the right stands in front."""
        self.scrub_bar = None if seek is None else ScrubBar(seek, glyphs=glyphs, id="scrub")
        self.partial_view.recorded = self.log_pane.recorded = seek is not None
        if seek is not None:
            # There is nothing to say in a recording, and keys of a pane work in the pane alone.
            self.AUTO_FOCUS = "#log"  # type: ignore[misc]
        self.active_pane: Pane = self.log_pane
        """The pane that has, or last had, the focus: the one that is seen where there is room for one."""
        self.zoomed = False
        self.arrangement = Arrangement.WIDE
        self._shown: NodeSnapshot | None = None

    @property
    def place(self) -> Where:
        """Where the focus is, as the table of keys calls it."""
        focused = self.focused
        places: dict[Widget, Where] = {
            self.composer.input: Where.COMPOSER,
            self.partial_view: Where.VIEW,
            self.log_pane: Where.LOG,
            self.space_time: Where.SPACE_TIME,
            self.overlay: Where.OVERLAY,
            self.faults: Where.FAULTS,
        }
        return Where.EVERYWHERE if focused is None else places.get(focused, Where.EVERYWHERE)

    @property
    def panes(self) -> tuple[Pane, ...]:
        """All panes, in the order of their keys."""
        return self.partial_view, *self.tabs, self.rates

    @property
    def tabs(self) -> tuple[CausalLogPane, SpaceTimePane, OverlayPane, FaultDialsPane]:
        """The panes that share the place at the right, in the order of their keys."""
        return self.log_pane, self.space_time, self.overlay, self.faults

    def compose(self) -> ComposeResult:
        """Status bar, panes, composer, keys."""
        yield self.status_bar
        with keep_rows(Container(id="panes")):
            with keep_rows(Vertical(id="side")):
                yield self.partial_view
                yield self.rates
            yield from self.tabs
        if self.scrub_bar is not None:
            yield self.scrub_bar
        yield self.tour_panel
        yield self.composer
        yield self.footer

    def on_resize(self, event: events.Resize) -> None:
        """Arrange the panes for the new size."""
        self.arrange_panes(arrangement_for(event.size.width, event.size.height))

    def arrange_panes(self, arrangement: Arrangement) -> None:
        """Share out the screen; a zoomed pane has it for itself, whatever the size."""
        self.arrangement = arrangement
        shown = Arrangement.SINGLE if self.zoomed else arrangement
        for candidate in Arrangement:
            self.set_class(candidate is shown, candidate)
        self.set_class(self.size.height < FRAME_ROWS, "-low")
        self.tour_panel.draw_lines()
        # Changing a class of the screen costs as much as drawing it: not where it makes no difference.
        is_only_view = shown is Arrangement.SINGLE and self.active_pane is self.partial_view
        self.set_class(is_only_view, "-only-view")
        for tab in self.tabs:
            tab.set_class(tab is self.front_pane, "-front")

    def show(self, snapshot: NodeSnapshot) -> None:
        """Give the panes a picture; one that is hidden draws nothing, and the view only what concerns it."""
        before, self._shown = self._shown, snapshot
        if before is None or aspects_of_view(before) != aspects_of_view(snapshot):
            self.partial_view.show(snapshot)
        self.log_pane.show(snapshot)
        self.rates.show(snapshot)
        self.faults.show(snapshot)

    def show_other_node(self) -> None:
        """Forget what the panes know of the node before."""
        self.log_pane.clear()

    def zoom(self) -> None:
        """Give the active pane all the room between status bar and composer, or take it back."""
        self.zoomed = not self.zoomed
        self.arrange_panes(self.arrangement)

    def go_to(self, pane: Pane) -> None:
        """Show a pane, if it is hidden behind another, and focus it."""
        self._activate(pane)
        self.arrange_panes(self.arrangement)
        pane.focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember which pane was last in use."""
        if isinstance(event.widget, Pane) and event.widget is not self.active_pane:
            self._activate(event.widget)
            self.arrange_panes(self.arrangement)

    def point_at(self, tour: Tour | None) -> None:
        """Show a step of the tour, and the pane it is about in front of others; without one, none of it."""
        step = tour.step if tour is not None else None
        pane = self.pane_of(step.pane) if step is not None else None
        for one in self.panes:
            one.point(one is pane)
        self.tour_panel.show(tour, TOUR_NAMES[step.pane] if step is not None else "")
        if pane is not None:
            leaves_focus = isinstance(self.focused, Pane) and self.focused is not pane
            self._activate(pane)
            self.arrange_panes(self.arrangement)
            if leaves_focus:
                pane.focus()  # the one that had it may be hidden now

    def pane_of(self, where: Where) -> Pane:
        """The pane that the table of keys calls so.

        Raises:
            KeyError: It has no keys.
        """
        panes: dict[Where, Pane] = {
            Where.VIEW: self.partial_view,
            Where.LOG: self.log_pane,
            Where.SPACE_TIME: self.space_time,
            Where.OVERLAY: self.overlay,
            Where.FAULTS: self.faults,
        }
        return panes[where]

    def _activate(self, pane: Pane) -> None:
        """Put a pane in front; the one it hides is still there behind its tab."""
        self.active_pane = pane
        if isinstance(pane, Tab):
            self.front_pane = pane

    def action_toggle_focus(self) -> None:
        """Go to the log, or what stands in its place, from the composer; from anywhere else go there."""
        if self.composer.input.has_focus:
            self.go_to(self.front_pane)
        else:
            self.composer.input.focus()

    def on_pane_tab_chosen(self, event: Pane.TabChosen) -> None:
        """Go to the pane whose title was clicked."""
        self.go_to(self.tabs[event.place])

    def on_key(self, event: events.Key) -> None:
        """Type into the composer what is no key of the pane that has the focus, as a person expects."""
        character = event.character if event.is_printable else None
        if character is None or event.key in self.active_bindings or not self._types_for_composer:
            return
        if character == " " and isinstance(self.focused, Pane):
            return  # no line begins with a blank
        event.stop()
        self.set_focus(self.composer.input)
        self.composer.input.insert_text_at_cursor(character)

    def on_paste(self, event: events.Paste) -> None:
        """Paste into the composer what no pane has any use for."""
        if self._types_for_composer:
            event.stop()
            self.set_focus(self.composer.input)
            self.composer.paste(event.text)

    @property
    def _types_for_composer(self) -> bool:
        """Whether what is typed is for the composer: in a pane.

        What was typed faster than the focus moved came to the pane too, though the composer has it now; what
        comes to the composer itself does not come here.
        """
        return isinstance(self.focused, Pane) or self.focused is self.composer.input

    def action_begin_command(self) -> None:
        """Go from a pane to the composer with the slash; what is typed there already stays.

        Raises:
            SkipAction: It has the focus: there a slash is a slash.
        """
        if self.composer.input.has_focus:
            raise SkipAction
        if self.composer.input.value:
            self.composer.input.focus()
        else:
            self.composer.prefill("/")

    def action_scroll_log(self, pages: int) -> None:
        """Scroll the log, or what stands in its place, by so many screens without leaving the composer."""
        if pages < 0:
            self.front_pane.action_page_up()
        else:
            self.front_pane.action_page_down()


def aspects_of_view(snapshot: NodeSnapshot) -> tuple[object, ...]:
    """The part of a picture that the partial view draws."""
    return snapshot.view, snapshot.peers, snapshot.strategy, snapshot.id, snapshot.address, snapshot.left
