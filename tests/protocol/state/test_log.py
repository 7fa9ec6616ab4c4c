"""SQLite's log beside a state file: damage is refused, what a sudden end leaves is not."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from protocol import StateFileError
from protocol.core.machine import Machine
from protocol.state import StateFile
from protocol.state.log import check_log, frames_of, header_of, prefix_of

from .test_file import machine_of, save, say, texts

PAGE = 4096
FRAME = 24 + PAGE
MESSAGES = 12


def log_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def tell(machine: Machine, file: StateFile, numbers: range) -> None:
    """Say so many large messages, each saved at once."""
    for number in numbers:
        say(machine, f"{number}" + "." * 5000)
        save(machine, file)


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    """A state file whose process ended without a word: all that was said is in the log alone."""
    live = tmp_path / "live" / "state"
    live.parent.mkdir()
    file = StateFile.open(live, "")
    machine = machine_of()
    tell(machine, file, range(MESSAGES))
    path = tmp_path / "state"
    shutil.copy(live, path)
    shutil.copy(log_of(live), log_of(path))
    file.close()
    return path


def change(path: Path, content: bytes) -> None:
    log_of(path).write_bytes(content)


def said(path: Path) -> list[str] | None:
    """What is read, after another start as well; None if it is refused, and then nothing has changed."""
    before = path.read_bytes(), log_of(path).read_bytes()
    try:
        file = StateFile.open(path, "")
    except StateFileError as error:
        refused = error.reason
    else:
        found = [text.rstrip(".") for text in texts(file)] if file.saved is not None else []
        file.close()
        return found
    assert refused.startswith("has a damaged log: ")
    assert (path.read_bytes(), log_of(path).read_bytes()) == before
    return None


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def commits(content: bytes) -> list[int]:
    """Where transactions end."""
    return [frame.offset + FRAME for frame in frames_of(content, PAGE) if frame.size]


def test_what_was_written_before_a_sudden_end_is_read(ended: Path) -> None:
    assert said(ended) == numbers(MESSAGES)


def test_a_flipped_bit_is_refused_or_costs_no_more_than_the_last_transaction(ended: Path) -> None:
    state, content = ended.read_bytes(), log_of(ended).read_bytes()
    dice = random.Random(9)
    last = commits(content)[-2]
    offsets = [*range(32), *range(32, 60), *(int(dice.random() * len(content)) for _ in range(60))]
    for offset in offsets:
        damaged = bytearray(content)
        damaged[offset] ^= 1 << int(dice.random() * 8)
        ended.write_bytes(state)
        change(ended, bytes(damaged))
        found = said(ended)
        assert found is None or (offset >= last and found == numbers(MESSAGES - 1)), offset


def test_the_refusal_says_how_much_can_be_read_and_what_to_do(ended: Path) -> None:
    content = bytearray(log_of(ended).read_bytes())
    readable = commits(bytes(content))[3]
    content[readable + 100] ^= 1
    change(ended, bytes(content))
    with pytest.raises(StateFileError) as caught:
        StateFile.open(ended, "")
    assert caught.value.reason == (
        f"has a damaged log: of the {len(content)} bytes of state-wal the first {readable} can be read;"
        " restore both from a copy, or keep a copy and move state-wal away to start from what is in the state"
        " file"
    )
    log_of(ended).unlink()
    StateFile.open(ended, "").close()


def test_a_log_cut_off_anywhere_is_read_to_its_last_whole_transaction(ended: Path) -> None:
    state, content = ended.read_bytes(), log_of(ended).read_bytes()
    dice = random.Random(4)
    ends = commits(content)
    for size in [0, 1, 31, 32, 33, *(int(dice.random() * len(content)) for _ in range(30))]:
        ended.write_bytes(state)
        change(ended, content[:size])
        whole = sum(end <= size for end in ends)
        assert said(ended) == numbers(whole), size


def test_blocks_that_never_came_to_the_disk_are_no_damage(ended: Path) -> None:
    state, content = ended.read_bytes(), log_of(ended).read_bytes()
    for block in range(1, len(content) // PAGE):
        hole = bytearray(content)
        hole[block * PAGE : (block + 1) * PAGE] = bytes(PAGE)
        ended.write_bytes(state)
        change(ended, bytes(hole))
        found = said(ended)
        assert found is not None
        assert found == numbers(len(found))


def test_a_transaction_without_its_end_is_no_damage_and_nothing_of_it_is_left(ended: Path) -> None:
    content = log_of(ended).read_bytes()
    ends = commits(content)
    cut = content[: ends[-1] - FRAME]
    assert len(cut) > ends[-2], "the last transaction has several pages"
    change(ended, cut)
    file = StateFile.open(ended, "")
    assert log_of(ended).stat().st_size == 0
    assert len(texts(file)) == MESSAGES - 1
    file.close()


def test_pages_of_a_transaction_that_was_given_up_are_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "state"
    StateFile.open(path, "").close()
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA cache_size = 2")
    connection.execute("INSERT INTO parts VALUES ('first', x'00', 0)")
    connection.execute("BEGIN")
    for number in range(60):
        connection.execute("INSERT INTO clocks VALUES (?, ?, 0)", (number, b"x" * 3000))
    connection.execute("ROLLBACK")
    connection.execute("INSERT OR REPLACE INTO parts VALUES ('some', x'00', 0)")
    content = log_of(path).read_bytes()
    header = header_of(content)
    assert header is not None
    frames = frames_of(content, PAGE)
    valid, _ = prefix_of(content, header, frames)
    assert valid + 3 < len(frames)
    assert frames[valid + 2].salts == header.salts, "what was given up is of the same generation"
    assert check_log(path, log_of(path))
    connection.close()


@pytest.fixture
def emptied(tmp_path: Path) -> tuple[bytes, bytes, bytes, bytes]:
    """A file and its log just before the log began anew, and just after: old frames are behind the new."""
    path = tmp_path / "other" / "state"
    path.parent.mkdir()
    file = StateFile.open(path, "")
    machine = machine_of()
    tell(machine, file, range(MESSAGES))
    file._background.checkpoint()
    before = path.read_bytes(), log_of(path).read_bytes()
    tell(machine, file, range(MESSAGES, 2 * MESSAGES - 1))
    after = path.read_bytes(), log_of(path).read_bytes()
    file.close()
    return *before, *after


def test_a_log_begun_anew_over_older_frames_is_no_damage(
    emptied: tuple[bytes, bytes, bytes, bytes], tmp_path: Path
) -> None:
    _, old, state, log = emptied
    assert log[:32] != old[:32]
    assert len(log) == len(old)
    path = tmp_path / "state"
    path.write_bytes(state)
    change(path, log)
    assert said(path) == numbers(2 * MESSAGES - 1)


@pytest.mark.parametrize("written", range(1, 32))
def test_half_a_new_header_over_what_is_in_the_file_is_no_damage(
    emptied: tuple[bytes, bytes, bytes, bytes], tmp_path: Path, written: int
) -> None:
    state, old, _, log = emptied
    path = tmp_path / "state"
    path.write_bytes(state)
    change(path, log[:written] + old[written:])
    assert said(path) == numbers(MESSAGES)


def test_a_new_log_whose_writes_came_to_the_disk_in_another_order_is_no_damage(
    emptied: tuple[bytes, bytes, bytes, bytes], tmp_path: Path
) -> None:
    _, old, state, log = emptied
    path = tmp_path / "state"
    header = header_of(log)
    assert header is not None
    valid, readable = prefix_of(log, header, frames_of(log, PAGE))
    assert valid > 1
    for block in range(1, readable // PAGE):
        mixed = log[: block * PAGE] + old[block * PAGE : (block + 1) * PAGE] + log[(block + 1) * PAGE :]
        path.write_bytes(state)
        change(path, mixed)
        found = said(path)
        assert found is not None
        assert MESSAGES <= len(found) < 2 * MESSAGES - 1
        assert found == numbers(len(found))


def test_a_log_that_is_not_there_is_no_damage(ended: Path) -> None:
    log_of(ended).unlink()
    assert not check_log(ended, log_of(ended))
