"""Answers that no product has are refused, and every answer has plain words."""

import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from doorstep.identity.situation import (
    PRICE_CAP,
    QUESTIONS,
    UNITS_CAP,
    WORDS,
    BadSituation,
    Chip,
    Control,
    Damage,
    Sales,
    Situation,
)

GOOD: dict[str, Any] = {
    "damage": Damage.DATA,
    "price": Decimal(40),
    "budget": Decimal(1),
    "units": 1,
    "chip": Chip.TLS,
    "sales": Sales.DIRECT,
    "can_scan": True,
    "control": Control.NONE,
    "line_online": True,
}

BAD_ANSWERS: dict[str, dict[str, Any]] = {
    "negative price": {"price": Decimal(-1)},
    "endless price": {"price": Decimal("Infinity")},
    "price that is no number": {"price": Decimal("NaN")},
    "price over its cap": {"price": PRICE_CAP + 1},
    "negative budget": {"budget": Decimal("-0.01")},
    "budget finer than money": {"budget": Decimal("0.00001")},
    "price that is almost nothing": {"price": Decimal("1e-999")},
    "no devices": {"units": 0},
    "too many devices": {"units": UNITS_CAP + 1},
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_situation_refuses(name: str) -> None:
    Situation(**GOOD)
    with pytest.raises(BadSituation) as caught:
        Situation(**GOOD | BAD_ANSWERS[name])
    assert caught.value.next_step


def test_every_field_has_a_question_and_every_answer_words() -> None:
    assert list(QUESTIONS) == [field.name for field in dataclasses.fields(Situation)]
    assert WORDS.keys() == {*Damage, *Chip, *Sales, *Control}


def test_damage_is_ordered() -> None:
    assert [damage.rank for damage in Damage] == [0, 1, 2, 3, 4]
