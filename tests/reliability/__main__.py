"""The table of reliability for the library's README: ``python -m tests.reliability [nodes [seeds]]``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence

from protocol.core.config import Config, Dissemination
from tests.reliability.judge import Verdict, judge
from tests.reliability.scenarios import SCENARIOS, TRAFFIC, run

HEAD = (
    "| what goes wrong | dissemination | cycles until complete: {} senders "
    "| redundancy | last hop |\n|---|---|---|---|---|\n"
)


def row(name: str, mode: Dissemination, traffics: Iterable[str], nodes: int, seeds: Sequence[int]) -> str:
    """One line of the table; the worst of all seeds, and the mean redundancy.

    Raises:
        AssertionError: A promise was broken.
    """
    cycles, copies, hops = [], [], []
    for traffic in traffics:
        verdicts: list[Verdict] = []
        for seed in seeds:
            verdict = judge(run(SCENARIOS[name], traffic, nodes, seed, Config(dissemination=mode)))
            assert not verdict.wrong, (name, traffic, seed, verdict.wrong)
            verdicts.append(verdict)
        cycles.append(f"{max(verdict.seconds for verdict in verdicts):.1f}")
        copies.append(f"{sum(verdict.redundancy for verdict in verdicts) / len(verdicts):.2f}")
        hops.append(str(max(verdict.last_hop for verdict in verdicts)))
    return f"| {name} | {mode} | {' / '.join(cycles)} | {' / '.join(copies)} | {' / '.join(hops)} |"


def main(words: Sequence[str] | None = None) -> None:
    """Write the table to standard output."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability", description=__doc__)
    parser.add_argument("nodes", type=int, nargs="?", default=50)
    parser.add_argument("seeds", type=int, nargs="?", default=1, help="from 1 up to this (default: 1)")
    parser.add_argument(
        "--dissemination", choices=list(Dissemination), nargs="+", default=list(Dissemination)
    )
    parser.add_argument("--senders", choices=list(TRAFFIC), nargs="+", default=list(TRAFFIC))
    chosen = parser.parse_args(words)
    sys.stdout.write(HEAD.format(" / ".join(chosen.senders)))
    for name in SCENARIOS:
        if "minutes" not in name:
            for mode in map(Dissemination, chosen.dissemination):
                line = row(name, mode, chosen.senders, chosen.nodes, range(1, chosen.seeds + 1))
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
