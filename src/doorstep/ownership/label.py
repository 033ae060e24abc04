"""The state of a device's scratch-off label: one enum of states, one of steps, one table, one raise."""

import enum
from collections.abc import Mapping
from typing import Final

from doorstep.errors import IllegalTransition

__all__ = ["TRANSITIONS", "LabelState", "LabelStep", "code_counts", "possible", "step_label"]


class LabelState(enum.StrEnum):
    """What is known of the code under the foil."""

    SEALED = "sealed"
    """Nobody typed it yet."""
    SCRATCHED = "scratched"
    """Somebody typed it, so the foil is off."""
    TAMPERED = "tampered"
    """Somebody who should have found the foil whole reported that it was not: the code proves nothing."""


class LabelStep(enum.StrEnum):
    """What can happen to a label."""

    SCRATCH = "scratch"
    REPORT = "report"
    REPLACE = "replace"
    """The device gets a label with a new code."""


TRANSITIONS: Final[Mapping[LabelState, Mapping[LabelStep, LabelState]]] = {
    LabelState.SEALED: {
        LabelStep.SCRATCH: LabelState.SCRATCHED,
        LabelStep.REPORT: LabelState.TAMPERED,
    },
    LabelState.SCRATCHED: {
        LabelStep.SCRATCH: LabelState.SCRATCHED,
        LabelStep.REPORT: LabelState.TAMPERED,
        LabelStep.REPLACE: LabelState.SEALED,
    },
    LabelState.TAMPERED: {
        LabelStep.SCRATCH: LabelState.TAMPERED,
        LabelStep.REPORT: LabelState.TAMPERED,
        LabelStep.REPLACE: LabelState.SEALED,
    },
}
"""A step that is not here can't happen in that state."""


def step_label(state: LabelState, step: LabelStep) -> LabelState:
    """Return the state after ``step``; raise IllegalTransition when the table does not have it."""
    try:
        return TRANSITIONS[state][step]
    except KeyError:
        raise IllegalTransition(
            f"a label that is {state} can't take the step {step!s}",
            next_step=f"Possible now: {', '.join(possible(state))}.",
        ) from None


def possible(state: LabelState) -> tuple[LabelStep, ...]:
    """Return the steps that a label in this state can take."""
    return tuple(TRANSITIONS[state])


def code_counts(state: LabelState) -> bool:
    """Whether the code is evidence for whoever types it."""
    return state is not LabelState.TAMPERED
