"""The swarm on the pictures: ten nodes in memory that always say and know the same, at the same moments.

Nothing of it comes from a network, a simulation or dice, so a picture changes only when the drawing does.
"""

from __future__ import annotations

from copy import copy
from typing import Any

from protocol.core.events import Gap, PeerLost, PeerSeen
from protocol.core.messages import Message
from protocol.core.snapshot import Counters, PeerRow, PeerState
from protocol.core.strategy import Strategy
from protocol.core.view import Descriptor
from tests.gossip_tui.memory import MemoryNode
from tests.gossip_tui.samples import NOON, Talk, address, held, node_id, peer_row

__all__ = ["World"]

NODES = 10
VIEW_SIZE = 4
KNOWN = ((1, 2, 5, 7), (1, 3, 4, 6))
"""How far round the ring those are that a node with an odd or an even number has in its view."""

HOP = 0.006
"""Seconds that a message takes from one node to the next."""

PEERS_SEEN = 14.0
"""Seconds before the first message when the peers came."""


class World:
    """The nodes, what they said, and the two clocks that the screen goes by."""

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds since the screen was opened."""
        self.talk = Talk()
        self.nodes = [self._node(number) for number in range(1, NODES + 1)]
        self._history()
        self._converse()

    @property
    def seat(self) -> MemoryNode:
        """The node that one sits on."""
        return self.nodes[0]

    def clock(self) -> float:
        """Seconds on a clock that only goes forward."""
        return self.now

    def wall_clock(self) -> float:
        """Unix seconds: all that was said had been said when the screen was opened."""
        return NOON + 60 + self.now

    def say(
        self, who: int, text: str, *after: Message, at: float, silent: frozenset[int] = frozenset()
    ) -> Message:
        """A node says something, and it spreads round the ring in both directions, two nodes a hop.

        Args:
            who: The number of the node.
            text: What it says.
            after: What it had read before, beside its own messages.
            at: Seconds after noon.
            silent: Numbers of nodes that never get it.
        """
        message = self.talk.say(name(who), text, *after, created_at=NOON + at, delivered_at=NOON + at)
        for number, node in enumerate(self.nodes, 1):
            if number in silent:
                continue
            distance = min((number - who) % NODES, (who - number) % NODES)
            here = copy(message)
            here.hops = max(0, (distance + 1) // 2 - 1)
            here.delivered_at = NOON + at + HOP * distance
            node.deliver(here)
        return message

    def go_on(self) -> None:
        """A second passes, in which there is traffic and a cycle begins."""
        self.now += 1.0
        node, counters = self.seat, self.seat.picture.counters
        node.now(
            cycle=node.picture.cycle + 1,
            counters=Counters(
                datagrams_in=counters.datagrams_in + 31,
                datagrams_out=counters.datagrams_out + 29,
                rumors_in=counters.rumors_in + 25,
                duplicates=counters.duplicates + 15,
                repairs=counters.repairs + 1,
                delivered=counters.delivered + 10,
            ),
        )

    def _node(self, number: int) -> MemoryNode:
        view = [(number - 1 + step) % NODES + 1 for step in KNOWN[number % 2]]
        rows = tuple(row(other, age=3 * place * place + number % 3) for place, other in enumerate(view))
        fields: dict[str, Any] = {
            "view_size": VIEW_SIZE,
            "strategy": Strategy.parse("default", VIEW_SIZE),
            "view": tuple(
                Descriptor(one.id, address(n), one.age or 0) for n, one in zip(view, rows, strict=True)
            ),
        }
        return MemoryNode(name(number), number=number, peers=rows, **fields)

    def _history(self) -> None:
        """Whom the node has met before, and what is not quite in order."""
        node = self.seat
        others = (
            row(9, state=PeerState.LOST, age=None),
            row(6, state=PeerState.LEFT, age=None, round_trip=None),
            row(10, state=PeerState.AUTHOR, age=None, round_trip=None, address=None),
        )
        node.now(peers=(*node.picture.peers, *others))
        node.happen(*(PeerSeen(one.id, one.address) for one in node.picture.peers[:4] if one.address))
        node.happen(
            PeerLost(node_id(name(9)), address(9), left=False),
            PeerLost(node_id(name(6)), address(6), left=True),
        )
        node.happen(Gap(3))

    def _converse(self) -> None:
        hello = self.say(2, "good morning, who is there?", at=0.0)
        here = self.say(1, "n01 is", hello, at=1.2)
        both = self.say(5, "and so am I, since some minutes", hello, at=1.203)
        lunch = self.say(3, "when is lunch?", here, both, at=3.0)
        noon = self.say(
            8, "@n01 always at noon, be it summer or winter, as everybody in this house knows", lunch, at=4.5
        )
        wide = self.say(6, "早安 (good morning) – naïve café, Привет", hello, at=6.0)
        soup = self.say(7, "there is soup", noon, wide, at=7.1)
        self.say(2, "two lines:\nand the second", soup, at=8.0)
        more = self.say(10, "I like soup", soup, at=9.5)
        late = self.say(9, "is there bread as well?", noon, at=9.6, silent=frozenset({4}))
        last = self.say(4, "yes, and cheese", more, at=12.0)
        self.say(1, "see you there", late, last, at=14.0)
        missing = self.talk.say(name(3), "never arrives", last)
        self.seat.now(held=(held(name(6), 9, "after lunch then", missing.id, depth=12),), held_count=1)


def name(number: int) -> str:
    """What a node is called."""
    return f"n{number:02}"


def row(number: int, **fields: object) -> PeerRow:
    """A node as another one sees it."""
    return peer_row(number, **{"id": node_id(name(number)), **fields})
