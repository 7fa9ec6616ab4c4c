"""The partial view as a table: who, where, how old its descriptor is, and how the last exchange went."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from gossip_tui.text import Safe, safe
from gossip_tui.theme import Glyphs
from protocol.core.identity import NodeId
from protocol.core.snapshot import NodeSnapshot, PeerRow
from protocol.core.view import Descriptor

from .line import HEAT, Line, Role, Span, cell_len, cut, fit, right
from .names import Names, role_of_origin

__all__ = [
    "Columns",
    "RowMark",
    "Sorting",
    "ViewRow",
    "columns_for",
    "header",
    "heat_bar",
    "heat_of",
    "name_key",
    "round_trip_text",
    "row_line",
    "title",
    "view_rows",
]

FULL_AGE = 32
"""Age in exchanges at which the bar is full: about the oldest that a settled view of 20 holds; a choice."""

ADDRESS_WIDTHS = (21, 15)
"""Cells for an address, widest first: ``255.255.255.255:65535``, and a short one."""

NAME_WIDTHS = range(5, 14)
"""Cells for a name: what its title takes, and what a long name gets before everything else is placed."""

AGE_WIDTH, ROUND_TRIP_WIDTH = 3, 6

SHORT_BAR_WIDTH, BAR_WIDTH, LONG_BAR_WIDTH = 4, 8, 24
"""Cells of an age's bar: the shortest worth drawing, what it has before long names grow, the longest."""


class Sorting(StrEnum):
    """What the rows are sorted by."""

    AGE = "age"
    NAME = "name"


class RowMark(StrEnum):
    """Why a row is marked for a moment."""

    NONE = ""
    JOINED = "joined"
    PARTED = "parted"


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One row, ready to be drawn; equal rows look the same."""

    id: NodeId
    label: Safe
    address: Safe
    age: int
    direction: str
    """``"out"``, ``"in"``, ``"both"`` or ``""``."""
    round_trip: float | None
    mark: RowMark = RowMark.NONE


class Columns(NamedTuple):
    """Cells of each column; 0 where it is left out."""

    name: int
    address: int
    age: int
    bar: int
    direction: int
    round_trip: int


def view_rows(snapshot: NodeSnapshot, names: Names, both: Collection[NodeId] = ()) -> list[ViewRow]:
    """The rows of a snapshot's view, unsorted; ``both`` are the nodes with exchanges each way lately."""
    peers = {peer.id: peer for peer in snapshot.peers}
    return [view_row(entry, peers.get(entry.id), names, both) for entry in snapshot.view]


def view_row(entry: Descriptor, peer: PeerRow | None, names: Names, both: Collection[NodeId]) -> ViewRow:
    """One descriptor with what is known of its node beside it."""
    direction = peer.last_direction if peer else ""
    return ViewRow(
        id=entry.id,
        label=names.label(entry.id),
        address=safe(str(entry.address), 64),
        age=entry.age,
        direction="both" if entry.id in both else direction,
        round_trip=peer.round_trip if peer else None,
    )


def sort_rows(rows: Iterable[ViewRow], sorting: Sorting) -> list[ViewRow]:
    """Rows by age (youngest first) or by name, those that left behind the view itself.

    Ties always fall the same way, so that nothing jumps.
    """
    by_age = sorting is Sorting.AGE
    return sorted(
        rows, key=lambda row: (row.mark is RowMark.PARTED, row.age if by_age else 0, name_key(row.id))
    )


def name_key(node: NodeId) -> tuple[str, int, NodeId]:
    """Sorts ``p2`` before ``p10``: the name without its trailing digits, then these as a number."""
    stem = node.name.rstrip("0123456789")
    return stem, int(node.name[len(stem) :] or 0), node


def columns_for(width: int, rows: Iterable[ViewRow]) -> Columns:
    """Share out ``width`` cells: names and ages always show, then directions, addresses, bars, round trips.

    What does not fit is left out whole: half a number is worse than none.
    """
    rows = list(rows)
    longest = max((cell_len(row.label) for row in rows), default=0)
    wanted_address = max((cell_len(row.address) for row in rows), default=0)
    name = max(NAME_WIDTHS.start, min(longest, NAME_WIDTHS.stop, width - AGE_WIDTH - 4))
    rest = width - 2 - name - 1 - AGE_WIDTH
    direction = 1 if rest >= 2 else 0
    rest -= 2 * direction
    address = next(
        (size for size in (min(wanted_address, limit) for limit in ADDRESS_WIDTHS) if size < rest), 0
    )
    rest -= address + bool(address)
    round_trip = ROUND_TRIP_WIDTH if rest > ROUND_TRIP_WIDTH + SHORT_BAR_WIDTH + 1 else 0
    rest -= round_trip + bool(round_trip)
    wider = max(0, min(rest - BAR_WIDTH - 1, longest - name))
    rest -= wider
    bar = min(rest - 1, LONG_BAR_WIDTH) if rest > SHORT_BAR_WIDTH else 0
    return Columns(name + wider, address, AGE_WIDTH, bar, direction, round_trip)


