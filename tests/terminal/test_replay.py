"""Recording and replaying on a real terminal: keys as a person presses them, hostile text, the way out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gossip_tui.recording.reader import load
from tests.gossip_tui.free_ports import free_range
from tests.gossip_tui.memory import MemoryNode
from tests.gossip_tui.recording.tapes import story, taped

from .harness import Farm
from .test_screen import HOSTILE, OWN_COMMANDS


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm(free_range(2), GOSSIP_TUI_CYCLE="0.2") as farm:
        yield farm


def test_a_run_is_recorded_until_it_is_ended(farm: Farm, tmp_path: Path) -> None:
    terminal = farm.open("--record", str(tmp_path / "a"))
    terminal.wait_for_text("REC", "No peer yet")
    terminal.say("said on a terminal")
    terminal.wait_for_text("{p1:1}")
    terminal.kill(signal.SIGTERM)
    assert terminal.wait_for_end() == 0
    recording = load(tmp_path / "a")
    assert (recording.about.source, recording.is_complete) == ("run", True)
    assert [message.text for message in recording.tracks[0].messages] == ["said on a terminal"]


def test_a_whole_swarm_is_recorded_and_watched_from_any_of_its_nodes(farm: Farm, tmp_path: Path) -> None:
    terminal = farm.open("demo", "--nodes", "3", "--seed", "7", "--record", str(tmp_path / "a"))
    terminal.wait_for_text("REC", "n01", "{n0")
    terminal.kill(signal.SIGTERM)
    assert terminal.wait_for_end() == 0
    recording = load(tmp_path / "a")
    assert recording.about.source == "demo"
    assert [track.name for track in recording.tracks] == ["n01", "n02", "n03"]
    assert all(track.messages for track in recording.tracks)
    again = farm.open("replay", str(tmp_path / "a"))
    again.wait_for_text("n01", "(1/3)", "this is a recording")
    again.press_f(9)
    again.wait_for_text("n02", "(2/3)", "{n0")


async def test_a_recording_is_played_stepped_and_left(farm: Farm, tmp_path: Path) -> None:
    await story(tmp_path / "a")
    terminal = farm.open("replay", str(tmp_path / "a"))
    terminal.wait_for_text("this is a recording", "playing", "Space Play")
    terminal.type(" ")
    terminal.wait_for_text("paused")
    terminal.type("}}}")
    terminal.wait_for_text("0:04 / 0:05", "loss is 20 % from now on", "answer")
    terminal.type("{{")
    terminal.wait_for_text("0:02 / 0:05", "p5#1 came late")
    terminal.type("[[")
    terminal.wait_for(lambda text: "answer" not in text, "the log of a moment before")
    terminal.type("\x11")
    assert terminal.wait_for_end() == 0
    assert terminal.is_restored()
    assert b"\x1b[?1049l" in terminal.raw


async def test_hostile_text_in_a_recording_never_reaches_the_terminal_raw(farm: Farm, tmp_path: Path) -> None:
    node = MemoryNode()
    async with taped(tmp_path / "a", node) as tape:
        node.hear("p2", HOSTILE)
        tape.recorder.word(HOSTILE, HOSTILE)
        await tape.pass_time()
        tape.finish()
    terminal = farm.open("replay", str(tmp_path / "a"), size=(160, 40))
    terminal.wait_for_text("[@click=app.quit]x[/] end")
    terminal.type("}")
    terminal.wait_for_text("paused")
    assert b"\x1b]" not in OWN_COMMANDS.sub(b"", terminal.raw)
    assert b"\x1b[?1049l" not in terminal.raw
    assert "\x9b".encode() not in terminal.raw
    assert "\u202e".encode() not in terminal.raw
    assert b"\x00" not in terminal.raw


def test_a_file_that_is_no_recording_is_one_line(farm: Farm, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\x1b]0;owned\x07" * 100)
    terminal = farm.open("replay", str(tmp_path / "f"))
    assert terminal.wait_for_end() == 1
    assert "gossip-tui: f is no recording of gossip-tui" in terminal.text
    assert b"owned" not in terminal.raw
