"""Codes that devices show."""

import itertools
import os
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.identity.user_code import ALPHABET, CODE_LENGTH, MalformedUserCode, UserCode, generate, parse


@given(st.text(ALPHABET, min_size=CODE_LENGTH, max_size=CODE_LENGTH))
def test_person_types_a_code_as_they_like(symbols: str) -> None:
    code = UserCode(symbols)
    for typed in (code.shown, code.shown.lower(), f" {symbols[:2]} {symbols[2:]} "):
        assert parse(typed) == code


@pytest.mark.parametrize("text", ["", "WDJB-MJH", "WDJB-MJHTT", "WDJA-MJHT", "WDJB-MJH1", "W" * 400])
def test_typed_text_that_is_no_code_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(MalformedUserCode) as caught:
        parse(text)
    assert not text or text not in str(caught.value)


def test_every_letter_is_as_likely_and_bytes_that_would_bias_are_thrown_away() -> None:
    drawn = itertools.cycle([bytes(range(250, 256)) + bytes([0, 19]), bytes(range(20, 28))])
    assert generate(lambda _: next(drawn)).symbols == "BZ" + ALPHABET[:6]
    seen = Counter(letter for _ in range(200) for letter in generate(os.urandom).symbols)
    assert set(seen) == set(ALPHABET)


def test_hash_needs_the_pepper() -> None:
    code = UserCode("WDJBMJHT")
    assert code.hash(b"one") != code.hash(b"other")
    assert len(code.hash(b"one")) == 32
