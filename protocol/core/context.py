"""What the parts of one machine share: who they are, what is configured, and the tools they all use."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .causal import CausalOrder
from .codec import DATAGRAM_LIMIT, Codec, Packed
from .config import Config
from .identity import Address, Key, NodeId, key_of
from .large.contents import Contents
from .large.limits import CHUNK_SIZE
from .large.tree import Reference
from .links import Links
from .messages import COUNT_LIMIT, NOTHING, Acknowledge, BareRumor, Digest, Header, Item, Rumor
from .wide import pack_rumor

if TYPE_CHECKING:
    import random

__all__ = ["Context"]

WIDEST_ADDRESS = Address("2001:db8::1", 65_535)
"""An address as large as any, to reckon with."""


class Context:
    """One node's identity, settings and tools; its parts hold on to it and never to each other's insides."""

    __slots__ = (
        "_plain_header",
        "address",
        "causal",
        "cluster",
        "codec",
        "config",
        "contents",
        "header_size",
        "id",
        "is_silent",
        "item_limit",
        "key",
        "links",
        "pack",
        "random",
        "rumor_limit",
    )

    def __init__(
        self,
        identity: NodeId,
        address: Address | None,
        config: Config,
        codec: Codec,
        rng: random.Random,
        cluster: int,
        *,
        verify_sources: bool = True,
    ) -> None:
        """Tie the parts' common ground together.

        Args:
            identity: Who this node is now; a new incarnation replaces it.
            address: Where third parties reach it; None if that is not known.
            config: The settings; a change of strategy replaces it.
            codec: Packs items.
            rng: Dice; only ``random()`` is used.
            cluster: The tag every datagram carries.
            verify_sources: Whether an address has to prove itself before it is believed.
        """
        self.id = identity
        self.key: Key = identity.key
        self.address = address
        self.config = config
        self.codec = codec
        self.pack: Callable[[Item], Packed] = codec.pack
        """Packs one item."""
        self.random = rng.random
        self.cluster = cluster
        secret = bytes(int(rng.random() * 256) for _ in range(32))
        self.links = Links(secret, config.acquaintance_limit, verify=verify_sources)
        self.causal = CausalOrder(config)
        self.contents = Contents(config.history_size_limit + config.hold_back_size_limit)
        self.causal.own_key = self.key
        self.is_silent = True
        """Whether no message was ever made or heard of here: then there is nothing to compare or repair."""
        self._plain_header: Header | None = None
        self.header_size = codec.header_size(self.header(1 << 63, 1 << 63))
        """Bytes of the largest header this node writes."""
        self.item_limit = DATAGRAM_LIMIT - self.header_size
        """Bytes that one item may take, alone in a datagram."""
        widest = Header(cluster, self.key, WIDEST_ADDRESS, 1 << 63, 1 << 63)
        self.rumor_limit = DATAGRAM_LIMIT - codec.header_size(widest)
        """Bytes that a message may take in one item, so that any node can pass it on in one datagram."""

    def rename(self, identity: NodeId) -> None:
        """Be another incarnation from now on."""
        self.id = identity
        self.key = self.causal.own_key = identity.key

    def header(self, cookie: int, offer: int) -> Header:
        """The front of a datagram from here."""
        return Header(self.cluster, self.key, self.address, cookie, offer)

    def plain_header(self) -> Header:
        """The front of a datagram from here without cookies, the same one as long as nothing changes."""
        header = self._plain_header
        if header is None or header.sender is not self.key or header.address is not self.address:
            header = self._plain_header = self.header(0, 0)
        return header

    def pack_rumor(self, rumor: Rumor) -> list[Packed]:
        """Pack a message, in several items if its parents do not fit beside it; a large one is announced."""
        if self.is_announced(rumor) and type(rumor.payload) is not Reference:
            tree = self.contents.of((key_of(rumor.origin), rumor.sequence), rumor.payload)
            rumor = rumor._replace(payload=tree.reference)
        return pack_rumor(rumor, self.codec.pack, self.rumor_limit)

    def is_announced(self, rumor: Rumor) -> bool:
        """Whether the message travels without its payload, from here too."""
        payload = rumor.payload
        return type(payload) is Reference or (len(payload) > CHUNK_SIZE and self.is_large(rumor))

    def is_large(self, rumor: Rumor) -> bool:
        """Whether the payload does not fit one datagram even without the parents; equal on every node.

        What is no larger than a chunk always fits.
        """
        return self.codec.size_of(BareRumor(rumor._replace(parents=()), 1)) > self.rumor_limit

    def digest(self) -> Digest:
        """What this node has."""
        if self.is_silent:
            return NOTHING
        causal = self.causal
        return Digest(
            tuple(causal.frontier.dots.items()),
            causal.depth,
            min(causal.delivered_count, COUNT_LIMIT),
            min(causal.log.evicted_count, COUNT_LIMIT),
        )

    def acknowledgement(self, key: Key) -> tuple[Packed, ...]:
        """What to tell the origin ``key`` of its own messages: nothing, or how far they are delivered."""
        floor = self.causal.floor(key)
        return (self.pack(Acknowledge((key, floor))),) if floor else ()

    def grace_period(self) -> float:
        """Seconds that a message may be under way before it counts as missing.

        Source: measured with the prototype of this rule: 20 ms, or four smoothed hop latencies, or half a
        round trip.
        """
        return max(0.02, 2 * self.links.typical_round_trip)

    def patience(self) -> float:
        """Seconds to wait for the answer to a request that a lost datagram may have spoilt; a choice."""
        return max(0.25, 3 * self.links.typical_round_trip)
