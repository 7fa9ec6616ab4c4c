"""Sentences for panes that have nothing to show yet: what is the case, and what to do."""

from __future__ import annotations

from gossip_tui.invitation import invitation
from gossip_tui.text import safe
from protocol.core.snapshot import NodeSnapshot

from .line import Line, Role, Span, wrap

__all__ = ["no_happenings", "no_messages", "no_overlay", "no_peers", "wrapped"]


def no_peers(snapshot: NodeSnapshot | None, *, recorded: bool = False) -> str:
    """Why the partial view is empty, and how to fill it; what was recorded can't be filled."""
    if recorded:
        return "No peer was in the view at this moment."
    if snapshot is None:
        return "The node is starting."
    if snapshot.left:
        return "This node has left. /join HOST:PORT starts it again."
    here = safe(invitation("/join", snapshot.address), 128)
    return f"No peer yet: run gossip-tui in another terminal, or /join HOST:PORT. From elsewhere: {here}"


def no_messages(*, filter_text: str, recorded: bool = False) -> str:
    """Why the log is empty, and how to fill it; what was recorded can't be filled."""
    if filter_text:
        return f"Nothing matches {safe(filter_text, 40)}. Empty the filter to see everything."
    if recorded:
        return "No message had come by this moment."
    return "No message yet: type one below and press Enter. It is kept until a peer appears."


def no_happenings(*, has_lanes: bool) -> str:
    """Why the space-time diagram is empty, and how to fill it."""
    if not has_lanes:
        return "The node is starting."
    return "Nothing happened yet: every message that is sent, and every delivery, will be an event here."


def no_overlay(*, knows_itself: bool) -> str:
    """Why there is no graph, and how to get one."""
    if not knows_itself:
        return "The node is starting."
    return "Nobody is known yet: run gossip-tui in another terminal, or /join HOST:PORT."


def wrapped(sentence: str, width: int) -> list[Line]:
    """A sentence as dimmed lines, indented by one cell."""
    return [(Span(" " + text, Role.DIM),) for text in wrap(sentence, max(8, width - 2))]
