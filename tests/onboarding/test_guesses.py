import pytest

from doorstep.onboarding.failures import TooManyGuesses
from doorstep.onboarding.guesses import FREE_GUESSES, LONGEST_WAIT, GuessLimit


def test_five_wrong_codes_are_free_but_the_fifth_costs_a_wait() -> None:
    limit = GuessLimit()
    for _ in range(FREE_GUESSES):
        limit.check(now=100.0)
        limit = limit.after_wrong(now=100.0)
    with pytest.raises(TooManyGuesses) as caught:
        limit.check(now=101.5)
    assert caught.value.wait == 4
    limit.check(now=105.0)


def test_wait_grows_to_its_longest_and_no_further() -> None:
    limit, waits = GuessLimit(), []
    for _ in range(40):
        limit = limit.after_wrong(now=0.0)
        waits.append(limit.until)
    assert waits[:7] == [0, 0, 0, 0, 5, 10, 20]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT
