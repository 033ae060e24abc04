"""The device authorization grant (RFC 8628) as a machine: a device asks, a person answers, the device polls.

One enum of states, one of steps, one table, one raise; `answer_poll` says what a poll hears.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from doorstep.errors import IllegalTransition

__all__ = ["TRANSITIONS", "GrantState", "GrantStep", "Heard", "Polled", "answer_poll", "step_grant"]

SLOWER_BY_S: Final = 5
"""Seconds that an impatient device waits longer from then on (section 3.5)."""


class GrantState(enum.StrEnum):
    """What the person answered."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


class GrantStep(enum.StrEnum):
    """What a person can do with the code that a device shows."""

    APPROVE = "approve"
    DENY = "deny"


TRANSITIONS: Final[Mapping[GrantState, Mapping[GrantStep, GrantState]]] = {
    GrantState.PENDING: {
        GrantStep.APPROVE: GrantState.APPROVED,
        GrantStep.DENY: GrantState.DENIED,
    },
    GrantState.APPROVED: {},
    GrantState.DENIED: {},
}
"""An answer is given once."""


class Heard(enum.StrEnum):
    """What a device hears; all but the last are errors of RFC 8628 section 3.5."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    DENIED = "access_denied"
    EXPIRED = "expired_token"
    GRANTED = "granted"


@dataclass(frozen=True, slots=True)
class Polled:
    """A grant when its device polls; times in microseconds since 1970."""

    state: GrantState
    expires_us: int
    polled_us: int
    """When it polled before; 0 for never."""
    interval_s: int


def step_grant(state: GrantState, step: GrantStep) -> GrantState:
    """Return the state after ``step``; raise IllegalTransition when it was answered before."""
    try:
        return TRANSITIONS[state][step]
    except KeyError:
        raise IllegalTransition(
            f"this request of a device was {state} before", next_step="Have the device show a new code."
        ) from None


def answer_poll(polled: Polled, now_us: int) -> tuple[Heard, int]:
    """Return what the device hears, and its interval from now on.

    Checked in this order: expiry, pace, the person's answer.
    """
    if now_us >= polled.expires_us:
        return Heard.EXPIRED, polled.interval_s
    if now_us < polled.polled_us + polled.interval_s * 1_000_000:
        return Heard.SLOW_DOWN, polled.interval_s + SLOWER_BY_S
    return _ANSWERS[polled.state], polled.interval_s


_ANSWERS: Final = {
    GrantState.PENDING: Heard.PENDING,
    GrantState.APPROVED: Heard.GRANTED,
    GrantState.DENIED: Heard.DENIED,
}
