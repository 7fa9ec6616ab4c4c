"""The entries of a clock as a mapping that is never changed, but shared: a tree of 256 small leaves.

A clock differs from those of its parents in a few entries, so it shares all leaves but a few with them;
clocks are merged by looking, place by place, only at what they do not share. A copy of a thousand entries is
37 kB, a change of one in such a tree some 650 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from operator import itemgetter
from typing import Any

from .identity import Key, NodeId

__all__ = ["NO_STAMPS", "Stamp", "Stamps", "branch_of", "merged_again", "shared_leaf", "stamps_of"]

Stamp = tuple[int, int, NodeId]
"""One message in a clock: its sequence, its depth and its origin. Later ones of an origin compare larger."""

FAN = 16
"""Children of a node of the tree, which has two levels of them above its leaves: with the 1,024 origins that
a clock has at the most by default, four entries in a leaf."""

rank = itemgetter(1, 2)
"""By depth, then by origin: the order in which a clock forgets."""

SHARED_BRANCHES, SHARED_LEAVES = 1_024, 4_096
"""Branches remembered by their parts, and leaves by their content: messages that are concurrent merge much
the same clocks, and must share what comes of it, or whoever follows all of them compares each with each. A
choice: what a thousand that are sent at one instant make, some megabytes in a process."""

SHARED_LEAF_SIZE = 128
"""Keys and entries of a leaf that is remembered at the most. A choice, sixteen times what a leaf has of a
full clock: only origins whose keys are made alike fill larger ones, which would take 70 MB instead of 5."""

SHARED_MERGES = 4
"""Merges of several clocks remembered: what is sent at one instant follows the same messages. A choice; more
would keep clocks alive that nobody else needs: those of all that was merged, up to 40 kB each."""

Content = tuple[Any, ...]
"""Keys and entries in turn, sorted by key: a third of what a mapping of so few would take."""


class Leaf:
    """A few entries, by the keys of their origins.

    Which leaf an origin belongs to is the first byte of its key, a hash. Whoever tries 256 names for each of
    its origins can have all entries of a clock in one leaf, 1,024 by default: then a look-up compares every
    one, and a change copies all, 16 kB.
    """

    __slots__ = ("_lowest", "content")

    def __init__(self, content: Content) -> None:
        self.content = content
        self._lowest: Stamp | None = None

    @property
    def count(self) -> int:
        """How many entries there are."""
        return len(self.content) >> 1

    @property
    def lowest(self) -> Stamp | None:
        """The entry that would be forgotten first."""
        if self._lowest is None and self.content:
            self._lowest = min(self.content[1::2], key=rank)
        return self._lowest

    def get(self, key: Key) -> Stamp | None:
        """The entry of one origin."""
        content = self.content
        if key not in content:
            return None
        stamp: Stamp = content[content.index(key) + 1]
        return stamp

    def put(self, key: Key, stamp: Stamp) -> Leaf:
        """The same with this entry of an origin."""
        content = self.content
        if key in content:
            at = content.index(key) + 1
            return leaf_of((*content[:at], stamp, *content[at + 1 :]))
        return leaf_of(content_of({**entries_of(content), key: stamp}))

    def without(self, key: Key) -> Leaf:
        """The same without an origin."""
        at = self.content.index(key)
        rest = (*self.content[:at], *self.content[at + 2 :])
        return leaf_of(rest) if rest else NO_ENTRIES

    def merge(self, others: Iterable[Leaf]) -> Leaf:
        """The later entry of every origin in any."""
        merged = self
        for other in others:
            merged = merged._with(other)
        return merged

    def _with(self, other: Leaf) -> Leaf:
        """The later entry of every origin in either."""
        mine, theirs = self.content, other.content
        if not theirs:
            return self
        if not mine:
            return other
        if mine[::2] == theirs[::2]:
            whole = tuple(
                [one if one is two or one > two else two for one, two in zip(mine, theirs, strict=True)]
            )
        else:
            whole = later_of(mine, theirs)
        if whole == mine:
            return self
        return other if whole == theirs else leaf_of(whole)


shared_leaf = lru_cache(maxsize=SHARED_LEAVES)(Leaf)


def leaf_of(content: Content) -> Leaf:
    """The leaf of this content, the same one as a moment ago if there was one and it is small."""
    return shared_leaf(content) if len(content) <= SHARED_LEAF_SIZE else Leaf(content)


NO_ENTRIES = Leaf(())


def entries_of(content: Content) -> dict[Key, Stamp]:
    """What a leaf holds, as a mapping."""
    return dict(zip(content[::2], content[1::2], strict=True))


def content_of(entries: dict[Key, Stamp]) -> Content:
    """What a leaf of these entries holds."""
    return tuple([one for pair in sorted(entries.items()) for one in pair])


def later_of(mine: Content, theirs: Content) -> Content:
    """The later entry of every origin in either."""
    whole = entries_of(mine)
    for key, stamp in entries_of(theirs).items():
        known = whole.get(key)
        if known is None or stamp > known:
            whole[key] = stamp
    return content_of(whole)


class Branch:
    """Sixteen parts of a mapping: leaves, or branches of leaves."""

    __slots__ = ("_lowest", "count", "parts")

    def __init__(self, parts: tuple[Any, ...]) -> None:
        self.parts = parts
        self.count: int = sum([part.count for part in parts])
        """How many entries there are."""
        self._lowest: Stamp | None = None

    @property
    def lowest(self) -> Stamp | None:
        """The entry that would be forgotten first; remembered, so that only what changed is looked at."""
        if self._lowest is None and self.count:
            self._lowest = min([part.lowest for part in self.parts if part.count], key=rank)
        return self._lowest

    def replace(self, index: int, part: Any) -> Branch:
        """The same with another part."""
        parts = self.parts
        return branch_of((*parts[:index], part, *parts[index + 1 :]))

    def merge(self, others: Iterable[Branch]) -> Branch:
        """The later entry of every origin in any."""
        sides = (self, *others)
        places = zip(*[side.parts for side in sides], strict=True)
        if len(sides) == 2:  # as mostly
            parts = tuple([a if a is b else a.merge((b,)) for a, b in places])
        else:
            parts = tuple([merged(place) for place in places])
        # Parts compare by identity: whatever is like one side's is that side's.
        for side in sides:
            if side.parts == parts:
                return side
        return branch_of(parts)


def merged(parts: Iterable[Any]) -> Any:
    """What stands in one place of several clocks, merged; each is looked at once, however many have it."""
    first, *others = dict.fromkeys(parts)
    return first.merge(others) if others else first


merged_again = lru_cache(maxsize=SHARED_MERGES)(merged)
"""Several clocks merged, at once if the same ones were a moment ago."""

branch_of = lru_cache(maxsize=SHARED_BRANCHES)(Branch)
"""The branch with these parts, the same one as a moment ago if there was one."""


class Stamps:
    """The latest message of each origin in the past of one message."""

    __slots__ = ("_root",)

    def __init__(self, root: Branch) -> None:
        self._root = root

    def __len__(self) -> int:
        return self._root.count

    def __iter__(self) -> Iterator[tuple[Key, Stamp]]:
        for branch in self._root.parts:
            if branch.count:  # most are empty in a clock of a few origins
                for leaf in branch.parts:
                    content = leaf.content
                    if content:
                        yield from zip(content[::2], content[1::2], strict=True)

    def get(self, key: Key) -> Stamp | None:
        """The entry of one origin."""
        first = key[0]
        found: Stamp | None = self._root.parts[first >> 4].parts[first & 15].get(key)
        return found

    def put(self, key: Key, stamp: Stamp) -> Stamps:
        """The same with this entry of an origin instead of what it had."""
        return self._changed(key, self._leaf(key).put(key, stamp))

    def merge(self, *others: Stamps) -> Stamps:
        """The later entry of every origin in any; one of them itself if it has them all."""
        sides = (self, *others)
        roots = [side._root for side in sides]  # noqa: SLF001 - of its own class
        root = merged(roots) if len(sides) < 3 else merged_again(frozenset(roots))
        for side in sides:
            if side._root is root:  # noqa: SLF001
                return side
        return Stamps(root)

    def cut(self, limit: int) -> Stamps:
        """Keep the ``limit`` origins whose last message has the largest (depth, origin)."""
        stamps = self
        while len(stamps) > limit:
            lowest = stamps._root.lowest
            assert lowest is not None
            stamps = stamps._without(lowest[2].key)
        return stamps

    def _without(self, key: Key) -> Stamps:
        return self._changed(key, self._leaf(key).without(key))

    def _leaf(self, key: Key) -> Leaf:
        first = key[0]
        leaf: Leaf = self._root.parts[first >> 4].parts[first & 15]
        return leaf

    def _changed(self, key: Key, leaf: Leaf) -> Stamps:
        """The same with another leaf in the place of this key."""
        upper, lower = key[0] >> 4, key[0] & 15
        branch = self._root.parts[upper].replace(lower, leaf)
        return Stamps(self._root.replace(upper, branch))


NO_PARTS = Branch((NO_ENTRIES,) * FAN)
NO_STAMPS = Stamps(Branch((NO_PARTS,) * FAN))


def stamps_of(entries: Iterable[Stamp]) -> Stamps:
    """The mapping of these entries, one for each origin."""
    leaves: list[dict[Key, Stamp]] = [{} for _ in range(FAN * FAN)]
    for stamp in entries:
        key = stamp[2].key
        leaves[key[0]][key] = stamp
    made = [leaf_of(content_of(content)) if content else NO_ENTRIES for content in leaves]
    branches = [tuple(made[at : at + FAN]) for at in range(0, FAN * FAN, FAN)]
    whole = [branch_of(parts) if parts != NO_PARTS.parts else NO_PARTS for parts in branches]
    return Stamps(branch_of(tuple(whole)))
