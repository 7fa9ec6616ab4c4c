"""A box of text over the panes, that Esc closes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from gossip_tui.text import Safe
from gossip_tui.widgets.copying import CopyWanted
from gossip_tui.widgets.scroll_bar import AsciiScrollBar

__all__ = ["TextDialog", "fact_table", "heading"]


def heading(text: str) -> Text:
    """A heading within a dialog."""
    return Text(text, style="bold underline")


def fact_table(rows: Iterable[tuple[str, str]], *, widest: int = 40) -> Table:
    """Two columns: what, and what about it, which wraps under itself. Neither is read as markup."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(style="bold", max_width=widest, overflow="fold")
    table.add_column(ratio=1, overflow="fold")
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    return table


class DialogScroll(VerticalScroll):
    """What scrolls in a dialog, with a plain scroll bar on plain terminals."""

    def on_mount(self) -> None:
        """Choose the scroll bar."""
        if self.app.has_class("-ascii"):
            self.vertical_scrollbar.renderer = AsciiScrollBar  # type: ignore[misc]


class TextDialog(ModalScreen[None]):
    """A titled box that scrolls; subclasses say what stands in it with ``body``.

    Args:
        title: Stands in the border; never read as markup.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Close", show=False),
        Binding("y", "copy", "Copy", show=False),
    ]

    DEFAULT_CSS = """
    TextDialog {
        align: center middle;
        background: $background 60%;
        & > .dialog-box {
            width: 90%; max-width: 110; height: auto; max-height: 96%;
            border: round $accent; background: $surface; padding: 0 1;
            border-title-style: bold; border-subtitle-color: $text-muted;
        }
        & VerticalScroll { height: auto; max-height: 100%; scrollbar-size-vertical: 1;
            scrollbar-background: $surface; scrollbar-color: $primary 50%;
            scrollbar-background-hover: $surface; scrollbar-background-active: $surface;
            scrollbar-color-hover: $primary; scrollbar-color-active: $primary;
        }
        & .dialog-text { width: 1fr; height: auto; }
    }
    """

    HINT = Safe("Esc closes")

    def __init__(self, title: Safe) -> None:
        super().__init__()
        self._title = title

    def body(self) -> RenderableType:
        """The text of the box."""
        raise NotImplementedError

    def copied(self) -> tuple[str, str] | None:
        """What the key for copying copies, and what that is; None for nothing."""
        return None

    def action_copy(self) -> None:
        """Ask for what this is about to be copied."""
        copied = self.copied()
        if copied is not None:
            self.app.post_message(CopyWanted(*copied))

    def compose(self) -> ComposeResult:
        """The box with its text in a scrolling container."""
        with Vertical(classes="dialog-box") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content(self.HINT)
            with DialogScroll():
                yield Static(self.body(), classes="dialog-text", markup=False)

    def on_mount(self) -> None:
        """Give plain terminals a plain scroll bar."""
        if self.app.has_class("-ascii"):
            self.query_one(VerticalScroll).vertical_scrollbar.renderer = AsciiScrollBar  # type: ignore[misc]

    def redraw(self) -> None:
        """Show what ``body`` says now."""
        self.query_one(".dialog-text", Static).update(self.body())

    def on_click(self, event: events.Click) -> None:
        """A click beside the box closes it."""
        if event.widget is self:
            self.dismiss()
