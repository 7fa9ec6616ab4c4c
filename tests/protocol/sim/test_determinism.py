"""One experiment, one run: the same in every process, whatever its hash seed, by cycles and by events."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

EXPERIMENT = """
from dataclasses import asdict
from hashlib import blake2b
from protocol.sim import Crash, Experiment, Selection

digest = blake2b(digest_size=16)
for selection in Selection:
    for start in ("random", "growing"):
        run = Experiment(
            nodes=120, view_size=10, strategy="(rand, push-pull, H=1, S=4)", start=start, cycles=25,
            crashes=(Crash(0.4, 18),), churn=0.03, loss=0.1, selection=selection, seed=5,
        ).begin(every=5)
        while not run.is_done:
            run.advance()
        digest.update(repr([asdict(figures) for figures in run.figures]).encode())
        digest.update(repr(run.broadcast()).encode())
        digest.update(repr(run.simulation.datagram_count).encode())
print(digest.hexdigest())
"""

EVENTS = """
from hashlib import blake2b
from protocol.core.config import Config
from protocol.sim import Faults, Overlay, Simulation

digest = blake2b(digest_size=16)
for start in ("random", "growing", "star"):
    simulation = Simulation(
        40, seed=5, config=Config(view_size=6), start=start, faults=Faults(loss=0.1, duplication=0.1)
    )
    for step in range(12):
        simulation.run_cycles(1)
        simulation.nodes[0].send_gossip(str(step))
    simulation.crash(range(len(simulation.nodes) // 2))
    simulation.run_cycles(4)
    overlay = Overlay.of(simulation.nodes)
    figures = (overlay.in_degrees, overlay.clustering(), overlay.path_length(), overlay.dead_link_count)
    digest.update(repr((figures, overlay.components(), simulation.datagram_count)).encode())
    for node in simulation.nodes:
        digest.update(repr((node.current_view(), node.events, [m.delivered_at for m in node.log])).encode())
print(digest.hexdigest())
"""


@pytest.mark.parametrize("script", [EXPERIMENT, EVENTS], ids=["cycles", "events"])
def test_a_run_is_the_same_in_every_process(script: str) -> None:
    outputs = []
    for hash_seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        run = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        outputs.append(run.stdout)
    assert outputs[0] == outputs[1] != ""
