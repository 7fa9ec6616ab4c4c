"""Nodes with a state file: killed, closed, left and restarted on real sockets."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from protocol import (
    Address,
    Config,
    IncarnationChanged,
    Message,
    Node,
    NodeId,
    Restored,
    StateFailed,
    StateFileError,
    StateRecovered,
)
from protocol.net import saver
from protocol.state import StateFile

QUICK = Config(cycle_period=0.05, answer_timeout=0.5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state"


@asynccontextmanager
async def alive(path: Path, *contacts: Address, bind: str | Address = "127.0.0.1:0") -> AsyncIterator[Node]:
    """A node with this file that knows these contacts, and stops without a goodbye in the end."""
    node = Node(bind, name="p", state=path, config=QUICK)
    await node.start()
    node.join(*contacts)
    try:
        yield node
    finally:
        await node.close()


async def first(node: Node, count: int) -> list[Message]:
    stream = node.messages()
    return [await anext(stream) for _ in range(count)]


async def until(node: Node, text: str) -> list[Message]:
    """The log up to a message."""
    found = []
    async for message in node.messages():
        found.append(message)
        if message.text == text:
            break
    return found


@pytest.fixture
async def peer() -> AsyncIterator[Node]:
    async with Node(name="peer", config=QUICK) as node:
        yield node


async def test_a_closed_node_goes_on_under_its_identity_with_its_log_and_the_next_number(path: Path) -> None:
    async with asyncio.timeout(30):
        node = Node(name="p", state=path)
        await node.start()
        assert node.restored is None
        before = [node.send_gossip(text) for text in ("a", "b")]
        await node.close()
        again = Node(state=path)
        await again.start()
        assert (again.id, again.restored) == (node.id, Restored(2, None))
        log = await first(again, 2)
        assert [(m.id, m.text, m.clock, m.order) for m in log] == [
            (m.id, m.text, m.clock, m.order) for m in before
        ]
        assert again.send_gossip("c").id.sequence == 3
        await again.close()


async def test_after_a_goodbye_it_is_a_new_incarnation_with_the_old_log(path: Path, peer: Node) -> None:
    async with asyncio.timeout(30):
        node = Node(name="p", state=path, config=QUICK)
        await node.start()
        node.join(peer.address)
        await node.wait_acknowledged(node.send_gossip("before"))
        await node.leave()
        again = Node(node.bound_address, state=path, config=QUICK)
        await again.start()
        assert again.restored == Restored(1, node.id)
        assert (again.id.name, again.id > node.id) == ("p", True)
        assert [message.text for message in await first(again, 1)] == ["before"]
        message = again.send_gossip("after")
        assert message.id.sequence == 1
        await again.wait_acknowledged(message)
        await again.leave()


async def test_it_finds_its_peers_without_being_told_and_has_what_it_missed(path: Path, peer: Node) -> None:
    async with asyncio.timeout(30):
        node = Node(name="p", state=path, config=QUICK)
        await node.start()
        node.join(peer.address)
        await node.wait_acknowledged(node.send_gossip("hello"))
        await node.close()
        for text in ("one", "two", "missed"):
            peer.send_gossip(text)
        again = Node(state=path, config=QUICK)
        await again.start()
        log = await until(again, "missed")
        assert [message.text for message in log] == ["hello", "one", "two", "missed"]
        assert [dict(m.clock) for m in log] == [dict(m.clock) for m in await until(peer, "missed")]
        await again.close()


async def test_what_others_sent_is_saved_as_well(path: Path, peer: Node) -> None:
    async with asyncio.timeout(30):
        node = Node(name="p", state=path, config=QUICK)
        await node.start()
        node.join(peer.address)
        await peer.wait_acknowledged(peer.send_gossip("theirs"))
        await node.close()
        again = Node(state=path, config=QUICK)
        await again.start()
        assert again.restored == Restored(1, None)
        await again.close()


async def test_own_messages_nobody_had_are_pushed_after_the_restart(path: Path, peer: Node) -> None:
    async with asyncio.timeout(30):
        async with alive(path) as node:
            message = node.send_gossip("written on a train")
        async with alive(path) as again:
            assert again.snapshot().unacknowledged == 1
            again.join(peer.address)
            await again.wait_acknowledged(message)
            assert [m.text for m in await first(peer, 1)] == ["written on a train"]


async def copied(path: Path, peer: Node) -> Path:
    """A copy of the file of a node that told a peer one thing and stopped."""
    async with alive(path, peer.address) as node:
        await node.wait_acknowledged(node.send_gossip("before"))
    copy = path.with_name("copy")
    shutil.copy(path, copy)
    return copy


async def test_a_restored_backup_is_noticed_and_takes_a_new_incarnation(path: Path, peer: Node) -> None:
    async with asyncio.timeout(30):
        backup = await copied(path, peer)
        async with alive(path) as node:
            await node.wait_acknowledged(node.send_gossip("after the backup"))
        async with alive(backup, bind=node.bound_address) as restored:
            assert restored.id == node.id
            changed = [event async for event in take(restored.events(), IncarnationChanged)][-1]
            assert changed == IncarnationChanged(node.id, restored.id)
            message = restored.send_gossip("new life")
            assert (message.id.origin, message.id.sequence) == (restored.id, 1)
        async with alive(backup) as again:
            assert again.id == restored.id


async def test_two_copies_of_a_file_at_work_are_noticed_though_both_sent_equally_much(
    path: Path, peer: Node
) -> None:
    async with asyncio.timeout(30):
        other = await copied(path, peer)
        async with alive(path) as node:
            await node.wait_acknowledged(node.send_gossip("by the one"))
        async with alive(other) as copy:
            events = copy.events()
            former = copy.id
            assert copy.send_gossip("by the other").id.sequence == 2
            changed = [event async for event in take(events, IncarnationChanged)][-1]
            assert changed == IncarnationChanged(former, copy.id)
            await copy.wait_acknowledged(copy.send_gossip("as somebody new"))
            assert "by the other" not in [message.text for message in await until(peer, "as somebody new")]


async def test_a_close_that_nobody_waits_for_ends_everything_all_the_same(path: Path) -> None:
    async with asyncio.timeout(30):
        node = Node(name="p", state=path)
        await node.start()
        node.join("nobody.invalid:7117")
        closing = asyncio.create_task(node.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert not [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


async def test_two_nodes_never_share_a_file(path: Path) -> None:
    async with Node(name="p", state=path) as node:
        other = Node(state=path)
        with pytest.raises(StateFileError, match="is in use by another node"):
            await other.start()
        node.send_gossip("still works")
        await other.close()


@pytest.fixture
def not_ours(path: Path) -> Iterator[None]:
    path.write_text("not ours")
    yield
    assert path.read_text() == "not ours"


async def test_a_failed_start_releases_the_socket_and_the_file(path: Path, not_ours: None) -> None:
    node = Node(state=path)
    with pytest.raises(StateFileError):
        await node.start()
    assert not_ours is None
    other = path.with_name("other")
    with pytest.raises(StateFileError):
        await node.start()
    async with Node(name="p", state=other):
        pass


async def test_the_file_of_another_name_is_refused(path: Path) -> None:
    async with Node(name="p", state=path):
        pass
    with pytest.raises(StateFileError, match="is that of the node p, not of q"):
        await Node(name="q", state=path).start()
    async with Node(name="p", state=path):
        pass


async def test_when_the_disk_is_full_it_goes_on_in_memory_and_says_so_until_there_is_room(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(saver, "RETRY_PERIOD", 0.01)
    async with asyncio.timeout(30):
        node = Node(name="p", state=path)
        await node.start()
        events = node.events()
        assert node._saver is not None
        connection = node._saver._file._connection
        connection.execute("PRAGMA max_page_count = 1")
        for _ in range(30):
            node.send_gossip("x" * 900)
        failed = [event async for event in take(events, StateFailed)][-1]
        assert failed == StateFailed(str(path), "can't be written: database or disk is full")
        assert node.snapshot().unsaved == failed.reason
        assert caplog.messages[-1] == (
            f"{node.id}: state file {path} can't be written: database or disk is full: going on in memory"
        )
        connection.execute("PRAGMA max_page_count = 100000")
        assert [event async for event in take(events, StateRecovered)][-1] == StateRecovered(str(path))
        assert node.snapshot().unsaved == ""
        await node.close()
        again = Node(state=path)
        await again.start()
        assert again.restored == Restored(30, None)
        await again.close()


async def test_what_was_only_in_memory_costs_the_identity_but_no_number_is_used_twice(path: Path) -> None:
    node = Node(name="p", state=path)
    await node.start()
    node.send_gossip("saved")
    assert node._saver is not None
    node._saver._file._connection.execute("PRAGMA max_page_count = 1")
    for _ in range(30):
        node.send_gossip("x" * 900)
    await node.close()
    again = Node(state=path)
    await again.start()
    assert again.restored is not None
    assert again.restored.before == node.id
    assert again.id != node.id
    await again.close()
    third = Node(state=path)
    await third.start()
    assert (third.id, third.restored and third.restored.before) == (again.id, None)
    await third.close()


async def test_a_file_that_could_not_be_written_for_whatever_reason_is_given_back_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asyncio.timeout(30):
        node = Node(name="p", state=path)
        await node.start()
        assert node._saver is not None
        ours = node._saver
        monkeypatch.setattr(ours._file, "write", lambda *_args, **_more: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await ours.close(has_left=False)
        monkeypatch.undo()
        StateFile.open(path, "").close()
        await node.close()


async def take(events: AsyncIterator[object], last: type) -> AsyncIterator[object]:
    async for event in events:
        yield event
        if isinstance(event, last):
            return


async def test_a_clock_that_was_set_back_does_not_make_an_older_incarnation(path: Path) -> None:
    future = NodeId("p", (1 << 63) | 5)
    async with Node(name="p", state=path) as node:
        assert node._driver is not None
        node._driver.machine.context.id = future
    again = Node(state=path)
    await again.start()
    assert again.id.incarnation > future.incarnation
    await again.close()


def killed(path: Path, to: Path) -> StateFile:
    """The state file as ``kill -9`` would leave it now, opened under another name."""
    for ending in ("", "-wal"):
        shutil.copy(f"{path}{ending}", f"{to}{ending}")
    return StateFile.open(to, "")


def peers_in(file: StateFile) -> list[Address]:
    assert file.saved is not None
    file.close()
    return [peer.address for peer in file.saved.standing.peers]


@pytest.mark.parametrize("is_started", [False, True])
async def test_whom_a_node_was_told_of_outlives_a_kill_at_the_next_moment(
    path: Path, tmp_path: Path, is_started: bool
) -> None:
    contact = Address("127.0.0.1", 9)
    node = Node(name="p", state=path)
    if not is_started:
        node.join(contact)
    await node.start()
    if is_started:
        node.join(contact)
    assert peers_in(killed(path, tmp_path / "copy")) == [contact]
    await node.close()


async def test_the_first_peers_are_saved_without_waiting_for_the_next_note_of_many(
    path: Path, tmp_path: Path, peer: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saver, "PEERS_PERIOD", 1e9)
    async with asyncio.timeout(30), alive(path) as node:
        peer.join(node.address)
        while peers_in(killed(path, tmp_path / "copy")) != [peer.address]:
            await node.wait_acknowledged(node.send_gossip("still here"))
