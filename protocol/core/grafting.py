"""What was announced and did not come: waited for, then asked for, which grafts its link into the tree.

Source: Leitão, Pereira, Rodrigues, *Epidemic Broadcast Trees*, SRDS 2007: "upon receiving an IHAVE message,
the node simply marks the corresponding message as missing", starts a timer, and when it expires sends a GRAFT
"which triggers the transmission of the missing message payload" and "adds the corresponding link to the
broadcast tree"; the timer then starts again with a smaller value and the next announcement.

Differs from the paper:

- A message that later ones already wait for is not grafted: those came along the tree, so the tree is whole
  and only a datagram was lost, which ``repair`` asks for again. A graft is answered as a ``Want`` is, and
  what no announcer sends is left to repair and anti-entropy.
- The first time-out is repair's, from measured round trips; the next ones are no shorter, since an answer
  takes a round trip too.
- What is waited for is bounded and shared fairly: when the table is full, whoever announced least displaces
  the newest of whoever announced most, so that nobody who announces what is nowhere keeps others out.
"""

from __future__ import annotations

import math

from .context import Context
from .identity import Address
from .messages import Graft, KeyDot
from .neighbours import Neighbours
from .outbox import Outbox
from .repair import Repair, ranges_of

__all__ = ["RANGES_PER_ITEM", "Accounts", "Grafting"]

MISSING_LIMIT = 1_024
"""Announced messages waited for at a time; of more, anti-entropy brings the rest."""

ANNOUNCER_LIMIT = 8
"""Neighbours remembered to have announced one message; nobody has more but by a large ``fanout``."""

GRAFT_LIMIT = 4
"""Grafts for one message. Some are lost with their answers; after that anti-entropy is quicker."""

JITTER = 0.5
"""Share by which the wait before a graft differs, so that of those a hole cuts off one grafts first, and the
others get the message from it."""

RANGES_PER_ITEM = 48
"""Ranges in one announcement or graft; they fit a datagram whatever their numbers."""


class Missing:
    """A message that was announced and did not come yet."""

    __slots__ = ("announcers", "due_at", "grafts", "holder")

    def __init__(self, announcer: Address, due_at: float) -> None:
        """Wait for it until ``due_at``."""
        self.announcers = [announcer]
        self.holder = announcer
        """The one of them on whose account it is waited for."""
        self.due_at = due_at
        self.grafts = 0


class Accounts:
    """For whom is waited on whose account, and who has most on it."""

    __slots__ = ("_by_size", "_largest", "_of")

    def __init__(self) -> None:
        """Wait for nobody."""
        self._of: dict[Address, dict[KeyDot, None]] = {}
        """The newest last."""
        self._by_size: dict[int, dict[Address, None]] = {}
        """Whose accounts have so many messages on them."""
        self._largest = 0

    def size(self, address: Address) -> int:
        """For how many messages is waited on this account."""
        return len(self._of.get(address, ()))

    @property
    def largest(self) -> int:
        """For how many messages is waited on the largest one."""
        return self._largest

    def newest_of_largest(self) -> KeyDot:
        """What was put last on the largest account; there has to be one."""
        return next(reversed(self._of[next(iter(self._by_size[self._largest]))]))

    def add(self, address: Address, dot: KeyDot) -> None:
        """Wait for one more message on this account."""
        account = self._of.setdefault(address, {})
        account[dot] = None
        self._move(address, len(account) - 1, len(account))

    def strike(self, address: Address, dot: KeyDot) -> None:
        """Wait for it no longer."""
        account = self._of[address]
        del account[dot]
        self._move(address, len(account) + 1, len(account))
        if not account:
            del self._of[address]

    def _move(self, address: Address, before: int, after: int) -> None:
        by_size = self._by_size
        if before:
            del by_size[before][address]
            if not by_size[before]:
                del by_size[before]
        if after:
            by_size.setdefault(after, {})[address] = None
        if after > self._largest or self._largest not in by_size:
            self._largest = after


