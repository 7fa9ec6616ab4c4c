"""Everyone this node has heard of: in its view, lost, left, or known by messages only."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gossip_tui.drawing.names import Names
from gossip_tui.drawing.view_table import name_key, round_trip_text
from gossip_tui.text import Safe, safe
from protocol.core.identity import NodeId
from protocol.core.snapshot import NodeSnapshot, PeerRow, PeerState

from .dialog import TextDialog

__all__ = ["PeersScreen"]

ROW_LIMIT = 500
"""Peers listed at the most; a person looks for one by name, and the rest are counted."""

STATES = {
    PeerState.VIEW: "in view",
    PeerState.LOST: "lost",
    PeerState.LEFT: "left",
    PeerState.AUTHOR: "author",
}
"""What the states are called; the order in which they are listed."""

ORDER = list(STATES)


class PeersScreen(TextDialog):
    """A table of everyone heard of, kept up to date while it is open."""

    HINT = Safe("y copies the address, Esc closes")

    def __init__(self, snapshot: NodeSnapshot, chosen: NodeId | None = None) -> None:
        """Make the list.

        Args:
            snapshot: Where everyone is taken from.
            chosen: Whom to mark, since the person asked about them.
        """
        super().__init__(Safe(f"Peers heard of by {safe(snapshot.id.name, 40)}"))
        self._snapshot = snapshot
        self._chosen = chosen

    def show(self, snapshot: NodeSnapshot) -> None:
        """Show a newer picture."""
        if snapshot.peers != self._snapshot.peers:
            self._snapshot = snapshot
            self.redraw()

    def copied(self) -> tuple[str, str] | None:
        """The address of whom the person asked about, or that of this node, which others join by."""
        chosen = next((row for row in self._snapshot.peers if row.id == self._chosen), None)
        if chosen is None:
            return str(self._snapshot.address), "the address of this node"
        return None if chosen.address is None else (str(chosen.address), f"the address of {chosen.id.name}")

    def body(self) -> RenderableType:
        """The table, or a sentence where nobody was heard of."""
        peers = sorted(self._snapshot.peers, key=lambda row: (row.id != self._chosen, *place(row)))
        if not peers:
            return Text("Nobody yet. Run gossip-tui in another terminal, or /join HOST:PORT.")
        names = Names()
        names.learn([self._snapshot.id, *(row.id for row in peers)])  # one may have this node's own name
        table = Table.grid(padding=(0, 2, 0, 0))
        for title in ("peer", "address", "state", "age", "round trip"):
            table.add_column(justify="right" if title in {"age", "round trip"} else "left", no_wrap=True)
        table.add_row(
            *(Text(title, style="dim bold") for title in ("peer", "address", "state", "age", "round trip"))
        )
        for row in peers[:ROW_LIMIT]:
            table.add_row(*cells(row, names), style="reverse" if row.id == self._chosen else "")
        more = len(peers) - ROW_LIMIT
        return Group(table, Text(f"and {more:,} more" if more > 0 else summary(peers), style="dim"))


def place(row: PeerRow) -> tuple[int, str, int, NodeId]:
    """Sorts by state, then by name, with ``p2`` before ``p10``."""
    return ORDER.index(row.state), *name_key(row.id)


def cells(row: PeerRow, names: Names) -> list[Text]:
    """One peer as cells."""
    return [
        Text(names.label(row.id)),
        Text(safe(str(row.address), 60) if row.address else "never met"),
        Text(STATES[row.state]),
        Text("" if row.age is None else str(row.age)),
        Text("" if row.round_trip is None else round_trip_text(row.round_trip)),
    ]


def summary(peers: list[PeerRow]) -> str:
    """How many there are of each state, in words."""
    counts = [(sum(row.state is state for row in peers), word) for state, word in STATES.items()]
    return "\n" + ", ".join(f"{count} {word}" for count, word in counts if count)
