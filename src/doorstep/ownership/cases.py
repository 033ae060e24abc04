"""A dispute about a device: one enum of states, one of steps, one table, one raise.

The table says what can follow what; `take` decides who may do it now. While a case is open the owner keeps
everything. Taking a device away needs two different people of the maker's staff, and nothing moves before the
owner had time to appeal.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from doorstep.errors import IllegalTransition, RefusedError

__all__ = [
    "ANSWER_WITHIN_US",
    "APPEAL_WITHIN_US",
    "REMIND_AFTER_US",
    "TRANSITIONS",
    "Case",
    "CaseRefused",
    "CaseState",
    "CaseStep",
    "Mover",
    "Party",
    "advance",
    "clock_step",
    "mermaid",
    "open_case",
    "possible",
    "take",
]

_DAY_US: Final = 86_400 * 1_000_000
ANSWER_WITHIN_US: Final = 14 * _DAY_US
"""A claimant who brings nothing for so long has lost."""
APPEAL_WITHIN_US: Final = 14 * _DAY_US
"""A decision takes effect after this time, unless whoever lost appeals."""
REMIND_AFTER_US: Final = 7 * _DAY_US
"""The staff is reminded of a case that has waited so long for them."""


class CaseRefused(RefusedError):
    """This step is not for this person, or not now."""


class CaseState(enum.StrEnum):
    """Where a case stands."""

    AWAITING = "awaiting"
    """The claimant is asked for proof."""
    REVIEW = "review"
    """The maker's staff looks at it."""
    SECONDING = "seconding"
    """One of the staff would take the device away; another one has to agree."""
    DISMISSED = "dismissed"
    """The owner keeps it; the claimant can appeal."""
    UPHELD = "upheld"
    """The claimant is to get it; the owner can appeal, and keeps it until then."""
    APPEALED = "appealed"
    """Somebody else of the staff looks at it again."""
    SECONDING_APPEAL = "seconding_appeal"
    """On appeal one would take the device away; another one has to agree."""
    KEPT = "kept"
    """Closed: the owner keeps it."""
    MOVED = "moved"
    """Closed: the claimant has it."""

    @property
    def is_open(self) -> bool:
        """Whether anything can follow."""
        return bool(TRANSITIONS[self])


class CaseStep(enum.StrEnum):
    """What can happen in a case."""

    ANSWER = "answer"
    """The claimant says what speaks for them."""
    REPLY = "reply"
    """The owner says what speaks for them."""
    ASK = "ask"
    """The staff asks the claimant for more."""
    DISMISS = "dismiss"
    PROPOSE = "propose"
    """To take the device away."""
    CONFIRM = "confirm"
    """A second pair of eyes agrees."""
    OBJECT = "object"
    """A second pair of eyes does not."""
    APPEAL = "appeal"
    CONCEDE = "concede"
    """The owner gives the device to the claimant."""
    WITHDRAW = "withdraw"
    """The claimant gives up."""
    LAPSE = "lapse"
    """The claimant's time to answer is over."""
    SETTLE = "settle"
    """The time to appeal is over."""
    REMIND = "remind"
    """The staff lets people wait."""


class Party(enum.StrEnum):
    """As what somebody takes a step."""

    CLAIMANT = "claimant"
    OWNER = "owner"
    STAFF = "staff"
    CLOCK = "clock"


_S: Final = CaseState
_PARTIES_END_IT: Final = {CaseStep.CONCEDE: _S.MOVED, CaseStep.WITHDRAW: _S.KEPT}

