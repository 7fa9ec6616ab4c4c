"""What may be done to the nodes of this process and to the network between them, to see how they bear it.

Nothing is injected here: faults and cuts are those of ``Node``, below its machine. This says whose they are:
one node's, or those of every member of a swarm; and it keeps who was stopped, crashed or cut off. Draws
nothing and imports nothing that does.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from protocol.core.bounded import put
from protocol.core.config import Dissemination
from protocol.core.faults import FAULT_COUNTS, NO_FAULTS, Direction, FaultReport, Faults
from protocol.core.identity import Address, NodeId
from protocol.core.snapshot import NodeSnapshot
from protocol.core.strategy import Strategy
from protocol.errors import StateError
from protocol.text import printable

from .command import CommandError
from .observed import CHANGES_LIMIT, Absence, Change, NodeState, Trouble, disturbance_of

__all__ = ["Experiments", "Lab", "Member", "NodeState", "Subject", "carry_over"]

TWINS_NAMED = 3
"""Addresses named of nodes that share a name."""


class Subject(Protocol):
    """The part of ``protocol.Node`` that experiments need; ``Node`` documents it."""

    @property
    def id(self) -> NodeId: ...  # noqa: D102
    @property
    def is_frozen(self) -> bool: ...  # noqa: D102
    @property
    def fault_report(self) -> FaultReport: ...  # noqa: D102
    def set_faults(self, faults: Faults | None, peer: Address | None = None) -> None: ...  # noqa: D102
    def block(self, peers: Iterable[Address], direction: Direction = Direction.BOTH) -> None: ...  # noqa: D102
    def unblock(self, peers: Iterable[Address] | None = None) -> None: ...  # noqa: D102
    def freeze(self) -> None: ...  # noqa: D102
    def thaw(self) -> None: ...  # noqa: D102
    async def close(self) -> None: ...  # noqa: D102
    def set_view_size(self, view_size: int) -> None: ...  # noqa: D102
    def set_fanout(self, fanout: int) -> None: ...  # noqa: D102
    def set_strategy(self, strategy: Strategy | str) -> None: ...  # noqa: D102
    def set_dissemination(self, dissemination: Dissemination | str) -> None: ...  # noqa: D102
    def snapshot(self) -> NodeSnapshot: ...  # noqa: D102


class Member(NamedTuple):
    """A node of this process, as experiments see it."""

    name: str
    state: NodeState
    side: int
    """On which side of a cut it is: 0 or 1; 0 for all while there is none."""


@dataclass(frozen=True, slots=True)
class Lab:
    """One frozen picture of what is being done to the nodes of this process, and what it did so far."""

    members: tuple[Member, ...]
    is_cut: bool
    """Whether the swarm is cut in two."""
    total: FaultReport
    """What faults did to the datagrams of all members together; what is in force at the one one sits on."""


class Experiments:
    """Faults, cuts, stops and crashes, for one node or a whole swarm.

    Args:
        nodes: The nodes as they are now; one that came back is another one.
        seat: Which of them one sits on.
        revive: Brings a new incarnation up in the place of one that has ended.
        clock: Unix seconds, for changes.
    """

    def __init__(
        self,
        nodes: Callable[[], Sequence[Subject]],
        seat: Callable[[], int],
        revive: Callable[[int], Awaitable[None]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._nodes = nodes
        self._seat = seat
        self._revive = revive
        self._crashed: dict[int, Subject] = {}
        self._far_side: frozenset[int] = frozenset()
        self._clock = clock
        self._changes: deque[Change] = deque(maxlen=CHANGES_LIMIT)
        self._ended: dict[NodeId, float] = {}
        self._begun: dict[NodeId, float] = {}

    @property
    def is_swarm(self) -> bool:
        """Whether there are several nodes in this process."""
        return len(self._nodes()) > 1

    @property
    def node(self) -> Subject:
        """The node one sits on."""
        return self._nodes()[self._seat()]

    # What there is to know.

    @property
    def is_cut(self) -> bool:
        """Whether the swarm is cut in two."""
        return bool(self._far_side)

    def state_of(self, index: int) -> NodeState:
        """What has become of a node."""
        fate = self.fate_of(index)
        if fate is NodeState.RUNNING and self._nodes()[index].snapshot().left:
            return NodeState.LEFT
        return fate

    def note(self, text: str, nodes: Iterable[str], at: float | None = None) -> None:
        """Keep what was changed, whom it concerns, by name, and when if not now, for diagrams."""
        self._changes.append(Change(self._clock() if at is None else at, text, frozenset(nodes)))

    @property
    def changes(self) -> tuple[Change, ...]:
        """What was changed, the newest last."""
        return tuple(self._changes)

    @property
    def absences(self) -> dict[NodeId, tuple[Absence, ...]]:
        """When nodes were not there: after they crashed, and before they came back as another incarnation."""
        ends = {node: Absence(start=at) for node, at in self._ended.items()}
        starts = {node: Absence(end=at) for node, at in self._begun.items()}
        return {
            node: tuple(found[node] for found in (starts, ends) if node in found) for node in starts | ends
        }

    def names(self, *, swarm: bool) -> list[str]:
        """The nodes that a change concerns: all, or the one one sits on."""
        return [node.id.name for node in self._chosen(swarm=swarm)]

    def names_asked(self, *, swarm: bool) -> list[str]:
        """The nodes that can be asked how they sample and spread: of a swarm, those that run.

        Raises:
            StateError: Nobody can.
        """
        return [node.id.name for node in self._asked(swarm=swarm)]

    def names_cut(self, peers: Sequence[str]) -> list[str]:
        """The nodes that a cut concerns: the whole swarm, or a single node and these peers of it."""
        if self.is_swarm:
            return self.names(swarm=True)
        addresses = {self.address_of(peer) for peer in peers}
        known = [row.id.name for row in self.node.snapshot().peers if row.address in addresses]
        return [self.node.id.name, *known]

    def trouble_of(self, index: int) -> Trouble:
        """What is done to a node."""
        return Trouble.of(self._nodes()[index].fault_report, self.fate_of(index))

    def fate_of(self, index: int) -> NodeState:
        """What was done to a node: it crashed, stands still, or neither; whether it left is not asked."""
        node = self._nodes()[index]
        if self._crashed.get(index) is node:
            return NodeState.CRASHED
        return NodeState.STOPPED if node.is_frozen else NodeState.RUNNING

    def picture(self) -> Lab:
        """How things stand; worth asking only while somebody looks."""
        nodes = self._nodes()
        members = tuple(
            Member(node.id.name, self.state_of(index), int(index in self._far_side))
            for index, node in enumerate(nodes)
        )
        return Lab(members, self.is_cut, total_of([node.fault_report for node in nodes], self._seat()))

    def summary(self) -> str:
        """What is out of order but the faults of the node one sits on, in a few words; empty for nothing."""
        troubles = [self.trouble_of(index) for index in range(len(self._nodes()))]
        return disturbance_of(troubles, self._seat(), is_cut=self.is_cut)

    def address_of(self, text: str) -> Address:
        """The address of a peer by its name or address.

        Raises:
            AddressError: It looks like an address and is none.
            CommandError: Nobody of that name is known, or several are.
        """
        if ":" in text:
            return Address.parse(text)
        known = {node.snapshot().address for node in self._nodes() if node.id.name == text}
        known |= {row.address for row in self.node.snapshot().peers if row.id.name == text and row.address}
        if not known:
            raise CommandError(
                f"no address is known of {printable(text)[:32]}: /peers lists everyone heard of"
            )
        if len(known) > 1:
            some = ", ".join(sorted(map(str, known))[:TWINS_NAMED])
            raise CommandError(f"several nodes are named {printable(text)[:32]}: say which, of {some}")
        return known.pop()

    # Faults.

    def set_faults(self, faults: Faults, peer: Address | None = None, *, swarm: bool = False) -> None:
        """Do this to datagrams from now on: of one node or of all, with everybody or with one peer.

        No faults for everybody ends those for single peers too.
        """
        for node in self._chosen(swarm=swarm):
            if peer is not None:
                is_needless = faults == NO_FAULTS and node.fault_report.faults == NO_FAULTS
                node.set_faults(None if is_needless else faults, peer)
                continue
            node.set_faults(faults)
            for one in node.fault_report.by_peer if faults == NO_FAULTS else ():
                node.set_faults(None, one)

    def partition(self, names: Sequence[str]) -> str:
        """Cut a swarm in two, or a single node off from peers; returns what was done, in words.

        Args:
            names: In a swarm, the nodes of the far side, and without any the second half; at a single node,
                from whom it is cut off, by name or address.

        Raises:
            CommandError: There is no such node, or nothing would be cut.
        """
        if not self.is_swarm:
            return self._cut_off(names)
        nodes = self._nodes()
        far = frozenset(map(self.index_of, names)) or frozenset(range((len(nodes) + 1) // 2, len(nodes)))
        near = [index for index in range(len(nodes)) if index not in far]
        if not near:
            raise CommandError("that is everybody: name the nodes of one side")
        self.heal()
        self._far_side = far
        addresses = [node.snapshot().address for node in nodes]
        heard = {row.address for node in nodes for row in node.snapshot().peers if row.address is not None}
        outside = heard.difference(addresses)
        for index, node in enumerate(nodes):
            # Nodes of other processes stay with the one that they can find, the first.
            others = outside if (index in far) != (0 in far) else frozenset()
            node.block([*(addresses[one] for one in (near if index in far else far)), *others])
        there, here = self._named(sorted(far)), self._named(near)
        return f"the swarm is cut in two: {here} | {there}"

    def heal(self, names: Sequence[str] = ()) -> bool:
        """Undo every cut, or at a single node that from these peers; returns whether there was one.

        Raises:
            CommandError: In a swarm there is one cut, which is undone as a whole; or there is no such peer.
        """
        if names and self.is_swarm:
            raise CommandError("the swarm is cut in two, or whole: /heal alone heals it")
        if names:
            peers = [self.address_of(name) for name in names]
            was_cut = any(peer in self.node.fault_report.blocked for peer in peers)
            self.node.unblock(peers)
            return was_cut
        was_cut = any(node.fault_report.blocked for node in self._nodes())
        for node in self._nodes():
            node.unblock()
        self._far_side = frozenset()
        return was_cut

    def _cut_off(self, names: Sequence[str]) -> str:
        if not names:
            raise CommandError("/partition needs the peers to be cut off from: /partition p2 p3")
        self.node.block([self.address_of(name) for name in names])
        whom = ", ".join(printable(name)[:40] for name in names)
        return f"this node is cut off from {whom}; others still reach them"

    # What becomes of nodes.

    def index_of(self, name: str) -> int:
        """The place of a node of this process.

        Raises:
            CommandError: There is none of that name.
        """
        names = [node.id.name for node in self._nodes()]
        if name not in names:
            raise CommandError(f"there is no node {printable(name)[:32]} here: {names[0]} to {names[-1]}")
        return names.index(name)

    async def crash(self, name: str) -> float:
        """End a node without a word; returns when it ended.

        Raises:
            CommandError: There is none, or it has ended already.
        """
        index = self.index_of(name)
        if self.state_of(index) in {NodeState.CRASHED, NodeState.LEFT}:
            raise CommandError(f"{name} has ended already: /restart {name}")
        self._crashed[index] = node = self._nodes()[index]
        await node.close()
        at = self._clock()
        put(self._ended, node.id, at, CHANGES_LIMIT)
        return at

    def stop(self, name: str) -> None:
        """Let a node stand still.

        Raises:
            CommandError: There is none, or it does not run.
        """
        index = self.index_of(name)
        state = self.state_of(index)
        if state is not NodeState.RUNNING:
            raise CommandError(f"{name} does not run: it is {state}")
        self._nodes()[index].freeze()

    def go_on(self, name: str) -> None:
        """Let a node go on that stands still.

        Raises:
            CommandError: There is none, or it does not stand still.
        """
        index = self.index_of(name)
        state = self.state_of(index)
        if state is not NodeState.STOPPED:
            raise CommandError(
                f"{name} is {state}" + ("" if state is NodeState.RUNNING else f": /restart {name}")
            )
        self._nodes()[index].thaw()

    async def restart(self, name: str) -> float:
        """Bring a node back as a new incarnation; one that runs crashes first. Returns when it began.

        Raises:
            CommandError: There is none.
            OSError: Its address is taken meanwhile.
        """
        index = self.index_of(name)
        self._crashed[index] = node = self._nodes()[index]
        await node.close()
        at = self._clock()
        if node.id not in self._ended:
            put(self._ended, node.id, at, CHANGES_LIMIT)
        await self._revive(index)
        self._crashed.pop(index, None)
        put(self._begun, self._nodes()[index].id, at, CHANGES_LIMIT)
        return at

    # How they sample and spread.

    def set_view_size(self, view_size: int, *, swarm: bool = False) -> None:
        """Hold views of another size.

        Raises:
            ConfigError: The size is not possible.
        """
        for node in self._asked(swarm=swarm):
            node.set_view_size(view_size)

    def set_fanout(self, fanout: int, *, swarm: bool = False) -> None:
        """Push messages to so many peers.

        Raises:
            ConfigError: There is no such number.
        """
        for node in self._asked(swarm=swarm):
            node.set_fanout(fanout)

    def set_strategy(self, text: str, *, swarm: bool = False) -> Strategy:
        """Sample by a preset or strategy; returns it as it is at the node one sits on.

        Raises:
            ConfigError: There is no such strategy, or it does not fit the view size.
        """
        strategy = Strategy.parse(text, self.node.snapshot().view_size)
        for node in self._asked(swarm=swarm):
            node.set_strategy(Strategy.parse(text, node.snapshot().view_size))
        return strategy

    def set_dissemination(self, text: str, *, swarm: bool = False) -> Dissemination:
        """Spread messages in this way; returns it.

        Raises:
            ConfigError: There is no such way.
        """
        dissemination = Dissemination.parse(text.strip().lower())
        for node in self._asked(swarm=swarm):
            node.set_dissemination(dissemination)
        return dissemination

    def _chosen(self, *, swarm: bool) -> Sequence[Subject]:
        return self._nodes() if swarm else [self.node]

    def _asked(self, *, swarm: bool) -> Sequence[Subject]:
        """Those that can be asked for something: of a swarm, who runs.

        Raises:
            StateError: Nobody can.
        """
        nodes = self._nodes()
        running = [node for index, node in enumerate(nodes) if self.state_of(index) is NodeState.RUNNING]
        if swarm and running:
            return running
        state = self.state_of(self._seat())
        if state is not NodeState.RUNNING:
            raise StateError(f"this node is {state}{WAY_BACK[state].format(self.node.id.name)}")
        return [self.node]

    def _named(self, indices: Sequence[int]) -> str:
        """Names of nodes, those in a row as a range."""
        names = [node.id.name for node in self._nodes()]
        if len(indices) > 2 and list(indices) == list(range(indices[0], indices[-1] + 1)):
            return f"{names[indices[0]]} to {names[indices[-1]]}"
        return ", ".join(names[index] for index in indices)


WAY_BACK = {
    NodeState.STOPPED: ": /continue {}",
    NodeState.CRASHED: ": /restart {}",
    NodeState.LEFT: ": /join comes back first",
}
"""What helps a node that does not run."""


def carry_over(before: Subject, after: Subject) -> None:
    """Let the faults and cuts of a node be those of its successor at the same address."""
    report = before.fault_report
    after.set_faults(report.faults)
    for peer, faults in report.by_peer.items():
        after.set_faults(faults, peer)
    for peer, direction in report.blocked.items():
        after.block([peer], direction)


def total_of(reports: Sequence[FaultReport], seat: int) -> FaultReport:
    """What faults did altogether, with those in force at one seat."""
    own = reports[seat]
    return FaultReport(
        own.faults,
        own.by_peer,
        own.blocked,
        **{name: sum(getattr(report, name) for report in reports) for name in FAULT_COUNTS},
    )
