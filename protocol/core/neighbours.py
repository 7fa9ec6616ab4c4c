"""A few lasting, symmetric links to peers of the view, along which a tree can grow.

Both ends know of a link. A node seeks ``fanout`` neighbours among the peers of its view and lets itself be
chosen by two more.

Source: Leitão, Pereira, Rodrigues, *HyParView*, DSN 2007, whose active view these links are: "a high priority
request is always accepted", by "dropping a random member from the active view"; with low priority a node
"will only accept the request if it has a free slot"; a failed member is replaced by "a random node from the
passive view". Differs from the paper: peer sampling is the passive view and its shuffle; links are datagrams,
so neighbours say once a cycle that they hold on to each other; making room never costs a link that this node
itself chose, so that nobody who knocks often enough can have all of them; and a link is tried anew now and
then, so that halves of a network that were apart grow together again. No link that carries messages is given
up for a new one, which would cut the tree, but where a node without any link knocks and no link that others
chose is without messages.
"""

from __future__ import annotations

import math

from .bounded import put
from .config import TREE
from .context import Context
from .identity import Address, Key
from .messages import Linkage, Padding, Stance
from .outbox import Outbox
from .sampling import Sampling

__all__ = ["Neighbour", "Neighbours"]

FEWEST_SOUGHT = 3
"""Neighbours sought at the least: with one, links make pairs, and with two, rings apart from each other."""

ROOM_FOR_OTHERS = 2
"""Links beyond those sought, for nodes that choose this one: whoever comes finds room somewhere."""

PROOF_PADDING = 40
"""Bytes that let an address which can't believe this node yet answer with a cookie; fronts differ by 34."""

DECLINED_LIMIT = 64
"""Addresses remembered that refused a link, parted or did not answer."""

DECLINED_CYCLES = 8
"""Cycles for which those are not asked again, unless there is nobody else."""

SILENT_CYCLES = 2.5
"""Cycles that a neighbour may be silent, and an answer's time-out more: two lost datagrams in a row."""

RENEWAL = 1 / 32
"""Chance in a cycle that one link more is sought beyond the wanted ones; the oldest that carries no messages
goes for it."""

JITTER = 0.1
"""Share by which a cycle and the time before another request differ, so that nodes which lost a link at one
moment do not knock somewhere at one moment, too; below what two lost datagrams in a row leave."""

CANDIDATES = 8
"""Peers drawn from the view in search of one that is no neighbour yet."""


class Neighbour:
    """One end of a link."""

    __slots__ = (
        "address", "announce_at", "announced_at", "heard_at", "is_chosen", "is_eager", "key", "pruned_at",
        "queue",
    )  # fmt: skip

    def __init__(self, address: Address, key: Key, now: float, *, is_eager: bool, is_chosen: bool) -> None:
        """Link up with the node at ``address``."""
        self.address = address
        self.key = key
        self.is_eager = is_eager
        """Whether messages are pushed to it; else they are announced."""
        self.is_chosen = is_chosen
        """Whether this node asked for the link."""
        self.heard_at = now
        self.pruned_at = -math.inf
        """When either end last said that it gets messages from others sooner."""
        self.queue: dict[tuple[Key, int], None] = {}
        """Messages to be announced to it."""
        self.announce_at = math.inf
        """When to do so, as long as there are any."""
        self.announced_at = -math.inf
        """When that was done last."""


class Ask:
    """A request for a link that is under way."""

    __slots__ = ("deadline", "is_repeated", "stance")

    def __init__(self, stance: Stance, deadline: float) -> None:
        """Wait for an answer until ``deadline``."""
        self.stance = stance
        self.deadline = deadline
        self.is_repeated = False
        """Whether it was sent again with the proof that was asked for."""


