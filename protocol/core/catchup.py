"""Catch-up: joining late, and coming back after what was missed has been evicted everywhere.

All of it comes from ONE sponsor: its evicted prefix is adopted at once as baseline, then its retained log in
*its* delivery order. Taking baselines per origin from several peers breaks causal order (measured: 600
violations; this rule 0). A newcomer does this as soon as it knows whom to ask; a member only after it has
asked several peers for long enough and all have evicted what it misses, and then it says so in one ``Gap``.
Of parts of a network that meet, each may have evicted other messages: then a member asks one sponsor of each
for its prefix (``pasts``), and takes over their union at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from .bounded import put
from .context import Context
from .gaps import PEERS_TO_ASK, UNLEVEL_PATIENCE, gap_period
from .identity import Address
from .links import Link
from .messages import BaselinePage, Digest, HistoryDone, HistoryRequest
from .outbox import Outbox
from .pasts import PASTS_LIMIT, Baseline, holders_of_another
from .sampling import Sampling
from .wide import PARENTS_LIMIT

__all__ = ["CatchUp"]

BASELINE_PAGES_LIMIT = 1_024
"""Pages of one baseline at the most: some 25,000 origins as they are sent. What claims more is not collected;
the sponsor is asked a few times and then left."""

CANDIDATES = 4
"""Peers whose histories a newcomer compares at the most before it chooses the longest."""

TRIES = 8
"""Requests without an answer before a sponsor counts as gone."""

FRUITLESS_LIMIT = 512
"""Answers without news before a sponsor is left: as many as the largest history takes by default, so that one
who always promises more holds nobody up for ever."""

ASKED_LIMIT = 64
"""Peers remembered that have evicted what is missing here, or were asked for it: many times what counts."""

LAG_SHARE = 8
"""The part of what this node lacks that its sponsor may lack, too, if it retains more for that: some messages
are always under way. A choice."""


class Session:
    """One catch-up under way."""

    __slots__ = (
        "adopted",
        "cursor",
        "deadline",
        "fruitless",
        "gathered",
        "is_gap",
        "is_over",
        "is_waiting",
        "news",
        "pages",
        "prefixes",
        "round",
        "sponsor",
        "tries",
        "version",
    )

    def __init__(self, sponsor: Address, round_number: int, *, is_gap: bool) -> None:
        """Ask ``sponsor`` for everything."""
        self.sponsor = sponsor
        self.round = round_number
        self.is_gap = is_gap
        self.is_over = False
        """The sponsor said that this was all; what the network reordered may still come in."""
        self.is_waiting = False
        """The next answer is not asked for before the large messages of the last one are here."""
        self.news = 0
        """Messages first received from the sponsor since it was asked last."""
        self.fruitless = 0
        """Answers that brought no news: a member that comes back has most of the log already."""
        self.cursor = 0
        self.tries = 0
        self.deadline = math.inf
        self.version = -1
        self.adopted = -1
        """The version of the baseline taken over."""
        self.pages: dict[int, BaselinePage] = {}
        self.gathered: Baseline | None = None
        """What sponsors before this one have evicted, which is taken over together with its prefix, or by
        itself if this one stays silent."""
        self.prefixes = 1
        """Of how many sponsors prefixes are taken over."""


class CatchUp:
    """Whether this node still has to find its place in the history, and from whom it takes it."""

    def __init__(self, context: Context, sampling: Sampling) -> None:
        """Be a newcomer."""
        self.context = context
        self.sampling = sampling
        self.is_newcomer = True
        """This node has not compared its history with anybody's yet: what came before its time is no gap."""
        self.received = 0
        """Messages first received from the sponsor of the session under way, or of the last one."""
        self.is_held_up: Callable[[float], bool] = lambda _now: False
        """Whether large messages of the sponsor's history are coming in, which the next ones may build on."""
        self._session: Session | None = None
        self._rounds = 0
        self._candidates: dict[Address, Digest] = {}
        self._decide_at = math.inf
        self._evicted: dict[Address, Digest] = {}
        """Peers that have evicted something missing here, with what they said of themselves last."""
        self._asked: dict[Address, None] = {}
        self._stuck_since = 0.0
        self._told_at = 0.0
        """When a peer last said so: what was told long before was about other messages."""

    @property
    def is_running(self) -> bool:
        """Whether a sponsor's history is coming in."""
        return self._session is not None

    @property
    def deadline(self) -> float:
        """When an answer is overdue, or the choice of a sponsor is due."""
        return self._session.deadline if self._session is not None else self._decide_at

    def is_from_sponsor(self, source: Address) -> bool:
        """Whether messages from there are history."""
        return self._session is not None and self._session.sponsor == source

    # choosing a sponsor

    def on_answer(self, digest: Digest, source: Address, now: float, out: Outbox) -> None:
        """Weigh the history of a peer that answered an exchange."""
        if self._evicted:
            put(self._asked, source, None, ASKED_LIMIT)
            if source in self._evicted:
                self._evicted[source] = digest
        if not self.is_newcomer:
            return
        if self._session is not None:
            if source != self._session.sponsor:
                put(self._candidates, source, digest, CANDIDATES)
            return
        self._candidates[source] = digest
        if digest.delivered and not digest.evicted:
            self._begin(source, now, out, is_gap=False)
        elif len(self._candidates) >= CANDIDATES:
            self._decide(now, out)
        elif self._decide_at == math.inf:
            self._decide_at = now + max(0.1, 4 * self.context.links.typical_round_trip)
            self.sampling.hurry(now)

    def _become_member(self) -> None:
        self.is_newcomer = False
        self._candidates.clear()
        self._decide_at = math.inf

    def note_level(self, source: Address) -> None:
        """A peer has nothing that is missing here."""
        self._evicted.pop(source, None)

    def note_evicted(self, source: Address, digest: Digest, now: float, out: Outbox) -> None:
        """A peer has evicted what is missing here; give up asking if that has gone on long enough."""
        config = self.context.config
        if not self._evicted or now - self._told_at > gap_period(config):
            self._evicted.clear()
            self._stuck_since = now
            self._asked.clear()
        self._told_at = now
        put(self._evicted, source, digest, ASKED_LIMIT)
        put(self._asked, source, None, ASKED_LIMIT)
        if self._session is not None:
            return
        enough = min(PEERS_TO_ASK, max(1, len(self.sampling.view)))
        wait = config.gap_timeout * (1 if self._are_level() else UNLEVEL_PATIENCE)
        if now - self._stuck_since >= wait and len(self._asked) >= enough:
            self._begin(self._best_sponsor(self._evicted, source), now, out, is_gap=True)

    def _are_level(self) -> bool:
        """Whether those with more than this node that told last have about the same.

        Where they have not, they are about to close gaps of their own, as after a partition in three. Whoever
        took over the history of one of them now would lack what the others have, and tell of a second gap.
        """
        mine = self.context.causal.delivered_count
        latest = [digest.delivered for digest in [*self._evicted.values()][-PEERS_TO_ASK:]]
        ahead = [delivered for delivered in latest if delivered > mine]
        return not ahead or max(ahead) - min(ahead) <= (max(ahead) - mine) // LAG_SHARE

    def _best_sponsor(self, told: dict[Address, Digest], latest: Address | None = None) -> Address:
        """Of those who evicted what is missing here: who retains most, among those who have about the most.

        Who has evicted little because it is stuck itself helps nobody: what it lacks would be missing here
        still, and be another gap.
        """
        most = max(digest.delivered for digest in told.values())
        enough = most - max(0, most - self.context.causal.delivered_count) // LAG_SHARE
        able = [peer for peer, digest in told.items() if digest.delivered >= enough]
        return min(able, key=lambda peer: (told[peer].evicted, peer != latest))

    def _decide(self, now: float, out: Outbox) -> None:
        """Take the candidate that retains most; if nobody has anything, there is nothing to catch up with."""
        self._decide_at = math.inf
        best = max(self._candidates, key=lambda peer: retained(self._candidates[peer]))
        if self._candidates[best].delivered:
            self._begin(best, now, out, is_gap=False)
        else:
            self._become_member()

    # the newcomer's side

    def _begin(self, sponsor: Address, now: float, out: Outbox, *, is_gap: bool) -> None:
        self._rounds += 1
        self.received = 0
        self._session = Session(sponsor, self._rounds, is_gap=is_gap)
        self._candidates.pop(sponsor, None)
        self._decide_at = math.inf
        self._ask(self._session, now, out)

    def _ask(self, session: Session, now: float, out: Outbox) -> None:
        session.deadline = now + self.context.patience()
        session.news = 0
        out.send(session.sponsor, self.context.pack(HistoryRequest(session.round, session.cursor)))

    def on_deadline(self, now: float, out: Outbox) -> None:
        """Ask a silent sponsor again, take another one, or choose the first."""
        session = self._session
        if session is None:
            if now >= self._decide_at:
                self._decide(now, out)
            return
        if now < session.deadline:
            return
        if session.is_over:
            self._session = None
            self._evicted.clear()
            self._become_member()
            return
        if session.is_waiting:
            if self.is_held_up(now):
                session.deadline = now + self.context.grace_period()
                return
            session.is_waiting = False
            self._ask(session, now, out)
            return
        session.tries += 1
        if session.tries < TRIES:
            self._ask(session, now, out)
            return
        self._session = None
        self._evicted.pop(session.sponsor, None)
        if session.gathered is not None and session.adopted < 0:
            self._adopt(session.gathered, now, out, is_gap=True)
        if self._candidates:
            self._decide(now, out)

    def on_challenge(self, source: Address, now: float) -> None:
        """The sponsor wants proof first: ask again with it."""
        if self._session is not None and self._session.sponsor == source and self._session.tries == 0:
            self._session.deadline = now

    def on_progress(self, now: float) -> None:
        """A message of the history came in: the sponsor is alive."""
        session = self._session
        if session is not None and not session.is_over:
            session.news += 1
            self.received += 1
            session.tries = 0
            session.deadline = max(session.deadline, now + self.context.patience())

    def _session_with(self, link: Link, round_number: int) -> Session | None:
        """The session that an answer of this round belongs to."""
        session = self._session
        if session is None or session.sponsor != link.address or session.round != round_number:
            return None
        return session

    def on_baseline_page(self, page: BaselinePage, link: Link, now: float, out: Outbox) -> None:
        """Collect the sponsor's prefix, and adopt it when it is whole."""
        session = self._session_with(link, page.round)
        if session is None or page.pages > BASELINE_PAGES_LIMIT:
            return
        if page.version > session.version:
            session.version = page.version
            session.pages = {}
        if page.version < session.version or page.version <= session.adopted:
            return
        session.pages[page.page] = page
        if len(session.pages) < page.pages:
            return
        baseline = Baseline.of(session.pages[number] for number in sorted(session.pages))
        if len(baseline.frontier) > PARENTS_LIMIT:
            return  # whoever adopted that could not name it, and would never be heard again
        if session.adopted < 0 and session.is_gap:
            baseline = self._with_gathered(session, baseline)
            if self._gathers_more(session, baseline, now, out):
                return
        session.adopted = page.version
        self._adopt(baseline, now, out, is_gap=session.is_gap)

    def _adopt(self, baseline: Baseline, now: float, out: Outbox, *, is_gap: bool) -> None:
        self.context.causal.adopt_baseline(
            ((node, *entry) for node, entry in baseline.entries.items()),
            baseline.frontier,
            baseline.depth,
            now,
            out,
            is_gap=is_gap,
            horizon=baseline.horizon,
            forgotten=baseline.forgotten,
        )

    def _with_gathered(self, session: Session, baseline: Baseline) -> Baseline:
        """A sponsor's prefix, with those of the sponsors before it."""
        if session.gathered is None:
            return baseline
        union = session.gathered.united(baseline)
        return union if len(union.frontier) <= PARENTS_LIMIT else baseline

    def _gathers_more(self, session: Session, baseline: Baseline, now: float, out: Outbox) -> bool:
        """Whether what is missing here is of several pasts, and the next one's prefix was asked for first."""
        others = holders_of_another(self._evicted, self.context.causal, baseline, now)
        others.pop(session.sponsor, None)
        if not others or session.prefixes >= PASTS_LIMIT:
            return False
        self._begin(self._best_sponsor(others), now, out, is_gap=True)
        assert self._session is not None
        self._session.gathered = baseline
        self._session.prefixes = session.prefixes + 1
        return True

    def on_history_done(self, done: HistoryDone, link: Link, now: float, out: Outbox) -> None:
        """Go on where the sponsor stopped, from the start if the baseline did not come whole, or end."""
        session = self._session_with(link, done.round)
        if session is None or session.is_over or session.is_waiting:
            return
        if session.adopted < 0:
            session.tries += 1
            session.cursor = 0
        elif done.more and done.cursor <= session.cursor:
            # The sponsor has sent all it may for the moment; asking at once would only go round in circles.
            session.deadline = min(session.deadline, now + self.context.grace_period())
            return
        elif done.more:
            session.fruitless += not session.news
            session.tries = TRIES if session.fruitless > FRUITLESS_LIMIT else 0
            session.cursor = done.cursor
            session.is_gap = True
            if session.tries < TRIES and self.is_held_up(now):
                session.is_waiting = True
                session.deadline = now + self.context.grace_period()
                return
        else:
            session.is_over = True
            session.deadline = now + self.context.grace_period()
            return
        if session.tries >= TRIES:
            session.deadline = now
            return
        self._ask(session, now, out)


def retained(digest: Digest) -> int:
    """How many messages a peer can send."""
    return digest.delivered - digest.evicted
