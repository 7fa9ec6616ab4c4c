"""The README is true: its example runs, its tables are the code's, its files and options exist."""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
import sys

import pytest

import protocol
from tests.readme import README, with_tables

ROOT = README.parent
TEXT = README.read_text(encoding="utf-8")
PROTOCOL_TEXT = (ROOT / "protocol" / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_tables_are_those_of_the_code() -> None:
    assert with_tables(TEXT) == TEXT, "run python -m tests.readme"


async def test_the_ten_line_example_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks(TEXT, "python")
    assert "127.0.0.1:8001" in example
    scope: dict[str, object] = {"__name__": "example"}
    source = example.replace("127.0.0.1:8001", "127.0.0.1:0").replace("asyncio.run(main())", "")
    exec(compile(source, "README.md", "exec"), scope)
    task = asyncio.create_task(scope["main"]())  # type: ignore[operator]
    async with asyncio.timeout(30):
        while "some data {'p1': 1}" not in (printed := capsys.readouterr().out):
            assert not printed
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_example_of_the_library_goes_on_until_it_is_ended() -> None:
    example, *_ = blocks(PROTOCOL_TEXT, "python")
    source = example.replace("0.0.0.0:7117", "0.0.0.0:0").replace("bob.example", "127.0.0.1")
    scope: dict[str, object] = {"__name__": "example"}
    exec(compile(source.replace("asyncio.run(main())", ""), "protocol/README.md", "exec"), scope)
    task = asyncio.create_task(scope["main"]())  # type: ignore[operator]
    for _ in range(100):
        await asyncio.sleep(0)
    assert not task.done(), task.exception()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def example_with(mark: str) -> str:
    """The one block of Python in the library's README that ``mark`` stands in."""
    (example,) = [block for block in blocks(PROTOCOL_TEXT, "python") if mark in block]
    return example


async def test_the_example_of_faults_runs(capsys: pytest.CaptureFixture[str]) -> None:
    source = example_with("node.faults").replace("asyncio.run(main())", "")
    scope: dict[str, object] = {"__name__": "example"}
    exec(compile(source, "protocol/README.md", "exec"), scope)
    await scope["main"]()  # type: ignore[operator]
    assert "loss=0.2" in capsys.readouterr().out


def test_the_example_of_the_simulator_meets_its_condition() -> None:
    example = example_with("Simulation(50")
    scope: dict[str, object] = {"__name__": "example"}
    exec(compile(example, "protocol/README.md", "exec"), scope)


def test_the_example_of_an_experiment_shows_a_crash_and_a_broadcast(
    capsys: pytest.CaptureFixture[str],
) -> None:
    example = example_with("Experiment(")
    exec(compile(example, "protocol/README.md", "exec"), {"__name__": "example"})
    *lines, coverage = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["0", "200"], ["10", "200"], ["20", "200"], ["30", "100"], ["40", "100"],
    ]  # fmt: skip
    assert float(coverage) > 0.9


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_what_is_linked_to_is_there(link: str) -> None:
    assert (ROOT / link).is_file()


def test_every_option_it_names_exists() -> None:
    help_of = [sys.executable, "-m", "gossip_tui"]
    known = "".join(
        subprocess.run([*help_of, *command, "--help"], capture_output=True, text=True, check=True).stdout
        for command in COMMANDS
    )
    commands = [
        line for block in blocks(TEXT, "sh") for line in block.splitlines() if line.startswith("gossip-tui")
    ]
    named = [
        word for line in commands for word in shlex.split(line, comments=True) if word.startswith("--")
    ] + re.findall(r"`(--[a-z-]+)`", TEXT)
    assert named
    assert [option for option in named if f"{option} " not in known and f"{option}\n" not in known] == []


COMMANDS: tuple[list[str], ...] = (
    [],
    ["run"],
    ["demo"],
    ["replay"],
    ["export"],
    ["web"],
    ["tail"],
    ["send"],
    ["simulate"],
)


def test_the_library_is_described_by_names_that_it_has() -> None:
    for block in blocks(PROTOCOL_TEXT, "python"):
        for imported in re.findall(r"^from protocol import (.*)$", block, re.MULTILINE):
            assert all(hasattr(protocol, name.strip()) for name in imported.split(","))


def test_the_whole_repository_keeps_to_its_top_level() -> None:
    allowed = {"pyproject.toml", "README.md", "LICENSE", "gossip_tui", "protocol", "tests", "screenshots"}
    visible = {name for name in top_level() if not name.startswith(".")}
    assert visible == allowed


def top_level() -> set[str]:
    """What the repository has at its top: what git tracks, or without git all but what is built there."""
    if not (ROOT / ".git").exists():
        return {path.name for path in ROOT.iterdir()} - {"dist", "build", "gossip_tui.egg-info"}
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return {name.split("/")[0] for name in listing.stdout.split("\0") if name}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="there is no git folder")
@pytest.mark.parametrize("block", blocks(TEXT, "sh"))
def test_what_its_commands_write_is_ignored_by_git(block: str) -> None:
    written = re.findall(r"(?:--record|--output|>) ([\w.]+)", block)
    for name in written:
        assert subprocess.run(["git", "check-ignore", "-q", name], cwd=ROOT, check=False).returncode == 0, (
            name
        )
