"""The settings of a node, each with its unit, how to choose it and where its default comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from ..errors import ConfigError
from ..text import printable
from .derived import CLOCK_LIMIT
from .large.limits import PAYLOAD_MAXIMUM
from .strategy import Strategy

__all__ = ["CLUSTER_LIMIT", "TREE", "Config", "Dissemination"]

LONGEST_PERIOD = 86_400 * 365
"""Seconds of a year: what no period of a node sensibly exceeds."""

CLUSTER_LIMIT = 64
"""Characters of a cluster's name at the most: a choice."""


class Dissemination(StrEnum):
    """How messages that are new to a node go on from there; nodes of both sorts may be in one network."""

    EAGER = "eager"
    """To ``fanout`` random peers of the view. Nothing to set up and nothing to break, at the price of that
    many copies for each node."""
    TREE = "tree"
    """Along a tree of lasting links, and as announcements along the other links, which take over where the
    tree breaks. Little more than one copy for each node."""

    @classmethod
    def parse(cls, text: str) -> Dissemination:
        """The way of this name.

        Raises:
            ConfigError: There is none.
        """
        if text not in list(cls):
            raise ConfigError(f"dissemination must be {' or '.join(cls)}, not {str(text)[:32]!r}")
        return cls(text)


TREE = Dissemination.TREE
"""Asked for with every datagram; Python 3.11 looks a member of an enumeration up by a function call."""


