"""Advice as a document: what ``doorstep advise --json`` prints and the REST API answers."""

from typing import Any

from doorstep.identity.advice import Advice, MethodSet
from doorstep.identity.prices import ASSUMPTIONS, Cost, Prices
from doorstep.ownership.policy import needs, parse

__all__ = ["document"]


def document(advice: Advice, prices: Prices) -> dict[str, Any]:
    """Return advice as JSON values, with the prices that it counted with; money as decimal text."""
    return {
        "recommended": _set(advice.recommended),
        "reasons": advice.reasons,
        "cheaper": _set(advice.cheaper) if advice.cheaper else None,
        "stronger": _set(advice.stronger) if advice.stronger else None,
        "later": advice.later,
        "assumed": {
            price: {"cost": str(prices[price]), "what": says} for price, (_, says) in ASSUMPTIONS.items()
        },
    }


def _set(one: MethodSet) -> dict[str, Any]:
    return {
        "identity": one.identity.value,
        "onboarding": one.onboarding,
        "claim_policy": one.policy,
        "claim_needs": needs(parse(one.policy)),
        "cost": _cost(one.cost),
        "assurance": one.level,
        "risks": one.risks,
        "obstacles": one.obstacles,
        "available": one.available,
    }


def _cost(cost: Cost) -> dict[str, Any]:
    return {
        "low": str(cost.total.low),
        "high": str(cost.total.high),
        "lines": [
            {
                "what": line.what,
                "low": str(line.amount.low),
                "high": str(line.amount.high),
                "basis": line.basis,
            }
            for line in cost.lines
        ],
    }
