"""The state of a label: the table, whole."""

import pytest

from doorstep.errors import IllegalTransition
from doorstep.ownership.label import TRANSITIONS, LabelState, LabelStep, code_counts, step_label


def test_table_knows_every_state() -> None:
    assert set(TRANSITIONS) == set(LabelState)
    for state, steps in TRANSITIONS.items():
        for step, after in steps.items():
            assert step_label(state, step) is after


def test_sealed_label_is_not_replaced() -> None:
    with pytest.raises(IllegalTransition, match="sealed") as caught:
        step_label(LabelState.SEALED, LabelStep.REPLACE)
    assert caught.value.next_step == "Possible now: scratch, report."


def test_only_a_new_label_makes_a_reported_code_count_again() -> None:
    state = step_label(LabelState.SCRATCHED, LabelStep.REPORT)
    assert not code_counts(state)
    assert not code_counts(step_label(state, LabelStep.SCRATCH))
    assert code_counts(step_label(state, LabelStep.REPLACE))
