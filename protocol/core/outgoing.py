"""What goes out: items for one target share datagrams, and nobody gets more than may be sent to them."""

from __future__ import annotations

from .codec import DATAGRAM_LIMIT, Datagram, Packed
from .context import Context
from .identity import Address, new_tuple
from .messages import Header
from .outbox import Outbox

__all__ = ["Outgoing"]


class Outgoing:
    """Makes datagrams of what waits in an outbox, and counts them."""

    __slots__ = ("_sealed", "byte_count", "context", "datagram_count", "out")

    def __init__(self, context: Context, out: Outbox) -> None:
        """Have sent nothing."""
        self.context = context
        self.out = out
        self.datagram_count = 0
        self.byte_count = 0
        self._sealed: list[Datagram] = []

    def seal(self, now: float) -> None:
        """Make datagrams of what waits, before the node takes another identity: items name their sender."""
        self._sealed = self.datagrams(now)

    def datagrams(self, now: float) -> list[Datagram]:
        """What to put on the wire now; the outbox is empty afterwards."""
        out = self.out
        if not (out.waiting or self._sealed):
            return []
        datagrams, self._sealed = self._sealed, []
        waiting, out.waiting = out.waiting, {}
        fresh: list[Datagram] = []
        for target, items in waiting.items():
            self._assemble(target, items, now, fresh)
        out.forget()
        self.datagram_count += len(fresh)
        for _, _, size in fresh:
            self.byte_count += size
        return datagrams + fresh if datagrams else fresh

    def _assemble(self, target: Address, items: list[Packed], now: float, datagrams: list[Datagram]) -> None:
        """Share out items for one target among as few datagrams as the limit allows, in order."""
        context = self.context
        links = context.links
        link = None
        if links.verifies:
            link = links.dial(target, now)
            offer = links.cookie_for(target, now) if target in self.out.offers else 0
            header = context.header(link.cookie, offer)
        else:
            header = context.plain_header()
        assemble = context.codec.assemble
        for some in (items,) if len(items) <= 1 else self._shares(header, items):
            data = assemble(header, some)
            size = len(data)
            if size <= DATAGRAM_LIMIT and (link is None or link.admit(size, now)):
                datagrams.append(new_tuple(Datagram, (target, data, size)))

    def _shares(self, header: Header, items: list[Packed]) -> list[list[Packed]]:
        """Which items go together."""
        room = DATAGRAM_LIMIT - self.context.codec.header_size(header)
        start = size = 0
        shares = []
        for index, item in enumerate(items):
            if size + item.size > room and index > start:
                shares.append(items[start:index])
                start, size = index, 0
            size += item.size
        shares.append(items[start:] if start else items)
        return shares
