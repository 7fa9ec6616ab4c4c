"""Gossip-based peer sampling: one exchange of views a cycle, and the care of those who do not answer.

Source: Jelasity et al., *Gossip-based Peer Sampling*, ACM TOCS 25(3), 2007. Differs from the paper where a
real network asks for it: a peer that does not answer in time leaves the view for a memory of lost peers,
which are dialled again now and then, together with the contacts, so that partitions heal; a first contact is
always push-pull, so that every strategy can absorb joins; and every request is answered, if only to show
that somebody is there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter

from .acquaintances import Acquaintances
from .bounded import put
from .codec import DATAGRAM_LIMIT, Packed
from .context import Context
from .dials import Dials
from .events import ViewChanged
from .exchange import Exchange, Requests, fit, padding, size_of
from .identity import Address, NodeId, is_wildcard_host, new_tuple
from .links import Link
from .messages import ExchangeAnswer, ExchangeRequest, Goodbye, Header, Item
from .outbox import Outbox
from .saved import SavedPeer
from .snapshot import ToldView
from .strategy import HEAD, HealSwap, PeerSelection, Strategy
from .view import Descriptor, PartialView, Told, ViewChange

__all__ = ["Sampling"]

TOLD_LIMIT = 64
"""Peers whose last word about their views is remembered: some views' worth, for those who watch."""

INTRODUCTION_LIMIT = 256
"""Requests remembered whose senders have yet to prove themselves; they do so within a round trip."""


