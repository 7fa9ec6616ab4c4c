"""The partial view: the few nodes that one node knows, each with the age of that knowledge.

Rules of this file. The view never holds its own node, two descriptors of one node, two nodes at one address,
or more than ``view_size`` descriptors. An entry carries the tick at which it was fresh, so that ageing all of
them is one addition. Dice come from ``rng.random()`` alone, and they break every tie.

Source: Jelasity et al., *Gossip-based Peer Sampling*, ACM TOCS 25(3), 2007.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from .choices import Entry, draw, edge, take_first, take_oldest
from .identity import Address, NodeId, new_tuple
from .strategy import HEAD, RAND, HealSwap, PeerSelection, ViewSelection

if TYPE_CHECKING:
    import random

__all__ = ["AGE_LIMIT", "Descriptor", "PartialView", "Told", "ViewChange"]

AGE_LIMIT = 0xFFFF
"""The largest age taken or told, and what older ones look like: nine hours at the default cycle; a choice."""


class Descriptor(NamedTuple):
    """What a view knows of a node: who, where, and how many exchanges ago it was fresh."""

    id: NodeId
    address: Address
    age: int


Told = tuple[NodeId, Address, int]
"""A descriptor on its way from node to node: the same three, in a tuple of no name. Thirty are made for one
exchange, and a named one takes three times as long to make."""


class ViewChange(NamedTuple):
    """Who came into the view and who is no longer in it; a change of ages alone is none."""

    joined: tuple[NodeId, ...]
    parted: tuple[NodeId, ...]


NO_CHANGE = ViewChange((), ())


NOBODY: dict[NodeId, Entry] = {}
"""A view that nobody compares with."""


class PartialView:
    """The descriptors one node holds, at most ``view_size``, and the choices made among them.

    A descriptor of the node itself, by id or by address, is dropped wherever it comes from. Iteration gives
    the descriptors of the moment in order of arrival, where a younger descriptor of a node is a new arrival;
    ``shuffle`` makes another order.
    """

    __slots__ = ("_dice", "_entries", "_holders", "_own_address", "_own_id", "_tick", "_view_size")

    def __init__(
        self, own_id: NodeId, own_address: Address | None, view_size: int, rng: random.Random
    ) -> None:
        """Start empty.

        Args:
            own_id: The node whose view this is.
            own_address: Where others reach it; None while that is not known.
            view_size: c, the most descriptors that stay after a merge.
            rng: Dice; only ``random()`` is used.
        """
        self._own_id = own_id
        self._own_address = own_address
        self._view_size = view_size
        self._dice = rng.random
        self._tick = 0
        self._entries: dict[NodeId, Entry] = {}
        self._holders: dict[Address, NodeId] = {}
        """Who is at an address; the own one is taken, so that nobody else gets it."""
        if own_address is not None:
            self._holders[own_address] = own_id

    @property
    def view_size(self) -> int:
        """c: the most descriptors the view holds."""
        return self._view_size

    @property
    def own_id(self) -> NodeId:
        """The node whose view this is; a descriptor of a newly assigned id leaves the view."""
        return self._own_id

    @own_id.setter
    def own_id(self, own_id: NodeId) -> None:
        self._own_id = own_id
        self.remove(own_id)
        if self._own_address is not None:
            self._holders[self._own_address] = own_id

    @property
    def own_address(self) -> Address | None:
        """Where others reach this node; whoever claims a newly assigned address leaves the view."""
        return self._own_address

    @own_address.setter
    def own_address(self, own_address: Address | None) -> None:
        if self._own_address is not None:
            del self._holders[self._own_address]
        self._own_address = own_address
        if own_address is not None:
            if own_address in self._holders:
                self.remove(self._holders[own_address])
            self._holders[own_address] = self._own_id

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, node_id: object) -> bool:
        return node_id in self._entries

    def __iter__(self) -> Iterator[Descriptor]:
        return iter(self._describe(self._entries.values()))

    def get(self, node_id: NodeId) -> Descriptor | None:
        """The descriptor of ``node_id``, None where there is none."""
        entry = self._entries.get(node_id)
        return None if entry is None else self._describe((entry,))[0]

    def at(self, address: Address) -> Descriptor | None:
        """The descriptor of the node at ``address``, None where there is none."""
        holder = self._holders.get(address)
        return None if holder is None else self.get(holder)

    def descriptors(self) -> tuple[Descriptor, ...]:
        """All descriptors, youngest first, equal ages by id."""
        return tuple(sorted(self, key=lambda descriptor: (descriptor.age, descriptor.id)))

    def ids(self) -> list[NodeId]:
        """Who is in the view, in order of arrival."""
        return list(self._entries)

    def select_peer(
        self, peer_selection: PeerSelection, is_eligible: Callable[[NodeId], bool] | None = None
    ) -> Descriptor | None:
        """The peer to exchange views with: any, the youngest or the oldest, ties at random.

        Args:
            peer_selection: Which.
            is_eligible: Whether a node may be chosen; None for any.

        Returns:
            Its descriptor; None if there is nobody to choose.
        """
        pool = list(self._entries.values())
        if is_eligible is not None:
            pool = [entry for entry in pool if is_eligible(entry[0])]
        if not pool:
            return None
        if peer_selection is RAND:
            chosen = draw(pool, 1, self._dice)
        else:
            chosen = [pool[edge(pool, self._dice, youngest=peer_selection is HEAD)]]
        return self._describe(chosen)[0]

    def sample(self, count: int, exclude: Collection[NodeId] = ()) -> list[Descriptor]:
        """Up to ``count`` different descriptors at random, none of ``exclude``."""
        pool = list(self._entries.values())
        if exclude:
            pool = [entry for entry in pool if entry[0] not in exclude]
        return self._describe(draw(pool, count, self._dice))

    def pick(self, count: int) -> list[tuple[NodeId, Address]]:
        """Up to ``count`` different nodes at random with their addresses: ``sample`` for those in a hurry."""
        return [
            (node_id, address)
            for node_id, address, _ in draw(list(self._entries.values()), count, self._dice)
        ]

    def buffer(self, count: int, heal: int) -> tuple[Told, ...]:
        """Up to ``count`` descriptors to send, drawn from all but the ``heal`` oldest; none leaves the view.

        Where there are too few others, some of the oldest are taken too. The order is random, so a prefix is
        a sample as well. The paper permutes the view, moves the H oldest to its end and takes the first
        ``count``: the same distribution, if what was sent is handed to ``merge``.

        Args:
            count: c/2 - 1 in the paper, whose buffer has the own descriptor in front.
            heal: H.
        """
        pool = list(self._entries.values())
        oldest = take_oldest(pool, heal, self._dice) if heal else []
        chosen = draw(pool, count, self._dice)
        if len(chosen) < count and oldest:
            chosen += draw(oldest, count - len(chosen), self._dice)
        return self._tell(chosen)

    def shuffle(self, count: int, heal: int) -> tuple[Told, ...]:
        """What ``buffer`` gives; it stands at the head of the view now, the ``heal`` oldest at the end.

        For nodes that push and get nothing back: what others push before they push again takes the place of
        what stands at the head, so that ``merge`` has to know the order.
        """
        pool = list(self._entries.values())
        oldest = take_oldest(pool, heal, self._dice) if heal else []
        order = draw(pool, len(pool), self._dice) + draw(oldest, len(oldest), self._dice)
        self._entries = {entry[0]: entry for entry in order}
        return self._tell(order[:count])

    def merge(
        self,
        received: Sequence[Told],
        sent: Iterable[Told] | None,
        view_selection: HealSwap | ViewSelection,
        *,
        tell: bool = True,
    ) -> ViewChange:
        """Fold a peer's buffer into the view and cut it back to ``view_size``.

        Of two descriptors of one node the younger stays, of two nodes at one address the larger incarnation.
        While the view is too large, up to H of the oldest go, then up to S of those in ``sent`` that the peer
        did not refresh, then any at random; or, by the rule of 2004, the oldest, the youngest or any.

        Args:
            received: The peer's descriptors, its own among them, ages as the peer told them.
            sent: What ``buffer`` gave for the same exchange; it is safe with a peer. Only the ids count, each
                once. None where this one sends nothing back (the passive half of push): then up to S go from
                the head of the view.
            view_selection: H and S, or the rule of 2004.
            tell: Whether somebody wants to know what changed.

        Returns:
            Who came and who went; nobody if nobody wants to know.

        Source: Jelasity et al., *Gossip-based Peer Sampling*, ACM TOCS 25(3), 2007.
        """
        entries = self._entries
        before = entries.copy() if tell else NOBODY
        stale: list[Entry] = []
        if type(view_selection) is HealSwap and view_selection.swap:
            held = entries.get
            if sent is None:
                stale = list(entries.values())
            else:
                stale = [entry for one in sent if (entry := held(one[0]))]
        self._append(received)
        if len(entries) > self._view_size:
            self._cut_back(view_selection, stale)
        return self._change_since(before, len(received)) if tell else NO_CHANGE

    def resize(self, view_size: int, view_selection: HealSwap | ViewSelection) -> ViewChange:
        """Hold ``view_size`` descriptors at the most from now on; what is too much goes as in ``merge``.

        Nothing was just sent, so that after up to H of the oldest any others go.
        """
        before = self._entries.copy()
        self._view_size = view_size
        self._cut_back(view_selection, [])
        return self._change_since(before, 0)

    def add(self, descriptor: Descriptor) -> ViewChange:
        """Take in one descriptor by the rules of ``merge``; in a full view another one, any, makes room."""
        before = self._entries.copy()
        self._append((descriptor,))
        if len(self._entries) > self._view_size:
            self._discard(draw(list(before.values()), 1, self._dice))
        return self._change_since(before, 1)

    def remove(self, node_id: NodeId) -> Descriptor | None:
        """Take ``node_id`` out; returns what was known of it, None if it was not there."""
        descriptor = self.get(node_id)
        if descriptor is not None:
            self._discard((self._entries[node_id],))
        return descriptor

    def increase_age(self) -> None:
        """Age every descriptor by 1; due after each exchange, active or passive."""
        self._tick += 1

    def check(self) -> None:
        """Verify every invariant; for tests.

        Raises:
            AssertionError: One does not hold.
        """
        entries, holders = self._entries, self._holders
        assert len(entries) <= self._view_size, "more descriptors than view_size"
        assert self._own_id not in entries, "the own id is in the view"
        taken = {} if self._own_address is None else {self._own_address: self._own_id}
        assert taken.items() <= holders.items(), "the own address is in the view"
        assert all(node_id == entry[0] for node_id, entry in entries.items()), "an entry under another id"
        assert len(holders) == len(entries) + len(taken), "two nodes at one address"
        assert all(holders.get(entry[1]) == entry[0] for entry in entries.values()), "an address unknown"
        assert all(entry[2] <= self._tick for entry in entries.values()), "an age below 0"

    def _describe(self, entries: Iterable[Entry]) -> list[Descriptor]:
        return [new_tuple(Descriptor, told) for told in self._tell(entries)]

    def _tell(self, entries: Iterable[Entry]) -> tuple[Told, ...]:
        tick = self._tick
        told = [
            (node_id, address, age if (age := tick - stamp) < AGE_LIMIT else AGE_LIMIT)
            for node_id, address, stamp in entries
        ]
        return tuple(told)

    def _append(self, received: Sequence[Told]) -> None:
        """Take descriptors in by the rules of ``merge``, and cut nothing."""
        own_id, tick, entries, holders = self._own_id, self._tick, self._entries, self._holders
        held, holder_of = entries.get, holders.get
        for node_id, address, age in received:
            known = held(node_id)
            stamp = tick - (age if 0 <= age <= AGE_LIMIT else min(max(age, 0), AGE_LIMIT))
            if known is None:
                if node_id == own_id:
                    continue
            elif known[2] >= stamp:
                continue
            if known is None or known[1] != address:
                holder = holder_of(address)
                if holder is not None and not self._dislodge(holder, node_id):
                    continue
                if known is not None:
                    del holders[known[1]]
                holders[address] = node_id
            if known is not None:
                del entries[node_id]
            entries[node_id] = (node_id, address, stamp)

    def _dislodge(self, holder: NodeId, claimant: NodeId) -> bool:
        """Whether ``claimant`` started later than the holder of its address, who leaves; never the own."""
        later = holder != self._own_id and claimant[::-1] > holder[::-1]
        if later:
            self.remove(holder)
        return later

    def _cut_back(self, rule: HealSwap | ViewSelection, stale: list[Entry]) -> None:
        """Drop what is too much; ``stale`` are entries from before the merge of those who were sent."""
        excess = len(self._entries) - self._view_size
        if excess <= 0:
            return
        if isinstance(rule, HealSwap):
            self._heal_and_swap(excess, rule, stale)
        else:
            self._cut(excess, rule)

    def _cut(self, excess: int, rule: ViewSelection) -> None:
        """Drop ``excess`` descriptors by the rule of 2004."""
        pool = list(self._entries.values())
        if rule is ViewSelection.RAND:
            unwanted = draw(pool, excess, self._dice)
        else:
            unwanted = take_first(pool, excess, self._dice, youngest=rule is ViewSelection.TAIL)
        self._discard(unwanted)

    def _heal_and_swap(self, excess: int, rule: HealSwap, stale: list[Entry]) -> None:
        """Drop ``excess`` descriptors by the rule of 2007."""
        entries = self._entries
        heal, swap = rule.heal, rule.swap
        if heal:
            oldest = take_oldest(list(entries.values()), min(excess, heal), self._dice)
            self._discard(oldest)
            excess -= len(oldest)
        if swap and excess:
            # The paper removes from the head of its list, where the sent ones stand. A copy that the peer
            # refreshed stands at the tail: it is not what was sent, and stays.
            held = entries.get
            stale = [entry for entry in stale if held(entry[0]) is entry]
            del stale[min(excess, swap) :]
            self._discard(stale)
            excess -= len(stale)
        if excess:
            self._discard(draw(list(entries.values()), excess, self._dice))

    def _discard(self, unwanted: Iterable[Entry]) -> None:
        entries, holders = self._entries, self._holders
        for node_id, address, _ in unwanted:
            del entries[node_id]
            del holders[address]

    def _change_since(self, before: dict[NodeId, Entry], arrivals: int) -> ViewChange:
        entries = self._entries
        # A dict keeps the order of arrival, so whoever joined stands at its end.
        latest = list(entries)[-arrivals:]
        joined = [node_id for node_id in latest if node_id not in before]
        parted = [node_id for node_id in before if node_id not in entries]
        return ViewChange(tuple(joined), tuple(parted))