class Neighbours:
    """The links of one node, bounded; only addresses that have proven themselves are linked."""

    __slots__ = ("_asks", "_cycle_at", "_declined", "_evicted_at", "at", "context", "sampling")

    def __init__(self, context: Context, sampling: Sampling) -> None:
        """Have no links."""
        self.context = context
        self.sampling = sampling
        self.at: dict[Address, Neighbour] = {}
        """Neighbours by address, the longest linked first."""
        self._asks: dict[Address, Ask] = {}
        self._declined: dict[Address, float] = {}
        """Who shall not be asked again before when."""
        self._cycle_at = -math.inf
        self._evicted_at = -math.inf

    @property
    def seeks(self) -> bool:
        """Whether this node looks for neighbours; in any case it lets itself be chosen."""
        return self.context.config.dissemination is TREE

    @property
    def sought(self) -> int:
        """How many neighbours are enough."""
        return max(self.context.config.fanout, FEWEST_SOUGHT)

    @property
    def limit(self) -> int:
        """How many links there are at the most."""
        return self.sought + ROOM_FOR_OTHERS

    @property
    def lacking(self) -> int:
        """How many neighbours are missing."""
        return max(0, self.sought - len(self.at))

    @property
    def deadline(self) -> float:
        """When the next cycle begins, or an answer is overdue."""
        if not (self.at or self.context.config.dissemination is TREE):
            return math.inf
        due_at = self._cycle_at
        for ask in self._asks.values():
            due_at = min(due_at, ask.deadline)
        return due_at

    # inputs

    def on_deadline(self, now: float, out: Outbox) -> None:
        """Hold on to neighbours, drop silent ones, and seek others."""
        for address, ask in list(self._asks.items()):
            if ask.deadline <= now:
                self._decline(address, now)
        if now >= self._cycle_at:
            self._begin_cycle(now, out)
        self.seek(now, out)

    def on_linkage(self, linkage: Linkage, source: Address, key: Key, now: float, out: Outbox) -> None:
        """Take what a proven address says of a link with it."""
        stance = linkage.stance
        if stance <= Stance.SPARE:
            self._on_ask(Stance(stance), source, key, now, out)
        elif stance == Stance.PART:
            self.drop(source, now, out)
        elif source in self._asks:
            self._on_reply(stance, source, key, now, out)
        elif source not in self.at and stance != Stance.REFUSE:
            self._say(Stance.PART, source, out)

    def on_challenge(self, source: Address, now: float, out: Outbox) -> None:
        """The address wants to see this node's proof first: ask again, now with it."""
        ask = self._asks.get(source)
        if ask is not None and not ask.is_repeated:
            ask.is_repeated = True
            ask.deadline = now + self.context.patience()
            self._say(ask.stance, source, out)

    def note_heard(self, source: Address, now: float) -> None:
        """Something came from there."""
        neighbour = self.at.get(source)
        if neighbour is not None:
            neighbour.heard_at = now

    def postpone(self, now: float) -> None:
        """Nobody was silent: it was this node that was asleep."""
        for neighbour in self.at.values():
            neighbour.heard_at = now

    def follow_mode(self, out: Outbox) -> None:
        """Seek neighbours from now on, or let all of them go, as the configuration says."""
        if self.seeks:
            self._cycle_at = -math.inf
            return
        for address in list(self.at):
            self._say(Stance.PART, address, out)
        self.at.clear()
        self._asks.clear()

    def drop(self, address: Address, now: float, out: Outbox) -> None:
        """A link is over; another one takes its place."""
        self._asks.pop(address, None)
        if self.at.pop(address, None) is not None:
            self._decline(address, now)
            self.seek(now, out)

    # seeking

    def seek(self, now: float, out: Outbox) -> None:
        """Ask one peer of the view, at random, if neighbours are lacking and nobody is being asked."""
        if self._asks or not self.seeks or len(self.at) >= self.sought:
            return
        address = self._candidate(now)
        if address is not None:
            self._ask(address, Stance.ASK if self.at else Stance.URGE, now, out)

    def ask(self, address: Address, now: float, out: Outbox) -> None:
        """Link up with this very node, which turned out to have what nobody else brought."""
        if self.seeks and address not in self.at and address not in self._asks:
            self._ask(address, Stance.URGE if not self.at else Stance.ASK, now, out)

    def _candidate(self, now: float) -> Address | None:
        """Somebody of the view who is no neighbour, and rather nobody who declined lately."""
        second: Address | None = None
        for peer in self.sampling.view.sample(CANDIDATES + len(self.at)):
            address = self.sampling.route(peer, now)
            if address in self.at:
                continue
            if self._declined.get(address, -math.inf) <= now:
                return address
            second = second or address
        return second if not self.at else None

    def _ask(self, address: Address, stance: Stance, now: float, out: Outbox) -> None:
        context = self.context
        items = [context.pack(Linkage(stance))]
        if not context.links.cookie_of(address):
            items.append(context.pack(Padding(PROOF_PADDING)))
        self._asks[address] = Ask(stance, now + context.patience())
        if context.links.may_push(address, sum(item.size for item in items), now):
            out.offers.add(address)
            out.send(address, *items)

    def _decline(self, address: Address, now: float) -> None:
        self._asks.pop(address, None)
        put(self._declined, address, now + DECLINED_CYCLES * self._next_period(), DECLINED_LIMIT)

    # the two ends

    def _on_ask(self, stance: Stance, source: Address, key: Key, now: float, out: Outbox) -> None:
        is_eager = stance is not Stance.SPARE
        if source not in self.at and not self._make_room(now, out, is_urgent=stance is Stance.URGE):
            self._say(Stance.REFUSE, source, out)
            return
        self._link(source, key, now, is_eager=is_eager, is_chosen=source in self._asks)
        self._say(Stance.ACCEPT, source, out)

    def _on_reply(self, stance: int, source: Address, key: Key, now: float, out: Outbox) -> None:
        ask = self._asks.pop(source)
        if stance == Stance.REFUSE:
            self._decline(source, now)
        else:
            is_spare = ask.stance is Stance.SPARE
            self._link(source, key, now, is_eager=not is_spare, is_chosen=True)
            self._part_with_lazy(source, self.sought if is_spare else self.limit, out)
        self.seek(now, out)

    def _link(self, address: Address, key: Key, now: float, *, is_eager: bool, is_chosen: bool) -> None:
        neighbour = self.at.get(address)
        if neighbour is None:
            self.at[address] = Neighbour(address, key, now, is_eager=is_eager, is_chosen=is_chosen)
            if self._cycle_at <= now:
                self._cycle_at = now + self._next_period()
            return
        neighbour.key = key
        neighbour.is_eager = neighbour.is_eager or is_eager
        neighbour.is_chosen = neighbour.is_chosen or is_chosen

    def _make_room(self, now: float, out: Outbox, *, is_urgent: bool) -> bool:
        """Whether there is room for one more; for a node without neighbours, once a cycle, it is made."""
        if len(self.at) < self.limit:
            return True
        others = [neighbour for neighbour in self.at.values() if not neighbour.is_chosen]
        if not (is_urgent and others and now >= self._evicted_at + self.context.config.cycle_period):
            return False
        self._evicted_at = now
        others = [neighbour for neighbour in others if not neighbour.is_eager] or others
        victim = others[int(self.context.random() * len(others))].address
        del self.at[victim]
        self._say(Stance.PART, victim, out)
        return True

    def _part_with_lazy(self, newest: Address, limit: int, out: Outbox) -> None:
        """Make the links no more than ``limit``, but no fewer by those that carry messages.

        Lazy ones go, first the oldest of own choice. If all are eager and too many, the newest goes: it is no
        part of a tree yet.
        """
        lazy = [
            neighbour
            for neighbour in self.at.values()
            if not neighbour.is_eager and neighbour.address != newest
        ]
        lazy.sort(key=lambda neighbour: not neighbour.is_chosen)
        surplus = [neighbour.address for neighbour in lazy[: max(0, len(self.at) - limit)]]
        if len(self.at) - len(surplus) > self.limit:
            surplus.append(newest)
        for address in surplus:
            del self.at[address]
            self._say(Stance.PART, address, out)

    # cycles

    def _begin_cycle(self, now: float, out: Outbox) -> None:
        period = self.context.config.cycle_period
        self._cycle_at = now + self._next_period()
        horizon = now - SILENT_CYCLES * period - self.context.config.answer_timeout
        for address, neighbour in list(self.at.items()):
            if neighbour.heard_at < horizon:
                self._say(Stance.PART, address, out)
                del self.at[address]
                self._decline(address, now)
            else:
                self._say(Stance.HOLD, address, out)
        if not self._asks and self._may_renew() and self.context.random() < RENEWAL:
            address_of_spare = self._candidate(now)
            if address_of_spare is not None:
                self._ask(address_of_spare, Stance.SPARE, now, out)

    def _next_period(self) -> float:
        """Seconds of a cycle, a little more or less each time."""
        return self.context.config.cycle_period * (1 + JITTER * (2 * self.context.random() - 1))

    def _may_renew(self) -> bool:
        """Whether there is room for one link more, or one that carries no messages to give up for it."""
        if not self.seeks or self.lacking:
            return False
        return len(self.at) < self.limit or not all(neighbour.is_eager for neighbour in self.at.values())

    def _say(self, stance: Stance, target: Address, out: Outbox) -> None:
        out.send(target, self.context.pack(Linkage(stance)))
