"""Forged epochs cost a platform little, and lock no device out that is near."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.messaging import keys
from doorstep.messaging.allowance import NEAR, STEPS_A_MINUTE, Allowance
from doorstep.messaging.errors import Rejected, RejectReason
from doorstep.messaging.opener import MAX_AHEAD, Opener
from doorstep.messaging.sealer import DeviceSealer, DeviceState
from doorstep.messaging.state import SealedState

ROOT, KID, UP = bytes(range(32)), b"abcde", b"up/data"
MINUTE_US = 60_000_000


def message(boot: int, root: bytes = ROOT) -> bytes:
    return DeviceSealer(KID, DeviceState(keys.run_ahead(root, boot), boot)).seal(UP, b"x")


def reason(opener: Opener, sealed: bytes, now_us: int) -> RejectReason:
    with pytest.raises(Rejected) as caught:
        opener.open(sealed, UP, now_us)
    return caught.value.reason


def flooded() -> Opener:
    """A platform that forgers kept busy until it would run no further for them."""
    opener = Opener(KID, SealedState.first(ROOT))
    forged = message(MAX_AHEAD, root=bytes(32))
    tries = [reason(opener, forged, 0) for _ in range(STEPS_A_MINUTE // MAX_AHEAD + 3)]
    assert tries[0] is RejectReason.WRONG_TAG
    assert tries[-1] is RejectReason.EPOCH_TOO_FAR
    assert tries.count(RejectReason.WRONG_TAG) == STEPS_A_MINUTE // MAX_AHEAD
    return opener


@pytest.mark.parametrize("boot", [0, 1, NEAR])
def test_flood_of_forged_epochs_locks_no_near_device_out(boot: int) -> None:
    assert flooded().open(message(boot), UP, 0)[0] == boot


def test_device_far_ahead_waits_for_the_next_minute_of_a_flood() -> None:
    opener = flooded()
    assert reason(opener, message(NEAR + 1), MINUTE_US - 1) is RejectReason.EPOCH_TOO_FAR
    assert opener.open(message(NEAR + 1), UP, MINUTE_US)[0] == NEAR + 1


@given(st.lists(st.integers(1, MAX_AHEAD), max_size=200))
def test_far_epochs_never_cost_more_than_the_allowance(wishes: list[int]) -> None:
    allowance = Allowance()
    granted = [steps for steps in wishes if allowance.spend(steps, 0)]
    far = [steps for steps in granted if steps > NEAR]
    assert sum(far) <= STEPS_A_MINUTE
    assert [steps for steps in wishes if steps <= NEAR] == [steps for steps in granted if steps <= NEAR]


def test_clock_that_goes_back_begins_a_new_minute() -> None:
    allowance = Allowance()
    while allowance.spend(MAX_AHEAD, MINUTE_US):
        pass
    assert allowance.spend(MAX_AHEAD, 0)
