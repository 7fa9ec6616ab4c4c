"""State files: what is written is read again; what can't be used is refused in a line and left as it was."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from protocol import Config, NodeId, StateFileError
from protocol.core.causal import CausalOrder
from protocol.core.identity import Address
from protocol.core.ledger import Ledger
from protocol.core.machine import Machine
from protocol.core.messages import COUNT_LIMIT, KeyDot, Rumor
from protocol.core.outbox import Outbox
from protocol.core.saved import Standing
from protocol.state import StateFile, last_bound
from protocol.state.rows import sealed
from protocol.wire import WireCodec

HERE = Address("127.0.0.1", 7117)


def machine_of(file: StateFile | None = None, *, config: Config | None = None) -> Machine:
    node = NodeId("p1", 5 << 16)
    if file is not None and file.saved is not None:
        node = file.saved.standing.id
    machine = Machine(node, HERE, config or Config(), WireCodec(), random.Random(1))
    if file is not None and file.saved is not None:
        machine.restore(file.saved, 0.0)
    return machine


def save(machine: Machine, file: StateFile, *, has_left: bool = False) -> None:
    news = machine.ledger.news()
    file.write(machine.standing(), news, has_left=has_left, bound=HERE)
    machine.ledger.confirm(news)


def say(machine: Machine, *texts: str) -> None:
    for text in texts:
        machine.send_gossip(text.encode(), 1.0, 1_700_000_000.25)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state file #1?"


@pytest.fixture
def used(path: Path) -> bytes:
    """A state file with three messages at ``path``, and its bytes."""
    file = StateFile.open(path, "")
    machine = machine_of()
    machine.join([Address("127.0.0.1", 7118)], 0.0)
    say(machine, "one", "two", "three")
    save(machine, file)
    file.close()
    return path.read_bytes()


def texts(file: StateFile) -> list[str]:
    assert file.saved is not None
    return [message.payload.decode() for message in file.saved.messages]


def names(path: Path) -> list[str]:
    return sorted(one.name.removeprefix(path.name) for one in path.parent.iterdir())


def test_what_was_written_is_read_again(path: Path, used: bytes) -> None:
    assert used
    file = StateFile.open(path, "")
    assert texts(file) == ["one", "two", "three"]
    assert (file.bound, file.has_left, file.is_incomplete) == (HERE, False, False)
    assert file.saved is not None
    standing = file.saved.standing
    assert (standing.id, standing.is_newcomer, standing.covered) == (NodeId("p1", 5 << 16), True, 0)
    assert [(peer.id, peer.address) for peer in standing.peers] == [(None, Address("127.0.0.1", 7118))]
    file.close()


def test_nothing_but_the_file_is_left_behind_and_only_its_owner_may_read_it(path: Path, used: bytes) -> None:
    assert used
    assert names(path) == [""]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_log_beside_the_file_is_for_the_owner_only_too(path: Path) -> None:
    file = StateFile.open(path, "")
    save(machine_of(), file)
    assert {stat.S_IMODE(one.stat().st_mode) for one in path.parent.iterdir()} == {0o600}
    file.close()


def test_a_new_or_empty_file_holds_nobody(path: Path) -> None:
    path.touch()
    for _ in range(2):
        file = StateFile.open(path, "")
        assert file.saved is None
        file.close()


def test_a_link_to_the_file_stays_a_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path)
    file = StateFile.open(link, "")
    save(machine_of(), file)
    file.close()
    assert link.is_symlink()
    assert path.is_file()


def test_saying_goodbye_is_remembered(path: Path) -> None:
    file = StateFile.open(path, "")
    save(machine_of(), file, has_left=True)
    file.close()
    file = StateFile.open(path, "")
    assert file.has_left
    file.close()


def test_a_process_that_ends_without_a_word_loses_nothing_of_what_was_written(path: Path) -> None:
    program = (
        "import sys, os; sys.path[:0] = [sys.argv[2]]\n"
        "from tests.protocol.state.test_file import *\n"
        "file = StateFile.open(sys.argv[1], '')\n"
        "machine = machine_of(file)\n"
        "say(machine, 'one', 'two')\n"
        "save(machine, file)\n"
        "os._exit(9)\n"
    )
    root = str(Path(__file__).parents[3])
    for count in (2, 4):
        ended = subprocess.run([sys.executable, "-c", program, str(path), root], check=False, cwd=root)
        assert ended.returncode == 9
        file = StateFile.open(path, "")
        assert len(texts(file)) == count
        file.close()


def test_a_large_payload_comes_back(path: Path) -> None:
    payload = random.Random(1).randbytes(1 << 20)
    file = StateFile.open(path, "")
    machine = machine_of()
    machine._causal.send(machine.id, payload, 1.0, 1.0, machine._out)
    save(machine, file)
    file.close()
    file = StateFile.open(path, "")
    assert file.saved is not None
    assert file.saved.messages[0].payload == payload
    file.close()


def test_the_file_stays_bounded_while_messages_come_and_go(path: Path) -> None:
    file = StateFile.open(path, "")
    machine = machine_of(config=Config(history_limit=100))
    sizes = []
    for number in range(24):
        for _ in range(50):
            say(machine, "x" * 500)
        machine._spreading.on_acknowledge((machine.id.key, 50 * (number + 1)), b"somebody", 1.0)
        save(machine, file)
        file._background.checkpoint()
        sizes.append(path.stat().st_size)
    file.close()
    assert max(sizes[12:]) <= max(sizes[:12])
    file = StateFile.open(path, "")
    restored = machine_of(file, config=Config(history_limit=100))
    assert restored.send_gossip(b"next", 1.0, 1.0).id.sequence == 1_201
    file.close()


def refusal(path: Path, cluster: str = "") -> str:
    """Why the file is not opened; nothing of it has changed, and nothing else has come."""
    before = {one.name: one.read_bytes() for one in path.parent.iterdir() if one.is_file()}
    with pytest.raises(StateFileError) as caught:
        StateFile.open(path, cluster)
    after = {one.name: one.read_bytes() for one in path.parent.iterdir() if one.is_file()}
    assert after == before
    text = str(caught.value)
    assert text.startswith(f"state file {path} ")
    assert "\n" not in text
    return text.removeprefix(f"state file {path} ")


def test_a_file_in_use_is_refused(path: Path) -> None:
    file = StateFile.open(path, "")
    assert refusal(path) == f"is in use by another node (process {os.getpid()})"
    file.close()
    StateFile.open(path, "").close()


def test_a_file_of_another_program_is_refused(path: Path) -> None:
    path.write_text("dear diary\n")
    assert refusal(path) == "is not a state file of this program"


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (x)")
    connection.close()
    assert refusal(path) == "is not a state file of this program"


def test_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    assert refusal(tmp_path / "directory") == "is no file"


def test_a_place_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateFileError, match="its directory is not there"):
        StateFile.open(tmp_path / "nowhere" / "file", "")


def test_a_file_of_a_newer_version_is_refused(path: Path, used: bytes) -> None:
    path.write_bytes(used[:60] + (7).to_bytes(4) + used[64:])
    assert refusal(path) == "was written by a newer version of this program: format 7, known is 2"


def test_a_file_of_another_cluster_is_refused(path: Path, used: bytes) -> None:
    assert used
    assert refusal(path, "other") == "belongs to the cluster '', not to 'other'"


def test_a_read_only_file_is_refused(path: Path, used: bytes) -> None:
    assert used
    path.chmod(0o400)
    assert refusal(path) == "can't be written: it is read-only"


@pytest.mark.parametrize("seed", range(24))
def test_a_damaged_file_is_refused_or_nothing_of_what_it_says_is_damaged(
    path: Path, used: bytes, seed: int
) -> None:
    whole = StateFile.open(path, "")
    whole.close()
    dice = random.Random(seed)
    data = bytearray(used)
    for _ in range(dice.choice((1, 8, 200))):
        data[dice.randrange(100, len(data))] = dice.randrange(256)
    if not seed % 3:
        data = data[: dice.randrange(100, len(data))]
    path.write_bytes(data)
    try:
        file = StateFile.open(path, "")
    except StateFileError as error:
        assert "damaged" in str(error)  # noqa: PT017 - either outcome is right
        assert path.read_bytes() == data
    else:
        file.close()
        assert (file.saved, file.bound, file.has_left) == (whole.saved, whole.bound, whole.has_left)


@pytest.mark.parametrize("text", [b"two", b"p1@", b"cluster", b"127.0.0.1", bytes([4, 1, 6, 64])])
def test_a_byte_that_changed_in_place_is_noticed_whatever_it_would_have_said(
    path: Path, used: bytes, text: bytes
) -> None:
    places = [at for at in range(len(used)) if used.startswith(text, at)] or [used.index(b"three") - 12]
    for at in places:
        path.write_bytes(used[:at] + bytes([used[at] ^ 1]) + used[at + 1 :])
        assert "damaged" in refusal(path)


@pytest.mark.parametrize("text", [b"p1@", b"p1~", b"CREATE TABLE", b"TABLE messages", b"TEXT", b"127.0.0.1"])
@pytest.mark.parametrize("byte", [b"\xff", b"~", b"\0"])
def test_what_is_said_of_damage_quotes_neither_the_file_nor_sql(
    path: Path, used: bytes, text: bytes, byte: bytes
) -> None:
    for at in [at for at in range(len(used)) if used.startswith(text, at)]:
        path.write_bytes(used[: at + 1] + byte + used[at + 2 :])
        for reason in filter(None, (reason_to_refuse(path, whole=True), reason_to_refuse(path, whole=False))):
            assert reason.startswith("is damaged: ")
            assert reason.isascii()
            assert reason.isprintable()
            assert not re.search("syntax|near|column|decode|codec|schema|byte 0x", reason)


def reason_to_refuse(path: Path, *, whole: bool) -> str:
    """Why a file, or what is read of it to find a port, is refused; empty if it is not."""
    try:
        if whole:
            StateFile.open(path, "").close()
        else:
            last_bound(path)
    except StateFileError as error:
        return error.reason
    return ""


def edit(path: Path, *statements: str, sealing: bool = True) -> None:
    """Change a file as a program would that knows its format: with the right checksums."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = DELETE")
    for statement in statements:
        connection.execute(statement)
    if sealing:
        for table, key in (("parts", "name"), ("messages", "position"), ("clocks", "position")):
            with contextlib.suppress(sqlite3.OperationalError):  # no such table
                for row in connection.execute(f"SELECT * FROM {table}").fetchall():
                    statement = f"UPDATE {table} SET checksum = ? WHERE {key} = ?"
                    connection.execute(statement, (sealed(row[:-1])[-1], row[0]))
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def make_old(path: Path, *statements: str) -> None:
    """Turn a file into one of the first format, which had no checksums."""
    drops = [f"ALTER TABLE {table} DROP COLUMN checksum" for table in ("parts", "messages", "clocks")]
    edit(path, *statements, *drops, "PRAGMA user_version = 1", sealing=False)


