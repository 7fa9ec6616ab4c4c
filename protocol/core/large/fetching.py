"""Pulling large payloads: of several holders at once, every chunk repaired singly, all of it bounded.

A payload is announced like a rumor and asked for chunk by chunk: first of whoever announced it, then also of
peers of the view if that does not get on. Per address a window adapts to loss and a measured time-out says
when a chunk is asked for again. What is dropped here, for want of room or of holders, was never received: it
is missed, announced and pulled again like any other message.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from ..bounded import put
from ..causal import Reception
from ..context import Context
from ..events import Undeliverable
from ..identity import Address, Dot, Key, key_of
from ..links import Link
from ..messages import Chunk, ChunkRequest, Holding, KeyDot, Rumor
from ..outbox import Outbox
from ..sampling import Sampling
from .allowance import Allowances
from .limits import CHUNK_SIZE, TRIAL_CHUNKS
from .path import LARGEST_WINDOW, Path
from .pool import Pool
from .transfer import IDLE_PERIOD, Announced, Holder, Transfer
from .tree import Reference, chunk_count

__all__ = ["Fetching"]

OUTSTANDING_LIMIT = 128
"""Chunks under way from all holders together, 160 kB: what comes at once fits the smallest default socket
buffer of Linux, beside everything else."""

CHUNKS_PER_REQUEST = 16
"""Chunks asked for in one datagram: few enough that losing it is no disaster, and one turn's work for the
holder."""

SILENT_ENOUGH = 2
"""Time-outs in a row after which others are asked rather: one may be a lost request."""

REQUEST_SIZE = 42
"""Bytes of a request beside its chunks, with a sequence number up to two million."""

PATH_LIMIT = 256
"""Addresses whose windows are remembered."""

DONE_LIMIT = 1_024
"""Payloads remembered as done, whose late chunks are nobody's fault."""

LONGEST_SEARCH = 5.0
"""Seconds between two attempts at the most to find another holder."""

TICK = 0.5
"""Seconds between two looks at what waits, when nothing is due."""

Deliver = Callable[[Announced, Rumor, float], bool]
"""Takes a message whose payload is here; False if there is no room for it at the moment."""


