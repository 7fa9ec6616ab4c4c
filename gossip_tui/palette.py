"""The command palette: every command of the one table, found by any part of its title."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from .command import Command
from .keys import key_label

if TYPE_CHECKING:
    from .app import GossipApp

__all__ = ["GossipCommands"]


class GossipCommands(Provider):
    """Runs what needs no argument; what needs one is put into the composer to be finished."""

    async def discover(self) -> Hits:
        """All commands, in the order of the table."""
        for command in self._commands():
            yield DiscoveryHit(
                Content(command.title), self._run(command), text=command.title, help=help_of(command)
            )

    async def search(self, query: str) -> Hits:
        """The commands whose title or call matches."""
        matcher = self.matcher(query)
        for command in self._commands():
            text = f"{command.title}  /{command.name}"
            if (score := matcher.match(text)) > 0:
                yield Hit(
                    score, matcher.highlight(text), self._run(command), text=text, help=help_of(command)
                )

    def _commands(self) -> tuple[Command, ...]:
        return self._gossip_app.commands

    def _run(self, command: Command) -> Callable[[], None]:
        return partial(self._gossip_app.pick, command)

    @property
    def _gossip_app(self) -> GossipApp:
        return cast("GossipApp", self.app)


def help_of(command: Command) -> str:
    """What stands under the title: sentence and key, without brackets, which the palette would read."""
    return command.does + (f"  {key_label(command.key)}" if command.key else "")
