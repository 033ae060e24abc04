"""Which identity, onboarding method and claim policy fit a product: why, what they cost, what risk is left.

The order of `IdentityMethod` is the order of strength. One rule chooses: of the methods that the platform
offers and the chip can do, the cheapest that the damage asks for and the budget pays (the stronger of two
that cost the same); if there is none, the strongest that the budget pays; if there is none, the weakest.
So more damage or more budget never leads to a weaker method.
"""

import enum
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from doorstep.identity.assurance import ASSURANCE, AssuranceLevel, IdentityMethod
from doorstep.identity.methods import AVAILABLE, NEEDS, ONBOARDING_RISKS, REACHES, OnboardingMethod, name_of
from doorstep.identity.prices import ASSUMED, Cost, CostLine, Price, Prices
from doorstep.identity.situation import Chip, Control, Damage, Sales, Situation

__all__ = ["Advice", "MethodSet", "advise", "cost_of"]


_SIGNING: Final = frozenset({IdentityMethod.CERTIFICATE, IdentityMethod.SECURE_ELEMENT})
_KEYED: Final = _SIGNING | {IdentityMethod.SYMMETRIC_KEY}
_BY_RECORD: Final = "sale | staff"
_BY_RECORD_OR_CODE: Final = "sale | label_code | staff"


@dataclass(frozen=True, slots=True)
class MethodSet:
    """An identity method with the onboarding method and claim policy that go with it."""

    identity: IdentityMethod
    onboarding: OnboardingMethod
    policy: str
    """Text for ``doorstep.ownership.policy``."""
    cost: Cost
    level: AssuranceLevel
    risks: tuple[str, ...]
    """What an attacker can still do."""
    obstacles: tuple[str, ...]
    """What speaks against it here; none when it fits."""
    available: bool
    """Whether the platform does it today."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A recommendation with its reasons and its neighbours."""

    recommended: MethodSet
    reasons: tuple[str, ...]
    cheaper: MethodSet | None
    """The strongest that costs less; None when nothing does."""
    stronger: MethodSet | None
    """The next method up; None at the top."""
    later: tuple[str, ...]
    """What would fit better and the platform can't do yet."""


def advise(
    situation: Situation,
    prices: Prices = ASSUMED,
    available: Collection[enum.Enum] = AVAILABLE,
) -> Advice:
    """Recommend a set for every situation, even one that nothing fits: then its obstacles say so."""
    sets = [_set(method, situation, prices, available) for method in IdentityMethod]
    chosen = _choose(sets, situation, available)
    dear = chosen.cost.total.high
    cheaper = [one for one in sets if one.cost.total.high < dear and _reachable(one.identity, situation.chip)]
    stronger = [one for one in sets if _strength(one.identity) > _strength(chosen.identity)]
    return Advice(
        chosen,
        reasons=_reasons(chosen, situation),
        cheaper=max(cheaper, key=lambda one: _strength(one.identity), default=None),
        stronger=stronger[0] if stronger else None,
        later=_later(chosen, _choose(sets, situation, frozenset(IdentityMethod)), situation),
    )


def _strength(method: IdentityMethod) -> int:
    return list(IdentityMethod).index(method)


def _reachable(method: IdentityMethod, chip: Chip) -> bool:
    return _strength(method) <= _strength(REACHES[chip][0])


def _choose(sets: list[MethodSet], situation: Situation, available: Collection[enum.Enum]) -> MethodSet:
    """Apply the rule of this module's docstring; without any available method, to all the chip can do."""
    reachable = [one for one in sets if _reachable(one.identity, situation.chip)]
    offered = [one for one in reachable if one.identity in available] or reachable
    paid = [one for one in offered if one.cost.total.high <= situation.budget]
    need = _strength(NEEDS[situation.damage][0])
    enough = [one for one in paid if _strength(one.identity) >= need]
    if enough:
        return min(enough, key=lambda one: (one.cost.total.high, -_strength(one.identity)))
    return paid[-1] if paid else offered[0]


def _set(
    method: IdentityMethod, situation: Situation, prices: Prices, available: Collection[enum.Enum]
) -> MethodSet:
    onboarding = _onboarding(method, situation, available)
    cost = cost_of(method, situation, prices)
    is_available = method in available and onboarding in available
    return MethodSet(
        identity=method,
        onboarding=onboarding,
        policy=_policy(method, situation),
        cost=cost,
        level=ASSURANCE[method].level,
        risks=_risks(method, onboarding, situation),
        obstacles=_obstacles(method, cost, situation, is_available=is_available),
        available=is_available,
    )


def _best_onboarding(method: IdentityMethod, situation: Situation) -> tuple[OnboardingMethod, str]:
    if not (method in _SIGNING or _reachable(IdentityMethod.CERTIFICATE, situation.chip)):
        return (
            OnboardingMethod.MICRO_AP,
            "The chip can't do a key exchange, so its access point has a password.",
        )
    if not situation.can_scan and situation.control is not Control.NONE:
        return (
            OnboardingMethod.SEALED_CREDENTIALS,
            "Customers who can't see a label touch the device once, and read nothing.",
        )
    return (
        OnboardingMethod.PROTOCOMM_SEC2,
        "The set-up code on the label keeps listeners and false devices out, with one guess per try.",
    )


def _onboarding(
    method: IdentityMethod, situation: Situation, available: Collection[enum.Enum]
) -> OnboardingMethod:
    best, _ = _best_onboarding(method, situation)
    if best is OnboardingMethod.SEALED_CREDENTIALS and best not in available:
        return OnboardingMethod.PROTOCOMM_SEC2
    return best


