"""The main job, as people do it: several terminals, no arguments, and everything that can happen to them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.gossip_tui.free_ports import free_range

from .harness import Farm, Terminal, environment

LOGGED = re.compile(r"(p\d+)(?:~\S*?)?#(\d+)\s+(.*?)\s+(\{[^}]*\})\W*$")
"""A message in the log pane: name (its tag may be cut), number, text, clock."""

Logged = tuple[str, str, str, str]

WIDE = (230, 44)
"""Columns and rows that show every message and clock of this story in full."""

CYCLE = "0.2"

QUIT = b"\x11"
"""Ctrl-Q."""


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm(free_range(8), GOSSIP_TUI_CYCLE=CYCLE) as farm:
        yield farm


def log_of(terminal: Terminal) -> list[Logged]:
    """What the log pane shows, from top to bottom."""
    return [found.groups() for line in terminal.lines if (found := LOGGED.search(line))]  # type: ignore[misc]


def speak(terminal: Terminal, text: str) -> str:
    """Type a line and wait until it stands in the log of who typed it."""
    terminal.say(text)
    terminal.wait_for(lambda _: any(text == logged for *_, logged, _ in log_of(terminal)), f"logs {text!r}")
    return text


def open_on_next_port(farm: Farm, name: str, others: int) -> Terminal:
    """Start without arguments and wait until it has met the others."""
    terminal = farm.open(name=name, size=WIDE)
    terminal.wait_for_text(f"view {others}/20" if others else "No peer yet")
    return terminal


def wait_until_all_agree(farm: Farm, terminals: Iterable[Terminal], texts: Iterable[str]) -> None:
    """Wait until all show these texts and no others, in one order with the same clocks."""
    several, wanted = list(terminals), sorted(texts)

    def agree() -> bool:
        logs = [log_of(terminal) for terminal in several]
        return sorted(text for *_, text, _ in logs[0]) == wanted and all(a == b for a, b in pairwise(logs))

    farm.wait_for(agree, f"all agree on {wanted}")


def told_by_tail(farm: Farm, count: int) -> list[dict[str, Any]]:
    """The first ``count`` messages that ``tail --json`` gives to a program."""
    command = [sys.executable, "-m", "gossip_tui", "tail", "--json"]
    told: list[dict[str, Any]] = []
    with subprocess.Popen(
        command,
        env=environment(farm.ports, GOSSIP_TUI_CYCLE=CYCLE),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as tail:
        assert tail.stdout is not None
        while len(told) < count:
            record = json.loads(tail.stdout.readline())
            if record["type"] == "message":
                told.append(record)
        tail.terminate()
        assert tail.wait() == 0
    return told


def logged_as(record: dict[str, Any]) -> Logged:
    """What the log pane shows of a message that ``tail`` told of."""
    clock = " ".join(f"{name}:{number}" for name, number in record["clock"].items())
    name, _, _ = record["origin"].partition("~")
    return name, str(record["seq"]), record["text"], f"{{{clock}}}"


def wait_for_views(terminals: Iterable[Terminal], others: int, *parts: str) -> None:
    """Wait until each has so many others in its view, and these texts on its screen."""
    for terminal in terminals:
        terminal.wait_for_text(f"view {others}/20", *parts)


def test_five_terminals_talk_through_crash_absence_late_arrival_and_replacement(farm: Farm) -> None:
    five = [open_on_next_port(farm, f"p{number}", number - 1) for number in range(1, 6)]
    first, second, third, fourth, fifth = five
    wait_for_views(five, 4)
    said = [speak(terminal, f"word of {terminal.name}") for terminal in five]
    wait_until_all_agree(farm, five, said)

    fifth.kill(signal.SIGKILL)
    wait_for_views((first, second, third, fourth), 3, "p5 lost")

    third.kill(signal.SIGSTOP)
    wait_for_views((first, second, fourth), 2, "p3 lost")
    said += [speak(one, f"missed {turn} from {one.name}") for turn in range(4) for one in (first, second)]
    wait_until_all_agree(farm, (first, second, fourth), said)
    third.kill(signal.SIGCONT)
    wait_until_all_agree(farm, (first, second, third, fourth), said)
    wait_for_views((third,), 3)

    sixth = open_on_next_port(farm, "sixth", 4)
    wait_until_all_agree(farm, (first, second, third, fourth, sixth), said)

    first.kill(signal.SIGKILL)
    wait_for_views((second, third, fourth, sixth), 3, "p1 lost")
    replacement = open_on_next_port(farm, "replacement", 4)
    replacement.wait_for_text(f"p1 127.0.0.1:{farm.ports.low}")
    last = (second, third, fourth, sixth, replacement)
    wait_for_views(last, 4)
    said += [speak(one, f"at last from {one.name}") for one in (replacement, sixth, third)]
    wait_until_all_agree(farm, last, said)

    check_against_screen(told_by_tail(farm, len(said)), log_of(second))
    for terminal in last:
        terminal.type(QUIT)
    assert [terminal.wait_for_end() for terminal in last] == [0] * len(last)


def check_against_screen(told: list[dict[str, Any]], shown: list[Logged]) -> None:
    """What a program is told is what people see, and nobody is told anything before its past."""
    assert {logged_as(one) for one in told} == set(shown)
    positions = {one["id"]: place for place, one in enumerate(told)}
    assert all(positions[parent] < positions[one["id"]] for one in told for parent in one["parents"])
