from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace

import pytest

from protocol import Node

from .benchmarks import echo, exchanges, hours, panes
from .benchmarks.__main__ import loads, options, screen_loads
from .benchmarks.figures import (
    MEBI,
    Echo,
    ExchangeRun,
    NodeRun,
    PaneRun,
    ScreenRun,
    Spread,
    TripRun,
    machine,
    percentile,
)
from .benchmarks.peer import made_at, payload
from .benchmarks.report import Results, as_json, as_text, pane_table, share, table, targets
from .benchmarks.swarm import Load, run, swarm, warm_up

QUICK = Spread(100, 0.0005, 0.002, 0.003)
ECHO = Echo(Spread(10, 0.00002, 0.00004, 0.0001), 100_000.0)


def node_run(**changes: object) -> NodeRun:
    plain: dict[str, object] = {
        "nodes": 10,
        "senders": 1,
        "rate": 200.0,
        "window": 64,
        "dissemination": "tree",
        "seconds": 2.0,
        "sent": 100,
        "delivered": 900,
        "delivery": QUICK,
        "datagrams": 1_800,
        "bytes": 90_000,
        "duplicates": 450,
        "repairs": 0,
        "cpu_seconds": 0.9,
        "peak_memory": 30_000_000,
    }
    return NodeRun(**{**plain, **changes})  # type: ignore[arg-type]


def results(*runs: NodeRun, screens: tuple[ScreenRun, ...] = ()) -> Results:
    return Results(
        {"processor": "abacus", "cores": 2, "system": "x", "python": "3"},
        0.5,
        ECHO,
        list(runs),
        screens=list(screens),
    )


def results_of_exchanges(run: ExchangeRun) -> Results:
    found = results()
    found.exchanges.append(run)
    return found


def missed(found: Results) -> list[str]:
    return [target.what for target in targets(found) if not target.met]


