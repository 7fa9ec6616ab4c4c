"""Run it and judge; see ``python -m tests.chaos --help``."""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from collections.abc import Sequence

from .run import Outcome, Settings, run

PROBLEMS_SHOWN = 40
"""Lines of what went wrong that are printed; the rest is counted."""


def options(words: Sequence[str] | None = None) -> tuple[Settings, bool]:
    """What to run, and whether to say what happens meanwhile."""
    default = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description="Node processes behind a relay that loses, copies, delays and cuts, with kill -9, "
        "restarts and stops. At the end every node must have the same complete log.",
        epilog="The story of a seed is always the same; what comes of it depends on the machine.",
    )
    parser.add_argument("--nodes", type=int, default=default.nodes, help="processes (default: %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=default.seconds, help="length (default: %(default)s)"
    )
    parser.add_argument("--rate", type=float, default=default.rate, help="messages/s (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=default.seed, help="of the story (default: %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="print the result alone")
    parser.add_argument("words", nargs="*", help="options for every node, after --, such as -- --cycle 0.2")
    chosen = parser.parse_args(words)
    if chosen.nodes < 1:
        parser.error(f"--nodes must be at least 1, not {chosen.nodes}")
    for name in ("seconds", "rate"):
        if not 0 < (value := getattr(chosen, name)) < math.inf:
            parser.error(f"--{name} must be a number above 0, not {value:g}")
    return (
        Settings(
            nodes=chosen.nodes,
            seconds=chosen.seconds,
            rate=chosen.rate,
            seed=chosen.seed,
            words=tuple(chosen.words) or default.words,
        ),
        not chosen.quiet,
    )


def report(outcome: Outcome) -> str:
    """The result in a few lines."""
    settings = outcome.settings
    heading = (
        f"{settings.nodes} nodes, {settings.seconds:g} s, seed {settings.seed}: {outcome.deeds} deeds, "
        f"{outcome.lives} processes, {outcome.messages:,} messages, "
        f"{outcome.forwarded:,} datagrams passed on and {outcome.dropped:,} dropped; "
        f"everybody had everything {outcome.completion:.1f} s after the last message"
    )
    lines = [heading, *outcome.problems[:PROBLEMS_SHOWN]]
    hidden = len(outcome.problems) - PROBLEMS_SHOWN
    if hidden > 0:
        lines.append(f"and {hidden} more")
    lines.append(
        f"{len(outcome.problems)} problems with seed {settings.seed}"
        if outcome.problems
        else "all as promised"
    )
    return "\n".join(lines)


def say(text: str) -> None:
    """What is going on, beside the result."""
    sys.stderr.write(f"{text}\n")


def main() -> int:
    """Run, print, and say by the exit code whether all was as promised."""
    settings, is_loud = options()
    outcome = asyncio.run(run(settings, say if is_loud else lambda _: None))
    sys.stdout.write(report(outcome) + "\n")
    return bool(outcome.problems)


if __name__ == "__main__":
    sys.exit(main())
