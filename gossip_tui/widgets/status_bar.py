"""The top line: identity and address, liveness, figures, and problems in words."""

from __future__ import annotations

from textual import events
from textual.widgets import Static

from gossip_tui.drawing.status_line import Status, status_line

__all__ = ["StatusBar"]


class StatusBar(Static):
    """One line about the node; it is redrawn only when it reads differently."""

    DEFAULT_CSS = """
    StatusBar { height: 1; background: $panel; color: $foreground; text-wrap: nowrap; text-overflow: clip; }
    """

    def __init__(self, *, ascii_only: bool = False, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id, markup=False)
        self._ascii_only = ascii_only
        self._status: Status | None = None
        self._line = ""

    def show(self, status: Status) -> None:
        """Show the node's state; costs next to nothing while the line stays the same."""
        self._status = status
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Cut the line anew for the new width."""
        del event
        self._draw()

    @property
    def text(self) -> str:
        """The line as it stands, without colours."""
        return self._line

    def _draw(self) -> None:
        if self._status is None or not self.size.width:
            return
        line = status_line(self._status, self.size.width, ascii_only=self._ascii_only)
        if line.plain != self._line:
            self._line = line.plain
            self.update(line, layout=False)