TRANSITIONS: Final[Mapping[CaseState, Mapping[CaseStep, CaseState]]] = {
    _S.AWAITING: {
        CaseStep.ANSWER: _S.REVIEW,
        CaseStep.REPLY: _S.AWAITING,
        CaseStep.DISMISS: _S.DISMISSED,
        CaseStep.PROPOSE: _S.SECONDING,
        CaseStep.LAPSE: _S.DISMISSED,
        **_PARTIES_END_IT,
    },
    _S.REVIEW: {
        CaseStep.ANSWER: _S.REVIEW,
        CaseStep.REPLY: _S.REVIEW,
        CaseStep.ASK: _S.AWAITING,
        CaseStep.DISMISS: _S.DISMISSED,
        CaseStep.PROPOSE: _S.SECONDING,
        CaseStep.REMIND: _S.REVIEW,
        **_PARTIES_END_IT,
    },
    _S.SECONDING: {
        CaseStep.ANSWER: _S.SECONDING,
        CaseStep.REPLY: _S.SECONDING,
        CaseStep.CONFIRM: _S.UPHELD,
        CaseStep.OBJECT: _S.REVIEW,
        CaseStep.REMIND: _S.SECONDING,
        **_PARTIES_END_IT,
    },
    _S.DISMISSED: {CaseStep.APPEAL: _S.APPEALED, CaseStep.SETTLE: _S.KEPT, **_PARTIES_END_IT},
    _S.UPHELD: {CaseStep.APPEAL: _S.APPEALED, CaseStep.SETTLE: _S.MOVED, **_PARTIES_END_IT},
    _S.APPEALED: {
        CaseStep.ANSWER: _S.APPEALED,
        CaseStep.REPLY: _S.APPEALED,
        CaseStep.DISMISS: _S.KEPT,
        CaseStep.PROPOSE: _S.SECONDING_APPEAL,
        CaseStep.REMIND: _S.APPEALED,
        **_PARTIES_END_IT,
    },
    _S.SECONDING_APPEAL: {
        CaseStep.ANSWER: _S.SECONDING_APPEAL,
        CaseStep.REPLY: _S.SECONDING_APPEAL,
        CaseStep.CONFIRM: _S.MOVED,
        CaseStep.OBJECT: _S.APPEALED,
        CaseStep.REMIND: _S.SECONDING_APPEAL,
        **_PARTIES_END_IT,
    },
    _S.KEPT: {},
    _S.MOVED: {},
}
"""Every step there is. What a state does not list cannot happen in it."""

_TAKEN_BY: Final[Mapping[CaseStep, Party]] = {
    CaseStep.ANSWER: Party.CLAIMANT,
    CaseStep.WITHDRAW: Party.CLAIMANT,
    CaseStep.REPLY: Party.OWNER,
    CaseStep.CONCEDE: Party.OWNER,
    CaseStep.ASK: Party.STAFF,
    CaseStep.DISMISS: Party.STAFF,
    CaseStep.PROPOSE: Party.STAFF,
    CaseStep.CONFIRM: Party.STAFF,
    CaseStep.OBJECT: Party.STAFF,
    CaseStep.LAPSE: Party.CLOCK,
    CaseStep.SETTLE: Party.CLOCK,
    CaseStep.REMIND: Party.CLOCK,
}
"""Who takes a step; an appeal is for whoever lost."""

_LOSER: Final[Mapping[CaseState, Party]] = {_S.DISMISSED: Party.CLAIMANT, _S.UPHELD: Party.OWNER}

_LASTS_US: Final[Mapping[CaseState, int]] = {
    _S.AWAITING: ANSWER_WITHIN_US,
    _S.REVIEW: REMIND_AFTER_US,
    _S.SECONDING: REMIND_AFTER_US,
    _S.DISMISSED: APPEAL_WITHIN_US,
    _S.UPHELD: APPEAL_WITHIN_US,
    _S.APPEALED: REMIND_AFTER_US,
    _S.SECONDING_APPEAL: REMIND_AFTER_US,
}
"""After how long the clock takes its step."""


@dataclass(frozen=True, slots=True)
class Case:
    """What the next step depends on."""

    state: CaseState
    due_us: int | None
    """When the clock takes its step; None in a closed case."""
    proposed_by: str = ""
    """Who would take the device away, while another has to agree."""
    decided_by: str = ""
    """Who dismissed it first, or proposed what was confirmed first."""


@dataclass(frozen=True, slots=True)
class Mover:
    """Who takes a step."""

    party: Party
    person: str
    """The same text for the same person, whatever they act for; empty for the clock."""
    is_partial: bool = False
    """They belong to one of the two sides."""


def open_case(now_us: int) -> Case:
    """Return a case as it begins."""
    return Case(CaseState.AWAITING, now_us + ANSWER_WITHIN_US)


