"""``python -m gossip_tui`` is ``gossip-tui``: the program from its first moment to its last.

Rules of this file. Nothing of the program is imported outside of ``run``, so that Ctrl-C says no word, early
as it may come.
"""

# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import signal
import sys

__all__ = ["run"]


def run() -> int:
    """Run the program and return its exit code; Ctrl-C while it loads or ends is no error."""
    try:
        from gossip_tui.cli import main

        return main()
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # once more, while Python takes itself apart


if __name__ == "__main__":
    sys.exit(run())
