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
    WAITS_FOR_DEVICE = "waits_for_device"
    """Nothing is missing but the device itself, which was never heard."""
    CONTESTED = "contested"
    """Somebody else brought as much."""
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
    """Device that used it before, or another one that alone may use it."""


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
    contested: bool = False
    """Whether somebody else, who waits as well, brought evidence that meets the policy."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What comes of a claim, and why."""

    outcome: Outcome
    reason: Reason
    sentence: str


_SERIOUS: Final = frozenset(
    {Evidence.DEVICE_KEY, Evidence.LABEL_CODE, Evidence.EMAIL, Evidence.VOUCHER, Evidence.STAFF}
)
"""Whoever brings one of these had the device or its box in hand, or somebody vouches for them: the owner
must hear of it."""

_HEARD: Final = frozenset({Life.ONBOARDED, Life.TRANSFERRED})
"""States of a device without an owner that has reported to the platform before."""

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
        return _refused(Reason.TOKEN_USED, f"This registration token is another device's. {_AGAIN}")
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
    return _wait_for_device(facts) or _settle_contest(facts) or _bound()


def _wait_for_device(facts: Facts) -> Decision | None:
    if facts.life in _HEARD or Evidence.DEVICE_KEY in facts.evidence:
        return None
    sentence = "All that it takes is there. The device becomes yours when it first reports to the platform."
    return Decision(Outcome.HELD, Reason.WAITS_FOR_DEVICE, sentence)


def _settle_contest(facts: Facts) -> Decision | None:
    """Let the device choose: it carries the token of whoever has it in hand. Being first is no evidence."""
    if not facts.contested or Evidence.SETUP_SESSION in facts.evidence:
        return None
    sentence = (
        "The claim is kept. Somebody else brought as much, so it takes the device itself: set it up "
        "with a token from your account, or wait for the maker's staff."
    )
    return Decision(Outcome.HELD, Reason.CONTESTED, sentence)


def _bound() -> Decision:
    return Decision(Outcome.BOUND, Reason.POLICY_MET, "This device is now yours.")


def _refused(reason: Reason, sentence: str) -> Decision:
    return Decision(Outcome.REFUSED, reason, sentence)
