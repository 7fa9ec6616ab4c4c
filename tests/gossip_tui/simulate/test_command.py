"""What ``simulate`` writes where: JSON, CSV and text; interrupts, full disks, readers that go."""

from __future__ import annotations

import csv
import errno
import gc
import io
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gossip_tui.cli import main
from gossip_tui.collector import YOUNG_OBJECTS
from gossip_tui.simulate import command
from gossip_tui.simulate.memory import check_memory, memory_available
from gossip_tui.simulate.records import BROADCAST_FIELDS, CYCLE_FIELDS, CsvFile, finite, json_line
from protocol.errors import ConfigError
from protocol.sim import Experiment

from .fakes import BROADCAST, figures, play

SMALL = ("simulate", "--nodes", "10", "--view-size", "8", "--cycles", "3")


@pytest.fixture(autouse=True)
def same_collector_afterwards() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(700)
    yield
    gc.set_threshold(*before)


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GOSSIP_TUI_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")


def at(cycle: int, act: Callable[[], object]) -> Callable[[int], object]:
    """Do something when a cycle is about to run."""
    return lambda now: act() if now == cycle else None


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# JSON


def test_json_is_one_object_with_these_keys_in_this_order(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch)
    assert main([*SMALL, "--json"]) == 0
    (record,) = records(capsys.readouterr().out)
    assert list(record) == ["nodes", "view_size", "strategy", "seed", "cycles", "broadcast"]
    assert [list(cycle) for cycle in record["cycles"]] == [list(CYCLE_FIELDS)] * 4
    assert list(record["broadcast"]) == list(BROADCAST_FIELDS)
    assert (record["nodes"], record["view_size"], record["seed"]) == (10, 8, 1)
    assert record["strategy"] == "(tail, push-pull, H=1, S=3)"
    assert [cycle["cycle"] for cycle in record["cycles"]] == [0, 1, 2, 3]
    assert record["broadcast"] == {"fanout": 4, "coverage": 0.98, "redundancy": 2.9, "last_hop": 6.4}


def test_json_is_one_line_for_each_strategy_in_the_order_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch)
    assert main([*SMALL, "--compare", "swapper,blind", "--json"]) == 0
    printed = capsys.readouterr()
    strategies = [record["strategy"] for record in records(printed.out)]
    assert strategies == ["(rand, push-pull, H=0, S=4)", "(rand, push-pull, H=0, S=0)"]
    assert printed.err == ""


def test_every_so_many_cycles_and_the_last_are_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch)
    assert main([*SMALL, "--every", "2", "--json"]) == 0
    (record,) = records(capsys.readouterr().out)
    assert [cycle["cycle"] for cycle in record["cycles"]] == [0, 2, 3]


def test_the_line_is_exactly_this() -> None:
    assert json_line(Experiment(nodes=10, seed=7), [figures(0, clustering=1 / 3)], BROADCAST) == (
        '{"nodes":10,"view_size":20,"strategy":"(tail, push-pull, H=1, S=9)","seed":7,"cycles":[{"cycle":0,'
        '"clustering":0.333333,"path_length":2.165,"in_degree_mean":2.0,"in_degree_std":1.0,"in_degree_min":1,'
        '"in_degree_max":4,"components":1,"largest_component":10,"dead_links":0.0,"dead_links_of_crash":null,'
        '"live_nodes":10}],"broadcast":{"fanout":4,"coverage":0.98,"redundancy":2.9,"last_hop":6.4}}'
    )


def test_what_is_no_number_is_null() -> None:
    odd = figures(0, path_length=float("nan"), clustering=float("inf"))
    cycle = json.loads(json_line(Experiment(), [odd], None))["cycles"][0]
    assert (cycle["path_length"], cycle["clustering"], cycle["dead_links_of_crash"]) == (None, None, None)
    assert finite(-0.0) == 0


# CSV


def test_csv_has_a_header_and_a_row_for_each_cycle_and_strategy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch)
    file = tmp_path / "figures.csv"
    assert main([*SMALL, "--compare", "blind,healer", "--csv", str(file)]) == 0
    text = file.read_text()
    assert text.splitlines()[0] == ",".join(("strategy", *CYCLE_FIELDS))
    assert text.splitlines()[1] == '"(rand, push-pull, H=0, S=0)",0,0.04,2.165,2.0,1.0,1,4,1,10,0.0,,10'
    found = [(row["strategy"], row["cycle"]) for row in rows(text)]
    strategies = ("(rand, push-pull, H=0, S=0)", "(rand, push-pull, H=4, S=0)")
    assert found == [(name, str(cycle)) for name in strategies for cycle in range(4)]
    assert "clustering" in capsys.readouterr().out


