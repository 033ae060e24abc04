from hashlib import sha256
from hmac import digest
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.identity import claim_code
from doorstep.identity.claim_code import ALPHABET, CODE_LENGTH, ClaimCode, MalformedClaimCode

codes = st.binary(min_size=8, max_size=8).map(lambda drawn: claim_code.generate(lambda _: drawn))


@given(codes)
def test_person_types_code_as_printed(code: ClaimCode) -> None:
    assert claim_code.parse(code.printed) == code
    assert len(code.symbols) == CODE_LENGTH


@given(codes, st.data())
def test_person_types_code_in_any_manner(code: ClaimCode, data: st.DataObject) -> None:
    typed = "".join(
        data.draw(st.sampled_from(["", " ", "-", "\t"])) + data.draw(st.sampled_from(_ways_to_type(symbol)))
        for symbol in code.symbols
    )
    assert claim_code.parse(f" {typed}\n") == code


def _ways_to_type(symbol: str) -> str:
    return symbol + symbol.lower() + {"0": "Oo", "1": "IiLl"}.get(symbol, "")


@given(codes, st.integers(0, CODE_LENGTH - 1))
def test_check_character_catches_every_wrong_character(code: ClaimCode, at: int) -> None:
    for wrong in set(ALPHABET) - {code.symbols[at]}:
        with pytest.raises(MalformedClaimCode, match="check character"):
            claim_code.parse(code.symbols[:at] + wrong + code.symbols[at + 1 :])


@given(codes)
def test_check_character_catches_every_swap(code: ClaimCode) -> None:
    for one, other in combinations(range(CODE_LENGTH), 2):
        swapped = list(code.symbols)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        if swapped != list(code.symbols):
            with pytest.raises(MalformedClaimCode, match="check character"):
                claim_code.parse("".join(swapped))


def test_codes_have_sixty_random_bits() -> None:
    seen = {
        claim_code.generate(lambda _, bit=bit: (1 << bit).to_bytes(8, "big")).symbols  # type: ignore[misc]
        for bit in range(60)
    }
    assert len(seen) == 60
    assert len(ALPHABET) ** (CODE_LENGTH - 1) == 2**60


def test_code_of_known_bits_is_known() -> None:
    code = claim_code.generate(lambda _: bytes.fromhex("0123456789abcdef"))
    assert code.printed == "FFKQ-T4YC-5T82-M"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "13 characters"),
        ("FFKQ-T4YC-5T82", "this has 12"),
        ("FFKQ-T4YC-5T82-MM", "this has 14"),
        ("FFKQ-T4YC-5T8U-M", "character 12"),
        ("ÄFKQ-T4YC-5T82-M", "character 1 "),
        ("F" * 10_000, "13 characters"),
    ],
)
def test_core_refuses_what_is_no_code(typed: str, reason: str) -> None:
    with pytest.raises(MalformedClaimCode, match=reason) as caught:
        claim_code.parse(typed)
    assert "label" in caught.value.next_step


def test_refusal_never_repeats_the_code() -> None:
    with pytest.raises(MalformedClaimCode) as caught:
        claim_code.parse("FFKQ-T4YC-5T82-J")
    assert "FFKQ" not in str(caught.value) + caught.value.next_step


def test_code_never_shows_in_repr() -> None:
    code = claim_code.generate(bytes)
    assert code.symbols not in repr(code)


@given(codes, st.binary(min_size=32, max_size=32))
def test_platform_finds_code_by_its_hash(code: ClaimCode, pepper: bytes) -> None:
    expected = digest(pepper, b"doorstep claim code 1\x00" + code.symbols.encode(), sha256)
    assert code.hash(pepper) == expected
    assert code.hash(pepper + b"x") != expected


@given(codes)
def test_weighted_sum_over_gf_32_is_zero(code: ClaimCode) -> None:
    """Recompute the sum with logarithms instead of shifts, as another implementation would."""
    powers = [1]
    while len(powers) < 31:
        doubled = powers[-1] * 2
        powers.append(doubled if doubled < 32 else doubled ^ 37)
    total = 0
    for place, symbol in enumerate(reversed(code.symbols)):
        number = ALPHABET.index(symbol)
        if number:
            total ^= powers[(powers.index(number) + place) % 31]
    assert total == 0
