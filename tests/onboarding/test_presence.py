import pytest

from doorstep.errors import IllegalTransition, MisuseError
from doorstep.onboarding.presence import (
    LONGEST_WINDOW,
    SHORTEST_WINDOW,
    WALK_TIME,
    WINDOW,
    NobodyPairing,
    PairingOverlap,
    PairingWatch,
    PresenceMissing,
    PresenceWindow,
    WindowEvent,
    WindowState,
    advance,
)


def test_button_opens_a_window_that_closes_by_itself() -> None:
    window = PresenceWindow()
    assert window.open_number(0) is None
    window.press(10)
    assert window.open_number(10 + WINDOW - 0.1) == 1
    assert window.open_number(10 + WINDOW) is None
    window.press(500)
    assert window.open_number(501) == 2


def test_pressing_again_starts_the_time_again() -> None:
    window = PresenceWindow(SHORTEST_WINDOW)
    window.press(0)
    window.press(100)
    assert window.open_number(SHORTEST_WINDOW + 50) == 2


def test_window_is_used_once() -> None:
    window = PresenceWindow()
    with pytest.raises(PresenceMissing):
        window.use(0)
    window.press(0)
    window.use(1)
    assert window.open_number(2) is None
    with pytest.raises(PresenceMissing):
        window.use(2)


@pytest.mark.parametrize("seconds", [SHORTEST_WINDOW - 1, LONGEST_WINDOW + 1])
def test_window_is_two_to_five_minutes(seconds: float) -> None:
    with pytest.raises(MisuseError):
        PresenceWindow(seconds)


def test_closed_window_neither_expires_nor_is_used() -> None:
    for event in (WindowEvent.EXPIRE, WindowEvent.USE):
        with pytest.raises(IllegalTransition):
            advance(WindowState.CLOSED, event)


def test_second_device_in_the_presence_window_stops_the_set_up() -> None:
    watch = PairingWatch()
    watch.saw("lamp one", 0)
    assert watch.only_one(1) == "lamp one"
    watch.saw("lamp two", 60)
    with pytest.raises(PairingOverlap, match="lamp one, lamp two") as refusal:
        watch.only_one(61)
    assert "one device only" in refusal.value.next_step
    with pytest.raises(PairingOverlap):
        watch.only_one(WALK_TIME - 0.1)
    assert watch.only_one(WALK_TIME) == "lamp two"


def test_nobody_pairing_is_said() -> None:
    watch = PairingWatch()
    with pytest.raises(NobodyPairing):
        watch.only_one(0)
    watch.saw("lamp", 0)
    with pytest.raises(NobodyPairing):
        watch.only_one(WALK_TIME)


def test_watch_keeps_no_more_names_than_its_cap() -> None:
    watch = PairingWatch()
    for number in range(200):
        watch.saw(f"lamp {number:03}", 0)
    with pytest.raises(PairingOverlap, match="64 devices"):
        watch.only_one(1)
