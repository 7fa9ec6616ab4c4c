"""The keys that are no command of their own, and how the screen writes keys. Draws nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["KEYS", "Key", "Where", "key_label"]


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
class Key:
    """One key that is no command of its own."""

    label: str
    does: str
    where: Where


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


def key_label(key: str) -> str:
    """How the screen writes a key: ``F1``, ``^q``."""
    return KEY_LABELS.get(key, key.upper())
