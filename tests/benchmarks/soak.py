"""Minutes of steady traffic on node processes: memory must be flat and nothing in them may go on growing.

``python -m tests.benchmarks.soak --help`` says how to run it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .figures import MEBI
from .swarm import PATIENCE, PeerProcess, swarm, together

__all__ = ["Soak", "growing", "judge"]

SAMPLES = 30
"""Looks at every node over the whole time."""

MEMORY_SLACK = 1.05
"""How much more memory the last third may use than the second: what an allocator's holes make of a steady
load. A leak of 64 bytes a message would be twice that in ten minutes at 500 messages a second."""

COUNT_SLACK = 1.25
"""The same for what containers hold, which comes and goes."""

COUNT_FLOOR = 64
"""Elements that no growth is judged by: a burst more or less."""


@dataclass(frozen=True, slots=True)
class Soak:
    """What the nodes used and held over the time, one sample after the other."""

    memory: list[int]
    """Bytes, of the node that used most at that moment."""
    counts: Sequence[Mapping[str, int]]
    """Elements by class and attribute, the most of any node at that moment."""
    sent: int
    delivered: list[int]
    """By node, own messages included."""


def thirds(values: Sequence[int]) -> tuple[int, int]:
    """The largest value of the second and of the last third; the first third is for filling up."""
    third = len(values) // 3
    return max(values[third : 2 * third], default=0), max(values[2 * third :], default=0)


def growing(counts: Sequence[Mapping[str, int]]) -> dict[str, tuple[int, int]]:
    """What held clearly more in the last third than in the second, with both numbers."""
    names = {name for sample in counts for name in sample}
    pairs = {name: thirds([sample.get(name, 0) for sample in counts]) for name in sorted(names)}
    return {
        name: (before, after)
        for name, (before, after) in pairs.items()
        if after > max(COUNT_FLOOR, before * COUNT_SLACK)
    }


def judge(soak: Soak) -> list[str]:
    """What was not as promised."""
    before, after = thirds(soak.memory)
    found = [f"{name} grew from {low:,} to {high:,}" for name, (low, high) in growing(soak.counts).items()]
    if after > before * MEMORY_SLACK:
        found.append(f"memory grew from {before / MEBI:.1f} to {after / MEBI:.1f} MB")
    missing = sum(soak.sent - count for count in soak.delivered)
    if missing:
        found.append(f"{missing:,} deliveries are missing")
    return found


async def run(nodes: int, rate: float, seconds: float) -> Soak:
    """Let all nodes send for a while, and look at them now and then."""
    async with swarm(nodes) as peers:
        period = seconds / SAMPLES
        memory: list[int] = []
        counts: list[Mapping[str, int]] = []
        sent = 0
        for number in range(SAMPLES):
            told = await asyncio.gather(
                *(send(peer, index, nodes, rate, period) for index, peer in enumerate(peers))
            )
            sent += sum(told)
            looks = await together(peers, "census")
            memory.append(max(look["memory"] for look in looks))
            counts.append(most(look["census"] for look in looks))
            sys.stderr.write(
                f"... {(number + 1) * period:.0f} s: {memory[-1] / MEBI:.1f} MB, {sent:,} messages\n"
            )
        delivered = await together(peers, "expect", total=sent, patience=PATIENCE)
        return Soak(memory, counts, sent, delivered)


async def send(peer: PeerProcess, index: int, nodes: int, rate: float, period: float) -> int:
    """One node's share of the rate for a while; returns how many messages that were."""
    told = await peer.do("send", size=64, seconds=period, rate=rate / nodes, phase=index / nodes)
    return int(told["sent"])


def most(samples: Any) -> dict[str, int]:
    """The largest number for each name."""
    found: dict[str, int] = {}
    for sample in samples:
        for name, count in sample.items():
            found[name] = max(count, found.get(name, 0))
    return found


def report(soak: Soak, nodes: int, rate: float, seconds: float) -> str:
    """The result in words, with what the nodes hold at the end."""
    before, after = thirds(soak.memory)
    last = soak.counts[-1]
    largest = sorted(last, key=lambda name: -last[name])[:12]
    problems = judge(soak)
    lines = [
        f"{nodes} nodes, {rate:g} messages/s for {seconds:g} s",
        f"{soak.sent:,} messages, {sum(soak.delivered):,} deliveries",
        f"memory of the largest process at first: {soak.memory[0] / MEBI:.1f} MB",
        f"at most in the second third: {before / MEBI:.1f} MB, in the last: {after / MEBI:.1f} MB",
        "most elements at the end: " + ", ".join(f"{name} {last[name]:,}" for name in largest),
        *problems,
        "not as promised" if problems else "nothing grows",
    ]
    return "\n".join(lines)


def main() -> int:
    """Run, print, and say by the exit code whether all was as promised."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak", description=__doc__)
    parser.add_argument("--nodes", type=int, default=10, help="processes (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=500.0, help="messages/s of all (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=600.0, help="length (default: %(default)s)")
    chosen = parser.parse_args()
    soak = asyncio.run(run(chosen.nodes, chosen.rate, chosen.seconds))
    sys.stdout.write(report(soak, chosen.nodes, chosen.rate, chosen.seconds) + "\n")
    return bool(judge(soak))


if __name__ == "__main__":
    sys.exit(main())