def test_a_file_of_the_first_format_opens_and_is_brought_up_to_date(path: Path, used: bytes) -> None:
    before = StateFile.open(path, "")
    before.close()
    make_old(path)
    assert b"checksum" not in path.read_bytes()
    assert last_bound(path) == HERE
    for _ in range(2):
        file = StateFile.open(path, "")
        assert (file.saved, file.bound, file.has_left) == (before.saved, HERE, False)
        file.close()
        assert path.read_bytes()[60:64] == (2).to_bytes(4)
    file = StateFile.open(path, "")
    machine = machine_of(file)
    say(machine, "four")
    save(machine, file)
    file.close()
    assert used
    file = StateFile.open(path, "")
    assert texts(file) == ["one", "two", "three", "four"]
    file.close()


@pytest.mark.parametrize("seed", range(4))
def test_after_a_gap_and_much_forgetting_a_node_saves_what_it_finds_again(path: Path, seed: int) -> None:
    dice, config, out = random.Random(seed), Config(clock_limit=4, history_limit=1 + seed), Outbox()
    causal = CausalOrder(config)
    ledger = Ledger(causal)
    ours = [NodeId(f"ours{number}", 1) for number in range(12)]
    for number, node in enumerate(ours):  # all concurrent, so that each is maximal
        causal.receive(Rumor(node, 1, number + 1, 1.0, (), b"", 0), HERE, 0.0, out)
    assert causal.pins
    above = NodeId("above", 1)
    covered = [(node, 1, number + 1) for number, node in enumerate(ours) if dice.random() < 0.7]
    causal.adopt_baseline([*covered, (above, 1, 20)], [(above.key, 1)], 20, 0.0, out, is_gap=True)
    causal.check()
    past: tuple[KeyDot, ...] = ()
    for number in range(200):
        node = NodeId(f"other{number}", 1)
        causal.receive(Rumor(node, 1, number + 21, 1.0, past, b"", 0), HERE, 0.0, out)
        past = ((node.key, 1),)
        if number % 40 == 39:
            file = StateFile.open(path, "")
            news = ledger.news()
            file.write(Standing(NodeId("me", 1), is_newcomer=False, covered=0, peers=()), news)
            ledger.confirm(news)
            file.close()
            file = StateFile.open(path, "")
            file.close()
            assert file.saved is not None
            assert file.saved.prefix is not None
            again = CausalOrder(config)
            again.restore(file.saved.prefix, file.saved.messages, file.saved.clocks)
            again.check()
            assert again.frontier.dots == causal.frontier.dots
            assert again.delivered_count == causal.delivered_count
    assert causal.memory.forgotten_count > 100


