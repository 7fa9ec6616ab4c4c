"""How an application ends: asked for twice, after a question, or at once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from .keys import key_label
from .screens.question import QuitAnswer, QuitQuestion

if TYPE_CHECKING:
    from .app import GossipApp

__all__ = ["Departure"]

INSIST_PERIOD = 2.0
"""Seconds within which a second Ctrl-C quits; the first one might have been meant to copy."""


class Departure:
    """Ends one application, and says goodbye to the network for it.

    Args:
        app: Which.
        clock: Seconds on a clock that only goes forward.
    """

    def __init__(self, app: GossipApp, clock: Callable[[], float]) -> None:
        self._app = app
        self._clock = clock
        self._insisting_until = -math.inf

    def insist(self) -> None:
        """Say how to quit; called again at once, do it."""
        now = self._clock()
        if now < self._insisting_until:
            self.ask()
            return
        self._insisting_until = now + INSIST_PERIOD
        self._app.toast(f"Press ^c once more to quit, or {key_label('ctrl+q')} at any time")

    def ask(self) -> None:
        """Quit, after a question if that would lose own messages; asked again meanwhile, quit without."""
        app = self._app
        if app.feed.unacknowledged and not isinstance(app.screen, QuitQuestion):
            app.push_screen(QuitQuestion(lambda: app.feed.unacknowledged), self._on_answer)
        else:
            self.leave()

    def _on_answer(self, answer: QuitAnswer | None) -> None:
        if answer is QuitAnswer.QUIT:
            self.leave()

    def leave(self) -> None:
        """Say goodbye to the network and end; without a question, so signals may call it."""
        self._app.run_worker(self._leave(), exclusive=True, group="exit")

    async def _leave(self) -> None:
        await self._app.feed.close()
        self._app.exit()