@pytest.mark.parametrize(
    ("part", "value"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_a_percentile_is_a_measured_value_that_so_many_do_not_exceed(part: float, value: float) -> None:
    assert percentile([float(n) for n in range(1, 101)], part) == value


def test_nothing_measured_has_no_percentile() -> None:
    assert math.isnan(percentile([], 0.5))


def test_a_spread_sorts_what_it_is_given() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(3, 2.0, 3.0, 3.0)


def test_coverage_counts_deliveries_at_all_nodes_but_the_sender() -> None:
    assert node_run().coverage == 1.0
    assert node_run(delivered=450).coverage == 0.5


def test_costs_are_shared_out_among_deliveries() -> None:
    measured = node_run()
    assert measured.per_delivery(measured.datagrams) == 2.0
    assert measured.deliveries_per_second == 450.0


def test_one_missing_delivery_never_reads_as_complete_coverage() -> None:
    assert share(0.999999) == "99.99 %"
    assert share(1.0) == "100 %"


def test_a_run_that_reaches_everything_misses_no_target() -> None:
    assert missed(results(node_run(), node_run(rate=None, seconds=0.01))) == []


def test_each_figure_that_is_too_bad_misses_its_own_target() -> None:
    slow = node_run(delivered=899, delivery=Spread(899, 0.002, 0.02, 0.03))
    few = node_run(rate=None, senders=10)
    busy = ScreenRun("alone", 0.0, 0.02, None, 0.0, None)
    assert missed(results(slow, few, screens=(busy,))) == [
        "10 nodes, 1 sends, 200 messages/s, tree: coverage",
        "10 nodes, 1 sends, 200 messages/s, tree: median",
        "10 nodes, 1 sends, 200 messages/s, tree: p99",
        "10 nodes, all send, saturated, tree: deliveries/s",
        "screen, alone: CPU",
    ]


def test_a_table_lines_up_as_markdown() -> None:
    assert table(("load", "ms"), [("a", "1.0"), ("longer", "22.0")]).splitlines() == [
        "| load   |   ms |",
        "| ------ | ---: |",
        "| a      |  1.0 |",
        "| longer | 22.0 |",
    ]


def test_json_holds_every_run_and_no_nan() -> None:
    lost = node_run(delivered=0, delivery=Spread.of([]))
    found = json.loads(json.dumps(as_json(results(node_run(), lost)), allow_nan=False))
    assert [one["coverage"] for one in found["nodes"]] == [1.0, 0.0]
    assert found["nodes"][0]["median_to_echo"] == pytest.approx(50.0)
    assert found["nodes"][1]["delivery"]["median"] is None


def test_the_text_names_the_machine_and_marks_what_was_missed() -> None:
    text = as_text(results(node_run(delivered=899)))
    assert text.startswith("abacus, 2 cores")
    assert "99.88 % |  NO |" in text


def test_the_machine_says_how_many_cores_it_has() -> None:
    assert int(machine()["cores"]) >= 1


def test_without_options_everything_is_measured() -> None:
    chosen = options([])
    assert [(load.nodes, load.senders, load.rate) for load in loads(chosen)] == [
        (10, 1, 200.0),
        (20, 1, 200.0),
        (40, 1, 200.0),
        (10, 10, 200.0),
        (10, 1, None),
        (10, 10, None),
    ]
    assert [load.rate for load in screen_loads(quick=chosen.quick)] == [0.0, 0.0, 10.0, 1_000.0, 10.0, 10.0]


def test_each_way_of_spreading_asked_for_is_measured_with_every_load() -> None:
    chosen = options(
        ["--only", "rate", "--sizes", "5", "--dissemination", "eager", "--dissemination", "tree"]
    )
    assert [load.dissemination for load in loads(chosen)] == ["eager", "tree"] * 2


def test_only_the_parts_asked_for_are_measured() -> None:
    assert [load.nodes for load in loads(options(["--only", "rate", "--sizes", "5"]))] == [5, 5]


def test_a_payload_has_the_size_asked_for() -> None:
    assert len(payload(64).encode()) == 64
    assert len(payload(300).encode()) == 300


async def test_a_message_says_when_it_was_made() -> None:
    async with Node(name="p1") as node:
        first, second = node.send_gossip(payload(64)), node.send_gossip(payload(64))
    assert 0 < made_at(first) <= made_at(second)


def test_the_echo_is_measured_both_ways() -> None:
    measured = echo.measure(seconds=0.02)
    assert measured.round_trip.count > 0
    assert measured.datagrams_per_second > 0


def test_a_simulated_network_is_timed_and_its_time_shared_out() -> None:
    found = exchanges.measure(exchanges.QUICK_PLANS[0])
    assert found.exchanges == 3 * 2 * 50
    assert 0 < found.median_rate <= found.best_rate
    assert set(found.shares) == {"view", "sampling", "sizes", "simulator", "machine"}
    assert found.label in as_text(results_of_exchanges(found))


def test_time_goes_to_the_first_part_that_names_the_module() -> None:
    looks = Counter(
        {"protocol.core.view": 6, "protocol.core.links": 3, "protocol.sim.object_codec": 1, "json": 9}
    )
    assert exchanges.shares(looks) == {
        "view": 0.6, "sampling": 0.0, "sizes": 0.1, "simulator": 0.0, "machine": 0.3
    }  # fmt: skip


def test_a_thousand_nodes_that_exchange_slowly_miss_their_target() -> None:
    slow = ExchangeRun("blind", 1_000, 20, 10, 9_999.0, 20_000.0, {}, 1)
    assert missed(results_of_exchanges(slow)) == ["blind, N=1,000, c=20: exchanges/s"]
    assert missed(results_of_exchanges(replace(slow, median_rate=10_000.0))) == []


async def test_two_processes_deliver_everything_to_each_other() -> None:
    async with swarm(2, warm_up=0.0, cycle_period=0.05, backlog_limit=8) as peers:
        await warm_up(peers)
        paced = await run(peers, Load(2, 2, 100.0, 0.2))
        saturated = await run(peers, Load(2, 1, None, 0.1, window=8))
    assert (paced.sent, paced.delivered, paced.coverage) == (20, 20, 1.0)
    assert saturated.sent > 8
    assert saturated.coverage == 1.0
    assert saturated.delivery.median > 0


def test_a_pane_that_moves_has_a_limit_of_its_own() -> None:
    def run(used: float) -> ScreenRun:
        return ScreenRun("overlay", 10.0, used, None, 0.0, None, limit=0.15)

    assert missed(results(screens=(run(0.14),))) == []
    assert missed(results(screens=(run(0.16),))) == ["screen, overlay: CPU"]


def pane_run(used: float, *, limit: float | None = 0.08, is_bare: bool = False) -> PaneRun:
    return PaneRun("log", 20.0, 480.0, used, limit, is_bare)


def missed_panes(*runs: PaneRun) -> list[str]:
    found = results()
    found.panes += runs
    assert "| log" in as_text(found)
    return missed(found)


def test_each_pane_has_its_budget_beside_it() -> None:
    assert missed_panes(pane_run(0.08)) == []
    assert missed_panes(pane_run(0.081)) == ["log, 20 messages/s: CPU"]
    assert "8.1% |     8% |" in pane_table([pane_run(0.081)])


def test_hidden_panes_that_cost_something_are_told() -> None:
    bare = pane_run(0.05, limit=None, is_bare=True)
    assert missed_panes(pane_run(0.059), bare) == []
    assert missed_panes(pane_run(0.061), bare) == ["log, 20 messages/s: hidden panes"]


def test_keys_that_show_late_are_told() -> None:
    keys = Spread(100, 0.01, 0.051, 0.06)
    assert missed(results(screens=(ScreenRun("busy", 1_000.0, 0.5, None, 0.0, keys),))) == [
        "screen, busy: key p99"
    ]


def test_a_screen_that_keeps_its_node_waiting_is_told() -> None:
    found = results()
    found.trips.append(TripRun("overlay", Spread(100, 0.001, 0.011, 0.02), QUICK))
    assert missed(found) == ["round trip beside overlay: p99"]
    assert "11.00 ms" in as_text(found)


async def test_a_pane_is_measured_while_messages_come_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panes, "WARM_UP", 0.2)
    run = await panes.measure(panes.PaneLoad("log", ("f3",), 1.0, 100.0), 0.3)
    assert (run.pane, run.events) == ("log", 2_400.0)
    assert run.cpu_share > 0


async def test_hours_pass_before_a_screen_and_what_they_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hours, "HOUR", 20.0)
    said: list[str] = []
    (passed,) = await hours.run(1, 7, said.append)
    assert passed.used > 1_000_000
    assert passed.lines > 3
    count = passed.lines
    assert said[0].endswith(f"{count} messages, {count} retained at each node, {count} in the log")


