"""One simulated node: the real machine, and what it delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from ..core.codec import Datagram
from ..core.config import Dissemination
from ..core.events import Delivered, Event
from ..core.faults import NO_FAULTS, Direction, FaultInjector, Faults
from ..core.identity import Address, NodeId
from ..core.machine import Machine
from ..core.messages import Message
from ..core.snapshot import NodeSnapshot
from ..core.strategy import Strategy
from ..core.view import Descriptor

__all__ = ["SimulatedNode"]

EPOCH = 1_700_000_000.0
"""Unix seconds at the start of every simulation, so that times look like times."""

SOCKET_BUFFER_LIMIT = 256
"""Datagrams a frozen node's socket keeps; what comes after is lost, as on a real socket."""


class SimulatedNode:
    """A machine in a simulated network; methods are those of ``protocol.Node``, without waiting."""

    __slots__ = (
        "_backlog",
        "_keeps_events",
        "_make_injector",
        "_now",
        "_pump",
        "address",
        "delivered",
        "events",
        "has_left",
        "injector",
        "is_crashed",
        "is_frozen",
        "machine",
    )

    def __init__(
        self,
        machine: Machine,
        address: Address,
        clock: Callable[[], float],
        pump: Callable[[SimulatedNode], None],
        make_injector: Callable[[], FaultInjector],
        *,
        keep_events: bool = True,
    ) -> None:
        """Drive ``machine`` at ``address`` by the simulation's clock; ``pump`` sends for it."""
        self.machine = machine
        self.address = address
        self.delivered: list[Message] = []
        """Everything delivered, in the order of delivery, own messages included."""
        self.events: list[Event] = []
        """Every event but deliveries, in order; nothing if the simulation keeps none."""
        self.is_crashed = False
        self.is_frozen = False
        self.has_left = False
        self.injector: FaultInjector | None = None
        """Faults of this node's own, beside those of the network; None until there are any."""
        self._make_injector = make_injector
        self._keeps_events = keep_events
        self._now = clock
        self._pump = pump
        self._backlog: list[tuple[Any, Address]] = []

    @property
    def id(self) -> NodeId:
        """Who this node is."""
        return self.machine.id

    @property
    def is_up(self) -> bool:
        """Whether it runs: neither crashed nor frozen. One that has left runs on, deaf."""
        return not (self.is_crashed or self.is_frozen)

    @property
    def is_live(self) -> bool:
        """Whether it is a member of the network: neither crashed nor gone; a frozen one still is."""
        return not (self.is_crashed or self.has_left)

    @property
    def log(self) -> list[Message]:
        """Everything delivered, in display order."""
        return sorted(self.delivered, key=lambda message: message.order)

    def current_view(self) -> tuple[Descriptor, ...]:
        """The partial view, youngest first."""
        return self.machine.view()

    def sample(self, k: int) -> tuple[Descriptor, ...]:
        """Up to ``k`` different peers at random; the same contract as ``protocol.Node.sample``."""
        return self.machine.sample(k)

    def send_gossip(self, data: str | bytes) -> Message:
        """Send a message now; the same contract as ``protocol.Node.send_gossip``."""
        if not isinstance(data, str | bytes):
            raise TypeError(f"a message is str or bytes, not {type(data).__name__}")
        payload = data.encode() if isinstance(data, str) else data
        message = self.machine.send_gossip(payload, self._now(), EPOCH + self._now())
        self._pump(self)
        return message

    def join(self, *contacts: Address) -> None:
        """Dial contacts, and again until they answer."""
        self.machine.join(contacts, self._now())
        self._pump(self)

    def set_strategy(self, strategy: Strategy | str) -> None:
        """Sample by another strategy from now on."""
        self.machine.set_strategy(strategy)

    def set_view_size(self, view_size: int) -> None:
        """Hold views of another size from now on."""
        self.machine.set_view_size(view_size, self._now())
        self._pump(self)

    def set_fanout(self, fanout: int) -> None:
        """Push new messages to so many peers from now on."""
        self.machine.set_fanout(fanout)

    def set_dissemination(self, dissemination: Dissemination | str) -> None:
        """Spread messages in the other way from now on."""
        self.machine.set_dissemination(dissemination, self._now())
        self._pump(self)

    def leave(self) -> None:
        """Say goodbye; the node is deaf from now on."""
        self.machine.leave(self._now())
        self.has_left = True
        self._pump(self)

    @property
    def faults(self) -> Faults:
        """What happens to this node's datagrams, beside what the network does; assignable."""
        return self.injector.faults if self.injector is not None else NO_FAULTS

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.set_faults(faults)

    def set_faults(self, faults: Faults | None, peer: Address | None = None) -> None:
        """Do this to datagrams of this node, or only those to and from a peer; as ``protocol.Node``."""
        self._own_injector().set_faults(faults, peer)

    def block(self, peers: Iterable[Address], direction: Direction | str = Direction.BOTH) -> None:
        """Let nothing pass between this node and these peers; as ``protocol.Node``."""
        self._own_injector().block(peers, direction)

    def unblock(self, peers: Iterable[Address] | None = None) -> None:
        """Let datagrams of these peers, or of all, pass again."""
        self._own_injector().unblock(peers)

    def snapshot(self, *, told: bool = False) -> NodeSnapshot:
        """One frozen picture of everything countable."""
        snapshot = self.machine.snapshot(self._now(), told=told)
        return snapshot if self.injector is None else replace(snapshot, faults=self.injector.report())

    def _own_injector(self) -> FaultInjector:
        if self.injector is None:
            self.injector = self._make_injector()
        return self.injector

    # the simulation's side

    def begin_anew(self, machine: Machine) -> None:
        """Be another process at the same address, with what ``machine`` was restored from."""
        log = machine.log
        self.machine = machine
        self.delivered = [log.message(position) for position in range(log.first, log.next)]
        self.is_crashed = self.is_frozen = self.has_left = False
        self._backlog = []

    def receive(self, data: Any, source: Address) -> None:
        """Let a datagram arrive; whoever drives collects and sends afterwards, as after ``wake``."""
        if self.is_frozen and not self.is_crashed:
            if len(self._backlog) < SOCKET_BUFFER_LIMIT:
                self._backlog.append((data, source))
        elif not self.is_crashed:
            self.machine.receive_datagram(data, source, self._now())

    def wake(self) -> None:
        """Let the machine do what is due."""
        if self.is_up and self.machine.deadline <= self._now():
            self.machine.handle_deadline(self._now())

    def thaw(self) -> None:
        """Go on after a freeze: first what the socket kept, then what was due."""
        self.is_frozen = False
        backlog, self._backlog = self._backlog, []
        for data, source in backlog:
            self.receive(data, source)
        self.wake()

    def take_datagrams(self) -> list[Datagram]:
        """What it wants to send now."""
        return self.machine.datagrams_to_send()

    def collect(self) -> None:
        """Sort fresh events into deliveries and others."""
        for event in self.machine.take_events():
            if isinstance(event, Delivered):
                self.delivered.append(event.message)
            elif self._keeps_events:
                self.events.append(event)
