"""The large table of peer sampling: 10,000 nodes, views of 30, 300 cycles, beside the reference.

``python -m tests.benchmarks.paper_table`` runs the nine overlays, minutes and half a gigabyte each, and
prints Markdown tables, each value with that of the reference in parentheses. Nothing is asserted. With
``--results FILE`` every finished overlay is kept there, and a later call goes on from it.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from gossip_tui.collector import collect_less_often
from protocol.sim import Experiment, Overlay

from .report import table

FANOUTS = (2, 3, 4, 5)
REMOVED = (0.90, 0.95, 0.97)
REMOVAL_COUNT = 10
"""Times that each share of nodes is drawn and removed; what is left differs by some per cent."""

RANDOM = "random graph"
PUSH_PULL = tuple(
    f"({peer}, push-pull, {kept})" for peer in ("rand", "tail") for kept in ("blind", "healer", "swapper")
)
PUSH = ("(rand, push, healer)", "(rand, push, swapper)", "(rand, push, blind)")

Values = Mapping[str, float]
"""Figures by name."""

CLUSTERING, PATH_LENGTH, SPREAD = "clustering", "path length", "in-degree std"


def left(share: float) -> str:
    """The name of the figure for the largest cluster after a removal."""
    return f"largest cluster, {share:.0%} removed, %"


def covered(fanout: int) -> str:
    """The name of the figure for the coverage of a broadcast."""
    return f"broadcast coverage, f={fanout}"


def reference(
    clustering: float,
    path_length: float | None,
    spread: float,
    largest: Sequence[float] = (),
    coverage: Mapping[int, float] | None = None,
) -> Values:
    """One column of the reference."""
    known: dict[str, float] = {CLUSTERING: clustering, SPREAD: spread}
    if path_length is not None:
        known[PATH_LENGTH] = path_length
    known |= {left(share): value for share, value in zip(REMOVED, largest, strict=False)}
    return known | {covered(fanout): value for fanout, value in (coverage or {}).items()}


EVERYBODY = {2: 0.797, 3: 0.941, 4: 0.980, 5: 0.993}
"""The root of r = 1 - exp(-f r): whom a broadcast over a random graph reaches."""

REFERENCE: Mapping[str, Values] = {
    RANDOM: reference(0.0059, 2.69, 5.5, (99.8, 94.5, 75), EVERYBODY),
    "(rand, push-pull, blind)": reference(0.026, 2.69, 22.5, (99.1, 91, 72), {3: 0.775}),
    "(rand, push-pull, healer)": reference(0.151, 2.84, 10.7, (99.4, 89, 47), {3: 0.913}),
    "(rand, push-pull, swapper)": reference(0.0067, 2.70, 4.0, (99.8, 94, 70), EVERYBODY),
    "(tail, push-pull, blind)": reference(0.023, 2.69, 21.6, (99.3, 92, 71)),
    "(tail, push-pull, healer)": reference(0.110, 2.80, 11.0, (99.5, 91, 58)),
    "(tail, push-pull, swapper)": reference(0.0067, 2.70, 3.9, (99.8, 94, 75)),
    "(rand, push, healer)": reference(0.116, None, 7.5),
    "(rand, push, swapper)": reference(0.046, None, 16.5),
    "(rand, push, blind)": reference(0.041, None, 20),
}
"""10,000 nodes, views of 30, cycle 300. Source: reference simulation."""


class Run(NamedTuple):
    """One overlay to make: a strategy, or the random graph that all of them start from."""

    strategy: str
    nodes: int
    view_size: int
    cycles: int
    seed: int


def measure(run: Run) -> Values:
    """Make an overlay and look at it from all sides."""
    collect_less_often()
    is_random = run.strategy == RANDOM
    experiment = Experiment(
        nodes=run.nodes,
        view_size=run.view_size,
        strategy="default" if is_random else run.strategy,
        cycles=0 if is_random else run.cycles,
        seed=run.seed,
    )
    begun = experiment.begin(every=max(run.cycles, 1))
    while not begun.is_done:
        begun.advance()
    last, overlay = begun.figures[-1], begun.overlay()
    dice = random.Random(f"paper table {run.seed}").random
    found = {CLUSTERING: last.clustering, PATH_LENGTH: last.path_length, SPREAD: last.in_degree_std}
    found |= {left(share): largest_without(overlay, share, dice) for share in REMOVED}
    return found | {covered(fanout): overlay.broadcast(fanout, dice).coverage for fanout in FANOUTS}


def largest_without(overlay: Overlay, share: float, dice: Callable[[], float]) -> float:
    """The largest cluster after a removal, in per cent of those who are left, mean over several draws."""
    remains = [overlay.without(share, dice) for _ in range(REMOVAL_COUNT)]
    return fmean(100 * rest.components()[0] / len(rest) for rest in remains)


# what is kept, and what is printed


def kept(path: Path | None) -> dict[str, Values]:
    """The overlays that an earlier call finished, by strategy."""
    lines = path.read_text().splitlines() if path is not None and path.exists() else []
    return {entry["strategy"]: entry["figures"] for entry in map(json.loads, lines)}


def results(runs: Sequence[Run], processes: int, path: Path | None) -> dict[str, Values]:
    """Make what is not there yet, in so many processes."""
    found = kept(path)
    with ProcessPoolExecutor(processes) as pool:
        under_way = {pool.submit(measure, run): run for run in runs if run.strategy not in found}
        for future in as_completed(under_way):
            strategy = under_way[future].strategy
            found[strategy] = future.result()
            sys.stderr.write(f"... {strategy}\n")
            if path is not None:
                with path.open("a") as file:
                    file.write(json.dumps({"strategy": strategy, "figures": found[strategy]}) + "\n")
    return found


def as_markdown(found: Mapping[str, Values]) -> str:
    """The tables of what was measured, with the reference in parentheses."""
    columns = [strategy for strategy in (RANDOM, *PUSH_PULL) if strategy in found]
    names = [CLUSTERING, PATH_LENGTH, SPREAD, *map(left, REMOVED), *map(covered, FANOUTS)]
    push_pull = [[name, *(cell(found, strategy, name) for strategy in columns)] for name in names]
    push = [
        [strategy, *(cell(found, strategy, name) for name in (CLUSTERING, PATH_LENGTH, SPREAD))]
        for strategy in PUSH
        if strategy in found
    ]
    return "\n\n".join(
        [
            table(["", *(heading(strategy) for strategy in columns)], push_pull),
            table(["", CLUSTERING, PATH_LENGTH, SPREAD], push),
        ]
    )


def heading(strategy: str) -> str:
    """A push-pull strategy without what all of them have in common."""
    return strategy.strip("()").replace(" push-pull,", "")


def cell(found: Mapping[str, Values], strategy: str, name: str) -> str:
    """A measured value and, in parentheses, the reference where there is one."""
    expected = REFERENCE[strategy].get(name)
    measured = shown(found[strategy][name])
    return measured if expected is None else f"{measured} ({shown(expected)})"


def shown(value: float) -> str:
    """Three digits, but at least the units."""
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def options(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What to run, from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.paper_table",
        description="Run nine overlays of whole nodes and print their figures beside those of the reference.",
    )
    parser.add_argument("--nodes", type=int, default=10_000, help="nodes of each overlay (default: 10000)")
    parser.add_argument("--view-size", type=int, default=30, help="descriptors of a view (default: 30)")
    parser.add_argument("--cycles", type=int, default=300, help="cycles of each run (default: 300)")
    parser.add_argument("--seed", type=int, default=1, help="of every die (default: 1)")
    parser.add_argument("--processes", type=int, default=2, help="runs at a time (default: 2)")
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="keep finished overlays, and go on from them"
    )
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Run and print."""
    chosen = options(words)
    runs = [
        Run(strategy, chosen.nodes, chosen.view_size, chosen.cycles, chosen.seed)
        for strategy in (RANDOM, *PUSH_PULL, *PUSH)
    ]
    sys.stdout.write(as_markdown(results(runs, chosen.processes, chosen.results)) + "\n")


if __name__ == "__main__":
    main()
