"""Carries out what a person typed: gossip is sent, commands are run; a refusal is raised and says why."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from protocol.core.identity import Address
from protocol.core.snapshot import NodeSnapshot
from protocol.errors import BacklogError, GossipError

from . import experiment_commands as experiments
from .command import CommandError
from .command_line import Invocation, Say, parse_line
from .commands import find_command
from .drawing.view_table import Sorting
from .export_commands import copy_here, export_here
from .keys import key_label
from .recording.player import moment_of_text
from .text import safe
from .theme import THEMES
from .tour import TourWish
from .widgets.log_filter import FilterError
from .widgets.log_records import LogOrder

if TYPE_CHECKING:
    from .app import GossipApp
    from .recording.feed import ReplayFeed

__all__ = ["CommandRunner", "theme_names"]

Word = TypeVar("Word", bound=StrEnum)

YIELD_EVERY = 32
"""Messages of a long paste that are sent before the screen has a turn."""

THEME_PREFIX = "gossip-"
"""The own themes are known by what follows this: dark, light, contrast."""


def theme_names() -> tuple[str, ...]:
    """The application's own themes as people type them."""
    return tuple(theme.name.removeprefix(THEME_PREFIX) for theme in THEMES)


class CommandRunner:
    """What every command of the table does to an application; one method each, named after the command."""

    def __init__(self, app: GossipApp) -> None:
        self._app = app
        self.leaving = False
        """Whether the node is about to leave, or at it: what is typed meanwhile comes after that."""
        self._line = ""
        """The line of the composer that is carried out just now; empty for what comes by key."""

    def take(self, line: str) -> None:
        """Carry out a line of the composer.

        Raises:
            GossipError: It can't be done; the text says why.
        """
        parsed = parse_line(line, demo=self._app.is_demo, replay=self._app.is_replay)
        if isinstance(parsed, Say):
            self._app.guide.note_said(self._app.feed.send(parsed.text))
        elif parsed is not None:
            self._line = line
            try:
                self.run(parsed)
            finally:
                self._line = ""

    def run(self, invocation: Invocation) -> None:
        """Carry out a command.

        Raises:
            GossipError: It can't be done; the text says why.
        """
        getattr(self, f"run_{invocation.command.name.replace('-', '_')}")(invocation)

    def run_help(self, invocation: Invocation) -> None:
        """Explain everything, or one command in a line of the log."""
        if not invocation.argument:
            self._app.openings.show_help()
            return
        command = find_command(
            invocation.words[0].removeprefix("/"), demo=self._app.is_demo, replay=self._app.is_replay
        )
        key = f"  ({key_label(command.key)})" if command.key else ""
        self._app.tell(f"{command.call}: {command.does}{key}")

    def run_view(self, invocation: Invocation) -> None:  # noqa: ARG002 - all commands are called alike
        """Go to the partial view."""
        self._app.main.go_to(self._app.main.partial_view)

    def run_log(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Go to the log."""
        self._app.main.go_to(self._app.main.log_pane)

    def run_spacetime(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Go to the space-time diagram."""
        self._app.main.go_to(self._app.main.space_time)

    def run_overlay(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Go to the overlay."""
        self._app.main.go_to(self._app.main.overlay)

    def run_faults(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Go to the dials."""
        self._app.main.go_to(self._app.main.faults)

    def run_join(self, invocation: Invocation) -> None:
        """Join through contacts; after leaving, come back."""
        contacts = self._addresses(invocation.words)
        if not contacts and not self._app.has_left:
            raise CommandError("/join needs the address of a node, such as /join 127.0.0.1:7117")
        self._later(self._join, contacts)

    async def _join(self, contacts: list[str]) -> None:
        again = await self._app.feed.join(*contacts)
        through = " through " + ", ".join(contacts) if contacts else ""
        self._app.tell(f"back as a new incarnation{through}" if again else f"joining{through}")

    def run_add(self, invocation: Invocation) -> None:
        """Try peers once."""
        peers = self._addresses(invocation.words)
        if self._app.has_left:
            raise CommandError("this node has left: /join comes back first")
        self._app.feed.add(*peers)
        self._app.tell(f"trying {', '.join(peers)}")

    def run_peers(self, invocation: Invocation) -> None:  # noqa: ARG002
        """List everyone heard of."""
        self._app.openings.show_peers()

    def run_leave(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Say goodbye."""
        if self._app.has_left:
            raise CommandError("this node has left already: /join comes back")
        self.leaving = True
        self._later(self._leave)

    async def _leave(self) -> None:
        try:
            await self._app.feed.leave()
        finally:
            self.leaving = False
        self._app.tell("left the network: /join comes back")

    def run_strategy(self, invocation: Invocation) -> None:
        """Set the strategy, with its dangers in words, or say what it is."""
        if not invocation.argument:
            self._app.tell(
                f"strategy {self._app.snapshot.strategy}, view size {self._app.snapshot.view_size}"
            )
            return
        if self._app.has_left:
            raise CommandError("this node has left: /join comes back first")
        experiments.change_strategy(self._app, invocation.argument)

    def run_dissemination(self, invocation: Invocation) -> None:
        """Spread messages in the other way, or say how they spread and along how many links."""
        if not invocation.argument:
            self._app.tell(spreading_of(self._app.snapshot))
            return
        if self._app.has_left:
            raise CommandError("this node has left: /join comes back first")
        experiments.change_way(self._app, invocation.argument)

    def run_view_size(self, invocation: Invocation) -> None:
        """Hold views of another size, or say how large they are."""
        experiments.change_size(self._app, "view size", invocation.argument)

    def run_fanout(self, invocation: Invocation) -> None:
        """Push messages to so many peers, or say to how many."""
        experiments.change_size(self._app, "fan-out", invocation.argument)

    def run_fault(self, invocation: Invocation) -> None:
        """Lose, delay, double or reorder datagrams, or say what is done to them."""
        experiments.change_fault(self._app, invocation.argument)

    def run_partition(self, invocation: Invocation) -> None:
        """Cut the swarm in two, or this node off from peers."""
        experiments.change_partition(self._app, invocation.argument)

    def run_heal(self, invocation: Invocation) -> None:
        """Undo every cut, or that from some peers."""
        experiments.heal(self._app, invocation.argument)

    def run_crash(self, invocation: Invocation) -> None:
        """End a node without a word."""
        self._later(experiments.crash, self._app, invocation.argument)

    def run_stop(self, invocation: Invocation) -> None:
        """Let a node stand still."""
        experiments.stop(self._app, invocation.argument)

    def run_continue(self, invocation: Invocation) -> None:
        """Let a node go on that stands still."""
        experiments.go_on(self._app, invocation.argument)

    def run_restart(self, invocation: Invocation) -> None:
        """Bring a node back."""
        self._later(experiments.restart, self._app, invocation.argument)

    def run_order(self, invocation: Invocation) -> None:
        """Order the log causally or by arrival."""
        log = self._app.main.log_pane
        order = chosen(invocation, LogOrder)
        if order is not log.order:
            log.action_toggle_order()

    def run_sort(self, invocation: Invocation) -> None:
        """Sort the view by age or by name."""
        view = self._app.main.partial_view
        sorting = chosen(invocation, Sorting)
        if sorting is not view.sorting:
            view.toggle_sort()

    def run_filter(self, invocation: Invocation) -> None:
        """Show only the lines of the log that match."""
        try:
            self._app.main.log_pane.set_filter(invocation.argument)
        except FilterError as error:
            raise CommandError(str(error)) from None

    def run_record(self, invocation: Invocation) -> None:
        """Start recording, or stop."""
        self._app.tell(self._app.taping.toggle(invocation.argument))
        self._app.report_status()

    def run_export(self, invocation: Invocation) -> None:
        """Write what the screen shows to a file."""
        self._later(export_here, self._app, invocation.argument)

    def run_copy(self, invocation: Invocation) -> None:
        """Copy a message or the address."""
        copy_here(self._app, invocation.argument.lower())

    def run_play(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Play the recording on, or pause it."""
        player = self._replay.player
        if player.is_playing:
            player.pause()
        else:
            player.play()
        self._app.tick()

    def run_step(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Go to the next recorded moment."""
        self._replay.step(1)
        self._app.tick()

    def run_back(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Go to the recorded moment before."""
        self._replay.step(-1)
        self._app.tick()

    def run_next(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Go to the next event."""
        self._replay.jump(1)
        self._app.tick()

    def run_previous(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Go to the event before."""
        self._replay.jump(-1)
        self._app.tick()

    def run_slower(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Play at half the speed."""
        self._replay.player.shift_speed(-1)
        self._app.tick()

    def run_faster(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Play at twice the speed."""
        self._replay.player.shift_speed(1)
        self._app.tick()

    def run_seek(self, invocation: Invocation) -> None:
        """Go to a moment."""
        player = self._replay.player
        self._app.seek(moment_of_text(invocation.argument, player.position, player.duration))

    @property
    def _replay(self) -> ReplayFeed:
        """The recording; the table keeps its commands away from everything else."""
        if self._app.replay is None:
            raise CommandError("this is no recording")
        return self._app.replay

    def run_freeze(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Hold the panes still, or let them go on."""
        self._app.freeze()

    def run_node(self, invocation: Invocation) -> None:
        """Sit on another node of the swarm."""
        seats, seat = self._app.feed.seats, self._app.feed.seat
        if invocation.argument and invocation.argument not in seats:
            raise CommandError(
                f"there is no node {safe(invocation.argument, 32)} here: {seats[0]} to {seats[-1]}"
            )
        if self._app.frozen:
            self._app.freeze()  # what stands still is the other node's
        chosen = seats.index(invocation.argument) if invocation.argument else (seat + 1) % len(seats)
        self._app.feed.move(chosen)

    def run_zoom(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Give one pane all the room, or share it again."""
        self._app.main.zoom()

    def run_theme(self, invocation: Invocation) -> None:
        """Use a theme, or the next of the own ones."""
        self._app.use_theme(invocation.argument or next_theme(self._app.theme))

    def run_tour(self, invocation: Invocation) -> None:
        """Begin the tour, go on in it, or end it."""
        wish = chosen(invocation, TourWish)
        if wish is None:
            self._app.guide.begin()
        elif self._app.guide.tour is None and wish is not TourWish.NEVER:
            raise CommandError("there is no tour now: /tour begins it")
        else:
            self.guide(wish)

    def guide(self, wish: str) -> None:
        """Do what was asked of the tour."""
        guide = self._app.guide
        {TourWish.NEXT: guide.go_on, TourWish.SKIP: guide.skip, TourWish.NEVER: guide.forgo}[TourWish(wish)]()

    def run_quit(self, invocation: Invocation) -> None:  # noqa: ARG002
        """Leave and end, after a question if messages would be lost."""
        self._app.departure.ask()

    def send_many(self, lines: Sequence[str]) -> None:
        """Send many messages, as fast as they find room, without holding up the screen."""
        self._later(self._send_many, lines)

    async def _send_many(self, lines: Sequence[str]) -> None:
        waited = False
        for number, line in enumerate(lines):
            try:
                waited = await self._send_when_room(line, number, len(lines), waited=waited)
            except GossipError as error:
                raise CommandError(f"{number:,} of {len(lines):,} lines were sent: {error}") from None
            if number % YIELD_EVERY == YIELD_EVERY - 1:
                await asyncio.sleep(0)
        self._app.toast(f"{len(lines):,} messages sent")

    async def _send_when_room(self, line: str, number: int, count: int, *, waited: bool) -> bool:
        while True:
            try:
                message = self._app.feed.send(line)
            except BacklogError:
                if not waited:
                    self._app.tell(
                        f"{number:,} of {count:,} lines are sent; the rest wait until others have those"
                    )
                waited = True
                await self._app.feed.drain()
            else:
                self._app.guide.note_said(message)
                return waited

    def _addresses(self, words: Sequence[str]) -> list[str]:
        """The words as addresses, checked and in their shortest form."""
        addresses = [str(Address.parse(word)) for word in words]
        if str(self._app.snapshot.address) in addresses:
            raise CommandError(f"{self._app.snapshot.address} is this node itself")
        return addresses

    def _later(self, work: Callable[..., Awaitable[None]], *arguments: object) -> None:
        """Do what takes time beside the screen; if it is refused, the composer has the line again."""
        line = self._line

        async def guarded() -> None:
            try:
                await work(*arguments)
            except (GossipError, OSError) as error:
                self._app.composer.give_back(line, str(error))

        self._app.run_worker(guarded(), exit_on_error=True)


def chosen(invocation: Invocation, words: type[Word]) -> Word | None:
    """The argument as one of a few words, or None without one.

    Raises:
        CommandError: It is none of them.
    """
    if not invocation.argument:
        return None
    try:
        return words(invocation.argument.lower())
    except ValueError:
        allowed = " or ".join(words)
        raise CommandError(
            f"/{invocation.command.name} takes {allowed}, not {safe(invocation.argument, 32)}"
        ) from None


def next_theme(current: str) -> str:
    """The own theme after this one."""
    names = [theme.name for theme in THEMES]
    return names[(names.index(current) + 1) % len(names)] if current in names else names[0]


def spreading_of(snapshot: NodeSnapshot) -> str:
    """How messages spread from a node, in words."""
    links = snapshot.neighbours
    if not links:
        return f"dissemination {snapshot.dissemination}, no links"
    pushed = sum(link.is_eager for link in links)
    counters = snapshot.counters
    return (
        f"dissemination {snapshot.dissemination}, {pushed} of {len(links)} links in the tree, "
        f"{counters.grafts:,} grafts, {counters.prunes:,} prunes"
    )
