"""The table of reliability for the library's README: ``python -m tests.reliability [nodes [seeds]]``."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from protocol.core.config import Config, Dissemination
from tests.reliability.judge import Verdict, judge
from tests.reliability.scenarios import SCENARIOS, TRAFFIC, run

HEAD = (
    "| what goes wrong | dissemination | cycles until complete: one / rotating / all senders "
    "| redundancy | last hop |\n|---|---|---|---|---|"
)


def row(name: str, mode: Dissemination, nodes: int, seeds: Iterable[int]) -> str:
    """One line of the table; the worst of all seeds, and the mean redundancy.

    Raises:
        AssertionError: A promise was broken.
    """
    cycles, copies, hops = [], [], []
    for traffic in TRAFFIC:
        verdicts: list[Verdict] = []
        for seed in seeds:
            verdict = judge(run(SCENARIOS[name], traffic, nodes, seed, Config(dissemination=mode)))
            assert not verdict.wrong, (name, traffic, seed, verdict.wrong)
            verdicts.append(verdict)
        cycles.append(f"{max(verdict.seconds for verdict in verdicts):.1f}")
        copies.append(f"{sum(verdict.redundancy for verdict in verdicts) / len(verdicts):.2f}")
        hops.append(str(max(verdict.last_hop for verdict in verdicts)))
    return f"| {name} | {mode} | {' / '.join(cycles)} | {' / '.join(copies)} | {' / '.join(hops)} |"


def main(nodes: int = 50, seeds: int = 1) -> None:
    """Write the table to standard output."""
    sys.stdout.write(f"{HEAD}\n")
    for name in SCENARIOS:
        if "minutes" not in name:
            for mode in Dissemination:
                sys.stdout.write(f"{row(name, mode, nodes, range(1, seeds + 1))}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