def test_a_file_of_the_first_format_that_makes_no_sense_stays_as_it_was(path: Path, used: bytes) -> None:
    assert used
    make_old(path, "DELETE FROM messages WHERE position = 2")
    assert refusal(path) == "is damaged: messages are missing in between"


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO clocks VALUES (1, 'text')",
        "INSERT INTO clocks VALUES (1, 7)",
        "INSERT INTO messages VALUES (1, 'a', 1, 1, 1, 1, 1, 1, x'', 'text')",
        "INSERT INTO parts VALUES ('prefix', x'')",
    ],
)
def test_a_file_of_nobody_that_holds_anything_is_refused_and_stays_as_it_was(
    path: Path, statement: str
) -> None:
    StateFile.open(path, "").close()
    make_old(path)
    edit(path, statement, sealing=False)
    assert refusal(path) == "is damaged: messages are there, and nothing says whose they are"


@pytest.mark.parametrize("value", ["'text'", "7", "1000000000000"])
def test_a_part_of_the_first_format_that_is_no_bytes_is_damage(path: Path, value: str) -> None:
    StateFile.open(path, "").close()
    make_old(path)
    edit(path, f"INSERT INTO parts VALUES ('peers', {value})", sealing=False)
    assert refusal(path) == "is damaged: the part 'peers' is not what was written"
    with pytest.raises(StateFileError, match="is not what was written"):
        last_bound(path)


