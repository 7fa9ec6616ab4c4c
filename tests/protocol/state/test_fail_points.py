"""A process that dies at any write: nothing that was told is lost, and no number is used twice.

A child works on a state file as a node does, with others' deliveries in between, and ends at its n-th step of
writing without a word. What it had told before is compared with what the file holds.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import NamedTuple

import pytest

from protocol import Config, NodeId
from protocol.core.identity import Address
from protocol.core.machine import Machine
from protocol.core.messages import Rumor
from protocol.state import StateFile
from protocol.wire import WireCodec

FAIL_POINTS = 300
BATCHES = [range(start, start + 50) for start in range(1, FAIL_POINTS + 1, 50)]
HERE = Address("127.0.0.1", 7117)
THERE = Address("127.0.0.1", 7118)
OWN, OTHER = NodeId("own", 1 << 16), NodeId("other", 2 << 16)
CONFIG = Config(history_limit=40, backlog_limit=8)


pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


class Told(NamedTuple):
    """What the child had let out: everything it returned to its caller or put on the wire."""

    sent: list[tuple[int, bytes]]
    """Own messages in order."""
    ended: bool
    """Whether it came to the end of its work."""


class Worker:
    """A node without a network: sends, hears another origin, saves; deterministic by its dice."""

    def __init__(self, path: Path, on_write: object = None) -> None:
        self.file = StateFile.open(path, "", on_write=on_write)  # type: ignore[arg-type]
        self.machine = Machine(OWN, HERE, CONFIG, WireCodec(), random.Random(1))
        if self.file.saved is not None:
            self.machine.restore(self.file.saved, 0.0)

    def save(self, *, bound: bool = False) -> None:
        ledger = self.machine.ledger
        news = ledger.news() if ledger.is_behind else None
        self.file.write(self.machine.standing(), news, bound=HERE if bound else None)
        if news is not None:
            ledger.confirm(news)

    def hear(self, number: int) -> None:
        causal, out = self.machine._causal, self.machine._out
        parents = tuple(sorted(dot for dot in causal.frontier.dots.items() if dot[0] != OTHER.key))
        rumor = Rumor(OTHER, number, causal.depth + 1, 1.0, parents, b"heard %d" % number, 0)
        causal.receive(rumor, THERE, 0.0, out)

    def send(self, payload: bytes) -> int:
        message = self.machine.send_gossip(payload, 0.0, 1.0)
        self.save()
        return message.id.sequence


def work(path: Path, fail_at: int, pipe: int) -> None:
    """What the child does; ends the process."""
    steps = 0

    def on_write() -> None:
        nonlocal steps
        steps += 1
        if steps == fail_at:
            os._exit(1)

    worker = Worker(path, on_write)
    dice = random.Random(5)
    heard = worker.machine._causal.floor(OTHER.key)
    for step in range(70):
        if dice.random() < 0.5:
            heard += 1
            worker.hear(heard)
        if dice.random() < 0.2:
            worker.save(bound=True)
        if dice.random() < 0.6:
            payload = b"%d" % step + b"x" * int(dice.random() * 900)
            number = worker.send(payload)
            os.write(pipe, b"%d %s\n" % (number, payload))
            worker.machine._spreading.on_acknowledge((OWN.key, number), OTHER.key, 0.0)
        if step % 10 == 9:
            worker.file._background.checkpoint()
    os.write(pipe, b"end\n")
    os._exit(0)


def run(path: Path, fail_at: int) -> Told:
    """Let a child work until its n-th step of writing."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reader)
            work(path, fail_at, writer)
        finally:
            os._exit(2)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        lines = pipe.read().splitlines()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in {0, 1}
    sent = [(int(line.split()[0]), line.split()[1]) for line in lines if line != b"end"]
    return Told(sent, lines[-1:] == [b"end"])


def check(path: Path, sent: list[tuple[int, bytes]]) -> None:
    """Compare what is in the file with everything that was ever told, then let the node send once more."""
    worker = Worker(path)
    worker.machine.check()
    log = worker.machine.log
    if sent:
        assert worker.machine._causal.floor(OWN.key) >= sent[-1][0]
    assert len({number for number, _ in sent}) == len(sent)
    own = {
        message.id.sequence: message.payload
        for message in map(log.message, range(log.first, log.next))
        if message.id.origin == OWN
    }
    evicted = log.evicted.get(OWN.key, 0)
    for number, payload in sent:
        assert number <= evicted or own[number] == payload
    assert_down_closed(worker.machine)
    last = worker.machine._causal.floor(OWN.key)
    worker.machine._spreading.on_acknowledge((OWN.key, last), OTHER.key, 0.0)
    number = worker.send(b"more")
    assert number == last + 1
    sent.append((number, b"more"))
    worker.file.close()


def assert_down_closed(machine: Machine) -> None:
    """Every message stands behind everything that its clock names."""
    log = machine.log
    seen = {OWN: log.evicted.get(OWN.key, 0), OTHER: log.evicted.get(OTHER.key, 0)}
    for message in map(log.message, range(log.first, log.next)):
        origin, sequence = message.id
        assert sequence == seen[origin] + 1
        seen[origin] = sequence
        assert all(seen[node] >= entry for node, entry in message.clock.items())


@pytest.mark.parametrize("points", BATCHES, ids=str)
def test_nothing_told_is_lost_and_no_number_comes_twice_wherever_the_process_ends(
    tmp_path: Path, points: range
) -> None:
    for fail_at in points:
        path = tmp_path / f"{fail_at}"
        told = run(path, fail_at)
        assert not told.ended
        sent = list(told.sent)
        check(path, sent)


def test_a_file_survives_many_ends_in_a_row(tmp_path: Path) -> None:
    path = tmp_path / "state"
    dice = random.Random(3)
    sent: list[tuple[int, bytes]] = []
    for _ in range(25):
        sent += run(path, 1 + int(dice.random() * 400)).sent
        check(path, sent)
    assert sent[-1][0] > 200


def test_the_work_comes_to_its_end_where_nothing_fails(tmp_path: Path) -> None:
    told = run(tmp_path / "state", -1)
    assert told.ended
    assert len(told.sent) > 30
    check(tmp_path / "state", list(told.sent))
