"""The command line: options on every level, errors of one line, exit codes, completion."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from click.shell_completion import ShellComplete

from gossip_tui import arguments
from gossip_tui.cli import cli, main
from gossip_tui.options import NodeOptions


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("GOSSIP_TUI_"):
            monkeypatch.delenv(name)


def settings(*arguments: str) -> dict[str, Any]:
    """What a command would be told by these words."""
    context = cli.make_context("gossip-tui", list(arguments))
    with context:
        if context._protected_args:
            name, command, rest = cli.resolve_command(context, [*context._protected_args, *context.args])
            assert command is not None
            context.invoked_subcommand = name
            return arguments_of(command.make_context(name, rest, parent=context))
        return arguments_of(context)


def arguments_of(context: click.Context) -> dict[str, Any]:
    return arguments.settings_of(context)


def complaint(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and the one line that a wrong command line gives."""
    code = main(words)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1, printed.err
    assert printed.err.startswith("gossip-tui: ")
    return code, printed.err


@pytest.mark.parametrize(
    "words",
    [
        ("--name", "x", "tail"),
        ("tail", "--name", "x"),
        ("--name", "y", "tail", "--name", "x"),
        ("--name", "x"),
        ("run", "--name=x"),
    ],
)
def test_an_option_is_heard_before_and_behind_the_command(words: Sequence[str]) -> None:
    assert settings(*words)["name"] == "x"


def test_contacts_of_both_levels_add_up() -> None:
    found = settings("--join", "a:1", "tail", "--join", "b:2", "--join", "c:3")["join"]
    assert found == ("a:1", "b:2", "c:3")


def test_the_environment_gives_what_was_not_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOSSIP_TUI_VIEW_SIZE", "9")
    monkeypatch.setenv("GOSSIP_TUI_JOIN", "a:1 b:2")
    monkeypatch.setenv("GOSSIP_TUI_PORTS", "50-60")
    found = settings("tail", "--cluster", "c")
    assert (found["view_size"], found["join"], str(found["ports"])) == (9, ("a:1", "b:2"), "50-60")
    assert settings("--view-size", "7", "tail")["view_size"] == 7
    assert settings("--join", "c:3", "tail")["join"] == ("c:3",)


def test_every_node_option_comes_from_the_environment_under_its_own_name() -> None:
    for name in ("run", "tail", "send"):
        for parameter in cli.commands[name].params:
            if isinstance(parameter, click.Option) and parameter.name in NodeOptions.__slots__:
                assert parameter.envvar == f"GOSSIP_TUI_{parameter.name.upper()}"


def test_the_environment_asks_for_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOSSIP_TUI_JSON", "1")
    context = cli.commands["tail"].make_context("tail", [])
    assert context.params["as_json"] is True


def test_run_tail_and_send_share_the_node_options() -> None:
    shared = {
        "name",
        "bind",
        "advertise",
        "join",
        "cluster",
        "strategy",
        "view_size",
        "fanout",
        "dissemination",
        "cycle",
        "log_file",
        "log_level",
    }
    for name in ("run", "tail", "send"):
        assert shared <= {parameter.name for parameter in cli.commands[name].params}
    assert shared <= {parameter.name for parameter in cli.params}


def test_the_environment_of_other_commands_means_nothing_to_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOSSIP_TUI_NAME", "ada")
    assert "name" not in settings("demo")


