import pytest

from doorstep.onboarding.dpp.driver import DriverConfiguration
from doorstep.onboarding.network import NetworkCredentials
from doorstep.wire.wpa_control import ControlEvent

PASSPHRASE = ControlEvent("DPP-CONFOBJ-PASS", b"correct horse".hex())


def hear(*events: ControlEvent) -> NetworkCredentials | None:
    configuration, network = DriverConfiguration(), None
    for event in events:
        network = configuration.hear(event)
    return network


RECEIVED = ControlEvent("DPP-CONF-RECEIVED")
SSID = ControlEvent("DPP-CONFOBJ-SSID", r"caf\xc3\xa8")


def test_driver_tells_network_and_password() -> None:
    assert hear(RECEIVED, SSID, PASSPHRASE) == NetworkCredentials("cafè".encode(), b"correct horse")


def test_driver_tells_network_and_key() -> None:
    key = ControlEvent("DPP-CONFOBJ-PSK", "0a" * 32)
    assert hear(RECEIVED, SSID, key) == NetworkCredentials("cafè".encode(), b"0a" * 32)


@pytest.mark.parametrize(
    "events",
    [
        (RECEIVED, PASSPHRASE),
        (SSID, RECEIVED, PASSPHRASE),
        (SSID, ControlEvent("DPP-CONFOBJ-PASS", "zz")),
        (SSID, ControlEvent("DPP-CONFOBJ-PASS", "00")),
        (ControlEvent("DPP-CONFOBJ-SSID", "x" * 33), PASSPHRASE),
        (ControlEvent("DPP-CONFOBJ-SSID", r"\q"), PASSPHRASE),
        (SSID, ControlEvent("DPP-CONFOBJ-PASS", "zz"), PASSPHRASE),
    ],
    ids=[
        "no name",
        "name of another",
        "no digits",
        "short",
        "long name",
        "broken name",
        "after a broken one",
    ],
)
def test_what_can_be_no_network_is_dropped(events: tuple[ControlEvent, ...]) -> None:
    assert hear(*events) is None