def test_csv_and_json_tell_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch)
    file = tmp_path / "figures.csv"
    assert main([*SMALL, "--json", "--csv", str(file)]) == 0
    (record,) = records(capsys.readouterr().out)
    told = [
        {name: "" if value is None else str(value) for name, value in one.items()} for one in record["cycles"]
    ]
    assert [{name: row[name] for name in CYCLE_FIELDS} for row in rows(file.read_text())] == told


def test_a_dash_is_standard_output_and_then_nothing_else_is_on_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch)
    assert main([*SMALL, "--csv", "-"]) == 0
    printed = capsys.readouterr().out
    assert [row["cycle"] for row in rows(printed)] == ["0", "1", "2", "3"]
    assert len(printed.splitlines()) == 5


def test_a_file_that_was_there_is_replaced(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    play(monkeypatch)
    file = tmp_path / "figures.csv"
    file.write_text("old\n" * 1000)
    assert main([*SMALL, "--csv", str(file)]) == 0
    assert len(file.read_text().splitlines()) == 5


class FullDisk(io.FileIO):
    """A file on a disk with room for so many bytes."""

    def __init__(self, path: Path, room: int) -> None:
        super().__init__(path, "wb")
        self.room = room

    def write(self, data: Any) -> int:
        taken = super().write(bytes(data)[: self.room])
        self.room -= taken
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        return taken


def test_when_the_disk_is_full_no_torn_row_stays_and_the_rest_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "figures.csv"
    header = len(",".join(("strategy", *CYCLE_FIELDS))) + 1
    row = len('"(tail, push-pull, H=1, S=9)",0,0.04,2.165,2.0,1.0,1,4,1,10,0.0,,10\n')
    with FullDisk(path, header + row + 10) as disk:
        file = CsvFile(disk, is_own=True)
        for cycle in range(3):
            file.add(Experiment(), figures(cycle))
    assert file.error is not None
    assert file.error.errno == errno.ENOSPC
    assert [row["cycle"] for row in rows(path.read_text())] == ["0"]
    assert path.read_text().endswith("\n")


def test_a_full_disk_is_one_line_and_exit_code_1_and_the_results_are_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch)
    monkeypatch.setattr(Path, "open", lambda path, *_, **__: FullDisk(path, 250))
    assert main([*SMALL, "--json", "--csv", str(tmp_path / "figures.csv")]) == 1
    printed = capsys.readouterr()
    assert len(records(printed.out)[0]["cycles"]) == 4
    assert printed.err.splitlines() == [
        f"gossip-tui: --csv {tmp_path / 'figures.csv'} lacks rows: No space left on device"
    ]


# interrupts


@pytest.mark.parametrize("is_signal", [True, False], ids=["signal", "exception"])
def test_ctrl_c_gives_the_json_of_the_cycles_so_far(
    is_signal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> None:
        if is_signal:
            ctrl_c()
        raise KeyboardInterrupt

    play(monkeypatch, at(3, interrupt))
    assert main([*SMALL, "--compare", "blind,swapper", "--json"]) == 0
    (record,) = records(capsys.readouterr().out)
    assert [cycle["cycle"] for cycle in record["cycles"]] == [0, 1, 2]
    assert record["broadcast"] is None


def test_ctrl_c_shows_table_and_plots_of_what_there_is_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch, at(3, ctrl_c))
    assert main(SMALL) == 0
    printed = capsys.readouterr().out
    assert "after cycle" in printed
    assert "In-degree at the end" in printed
    assert printed.splitlines()[-1] == "Interrupted: default after cycle 2 of 3."


