"""Rates as lines: sparklines with their numbers, and what was received in vain or refused."""

from __future__ import annotations

from collections.abc import Sequence

from gossip_tui.theme import Glyphs

from .line import Line, Role, Span, cell_len, cut, right
from .rate_meter import Rates

__all__ = ["amount_text", "bytes_text", "rate_lines", "sparkline"]

TALL = 5
"""Lines from which on there is room for words."""

LEAST_PEAK = 4.0
"""Datagrams per second at which a bar is full at the least, so that an idle node does not look busy."""


def rate_lines(rates: Rates, width: int, height: int, glyphs: Glyphs) -> list[Line]:
    """The rates in three lines: in, out, and the rest; in five or more, the rest is spelled out in two."""
    peak = max((*rates.incoming, *rates.outgoing, LEAST_PEAK))
    return [
        flow_line(
            "in ", rates.datagrams_in, rates.bytes_in, (rates.incoming, rates.marks), peak, width, glyphs
        ),
        flow_line(
            "out", rates.datagrams_out, rates.bytes_out, (rates.outgoing, rates.marks), peak, width, glyphs
        ),
        *(fact_lines(rates, width, glyphs) if height >= TALL else [facts_line(rates, width, glyphs)]),
    ]


def flow_line(
    name: str,
    rate: float,
    size: float,
    history: tuple[Sequence[float], Sequence[bool]],
    peak: float,
    width: int,
    glyphs: Glyphs,
) -> Line:
    """One direction: its name, datagrams and bytes per second, and a sparkline with marks in what is left."""
    numbers = f" {name} {right(amount_text(rate), 5)}/s "
    if width >= 36:
        numbers += right(bytes_text(size) + "/s", 10) + " "
    room = max(0, width - cell_len(numbers) - 1)
    values, marks = history
    bars = sparkline(values, room, peak, glyphs)
    return Span(cut(numbers, width)), *marked(bars, marks[-room:] if room else (), glyphs)


def marked(bars: str, marks: Sequence[bool], glyphs: Glyphs) -> Line:
    """Bars with a mark in place of each at which something was changed; the newest stands at the right."""
    spans: list[Span] = []
    start = 0
    for place, is_marked in enumerate(marks, len(bars) - len(marks)):
        if is_marked:
            spans += [Span(bars[start:place], Role.HEAT_5), Span(glyphs.mark, Role.LATE)]
            start = place + 1
    return *(span for span in spans if span.text), Span(bars[start:], Role.HEAT_5)


def fact_lines(rates: Rates, width: int, glyphs: Glyphs) -> list[Line]:
    """The rest, spelled out, below an empty line."""
    share = "no copies came" if rates.duplicate_share is None else f"{rates.duplicate_share:.0%} came twice"
    delivered = f" {amount_text(rates.delivered)} messages/s {glyphs.dot} {share}"
    refused = f"{amount_text(rates.rejects)} rejected"
    repaired = f" {amount_text(rates.repairs)} repaired {glyphs.dot} "
    room = max(0, width - cell_len(repaired))
    return [
        (),
        (Span(cut(delivered, width, glyphs.ellipsis), Role.DIM),),
        (
            Span(cut(repaired, width, glyphs.ellipsis), Role.DIM),
            Span(cut(refused, room, glyphs.ellipsis), Role.WARNING if rates.rejects else Role.DIM),
        ),
    ]


def facts_line(rates: Rates, width: int, glyphs: Glyphs) -> Line:
    """Duplicates lately, repairs and rejects so far; what does not fit is left out whole."""
    share = "-" if rates.duplicate_share is None else f"{rates.duplicate_share:.0%}"
    facts = [
        (f"dup {share}", Role.DIM),
        (f"repaired {amount_text(rates.repairs)}", Role.DIM),
        (f"rejected {amount_text(rates.rejects)}", Role.WARNING if rates.rejects else Role.DIM),
        (f"{amount_text(rates.delivered)} msg/s", Role.DIM),
    ]
    spans: list[Span] = []
    room = width
    for text, role in facts:
        separator = f" {glyphs.dot} " if spans else " "
        room -= cell_len(separator) + cell_len(text)
        if room < 0:
            break
        spans += [Span(separator, Role.DIM), Span(text, role)]
    return tuple(spans)


def sparkline(values: Sequence[float], width: int, peak: float, glyphs: Glyphs) -> str:
    """The last ``width`` values as bars, newest at the right; a value above nothing never looks like nothing.

    >>> from gossip_tui.theme import UNICODE
    >>> sparkline((0, 1, 4, 8), 6, 8.0, UNICODE)
    '  ▁▂▅█'
    """
    if width <= 0:
        return ""
    steps = len(glyphs.spark) - 1
    bars = []
    for value in values[-width:]:
        step = min(steps, round(value / peak * steps)) if peak > 0 else 0
        bars.append(glyphs.spark[max(step, 1) if value > 0 else 0])
    return "".join(bars).rjust(width)


def amount_text(amount: float) -> str:
    """A number in at most five cells.

    >>> amount_text(0.25), amount_text(31.4), amount_text(1_234), amount_text(45_600), amount_text(7_800_000)
    ('0.2', '31', '1,234', '46k', '7.8M')
    """
    if amount < 10:
        return f"{amount:.1f}" if amount % 1 else str(int(amount))
    for limit, divisor, unit in ((9_999.5, 1, ""), (999_500, 1_000, "k"), (999_500_000, 1_000_000, "M")):
        if amount < limit:
            scaled = amount / divisor
            return f"{scaled:,.0f}{unit}" if scaled >= 10 or not unit else f"{scaled:.1f}{unit}"
    return f"{amount / 1e9:.0f}G"


def bytes_text(size: float) -> str:
    """An amount of bytes in at most eight cells.

    >>> bytes_text(0), bytes_text(980), bytes_text(4_310), bytes_text(2_500_000)
    ('0 B', '980 B', '4.3 kB', '2.5 MB')
    """
    for limit, divisor, unit in ((999.5, 1, "B"), (999_500, 1_000, "kB"), (999_500_000, 1_000_000, "MB")):
        if size < limit:
            scaled = size / divisor
            return f"{scaled:.0f} {unit}" if unit == "B" or scaled >= 100 else f"{scaled:.1f} {unit}"
    return f"{size / 1e9:.1f} GB"
