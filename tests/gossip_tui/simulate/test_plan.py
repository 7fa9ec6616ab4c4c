"""What the options of ``simulate`` ask for: every value, wrong ones included."""

from __future__ import annotations

from typing import Any, get_args

import click
import pytest

from gossip_tui.cli import cli, main
from gossip_tui.simulate import arguments
from gossip_tui.simulate.plan import Plan, plan_of, split_strategies
from protocol.errors import ConfigError
from protocol.sim import Crash, Experiment, Selection
from protocol.sim.choices import Start

HUGE = 10**9


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NODES", "VIEW_SIZE", "STRATEGY", "COMPARE", "FANOUT", "SEED", "CRASH", "ASCII"):
        monkeypatch.delenv(f"GOSSIP_TUI_{name}", raising=False)


def planned(*words: str) -> Plan:
    """What the program would simulate if it were told this."""
    context = cli.make_context("gossip-tui", [*words])
    with context:
        name, command, rest = cli.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        context.invoked_subcommand = name
        return arguments.plan_from(command.make_context(name, rest, parent=context))[0]


def only(*words: str) -> Experiment:
    (experiment,) = planned("simulate", *words).experiments
    return experiment


def test_nothing_said_is_the_default_experiment() -> None:
    assert only() == Experiment()
    assert planned("simulate").every == 1


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("--nodes", "50"), {"nodes": 50}),
        (("--view-size", "8"), {"view_size": 8}),
        (("--strategy", "healer"), {"strategy": "healer"}),
        (("--strategy", "(rand, push-pull, H=0, S=10)"), {"strategy": "swapper"}),
        (("--start", "growing"), {"start": "growing"}),
        (("--cycles", "30"), {"cycles": 30}),
        (("--until", "40"), {"cycles": 40}),
        (("--cycles", "30", "--until", "40"), {"cycles": 40}),
        (("--crash", "0.5@9"), {"crashes": (Crash(0.5, 9),)}),
        (
            ("--crash", "0.5@9", "--crash", "0.1@20"),
            {"crashes": (Crash(0.5, 9), Crash(0.1, 20))},
        ),
        (("--churn", "0.01"), {"churn": 0.01}),
        (("--loss", "0.05"), {"loss": 0.05}),
        (("--selection", "live"), {"selection": Selection.LIVE}),
        (("--seed", "7"), {"seed": 7}),
        (("--fanout", "3"), {"fanout": 3}),
    ],
)
def test_every_option_reaches_the_experiment(words: tuple[str, ...], wanted: dict[str, Any]) -> None:
    assert only(*words) == Experiment(**wanted)


def test_options_may_stand_before_the_command() -> None:
    (experiment,) = planned("--view-size", "9", "--strategy", "healer", "simulate").experiments
    assert (experiment.view_size, str(experiment.strategy)) == (9, "(rand, push-pull, H=4, S=0)")


def test_options_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("NODES", "50"),
        ("SEED", "3"),
        ("CRASH", "0.5@9 0.1@20"),
        ("COMPARE", "blind,healer"),
    ):
        monkeypatch.setenv(f"GOSSIP_TUI_{name}", value)
    plan = planned("simulate")
    assert [contender.label for contender in plan.contenders] == ["1 blind", "2 healer"]
    assert all((one.nodes, one.seed, len(one.crashes)) == (50, 3, 2) for one in plan.experiments)


def test_a_strategy_that_was_typed_wins_over_a_comparison_from_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOSSIP_TUI_COMPARE", "blind,healer")
    assert only("--strategy", "swapper") == Experiment(strategy="swapper")


def test_every_option_with_a_value_comes_from_the_environment_under_its_own_name() -> None:
    for parameter in cli.commands["simulate"].params:
        if isinstance(parameter, click.Option) and not parameter.is_flag and parameter.name != "help":
            assert parameter.envvar == f"GOSSIP_TUI_{str(parameter.name).upper()}"


def test_the_choices_are_those_of_the_simulator() -> None:
    assert get_args(Start) == arguments.STARTS
    assert tuple(Selection) == arguments.SELECTIONS


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("blind", ["blind"]),
        ("blind,healer,swapper", ["blind", "healer", "swapper"]),
        (" blind , healer ", ["blind", "healer"]),
        ("(rand, push, head),blind", ["(rand, push, head)", "blind"]),
        ("blind,(tail, push-pull, H=1, S=9)", ["blind", "(tail, push-pull, H=1, S=9)"]),
    ],
)
def test_strategies_are_parted_at_commas_outside_parentheses(text: str, parts: list[str]) -> None:
    assert split_strategies(text) == parts


