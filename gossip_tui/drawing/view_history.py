"""What a partial view remembers between snapshots: who just came, who just went, and who asked whom."""

from __future__ import annotations

from dataclasses import replace

from protocol.core.identity import NodeId
from protocol.core.snapshot import NodeSnapshot

from .names import Names
from .view_table import RowMark, ViewRow, view_rows

__all__ = ["MARK_PERIOD", "ViewHistory"]

MARK_PERIOD = 2.0
"""Seconds that a row stays marked after it came, or stays to be seen after it left: a choice."""

PARTED_LIMIT = 4
"""Rows that left and are still to be seen, at the most: swapping strategies change half a view a cycle."""

BOTH_WAYS_CYCLES = 2
"""Cycles within which an exchange each way counts as both ways."""


class ViewHistory:
    """Turns the snapshots of one node into rows with marks; starts over when the node is another one."""

    def __init__(self) -> None:
        self._start_over()

    def _start_over(self) -> None:
        self._node: NodeId | None = None
        self._names = Names()
        self._present: dict[NodeId, ViewRow] = {}
        self._joined_until: dict[NodeId, float] = {}
        self._parted: dict[NodeId, tuple[ViewRow, float]] = {}
        self._asked: dict[tuple[NodeId, str], int] = {}

    def observe(self, snapshot: NodeSnapshot, now: float) -> None:
        """Take in the next snapshot; ``now`` is any clock that only goes forward."""
        if snapshot.id != self._node:
            self._start_over()
        self._names.learn(peer.id for peer in snapshot.peers)
        self._names.learn((snapshot.id, *(entry.id for entry in snapshot.view)))
        both = self._both_ways(snapshot)
        rows = {row.id: row for row in view_rows(snapshot, self._names, both)}
        if self._node is not None:
            self._mark(rows, now + MARK_PERIOD)
        self._node = snapshot.id
        self._present = rows

    def rows(self, now: float) -> list[ViewRow]:
        """The rows to draw at ``now``, unsorted: the view, and what left it a moment ago."""
        self._joined_until = {node: until for node, until in self._joined_until.items() if until > now}
        self._parted = {node: entry for node, entry in self._parted.items() if entry[1] > now}
        present = [
            replace(row, mark=RowMark.JOINED) if row.id in self._joined_until else row
            for row in self._present.values()
        ]
        return present + [row for row, _ in self._parted.values()]

    @property
    def is_marking(self) -> bool:
        """Whether some row is marked and will have to be drawn again without its mark."""
        return bool(self._joined_until or self._parted)

    def _mark(self, rows: dict[NodeId, ViewRow], until: float) -> None:
        for node in rows.keys() - self._present.keys():
            if self._parted.pop(node, None) is None:
                self._joined_until[node] = until
        for node in self._present.keys() - rows.keys():
            self._joined_until.pop(node, None)
            self._parted[node] = (replace(self._present[node], mark=RowMark.PARTED), until)
        while len(self._parted) > PARTED_LIMIT:
            self._parted.pop(next(iter(self._parted)))

    def _both_ways(self, snapshot: NodeSnapshot) -> set[NodeId]:
        oldest = snapshot.cycle - BOTH_WAYS_CYCLES
        self._asked = {key: cycle for key, cycle in self._asked.items() if cycle >= oldest}
        for peer in snapshot.peers:
            if peer.last_direction:
                self._asked.setdefault((peer.id, peer.last_direction), snapshot.cycle)
        nodes = [node for node, _ in self._asked]
        return {node for node in nodes if nodes.count(node) == 2}
