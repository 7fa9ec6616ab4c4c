"""A state file, its log and its lock that are taken away, mixed up or looked at at the wrong time."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol import StateFileError
from protocol.state import StateFile, last_bound
from protocol.state.lock import Lock

from .test_file import HERE, machine_of, names, refusal, save, say, texts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def file(path: Path) -> Iterator[StateFile]:
    """A state file in use that has one message."""
    file = StateFile.open(path, "")
    machine = machine_of(file)
    say(machine, "one")
    save(machine, file)
    yield file
    file.close()


def killed(file: StateFile, to: Path) -> Path:
    """What ``kill -9`` of a node would leave of its file, under another name."""
    for ending in ("", "-wal"):
        shutil.copy(f"{file.path}{ending}", f"{to}{ending}")
    return to


@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
def test_a_file_that_was_removed_while_in_use_is_said_and_found_again_when_it_is_back(
    path: Path, file: StateFile, ending: str
) -> None:
    aside = path.with_name("aside")
    Path(f"{path}{ending}").rename(aside)
    machine = machine_of()
    with pytest.raises(StateFileError, match=f"state{ending} was removed or replaced while in use"):
        file.write(machine.standing(), bound=HERE)
    aside.rename(f"{path}{ending}")
    file.write(machine.standing(), bound=HERE)


def test_another_file_in_its_place_is_not_written_to(path: Path, file: StateFile) -> None:
    backup = killed(file, path.with_name("backup"))
    backup.replace(path)
    before = path.read_bytes()
    with pytest.raises(StateFileError, match="was removed or replaced"):
        file.write(machine_of().standing(), bound=HERE)
    file.close()
    assert path.read_bytes() == before


def test_a_lock_that_was_removed_is_taken_anew(path: Path, file: StateFile) -> None:
    path.with_name("state.lock").unlink()
    file.write(machine_of().standing(), bound=HERE)
    assert "in use by another node" in refusal(path)


def test_who_lost_the_lock_to_another_writes_no_more_and_leaves_it_its_lock(
    path: Path, file: StateFile
) -> None:
    path.with_name("state.lock").unlink()
    with contextlib.closing(Lock(path)) as other:
        with pytest.raises(StateFileError, match="in use by another node"):
            file.write(machine_of().standing(), bound=HERE)
        file.close()
        assert other.path.exists()
    assert not other.path.exists()


def test_a_file_with_two_names_is_refused(path: Path, file: StateFile) -> None:
    file.close()
    os.link(path, path.with_name("hard link"))
    assert refusal(path) == "has 2 names (hard links): make it a copy of its own"


def test_a_file_that_was_emptied_is_not_taken_for_a_new_one_while_its_log_is_there(
    path: Path, file: StateFile
) -> None:
    other = killed(file, path.with_name("other"))
    os.truncate(other, 0)
    log = path.with_name("other-wal").read_bytes()
    assert refusal(other).startswith("is empty, but its log other-wal is not: ")
    assert path.with_name("other-wal").read_bytes() == log


def test_a_log_that_is_none_is_damage(path: Path, file: StateFile) -> None:
    other = killed(file, path.with_name("other"))
    path.with_name("other-wal").write_bytes(b"hello\n" * 1_000)
    assert "has a damaged log: of the 6000 bytes of other-wal the first 0 can be read" in refusal(other)


@pytest.mark.usefixtures("file")
def test_where_it_was_bound_is_not_looked_up_in_a_file_in_use(path: Path) -> None:
    before = names(path)
    with pytest.raises(StateFileError, match="in use by another node"):
        last_bound(path)
    assert names(path) == before


def test_a_look_leaves_nothing_beside_the_file(path: Path, file: StateFile) -> None:
    file.close()
    assert last_bound(path) == HERE
    assert names(path) == [""]


def test_what_a_killed_node_left_is_as_it_was_after_a_refusal(path: Path, file: StateFile) -> None:
    other = killed(file, path.with_name("other"))
    file.close()
    before = {one.name: one.read_bytes() for one in path.parent.iterdir()}
    assert last_bound(other) == HERE
    with pytest.raises(StateFileError, match="belongs to the cluster '', not to 'kitchen'"):
        StateFile.open(other, "kitchen")
    assert {one.name: one.read_bytes() for one in path.parent.iterdir()} == before
    again = StateFile.open(other, "")
    assert texts(again) == ["one"]
    again.close()
