"""Whether an experiment fits the machine: what it will take, and what there is to take."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from protocol.errors import ConfigError
from protocol.sim import Experiment

__all__ = ["check_memory", "memory_available", "size_text"]

MEMINFO = Path("/proc/meminfo")
"""What Linux has to give without swapping."""

GROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
"""What this group of processes, such as a container, may have of it."""


def check_memory(experiments: Iterable[Experiment], available: int | None) -> None:
    """Return if each of the experiments, which run one after the other, fits into ``available`` bytes.

    Args:
        experiments: Which they are.
        available: None where nobody knows: then everything fits.

    Raises:
        ConfigError: One does not; the text says what it takes and what there is.
    """
    needed = max(experiment.memory_estimate() for experiment in experiments)
    if available is not None and needed > available:
        raise ConfigError(
            f"the experiment takes about {size_text(needed)} of memory and {size_text(available)} are free: "
            "take fewer --nodes or a smaller --view-size, or add --anyway"
        )


def memory_available(meminfo: Path = MEMINFO, group_limit: Path = GROUP_LIMIT) -> int | None:
    """Bytes that may be taken without harm, as the system has it; None where it does not say."""
    found = [free_memory(meminfo)]
    with contextlib.suppress(OSError, ValueError):
        found.append(int(group_limit.read_text("ascii")))
    return min((size for size in found if size is not None), default=None)


def free_memory(meminfo: Path) -> int | None:
    """What Linux calls available, or the free pages of other systems that count them."""
    with contextlib.suppress(OSError, ValueError):
        found = re.search(r"^MemAvailable:\s+(\d+) kB$", meminfo.read_text("ascii"), re.MULTILINE)
        if found:
            return int(found[1]) * 1024
    with contextlib.suppress(AttributeError, OSError, ValueError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def size_text(size: int) -> str:
    """An amount of memory for people.

    >>> size_text(45_000_000), size_text(4_310_000_000), size_text(52_000_000_000)
    ('45 MB', '4.3 GB', '52 GB')
    """
    if size < 1_000_000_000:
        return f"{size / 1e6:.0f} MB"
    return f"{size / 1e9:.1f} GB" if size < 10_000_000_000 else f"{size / 1e9:,.0f} GB"
