"""Exporting and copying from the screen, live and from a recording."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from gossip_tui.copying import copy_file, keep_copy
from gossip_tui.exports.formats import Format
from gossip_tui.recording.taping import SUFFIX
from tests.gossip_tui.driving import Driver, driven
from tests.gossip_tui.memory import MemoryNode
from tests.gossip_tui.recording.tapes import files_in, story, taped
from tests.gossip_tui.recording.test_screen import replayed

from .shiviz_rules import parse_shiviz


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies are kept, and where files without a folder go."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


def clipboard(driver: Driver) -> list[str]:
    """What the terminal was asked to put into its clipboard."""
    written: list[str] = []
    terminal = driver.app._driver
    assert terminal is not None
    terminal.write = written.append  # type: ignore[method-assign, assignment]
    return written


def osc_52(text: str) -> str:
    return f"\x1b]52;c;{base64.b64encode(text.encode()).decode()}\a"


async def test_ctrl_s_asks_for_a_format() -> None:
    async with driven() as driver:
        await driver.press("ctrl+s")
        assert (driver.composer, driver.focused) == ("/export ", "composer-input")
        await driver.type("sh")
        await driver.press("tab")
        assert driver.composer == "/export shiviz "


@pytest.mark.parametrize("chosen", list(Format))
async def test_every_format_is_a_file_named_after_node_and_time(home: Path, chosen: Format) -> None:
    async with driven() as driver:
        driver.node.hear("p2", "hello")
        await driver.look()
        await driver.enter(f"/export {chosen}")
        assert "exported to p1-" in driver.log
    (path,) = files_in(home)
    text = path.read_text()
    assert path.name.endswith(".shiviz.log" if chosen is Format.SHIVIZ else f".{chosen}")
    match chosen:
        case Format.JSONL:
            assert json.loads(text)["text"] == "hello"
        case Format.CSV:
            assert ",hello," in text
        case Format.SHIVIZ:
            assert [event.host for event in parse_shiviz(text)] == ["p2", "p1"]
        case Format.DOT:
            assert '"p1" -> "p2"' in text
        case Format.SVG:
            assert text.startswith("<svg")
            assert "hello" in text


async def test_a_long_log_is_exported_whole_and_in_order(home: Path) -> None:
    async with driven() as driver:
        said = [driver.node.hear("p2", f"message {number}").text for number in range(500)]
        await driver.look()
        await driver.enter("/export jsonl all.jsonl")
        for _ in range(30):
            await driver.calm()
    assert [json.loads(line)["text"] for line in (home / "all.jsonl").read_text().splitlines()] == said


@pytest.mark.parametrize(
    ("heard", "said"), [(40, ""), (41, ": the newest 40 of 41 deliveries (a recording, F7")]
)
async def test_a_history_that_lacks_its_beginning_says_how_much_of_it_is_there(
    home: Path, monkeypatch: pytest.MonkeyPatch, heard: int, said: str
) -> None:
    monkeypatch.setattr("gossip_tui.feed.DELIVERY_LIMIT", 40)
    async with driven() as driver:
        for number in range(heard):
            driver.node.hear("p2", f"message {number}")
        await driver.look()
        await driver.enter("/export shiviz out")
        await driver.calm()
        assert f"exported to out{said}" in driver.log
        assert ("deliveries" in driver.log) == bool(said)
    events = parse_shiviz((home / "out").read_text())
    assert sum(event.event.startswith("delivers") for event in events) == 40


async def test_messages_that_the_log_forgot_are_said_to_lack(home: Path) -> None:
    async with driven() as driver:
        driver.app.main.log_pane._records.limit = 64
        for number in range(80):
            driver.node.hear("p2", f"message {number}")
        await driver.look()
        await driver.enter("/export csv out")
        await driver.calm()
        held = len((home / "out").read_text().splitlines()) - 1
        assert held < 80
        assert f"exported to out: the newest {held} of 80 messages" in driver.log


async def test_a_recording_that_the_log_does_not_hold_whole_is_exported_from_its_file(home: Path) -> None:
    recorded = MemoryNode()
    async with taped(home / "a", recorded) as tape:
        await tape.pass_time(1.0)
        for number in range(80):
            recorded.hear("p2", f"message {number}")
        await tape.pass_time(10.0)
        tape.finish()
    async with replayed(home / "a") as hands:
        hands.app.main.log_pane._records.limit = 64
        await hands.enter("/seek 100%")
        await hands.enter("/export csv out")
        await hands.calm()
        assert "of 80 messages (gossip-tui export FILE takes all" in " ".join(hands.log.split())
        assert "--record" not in hands.log


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/export pdf", "there is no format pdf: it is one of jsonl, csv, shiviz, dot, svg"),
        ("/export csv mine", "mine exists already and is kept"),
        ("/export csv no/where", "no/where can't be written: No such file or directory"),
        ("/export csv ~nobody-here/f", "there is no home for ~nobody-here/f"),
        ("/record ~nobody-here/f", "there is no home for ~nobody-here/f"),
        ("/copy everything", "/copy takes message or address, not everything"),
        ("/copy", "there is no message to copy yet"),
    ],
)
async def test_what_can_not_be_taken_out_is_said(home: Path, line: str, why: str) -> None:
    (home / "mine").write_text("precious")
    async with driven() as driver:
        await driver.enter(line)
        await driver.calm()
        assert driver.hint.startswith(why)
    assert (home / "mine").read_text() == "precious"


async def test_a_swarm_is_exported_as_a_whole(home: Path) -> None:
    async with driven(MemoryNode("n1"), MemoryNode("n2", number=2)) as driver:
        await driver.enter("/export dot overlay.dot")
    assert (home / "overlay.dot").read_text().count("doublecircle") == 2


async def test_a_recording_is_exported_up_to_where_one_is(home: Path) -> None:
    await story(home / f"a{SUFFIX}")
    async with replayed(home / f"a{SUFFIX}") as hands:
        await hands.enter("/seek 2.5")
        await hands.enter("/export shiviz out")
        await hands.calm()
    events = parse_shiviz((home / "out").read_text())
    assert [event.event for event in events if event.host == "p1"] == [
        "delivers p2#1 hello",
        "delivers p5#1 answer [/] ␛[31m",
    ]


async def test_y_copies_the_message_under_the_cursor_to_clipboard_and_file() -> None:
    async with driven() as driver:
        driver.node.hear("p2", "line one\nline two \x1b")
        await driver.press("f3", "end")
        written = clipboard(driver)
        await driver.press("y")
        assert osc_52("line one\nline two \x1b") in written
    assert copy_file().read_text() == "line one\nline two \x1b"
    assert copy_file().stat().st_mode & 0o077 == 0


async def test_y_copies_the_text_of_an_open_message() -> None:
    async with driven() as driver:
        driver.node.hear("p2", "the whole text")
        await driver.look()
        await driver.press("f3", "end", "enter")
        assert "y copies the text" in driver.text
        written = clipboard(driver)
        await driver.press("y")
        assert osc_52("the whole text") in written


async def test_y_copies_the_address_of_a_peer_in_pane_and_dialog() -> None:
    async with driven() as driver:
        await driver.press("f2", "home")
        written = clipboard(driver)
        await driver.press("y")
        assert osc_52("127.0.0.1:8002") in written
        await driver.press("down", "enter")
        await driver.press("y")
        assert osc_52("127.0.0.1:8005") in written


async def test_commands_copy_message_and_address() -> None:
    async with driven() as driver:
        driver.node.hear("p2", "newest")
        await driver.look()
        written = clipboard(driver)
        await driver.enter("/copy")
        assert osc_52("newest") in written
        await driver.enter("/copy address")
        assert osc_52("127.0.0.1:8001") in written
    assert copy_file().read_text() == "127.0.0.1:8001"


def test_a_copy_that_can_not_be_kept_leaves_nothing_behind() -> None:
    copy_file().mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        keep_copy("in vain")
    assert list(copy_file().parent.iterdir()) == [copy_file()]


async def test_a_copy_that_can_not_be_kept_is_said(home: Path) -> None:
    (home.parent / "cache").write_text("a file where a folder should be")
    async with driven() as driver:
        await driver.enter("/copy address")
        assert "copied, but it can't be kept in a file" in driver.hint


async def test_a_copy_of_somebody_without_a_home_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", fail)
    async with driven() as driver:
        await driver.enter("/copy address")
        assert "copied, but it can't be kept in a file: there is no home folder" in driver.hint
