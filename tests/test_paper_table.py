from __future__ import annotations

from pathlib import Path

import pytest

from .benchmarks import paper_table
from .benchmarks.paper_table import PUSH, PUSH_PULL, RANDOM, REFERENCE, Run, as_markdown, cell, measure

SMALL = ["--nodes", "40", "--view-size", "8", "--cycles", "3", "--processes", "1"]


def test_every_strategy_of_the_table_has_a_reference() -> None:
    assert set(REFERENCE) == {RANDOM, *PUSH_PULL, *PUSH}


def test_a_value_stands_beside_its_reference_with_three_digits() -> None:
    found = {
        RANDOM: {"clustering": 0.00591234, "path length": 2.694, "in-degree std": 5.4321, "else": 12.345}
    }
    assert cell(found, RANDOM, "clustering") == "0.00591 (0.0059)"
    assert cell(found, RANDOM, "in-degree std") == "5.43 (5.5)"
    assert cell(found, RANDOM, "else") == "12.3"


def test_an_overlay_is_looked_at_from_all_sides() -> None:
    figures = measure(Run("(rand, push-pull, swapper)", 60, 8, 5, 1))
    assert set(figures) >= set(REFERENCE["(rand, push-pull, swapper)"])
    assert 0 < figures["clustering"] < 1
    assert 10 < figures["largest cluster, 90% removed, %"] <= 100
    assert figures["broadcast coverage, f=2"] < figures["broadcast coverage, f=5"] <= 1


def test_the_random_graph_is_the_start_of_the_others() -> None:
    start, later = (measure(Run(strategy, 60, 8, 5, 1)) for strategy in (RANDOM, "(rand, push-pull, healer)"))
    assert start["clustering"] < later["clustering"]


def test_the_table_is_made_once_and_then_read_from_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*SMALL, "--results", str(tmp_path / "kept")]
    paper_table.main(words)
    first = capsys.readouterr().out
    assert len((tmp_path / "kept").read_text().splitlines()) == 10
    monkeypatch.setattr(paper_table, "measure", None)
    paper_table.main(words)
    assert capsys.readouterr().out == first
    heads = [head.strip() for head in first.splitlines()[0].split("|")]
    assert heads[2:5] == ["random graph", "rand, blind", "rand, healer"]
    assert "(rand, push, swapper)" in first


def test_a_table_of_some_overlays_shows_those() -> None:
    found = {RANDOM: measure(Run(RANDOM, 30, 5, 0, 1))}
    assert "blind" not in as_markdown(found)
