"""Text from the network, made safe for a terminal.

A terminal obeys what it is sent: escape sequences move the cursor, write the clipboard and leave the screen;
bidirectional controls turn a line around; zero-width characters hide. ``printable`` leaves none of them.
"""

from __future__ import annotations

import unicodedata

__all__ = ["printable"]

REPLACEMENT = "\ufffd"
RETURN_SIGN = "↵"
BIDI_MARK = "⇄"
COMBINING_LIMIT = 2
"""Combining marks kept on one base character: enough for every living script, too few to climb over other
lines."""

LINE_SEPARATORS = frozenset({0x0A, 0x2028, 0x2029})
BIDI_CONTROLS = frozenset({0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)})
INVISIBLE_LETTERS = frozenset({0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0})
"""Characters that take no ink though Unicode files them as letters, marks or symbols."""
VARIATION_SELECTORS = frozenset(
    {*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
)


class Replacements(dict[int, str]):
    """What stands for each code point, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = result = replacement_of(code)
        return result


def replacement_of(code: int) -> str:
    """The text that stands for one code point: itself, a visible sign, or nothing."""
    category = unicodedata.category(chr(code))
    if code in LINE_SEPARATORS:
        return RETURN_SIGN
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if code in BIDI_CONTROLS:
        return BIDI_MARK
    if category in {"Cc", "Cs"} or code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
        return REPLACEMENT
    if category == "Cf" or code in INVISIBLE_LETTERS or code in VARIATION_SELECTORS:
        return ""
    return " " if category == "Zs" else chr(code)


TABLE = Replacements()


def printable(text: str) -> str:
    r"""Return ``text`` with nothing in it that a terminal would obey or a person could not see.

    C0 controls and DEL become control pictures, line breaks a return sign, C1 controls, surrogates and
    non-characters U+FFFD, bidirectional controls a visible mark; zero-width and tag characters are dropped,
    every space becomes a plain one, and combining marks beyond two on one base are dropped. Printable text
    comes back as it is, and ``printable(printable(t)) == printable(t)``.

    >>> printable("a\x1b[31mb\nc")
    'a␛[31mb↵c'
    """
    if text.isascii():
        return text if text.isprintable() else text.translate(TABLE)
    return cap_combining(text.translate(TABLE))


def cap_combining(text: str) -> str:
    """Drop combining marks beyond the limit on one base character."""
    kept: list[str] = []
    marks = 0
    for character in text:
        if character > "\u02ff" and unicodedata.category(character) in {"Mn", "Me"}:
            marks += 1
            if marks > COMBINING_LIMIT:
                continue
        else:
            marks = 0
        kept.append(character)
    return "".join(kept)
