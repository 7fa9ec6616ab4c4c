"""The program on a terminal that is resized and lied to, and the demo that other terminals join."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gossip_tui.free_ports import free_range

from .harness import Farm, environment

HOSTILE = "\x1b]0;owned\x07\x1b[?1049l\x1b]52;c;cHduZWQ=\x07\x9b31m\u202e\x00[@click=app.quit]x[/] end"
"""A title, a screen, a clipboard, a colour, a direction and a link: none of it may reach the terminal."""

OWN_COMMANDS = re.compile(rb"\x1b\]22;[a-z]*\x07")
"""The shape of the mouse pointer, which Textual sets."""


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm(free_range(4), GOSSIP_TUI_CYCLE="0.2") as farm:
        yield farm


def gossip(farm: Farm, text: str) -> None:
    """Have a node of another program say something."""
    command = [sys.executable, "-m", "gossip_tui", "tail"]
    settings = environment(farm.ports, GOSSIP_TUI_CYCLE="0.2")
    with subprocess.Popen(
        command, env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as tail:
        assert tail.stdin is not None
        assert tail.stdout is not None
        tail.stdin.write(text.encode() + b"\n")
        tail.stdin.flush()
        tail.stdout.readline()
        farm.wait_for(lambda: " end" in farm.terminals[0].text, "the text arrives")
        tail.terminate()


def test_what_a_peer_says_never_reaches_the_terminal_raw(farm: Farm) -> None:
    terminal = farm.open(size=(160, 40))
    terminal.wait_for_text("No peer yet")
    gossip(farm, HOSTILE)
    terminal.wait_for_text("[@click=app.quit]x[/] end")
    assert b"\x1b]" not in OWN_COMMANDS.sub(b"", terminal.raw)
    assert b"\x1b[?1049l" not in terminal.raw
    assert b"\x1b[?1049h" in terminal.raw
    assert "\x9b".encode() not in terminal.raw
    assert "\u202e".encode() not in terminal.raw
    assert b"\x00" not in terminal.raw
    assert "␛]0;owned␇".encode() in terminal.raw


def test_tail_on_a_terminal_shows_hostile_text_without_obeying_it(farm: Farm) -> None:
    terminal = farm.open("tail")
    terminal.wait_for_text("listens on")
    gossip(farm, HOSTILE)
    assert b"\x1b]" not in terminal.raw
    assert "\u202e".encode() not in terminal.raw


def test_the_window_may_shrink_to_nearly_nothing_and_grow_again(farm: Farm) -> None:
    terminal = farm.open(size=(140, 40))
    terminal.wait_for_text("Partial view", "Causal log", "Rates")
    for columns, rows in ((80, 24), (50, 15), (20, 5), (3, 2), (1, 1)):
        terminal.resize(columns, rows)
    terminal.resize(140, 40)
    terminal.wait_for_text("Partial view", "Causal log", "Rates", "say something", "F1 Help")
    terminal.resize(20, 5)
    terminal.say("tiny")
    terminal.resize(140, 40)
    terminal.wait_for_text("p1#1", "tiny", "{p1:1}")


def test_lines_typed_ahead_are_messages_of_their_own(farm: Farm) -> None:
    terminal = farm.open(size=(140, 40))
    terminal.wait_for_text("No peer yet")
    terminal.type("one\rtwo\rthree\r")
    terminal.wait_for(
        lambda text: re.search(r"p1#1 +one .*p1#2 +two .*p1#3 +three ", text, re.DOTALL), "three messages"
    )


def test_the_demo_chats_by_itself_and_other_terminals_join_by_just_starting(farm: Farm) -> None:
    demo = farm.open("demo", "--nodes", "8", "--seed", "7", name="demo", size=(140, 40))
    demo.wait_for(lambda text: len(re.findall(r"n0\d#\d+", text)) >= 2, "the swarm chats")
    guest = farm.open(name="guest", size=(140, 40))
    guest.wait_for(lambda text: re.search(r"n0\d#\d+", text), "the guest hears the swarm")
    guest.say("hello swarm")
    demo.wait_for_text("hello swarm")


def test_the_demo_begins_with_the_tour_until_it_is_forgone(farm: Farm, tmp_path: Path) -> None:
    settings = {"GOSSIP_TUI_TOUR": "", "XDG_STATE_HOME": str(tmp_path)}
    first = farm.open("demo", "--nodes", "3", "--seed", "7", size=(80, 24), **settings)
    first.wait_for_text("Tour 1/6  Say something", "^t Skip")
    first.say("hello")
    first.wait_for_text("Tour 2/6  Watch a wave", "► Overlay")
    first.say("once more")
    first.wait_for_text("Tour 3/6  Cut the network")
    first.say("/partition")
    first.wait_for_text("cut in two")
    first.say("to one half")
    first.wait_for_text("Tour 4/6  Heal it")
    first.say("/heal")
    first.wait_for_text("Tour 5/6  Find two concurrent messages")
    first.type(b"\x0f")
    first.wait_for(lambda text: "Tour 5/6" not in text, "the tour is over")
    second = farm.open("demo", "--nodes", "3", name="second", size=(80, 24), **settings)
    second.wait_for_text("F1 Help", "n01")
    assert "Tour" not in second.text
    third = farm.open("demo", "--nodes", "3", "--tour", name="third", size=(80, 24), **settings)
    third.wait_for_text("Tour 1/6")


def test_a_key_moves_the_demo_to_another_node(farm: Farm) -> None:
    demo = farm.open("demo", "--nodes", "3", "--seed", "7", size=(140, 40))
    demo.wait_for_text("seen from n01")
    demo.press_f(9)
    demo.wait_for_text("seen from n02")


def test_who_left_comes_back_as_a_new_incarnation_and_keeps_the_log(farm: Farm) -> None:
    stays, returns = farm.open(name="stays", size=(140, 40)), farm.open(name="returns", size=(140, 40))
    for terminal in (stays, returns):
        terminal.wait_for_text("view 1/20")
    returns.say("before")
    stays.wait_for_text("before")
    returns.say("/leave")
    stays.wait_for(lambda text: re.search(r"p\d left", text), "the other left")
    returns.say("/join")
    for terminal in (stays, returns):
        terminal.wait_for_text("view 1/20")
    returns.say("after")
    stays.wait_for_text("before", "after")
    returns.wait_for_text("before", "after")


def test_everything_can_be_drawn_in_ascii(farm: Farm) -> None:
    terminal = farm.open("run", "--ascii", size=(140, 40))
    terminal.wait_for_text("Partial view", "No peer yet")
    assert terminal.text.isascii()
    assert terminal.raw.isascii()


def test_no_color_means_no_colour(farm: Farm) -> None:
    terminal = farm.open(size=(140, 40), NO_COLOR="1")
    terminal.wait_for_text("Partial view", "No peer yet")
    colours = re.findall(rb"\x1b\[[\d;]*?(?:[34]8;[25]|;?[349][0-7])[\d;]*m", terminal.raw)
    assert colours == []
