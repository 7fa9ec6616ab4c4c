"""The one table: every command and every key, what it takes and what it does.

Composer, palette, footer, help screen and the tables of the README are all made from it, so they can't
disagree. This module draws nothing and imports nothing that does.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from protocol.errors import GossipError
from protocol.text import printable

__all__ = [
    "COMMANDS",
    "KEYS",
    "SWARM",
    "Command",
    "CommandError",
    "Invocation",
    "Key",
    "Say",
    "Takes",
    "Where",
    "available",
    "command_rows",
    "find_command",
    "key_rows",
    "markdown",
    "parse_line",
]


SWARM = "swarm"
"""The word that makes a command one for all nodes of a demo."""


class CommandError(GossipError, ValueError):
    """A line typed by the person can't be carried out; the text says why and what is possible."""


class Takes(StrEnum):
    """What the arguments of a command are, so that Tab can complete them."""

    NOTHING = "nothing"
    ADDRESSES = "addresses"
    COMMAND = "command"
    DISSEMINATION = "dissemination"
    COPY = "copy"
    FAULT = "fault"
    FILE = "file"
    FILTER = "filter"
    FORMAT = "format"
    MOMENT = "moment"
    NODE = "node"
    NODES = "nodes"
    NUMBER = "number"
    ORDER = "order"
    SORT = "sort"
    STRATEGY = "strategy"
    THEME = "theme"
    TOUR = "tour"


class Where(StrEnum):
    """Where a key works."""

    EVERYWHERE = "everywhere"
    COMPOSER = "composer"
    LOG = "log"
    VIEW = "view"
    SPACE_TIME = "space-time"
    OVERLAY = "overlay"
    FAULTS = "faults"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a person can ask for by ``/name``, from the palette, and by a key if it has one."""

    name: str
    title: str
    """What the palette calls it."""
    does: str
    """One sentence without markup."""
    usage: str = ""
    """Its arguments as the help shows them; square brackets for what may be left out."""
    takes: Takes = Takes.NOTHING
    needs_argument: bool = False
    key: str = ""
    """The key as Textual names it, or nothing."""
    footer: str = ""
    """The word beside the key at the foot of the screen; the key does not stand there without one."""
    spare: int = 0
    """The larger, the sooner the foot of the screen leaves the key out for want of room; 0 for never."""
    demo: bool = False
    """Whether it exists only where several nodes run in this process."""
    live: bool = False
    """Whether it needs a live node, and so can't be carried out in a recording."""
    replay: bool = False
    """Whether it exists only in a recording."""

    @property
    def call(self) -> str:
        """How to type it: the slash, the name and the usage."""
        return f"/{self.name} {self.usage}".rstrip()


@dataclass(frozen=True, slots=True)
class Key:
    """One key that is no command of its own."""

    label: str
    does: str
    where: Where