@dataclass(frozen=True, slots=True)
class Config:
    """How a node samples, spreads and remembers; every value is checked when it is made.

    Raises:
        ConfigError: A value is not possible; the text says which, and what is allowed.
    """

    cluster: str = ""
    """Nodes of different clusters ignore each other. Not a secret: it keeps strangers apart, not enemies
    out."""

    view_size: int = 20
    """c: descriptors in the partial view, at least 2. Larger views cost bytes per exchange and survive more
    crashes; below 8 a network can fall apart by itself. Default: the paper's N=1000 runs use 20."""

    strategy: Strategy | str = "default"
    """Peer selection, propagation and view selection; a ``Strategy``, a preset's name or the text of a
    strategy. Presets are resolved against ``view_size``: see ``sampling``."""

    cycle_period: float = 1.0
    """T: seconds between exchanges that this node starts. Shorter finds peers and repairs sooner and costs
    one exchange more per cycle; sensible from 0.05 to 60. Default: a choice, what a person watching can
    follow."""

    answer_timeout: float = 1.0
    """Seconds after which a peer that did not answer an exchange leaves the view. Must cover the slowest
    round trip. Default: a choice, three times a bad intercontinental round trip."""

    fanout: int = 4
    """Peers that a new message is pushed to. Infect-and-die reaches 1 - exp(-fanout x share) of a random
    graph, .98 at 4; anti-entropy finds the rest. Default: reference simulation."""

    payload_limit: int = PAYLOAD_MAXIMUM
    """Bytes of the largest payload that ``send_gossip`` takes, up to 1 MiB. What fits one datagram spreads
    with the message; more is announced and pulled in chunks. Payloads of others are taken in up to 1 MiB
    whatever this says."""

    dissemination: Dissemination | str = Dissemination.EAGER
    """How messages spread; a ``Dissemination`` or its text. A tree takes a third of the datagrams and a
    quarter of the bytes, and hears of a hole some tens of milliseconds later. Default: eager, which has no
    links to keep: those of a tree cost five to six small datagrams a cycle even when nobody sends, so it
    pays from about two messages a second in the whole network on."""

    history_limit: int = 10_000
    """Messages retained for readers and late joiners, at least 1."""

    history_size_limit: int = 16 * 1024 * 1024
    """Bytes of retained messages, overhead estimated; whichever limit is met first counts."""

    hold_back_limit: int = 4_096
    """Messages that may wait for their past."""

    hold_back_size_limit: int = 4 * 1024 * 1024
    """Bytes of messages that may wait for their past."""

    clock_limit: int = CLOCK_LIMIT
    """K: origins in a vector clock at the most, from 2 to 4,096; the same on all nodes of a cluster. A clock
    keeps those whose last message has the largest (depth, origin), so one that has been silent while K
    others spoke drops out. A node remembers four times as many origins of which it retains nothing; what
    comes from others is refused as a replay unless it is new. Too low: clocks say less of the past, and a
    node that was silent for long starts a new incarnation with its next message. Too high: clocks cost more
    to read and to send. Default: a choice, more authors than anybody follows, and clocks of at most 20
    datagrams."""

    backlog_limit: int = 1_024
    """Own messages that may be unacknowledged before ``send_gossip`` refuses. Large enough to write on a
    train, small enough that retention (``history_limit``) holds them; a choice."""

    backlog_size_limit: int = 8 * 1024 * 1024
    """Bytes of own payloads from which on ``send_gossip`` refuses while they are unacknowledged: at the most
    so many and one message more are. Default: half of what retention (``history_size_limit``) holds."""

    assembly_limit: int = 256
    """Large messages that may be known and not whole yet, at least 4. Beyond it the oldest of which nothing
    came yet is forgotten and announced again later. Default: a choice, twice what a history of 16 MiB in
    pieces of 100 kB needs."""

    assembly_size_limit: int = 8 * 1024 * 1024
    """Bytes of large messages that are not whole yet, at least 1 MiB, so that any payload fits. Default: a
    choice, eight of the largest at once."""

    acquaintance_limit: int = 4_096
    """Nodes heard of, and their addresses, that are remembered beyond the view: for the list of peers, for
    round trips and for goodbyes; of authors that were never met as many are listed, those last heard of. Some
    300 bytes each; 0 in experiments with very many nodes. Default: a choice, some megabytes at the most."""

    gap_timeout: float = 30.0
    """Seconds of asking before messages that every peer has evicted are given up as a gap."""

    orphan_timeout: float = 300.0
    """Seconds a message may wait for a past that nobody seems to have. Default: ten gap time-outs, a
    choice."""

    sampling: Strategy = field(init=False, repr=False, compare=False)
    """The strategy with its preset resolved against ``view_size``; follows from the two, is never given."""

    def __post_init__(self) -> None:
        for name, low in MINIMUM.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise ConfigError(f"{name} must be a whole number of at least {low}, not {value!r}")
        for name in ("cycle_period", "answer_timeout", "gap_timeout", "orphan_timeout"):
            value = getattr(self, name)
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not 0 < value <= LONGEST_PERIOD
            ):
                raise ConfigError(f"{name} must be a number of seconds above 0, not {str(value)[:32]}")
        for name, high in MAXIMUM.items():
            if getattr(self, name) > high:
                raise ConfigError(f"{name} must be at most {high}, not {getattr(self, name)}")
        if not isinstance(self.cluster, str):
            raise ConfigError(f"cluster must be text, not {self.cluster!r}")
        if len(self.cluster) > CLUSTER_LIMIT or printable(self.cluster) != self.cluster:
            raise ConfigError(
                f"cluster must be at most {CLUSTER_LIMIT} printable characters: {self.cluster!a}"
            )
        object.__setattr__(self, "dissemination", Dissemination.parse(self.dissemination))
        self._resolve_strategy()

    def _resolve_strategy(self) -> None:
        strategy = self.strategy
        if isinstance(strategy, str):
            strategy = Strategy.parse(strategy, self.view_size)
        if not isinstance(strategy, Strategy):
            raise ConfigError(f"strategy must be a Strategy or its text, not {strategy!r}")
        strategy.check(self.view_size)
        for name in ("strategy", "sampling"):
            object.__setattr__(self, name, strategy)


MINIMUM = {
    "view_size": 2,
    "fanout": 1,
    "history_limit": 1,
    "history_size_limit": 1,
    "hold_back_limit": 1,
    "hold_back_size_limit": 1,
    "backlog_limit": 1,
    "backlog_size_limit": 1,
    "payload_limit": 1,
    "assembly_limit": 4,
    "assembly_size_limit": PAYLOAD_MAXIMUM,
    "clock_limit": 2,
    "acquaintance_limit": 0,
}
LARGEST_CLOCK = 4_096
"""Origins in a clock at the most: what a receiver of a clock in pages collects."""

VIEW_SIZE_LIMIT = 1_000
"""Descriptors in a view at the most: c/2 of them must have a chance to fit a datagram over a few
exchanges."""

MAXIMUM = {
    "view_size": VIEW_SIZE_LIMIT,
    "payload_limit": PAYLOAD_MAXIMUM,
    "clock_limit": LARGEST_CLOCK,
}
