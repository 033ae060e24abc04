import pytest

from doorstep.onboarding.failures import TooManyGuesses
from doorstep.onboarding.guesses import FREE_GUESSES, LONG_CODE, SHORT_CODE, GuessBook, GuessLimit


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
    assert waits[-1] == LONG_CODE.longest_wait


def test_short_code_waits_up_to_an_hour() -> None:
    limit, waits = GuessLimit(policy=SHORT_CODE), []
    for _ in range(30):
        limit = limit.after_wrong(now=0.0)
        waits.append(limit.until)
    assert waits[3:12] == [0, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert waits[-1] == 3600


def test_count_outlives_a_power_cut_and_its_wait_begins_anew() -> None:
    kept: list[int] = []
    book = GuessBook(GuessLimit(policy=SHORT_CODE), kept.append)
    for _ in range(6):
        book.count(now=1000.0)
    assert kept == [1, 2, 3, 4, 5, 6]
    again = GuessBook(GuessLimit.resumed(kept[-1], 3.0, SHORT_CODE), kept.append)
    with pytest.raises(TooManyGuesses) as caught:
        again.check(now=4.0)
    assert caught.value.wait == 119
    again.check(now=123.0)
    again.count(now=123.0)
    assert kept[-1] == 7


def test_count_that_cannot_be_kept_is_not_taken_for_kept() -> None:
    def full(_wrong: int) -> None:
        raise OSError("no space")

    book = GuessBook(keep=full)
    with pytest.raises(OSError, match="no space"):
        book.count(0.0)
    assert book.limit.wrong == 0


def test_right_code_forgives_and_writes_only_where_there_was_something() -> None:
    kept: list[int] = []
    book = GuessBook(GuessLimit(policy=SHORT_CODE), kept.append)
    book.clear()
    book.count(0.0)
    book.clear()
    assert kept == [1, 0]
    assert book.limit == GuessLimit(policy=SHORT_CODE)


def test_board_without_a_memory_counts_all_the_same() -> None:
    book = GuessBook()
    for _ in range(5):
        book.count(0.0)
    with pytest.raises(TooManyGuesses):
        book.check(1.0)
