"""Whom a node is told to join or add: addresses at once, names as soon as they have any."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from protocol.core.identity import Address
from protocol.errors import StateError
from protocol.net.addresses import check_family, contact_address, is_own
from protocol.net.life import NodeLife

__all__ = ["NodeContacts"]


class NodeContacts(NodeLife):
    """Introduces a node to others; what is asked for before it starts waits until then."""

    def join(self, *contacts: str | Address) -> None:
        """Get to know the network through ``contacts``; they are dialled again for as long as the node runs.

        Returns at once; before ``start()`` it is remembered until then. A host name stands for all its
        addresses and is looked up again until that works (``ContactUnresolved`` tells when it does not) and
        now and then after. The node's own address is ignored. Joining nobody is legal: the node waits to be
        found.

        Args:
            contacts: ``"host:port"``, ``"[ipv6]:port"`` or ``Address``.

        Raises:
            AddressError: A contact is malformed, a wildcard, or of a family this node can't reach; nothing
            was done.
            StateError: The node has left or is closed.
        """
        self._introduce(contacts, for_ever=True)

    def add(self, *peers: str | Address) -> None:
        """Try these peers too, like ``join``, but don't insist: one that does not answer is forgotten."""
        self._introduce(peers, for_ever=False)

    async def _open(self) -> None:
        await super()._open()
        waiting, self._introductions = self._introductions, []
        for addresses, for_ever in waiting:
            self._introduce_now(addresses, for_ever)

    def _introduce(self, given: Iterable[str | Address], *, for_ever: bool) -> None:
        addresses = [contact_address(one) for one in given]
        if self._closed:
            raise StateError("the node has left or is closed")
        if self.is_frozen:
            raise StateError("the node is frozen: it has to thaw first")
        bound = self._bound or self._bind
        if bound.is_numeric:
            for address in addresses:
                if address.is_numeric:
                    check_family(address, bound)
        if self._driver is None:
            self._introductions.append((addresses, for_ever))
        else:
            self._introduce_now(addresses, for_ever)

    def _introduce_now(self, addresses: Sequence[Address], for_ever: bool) -> None:
        assert self._resolver is not None
        dial = self._join_numeric if for_ever else self._add_numeric
        dial([address for address in addresses if address.is_numeric])
        for address in addresses:
            if not address.is_numeric:
                self._resolver.follow(address, dial, for_ever=for_ever)

    def _join_numeric(self, addresses: Sequence[Address]) -> None:
        driver = self._running
        driver.machine.join(self._others(addresses), driver.loop.time())
        if self._saver is not None:
            self._saver.save_peers()
        driver.schedule()

    def _add_numeric(self, addresses: Sequence[Address]) -> None:
        driver = self._running
        driver.machine.add(self._others(addresses), driver.loop.time())
        driver.schedule()

    def _others(self, addresses: Sequence[Address]) -> list[Address]:
        bound, told = self.bound_address, self._started.machine.address
        return [address for address in addresses if not is_own(address, bound, told)]
