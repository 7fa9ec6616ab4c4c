"""What is known of the paths to other addresses: proof, cookies, round trips, and how much may be sent.

An address is believed to belong to a peer only once it has echoed something that was sent there: the nonce of
an exchange request, or the cookie that every offer carries. To an unproven address no more bytes go out than
came in, and what this node grants of its own accord to one that its view named; so nobody can aim this node
at a third party.
"""

from __future__ import annotations

import math
from hashlib import blake2b

from .bounded import put
from .codec import DATAGRAM_LIMIT
from .identity import Address, Key
from .messages import Header

__all__ = ["Link", "Links"]

LINK_LIMIT = 4_096
"""Addresses remembered of each sort at the most, proven or dialled and strangers; the one whose proof, or
else whose first datagram, is longest ago goes first. A choice: some megabytes at the most."""

FEWEST_LINKS = 16
"""Addresses remembered at the least: those an exchange, a repair or a catch-up goes on with."""

PROOF_PERIOD = 60.0
"""Seconds that a proof lasts after the last one: a choice, some tens of cycles."""

COOKIE_PERIOD = 300.0
"""Seconds of an epoch; a cookie is good in its own and the next one."""

ROUTE_PERIOD = 30.0
"""Seconds that a peer's observed source goes before its advertised address: what address translators keep
open."""

BLIND_PUSH_LIMIT = 8 * DATAGRAM_LIMIT
"""Bytes of unasked-for messages to an address that somebody's view named but that has proven nothing yet."""

FRONT_ROOM = 64
"""Bytes granted for the front of every datagram that an unasked-for message takes; a front has at most 52."""

REPLY_RATE = 4 * 1024 * 1024
"""Bytes per second of messages that one source may ask for."""

REPLY_BURST = 1024 * 1024
"""Bytes of messages that one source may ask for at once."""

FULL_ALLOWANCE = float(REPLY_BURST)
"""What a source begins with, one number for all."""

ANY_NONCE = 1 << 63
"""Nonces are counted from here where nobody guesses: they are as long as those that are drawn."""

FIRST_ROUND_TRIP = 0.1
"""Seconds assumed before the first measurement."""


class Link:
    """One address, as far as it was heard from or dialled."""

    __slots__ = (
        "address",
        "allowance",
        "balance",
        "blind_budget",
        "cookie",
        "is_stranger",
        "last_nonce",
        "proven_until",
        "refilled_at",
        "round_trip",
    )

    def __init__(
        self, address: Address, *, is_stranger: bool, now: float, proven_until: float = -math.inf
    ) -> None:
        """Know nothing but who began."""
        self.address = address
        self.is_stranger = is_stranger
        """It was heard from before this node ever sent to it, and has proven nothing."""
        self.cookie = 0
        """The peer's cookie for this node's address."""
        self.proven_until = proven_until
        self.balance = 0
        """While it is unproven: bytes received and granted, less bytes sent."""
        self.blind_budget = BLIND_PUSH_LIMIT
        self.last_nonce = 0
        """Of its last exchange request, to tell a repeated one."""
        self.round_trip: float | None = None
        """Smoothed seconds from request to answer."""
        self.allowance = FULL_ALLOWANCE
        self.refilled_at = now

    def admit(self, size: int, now: float) -> bool:
        """Whether a datagram of this size may leave; it counts against what an unproven address sent."""
        if now > self.proven_until:
            if self.balance < size:
                return False
            self.balance -= size
        return True


