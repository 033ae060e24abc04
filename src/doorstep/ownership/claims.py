"""The decision about a claim: facts in, decision out. Nothing is stored, sent or measured here."""

import enum
from dataclasses import dataclass
from typing import Final

from doorstep.ownership.evidence import Evidence
from doorstep.ownership.life import Life, Step, can
from doorstep.ownership.policy import Policy, evaluate, explain, missing

__all__ = ["Decision", "Facts", "Outcome", "Reason", "TokenFacts", "decide"]


class Outcome(enum.StrEnum):
    """What comes of a claim."""

    BOUND = "bound"
    """The device belongs to the claimant from now on."""
    ALREADY_YOURS = "already_yours"
    """It belonged to the claimant before; nothing changes."""
    HELD = "held"
    """The evidence does not suffice yet; somebody has to add or to look."""
    DISPUTED = "disputed"
    """It belongs to somebody else, whose access does not change; people have to look."""
    REFUSED = "refused"
    """No."""


class Reason(enum.StrEnum):
    """Why, for programs; `Decision.sentence` is for people."""

    POLICY_MET = "policy_met"
    SAME_OWNER = "same_owner"
    MORE_EVIDENCE_NEEDED = "more_evidence_needed"
    OTHER_OWNER = "other_owner"
    TOKEN_USED = "token_used"  # noqa: S105 - a reason's name
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a reason's name
    BLOCKED = "blocked"
    OUT_OF_SERVICE = "out_of_service"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What is known about the registration token that the claim came with."""

    expires_at_us: int
    used_by: str | None = None
    """Device that used it before, if any."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the decision depends on. Organisations are their numbers."""

    device: str
    life: Life
    blocked: bool
    owner: int | None
    claimant: int
    evidence: frozenset[Evidence]
    policy: Policy
    token: TokenFacts | None
    """None for a claim that stands on a code or on staff alone."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes of a claim, and why."""

    outcome: Outcome
    reason: Reason
    sentence: str


_SERIOUS: Final = frozenset({Evidence.DEVICE_KEY, Evidence.LABEL_CODE})
"""Whoever brings one of these held the device or its box in hand: the owner must hear of it."""

_AGAIN: Final = "Make a new registration token in the portal and set the device up again."


def decide(facts: Facts, now_us: int) -> Decision:
    """Judge a claim: token first, then the device's state, then its owner, then the policy.

    A device may repeat its token: until it expires as if it were new, later to hear how its claim stands,
    because a repeat that changes nothing is how a lost answer is asked for again. Whoever else comes
    with evidence for an owned device opens a dispute; nothing that a claimant brings takes it away.
    """
    return (
        _refuse_token(facts, now_us)
        or _refuse_state(facts)
        or _recognise_owner(facts)
        or _apply_policy(facts, now_us)
    )


def _refuse_token(facts: Facts, now_us: int) -> Decision | None:
    if facts.token is None:
        return None
    if facts.token.used_by not in {None, facts.device}:
        return _refused(Reason.TOKEN_USED, f"This registration token was used by another device. {_AGAIN}")
    asks_again = facts.token.used_by is not None and facts.owner in {None, facts.claimant}
    if _expired(facts.token, now_us) and not asks_again:
        return _refused(Reason.TOKEN_EXPIRED, f"This registration token has expired. {_AGAIN}")
    return None


def _expired(token: TokenFacts | None, now_us: int) -> bool:
    return token is not None and now_us >= token.expires_at_us


def _refuse_state(facts: Facts) -> Decision | None:
    if facts.blocked:
        return _refused(Reason.BLOCKED, "This device was blocked. Ask its maker or its owner.")
    if not (can(facts.life, Step.ONBOARD) or can(facts.life, Step.BIND)):
        return _refused(Reason.OUT_OF_SERVICE, f"This device is {facts.life}. Ask its maker.")
    return None


def _recognise_owner(facts: Facts) -> Decision | None:
    if facts.owner is None:
        return None
    if facts.owner == facts.claimant:
        return Decision(Outcome.ALREADY_YOURS, Reason.SAME_OWNER, "This device is yours already.")
    if _SERIOUS & facts.evidence or evaluate(facts.policy, facts.evidence):
        return Decision(
            Outcome.DISPUTED,
            Reason.OTHER_OWNER,
            "This device belongs to somebody else, who is told. The maker's staff will look at the case.",
        )
    return _refused(Reason.OTHER_OWNER, "This device can't be claimed with that.")


def _apply_policy(facts: Facts, now_us: int) -> Decision:
    gaps = missing(facts.policy, facts.evidence)
    if gaps:
        sentence = f"The claim is kept and waits. {explain(gaps)}"
        return Decision(Outcome.HELD, Reason.MORE_EVIDENCE_NEEDED, sentence)
    if _expired(facts.token, now_us):
        sentence = f"The claim is kept, but its registration token has expired. {_AGAIN}"
        return Decision(Outcome.HELD, Reason.TOKEN_EXPIRED, sentence)
    return Decision(Outcome.BOUND, Reason.POLICY_MET, "This device is now yours.")


def _refused(reason: Reason, sentence: str) -> Decision:
    return Decision(Outcome.REFUSED, reason, sentence)
