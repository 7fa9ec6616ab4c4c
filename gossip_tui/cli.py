"""The command line: what it takes, and one line for whatever goes wrong.

Node options may stand before or behind the sub-command. What draws, and what opens sockets, is imported by
the command that needs it, so that ``--help``, ``--version`` and completion answer at once.
"""

# ruff: noqa: PLC0415 - commands import what they need, see above

from __future__ import annotations

import errno
import logging
import math
import os
from collections.abc import Sequence
from typing import Any

import click

from .arguments import (
    NETWORK_OPTIONS,
    NODE_OPTIONS,
    RECORD_OPTIONS,
    SCREEN_OPTIONS,
    node_options,
    option,
    options,
    settings_of,
    tape_options,
)
from .console import complain, examples, prepare_logging, require_terminal
from .recording_commands import RECORDING_COMMANDS
from .simulate.arguments import SIMULATION_OPTIONS, plan_from

__all__ = ["cli", "main"]

PROGRAM = "gossip-tui"
DEMO_NODES = 24
DEMO_NODES_LIMIT = 200
"""Nodes of a demo at the most: what one process can drive at a cycle a second; a choice."""
DEMO_VIEW_SIZE = 8
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code: 0 done, 1 failed, 2 wrong usage."""
    try:
        result = cli.main(arguments and list(arguments), prog_name=PROGRAM, standalone_mode=False)
    except (click.Abort, KeyboardInterrupt):
        return 0
    except click.ClickException as error:
        return complain(error.format_message().replace("\n\t", " "), error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last resort: no traceback ever reaches a person
        return explain(error)
    return result if isinstance(result, int) else 0


def explain(error: Exception) -> int:
    """Say in one line what an error means, and return the exit code for it."""
    from protocol.errors import ConfigError, GossipError

    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        from .shutdown import give_up_stdout

        give_up_stdout()
        return 0
    if isinstance(error, ConfigError):
        return complain(str(error), 2)
    if isinstance(error, OSError):
        return complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", 1)
    if isinstance(error, GossipError):
        return complain(str(error), 1)
    logger = logging.getLogger("gossip_tui")
    if logger.handlers:  # else Python's last resort would print the traceback
        logger.error("internal error", exc_info=error)
    return complain(f"internal error: {type(error).__name__}: {error} (--log-file FILE keeps the details)", 1)


class Commands(click.Group):
    """The group, which names its commands where it does not know one."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find the command to run."""
        if (
            not ctx.resilient_parsing
            and self.get_command(ctx, args[0]) is None
            and not args[0].startswith("-")
        ):
            known = ", ".join(self.list_commands(ctx))
            raise click.UsageError(f"there is no command {args[0]!a}: it is one of {known}")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands, the most usual first."""
        return list(self.commands)


def print_version(context: click.Context, /, _: click.Parameter, wanted: bool) -> None:
    """Write the version and end."""
    if wanted and not context.resilient_parsing:
        from .version import version

        click.echo(f"{PROGRAM} {version()}")
        context.exit()


@click.group(
    PROGRAM,
    cls=Commands,
    invoke_without_command=True,
    context_settings=CONTEXT,
    epilog=examples(
        "gossip-tui                          in one terminal, and again in the next: they talk",
        "gossip-tui demo                     a whole swarm to watch",
        "gossip-tui tail --json              for programs",
        "gossip-tui simulate                 a network of a thousand, measured",
        'eval "$(_GOSSIP_TUI_COMPLETE=bash_source gossip-tui)"   completion for bash (or zsh, fish)',
    ),
)
@options(NODE_OPTIONS, NETWORK_OPTIONS, SCREEN_OPTIONS, RECORD_OPTIONS)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=print_version,
    help="Say which it is.",
)
@click.pass_context
def cli(context: click.Context, /, **_: Any) -> None:
    """Gossip you can watch: a node of a network without servers, and its screen.

    Without a command it runs a node and shows it (see gossip-tui run --help). Options may stand before or
    behind the command, and come from the environment as GOSSIP_TUI_<OPTION>; GOSSIP_TUI_PORTS=LOW-HIGH moves
    the range of ports in which nodes of one machine find one another.
    """
    if context.invoked_subcommand is None:
        start_run(settings_of(context))


@cli.command(
    epilog=examples(
        "gossip-tui run", "gossip-tui run --bind 0.0.0.0:7117 --advertise 192.0.2.7:7117 --name ada"
    )
)
@options(NODE_OPTIONS, NETWORK_OPTIONS, SCREEN_OPTIONS, RECORD_OPTIONS)
@click.pass_context
def run(context: click.Context, /, **_: Any) -> None:
    """Run a node and show it.

    The screen has its partial view, the causal log, and a line to gossip with. Nodes started like this on
    one machine find one another by their ports. With --join a node dials those contacts instead of looking
    around.
    """
    start_run(settings_of(context))


def start_run(settings: dict[str, Any]) -> None:
    """Run a node and its screen."""
    chosen = node_options(settings)
    require_terminal("run")
    prepare_logging(settings, to_terminal=False)
    from .screen import Looks, run_node

    run_node(chosen, Looks(bool(settings["ascii"]), settings["theme"]), tape_options(settings))


@cli.command(epilog=examples("gossip-tui demo", "gossip-tui demo --nodes 50 --seed 7 --strategy cyclon"))
@click.option(
    "--nodes",
    type=click.IntRange(2, DEMO_NODES_LIMIT),
    default=DEMO_NODES,
    show_default=True,
    help="Nodes of the swarm.",
)
@click.option(
    "--seed", type=int, default=None, help="The same seed tells the same stories.  [default: by chance]"
)
@option(
    "--tour/--no-tour",
    default=None,
    help="Begin with the tour, or without.  [default: until it was seen]",
)
@options(NETWORK_OPTIONS, SCREEN_OPTIONS, RECORD_OPTIONS)
@click.pass_context
def demo(context: click.Context, /, nodes: int, seed: int | None, tour: bool | None, **_: Any) -> None:
    """Watch a swarm of real nodes in this process gossip by itself.

    One of them listens in the port range, so gossip-tui in another terminal joins by just starting.
    """
    settings = settings_of(context)
    settings["view_size"] = settings["view_size"] or DEMO_VIEW_SIZE
    chosen = node_options(settings)
    require_terminal("demo")
    prepare_logging(settings, to_terminal=False)
    from .screen import Looks, run_demo

    looks = Looks(bool(settings["ascii"]), settings["theme"])
    run_demo(chosen, looks, tape_options(settings), nodes=nodes, seed=seed, tour=tour)


@cli.command(
    epilog=examples(
        "gossip-tui tail", "date | gossip-tui tail --name clock", "gossip-tui tail --json > log.jsonl"
    )
)
@option("--json", "as_json", is_flag=True, help="One JSON object per line, for programs.")
@options(NODE_OPTIONS, NETWORK_OPTIONS, RECORD_OPTIONS)
@click.pass_context
def tail(context: click.Context, /, as_json: bool, **_: Any) -> None:
    """Follow the gossip without a screen: one line per delivered message.

    Lines on standard input are gossiped, empty ones too unless somebody types them at a terminal; the end of
    the input does not end it, Ctrl-C does.
    """
    settings = settings_of(context)
    chosen = node_options(settings)
    prepare_logging(settings, to_terminal=True)
    import asyncio

    from .headless import tail as follow

    asyncio.run(follow(chosen, as_json=as_json, tape=tape_options(settings)))


def check_patience(_: click.Context, __: click.Parameter, seconds: float) -> float:
    """Refuse a time-out that no message can meet."""
    if 0 < seconds < math.inf:
        return seconds
    raise click.UsageError(f"--timeout must be a number of seconds above 0, not {seconds:g}")


def check_text(context: click.Context, __: click.Parameter, text: str) -> str:
    """Refuse a text that says nothing, as the line of the screen does: mostly a variable without a value."""
    if context.resilient_parsing or text.strip():
        return text
    raise click.UsageError("TEXT is empty: give it something to say, or - to send what standard input has")


@cli.command(
    epilog=examples(
        'gossip-tui send "lunch?"',
        'gossip-tui send "disk full" --join 127.0.0.1:7117 --name cron',
        "gossip-tui send - < notes.txt",
    )
)
@click.argument("text", callback=check_text)
@click.option(
    "--timeout",
    type=float,
    callback=check_patience,
    metavar="SECONDS",
    default=10.0,
    show_default=True,
    help="Seconds to wait.",
)
@options(NODE_OPTIONS, NETWORK_OPTIONS)
@click.pass_context
def send(context: click.Context, /, text: str, timeout: float, **_: Any) -> None:
    """Gossip TEXT once, wait until another node has it, and leave.

    With - for TEXT the message is what standard input has, byte by byte, up to 1 MiB, be it nothing at all.

    Ends with exit code 1 if no other node is known to have it in time.
    """
    settings = settings_of(context)
    chosen = node_options(settings)
    prepare_logging(settings, to_terminal=True)
    import asyncio

    from .headless import read_payload
    from .headless import send as say

    payload = read_payload(0) if text == "-" else os.fsencode(text)
    asyncio.run(say(chosen, payload, timeout))


@cli.command(
    epilog=examples(
        "gossip-tui simulate",
        "gossip-tui simulate --strategy healer --crash 0.5@100 --until 120",
        "gossip-tui simulate --compare blind,healer,swapper --crash 0.5@100 --until 120 --selection live",
        'gossip-tui simulate --strategy "(rand, push, H=0, S=10)" --start growing --cycles 300 --every 10',
        "gossip-tui simulate --nodes 200 --churn 0.01 --loss 0.05 --json > figures.json",
    )
)
@options(SIMULATION_OPTIONS)
@click.pass_context
def simulate(context: click.Context, /, **_: Any) -> int:
    """Simulate a large network and measure its overlay cycle by cycle.

    No sockets and no waiting: the same protocol as on real nodes, in simulated time. Shows clustering, path
    lengths, in-degrees, dead links and how far a broadcast comes. Ctrl-C shows what there is so far.
    """
    plan, settings = plan_from(context)
    prepare_logging(settings, to_terminal=True)
    from .simulate.command import Output
    from .simulate.command import simulate as run_plan

    output = Output(settings["as_json"], settings["csv"], bool(settings["ascii"]))
    return run_plan(plan, output, anyway=settings["anyway"])


for command in RECORDING_COMMANDS:
    cli.add_command(command)
