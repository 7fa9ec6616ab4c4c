"""The one table: what may be typed, and that everything made from it agrees."""

from __future__ import annotations

import pytest

from gossip_tui.command import CommandError
from gossip_tui.command_line import Invocation, Say, parse_line
from gossip_tui.command_tables import command_rows, key_rows, markdown, readme_tables
from gossip_tui.commands import COMMANDS, available, find_command
from gossip_tui.completion import Completion, Vocabulary, complete
from gossip_tui.keys import KEYS

DUE = (
    "help",
    "join",
    "add",
    "peers",
    "record",
    "export",
    "copy",
    "leave",
    "strategy",
    "order",
    "filter",
    "freeze",
    "zoom",
    "theme",
    "quit",
)


def invoked(line: str, *, demo: bool = False) -> Invocation:
    parsed = parse_line(line, demo=demo)
    assert isinstance(parsed, Invocation)
    return parsed


@pytest.mark.parametrize("name", DUE)
def test_every_promised_command_exists(name: str) -> None:
    assert find_command(name).name == name


def test_names_and_keys_are_unique() -> None:
    names = [command.name for command in COMMANDS]
    keys = [command.key for command in COMMANDS if command.key]
    assert len(set(names)) == len(names)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    "text", [command.does for command in COMMANDS] + [command.title for command in COMMANDS]
)
def test_texts_hold_nothing_that_could_be_read_as_markup(text: str) -> None:
    assert "[" not in text


def test_plain_text_is_gossip_as_it_was_typed() -> None:
    assert parse_line(" hello  there ") == Say(" hello  there ")


@pytest.mark.parametrize("line", ["", " ", "\t "])
def test_an_empty_line_is_nothing(line: str) -> None:
    assert parse_line(line) is None


def test_two_slashes_start_a_text_with_one() -> None:
    assert parse_line("//join us") == Say("/join us")


def test_a_command_is_found_in_any_case_with_its_argument_stripped() -> None:
    assert invoked("/JOIN  127.0.0.1:1  ") == Invocation(find_command("join"), "127.0.0.1:1")


def test_words_are_split_at_white_space() -> None:
    assert invoked("/add a:1   b:2").words == ["a:1", "b:2"]


def test_an_unknown_command_names_the_nearest() -> None:
    with pytest.raises(CommandError, match="no /jion: did you mean /join"):
        parse_line("/jion x:1")


def test_an_unknown_command_without_a_neighbour_shows_the_way() -> None:
    with pytest.raises(CommandError, match="/help lists all commands, // starts"):
        parse_line("/xyzzy")


def test_control_characters_in_an_unknown_command_are_not_echoed() -> None:
    with pytest.raises(CommandError) as refusal:
        parse_line("/\x1b]0;x\x07")
    assert "\x1b" not in str(refusal.value)


def test_a_missing_argument_is_asked_for() -> None:
    with pytest.raises(CommandError, match="/add needs an argument: /add HOST:PORT"):
        parse_line("/add")


def test_an_argument_nobody_needs_is_refused() -> None:
    with pytest.raises(CommandError, match="/leave takes no argument"):
        parse_line("/leave now")


def test_commands_for_several_nodes_exist_only_where_there_are_several() -> None:
    assert invoked("/node n03", demo=True).argument == "n03"
    with pytest.raises(CommandError):
        parse_line("/node n03")
    assert "node" not in [command.name for command in available(demo=False)]


def test_a_recording_has_commands_of_its_own_and_refuses_those_of_a_live_node() -> None:
    assert parse_line("/seek +10", replay=True) == Invocation(find_command("seek", replay=True), "+10")
    with pytest.raises(CommandError, match="/join needs a live node, and this is a recording"):
        parse_line("/join a:1", replay=True)
    with pytest.raises(CommandError, match="there is no /seek"):
        parse_line("/seek +10")
    names = [command.name for command in available(demo=False, replay=True)]
    assert "play" in names
    assert "record" not in names


def test_tables_name_every_command_and_every_key() -> None:
    calls = [call for call, _, _ in command_rows()]
    labels = [label for label, _, _ in key_rows()]
    assert calls == [command.call for command in COMMANDS]
    live = {"F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "^q", "^s"}
    assert {key.label for key in KEYS} | live | {"Space", "[", "]", "{", "}", "-", "+"} == set(labels)


def test_a_markdown_table_escapes_pipes() -> None:
    assert markdown(("A", "B"), [("x|y", "z")]) == "| A | B |\n| --- | --- |\n| x\\|y | z |"


def test_readme_tables_hold_a_line_for_every_command() -> None:
    tables = readme_tables()
    assert all(f"`{command.call}`".replace("|", "\\|") in tables["commands"] for command in COMMANDS)
    assert "| F8 | everywhere |" in tables["keys"]


WORDS = Vocabulary(names=("p2", "p20", "zoe"), addresses=("10.0.0.2:1",), themes=("dark", "light"))


def completed(line: str, words: Vocabulary = WORDS) -> Completion:
    return complete(line, len(line), words)


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("/jo", "/join "),
        ("/join 1", "/join 10.0.0.2:1 "),
        ("/strategy sw", "/strategy swapper "),
        ("/order c", "/order causal "),
        ("/sort n", "/sort name "),
        ("/theme d", "/theme dark "),
        ("/filter from:z", "/filter from:zoe "),
        ("/help fr", "/help freeze "),
        ("hello ZO", "hello zoe "),
        ("hello @z", "hello @zoe "),
        ("//jo", "//jo"),
        ("/leave x", "/leave x"),
        ("", ""),
        ("hello ", "hello "),
    ],
)
def test_tab_completes(line: str, becomes: str) -> None:
    assert completed(line) == Completion(becomes, len(becomes))


def test_of_several_matches_the_shared_part_is_completed_and_all_are_offered() -> None:
    assert completed("/filter from:p") == Completion("/filter from:p2", 15, ("from:p2", "from:p20"))


def test_a_match_that_is_itself_the_start_of_another_is_not_ended() -> None:
    assert completed("p2") == Completion("p2", 2, ("p2", "p20"))


def test_a_slash_alone_offers_every_command_there_is() -> None:
    assert completed("/").choices == tuple(sorted(f"/{command.name}" for command in available(demo=False)))


def test_nodes_complete_only_in_a_swarm() -> None:
    assert completed("/node n", Vocabulary(nodes=("n01", "m02"))).line == "/node n01 "
    assert completed("/node n").line == "/node n"


def test_completion_works_in_the_middle_of_a_line() -> None:
    assert complete("zo and you", 2, WORDS) == Completion("zoe and you", 3)