def test_a_node_that_is_killed_just_after_the_upgrade_finds_a_file_of_the_new_format(
    path: Path, used: bytes
) -> None:
    assert used
    make_old(path)
    file = StateFile.open(path, "")
    copy = path.with_name("copy")  # as the disk has it now
    shutil.copy(path, copy)
    shutil.copy(path.with_name(path.name + "-wal"), copy.with_name("copy-wal"))
    file.close()
    again = StateFile.open(copy, "")
    assert texts(again) == ["one", "two", "three"]
    again.close()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM messages WHERE position = 2",
        "UPDATE messages SET origin = 'nobody' WHERE position = 1",
        "UPDATE messages SET sequence = 'x' WHERE position = 1",
        "UPDATE messages SET sequence = 1 WHERE position = 2",
        "UPDATE messages SET parents = x'ff' WHERE position = 1",
        "UPDATE parts SET value = x'93' WHERE name = 'identity'",
        "UPDATE parts SET value = x'c0' WHERE name = 'peers'",
        "UPDATE messages SET sequence = 1 << 62 WHERE position = 3",
        "UPDATE messages SET sequence = 0 WHERE position = 1",
        "UPDATE messages SET depth = 1 << 62 WHERE position = 2",
        "UPDATE messages SET created_at = 9e999 WHERE position = 1",
        "UPDATE messages SET delivered_at = 1e300 WHERE position = 1",
        "UPDATE messages SET delivered_at = -1.0 WHERE position = 1",
        "UPDATE messages SET hops = 1000 WHERE position = 1",
        "UPDATE messages SET payload = zeroblob(1048577) WHERE position = 1",
        "UPDATE messages SET parents = x'9192c401ff01' WHERE position = 1",
        "UPDATE messages SET parents = x'9292c408ffffffffffffffff0192c408ffffffffffffffff02'",
        "DELETE FROM parts WHERE name = 'prefix'",
        "DELETE FROM parts WHERE name = 'cluster'",
        "DROP TABLE clocks",
    ],
)
def test_a_file_whose_content_makes_no_sense_is_damaged(path: Path, used: bytes, statement: str) -> None:
    assert used
    edit(path, statement)
    assert "damaged" in refusal(path)


