"""Which version of the program this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

__all__ = ["PROGRAM", "version"]

PROGRAM = "gossip-tui"


def version() -> str:
    """The version of the installed distribution."""
    try:
        return version_of(PROGRAM)
    except PackageNotFoundError:
        return "(not installed)"
