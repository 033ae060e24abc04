import enum
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import IllegalTransition
from doorstep.onboarding.joining import Joining
from doorstep.onboarding.lock import (
    TRANSITIONS,
    LockEvent,
    LockState,
    SetupLock,
    SetupLocked,
    advance,
    check_open,
)
from doorstep.onboarding.network import NetworkCredentials
from doorstep.onboarding.order import RegistrationOrder


class _Other(enum.Enum):
    ELSE = "else"


def test_table_is_whole() -> None:
    assert {state: set(moves) for state, moves in TRANSITIONS.items()} == {
        state: set(LockEvent) for state in LockState
    }


@given(st.lists(st.sampled_from(LockEvent)))
def test_after_a_claim_only_reset_and_release_together_open(events: list[LockEvent]) -> None:
    lock = SetupLock().claimed(100)
    for event in events:
        lock = lock.claimed(101) if event is LockEvent.CLAIM else lock.after(event)
    since = (
        events[len(events) - events[::-1].index(LockEvent.CLAIM) :] if LockEvent.CLAIM in events else events
    )
    both = {LockEvent.RESET, LockEvent.RELEASE} <= set(since)
    assert (lock.state is LockState.OPEN) == both


def test_claim_keeps_its_moment() -> None:
    lock = SetupLock().claimed(100).after(LockEvent.RELEASE)
    assert lock == SetupLock(LockState.RELEASED, 100)


def test_unknown_move_is_refused() -> None:
    with pytest.raises(IllegalTransition):
        advance(LockState.OPEN, cast("Any", _Other.ELSE))


@pytest.mark.parametrize("state", [state for state in LockState if state is not LockState.OPEN])
def test_locked_device_takes_neither_network_nor_order(state: LockState) -> None:
    joining = Joining(lock=state)
    with pytest.raises(SetupLocked) as refusal:
        joining.stage(NetworkCredentials(b"home"))
    assert "ten seconds" in refusal.value.next_step
    with pytest.raises(SetupLocked):
        joining.bring(RegistrationOrder(b"token", "https://maker.example"))
    assert (joining.network, joining.order) == (None, None)


def test_open_lock_lets_everything_in() -> None:
    check_open(LockState.OPEN)
