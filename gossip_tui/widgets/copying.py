"""Somebody wants to copy something: posted by whatever shows it, carried out by the application."""

from __future__ import annotations

from textual.message import Message

__all__ = ["CopyWanted"]


class CopyWanted(Message):
    """A person pressed the key for copying."""

    def __init__(self, text: str, what: str) -> None:
        super().__init__()
        self.text = text
        """What to copy, as it came: it goes to a clipboard and into a file, not onto the screen."""
        self.what = what
        """What it is, for the words that say that it was copied."""
