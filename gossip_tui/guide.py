"""Leads a person through the tour: points at panes, sees what was done, and goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from protocol.core.identity import Dot
from protocol.core.messages import Message

from .screens.message import concurrent_among
from .tour import Sight, Tour
from .tour_memory import remember_tour

if TYPE_CHECKING:
    from .app import GossipApp

__all__ = ["Guide"]


class Guide:
    """The tour through one application; costs nothing while there is none.

    Args:
        app: Whose panes it points at.
    """

    def __init__(self, app: GossipApp) -> None:
        self._app = app
        self._tour: Tour | None = None
        self._sight = Sight()
        self._said: Dot | None = None

    @property
    def tour(self) -> Tour | None:
        """Where the person stands; None while there is no tour."""
        return self._tour

    def begin(self) -> None:
        """Begin at the first step."""
        self._see()
        self._tour = Tour(self._sight)
        self._point()

    # What there is to see.

    def note_said(self, message: Message) -> None:
        """See what the person has said; in the demo their node says things by itself as well."""
        self._app.main.overlay.want(message.id)
        if self._tour is not None:
            self._see()  # a cut made just before comes before this message
            self._said = message.id
            self._sight = replace(self._sight, sent=self._sight.sent + 1)

    def note_opened(self, message: Message, around: Sequence[Message]) -> None:
        """See which message the person opened, and whether it is concurrent with one around it."""
        if self._tour is not None and concurrent_among(message, around):
            self._sight = replace(self._sight, opened=self._sight.opened + 1)

    def look(self) -> None:
        """See how things stand, and go on if that was what the step asked for."""
        if self._tour is None:
            return
        self._see()
        if self._tour.observe(self._sight):
            self._point()

    def _see(self) -> None:
        snapshot, experiments = self._app.snapshot, self._app.feed.experiments
        sight = self._sight
        is_cut = experiments is not None and experiments.is_cut
        self._sight = replace(
            sight,
            watched=sight.sent if self._said and self._has_shown(self._said) else sight.watched,
            is_cut=is_cut,
            sent_before_cut=sight.sent if is_cut and not sight.is_cut else sight.sent_before_cut,
            strategy=str(snapshot.strategy),
        )

    def _has_shown(self, dot: Dot) -> bool:
        """Whether the wave of a message was seen to its end."""
        return self._app.main.overlay.has_shown(dot)

    # What the person may ask for instead.

    def go_on(self) -> None:
        """Go on to the next step without doing this one."""
        if self._tour is not None:
            self._see()
            self._tour.go_on(self._sight)
            self._point()

    def skip(self) -> None:
        """End the tour; the next demo has it again."""
        self._end("tour skipped: /tour shows it again")

    def forgo(self) -> None:
        """End the tour, if there is one, and let no demo begin with it any more."""
        remember_tour()
        self._end("no demo begins with the tour any more: /tour or --tour shows it again")

    def _point(self) -> None:
        tour = self._tour
        if tour is not None and tour.step is None:
            remember_tour()
            self._end("that was the tour: F1 explains the pane that you are in, /tour shows all this again")
        elif tour is not None:
            self._app.main.point_at(tour)

    def _end(self, words: str) -> None:
        self._tour = None
        self._app.main.point_at(None)
        self._app.tell(words)
