"""The signs of a space-time diagram, in Unicode and in plain ASCII."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ASCII_DIAGRAM", "UNICODE_DIAGRAM", "DiagramGlyphs"]


@dataclass(frozen=True, slots=True)
class DiagramGlyphs:
    """The signs of a diagram, each one cell wide."""

    lane: str
    unknown: str
    """A lane of which only what messages tell is known."""
    send: str
    to_right: str
    to_left: str
    told: str
    """A delivery that a later message tells of."""
    line: str
    told_line: str
    cross: str
    flight: str
    turns: str
    """Where a message leaves its lane to run down: nothing at its right, a line at its right."""
    branches: str
    """Where a message that runs down is delivered: at the right, at the left, at both sides."""
    ends: str
    """Where it is delivered last: at the right, at the left, at both sides."""
    own: tuple[str, str]
    """Under the cursor: a sending, a delivery; the same below."""
    past: tuple[str, str]
    future: tuple[str, str]
    concurrent: tuple[str, str]
    rule: str
    """The line across all lanes at which something was changed on purpose."""
    rule_cross: str
    """Where it crosses a lane, or a message on its way."""
    change: str
    """On a lane that the change concerns."""
    at_least: str
    """Before a clock that may be larger."""
    has: str
    """Between a node and the message delivered there."""
    more: str
    ellipsis: str


UNICODE_DIAGRAM = DiagramGlyphs(
    lane="│",
    unknown="┊",
    send="●",
    to_right="►",
    to_left="◄",
    told="○",
    line="─",
    told_line="┄",
    cross="┼",
    flight="│",
    turns="╮┬",
    branches="├┤┼",
    ends="╰╯┴",
    own=("◉", "◎"),
    past=("▲", "△"),
    future=("▼", "▽"),
    concurrent=("◆", "◇"),
    rule="═",
    rule_cross="╪",
    change="■",
    at_least="≥",
    has="←",
    more="⋮",
    ellipsis="…",
)
"""For terminals that show Unicode, which is nearly all of them."""

ASCII_DIAGRAM = DiagramGlyphs(
    lane="|",
    unknown=":",
    send="*",
    to_right=">",
    to_left="<",
    told="o",
    line="-",
    told_line=".",
    cross="+",
    flight="|",
    turns="..",
    branches="+++",
    ends="'''",
    own=("@", "@"),
    past=("P", "p"),
    future=("F", "f"),
    concurrent=("C", "c"),
    rule="=",
    rule_cross="+",
    change="#",
    at_least=">=",
    has="<-",
    more=":",
    ellipsis="~",
)
"""For ``--ascii``: nothing that a serial console or an old font could not show."""