def test_strategies_side_by_side_differ_in_nothing_else() -> None:
    plan = planned(
        "simulate", "--compare", "Blind,(tail, push-pull, H=1, S=3)", "--view-size", "9", "--every", "5"
    )
    assert plan.every == 5
    assert [contender.label for contender in plan.contenders] == ["1 blind", "2 (tail, push-pull, H=1, S=3)"]
    assert plan.experiments == [
        Experiment(view_size=9, strategy="blind"),
        Experiment(view_size=9, strategy="(tail, push-pull, H=1, S=3)"),
    ]


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("--nodes", "0"), ("--nodes", "0", "at least 1")),
        (("--nodes", "many"), ("--nodes", "many", "integer")),
        (("--nodes", str(HUGE)), ("--nodes", str(HUGE), "at most")),
        (("--view-size", "1"), ("--view-size", "1", "at least 2")),
        (("--view-size", "-5"), ("--view-size", "-5", "at least 2")),
        (("--view-size", "0", "--strategy", "healer"), ("--view-size", "0", "at least 2")),
        (("--strategy", "gossipy"), ("--strategy", "gossipy", "blind")),
        (("--strategy", ""), ("--strategy", "''", "blind")),
        (("--view-size", "8", "--strategy", "(rand, push, H=3, S=3)"), ("--strategy", "H + S", "4")),
        (("--compare", "blind,gossipy"), ("--compare", "gossipy", "healer")),
        (("--compare", "blind,,healer"), ("--compare", "'blind,,healer'", "commas")),
        (("--compare", ""), ("--compare", "''", "commas")),
        (("--compare", "(rand, push, head"), ("--compare", "parenthesis", "head")),
        (("--compare", "blind),healer"), ("--compare", "parenthesis", "healer")),
        (("--compare", "blind,healer,blind"), ("--compare", "once", "'blind'")),
        (("--compare", "blind", "--strategy", "healer"), ("--compare", "--strategy")),
        (("--start", "nowhere"), ("--start", "nowhere", "random")),
        (("--cycles", "-1"), ("--cycles", "-1", "at least 0")),
        (("--until", "-1"), ("--until", "-1", "at least 0")),
        (("--crash", "0.5"), ("--crash", "'0.5'", "0.5@100")),
        (("--crash", "half@3"), ("--crash", "half@3", "0.5@100")),
        (("--crash", "1.5@3"), ("--crash", "1.5", "below 1")),
        (("--crash", "nan@3"), ("--crash", "nan", "below 1")),
        (("--crash", "0.5@-3"), ("--crash", "-3", "at least 0")),
        (("--crash", "0.5@101"), ("--crash", "0.5@101", "100")),
        (("--crash", "0.5@100"), ("--crash", "0.5@100", "--until", "above 100")),
        (("--churn", "1"), ("--churn", "1", "below 1")),
        (("--churn", "nan"), ("--churn", "nan", "below 1")),
        (("--loss", "1.5"), ("--loss", "1.5", "0 to 1")),
        (("--loss", "nan"), ("--loss", "nan", "0 to 1")),
        (("--loss", "much"), ("--loss", "much", "float")),
        (("--selection", "dead"), ("--selection", "dead", "live")),
        (("--seed", "x"), ("--seed", "x", "integer")),
        (("--fanout", "0"), ("--fanout", "0", "at least 1")),
        (("--every", "0"), ("--every", "0", "at least 1")),
        (("--csv", "/nowhere/at/all"), ("--csv", "/nowhere/at/all", "No such file")),
        (("--csv", "/"), ("--csv", "'/'", "directory")),
        (("--csv", "-", "--json"), ("--csv", "--json", "standard output")),
        (("--compare", "\x1b[31m"), ("--compare",)),
        (("--crash", "\x1b[31m"), ("--crash",)),
        (("--bogus",), ("--bogus",)),
        (("extra",), ("extra",)),
    ],
)
def test_wrong_usage_is_one_line_and_nothing_runs(
    words: tuple[str, ...],
    parts: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(Experiment, "begin")
    assert main(["simulate", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("gossip-tui: ")
    assert printed.err.removesuffix("\n").isprintable()
    for part in parts:
        assert part in printed.err


@pytest.mark.parametrize("option", ["--name", "--join", "--cluster", "--cycle", "--theme"])
def test_options_of_real_nodes_are_refused_not_lost(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    value = {"--join": "127.0.0.1:1", "--cycle": "2", "--theme": "dark"}.get(option, "x")
    assert main([option, value, "simulate"]) == 2
    assert f"{option} means nothing to simulate" in capsys.readouterr().err


def test_an_impossible_plan_is_an_error_for_programs_too() -> None:
    with pytest.raises(ConfigError, match="--nodes must be a whole number of at least 1"):
        plan_of({"nodes": 0})


@pytest.mark.parametrize(
    ("incomplete", "offered"),
    [
        ("heal", ["healer"]),
        ("blind,s", ["blind,swapper"]),
        ("healer,h", []),
        ("(rand, push, head),cy", ["(rand, push, head),cyclon"]),
    ],
)
def test_completion_goes_on_behind_the_last_comma(incomplete: str, offered: list[str]) -> None:
    compare = next(one for one in cli.commands["simulate"].params if one.name == "compare")
    context = click.Context(cli.commands["simulate"])
    assert [item.value for item in compare.shell_complete(context, incomplete)] == offered
