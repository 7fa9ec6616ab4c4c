"""Messages as JSON lines, with the keys of ``tail --json``, and as CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from gossip_tui.jsonlines import encode, message_record
from protocol.core.messages import Message
from protocol.text import printable

__all__ = ["csv_lines", "json_lines"]

COLUMNS = (
    "at",
    "id",
    "origin",
    "origin_id",
    "seq",
    "text",
    "clock",
    "parents",
    "depth",
    "hops",
    "from_history",
    "late",
)

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet calculate, or start a program, instead of showing a cell. Source: OWASP."""


def json_lines(messages: Iterable[Message]) -> Iterator[str]:
    """One JSON object per message and line: exact, binary payloads in base 64."""
    for message in messages:
        yield encode(message_record(message)) + "\n"


def csv_lines(messages: Iterable[Message]) -> Iterator[str]:
    """A row per message by RFC 4180, the names of the columns first.

    For people and spreadsheets: text is made printable, and a cell that would be calculated has an apostrophe
    in front. JSON lines are exact.
    """
    yield row_of(COLUMNS)
    for message in messages:
        labels = message.clock.labels()
        name = labels[message.id.origin]
        yield row_of(
            (
                f"{message.delivered_at!r}",
                harmless(f"{name}#{message.id.sequence}"),
                harmless(name),
                harmless(message.id.origin.label),
                str(message.id.sequence),
                harmless(message.text),
                harmless(str(message.clock)),
                harmless(" ".join(parents_of(message))),
                str(message.depth),
                str(message.hops),
                str(message.from_history).lower(),
                str(message.late).lower(),
            )
        )


def parents_of(message: Message) -> list[str]:
    """The parents as ``tail --json`` names them."""
    parents: list[str] = message_record(message)["parents"]
    return parents


def harmless(text: str) -> str:
    """Text that neither a terminal nor a spreadsheet obeys."""
    shown = printable(text)
    return f"'{shown}" if shown.startswith(FORMULA_STARTS) else shown


def row_of(cells: Iterable[str]) -> str:
    """A line of CSV with its end."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