COMMANDS: tuple[Command, ...] = (
    Command(
        "help",
        "Help",
        "Explain panes, keys and commands, or one command.",
        usage="[COMMAND]",
        takes=Takes.COMMAND,
        key="f1",
        footer="Help",
    ),
    Command("view", "Go to the partial view", "Move to the partial view.", key="f2", footer="View", spare=1),
    Command("log", "Go to the log", "Move to the causal log.", key="f3", footer="Log", spare=1),
    Command(
        "spacetime",
        "Go to the space-time diagram",
        "Move to the space-time diagram.",
        key="f4",
        footer="Space-time",
        spare=2,
    ),
    Command(
        "overlay",
        "Go to the overlay",
        "Move to the overlay: the graph of partial views.",
        key="f5",
        footer="Overlay",
        spare=2,
    ),
    Command(
        "faults",
        "Go to the faults",
        "Move to the dials: faults, cuts, and how nodes sample and spread.",
        key="f6",
        footer="Faults",
        spare=2,
    ),
    Command(
        "join",
        "Join a network",
        "Join through these nodes; after leaving: come back as a new incarnation.",
        usage="[HOST:PORT ...]",
        takes=Takes.ADDRESSES,
        live=True,
    ),
    Command(
        "add",
        "Add peers",
        "Try these nodes as peers, once.",
        usage="HOST:PORT ...",
        takes=Takes.ADDRESSES,
        needs_argument=True,
        live=True,
    ),
    Command("peers", "List everyone heard of", "List everyone heard of: in view, lost, left, authors."),
    Command("leave", "Leave the network", "Say goodbye to the network and stay here to read.", live=True),
    Command(
        "strategy",
        "Set or show the strategy",
        "Set how peers are sampled, or say how they are now; with swarm: all over the demo.",
        usage="[NAME]",
        takes=Takes.STRATEGY,
        live=True,
    ),
    Command(
        "dissemination",
        "Set or show how messages spread",
        "Spread messages eager (to random peers) or by tree, or say how; with swarm: all over the demo.",
        usage="[WAY]",
        takes=Takes.DISSEMINATION,
        live=True,
    ),
    Command(
        "fanout",
        "Set or show the fan-out",
        "Push new messages to so many peers, or say to how many; with swarm: all over the demo.",
        usage="[N]",
        takes=Takes.NUMBER,
        live=True,
    ),
    Command(
        "view-size",
        "Set or show the view size",
        "Hold so many peers in the partial view, or say how many; with swarm: all over the demo.",
        usage="[N]",
        takes=Takes.NUMBER,
        live=True,
    ),
    Command(
        "fault",
        "Set or show faults",
        "Do this, and nothing else, to datagrams of this node, or to those with one peer: loss, duplicate, "
        "reorder, tail in percent, delay=50..200, jitter, late in milliseconds; off ends it; "
        "with swarm: all over the demo.",
        usage="[PEER] [loss=20]",
        takes=Takes.FAULT,
        live=True,
    ),
    Command(
        "partition",
        "Cut the network",
        "Cut this node off from peers; in the demo: cut the swarm in two, those named from the others.",
        usage="[NAME ...]",
        takes=Takes.NODES,
        live=True,
    ),
    Command(
        "heal",
        "Heal the network",
        "Undo every cut that was made here, or that from these peers.",
        usage="[NAME ...]",
        takes=Takes.NODES,
        live=True,
    ),
    Command(
        "crash",
        "Crash a node",
        "End a node of the demo without a word.",
        usage="NAME",
        takes=Takes.NODE,
        needs_argument=True,
        demo=True,
        live=True,
    ),
    Command(
        "stop",
        "Stop a node",
        "Let a node of the demo stand still, as a process does that was stopped.",
        usage="NAME",
        takes=Takes.NODE,
        needs_argument=True,
        demo=True,
        live=True,
    ),
    Command(
        "continue",
        "Let a node go on",
        "Let a node of the demo go on that stands still.",
        usage="NAME",
        takes=Takes.NODE,
        needs_argument=True,
        demo=True,
        live=True,
    ),
    Command(
        "restart",
        "Restart a node",
        "Bring a node of the demo back as a new incarnation, whatever became of it.",
        usage="NAME",
        takes=Takes.NODE,
        needs_argument=True,
        demo=True,
        live=True,
    ),
    Command(
        "order",
        "Toggle the order of the log",
        "Order the log causally or by arrival; without a word: the other one.",
        usage="[causal|arrival]",
        takes=Takes.ORDER,
    ),
    Command(
        "sort",
        "Toggle the order of the view",
        "Sort the partial view by age or by name; without a word: the other one.",
        usage="[age|name]",
        takes=Takes.SORT,
    ),
    Command(
        "filter",
        "Filter the log",
        "Show only what matches: text, from:NAME, /regex/, ! in front for the rest; without a word: all.",
        usage="[PATTERN]",
        takes=Takes.FILTER,
    ),
    Command(
        "record",
        "Start or stop recording",
        "Record what happens to a new file, or stop; without a name: one after node and time.",
        usage="[FILE]",
        takes=Takes.FILE,
        key="f7",
        footer="Record",
        spare=3,
        live=True,
    ),
    Command(
        "export",
        "Export to a file",
        "Write messages, history, overlay or the screen to a new file: jsonl, csv, shiviz, dot, svg.",
        usage="FORMAT [FILE]",
        takes=Takes.FORMAT,
        needs_argument=True,
        key="ctrl+s",
    ),
    Command(
        "copy",
        "Copy the message",
        "Copy the message under the cursor, or the address of this node; to the clipboard and a file.",
        usage="[message|address]",
        takes=Takes.COPY,
    ),
    Command(
        "freeze",
        "Freeze or thaw the screen",
        "Hold the screen still, or let it go on.",
        key="f8",
        footer="Freeze",
        spare=4,
        live=True,
    ),
    Command(
        "play",
        "Play or pause",
        "Play the recording on, or pause it.",
        key="space",
        footer="Play",
        spare=1,
        replay=True,
    ),
    Command(
        "back",
        "Step back",
        "Pause, and go to the recorded moment before.",
        key="left_square_bracket",
        footer="Back",
        spare=2,
        replay=True,
    ),
    Command(
        "step",
        "Step on",
        "Pause, and go to the next recorded moment.",
        key="right_square_bracket",
        footer="Step",
        spare=2,
        replay=True,
    ),
    Command(
        "previous",
        "Jump to the event before",
        "Go back to what came late, was lost, given up or disturbed.",
        key="left_curly_bracket",
        footer="Event before",
        spare=3,
        replay=True,
    ),
    Command(
        "next",
        "Jump to the next event",
        "Go on to what came late, was lost, given up or disturbed.",
        key="right_curly_bracket",
        footer="Next event",
        spare=3,
        replay=True,
    ),
    Command(
        "slower", "Play slower", "Play at half the speed.", key="minus", footer="Slower", spare=4, replay=True
    ),
    Command(
        "faster", "Play faster", "Play at twice the speed.", key="plus", footer="Faster", spare=4, replay=True
    ),
    Command(
        "seek",
        "Go to a moment",
        "Go to a moment of the recording, so many seconds on or back, or a share of it.",
        usage="2:05|+10|-10|50%",
        takes=Takes.MOMENT,
        needs_argument=True,
        replay=True,
    ),
    Command(
        "node",
        "Move to the next node",
        "Sit on another node of this swarm; without a name: the next one.",
        usage="[NAME]",
        takes=Takes.NODE,
        key="f9",
        footer="Next node",
        spare=3,
        demo=True,
    ),
    Command(
        "zoom",
        "Zoom or unzoom the pane",
        "Give one pane all the room, or share it again.",
        key="f10",
        footer="Zoom",
        spare=5,
    ),
    Command(
        "theme",
        "Change the theme",
        "Use this theme, or the next one.",
        usage="[NAME]",
        takes=Takes.THEME,
    ),
    Command(
        "tour",
        "Take the tour",
        "Show in six steps what there is; next, skip, or never: no demo begins with it any more.",
        usage="[next|skip|never]",
        takes=Takes.TOUR,
        live=True,
        demo=True,
    ),
    Command("quit", "Quit", "Leave the network and end the program.", key="ctrl+q", footer="Quit"),
)
"""Every command, in the order in which help, palette and footer show them."""

