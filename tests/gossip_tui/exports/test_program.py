"""``gossip-tui export`` and ``web`` as a person types them."""

from __future__ import annotations

import csv
import io
import json
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from gossip_tui.cli import main
from gossip_tui.web import WebError, is_own, url_for, warning_for
from tests.gossip_tui.recording.tapes import story

from .shiviz_rules import parse_shiviz


@pytest.fixture
async def tape(tmp_path: Path) -> Path:
    await story(tmp_path / "tape")
    return tmp_path / "tape"


def exported(tape: Path, *words: str) -> str:
    """What goes to a file."""
    output = tape.with_name("output")
    assert main(["export", str(tape), *words, "--output", str(output)]) == 0
    with output.open(encoding="utf-8", newline="") as file:
        return file.read()


def test_each_format_is_written(tape: Path) -> None:
    kinds = {}
    for chosen in ("jsonl", "csv", "shiviz", "dot"):
        kinds[chosen] = exported(tape, "--format", chosen)
        tape.with_name("output").unlink()
    assert [json.loads(line)["id"] for line in kinds["jsonl"].splitlines()] == ["p2#1", "p5#1", "p2#2"]
    assert len(list(csv.reader(io.StringIO(kinds["csv"], newline="")))) == 4
    assert len(parse_shiviz(kinds["shiviz"])) == 6
    assert kinds["dot"].startswith("digraph overlay {")


def test_the_screen_is_drawn_at_a_moment_and_in_a_size(tape: Path) -> None:
    picture = exported(tape, "--format", "svg", "--at", "2.5", "--size", "100x30")
    assert picture.startswith("<svg")
    assert "answer" in picture
    assert "the&#160;end" not in picture


def test_up_to_a_moment(tape: Path) -> None:
    assert len(exported(tape, "--format", "jsonl", "--at", "0:01").splitlines()) == 1


def test_standard_output_is_the_default(tape: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gossip_tui", "export", str(tape), "--format", "csv"],
        check=True,
        capture_output=True,
    )
    assert done.stdout.count(b"\r\n") == 4


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("--format", "pdf"), 2, "jsonl"),
        ((), 2, "Missing option '--format'. Choose from: jsonl, csv, shiviz, dot, svg"),
        (("--format", "csv", "--node", "p9"), 2, "--node: there is no node p9 here: p1"),
        (("--format", "csv", "--at", "soon"), 2, "--at: a moment is minutes and seconds"),
        (("--format", "svg", "--size", "1x1"), 2, "--size looks like 120x40"),
    ],
)
def test_what_is_not_possible_is_one_line(
    tape: Path, words: tuple[str, ...], code: int, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(tape), *words]) == code
    line = capsys.readouterr().err
    assert why in line
    assert line.count("\n") == 1


@pytest.mark.parametrize("command", ["replay", "export"])
def test_a_file_that_is_no_recording_ends_with_one_line(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXTUAL_DRIVER", "textual.drivers.headless_driver:HeadlessDriver")
    path = tmp_path / "f"
    path.write_text("hello")
    assert main([command, str(path), *(["--format", "csv"] if command == "export" else [])]) == 1
    assert capsys.readouterr().err == "gossip-tui: f is no recording of gossip-tui\n"


# The web.


def test_a_missing_extra_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    assert main(["web"]) == 1
    line = capsys.readouterr().err
    assert line.startswith("gossip-tui: the extra `web` is not installed: pip install '.[web]' in a clone, ")
    assert line.endswith("else pip install 'gossip-tui[web]'\n")


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("textual_serve")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["web", "--web-port", str(port)]) == 1
    line = capsys.readouterr().err
    assert line == f"gossip-tui: 127.0.0.1:{port} can't be served: Address already in use\n"


def test_every_interface_needs_a_url_that_others_can_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["web", "--web-host", "0.0.0.0"]) == 1
    assert "add --public-url http://THIS-HOST:8000" in capsys.readouterr().err
    assert url_for("0.0.0.0", 8000, "http://192.0.2.7:8000/") == "http://192.0.2.7:8000"
    with pytest.raises(WebError, match="--public-url looks like"):
        url_for("0.0.0.0", 8000, "192.0.2.7")


def test_options_before_it_are_refused_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--name", "ada", "web"]) == 2
    assert "--name means nothing to web" in capsys.readouterr().err


def test_the_warning_says_who_can_get_in() -> None:
    assert warning_for("127.0.0.1").startswith("there is no log-in: everybody on this machine")
    assert "EVERYBODY who reaches 192.0.2.7" in warning_for("192.0.2.7")


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://localhost:8000", "localhost:8000", True),
        (None, "127.0.0.1:8000", True),
        ("http://evil.example", "127.0.0.1:8000", False),
        ("http://127.0.0.1:8001", "127.0.0.1:8000", False),
        ("null", "127.0.0.1:8000", False),
        ("http://evil.example:8000", "evil.example:8000", False),
        ("http://127.0.0.1:8000", None, False),
    ],
)
def test_pages_of_other_sites_get_no_connection(origin: str | None, host: str | None, own: bool) -> None:
    assert is_own(origin, host, "http://127.0.0.1:8000") is own


def test_behind_a_name_only_that_name_counts() -> None:
    assert is_own("https://gossip.example", "gossip.example", "https://gossip.example")
    assert not is_own("https://localhost", "localhost", "https://gossip.example")


def test_a_browser_gets_the_page_and_strangers_get_no_connection() -> None:
    pytest.importorskip("textual_serve")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = subprocess.Popen(
        [sys.executable, "-m", "gossip_tui", "web", "--web-port", str(port)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert program.stderr is not None
        said = program.stderr.readline()
        assert f"serving on http://127.0.0.1:{port}; there is no log-in" in said
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
            assert "gossip-tui" in answer.read().decode()
        stranger = urllib.request.Request(
            f"http://127.0.0.1:{port}/ws", headers={"Origin": "http://evil.example"}
        )
        with pytest.raises(urllib.error.HTTPError) as refusal:
            urllib.request.urlopen(stranger, timeout=30)
        assert refusal.value.code == 403
        refusal.value.close()
    finally:
        program.terminate()
        program.communicate(timeout=30)
    assert program.returncode == 0
