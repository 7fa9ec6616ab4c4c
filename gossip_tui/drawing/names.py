"""Names for people: the bare name of a node, or ``name~tag`` where two of one name are known."""

from __future__ import annotations

from collections.abc import Iterable
from zlib import crc32

from gossip_tui.text import Safe, safe
from protocol.core.identity import Dot, NodeId

from .line import ORIGINS, Role

__all__ = ["Names", "role_of_origin"]

KNOWN_LIMIT = 32_768
"""Nodes told apart at the most: twice what a node of default settings remembers. Beyond it those first heard
of go; who is still there is learned again from the next picture."""

LABEL_LIMIT = 80
"""Characters of a label: the longest name that the protocol allows, with its tag."""


class Names:
    """Every node known by name, so that two of one name are told apart wherever they stand."""

    def __init__(self) -> None:
        self._known: dict[NodeId, None] = {}
        self._labels: dict[NodeId, Safe] = {}
        self._twins: dict[str, list[NodeId]] = {}

    def learn(self, nodes: Iterable[NodeId]) -> bool:
        """Take note of nodes; returns whether a label that was given before is another one now."""
        changed = False
        for node in nodes:
            if node not in self._known:
                self._known[node] = None
                twins = self._twins.setdefault(node.name, [])
                twins.append(node)
                changed = changed or len(twins) == 2
                for twin in twins if len(twins) == 2 else ():
                    self._labels.pop(twin, None)
        if len(self._known) > KNOWN_LIMIT:
            self._forget(list(self._known)[: KNOWN_LIMIT // 4])
        return changed

    def _forget(self, nodes: Iterable[NodeId]) -> None:
        for node in nodes:
            del self._known[node]
            self._labels.pop(node, None)
            twins = self._twins[node.name]
            twins.remove(node)
            if not twins:
                del self._twins[node.name]

    def label(self, node: NodeId) -> Safe:
        """What people see for a node: its name, with the short tag while another of that name is known."""
        label = self._labels.get(node)
        if label is None:
            if len(self._labels) > KNOWN_LIMIT:
                self._labels.clear()
            alone = len(self._twins.get(node.name, ())) <= 1
            label = self._labels[node] = safe(node.name if alone else node.label, LABEL_LIMIT)
        return label

    def dot(self, dot: Dot) -> Safe:
        """A message's id for people: ``p2#7``."""
        return Safe(f"{self.label(dot.origin)}#{dot.sequence}")


def role_of_origin(name: str) -> Role:
    """The colour of an origin: the same for one name on every node and in every run."""
    return ORIGINS[crc32(name.encode("utf-8", "replace")) % len(ORIGINS)]
