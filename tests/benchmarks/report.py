"""The figures as tables of Markdown, as JSON, and against what they shall reach."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .figures import Echo, ExchangeRun, NodeRun, PaneRun, ScreenRun, Spread, TripRun

__all__ = ["Results", "Target", "as_json", "as_text", "table", "targets"]


HIDDEN_SHARE = 0.01
"""Of a core, what may lie between two runs that do the same: they are never equal to the last per mille."""


@dataclass(slots=True)
class Results:
    """Everything measured in one go; parts that were not run are empty."""

    machine: dict[str, str | int]
    load_average: float
    """Of the machine, before anything was measured: what else it had to do."""
    echo: Echo
    nodes: list[NodeRun] = field(default_factory=list)
    python_start: Spread | None = None
    first_frame: Spread | None = None
    screens: list[ScreenRun] = field(default_factory=list)
    trips: list[TripRun] = field(default_factory=list)
    panes: list[PaneRun] = field(default_factory=list)
    exchanges: list[ExchangeRun] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Target:
    """One figure that shall be reached."""

    what: str
    wanted: str
    measured: str
    met: bool


def targets(results: Results) -> list[Target]:
    """What of the results has a target, and whether it is met."""
    found = [target for run in results.nodes for target in node_targets(run)]
    found += [target for run in results.screens for target in screen_targets(run)]
    found += [target for run in results.trips for target in trip_targets(run)]
    found += pane_targets(results.panes)
    found += [target for exchange in results.exchanges for target in exchange_targets(exchange)]
    if results.first_frame is not None:
        seconds = results.first_frame.median
        found.append(Target("first frame", "< 0.6 s", f"{seconds:.2f} s", seconds < 0.6))
    return found


def node_targets(run: NodeRun) -> list[Target]:
    """Every node gets everything; ten nodes also quickly, or much."""
    found = [Target(f"{run.label}: coverage", "100 %", share(run.coverage), run.coverage == 1.0)]
    if run.nodes == 10 and run.rate == 200:
        median, p99 = run.delivery.median, run.delivery.p99
        found.append(Target(f"{run.label}: median", "< 1 ms", milliseconds(median), median < 0.001))
        found.append(Target(f"{run.label}: p99", "< 10 ms", milliseconds(p99), p99 < 0.01))
    if run.nodes == 10 and run.rate is None:
        rate = run.deliveries_per_second
        found.append(Target(f"{run.label}: deliveries/s", ">= 30,000", f"{rate:,.0f}", rate >= 30_000))
    return found


def exchange_targets(run: ExchangeRun) -> list[Target]:
    """A thousand nodes of one process exchange quickly enough to experiment with."""
    if run.nodes != 1_000:
        return []
    rate = run.median_rate
    return [Target(f"{run.label}: exchanges/s", ">= 10,000", f"{rate:,.0f}", rate >= 10_000)]


def screen_targets(run: ScreenRun) -> list[Target]:
    """Next to nothing while nothing happens, little at a human pace; what moves may cost more.

    Keys show at once, however much comes in.
    """
    found = []
    limit = run.limit or {0.0: 0.01, 10.0: 0.05}.get(run.rate)
    if limit is not None:
        used = run.cpu_share
        found.append(Target(f"screen, {run.load}: CPU", f"<= {limit:.0%}", f"{used:.1%}", used <= limit))
    if run.key is not None:
        p99 = run.key.p99
        found.append(Target(f"screen, {run.load}: key p99", "< 50 ms", milliseconds(p99), p99 < 0.05))
    return found


def trip_targets(run: TripRun) -> list[Target]:
    """A screen keeps its node from nothing."""
    p99 = run.beside.p99
    return [Target(f"round trip beside {run.pane}: p99", "< 10 ms", milliseconds(p99), p99 < 0.01)]


def pane_targets(runs: Sequence[PaneRun]) -> list[Target]:
    """Each pane within its limit; and what is hidden costs no more than what is not there."""
    found = [
        Target(f"{run.label}: CPU", f"<= {run.limit:.0%}", f"{run.cpu_share:.1%}", run.cpu_share <= run.limit)
        for run in runs
        if run.limit is not None
    ]
    pairs = [(one, two) for one in runs for two in runs if two.is_bare and not one.is_bare]
    for hidden, absent in pairs:
        if (hidden.pane, hidden.rate) == (absent.pane, absent.rate):
            more = hidden.cpu_share - absent.cpu_share
            found.append(
                Target(f"{hidden.label}: hidden panes", "<= 1%", f"{more:.1%}", more <= HIDDEN_SHARE)
            )
    return found


def as_json(results: Results) -> dict[str, Any]:
    """All figures with plain names and units of seconds and bytes; what could not be measured is null."""
    found = asdict(results)
    for run, record in zip(results.nodes, found["nodes"], strict=True):
        record["coverage"] = run.coverage
        record["deliveries_per_second"] = run.deliveries_per_second
        record["median_to_echo"] = run.delivery.median / results.echo.one_way
        record["deliveries_to_echo"] = run.deliveries_per_second / results.echo.datagrams_per_second
    found["targets"] = [asdict(target) for target in targets(results)]
    return without_nan(found)  # type: ignore[no-any-return]


def without_nan(value: Any) -> Any:
    """JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_text(results: Results) -> str:
    """All tables, one below the other."""
    parts = [heading(results), echo_line(results.echo)]
    if results.nodes:
        parts.append(node_table(results.nodes, results.echo))
    if results.first_frame is not None and results.python_start is not None:
        parts.append(frame_line(results.first_frame, results.python_start))
    if results.screens:
        parts.append(screen_table(results.screens))
    if results.trips:
        parts.append(trip_table(results.trips))
    if results.panes:
        parts.append(pane_table(results.panes))
    if results.exchanges:
        parts.append(exchange_table(results.exchanges))
    parts.append(target_table(targets(results)))
    return "\n\n".join(parts)


