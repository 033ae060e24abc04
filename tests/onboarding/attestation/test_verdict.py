from dataclasses import replace

import pytest

from doorstep.onboarding.attestation.verdict import RESIDUAL_RISK, Facts, Owner, Sale, judge

GOOD = Facts(
    sale=Sale.YOURS,
    sold_elsewhere=False,
    owner=Owner.NOBODY,
    blocked=False,
    usable=True,
    presence=True,
    releases_code=True,
)
REFUSED = {
    "blocked": replace(GOOD, blocked=True),
    "belongs to somebody else": replace(GOOD, owner=Owner.ANOTHER),
    "taken out of use": replace(GOOD, usable=False),
    "sold to somebody else": replace(GOOD, sale=Sale.UNKNOWN, sold_elsewhere=True),
}


@pytest.mark.parametrize("words", REFUSED)
def test_platform_refuses_a_device_and_says_why(words: str) -> None:
    verdict = judge(REFUSED[words])
    assert (verdict.may_set_up, verdict.may_have_code) == (False, False)
    assert words in verdict.sentence


WELCOMED = {
    "sold to you": GOOD,
    "through a dealer": replace(GOOD, sale=Sale.WHOLESALER),
    "don't know who bought it": replace(GOOD, sale=Sale.UNKNOWN),
    "yours already": replace(GOOD, owner=Owner.YOURS),
}


@pytest.mark.parametrize("words", WELCOMED)
def test_platform_welcomes_a_device_and_says_what_it_knows(words: str) -> None:
    verdict = judge(WELCOMED[words])
    assert verdict.may_set_up
    assert words in verdict.sentence


def test_code_takes_a_touch_a_product_that_releases_it_and_no_owner() -> None:
    assert judge(GOOD).may_have_code
    for less in (
        replace(GOOD, presence=False),
        replace(GOOD, releases_code=False),
        replace(GOOD, owner=Owner.YOURS),
    ):
        assert not judge(less).may_have_code


def test_risk_is_stated() -> None:
    assert "genuine device of their own" in RESIDUAL_RISK
