"""What a command line says about a node, and the running node it stands for."""

# ruff: noqa: PLC0415 - checking options needs no sockets, so the node is imported when one is opened

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from protocol.core.identity import Address, check_name
from protocol.errors import ConfigError, StateError
from protocol.net.addresses import advertised_address, bind_address, contact_address

from .ports import DEFAULT_PORTS, PortRange, is_loopback, probe_while_alone, start_on_free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from protocol import Config, Node

__all__ = ["LEAVE_TIMEOUT", "NodeOptions", "leave", "open_node", "successor"]

FIELD_OPTIONS = {
    "view_size": "--view-size",
    "cycle_period": "--cycle",
    "fanout": "--fanout",
    "dissemination": "--dissemination",
    "cluster": "--cluster",
    "strategy": "--strategy",
}
"""The option behind each setting that an error text may name."""

Value = TypeVar("Value")

PROBES: set[asyncio.Task[None]] = set()
"""Keeps the probing tasks alive: a loop holds its tasks weakly."""


LEAVE_TIMEOUT = 2.0
"""Seconds that saying goodbye may take, and writing what is left as well; a choice, people wait."""


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """The node options that ``run``, ``tail`` and ``send`` share; None stands for the default.

    Raises:
        ConfigError: A value is not possible; the text says which option, its value and what is allowed.
    """

    name: str | None = None
    bind: str | None = None
    """``host:port``; the first free loopback port of ``ports`` if not given."""
    advertise: str | None = None
    join: tuple[str, ...] = ()
    cluster: str | None = None
    strategy: str | None = None
    view_size: int | None = None
    fanout: int | None = None
    dissemination: str | None = None
    """``eager`` or ``tree``."""
    cycle: float | None = None
    """Seconds between view exchanges."""
    state: str | None = None
    """The file that keeps the node across restarts."""
    history: int | None = None
    """Messages retained; no option of the command line."""
    ports: PortRange = field(default=DEFAULT_PORTS)

    def __post_init__(self) -> None:
        if self.name is not None:
            check("--name", check_name, self.name)
        for contact in self.join:
            self.check_contact(check("--join", contact_address, contact))
        if self.bind is not None:
            check("--bind", bind_address, self.bind)
        if self.advertise is not None:
            check("--advertise", advertised_address, self.advertise)
        self.config()

    def check_contact(self, contact: Address) -> None:
        """Refuse contacts that this node can't mean, or can't reach from where it listens.

        Raises:
            ConfigError: It is the node itself, or on another machine while the node listens on loopback only.
        """
        if self.bind is not None:
            if contact == check("--bind", bind_address, self.bind):
                raise ConfigError(f"--join {contact} is this node itself: give the address of another node")
        elif contact.is_numeric and (not is_loopback(contact.host) or ":" in contact.host):
            raise ConfigError(
                f"--join {contact} is out of reach from 127.0.0.1, where a node listens unless told "
                "otherwise: add --bind HOST:PORT with an address of this machine, or 0.0.0.0:PORT"
            )

    def config(self) -> Config:
        """The node's settings, defaults filled in.

        Raises:
            ConfigError: A value is not possible.
        """
        from protocol import Config

        given = {
            "cluster": self.cluster,
            "strategy": self.strategy,
            "view_size": self.view_size,
            "fanout": self.fanout,
            "dissemination": self.dissemination,
            "cycle_period": self.cycle,
            "history_limit": self.history,
        }
        try:
            return Config(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
        except ConfigError as error:
            raise ConfigError(in_options(str(error))) from None

    @property
    def probes(self) -> bool:
        """Whether the node looks for others in the port range: on loopback, unless told whom to join."""
        return not self.join and (self.bind is None or is_loopback(bind_address(self.bind).host))


async def open_node(options: NodeOptions) -> Node:
    """Start the node that the options describe: bound, named, dialling its contacts or probing the range.

    Raises:
        PortsTakenError: No bind address is given and every port of the range is taken.
        OSError: The bind address can't be had.
    """
    node = await start_node(options)
    if options.probes:
        keep(probe_while_alone(node, options.ports))
    return node


def successor(options: NodeOptions, former: Any) -> Node:
    """The next incarnation of a node that left: same name, place and settings; not started yet."""
    from protocol import Node

    node = Node(
        former.bound_address,
        name=former.id.name,
        advertise=options.advertise,
        config=former.config,
        state=options.state,
    )
    if options.probes:
        keep(probe_once_started(node, options.ports))
    return node


async def probe_once_started(node: Node, ports: PortRange) -> None:
    """Give whoever made the node a cycle's time to start it, then look around in the port range."""
    await asyncio.sleep(node.config.cycle_period)
    await probe_while_alone(node, ports)


def keep(job: Coroutine[Any, Any, None]) -> None:
    """Run a job in the background."""
    task = asyncio.create_task(job)
    PROBES.add(task)
    task.add_done_callback(PROBES.discard)


async def start_node(options: NodeOptions) -> Node:
    """Bind the node to the address given, or to where its state was last, or to the first free port."""
    from protocol import Node

    config = options.config()
    former = place_of(options.state) if options.state is not None else None

    def make(address: Address) -> Node:
        name = options.name or (options.ports.name_of(address) if former is None else None)
        node = Node(address, name=name, advertise=options.advertise, config=config, state=options.state)
        node.join(*options.join)
        return node

    if options.bind is None:
        contacts = [Address.parse(contact) for contact in options.join]
        return await start_on_free_port(make, options.ports, avoid=contacts, preferred=former)
    node = make(bind_address(options.bind))
    await node.start()
    return node


def place_of(state: str) -> Address | None:
    """Where the node of a state file listened last; None if the file is new.

    Raises:
        StateFileError: The file can't be used.
    """
    from protocol.state import last_bound

    return last_bound(state)


async def leave(node: Node) -> None:
    """Say goodbye and release the socket, without hanging on either."""
    with contextlib.suppress(TimeoutError, StateError):
        async with asyncio.timeout(LEAVE_TIMEOUT):
            await node.leave()
    await node.close()


def check(option: str, parse: Callable[[str], Value], text: str) -> Value:
    """What ``parse`` makes of an option's text; its complaint starts with the option.

    Raises:
        ConfigError: The text is not allowed.
    """
    try:
        return parse(text)
    except ConfigError as error:
        raise ConfigError(f"{option}: {error}") from None


def in_options(text: str) -> str:
    """An error text with the options' names in place of the settings'."""
    name, _, rest = text.partition(" ")
    return f"{FIELD_OPTIONS.get(name, name)} {rest}"
