from __future__ import annotations

import itertools

from gossip_tui.drawing.diagram import CHANGES_SPARE, Diagram
from gossip_tui.drawing.diagram_glyphs import UNICODE_DIAGRAM
from gossip_tui.drawing.moments import Mark
from gossip_tui.observed import CHANGES_LIMIT
from tests.gossip_tui.swarms import SwarmOf


def changed(diagram: Diagram, swarm: SwarmOf, count: int) -> None:
    """So many changes, each drawn before the next; of more than its limit a feed keeps the newest."""
    for number in range(count):
        swarm.now += 0.1
        swarm.change(f"change {number}", "p1")
        del swarm.changes[:-CHANGES_LIMIT]
        diagram.take(swarm.deliveries(diagram.seen))


def marks(diagram: Diagram) -> list[str]:
    return [row.change.text for row in diagram.moments.rows if isinstance(row, Mark)]


def quiet_pair() -> tuple[Diagram, SwarmOf]:
    """Two nodes that said one thing, and what is drawn of them."""
    swarm, diagram = SwarmOf("p1", "p2"), Diagram(UNICODE_DIAGRAM)
    diagram.width = 80
    swarm.tell("p1", "hello")
    diagram.take(swarm.deliveries({}))
    return diagram, swarm


def test_changes_are_bounded_however_long_nothing_is_delivered() -> None:
    diagram, swarm = quiet_pair()
    count = CHANGES_LIMIT + 3 * CHANGES_SPARE
    changed(diagram, swarm, count)
    newest = [f"change {number}" for number in range(count)][-CHANGES_LIMIT:]
    assert marks(diagram)[-CHANGES_LIMIT:] == newest
    assert len(marks(diagram)) == len(diagram.changes) <= CHANGES_LIMIT + CHANGES_SPARE
    assert len(diagram.moments.rows) == 2 + len(diagram.changes)


def test_rows_are_made_anew_for_some_of_the_changes_only() -> None:
    diagram, swarm = quiet_pair()
    firsts = []
    for _ in range(CHANGES_LIMIT + 2 * CHANGES_SPARE + 2):
        changed(diagram, swarm, 1)
        firsts.append(diagram.moments.first)
    assert sum(one != other for one, other in itertools.pairwise(firsts)) == 2


def test_the_cursor_stays_on_its_change_when_older_ones_are_forgotten() -> None:
    diagram, swarm = quiet_pair()
    changed(diagram, swarm, CHANGES_LIMIT + CHANGES_SPARE)
    diagram.row = diagram.moments.end - 1
    before = diagram.moments.row(diagram.row)
    changed(diagram, swarm, 1)
    after = diagram.moments.row(diagram.row)
    assert isinstance(before, Mark)
    assert isinstance(after, Mark)
    assert before.change == after.change
