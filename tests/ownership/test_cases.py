"""A dispute: every step of the table and nothing beside it, and whoever may not take a step is stopped."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import IllegalTransition
from doorstep.ownership.cases import (
    ANSWER_WITHIN_US,
    APPEAL_WITHIN_US,
    TRANSITIONS,
    Case,
    CaseRefused,
    CaseState,
    CaseStep,
    Mover,
    Party,
    advance,
    clock_step,
    mermaid,
    open_case,
    possible,
    take,
)

_PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "disputes.md"
_NOW = 1_700_000_000_000_000
CLAIMANT = Mover(Party.CLAIMANT, "claimant")
OWNER = Mover(Party.OWNER, "owner")
CLOCK = Mover(Party.CLOCK, "")
ANN, BOB, EVE = (Mover(Party.STAFF, name) for name in ("ann", "bob", "eve"))
MOVERS = [CLAIMANT, OWNER, CLOCK, ANN, BOB, replace(EVE, is_partial=True)]
SOON = _NOW + 1


def _walk(*steps: tuple[CaseStep, Mover]) -> Case:
    case = open_case(_NOW)
    for step, mover in steps:
        at_us = case.due_us if mover.party is Party.CLOCK else SOON
        assert at_us is not None
        case = take(case, step, mover, at_us)
    return case


UPHELD = _walk((CaseStep.ANSWER, CLAIMANT), (CaseStep.PROPOSE, ANN), (CaseStep.CONFIRM, BOB))
DISMISSED = _walk((CaseStep.ANSWER, CLAIMANT), (CaseStep.DISMISS, ANN))


@pytest.mark.parametrize(("state", "step"), [(state, step) for state in CaseState for step in CaseStep])
def test_case_takes_the_steps_of_the_table_and_no_others(state: CaseState, step: CaseStep) -> None:
    if step in TRANSITIONS[state]:
        assert advance(state, step) is TRANSITIONS[state][step]
    else:
        with pytest.raises(IllegalTransition, match=f"that is {state} can't take the step {step}"):
            advance(state, step)


def test_every_state_is_reached_and_every_step_is_used() -> None:
    reached, waiting = {CaseState.AWAITING}, [CaseState.AWAITING]
    while waiting:
        fresh = set(TRANSITIONS[waiting.pop()].values()) - reached
        reached |= fresh
        waiting += fresh
    assert reached == set(CaseState) == set(TRANSITIONS)
    assert {step for steps in TRANSITIONS.values() for step in steps} == set(CaseStep)
    assert {state for state in CaseState if not state.is_open} == {CaseState.KEPT, CaseState.MOVED}


@given(st.lists(st.tuples(st.sampled_from(CaseStep), st.sampled_from(MOVERS), st.booleans()), max_size=14))
def test_device_moves_only_by_four_eyes_or_by_its_owners_word(
    tries: list[tuple[CaseStep, Mover, bool]],
) -> None:
    case, taken, now = open_case(_NOW), list[tuple[CaseStep, Mover]](), SOON
    for step, mover, waits in tries:
        now = max(now, case.due_us or 0) if waits else now
        try:
            case = take(case, step, mover, now)
        except (CaseRefused, IllegalTransition):
            continue
        taken.append((step, mover))
    if case.state is CaseState.MOVED:
        steps = [step for step, _ in taken]
        proposed = {mover.person for step, mover in taken if step is CaseStep.PROPOSE}
        confirmed = {mover.person for step, mover in taken if step is CaseStep.CONFIRM}
        assert (steps[-1], taken[-1][1]) == (CaseStep.CONCEDE, OWNER) or len(proposed | confirmed) > 1
    assert (case.due_us is None) is not case.state.is_open
    assert not any(mover.is_partial for _, mover in taken)


def test_claimant_who_brings_nothing_loses_after_their_time() -> None:
    case = open_case(_NOW)
    assert clock_step(case, _NOW + ANSWER_WITHIN_US - 1) is None
    assert clock_step(case, _NOW + ANSWER_WITHIN_US) is CaseStep.LAPSE
    assert _walk((CaseStep.LAPSE, CLOCK), (CaseStep.SETTLE, CLOCK)).state is CaseState.KEPT


def test_device_is_taken_away_after_two_agreed_and_nobody_appealed() -> None:
    assert UPHELD.due_us == SOON + APPEAL_WITHIN_US
    assert (UPHELD.state, UPHELD.decided_by, UPHELD.proposed_by) == (CaseState.UPHELD, "ann", "")
    with pytest.raises(CaseRefused, match="time has not come"):
        take(UPHELD, CaseStep.SETTLE, CLOCK, UPHELD.due_us - 1)
    assert take(UPHELD, CaseStep.SETTLE, CLOCK, UPHELD.due_us).state is CaseState.MOVED


def test_one_of_the_staff_alone_takes_nothing_away() -> None:
    proposed = _walk((CaseStep.PROPOSE, ANN))
    with pytest.raises(CaseRefused, match="four eyes"):
        take(proposed, CaseStep.CONFIRM, ANN, SOON)
    objected = take(proposed, CaseStep.OBJECT, BOB, SOON)
    assert (objected.state, objected.proposed_by) == (CaseState.REVIEW, "")


@pytest.mark.parametrize("step", [CaseStep.PROPOSE, CaseStep.DISMISS])
@pytest.mark.parametrize(("first", "loser"), [(UPHELD, OWNER), (DISMISSED, CLAIMANT)])
def test_appeal_is_decided_by_somebody_else(first: Case, loser: Mover, step: CaseStep) -> None:
    appealed = take(first, CaseStep.APPEAL, loser, SOON)
    with pytest.raises(CaseRefused, match="does not decide the appeal"):
        take(appealed, step, ANN, SOON)
    assert take(appealed, step, BOB, SOON).state in {CaseState.SECONDING_APPEAL, CaseState.KEPT}


def test_appeal_that_is_lost_is_the_end() -> None:
    appealed = take(UPHELD, CaseStep.APPEAL, OWNER, SOON)
    confirmed = take(take(appealed, CaseStep.PROPOSE, BOB, SOON), CaseStep.CONFIRM, ANN, SOON)
    assert (confirmed.state, confirmed.due_us) == (CaseState.MOVED, None)
    assert possible(confirmed, OWNER, SOON) == ()


def test_appeal_comes_in_time_or_not_at_all() -> None:
    assert UPHELD.due_us is not None
    with pytest.raises(CaseRefused, match="time to appeal is over"):
        take(UPHELD, CaseStep.APPEAL, OWNER, UPHELD.due_us)


@pytest.mark.parametrize(
    ("case", "step", "mover"),
    [
        (UPHELD, CaseStep.APPEAL, CLAIMANT),
        (DISMISSED, CaseStep.APPEAL, OWNER),
        (open_case(_NOW), CaseStep.CONCEDE, CLAIMANT),
        (open_case(_NOW), CaseStep.WITHDRAW, OWNER),
        (open_case(_NOW), CaseStep.PROPOSE, OWNER),
        (open_case(_NOW), CaseStep.LAPSE, ANN),
    ],
)
def test_step_of_another_party_is_refused(case: Case, step: CaseStep, mover: Mover) -> None:
    with pytest.raises(CaseRefused, match=f"not for the {mover.party}"):
        take(case, step, mover, SOON)


def test_staff_of_one_side_decide_nothing() -> None:
    with pytest.raises(CaseRefused, match="one of the two sides"):
        take(open_case(_NOW), CaseStep.DISMISS, replace(ANN, is_partial=True), SOON)


def test_words_move_no_deadline_and_reminders_do() -> None:
    waiting = _walk((CaseStep.ANSWER, CLAIMANT))
    assert take(waiting, CaseStep.REPLY, OWNER, SOON + 5).due_us == waiting.due_us
    assert waiting.due_us is not None
    assert clock_step(waiting, waiting.due_us) is CaseStep.REMIND
    reminded = take(waiting, CaseStep.REMIND, CLOCK, waiting.due_us)
    assert reminded.due_us is not None
    assert reminded.due_us > waiting.due_us


def test_people_are_shown_what_they_can_do() -> None:
    assert possible(open_case(_NOW), CLAIMANT, SOON) == (CaseStep.ANSWER, CaseStep.WITHDRAW)
    assert possible(_walk((CaseStep.PROPOSE, ANN)), ANN, SOON) == (CaseStep.OBJECT,)
    assert possible(UPHELD, OWNER, SOON) == (CaseStep.APPEAL, CaseStep.CONCEDE)


def test_page_draws_the_table() -> None:
    assert f"```mermaid\n{mermaid()}\n```" in _PAGE.read_text(encoding="utf-8")
