"""The parts of a node that hear from the network, and what they owe each other, whatever comes in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from .catchup import CatchUp
from .causal import Reception
from .context import Context
from .events import DatagramRejected, IncarnationChanged
from .identity import Address, NodeId, key_of
from .large.fetching import Fetching
from .large.serving import Serving
from .large.transfer import Announced
from .large.tree import Reference
from .messages import KeyDot, Rumor
from .neighbours import Neighbours
from .outbox import Outbox
from .reconcile import Reconcile
from .repair import Repair
from .sampling import Sampling
from .saved import Standing
from .sponsor import Sponsor
from .spreading import Spreading
from .trees import Trees

__all__ = ["Parts"]


class Parts:
    """Everything of a node that hears from the network, but for how it hears."""

    __slots__ = (
        "_causal",
        "_had_view",
        "before_rename",
        "catchup",
        "context",
        "duplicate_count",
        "fetching",
        "neighbours",
        "out",
        "reconcile",
        "rejected",
        "repair",
        "repair_count",
        "rumor_count",
        "sampling",
        "serving",
        "sponsor",
        "spreading",
        "trees",
    )

    def __init__(self, context: Context, out: Outbox, sampling: Sampling) -> None:
        """Make the parts that build on ``sampling``; effects go to ``out``."""
        self.context = context
        self.out = out
        self.sampling = sampling
        self.repair = Repair(context, sampling)
        self.neighbours = Neighbours(context, sampling)
        self.trees = Trees(context, self.neighbours, self.repair)
        self.spreading = Spreading(context, sampling, self.trees)
        self.catchup = CatchUp(context, sampling)
        self.reconcile = Reconcile(context, self.catchup)
        self.sponsor = Sponsor(context)
        self.fetching = Fetching(context, sampling, self._on_payload)
        self.serving = Serving(context, self.fetching)
        self.catchup.is_held_up = self.fetching.is_fetching_history
        self.before_rename: Callable[[float], None] = lambda _now: None
        """Called before the node takes another identity."""
        self.rejected: Counter[str] = Counter()
        """Datagrams, or items of them, refused so far, by reason."""
        self.rumor_count = self.duplicate_count = self.repair_count = 0
        self._causal = context.causal
        self._had_view = False

    @property
    def is_quiet(self) -> bool:
        """Whether there are only views and links to see to: there is no message, and it has asked around."""
        return self.context.is_silent and not self.catchup.is_newcomer

    def end_silence(self) -> None:
        """A message is heard of: from now on everything is compared, repaired and seen to."""
        if self.context.is_silent:
            self._had_view = len(self.sampling.view) > 0
            self.context.is_silent = False

    def resume(self, standing: Standing, now: float) -> None:
        """Take the place again that this node had before it was restarted; its log is restored already."""
        context = self.context
        self.catchup.is_newcomer = standing.is_newcomer
        if self._causal.delivered_count:
            self.end_silence()
        if standing.id == context.id:
            self.spreading.resume(standing.covered, now)
        else:
            self.sampling.acquaintances.disown(standing.id)
            self.spreading.restart(standing.id.key)
        self.sampling.resume(standing.peers, now, self.out)

    def reject(self, reason: str, source: Address) -> None:
        """Count a refusal and tell of it."""
        self.rejected[reason] += 1
        self.out.tell(DatagramRejected(source, reason))

    def _on_payload(self, announced: Announced, rumor: Rumor, now: float) -> bool:
        """A large message is whole; False if there is no room for it in the hold-back queue now."""
        reception = self._causal.receive(
            rumor, announced.source, now, self.out, from_history=announced.from_history
        )
        if reception is Reception.NO_ROOM:
            return False
        if reception is not Reception.NEW:
            self.rejected[reception.value] += 1
            return True
        held = self._causal.holding.get((key_of(rumor.origin), rumor.sequence))
        if held is not None:
            self.repair.note_held(held, now)
        self.spreading.note_received(rumor, announced.sender, announced.source, now, self.out)
        return True

    def _check_own(self, rumor: Rumor, now: float) -> None:
        if self._is_own(rumor):
            self.spreading.verify(rumor.sequence)
        else:
            self._take_new_incarnation(now)

    def _is_own(self, rumor: Rumor) -> bool:
        """Whether a rumor under this node's identity is one that it made."""
        if rumor.sequence > self._causal.floor(self.context.key):
            return False
        return self._is_same(rumor, (self.context.key, rumor.sequence))

    def _is_same(self, rumor: Rumor, dot: KeyDot) -> bool:
        """Whether a rumor is the message that is retained under its dot; True if nothing is."""
        entry = self._causal.log.find(dot)
        if entry is None:
            return True
        message = entry.message
        payload = message.payload
        if type(rumor.payload) is Reference and len(payload) == rumor.payload.size:
            payload = self.context.contents.of(dot, payload).reference
        mine = (payload, message.depth, message.created_at)
        return mine == (rumor.payload, rumor.depth, rumor.created_at)

    def settle(self, now: float) -> None:
        """Let the parts see what the last input changed for them."""
        self.repair.is_paused = self.catchup.is_running
        self._causal.is_catching_up = self.catchup.is_running
        if self._causal.unanchored:
            self.repair.note_unanchored(now, self.out)
        if self._causal.floor(self.context.key) > self.spreading.last_sequence:
            self._take_new_incarnation(now)
        has_view = len(self.sampling.view) > 0
        if has_view and not self._had_view:
            self.spreading.push_pending(now, self.out)
            self.neighbours.seek(now, self.out)
            if self.catchup.is_newcomer:
                self.sampling.hurry(now)
        self._had_view = has_view

    def renew_outdated(self, now: float) -> None:
        """Begin anew before others take the next own message for a replay; not while one is under way."""
        if not self.spreading.unacknowledged and self._causal.is_outdated:
            self._take_new_incarnation(now, was_silent=True)

    def _take_new_incarnation(self, now: float, *, was_silent: bool = False) -> None:
        """Leave the identity behind: somebody else speaks under it, or it was silent for too long."""
        self.before_rename(now)
        context, before = self.context, self.context.id
        if not was_silent and self.spreading.first_since_restart:
            self._causal.disown(before.key, self.spreading.first_since_restart)
        milliseconds = max(0, int((now + self._causal.wall_offset) * 1000))
        fresh = milliseconds << 16 | int(context.random() * 65_536)
        context.rename(NodeId(before.name, max(fresh, before.incarnation + 1) % (1 << 64)))
        self.sampling.rename(before)
        self.spreading.restart(before.key)
        self.out.tell(IncarnationChanged(before, context.id, was_silent=was_silent))
