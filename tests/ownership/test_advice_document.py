"""Advice as JSON says what the advice says, and money survives it exactly."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given

from doorstep.identity.advice import Advice, MethodSet, advise
from doorstep.identity.prices import ASSUMED
from doorstep.identity.situation import Situation
from doorstep.ownership.advice_document import document
from doorstep.ownership.policy import needs, parse
from tests.identity.test_advice import EVERYTHING, THERMOMETER, situations


@given(situations)
def test_document_says_what_the_advice_says(situation: Situation) -> None:
    _holds(advise(situation))
    _holds(advise(situation, available=EVERYTHING))


def test_document_says_where_nothing_is_cheaper_or_stronger() -> None:
    said = _holds(Advice(advise(THERMOMETER).recommended, (), None, None, ()))
    assert (said["cheaper"], said["stronger"]) == (None, None)


def _holds(advice: Advice) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(json.dumps(document(advice, ASSUMED)))
    for name in ("recommended", "cheaper", "stronger"):
        one: MethodSet | None = getattr(advice, name)
        assert (said[name] is None) is (one is None)
        if one is not None:
            assert said[name]["identity"] == one.identity.value
            assert said[name]["claim_needs"] == needs(parse(one.policy))
            assert Decimal(said[name]["cost"]["high"]) == one.cost.total.high
            assert [line["what"] for line in said[name]["cost"]["lines"]] == [
                line.what for line in one.cost.lines
            ]
    assert {name: one["cost"] for name, one in said["assumed"].items()} == {
        price: str(amount) for price, amount in ASSUMED.items()
    }
    return said
