"""More damage or budget never gives a weaker method, and every product gets an answer that is true today."""

import dataclasses
import enum
import itertools
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.identity.advice import Advice, advise
from doorstep.identity.assurance import ASSURANCE, IdentityMethod
from doorstep.identity.methods import AVAILABLE, NEEDS, ONBOARDING_RISKS, REACHES, OnboardingMethod, name_of
from doorstep.identity.prices import ASSUMED, Price, Range
from doorstep.identity.situation import Chip, Control, Damage, Sales, Situation
from doorstep.ownership.evidence import Evidence
from doorstep.ownership.policy import evaluate, parse

THERMOMETER: Final = Situation(
    damage=Damage.DATA,
    price=Decimal(40),
    budget=Decimal(1),
    units=50_000,
    chip=Chip.TLS,
    sales=Sales.WHOLESALE,
    can_scan=True,
    control=Control.NONE,
    line_online=True,
)
EVERYTHING: Final = frozenset({*IdentityMethod, *OnboardingMethod})
GATHERED: Final = [Evidence.DEVICE_KEY, Evidence.SETUP_SESSION, Evidence.LABEL_CODE, Evidence.SALE]
"""What registration gathers today."""

amounts = st.decimals(min_value=0, max_value=5000, places=3)
ranges = st.builds(lambda one, other: Range(min(one, other), max(one, other)), amounts, amounts)
prices = st.just(ASSUMED) | st.fixed_dictionaries(dict.fromkeys(Price, ranges))
situations = st.builds(
    Situation,
    damage=st.sampled_from(Damage),
    price=amounts,
    budget=st.decimals(min_value=0, max_value=3, places=2) | amounts,
    units=st.integers(1, 1_000_000),
    chip=st.sampled_from(Chip),
    sales=st.sampled_from(Sales),
    can_scan=st.booleans(),
    control=st.sampled_from(Control),
    line_online=st.booleans(),
)
offers = st.just(AVAILABLE) | st.frozensets(st.sampled_from(sorted(EVERYTHING, key=str)))


def strength(advice: Advice) -> int:
    return list(IdentityMethod).index(advice.recommended.identity)


def of(**changes: Any) -> Advice:
    return advise(dataclasses.replace(THERMOMETER, **changes))


@given(situations, st.sampled_from(Damage), prices, offers)
def test_more_damage_never_gives_a_weaker_method(
    situation: Situation, other: Damage, costs: Mapping[Price, Range], offer: frozenset[enum.Enum]
) -> None:
    less, more = sorted((situation.damage, other), key=lambda damage: damage.rank)
    ends = [advise(dataclasses.replace(situation, damage=damage), costs, offer) for damage in (less, more)]
    assert strength(ends[0]) <= strength(ends[1])


@given(situations, amounts, prices, offers)
def test_more_budget_never_gives_a_weaker_method(
    situation: Situation, other: Decimal, costs: Mapping[Price, Range], offer: frozenset[enum.Enum]
) -> None:
    budgets = sorted((situation.budget, other))
    ends = [advise(dataclasses.replace(situation, budget=budget), costs, offer) for budget in budgets]
    assert strength(ends[0]) <= strength(ends[1])


@given(situations, prices, offers)
def test_advice_is_whole_for_every_product(
    situation: Situation, costs: Mapping[Price, Range], offer: frozenset[enum.Enum]
) -> None:
    advice = advise(situation, costs, offer)
    sets = [one for one in (advice.cheaper, advice.recommended, advice.stronger) if one]
    for one in sets:
        policy = parse(one.policy)
        assert evaluate(policy, list(Evidence))
        assert one.level is ASSURANCE[one.identity].level
        assert ASSURANCE[one.identity].residual_risk in one.risks
        assert one.available == (one.identity in offer and one.onboarding in offer)
        assert one.available or "Doorstep can't do it yet." in one.obstacles
    assert advice.reasons
    if advice.cheaper:
        assert advice.cheaper.cost.total.high < advice.recommended.cost.total.high
    if advice.stronger:
        assert strength(advice) < list(IdentityMethod).index(advice.stronger.identity)


@given(situations)
def test_advice_takes_what_the_platform_does_whenever_the_chip_can(situation: Situation) -> None:
    advice = advise(situation)
    assert advice.recommended.available == (situation.chip is not Chip.NO_CRYPTO)


@pytest.mark.parametrize("can_scan", [True, False])
@pytest.mark.parametrize("sales", Sales)
@pytest.mark.parametrize(("less", "more"), list(itertools.pairwise(Damage)))
def test_more_damage_never_makes_a_claim_easier(
    less: Damage, more: Damage, sales: Sales, *, can_scan: bool
) -> None:
    easy, hard = (
        parse(of(damage=damage, sales=sales, can_scan=can_scan).recommended.policy) for damage in (less, more)
    )
    for size in range(len(Evidence) + 1):
        for evidence in itertools.combinations(Evidence, size):
            assert evaluate(easy, evidence) >= evaluate(hard, evidence)


@pytest.mark.parametrize("method", IdentityMethod)
def test_rules_have_a_row_and_a_reason_for_everything(method: IdentityMethod) -> None:
    assert NEEDS.keys() == set(Damage)
    assert REACHES.keys() == set(Chip)
    assert ONBOARDING_RISKS.keys() == set(OnboardingMethod)
    assert [needed for needed, _ in NEEDS.values()] == list(IdentityMethod)
    assert all(why.endswith(".") for _, why in NEEDS.values())
    assert name_of(method) == method.value.replace("_", " ")


