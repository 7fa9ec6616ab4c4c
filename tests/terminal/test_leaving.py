"""However the program ends, the terminal is as it was before: asserted on the raw bytes and line settings."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator

import pytest

from tests.gossip_tui.free_ports import bound_run, free_range

from .harness import HANG_GUARD, Farm, Terminal

CTRL_C, CTRL_Q = b"\x03", b"\x11"

MODES = {
    b"1049": "alternate screen",
    b"1000": "mouse clicks",
    b"1002": "mouse drags",
    b"1003": "mouse movements",
    b"1006": "mouse coordinates",
    b"1004": "focus reports",
    b"2004": "bracketed paste",
    b"2026": "synchronised frame",
}


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm(free_range(4), GOSSIP_TUI_CYCLE="0.2") as farm:
        yield farm


def check_restored(terminal: Terminal) -> None:
    """Every mode that was switched on is off again, the cursor shows, and the line settings are back."""
    left_on = {
        name: switches[-1]
        for number, name in MODES.items()
        if (switches := re.findall(rb"\x1b\[\?%b([hl])" % number, terminal.raw)) and switches[-1] != b"l"
    }
    assert left_on == {}
    assert re.findall(rb"\x1b\[\?25([hl])", terminal.raw)[-1] == b"h"
    assert terminal.raw.count(b"\x1b[>") <= terminal.raw.count(b"\x1b[<u")
    assert terminal.is_restored()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("words", [("run",), ("demo", "--nodes", "3", "--seed", "1")])
def test_a_signal_ends_it_and_the_terminal_is_restored(
    farm: Farm, words: tuple[str, ...], number: signal.Signals
) -> None:
    terminal = farm.open(*words)
    terminal.wait_for_text("Partial view")
    terminal.kill(number)
    assert terminal.wait_for_end() == 0
    check_restored(terminal)


@pytest.mark.parametrize("keys", [CTRL_Q, CTRL_C + CTRL_C, b"/quit\r"], ids=["^q", "^c^c", "/quit"])
def test_quitting_restores_the_terminal(farm: Farm, keys: bytes) -> None:
    terminal = farm.open()
    terminal.wait_for_text("No peer yet")
    terminal.type(keys)
    assert terminal.wait_for_end() == 0
    check_restored(terminal)


def test_a_node_that_was_stopped_and_continued_still_quits_and_restores(farm: Farm) -> None:
    terminal = farm.open()
    terminal.wait_for_text("No peer yet")
    terminal.kill(signal.SIGSTOP)
    terminal.kill(signal.SIGCONT)
    terminal.type("abcdefghijklmnopqrstuvwxyz")
    terminal.wait_for_text("abcdefghijklmnopqrstuvwxyz")
    terminal.type(CTRL_Q)
    assert terminal.wait_for_end() == 0
    check_restored(terminal)


@pytest.mark.parametrize("words", [("run",), ("demo", "--nodes", "3"), ("tail",)])
def test_a_window_that_is_closed_ends_the_program_with_a_goodbye(farm: Farm, words: tuple[str, ...]) -> None:
    stays = farm.open("tail", name="stays")
    stays.wait_for_text("p1 listens on")
    closed = farm.open(*words)
    stays.wait_for(lambda text: re.search(r"(p2|n01) heard of", text), "the other joins")
    closed.hang_up()
    assert closed.process.wait(HANG_GUARD) == 0
    stays.wait_for(lambda text: re.search(r"(p2|n01) at \S+ left", text), "the other says goodbye")


def test_peers_are_told_by_a_goodbye(farm: Farm) -> None:
    stays, leaves = farm.open(name="stays"), farm.open(name="leaves")
    stays.wait_for_text("view 1/20")
    leaves.wait_for_text("view 1/20")
    leaves.kill(signal.SIGTERM)
    stays.wait_for(lambda text: re.search(r"− p\d left", text), "says that the other left")


def test_a_bug_is_one_line_on_a_restored_terminal(farm: Farm) -> None:
    program = (
        "import sys, gossip_tui.screen as screen\n"
        "def tick(app): raise RuntimeError('on purpose')\n"
        "screen.GossipApp.tick = tick\n"
        "from gossip_tui.cli import main\n"
        "sys.exit(main(['run']))\n"
    )
    terminal = farm.run("-c", program, name="bug")
    assert terminal.wait_for_end() == 1
    check_restored(terminal)
    assert b"internal error: RuntimeError: on purpose" in terminal.raw
    assert b"Traceback" not in terminal.raw


def test_no_free_port_is_one_line_and_the_screen_is_never_touched(farm: Farm) -> None:
    sockets = bound_run(2)
    low = sockets[0].getsockname()[1]
    terminal = farm.open("run", GOSSIP_TUI_PORTS=f"{low}-{low + 1}")
    assert terminal.wait_for_end() == 1
    for one in sockets:
        one.close()
    assert b"\x1b[?1049h" not in terminal.raw
    assert b"is taken" in terminal.raw
    assert terminal.raw.count(b"\r\n") == 1
