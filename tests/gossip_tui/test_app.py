"""The whole application over a node in memory: every command, every key, three sizes, hostile text."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from textual.events import Paste
from textual.filter import Monochrome, NoColor

from gossip_tui.commands import COMMANDS
from gossip_tui.keys import KEYS, Where
from gossip_tui.logs import FAILURES
from gossip_tui.runner import CommandRunner
from gossip_tui.screens.help import HelpScreen
from gossip_tui.screens.main import Arrangement, arrangement_for
from gossip_tui.screens.message import MessageScreen
from gossip_tui.screens.peers import PeersScreen
from gossip_tui.screens.question import PasteQuestion, QuitQuestion
from gossip_tui.widgets.causal_log import CausalLogPane
from protocol.core.config import Dissemination
from protocol.core.events import PeerLost, PeerSeen
from protocol.core.identity import NodeId
from protocol.core.snapshot import Counters, NeighbourRow, PeerState
from protocol.core.strategy import Strategy
from tests.gossip_tui.driving import SINGLE, STACKED, TINY, WIDE, Driver, driven
from tests.gossip_tui.hostile import HOSTILE, assert_harmless
from tests.gossip_tui.memory import MemoryNode
from tests.gossip_tui.samples import address, node_id, peer_row


def shown(driver: Driver) -> set[str]:
    """The panes that are on the screen."""
    return {pane.id or "" for pane in driver.app.main.panes if pane.display and pane.region.area}


# Sizes.


@pytest.mark.parametrize(
    ("columns", "rows", "arrangement"),
    [
        (90, 26, Arrangement.WIDE),
        (90, 25, Arrangement.FLAT),
        (89, 40, Arrangement.STACKED),
        (60, 18, Arrangement.STACKED),
        (59, 40, Arrangement.SINGLE),
        (140, 17, Arrangement.SINGLE),
    ],
)
def test_panes_are_arranged_by_the_size_of_the_terminal(
    columns: int, rows: int, arrangement: Arrangement
) -> None:
    assert arrangement_for(columns, rows) is arrangement


@pytest.mark.parametrize(
    ("size", "panes"),
    [
        (WIDE, {"view", "log", "rates"}),
        ((100, 20), {"view", "log"}),
        (STACKED, {"view", "log"}),
        (SINGLE, {"log"}),
        (TINY, {"log"}),
    ],
)
async def test_every_size_shows_what_it_has_room_for(size: tuple[int, int], panes: set[str]) -> None:
    async with driven(size=size) as driver:
        assert shown(driver) == panes
        assert driver.app.composer.input.region.area


async def test_a_terminal_of_20_by_5_and_back_loses_nothing() -> None:
    async with driven() as driver:
        driver.node.hear("p2", "still here")
        for size in (TINY, (1, 1), WIDE):
            await driver.pilot.resize_terminal(*size)
            await driver.look()
        assert "still here" in driver.log
        assert shown(driver) == {"view", "log", "rates"}


async def test_in_a_terminal_of_five_rows_the_newest_message_is_still_read() -> None:
    async with driven(size=TINY) as driver:
        driver.node.hear("p2", "hi")
        await driver.look()
        assert "hi" in driver.text


async def test_in_a_small_terminal_keys_bring_the_other_pane() -> None:
    async with driven(size=SINGLE) as driver:
        await driver.press("f2")
        assert (shown(driver), driver.focused) == ({"view"}, "view")
        await driver.press("f3")
        assert (shown(driver), driver.focused) == ({"log"}, "log")


async def test_a_hidden_pane_draws_nothing() -> None:
    async with driven(size=SINGLE) as driver:
        drawn: list[int] = []
        view = driver.app.main.partial_view
        render_line = view.render_line
        view.render_line = lambda y: drawn.append(y) or render_line(y)  # type: ignore[method-assign, func-returns-value]
        driver.node.now(cycle=413, peers=(peer_row(2, age=9),))
        await driver.look()
        assert drawn == []


async def test_nothing_is_drawn_when_nothing_changed() -> None:
    async with driven() as driver:
        await driver.look()
        drawn: list[object] = []
        driver.app._display = lambda *what: drawn.append(what)  # type: ignore[method-assign]
        for _ in range(5):
            await driver.look()
        assert drawn == []


# The composer and what is typed.


async def test_typing_starts_in_the_composer_and_enter_gossips() -> None:
    async with driven() as driver:
        assert driver.focused == "composer-input"
        await driver.type("hello all")
        await driver.press("enter")
        assert [message.text for message in driver.node.told] == ["hello all"]
        assert "hello all" in driver.log
        assert driver.composer == ""


async def test_two_lines_typed_faster_than_the_screen_are_two_messages() -> None:
    async with driven() as driver:
        for key in ("a", "enter", "b", "enter"):
            driver.send(key)
        await driver.calm()
        assert [message.text for message in driver.node.told] == ["a", "b"]


@pytest.mark.parametrize("line", ["", "   "])
async def test_an_empty_line_is_ignored(line: str) -> None:
    async with driven() as driver:
        await driver.enter(line)
        assert (driver.node.told, driver.hint) == ([], "")


async def test_a_doubled_slash_gossips_a_text_that_starts_with_one() -> None:
    async with driven() as driver:
        await driver.enter("//help yourself")
        assert [message.text for message in driver.node.told] == ["/help yourself"]


async def test_what_is_too_large_is_refused_before_sending_and_stays() -> None:
    async with driven() as driver:
        await driver.enter("ö" * 51)
        assert driver.node.told == []
        assert driver.hint == "payload of 102 bytes is too large: at most 100 bytes fit one message"
        assert driver.composer == "ö" * 51


async def test_an_unknown_command_is_refused_and_stays() -> None:
    async with driven() as driver:
        await driver.enter("/laeve")
        assert driver.hint == "there is no /laeve: did you mean /leave?"
        assert driver.composer == "/laeve"


async def test_a_full_backlog_is_said_and_the_line_stays() -> None:
    async with driven() as driver:
        driver.node.backlog_limit = 0
        await driver.enter("hello")
        assert "own messages are unacknowledged" in driver.hint
        assert driver.composer == "hello"


# Commands.


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_of_the_table_can_be_carried_out(name: str) -> None:
    assert callable(getattr(CommandRunner, "run_" + name.replace("-", "_")))


async def test_help_opens_the_help() -> None:
    async with driven() as driver:
        await driver.enter("/help")
        assert isinstance(driver.app.screen, HelpScreen)


async def test_help_for_a_command_is_a_line_in_the_log() -> None:
    async with driven() as driver:
        await driver.enter("/help freeze")
        assert "/freeze: Hold the screen still, or let it go on.  (F8)" in driver.log


async def test_view_and_log_go_there() -> None:
    async with driven() as driver:
        await driver.enter("/view")
        assert driver.focused == "view"
        await driver.press("escape")
        await driver.enter("/log")
        assert driver.focused == "log"


async def test_join_joins() -> None:
    async with driven() as driver:
        await driver.enter("/join 127.0.0.1:9001 [::1]:9002")
        assert driver.node.joined == ["127.0.0.1:9001", "[::1]:9002"]
        assert "joining through 127.0.0.1:9001, [::1]:9002" in driver.log


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("/join", "/join needs the address of a node, such as /join 127.0.0.1:7117"),
        ("/join nonsense", "an address looks like host:port or [ipv6]:port, not 'nonsense'"),
        ("/join 127.0.0.1:99999", "the port of '127.0.0.1:99999' must be a number from 1 to 65535"),
        ("/join 127.0.0.1:8001", "127.0.0.1:8001 is this node itself"),
        ("/add", "/add needs an argument: /add HOST:PORT ..."),
        ("/strategy magic", "strategy must be one of"),
        ("/dissemination lazy", "dissemination must be eager or tree"),
        ("/order upside-down", "/order takes causal or arrival, not upside-down"),
        ("/sort upside-down", "/sort takes age or name, not upside-down"),
        ("/filter /[/", "/[/ is not a regular expression"),
        ("/theme pink", "there is no theme pink: dark, light, contrast"),
        ("/help wanted", "there is no /wanted"),
        ("/leave now", "/leave takes no argument"),
        ("/node n02", "there is no /node"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_the_reason(line: str, reason: str) -> None:
    async with driven() as driver:
        await driver.enter(line)
        assert reason in driver.hint
        assert driver.composer == line


async def test_add_tries_peers() -> None:
    async with driven() as driver:
        await driver.enter("/add 127.0.0.1:9001")
        assert driver.node.added == ["127.0.0.1:9001"]


async def test_peers_lists_everyone_heard_of() -> None:
    lost = peer_row(9, state=PeerState.LOST, age=None)
    author = peer_row(11, state=PeerState.AUTHOR, age=None, address=None)
    async with driven(MemoryNode(peers=(peer_row(10), lost, author))) as driver:
        await driver.enter("/peers")
        assert isinstance(driver.app.screen, PeersScreen)
        assert "lost" in driver.text
        assert "never met" in driver.text
        assert "1 in view, 1 lost, 1 author" in driver.text


async def test_the_list_of_peers_tells_a_former_incarnation_of_the_node_from_itself() -> None:
    former = node_id("p1", 999)
    author = peer_row(1, id=former, state=PeerState.AUTHOR, age=None, address=None)
    async with driven(MemoryNode(peers=(peer_row(10), author))) as driver:
        await driver.enter("/peers")
        (row,) = (row for row in driver.rows if "never met" in row)
        assert f" {former.label} " in row
        assert "p10~" not in driver.text


async def test_the_list_of_peers_is_kept_up_to_date() -> None:
    async with driven() as driver:
        await driver.enter("/peers")
        driver.node.now(peers=(peer_row(77),))
        await driver.look()
        assert "p77" in driver.text


async def test_leave_says_so_and_join_comes_back_with_the_log_kept() -> None:
    back = MemoryNode(incarnation=1)
    async with driven(successor=lambda _: back) as driver:
        driver.node.hear("p2", "before")
        await driver.enter("/leave")
        await driver.look()
        assert driver.node.picture.left
        assert "this node has left: /join comes back" in driver.text
        assert "left the network: /join comes back" in driver.status
        await driver.enter("hello?")
        assert "left" in driver.hint
        await driver.enter("/join")
        await driver.look()
        assert back.joined == [str(address(number)) for number in (2, 5, 7)]
        assert "say something" in driver.text or driver.composer == ""
        await driver.enter("hello again")
        assert [message.text for message in back.told] == ["hello again"]
        assert "before" in driver.log
        assert "hello again" in driver.log


async def test_leaving_twice_is_refused() -> None:
    async with driven() as driver:
        await driver.enter("/leave")
        await driver.enter("/leave")
        assert driver.hint == "this node has left already: /join comes back"


async def test_join_typed_right_behind_leave_comes_back() -> None:
    said = asyncio.Event()

    class Lingering(MemoryNode):
        async def leave(self) -> None:
            await super().leave()
            await said.wait()

    back = MemoryNode(incarnation=1)
    async with driven(Lingering(), successor=lambda _: back) as driver:
        await driver.enter("/leave")
        await driver.enter("/join")
        assert driver.hint == ""
        assert not back.joined
        said.set()
        await driver.look()
        assert back.joined


async def test_a_port_taken_in_the_meantime_is_said() -> None:
    class Taken(MemoryNode):
        async def start(self) -> None:
            raise OSError("can't bind 127.0.0.1:8001: address in use")

    async with driven(successor=lambda _: Taken()) as driver:
        await driver.enter("/leave")
        await driver.look()
        await driver.enter("/join")
        assert driver.hint == "can't bind 127.0.0.1:8001: address in use"


async def test_strategy_sets_it_and_warns_of_its_dangers() -> None:
    async with driven() as driver:
        await driver.enter("/strategy (head, pull, rand)")
        assert driver.node.picture.strategy == Strategy.parse("(head, pull, rand)", 20)
        assert "strategy is now (head, pull, rand)" in driver.log
        assert " ! " in driver.log


async def test_strategy_alone_says_what_it_is() -> None:
    async with driven() as driver:
        await driver.enter("/strategy")
        assert "strategy (tail, push-pull, H=1, S=9), view size 20" in driver.log


async def test_dissemination_sets_how_messages_spread_and_alone_says_it() -> None:
    async with driven() as driver:
        await driver.enter("/dissemination TREE")
        assert driver.node.picture.dissemination is Dissemination.TREE
        assert "dissemination is now tree" in driver.log
        links = tuple(NeighbourRow(address(number), number < 3) for number in range(1, 6))
        driver.node.now(neighbours=links, counters=Counters(grafts=1_300, prunes=4))
        await driver.look()
        await driver.enter("/dissemination")
        assert "dissemination tree, 2 of 5 links in the tree, 1,300 grafts, 4 prunes" in driver.log


async def test_order_toggles_or_sets_the_order_of_the_log() -> None:
    async with driven() as driver:
        orders = []
        for line in ("/order", "/order arrival", "/order causal", "/order"):
            await driver.enter(line)
            orders.append(driver.app.main.log_pane.order.value)
        assert orders == ["arrival", "arrival", "causal", "arrival"]


async def test_sort_toggles_or_sets_the_order_of_the_view() -> None:
    async with driven() as driver:
        orders = []
        for line in ("/sort", "/sort name", "/sort age"):
            await driver.enter(line)
            orders.append(driver.app.main.partial_view.sorting.value)
        assert orders == ["name", "name", "age"]


async def test_filter_hides_what_does_not_match_until_it_is_lifted() -> None:
    async with driven() as driver:
        driver.node.hear("p2", "apples")
        driver.node.hear("p3", "pears")
        await driver.enter("/filter from:p2")
        assert "apples" in driver.log
        assert "pears" not in driver.log
        await driver.enter("/filter")
        assert "pears" in driver.log


@pytest.mark.parametrize("how", ["/freeze", "f8"])
async def test_freeze_holds_the_panes_still_and_thaws(how: str) -> None:
    async with driven() as driver:

        async def freeze() -> None:
            await (driver.press(how) if how == "f8" else driver.enter(how))

        await freeze()
        driver.node.hear("p2", "later")
        await driver.look()
        assert "later" not in driver.log
        assert "FROZEN" in driver.status
        await freeze()
        assert "later" in driver.log
        assert "FROZEN" not in driver.status


@pytest.mark.parametrize("how", ["/zoom", "f10"])
async def test_zoom_gives_the_pane_in_use_all_room_but_the_composers_and_the_footers(how: str) -> None:
    async with driven() as driver:

        async def zoom() -> None:
            await (driver.press(how) if how == "f10" else driver.enter(how))

        await driver.press("f2", "escape")
        await zoom()
        assert shown(driver) == {"view"}
        assert driver.app.main.partial_view.region.width == WIDE[0]
        assert driver.app.composer.input.region.area
        assert "F10 Zoom" in driver.text
        await zoom()
        assert shown(driver) == {"view", "log", "rates"}


async def test_in_zoom_another_pane_is_zoomed_by_going_there() -> None:
    async with driven() as driver:
        await driver.press("f10", "f2")
        assert shown(driver) == {"view"}


async def test_theme_goes_round_or_to_the_one_named() -> None:
    async with driven() as driver:
        names = []
        for line in ("/theme", "/theme", "/theme", "/theme light", "/theme nord"):
            await driver.enter(line)
            names.append(driver.app.theme)
        assert names == ["gossip-light", "gossip-contrast", "gossip-dark", "gossip-light", "nord"]


@pytest.mark.parametrize("how", ["/quit", "ctrl+q"])
async def test_quit_leaves_the_network_and_ends(how: str) -> None:
    async with driven() as driver:
        if how == "/quit":
            driver.app.composer.input.value = how
        driver.send("enter" if how == "/quit" else how)
        await driver.calm()
        assert driver.node.picture.left
        assert driver.app._exit


async def test_quit_asks_while_messages_wait_to_be_heard() -> None:
    async with driven() as driver:
        await driver.enter("hello")
        await driver.press("ctrl+q")
        assert isinstance(driver.app.screen, QuitQuestion)
        await driver.press("escape")
        assert not driver.node.picture.left


async def test_quit_goes_by_itself_once_a_message_was_heard() -> None:
    async with driven() as driver:
        await driver.enter("hello")
        await driver.press("ctrl+q")
        driver.node.now(unacknowledged=0)
        question = driver.app.screen
        assert isinstance(question, QuitQuestion)
        question.look()
        await driver.calm()
        assert driver.node.picture.left


@pytest.mark.parametrize("key", ["ctrl+q", "enter"])
async def test_quit_insisted_upon_does_not_wait(key: str) -> None:
    async with driven() as driver:
        await driver.enter("hello")
        await driver.press("ctrl+q")
        driver.send(key)
        await driver.calm()
        assert driver.node.picture.left


async def test_control_c_twice_quits() -> None:
    async with driven() as driver:
        await driver.press("ctrl+c")
        assert not driver.node.picture.left
        driver.send("ctrl+c")
        await driver.calm()
        assert driver.node.picture.left


async def test_the_feed_is_closed_however_the_application_ends() -> None:
    async with driven() as driver:
        driver.app.exit()
    assert driver.node.picture.left


# Several nodes.


@pytest.mark.parametrize("how", ["/node", "/node n02", "f9"])
async def test_in_a_swarm_one_moves_to_another_node(how: str) -> None:
    async with driven(MemoryNode("n01"), MemoryNode("n02"), MemoryNode("n03")) as driver:
        driver.nodes[0].hear("p2", "at the first")
        driver.nodes[1].hear("p2", "at the second")
        await driver.look()
        await (driver.press(how) if how == "f9" else driver.enter(how))
        assert driver.status.startswith(" n02 127.0.0.1:8001 (2/3)")
        assert "at the second" in driver.log
        assert "at the first" not in driver.log


async def test_after_the_last_node_comes_the_first() -> None:
    async with driven(MemoryNode("n01"), MemoryNode("n02")) as driver:
        await driver.press("f9", "f9")
        assert driver.status.startswith(" n01 ")


async def test_an_unknown_node_is_refused() -> None:
    async with driven(MemoryNode("n01"), MemoryNode("n02")) as driver:
        await driver.enter("/node n99")
        assert driver.hint == "there is no node n99 here: n01 to n02"


async def test_enter_on_a_peer_moves_there_in_a_swarm() -> None:
    peer = peer_row(2, id=node_id("n02"))
    async with driven(MemoryNode("n01", peers=(peer,)), MemoryNode("n02")) as driver:
        await driver.press("f2", "enter")
        assert driver.app.feed.seat == 1


async def test_a_single_node_has_no_key_for_others() -> None:
    async with driven() as driver:
        await driver.press("f9")
        assert "F9" not in driver.text
        assert "/" not in driver.status.split("│")[0]


# Keys.


async def test_the_footer_shows_every_key_of_the_table() -> None:
    async with driven() as driver:
        keys = [(key.label, key.does) for key in driver.app.main.footer.shown]
        assert keys == [
            ("F1", "Help"),
            ("F2", "View"),
            ("F3", "Log"),
            ("F4", "Space-time"),
            ("F5", "Overlay"),
            ("F6", "Faults"),
            ("F7", "Record"),
            ("F8", "Freeze"),
            ("F10", "Zoom"),
            ("^q", "Quit"),
            ("^p", "palette"),
        ]


@pytest.mark.parametrize("key", ["F1 Help", "F4 Space-time", "^p palette"])
async def test_a_click_on_a_key_of_the_footer_presses_it(key: str) -> None:
    async with driven() as driver:
        pressed: list[str] = []
        driver.app.simulate_key = pressed.append  # type: ignore[assignment, method-assign]
        for x in (driver.rows[-1].index(key), driver.rows[-1].index(key) + len(key) - 1):
            await driver.pilot.click(driver.app.main.footer, offset=(x, 0))
        label = key.split(maxsplit=1)[0].lower().replace("^", "ctrl+")
        assert pressed == [label, label]


async def test_a_click_beside_the_keys_of_the_footer_presses_none() -> None:
    async with driven(size=(200, 40)) as driver:
        pressed: list[str] = []
        driver.app.simulate_key = pressed.append  # type: ignore[assignment, method-assign]
        await driver.pilot.click(driver.app.main.footer, offset=(170, 0))
        assert pressed == []


async def test_moving_the_focus_makes_no_widgets_and_changes_no_class_of_the_screen() -> None:
    async with driven() as driver:
        before, classes = set(driver.app.screen.query("*")), driver.app.main.classes
        await driver.press("f2")
        assert (set(driver.app.screen.query("*")), driver.app.main.classes) == (before, classes)


@pytest.mark.parametrize("size", [SINGLE, (62, 24), STACKED])
async def test_the_footer_fits(size: tuple[int, int]) -> None:
    async with driven(size=size) as driver:
        assert "^q Quit" in driver.rows[-1]


async def test_f1_opens_the_help_and_closes_it() -> None:
    async with driven() as driver:
        opened = []
        for _ in range(2):
            await driver.press("f1")
            opened.append(isinstance(driver.app.screen, HelpScreen))
        assert opened == [True, False]


async def test_escape_goes_between_composer_and_log_and_never_quits() -> None:
    async with driven() as driver:
        places = []
        for _ in range(4):
            await driver.press("escape")
            places.append(driver.focused)
        assert places == ["log", "composer-input", "log", "composer-input"]
        assert not driver.node.picture.left


async def test_escape_leads_from_the_view_to_the_composer() -> None:
    async with driven() as driver:
        await driver.press("f2", "escape")
        assert driver.focused == "composer-input"


@pytest.mark.parametrize("key", ["f2", "f3", "f4", "f5", "f6"])
async def test_a_slash_leads_from_every_pane_to_a_command(key: str) -> None:
    async with driven() as driver:
        await driver.press(key, *"/peers")
        assert (driver.focused, driver.composer) == ("composer-input", "/peers")


async def test_a_slash_is_a_slash_in_the_composer_and_keeps_what_was_typed_there() -> None:
    async with driven() as driver:
        await driver.press(*"//a/b")
        assert driver.composer == "//a/b"
        await driver.press("f3", "/")
        assert (driver.focused, driver.composer) == ("composer-input", "//a/b")


async def test_tab_goes_from_pane_to_pane() -> None:
    async with driven() as driver:
        await driver.press("f2", "tab")
        assert driver.focused == "log"
        await driver.press("tab")
        assert driver.focused == "composer-input"


async def test_page_keys_scroll_the_log_from_the_composer() -> None:
    async with driven(size=STACKED) as driver:
        for number in range(100):
            driver.node.hear("p2", f"message {number:02}")
        await driver.look()
        await driver.press("pageup")
        assert "message 99" not in driver.log
        assert driver.focused == "composer-input"
        await driver.press("pagedown", "pagedown")
        assert "message 99" in driver.log


async def test_enter_opens_the_message_under_the_cursor() -> None:
    async with driven() as driver:
        driver.node.hear("p2", "what is this?")
        await driver.look()
        await driver.press("escape", "enter")
        assert isinstance(driver.app.screen, MessageScreen)
        assert "what is this?" in driver.text
        await driver.press("escape")
        assert driver.focused == "log"


async def test_enter_on_a_peer_shows_what_is_known_of_it() -> None:
    async with driven() as driver:
        await driver.press("f2", "enter")
        assert isinstance(driver.app.screen, PeersScreen)


@pytest.mark.parametrize(("key", "attribute", "value"), [("o", "order", "arrival"), ("a", "around", True)])
async def test_keys_of_the_log_work_where_the_log_has_the_focus(
    key: str, attribute: str, value: object
) -> None:
    async with driven() as driver:
        await driver.press("f3", key)
        assert getattr(driver.app.main.log_pane, attribute) == value


async def test_n_goes_from_match_to_match() -> None:
    async with driven() as driver:
        for text in ("apple", "pear", "apple", "plum"):
            driver.node.hear("p2", text)
        await driver.enter("/filter apple")
        await driver.press("f3", "a", "home", "n")
        first = driver.app.main.log_pane.cursor_message
        await driver.press("N")
        second = driver.app.main.log_pane.cursor_message
        assert (first, second) == (driver.node.told[2], driver.node.told[0])


async def test_s_sorts_the_view() -> None:
    async with driven() as driver:
        await driver.press("f2", "s")
        assert driver.app.main.partial_view.sorting.value == "name"


async def test_keys_do_not_act_under_a_dialog() -> None:
    async with driven() as driver:
        await driver.press("f1", "f8", "f10")
        assert not driver.app.frozen
        assert not driver.app.main.zoomed


TABS = (("Faults", "faults"), ("Space", "space-time"), ("Over", "overlay"), ("log", "log"))
"""A part of each title, and the pane."""


@pytest.mark.parametrize("size", [WIDE, STACKED])
@pytest.mark.parametrize("ascii_only", [False, True])
async def test_a_click_on_the_title_of_a_pane_behind_brings_it_to_the_front(
    size: tuple[int, int], ascii_only: bool
) -> None:
    async with driven(size=size, ascii=ascii_only) as driver:
        for title, pane in TABS:
            y, row = next((y, row) for y, row in enumerate(driver.rows) if "Causal log" in row)
            await driver.pilot.click(offset=(row.index(title, row.index("Causal")), y))
            await driver.look()
            assert driver.focused == pane


async def test_a_click_beside_the_titles_changes_nothing() -> None:
    async with driven() as driver:
        y, row = next((y, row) for y, row in enumerate(driver.rows) if "Causal log" in row)
        for x in (
            row.index("Causal") - 1,
            row.index("Space") - 2,
            row.index("Faults") + 7,
            row.index("Causal"),
        ):
            await driver.pilot.click(offset=(x, y))
            await driver.look()
            assert driver.focused == "log"


@pytest.mark.parametrize("columns", [24, 34, 48, 54, 60, 62, 66])
async def test_titles_in_a_frame_are_whole_or_keys_or_not_there(columns: int) -> None:
    names = ("Causal log", "Space-time", "Overlay", "Faults")
    async with driven(size=(columns, 16)) as driver:
        for place, name in enumerate(names):
            await driver.press(f"f{place + 3}")
            titles = driver.rows[1].strip("╭─╮ ").split(" │ ")
            own = titles[place if len(titles) > 1 else 0]
            assert own.startswith(name)
            others = [title for title in titles if title is not own]
            keys = [f"F{number + 3}" for number in range(4) if number != place]
            assert others in ([one for one in names if one != name], keys, [])
            assert columns < 48 or others


async def test_a_click_on_the_key_of_a_pane_behind_brings_it_to_the_front() -> None:
    async with driven(size=(50, 16)) as driver:
        for key, pane in (("F6", "faults"), ("F4", "space-time"), ("F3", "log"), ("F5", "overlay")):
            await driver.pilot.click(offset=(driver.rows[1].index(key), 1))
            await driver.look()
            assert driver.focused == pane


@pytest.mark.parametrize("key", ["f2", "f3", "f4", "f5", "f6"])
async def test_what_is_typed_in_a_pane_and_no_key_of_it_goes_to_the_composer(key: str) -> None:
    async with driven() as driver:
        await driver.press(key)
        await driver.type("What? x7")
        await driver.press("enter")
        assert driver.focused == "composer-input"
        assert [message.text for message in driver.node.told] == ["What? x7"]


async def test_every_letter_that_a_pane_keeps_for_itself_is_in_the_table_of_keys() -> None:
    async with driven() as driver:
        main = driver.app.main
        for where in (Where.VIEW, Where.LOG, Where.SPACE_TIME, Where.OVERLAY, Where.FAULTS):
            named = {word for key in KEYS if key.where is where for word in key.label.split()}
            bound = {key for key in main.pane_of(where)._bindings.key_to_bindings if len(key) == 1}
            assert sorted(letter for letter in bound - named if letter.isalpha()) == []


@pytest.mark.parametrize("key", ["f2", "f3", "f5", "f6"])
async def test_words_may_begin_with_any_letter_that_is_no_key_of_the_pane(key: str) -> None:
    async with driven() as driver:
        for letter in "jkgGhl":
            await driver.press(key)
            await driver.type(letter)
        assert driver.composer == "jkgGhl"


async def test_keys_of_a_pane_stay_its_keys_and_a_blank_types_nothing() -> None:
    async with driven() as driver:
        await driver.press("f3", "o", "space", "a")
        assert driver.focused == "log"
        assert driver.composer == ""


async def test_what_is_typed_in_a_pane_is_put_behind_what_was_typed_before() -> None:
    async with driven() as driver:
        await driver.type("hel")
        await driver.press("escape")
        assert driver.focused == "log"
        await driver.type("lo")
        assert (driver.composer, driver.focused) == ("hello", "composer-input")


async def test_a_paste_into_a_pane_goes_to_the_composer() -> None:
    async with driven() as driver:
        await driver.press("f4")
        driver.app.main.space_time.post_message(Paste("from elsewhere"))
        await driver.look()
        assert (driver.composer, driver.focused) == ("from elsewhere", "composer-input")


async def test_a_click_focuses_a_pane() -> None:
    async with driven() as driver:
        await driver.pilot.click("#view")
        assert driver.focused == "view"


# The palette.


async def test_the_palette_finds_commands_by_their_title() -> None:
    async with driven() as driver:
        await driver.press("ctrl+p")
        await driver.type("freeze")
        await driver.app.workers.wait_for_complete()
        await driver.calm()
        await driver.press("enter")
        await driver.calm()
        assert driver.app.frozen


async def test_a_command_that_needs_an_argument_is_put_into_the_composer() -> None:
    async with driven() as driver:
        driver.app.action_command("add")
        await driver.calm()
        assert (driver.composer, driver.focused) == ("/add ", "composer-input")


# The network on the screen.


async def test_a_log_file_that_can_not_be_written_is_said_in_the_log_of_the_screen() -> None:
    async with driven() as driver:
        FAILURES.append("log file x can't be written: No space left on device")
        await driver.look()
        assert "! log file x can't be written: No space left on device" in driver.log
    assert not FAILURES


async def test_joining_leaving_and_losing_a_peer_are_lines_in_the_log() -> None:
    async with driven() as driver:
        driver.node.happen(
            PeerSeen(node_id("p5"), address(5)),
            PeerSeen(node_id("p9"), address(9)),
            PeerLost(node_id("p8"), address(8), left=True),
            PeerLost(node_id("p7"), address(7), left=False),
        )
        await driver.look()
        assert "+ p5 127.0.0.1:8005 joined" in driver.log
        assert "· p9 named by another node, not heard from yet" in driver.log
        assert "p8 left" in driver.log
        assert "p7 lost" in driver.log


async def test_being_named_rings_once() -> None:
    async with driven() as driver:
        driver.node.hear("p2", "p1, are you there? @p1!")
        driver.node.hear("p3", "P1?")
        await driver.look()
        await driver.look()
        assert driver.app.rung == 1


@pytest.mark.parametrize(("who", "text", "history"), [("p2", "p10 is here", False), ("p2", "p1?", True)])
async def test_nothing_rings_for_others_or_for_history(who: str, text: str, *, history: bool) -> None:
    async with driven() as driver:
        driver.node.hear(who, text, from_history=history)
        await driver.look()
        assert driver.app.rung == 0


async def test_naming_oneself_does_not_ring() -> None:
    async with driven() as driver:
        await driver.enter("p1 says hello")
        assert driver.app.rung == 0


async def test_two_nodes_of_one_name_are_told_apart() -> None:
    twins = (peer_row(2, id=node_id("twin", 1)), peer_row(3, id=node_id("twin", 2)))
    async with driven(MemoryNode(peers=twins)) as driver:
        for twin in twins:
            assert twin.id.label in driver.text


@pytest.mark.parametrize("size", [WIDE, STACKED, SINGLE])
async def test_hostile_text_is_shown_harmlessly_everywhere(size: tuple[int, int]) -> None:
    strangers = [NodeId(text or "?", 7) for text in HOSTILE]
    peers = [peer_row(2, id=stranger) for stranger in strangers]
    async with driven(MemoryNode(peers=peers), size=size) as driver:
        seen = driver.text
        for text, stranger in zip(HOSTILE, strangers, strict=True):
            payload = text.encode("utf-8", "surrogatepass")
            driver.node.deliver(driver.node.talk.say(node_id("p2"), payload))
            driver.node.deliver(driver.node.talk.say(stranger, payload))
            driver.node.happen(PeerSeen(stranger, address(2)), PeerLost(stranger, address(2), left=True))
            await driver.look()
            seen += driver.text
        for keys in (("f2", "enter"), ("escape", "f3", "home", "enter"), ("escape",)):
            await driver.press(*keys)
            seen += driver.text
        assert_harmless(seen.replace("\n", ""))
        assert not driver.app._exit


async def test_every_message_opens_however_hostile() -> None:
    async with driven(size=STACKED) as driver:
        for text in HOSTILE:
            message = driver.node.deliver(
                driver.node.talk.say(node_id("p2"), text.encode("utf-8", "surrogatepass"))
            )
            await driver.look()
            driver.app.main.log_pane.post_message(
                CausalLogPane.MessageChosen(driver.app.main.log_pane, message)
            )
            await driver.calm()
            assert isinstance(driver.app.screen, MessageScreen)
            assert_harmless(driver.text.replace("\n", ""))
            await driver.press("escape")


async def test_hostile_text_may_be_pasted_into_any_place() -> None:
    async with driven(size=STACKED) as driver:
        starts = itertools.cycle(("", "/", "/filter ", "/join ", "/strategy ", "/help ", "/theme "))
        for start, text in zip(starts, HOSTILE, strict=False):
            driver.app.composer.prefill(start)
            driver.app.composer.paste(text)
            driver.send("tab")
            driver.send("enter")
            await driver.calm()
            assert_harmless(driver.text.replace("\n", ""))
            if driver.app.screen is not driver.app.main:
                await driver.press("escape")
        assert not driver.app._exit


@pytest.mark.parametrize("size", [(100, 30), SINGLE, TINY])
async def test_whatever_is_drawn_in_ascii_mode_is_ascii(size: tuple[int, int]) -> None:
    async with driven(MemoryNode("n" * 60), ascii=True, size=size) as driver:
        driver.node.hear("p2", "plain " * 60)
        driver.node.hear("p2", "one\x1b line\nand another")
        await driver.enter("/fault loss=20 delay=50..200 duplicate=5 reorder=10 tail=3")
        await driver.press("f10")
        await driver.press("f10")
        driver.app.toast("passing " * 40)
        frames = ""
        for key in (
            "f1",
            "escape",
            "f2",
            "f3",
            "home",
            "enter",
            "escape",
            "f4",
            "f5",
            "f6",
            "ctrl+p",
            "down",
        ):
            await driver.press(key)
            frames += driver.text
        assert sorted({c for c in frames if not c.isascii()}) == []


async def test_in_ascii_mode_a_toast_has_a_plain_frame() -> None:
    async with driven(ascii=True, size=(60, 20), toasts=True) as driver:
        driver.app.toast("passing")
        await driver.look()
        assert "| passing" in driver.text
        assert driver.text.isascii()


async def test_in_ascii_mode_what_is_cut_in_a_frame_has_a_plain_mark() -> None:
    async with driven(ascii=True, size=(20, 16)) as driver:
        await driver.press("f1")
        assert "Esc closes,~" in driver.text or "Esc closes~" in driver.text, driver.rows
        assert driver.text.isascii()


async def test_without_colour_there_are_no_greys_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with driven() as driver:
        kinds = [type(line_filter) for line_filter in driver.app.get_line_filters()]
        assert NoColor in kinds
        assert Monochrome not in kinds


@pytest.mark.parametrize("theme", ["dark", "light", "contrast"])
async def test_every_theme_draws(theme: str) -> None:
    async with driven(theme=theme) as driver:
        assert "Partial view" in driver.text


# When something breaks.


async def test_an_error_in_a_callback_is_counted_and_shown_and_the_screen_goes_on() -> None:
    async with driven() as driver:
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": "oops", "exception": ZeroDivisionError("by [/] zero")})
        loop.call_exception_handler({"message": "oops", "exception": ZeroDivisionError("by [/] zero")})
        assert "internal error, 2 times: ZeroDivisionError: by [/] zero" in driver.status
        await driver.enter("still works")
        assert "still works" in driver.log


async def test_the_loop_gets_its_former_handler_back() -> None:
    def former(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None: ...

    asyncio.get_running_loop().set_exception_handler(former)
    async with driven():
        pass
    assert asyncio.get_running_loop().get_exception_handler() is former


async def test_the_same_toast_does_not_come_twice_at_once() -> None:
    async with driven() as driver:
        for _ in range(5):
            driver.app.toast("[/] careful")
        await driver.calm()
        assert len(driver.app._notifications) == 1


# Pastes.


async def test_many_pasted_lines_are_asked_about_and_sent_in_order() -> None:
    async with driven() as driver:
        driver.app.composer.paste("one\n\ntwo\nthree\n")
        await driver.look()
        assert isinstance(driver.app.screen, PasteQuestion)
        await driver.press("enter")
        await driver.look()
        assert [message.text for message in driver.node.told] == ["one", "two", "three"]


async def test_ten_thousand_pasted_lines_all_arrive_although_the_backlog_is_small() -> None:
    async with driven() as driver:
        driver.node.backlog_limit = 1_000
        driver.app.composer.paste("\n".join(f"line {number}" for number in range(10_000)))
        await driver.look()
        await driver.press("enter")
        await driver.app.workers.wait_for_complete()
        await driver.look()
        assert [message.text for message in driver.node.told] == [
            f"line {number}" for number in range(10_000)
        ]
        assert [toast.message for toast in driver.app._notifications] == ["10,000 messages sent"]


async def test_a_paste_stopped_by_leaving_says_how_far_it_came() -> None:
    async with driven() as driver:
        driver.node.now(left=True)
        driver.app.runner.send_many(["a", "b"])
        await driver.look()
        assert driver.hint == "0 of 2 lines were sent: the node has left or is closed"


async def test_a_paste_can_be_one_message_or_none() -> None:
    async with driven() as driver:
        for keys in (("down", "enter"), ("down", "down", "enter"), ("escape",)):
            driver.app.composer.paste("one\ntwo")
            await driver.look()
            await driver.press(*keys)
        assert [message.text for message in driver.node.told] == ["one\ntwo"]
