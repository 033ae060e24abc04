"""Two connections with one client id do not push each other out for ever."""

from doorstep.broker import duplicates
from doorstep.broker.duplicates import (
    ALLOWED,
    FIRST_HOLD_US,
    LONGEST_HOLD_US,
    WINDOW_US,
    Duplicates,
)

SECOND = 1_000_000


def test_device_that_left_a_dead_connection_behind_is_let_in() -> None:
    judge = Duplicates()
    for number in range(10):
        assert judge.hold_us("a", another_is_open=True, now_us=number * WINDOW_US // ALLOWED + 1) == 0


def test_device_without_another_connection_never_waits() -> None:
    judge = Duplicates()
    assert all(judge.hold_us("a", another_is_open=False, now_us=n) == 0 for n in range(100))


def test_younger_connection_is_put_off_and_longer_each_time() -> None:
    judge, now, holds = Duplicates(), 0, []
    for _ in range(8):
        while (hold := judge.hold_us("a", another_is_open=True, now_us=now)) == 0:
            now += SECOND
        holds.append(hold)
        assert judge.hold_us("a", another_is_open=True, now_us=now + SECOND) == hold - SECOND
        now += hold
    assert holds[:3] == [FIRST_HOLD_US, 2 * FIRST_HOLD_US, 4 * FIRST_HOLD_US]
    assert holds[-1] == LONGEST_HOLD_US


def test_one_device_does_not_put_another_off() -> None:
    judge = Duplicates()
    for _ in range(ALLOWED + 1):
        judge.hold_us("a", another_is_open=True, now_us=0)
    assert judge.hold_us("b", another_is_open=True, now_us=0) == 0


def test_old_quarrel_is_forgotten() -> None:
    judge = Duplicates()
    for _ in range(ALLOWED + 1):
        judge.hold_us("a", another_is_open=True, now_us=0)
    later = duplicates._CALM_US + 1
    assert [judge.hold_us("a", another_is_open=True, now_us=later) for _ in range(ALLOWED)] == [0] * ALLOWED


def test_memory_is_bounded() -> None:
    judge = Duplicates()
    for number in range(duplicates._MOST_KNOWN + 10):
        judge.hold_us(str(number), another_is_open=True, now_us=0)
    assert len(judge._known) <= duplicates._MOST_KNOWN