def header(columns: Columns, sorting: Sorting, glyphs: Glyphs) -> Line:
    """The column titles; the one sorted by carries an arrow."""
    name = "peer" + (glyphs.sorted if sorting is Sorting.NAME else "")
    age = "age" + (glyphs.sorted if sorting is Sorting.AGE else "")
    parts = [
        "  ",
        fit(name, columns.name),
        " " + fit("address", columns.address) if columns.address else "",
        right(age, columns.age + 1),
        " " * (columns.bar + 1) if columns.bar else "",
        " " * (columns.direction + 1) if columns.direction else "",
        " " + right("rtt", columns.round_trip) if columns.round_trip else "",
    ]
    return (Span("".join(parts), Role.TITLE),)


def row_line(row: ViewRow, columns: Columns, glyphs: Glyphs) -> Line:
    """One row: mark, name, address, age as number and bar, direction, round trip."""
    mark = {RowMark.JOINED: glyphs.joined, RowMark.PARTED: glyphs.parted}.get(row.mark, " ")
    parted = row.mark is RowMark.PARTED
    faint = Role.DIM if parted else Role.TEXT
    spans = [
        Span(mark + " ", Role.BAD if parted else Role.NEW),
        Span(
            fit(row.label, columns.name, glyphs.ellipsis), Role.DIM if parted else role_of_origin(row.id.name)
        ),
    ]
    if columns.address:
        spans.append(Span(" " + fit(row.address, columns.address, glyphs.ellipsis), Role.DIM))
    spans.append(Span(" " + right(age_text(row.age), columns.age), faint))
    if columns.bar:
        spans += [Span(" "), *heat_bar(row.age, columns.bar, glyphs)]
    if columns.direction:
        spans.append(Span(" " + direction_glyph(row.direction, glyphs), faint))
    if columns.round_trip:
        spans.append(Span(" " + right(round_trip_text(row.round_trip), columns.round_trip), Role.DIM))
    return tuple(spans)


def heat_bar(age: int, width: int, glyphs: Glyphs) -> Line:
    """A bar that grows with the age, warmer as it grows: one cell when fresh, full at ``FULL_AGE``.

    Lengths follow the square root, since one exchange more matters to a young descriptor and hardly to an old
    one.
    """
    cells = 1 + round(share_of(age) * (width - 1))
    return Span(glyphs.bar_full * cells, heat_of(age)), Span(glyphs.bar_empty * (width - cells), Role.DIM)


def share_of(age: int) -> float:
    """How far towards ``FULL_AGE`` an age is, 0 to 1, by the square root."""
    return math.sqrt(min(1.0, max(0, age) / FULL_AGE))


def heat_of(age: int) -> Role:
    """The colour of an age."""
    return HEAT[round(share_of(age) * (len(HEAT) - 1))]


def direction_glyph(direction: str, glyphs: Glyphs) -> str:
    """One cell for who asked whom last."""
    return {"out": glyphs.asked, "in": glyphs.served, "both": glyphs.both}.get(direction, " ")


def age_text(age: int) -> str:
    """An age in at most three cells."""
    return str(age) if age <= 999 else "1k+"


def round_trip_text(seconds: float | None) -> str:
    """A round trip in at most six cells; a dash before the first answer.

    >>> round_trip_text(0.00042), round_trip_text(0.0351), round_trip_text(1.5), round_trip_text(None)
    ('0.4 ms', '35 ms', '1.5 s', '-')
    """
    if seconds is None:
        return "-"
    if seconds < 0.9995:
        return f"{seconds * 1_000:.1f} ms" if seconds < 0.00995 else f"{seconds * 1_000:.0f} ms"
    if seconds < 9_999.5:
        return f"{seconds:.1f} s" if seconds < 99.95 else f"{seconds:.0f} s"
    return "> 9 ks"


def title(snapshot: NodeSnapshot | None, width: int) -> str:
    """The pane's title: ``Partial view  c=20 tail/push-pull H=1 S=9``, as much of it as ``width`` allows."""
    if snapshot is None:
        return cut("Partial view", width)
    parts = [part.strip() for part in str(snapshot.strategy).strip("()").split(",")]
    strategy = "/".join(parts[:2]) + " " + " ".join(parts[2:])
    long = f"Partial view  c={snapshot.view_size} {strategy}"
    short = f"View c={snapshot.view_size} {strategy}"
    return next((text for text in (long, short) if cell_len(text) <= width), cut("Partial view", width))
