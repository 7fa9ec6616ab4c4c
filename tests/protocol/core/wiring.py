"""Machines wired to each other without a network, and strangers that speak the wire format by hand."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

from protocol.core.codec import Datagram
from protocol.core.config import Config
from protocol.core.events import DatagramRejected, Event
from protocol.core.identity import Address, Key, NodeId
from protocol.core.machine import Machine, cluster_tag
from protocol.core.messages import (
    Digest,
    ExchangeAnswer,
    ExchangeRequest,
    Header,
    Item,
    KeyDot,
    Message,
    Padding,
    Rumor,
)
from protocol.core.outbox import Outbox
from protocol.core.view import Descriptor
from protocol.wire import WireCodec

__all__ = [
    "CODEC",
    "EPOCH",
    "Stranger",
    "Wiring",
    "address",
    "messages_of",
    "node_id",
    "rumor",
    "single_limit",
]

EPOCH = 1_700_000_000.0
CODEC = WireCodec()


def address(number: int) -> Address:
    return Address("10.0.0.1", 7_000 + number)


def node_id(name: str, incarnation: int = 1) -> NodeId:
    return NodeId(name, incarnation)


def rumor(
    origin: NodeId, sequence: int, depth: int = 1, parents: tuple[KeyDot, ...] = (), text: str = "x"
) -> Rumor:
    return Rumor(origin, sequence, depth, EPOCH, parents, text.encode(), 0)


def messages_of(out: Outbox) -> list[Message]:
    """What was delivered into an outbox."""
    return [event.message for event in out.events if hasattr(event, "message")]


def single_limit(machine: Machine) -> int:
    """Bytes of the largest payload that a message of this machine carries without being announced."""
    sizes = range(machine.config.payload_limit)
    return bisect_left(
        sizes,
        True,
        key=lambda size: machine.context.is_large(Rumor(machine.id, 1, 1, EPOCH, (), bytes(size + 1), 0)),
    )


Judge = Callable[[Address, Datagram], bool]


class Wiring:
    """Machines by address and a clock that moves by hand; datagrams arrive at once if ``passes`` says so."""

    def __init__(
        self, names: Sequence[str] = ("a", "b"), *, config: Config | None = None, seed: int = 1
    ) -> None:
        self.now = 0.0
        self.events: dict[str, list[Event]] = {}
        self.machines: dict[str, Machine] = {}
        self.sent: list[tuple[Address, Datagram]] = []
        """Every datagram, with its sender's address."""
        self.passes: Judge = lambda _source, _datagram: True
        self.by_address: dict[Address, str] = {}
        for number, name in enumerate(names):
            self.add(name, address(number), config=config, seed=seed)

    def add(
        self,
        name: str,
        at: Address,
        *,
        identity: NodeId | None = None,
        config: Config | None = None,
        seed: int = 1,
    ) -> Machine:
        """Start one more machine."""
        machine = Machine(
            identity or node_id(name),
            at,
            config or Config(),
            CODEC,
            random.Random(f"{name} {seed}"),
            wall_offset=EPOCH,
        )
        machine.handle_deadline(self.now)
        self.machines[name] = machine
        self.events[name] = []
        self.by_address[at] = name
        return machine

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    def at(self, name: str) -> Address:
        found = self.machines[name].address
        assert found is not None
        return found

    def join(self, name: str, *others: str) -> None:
        self[name].join([self.at(other) for other in others], self.now)
        self.settle()

    def send(self, name: str, text: str) -> Message:
        """Send a message; nothing leaves before ``settle``."""
        return self[name].send_gossip(text.encode(), self.now, EPOCH + self.now)

    def settle(self) -> None:
        """Carry datagrams until nobody has any more to send."""
        for _ in range(10_000):
            moved = False
            for name, machine in list(self.machines.items()):
                for datagram in machine.datagrams_to_send():
                    moved = True
                    self.carry(self.at(name), datagram)
                self.events[name].extend(machine.take_events())
            if not moved:
                return
        raise AssertionError("datagrams go round without end")

    def carry(self, source: Address, datagram: Datagram) -> None:
        assert datagram.size == len(datagram.data) <= 1_400
        self.sent.append((source, datagram))
        target = self.by_address.get(datagram.target)
        if target is not None and self.passes(source, datagram):
            self[target].receive_datagram(datagram.data, source, self.now)

    def run(self, seconds: float) -> None:
        """Let time pass, deadline by deadline."""
        end = self.now + seconds
        while True:
            self.settle()
            due_at = min(machine.deadline for machine in self.machines.values())
            if due_at > end:
                break
            self.now = max(self.now, due_at)
            for machine in self.machines.values():
                if machine.deadline <= self.now:
                    machine.handle_deadline(self.now)
        self.now = end

    def texts(self, name: str) -> list[str]:
        """What one machine delivered, in its order."""
        return [event.message.text for event in self.events[name] if hasattr(event, "message")]

    def told(self, name: str, kind: type[Event]) -> list[Event]:
        """The events of one kind that a machine told."""
        return [event for event in self.events[name] if isinstance(event, kind)]

    def reasons(self, name: str) -> list[str]:
        """Why a machine rejected datagrams."""
        return [event.reason for event in self.events[name] if isinstance(event, DatagramRejected)]

    def check(self) -> None:
        for machine in self.machines.values():
            machine.check()


