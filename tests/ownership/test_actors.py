"""Actors: who acted, and for whom."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import MalformedMessage
from doorstep.ownership.actors import organisation_of, program_for, user_for

_NUMBER = st.integers(1, 2**53)


@given(_NUMBER, _NUMBER)
def test_user_acts_for_the_organisation_that_is_named(number: int, organisation: int) -> None:
    assert organisation_of(user_for(number, organisation)) == organisation
    assert organisation_of(program_for(f"dk{number}", organisation)) == organisation


@pytest.mark.parametrize("actor", ["operator", "platform", "device:abcdefgh", "user:3"])
def test_others_act_for_no_organisation(actor: str) -> None:
    assert organisation_of(actor) is None


@pytest.mark.parametrize("organisation", ["", "x", "0", "-1", "1@2", "\u0661"])
def test_malformed_organisation_is_refused(organisation: str) -> None:
    with pytest.raises(MalformedMessage, match="after @"):
        organisation_of(f"user:3@{organisation}")