class Grafting:
    """The announced messages that are waited for."""

    def __init__(self, context: Context, neighbours: Neighbours, repair: Repair) -> None:
        """Wait for nothing."""
        self.context = context
        self.neighbours = neighbours
        self.repair = repair
        self.sent = 0
        """Grafts so far."""
        self.deadline = math.inf
        """When to graft next."""
        self._missing: dict[KeyDot, Missing] = {}
        self._accounts = Accounts()

    def first_due(self, now: float) -> float:
        """When what is announced now should have come."""
        return now + self.context.grace_period() * (1 + JITTER * self.context.random())

    def is_here(self, dot: KeyDot) -> bool:
        """Whether a message is delivered, held back, or large and being pulled."""
        return self.context.causal.is_known(dot) or self.context.causal.is_pulled(dot)

    def expect(self, dot: KeyDot, source: Address, due_at: float) -> bool:
        """Wait for a message that a neighbour announced and that is not here; False if there is no room."""
        missing = self._missing.get(dot)
        if missing is not None:
            if source not in missing.announcers and len(missing.announcers) < ANNOUNCER_LIMIT:
                missing.announcers.append(source)
                self._share(dot, missing, source)
        elif len(self._missing) < MISSING_LIMIT or self._displace(source):
            self._missing[dot] = Missing(source, due_at)
            self._accounts.add(source, dot)
            self.deadline = min(self.deadline, due_at)
        else:
            return False
        return True

    def _share(self, dot: KeyDot, missing: Missing, source: Address) -> None:
        """Wait on the account of whoever has less on it, which is the last to be displaced."""
        accounts = self._accounts
        if accounts.size(source) < accounts.size(missing.holder):
            accounts.strike(missing.holder, dot)
            missing.holder = source
            accounts.add(source, dot)

    def _displace(self, source: Address) -> bool:
        """Make room for one more of ``source``, unless nobody has more on the account than it would have."""
        if self._accounts.largest <= self._accounts.size(source) + 1:
            return False
        self._forget(self._accounts.newest_of_largest())
        return True

    def _forget(self, dot: KeyDot) -> None:
        self._accounts.strike(self._missing.pop(dot).holder, dot)

    def on_deadline(self, now: float, out: Outbox) -> None:
        """Ask for what did not come in time, unless a sponsor's history brings everything by itself."""
        if self.repair.is_paused:
            self.deadline = now + self.context.grace_period()
            return
        asked: dict[Address, list[KeyDot]] = {}
        self.deadline = math.inf
        for dot, missing in list(self._missing.items()):
            if self.is_here(dot) or self.repair.is_chased(dot):
                self._forget(dot)
                continue
            if missing.due_at <= now:
                announcer = self._announcer(missing, asked)
                if announcer is None or missing.grafts >= GRAFT_LIMIT:
                    self._forget(dot)
                    continue
                asked.setdefault(announcer, []).append(dot)
                missing.grafts += 1
                missing.due_at = now + self.context.grace_period()
            self.deadline = min(self.deadline, missing.due_at)
        for address, dots in asked.items():
            self._graft(address, dots, out)

    def _announcer(self, missing: Missing, asked: dict[Address, list[KeyDot]]) -> Address | None:
        """Whom to ask: somebody who is asked anyway, else each in turn, and those already eager first."""
        links = self.neighbours.at
        announcers = [address for address in missing.announcers if address in links]
        if not announcers:
            return None
        if not missing.grafts:
            for address in announcers:
                if address in asked or links[address].is_eager:
                    return address
        return announcers[missing.grafts % len(announcers)]

    def _graft(self, address: Address, dots: list[KeyDot], out: Outbox) -> None:
        self.neighbours.at[address].is_eager = True
        ranges = ranges_of(dots)
        for start in range(0, len(ranges), RANGES_PER_ITEM):
            out.send(address, self.context.pack(Graft(ranges[start : start + RANGES_PER_ITEM])))
            self.sent += 1