class Stranger:
    """Somebody who speaks the wire format by hand, from any address, to one machine of a wiring."""

    def __init__(self, wiring: Wiring, at: Address, name: str = "stranger") -> None:
        self.wiring = wiring
        self.address = at
        self.id = node_id(name)
        self.cookie = 0
        self.received: list[bytes] = []
        self.bytes_sent = 0

    @property
    def key(self) -> Key:
        return self.id.key

    @property
    def bytes_received(self) -> int:
        return sum(map(len, self.received))

    def say(self, name: str, *items: Item, offer: int = 0, advertised: Address | None = None) -> list[Item]:
        """Send items in one datagram to a machine; what it sends back here at once, taken apart."""
        header = Header(cluster_tag(""), self.key, advertised, self.cookie, offer)
        data = CODEC.assemble(header, [CODEC.pack(item) for item in items])
        return self.throw(name, data)

    def throw(self, name: str, data: bytes) -> list[Item]:
        """Send any bytes to a machine."""
        self.bytes_sent += len(data)
        self.wiring[name].receive_datagram(data, self.address, self.wiring.now)
        return self.collect(name)

    def collect(self, name: str) -> list[Item]:
        """Take what a machine has for this address; everything else travels on."""
        wiring, items = self.wiring, list[Item]()
        for datagram in wiring[name].datagrams_to_send():
            if datagram.target == self.address:
                assert datagram.size <= 1_400
                self.received.append(datagram.data)
                items += CODEC.parse(datagram.data).items
            else:
                wiring.carry(wiring.at(name), datagram)
        wiring.events[name].extend(wiring[name].take_events())
        return items

    def request(
        self,
        nonce: int = 7,
        *,
        push: bool = True,
        pull: bool = True,
        descriptors: Iterable[Descriptor] = (),
        frontier: tuple[KeyDot, ...] | None = (),
        depth: int = 0,
        delivered: int = 0,
    ) -> ExchangeRequest:
        """An exchange request of this stranger's."""
        digest = Digest(frontier, depth, delivered, 0)
        return ExchangeRequest(nonce, self.id, push, pull, tuple(descriptors), digest)

    def prove(self, name: str) -> None:
        """Show a machine that this address is reached, as a peer does."""
        self.say(name, self.request(push=False), Padding(900))
        self.cookie = CODEC.parse(self.received[-1]).header.offer
        assert self.cookie
        self.say(name)

    def answer(self, request: ExchangeRequest, digest: Digest | None = None) -> ExchangeAnswer:
        """The answer to a request of a machine's."""
        return ExchangeAnswer(request.nonce, self.id, (), digest or Digest((), 0, 0, 0))
