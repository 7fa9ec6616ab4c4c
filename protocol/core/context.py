"""What the parts of one machine share: who they are, what is configured, and the tools they all use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .causal import CausalOrder
from .codec import DATAGRAM_LIMIT, Codec, Packed
from .config import Config
from .identity import Address, Key, NodeId
from .links import Links
from .messages import Acknowledge, Digest, Header, Item

if TYPE_CHECKING:
    import random

__all__ = ["Context"]


class Context:
    """One node's identity, settings and tools; its parts hold on to it and never to each other's insides."""

    def __init__(
        self,
        identity: NodeId,
        address: Address | None,
        config: Config,
        codec: Codec,
        rng: random.Random,
        cluster: int,
    ) -> None:
        """Tie the parts' common ground together.

        Args:
            identity: Who this node is now; a new incarnation replaces it.
            address: Where third parties reach it; None if that is not known.
            config: The settings; a change of strategy replaces it.
            codec: Packs items.
            rng: Dice; only ``random()`` is used.
            cluster: The tag every datagram carries.
        """
        self.id = identity
        self.key: Key = identity.key
        self.address = address
        self.config = config
        self.codec = codec
        self.random = rng.random
        self.cluster = cluster
        self.links = Links(bytes(int(rng.random() * 256) for _ in range(32)))
        self.causal = CausalOrder(config)
        self.header_size = codec.header_size(self.header(1 << 63, 1 << 63))
        """Bytes of the largest header this node writes."""

    def header(self, cookie: int, offer: int) -> Header:
        """The front of a datagram from here."""
        return Header(self.cluster, self.key, self.address, cookie, offer)

    @property
    def item_limit(self) -> int:
        """Bytes that one item may take, alone in a datagram."""
        return DATAGRAM_LIMIT - self.header_size

    def pack(self, item: Item) -> Packed:
        """Pack one item."""
        return self.codec.pack(item)

    def digest(self) -> Digest:
        """What this node has."""
        causal = self.causal
        return Digest(
            tuple(causal.frontier.dots.items()),
            causal.depth,
            causal.delivered_count,
            causal.log.evicted_count,
        )

    def acknowledgement(self, key: Key) -> tuple[Packed, ...]:
        """What to tell the origin ``key`` about its own messages: nothing, or how far they are delivered here."""
        floor = self.causal.floor(key)
        return (self.pack(Acknowledge((key, floor))),) if floor else ()

    def grace_period(self) -> float:
        """Seconds that a message may be under way before it counts as missing.

        Source: measured with the prototype of this rule: 20 ms, or four smoothed hop latencies, or half a round trip.
        """
        return max(0.02, 2 * self.links.typical_round_trip)
