"""Decisions about claims, for every kind of case and for all at once."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.ownership.claims import Decision, Facts, Outcome, Reason, TokenFacts, decide
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.life import Life, Step, can
from doorstep.ownership.policy import evaluate, parse

_POLICY = parse("device_key & setup_session & (sale | label_code | staff)")
_ONLINE = frozenset({Evidence.DEVICE_KEY, Evidence.SETUP_SESSION})
_ENOUGH = _ONLINE | {Evidence.SALE}
_CASE = Facts(
    device="abcdefgh",
    life=Life.SOLD,
    blocked=False,
    owner=None,
    claimant=7,
    evidence=_ENOUGH,
    policy=_POLICY,
    token=TokenFacts(expires_at_us=1000),
)
_ON_PAPER = replace(
    _CASE,
    evidence=frozenset({Evidence.LABEL_CODE, Evidence.SALE}),
    policy=parse("label_code & sale"),
    token=None,
)
_EXPIRED = TokenFacts(expires_at_us=10)
_USED = TokenFacts(expires_at_us=10, used_by="abcdefgh")


@pytest.mark.parametrize(
    ("facts", "outcome", "reason"),
    [
        (_CASE, Outcome.BOUND, Reason.POLICY_MET),
        (replace(_CASE, token=None), Outcome.BOUND, Reason.POLICY_MET),
        (replace(_CASE, evidence=_ONLINE), Outcome.HELD, Reason.MORE_EVIDENCE_NEEDED),
        (replace(_CASE, owner=7, life=Life.OWNED), Outcome.ALREADY_YOURS, Reason.SAME_OWNER),
        (replace(_CASE, owner=8, life=Life.OWNED), Outcome.DISPUTED, Reason.OTHER_OWNER),
        (replace(_CASE, owner=8, life=Life.OWNED, evidence=_ONLINE), Outcome.DISPUTED, Reason.OTHER_OWNER),
        (
            replace(_CASE, owner=8, life=Life.OWNED, evidence=frozenset({Evidence.LABEL_CODE}), token=None),
            Outcome.DISPUTED,
            Reason.OTHER_OWNER,
        ),
        (
            replace(_CASE, owner=8, evidence=frozenset({Evidence.STAFF}), policy=parse("staff"), token=None),
            Outcome.DISPUTED,
            Reason.OTHER_OWNER,
        ),
        (
            replace(_CASE, owner=8, evidence=frozenset({Evidence.ORDER_REF}), token=None),
            Outcome.REFUSED,
            Reason.OTHER_OWNER,
        ),
        (replace(_CASE, blocked=True), Outcome.REFUSED, Reason.BLOCKED),
        (replace(_CASE, life=Life.SCRAPPED), Outcome.REFUSED, Reason.OUT_OF_SERVICE),
        (replace(_CASE, life=Life.RETURNED), Outcome.REFUSED, Reason.OUT_OF_SERVICE),
        (replace(_CASE, token=TokenFacts(1000, used_by="zzzzzzzz")), Outcome.REFUSED, Reason.TOKEN_USED),
        (replace(_CASE, token=_EXPIRED), Outcome.REFUSED, Reason.TOKEN_EXPIRED),
        (replace(_CASE, token=_USED), Outcome.HELD, Reason.TOKEN_EXPIRED),
        (replace(_CASE, token=_USED, owner=7, life=Life.OWNED), Outcome.ALREADY_YOURS, Reason.SAME_OWNER),
        (replace(_CASE, token=_USED, owner=8, life=Life.OWNED), Outcome.REFUSED, Reason.TOKEN_EXPIRED),
        (replace(_CASE, token=_USED, evidence=_ONLINE), Outcome.HELD, Reason.MORE_EVIDENCE_NEEDED),
        (_ON_PAPER, Outcome.HELD, Reason.WAITS_FOR_DEVICE),
        (replace(_ON_PAPER, life=Life.ONBOARDED), Outcome.BOUND, Reason.POLICY_MET),
        (replace(_ON_PAPER, life=Life.TRANSFERRED), Outcome.BOUND, Reason.POLICY_MET),
        (replace(_ON_PAPER, life=Life.ONBOARDED, contested=True), Outcome.HELD, Reason.CONTESTED),
        (replace(_CASE, contested=True), Outcome.BOUND, Reason.POLICY_MET),
    ],
)
def test_case_is_decided(facts: Facts, outcome: Outcome, reason: Reason) -> None:
    decision = decide(facts, now_us=20)
    assert (decision.outcome, decision.reason) == (outcome, reason)
    assert decision.sentence


_cases = st.builds(
    Facts,
    device=st.just("abcdefgh"),
    life=st.sampled_from(Life),
    blocked=st.booleans(),
    owner=st.sampled_from([None, 7, 8]),
    claimant=st.just(7),
    evidence=st.frozensets(st.sampled_from(Evidence)),
    policy=st.sampled_from([_POLICY, parse("sale"), parse("staff | device_key")]),
    token=st.none()
    | st.builds(TokenFacts, st.integers(0, 40), st.sampled_from([None, "abcdefgh", "zzzzzzzz"])),
    contested=st.booleans(),
)


@given(_cases)
def test_nobody_takes_a_device_without_meeting_its_policy(facts: Facts) -> None:
    """Bound only: a free, usable device, a fresh token of its own or none, and evidence that suffices."""
    decision: Decision = decide(facts, now_us=20)
    if decision.outcome is Outcome.BOUND:
        assert facts.owner is None
        assert not facts.blocked
        assert evaluate(facts.policy, facts.evidence)
        assert can(facts.life, Step.BIND) or Evidence.DEVICE_KEY in facts.evidence
        assert not facts.contested or Evidence.SETUP_SESSION in facts.evidence
        token = facts.token
        assert token is None or (token.expires_at_us > 20 and token.used_by in {None, facts.device})


@given(_cases)
def test_only_the_owner_hears_that_the_device_is_theirs(facts: Facts) -> None:
    decision = decide(facts, now_us=20)
    assert (decision.outcome is Outcome.ALREADY_YOURS) <= (facts.owner == facts.claimant)
    assert (decision.outcome is Outcome.DISPUTED) <= (facts.owner not in {None, facts.claimant})
