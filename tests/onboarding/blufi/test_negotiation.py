import pytest

from doorstep.onboarding.blufi.frames import ErrorCode, FrameRefused
from doorstep.onboarding.blufi.negotiation import (
    SUITES,
    Suite,
    announced_length,
    answer,
    offer,
    open_offer,
)

OLD, NEW = SUITES
SECRETS = {suite.group.size: (b"\x11" * suite.group.size, b"\x22" * suite.group.size) for suite in SUITES}


@pytest.mark.parametrize(("suite", "key_size"), [(OLD, 16), (NEW, 32)], ids=["before 1.4", "since"])
def test_both_sides_reach_one_key(suite: Suite, key_size: int) -> None:
    app, device = SECRETS[suite.group.size]
    announcement, parameters = offer(suite, app)
    length = announced_length(announcement)
    assert length is not None
    chosen, public = open_offer(parameters, length)
    assert chosen is suite
    theirs, key = answer(suite, device, public)
    assert suite.key(app, theirs) == key
    assert len(key) == key_size


def test_version_decides_the_suite() -> None:
    assert [Suite.of(version) for version in ((1, 2), (1, 3), (1, 4), (2, 0))] == [OLD, OLD, NEW, NEW]


def test_old_parameters_have_the_length_of_stock_apps() -> None:
    announcement, parameters = offer(OLD, SECRETS[128][0])
    assert announcement == b"\x00\x01\x07"
    assert len(parameters) == 1 + 263
    assert announced_length(parameters) is None


@pytest.mark.parametrize("content", [b"\x00", b"\x00\x00\x00", b"\x00\x08\x01", b"\x00\x01\x07\x01"])
def test_device_refuses_a_length_that_cannot_be(content: bytes) -> None:
    with pytest.raises(FrameRefused) as caught:
        announced_length(content)
    assert caught.value.code is ErrorCode.PARAMETERS


GOOD = offer(OLD, SECRETS[128][0])[1]
LENGTH = len(GOOD) - 1
WITHOUT_LAST = GOOD[:-1]
BAD = {
    "longer than announced": (GOOD + b"x", LENGTH, ErrorCode.PARAMETERS),
    "shorter than announced": (WITHOUT_LAST, LENGTH, ErrorCode.PARAMETERS),
    "nothing": (b"", LENGTH, ErrorCode.PARAMETERS),
    "no parameters": (b"\x02" + GOOD[1:], LENGTH, ErrorCode.PARAMETERS),
    "a public value that runs over the end": (WITHOUT_LAST, LENGTH - 1, ErrorCode.READ_PARAMETERS),
    "something behind it": (GOOD + b"x", LENGTH + 1, ErrorCode.READ_PARAMETERS),
    "a field of the attacker's choice": (GOOD[:3] + b"\xff" + GOOD[4:], LENGTH, ErrorCode.READ_PARAMETERS),
    "another generator": (GOOD.replace(b"\x00\x01\x02", b"\x00\x01\x01"), LENGTH, ErrorCode.READ_PARAMETERS),
    "a prime beyond the end": (b"\x01\xff\xff" + GOOD[3:], LENGTH, ErrorCode.READ_PARAMETERS),
}


@pytest.mark.parametrize(("content", "length", "code"), BAD.values(), ids=BAD)
def test_device_refuses_parameters(content: bytes, length: int, code: ErrorCode) -> None:
    with pytest.raises(FrameRefused) as caught:
        open_offer(content, length)
    assert caught.value.code is code


@pytest.mark.parametrize("value", [0, 1, OLD.group.prime - 1])
def test_device_refuses_a_public_value_that_gives_the_key_away(value: int) -> None:
    with pytest.raises(FrameRefused) as caught:
        answer(OLD, SECRETS[128][1], value.to_bytes(128))
    assert caught.value.code is ErrorCode.PUBLIC_VALUE