WHOLE_PLATFORM: Final = {
    Damage.NUISANCE: IdentityMethod.HARDWARE_ID,
    Damage.SERVICE: IdentityMethod.CLAIM_CODE,
    Damage.DATA: IdentityMethod.CERTIFICATE,  # costs what a symmetric key costs, and is stronger
    Damage.CONTROL: IdentityMethod.CERTIFICATE,
    Damage.SAFETY: IdentityMethod.SECURE_ELEMENT,
}


@pytest.mark.parametrize("damage", Damage)
def test_platform_that_does_everything_gives_the_cheapest_that_suffices(damage: Damage) -> None:
    rich = dataclasses.replace(THERMOMETER, damage=damage, budget=Decimal(100))
    recommended = advise(rich, available=EVERYTHING).recommended
    assert recommended.identity is WHOLE_PLATFORM[damage]
    assert recommended.obstacles == ()


@pytest.mark.parametrize(
    ("changes", "policy"),
    [
        ({}, "device_key & setup_session & (sale | label_code | staff)"),
        ({"damage": Damage.CONTROL}, "device_key & setup_session & (sale | label_code | staff)"),
        (
            {"damage": Damage.CONTROL, "sales": Sales.DIRECT},
            "device_key & setup_session & (sale | staff)",
        ),
        ({"damage": Damage.SAFETY}, "device_key & setup_session & (sale | staff)"),
        ({"can_scan": False}, "device_key & setup_session & (sale | staff)"),
    ],
)
def test_policy_follows_damage_sales_and_sight(changes: dict[str, Any], policy: str) -> None:
    recommended = of(**changes).recommended
    assert recommended.policy == policy
    assert evaluate(parse(policy), GATHERED)
    photo = evaluate(parse(policy), [Evidence.LABEL_CODE])
    assert not photo


def test_methods_without_a_key_get_policies_without_one() -> None:
    bare = dataclasses.replace(THERMOMETER, chip=Chip.NO_CRYPTO, damage=Damage.NUISANCE)
    first = advise(bare)
    assert first.recommended.identity is IdentityMethod.CLAIM_CODE or first.cheaper is None
    policies = {one.identity: one.policy for one in (first.recommended, first.cheaper, first.stronger) if one}
    assert policies[IdentityMethod.HARDWARE_ID] == "setup_session & (sale | staff)"
    assert policies[IdentityMethod.CLAIM_CODE] == "setup_session & label_code"
    strict = advise(dataclasses.replace(bare, damage=Damage.SAFETY)).recommended
    assert strict.policy == "setup_session & label_code & (sale | staff)"


def test_customers_without_sight_get_one_touch_where_the_platform_can() -> None:
    blind = dataclasses.replace(THERMOMETER, can_scan=False, control=Control.BUTTON)
    today = advise(blind)
    without = advise(blind, available={IdentityMethod.CERTIFICATE, OnboardingMethod.PROTOCOMM_SEC2})
    assert without.recommended.onboarding is OnboardingMethod.PROTOCOMM_SEC2
    assert any("sealed-credentials" in text for text in without.later)
    assert today.recommended.onboarding is OnboardingMethod.SEALED_CREDENTIALS
    assert not any("sealed-credentials" in text for text in today.later)


def test_secure_element_on_the_board_costs_no_part() -> None:
    bought = advise(dataclasses.replace(THERMOMETER, damage=Damage.SAFETY))
    fitted = advise(dataclasses.replace(THERMOMETER, damage=Damage.SAFETY, chip=Chip.SECURE_ELEMENT))
    assert bought.stronger
    assert fitted.stronger
    difference = bought.stronger.cost.total.high - fitted.stronger.cost.total.high
    assert difference == ASSUMED[Price.ELEMENT_PART].high


def test_advice_names_what_speaks_against_it() -> None:
    advice = of(damage=Damage.SAFETY, budget=Decimal(0), line_online=False, sales=Sales.WHOLESALE)
    obstacles = " ".join(advice.recommended.obstacles)
    assert "weaker than this damage asks for: secure element" in obstacles
    assert "more than your budget" in obstacles
    assert any("offline line" in risk for risk in advice.recommended.risks)
    assert any("waits until your staff" in risk for risk in advice.recommended.risks)
    assert advice.stronger
    assert advice.stronger.identity is IdentityMethod.CERTIFICATE
    small = of(chip=Chip.AES)
    assert small.recommended.identity is IdentityMethod.SYMMETRIC_KEY
    assert small.stronger
    assert any("another chip" in text for text in small.stronger.obstacles)
    assert small.stronger.available
    assert small.stronger.onboarding is OnboardingMethod.PROTOCOMM_SEC2
    assert small.recommended.onboarding is OnboardingMethod.MICRO_AP


def test_advice_says_when_less_would_be_enough() -> None:
    advice = of(damage=Damage.NUISANCE)
    assert advice.recommended.identity is IdentityMethod.CERTIFICATE
    assert any("stronger than that" in reason for reason in advice.reasons)
    assert any("enough and cheaper" in text for text in advice.later)
    rich = dataclasses.replace(THERMOMETER, damage=Damage.SAFETY, budget=Decimal(9))
    without = advise(rich, available=AVAILABLE - {IdentityMethod.SECURE_ELEMENT})
    assert any("would be better" in text for text in without.later)


def test_budget_pays_what_costs_exactly_as_much() -> None:
    rich = dataclasses.replace(THERMOMETER, damage=Damage.SAFETY, budget=Decimal(100))
    cost = advise(rich, available=EVERYTHING).recommended.cost.total.high
    exact, short = (
        advise(dataclasses.replace(rich, budget=cost - gap), available=EVERYTHING).recommended.identity
        for gap in (Decimal(0), Decimal("0.001"))
    )
    assert exact is IdentityMethod.SECURE_ELEMENT
    assert short is IdentityMethod.CERTIFICATE
