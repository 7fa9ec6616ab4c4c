"""Host names to addresses, off the event loop, for as long as it takes.

A name is not resolved once: until that works it is tried again, and a name that stands for a changing set of
hosts (round-robin DNS, a headless service) is looked up now and then, so that a network that moved is still
found.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from protocol.core.identity import Address
from protocol.net.udp import address_of

__all__ = ["Resolver", "resolve"]

RETRY_PERIOD = 1.0
"""Seconds until a name that could not be resolved is tried again the first time; doubles each time."""

RETRY_PERIOD_LIMIT = 60.0
"""Seconds between tries at the most: a name server that is back is noticed within a minute."""

REFRESH_PERIOD = 60.0
"""Seconds after which a resolved name is looked up again; a usual time to live of such records."""

FAMILIES = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}


class Resolver:
    """Follows host names for one node; everything it finds is numeric and of the node's family."""

    def __init__(self, family: socket.AddressFamily, failed: Callable[[Address, str], None]) -> None:
        """Resolve to addresses of ``family``; ``failed`` hears of a name once per reason."""
        self._family = family
        self._failed = failed
        self._tasks: dict[tuple[Address, bool], asyncio.Task[None]] = {}

    def follow(self, contact: Address, found: Callable[[Sequence[Address]], None], *, for_ever: bool) -> None:
        """Resolve ``contact`` and pass every address that is new to ``found``.

        Args:
            contact: A host name and a port.
            found: Called on the loop with the addresses that the last answer did not hold.
            for_ever: Whether to look it up again after the first answer.
        """
        key = (contact, for_ever)
        if key not in self._tasks:
            task = asyncio.get_running_loop().create_task(self._follow(contact, found, for_ever))
            self._tasks[key] = task
            task.add_done_callback(lambda _: self._tasks.pop(key, None))

    async def close(self) -> None:
        """Stop following; a look-up under way is abandoned, not waited for."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(
        self, contact: Address, found: Callable[[Sequence[Address]], None], for_ever: bool
    ) -> None:
        known: set[Address] = set()
        said = ""
        pause = RETRY_PERIOD
        while True:
            try:
                addresses = await resolve(contact, self._family)
            except OSError as error:
                reason = error.strerror or str(error)
                if reason != said:
                    self._failed(contact, reason)
                said = reason
                await asyncio.sleep(pause)
                pause = min(2 * pause, RETRY_PERIOD_LIMIT)
                continue
            if new := [address for address in addresses if address not in known]:
                found(new)
            if not for_ever:
                return
            known, said, pause = set(addresses), "", RETRY_PERIOD
            await asyncio.sleep(REFRESH_PERIOD)


async def resolve(contact: Address, family: socket.AddressFamily) -> list[Address]:
    """Every address that a host name (or a numeric host) stands for, at least one, IPv4 first.

    Of one family, or of both with ``AF_UNSPEC``.

    The system's resolver blocks, so it runs in a thread of its own; a daemon, because a dead name server may
    hold it for half a minute and must not hold up the end of the program.

    Raises:
        OSError: The name has no address of this family, or can't be resolved now; ``strerror`` says why.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address]] = loop.create_future()

    def hand_over(result: list[Address] | OSError) -> None:
        if answer.done():
            return
        if isinstance(result, OSError):
            answer.set_exception(result)
        else:
            answer.set_result(result)

    def work() -> None:
        result = look_up(contact, family)
        try:
            loop.call_soon_threadsafe(hand_over, result)
        except RuntimeError:  # the loop was closed meanwhile: nobody waits any more
            return

    threading.Thread(target=work, name="protocol-resolver", daemon=True).start()
    return await answer


def look_up(contact: Address, family: socket.AddressFamily) -> list[Address] | OSError:
    """Ask the system, and give its error back as a value."""
    try:
        found: list[Any] = socket.getaddrinfo(contact.host, contact.port, type=socket.SOCK_DGRAM)
    except UnicodeError:  # a name that the IDNA encoding refuses never reaches the resolver
        return OSError(None, "not a possible host name")
    except OSError as error:
        return error
    wanted = FAMILIES if family == socket.AF_UNSPEC else {family: FAMILIES[family]}
    addresses = [address_of(raw) for one in wanted for kind, _, _, _, raw in found if kind == one]
    if not addresses:
        return OSError(None, f"it has no {' or '.join(wanted.values())} address")
    return list(dict.fromkeys(addresses))
