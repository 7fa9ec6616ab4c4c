"""Every slip that sampling is known to suffer moves a figure out of its band, in the machines themselves.

Each slip is put into the classes that run on UDP; the same experiment without it stays inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import pytest

from protocol.core.identity import NodeId
from protocol.core.sampling import Sampling
from protocol.core.strategy import HealSwap
from protocol.core.view import PartialView, Told
from protocol.sim import Crash, Experiment, Selection

from .sampling_bands import Band, outside

CRASH = Crash(0.5, 20)

EXPERIMENTS: Mapping[str, Experiment] = {
    strategy: Experiment(
        nodes=150, strategy=strategy, selection=selection, cycles=CRASH.cycle + 10, crashes=(CRASH,)
    )
    for strategy, selection in (
        ("swapper", Selection.LIVE),
        ("healer", Selection.LIVE),
        ("default", Selection.EVICT),
    )
}

BANDS: Mapping[str, Mapping[str, Band]] = {
    "swapper": {"clustering": (0.225, 0.255), "in_degree_std": (2.8, 4.2)},
    "healer": {"clustering": (0.305, 0.375), "in_degree_std": (5.0, 10.0), "dead links after 5": (0.0, 0.03)},
    "default": {
        "in_degree_std": (3.2, 5.0),
        "dead links after 5": (0.6, 0.8),
        "dead links after 10": (0.25, 0.5),
    },
}
"""Measured with 150 nodes: the range of six seeds, and as much again on either side."""

INVARIANTS: Mapping[str, Band] = {"in_degree_mean": (20, 20), "nodes that know themselves": (0, 0)}

Values = Mapping[str, float]


def measured(strategy: str) -> Values:
    """What an experiment shows before its crash, and how the dead are forgotten after it."""
    run = EXPERIMENTS[strategy].begin(every=5)
    while run.cycle < CRASH.cycle:
        run.advance()
    with_themselves = sum(node in view for node, view in run.overlay().views.items())
    while not run.is_done:
        run.advance()
    *_, before, after_5, after_10 = run.figures
    return {
        "clustering": before.clustering,
        "in_degree_std": before.in_degree_std,
        "in_degree_mean": before.in_degree_mean,
        "nodes that know themselves": with_themselves,
        "dead links after 5": after_5.dead_links_of_crash or 0.0,
        "dead links after 10": after_10.dead_links_of_crash or 0.0,
    }


# the slips

merge = PartialView.merge
begin = PartialView.__init__
answer = Sampling.on_exchange_request


def reply_after_merging(sampling: Sampling, request: Any, header: Any, *rest: Any) -> bool:
    received = ((request.sender, header.address, 0), *request.descriptors)
    sampling.view.merge(received, (), sampling.context.config.sampling.view_selection)
    return answer(sampling, request._replace(push=False), header, *rest)


def merge_all_but_the_sender(
    view: PartialView, received: Sequence[Told], *rest: Any, tell: bool = True
) -> object:
    return merge(view, received[1:], *rest, tell=tell)


def keep_the_age(view: PartialView) -> None:
    pass


def merge_unclamped(
    view: PartialView,
    received: Sequence[Told],
    sent: Sequence[Told],
    rule: HealSwap,
    *,
    tell: bool = True,
) -> object:
    offered = [node_id for node_id, _, _ in sent if node_id in view]
    view._view_size += len(received)  # so that the real merge removes nobody
    change = merge(view, received, (), rule, tell=tell)
    view._view_size -= len(received)
    oldest = sorted(view, key=lambda descriptor: -descriptor.age)[: rule.heal]
    for node in [descriptor.id for descriptor in oldest] + offered[: rule.swap]:
        view.remove(node)
    merge(view, (), (), HealSwap(0, 0))
    return change


def begin_as_somebody_else(view: PartialView, own_id: NodeId, own_address: object, *rest: Any) -> None:  # noqa: ARG001
    begin(view, NodeId("somebody else", 1), None, *rest)


def merge_only_strangers(
    view: PartialView, received: Sequence[Told], *rest: Any, tell: bool = True
) -> object:
    strangers = [told for told in received if told[0] not in view]
    return merge(view, strangers, *rest, tell=tell)


class Slip(NamedTuple):
    """A wrong method in the place of a right one, and the figures that must notice."""

    name: str
    owner: type
    method: str
    wrong: Callable[..., object]
    strategy: str
    noticed_by: tuple[str, ...]


SLIPS = [
    Slip("reply built after merging", Sampling, "on_exchange_request", reply_after_merging, "swapper",
         ("in_degree_std", "clustering")),
    Slip("own descriptor not sent", PartialView, "merge", merge_all_but_the_sender, "healer",
         ("in_degree_std", "clustering", "dead links after 5")),
    Slip("no ageing", PartialView, "increase_age", keep_the_age, "healer",
         ("clustering", "dead links after 5")),
    Slip("removals not clamped to size - c", PartialView, "merge", merge_unclamped, "swapper",
         ("in_degree_mean", "in_degree_std", "clustering")),
    Slip("own address kept", PartialView, "__init__", begin_as_somebody_else, "swapper",
         ("nodes that know themselves",)),
    Slip("old twin kept", PartialView, "merge", merge_only_strangers, "default",
         ("dead links after 5", "dead links after 10")),
]  # fmt: skip


@cache
def right(strategy: str) -> Values:
    """The figures without any slip."""
    return measured(strategy)


@pytest.mark.parametrize("strategy", BANDS)
def test_without_a_slip_every_figure_is_inside_its_band(strategy: str) -> None:
    assert outside(right(strategy), {**BANDS[strategy], **INVARIANTS}) == []


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_a_slip_moves_these_figures_out_of_their_bands(slip: Slip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slip.owner, slip.method, slip.wrong)
    found = outside(measured(slip.strategy), {**BANDS[slip.strategy], **INVARIANTS})
    noticing = {line.partition(" is ")[0] for line in found}
    assert noticing.issuperset(slip.noticed_by), found


@pytest.mark.slow
@pytest.mark.parametrize("slip", [slip for slip in SLIPS if slip.name == "own address kept"])
def test_own_addresses_show_in_the_clustering_of_a_large_overlay(
    slip: Slip, monkeypatch: pytest.MonkeyPatch
) -> None:
    def clustering() -> float:
        run = Experiment(strategy=slip.strategy, cycles=50, selection=Selection.LIVE).begin(every=50)
        while not run.is_done:
            run.advance()
        return run.figures[-1].clustering

    right = clustering()
    monkeypatch.setattr(slip.owner, slip.method, slip.wrong)
    assert clustering() > 1.2 * right
