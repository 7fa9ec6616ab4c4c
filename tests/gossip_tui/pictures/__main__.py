"""Takes all pictures anew: ``python -m tests.gossip_tui.pictures``. Then look at those that changed."""

from __future__ import annotations

import asyncio
import sys

from .shots import FOLDER, SHOTS, take


def main() -> None:
    """Write every picture, and remove those of screens that are no more."""
    pictures = {}
    for shot in SHOTS:
        pictures.update(asyncio.run(take(shot)))
    for path in set(FOLDER.glob("*.txt")) - pictures.keys():
        path.unlink()
    changed = 0
    for path, text in pictures.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{path.name}\n")
            changed += 1
    sys.stdout.write(f"{changed} of {len(pictures)} pictures changed\n")


if __name__ == "__main__":
    main()
