"""What every command says and asks on its way: one line of complaint, examples, a log file, a terminal."""

# ruff: noqa: PLC0415 - commands answer before anything heavy is imported

from __future__ import annotations

import os
import sys
from typing import Any

import click

from .version import PROGRAM

__all__ = ["complain", "examples", "prepare_logging", "require_terminal"]


def complain(text: str, exit_code: int) -> int:
    """Write one line to standard error, safe for a terminal whatever was typed, and return ``exit_code``."""
    from protocol.text import printable

    click.echo(f"{PROGRAM}: {printable(text)}", err=True)
    return exit_code


def examples(*lines: str) -> str:
    """The end of a help text."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def prepare_logging(settings: dict[str, Any], *, to_terminal: bool) -> None:
    """Open the log file, if one is wanted."""
    from .logs import configure_logging

    path = settings.get("log_file")
    try:
        configure_logging(path, settings.get("log_level") or "warning", to_terminal=to_terminal)
    except OSError as error:
        raise click.UsageError(f"--log-file {path} can't be written: {error.strerror}") from None


def require_terminal(command: str, instead: str = "tail") -> None:
    """Refuse to draw where there is no terminal to draw on, and name the command that needs none.

    Raises:
        UsageError: One of the standard streams is none.
    """
    streams = (sys.stdin, sys.stdout, sys.stderr)
    if os.environ.get("TEXTUAL_DRIVER"):
        return  # what stands in for a terminal, such as a browser
    if not all(stream is not None and stream.isatty() for stream in streams):
        raise click.UsageError(
            f"{command} needs a terminal for input and output; gossip-tui {instead} works without one"
        )
