"""The application: one feed, one screen, and four looks a second at what changed between them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.filter import LineFilter

from protocol.core.snapshot import NodeSnapshot
from protocol.core.strategy import Strategy
from protocol.errors import GossipError

from .command import Command, CommandError
from .command_line import Invocation
from .commands import COMMANDS, available, find_command
from .completion import Vocabulary
from .departure import Departure
from .drawing.mentions import mentions
from .drawing.status_line import Recent, Status
from .experiments import Lab
from .export_commands import copy_text
from .failures import Failures
from .guide import Guide
from .keys import key_label
from .logs import take_failure
from .notices import Notice
from .openings import Openings
from .palette import GossipCommands
from .recording.feed import ReplayFeed
from .recording.taping import Taping
from .runner import THEME_PREFIX, CommandRunner, theme_names
from .screens.main import MainScreen
from .screens.message import clock_time
from .screens.peers import PeersScreen
from .shown import Feed, Update
from .text import safe
from .theme import ASCII, PLAIN_SIGNS, THEMES, UNICODE, colorless
from .widgets.causal_log import CausalLogPane, NoticeKind
from .widgets.composer import IN_A_RECORDING, INVITATIONS, Composer
from .widgets.copying import CopyWanted
from .widgets.fault_dials import FaultDialsPane
from .widgets.overlay import OverlayPane
from .widgets.partial_view import PartialViewPane
from .widgets.space_time import SpaceTimePane
from .widgets.tour_panel import TourPanel

if TYPE_CHECKING:
    from textual.screen import Screen

__all__ = ["GossipApp"]

TICK_PERIOD = 0.25
"""Seconds between two looks at the feed: quick enough to seem live, slow enough to be calm and cheap."""

TOAST_PERIOD = 1.0
"""Seconds before the same toast may come again."""


PLAYER_KEYS = frozenset(command.key for command in COMMANDS if command.replay and command.key)
"""What plays, steps, jumps and sets the speed in a recording; no command begins with one of them."""


def command_bindings() -> list[BindingType]:
    """The keys of the command table, each with an action string of its own: the footer merges equal ones."""
    return [
        Binding(
            command.key,
            f"command('{command.name}')",
            command.footer,
            id=f"command.{command.name}",
            key_display=key_label(command.key),
            show=bool(command.footer),
            priority=command.name == "quit",
        )
        for command in COMMANDS
        if command.key
    ]


class GossipApp(App[None], inherit_bindings=False):
    """Shows a feed and carries out what a person types.

    Args:
        feed: What to show; closed when the application ends, however it ends.
        ascii: Draw with nothing but ASCII.
        theme: One of the own themes by its short name (``dark``), or one of Textual's.
        taping: Makes recordings of the feed.
        tour: Whether to begin with the tour.
        tick_period: Seconds between two looks at the feed.
        clock: Seconds on a clock that only goes forward; rates, fading marks and insisting go by it.
        wall_clock: Unix seconds, for the lines of the log that no node sent.
    """

    CSS_PATH = Path(__file__).with_name("app.tcss")
    TITLE = "gossip-tui"
    COMMANDS = {GossipCommands}  # noqa: RUF012 - Textual's declaration
    BINDINGS: ClassVar[list[BindingType]] = [
        *command_bindings(),
        Binding("ctrl+n", "tour('next')", "Next step", show=False),
        Binding("ctrl+t", "tour('skip')", "Skip the tour", show=False),
        Binding("ctrl+o", "tour('never')", "No tour any more", show=False),
        Binding("ctrl+c", "help_quit", "Quit if pressed twice", show=False, system=True),
    ]

    def __init__(
        self,
        feed: Feed,
        *,
        ascii: bool = False,  # noqa: A002 - the option's name
        theme: str | None = None,
        taping: Taping | None = None,
        tour: bool = False,
        tick_period: float = TICK_PERIOD,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.feed = feed
        self.replay = feed if isinstance(feed, ReplayFeed) else None
        """The recording that is shown, if it is one."""
        self.taping = taping or Taping("run")
        if self.replay is not None:
            wall_clock, clock = self.replay.wall_clock, self.replay.elapsed
        self.runner = CommandRunner(self)
        self.openings = Openings(self)
        self.departure = Departure(self, clock)
        self.glyphs = ASCII if ascii else UNICODE
        self.composer = Composer(
            self.runner.take,
            self.openings.ask_about_paste,
            self.vocabulary,
            lambda: feed.payload_limit,
            invitations=INVITATIONS if self.replay is None else IN_A_RECORDING,
            passed_keys=frozenset() if self.replay is None else PLAYER_KEYS,
        )
        self.main = MainScreen(
            self.composer,
            feed.deliveries,
            feed.overlay,
            self.lab,
            look_period=tick_period / 2,
            glyphs=self.glyphs,
            clock=clock,
            wall_clock=wall_clock,
            seek=None if self.replay is None else self.seek,
        )
        self.guide = Guide(self)
        self._begins_with_tour = tour
        self.failures = Failures(self.report_status)
        self.frozen = False
        self._snapshot: NodeSnapshot | None = None
        self._recent = Recent()
        self._tick_period = tick_period
        self._clock = clock
        self._toasted: dict[str, float] = {}
        self.set_class(ascii, "-ascii")
        for own in THEMES:
            self.register_theme(own)
        self.use_theme(theme or theme_names()[0])

    def get_default_screen(self) -> Screen[None]:
        """The panes."""
        return self.main

    def get_line_filters(self) -> Sequence[LineFilter]:
        """No colour at all under NO_COLOR, instead of Textual's greys; with ``--ascii`` nothing but ASCII."""
        filters = colorless(super().get_line_filters())
        return [*filters, PLAIN_SIGNS] if self.glyphs is ASCII else filters

    def get_key_display(self, binding: Binding) -> str:
        """Keys as the help writes them."""
        return binding.key_display or key_label(binding.key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key exists only where its command does: for several nodes, in a recording, at a live node."""
        if action == "command":
            return any(command.name in parameters for command in self.commands)
        if action == "tour":
            return self.guide.tour is not None
        return super().check_action(action, parameters)

    # What there is to know.

    @property
    def snapshot(self) -> NodeSnapshot:
        """The newest picture of the node.

        Raises:
            CommandError: There is none yet.
        """
        if self._snapshot is None:
            raise CommandError("the node is still starting")
        return self._snapshot

    @property
    def has_left(self) -> bool:
        """Whether the node has left the network."""
        return self._snapshot is not None and (self.runner.leaving or self.feed.has_left)

    @property
    def is_demo(self) -> bool:
        """Whether there are several nodes to sit on."""
        return len(self.feed.seats) > 1

    @property
    def is_replay(self) -> bool:
        """Whether this is a recording."""
        return self.replay is not None

    @property
    def commands(self) -> tuple[Command, ...]:
        """The commands there are here."""
        return available(demo=self.is_demo, replay=self.is_replay)

    def lab(self) -> Lab | None:
        """How experiments stand; None where nothing is live."""
        return self.feed.experiments.picture() if self.feed.experiments is not None else None

    def vocabulary(self) -> Vocabulary:
        """The words that Tab knows now."""
        nodes = self.feed.seats if self.is_demo else ()
        if self._snapshot is None:
            return Vocabulary(nodes=nodes, themes=theme_names(), replay=self.is_replay)
        return Vocabulary.of(self._snapshot, nodes, theme_names(), replay=self.is_replay)

    # From the feed to the screen.

    async def on_mount(self) -> None:
        """Listen to the feed and look at it from now on."""
        self.failures.install()
        await self.feed.open()
        self.taping.begin(self.feed, self.note_end_of_recording)
        self.set_interval(self._tick_period, self.tick)
        self.call_after_refresh(self.tick)
        self.call_after_refresh(self.warn_of_strategy)

    async def on_unmount(self) -> None:
        """Leave the network, however the application ended."""
        self.failures.remove()
        await self.feed.close()
        self.taping.close()

    def warn_of_strategy(self, chosen: Strategy | None = None) -> None:
        """Say what is dangerous about a strategy, by default the one in force."""
        snapshot = self._snapshot
        if snapshot is not None:
            for warning in (chosen or snapshot.strategy).warnings(snapshot.view_size):
                self.tell(warning, "warning")

    def tick(self) -> None:
        """Show what changed since the last look; when nothing did, only the rates have to settle."""
        if failure := take_failure():
            self.tell(failure, "warning")
        self.main.space_time.look()
        self.main.overlay.look()
        self.main.faults.look()
        self.show_news()
        if self._snapshot is not None:
            if self._begins_with_tour:
                self._begins_with_tour = False
                self.guide.begin()
            self.guide.look()

    def show_news(self) -> None:
        """Poll the feed, and show what it gives."""
        update = self.feed.poll()
        if self.replay is not None and self.main.scrub_bar is not None:
            self.main.scrub_bar.show(self.replay.scrub())
        if update is not None:
            self._recent.observe(update.snapshot, self._clock())
            self._snapshot = update.snapshot
            self.show_update(update)
        elif self._snapshot is not None and not self._recent.settled:
            self._recent.observe(self._snapshot, self._clock())
        else:
            return
        self.report_status()

    def show_update(self, update: Update) -> None:
        """Give every pane what is new for it."""
        main = self.main
        if update.moved:
            main.show_other_node()
        main.show(update.snapshot)
        for part in update.in_order():
            if isinstance(part, Notice):
                main.log_pane.add_notice(part.text, NoticeKind(part.kind), part.at)
            else:
                main.log_pane.add_messages(part)
        if not update.moved:
            self.ring_if_named(update)
        self.composer.left = update.snapshot.left and not self.is_replay
        if isinstance(self.screen, PeersScreen):
            self.screen.show(update.snapshot)

    def ring_if_named(self, update: Update) -> None:
        """Ring the bell once if somebody named this node in something new."""
        own = update.snapshot.id
        if any(
            message.id.origin != own and not message.from_history and mentions(message.text, own.name)
            for message in update.messages[update.replayed :]
        ):
            self.bell()

    def report_status(self) -> None:
        """Bring the status bar up to date."""
        if self._snapshot is None or not self.main.is_mounted:
            return
        rate_in, rate_out = self._recent.rates()
        seats = self.feed.seats
        status = Status(
            self._snapshot,
            rate_in,
            rate_out,
            self._recent.rejects(),
            frozen=self.frozen,
            failures=self.failures.count,
            failure=self.failures.last,
            recording=self.taping.is_running,
            recorded=clock_time(self.replay.wall_clock()).split(".")[0] if self.replay is not None else "",
            experiments=self.feed.disturbance,
            fate=self.feed.fates[self.feed.seat],
            seat=f"{self.feed.seat + 1}/{len(seats)}" if len(seats) > 1 else "",
        )
        self.main.status_bar.show(status)

    # What a person asks for.

    def action_command(self, name: str) -> None:
        """Carry out a command of the table without an argument: what keys do."""
        self.pick(find_command(name, demo=self.is_demo, replay=self.is_replay))

    def action_tour(self, what: str) -> None:
        """Go on in the tour, or end it: what its keys do."""
        self.runner.guide(what)

    def on_tour_panel_chosen(self, event: TourPanel.Chosen) -> None:
        """Do what was clicked on in the panel of the tour."""
        self.runner.guide(event.action)

    def pick(self, command: Command) -> None:
        """Carry out a command, or put it into the composer if it needs an argument."""
        if command.needs_argument or (command.name == "join" and not self.has_left):
            self.composer.prefill(f"/{command.name} ")
            return
        try:
            self.runner.run(Invocation(command, ""))
        except GossipError as error:
            self.refuse(str(error))

    def tell(self, text: str, kind: str = "info", nodes: Sequence[str] = ()) -> None:
        """A line of the application's own in the log, about these nodes."""
        self.taping.word(text, kind, nodes)
        self.main.log_pane.add_notice(text, NoticeKind(kind))

    def tell_change(
        self, text: str, nodes: Sequence[str], *, mark: bool = False, at: float | None = None
    ) -> None:
        """Say in the log and in the diagrams that something was changed on purpose, and in the status bar.

        Args:
            text: What was changed.
            nodes: The nodes it concerns, by name.
            mark: Whether to mark it in the rates, which see by themselves what changed at this node.
            at: When it was done in Unix seconds, if not just now.
        """
        if self.feed.experiments is not None:
            self.feed.experiments.note(text, nodes, at)
        self.tell(text, NoticeKind.CHANGE, nodes)
        if mark:
            self.main.rates.mark_change()
        self.report_status()

    def refuse(self, text: str) -> None:
        """Say above the composer why something was not done."""
        self.composer.say(text, problem=True)

    def toast(self, text: str) -> None:
        """A passing word in the corner; the same one not twice within a second."""
        now = self._clock()
        if now - self._toasted.get(text, -math.inf) >= TOAST_PERIOD:
            self._toasted = {text: now}
            self.notify(safe(text, 200), markup=False)

    def freeze(self) -> None:
        """Hold the panes still, or let them catch up."""
        self.frozen = not self.frozen
        for pane in self.main.panes:
            pane.frozen = self.frozen
        self.report_status()

    def note_end_of_recording(self, text: str) -> None:
        """A recording has ended by itself."""
        self.tell(text, "warning")
        self.report_status()

    def seek(self, position: int) -> None:
        """Go to a position of the recording."""
        if self.replay is not None:
            self.replay.seek(position)
            self.tick()

    def use_theme(self, name: str) -> None:
        """Change the colours.

        Raises:
            CommandError: There is no such theme.
        """
        full = f"{THEME_PREFIX}{name}" if name in theme_names() else name
        if full not in self.available_themes:
            raise CommandError(
                f"there is no theme {safe(name, 32)}: {', '.join(theme_names())}, or one of Textual's"
            )
        self.theme = full

    def on_causal_log_pane_message_chosen(self, event: CausalLogPane.MessageChosen) -> None:
        """Open a message of the log."""
        self.openings.show_message(event.message)

    def on_space_time_pane_event_chosen(self, event: SpaceTimePane.EventChosen) -> None:
        """Open the message that an event is about."""
        self.openings.show_message(event.message)

    def on_copy_wanted(self, event: CopyWanted) -> None:
        """Copy what some pane or dialog shows."""
        try:
            copy_text(self, event.text, event.what)
        except GossipError as error:
            self.refuse(str(error))

    def on_partial_view_pane_peer_chosen(self, event: PartialViewPane.PeerChosen) -> None:
        """Go to the peer of a row."""
        self.openings.go_to_peer(event.row.id)

    def on_overlay_pane_node_chosen(self, event: OverlayPane.NodeChosen) -> None:
        """Go to a node of the graph."""
        self.openings.go_to_peer(event.node)

    def on_fault_dials_pane_command_wanted(self, event: FaultDialsPane.CommandWanted) -> None:
        """Carry out what turning a dial stands for."""
        try:
            self.runner.take(event.line)
        except GossipError as error:
            self.refuse(str(error))
        self.tick()
        event.pane.settle()

    # Going.

    def action_help_quit(self) -> None:
        """Ctrl-C with nothing selected: say how to quit; pressed again at once, do it."""
        self.departure.insist()

    async def action_quit(self) -> None:
        """What Textual's own bindings call."""
        self.departure.ask()
