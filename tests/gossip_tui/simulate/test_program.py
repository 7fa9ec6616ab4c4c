"""``simulate`` as a program: the same bytes each time, pipes, and a real terminal."""

from __future__ import annotations

import doctest
import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gossip_tui.simulate
from gossip_tui.ports import PortRange
from tests.terminal.harness import Farm

SMALL = ("simulate", "--nodes", "30", "--view-size", "8", "--crash", "0.5@4", "--until", "8")
HANG_GUARD = 60.0
NO_PORTS = PortRange(1, 1)
"""Nothing here binds any."""


def run(*words: str, **settings: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program to its end with pipes."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("GOSSIP_TUI_", "COLUMNS"))
    }
    return subprocess.run(
        [sys.executable, "-m", "gossip_tui", *words],
        check=False,
        capture_output=True,
        timeout=HANG_GUARD,
        env={**kept, "PYTHONUTF8": "1", **settings},
    )


@pytest.mark.parametrize("words", [("--json",), ("--csv", "-"), ()])
def test_the_same_seed_gives_the_same_bytes_whatever_the_hashes(words: tuple[str, ...]) -> None:
    first, second = (
        run(*SMALL, "--compare", "blind,swapper", *words, PYTHONHASHSEED=seed) for seed in ("0", "1")
    )
    assert first.returncode == 0
    assert first.stderr == b""
    assert first.stdout == second.stdout
    assert b"\x1b" not in first.stdout


def test_another_seed_gives_other_figures() -> None:
    one, other = (
        json.loads(run(*SMALL, "--seed", seed, "--json").stdout)["cycles"][-1] for seed in ("1", "2")
    )
    assert one["live_nodes"] == other["live_nodes"] == 15
    assert one["clustering"] != other["clustering"]


@pytest.mark.parametrize("words", [("--json",), ("--csv", "-")])
def test_programs_do_not_wait_for_a_library_that_draws(words: tuple[str, ...]) -> None:
    program = (
        "import sys; from gossip_tui.cli import main; code = main(sys.argv[1:]); "
        "sys.exit(code or 100 * bool({'textual', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *SMALL, *words],
        check=False,
        stdout=subprocess.DEVNULL,
        timeout=HANG_GUARD,
    )
    assert done.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_output_that_can_not_be_written_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gossip_tui", *SMALL, "--json"],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=HANG_GUARD,
        )
    assert (done.returncode, done.stderr) == (1, b"gossip-tui: No space left on device\n")


@pytest.mark.parametrize("words", [("--json",), ("--csv", "-"), ()])
def test_nobody_reading_is_no_error(words: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "gossip_tui", *SMALL, *words],
        check=False,
        stdout=writer,
        stderr=subprocess.PIPE,
        timeout=HANG_GUARD,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


MODULES = [module.name for module in pkgutil.iter_modules(gossip_tui.simulate.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"gossip_tui.simulate.{name}")).failed == 0


# on a real terminal


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm(NO_PORTS) as farm:
        yield farm


def test_on_a_terminal_there_are_colours_and_no_trace_of_the_progress_line(farm: Farm) -> None:
    terminal = farm.open(*SMALL, "--compare", "blind,swapper", size=(100, 60))
    assert terminal.wait_for_end() == 0
    assert b"\x1b[36m" in terminal.raw
    assert re.search(rb"\r1 blind  \xe2", terminal.raw)
    assert "left" not in terminal.text.replace("left since crash", "")
    assert "Dead links: the share" in terminal.text
    assert terminal.is_restored()
    assert set(re.findall(rb"\x1b[^m]*m", terminal.raw)) <= {
        b"\x1b[0m", b"\x1b[1m", b"\x1b[2m", b"\x1b[31m", b"\x1b[33m", b"\x1b[36m"
    }  # fmt: skip


def test_json_on_a_terminal_is_not_mixed_with_the_progress_line(farm: Farm) -> None:
    terminal = farm.open(*SMALL, "--compare", "blind,swapper", "--json", size=(80, 24))
    assert terminal.wait_for_end() == 0
    lines = [line.rpartition(b"\r")[2] for line in terminal.raw.split(b"\r\n") if b"{" in line]
    assert [json.loads(line)["nodes"] for line in lines] == [30, 30]


def test_rows_on_a_terminal_are_alone_there(farm: Farm) -> None:
    terminal = farm.open(*SMALL, "--csv", "-", size=(80, 24))
    assert terminal.wait_for_end() == 0
    assert b"cycle 1 of" not in terminal.raw


def test_no_color_on_a_terminal_means_none(farm: Farm) -> None:
    terminal = farm.open(*SMALL, size=(80, 60), NO_COLOR="1")
    assert terminal.wait_for_end() == 0
    assert not re.search(rb"\x1b\[[349]\d", terminal.raw)
    assert "Clustering" in terminal.text


def test_ctrl_c_at_a_terminal_shows_what_there_is(farm: Farm) -> None:
    terminal = farm.open("simulate", "--nodes", "50", "--until", "100000", size=(100, 60))
    terminal.wait_for(lambda text: re.search(r"cycle \d+ of 100000", text), "is under way")
    terminal.type(b"\x03")
    assert terminal.wait_for_end() == 0
    assert re.search(r"^Interrupted: default after cycle \d+ of 100000\.$", terminal.text, re.MULTILINE)
    assert "In-degree at the end" in terminal.text
    assert terminal.is_restored()


def test_a_window_that_is_closed_ends_it(farm: Farm) -> None:
    terminal = farm.open("simulate", "--nodes", "50", "--until", "100000", size=(100, 60))
    terminal.wait_for(lambda text: re.search(r"cycle \d+ of 100000", text), "is under way")
    terminal.hang_up()
    assert terminal.process.wait(HANG_GUARD) != 0