def cost_of(method: IdentityMethod, situation: Situation, prices: Prices) -> Cost:
    """Return what the method, with its label, adds to one device."""
    lines = [CostLine.part("label", prices[Price.LABEL])]
    if method is IdentityMethod.HARDWARE_ID:
        lines.append(
            CostLine.work("reading the hardware id", prices[Price.SCAN_SECONDS], prices[Price.LINE_HOUR])
        )
    else:
        lines.append(CostLine.part("claim code", prices[Price.CLAIM_CODE]))
    if method in _KEYED:
        lines += [
            CostLine.work("writing the key", prices[Price.KEY_SECONDS], prices[Price.LINE_HOUR]),
            CostLine.once("start with keys", prices[Price.KEY_START], situation.units),
        ]
    if method is IdentityMethod.SECURE_ELEMENT:
        lines += _element(situation, prices)
    return Cost(tuple(lines))


def _element(situation: Situation, prices: Prices) -> list[CostLine]:
    fitted = situation.chip is Chip.SECURE_ELEMENT
    part = [] if fitted else [CostLine.part("secure element", prices[Price.ELEMENT_PART])]
    return [
        *part,
        CostLine.work("testing the element", prices[Price.ELEMENT_SECONDS], prices[Price.LINE_HOUR]),
        CostLine.once("start with elements", prices[Price.ELEMENT_START], situation.units),
    ]


def _who_decides(situation: Situation) -> tuple[str, str]:
    """Return the policy's second half and why; the first rule that fits."""
    if situation.damage is Damage.SAFETY:
        return (
            _BY_RECORD,
            "Where people can be hurt, a code that somebody else may have scratched never decides.",
        )
    if situation.damage is Damage.CONTROL and situation.sales is Sales.DIRECT:
        return _BY_RECORD, "Your records name every customer, so no code on paper needs to decide."
    if not situation.can_scan:
        return _BY_RECORD, "Customers who can't read a code are known by your records or by your staff."
    return _BY_RECORD_OR_CODE, "Where your records end, the scratch-off code speaks for the buyer."


def _policy(method: IdentityMethod, situation: Situation) -> str:
    decides, _ = _who_decides(situation)
    if method is IdentityMethod.HARDWARE_ID:
        return f"setup_session & ({_BY_RECORD})"
    if method is IdentityMethod.CLAIM_CODE:
        code_decides = decides == _BY_RECORD_OR_CODE
        return "setup_session & label_code" + ("" if code_decides else f" & ({_BY_RECORD})")
    return f"device_key & setup_session & ({decides})"


def _risks(method: IdentityMethod, onboarding: OnboardingMethod, situation: Situation) -> tuple[str, ...]:
    risks = [ASSURANCE[method].residual_risk, ONBOARDING_RISKS[onboarding]]
    if method in _KEYED and _who_decides(situation)[0] == _BY_RECORD_OR_CODE:
        risks.append(
            "Who has the box in hand before its buyer can scratch the code and claim the device; the buyer's "
            "claim then opens a dispute, which your staff decide."
        )
    elif situation.sales is Sales.WHOLESALE and _BY_RECORD in _policy(method, situation):
        risks.append(
            "A wholesaler's customer whom your records don't name waits until your staff confirm the claim."
        )
    if method in _KEYED and method is not IdentityMethod.SECURE_ELEMENT and not situation.line_online:
        risks.append(
            "Keys for an offline line travel in a folder; who copies it has the secrets of the batch."
        )
    if situation.chip is Chip.AES:
        risks.append(
            "Who has the flash of one old board, if you let boards in the field go on with AES-CBC and "
            "HMAC-SHA1: such a product is marked insecure until they seal."
        )
    return tuple(risks)


def _obstacles(
    method: IdentityMethod, cost: Cost, situation: Situation, *, is_available: bool
) -> tuple[str, ...]:
    obstacles = []
    needed, _ = NEEDS[situation.damage]
    if _strength(method) < _strength(needed):
        obstacles.append(f"It is weaker than this damage asks for: {name_of(needed)}.")
    if not _reachable(method, situation.chip):
        obstacles.append(f"It needs another chip: {REACHES[situation.chip][1]}.")
    over = cost.total.high - situation.budget
    if over > 0:
        obstacles.append(f"It may cost {over.normalize():f} more than your budget for each device.")
    if not is_available:
        obstacles.append("Doorstep can't do it yet.")
    return tuple(obstacles)


def _reasons(chosen: MethodSet, situation: Situation) -> tuple[str, ...]:
    needed, why = NEEDS[situation.damage]
    reasons = [why]
    if _strength(chosen.identity) > _strength(needed):
        reasons.append(
            f"A {name_of(chosen.identity)} is stronger than that; of what is offered and suffices, "
            "nothing costs less."
        )
    best, how = _best_onboarding(chosen.identity, situation)
    if best is chosen.onboarding:
        reasons.append(how)
    return (*reasons, _who_decides(situation)[1])


def _later(chosen: MethodSet, ideal: MethodSet, situation: Situation) -> tuple[str, ...]:
    later = []
    if ideal.identity is not chosen.identity:
        better = "enough and cheaper" if _strength(ideal.identity) < _strength(chosen.identity) else "better"
        later.append(f"As identity, a {name_of(ideal.identity)} would be {better}; Doorstep can't do it yet.")
    best, why = _best_onboarding(chosen.identity, situation)
    if best is not chosen.onboarding:
        later.append(
            f"{why} That is {name_of(best)}, which Doorstep can't do yet; "
            "until then somebody reads the code out."
        )
    return tuple(later)
