"""Strings that peers might send to harm a terminal, an application or a reader."""

from __future__ import annotations

__all__ = ["FORBIDDEN", "HOSTILE", "assert_harmless"]

HOSTILE = (
    "[/]",
    "[red]red[/red]",
    "[@click=app.quit]quit[/]",
    "[link=https://example.org]link[/link]",
    "[bold",
    "\\[escaped]",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x1b]52;c;aGVsbG8=\x07",
    "\x1b[?1049l",
    "\x1bc",
    "\x9b31m",
    "\x90q\x9c",
    "nul\x00and\x7fdel",
    "carriage\rreturn",
    "two\nlines",
    "tab\there",
    "\u2028line\u2029paragraph",
    "\u202eright to left\u202c",
    "\u2066isolate\u2069",
    "zero\u200bwidth\u200djoin\ufeff",
    "tag\U000e0041\U000e0042",
    "lone\ud800surrogate",
    "z" + "\u0301" * 50 + "algo",
    "\u3164\u115f\u2800",
    "日本語" * 60,
    "👩\u200d👩\u200d👧\u200d👦 family",
    "x" * 5_000,
    "",
    " ",
    "../../etc/passwd",
    "%s %n {0} {}",
)
"""Markup, escape sequences, controls, bidirectional and invisible characters, wide and long text."""

FORBIDDEN = frozenset(
    {
        *map(chr, range(0x20)),
        *map(chr, range(0x7F, 0xA0)),
        *"\u200b\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff",
        "\ud800",
        "\U000e0041",
    }
)
"""Characters that must not come near a terminal."""


def assert_harmless(text: str) -> None:
    """Fail if a terminal would obey a part of ``text``."""
    found = sorted(FORBIDDEN & set(text))
    assert not found, f"{found!a} in {text[:80]!a}"
