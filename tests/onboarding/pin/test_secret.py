import pytest

from doorstep.errors import SettingsError
from doorstep.onboarding.failures import TooManyGuesses, WrongCode
from doorstep.onboarding.guesses import LONG_CODE, SHORT_CODE, GuessBook, GuessLimit
from doorstep.onboarding.pin.secret import CodeJudge, guess_policy, make_pin, pin_label, read_pin
from doorstep.onboarding.protocomm.credentials import Sec1Code
from tests.onboarding.helpers import CREDENTIALS, counted_rng

MADE = make_pin(counted_rng(b"pin"))


def test_pin_has_eight_digits_and_its_own_user_name() -> None:
    assert len(MADE.pop) == 8
    assert MADE.pop.isdecimal()
    assert MADE.username == "pin"


def test_pin_is_drawn_without_preference() -> None:
    drawn = [
        b"\x01" * 16,
        b"\xff\xff\xff\xff",
        (4_294_967_295 // 100_000_000 * 100_000_000).to_bytes(4),
        bytes(4),
    ]
    made = make_pin(lambda _size: drawn.pop(0))
    assert made.pop == "00000000"


@pytest.mark.parametrize("typed", ["12345678", " 1234 5678\n", "1234-5678"])
def test_pin_is_read_as_people_type_it(typed: str) -> None:
    assert read_pin(typed) == "12345678"
    label = pin_label(typed)
    assert (label.username, label.pop, label.security) == ("pin", "12345678", 2)


@pytest.mark.parametrize("typed", ["", "1234567", "123456789", "1234567a", "١٢٣٤٥٦٧٨"])
def test_anything_else_is_no_pin(typed: str) -> None:
    with pytest.raises(SettingsError, match="8 digits"):
        read_pin(typed)


def test_pin_is_guessed_slowly_and_a_long_code_is_not() -> None:
    assert guess_policy(MADE.for_device()) is SHORT_CODE
    assert guess_policy(CREDENTIALS.for_device()) is LONG_CODE
    assert guess_policy(Sec1Code("12345678")) is LONG_CODE


def test_judge_of_typed_codes_counts_and_forgives() -> None:
    kept: list[int] = []
    book = GuessBook(GuessLimit(policy=SHORT_CODE), kept.append)
    judge = CodeJudge(CREDENTIALS.for_device(), book)
    with pytest.raises(WrongCode):
        judge.check(b"wrong", 0.0)
    judge.check(b" " + CREDENTIALS.pop.upper().encode() + b"\n", 0.0)
    assert kept == [1, 0]
    for _ in range(5):
        with pytest.raises(WrongCode):
            judge.check(b"\xff", 0.0)
    with pytest.raises(TooManyGuesses):
        judge.check(CREDENTIALS.pop.encode(), 59.0)
    judge.check(CREDENTIALS.pop.encode(), 60.0)
