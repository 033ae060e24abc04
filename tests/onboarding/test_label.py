import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorstep.errors import DoorstepError, MalformedMessage, SettingsError
from doorstep.onboarding.label import SetupLabel, Transport

GOOD = {"ver": "v1", "name": "PROV_1", "username": "doorstep", "pop": "abc", "transport": "softap"}


def test_label_prints_user_name_and_security_explicitly() -> None:
    text = SetupLabel("PROV_1", "doorstep", "abc").encode()
    assert json.loads(text) == GOOD | {"security": 2, "network": "wifi"}


def test_label_comes_back() -> None:
    label = SetupLabel("PROV_1", "doorstep", "abc", Transport.BLE, 2, "access point", "thread")
    assert SetupLabel.decode(label.encode()) == label


def test_label_without_security_means_two_as_apps_assume() -> None:
    assert SetupLabel.decode(json.dumps(GOOD)).security == 2


def test_typed_code_pins_what_our_labels_pin() -> None:
    label = SetupLabel.typed(" ABC 7def ")
    assert (label.username, label.pop, label.security) == ("doorstep", "abc7def", 2)
    assert label.transport is Transport.SOFTAP


def test_label_of_old_board_needs_no_user_name() -> None:
    old = {"ver": "v1", "name": "PROV_1", "pop": "abc", "transport": "ble", "security": 1}
    assert SetupLabel.decode(json.dumps(old)) == SetupLabel("PROV_1", "", "abc", Transport.BLE, 1)


BAD = {
    "no JSON": "hello",
    "no object": "[1]",
    "too long": json.dumps(GOOD | {"pop": "a" * 1100}),
    "unknown entry": json.dumps(GOOD | {"extra": "1"}),
    "no name": json.dumps({"ver": "v1", "transport": "ble"}),
    "no version": json.dumps({"name": "x", "transport": "ble"}),
    "other version": json.dumps(GOOD | {"ver": "v2"}),
    "unknown transport": json.dumps(GOOD | {"transport": "pigeon"}),
    "security as text": json.dumps(GOOD | {"security": "2"}),
    "security as truth": json.dumps(GOOD | {"security": True}),
    "name as number": json.dumps(GOOD | {"name": 1}),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_reader_refuses_text_that_is_no_label(text: str) -> None:
    with pytest.raises(MalformedMessage):
        SetupLabel.decode(text)


USELESS: dict[str, Mapping[str, object]] = {
    "security 3": GOOD | {"security": 3},
    "unknown network": GOOD | {"network": "lora"},
    "security 2 without user name": GOOD | {"username": ""},
    "security 2 without code": GOOD | {"pop": ""},
    "security 1 without code": GOOD | {"pop": "", "security": 1},
    "empty name": GOOD | {"name": ""},
    "name longer than an SSID": GOOD | {"name": "n" * 33},
    "endless password": GOOD | {"password": "p" * 65},
}


@pytest.mark.parametrize("values", USELESS.values(), ids=USELESS)
def test_reader_refuses_useless_label(values: Mapping[str, object]) -> None:
    with pytest.raises(SettingsError):
        SetupLabel.decode(json.dumps(values))


def test_label_keeps_secrets_out_of_its_repr() -> None:
    shown = repr(SetupLabel("PROV_1", "doorstep", "s3cret", password="other s3cret"))
    assert "s3cret" not in shown


@given(
    st.text(max_size=60) | st.dictionaries(st.sampled_from(sorted(GOOD)), st.text(max_size=5)).map(json.dumps)
)
def test_reader_gives_label_or_documented_error(text: str) -> None:
    try:
        SetupLabel.decode(text)
    except DoorstepError:
        return


def test_label_carries_the_fingerprint_of_the_set_up_server() -> None:
    label = SetupLabel("PROV_1", "doorstep", "abc", fingerprint="0f" * 32)
    assert SetupLabel.decode(label.encode()) == label
    assert "fingerprint" not in SetupLabel("PROV_1", "doorstep", "abc").encode()


def test_label_carries_the_out_of_band_data_of_its_bluetooth() -> None:
    label = SetupLabel("PROV_1", "doorstep", "abc", oob="A" * 52)
    assert SetupLabel.decode(label.encode()) == label
    assert "A" * 52 not in repr(label)
    assert "oob" not in SetupLabel("PROV_1", "doorstep", "abc").encode()


@pytest.mark.parametrize("fingerprint", ["0f" * 31, "0F" * 32, "0f:" * 32, "zz" * 32])
def test_label_with_another_fingerprint_is_refused(fingerprint: str) -> None:
    with pytest.raises(SettingsError, match="64 lower-case"):
        SetupLabel("PROV_1", "doorstep", "abc", fingerprint=fingerprint)


def test_wifi_code_names_the_access_point_and_its_key() -> None:
    assert SetupLabel("PROV_1", "doorstep", "abc").encode_wifi() == "WIFI:T:nopass;S:PROV_1;;"
    odd = SetupLabel('a;b:c,d"e\\', "doorstep", "abc", password="k;ey:12345")
    assert odd.encode_wifi() == 'WIFI:T:WPA;P:k\\;ey\\:12345;S:a\\;b\\:c\\,d\\"e\\\\;;'
