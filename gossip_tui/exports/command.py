"""``gossip-tui export``: a recording in a format that other programs read."""

# ruff: noqa: PLC0415 - only a picture of the screen needs what draws

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

from gossip_tui.command import CommandError
from gossip_tui.recording.player import moment_of_text
from gossip_tui.recording.reader import load
from gossip_tui.recording.recording import Recording
from protocol.errors import ConfigError
from protocol.text import printable

from .formats import Format, lines_of, new_file
from .history import history_of

if TYPE_CHECKING:
    from gossip_tui.recording.recording import Track

__all__ = ["Wanted", "export"]


class Wanted(NamedTuple):
    """What to export of a recording."""

    chosen: Format
    node: str = ""
    """Whose messages and screen; the node of the first seat if empty."""
    at: str = ""
    """Up to which moment, as a person writes it; to the end if empty."""
    size: tuple[int, int] = (120, 40)
    """Columns and rows of a picture of the screen."""
    ascii_only: bool = False
    theme: str | None = None


async def export(path: Path, wanted: Wanted, output: Path | None) -> None:
    """Write what is wanted of a recording to a new file, or to standard output.

    Raises:
        RecordingError: The file can't be read as a recording.
        ConfigError: There is no such node or moment.
        ExportError: The output exists or can't be written.
        OSError: The recording or standard output can't be had.
    """
    recording = load(path)
    if recording.note:
        print(f"gossip-tui: {printable(path.name)}: {printable(recording.note)}", file=sys.stderr)  # noqa: T201
    seat = seat_of(recording, wanted.node)
    at = moment_in(recording, wanted.at)
    with new_file(output) if output is not None else standard_output() as file:
        if wanted.chosen is Format.SVG:
            file.write(await picture_of_screen(recording, seat, at, wanted))
            return
        track: Track = recording.tracks[seat]
        messages = track.messages[: track.messages_until(at)]
        for line in lines_of(wanted.chosen, messages, lambda: history_of(recording, at)):
            file.write(line)


@contextlib.contextmanager
def standard_output() -> Iterator[IO[str]]:
    """Standard output in UTF-8, line ends as they are written."""
    with open(
        sys.stdout.fileno(), "w", encoding="utf-8", errors="backslashreplace", newline="", closefd=False
    ) as file:
        yield file


def seat_of(recording: Recording, name: str) -> int:
    """The seat of a node by its name.

    Raises:
        ConfigError: No node of that name was recorded.
    """
    names = [track.name for track in recording.tracks]
    if not name:
        return 0
    if name not in names:
        known = printable(", ".join(names))[:200]
        raise ConfigError(f"--node: there is no node {printable(name)[:32]} here: {known}")
    return names.index(name)


def moment_in(recording: Recording, text: str) -> int:
    """A moment of a recording, as a person writes it.

    Raises:
        ConfigError: It is none.
    """
    try:
        at = moment_of_text(text, 0, recording.duration) if text else recording.duration
    except CommandError as error:
        raise ConfigError(f"--at: {error}") from None
    return max(0, min(recording.duration, at))


async def picture_of_screen(recording: Recording, seat: int, at: int, wanted: Wanted) -> str:
    """The screen at a moment, drawn without a terminal."""
    from gossip_tui.app import GossipApp
    from gossip_tui.recording.feed import ReplayFeed

    feed = ReplayFeed(recording)
    feed.move(seat)
    feed.seek(at)
    app = GossipApp(feed, ascii=wanted.ascii_only, theme=wanted.theme)
    async with app.run_test(size=wanted.size) as pilot:
        feed.player.pause()
        feed.seek(at)
        app.tick()
        await pilot.pause()
        return app.export_screenshot(title=f"{printable(recording.tracks[seat].name)}")
