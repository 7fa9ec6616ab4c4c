"""One node without I/O: sampling, spreading, repair and causal order, joined.

Rules of this file. Time is an argument, in seconds of any monotonic clock; there is one deadline, and being
called early or late is harmless. Nothing that comes from the network raises. Datagrams and events are
collected and fetched by whoever drives: asyncio, the simulator, a test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from ..errors import StateError, WireError
from .codec import Codec, Datagram
from .config import Config, Dissemination
from .context import Context
from .describe import describe
from .events import Delivered, Event, Gap, Undeliverable
from .identity import Address, Dot, NodeId
from .intake import Intake
from .ledger import Ledger
from .log import Log
from .messages import Goodbye, Message
from .outbox import Outbox
from .outgoing import Outgoing
from .peer_sampler import PeerSampler
from .sampling import Sampling
from .saved import Saved, Standing
from .snapshot import Counters, NodeSnapshot
from .strategy import Strategy
from .view import Descriptor, PartialView

if TYPE_CHECKING:
    import random

__all__ = ["Machine", "cluster_tag"]


class Machine:
    """A gossip node as a pure state machine."""

    def __init__(
        self,
        identity: NodeId,
        address: Address | None,
        config: Config,
        codec: Codec,
        rng: random.Random,
        *,
        wall_offset: float = 0.0,
        verify_sources: bool = True,
    ) -> None:
        """Make a node that knows nobody.

        Args:
            identity: Name and incarnation.
            address: What third parties are told; None with a wildcard bind and nothing to advertise.
            config: The settings.
            codec: Packs and parses datagrams.
            rng: Dice; only ``random()`` is used.
            wall_offset: Unix time minus ``now``.
            verify_sources: Whether an address has to prove, by echoing a cookie, that it receives what is
                sent to it. False only where nobody can forge a source, such as within one process.
        """
        self.context = Context(
            identity, address, config, codec, rng, cluster_tag(config.cluster), verify_sources=verify_sources
        )
        view = PartialView(identity, address, config.view_size, rng)
        self._out = Outbox()
        self._sampling = Sampling(self.context, view)
        self._peer_sampler = PeerSampler(view, rng.random)
        self._intake = Intake(self.context, self._out, self._sampling)
        self._outgoing = Outgoing(self.context, self._out)
        self._intake.before_rename = self._outgoing.seal
        self._causal = self.context.causal
        self._causal.wall_offset = wall_offset
        self._spreading = self._intake.spreading
        intake = self._intake
        self._parts = (
            self._sampling,
            intake.catchup,
            intake.reconcile,
            intake.repair,
            intake.fetching,
            intake.serving,
            intake.neighbours,
            intake.trees,
            self._spreading,
            self._causal,
        )
        self._now = -math.inf
        self.ledger = Ledger(self._causal)
        """How far the log is saved, by whoever drives this and can."""
        self._has_left = False
        self._datagram_count = self._byte_count = 0

    # identity and settings

    @property
    def id(self) -> NodeId:
        """Who this node is; another incarnation after an ``IncarnationChanged`` event."""
        return self.context.id

    @property
    def address(self) -> Address | None:
        """Where third parties are told to reach it."""
        return self.context.address

    @property
    def config(self) -> Config:
        """The settings in force."""
        return self.context.config

    @property
    def wall_offset(self) -> float:
        """Unix time minus ``now``, in seconds; the driver keeps it true."""
        return self._causal.wall_offset

    @wall_offset.setter
    def wall_offset(self, seconds: float) -> None:
        self._causal.wall_offset = seconds

    def set_strategy(self, strategy: Strategy | str) -> None:
        """Sample by another strategy from now on; the view stays.

        Raises:
            ConfigError: It is not possible with this view size; nothing was changed.
        """
        self.context.config = replace(self.context.config, strategy=strategy)

    def set_view_size(self, view_size: int, now: float) -> None:
        """Hold views of another size from now on: a larger one grows by itself, a smaller one is cut at once.

        A strategy that is a preset for the former size becomes the same preset for the new one.

        Raises:
            ConfigError: The size is not possible, or too small for the strategy; nothing was changed.
        """
        config = self.context.config
        Config(view_size=view_size)  # refuses what is no size before the strategy is looked at
        sampling = config.sampling.resized(config.view_size, view_size)
        self.context.config = replace(config, view_size=view_size, strategy=sampling)
        self._now = now
        self._sampling.resize(view_size, self._out)

    def set_fanout(self, fanout: int) -> None:
        """Push new messages to so many peers from now on; in a tree: seek so many neighbours.

        Raises:
            ConfigError: There is no such number; nothing was changed.
        """
        self.context.config = replace(self.context.config, fanout=fanout)

    def set_dissemination(self, dissemination: Dissemination | str, now: float) -> None:
        """Spread messages in the other way from now on; what is under way goes on.

        Raises:
            ConfigError: There is no such way; nothing was changed.
        """
        before = self.context.config.dissemination
        self.context.config = replace(self.context.config, dissemination=dissemination)
        if self.context.config.dissemination is not before:
            self._now = now
            self._intake.neighbours.follow_mode(self._out)

    # inputs

    def join(self, contacts: Iterable[Address], now: float) -> None:
        """Dial contacts at once, and again for ever whenever they are not in the view.

        Raises:
            StateError: The node has left.
        """
        self._require_member()
        self._now = now
        self._sampling.join(contacts, now, self._out, is_kept=True)

    def add(self, peers: Iterable[Address], now: float) -> None:
        """Dial addresses a few times; they are not kept.

        Raises:
            StateError: The node has left.
        """
        self._require_member()
        self._now = now
        self._sampling.join(peers, now, self._out, is_kept=False)

    def restore(self, saved: Saved, now: float) -> None:
        """Go on where a node stopped that saved this: its log, its place in the network, whom it knew.

        To be called before any other input. Under the same identity the own messages go on with the next
        sequence number; under another one the log is kept, and the former identity counts as left.
        """
        self._now = now
        if saved.prefix is not None:
            self._causal.restore(saved.prefix, saved.messages, saved.clocks)
        self.ledger.resume(saved)
        self._intake.resume(saved.standing, now)
        self._causal.shrink()

    def standing(self, *, with_peers: bool = True) -> Standing:
        """This node's place in the network, for ``restore`` in another life."""
        peers = self._sampling.saved_peers(self._now) if with_peers else ()
        return Standing(self.context.id, self._intake.catchup.is_newcomer, self._spreading.covered, peers)

    def save(self) -> Saved:
        """Everything that ``restore`` takes, whatever was saved before."""
        news = Ledger(self._causal).news()
        return Saved(self.standing(), news.prefix, tuple(news.messages), tuple(news.clocks))

    def introduce(self, descriptors: Iterable[Descriptor]) -> None:
        """Fill the view from outside, as experiments do; no event, nothing sent."""
        self._sampling.introduce(descriptors)

    def schedule_cycle(self, at: float) -> None:
        """Begin the next cycle at ``at`` and the others a period apart, for experiments that order cycles."""
        self._sampling.schedule(at)

    def be_terse(self) -> None:
        """Tell of no ``ViewChanged`` from now on; every exchange makes two, and experiments read the view."""
        self._out.is_terse = True

    def limit_selection(self, is_eligible: Callable[[NodeId], bool] | None) -> None:
        """Exchange only with peers for whom ``is_eligible`` holds, and evict nobody for silence.

        The paper's model, where nodes ask live peers only; an experiment knows who is alive, a real node does
        not. None ends it.
        """
        self._sampling.is_eligible = is_eligible

    def send_gossip(self, payload: bytes, now: float, created_at: float) -> Message:
        """Make the next own message, deliver it here and push it.

        After a silence in which ``clock_limit`` others spoke it is the first one of a new incarnation: others
        may have forgotten by then how far this one was, and would take its next message for a replay.

        Raises:
            PayloadSizeError: It is larger than the limit; nothing was made.
            BacklogError: Too many own messages, or bytes of them, are unacknowledged; nothing was made.
            StateError: The node has left.
        """
        self._require_member()
        self._now = now
        self._intake.end_silence()
        self._intake.renew_outdated(now)
        return self._spreading.send(payload, now, created_at, self._out)

    def receive_datagram(self, data: Any, source: Address, now: float) -> None:
        """Take a datagram in, whatever it is; at most one ``DatagramRejected`` event comes of it."""
        if self._has_left:
            return
        self._now = now
        size = len(data)
        self._datagram_count += 1
        self._byte_count += size
        try:
            header, items, skipped = self.context.codec.parse(data)
        except WireError as error:
            self._intake.reject(error.reason, source)
            return
        if skipped:
            self._intake.rejected["kind"] += skipped
        self._intake.take(header, items, source, size, now)

    def handle_deadline(self, now: float) -> None:
        """Do what is due; harmless if nothing is."""
        if self._has_left:
            return
        due_at = self.deadline
        self._now = now
        intake, out = self._intake, self._out
        if due_at > -math.inf and now - due_at > self.context.config.answer_timeout:
            self._sampling.postpone(now)
            intake.neighbours.postpone(now)
        self._sampling.on_deadline(now, out)
        if now >= intake.neighbours.deadline:
            intake.neighbours.on_deadline(now, out)
        if intake.is_quiet:
            return
        intake.catchup.on_deadline(now, out)
        intake.reconcile.on_deadline(now, out)
        if now >= intake.repair.deadline:
            intake.repair.on_deadline(now, out)
        if now >= intake.fetching.deadline:
            intake.fetching.on_deadline(now, out)
        intake.serving.on_deadline(now, out)
        intake.trees.on_deadline(now, out)
        self._spreading.on_deadline(now, out)
        self._causal.on_deadline(now, out)
        intake.settle(now)

    def leave(self, now: float) -> None:
        """Push what nobody has once more, say goodbye, and be deaf from now on."""
        if self._has_left:
            return
        self._now = now
        self._spreading.push_pending(now, self._out)
        goodbye = self.context.pack(Goodbye(self.context.id))
        for target in dict.fromkeys((*self._sampling.farewell_targets(now), *self._intake.neighbours.at)):
            self._out.send(target, goodbye)
        self._has_left = True

    # outputs

    @property
    def deadline(self) -> float:
        """When ``handle_deadline`` is due next, on the clock of ``now``; ``math.inf`` when nothing is."""
        if self._has_left:
            return math.inf
        if self._intake.is_quiet:
            cycle_at, link_at = self._sampling.deadline, self._intake.neighbours.deadline
            return min(link_at, cycle_at)
        return min([part.deadline for part in self._parts])

    def datagrams_to_send(self) -> list[Datagram]:
        """What to put on the wire now; each is handed out once."""
        return self._outgoing.datagrams(self._now)

    def take_events(self) -> list[Event]:
        """What happened since the last call."""
        if not self._out.events:
            return []
        events, self._out.events = self._out.events, []
        return events

    # questions

    @property
    def log(self) -> Log:
        """The retained messages in this node's delivery order."""
        return self._causal.log

    @property
    def payload_limit(self) -> int:
        """Bytes that one message may have."""
        return self.config.payload_limit

    @property
    def has_room(self) -> bool:
        """Whether ``send_gossip`` has room for one message more."""
        return self._spreading.has_room

    @property
    def unacknowledged(self) -> int:
        """Own messages that no other node is known to have."""
        return self._spreading.unacknowledged

    def acknowledged_by(self, dot: Dot) -> int:
        """How many other nodes are known to have delivered this own message; 0 for anybody else's."""
        return self._spreading.acknowledged_by(dot.origin.key, dot.sequence)

    def view(self) -> tuple[Descriptor, ...]:
        """The partial view, youngest first."""
        return self._sampling.view.descriptors()

    def sample(self, k: int) -> tuple[Descriptor, ...]:
        """Up to ``k`` different descriptors of the view at random; see ``PeerSampler.sample``.

        Raises:
            ConfigError: ``k`` is no whole number of at least 0.
        """
        return self._peer_sampler.sample(k)

    def view_ids(self) -> list[NodeId]:
        """Who is in the partial view, in order of arrival; quicker than ``view``."""
        return self._sampling.view.ids()

    @property
    def exchanges_served(self) -> int:
        """View exchanges that peers started here so far."""
        return self._sampling.served

    def snapshot(self, now: float, *, told: bool = False) -> NodeSnapshot:
        """One frozen picture of everything countable; with ``told`` also what peers told of their views."""
        return describe(self._intake, self._counters(), now, has_left=self._has_left, with_told=told)

    def check(self) -> None:
        """Verify every invariant; for tests."""
        self._causal.check()
        self._sampling.view.check()
        self._intake.fetching.check()

    def _counters(self) -> Counters:
        intake, sampling, told = self._intake, self._sampling, self._out.told
        return Counters(
            datagrams_in=self._datagram_count,
            datagrams_out=self._outgoing.datagram_count,
            bytes_in=self._byte_count,
            bytes_out=self._outgoing.byte_count,
            delivered=told[Delivered],
            sent=self._spreading.sent,
            rumors_in=intake.rumor_count,
            duplicates=intake.duplicate_count,
            repairs=intake.repair_count,
            wants=intake.repair.wants,
            announcements=intake.trees.announcements,
            prunes=intake.trees.prunes,
            grafts=intake.trees.grafting.sent,
            exchanges_started=sampling.started,
            exchanges_answered=sampling.answered,
            exchanges_served=sampling.served,
            peers_lost=sampling.lost_count,
            peers_forgotten=sampling.acquaintances.forgotten,
            gaps=told[Gap],
            undeliverable=told[Undeliverable],
            displaced=self._causal.displaced_count,
            chunks_in=intake.fetching.chunks,
            chunks_out=intake.serving.chunks,
            duplicate_chunks=intake.fetching.duplicates,
            chunk_requests=intake.fetching.requests,
            payloads_pulled=intake.fetching.pool.completed,
            payloads_dropped=intake.fetching.pool.dropped,
            events_dropped=self._out.dropped,
        )

    def _require_member(self) -> None:
        if self._has_left:
            raise StateError("the node has left")


def cluster_tag(name: str) -> int:
    """The 32-bit number that stands for a cluster in every datagram."""
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest())