def test_an_option_that_the_command_does_not_have_is_refused_not_lost(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, line = complaint(capsys, "--name", "x", "demo")
    assert code == 2
    assert "--name means nothing to demo" in line


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("tail", "--view-size", "0"), ("--view-size", "0", "at least 2")),
        (("tail", "--view-size", "1"), ("--view-size", "1", "at least 2")),
        (("tail", "--view-size", "many"), ("--view-size", "many", "integer")),
        (("tail", "--cycle", "0"), ("--cycle", "0", "above 0")),
        (("tail", "--cycle", "nan"), ("--cycle", "nan", "above 0")),
        (("tail", "--fanout", "0"), ("--fanout", "0", "at least 1")),
        (("tail", "--dissemination", "lazy"), ("--dissemination", "lazy", "eager", "tree")),
        (("tail", "--strategy", "gossipy"), ("gossipy",)),
        (("tail", "--view-size", "8", "--strategy", "(tail, push-pull, H=3, S=3)"), ("H", "S", "4")),
        (("tail", "--join", "nowhere"), ("--join", "nowhere", "host:port")),
        (("tail", "--join", "a:0"), ("--join", "a:0", "1 to 65535")),
        (("tail", "--join", "0.0.0.0:5"), ("--join", "0.0.0.0:5", "every interface")),
        (("tail", "--bind", "127.0.0.1:x"), ("--bind", "127.0.0.1:x", "0 to 65535")),
        (("tail", "--bind", "127.0.0.1:5", "--join", "127.0.0.1:5"), ("--join", "127.0.0.1:5", "itself")),
        (("tail", "--join", "192.0.2.7:5"), ("--join", "192.0.2.7:5", "--bind")),
        (("tail", "--name", "x" * 65), ("--name", "65", "1 to 64")),
        (("tail", "--name", ""), ("--name", "0", "1 to 64")),
        (("tail", "--name", "a\x1b[31m"), ("--name", "visible")),
        (("tail", "--log-level", "loud"), ("--log-level", "loud", "debug")),
        (("tail", "--log-file", "/nowhere/at/all"), ("--log-file", "/nowhere/at/all", "No such file")),
        (("send",), ("TEXT",)),
        (("send", ""), ("TEXT is empty", "standard input")),
        (("send", " \n "), ("TEXT is empty", "standard input")),
        (("send", "hi", "--timeout", "0"), ("--timeout", "0", "above 0")),
        (("send", "hi", "--timeout", "nan"), ("--timeout", "nan", "above 0")),
        (("tail", "--advertise", "0.0.0.0"), ("--advertise", "0.0.0.0")),
        (("tail", "--cluster", "c" * 65), ("--cluster", "64")),
        (("bogus",), ("bogus", "run, demo, tail, send, simulate, replay, export, web")),
        (("--bogus",), ("--bogus",)),
        (("demo", "--nodes", "1"), ("--nodes", "1", "2")),
        (("export", "f"), ("--format", "Choose from: jsonl, csv, shiviz, dot, svg")),
    ],
)
def test_wrong_usage_is_one_line_with_the_value_and_what_is_allowed(
    words: tuple[str, ...], parts: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = complaint(capsys, *words)
    assert code == 2
    for part in parts:
        assert part in line


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize(
    "words",
    [
        ("tail", "--state", "x"),
        ("tail", "--record", "x"),
        ("replay", "x"),
        ("export", "x", "--format", "csv"),
    ],
    ids=lambda words: words[0] + words[1],
)
def test_a_pipe_in_place_of_a_file_is_refused_and_not_waited_for(
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("x")
    code, line = complaint(capsys, *words)
    assert code == 2
    assert "x is a pipe: give the name of a file" in line


def test_a_range_that_is_none_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOSSIP_TUI_PORTS", "10")
    code, line = complaint(capsys, "tail")
    assert code == 2
    assert "GOSSIP_TUI_PORTS" in line
    assert "'10'" in line


def test_what_was_typed_can_not_harm_the_terminal_through_an_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, line = complaint(capsys, "\x1b]0;title\x07\nsecond line")
    assert line.rstrip("\n").isprintable()


@pytest.mark.parametrize(("command", "instead"), [("run", "tail"), ("demo", "tail"), ("replay f", "export")])
def test_drawing_without_a_terminal_names_what_needs_none(
    command: str, instead: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = complaint(capsys, *command.split())
    assert code == 2
    assert f"gossip-tui {instead} works without one" in line


def test_no_command_at_all_means_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert complaint(capsys)[1].startswith("gossip-tui: run needs a terminal")


@pytest.mark.parametrize(
    "words",
    [(), ("run",), ("demo",), ("tail",), ("send",), ("simulate",), ("replay",), ("export",), ("web",)],
)
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_shows_an_example(words: tuple[str, ...], flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, flag]) == 0
    assert f"  {' '.join(('gossip-tui', *words))}" in capsys.readouterr().out.partition("Examples:")[2]


def test_the_version_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("gossip-tui ")


@pytest.mark.parametrize(
    ("words", "incomplete", "offered"),
    [
        ([], "", {"run", "demo", "tail", "send", "simulate", "replay", "export", "web"}),
        (["--name", "x"], "ta", {"tail"}),
        (["--name", "x"], "--jo", {"--join"}),
        (["--name", "x", "tail"], "--js", {"--json"}),
        (["tail", "--strategy"], "swap", {"swapper"}),
        (["tail", "--log-level"], "w", {"warning"}),
    ],
)
def test_completion_offers_commands_and_options_on_every_level(
    words: list[str], incomplete: str, offered: set[str]
) -> None:
    completion = ShellComplete(cli, {}, "gossip-tui", "_GOSSIP_TUI_COMPLETE")
    assert {item.value for item in completion.get_completions(words, incomplete)} == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(shell: str) -> None:
    environment = {**os.environ, "_GOSSIP_TUI_COMPLETE": f"{shell}_source"}
    command = [sys.executable, "-m", "gossip_tui"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert "_GOSSIP_TUI_COMPLETE" in done.stdout


def test_a_shell_gets_the_completions() -> None:
    asked = {
        "_GOSSIP_TUI_COMPLETE": "bash_complete",
        "COMP_WORDS": "gossip-tui --name x ta",
        "COMP_CWORD": "3",
    }
    command = [sys.executable, "-m", "gossip_tui"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **asked})
    assert done.stdout == "plain,tail\n"


def test_the_themes_are_those_of_the_application() -> None:
    from gossip_tui.runner import theme_names  # noqa: PLC0415 - imports textual, which this file must not need

    assert tuple(theme_names()) == arguments.THEMES


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["tail", "--help"], ["simulate", "--help"]])
def test_what_does_not_draw_does_not_import_textual(words: list[str]) -> None:
    program = (
        "import sys; from gossip_tui.cli import main; main(sys.argv[1:]); "
        "sys.exit(bool({'textual', 'rich', 'msgpack', 'asyncio'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program, *words], check=False, stdout=subprocess.DEVNULL)
    assert done.returncode == 0


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gossip_tui", "--version"], check=True, capture_output=True, text=True
    )
    assert done.stdout.startswith("gossip-tui ")


def test_a_bug_is_one_line_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(arguments, "levels_of", broken)
    code, line = complaint(capsys, "tail")
    assert code == 1
    assert "RuntimeError: on purpose" in line
