import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import SettingsError
from doorstep.onboarding.wps.pin import FAIR, check_pin, generate_pin


def test_check_digit_is_that_of_the_specification() -> None:
    # 1234567 is the specification's own example: its check digit is 0.
    assert check_pin("12345670") == "12345670"
    assert generate_pin(lambda _size: (1234567).to_bytes(4)) == "12345670"


@given(st.binary(min_size=4, max_size=4).filter(lambda drawn: int.from_bytes(drawn) < FAIR))
def test_drawn_pin_holds(drawn: bytes) -> None:
    pin = generate_pin(lambda _size: drawn)
    assert check_pin(f"{pin[:4]} {pin[4:]}") == check_pin(f"{pin[:4]}-{pin[4:]}") == pin


def test_draw_beyond_the_last_fair_one_is_drawn_again() -> None:
    draws = [b"\xff" * 4, bytes(4)]
    assert generate_pin(lambda _size: draws.pop(0)) == "00000000"


@given(st.integers(0, 9_999_999), st.integers(0, 7), st.integers(1, 9))
def test_one_mistyped_digit_is_found(number: int, place: int, change: int) -> None:
    pin = generate_pin(lambda _size: number.to_bytes(4))
    wrong = pin[:place] + str((int(pin[place]) + change) % 10) + pin[place + 1 :]
    with pytest.raises(SettingsError, match="mistyped"):
        check_pin(wrong)


FULL_WIDTH = "\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff10"


@pytest.mark.parametrize("text", ["", "1234567", "123456700", "1234567x", FULL_WIDTH])
def test_what_has_no_eight_digits_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="8 digits"):
        check_pin(text)
