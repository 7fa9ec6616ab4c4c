"""State files: what a node delivered and who it is, kept across restarts in one SQLite file."""

from __future__ import annotations

from .file import StateFile
from .opening import last_bound

__all__ = ["StateFile", "last_bound"]
