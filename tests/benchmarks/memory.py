"""What a node remembers: bytes of retained messages with their clocks, and a day in which nodes come and go.

``python -m tests.benchmarks.memory retained`` fills a log, reads every clock and compares it with one kept by
hand; ``python -m tests.benchmarks.memory day`` lets a node hear a day's worth of new incarnations, and shows
its tables.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import tracemalloc
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocol.core.causal import CausalOrder, Reception
from protocol.core.config import Config
from protocol.core.derived import CLOCK_LIMIT
from protocol.core.frontier import Frontier
from protocol.core.identity import Address, NodeId, key_of
from protocol.core.messages import Rumor
from protocol.core.outbox import Outbox
from protocol.core.stamps import branch_of, merged_again, shared_leaf

from .census import census
from .figures import MEBI

__all__ = ["Retained", "Sample", "day", "retained"]

EPOCH = 1_700_000_000
SOURCE = Address("10.0.0.1", 7117)

Vector = dict[NodeId, int]


def node_id(number: int) -> NodeId:
    """The incarnation that starts ``number`` seconds after the epoch."""
    return NodeId(f"n{number:05}", (EPOCH + number) * 1_000 << 16)


class Crowd:
    """Authors that deliver everything ``lag`` messages after it was sent, and their clocks kept by hand."""

    def __init__(self, lag: int, payload_size: int) -> None:
        self.lag = lag
        self.payload = bytes(payload_size)
        self.known: Vector = {}
        """What everybody has delivered."""
        self._frontier = Frontier()
        self._sequences: Vector = {}
        self._depth = 0
        self._under_way: deque[Rumor] = deque()

    def say(self, author: NodeId) -> Rumor:
        """The next message of an author."""
        sequence = self._sequences.get(author, 0) + 1
        self._sequences[author] = sequence
        self._depth += 1
        parents = self._frontier.parents_of(author.key)
        rumor = Rumor(author, sequence, self._depth, float(EPOCH), parents, bytes(self.payload), 0)
        self._under_way.append(rumor)
        if len(self._under_way) > self.lag:
            arrived = self._under_way.popleft()
            self._frontier.advance(arrived.origin.key, arrived.sequence, arrived.parents)
            self.known[arrived.origin] = arrived.sequence
        return rumor

    def forget(self, author: NodeId) -> None:
        """Count no more what an author said, who is gone; clocks can't be compared from now on."""
        self._sequences.pop(author, None)
        self.known.clear()


def bytes_now() -> int:
    """Bytes of Python objects, as traced, but for what the process remembers whatever a node does."""
    for remembered in (key_of, branch_of, shared_leaf, merged_again):
        remembered.cache_clear()
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@dataclass(frozen=True, slots=True)
class Retained:
    """What a full log costs."""

    messages: int
    origins: int
    size: int
    """Bytes with no clock read."""
    size_read: int
    """Bytes after every clock was read."""
    compared: int
    wrong: int
    """Clocks that differ from those kept by hand."""