KEYS: tuple[Key, ...] = (
    Key("Esc", "Move between composer and log; in a dialog: close it.", Where.EVERYWHERE),
    Key("/", "From a pane: go to the composer and begin a command.", Where.EVERYWHERE),
    Key(
        "any letter", "From a pane: type it into the composer, if it is no key of the pane.", Where.EVERYWHERE
    ),
    Key("Tab", "Move to the next pane.", Where.EVERYWHERE),
    Key("^p", "Open the command palette.", Where.EVERYWHERE),
    Key("^n ^t ^o", "In the tour: next step, skip it, never see it again.", Where.EVERYWHERE),
    Key("Enter", "Send the line, or carry out the command.", Where.COMPOSER),
    Key("Up Down", "Go through the lines typed before.", Where.COMPOSER),
    Key("Tab", "Complete a command, a peer, a strategy.", Where.COMPOSER),
    Key("PgUp PgDn", "Scroll the log.", Where.COMPOSER),
    Key("Up Down PgUp PgDn Home", "Move through the messages.", Where.LOG),
    Key("End", "Go to the newest message and follow.", Where.LOG),
    Key("Enter", "Open the message: full text, clock, parents, what is concurrent.", Where.LOG),
    Key("o", "Order causally or by arrival.", Where.LOG),
    Key("y", "Copy the message.", Where.LOG),
    Key("n N", "Go to the next or previous match of the filter.", Where.LOG),
    Key("a", "Show all lines around the matches of the filter, or the matches alone.", Where.LOG),
    Key("Up Down PgUp PgDn Home End", "Move through the peers.", Where.VIEW),
    Key("Enter", "Open the peer; in the demo: move to that node.", Where.VIEW),
    Key("s", "Sort by age or by name.", Where.VIEW),
    Key("y", "Copy the address of the peer; in a dialog: what it is about.", Where.VIEW),
    Key("Up Down PgUp PgDn Home", "Move through the events: past, future, concurrent.", Where.SPACE_TIME),
    Key("Left Right", "Move to the lane of another node.", Where.SPACE_TIME),
    Key("End", "Go to the newest event and follow.", Where.SPACE_TIME),
    Key("Enter", "Open the message of the event.", Where.SPACE_TIME),
    Key("< >", "Move the lane to the left or to the right.", Where.SPACE_TIME),
    Key("h u", "Hide the lane; show all lanes.", Where.SPACE_TIME),
    Key("c", "Collapse the lane, or make it wide again.", Where.SPACE_TIME),
    Key("b", "Sort the lanes: those that send most first, or by name.", Where.SPACE_TIME),
    Key("e", "Show every event in a row of its own, or thin them out again.", Where.SPACE_TIME),
    Key("Left Right", "Let the view of another node stand out.", Where.OVERLAY),
    Key("Home", "Let the own view stand out again.", Where.OVERLAY),
    Key("Enter", "Open the node whose view stands out; in the demo: move there.", Where.OVERLAY),
    Key("r", "Show the last wave once more.", Where.OVERLAY),
    Key("Up Down PgUp PgDn Home End", "Go to another dial.", Where.FAULTS),
    Key("Left Right", "Turn the dial; it takes force a moment later, or with Enter.", Where.FAULTS),
    Key("0", "Reset the dial.", Where.FAULTS),
    Key("1 to 9 . Backspace Enter", "Type a number; Enter lets it take force.", Where.FAULTS),
    Key("a", "In the demo: turn dials for this node, or for all.", Where.FAULTS),
)
"""Every key that is no command of its own."""

