"""The garbage collector, told that a gossip program makes many small objects, few of which it throws away."""

from __future__ import annotations

import gc

__all__ = ["MIDDLE_ROUNDS", "OLD_ROUNDS", "YOUNG_OBJECTS", "collect_less_often"]

YOUNG_OBJECTS = 10_000
"""Objects made since the last collection that start the next one; Python's own choice is 700."""

MIDDLE_ROUNDS = 4
"""Such collections before one also looks at what those left: at most some 50,000 objects, a tenth of a blink.

Measured: 15 to 20 ms; with 20, at 1,000 messages a second, 55 ms in which no key is heard.
"""

OLD_ROUNDS = 100
"""Those before one that looks at everything, if a quarter more survived since.

Of all collections that is one in 400 at the most.
"""


def collect_less_often() -> None:
    """Have the garbage collector look at young objects less often, and never again at the modules.

    A frame makes thousands of objects that live no longer than it does, and a message some ten that stay.
    Measured: a sixth less processor time for a screen that is drawn four times a second, a tenth for a node
    that delivers as fast as it can, and a quarter for a simulation of ten thousand nodes. A program that
    embeds ``protocol`` may want to do the same.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, MIDDLE_ROUNDS, OLD_ROUNDS)
