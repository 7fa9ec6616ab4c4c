"""Measure and print; see ``python -m tests.benchmarks --help``."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from protocol import Config, Dissemination

from . import echo, exchanges, panes, screen, swarm
from .figures import machine
from .report import Results, as_json, as_text
from .screen import IDLE, ScreenLoad
from .swarm import Load

PARTS = ("rate", "saturated", "screen", "panes", "exchanges")

RATE = 200.0
"""Messages per second of the loads at a rate."""


def options(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What to measure, from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description="Measure nodes on loopback, the screen and the simulator, beside a bare UDP echo.",
        epilog="What misses its target is marked. Let the machine do nothing else meanwhile.",
    )
    parser.add_argument("--json", action="store_true", help="all figures as JSON, in seconds and bytes")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part (repeatable; default: all)")
    parser.add_argument(
        "--sizes", type=int, nargs="+", metavar="N", help="nodes of the runs at a rate (default: 10 20 40)"
    )
    parser.add_argument("--seconds", type=float, help="how long each run sends (default: 10)")
    parser.add_argument("--payload", type=int, default=64, help="bytes of each message (default: 64)")
    parser.add_argument(
        "--dissemination",
        choices=list(Dissemination),
        action="append",
        help="how messages spread (repeatable; default: the default of a node)",
    )
    parser.add_argument("--quick", action="store_true", help="few nodes, short runs: to see that it works")
    chosen = parser.parse_args(words)
    chosen.only = chosen.only or list(PARTS)
    chosen.sizes = chosen.sizes or ([3] if chosen.quick else [10, 20, 40])
    chosen.dissemination = chosen.dissemination or [Config().dissemination]
    chosen.seconds = chosen.seconds or (1.0 if chosen.quick else 10.0)
    return chosen


def loads(chosen: argparse.Namespace) -> list[Load]:
    """The loads on nodes that were asked for."""
    seconds, size, smallest = chosen.seconds, chosen.payload, min(chosen.sizes)
    found = []
    if "rate" in chosen.only:
        found += [Load(nodes, 1, RATE, seconds, size) for nodes in chosen.sizes]
        found.append(Load(smallest, smallest, RATE, seconds, size))
    if "saturated" in chosen.only:
        found += [Load(smallest, senders, None, seconds, size) for senders in (1, smallest)]
    return [replace(load, dissemination=way) for load in found for way in chosen.dissemination]


def screen_loads(*, quick: bool) -> list[ScreenLoad]:
    """The loads on the screen."""
    keys = 10 if quick else 100
    return [
        IDLE,
        ScreenLoad("two peers, no messages", keys=keys),
        ScreenLoad("10 messages/s", 10.0, keys=keys),
        ScreenLoad("1,000 messages/s", 1_000.0, keys=keys),
        ScreenLoad("space-time, 10 messages/s", 10.0, opens=screen.F4, limit=0.10),
        ScreenLoad("overlay, 10 messages/s", 10.0, opens=screen.F5, limit=0.15),
    ]


async def measure(chosen: argparse.Namespace) -> Results:
    """Everything asked for, one after the other."""
    load_average = os.getloadavg()[0]
    say("bare UDP echo")
    results = Results(machine(), load_average, echo.measure(seconds=1.0 if chosen.quick else 4.0))
    for load in loads(chosen):
        say(f"{load.nodes} nodes, {load.senders} sending, {load.dissemination}")
        results.nodes.append(await swarm.measure(load))
    if "screen" in chosen.only:
        await measure_screen(results, chosen)
    if "panes" in chosen.only:
        for pane in panes.LOADS:
            say(f"pane, {pane.name}, {pane.rate:g} messages/s")
            results.panes.append(await panes.measure(pane, chosen.seconds))
    if "exchanges" in chosen.only:
        for plan in exchanges.QUICK_PLANS if chosen.quick else exchanges.PLANS:
            say(f"exchanges, {plan.strategy}, {plan.experiment.nodes:,} nodes")
            results.exchanges.append(exchanges.measure(plan))
    return results


async def measure_screen(results: Results, chosen: argparse.Namespace) -> None:
    """The terminal application: its start, then its loads."""
    times = 1 if chosen.quick else 9
    say("first frame")
    results.python_start = await screen.python_starts(times)
    results.first_frame = await screen.first_frames(times)
    for beside in screen.TRIPS[: 1 if chosen.quick else None]:
        say(f"round trips beside {beside.name}")
        results.trips.append(await screen.time_exchanges(beside, max(chosen.seconds, 5.0)))
    for load in screen_loads(quick=chosen.quick):
        say(f"screen, {load.name}")
        results.screens.append(await screen.measure(load, chosen.seconds))


def say(text: str) -> None:
    """What is going on, beside the result."""
    sys.stderr.write(f"... {text}\n")


def main() -> None:
    """Measure and print."""
    chosen = options()
    results = asyncio.run(measure(chosen))
    text = json.dumps(as_json(results), indent=2) if chosen.json else as_text(results)
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
