"""A failed job is tried again ever more rarely, and then given up."""

from hypothesis import given
from hypothesis import strategies as st

from doorstep.server.jobs.retry import MOST_ATTEMPTS, next_attempt_us

DAY_US = 86_400 * 1_000_000


@given(st.integers(1, MOST_ATTEMPTS - 1), st.integers(0, 2**60))
def test_delay_grows_up_to_hours(attempts: int, now_us: int) -> None:
    again_us = next_attempt_us(attempts, now_us)
    assert again_us is not None
    assert 15_000_000 <= again_us - now_us <= 4 * 3600 * 1_000_000
    later = next_attempt_us(attempts + 1, now_us)
    assert later is None or later >= again_us


def test_job_is_given_up_after_more_than_a_day() -> None:
    now_us = 0
    for attempts in range(1, MOST_ATTEMPTS):
        now_us = next_attempt_us(attempts, now_us) or 0
    assert DAY_US < now_us < 2 * DAY_US
    assert next_attempt_us(MOST_ATTEMPTS, now_us) is None
