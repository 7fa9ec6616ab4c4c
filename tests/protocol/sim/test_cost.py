"""What an experiment costs grows with the number of nodes and no faster: counted, not timed."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from protocol.core.view import PartialView
from protocol.sim import Experiment, Simulation
from protocol.sim.network import Network

ROOT = Path(__file__).parents[3]

CYCLES = 2


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often views were merged and asked, and datagrams sent."""
    counts: Counter[str] = Counter()

    def counted(owner: type, name: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def counting(*args: Any, **named: Any) -> Any:
            counts[name] += 1
            return original(*args, **named)

        monkeypatch.setattr(owner, name, counting)

    counted(PartialView, "merge")
    counted(PartialView, "select_peer")
    counted(PartialView, "buffer")
    counted(Network, "reached")
    return counts


@pytest.mark.parametrize("nodes", [300, 1_000, 3_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_cycle_costs_each_node_one_request_one_answer_and_two_merges(
    nodes: int, count: Counter[str]
) -> None:
    config = Experiment(nodes=nodes).config
    simulation = Simulation(nodes, seed=1, config=config, timing="cycles", verify_sources=False)
    count.clear()
    simulation.run_cycles(CYCLES)
    assert count == {
        "select_peer": CYCLES * nodes,
        "buffer": 2 * CYCLES * nodes,
        "reached": 2 * CYCLES * nodes,
        "merge": 2 * CYCLES * nodes,
    }
    assert simulation.datagram_count == 2 * CYCLES * nodes
    assert sum(node.machine.exchanges_served for node in simulation.nodes) == CYCLES * nodes


MEASURE = """
from pathlib import Path
from protocol.sim import Experiment

experiment = Experiment(nodes=1_500, view_size=20, cycles=CYCLES, churn=CHURN)
run = experiment.begin(every=CYCLES)
while not run.is_done:
    run.advance()
highest = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
print(int(highest) * 1024 / experiment.memory_estimate())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="sizes are measured on Linux")
@pytest.mark.parametrize(("cycles", "churn"), [(4, 0.0), (10, 0.05)])
def test_the_memory_estimate_is_close_to_what_a_run_takes(cycles: int, churn: float) -> None:
    program = MEASURE.replace("CYCLES", str(cycles)).replace("CHURN", str(churn))
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert 0.7 < float(run.stdout) < 1.3


def test_the_memory_estimate_grows_with_nodes_views_and_cycles() -> None:
    small, more_nodes, larger_views, longer = (
        Experiment(**{"nodes": 1_000, "view_size": 20, "cycles": 5, **more}).memory_estimate()  # type: ignore[arg-type]
        for more in ({}, {"nodes": 2_000}, {"view_size": 40}, {"cycles": 50})
    )
    assert small < min(more_nodes, larger_views, longer)


def test_buried_nodes_leave_nothing_behind() -> None:
    run = Experiment(nodes=40, view_size=6, cycles=20, churn=0.2).begin(every=20)
    while not run.is_done:
        run.advance()
    assert len(run.simulation.nodes) == 40
    assert int(run.simulation.nodes[-1].id.name[1:]) == 40 + 20 * 8 - 1
