"""How things look: glyphs, colours and themes.

Colour never says anything alone: every colour goes with a number, a length or a glyph. The ramp for ages
follows cividis, which people with any kind of colour blindness read as dark to bright; the origin colours
follow Okabe and Ito. On a light background the ramps run the other way, so that old is always the strongest.

Sources: Nunez, Anderton, Renslow, *Optimizing colormaps with consideration for color vision deficiency*, PLOS
ONE 13(7), 2018; Okabe and Ito, *Color Universal Design*, 2008.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color
from textual.filter import LineFilter, Monochrome, NoColor
from textual.theme import Theme

from .drawing.line import HEAT, ORIGINS, Role

__all__ = [
    "ASCII",
    "PLAIN_SIGNS",
    "THEMES",
    "UNICODE",
    "Glyphs",
    "Palette",
    "PlainSigns",
    "colorless",
    "palette_for",
    "palette_of",
]


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The signs that panes draw with, each one cell wide."""

    concurrent: str
    """A message concurrent with the one above."""
    inserted: str
    """A message that arrived late and was inserted where it belongs."""
    out_of_order: str
    """A message delivered after a gap: not in causal order."""
    history: str
    """A message that came with the history of a sponsor."""
    mention: str
    """A message that names this node."""
    asked: str
    """This node started the last exchange."""
    served: str
    """The peer started the last exchange."""
    both: str
    """Both have started an exchange lately."""
    joined: str
    parted: str
    info: str
    warning: str
    changed: str
    """Something was changed on purpose."""
    mark: str
    """A moment among the bars of a sparkline at which something was changed."""
    bar_full: str
    bar_empty: str
    spark: str
    """Bars of a sparkline, lowest first."""
    ellipsis: str
    sorted: str
    """Behind the title of the column that rows are sorted by."""
    down: str
    dot: str
    """Between two facts on one line."""
    pointer: str
    """Before the title of the pane that the tour points at."""
    border: str
    """The CSS border type of a pane."""


UNICODE = Glyphs(
    concurrent="∥",
    inserted="»",
    out_of_order="!",
    history="↻",
    mention="@",
    asked="→",
    served="←",
    both="↔",
    joined="+",
    parted="−",
    info="·",
    warning="!",
    changed="≈",
    mark="│",
    bar_full="━",
    bar_empty="─",
    spark="▁▂▃▄▅▆▇█",
    ellipsis="…",
    sorted="▼",
    down="▼",
    dot="·",
    pointer="►",
    border="round",
)
"""For terminals that show Unicode, which is nearly all of them."""

ASCII = Glyphs(
    concurrent="|",
    inserted=">",
    out_of_order="!",
    history="h",
    mention="@",
    asked=">",
    served="<",
    both="=",
    joined="+",
    parted="-",
    info="*",
    warning="!",
    changed="%",
    mark="|",
    bar_full="#",
    bar_empty=".",
    spark="_.:-=+*#",
    ellipsis="~",
    sorted="*",
    down="v",
    dot="-",
    pointer=">",
    border="ascii",
)
"""For ``--ascii``: nothing that a serial console or an old font could not show."""

SIGNS: Mapping[int, str] = {
    **dict.fromkeys(range(0x2400, 0x2440), "?"),  # control pictures
    **dict.fromkeys(range(0x2500, 0x2580), "+"),  # lines, of which those that are straight are below
    **dict.fromkeys(range(0x2580, 0x25A0), "#"),  # blocks
    **dict.fromkeys(map(ord, "─━┄┅┈┉═▔▀"), "-"),
    **dict.fromkeys(map(ord, "▁▂▃▄"), "_"),
    **dict.fromkeys(map(ord, "│┃┆┇┊┋║▌▍▎▏▐▕"), "|"),
    **dict(zip(map(ord, "…↵●▶•"), "~/*>*", strict=True)),
}
"""What stands in ASCII for a sign of a frame, a bar or a cut, and for what ``safe`` makes visible."""


class PlainSigns(LineFilter):
    """Draws in ASCII what Textual draws by itself, and what ``safe`` puts in place of what can't be shown.

    Panes draw with ``ASCII``; but titles in a frame, toasts and the palette are cut and framed by Textual.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with other signs, each as wide as before."""
        del background
        return [
            segment
            if segment.control or segment.text.isascii()
            else Segment(segment.text.translate(SIGNS), segment.style)
            for segment in segments
        ]


PLAIN_SIGNS = PlainSigns()
"""The one there is: Textual keeps what a filter made of a line by the filter itself."""

Palette = Mapping[Role, Style]
"""A style for every role."""

DARK_HEAT = ("#56709f", "#6b7690", "#7f7f86", "#989178", "#b3a573", "#cbb964", "#e4d04e", "#fee838")
LIGHT_HEAT = ("#a29a66", "#8b8770", "#777777", "#656b7c", "#525e7e", "#3c4f7c", "#1f3a70", "#00224e")
DARK_ORIGINS = ("#56b4e9", "#e8a32e", "#2fc79b", "#ece04a", "#d98fb8", "#f28b50", "#9db8ff", "#c9c9c9")
LIGHT_ORIGINS = ("#00629b", "#935700", "#00664d", "#6f5f00", "#96396c", "#a84300", "#4740a8", "#4a4a4a")