def retained(messages: int, origins: int, lag: int = 2, payload_size: int = 64, every: int = 1) -> Retained:
    """Fill a log with messages of random authors, and read their clocks.

    Args:
        messages: How many.
        origins: Their authors.
        lag: Messages under way at any time, so that as many are concurrent.
        payload_size: Bytes of each.
        every: How many clocks are read for each one that is compared.
    """
    dice, crowd = random.Random(1), Crowd(lag, payload_size)
    authors = [node_id(number) for number in range(origins)]
    order = [authors[int(dice.random() * origins)] for _ in range(messages)]
    tracemalloc.start()
    try:
        before = bytes_now()
        config = Config(history_limit=messages, history_size_limit=1 << 40)
        causal, out = CausalOrder(config), Outbox()
        for author in order:
            assert causal.receive(crowd.say(author), SOURCE, 0.0, out) is Reception.NEW
            out.events.clear()
        del crowd
        size = bytes_now() - before
        for position in range(1, messages + 1):
            causal.log.at(position).derived.resolve()
        size_read = bytes_now() - before
    finally:
        tracemalloc.stop()
    wrong = compared = 0
    again = Crowd(lag, 0)
    for position, author in enumerate(order, 1):
        past = {**again.known} if position % every == 0 else None
        sequence = again.say(author).sequence
        if past is not None:
            compared += 1
            wrong += dict(causal.log.message(position).clock) != {**past, author: sequence}
    causal.check()
    return Retained(messages, origins, size, size_read, compared, wrong)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the node was made of at one moment."""

    incarnations: int
    size: int
    """Bytes of Python objects since it began."""
    entries: int
    """Elements in all its containers."""
    origins: int
    """Origins known."""
    floors: int
    """Those of the prefix that is not retained."""


def day(
    incarnations: int, config: Config, *, sayings: int = 2, members: int = 6, samples: int = 12
) -> Iterator[Sample]:
    """Hear one new incarnation after the other, each of which says something a few times and then no more.

    Every clock is read, as a screen does.
    """
    dice, crowd = random.Random(1), Crowd(4, 64)
    present: deque[NodeId] = deque()
    tracemalloc.start()
    try:
        before = bytes_now()
        causal, out = CausalOrder(config), Outbox()
        causal.own_key = node_id(0).key
        for number in range(1, incarnations + 1):
            present.append(node_id(number))
            if len(present) > members:
                crowd.forget(present.popleft())
            for _ in range(sayings):
                author = present[int(dice.random() * len(present))]
                assert causal.receive(crowd.say(author), SOURCE, 0.0, out) is Reception.NEW
                out.events.clear()
                causal.log.message(causal.log.next - 1).clock  # noqa: B018 - reading it is what costs
            if number * samples // incarnations > (number - 1) * samples // incarnations:
                entries = sum(census(causal).values())
                size = bytes_now() - before
                yield Sample(number, size, entries, len(causal.origins), len(causal.log.evicted))
    finally:
        tracemalloc.stop()
    causal.check()


def show_retained(chosen: argparse.Namespace) -> bool:
    """Measure and print the cost of a full log; whether it is what it shall be."""
    found = retained(chosen.messages, chosen.origins, chosen.lag, every=chosen.every)
    say(
        f"{found.messages:,} messages of {found.origins:,} origins: {found.size / MEBI:.0f} MiB, "
        f"{found.size_read / MEBI:.0f} MiB with every clock read; "
        f"{found.wrong} of {found.compared:,} clocks compared are wrong"
    )
    return not found.wrong and found.size_read < 200 * MEBI


def show_day(chosen: argparse.Namespace) -> bool:
    """Measure and print a day; whether memory is flat after its first third."""
    samples = []
    say("| incarnations | MiB | entries in tables | origins | floors of the prefix |")
    say("| -----------: | --: | ----------------: | ------: | -------------------: |")
    for sample in day(
        chosen.incarnations, Config(clock_limit=chosen.clock_limit, history_limit=chosen.history)
    ):
        samples.append(sample)
        say(
            f"| {sample.incarnations:,} | {sample.size / MEBI:.1f} | {sample.entries:,} "
            f"| {sample.origins:,} | {sample.floors:,} |",
        )
    last = samples[len(samples) * 2 // 3 :]
    earlier = samples[len(samples) // 3 : len(samples) * 2 // 3]
    return max(s.size for s in last) <= 1.05 * max(s.size for s in earlier)


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if something is not as it shall be."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.memory", description=__doc__)
    parser.add_argument("what", choices=("retained", "day"))
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--origins", type=int, default=1_000)
    parser.add_argument("--lag", type=int, default=2, help="messages under way, so concurrent (default: 2)")
    parser.add_argument("--every", type=int, default=1, help="compare one clock in so many (default: all)")
    parser.add_argument("--incarnations", type=int, default=43_200, help="in the day (default: one in 2 s)")
    parser.add_argument("--history", type=int, default=10_000, help="messages retained in the day")
    parser.add_argument("--clock-limit", type=int, default=CLOCK_LIMIT)
    chosen = parser.parse_args(words)
    return 0 if (show_retained if chosen.what == "retained" else show_day)(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
