"""The commands for recordings and for browsers: ``replay``, ``export``, ``web``."""

# ruff: noqa: PLC0415 - commands import what they need, when they run

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .arguments import LOG_OPTIONS, SCREEN_OPTIONS, FileName, options, settings_of
from .console import complain, examples, prepare_logging, require_terminal

__all__ = ["RECORDING_COMMANDS"]


@click.command(epilog=examples("gossip-tui replay evening.gossip", "gossip-tui replay --ascii f.gossip"))
@click.argument("file", type=FileName(path_type=Path))
@options(SCREEN_OPTIONS, LOG_OPTIONS)
@click.pass_context
def replay(context: click.Context, /, file: Path, **_: Any) -> None:
    """Watch a recording again: play, pause, step, and jump to what went wrong.

    Recordings are made by --record FILE of run, demo and tail, or by F7 while they run.
    """
    settings = settings_of(context)
    require_terminal("replay", instead="export")
    prepare_logging(settings, to_terminal=False)
    from .screen import Looks, run_replay

    run_replay(file, Looks(bool(settings["ascii"]), settings["theme"]))


def size_of_screen(_: click.Context, __: click.Parameter, text: str) -> tuple[int, int]:
    """Columns and rows, as in ``120x40``."""
    columns, mark, rows = text.partition("x")
    if mark and columns.isdecimal() and rows.isdecimal() and len(columns) <= 4 and len(rows) <= 4:
        size = int(columns), int(rows)
        if 10 <= size[0] <= 500 and 4 <= size[1] <= 300:
            return size
    raise click.UsageError(f"--size looks like 120x40, from 10x4 to 500x300, not {text[:20]!a}")


@click.command(
    epilog=examples(
        "gossip-tui export evening.gossip --format csv --output evening.csv",
        "gossip-tui export evening.gossip --format shiviz > evening.log",
        "gossip-tui export evening.gossip --format dot --at 2:05 | dot -Tsvg > overlay.svg",
        "gossip-tui export evening.gossip --format svg --node n03 --output screen.svg",
    )
)
@click.argument("recording", type=FileName(path_type=Path))
@click.option(
    "--format",
    "chosen",
    type=click.Choice(["jsonl", "csv", "shiviz", "dot", "svg"]),
    required=True,
    help="Messages as JSON lines or CSV, history for ShiViz, overlay for Graphviz, screen as SVG.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A new file.  [default: standard output]",
)
@click.option("--node", default="", metavar="NAME", help="Whose messages and screen.  [default: the first]")
@click.option("--at", default="", metavar="MOMENT", help="Up to here: 2:05, 125 or 50%.  [default: the end]")
@click.option(
    "--size",
    default="120x40",
    callback=size_of_screen,
    show_default=True,
    metavar="COLUMNSxROWS",
    help="Of the screen.",
)
@options(SCREEN_OPTIONS)
@click.pass_context
def export(context: click.Context, /, recording: Path, chosen: str, output: Path | None, **_: Any) -> None:
    """Write what is in RECORDING in a format that other programs read.

    JSON lines have the keys of tail --json. In CSV, text that a spreadsheet would calculate has an apostrophe
    in front. A file that exists is kept.
    """
    settings = settings_of(context)
    import asyncio

    from .exports.command import Wanted
    from .exports.command import export as write
    from .exports.formats import Format

    wanted = Wanted(
        Format(chosen),
        settings["node"],
        settings["at"],
        settings["size"],
        bool(settings["ascii"]),
        settings["theme"],
    )
    asyncio.run(write(recording, wanted, output))


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog=examples(
        "gossip-tui web",
        "gossip-tui web demo --nodes 12",
        "gossip-tui web --web-port 8080 replay evening.gossip",
    ),
)
@click.option("--web-host", default="127.0.0.1", show_default=True, metavar="HOST", help="Where to serve.")
@click.option(
    "--web-port",
    type=click.IntRange(1, 65_535),
    default=8_000,
    show_default=True,
    metavar="PORT",
    help="The port.",
)
@click.option(
    "--public-url",
    default=None,
    metavar="URL",
    help="Under what browsers reach it, where it is not host and port.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def web(
    context: click.Context,
    /,
    web_host: str,
    web_port: int,
    public_url: str | None,
    command: tuple[str, ...],
) -> None:
    """Serve the application to browsers: run, or the COMMAND given, once for each tab.

    There is no log-in: whoever reaches the port can read and send as you, so it is on loopback unless you say
    otherwise. Needs the extra: pip install '.[web]' in a clone, else pip install 'gossip-tui[web]'.
    """
    settings_of(context)  # options before the command are refused: they belong behind it
    from .web import serve, url_for, warning_for

    url = url_for(web_host, web_port, public_url)
    serve(
        command,
        host=web_host,
        port=web_port,
        public_url=url,
        ready=lambda: complain(f"serving on {url}; {warning_for(web_host)}; Ctrl-C ends it", 0),
    )


RECORDING_COMMANDS = (replay, export, web)
"""In the order in which the help lists them."""
