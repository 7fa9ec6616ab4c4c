"""Keeps the tables of the README equal to the code: ``python -m tests.readme`` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path

from gossip_tui.command_tables import readme_tables

__all__ = ["README", "with_tables"]

README = Path(__file__).parent.parent / "README.md"
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_tables(text: str) -> str:
    """The README with its tables as the code has them."""
    tables = readme_tables()
    return TABLE.sub(lambda match: f"{match[1]}{tables[match[2]]}\n{match[3]}", text)


if __name__ == "__main__":
    README.write_text(with_tables(README.read_text()))
