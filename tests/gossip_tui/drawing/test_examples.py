from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import gossip_tui.drawing

MODULES = [
    "gossip_tui.export_commands",
    "gossip_tui.recording.absences",
    "gossip_tui.text",
    "gossip_tui.widgets.log_filter",
    *(f"gossip_tui.drawing.{module.name}" for module in pkgutil.iter_modules(gossip_tui.drawing.__path__)),
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
