"""Where log records go, and that a record can't harm a terminal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from gossip_tui.logs import LOGGERS, configure_logging, take_failure


@pytest.fixture(autouse=True)
def restored_loggers() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger, list(logger.handlers), logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, handlers, level, propagate in before:
        for handler in logger.handlers:
            if handler not in handlers:
                handler.close()
        logger.handlers[:] = handlers
        logger.setLevel(level)
        logger.propagate = propagate


def record(level: int = logging.WARNING) -> None:
    """A record whose text comes from the network, with a traceback."""
    try:
        int("inner")
    except ValueError:
        logging.getLogger("protocol").log(level, "peer %s", "\x1b]0;x\x07", exc_info=True)


def test_a_terminal_gets_one_printable_line_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(None, "warning", to_terminal=True)
    record()
    assert capsys.readouterr().err == "warning: peer ␛]0;x␇\n"


def test_a_screen_is_not_written_over(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(None, "warning", to_terminal=False)
    record()
    assert capsys.readouterr().err == ""


def test_a_file_gets_everything_with_tracebacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(tmp_path / "log", "debug", to_terminal=True)
    record(logging.DEBUG)
    text = (tmp_path / "log").read_text()
    assert "DEBUG protocol: peer ␛]0;x␇" in text
    assert "ValueError: invalid literal" in text
    assert capsys.readouterr().err == ""


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="no device here that is always full")
def test_a_full_disk_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(FULL, "warning", to_terminal=True)
    record()
    record()
    assert capsys.readouterr().err == (
        "gossip-tui: log file /dev/full can't be written: No space left on device\n"
    )
    assert take_failure() == ""


@pytest.mark.skipif(not FULL.exists(), reason="no device here that is always full")
def test_under_a_screen_a_full_disk_is_kept_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(FULL, "warning", to_terminal=False)
    record()
    record()
    assert capsys.readouterr().err == ""
    assert take_failure() == "log file /dev/full can't be written: No space left on device"
    assert take_failure() == ""


def test_what_is_less_important_than_asked_for_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(None, "error", to_terminal=True)
    record()
    assert capsys.readouterr().err == ""
