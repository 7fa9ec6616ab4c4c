from __future__ import annotations

from gossip_tui.theme import ASCII
from gossip_tui.widgets.rates import RatesPane
from protocol.core.snapshot import Counters
from tests.gossip_tui.samples import snapshot
from tests.gossip_tui.widgets.harness import Clock, shown


def lines(pane: RatesPane) -> list[str]:
    return [pane.render_line(y).text.rstrip() for y in range(pane.size.height)]


def feed(pane: RatesPane, clock: Clock, seconds: int) -> None:
    for second in range(seconds + 1):
        clock.now += 1
        pane.show(snapshot(counters=Counters(datagrams_in=second * 30, datagrams_out=second * 20)))


async def test_rates_show_numbers_and_a_sparkline() -> None:
    clock = Clock()
    pane = RatesPane(clock=clock)
    async with shown(pane, (32, 5)):
        feed(pane, clock, 5)
        assert lines(pane) == [
            " in     30/s            █████",
            " out    20/s            ▆▆▆▆▆",
            " dup - · repaired 0",
        ]


async def test_numbers_stand_still_for_a_second() -> None:
    clock = Clock()
    pane = RatesPane(clock=clock)
    async with shown(pane, (32, 5)):
        feed(pane, clock, 5)
        before = lines(pane)
        clock.now += 0.75
        pane.show(snapshot(counters=Counters(datagrams_in=1_000)))
        assert lines(pane) == before
        clock.now += 0.25
        pane.show(snapshot(counters=Counters(datagrams_in=1_000)))
        assert lines(pane) != before


async def test_a_frozen_pane_keeps_its_picture_and_catches_up() -> None:
    clock = Clock()
    pane = RatesPane(clock=clock)
    async with shown(pane, (32, 5)):
        pane.frozen = True
        before = lines(pane)
        feed(pane, clock, 5)
        assert lines(pane) == before
        pane.frozen = False
        assert lines(pane)[0].startswith(" in     30/s")


async def test_every_size_draws_and_ascii_is_ascii() -> None:
    clock = Clock()
    pane = RatesPane(clock=clock, glyphs=ASCII)
    async with shown(pane, (60, 9)) as pilot:
        feed(pane, clock, 20)
        for size in ((20, 5), (3, 3), (140, 9)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            assert all(line.isascii() for line in lines(pane))
