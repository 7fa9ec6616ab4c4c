"""Whether a person has seen the tour: a file in their state folder, if one can be written."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["remember_tour", "state_folder", "tour_is_remembered"]

FILE_NAME = "tour-seen"


def state_folder(
    environment: Mapping[str, str] = os.environ, platform: str = sys.platform, home: Path | None = None
) -> Path:
    """Where programs of this system keep what they remember of a person.

    Source: XDG Base Directory Specification 0.8, which ignores a path that is not absolute; elsewhere the
    system's own place.
    """
    given = environment.get("XDG_STATE_HOME", "")
    if Path(given).is_absolute():
        return Path(given) / "gossip-tui"
    if platform == "win32" and environment.get("LOCALAPPDATA"):
        return Path(environment["LOCALAPPDATA"]) / "gossip-tui"
    home = home or Path.home()
    if platform == "darwin":
        return home / "Library" / "Application Support" / "gossip-tui"
    return home / ".local" / "state" / "gossip-tui"


def tour_is_remembered() -> bool:
    """Whether the tour shall not come by itself any more."""
    try:
        return (state_folder() / FILE_NAME).exists()
    except (OSError, RuntimeError):  # no home, or none that may be read
        return False


def remember_tour() -> None:
    """Let the tour never come by itself again, if that can be written down."""
    with contextlib.suppress(OSError, RuntimeError):
        path = state_folder() / FILE_NAME
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
