"""The options of the command line: their names, where else they come from, how levels of them merge."""

# ruff: noqa: PLC0415 - completion and help must answer before anything heavy is imported

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from .options import NodeOptions
    from .ports import PortRange
    from .recording.taping import TapeOptions

    AnyType = click.ParamType[Any]
else:
    AnyType = click.ParamType

__all__ = [
    "ASCII_OPTION",
    "LOG_OPTIONS",
    "NETWORK_OPTIONS",
    "NODE_OPTIONS",
    "RECORD_OPTIONS",
    "SCREEN_OPTIONS",
    "FileName",
    "StrategyName",
    "node_options",
    "option",
    "options",
    "settings_of",
    "tape_options",
    "typed_options",
]

Function = TypeVar("Function", bound=Callable[..., Any])

LEVELS = ("debug", "info", "warning", "error")
WAYS = ("eager", "tree")
THEMES = ("dark", "light", "contrast")


class Ports(AnyType):
    """A range of ports, ``LOW-HIGH``."""

    name = "low-high"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,
    ) -> PortRange:
        """Read the range; it comes from the environment, so that is what a complaint names."""
        from protocol.errors import ConfigError

        from .ports import PortRange

        try:
            return value if isinstance(value, PortRange) else PortRange.parse(value)
        except ConfigError as error:
            raise click.UsageError(f"GOSSIP_TUI_PORTS: {error}", ctx) from None


