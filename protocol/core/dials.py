"""Addresses outside the view that are tried now and then: contacts known from outside, and lost peers.

Both are why a partition heals by itself: somebody of the other side is dialled again, longer and longer apart
but for ever, even when no view holds anybody of it any more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b

from .bounded import put
from .identity import Address, NodeId
from .saved import SavedPeer

__all__ = ["CONTACT_LIMIT", "LONGEST_REDIAL", "LOST_LIMIT", "Dial", "Dials"]

CONTACT_LIMIT = 256
"""Addresses known from outside at the most: a port range, or a name with many addresses."""

LOST_LIMIT = 128
"""Lost peers remembered: enough that some of the other half are among them after a partition."""

DIALS_PER_CYCLE = 8
"""Lost peers and contacts dialled in one cycle, so that a long list does not make a burst."""

LONGEST_REDIAL = 32
"""Cycles between two attempts to reach a lost peer or contact, at the most."""

LONGEST_REDIAL_ALONE = 4
"""The same for a node that knows nobody else; as many more for each peer it knows. So two that have only each
other, as newcomers may while the network is parted, find the rest as soon as it can be reached."""

SPREAD_FROM = 8
"""Cycles from which on waits are spread, each address by a factor of its own from a half to one. Peers that
are lost together, as in a partition, else are all dialled at the same moments, and none between them."""

TRIES_OF_ADDED = 4
"""Attempts on an address that was added, not joined, before it is forgotten."""

TRIES_OF_UNPROVEN = 8
"""Attempts on a lost peer that never answered anything: two minutes of a partition at the default cycle. Its
address may be somebody's invention, so it is not dialled for ever."""

REVISIT = 8
"""How many times the view size in cycles an answering contact is left alone. Dialled more often, contacts
become the centre of a star: their descriptors are always fresh, and every view holds them."""


class Dial:
    """An address to be tried now and then."""

    __slots__ = ("address", "attempts", "due_at", "lost_at", "tries")

    def __init__(self, address: Address, due_at: float, tries: float) -> None:
        """Try ``address`` from ``due_at`` on, so many times (``math.inf``: for ever)."""
        self.address = address
        self.due_at = due_at
        self.tries = tries
        self.attempts = 0
        self.lost_at = due_at

    def wait(self, now: float, period: float, longest: int) -> None:
        """Put the next attempt off, longer each time, up to ``longest`` periods."""
        cycles = min(2 ** min(self.attempts, 16), longest)
        self.due_at = now + period * (cycles * spread_of(self.address) if cycles >= SPREAD_FROM else cycles)
        self.attempts += 1


def spread_of(address: Address) -> float:
    """The factor from a half to one by which waits for this address are spread, the same on all nodes."""
    return 0.5 + int.from_bytes(blake2b(str(address).encode(), digest_size=4).digest()) / (1 << 33)


class Dials:
    """Contacts and lost peers, bounded."""

    __slots__ = ("contacts", "lost")

    def __init__(self) -> None:
        """Know no address."""
        self.contacts: dict[Address, Dial] = {}
        self.lost: dict[NodeId, Dial] = {}

    def __bool__(self) -> bool:
        """Whether there is anybody to dial now or later."""
        return bool(self.lost or self.contacts)

    def add_contact(self, address: Address, now: float, *, is_kept: bool) -> Dial | None:
        """Note an address known from outside, to be dialled now; None if there are too many."""
        contact = self.contacts.get(address)
        if contact is None:
            if len(self.contacts) >= CONTACT_LIMIT:
                return None
            contact = self.contacts[address] = Dial(address, now, 0)
        contact.tries = math.inf if is_kept else max(contact.tries, TRIES_OF_ADDED)
        contact.attempts = 0
        return contact

    def add_lost(self, node: NodeId, address: Address, now: float, period: float, *, is_proven: bool) -> None:
        """Note a peer that stopped answering; it is dialled two periods from now for the first time."""
        dial = Dial(address, now, math.inf if is_proven else TRIES_OF_UNPROVEN)
        dial.wait(now, 2 * period, 1)
        put(self.lost, node, dial, LOST_LIMIT)

    def resume(self, peers: Iterable[SavedPeer], now: float) -> None:
        """Dial those known in a former life, from now on; they count as no worse than before."""
        for peer in peers:
            if peer.id is None:
                self.add_contact(peer.address, now, is_kept=True)
            elif len(self.lost) < LOST_LIMIT:
                dial = Dial(peer.address, now, math.inf if peer.is_proven else TRIES_OF_UNPROVEN)
                dial.lost_at = -math.inf
                put(self.lost, peer.id, dial, LOST_LIMIT)

    def saved(self) -> Iterator[SavedPeer]:
        """The lost peers and the contacts that are dialled for ever."""
        for node, dial in reversed(self.lost.items()):
            yield SavedPeer(node, dial.address, dial.tries == math.inf)
        for contact in self.contacts.values():
            if contact.tries == math.inf:
                yield SavedPeer(None, contact.address, is_proven=False)

    def due(
        self, now: float, period: float, is_known: Callable[[Address], bool], peers: int
    ) -> list[tuple[NodeId | None, Dial]]:
        """Whom to dial in this cycle, the longest overdue first; the next attempt of each is put off.

        Args:
            now: The moment.
            period: Seconds of a cycle.
            is_known: Whether an address is in the view, so that it need not be dialled.
            peers: How many are in the view. If nobody is, the long waits of better days do not count.
        """
        longest = min(LONGEST_REDIAL, LONGEST_REDIAL_ALONE * (1 + peers))
        due: list[tuple[NodeId | None, Dial]] = []
        known = [*self.lost.items(), *((None, contact) for contact in self.contacts.values())]
        for node, dial in sorted(known, key=lambda pair: pair[1].due_at):
            is_too_far = not peers and dial.due_at > now + longest * period
            if is_known(dial.address) or (dial.due_at > now and not is_too_far):
                continue
            if dial.attempts >= dial.tries:
                self._forget(node, dial)
            elif len(due) < DIALS_PER_CYCLE:
                dial.wait(now, period, longest)
                due.append((node, dial))
        return due

    def answered(self, node: NodeId, address: Address, now: float, revisit_period: float) -> None:
        """Somebody answered there: it is lost no more, and as a contact left alone for long."""
        if self.lost:
            self.lost.pop(node, None)
        contact = self.contacts.get(address) if self.contacts else None
        if contact is None:
            return
        if contact.tries < math.inf:
            del self.contacts[address]
        contact.attempts = 0
        contact.due_at = now + REVISIT * revisit_period

    def forget_address(self, address: Address) -> None:
        """Dial an address no more: it is this node's own."""
        self.contacts.pop(address, None)
        self.lost = {node: dial for node, dial in self.lost.items() if dial.address != address}

    def _forget(self, node: NodeId | None, dial: Dial) -> None:
        if node is None:
            del self.contacts[dial.address]
        else:
            del self.lost[node]