class Links:
    """All links of one node, bounded; cookies are stateless."""

    __slots__ = (
        "_familiar",
        "_has_measured",
        "_limit",
        "_nonce_count",
        "_routes",
        "_secret",
        "_strangers",
        "typical_round_trip",
        "verifies",
    )

    def __init__(self, secret: bytes, limit: int = LINK_LIMIT, *, verify: bool = True) -> None:
        """Sign cookies with ``secret``, which nobody else knows; remember ``limit`` addresses of each sort.

        Without ``verify`` every address counts as proven from the start, and no cookies are needed.
        """
        self._secret = secret
        self._limit = max(limit, FEWEST_LINKS)
        self.verifies = verify
        self._familiar: dict[Address, Link] = {}
        self._strangers: dict[Address, Link] = {}
        self._routes: dict[Key, tuple[Address, float]] = {}
        self._nonce_count = 0
        self._has_measured = False
        self.typical_round_trip = FIRST_ROUND_TRIP
        """Smoothed over all peers, in seconds."""

    def get(self, address: Address) -> Link | None:
        """The link of an address, if there is one."""
        return self._familiar.get(address) or self._strangers.get(address)

    def cookie_of(self, address: Address) -> int:
        """What proves this node's address to the one at ``address``; 0 if that is not known."""
        link = self.get(address)
        return link.cookie if link is not None else 0

    def heard(self, source: Address, header: Header, size: int, now: float) -> Link:
        """Note a datagram from ``source``; it becomes proven if it returns this node's cookie."""
        if not self.verifies:
            return self.dial(source, now)
        link = self.get(source)
        if link is None:
            link = Link(source, is_stranger=True, now=now)
            put(self._strangers, source, link, self._limit)
        if now > link.proven_until:
            link.balance += size
        if (
            header.cookie
            and now > link.proven_until - PROOF_PERIOD / 2
            and self._verify(source, header.cookie, now)
        ):
            self.prove(link, now)
        if header.offer and (not link.cookie or now <= link.proven_until or not link.is_stranger):
            link.cookie = header.offer
        if now <= link.proven_until:
            self._note_route(source, header, now)
        return link

    def dial(self, target: Address, now: float) -> Link:
        """The link of an address that this node is about to send to of its own accord."""
        link = self.get(target)
        if link is None:
            proven_until = -math.inf if self.verifies else math.inf
            link = Link(target, is_stranger=False, now=now, proven_until=proven_until)
            put(self._familiar, target, link, self._limit)
        return link

    def grant(self, target: Address, size: int, now: float) -> None:
        """Allow so many bytes of this node's own accord to an address; nothing to strangers."""
        if self.verifies:
            link = self.dial(target, now)
            if now > link.proven_until and not link.is_stranger:
                link.balance += size

    def prove(self, link: Link, now: float) -> None:
        """Believe that the peer is reached at this address."""
        if not self.verifies:
            return
        link.proven_until = now + PROOF_PERIOD
        link.blind_budget = BLIND_PUSH_LIMIT
        if link.is_stranger:
            link.is_stranger = False
            self._strangers.pop(link.address, None)
        put(self._familiar, link.address, link, self._limit)

    def is_proven(self, address: Address, now: float) -> bool:
        """Whether messages may be sent to this address freely."""
        link = self._familiar.get(address)
        return link is not None and now <= link.proven_until

    @property
    def has_routes(self) -> bool:
        """Whether any peer is reached elsewhere than where it says."""
        return bool(self._routes)

    def was_proven(self, address: Address) -> bool:
        """Whether somebody ever answered there, as far as this node remembers."""
        link = self._familiar.get(address)
        return link is not None and link.proven_until > -math.inf

    def may_push(self, target: Address, size: int, now: float) -> bool:
        """Whether an unasked-for message may go there; counts against the small budget of the unproven."""
        link = self._familiar.get(target)
        if link is not None and now <= link.proven_until:
            return True
        link = self.dial(target, now)
        if link.is_stranger:
            return True
        if link.blind_budget < size:
            return False
        link.blind_budget -= size
        link.balance += size + FRONT_ROOM * (1 + 2 * size // DATAGRAM_LIMIT)
        return True

    def may_reply(self, link: Link, size: int, now: float) -> bool:
        """Whether one source may be sent so many more bytes of messages it asked for."""
        self._refill(link, now)
        if link.allowance < size:
            return False
        link.allowance -= size
        return True

    def may_ask(self, link: Link, cost: int, now: float) -> bool:
        """Whether one source has anything left to pay for work it asks for, as if it were ``cost`` bytes.

        It pays before the work is done, and may owe what it does not have: so work that costs more than
        a burst is done as well, only seldom, and what is refused costs nothing.
        """
        self._refill(link, now)
        if link.allowance <= 0:
            return False
        link.allowance -= cost
        return True

    def charge(self, link: Link, cost: int) -> None:
        """Take what work that was asked for has cost beyond what was paid before; the source may owe it."""
        link.allowance -= cost

    def _refill(self, link: Link, now: float) -> None:
        link.allowance = min(REPLY_BURST, link.allowance + (now - link.refilled_at) * REPLY_RATE)
        link.refilled_at = now

    def room_for(self, target: Address, limit: int) -> int:
        """Bytes that may be sent to an address now, at most ``limit``."""
        link = self._strangers.get(target)
        return limit if link is None else max(0, min(limit, link.balance))

    # cookies, nonces, routes, round trips

    def cookie_for(self, address: Address, now: float) -> int:
        """What ``address`` has to return to prove that it receives there; never 0."""
        return self._cookie(address, int(now // COOKIE_PERIOD))

    def next_nonce(self) -> int:
        """A number nobody can guess, for a request, if addresses have to prove themselves; never 0."""
        self._nonce_count += 1
        if not self.verifies:
            return ANY_NONCE + self._nonce_count
        return self._hash(b"nonce" + self._nonce_count.to_bytes(8))

    def route(self, key: Key, address: Address, now: float) -> Address:
        """Where to send to a peer: its advertised address if that works, else its fresh observed source.

        Anybody can claim a peer's key from an address of his own; as long as the peer is reached where it
        says it is, this leads nobody astray.
        """
        if not self._routes:
            return address
        observed = self._routes.get(key)
        if observed is None or now - observed[1] > ROUTE_PERIOD or self.is_proven(address, now):
            return address
        return observed[0]

    def note_round_trip(self, link: Link, seconds: float) -> None:
        """Fold a measured round trip in.

        Source: the smoothing of RFC 6298, section 2.
        """
        link.round_trip = seconds if link.round_trip is None else 0.875 * link.round_trip + 0.125 * seconds
        known = self.typical_round_trip if self._has_measured else seconds
        self.typical_round_trip = 0.875 * known + 0.125 * seconds
        self._has_measured = True

    def _note_route(self, source: Address, header: Header, now: float) -> None:
        if source != header.address:
            put(self._routes, header.sender, (source, now), self._limit)
        elif self._routes:
            self._routes.pop(header.sender, None)

    def _verify(self, source: Address, cookie: int, now: float) -> bool:
        epoch = int(now // COOKIE_PERIOD)
        return cookie in {self._cookie(source, epoch), self._cookie(source, epoch - 1)}

    def _cookie(self, address: Address, epoch: int) -> int:
        return self._hash(f"{epoch} {address.port} {address.host}".encode())

    def _hash(self, data: bytes) -> int:
        return int.from_bytes(blake2b(data, key=self._secret, digest_size=8).digest()) or 1