def heading(results: Results) -> str:
    """What this ran on."""
    machine = results.machine
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}; "
        f"load average before: {results.load_average:.1f}"
    )


def echo_line(echo: Echo) -> str:
    """The yardstick in words."""
    return (
        f"Yardstick, a bare UDP echo between two processes: one way {echo.one_way * 1e6:.1f} us (median), "
        f"{echo.datagrams_per_second:,.0f} datagrams/s"
    )


def frame_line(frame: Spread, python: Spread) -> str:
    """Time to first frame in words."""
    return (
        f"First frame of `gossip-tui run`: {frame.median:.2f} s after the start of the process "
        f"(median of {frame.count}, at most {frame.longest:.2f} s; Python alone: {python.median:.3f} s)"
    )


NODE_COLUMNS = (
    "load",
    "coverage",
    "median ms",
    "p99 ms",
    "max ms",
    "x echo",
    "deliveries/s",
    "of echo",
    "datagrams",
    "bytes",
    "duplicates",
    "CPU us",
    "CPU s",
    "MB",
)
"""``x echo``: median delivery in one-way times of the echo; ``of echo``: deliveries/s as a share of its
datagrams/s; the four from ``datagrams`` on are per delivery, ``CPU s`` is that of all nodes together, ``MB``
that of the largest."""


def node_table(runs: Iterable[NodeRun], echo: Echo) -> str:
    """A row for each load."""
    rows = [
        (
            run.label,
            share(run.coverage),
            f"{run.delivery.median * 1e3:.2f}",
            f"{run.delivery.p99 * 1e3:.2f}",
            f"{run.delivery.longest * 1e3:.1f}",
            f"{run.delivery.median / echo.one_way:,.0f}",
            f"{run.deliveries_per_second:,.0f}",
            f"{run.deliveries_per_second / echo.datagrams_per_second:.1%}",
            f"{run.per_delivery(run.datagrams):.2f}",
            f"{run.per_delivery(run.bytes):.0f}",
            f"{run.per_delivery(run.duplicates):.2f}",
            f"{run.per_delivery(run.cpu_seconds) * 1e6:.0f}",
            f"{run.cpu_seconds:.1f}",
            f"{run.peak_memory / 1e6:.0f}",
        )
        for run in runs
    ]
    return table(NODE_COLUMNS, rows)


def screen_table(runs: Iterable[ScreenRun]) -> str:
    """A row for each load of the screen."""
    columns = ("screen", "CPU", "CPU of a node without", "output B/s", "key ms", "p99 ms", "max ms")
    rows = [
        (
            run.load,
            f"{run.cpu_share:.1%}",
            f"{run.node_share:.1%}" if run.node_share is not None else "",
            f"{run.output_rate:,.0f}",
            *(key_cells(run.key) if run.key is not None else ("", "", "")),
        )
        for run in runs
    ]
    return table(columns, rows)


def trip_table(runs: Iterable[TripRun]) -> str:
    """A row for each pane that a node has to answer beside."""
    columns = (
        "round trip beside",
        "exchanges",
        "median ms",
        "p99 ms",
        "max ms",
        "without: median ms",
        "p99 ms",
    )
    rows = [
        (run.pane, f"{run.beside.count:,}", *key_cells(run.beside), *key_cells(run.without)[:2])
        for run in runs
    ]
    return table(columns, rows)


def pane_table(runs: Iterable[PaneRun]) -> str:
    """A row for each pane in front."""
    rows = [
        (
            run.pane + (", hidden ones taken out" if run.is_bare else ""),
            f"{run.rate:g}",
            f"{run.events:,.0f}",
            f"{run.cpu_share:.1%}",
            f"{run.limit:.0%}" if run.limit is not None else "",
        )
        for run in runs
    ]
    return table(("in sight", "messages/s", "events/s", "CPU", "budget"), rows)


def key_cells(key: Spread) -> tuple[str, str, str]:
    """Median, 99th percentile and maximum, in milliseconds."""
    return f"{key.median * 1e3:.1f}", f"{key.p99 * 1e3:.1f}", f"{key.longest * 1e3:.1f}"


def exchange_table(runs: Sequence[ExchangeRun]) -> str:
    """A row for each network, with the shares of its time."""
    layers = list(runs[0].shares)
    columns = ("network", "exchanges/s", "quickest", "us", *layers, "MB")
    rows = [
        (
            run.label,
            f"{run.median_rate:,.0f}",
            f"{run.best_rate:,.0f}",
            f"{1e6 / run.median_rate:.0f}",
            *(f"{run.shares[layer]:.0%}" for layer in layers),
            f"{run.peak_memory / 1e6:.0f}",
        )
        for run in runs
    ]
    return table(columns, rows)


def target_table(found: Iterable[Target]) -> str:
    """What was to be reached, and what was."""
    rows = [(one.what, one.wanted, one.measured, "yes" if one.met else "NO") for one in found]
    return table(("target", "wanted", "measured", "met"), rows)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown whose source lines up, the first column to the left and the others to the right."""
    widths = [max(len(row[index]) for row in [columns, *rows]) for index in range(len(columns))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(
        "| " + " | ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) + " |"
        for row in [columns, rule, *rows]
    )


def share(part: float) -> str:
    """A share in per cent, cut and not rounded: 99.999 % is not everything."""
    return f"{math.floor(part * 10_000) / 100:.2f} %" if part < 1 else f"{part:.0%}".replace("%", " %")


def milliseconds(seconds: float) -> str:
    """A time that is a matter of milliseconds."""
    return f"{seconds * 1e3:.2f} ms"
