"""No regular expression holds up the screen, whatever the texts are."""

from __future__ import annotations

import re
import signal

import pytest

from gossip_tui.widgets import bounded_search
from gossip_tui.widgets.bounded_search import BoundedSearch
from gossip_tui.widgets.log_filter import FilterError, LogFilter
from tests.gossip_tui.samples import Talk, node_id, snapshot
from tests.gossip_tui.widgets.harness import shown

from .test_causal_log import make, texts

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no alarms here")

YEARS = "L" * 60 + "!"
"""A text over which ``(L+)+$`` takes years."""


def test_a_search_without_end_is_ended_and_hides_nothing_from_then_on() -> None:
    search = BoundedSearch(re.compile("(L+)+$"))
    assert search("LL")
    assert not search("no")
    assert search(YEARS)
    assert search.gave_up
    assert search("no")


def test_an_alarm_of_others_is_as_it_was_before() -> None:
    before = signal.getsignal(signal.SIGALRM)
    BoundedSearch(re.compile("(L+)+$"))(YEARS)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_many_slow_searches_are_too_much_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr(bounded_search, "perf_counter", lambda: next(ticks) * 0.4)
    search = BoundedSearch(re.compile("x+y"))
    assert [(search("no"), search.gave_up) for _ in range(3)] == [
        (False, False),
        (False, False),
        (False, True),
    ]


@pytest.mark.parametrize("pattern", ["/(L+)+$/", "!/(L+)+$/", "from:p2 /(L+)+$/"])
def test_a_filter_that_gave_up_lets_everything_through(pattern: str) -> None:
    log_filter = LogFilter(pattern)
    log_filter.matches(("p2",), YEARS)
    assert log_filter.gave_up
    assert log_filter.matches(("p3",), "LL")
    assert log_filter.matches(("p2",), "other")


async def test_a_slow_filter_is_refused_and_the_old_one_stays() -> None:
    pane, talk = make(), Talk()
    talk.say(node_id("p1"), YEARS)
    talk.say(node_id("p1"), "other")
    async with shown(pane):
        pane.add_messages(talk.said)
        pane.set_filter("other")
        with pytest.raises(FilterError, match="takes too long"):
            pane.set_filter("/(L+)+$/")
        assert (pane.filter_text, texts(pane)) == ("other", ["other"])


async def test_a_filter_that_a_later_text_makes_slow_is_switched_off_and_that_is_said() -> None:
    pane, talk = make(), Talk()
    talk.say(node_id("p1"), "other")
    async with shown(pane):
        pane.set_filter("/(L+)+$/")
        pane.add_messages(talk.said)
        assert "other" not in texts(pane)
        talk.say(node_id("p2"), YEARS)
        pane.add_messages(talk.said[1:])
        pane.show(snapshot())
        assert pane.filter_text == ""
        assert "the filter is off: /(L+)+$/ takes too long" in "\n".join(pane.visible_text)
        assert "other" in texts(pane)


def test_many_searches_listen_to_the_alarm_once_and_are_ended_all_the_same() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with BoundedSearch(re.compile("(L+)+$")) as search:
        listening = signal.getsignal(signal.SIGALRM)
        assert search("LL")
        assert signal.getsignal(signal.SIGALRM) is listening is not before
        assert search(YEARS)
        assert search.gave_up
    assert signal.getsignal(signal.SIGALRM) is before
