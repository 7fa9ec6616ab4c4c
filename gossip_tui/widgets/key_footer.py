"""The keys at the foot of the screen, as many as there is room for."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from gossip_tui.commands import COMMANDS

__all__ = ["KeyFooter", "left_out"]

PALETTE = 1_000
"""How dispensable the key of the palette is: more than any other."""

SPARE = {command.key: command.spare for command in COMMANDS if command.key}


class KeyFooter(Footer):
    """A footer that leaves out whole keys where Textual's cuts the last ones off; the keys still work."""

    def compose(self) -> ComposeResult:
        """The keys of the active bindings."""
        keys = list(super().compose())
        self._fit(keys)
        yield from keys

    def on_resize(self) -> None:
        """Show as many keys as there is room for now."""
        self._fit(self.query(FooterKey))

    def _fit(self, widgets: Iterable[object]) -> None:
        keys = [widget for widget in widgets if isinstance(widget, FooterKey)]
        sizes = [(len(key.key_display) + len(key.description) + 2, self._spare(key)) for key in keys]
        out = left_out(sizes, self.app.size.width)
        for number, key in enumerate(keys):
            key.display = number not in out

    def _spare(self, key: FooterKey) -> int:
        return PALETTE if key.has_class("-command-palette") else SPARE.get(key.key, 0)


def left_out(keys: Iterable[tuple[int, int]], room: int) -> set[int]:
    """The places of the keys that have to go, given cells of each and how dispensable it is; 0 never goes.

    >>> left_out([(8, 0), (8, 1), (8, 2)], 24), sorted(left_out([(8, 0), (8, 1), (8, 2)], 10))
    (set(), [1, 2])
    """
    keys = list(keys)
    missing = sum(width for width, _ in keys) - room
    out: set[int] = set()
    for place in sorted(range(len(keys)), key=lambda place: (-keys[place][1], -place)):
        if missing <= 0 or not keys[place][1]:
            break
        out.add(place)
        missing -= keys[place][0]
    return out
