"""What holds for every test: hypothesis draws the same examples each time, however slow the machine."""

from __future__ import annotations

import gc
import os

from hypothesis import HealthCheck, settings

from gossip_tui.collector import collect_less_often

settings.register_profile(
    "deterministic",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("deterministic")


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: some of the tests wait for terminals and processes."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Look no more for garbage among thousands of tests and their modules: a sixth of the time of all."""
    gc.collect()
    collect_less_often()