class Fetching:
    """The transfers under way, and what is asked of whom."""

    def __init__(self, context: Context, sampling: Sampling, deliver: Deliver) -> None:
        """Pull nothing yet; ``deliver`` gets what is whole."""
        self.context = context
        self.sampling = sampling
        self.deadline = math.inf
        self.outstanding = 0
        """Chunks under way."""
        self.requests = self.chunks = self.duplicates = 0
        """Requests sent, chunks taken in, chunks that were here already."""
        self.pool = Pool(context.config)
        self.allowances = Allowances()
        self._deliver = deliver
        self._transfers = self.pool.transfers
        self._paths: dict[Address, Path] = {}
        self._done: dict[bytes, None] = {}

    # questions

    def find(self, reference: bytes) -> Transfer | None:
        """The transfer of this payload."""
        return self._transfers.get(reference)

    def payload_of(self, reference: bytes, dot: KeyDot | None) -> bytes | None:
        """A whole payload from the store, that of the message ``dot`` or of any other that is known here."""
        causal, contents = self.context.causal, self.context.contents
        size = Reference(reference).size
        for one in (contents.dot_of(reference), dot):
            payload = causal.payload_of(one) if one is not None else None
            if one is None or payload is None or len(payload) != size or size <= CHUNK_SIZE:
                continue
            if contents.of(one, payload).reference == reference:
                return payload
        return None

    def is_fetching_history(self, now: float) -> bool:
        """Whether payloads of a sponsor's history are coming in, and getting on."""
        return any(
            now - transfer.progress_at < IDLE_PERIOD
            and any(one.from_history for one in transfer.announced.values())
            for transfer in self._transfers.values()
        )

    # what is announced

    def note_holder(self, rumor: Rumor, source: Address, now: float, out: Outbox) -> bool:
        """Whether this announcement is known already; then its sender is one more holder."""
        transfer = self._transfers.get(rumor.payload)
        if transfer is None or (key_of(rumor.origin), rumor.sequence) not in transfer.announced:
            return False
        if transfer.add_holder(source, now):
            self._refill(source, now, out)
        return True

    def begin(
        self,
        rumor: Rumor,
        sender: Key,
        source: Address,
        now: float,
        out: Outbox,
        *,
        from_history: bool = False,
        is_asked: bool = False,
    ) -> Reception:
        """Begin to pull the payload of a message that is announced here for the first time."""
        causal = self.context.causal
        key = key_of(rumor.origin)
        refusal = causal.refusal(rumor, key, from_history=from_history)
        if refusal is Reception.FORGOTTEN:
            return causal.receive(rumor, source, now, out)
        if refusal is not None:
            return refusal
        reference = Reference(rumor.payload)
        payload = self.payload_of(reference, None)
        if payload is not None:
            rumor = rumor._replace(payload=payload)
            return causal.receive(rumor, source, now, out, from_history=from_history)
        if not self.allowances.take(
            source if self.context.links.is_proven(source, now) else None, now, is_asked=is_asked
        ):
            return Reception.FLOOD
        if not self.pool.has_room(source, rumor.depth, self._drop, is_asked=is_asked):
            return Reception.NO_ASSEMBLY
        transfer = self._transfers.get(reference)
        if transfer is None:
            transfer = self._transfers[reference] = Transfer(reference, self.context.random, now)
        transfer.announced[(key, rumor.sequence)] = Announced(rumor, sender, source, from_history)
        if transfer.chunks:
            causal.begin_pull(rumor)
        transfer.add_holder(source, now)
        self._refill(source, now, out)
        self.deadline = min(self.deadline, now + TICK)
        return Reception.NEW

    # what comes in

    def on_chunk(self, chunk: Chunk, link: Link, now: float, out: Outbox) -> str | None:
        """Take a chunk in; says why it is refused."""
        transfer, source = self._transfers.get(chunk.reference), link.address
        if transfer is None or chunk.place in transfer.chunks:
            if transfer is None and chunk.reference not in self._done:
                return "unasked"
            self.duplicates += 1
            return None
        if source not in transfer.holders:
            return "unasked"
        asked = transfer.asked.get(chunk.place)
        if chunk.place >= chunk_count(transfer.tree.size) or not transfer.admit(
            chunk.place, chunk.data, chunk.path, now
        ):
            self._accuse(transfer, source, now, out)
            return "chunk"
        self.chunks += 1
        if asked is not None:
            self._release(asked.holder)
        is_timed = asked is not None and asked.is_first and asked.holder == source
        self._path(source).on_chunk(now - asked.at if asked is not None and is_timed else None)
        if not self.context.causal.is_pulled(next(iter(transfer.announced))):
            for one in transfer.announced.values():
                self.context.causal.begin_pull(one.rumor)
        if not transfer.is_started:
            self.pool.start_waiting(self._drop)
        if transfer.is_whole and chunk.reference in self._transfers:
            self._finish(transfer, now)
        self._refill(source, now, out)
        return None

    def on_holding(self, holding: Holding, link: Link, now: float, out: Outbox) -> str | None:
        """Hear what a holder has, and ask others for the rest; says why it is refused."""
        transfer, source = self._transfers.get(holding.reference), link.address
        holder = transfer.holders.get(source) if transfer is not None else None
        if transfer is None or holder is None:
            return None if holding.reference in self._done else "unasked"
        path = self._path(source)
        path.silent = 0
        has = int.from_bytes(holding.bitmap, "little")
        for index, asked in list(transfer.asked.items()):
            if asked.holder == source and not has >> index & 1:
                transfer.give_back(index)
                self._release(source)
        if has and any(has >> index & 1 for index in transfer.todo):
            holder.has = has
        else:
            transfer.let_rest(holder, now)
            self.deadline = min(self.deadline, holder.rests_until)
        for address in list(transfer.holders):
            self._refill(address, now, out)
        return None

    def on_challenge(self, source: Address, now: float) -> None:
        """A holder wants proof before it answers: ask it again at once, now with its cookie."""
        for transfer in self._transfers.values():
            if self._recall(transfer, source):
                self.deadline = now

    def on_deadline(self, now: float, out: Outbox) -> None:
        """Ask again for what did not come, look for other holders, give up what leads nowhere."""
        self._expire(now)
        for reference, transfer in list(self._transfers.items()):
            if reference in self._transfers:  # who came before may have dropped it
                self._look_after(transfer, now, out)
        self.pool.start_waiting(self._drop)
        holders = {address: None for t in self._transfers.values() for address in t.holders}
        for address in sorted(holders, key=lambda one: self._path(one).silent):
            self._refill(address, now, out)
        for transfer in self._transfers.values():
            if transfer.todo and not transfer.asked and now >= transfer.search_at:
                self._search(transfer, now, out)
        self._rearm(now)

    # one transfer

    def _look_after(self, transfer: Transfer, now: float, out: Outbox) -> None:
        """Finish, forget, park or give up one transfer, if it is time."""
        causal = self.context.causal
        for dot in [dot for dot in transfer.announced if causal.is_known(dot)]:
            del transfer.announced[dot]
            causal.end_pull(dot)
        if not transfer.announced:
            self._drop(transfer)
        elif transfer.is_whole:
            self._finish(transfer, now)
        elif not transfer.chunks and now - transfer.progress_at >= causal.config.gap_timeout:
            self._drop(transfer)  # nobody has it: if it is real, it is missed and announced again
        elif now - transfer.progress_at >= causal.config.orphan_timeout:
            for one in transfer.announced.values():
                out.tell(Undeliverable(Dot(one.rumor.origin, one.rumor.sequence), ()))
            self._drop(transfer)
        elif now - transfer.progress_at >= IDLE_PERIOD:
            for dot in transfer.announced:
                causal.end_pull(dot)
            self.pool.park(transfer)

    def _finish(self, transfer: Transfer, now: float) -> None:
        """Deliver every message that has this payload; those there is no room for wait."""
        payload = transfer.payload()
        for dot, one in list(transfer.announced.items()):
            self.context.causal.end_pull(dot)
            self.context.contents.keep(dot, transfer.tree)
            if self._deliver(one, one.rumor._replace(payload=payload), now):
                del transfer.announced[dot]
                self.allowances.give_back(one.source)
            else:
                self.context.causal.begin_pull(one.rumor)
        if not transfer.announced:
            put(self._done, transfer.reference, None, DONE_LIMIT)
            self.pool.completed += 1
            self._forget(transfer)
            self.pool.start_waiting(self._drop)

    def _drop(self, transfer: Transfer) -> None:
        """Forget a transfer that was not finished here."""
        self.pool.dropped += bool(transfer.announced)
        put(self._done, transfer.reference, None, DONE_LIMIT)
        self._forget(transfer)

    def _forget(self, transfer: Transfer) -> None:
        for index in list(transfer.asked):
            self._release(transfer.give_back(index).holder)
        for dot in transfer.announced:
            self.context.causal.end_pull(dot)
        self._transfers.pop(transfer.reference, None)

    def _accuse(self, transfer: Transfer, source: Address, now: float, out: Outbox) -> None:
        """It sent a wrong chunk: pull elsewhere."""
        self._recall(transfer, source)
        transfer.accuse(source, now)
        for address in list(transfer.holders):
            self._refill(address, now, out)
        self.deadline = min(self.deadline, now + TICK)

    def _recall(self, transfer: Transfer, source: Address) -> bool:
        """Expect nothing any more that was asked of an address; whether there was anything."""
        indexes = [index for index, asked in transfer.asked.items() if asked.holder == source]
        for index in indexes:
            transfer.give_back(index)
            self._release(source)
        return bool(indexes)

    def _search(self, transfer: Transfer, now: float, out: Outbox) -> None:
        """Nobody known has what is missing: try a peer of the view."""
        wait = self.context.grace_period() * 2 ** min(transfer.searches, 10)
        transfer.searches += 1
        transfer.search_at = now + min(max(wait, 0.1), LONGEST_SEARCH)
        for peer in self.sampling.view.sample(len(transfer.holders) + 1):
            address = self.sampling.route(peer, now)
            if address not in transfer.holders and transfer.add_holder(address, now):
                self._refill(address, now, out)
                return

    # asking

    def _refill(self, source: Address, now: float, out: Outbox) -> None:
        """Ask one holder for as much as may be under way from there, oldest transfer first."""
        path = self._path(source)
        if 2 * path.asked > path.window:
            return  # rather fewer and larger requests
        for transfer in self._transfers.values():
            room = min(path.room, OUTSTANDING_LIMIT - self.outstanding)
            if room <= 0:
                return
            holder = transfer.holders.get(source)
            if holder is not None and transfer.todo and now >= holder.rests_until:
                self._ask(transfer, holder, source, room, now, out)

    def _ask(
        self, transfer: Transfer, holder: Holder, source: Address, room: int, now: float, out: Outbox
    ) -> None:
        if not transfer.is_started:
            room = min(room, 1, TRIAL_CHUNKS - len(transfer.asked) - len(transfer.chunks))
        elif holder.is_doubtful or not self._has_credit(source, room):
            room = min(room, TRIAL_CHUNKS)
        if room <= 0:
            return
        may_ask = self._has_credit(source, room) and not self._is_worse(source, transfer, now)
        picked = transfer.pick(holder, room) if may_ask else []
        if not picked:
            transfer.let_rest(holder, now)
            self.deadline = min(self.deadline, holder.rests_until)
            return
        path = self._path(source)
        due_at = now + path.timeout
        dot = next(iter(transfer.announced))
        for start in range(0, len(picked), CHUNKS_PER_REQUEST):
            indexes = picked[start : start + CHUNKS_PER_REQUEST]
            packed = self.context.pack(ChunkRequest(dot, transfer.reference, tuple(sorted(indexes))))
            if self.context.links.may_push(source, packed.size, now):
                out.send(source, packed)
                self.requests += 1
            transfer.note_asked(indexes, source, now, due_at)
        path.asked += len(picked)
        self.outstanding += len(picked)
        self.deadline = min(self.deadline, due_at)

    def _is_worse(self, source: Address, transfer: Transfer, now: float) -> bool:
        """Whether an address has fallen silent while others may be asked: the last chunks wait for nobody."""
        if len(transfer.todo) > LARGEST_WINDOW or self._path(source).silent < SILENT_ENOUGH:
            return False
        return any(
            now >= holder.rests_until and not self._path(other).silent
            for other, holder in transfer.holders.items()
            if other != source
        )

    def _has_credit(self, source: Address, chunks: int) -> bool:
        """Whether a request for so many may go there: to an unproven stranger no more than came from it."""
        link = self.context.links.get(source)
        header = self.context.header(link.cookie if link is not None else 0, 0)
        size = self.context.codec.header_size(header) + REQUEST_SIZE + 2 * chunks
        return self.context.links.room_for(source, size) >= size

    def _path(self, address: Address) -> Path:
        path = self._paths.get(address)
        if path is None:
            link = self.context.links.get(address)
            measured = link.round_trip if link is not None else None
            path = Path(self.context.links.typical_round_trip if measured is None else measured)
            if len(self._paths) >= PATH_LIMIT:
                self._forget_idle_path()
            self._paths[address] = path
        return path

    def _forget_idle_path(self) -> None:
        """Make room for one more path; those in use are no more than what may be under way."""
        for address, path in self._paths.items():
            if not path.asked:
                del self._paths[address]
                return

    def _release(self, address: Address) -> None:
        """One chunk less is under way from an address."""
        self._paths[address].asked -= 1
        self.outstanding -= 1

    def _expire(self, now: float) -> None:
        """Give back what is overdue, and leave holders alone that were asked in vain often enough."""
        for transfer in self._transfers.values():
            for index, asked in list(transfer.asked.items()):
                if asked.due_at <= now:
                    transfer.give_back(index)
                    self._release(asked.holder)
                    self._paths[asked.holder].on_loss(now)
        for address, path in list(self._paths.items()):
            if path.has_vanished:
                for transfer in self._transfers.values():
                    self._recall(transfer, address)
                    transfer.leave_alone(address, now)
                del self._paths[address]

    def _rearm(self, now: float) -> None:
        """When something is due next."""
        moments = [now + TICK] if self._transfers else []
        for transfer in self._transfers.values():
            moments.extend([asked.due_at for asked in transfer.asked.values()])
            if transfer.todo:
                moments.extend([h.rests_until for h in transfer.holders.values() if h.rests_until > now])
                if not transfer.asked:
                    moments.append(transfer.search_at)
        self.deadline = min(moments, default=math.inf)

    def check(self) -> None:
        """Verify every invariant; for tests."""
        asked = [one for transfer in self._transfers.values() for one in transfer.asked.values()]
        assert self.outstanding == len(asked) <= OUTSTANDING_LIMIT
        for address, path in self._paths.items():
            assert path.asked == sum(one.holder == address for one in asked)
        for reference, transfer in self._transfers.items():
            count = chunk_count(transfer.tree.size)
            assert sorted([*transfer.chunks, *transfer.asked, *transfer.todo]) == list(range(count))
            assert reference == transfer.reference
            assert transfer.announced
        self.pool.check()
