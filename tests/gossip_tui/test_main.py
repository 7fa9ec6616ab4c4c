"""The program while it loads: Ctrl-C may come before there is anything to end."""

from __future__ import annotations

import builtins
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from gossip_tui.__main__ import run


@pytest.fixture
def _handler() -> Iterator[None]:
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.mark.usefixtures("_handler")
def test_ctrl_c_while_it_loads_is_no_error_and_another_one_as_it_ends_none_either(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    load = builtins.__import__

    def interrupted(name: str, *others: Any) -> Any:
        if name == "gossip_tui.cli":
            signal.raise_signal(signal.SIGINT)
        return load(name, *others)

    monkeypatch.setattr(builtins, "__import__", interrupted)
    assert run() == 0
    signal.raise_signal(signal.SIGINT)
    assert capfd.readouterr() == ("", "")
