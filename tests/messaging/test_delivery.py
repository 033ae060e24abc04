import itertools

import pytest

from doorstep.errors import IllegalTransition
from doorstep.messaging.command import Outcome
from doorstep.messaging.delivery import (
    OPEN,
    TRANSITIONS,
    Delivery,
    DeliveryEvent,
    advance,
    answered,
    movable,
)

ALL = list(itertools.product(Delivery, DeliveryEvent))


@pytest.mark.parametrize(("state", "event"), ALL)
def test_command_moves_by_the_table_and_not_otherwise(state: Delivery, event: DeliveryEvent) -> None:
    if event in TRANSITIONS[state]:
        assert advance(state, event) is TRANSITIONS[state][event]
    else:
        with pytest.raises(IllegalTransition, match=state):
            advance(state, event)


@pytest.mark.parametrize(("state", "event"), ALL)
def test_store_may_move_the_states_of_the_table(state: Delivery, event: DeliveryEvent) -> None:
    assert (state in movable(event)) == (event in TRANSITIONS[state])


def test_closed_command_is_never_tried_again() -> None:
    for state in set(Delivery) - set(OPEN):
        assert not set(TRANSITIONS[state].values()) & set(OPEN)


def test_device_word_beats_the_clock_and_a_late_cancellation() -> None:
    assert advance(Delivery.EXPIRED, answered(Outcome.DONE)) is Delivery.ACKNOWLEDGED
    assert advance(Delivery.CANCELLED, answered(Outcome.DONE)) is Delivery.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (Outcome.DONE, Delivery.ACKNOWLEDGED),
        (Outcome.FAILED, Delivery.REFUSED),
        (Outcome.REFUSED, Delivery.REFUSED),
        (Outcome.EXPIRED, Delivery.EXPIRED),
    ],
)
def test_outcome_closes_a_sent_command(outcome: Outcome, state: Delivery) -> None:
    assert advance(Delivery.SENT, answered(outcome)) is state
