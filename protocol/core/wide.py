"""Messages with so many parents that they do not fit one datagram: sent bare, their parents in pages beside.

Parents are never capped, which would break causality; when all of N nodes send at one instant each message
has N - 1 of them. What is incomplete here was never received: it is missed, asked for and sent again like any
other message.
"""

from __future__ import annotations

from collections.abc import Callable

from .bounded import put, trim
from .codec import Packed
from .identity import Address, key_of
from .large.tree import Reference
from .messages import Announcement, BareRumor, Item, KeyDot, Parents, Rumor

__all__ = ["PARENTS_LIMIT", "PARENTS_PER_PAGE", "Assembly", "pack_rumor"]

PARENTS_PER_PAGE = 84
"""Parents on one page, which fit a datagram."""

PAGES_LIMIT = 64
"""Pages of one message at the most: 5,376 concurrent parents. What claims more is not collected."""

PARENTS_LIMIT = PAGES_LIMIT * PARENTS_PER_PAGE
"""Parents that a message can have: those that fit the pages that others collect."""

ASSEMBLY_LIMIT = 256
"""Messages whose parts are being collected."""

PAGES_HELD_LIMIT = 1_024
"""Pages of all of them together, since anybody may begin any number: some 20 MB at the worst."""


def pack_rumor(rumor: Rumor, pack: Callable[[Item], Packed], limit: int) -> list[Packed]:
    """The items that carry a message: itself, or itself bare and its parents in pages.

    One with a reference for a payload is announced.
    """
    is_announced = type(rumor.payload) is Reference
    whole = pack(Announcement(rumor, 0) if is_announced else rumor)
    if whole.size <= limit:
        return [whole]
    starts = range(0, len(rumor.parents), PARENTS_PER_PAGE)
    dot = (key_of(rumor.origin), rumor.sequence)
    pages = [
        Parents(dot, page, len(starts), rumor.parents[start : start + PARENTS_PER_PAGE])
        for page, start in enumerate(starts)
    ]
    bare = rumor._replace(parents=())
    head = Announcement(bare, len(starts)) if is_announced else BareRumor(bare, len(starts))
    return [pack(head), *map(pack, pages)]


class Parts:
    """What came of one message so far."""

    __slots__ = ("bare", "pages")

    def __init__(self) -> None:
        """Have nothing."""
        self.bare: BareRumor | Announcement | None = None
        self.pages: dict[int, tuple[KeyDot, ...]] = {}

    def whole(self) -> Rumor | None:
        """The message, once all of it is here."""
        if self.bare is None or any(page not in self.pages for page in range(self.bare.pages)):
            return None
        parents = [dot for page in range(self.bare.pages) for dot in self.pages.get(page, ())]
        if len({key_of(self.bare.rumor.origin), *dict(parents)}) <= len(parents):
            return None  # an origin twice, or the author's own, which no encoder makes and no decoder takes
        return self.bare.rumor._replace(parents=tuple(parents))


class Assembly:
    """Collects the parts of wide messages, of each source apart, bounded."""

    def __init__(self) -> None:
        """Collect nothing yet."""
        self._parts: dict[tuple[Address, KeyDot], Parts] = {}

    def on_bare(self, bare: BareRumor | Announcement, source: Address) -> Rumor | None:
        """Take the message itself; returns it whole if its parents are here already."""
        dot = (key_of(bare.rumor.origin), bare.rumor.sequence)
        parts = self._collect(source, dot)
        parts.bare = bare
        return self._finish(source, dot, parts) if bare.pages <= PAGES_LIMIT else None

    def on_parents(self, page: Parents, source: Address) -> Rumor | None:
        """Take one page of parents; returns the message if that completes it."""
        if page.pages > PAGES_LIMIT:
            return None
        parts = self._collect(source, page.dot)
        parts.pages[page.page] = page.entries
        trim(self._parts, lambda one: len(one.pages), PAGES_HELD_LIMIT)
        return self._finish(source, page.dot, parts)

    def _collect(self, source: Address, dot: KeyDot) -> Parts:
        parts = self._parts.get((source, dot)) or Parts()
        put(self._parts, (source, dot), parts, ASSEMBLY_LIMIT)
        return parts

    def _finish(self, source: Address, dot: KeyDot, parts: Parts) -> Rumor | None:
        whole = parts.whole()
        if whole is not None:
            del self._parts[(source, dot)]
        return whole
