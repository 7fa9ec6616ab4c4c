from __future__ import annotations

from gossip_tui.rejections import Rejections
from protocol.core.events import DatagramRejected
from protocol.core.identity import Address

HERE, THERE = Address("10.0.0.1", 1), Address("10.0.0.2", 2)


def test_the_first_of_a_reason_is_news_and_the_others_are_summed_up() -> None:
    rejections = Rejections()
    told = [
        rejections.is_news(DatagramRejected(source, reason))
        for source, reason in [(HERE, "version"), (HERE, "malformed"), *[(THERE, "version")] * 1_000]
    ]
    assert told == [True, True, *[False] * 1_000]
    assert rejections.take() == [(DatagramRejected(THERE, "version"), 1_000)]
    assert rejections.take() == []
    assert rejections.is_news(DatagramRejected(HERE, "version"))
