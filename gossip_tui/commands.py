"""The one table: every command, what it takes, what it does, and its key.

Composer, palette, footer, help screen and the tables of the README are all made from it, so they can't
disagree. This module draws nothing and imports nothing that does.
"""

from __future__ import annotations

import difflib

from protocol.text import printable

from .command import Command, CommandError, Takes

__all__ = ["COMMANDS", "available", "find_command"]

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

_BY_NAME = {command.name: command for command in COMMANDS}


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
