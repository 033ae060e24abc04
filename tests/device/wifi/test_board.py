"""A board's radio from settings, and settings that contradict themselves."""

import sys
from pathlib import Path

import pytest

from doorstep.device.wifi.access_point import AccessPointPlan
from doorstep.device.wifi.board import AccessPointMode, Backend, RadioSettings
from doorstep.device.wifi.hostnetwork import HostNetwork
from doorstep.device.wifi.one_radio import OneRadio
from doorstep.device.wifi.wpa_supplicant import WpaSupplicantStation
from doorstep.errors import SettingsError, UnavailableError
from doorstep.identity.provisioning import Provisioning
from doorstep.onboarding.access_point import access_point_key


def test_host_has_no_radio_to_share(made: Provisioning) -> None:
    radio = RadioSettings().build(made)
    assert isinstance(radio.station, HostNetwork)
    assert not radio.is_shared


def test_station_alone_has_no_door(made: Provisioning) -> None:
    radio = RadioSettings(Backend.WPA_SUPPLICANT, "wlan0", control=Path("/nowhere")).build(made)
    assert isinstance(radio.station, WpaSupplicantStation)
    assert not radio.is_shared


@pytest.mark.parametrize("backend", [Backend.WPA_SUPPLICANT, Backend.NETWORKMANAGER])
def test_access_point_shares_the_radio(made: Provisioning, backend: Backend) -> None:
    settings = RadioSettings(backend, "wlan0", AccessPointMode.WPA2)
    radio = settings.build(made)
    assert isinstance(radio.station, OneRadio)
    assert radio.is_shared
    plan = settings.plan(made)
    assert (plan.ssid, plan.key) == (
        made.setup.service_name.encode(),
        access_point_key(made.setup.verifier).encode(),
    )
    assert access_point_key(made.setup.verifier) not in repr(plan)
    assert RadioSettings(backend, "wlan0", AccessPointMode.OPEN).plan(made).key == b""


@pytest.mark.parametrize(
    ("backend", "interface", "mode"),
    [
        (Backend.WPA_SUPPLICANT, "", AccessPointMode.NONE),
        (Backend.NETWORKMANAGER, "", AccessPointMode.OPEN),
        (Backend.HOST, "wlan0", AccessPointMode.NONE),
        (Backend.HOST, "", AccessPointMode.WPA2),
    ],
)
def test_settings_that_contradict_themselves_are_refused(
    backend: Backend, interface: str, mode: AccessPointMode
) -> None:
    with pytest.raises(SettingsError) as refusal:
        RadioSettings(backend, interface, mode)
    assert refusal.value.next_step


def test_missing_library_is_named(made: Provisioning, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "doorstep.device.wifi.networkmanager", None)
    with pytest.raises(UnavailableError) as refusal:
        RadioSettings(Backend.NETWORKMANAGER, "wlan0").build(made)
    assert "doorstep[wifi]" in refusal.value.next_step


@pytest.mark.parametrize(
    "plan",
    [
        {"ssid": b""},
        {"ssid": b"PROV_x", "key": b"short"},
        {"ssid": b"PROV_x", "channel": 12},
        {"ssid": b"PROV_x", "portal": "https://\xfc"},
    ],
)
def test_access_point_that_cannot_be_is_refused(plan: dict[str, bytes]) -> None:
    with pytest.raises(SettingsError):
        AccessPointPlan(**plan)  # type: ignore[arg-type] # the table has all kinds