class FileName(click.Path):
    """A file by its name; a pipe or a device is refused, since one may wait for it for ever."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """The file, whether it exists or not."""
        path = super().convert(value, param, ctx)
        try:
            mode = Path(os.fsdecode(path)).stat().st_mode
        except (OSError, ValueError):
            return path
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            kind = "a pipe" if stat.S_ISFIFO(mode) else "a device or socket"
            self.fail(f"{os.fsdecode(path)} is {kind}: give the name of a file", param, ctx)
        return path


class StrategyName(AnyType):
    """The text of a strategy; completion offers the presets."""

    name = "strategy"

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[CompletionItem]:
        """The presets that begin like this."""
        from protocol.core.strategy import PRESETS

        return [CompletionItem(preset) for preset in PRESETS if preset.startswith(incomplete)]


def option(*names: str, **settings: Any) -> Callable[[Function], Function]:
    """An option that the environment gives as well, as ``GOSSIP_TUI_<OPTION>`` whatever the command."""
    variable = "GOSSIP_TUI_" + names[0].split("/")[0].removeprefix("--").upper().replace("-", "_")
    return click.option(*names, envvar=variable, show_envvar=False, **settings)


LOG_OPTIONS = (
    option(
        "--log-file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Append log records here.",
    ),
    option(
        "--log-level",
        type=click.Choice(LEVELS),
        help="The least important records to keep.  [default: warning]",
    ),
)
"""Where notes for whoever looks for a mistake go."""

NETWORK_OPTIONS = (
    option(
        "--cluster", metavar="NAME", help="Nodes of other clusters are ignored.  [default: the nameless one]"
    ),
    option(
        "--strategy",
        type=StrategyName(),
        help="How peers are sampled: a preset or its parts.  [default: default]",
    ),
    option("--view-size", type=int, metavar="C", help="Peers in the partial view.  [default: 20; demo: 8]"),
    option("--fanout", type=int, metavar="F", help="Peers that a new message is pushed to.  [default: 4]"),
    option(
        "--dissemination",
        type=click.Choice(WAYS),
        help="How messages spread: to random peers, or along a tree.  [default: eager]",
    ),
    option("--cycle", type=float, metavar="SECONDS", help="Time between two view exchanges.  [default: 1]"),
    *LOG_OPTIONS,
    click.option("--ports", envvar="GOSSIP_TUI_PORTS", type=Ports(), hidden=True),
)
"""What every command takes; the port range comes from the environment, so that terminals share it."""

NODE_OPTIONS = (
    option(
        "--name",
        metavar="NAME",
        help="What people call this node.  [default: p1 for port 7117 on loopback, p2 for 7118, ...; "
        "elsewhere host-port]",
    ),
    option(
        "--bind",
        metavar="HOST:PORT",
        help="Where to listen.  [default: 127.0.0.1, first free port of 7117-7148]",
    ),
    option(
        "--advertise", metavar="HOST:PORT", help="What others are told, where it is not what --bind says."
    ),
    option(
        "--join",
        metavar="HOST:PORT",
        multiple=True,
        help="A node to join through; may be given several times.",
    ),
    option(
        "--state",
        type=FileName(dir_okay=False),
        metavar="FILE",
        help="Keeps identity, log and peers across restarts; made if it does not exist.",
    ),
)

ASCII_OPTION = option("--ascii", is_flag=True, default=None, help="Draw with plain ASCII signs only.")

SCREEN_OPTIONS = (
    ASCII_OPTION,
    option("--theme", type=click.Choice(THEMES), help="Colours of the screen.  [default: dark]"),
)


class Size(AnyType):
    """Bytes, ``10M``."""

    name = "size"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,  # noqa: ARG002 - click's signature
        ctx: click.Context | None,
    ) -> int:
        """Read the size."""
        from .recording.file import size_of_text
        from .recording.limits import RecordingError

        try:
            return value if isinstance(value, int) else size_of_text(value)
        except RecordingError as error:
            raise click.UsageError(f"--record-limit: {error}", ctx) from None


RECORD_OPTIONS = (
    option(
        "--record",
        type=FileName(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Record what happens to this new file, for gossip-tui replay.",
    ),
    option("--record-limit", type=Size(), metavar="SIZE", help="End a recording at 500K, 10M, 1G."),
)
"""What is recorded, where a node runs for long."""


def options(*groups: Sequence[Callable[[Any], Any]]) -> Callable[[Function], Function]:
    """Give a command several groups of options, in that order."""

    def decorate(function: Function) -> Function:
        for group in reversed(groups):
            for decorator in reversed(group):
                function = decorator(function)
        return function

    return decorate


def settings_of(context: click.Context) -> dict[str, Any]:
    """What was said on all levels of the command line; the inner level and the typed word win.

    Raises:
        UsageError: An option before the sub-command means nothing to it.
    """
    values: dict[str, Any] = {}
    typed: set[str] = set()
    for level in levels_of(context):
        for name, value in level.params.items():
            is_typed = level.get_parameter_source(name) is ParameterSource.COMMANDLINE
            if is_typed and name not in context.params:
                refuse_misplaced(name, context)
            if is_typed and name == "join" and name in typed:
                values[name] += value
            elif name in context.params and (is_typed or name not in typed):
                values[name] = value
            if is_typed:
                typed.add(name)
    return values


def typed_options(context: click.Context) -> set[str]:
    """The names of the options that were typed, on whichever level; the others are defaults or inherited."""
    return {
        name
        for level in levels_of(context)
        for name in level.params
        if level.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }


def levels_of(context: click.Context) -> list[click.Context]:
    """The contexts from the program down to the command."""
    return [*(levels_of(context.parent) if context.parent else ()), context]


def refuse_misplaced(name: str, context: click.Context) -> NoReturn:
    """Complain about an option that the command has no use for, rather than ignore it."""
    raise click.UsageError(f"--{name.replace('_', '-')} means nothing to {context.info_name}: leave it out")


def tape_options(settings: dict[str, Any]) -> TapeOptions:
    """What the settings say about recording."""
    from .recording.taping import TapeOptions

    return TapeOptions(settings["record"], settings["record_limit"])


def node_options(settings: dict[str, Any]) -> NodeOptions:
    """The node options among the settings, checked."""
    from .options import NodeOptions
    from .ports import DEFAULT_PORTS

    names = (
        *("name", "bind", "advertise", "join", "cluster", "strategy", "view_size", "fanout", "cycle"),
        "dissemination",
        "state",
    )
    given = {name: settings[name] for name in names if settings.get(name) is not None}
    return NodeOptions(**given, ports=settings["ports"] or DEFAULT_PORTS)
