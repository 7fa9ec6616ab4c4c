"""Errors that nobody awaited."""

from __future__ import annotations

import asyncio
import logging

import pytest

from gossip_tui.failures import Failures


async def test_failures_are_counted_logged_in_full_and_kept_in_short(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[int] = []
    failures = Failures(lambda: told.append(failures.count))
    failures.install()
    loop = asyncio.get_running_loop()
    with caplog.at_level(logging.ERROR, "gossip_tui"):
        loop.call_exception_handler(
            {"message": "in a callback", "exception": ValueError("\x1b[2J" + "x" * 500)}
        )
        loop.call_exception_handler({"message": "without an exception"})
    failures.remove()
    assert told == [1, 2]
    assert failures.last == "without an exception"
    assert [record.message for record in caplog.records] == ["in a callback", "without an exception"]
    assert caplog.records[0].exc_info is not None


async def test_the_text_of_a_failure_is_safe_and_short() -> None:
    failures = Failures(lambda: None)
    failures.handle(asyncio.get_running_loop(), {"exception": ValueError("\x1b[2J" + "x" * 500)})
    assert failures.last.startswith("ValueError: ␛[2Jxxx")
    assert len(failures.last) == 120


async def test_removing_without_installing_is_nothing() -> None:
    Failures(lambda: None).remove()
    assert asyncio.get_running_loop().get_exception_handler() is None