KEY_LABELS = {
    "ctrl+q": "^q",
    "ctrl+p": "^p",
    "ctrl+s": "^s",
    "space": "Space",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "minus": "-",
    "plus": "+",
}

_BY_NAME = {command.name: command for command in COMMANDS}


def key_label(key: str) -> str:
    """How the screen writes a key: ``F1``, ``^q``."""
    return KEY_LABELS.get(key, key.upper())


def available(*, demo: bool, replay: bool = False) -> tuple[Command, ...]:
    """The commands there are, with or without those for several nodes, live or in a recording."""
    return tuple(
        command
        for command in COMMANDS
        if (demo or not command.demo) and (not command.live if replay else not command.replay)
    )


def find_command(name: str, *, demo: bool = False, replay: bool = False) -> Command:
    """The command of that name.

    Raises:
        CommandError: There is none, or not in a recording; the text names the nearest or the way to all of
            them.
    """
    command = _BY_NAME.get(name.lower())
    there = available(demo=demo, replay=replay)
    if command in there:
        return command
    if command is not None and replay and command.live:
        raise CommandError(f"/{command.name} needs a live node, and this is a recording")
    near = difflib.get_close_matches(name.lower(), [known.name for known in there], 1)
    hint = f"did you mean /{near[0]}?" if near else "/help lists all commands, // starts a text with a slash"
    raise CommandError(f"there is no /{printable(name)[:32]}: {hint}")


@dataclass(frozen=True, slots=True)
class Say:
    """A line that is gossip."""

    text: str


@dataclass(frozen=True, slots=True)
class Invocation:
    """A line that is a command."""

    command: Command
    argument: str
    """Everything behind the name, stripped."""

    @property
    def words(self) -> list[str]:
        """The argument, split at white space."""
        return self.argument.split()


def parse_line(line: str, *, demo: bool = False, replay: bool = False) -> Say | Invocation | None:
    """Read one line of the composer; None for one without anything in it.

    Raises:
        CommandError: It starts with a slash and is no command, or one with an argument missing or too many.
    """
    if not line.strip():
        return None
    if not line.startswith("/"):
        return Say(line)
    if line.startswith("//"):
        return Say(line[1:])
    name, _, argument = line[1:].partition(" ")
    command = find_command(name, demo=demo, replay=replay)
    argument = argument.strip()
    if command.needs_argument and not argument:
        raise CommandError(f"/{command.name} needs an argument: {command.call}")
    if argument and command.takes is Takes.NOTHING:
        raise CommandError(f"/{command.name} takes no argument")
    return Invocation(command, argument)


def command_rows(commands: Iterable[Command] = COMMANDS) -> list[tuple[str, str, str]]:
    """Call, key and meaning of commands, as text for tables; by default of every one there is."""
    return [
        (command.call, key_label(command.key) if command.key else "", command.does + where_of(command))
        for command in commands
    ]


def key_rows(commands: Iterable[Command] = COMMANDS) -> list[tuple[str, str, str]]:
    """Label, place and meaning of every key, those of commands first."""
    rows = [
        (key_label(command.key), Where.EVERYWHERE.value, command.does + where_of(command))
        for command in commands
        if command.key
    ]
    return rows + [(key.label, key.where.value, key.does) for key in KEYS]


def where_of(command: Command) -> str:
    """Where a command exists, if not everywhere."""
    return " (demo)" if command.demo else " (replay)" if command.replay else ""


def markdown(heads: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; pipes inside cells are escaped."""
    heads = tuple(heads)
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def readme_tables() -> dict[str, str]:
    """The tables of the README by name: ``commands`` and ``keys``."""
    commands = [(f"`{call}`", key, does) for call, key, does in command_rows()]
    return {
        "commands": markdown(("Command", "Key", "Does"), commands),
        "keys": markdown(("Key", "Where", "Does"), key_rows()),
    }
