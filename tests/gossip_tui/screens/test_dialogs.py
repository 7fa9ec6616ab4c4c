"""What lies over the panes: contents, closing, and small terminals."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType
from textual.screen import Screen

from gossip_tui.commands import COMMANDS, available
from gossip_tui.drawing.names import Names
from gossip_tui.keys import KEYS, Where
from gossip_tui.screens.help import HelpScreen
from gossip_tui.screens.message import (
    MessageScreen,
    clock_time,
    concurrent_among,
    facts_of,
    neighbours,
    text_lines,
)
from gossip_tui.screens.peers import PeersScreen
from gossip_tui.screens.question import PasteQuestion, QuitQuestion
from gossip_tui.theme import ASCII, UNICODE
from protocol.core.snapshot import PeerState
from tests.gossip_tui.driving import SINGLE, STACKED, TINY, driven
from tests.gossip_tui.memory import MemoryNode
from tests.gossip_tui.samples import Talk, many_messages, node_id, peer_row, snapshot


def drawn(renderable: RenderableType, width: int = 100) -> str:
    """A renderable as text."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(renderable)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())  # type: ignore[attr-defined]


def test_the_help_explains_every_command_and_every_key() -> None:
    text = drawn(HelpScreen(UNICODE, COMMANDS).body())
    assert all(command.call in text for command in COMMANDS)
    assert all(key.does.split(",")[0] in text for key in KEYS)


def test_the_help_of_a_single_node_hints_at_no_swarm() -> None:
    assert "/node" not in drawn(HelpScreen(UNICODE, available(demo=False)).body())


def test_the_help_shows_the_signs_in_use() -> None:
    signs = drawn(HelpScreen(ASCII, available(demo=False)).body()).split("Signs")[1]
    assert signs.isascii()
    assert ASCII.concurrent in signs


def test_a_heading_starts_the_help_and_no_empty_line() -> None:
    assert drawn(HelpScreen(UNICODE, available(demo=False)).body()).splitlines()[0] == "Panes"


@pytest.mark.parametrize("where", [where for where in Where if where is not Where.EVERYWHERE])
def test_every_place_explains_itself_in_sentences_and_with_its_keys(where: Where) -> None:
    own = drawn(HelpScreen(UNICODE, COMMANDS, where).body(), 2_000).split("\nCommands\n")[0]
    title, sentences = own.splitlines()[:2]
    assert title[0].isupper()
    assert sentences.count(".") >= 2
    assert all(key.does in own for key in KEYS if key.where is where)


def test_peers_are_listed_by_state_and_then_by_name_in_the_order_people_count() -> None:
    peers = (
        peer_row(10),
        peer_row(2),
        peer_row(3, state=PeerState.LEFT, age=None, round_trip=None),
        peer_row(4, state=PeerState.LOST, age=None),
    )
    lines = drawn(PeersScreen(snapshot(peers)).body()).splitlines()
    assert [line.split()[0] for line in lines[:5]] == ["peer", "p2", "p10", "p4", "p3"]
    assert lines[-1] == "2 in view, 1 lost, 1 left"


def test_the_peer_asked_about_stands_first() -> None:
    lines = drawn(PeersScreen(snapshot((2, 5, 7)), node_id("p7")).body()).splitlines()
    assert lines[1].split()[:2] == ["p7", "127.0.0.1:8007"]


def test_two_peers_of_one_name_are_told_apart() -> None:
    twins = [peer_row(number, id=node_id("twin", number)) for number in (1, 2)]
    text = drawn(PeersScreen(snapshot(twins)).body())
    assert all(twin.id.label in text for twin in twins)


def test_thousands_of_peers_are_counted_and_not_listed() -> None:
    text = drawn(PeersScreen(snapshot(range(2, 1_502))).body())
    assert text.endswith("and 1,000 more")


def test_nobody_heard_of_is_said_with_what_to_do() -> None:
    assert drawn(PeersScreen(snapshot(())).body()).startswith(
        "Nobody yet. Run gossip-tui in another terminal"
    )


def talk_with_a_fork() -> Talk:
    talk = Talk()
    first = talk.say("p1", "first")
    left = talk.say("p2", "left", first)
    right = talk.say("p3", "right", first, hops=2)
    talk.say("p1", "both", left, right)
    return talk


def test_a_message_names_what_is_concurrent_with_it() -> None:
    said = talk_with_a_fork().said
    concurrent = [[other.text for other in concurrent_among(message, said)] for message in said]
    assert concurrent == [[], ["right"], ["left"], []]


def test_the_facts_of_a_message_are_complete() -> None:
    message = talk_with_a_fork().said[2]
    facts = dict(facts_of(message, Names()))
    assert list(facts) == [
        "from",
        "sequence",
        "clock",
        "parents",
        "depth",
        "sent",
        "delivered",
        "delay",
        "hops",
        "size",
    ]
    assert facts["clock"] == "{p1:1  p3:1}"
    assert facts["parents"] == "p1#1"
    assert facts["hops"] == "2"
    assert facts["size"] == "5 bytes"


