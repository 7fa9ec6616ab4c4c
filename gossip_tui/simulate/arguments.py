"""The options of ``gossip-tui simulate``; imports nothing that help and completion could do without."""

# ruff: noqa: PLC0415 - what checks the options is imported when there are any

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from gossip_tui.arguments import ASCII_OPTION, LOG_OPTIONS, StrategyName, option, settings_of, typed_options

if TYPE_CHECKING:
    from .plan import Plan

__all__ = ["SELECTIONS", "SIMULATION_OPTIONS", "STARTS", "plan_from"]

STARTS = ("random", "lattice", "growing", "star", "alone")
SELECTIONS = ("live", "evict")


class StrategyNames(StrategyName):
    """Several strategies, separated by commas; completion goes on behind the last one."""

    name = "strategies"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The presets that begin like what stands behind the last comma, and are not named yet."""
        before, comma, last = incomplete.rpartition(",")
        named = before.split(",")
        return [
            CompletionItem(f"{before}{comma}{item.value}")
            for item in super().shell_complete(ctx, param, last)
            if item.value not in named
        ]


SIMULATION_OPTIONS = (
    option("--nodes", type=int, metavar="N", help="Nodes of the network.  [default: 1000]"),
    option("--view-size", type=int, metavar="C", help="Peers in each partial view.  [default: 20]"),
    option(
        "--strategy",
        type=StrategyName(),
        help="How peers are sampled: a preset or its parts.  [default: default]",
    ),
    option(
        "--compare",
        type=StrategyNames(),
        help="Simulate several, separated by commas, and show them side by side.",
    ),
    option("--start", type=click.Choice(STARTS), help="Whom nodes know at first.  [default: random]"),
    option(
        "--cycles", type=int, metavar="K", help="The last cycle, unless --until says more.  [default: 100]"
    ),
    option("--until", type=int, metavar="K", help="The last cycle.  [default: what --cycles says]"),
    option(
        "--crash",
        metavar="SHARE@CYCLE",
        multiple=True,
        help="Crash this share of the nodes after that cycle, such as 0.5@100; may be given several times.",
    ),
    option(
        "--churn",
        type=float,
        metavar="SHARE",
        help="Share of the nodes that crash in each cycle, and are replaced by newcomers.  [default: 0]",
    ),
    option("--loss", type=float, metavar="SHARE", help="Share of the datagrams that get lost.  [default: 0]"),
    option(
        "--selection",
        type=click.Choice(SELECTIONS),
        help="live: only peers that live are asked, as in the paper; evict: who does not answer leaves the "
        "view, as on real nodes.  [default: evict]",
    ),
    option(
        "--fanout", type=int, metavar="F", help="Peers that the last broadcast is pushed to.  [default: 4]"
    ),
    option("--seed", type=int, help="The same seed gives the same figures.  [default: 1]"),
    option("--every", type=int, metavar="K", help="Record every so many cycles, and the last.  [default: 1]"),
    click.option("--json", "as_json", is_flag=True, help="One JSON object for each strategy, for programs."),
    option(
        "--csv",
        type=click.Path(dir_okay=False, allow_dash=True),
        metavar="FILE",
        help="Write one row for each recorded cycle here as well; - is standard output.",
    ),
    click.option("--anyway", is_flag=True, help="Begin even if memory will not suffice."),
    ASCII_OPTION,
    *LOG_OPTIONS,
)
"""What can be said about a simulation and what becomes of it."""


def plan_from(context: click.Context) -> tuple[Plan, dict[str, Any]]:
    """What is to be simulated, and all that was said.

    Raises:
        UsageError: Options contradict one another, or mean nothing here.
        ConfigError: A value is not possible.
    """
    from .plan import plan_of

    settings = settings_of(context)
    typed = typed_options(context)
    if {"strategy", "compare"} <= typed:
        raise click.UsageError("--compare names all strategies there are: leave --strategy out")
    if "strategy" in typed:
        settings["compare"] = None
    return plan_of(settings), settings
