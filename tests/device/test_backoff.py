import os

from hypothesis import given
from hypothesis import strategies as st

from doorstep.device.backoff import ASK_BLOCKED, BROKER, NETWORK, PLATFORM, Backoff, renewal_time_us


def highest(count: int) -> bytes:
    return b"\xff" * count


def lowest(count: int) -> bytes:
    return bytes(count)


@given(failures=st.integers(0, 10**6), draw=st.binary(min_size=4, max_size=4))
def test_wait_stays_between_its_least_and_longest(failures: int, draw: bytes) -> None:
    for backoff in (NETWORK, PLATFORM, BROKER, ASK_BLOCKED):
        bound = backoff.bound_s(failures)
        assert bound * backoff.least <= backoff.wait_s(failures, lambda _: draw) <= bound
        assert backoff.first_s <= bound <= backoff.longest_s


def test_bound_doubles_up_to_the_longest() -> None:
    assert [Backoff(1, 10).bound_s(failures) for failures in range(7)] == [1, 1, 2, 4, 8, 10, 10]


def test_jitter_is_full() -> None:
    assert Backoff(8, 8).wait_s(1, lowest) == 0
    assert 7.99 < Backoff(8, 8).wait_s(1, highest) < 8
    assert Backoff(8, 8, least=0.5).wait_s(1, lowest) == 4


def test_a_fleet_does_not_come_back_in_step() -> None:
    waits = {round(NETWORK.wait_s(9, os.urandom), 3) for _ in range(100)}
    assert len(waits) > 90


@given(start=st.integers(0, 2**52), lifetime=st.integers(1, 2**45))
def test_renewal_is_due_at_two_thirds(start: int, lifetime: int) -> None:
    due = renewal_time_us(start, start + lifetime)
    assert 3 * (due - start) <= 2 * lifetime < 3 * (due - start + 1)
