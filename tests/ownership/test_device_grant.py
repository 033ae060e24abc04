"""The device authorization grant: the table, whole, and what a poll hears."""

import pytest

from doorstep.errors import IllegalTransition
from doorstep.ownership.device_grant import (
    TRANSITIONS,
    GrantState,
    GrantStep,
    Heard,
    Polled,
    answer_poll,
    step_grant,
)

_S = 1_000_000
_WAITS = Polled(GrantState.PENDING, expires_us=900 * _S, polled_us=0, interval_s=5)


def test_table_knows_every_state() -> None:
    assert set(TRANSITIONS) == set(GrantState)
    assert step_grant(GrantState.PENDING, GrantStep.APPROVE) is GrantState.APPROVED
    assert step_grant(GrantState.PENDING, GrantStep.DENY) is GrantState.DENIED


@pytest.mark.parametrize("state", [GrantState.APPROVED, GrantState.DENIED])
def test_answer_is_given_once(state: GrantState) -> None:
    with pytest.raises(IllegalTransition, match=str(state)):
        step_grant(state, GrantStep.APPROVE)


@pytest.mark.parametrize(
    ("state", "at_s", "polled_s", "heard", "interval"),
    [
        (GrantState.PENDING, 10, 0, Heard.PENDING, 5),
        (GrantState.PENDING, 10, 6, Heard.SLOW_DOWN, 10),
        (GrantState.PENDING, 10, 5, Heard.PENDING, 5),
        (GrantState.APPROVED, 10, 6, Heard.SLOW_DOWN, 10),
        (GrantState.APPROVED, 10, 0, Heard.GRANTED, 5),
        (GrantState.DENIED, 10, 0, Heard.DENIED, 5),
        (GrantState.APPROVED, 900, 0, Heard.EXPIRED, 5),
        (GrantState.PENDING, 901, 900, Heard.EXPIRED, 5),
    ],
)
def test_device_hears_how_it_stands(
    state: GrantState, at_s: int, polled_s: int, heard: Heard, interval: int
) -> None:
    polled = Polled(state, _WAITS.expires_us, polled_s * _S, _WAITS.interval_s)
    assert answer_poll(polled, at_s * _S) == (heard, interval)
