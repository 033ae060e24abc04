import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import SettingsError
from doorstep.onboarding.ble.oob import OobSecret
from doorstep.onboarding.ble.pairing import (
    KINDS,
    IoCapability,
    KeyQuality,
    Paired,
    PairingFailed,
    PairingKind,
    PairingPolicy,
    PairingTooWeak,
    judge_pairing,
    new_passkey,
    policy_of,
)
from doorstep.onboarding.methods import METHODS
from tests.onboarding.helpers import counted_rng

SECRET = OobSecret.generate(counted_rng(b"oob"))
QUALITIES = [KeyQuality(authenticated, secure) for authenticated in (False, True) for secure in (False, True)]
STRONG = KeyQuality(authenticated=True, secure_connections=True)
POSSIBLE = {
    PairingKind.NONE: {*IoCapability},
    PairingKind.JUST_WORKS: {*IoCapability},
    PairingKind.PASSKEY: {
        IoCapability.DISPLAY,
        IoCapability.DISPLAY_AND_BUTTON,
        IoCapability.DISPLAY_AND_KEYBOARD,
    },
    PairingKind.NUMERIC_COMPARISON: {IoCapability.DISPLAY_AND_BUTTON, IoCapability.DISPLAY_AND_KEYBOARD},
    PairingKind.OUT_OF_BAND: {*IoCapability},
}
DEMANDS_MORE = {PairingKind.PASSKEY, PairingKind.NUMERIC_COMPARISON, PairingKind.OUT_OF_BAND}


def _policy(kind: PairingKind, board: IoCapability = IoCapability.DISPLAY_AND_BUTTON) -> PairingPolicy:
    return PairingPolicy(kind, board, SECRET if kind is PairingKind.OUT_OF_BAND else None)


@pytest.mark.parametrize("kind", PairingKind)
@pytest.mark.parametrize("board", IoCapability)
def test_policy_that_the_board_cannot_keep_is_refused_at_start(
    kind: PairingKind, board: IoCapability
) -> None:
    if board in POSSIBLE[kind]:
        assert _policy(kind, board).kind is kind
        return
    with pytest.raises(SettingsError, match=f"demands pairing by {kind.value}, but its board has"):
        _policy(kind, board)


def test_out_of_band_data_and_demand_go_together() -> None:
    with pytest.raises(SettingsError, match="holds no secret"):
        PairingPolicy(PairingKind.OUT_OF_BAND)
    for kind in (PairingKind.NONE, PairingKind.JUST_WORKS):
        with pytest.raises(SettingsError, match="holds an out-of-band secret"):
            PairingPolicy(kind, oob=SECRET)


@pytest.mark.parametrize("kind", PairingKind)
@pytest.mark.parametrize("quality", QUALITIES)
def test_key_alone_decides(kind: PairingKind, quality: KeyQuality) -> None:
    verdict = judge_pairing(_policy(kind), quality)
    if kind in DEMANDS_MORE and quality != STRONG:
        assert verdict == PairingTooWeak(kind, quality)
        assert kind.value in verdict.sentence
    else:
        assert verdict == Paired(quality)
        assert verdict.sentence


def test_each_kind_says_what_it_demands() -> None:
    for kind in PairingKind:
        policy = _policy(kind)
        assert policy.demands_key is (kind is not PairingKind.NONE)
        assert policy.demands_authenticated_key is (kind in DEMANDS_MORE)
    assert _policy(PairingKind.PASSKEY).shown_as is IoCapability.DISPLAY
    assert _policy(PairingKind.NUMERIC_COMPARISON).shown_as is IoCapability.DISPLAY_AND_BUTTON
    assert _policy(PairingKind.OUT_OF_BAND).shown_as is IoCapability.NOTHING
    assert "try again" in PairingFailed(PairingKind.PASSKEY).sentence


STRONGEST = {
    "nothing": ((), IoCapability.DISPLAY, None, PairingKind.NONE),
    "another method": (("protocomm-sec2-ble",), IoCapability.DISPLAY, None, PairingKind.NONE),
    "just works": (("ble-just-works",), IoCapability.NOTHING, None, PairingKind.JUST_WORKS),
    "passkey of two": (("ble-numeric", "ble-passkey"), IoCapability.DISPLAY, None, PairingKind.PASSKEY),
    "comparison of two": (
        ("ble-passkey", "ble-numeric"),
        IoCapability.DISPLAY_AND_BUTTON,
        None,
        PairingKind.NUMERIC_COMPARISON,
    ),
    "data before a passkey": (
        ("ble-passkey", "ble-oob"),
        IoCapability.DISPLAY,
        SECRET,
        PairingKind.OUT_OF_BAND,
    ),
    "passkey without data": (("ble-passkey", "ble-oob"), IoCapability.DISPLAY, None, PairingKind.PASSKEY),
    "secret that no method uses": (("ble-passkey",), IoCapability.DISPLAY, SECRET, PairingKind.PASSKEY),
}


@pytest.mark.parametrize(("methods", "board", "oob", "kind"), STRONGEST.values(), ids=STRONGEST)
def test_product_gets_the_strongest_that_its_board_can_keep(
    methods: tuple[str, ...], board: IoCapability, oob: OobSecret | None, kind: PairingKind
) -> None:
    assert policy_of(methods, board, oob).kind is kind


def test_every_method_of_pairing_has_its_kind() -> None:
    assert KINDS.keys() == {key for key in METHODS if key.startswith("ble-")}


@pytest.mark.parametrize("method", ["ble-passkey", "ble-numeric", "ble-oob"])
def test_product_whose_board_can_keep_none_is_refused(method: str) -> None:
    with pytest.raises(SettingsError):
        policy_of((method,), IoCapability.NOTHING)


@given(st.binary(min_size=4, max_size=4).filter(lambda drawn: drawn < b"\xff\xff\x00\x00"))
def test_passkey_has_six_digits_and_is_never_zero(drawn: bytes) -> None:
    assert 1 <= new_passkey(lambda _size: drawn) <= 999_999


def test_passkey_is_drawn_again_where_it_would_favour_some() -> None:
    drawn = iter([b"\xff\xff\xff\xff", b"\x00\x00\x00\x00"])
    assert new_passkey(lambda _size: next(drawn)) == 1
