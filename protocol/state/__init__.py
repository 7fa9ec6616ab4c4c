"""State files: what a node delivered and who it is, kept across restarts in one SQLite file."""

from __future__ import annotations

from .file import StateFile

__all__ = ["StateFile"]
