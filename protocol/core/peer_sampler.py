"""Random peers for the application: each descriptor of the view once before any comes again.

Asking a view repeatedly gives the same few nodes, since it changes slowly. Giving out each of them once in a
round stretches those few over as many questions as possible; how far that is from independent samples is
measured in ``protocol/README.md``.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ConfigError
from .identity import NodeId
from .view import Descriptor, PartialView

__all__ = ["PeerSampler"]


class PeerSampler:
    """The answers of one node to "give me random peers", in rounds without repeats.

    A round gives every descriptor of the view once, those included that come meanwhile; they have their first
    turn before others have another. What is remembered is bounded by the view: whoever is not in it is
    forgotten at the next question.

    Source: the service of Jelasity et al., ACM TOCS 25(3), 2007, which hands out what the view holds; rounds
    over a changing view are a choice.
    """

    __slots__ = ("_dice", "_given", "_known", "_view")

    def __init__(self, view: PartialView, dice: Callable[[], float]) -> None:
        """Sample from ``view`` as it is at each question; nobody has been given yet.

        Args:
            view: Only read.
            dice: Evenly spread numbers from 0 to below 1.
        """
        self._view = view
        self._dice = dice
        self._given: frozenset[NodeId] = frozenset()
        """Who had a turn in this round."""
        self._known: frozenset[NodeId] = frozenset()
        """Who had a turn in any round since coming into the view."""

    def sample(self, k: int) -> tuple[Descriptor, ...]:
        """Up to ``k`` different descriptors of the view, in random order but newcomers first.

        Nobody is given again before everybody now in the view was given once. Where the round ends within an
        answer, the rest of it begins the next round, without those whom the answer holds already.

        Args:
            k: How many at the most. Fewer come if the view is smaller; the cost is O(view size) for any k.

        Raises:
            ConfigError: ``k`` is no whole number of at least 0; nothing was given.
        """
        if isinstance(k, bool) or not isinstance(k, int) or k < 0:
            raise ConfigError(f"k must be a whole number of at least 0, not {str(k)[:32]}")
        view = list(self._view)
        given, known = self._given, self._known
        answer = self._draw([peer for peer in view if peer.id not in known], k)
        waiting = [peer for peer in view if peer.id in known and peer.id not in given]
        answer += self._draw(waiting, k - len(answer))
        again = self._draw([peer for peer in view if peer.id in given], k - len(answer))
        self._remember(view, answer, again)
        return (*answer, *again)

    def _remember(self, view: list[Descriptor], answer: list[Descriptor], again: list[Descriptor]) -> None:
        """Note who had a turn, ``again`` in the next round already; a round ends when everybody had one."""
        here = frozenset(peer.id for peer in view)
        answered = frozenset(peer.id for peer in answer)
        self._known = (self._known & here) | answered
        given = (self._given & here) | answered
        self._given = frozenset(peer.id for peer in again) if given == here else given

    def _draw(self, pool: list[Descriptor], count: int) -> list[Descriptor]:
        """Up to ``count`` of ``pool`` at random, in random order."""
        dice, pop, size = self._dice, pool.pop, len(pool)
        return [pop(int(dice() * left)) for left in range(size, max(size - count, 0), -1)]
