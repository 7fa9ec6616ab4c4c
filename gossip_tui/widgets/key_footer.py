"""The keys at the foot of the screen, as many as there is room for.

One line that draws itself. Textual's footer makes a widget of every key whenever the focus moves, which takes
longer than everything else that a key press causes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import ActiveBinding
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from gossip_tui.commands import COMMANDS

__all__ = ["FooterKey", "KeyFooter", "left_out"]

SPARE = {command.key: command.spare for command in COMMANDS if command.key}

PALETTE = 1_000
"""How dispensable the key of the palette is: more than any other."""


class FooterKey(NamedTuple):
    """One key and what it does."""

    key: str
    """As Textual calls it."""
    label: str
    """As people call it."""
    does: str

    @property
    def width(self) -> int:
        """Cells it takes, with the gap behind it."""
        return len(self.label) + len(self.does) + 2


class KeyFooter(Widget, can_focus=False):
    """Shows the keys of the active bindings; a click presses one.

    Where there is no room for all of them whole keys are left out; they still work. The key of the palette
    stands apart at the right.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-footer--key", "key-footer--does", "key-footer--edge"}
    DEFAULT_CSS = """
    KeyFooter {
        dock: bottom; height: 1; color: $footer-foreground; background: $footer-background;
        & > .key-footer--key { color: $footer-key-foreground; text-style: bold; }
        & > .key-footer--does { color: $footer-description-foreground; }
        & > .key-footer--edge { color: $foreground 20%; }
    }
    """

    ALLOW_SELECT = False

    def __init__(self, *, edge: str) -> None:
        """Make an empty footer.

        Args:
            edge: What stands before the key of the palette, one cell or none.
        """
        super().__init__()
        self._edge = edge
        self._keys: list[FooterKey] = []
        self._palette: FooterKey | None = None

    def on_mount(self) -> None:
        """Follow the bindings, which change with the focus."""
        self.screen.bindings_updated_signal.subscribe(self, self._read)

    def on_unmount(self) -> None:
        """Follow them no longer."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    @property
    def shown(self) -> list[FooterKey]:
        """The keys there is room for, from the left; that of the palette last."""
        keys = [*self._keys, *([self._palette] if self._palette is not None else [])]
        sizes = [(key.width, PALETTE if key is self._palette else SPARE.get(key.key, 0)) for key in keys]
        out = left_out(sizes, self.app.size.width)
        return [key for number, key in enumerate(keys) if number not in out]

    def render_line(self, y: int) -> Strip:
        """Draw the keys."""
        del y
        width, shown = self.size.width, self.shown
        palette = shown.pop() if shown and shown[-1] is self._palette else None
        line = Strip(self._segments(shown)).adjust_cell_length(width, self._look("does"))
        if palette is None:
            return line
        edge = Segment(self._edge, self._look("edge"))
        end = Strip([edge, *self._segments([palette])])
        return Strip.join([line.crop(0, width - end.cell_length), end])

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        shown, width = self.shown, self.size.width
        if shown and shown[-1] is self._palette and event.x >= width - shown.pop().width:
            self.app.simulate_key(self._palette.key)
            return
        left = 0
        for key in shown:
            left += key.width
            if event.x < left:
                self.app.simulate_key(key.key)
                return

    def _read(self, screen: Screen[object]) -> None:
        """Take in what the keys do now; only a change is drawn."""
        if not (self.is_attached and screen is self.screen and self.app.app_focus):
            return
        active = screen.active_bindings
        palette = active.get(self.app.COMMAND_PALETTE_BINDING)
        keys = {
            one.binding.action: self._key_of(one) for one in reversed(active.values()) if one.binding.show
        }
        read = list(keys.values())[::-1], self._key_of(palette) if palette is not None else None
        if read != (self._keys, self._palette):
            self._keys, self._palette = read
            self.refresh()

    def _key_of(self, active: ActiveBinding) -> FooterKey:
        binding = active.binding
        return FooterKey(binding.key, self.app.get_key_display(binding), binding.description)

    def _segments(self, keys: Iterable[FooterKey]) -> list[Segment]:
        label, does = self._look("key"), self._look("does")
        return [
            segment for key in keys for segment in (Segment(key.label, label), Segment(f" {key.does} ", does))
        ]

    def _look(self, part: str) -> Style:
        return self.get_component_rich_style(f"key-footer--{part}")


def left_out(keys: Sequence[tuple[int, int]], room: int) -> set[int]:
    """The places of the keys that have to go, given cells of each and how dispensable it is; 0 never goes.

    >>> left_out([(8, 0), (8, 1), (8, 2)], 24), sorted(left_out([(8, 0), (8, 1), (8, 2)], 10))
    (set(), [1, 2])
    """
    missing = sum(width for width, _ in keys) - room
    out: set[int] = set()
    for place in sorted(range(len(keys)), key=lambda place: (-keys[place][1], -place)):
        if missing <= 0 or not keys[place][1]:
            break
        out.add(place)
        missing -= keys[place][0]
    return out
