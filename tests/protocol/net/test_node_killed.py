"""Real processes with a state file, killed in the middle of their work, again and again."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path

import pytest

from protocol import Config, Message, Node, NodeId
from protocol.state import StateFile

KILLS = 20
CONFIG = Config(cycle_period=0.05, history_limit=500, backlog_limit=1_000_000)

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


async def chatter(path: Path, pipe: int) -> None:
    """A node with a state file and one without, which both talk as fast as they can until they are killed."""
    node, other = Node(name="own", state=path, config=CONFIG), Node(name="other", config=CONFIG)
    await node.start()
    await other.start()
    other.join(node.bound_address)
    os.write(pipe, f"{node.id}\n".encode())
    number = 0
    while True:
        number += 1
        message = node.send_gossip(f"{os.getpid()} {number}")
        os.write(pipe, f"{message.id.sequence} {message.text}\n".encode())
        other.send_gossip(f"answer {number}")
        await asyncio.sleep(0)


def live_and_die(path: Path, lines: int) -> tuple[str, dict[int, str]]:
    """Start the two, kill them after so many messages; returns the identity and all that was returned."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reader)
            asyncio.run(chatter(path, writer))
        finally:
            os._exit(2)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        read = [pipe.readline() for _ in range(1 + lines)]
        os.kill(child, signal.SIGKILL)
        read += pipe.readlines()
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    whole = [line.decode().rstrip("\n") for line in read if line.endswith(b"\n")]
    return whole[0], {int(line.split(" ", 1)[0]): line.split(" ", 1)[1] for line in whole[1:]}


async def log_of(path: Path) -> list[Message]:
    """What a node that starts with this file gives its readers."""
    node = Node(state=path, config=CONFIG)
    await node.start()
    await node.close()
    return [message async for message in node.messages()]


def test_twenty_kills_lose_nothing_that_was_returned_and_use_no_number_twice(tmp_path: Path) -> None:
    path = tmp_path / "state"
    dice = random.Random(1)
    told: dict[int, str] = {}
    identities = set()
    for _ in range(KILLS):
        identity, sent = live_and_die(path, 1 + int(dice.random() * 60))
        identities.add(identity)
        assert not told.keys() & sent.keys()
        assert not told or min(sent) > max(told)
        told |= sent
        file = StateFile.open(path, "")
        assert file.saved is not None
        assert not file.is_incomplete
        kept = {m.sequence: m.payload.decode() for m in file.saved.messages if m.origin.name == "own"}
        file.close()
        assert max(kept) >= max(sent)
        assert all(kept[number] == text for number, text in sent.items())
    assert len(identities) == 1
    log = asyncio.run(log_of(path))
    own = [message for message in log if message.id.origin.name == "own"]
    assert [message.text for message in own] == [told.get(m.id.sequence, m.text) for m in own]
    assert_no_hole(log)


def assert_no_hole(log: list[Message]) -> None:
    """After the first message of an origin every next one follows, and never before what it refers to."""
    seen: dict[NodeId, int] = {}
    for message in log:
        origin, sequence = message.id
        assert seen.get(origin, sequence - 1) == sequence - 1
        seen[origin] = sequence
        assert all(seen.get(node, entry) >= entry for node, entry in message.clock.items())
