"""What ShiViz demands of a log, checked as its parser does.

Written after ``parser.js``, ``vectorTimestamp.js`` and ``modelGraph.js`` of ShiViz: the expression of the
header finds the events; each has a clock in JSON with an entry of its own host; the events of a host count
1, 2, 3, ...; every entry names a host of the log and one of its events.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

__all__ = ["Parsed", "parse_shiviz"]


class Parsed(NamedTuple):
    """One event as ShiViz reads it."""

    host: str
    clock: dict[str, int]
    event: str


def parse_shiviz(text: str) -> list[Parsed]:
    """The events of a log.

    Raises:
        AssertionError: ShiViz would refuse it.
    """
    header, blank, rest = text.split("\n", 2)
    assert blank == ""
    expression = re.compile(re.sub(r"\(\?<(\w+)>", r"(?P<\1>", header), re.MULTILINE)
    assert {"host", "clock", "event"} <= set(expression.groupindex)
    assert not expression.search(header + "\n"), "the header itself would be an event"
    events = [
        Parsed(match["host"], json.loads(match["clock"]), match["event"])
        for match in expression.finditer(rest)
    ]
    assert len(events) * 2 == rest.count("\n"), "a line is part of no event"
    counts: dict[str, int] = {}
    for event in events:
        assert event.host in event.clock, "the own entry is missing"
        counts[event.host] = counts.get(event.host, 0) + 1
    by_place = {(event.host, event.clock[event.host]): event for event in events}
    for host, count in counts.items():
        assert sorted(place for name, place in by_place if name == host) == list(range(1, count + 1))
    for event in events:
        for host, count in event.clock.items():
            assert type(count) is int
            assert host in counts, "an entry of a host that is not in the log"
            assert 1 <= count <= counts[host], "an entry of an event that is not there"
            known = by_place[host, count].clock
            assert all(event.clock.get(name, 0) >= time for name, time in known.items()), "not transitive"
    return events
