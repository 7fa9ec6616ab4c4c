"""What a state file holds has to be one node's: what contradicts itself is refused, with the reason."""

from __future__ import annotations

import pytest

from protocol import NodeId
from protocol.core.causal import CausalOrder
from protocol.core.config import Config
from protocol.core.messages import NO_HORIZON, KeyDot
from protocol.core.saved import Saved, SavedClock, SavedMessage, SavedPin, SavedPrefix, Standing
from protocol.state.consistency import check_saved

ADA, BOB = NodeId("ada", 1 << 16), NodeId("bob", 2 << 16)


def message(
    position: int, origin: NodeId, sequence: int, *parents: KeyDot, late: bool = False
) -> SavedMessage:
    return SavedMessage(position, origin, sequence, position, 1.0, 1.0, 0, False, late, True, parents, b"x")


SENSIBLE = Saved(
    Standing(ADA, False, 2, ()),
    SavedPrefix(
        4,
        ((ADA, 1, 1), (BOB, 2, 2)),
        ((BOB.key, 2),),
        3,
        (SavedPin(BOB, 2, ((ADA, 1, 1), (BOB, 2, 2))),),
        NO_HORIZON,
        0,
    ),
    (
        message(4, ADA, 2, (BOB.key, 2)),
        message(5, BOB, 3, (ADA.key, 2)),
        message(6, BOB, 1, late=True),
        message(7, ADA, 3, (BOB.key, 3)),
    ),
    (SavedClock(4, ((ADA, 2, 4), (BOB, 2, 2))),),
)


def test_what_makes_sense_is_taken() -> None:
    check_saved(SENSIBLE)
    check_saved(Saved(Standing(ADA, True, 0, ()), None, (), ()))


def with_prefix(**changes: object) -> Saved:
    assert SENSIBLE.prefix is not None
    return SENSIBLE._replace(prefix=SENSIBLE.prefix._replace(**changes))  # type: ignore[arg-type]


MESSAGES = SENSIBLE.messages


def test_the_clock_of_a_message_that_is_not_maximal_is_no_damage_and_not_taken_over() -> None:
    saved = with_prefix(pins=(SavedPin(ADA, 2, ()), SavedPin(NodeId("gone", 1), 7, ())))
    check_saved(saved)
    assert saved.prefix is not None
    causal = CausalOrder(Config())
    causal.restore(saved.prefix, saved.messages, saved.clocks)
    causal.check()
    assert not causal.pins


@pytest.mark.parametrize(
    ("saved", "reason"),
    [
        (SENSIBLE._replace(prefix=None), "nothing says what came before"),
        (SENSIBLE._replace(standing=Standing(ADA, False, 4, ())), "own messages that the node never made"),
        (with_prefix(frontier=((BOB.key, 3),)), "a message of the prefix is not in it"),
        (with_prefix(frontier=((bytes(8), 1),)), "a message of the prefix is not in it"),
        (with_prefix(floors=((ADA, 1, 1), (BOB, 2, 2), (ADA, 2, 2))), "an origin is in the prefix twice"),
        (with_prefix(first=3), "messages are missing in between"),
        (SENSIBLE._replace(messages=MESSAGES[1:]), "messages are missing in between"),
        (SENSIBLE._replace(messages=(*MESSAGES, message(8, BOB, 3))), "a message is there twice"),
        (SENSIBLE._replace(messages=(*MESSAGES, message(8, ADA, 1))), "message 8 is behind a younger one"),
        (
            SENSIBLE._replace(
                messages=(*MESSAGES, message(8, BOB, 4, (ADA.key, 4)), message(9, ADA, 4)),
            ),
            "message 8 is before one that it follows",
        ),
        (SENSIBLE._replace(clocks=(SavedClock(3, ()),)), "a clock belongs to no message"),
        (SENSIBLE._replace(clocks=(SavedClock(5, ((BOB, 2, 2),)),)), "the clock of message 5 is another"),
    ],
)
def test_what_contradicts_itself_is_refused(saved: Saved, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_saved(saved)
