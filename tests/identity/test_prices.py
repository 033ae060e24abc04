"""Ranges are read strictly, rounded outwards and added up."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.identity.prices import (
    ASSUMED,
    ASSUMPTIONS,
    BadPrice,
    Cost,
    CostLine,
    Price,
    Range,
    parse_range,
    replace_assumed,
)

BAD_RANGES = {
    "nothing": "",
    "a word": "cheap",
    "negative": "-1",
    "upside down": "2..1",
    "three ends": "1..2..3",
    "an open end": "1..",
    "a comma": "0,5",
    "scientific": "1e3",
    "no number": "nan",
    "other digits": "\u0661",
    "too much": "9999999999",
    "a little too much": "0..1000000.1",
    "too fine": "0.1234567",
}


@pytest.mark.parametrize("name", BAD_RANGES)
def test_reader_refuses_what_is_no_range(name: str) -> None:
    with pytest.raises(BadPrice) as caught:
        parse_range(BAD_RANGES[name])
    assert caught.value.next_step


@pytest.mark.parametrize("ends", [("NaN", "1"), ("0", "Infinity"), ("-1", "1")])
def test_range_refuses_impossible_ends(ends: tuple[str, str]) -> None:
    with pytest.raises(BadPrice):
        Range(Decimal(ends[0]), Decimal(ends[1]))


def test_maker_replaces_assumed_prices() -> None:
    assert replace_assumed(["label=0.5"]) == {**ASSUMED, Price.LABEL: parse_range("0.5")}
    with pytest.raises(BadPrice, match="gold"):
        replace_assumed(["gold=1"])


amounts = st.decimals(min_value=0, max_value=1000, places=2)


@given(amounts, amounts)
def test_range_survives_writing_and_reading(one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))
    assert parse_range(f"{low} .. {high}") == Range(low, high)
    assert parse_range(str(Range(low, high)).replace(" to ", "..")) == Range(low, high)
    assert parse_range(f"{low}") == Range(low, low)


@given(amounts, amounts, st.integers(1, 10_000))
def test_rounding_keeps_the_truth_inside(one: Decimal, other: Decimal, units: int) -> None:
    low, high = sorted((one, other))
    line = CostLine.once("start", Range(low, high), units)
    assert line.amount.low <= low / units
    assert line.amount.high >= high / units
    assert str(units) in line.basis


def test_cost_is_the_sum_of_lines_that_say_their_basis() -> None:
    part = CostLine.part("label", parse_range("0.02..0.06"))
    work = CostLine.work("writing", parse_range("2..10"), parse_range("36"))
    assert work.amount == Range(Decimal("0.02"), Decimal("0.1"))
    assert (part.basis, work.basis) == ("0.02 to 0.06 each", "2 to 10 seconds at 36 an hour")
    assert Cost((part, work)).total == Range(Decimal("0.04"), Decimal("0.16"))


def test_every_price_has_an_assumption_and_words() -> None:
    assert ASSUMPTIONS.keys() == ASSUMED.keys() == set(Price)
    assert all(says for _, says in ASSUMPTIONS.values())


def test_percentage_of_the_price_is_rounded_outwards() -> None:
    cost = Cost((CostLine.part("label", parse_range("0.02..0.06")),))
    assert cost.percent_of(Decimal(30)) == Range(Decimal("0.0"), Decimal("0.2"))
    assert cost.percent_of(Decimal(0)) is None
