"""How much everything holds that a node is made of: what never ends growing shows here by its name."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["census", "resident_size"]

PACKAGE = "protocol"
"""Objects of classes from here are looked into."""

CONTAINERS = (dict, list, set, frozenset, deque)

LOOKED_INTO = 4_096
"""Things of one container that are looked into; of what is all of one kind, that many tell enough."""


def census(root: object) -> dict[str, int]:
    """Elements in all containers that can be reached from ``root``, by class and attribute.

    >>> from protocol.core.frontier import Frontier
    >>> census(Frontier([(b"12345678", 1)]))
    {'Frontier.dots': 1}
    """
    found: Counter[str] = Counter()
    seen: set[int] = set()
    pending: list[object] = [root]
    while pending:
        thing = pending.pop()
        if id(thing) in seen or not is_part(thing):
            continue
        seen.add(id(thing))
        for name, value in attributes(thing):
            if isinstance(value, CONTAINERS):
                found[f"{type(thing).__name__}.{name}"] += len(value)
                pending.extend(contents(value))
            else:
                pending.append(value)
    return dict(sorted(found.items()))


def is_part(thing: object) -> bool:
    """Whether it is an object of the package that may hold containers, which no tuple does."""
    kind = type(thing)
    return kind.__module__.partition(".")[0] == PACKAGE and not issubclass(kind, tuple | type)


def attributes(thing: object) -> Iterator[tuple[str, Any]]:
    """The attributes of an object, with and without slots."""
    names = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    for name in {*names, *getattr(thing, "__dict__", {})}:
        value = getattr(thing, name, None)
        if value is not None:
            yield name, value


def contents(container: Any) -> list[object]:
    """What stands in a container, as far as it is looked into."""
    values = container.values() if isinstance(container, dict) else container
    return [value for value, _ in zip(values, range(LOOKED_INTO), strict=False)]


def resident_size() -> int:
    """Bytes of physical memory that this process uses now; Linux only."""
    found = re.search(r"VmRSS:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found.group(1)) * 1024
