"""The overlay as a Graphviz graph: who has whom in its view, as far as that is known."""

from __future__ import annotations

from collections.abc import Iterator

from protocol.core.identity import NodeId
from protocol.text import printable

from .history import History, labels_for

__all__ = ["dot_lines"]


def dot_lines(history: History) -> Iterator[str]:
    """A directed graph: an arrow from each observed node to every peer in its view, labelled with the age.

    Observed nodes have two circles. Of the others only that they exist is known, so no arrow leaves them.
    """
    pictures = history.pictures
    observed = {picture.id for picture in pictures}
    peers = {entry.id for picture in pictures for entry in picture.view}
    labels = labels_for(observed | peers)
    seen = ", ".join(printable(labels[picture.id]) for picture in pictures[:3])
    more = f" and {len(pictures) - 3} more" if len(pictures) > 3 else ""
    yield "digraph overlay {\n"
    yield f"  graph [label={quoted(f'partial views seen from {seen}{more}')}];\n"
    yield "  node [shape=circle];\n"
    for node in sorted(observed | peers):
        shape = " [shape=doublecircle]" if node in observed else ""
        yield f"  {name_of(node, labels)}{shape};\n"
    for picture in pictures:
        for entry in sorted(picture.view):
            source, target = name_of(picture.id, labels), name_of(entry.id, labels)
            yield f"  {source} -> {target} [label={entry.age}];\n"
    yield "}\n"


def name_of(node: NodeId, labels: dict[NodeId, str]) -> str:
    """A node as Graphviz reads it."""
    return quoted(labels[node])


def quoted(text: str) -> str:
    """A string of the DOT language; whatever is in it is text."""
    inner = printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'
