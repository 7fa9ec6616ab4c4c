"""``--state``: programs that are killed and started again, and what they say of files they can't use."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from .free_ports import free_range
from .test_headless import HANG_GUARD, Programs, type_line


@pytest.fixture
def programs() -> Iterator[Programs]:
    with ExitStack() as stack:
        yield Programs(free_range(6), stack)


@pytest.fixture
def state(tmp_path: Path) -> str:
    return str(tmp_path / "state")


Reader = Callable[[str], dict[str, Any]]


def tail(programs: Programs, *words: str) -> tuple[subprocess.Popen[str], Reader]:
    program = programs.start("tail", "--json", *words)

    def record(kind: str) -> dict[str, Any]:
        assert program.stdout is not None
        for line in program.stdout:
            found: dict[str, Any] = json.loads(line)
            if found["type"] == kind:
                return found
        raise AssertionError(f"ended before a {kind} record: {program.stderr and program.stderr.read()}")

    return program, record


def test_a_killed_tail_comes_back_as_itself_with_its_log_and_what_it_missed(
    programs: Programs, state: str
) -> None:
    stays, stays_record = tail(programs)
    stays_record("ready")
    program, record = tail(programs, "--state", state)
    ready = record("ready")
    record("view")
    type_line(program, "before")
    assert (record("message")["seq"], stays_record("message")["text"]) == (1, "before")
    program.send_signal(signal.SIGKILL)
    program.wait(HANG_GUARD)
    type_line(stays, "meanwhile")
    stays_record("message")
    again, record = tail(programs, "--state", state)
    assert record("ready")["id"] == ready["id"]
    restored = record("restored")
    assert (restored["messages"], restored["before"]) == (1, None)
    assert [record("message")["text"] for _ in range(2)] == ["before", "meanwhile"]
    type_line(again, "after")
    message = record("message")
    assert (message["seq"], message["clock"]) == (2, {"p2": 2, "p1": 1})


def test_a_tail_that_left_comes_back_as_a_new_incarnation_and_says_so(programs: Programs, state: str) -> None:
    program, record = tail(programs, "--state", state)
    first = record("ready")["id"]
    type_line(program, "before")
    record("message")
    program.send_signal(signal.SIGTERM)
    assert program.wait(HANG_GUARD) == 0
    _, record = tail(programs, "--state", state)
    assert record("ready")["id"] != first
    assert record("restored")["before"] == first
    assert record("message")["text"] == "before"


def test_it_comes_back_at_its_old_port_and_under_its_old_name(programs: Programs, state: str) -> None:
    low, record = tail(programs)
    record("ready")
    program, record = tail(programs, "--state", state)
    ready = record("ready")
    assert ready["name"] == "p2"
    program.send_signal(signal.SIGKILL)
    program.wait(HANG_GUARD)
    low.kill()
    low.wait(HANG_GUARD)
    _, record = tail(programs, "--state", state)
    again = record("ready")
    assert (again["address"], again["name"]) == (ready["address"], ready["name"])


def test_people_are_told_as_well(programs: Programs, state: str) -> None:
    assert programs.run("send", "alone", "--timeout", "0.01", "--state", state).returncode == 1
    program = programs.start("tail", "--state", state)
    assert program.stderr is not None
    program.stderr.readline()
    assert program.stderr.readline().startswith("1 messages restored, a new incarnation after p1~")
    assert program.stdout is not None
    assert " p1" in program.stdout.readline()


def test_what_send_could_not_deliver_waits_in_the_state_for_the_next_start(
    programs: Programs, state: str
) -> None:
    assert programs.run("send", "kept", "--timeout", "0.01", "--state", state).returncode == 1
    _, record = tail(programs)
    record("ready")
    tail(programs, "--state", state)
    assert record("message")["text"] == "kept"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"dear diary", "is not a state file of this program"),
        (b"SQLite format 3\0" + bytes(84), "is not a state file of this program"),
    ],
)
def test_a_file_that_is_none_is_one_line_and_stays_as_it_is(
    programs: Programs, state: str, content: bytes, complaint: str
) -> None:
    Path(state).write_bytes(content)
    ended = programs.run("tail", "--state", state)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"gossip-tui: state file {state} {complaint}\n"
    assert Path(state).read_bytes() == content
    assert [one.name for one in Path(state).parent.iterdir()] == ["state"]


def test_a_file_in_use_is_one_line(programs: Programs, state: str) -> None:
    program, record = tail(programs, "--state", state)
    record("ready")
    ended = programs.run("tail", "--state", state)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"gossip-tui: state file {state} is in use by another node (process {program.pid})\n"
    )


def test_a_full_disk_is_told_and_the_node_goes_on(programs: Programs, state: str) -> None:
    program, record = tail(programs, "--state", state)
    record("ready")
    set_file_size_limit(program.pid, 100_000)
    for _ in range(200):
        type_line(program, "x" * 1_000)
    failed = record("state_failed")
    assert failed["path"] == state
    assert "can't be written" in failed["reason"]
    type_line(program, "still here")
    while record("message")["text"] != "still here":
        pass
    set_file_size_limit(program.pid, -1)
    record("state_recovered")


def set_file_size_limit(pid: int, size: int) -> None:
    """Let a process write no file beyond ``size``; what it tries fails as on a full disk."""
    import resource  # noqa: PLC0415 - where there is none, this test is skipped

    if not hasattr(resource, "prlimit"):
        pytest.skip("needs prlimit")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