def colored(
    heat: Sequence[str],
    origins: Sequence[str],
    *,
    faint: str,
    good: str,
    bad: str,
    warning: str,
    accent: str,
    block: str,
    past: str,
    future: str,
    fainter: str,
) -> Palette:
    """A palette in which roles differ by colour, and by weight where they matter most."""
    palette = {
        Role.TEXT: Style.null(),
        Role.DIM: Style(color=faint),
        Role.TITLE: Style(color=faint, bold=True),
        Role.OWN: Style(bold=True),
        Role.MENTION: Style(color=accent, bold=True),
        Role.MATCH: Style(underline=True),
        Role.CONCURRENT: Style(color=accent),
        Role.NEW: Style(color=good, bold=True),
        Role.LATE: Style(color=warning, bold=True),
        Role.HELD: Style(color=faint, italic=True),
        Role.CLOCK: Style(color=faint),
        Role.GOOD: Style(color=good),
        Role.BAD: Style(color=bad),
        Role.WARNING: Style(color=warning),
        Role.BANNER: Style(color=block, bgcolor=accent, bold=True),
        Role.CURSOR: Style(bgcolor=block),
        Role.PAST: Style(color=past, bold=True),
        Role.FUTURE: Style(color=future, bold=True),
        Role.FAINT: Style(color=fainter),
    }
    palette.update((role, Style(color=color)) for role, color in zip(HEAT, heat, strict=True))
    palette.update((role, Style(color=color)) for role, color in zip(ORIGINS, origins, strict=True))
    return palette


DARK = colored(
    DARK_HEAT,
    DARK_ORIGINS,
    faint="#959ca6",
    good="#2fc79b",
    bad="#f2777a",
    warning="#e8a32e",
    accent="#e6c84f",
    block="#2a3240",
    past="#56b4e9",
    future="#f0a54a",
    fainter="#5c646f",
)
LIGHT = colored(
    LIGHT_HEAT,
    LIGHT_ORIGINS,
    faint="#5d626a",
    good="#00664d",
    bad="#b3261e",
    warning="#935700",
    accent="#6b4fa0",
    block="#dbe4f0",
    past="#00629b",
    future="#a84300",
    fainter="#999c9f",
)
PLAIN: Palette = {
    **dict.fromkeys(Role, Style.null()),
    **dict.fromkeys((Role.DIM, Role.CLOCK, Role.HELD, Role.FAINT), Style(dim=True)),
    **dict.fromkeys(
        (Role.TITLE, Role.OWN, Role.NEW, Role.LATE, Role.BAD, Role.WARNING, Role.PAST, Role.FUTURE),
        Style(bold=True),
    ),
    Role.MENTION: Style(bold=True, underline=True),
    Role.MATCH: Style(underline=True),
    Role.BANNER: Style(reverse=True),
    Role.CURSOR: Style(reverse=True),
}
"""Without any colour, for NO_COLOR: weight, underline and reverse say what colour would."""

THEMES = (
    Theme(
        name="gossip-dark",
        primary="#56b4e9",
        secondary="#3d7ea6",
        accent="#e6c84f",
        warning="#e8a32e",
        error="#f2777a",
        success="#2fc79b",
        foreground="#dfe3e8",
        background="#13161b",
        surface="#181c22",
        panel="#222831",
    ),
    Theme(
        name="gossip-light",
        primary="#00629b",
        secondary="#3d7ea6",
        accent="#6b4fa0",
        warning="#935700",
        error="#b3261e",
        success="#00664d",
        foreground="#1e2329",
        background="#f4f2ec",
        surface="#fbfaf7",
        panel="#e6e3da",
        dark=False,
    ),
    Theme(
        name="gossip-contrast",
        primary="#ffffff",
        secondary="#c0c0c0",
        accent="#ffe600",
        warning="#ffb000",
        error="#ff8080",
        success="#60ffb0",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#202020",
    ),
)
"""The application's own themes; Textual's built-in ones work as well."""


def palette_for(theme: Theme, *, color: bool = True) -> Palette:
    """The palette that can be read on a theme's background; without ``color``, one that uses none."""
    if not color:
        return PLAIN
    return DARK if theme.dark else LIGHT


def palette_of(app: App[object]) -> Palette:
    """The palette for the theme that an application shows now, obeying NO_COLOR."""
    return palette_for(app.current_theme, color=not app.no_color)


def colorless(filters: Sequence[LineFilter]) -> list[LineFilter]:
    """Textual's line filters with no colour where it would show greys.

    NO_COLOR asks for no colour at all; Textual answers with shades of grey. An application returns this from
    ``get_line_filters`` while its ``no_color`` is set.
    """
    return [NoColor() if isinstance(line_filter, Monochrome) else line_filter for line_filter in filters]
