"""Recording by the whole program: killed, without room on the disk, and ended in order."""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gossip_tui.recording.limits import RecordingError
from gossip_tui.recording.reader import load
from tests.gossip_tui.free_ports import free_range
from tests.gossip_tui.test_headless import HANG_GUARD, Programs, end

ROOM = 8_192
"""Bytes that a file may have where the disk is full."""


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def tail(stack: ExitStack, path: Path, *words: str, **settings: Any) -> subprocess.Popen[str]:
    """``tail --json`` that records."""
    programs = Programs(free_range(1), stack)
    program = subprocess.Popen(
        [sys.executable, "-m", "gossip_tui", "tail", "--json", "--record", str(path), *words],
        env=programs._environment,
        encoding="utf-8",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **settings,
    )
    stack.callback(end, program)
    return program


def say(program: subprocess.Popen[str], text: str) -> None:
    """Gossip a line, and wait until it is delivered."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdin.write(text + "\n")
    program.stdin.flush()
    for line in program.stdout:
        if json.loads(line).get("text") == text:
            return
    raise AssertionError("ended too soon")


def texts_in(path: Path) -> list[str]:
    """The messages of a recording; none while there is nothing to show."""
    try:
        return [message.text for message in load(path).tracks[0].messages]
    except RecordingError:
        return []


def until(condition: Callable[[], bool]) -> None:
    """Look again and again; the test's own time-out is the guard."""
    while not condition():
        time.sleep(0.01)


def test_a_program_that_is_killed_leaves_a_recording_of_all_but_the_last_moment(
    stack: ExitStack, tmp_path: Path
) -> None:
    path = tmp_path / "a"
    program = tail(stack, path)
    say(program, "before the end")
    until(lambda: texts_in(path) == ["before the end"])
    program.kill()
    program.wait(HANG_GUARD)
    recording = load(path)
    assert [message.text for message in recording.tracks[0].messages] == ["before the end"]
    assert "killed" in recording.note


def test_a_full_disk_ends_the_recording_and_not_the_node(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "a"

    def make_full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, ROOM))

    program = tail(stack, path, preexec_fn=make_full)
    noise = random.Random(7)
    say(program, "it fits")
    until(lambda: "it fits" in texts_in(path))
    for _ in range(10):
        say(program, noise.randbytes(600).hex())
    assert program.stderr is not None
    assert "recording has ended: File too large; the node goes on" in program.stderr.readline()
    say(program, "and on")
    assert texts_in(path)[0] == "it fits"
    assert path.stat().st_size <= ROOM


def test_a_limit_is_kept_and_said(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "a"
    program = tail(stack, path, "--record-limit", "8k")
    noise = random.Random(7)
    for _ in range(10):
        say(program, noise.randbytes(600).hex())
    assert program.stderr is not None
    assert "recording has ended: it reached its limit of 8,192 bytes" in program.stderr.readline()
    say(program, "and on")
    assert path.stat().st_size <= 8_192
    assert load(path).note == ""


def test_a_program_that_ends_in_order_ends_its_recording(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "a"
    program = tail(stack, path)
    say(program, "the last words")
    program.terminate()
    assert program.wait(HANG_GUARD) == 0
    recording = load(path)
    assert (recording.is_complete, recording.about.source) == (True, "tail")
    track = recording.tracks[0]
    assert track.messages[-1].text == "the last words"
    assert track.picture(len(track.frames) - 1, recording.nodes).left


def test_an_existing_file_ends_it_before_it_begins(stack: ExitStack, tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_text("precious")
    program = tail(stack, path)
    _, said = program.communicate(timeout=HANG_GUARD)
    assert program.returncode == 1
    assert said == f"gossip-tui: {path} exists already and is kept: record to another name\n"
    assert path.read_text() == "precious"


def test_a_limit_that_is_none_is_wrong_usage(stack: ExitStack, tmp_path: Path) -> None:
    program = tail(stack, tmp_path / "a", "--record-limit", "much")
    _, said = program.communicate(timeout=HANG_GUARD)
    assert program.returncode == 2
    assert said == "gossip-tui: --record-limit: a size looks like 4096, 500K, 10M or 1G, not 'much'\n"
    assert not (tmp_path / "a").exists()
