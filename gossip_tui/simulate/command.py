"""``gossip-tui simulate`` from its checked options to its exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from gossip_tui.collector import collect_less_often
from gossip_tui.shutdown import give_up_stdout
from protocol.errors import ConfigError, GossipError

from .console import columns_of, glyphs_for, is_terminal, painted, write
from .interruption import Interruption
from .memory import check_memory, memory_available
from .plan import Plan
from .progress import Progress
from .records import CsvFile, json_line
from .running import Outcome, outcomes

if TYPE_CHECKING:
    from protocol.sim import CycleFigures, Experiment

__all__ = ["Output", "simulate"]

STDOUT = "-"
"""A file name that stands for standard output."""

KILLED = 128
"""Added to the number of the signal that ended a program, as shells do."""


class Output(NamedTuple):
    """Where the figures go."""

    as_json: bool = False
    csv: str | None = None
    """A file, or ``-`` for standard output, which then has nothing else."""
    ascii_only: bool = False

    def check(self) -> None:
        """Return if standard output is for one thing only.

        Raises:
            ConfigError: It is for two.
        """
        if self.as_json and self.csv == STDOUT:
            raise ConfigError("--csv - and --json both want standard output: name a file for --csv")


class CsvError(GossipError):
    """The CSV file lacks rows."""


def simulate(plan: Plan, output: Output, *, anyway: bool = False) -> int:
    """Run what is planned, and write what came of it; returns the exit code.

    A reader of standard output that goes away ends it in order, and so does Ctrl-C. Where another signal cut
    the results short, the code is that of a program which it killed, so that nobody takes them for whole.

    Raises:
        ConfigError: It can't begin: not enough memory (unless ``anyway``), or a file that can't be written.
        CsvError: Rows are missing from the CSV file; everything else was written.
        OSError: Standard output can't be written.
    """
    output.check()
    collect_less_often()
    if not anyway:
        check_memory(plan.experiments, memory_available())
    try:
        with opened_csv(output.csv) as csv, Interruption() as interruption:
            say_warnings(plan)
            is_whole = False
            with contextlib.suppress(KeyboardInterrupt):
                is_whole = run(plan, output, csv, interruption)
    except BrokenPipeError:
        give_up_stdout()
        return 0
    if csv is not None and csv.error is not None:
        raise CsvError(f"--csv {output.csv} lacks rows: {csv.error.strerror or csv.error}")
    return 0 if is_whole or interruption.killed_by is None else KILLED + interruption.killed_by


def run(plan: Plan, output: Output, csv: CsvFile | None, interruption: Interruption) -> bool:
    """Run what is planned, and write what came of it, even if it is interrupted; whether it was not."""
    found: list[Outcome] = []
    progress = progress_of(plan, output)

    def tell(experiment: Experiment, figures: CycleFigures) -> None:
        if csv is not None:
            csv.add(experiment, figures)
            if csv.error is not None and output.csv == STDOUT:
                raise csv.error

    try:
        for outcome in outcomes(plan, interruption, progress, tell):
            found.append(outcome)
            if output.as_json:
                progress.clear()
                write(json_line(outcome.contender.experiment, outcome.figures, outcome.broadcast) + "\n")
    finally:
        progress.clear()
    is_whole = all(outcome.is_whole for outcome in found)
    if not output.as_json and output.csv != STDOUT:
        write_report(found, output, is_whole=is_whole)
    return is_whole


def write_report(found: Sequence[Outcome], output: Output, *, is_whole: bool) -> None:
    """Write the table and the plots, for people."""
    if sys.stdout is None:
        return
    # Here, so that programs that read JSON do not wait for a library that draws.
    from gossip_tui.drawing.figure_table import Course  # noqa: PLC0415
    from gossip_tui.drawing.sampling_report import interrupted_line, sampling_report  # noqa: PLC0415

    experiments = [outcome.contender.experiment for outcome in found]
    courses = [Course(one.contender.label, one.figures, one.broadcast) for one in found]
    glyphs = glyphs_for(sys.stdout, ascii_only=output.ascii_only)
    lines = [*sampling_report(experiments, courses, columns_of(sys.stdout, os.environ), glyphs)]
    if not is_whole:
        lines.append(interrupted_line(experiments[-1], courses[-1]))
    write(painted(lines, sys.stdout, os.environ))


def progress_of(plan: Plan, output: Output) -> Progress:
    """The line that says how far it is, where standard error is a terminal and nothing else is on it."""
    is_shared = output.csv == STDOUT and is_terminal(sys.stdout)
    stream = sys.stderr if is_terminal(sys.stderr) and not is_shared else None
    total = sum(experiment.cycles for experiment in plan.experiments)
    glyphs = glyphs_for(stream, ascii_only=output.ascii_only)
    return Progress(stream, total, columns_of(stream, {}), glyphs)


def say_warnings(plan: Plan) -> None:
    """Write what is known to go wrong with the strategies to standard error, a line each."""
    if sys.stderr is None:
        return
    for label, experiment in plan.contenders:
        for warning in experiment.config.sampling.warnings(experiment.view_size):
            name = f"{label}: " if len(plan.contenders) > 1 else ""
            sys.stderr.write(f"gossip-tui: warning: {name}{warning}\n")


@contextlib.contextmanager
def opened_csv(name: str | None) -> Iterator[CsvFile | None]:
    """The CSV file with its header, where one is wanted.

    Raises:
        ConfigError: It can't be written.
    """
    if name is None:
        yield None
    elif name == STDOUT:
        yield None if sys.stdout is None else CsvFile(raw_stdout(), is_own=False)
    else:
        with contextlib.ExitStack() as stack:
            try:
                csv = CsvFile(stack.enter_context(Path(name).open("wb", buffering=0)), is_own=True)
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                raise ConfigError(f"--csv {name} can't be written: {reason}") from None
            yield csv


def raw_stdout() -> IO[bytes]:
    """Standard output for bytes, without a buffer where it has one."""
    buffer: IO[bytes] = sys.stdout.buffer
    raw: IO[bytes] = getattr(buffer, "raw", buffer)
    return raw