def advance(state: CaseState, step: CaseStep) -> CaseState:
    """Return the state after ``step``; raise IllegalTransition when the table does not have it."""
    try:
        return TRANSITIONS[state][step]
    except KeyError:
        ways = ", ".join(TRANSITIONS[state]) or "nothing more"
        raise IllegalTransition(
            f"a case that is {state} can't take the step {step!s}", next_step=f"Possible now: {ways}."
        ) from None


def take(case: Case, step: CaseStep, mover: Mover, now_us: int) -> Case:
    """Return the case after somebody's step.

    Checked in this order: the table, whose step it is, their impartiality, four eyes, the time. Raises
    IllegalTransition or CaseRefused.
    """
    after = advance(case.state, step)
    _check_party(case, step, mover)
    _check_eyes(case, step, mover)
    _check_time(case, step, now_us)
    due_us = case.due_us if after is case.state and step is not CaseStep.REMIND else _due(after, now_us)
    return replace(
        case,
        state=after,
        due_us=due_us,
        proposed_by=_proposed_by(case, step, mover),
        decided_by=_decided_by(case, step, mover),
    )


def possible(case: Case, mover: Mover, now_us: int) -> tuple[CaseStep, ...]:
    """Return the steps that ``take`` would let this person take now."""
    return tuple(step for step in TRANSITIONS[case.state] if _is_possible(case, step, mover, now_us))


def clock_step(case: Case, now_us: int) -> CaseStep | None:
    """Return what the clock does now; None before the case is due."""
    ways = possible(case, Mover(Party.CLOCK, ""), now_us)
    return ways[0] if ways else None


def mermaid() -> str:
    """Draw the table as a Mermaid state diagram; steps that move nothing are left out."""
    lines = ["stateDiagram-v2", f"    [*] --> {CaseState.AWAITING}"]
    for before, steps in TRANSITIONS.items():
        lines += [f"    {before} --> {after}: {step}" for step, after in steps.items() if after is not before]
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in CaseState if not state.is_open)])


def _is_possible(case: Case, step: CaseStep, mover: Mover, now_us: int) -> bool:
    try:
        take(case, step, mover, now_us)
    except CaseRefused:
        return False
    return True


def _check_party(case: Case, step: CaseStep, mover: Mover) -> None:
    whose = _LOSER[case.state] if step is CaseStep.APPEAL else _TAKEN_BY[step]
    if mover.party is not whose:
        raise CaseRefused(f"the step {step!s} is for the {whose}, not for the {mover.party}")
    if mover.party is Party.STAFF and mover.is_partial:
        raise CaseRefused(
            "whoever belongs to one of the two sides decides nothing in the case",
            next_step="Ask a colleague who has nothing to do with either.",
        )


def _check_eyes(case: Case, step: CaseStep, mover: Mover) -> None:
    if step is CaseStep.CONFIRM and mover.person == case.proposed_by:
        raise CaseRefused(
            "it takes four eyes to take a device away, and yours have looked",
            next_step="Ask a colleague to look at the case and to confirm.",
        )
    decides = step in {CaseStep.PROPOSE, CaseStep.DISMISS}
    if decides and case.state is CaseState.APPEALED and mover.person == case.decided_by:
        raise CaseRefused(
            "whoever decided first does not decide the appeal", next_step="Ask a colleague to look at it."
        )


def _check_time(case: Case, step: CaseStep, now_us: int) -> None:
    is_over = case.due_us is not None and now_us >= case.due_us
    if step is CaseStep.APPEAL and is_over:
        raise CaseRefused("the time to appeal is over", next_step="Write to the maker's staff.")
    if _TAKEN_BY.get(step) is Party.CLOCK and not is_over:
        raise CaseRefused("its time has not come")


def _due(state: CaseState, now_us: int) -> int | None:
    return now_us + _LASTS_US[state] if state.is_open else None


def _proposed_by(case: Case, step: CaseStep, mover: Mover) -> str:
    if step is CaseStep.PROPOSE:
        return mover.person
    return "" if step in {CaseStep.CONFIRM, CaseStep.OBJECT} else case.proposed_by


def _decided_by(case: Case, step: CaseStep, mover: Mover) -> str:
    if step is CaseStep.DISMISS:
        return mover.person
    return case.proposed_by if step is CaseStep.CONFIRM else case.decided_by