def test_ctrl_c_before_anything_began_says_that(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def begin(*_: object) -> None:
        ctrl_c()

    monkeypatch.setattr(Experiment, "begin", begin)
    assert main(SMALL) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "Interrupted: default before its first cycle."
    assert main([*SMALL, "--json"]) == 0
    assert records(capsys.readouterr().out)[0]["cycles"] == []


def test_ctrl_c_leaves_whole_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    play(monkeypatch, at(3, ctrl_c))
    file = tmp_path / "figures.csv"
    assert main([*SMALL, "--csv", str(file)]) == 0
    assert [row["cycle"] for row in rows(file.read_text())] == ["0", "1", "2"]


def test_a_signal_while_a_row_is_written_waits_until_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add = CsvFile.add

    def interrupted(file: CsvFile, experiment: Experiment, one: Any) -> None:
        if one.cycle == 1:
            ctrl_c()
        add(file, experiment, one)

    play(monkeypatch)
    monkeypatch.setattr(CsvFile, "add", interrupted)
    file = tmp_path / "figures.csv"
    assert main([*SMALL, "--csv", str(file)]) == 0
    assert [row["cycle"] for row in rows(file.read_text())] == ["0", "1"]


def test_a_second_signal_does_not_wait(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stuck(*_: object) -> None:
        ctrl_c()
        ctrl_c()
        raise AssertionError("went on")

    play(monkeypatch)
    monkeypatch.setattr(CsvFile, "add", stuck)
    assert main([*SMALL, "--csv", str(tmp_path / "figures.csv")]) == 0


def test_signals_mean_afterwards_what_they_meant_before(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    play(monkeypatch, at(2, lambda: os.kill(os.getpid(), signal.SIGTERM)))
    assert main(SMALL) == 128 + signal.SIGTERM
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_a_signal_cut_short_is_shown_but_does_not_look_whole(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch, at(3, lambda: os.kill(os.getpid(), number)))
    assert main(SMALL) == 128 + number
    assert capsys.readouterr().out.splitlines()[-1] == "Interrupted: default after cycle 2 of 3."


def test_ctrl_c_after_a_signal_does_not_make_it_look_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def stuck(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        ctrl_c()
        raise AssertionError("went on")

    play(monkeypatch)
    monkeypatch.setattr(CsvFile, "add", stuck)
    assert main([*SMALL, "--csv", str(tmp_path / "figures.csv")]) == 128 + signal.SIGTERM


def test_a_signal_that_comes_when_all_is_done_takes_nothing_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(_: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    play(monkeypatch)
    monkeypatch.setattr(command, "write", late)
    assert main([*SMALL, "--json"]) == 0


def test_while_it_runs_the_garbage_collector_looks_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    play(monkeypatch, at(2, lambda: seen.append(gc.get_threshold()[0])))
    assert main(SMALL) == 0
    assert seen == [YOUNG_OBJECTS]


# readers, terminals, warnings


def test_a_reader_that_went_away_ends_it_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[int] = []

    def gone(_: str) -> None:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    play(monkeypatch, begun.append)
    monkeypatch.setattr(command, "write", gone)
    monkeypatch.setattr(command, "give_up_stdout", lambda: None)
    assert main([*SMALL, "--compare", "blind,swapper", "--json"]) == 0
    assert begun == [1, 2, 3, -1]
    assert capsys.readouterr() == ("", "")


def test_text_that_is_not_for_a_terminal_has_no_control_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch)
    assert main([*SMALL, "--compare", "blind,swapper"]) == 0
    printed = capsys.readouterr()
    assert all(line.isprintable() for line in printed.out.splitlines())
    assert printed.err == ""


def test_ascii_is_ascii(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    play(monkeypatch)
    assert main([*SMALL, "--compare", "blind,(tail, push-pull, H=1, S=3)", "--ascii"]) == 0
    assert capsys.readouterr().out.isascii()


def test_dangers_of_a_strategy_are_said_a_line_each_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch)
    assert main([*SMALL, "--compare", "(head, pull, rand),default", "--json"]) == 0
    printed = capsys.readouterr()
    warnings = printed.err.splitlines()
    assert len(warnings) == 2
    assert all(line.startswith("gossip-tui: warning: 1 (head, pull, rand): ") for line in warnings)
    assert "cluster" in warnings[0]
    assert "star" in warnings[1]
    assert len(records(printed.out)) == 2


# memory


def test_what_does_not_fit_is_refused_before_it_begins_with_what_it_takes_and_what_there_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "memory_available", lambda: 5_000_000)
    monkeypatch.delattr(Experiment, "begin")
    assert main(SMALL) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "5 MB are free" in printed.err
    assert "--nodes" in printed.err


def test_who_knows_better_goes_on_anyway(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch)
    monkeypatch.setattr(command, "memory_available", lambda: 5_000_000)
    assert main([*SMALL, "--anyway", "--json"]) == 0
    assert len(records(capsys.readouterr().out)) == 1


def test_the_largest_experiment_decides() -> None:
    small, large = Experiment(nodes=10), Experiment(nodes=100_000)
    between = (small.memory_estimate() + large.memory_estimate()) // 2
    check_memory([small], between)
    check_memory([small, large], None)
    with pytest.raises(ConfigError, match="memory"):
        check_memory([small, large], between)


def test_memory_is_what_linux_calls_available_and_a_container_may_have(tmp_path: Path) -> None:
    meminfo, limit = tmp_path / "meminfo", tmp_path / "memory.max"
    meminfo.write_text("MemTotal:  9000 kB\nMemFree:  100 kB\nMemAvailable:    4000 kB\n")
    assert memory_available(meminfo, limit) == 4_096_000
    limit.write_text("max\n")
    assert memory_available(meminfo, limit) == 4_096_000
    limit.write_text("1000000\n")
    assert memory_available(meminfo, limit) == 1_000_000


def test_where_linux_does_not_say_the_system_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nowhere = tmp_path / "nowhere"
    monkeypatch.setattr(os, "sysconf", {"SC_AVPHYS_PAGES": 10, "SC_PAGE_SIZE": 4096}.__getitem__)
    assert memory_available(nowhere, nowhere) == 40_960
    monkeypatch.delattr(os, "sysconf")
    assert memory_available(nowhere, nowhere) is None
