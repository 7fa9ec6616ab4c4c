"""What the command line asks for: one experiment for each strategy, checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from protocol.core.strategy import PRESETS, Strategy
from protocol.errors import ConfigError
from protocol.sim import Crash, Experiment

__all__ = ["Contender", "Plan", "plan_of", "split_strategies"]

SETTINGS = ("nodes", "view_size", "start", "churn", "loss", "selection", "seed", "fanout")
"""Options that are settings of an experiment by the same name."""


class Contender(NamedTuple):
    """One of the strategies that are simulated."""

    label: str
    """What it is called on the screen: a preset's name where it was asked for by that, else all of it."""
    experiment: Experiment


class Plan(NamedTuple):
    """All that will be simulated, one after the other."""

    contenders: tuple[Contender, ...]
    every: int
    """Every so many cycles are recorded."""

    @property
    def experiments(self) -> list[Experiment]:
        """What differs between them is the strategy alone."""
        return [contender.experiment for contender in self.contenders]


def plan_of(settings: Mapping[str, Any]) -> Plan:
    """The experiments that the options ask for.

    Args:
        settings: Values of options by their names in Python; None or missing stands for the default.

    Raises:
        ConfigError: A value is not possible; the text says which option, its value and what is allowed.
    """
    every = 1 if settings.get("every") is None else settings["every"]
    if every < 1:
        raise ConfigError(f"--every must be at least 1, not {every}")
    compared, alone = settings.get("compare"), settings.get("strategy")
    option = "--strategy" if compared is None else "--compare"
    texts = ["default" if alone is None else alone] if compared is None else split_strategies(compared)
    base = experiment_of(settings)
    with options_named({"strategy": option}):
        experiments = [replace(base, strategy=Strategy.parse(text, base.view_size)) for text in texts]
    return Plan(tuple(map(Contender, labels_of(texts, experiments), experiments)), every)


def experiment_of(settings: Mapping[str, Any]) -> Experiment:
    """The experiment that the options describe, all but its strategy.

    Raises:
        ConfigError: A value is not possible.
    """
    given = {name: settings[name] for name in SETTINGS if settings.get(name) is not None}
    last = "cycles" if settings.get("until") is None else "until"
    if settings.get(last) is not None:
        given["cycles"] = settings[last]
    with options_named({"crash": "--crash", "cycles": f"--{last}"}):
        experiment = Experiment(**given, crashes=tuple(map(crash_of, settings.get("crash") or ())))
    for crash in experiment.crashes:
        if crash.cycle == experiment.cycles:
            raise ConfigError(
                f"--crash {crash} shows only in later cycles: --until must be above {crash.cycle}"
            )
    return experiment


def crash_of(text: str) -> Crash:
    """A crash as it was typed, such as ``0.5@100``.

    Raises:
        ConfigError: It is none.
    """
    try:
        return Crash.parse(text)
    except ConfigError as error:
        raise ConfigError(f"--crash: {error}") from None


@contextmanager
def options_named(names: Mapping[str, str]) -> Iterator[None]:
    """Within the block, errors name options in place of the settings that they are about.

    Raises:
        ConfigError: Something in the block did.
    """
    try:
        yield
    except ConfigError as error:
        setting, _, rest = str(error).partition(" ")
        option = names.get(setting) or (f"--{setting.replace('_', '-')}" if setting in SETTINGS else setting)
        raise ConfigError(f"{option} {rest}") from None


def split_strategies(text: str) -> list[str]:
    """The strategies of a list separated by commas, which may have commas of their own in parentheses.

    >>> split_strategies("blind, (tail, push-pull, H=1, S=9),cyclon")
    ['blind', '(tail, push-pull, H=1, S=9)', 'cyclon']

    Raises:
        ConfigError: A parenthesis has no partner, nothing stands between two commas, or something is there
            twice.
    """
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            break
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    parts = [part.strip() for part in parts]
    if depth:
        raise ConfigError(f"--compare must close every parenthesis that it opens, and no other, not {text!a}")
    if not all(parts):
        raise ConfigError(f"--compare must name strategies separated by commas, not {text!a}")
    for number, part in enumerate(parts):
        if part in parts[:number]:
            raise ConfigError(f"--compare must name every strategy once, not {part!a} twice")
    return parts


def labels_of(texts: Sequence[str], experiments: Sequence[Experiment]) -> list[str]:
    """What to call the strategies on the screen: a preset's name, else all of it; numbered if several."""
    names = [text.strip().lower() for text in texts]
    names = [
        name if name in PRESETS else str(one.strategy) for name, one in zip(names, experiments, strict=True)
    ]
    return [f"{number} {name}" for number, name in enumerate(names, 1)] if len(names) > 1 else names
