"""Offers of a device: the table, and when a device may leave its owner at all."""

from dataclasses import replace
from pathlib import Path

import pytest

from doorstep.errors import IllegalTransition
from doorstep.ownership.handovers import (
    TRANSITIONS,
    DataChoice,
    HandoverRefused,
    HandoverState,
    HandoverStep,
    Offered,
    Way,
    advance,
    check_leaving,
    check_offer,
    mermaid,
)
from doorstep.ownership.life import Life

_PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "changing-hands.md"
_FREE = Offered(Life.OWNED, blocked=False, disputed=False, offered=False)


@pytest.mark.parametrize(
    ("state", "step"), [(state, step) for state in HandoverState for step in HandoverStep]
)
def test_offer_takes_the_steps_of_the_table_and_no_others(state: HandoverState, step: HandoverStep) -> None:
    if step in TRANSITIONS[state]:
        assert advance(state, step) is TRANSITIONS[state][step]
    else:
        with pytest.raises(IllegalTransition, match=f"was {state} can't take the step {step}"):
            advance(state, step)


def test_only_what_is_offered_is_open() -> None:
    assert [state for state in HandoverState if state.is_open] == [HandoverState.OFFERED]


STUCK = {
    "not owned": (replace(_FREE, life=Life.SOLD), "only an owned one"),
    "disputed": (replace(_FREE, disputed=True), "a case about this device"),
    "offered before": (replace(_FREE, offered=True), "offered to somebody already"),
}


@pytest.mark.parametrize("name", STUCK)
def test_owner_does_not_part_with_a_device_that_is(name: str) -> None:
    device, says = STUCK[name]
    with pytest.raises(HandoverRefused, match=says):
        check_leaving(device)


@pytest.mark.parametrize("data", DataChoice)
def test_owner_offers_a_device_with_any_choice_of_data(data: DataChoice) -> None:
    check_offer(_FREE, Way.TRANSFER, data)


def test_blocked_device_is_returned_and_not_transferred() -> None:
    blocked = replace(_FREE, blocked=True)
    check_offer(blocked, Way.RETURN, DataChoice.KEEP)
    with pytest.raises(HandoverRefused, match="shut out"):
        check_offer(blocked, Way.TRANSFER, DataChoice.KEEP)


def test_maker_gets_no_readings_back() -> None:
    with pytest.raises(HandoverRefused, match="don't go back to the maker"):
        check_offer(_FREE, Way.RETURN, DataChoice.HAND_OVER)


def test_page_draws_the_table() -> None:
    assert f"```mermaid\n{mermaid()}\n```" in _PAGE.read_text(encoding="utf-8")
