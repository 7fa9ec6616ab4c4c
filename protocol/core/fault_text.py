"""Faults as people write them, shares in percent and times in milliseconds; and what numbers may be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeGuard

from ..errors import ConfigError

if TYPE_CHECKING:
    from .faults import Faults

__all__ = ["LONGEST_DELAY", "checked_latency", "format_faults", "is_number", "parse_faults"]

LONGEST_DELAY = 3_600.0
"""Seconds that a latency or reordering may be set to; a choice, far beyond what any network does."""

NOTHING = "off"
"""The word for no faults."""

SHARES = {"loss": "loss", "duplicate": "duplication", "reorder": "reordering", "tail": "tail"}
"""Words for shares, and the fields they set."""

WORDS = ("loss", "delay", "jitter", "tail", "duplicate", "reorder", "late")

LARGEST_EXPONENT = 330
"""Powers of ten of a number at the most, up or down: as many as a floating-point number can have."""

LONGEST_SHOWN = 40
"""Characters of a wrong word that an error repeats."""


def parse_faults(text: str) -> dict[str, Any]:
    """The fields that a text sets; see ``Faults.parse``.

    Raises:
        ConfigError: A word is unknown or there twice, or its value is not possible.
    """
    words = text.lower().replace(",", " ").split()
    if words in ([], [NOTHING]):
        return {}
    values: dict[str, str] = {}
    for word in words:
        name, mark, value = word.partition("=")
        if name not in WORDS or not mark:
            raise ConfigError(
                f"a fault looks like loss=20 or delay=50..200, of {', '.join(WORDS)} (or just {NOTHING}), "
                f"not {word[:LONGEST_SHOWN]!a}"
            )
        if name in values:
            raise ConfigError(f"{name} is there twice")
        values[name] = value
    fields: dict[str, Any] = {
        field: share(word, values[word]) for word, field in SHARES.items() if word in values
    }
    if "delay" in values or "jitter" in values:
        fields["latency"] = latency(values.get("delay", "0"), values.get("jitter"))
    if "late" in values:
        fields["reordering_delay"] = seconds("late", values["late"])
    return fields


def format_faults(faults: Faults) -> str:
    """The words for faults, in a fixed order; ``off`` if there are none."""
    words = []
    if faults.loss:
        words.append(f"loss={percent(faults.loss)}")
    if faults.latency is not None:
        low, high = map(milliseconds, faults.latency)
        words.append(f"delay={low}" if low == high else f"delay={low}..{high}")
    for word, field in list(SHARES.items())[::-1]:
        if word != "loss" and getattr(faults, field):
            words.append(f"{word}={percent(getattr(faults, field))}")
    if faults.reordering_delay != type(faults)().reordering_delay:
        words.append(f"late={milliseconds(faults.reordering_delay)}")
    return " ".join(words) or NOTHING


def share(name: str, text: str) -> float:
    """A share of 1 from percent."""
    number = decimal(text.removesuffix("%"))
    if number is None or not 0 <= number <= 100:
        raise ConfigError(f"{name} must be a percentage from 0 to 100, not {text[:LONGEST_SHOWN]!a}")
    return float(number.scaleb(-2))


def latency(delay: str, jitter: str | None) -> tuple[float, float]:
    """Lowest and highest in seconds, from ``50..200``, or from ``50`` and what may come on top."""
    first, mark, second = delay.removesuffix("ms").partition("..")
    low = seconds("delay", first)
    if jitter is not None and mark:
        raise ConfigError("delay=LOW..HIGH and jitter say the same twice: give one of them")
    if jitter is not None:
        return (low, low + seconds("jitter", jitter))
    high = seconds("delay", second) if mark else low
    if high < low:
        raise ConfigError(f"delay must go from low to high, such as 50..200, not {delay[:LONGEST_SHOWN]!a}")
    return (low, high)


def seconds(name: str, text: str) -> float:
    """Seconds from milliseconds."""
    number = decimal(text.removesuffix("ms"))
    if number is None or number < 0:
        raise ConfigError(
            f"{name} must be milliseconds, such as 50 or 50..200, not {text[:LONGEST_SHOWN]!a}"
            if name == "delay"
            else f"{name} must be milliseconds, such as 50, not {text[:LONGEST_SHOWN]!a}"
        )
    return float(number.scaleb(-3))


def decimal(text: str) -> Decimal | None:
    """A finite number; None if the text is none."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= LARGEST_EXPONENT else None


def percent(share: float) -> str:
    """A share in percent, exactly."""
    return plain(Decimal(repr(float(share))).scaleb(2))


def milliseconds(span: float) -> str:
    """Seconds in milliseconds, exactly."""
    return plain(Decimal(repr(float(span))).scaleb(3))


def plain(number: Decimal) -> str:
    """A number without exponent and without needless zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def checked_latency(latency: Sequence[object]) -> tuple[float, float]:
    """The range as a pair.

    Raises:
        ConfigError: It is no range of seconds.
    """
    match latency:
        case [low, high]:
            if is_number(low) and is_number(high) and 0 <= low <= high <= LONGEST_DELAY:
                return (low, high)
    raise ConfigError(
        f"latency must be a range of seconds like (0.001, 0.05), at most {LONGEST_DELAY:.0f}, not {latency!r}"
    )