class Sampling:
    """The partial view of one node, its exchanges, contacts and lost peers."""

    __slots__ = (
        "_next_cycle_at",
        "_requests",
        "acquaintances",
        "answered",
        "context",
        "cycle",
        "dials",
        "introductions",
        "is_eligible",
        "lost_count",
        "served",
        "started",
        "told",
        "view",
    )

    def __init__(self, context: Context, view: PartialView) -> None:
        """Start with an empty view; nothing is sent before the first deadline or ``join``."""
        self.context = context
        self.view = view
        self.cycle = 0
        self.dials = Dials()
        self.acquaintances = Acquaintances(context.config.acquaintance_limit)
        self.started = self.answered = self.served = self.lost_count = 0
        self._requests = Requests()
        self.introductions: dict[Address, tuple[tuple[Told, ...], tuple[Told, ...] | None]] = {}
        """What senders of requests pushed, and what went back to them, until they have proven themselves."""
        self.told: dict[NodeId, ToldView] = {}
        """What peers told of their views in their last exchange with this node."""
        self._next_cycle_at = -math.inf
        self.is_eligible: Callable[[NodeId], bool] | None = None
        """In the paper's model: whether a peer is alive. Then nobody else is asked, and silence evicts
        nobody."""

    @property
    def deadline(self) -> float:
        """When the next cycle or the next time-out is due."""
        if not self._requests.pending:
            return self._next_cycle_at
        return min(self._next_cycle_at, self._requests.deadline)

    # inputs

    def join(self, addresses: Iterable[Address], now: float, out: Outbox, *, is_kept: bool) -> None:
        """Dial addresses known from outside at once, and again until they answer."""
        for address in addresses:
            contact = None
            if address != self.context.address:
                contact = self.dials.add_contact(address, now, is_kept=is_kept)
            if contact is not None:
                contact.wait(now, self.context.config.cycle_period, 1)
                self._introduce_self(contact.address, None, now, out)

    def resume(self, peers: Iterable[SavedPeer], now: float, out: Outbox) -> None:
        """Dial those whom this node knew before it was restarted, the first few at once."""
        own = self.context.address
        self.dials.resume((peer for peer in peers if peer.address != own), now)
        self._redial(now, out)

    def saved_peers(self, now: float) -> tuple[SavedPeer, ...]:
        """Whom to dial after a restart: the view, the lost and the contacts.

        The view in an order of its own, so that the same peers are the same, however exchanges shuffle them.
        """
        was_proven = self.context.links.was_proven
        view = (
            SavedPeer(peer.id, peer.address, was_proven(self.route(peer, now)))
            for peer in sorted(self.view.descriptors(), key=attrgetter("id"))
        )
        return (*view, *self.dials.saved())

    def introduce(self, descriptors: Iterable[Descriptor]) -> None:
        """Fill the view from outside, as experiments do."""
        self.view.merge(tuple(descriptors), (), self.context.config.sampling.view_selection)

    def resize(self, view_size: int, out: Outbox) -> None:
        """Hold so many descriptors from now on, by the configuration's new strategy; the view may be cut."""
        self._settle(self.view.resize(view_size, self.context.config.sampling.view_selection), out)

    def on_deadline(self, now: float, out: Outbox) -> None:
        """Begin a cycle if one is due, and drop those who did not answer in time."""
        if self._requests.pending:
            self._check_pending(now, out)
        if now >= self._next_cycle_at:
            self._begin_cycle(now, out)

    def hurry(self, now: float) -> None:
        """Begin the next cycle at once: somebody is there whom this node does not know yet."""
        self._next_cycle_at = min(self._next_cycle_at, now)

    def schedule(self, at: float) -> None:
        """Begin the next cycle at this moment instead of a period after the last."""
        self._next_cycle_at = at

    def postpone(self, now: float) -> None:
        """Give everybody a little more time, since it was this node that was asleep."""
        self._requests.postpone(now + self.context.config.answer_timeout / 4)

    def on_exchange_request(
        self, request: ExchangeRequest, header: Header, link: Link, size: int, now: float, out: Outbox
    ) -> bool:
        """The passive half: answer, then merge; False if the request is this node's own or a leaver's."""
        context, push, pull = self.context, request.push, request.pull
        if request.sender == context.id or request.sender in self.acquaintances.left:
            return False
        source, is_proven = link.address, now <= link.proven_until
        sent = self._buffer(context.config.sampling) if pull else ()
        limit = context.item_limit
        if not is_proven:
            limit = min(limit, min(size, link.balance) - context.header_size)
        fitted = fit(context, partial(ExchangeAnswer, request.nonce, context.id), sent, limit)
        if fitted is not None:
            out.offers.add(source)
            out.send(source, fitted[0])
        if link.last_nonce == request.nonce:
            return True  # it was sent twice
        link.last_nonce = request.nonce
        self.served += 1
        if push:
            answered = fitted[1] if fitted is not None else sent
            head = answered if pull else None
            received = ((request.sender, usable(header.address) or source, 0), *request.descriptors)
            if is_proven:
                self._take_in(received, head, now, out)
            else:
                put(self.introductions, source, (received, head), INTRODUCTION_LIMIT)
        elif pull and is_proven:
            self.view.increase_age()
        return True

    def complete_introduction(self, source: Address, now: float, out: Outbox) -> None:
        """Merge the buffer of a request whose sender has shown that it receives what is sent to it.

        Before that nobody is told of it: else one forged request would make many nodes dial its victim.
        """
        received, sent = self.introductions.pop(source)
        self._take_in(received, sent, now, out)

    def _take_in(
        self, received: Sequence[Told], sent: Iterable[Told] | None, now: float, out: Outbox
    ) -> None:
        """Merge what a proven peer pushed, its own descriptor first."""
        self._merge(received, sent, now, out)
        self.acquaintances.note_exchange(received[0], "in", now)

    def on_exchange_answer(
        self, answer: ExchangeAnswer, header: Header, link: Link, now: float, out: Outbox
    ) -> bool:
        """The end of the active half: merge; False if nothing was asked of this address."""
        closed = self._requests.close(answer.nonce, link.address)
        if closed is None:
            return self._requests.is_answered(answer.nonce, link.address)
        exchange, is_late = closed
        links, config = self.context.links, self.context.config
        if links.verifies:
            links.prove(link, now)
            self._confirm(exchange, link, out)
        if answer.sender in self.acquaintances.left:
            return True
        if not is_late:
            self.answered += 1
            took = now - exchange.started_at
            if not exchange.is_repeated and took <= config.answer_timeout:  # else this node stood still
                links.note_round_trip(link, took)
        if self.dials:
            self.dials.answered(answer.sender, link.address, now, config.view_size * config.cycle_period)
        if exchange.id is not None and exchange.id != answer.sender:
            self._part_with(exchange.id, out)
        peer = (answer.sender, usable(header.address) or link.address, 0)
        if exchange.pull:
            self._merge((peer, *answer.descriptors), exchange.sent, now, out)
        elif exchange.push:
            self.view.increase_age()
        self.acquaintances.note_exchange(peer, "out", now)
        return True

    def on_own(self, items: Iterable[Item]) -> None:
        """A datagram of this node itself came in: a contact that a request in it went to is this node."""
        for item in items:
            if isinstance(item, ExchangeRequest):
                exchange = self._requests.pending.pop(item.nonce, None)
                if exchange is not None:
                    self.dials.forget_address(exchange.target)

    def on_goodbye(self, goodbye: Goodbye, link: Link, now: float, out: Outbox) -> bool:
        """Believe a leaver that speaks from its own address; False for anybody else."""
        node = goodbye.sender
        known = self.view.get(node)
        address = known.address if known is not None else self.acquaintances.address_of(node)
        if address is None or self.context.links.route(node.key, address, now) != link.address:
            return False
        self.dials.lost.pop(node, None)
        self.told.pop(node, None)
        self.acquaintances.see_off(node, out)
        if self.view.remove(node) is not None:
            out.tell(ViewChanged((), (node,)))
        return True

    def farewell_targets(self, now: float) -> list[Address]:
        """Everybody who may hold this node's descriptor: the view, and who exchanged with it lately."""
        recent = self.acquaintances.recent(now - 30 * self.context.config.cycle_period)
        return list(dict.fromkeys(self.route(peer, now) for peer in (*self.view, *recent)))

    def rename(self, before: NodeId) -> None:
        """Follow the context to a new incarnation."""
        self.view.own_id = self.context.id
        self.acquaintances.disown(before)

    def route(self, peer: Descriptor, now: float) -> Address:
        """Where to send to a peer."""
        links = self.context.links
        return links.route(peer.id.key, peer.address, now) if links.has_routes else peer.address

    # the active half

    def _begin_cycle(self, now: float, out: Outbox) -> None:
        period = self.context.config.cycle_period
        if self._next_cycle_at == -math.inf:
            self._next_cycle_at = now + period * self.context.random()
            return
        self.cycle += 1
        self._next_cycle_at = max(self._next_cycle_at + period, now + period / 2)
        strategy = self.context.config.sampling
        peer = self._select_peer(strategy.peer_selection, now, out)
        if peer is not None:
            push, pull = strategy.propagation.pushes, strategy.propagation.pulls
            self._request(self.route(peer, now), peer.id, now, out, push=push, pull=pull)
            if strategy.peer_selection is HEAD:
                self._compare(now, out)
        if self.dials:
            self._redial(now, out)

    def _compare(self, now: float, out: Outbox) -> None:
        """Compare what was delivered with a random peer; views are left alone.

        A node that always asks its youngest peer keeps to the same few, and anti-entropy would not get round.
        """
        for peer in self.view.sample(1):
            self._request(self.route(peer, now), peer.id, now, out, push=False, pull=False)

    def _select_peer(self, selection: PeerSelection, now: float, out: Outbox) -> Descriptor | None:
        """Whom to exchange with; strangers that may not be sent a request leave the view instead."""
        while True:
            peer = self.view.select_peer(selection, self.is_eligible)
            if peer is None:
                return None
            if not self.context.links.verifies:
                return peer
            link = self.context.links.get(self.route(peer, now))
            if link is None or not link.is_stranger or link.balance >= self.context.item_limit:
                return peer
            self.view.remove(peer.id)
            self._settle(ViewChange((), (peer.id,)), out)

    def _redial(self, now: float, out: Outbox) -> None:
        """Try a few lost peers and contacts whose time has come."""
        view, period = self.view, self.context.config.cycle_period
        for node, dial in self.dials.due(
            now, period, lambda address: view.at(address) is not None, len(view)
        ):
            self._introduce_self(dial.address, node, now, out)

    def _introduce_self(self, target: Address, node: NodeId | None, now: float, out: Outbox) -> None:
        """Ask an address outside the view for a first exchange, in both directions whatever the strategy."""
        self._request(target, node, now, out, push=True, pull=True)

    def _request(
        self, target: Address, node: NodeId | None, now: float, out: Outbox, *, push: bool, pull: bool
    ) -> None:
        context = self.context
        links, config, limit = context.links, context.config, context.item_limit
        nonce = links.next_nonce()
        is_known = True
        if links.verifies:
            link = links.dial(target, now)
            is_known = bool(link.cookie)
            if link.is_stranger:
                limit = links.room_for(target, DATAGRAM_LIMIT) - context.header_size
        buffer = self._buffer(config.sampling, is_answered=pull) if push else ()
        fitted = fit(context, partial(ExchangeRequest, nonce, context.id, push, pull), buffer, limit)
        if fitted is None:
            return
        packed, sent = fitted
        items: tuple[Packed, ...] = (packed,)
        if node is not None and not context.is_silent:
            items += context.acknowledgement(node.key)
        if not is_known:
            items += padding(context, size_of(items), limit)
        again_at = now + self._resend_period() if node is not None else math.inf
        deadline = now + config.answer_timeout
        self._requests.pending[nonce] = new_tuple(
            Exchange, (target, node, push, pull, sent, now, deadline, is_known, again_at, items, False)
        )
        self.started += 1
        if links.verifies:
            links.grant(target, size_of(items) + context.header_size, now)
            out.offers.add(target)
        out.send(target, *items)

    def _resend_period(self) -> float:
        """A third of the time-out, so that one lost datagram costs nobody a place in the view."""
        return max(self.context.config.answer_timeout / 3, 2 * self.context.links.typical_round_trip)

    def _buffer(self, strategy: Strategy, *, is_answered: bool = True) -> tuple[Told, ...]:
        """What to send of the view: at random, the H oldest last."""
        rule = strategy.view_selection
        heal = rule.heal if isinstance(rule, HealSwap) else 0
        choose = self.view.buffer if is_answered else self.view.shuffle
        return choose(max(self.context.config.view_size // 2 - 1, 1), heal)

    # time-outs

    def _check_pending(self, now: float, out: Outbox) -> None:
        """Send requests again whose answer is late, and drop those who had their time."""
        pending = self._requests.pending
        for nonce, exchange in list(pending.items()):
            if exchange.deadline <= now:
                self._requests.give_up(nonce)
                if exchange.id is not None and self.is_eligible is None:
                    self._lose(exchange.id, now, out)
            elif exchange.again_at <= now:
                pending[nonce] = exchange._replace(again_at=now + self._resend_period(), is_repeated=True)
                if self.context.links.may_push(exchange.target, size_of(exchange.items), now):
                    out.offers.add(exchange.target)
                    out.send(exchange.target, *exchange.items)

    def _lose(self, node: NodeId, now: float, out: Outbox) -> None:
        """Move a silent peer from the view to the lost ones."""
        descriptor = self.view.remove(node)
        if descriptor is None:
            return
        self.view.increase_age()  # as each active half ends, answered or not
        is_proven = self.context.links.was_proven(self.route(descriptor, now))
        period = self.context.config.cycle_period
        self.dials.add_lost(node, descriptor.address, now, period, is_proven=is_proven)
        self.lost_count += 1
        self._settle(ViewChange((), (node,)), out)
        self.acquaintances.lose(node, descriptor.address, out)

    def _part_with(self, node: NodeId, out: Outbox) -> None:
        """Somebody else answers at this node's address: it was restarted."""
        self.dials.lost.pop(node, None)
        descriptor = self.view.remove(node)
        if descriptor is not None:
            self._settle(ViewChange((), (node,)), out)
            self.acquaintances.lose(node, descriptor.address, out)

    def _merge(self, received: Sequence[Told], sent: Iterable[Told] | None, now: float, out: Outbox) -> None:
        """Fold in what a peer told, its own descriptor first, and age the view."""
        lost, acquaintances, told = self.dials.lost, self.acquaintances, received
        if lost or acquaintances.left:
            received = [descriptor for descriptor in received if self._is_credible(descriptor, now)]
        tell = not out.is_terse or bool(lost) or not acquaintances.is_nobody_kept
        change = self.view.merge(received, sent, self.context.config.sampling.view_selection, tell=tell)
        self.view.increase_age()
        if not tell:
            return
        if lost:
            for node in change.joined:
                lost.pop(node, None)
        acquaintances.meet(change.joined, self.view, out)
        self._settle(change, out)
        self._remember(told[0][0], told[1:], now, out)

    def _remember(self, node: NodeId, told: Sequence[Told], now: float, out: Outbox) -> None:
        """Keep what a peer told of its view, unless nobody watches."""
        if not out.is_terse:
            put(self.told, node, ToldView(node, tuple([Descriptor(*one) for one in told]), now), TOLD_LIMIT)

    def _is_credible(self, descriptor: Told, now: float) -> bool:
        """Whether a descriptor may be newer than what this node knows of a leaver or lost peer."""
        node, _, age = descriptor
        if node in self.acquaintances.left:
            return False
        dial = self.dials.lost.get(node)
        if dial is None or not age:
            return True
        return now - dial.lost_at > (age + 2) * self.context.config.cycle_period

    def _settle(self, change: ViewChange, out: Outbox) -> None:
        """Tell what changed in the view."""
        if (change.joined or change.parted) and not out.is_terse:
            out.tell(ViewChanged(change.joined, change.parted))

    def _confirm(self, exchange: Exchange, link: Link, out: Outbox) -> None:
        """Return a fresh cookie at once, so that the peer may answer freely from now on."""
        if not exchange.was_known and link.cookie:
            out.send(link.address)


def usable(address: Address | None) -> Address | None:
    """An advertised address that can be told to others."""
    if address is None or not address[1] or is_wildcard_host(address[0]):
        return None
    return address
