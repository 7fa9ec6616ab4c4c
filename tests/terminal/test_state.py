"""The screen with a state file, killed and started again on a real terminal."""

from __future__ import annotations

from pathlib import Path

from tests.gossip_tui.free_ports import free_range

from .harness import Farm


def test_a_killed_screen_shows_its_log_again_and_goes_on(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    with Farm(free_range(4), GOSSIP_TUI_CYCLE="0.2") as farm:
        first = farm.open("--state", state, name="first")
        first.wait_for_text("p1 127.0.0.1")
        first.say("written before")
        first.wait_for_text("p1#1", "written before")
        first.kill()
        first.wait_for_end()
        again = farm.open(name="again", GOSSIP_TUI_STATE=state)
        again.wait_for_text("p1#1", "written before", "1 message is here from before")
        again.say("written after")
        again.wait_for_text("p1#2", "written after")
        again.say("/leave")
        again.wait_for_text("left the network")
        again.say("/join")
        again.wait_for_text("back as a new incarnation", "2 messages are here from before; this is a new")
        again.say("written later")
        again.wait_for(lambda text: text.count("written later") == 1, "shows the third")
        assert again.text.count("written before") == 1
        assert again.text.count("written after") == 1
