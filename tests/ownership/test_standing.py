"""The standing of a device: every step of the table, and nothing beside it."""

import pytest

from doorstep.errors import IllegalTransition
from doorstep.ownership.standing import TRANSITIONS, Standing, StandingStep, is_shut_out, judge, mermaid

STEPS = [(standing, step) for standing in Standing for step in StandingStep]


@pytest.mark.parametrize(("standing", "step"), STEPS)
def test_device_takes_the_steps_of_the_table_and_no_others(standing: Standing, step: StandingStep) -> None:
    if step in TRANSITIONS[standing]:
        assert judge(standing, step) is TRANSITIONS[standing][step]
    else:
        with pytest.raises(IllegalTransition, match=f"that is {standing} can't take the step {step}"):
            judge(standing, step)


def test_suspicion_never_frees_anybody() -> None:
    for standing in Standing:
        after = judge(standing, StandingStep.SUSPECT)
        assert is_shut_out(after) == is_shut_out(standing)


def test_only_clearing_and_lifting_let_a_device_in_again() -> None:
    freeing = {
        step
        for standing, steps in TRANSITIONS.items()
        for step, after in steps.items()
        if is_shut_out(standing) and not is_shut_out(after)
    }
    assert freeing == {StandingStep.CLEAR, StandingStep.LIFT}


def test_what_is_blocked_is_not_cleared() -> None:
    with pytest.raises(IllegalTransition) as refused:
        judge(Standing.BLOCKED, StandingStep.CLEAR)
    assert refused.value.next_step == "Possible now: suspect, lift."


def test_drawing_has_every_move() -> None:
    drawn = mermaid()
    assert drawn.startswith("stateDiagram-v2\n    [*] --> ok\n")
    assert "    quarantined --> ok: clear" in drawn
    assert "quarantined --> quarantined" not in drawn
