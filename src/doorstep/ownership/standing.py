"""How far a device is trusted now: one enum of states, one of steps, one table, one raise.

It lies over the life of a device (`doorstep.ownership.life`) and never moves it.
"""

import enum
from collections.abc import Mapping
from typing import Final

from doorstep.errors import IllegalTransition

__all__ = ["TRANSITIONS", "Standing", "StandingStep", "is_shut_out", "judge", "mermaid"]


class Standing(enum.StrEnum):
    """How far a device is trusted."""

    OK = "ok"
    """Nothing speaks against it."""
    SUSPECTED = "suspected"
    """Something looks wrong. It goes on working, and its owner and the staff are told."""
    QUARANTINED = "quarantined"
    """Nothing of it is accepted until somebody decides; its certificates are kept."""
    BLOCKED = "blocked"
    """Nothing of it is accepted, and its certificates have ended."""


class StandingStep(enum.StrEnum):
    """What can happen to a device's standing."""

    SUSPECT = "suspect"
    QUARANTINE = "quarantine"
    CLEAR = "clear"
    """Somebody looked and found it in order, or the trouble was settled."""
    BLOCK = "block"
    LIFT = "lift"
    """The block-list no longer has it. What a person revoked is never lifted."""


TRANSITIONS: Final[Mapping[Standing, Mapping[StandingStep, Standing]]] = {
    Standing.OK: {
        StandingStep.SUSPECT: Standing.SUSPECTED,
        StandingStep.QUARANTINE: Standing.QUARANTINED,
        StandingStep.BLOCK: Standing.BLOCKED,
    },
    Standing.SUSPECTED: {
        StandingStep.SUSPECT: Standing.SUSPECTED,
        StandingStep.QUARANTINE: Standing.QUARANTINED,
        StandingStep.CLEAR: Standing.OK,
        StandingStep.BLOCK: Standing.BLOCKED,
    },
    Standing.QUARANTINED: {
        StandingStep.SUSPECT: Standing.QUARANTINED,
        StandingStep.CLEAR: Standing.OK,
        StandingStep.BLOCK: Standing.BLOCKED,
    },
    Standing.BLOCKED: {
        StandingStep.SUSPECT: Standing.BLOCKED,
        StandingStep.LIFT: Standing.OK,
    },
}
"""Every step there is. What a state does not list cannot happen in it."""


def judge(standing: Standing, step: StandingStep) -> Standing:
    """Return the standing after ``step``; raise IllegalTransition when the table does not have it."""
    try:
        return TRANSITIONS[standing][step]
    except KeyError:
        possible = ", ".join(TRANSITIONS[standing])
        raise IllegalTransition(
            f"a device that is {standing} can't take the step {step!s}",
            next_step=f"Possible now: {possible}.",
        ) from None


def is_shut_out(standing: Standing) -> bool:
    """Whether nothing of such a device is accepted."""
    return standing in {Standing.QUARANTINED, Standing.BLOCKED}


def mermaid() -> str:
    """Draw the table as a Mermaid state diagram; steps that move nothing are left out."""
    lines = ["stateDiagram-v2", f"    [*] --> {Standing.OK}"]
    for before, steps in TRANSITIONS.items():
        lines += [f"    {before} --> {after}: {step}" for step, after in steps.items() if after is not before]
    return "\n".join(lines)