async def test_the_log_of_the_hours_is_full_when_it_holds_as_many_lines_as_it_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hours, "HOUR", 40.0)
    (passed,) = await hours.run(1, 7, lambda _: None, lines=16)
    assert hours.FULL_SHARE * 16 <= passed.lines <= 16


def test_memory_that_grows_by_more_than_the_lines_of_the_log_is_told() -> None:
    start, line = 100 * MEBI, hours.LINE_SIZE
    for size, told in ((line, []), (line + 1, ["a line of the log takes 1,301 bytes, and not 1,300"])):
        growing = [hours.Hour(start + 4_000 * hour * size, 4_000 * (hour + 1)) for hour in range(2)]
        assert hours.judge(growing, 10_000) == told
        assert hours.line_size(growing, 10_000) == size
    assert hours.line_size(growing[:1], 10_000) is None


def test_memory_that_grows_beside_a_full_log_is_told_however_little_a_line_takes() -> None:
    full = 100 * MEBI
    flat = [hours.Hour(full, 9_900), hours.Hour(int(full * hours.SLACK), 10_000)]
    assert hours.judge(flat, 10_000) == []
    assert hours.verdict(flat, 10_000) == "memory is flat: 1 h with a full log of 10,000 lines"
    assert hours.judge([*flat, hours.Hour(full + 3 * MEBI, 9_900)], 10_000) == [
        "memory grew from 100.0 to 103.0 MB in 2 h with a full log"
    ]
    assert "nothing is said" in hours.verdict(flat[:1], 10_000)