def test_a_first_message_has_no_parents() -> None:
    assert dict(facts_of(Talk().say("p1", "x"), Names()))["parents"] == "none: it starts a conversation"


@pytest.mark.parametrize(
    ("fields", "delay"),
    [
        ({"created_at": 10.0, "delivered_at": 10.0035}, "3.5 ms"),
        ({"created_at": 10.0, "delivered_at": 100.0}, "90.0 s"),
        ({"created_at": 10.0, "delivered_at": 9.5}, "-500.0 ms: the clocks differ"),
        ({"created_at": 10.0, "delivered_at": 9.999998}, "0.0 ms"),
        ({"from_history": True}, "came with the history of another node"),
    ],
)
def test_the_delay_is_said_as_far_as_two_clocks_allow(fields: dict[str, float], delay: str) -> None:
    assert dict(facts_of(Talk().say("p1", "x", **fields), Names()))["delay"] == delay


def test_a_message_out_of_order_says_so() -> None:
    assert "not in causal order" in dict(facts_of(Talk().say("p1", "x", late=True), Names()))["hops"]


@pytest.mark.parametrize("moment", [float("nan"), float("inf"), -1e300, 1e300])
def test_a_moment_that_no_calendar_knows_is_shown_as_a_number(moment: float) -> None:
    assert "1970" in clock_time(moment)


def test_line_breaks_of_a_message_are_kept_and_everything_else_is_made_safe() -> None:
    assert [line.plain for line in text_lines("one\r\ntwo\x1b[2J\n[/]")] == ["one", "two␛[2J", "[/]"]


def test_of_a_message_with_very_many_lines_the_first_are_shown_and_the_rest_is_counted() -> None:
    lines = text_lines("\n" * 1_000_000)
    assert len(lines) == 1_001
    assert lines[-1].plain == "and 999,001 more lines"


async def test_a_message_of_a_mebibyte_is_one_line_of_the_log_and_opens_like_any_other() -> None:
    async with driven() as driver:
        message = driver.node.hear("p2", "large " * 174_762)
        await driver.look()
        assert "large large" in driver.log
        driver.app.push_screen(MessageScreen(message, [message], Names()))
        await driver.calm()
        await driver.press("end")
        await driver.calm()
        assert "1,048,572 bytes" in driver.text


def test_only_neighbours_are_compared() -> None:
    said = many_messages(5_000)
    assert neighbours(said[2_500], said) == said[1_500:3_500]
    assert neighbours(said[0], said) == said[:1_000]


@pytest.mark.parametrize("size", [STACKED, SINGLE, TINY])
async def test_dialogs_open_in_any_terminal(size: tuple[int, int]) -> None:
    async with driven(size=size) as driver:
        message = driver.node.hear("p2", "x" * 90)
        dialogs: list[Screen[Any]] = [
            HelpScreen(UNICODE, COMMANDS),
            PeersScreen(driver.node.picture),
            MessageScreen(message, [message], Names()),
            PasteQuestion(["a", "b" * 200], 100),
            QuitQuestion(lambda: 1),
        ]
        for screen in dialogs:
            driver.app.push_screen(screen)
            await driver.calm()
            assert driver.app.screen is screen
            await driver.press("escape")
            assert driver.app.screen is not screen


async def test_a_click_beside_a_dialog_closes_it() -> None:
    async with driven() as driver:
        await driver.press("f1")
        await driver.pilot.click(offset=(1, 1))
        await driver.calm()
        assert driver.app.screen is driver.app.main


async def test_the_help_scrolls() -> None:
    async with driven(size=STACKED) as driver:
        await driver.press("f1")
        before = driver.text
        await driver.press("pagedown")
        await driver.pilot.wait_for_scheduled_animations()
        await driver.calm()
        assert driver.text != before


async def test_what_does_not_fit_one_message_cannot_be_chosen() -> None:
    async with driven(MemoryNode(), size=STACKED) as driver:
        driver.app.composer.paste("short\n" + "x" * 96)
        await driver.look()
        assert "too large: it has 102 bytes" in driver.text
        await driver.press("down", "enter")
        assert driver.node.told == []


@pytest.mark.parametrize(
    ("where", "title", "key"),
    [
        (Where.SPACE_TIME, "Space-time", "Move to the lane of another node."),
        (Where.OVERLAY, "Overlay", "Show the last wave once more."),
        (Where.LOG, "Causal log", "Order causally or by arrival."),
    ],
)
def test_help_explains_the_pane_that_has_the_focus_first_with_its_keys(
    where: Where, title: str, key: str
) -> None:
    lines = drawn(HelpScreen(UNICODE, COMMANDS, where).body())
    assert lines.splitlines()[0] == title
    assert key in lines.split("Commands")[0]
    assert lines.index("Commands") < lines.index("Panes")