def test_when_there_is_no_room_nothing_is_half_written_and_the_identity_counts_as_used(path: Path) -> None:
    file = StateFile.open(path, "")
    machine = machine_of()
    say(machine, "one")
    save(machine, file)
    pages = file._connection.execute("PRAGMA page_count").fetchone()[0]
    file._connection.execute(f"PRAGMA max_page_count = {pages}")
    say(machine, "x" * 900, *["y" * 900] * 20)
    with pytest.raises(StateFileError, match="can't be written: database or disk is full"):
        save(machine, file)
    file.close()
    file = StateFile.open(path, "")
    assert texts(file) == ["one"]
    assert file.is_incomplete
    file.close()


def test_when_there_is_room_again_everything_is_written(path: Path) -> None:
    file = StateFile.open(path, "")
    machine = machine_of()
    save(machine, file)
    file._connection.execute("PRAGMA max_page_count = 1")
    say(machine, *["y" * 900] * 20)
    with pytest.raises(StateFileError):
        save(machine, file)
    file._connection.execute("PRAGMA max_page_count = 100000")
    say(machine, "last")
    save(machine, file)
    file.close()
    file = StateFile.open(path, "")
    assert texts(file) == ["y" * 900] * 20 + ["last"]
    assert not file.is_incomplete
    file.close()


def test_an_own_message_far_ahead_of_the_others_keeps_no_node_from_starting(path: Path, used: bytes) -> None:
    assert used
    edit(path, "UPDATE messages SET sequence = 1 << 40 WHERE position = 3")
    file = StateFile.open(path, "")
    machine = machine_of(file)
    assert machine.unacknowledged == 1
    say(machine, "goes on")
    save(machine, file)
    file.close()
    again = StateFile.open(path, "")
    assert again.saved is not None
    again.close()


def test_counts_that_forged_histories_add_up_to_are_saved_as_the_largest_that_a_file_takes(
    path: Path,
) -> None:
    file = StateFile.open(path, "")
    machine = machine_of()
    machine.log.forgotten_count = COUNT_LIMIT + 5
    say(machine, "one")
    save(machine, file)
    file.close()
    again = StateFile.open(path, "")
    assert again.saved is not None
    assert again.saved.prefix is not None
    assert again.saved.prefix.forgotten == COUNT_LIMIT
    again.close()
