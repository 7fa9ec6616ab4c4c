"""``python -m gossip_tui`` is ``gossip-tui``."""

from __future__ import annotations

import sys

from gossip_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
