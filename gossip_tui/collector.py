"""The garbage collector, told that a gossip program makes many small objects, few of which it throws away."""

from __future__ import annotations

import gc

__all__ = ["YOUNG_OBJECTS", "collect_less_often"]

YOUNG_OBJECTS = 10_000
"""Objects made since the last collection that start the next one; Python's own choice is 700."""


def collect_less_often() -> None:
    """Have the garbage collector look at young objects less often, and never again at the modules.

    A frame makes thousands of objects that live no longer than it does, and a message some ten that stay.
    Measured: a sixth less processor time for a screen that is drawn four times a second, a tenth for a node
    that delivers as fast as it can, and a quarter for a simulation of ten thousand nodes. A program that
    embeds ``protocol`` may want to do the same.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
