"""What an experiment measured, for programs: one JSON object for each strategy, one CSV row for each cycle.

The same experiment gives the same bytes. Numbers are rounded to ``DECIMALS``, which is more than a network of
a million nodes can tell apart, so that the last digit of a platform's logarithm changes nothing.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from protocol.sim import Broadcast, CycleFigures, Experiment

__all__ = ["BROADCAST_FIELDS", "CYCLE_FIELDS", "CsvFile", "csv_row", "json_line"]

CYCLE_FIELDS = (
    "cycle",
    "clustering",
    "path_length",
    "in_degree_mean",
    "in_degree_std",
    "in_degree_min",
    "in_degree_max",
    "components",
    "largest_component",
    "dead_links",
    "dead_links_of_crash",
    "live_nodes",
)
"""The figures of one cycle, in the order in which they are written."""

BROADCAST_FIELDS = ("fanout", "coverage", "redundancy", "last_hop")
"""The figures of the broadcast, in the order in which they are written."""

DECIMALS = 6

Number = int | float | None


def json_line(experiment: Experiment, figures: Sequence[CycleFigures], broadcast: Broadcast | None) -> str:
    """One experiment as one line of JSON without its line end; no broadcast is null, and so is no number."""
    record = {
        "nodes": experiment.nodes,
        "view_size": experiment.view_size,
        "strategy": str(experiment.strategy),
        "seed": experiment.seed,
        "cycles": [fields(one, CYCLE_FIELDS) for one in figures],
        "broadcast": None if broadcast is None else fields(broadcast, BROADCAST_FIELDS),
    }
    return json.dumps(record, separators=(",", ":"), allow_nan=False)


def fields(figures: object, names: Sequence[str]) -> dict[str, Number]:
    """The named figures, finite and rounded."""
    return {name: finite(getattr(figures, name)) for name in names}


def finite(number: Number) -> Number:
    """The number as it is written; None for one that is no number.

    >>> finite(7), finite(1 / 3), finite(float("nan")), finite(None)
    (7, 0.333333, None, None)
    """
    if isinstance(number, float):
        return round(number, DECIMALS) if math.isfinite(number) else None
    return number


def csv_row(values: Sequence[Number | str]) -> str:
    r"""One row with its line end; what is no number is empty.

    >>> csv_row(["(rand, push, head)", 1, 0.5, None])
    '"(rand, push, head)",1,0.5,\n'
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    return text.getvalue()


class CsvFile:
    """A file that gets a header, then a row for every recorded cycle as soon as it is there.

    A row is written at once and whole. When one can't be (a full disk), what got through of it is taken back,
    ``error`` says why, and later rows are dropped.

    Raises:
        OSError: The header can't be written.
    """

    def __init__(self, file: IO[bytes], *, is_own: bool) -> None:
        """Start the file, which must be open for writing without a buffer.

        Args:
            file: Where rows go.
            is_own: Whether the file has nothing else in it, so that a torn row may be cut off.
        """
        self.error: OSError | None = None
        """Why rows are missing; None as long as none is."""
        self._file = file
        self._is_own = is_own
        self._size = 0
        self._write(csv_row(("strategy", *CYCLE_FIELDS)))

    def add(self, experiment: Experiment, figures: CycleFigures) -> None:
        """Write the row of one cycle."""
        if self.error is not None:
            return
        try:
            self._write(csv_row((str(experiment.strategy), *fields(figures, CYCLE_FIELDS).values())))
        except OSError as error:
            self.error = error
            if self._is_own:
                with contextlib.suppress(OSError, ValueError):
                    os.ftruncate(self._file.fileno(), self._size)

    def _write(self, row: str) -> None:
        data = row.encode("utf-8")
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        self._size += len(data)
